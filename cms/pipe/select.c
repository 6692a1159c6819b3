/* Stages that choose records by what is in them: LOCATE, NLOCATE, FIND, NFIND. Those not chosen go to stream 1. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/pipe/stages.h"

int cms_pipe_choose(struct stage *stage, bool chosen, const uint8_t *data, size_t length)
{
    return cms_pipe_put(stage, chosen ? 0 : 1, data, length);
}

/* ---- LOCATE, NLOCATE --------------------------------------------------------------------------------------------- */

struct locate {
    bool any_case, any_of;
    struct ranges ranges;
    struct string string;
};

static int locate_prepare(struct stage *stage, struct scan *operands)
{
    struct locate *l = stage->state;
    l->any_case = cms_scan_any_case(operands);
    int rc = cms_scan_ranges(operands, &l->ranges);
    l->any_case |= cms_scan_any_case(operands);
    l->any_of = cms_scan_keyword(operands, "ANYOF", 5);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_string(operands, &l->string);
    return rc ? rc : cms_scan_end(operands);
}

static bool any_of(const struct string *string, const uint8_t *data, size_t from, size_t to)
{
    for (; from < to; from++)
        if (memchr(string->data, data[from], string->length))
            return true;
    return false;
}

/* Without a string, a range must not be empty. */
static bool matches(const struct locate *l, const uint8_t *data, size_t length)
{
    for (int i = 0; i < l->ranges.count; i++) {
        size_t from, to;
        cms_range_find(&l->ranges.range[i], data, length, &from, &to);
        if (l->string.length == 0 ? to > from
            : l->any_of           ? any_of(&l->string, data, from, to)
                                  : cms_string_find(&l->string, data, from, to, l->any_case) != SIZE_MAX)
            return true;
    }
    return false;
}

static int locate_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_pipe_choose(stage, matches(stage->state, data, length), data, length);
}

static int nlocate_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_pipe_choose(stage, !matches(stage->state, data, length), data, length);
}

const struct stage_kind cms_stage_locate = {
    .name = "LOCATE", .abbreviation = 1, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct locate),
    .format = "LOCATE [ANYCASE] [range] [[ANYOF] /text/]",
    .help = HELP_TEXT("Records that contain the text in the range, or in one of several; without a\n"
                      "text those that are long enough to have the range; others go to stream 1.\n"),
    .prepare = locate_prepare, .record = locate_record};
const struct stage_kind cms_stage_nlocate = {
    .name = "NLOCATE", .abbreviation = 2, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct locate),
    .format = "NLOCATE [ANYCASE] [range] [[ANYOF] /text/]",
    .help = HELP_TEXT("Records that LOCATE would not choose; others go to stream 1.\n"),
    .prepare = locate_prepare, .record = nlocate_record};

/* ---- FIND, NFIND ------------------------------------------------------------------------------------------------- */

struct find {
    struct scan text;
};

static int find_prepare(struct stage *stage, struct scan *operands)
{
    struct find *f = stage->state;
    cms_pipe_take_text(operands, &f->text);
    return 0;
}

/* A blank stands for any character, an underscore for a blank. */
static bool finds(const struct find *f, const uint8_t *data, size_t length)
{
    size_t wanted = (size_t)(f->text.end - f->text.at);
    for (size_t i = 0; i < wanted; i++) {
        char c = f->text.at[i];
        if (c != ' ' && (i >= length || data[i] != (uint8_t)(c == '_' ? ' ' : c)))
            return false;
    }
    return true;
}

static int find_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_pipe_choose(stage, finds(stage->state, data, length), data, length);
}

static int nfind_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_pipe_choose(stage, !finds(stage->state, data, length), data, length);
}

const struct stage_kind cms_stage_find = {
    .name = "FIND", .abbreviation = 4, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct find),
    .format = "FIND text",
    .help = HELP_TEXT("Records that begin with the text, in which a blank stands for any character\n"
                      "and _ for a blank; others go to stream 1.\n"),
    .prepare = find_prepare, .record = find_record};
const struct stage_kind cms_stage_nfind = {
    .name = "NFIND", .abbreviation = 5, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct find),
    .format = "NFIND text",
    .help = HELP_TEXT("Records that FIND would not choose; others go to stream 1.\n"),
    .prepare = find_prepare, .record = nfind_record};
