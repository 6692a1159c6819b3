/* SET and the settings' part of QUERY: one table serves both. */
#include "cms/command/settings.h"

#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/console/console.h"
#include "cms/console/output.h"

struct settings cms_settings; /* all zero: the first value of each */

static const char *const switch_values[] = {"ON", "OFF", NULL};
static const char *const emsg_values[] = {"ON", "OFF", "CODE", "TEXT", NULL};
static const char *const rdymsg_values[] = {"LMSG", "SMSG", NULL};

static const struct setting {
    const char *name;
    uint8_t abbreviation;
    const char *const *values;
    uint8_t *value;
} table[] = {
    {"ABBREV", 6, switch_values, &cms_settings.abbrev},
    {"EMSG", 2, emsg_values, &cms_settings.emsg},
    {"FULLSCREEN", 5, switch_values, &cms_settings.fullscreen},
    {"IMPCP", 5, switch_values, &cms_settings.impcp},
    {"IMPEX", 5, switch_values, &cms_settings.impex},
    {"RDYMSG", 3, rdymsg_values, &cms_settings.rdymsg},
};

static const struct setting *find(const char *word)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (cms_abbreviates(word, table[i].name, table[i].abbreviation))
            return &table[i];
    return NULL;
}

bool cms_setting_query(const char *word)
{
    const struct setting *s = find(word);
    if (s)
        cms_text("%-8s = %s", s->name, s->values[*s->value]);
    else if (cms_abbreviates(word, "LINEND", 5))
        cms_text("%-8s = %c", "LINEND", cms_console_line_end() ? cms_console_line_end() : ' ');
    else
        return false;
    return true;
}

bool cms_setting_known(const char *word)
{
    return find(word) || cms_abbreviates(word, "LINEND", 5);
}

static int set_line_end(const struct arguments *a)
{
    const struct word *w = &a->operand[1];
    if (!strcmp(w->text, "OFF"))
        cms_console_set_line_end(0);
    else if (w->raw_length == 1 && *w->raw > ' ' && !(*w->raw >= '0' && *w->raw <= '9') &&
             !(w->text[0] >= 'A' && w->text[0] <= 'Z'))
        cms_console_set_line_end(*w->raw);
    else
        return cms_message("SET", MESSAGE_INVALID_PARAMETER, cms_typed(w));
    return 0;
}

static int set_value(const struct setting *s, const char *word)
{
    for (uint8_t i = 0; s->values[i]; i++)
        if (!strcmp(word, s->values[i])) {
            *s->value = i;
            return 0;
        }
    return cms_message("SET", MESSAGE_INVALID_PARAMETER, word);
}

int cms_set(const struct arguments *a)
{
    const char *word = a->operand[0].text;
    if (!a->count)
        return cms_message("SET", MESSAGE_NO_OPERANDS);
    const struct setting *s = find(word);
    bool is_line_end = cms_abbreviates(word, "LINEND", 5);
    if (!s && !is_line_end)
        return cms_cp_or_message(a, "SET");
    if (a->count < 2)
        return cms_message("SET", MESSAGE_PARAMETER_MISSING, word);
    if (a->count > 2)
        return cms_message("SET", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[2]));
    return is_line_end ? set_line_end(a) : set_value(s, a->operand[1].text);
}

/* LINEND is a setting, but no row. */
const char *cms_setting_name(size_t index)
{
    size_t rows = sizeof table / sizeof *table;
    return index < rows ? table[index].name : index == rows ? "LINEND" : NULL;
}

const char *cms_setting_value(const char *setting, size_t index)
{
    const struct setting *s = find(setting);
    for (size_t i = 0; s && s->values[i]; i++)
        if (i == index)
            return s->values[i];
    return NULL;
}
