/* STEM and VAR: records from and to the variables of the program that gave the PIPE command. */
#include "cms/kernel/variables.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

enum { NAME_MAX = 250, VALUE_MAX = 65536 };

struct variables {
    char name[NAME_MAX + 1];
    bool append, unset; /* unset: the variable last fetched */
    uint64_t from, count, read; /* STEM: of the elements */
    struct buffer value;
};

/* ---- access ------------------------------------------------------------------------------------------------------ */

static int failed(enum cms_variable_status status, const char *name)
{
    switch (status) {
    case VARIABLE_BAD_NAME: return cms_message("PIP", MESSAGE_PIPE_VARIABLE, name);
    case VARIABLE_NO_MEMORY: return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    default: return 0;
    }
}

static int fetch(struct variables *v, const char *name)
{
    size_t length = 0;
    int rc = 0;
    v->value.length = 0;
    if (!cms_buffer_fill(&v->value, 0, v->value.room > VALUE_MAX ? v->value.room : VALUE_MAX, &rc))
        return rc;
    enum cms_variable_status status =
        cms_variable_get(name, (char *)v->value.data, v->value.length, &length);
    if (status == VARIABLE_UNSET) {
        length = strlen(name);
        memcpy(v->value.data, name, length < v->value.length ? length : v->value.length);
    }
    if (length > v->value.length) {
        if (!cms_buffer_fill(&v->value, 0, length, &rc))
            return rc;
        status = cms_variable_get(name, (char *)v->value.data, v->value.length, &length);
    }
    v->value.length = length < v->value.length ? length : v->value.length;
    v->unset = status == VARIABLE_UNSET;
    return failed(status, name);
}

static int store(const char *name, const void *value, size_t length)
{
    return failed(cms_variable_set(name, value, length), name);
}

static int variables_start(struct stage *stage)
{
    (void)stage;
    return cms_variables_there() ? 0 : cms_message("PIP", MESSAGE_PIPE_NO_VARIABLES);
}

static void variables_close(struct stage *stage)
{
    cms_buffer_free(&((struct variables *)stage->state)->value);
}

static int read_name(struct scan *operands, struct variables *v)
{
    if (!cms_scan_more(operands))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    if (cms_scan_length(operands) > NAME_MAX - 20)
        return cms_message("PIP", MESSAGE_PIPE_VARIABLE_LONG, cms_scan_length(operands));
    cms_scan_upper(operands, v->name, sizeof v->name);
    return 0;
}

/* ---- VAR --------------------------------------------------------------------------------------------------------- */

static int var_prepare(struct stage *stage, struct scan *operands)
{
    int rc = read_name(operands, stage->state);
    return rc ? rc : cms_scan_end(operands);
}

static int var_begin(struct stage *stage)
{
    struct variables *v = stage->state;
    int rc = stage->stream[0].in ? 0 : fetch(v, v->name);
    return rc || stage->stream[0].in ? rc : cms_pipe_put(stage, 0, v->value.data, v->value.length);
}

/* The first record is the variable's; all pass on. */
static int var_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct variables *v = stage->state;
    int rc = v->count++ ? 0 : store(v->name, data, length);
    return rc ? rc : cms_pipe_put(stage, 0, data, length);
}

const struct stage_kind cms_stage_var = {
    .name = "VAR", .abbreviation = 3, .keeps_on = true, .size = sizeof(struct variables),
    .format = "VAR name",
    .help = HELP_TEXT("As the first stage the value of a variable of the program that gave the\n"
                      "command; else the first record becomes its value, and all pass on.\n"),
    .prepare = var_prepare, .start = variables_start, .begin = var_begin, .record = var_record,
    .close = variables_close};

/* ---- STEM -------------------------------------------------------------------------------------------------------- */

static int stem_prepare(struct stage *stage, struct scan *operands)
{
    struct variables *v = stage->state;
    uint32_t from = 1;
    int rc = read_name(operands, v);
    v->append = !rc && cms_scan_keyword(operands, "APPEND", 6);
    if (!rc && !v->append && cms_scan_keyword(operands, "FROM", 4))
        rc = cms_scan_number(operands, &from);
    v->from = from;
    return rc ? rc : cms_scan_end(operands);
}

static void element(const struct variables *v, uint64_t number, char name[NAME_MAX + 1])
{
    format_text(name, NAME_MAX + 1, "%s%llu", v->name, (unsigned long long)number);
}

/* How many elements there are, as element 0 says. */
static int fetch_count(struct variables *v)
{
    char name[NAME_MAX + 1];
    element(v, 0, name);
    int rc = fetch(v, name);
    v->count = 0;
    if (v->append && v->unset)
        return rc;
    for (size_t i = 0; !rc && i < v->value.length; i++) {
        uint8_t c = v->value.data[i];
        if (c < '0' || c > '9' || i == 10)
            return cms_message("PIP", MESSAGE_PIPE_COUNT,
                               cms_scan_shown(v->value.data, v->value.length, name, 40));
        v->count = v->count * 10 + (uint64_t)(c - '0');
    }
    return rc;
}

static int stem_begin(struct stage *stage)
{
    struct variables *v = stage->state;
    char name[NAME_MAX + 1];
    int rc = 0;
    if (stage->stream[0].in) {
        rc = v->append ? fetch_count(v) : 0;
        v->read = v->append ? v->count : v->from - 1;
        return rc;
    }
    if (!v->read) {
        rc = fetch_count(v);
        v->read = v->from - 1;
    }
    if (rc || v->read >= v->count)
        return rc;
    element(v, ++v->read, name);
    rc = fetch(v, name);
    if (!rc)
        rc = cms_pipe_put(stage, 0, v->value.data, v->value.length);
    return rc ? rc : PIPE_AGAIN;
}

static int stem_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct variables *v = stage->state;
    char name[NAME_MAX + 1];
    element(v, ++v->read, name);
    int rc = store(name, data, length);
    return rc ? rc : cms_pipe_put(stage, 0, data, length);
}

/* Element 0 says how many there are. */
static int stem_end(struct stage *stage)
{
    const struct variables *v = stage->state;
    char name[NAME_MAX + 1], count[24];
    if (!stage->stream[0].in)
        return 0;
    element(v, 0, name);
    return store(name, count, format_text(count, sizeof count, "%llu", (unsigned long long)v->read));
}

const struct stage_kind cms_stage_stem = {
    .name = "STEM", .abbreviation = 4, .keeps_on = true, .size = sizeof(struct variables),
    .format = "STEM name. [APPEND|FROM n]",
    .help = HELP_TEXT("As the first stage the values of name.1, name.2 and so on, as many as name.0\n"
                      "says; else the records become them, and pass on.\n"),
    .prepare = stem_prepare, .start = variables_start, .begin = stem_begin, .record = stem_record, .end = stem_end,
    .close = variables_close};
