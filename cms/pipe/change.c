/* CHANGE: text in records replaced by other text. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/pipe/stages.h"

/* ---- CHANGE ------------------------------------------------------------------------------------------------------ */

struct change {
    bool any_case;
    struct ranges ranges;
    struct string from, to;
    uint32_t count;
    struct buffer out;
};

/* /from/to/: the delimiter in the middle ends the one and begins the other. After Xhex a string of its own follows. */
static int two_strings(struct scan *operands, struct change *c)
{
    int rc = cms_scan_string(operands, &c->from);
    if (!rc && c->from.data != c->from.decoded)
        operands->at--;
    return rc ? rc : cms_scan_string(operands, &c->to);
}

static int change_prepare(struct stage *stage, struct scan *operands)
{
    struct change *c = stage->state;
    c->count = UINT32_MAX;
    c->any_case = cms_scan_any_case(operands);
    int rc = cms_scan_ranges(operands, &c->ranges);
    if (!rc)
        rc = two_strings(operands, c);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_count(operands, &c->count);
    return rc ? rc : cms_scan_end(operands);
}

/* An empty `from` puts `to` at the beginning of the range, once. */
static bool change_range(struct change *c, const uint8_t *data, size_t from, size_t to, uint32_t *left, int *rc)
{
    size_t at;
    for (; *left && (at = cms_string_find(&c->from, data, from, to, c->any_case)) != SIZE_MAX; --*left) {
        if (!cms_buffer_add(&c->out, data + from, at - from, rc) ||
            !cms_buffer_add(&c->out, c->to.data, c->to.length, rc))
            return false;
        from = at + c->from.length;
    }
    return cms_buffer_add(&c->out, data + from, to - from, rc);
}

/* The ranges are taken from left to right; one that begins within the one before it begins behind that. */
static int change_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct change *c = stage->state;
    size_t done = 0;
    uint32_t count = c->from.length ? c->count : 1, left = count;
    int rc = 0;
    c->out.length = 0;
    for (int i = 0; i < c->ranges.count; i++) {
        size_t from, to;
        cms_range_find(&c->ranges.range[i], data, length, &from, &to);
        from = from < done ? done : from;
        if (to < from)
            continue;
        if (!cms_buffer_add(&c->out, data + done, from - done, &rc) ||
            !change_range(c, data, from, to, &left, &rc))
            return rc;
        done = to;
    }
    if (!cms_buffer_add(&c->out, data + done, length - done, &rc))
        return rc;
    return cms_pipe_choose(stage, left < count || !cms_pipe_wanted(stage, 1), c->out.data, c->out.length);
}

static void change_close(struct stage *stage)
{
    cms_buffer_free(&((struct change *)stage->state)->out);
}

const struct stage_kind cms_stage_change = {
    .name = "CHANGE", .abbreviation = 6, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct change),
    .format = "CHANGE [ANYCASE] [range] /from/to/ [n|*]",
    .help = HELP_TEXT("Replaces text in the range: n times in a record, or always.  If there is a\n"
                      "stream 1, records without the text go there.\n"),
    .prepare = change_prepare, .record = change_record, .close = change_close};
