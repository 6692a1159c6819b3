/* Stages that choose records: LOCATE, NLOCATE, BETWEEN, TAKE, DROP. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"

/* ---- LOCATE, NLOCATE --------------------------------------------------------------------------------------------- */

struct locate {
    bool any_case;
    struct range range;
    struct string string;
};

static int locate_prepare(struct stage *stage, struct scan *operands)
{
    struct locate *l = stage->state;
    int rc = 0;
    l->any_case = cms_scan_keyword(operands, "ANYCASE", 3) || cms_scan_keyword(operands, "CASEANY", 5);
    if (cms_scan_is_range(operands))
        rc = cms_scan_range(operands, &l->range);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_string(operands, &l->string);
    return rc ? rc : cms_scan_end(operands);
}

/* Without a string, the range must not be empty. */
static bool matches(const struct locate *l, const uint8_t *data, size_t length)
{
    size_t from, to;
    cms_range_find(&l->range, data, length, &from, &to);
    if (l->string.length == 0)
        return to > from;
    return cms_string_find(&l->string, data, from, to, l->any_case) != SIZE_MAX;
}

static int locate_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return matches(stage->state, data, length) ? cms_pipe_put(stage, data, length) : 0;
}

static int nlocate_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return matches(stage->state, data, length) ? 0 : cms_pipe_put(stage, data, length);
}

const struct stage_kind cms_stage_locate = {
    "LOCATE", 1, PLACE_LATER, false, sizeof(struct locate), locate_prepare, NULL, locate_record, NULL, NULL};
const struct stage_kind cms_stage_nlocate = {
    "NLOCATE", 2, PLACE_LATER, false, sizeof(struct locate), locate_prepare, NULL, nlocate_record, NULL, NULL};

/* ---- BETWEEN ----------------------------------------------------------------------------------------------------- */

struct between {
    bool any_case, inside;
    struct string first, last;
    uint32_t count, left; /* count: instead of a last string */
};

static int between_prepare(struct stage *stage, struct scan *operands)
{
    struct between *b = stage->state;
    b->any_case = cms_scan_keyword(operands, "ANYCASE", 3);
    int rc = cms_scan_string(operands, &b->first);
    if (!rc && cms_scan_is_range(operands)) {
        rc = cms_scan_number(operands, &b->count);
        if (!rc && b->count < 2)
            rc = cms_message("PIP", MESSAGE_PIPE_OPERAND, "less than 2");
    } else if (!rc) {
        rc = cms_scan_string(operands, &b->last);
    }
    return rc ? rc : cms_scan_end(operands);
}

static bool begins(const struct between *b, const struct string *string, const uint8_t *data, size_t length)
{
    return string->length <= length && cms_string_find(string, data, 0, string->length, b->any_case) == 0;
}

static int between_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct between *b = stage->state;
    if (!b->inside) {
        if (!begins(b, &b->first, data, length))
            return 0;
        b->inside = true;
        b->left = b->count;
    } else if (!b->count && begins(b, &b->last, data, length)) {
        b->inside = false;
    }
    if (b->count && --b->left == 0)
        b->inside = false;
    return cms_pipe_put(stage, data, length);
}

const struct stage_kind cms_stage_between = {
    "BETWEEN", 7, PLACE_LATER, false, sizeof(struct between), between_prepare, NULL, between_record, NULL, NULL};

/* ---- TAKE, DROP -------------------------------------------------------------------------------------------------- */

struct some {
    bool last;
    uint32_t count, seen;
    struct hold hold; /* LAST: the last records so far, at most count */
};

static int some_prepare(struct stage *stage, struct scan *operands)
{
    struct some *s = stage->state;
    s->count = 1;
    if (!cms_scan_keyword(operands, "FIRST", 5))
        s->last = cms_scan_keyword(operands, "LAST", 4);
    if (cms_scan_keyword(operands, "*", 1))
        s->count = UINT32_MAX;
    else if (cms_scan_more(operands)) {
        int rc = cms_scan_number(operands, &s->count);
        if (rc)
            return rc;
    }
    return cms_scan_end(operands);
}

static int put_held(struct stage *stage, struct held *held)
{
    int rc = cms_pipe_put(stage, held->data, held->length);
    cms_heap_free(held);
    return rc;
}

static int take_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct some *s = stage->state;
    if (!s->last) {
        if (s->seen == s->count)
            return PIPE_ENOUGH;
        int rc = cms_pipe_put(stage, data, length);
        return rc ? rc : ++s->seen == s->count ? PIPE_ENOUGH : 0;
    }
    int rc = s->count ? cms_hold_add(&s->hold, data, length) : 0;
    if (s->hold.count > s->count)
        cms_heap_free(cms_hold_take(&s->hold));
    return rc;
}

static int take_end(struct stage *stage)
{
    struct some *s = stage->state;
    int rc = 0;
    for (struct held *held; !rc && (held = cms_hold_take(&s->hold));)
        rc = put_held(stage, held);
    return rc;
}

static int drop_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct some *s = stage->state;
    if (!s->last)
        return s->seen < s->count ? (s->seen++, 0) : cms_pipe_put(stage, data, length);
    int rc = cms_hold_add(&s->hold, data, length);
    return rc || s->hold.count <= s->count ? rc : put_held(stage, cms_hold_take(&s->hold));
}

static void some_close(struct stage *stage)
{
    cms_hold_free(&((struct some *)stage->state)->hold);
}

const struct stage_kind cms_stage_take = {
    "TAKE", 4, PLACE_LATER, false, sizeof(struct some), some_prepare, NULL, take_record, take_end, some_close};
const struct stage_kind cms_stage_drop = {
    "DROP", 4, PLACE_LATER, false, sizeof(struct some), some_prepare, NULL, drop_record, NULL, some_close};
