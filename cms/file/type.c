/* TYPE: the records of a file on the console. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/file.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { HEX, COL };

static const struct file_option option_table[] = {
    [HEX] = {"HEX", 3, 0, false}, [COL] = {"COL", 3, 0, true}, {NULL, 0, 0, false}};
const struct file_option *const cms_file_type_options = option_table;

/* A record number, or * for the end. */
static int read_line_number(const struct word *word, uint32_t *value)
{
    if (word->raw_length == 1 && word->raw[0] == '*')
        return 0;
    return cms_number(word, value) && *value ? 0 : cms_message("TYP", MESSAGE_INVALID_LINE, cms_typed(word));
}

/* fn ft [fm] [first [last]] */
static int read_operands(const struct arguments *a, struct file_id *id, struct file_range *lines)
{
    uint32_t ignored;
    int at = a->count > 2 && !cms_number(&a->operand[2], &ignored) ? 3 : 2;
    int rc = cms_file_id_read("TYP", a->operand, a->count < at ? a->count : at, 'A', false, id);
    if (!rc && a->count > at)
        rc = read_line_number(&a->operand[at], &lines->first);
    if (!rc && a->count > at + 1)
        rc = read_line_number(&a->operand[at + 1], &lines->last);
    if (!rc && a->count > at + 2)
        rc = cms_message("TYP", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[at + 2]));
    return rc;
}

static void show_hex(const uint8_t *data, size_t length, uint32_t number)
{
    char line[80];
    cms_text("RECORD %u LENGTH=%zu", number, length);
    for (size_t at = 0; at < length; at += 16) {
        size_t n = 0;
        for (size_t i = at; i < at + 16; i++) {
            if (i < length)
                n += format_text(line + n, sizeof line - n, "%02X", data[i]);
            else
                n += format_text(line + n, sizeof line - n, "  ");
            n += format_text(line + n, sizeof line - n, i % 4 == 3 ? " " : "");
        }
        line[n++] = '*';
        for (size_t i = at; i < at + 16 && i < length; i++)
            line[n++] = data[i] >= ' ' && data[i] < 0x7f ? (char)data[i] : '.';
        line[n++] = '*';
        cms_line(line, n);
    }
}

static void show(const uint8_t *data, uint32_t length, uint32_t number, const struct file_range *columns, bool hex)
{
    uint32_t first = columns->first - 1 < length ? columns->first - 1 : length;
    uint32_t last = columns->last < length ? columns->last : length;
    if (hex)
        show_hex(data + first, last - first, number);
    else
        cms_file_show(data + first, last - first);
}

static int show_all(struct edf_reader *reader, const struct file_range *lines, const struct file_range *columns,
                    bool hex, enum edf_status *status)
{
    struct edf_file_facts facts;
    uint32_t length;
    edf_reader_facts(reader, &facts);
    uint8_t *data = cms_heap_allocate(facts.lrecl ? facts.lrecl : 1);
    *status = data ? edf_seek(reader, lines->first) : EDF_NO_MEMORY;
    for (uint32_t n = lines->first; !*status && n <= lines->last; n++) {
        if (cms_halted())
            return COMMAND_HALTED;
        *status = edf_read(reader, data, facts.lrecl, &length);
        if (!*status)
            show(data, length, n, columns, hex);
    }
    cms_heap_free(data);
    return 0;
}

int cms_file_type(const struct arguments *a)
{
    struct file_range lines = {1, UINT32_MAX - 1}, columns = {1, UINT32_MAX};
    struct file_options options;
    struct file_found found;
    struct edf_reader *reader;
    struct file_id id;
    char text[FILE_ID_MAX];
    int rc = cms_file_options("TYP", a, option_table, &options);
    if (!rc)
        rc = read_operands(a, &id, &lines);
    if (!rc && file_option(&options, COL))
        rc = cms_file_columns_read("TYP", options.value[COL], &columns);
    if (!rc)
        rc = cms_file_find("TYP", &id, &found);
    if (!rc && !file_option(&options, HEX))
        rc = cms_file_refuse_packed("TYP", &found);
    if (rc)
        return rc;
    cms_file_found_text(&found, text);
    enum edf_status status = edf_open(found.mode->disk, found.facts.name, found.facts.type, &reader);
    if (status)
        return cms_file_failed("TYP", status, found.mode, text);
    if (lines.first > 1 && lines.first > found.facts.records) {
        edf_close(reader);
        format_text(text, sizeof text, "%u", lines.first);
        return cms_message("TYP", MESSAGE_INVALID_LINE, text);
    }
    cms_line("", 0);
    rc = show_all(reader, &lines, &columns, file_option(&options, HEX), &status);
    edf_close(reader);
    if (rc)
        return rc;
    cms_line("", 0);
    return status && status != EDF_END ? cms_file_failed("TYP", status, found.mode, text) : 0;
}
