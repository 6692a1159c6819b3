/* Options after the parenthesis, by table. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/file.h"

static int row_of(const struct file_option *table, const struct word *word)
{
    for (int i = 0; table[i].name; i++)
        if (cms_word_is(word, table[i].name, table[i].abbreviation))
            return i;
    return -1;
}

static const char *conflict(const struct file_option *table, const struct file_options *options, int row)
{
    for (int i = 0; table[i].name; i++)
        if (file_option(options, (unsigned)i) && i != row && table[row].group && table[i].group == table[row].group)
            return table[i].name;
    return NULL;
}

int cms_file_options(const char *module, const struct arguments *a, const struct file_option *table,
                     struct file_options *options)
{
    *options = (struct file_options){0};
    for (int i = 0; i < a->option_count; i++) {
        int row = row_of(table, &a->option[i]);
        if (row < 0)
            return cms_message(module, MESSAGE_INVALID_OPTION, cms_typed(&a->option[i]));
        if (file_option(options, (unsigned)row))
            return cms_message(module, MESSAGE_OPTION_TWICE, table[row].name);
        const char *other = conflict(table, options, row);
        if (other)
            return cms_message(module, MESSAGE_CONFLICTING_OPTIONS, other, table[row].name);
        if (table[row].value) {
            if (i + 1 == a->option_count)
                return cms_message(module, MESSAGE_PARAMETER_MISSING, table[row].name);
            options->value[row] = &a->option[++i];
        }
        options->given |= 1u << row;
    }
    return 0;
}

int cms_file_columns_read(const char *module, const struct word *word, struct file_range *columns)
{
    struct word part = *word;
    const char *dash = memchr(word->raw, '-', word->raw_length);
    part.raw_length = dash ? (uint16_t)(dash - word->raw) : word->raw_length;
    bool valid = cms_number(&part, &columns->first) && columns->first;
    if (valid && dash) {
        part.raw = dash + 1;
        part.raw_length = (uint16_t)(word->raw + word->raw_length - part.raw);
        valid = cms_number(&part, &columns->last) && columns->last >= columns->first;
    }
    return valid ? 0 : cms_message(module, MESSAGE_INVALID_RECORD, cms_typed(word), "COL");
}
