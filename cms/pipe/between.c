/* Stages that choose records by where they stand: BETWEEN, INSIDE and their opposites, FRLABEL, TOLABEL, TAKE, DROP.
 * Those not chosen go to stream 1. */
#include "cms/command/messages.h"
#include "cms/pipe/stages.h"

/* ---- BETWEEN, INSIDE --------------------------------------------------------------------------------------------- */

struct between {
    bool any_case, within;
    struct string first, last;
    uint32_t count, left; /* count: instead of a last string */
};

static int between_prepare(struct stage *stage, struct scan *operands)
{
    struct between *b = stage->state;
    b->any_case = cms_scan_any_case(operands);
    int rc = cms_scan_string(operands, &b->first);
    if (!rc && cms_scan_is_number(operands)) {
        rc = cms_scan_number(operands, &b->count);
        if (!rc && b->count < (stage->kind->abbreviation == 7 ? 2 : 1))
            rc = cms_message("PIP", MESSAGE_PIPE_OUTSIDE, b->count);
    } else if (!rc) {
        rc = cms_scan_string(operands, &b->last);
    }
    return rc ? rc : cms_scan_end(operands);
}

enum where { OUTSIDE, AT_EDGE, INSIDE };

static enum where where(struct between *b, const uint8_t *data, size_t length, uint32_t left)
{
    if (!b->within) {
        if (!cms_string_begins(&b->first, data, length, b->any_case))
            return OUTSIDE;
        b->within = true;
        b->left = left;
        return AT_EDGE;
    }
    if (b->count) {
        b->within = --b->left > 0;
        return INSIDE;
    }
    b->within = !cms_string_begins(&b->last, data, length, b->any_case);
    return b->within ? INSIDE : AT_EDGE;
}

static int between_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct between *b = stage->state;
    return cms_pipe_choose(stage, where(b, data, length, b->count - 1) != OUTSIDE, data, length);
}

static int outside_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct between *b = stage->state;
    return cms_pipe_choose(stage, where(b, data, length, b->count - 1) == OUTSIDE, data, length);
}

static int inside_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct between *b = stage->state;
    return cms_pipe_choose(stage, where(b, data, length, b->count) == INSIDE, data, length);
}

static int notinside_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct between *b = stage->state;
    return cms_pipe_choose(stage, where(b, data, length, b->count) != INSIDE, data, length);
}

const struct stage_kind cms_stage_between = {
    .name = "BETWEEN", .abbreviation = 7, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct between),
    .format = "BETWEEN [ANYCASE] /a/ {/b/|n}",
    .help = HELP_TEXT("Groups of records, from one that begins with a to the next that begins with b,\n"
                      "or so many; the records between groups go to stream 1.\n"),
    .prepare = between_prepare, .record = between_record};
const struct stage_kind cms_stage_outside = {
    .name = "OUTSIDE", .abbreviation = 7, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct between),
    .format = "OUTSIDE [ANYCASE] /a/ {/b/|n}",
    .help = HELP_TEXT("Records that BETWEEN would not choose; others go to stream 1.\n"),
    .prepare = between_prepare, .record = outside_record};
const struct stage_kind cms_stage_inside = {
    .name = "INSIDE", .abbreviation = 6, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct between),
    .format = "INSIDE [ANYCASE] /a/ {/b/|n}",
    .help = HELP_TEXT("As BETWEEN, but without the records that begin with a and b; n records behind\n"
                      "the first.  Others go to stream 1.\n"),
    .prepare = between_prepare, .record = inside_record};
const struct stage_kind cms_stage_notinside = {
    .name = "NOTINSIDE", .abbreviation = 4, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct between),
    .format = "NOTINSIDE [ANYCASE] /a/ {/b/|n}",
    .help = HELP_TEXT("Records that INSIDE would not choose; others go to stream 1.\n"),
    .prepare = between_prepare, .record = notinside_record};

/* ---- FRLABEL, TOLABEL -------------------------------------------------------------------------------------------- */

struct label {
    struct scan text;
    bool seen;
};

static int label_prepare(struct stage *stage, struct scan *operands)
{
    cms_pipe_take_text(operands, &((struct label *)stage->state)->text);
    return 0;
}

static bool label_seen(struct label *l, const uint8_t *data, size_t length)
{
    const struct string string = {.data = (const uint8_t *)l->text.at, .length = (size_t)(l->text.end - l->text.at)};
    return l->seen = l->seen || cms_string_begins(&string, data, length, false);
}

static int frlabel_record(struct stage *stage, const uint8_t *data, size_t length)
{
    bool seen = label_seen(stage->state, data, length);
    if (seen)
        cms_pipe_close_output(stage, 1);
    return cms_pipe_choose(stage, seen, data, length);
}

static int tolabel_record(struct stage *stage, const uint8_t *data, size_t length)
{
    bool before = !label_seen(stage->state, data, length);
    if (!before)
        cms_pipe_close_output(stage, 0);
    return before || cms_pipe_wanted(stage, 1) ? cms_pipe_choose(stage, before, data, length) : PIPE_ENOUGH;
}

const struct stage_kind cms_stage_frlabel = {
    .name = "FRLABEL", .abbreviation = 4, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct label),
    .format = "FRLABEL text",
    .help = HELP_TEXT("Records from the first one on that begins with the text; those before it go to\n"
                      "stream 1.\n"),
    .prepare = label_prepare, .record = frlabel_record};
const struct stage_kind cms_stage_tolabel = {
    .name = "TOLABEL", .abbreviation = 5, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct label),
    .format = "TOLABEL text",
    .help = HELP_TEXT("Records before the first one that begins with the text; it and those behind it\n"
                      "go to stream 1.\n"),
    .prepare = label_prepare, .record = tolabel_record};

/* ---- TAKE, DROP -------------------------------------------------------------------------------------------------- */

struct some {
    bool last;
    uint32_t count;
    uint64_t seen;
    struct hold hold; /* LAST: the last records so far, at most count */
};

static int some_prepare(struct stage *stage, struct scan *operands)
{
    struct some *s = stage->state;
    int rc = 0;
    s->count = 1;
    if (!cms_scan_keyword(operands, "FIRST", 5))
        s->last = cms_scan_keyword(operands, "LAST", 4);
    if (cms_scan_more(operands))
        rc = cms_scan_count(operands, &s->count);
    return rc ? rc : cms_scan_end(operands);
}

/* The stream to which records go that fall out of the last `count`. */
static int hold_last(struct stage *stage, const uint8_t *data, size_t length, int stream)
{
    struct some *s = stage->state;
    int rc = cms_hold_add(&s->hold, data, length);
    if (rc || s->hold.count <= s->count)
        return rc;
    struct held *held = cms_hold_take(&s->hold);
    rc = cms_pipe_put(stage, stream, held->data, held->length);
    cms_pipe_free_held(held);
    return rc;
}

static int take_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct some *s = stage->state;
    if (s->last)
        return hold_last(stage, data, length, 1);
    bool wanted = s->seen < s->count;
    if (!wanted && !cms_pipe_wanted(stage, 1))
        return PIPE_ENOUGH;
    s->seen++;
    int rc = cms_pipe_choose(stage, wanted, data, length);
    if (s->seen >= s->count)
        cms_pipe_close_output(stage, 0);
    return rc || s->seen < s->count || cms_pipe_wanted(stage, 1) ? rc : PIPE_ENOUGH;
}

static int drop_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct some *s = stage->state;
    if (s->last)
        return hold_last(stage, data, length, 0);
    bool dropped = s->seen < s->count;
    s->seen += dropped;
    int rc = cms_pipe_choose(stage, !dropped, data, length);
    if (s->seen >= s->count)
        cms_pipe_close_output(stage, 1);
    return rc;
}

static int put_last(struct stage *stage, int stream)
{
    struct some *s = stage->state;
    struct held *held = cms_hold_take(&s->hold);
    if (!held)
        return 0;
    int rc = cms_pipe_put(stage, stream, held->data, held->length);
    cms_pipe_free_held(held);
    return rc ? rc : PIPE_AGAIN;
}

static int take_end(struct stage *stage)
{
    cms_pipe_close_output(stage, 1);
    return put_last(stage, 0);
}

static int drop_end(struct stage *stage)
{
    cms_pipe_close_output(stage, 0);
    return put_last(stage, 1);
}

static void some_close(struct stage *stage)
{
    cms_hold_free(&((struct some *)stage->state)->hold);
}

const struct stage_kind cms_stage_take = {
    .name = "TAKE", .abbreviation = 4, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct some),
    .format = "TAKE [FIRST|LAST] [n|*]",
    .help = HELP_TEXT("The first or last n records (1); others go to stream 1.\n"),
    .prepare = some_prepare, .record = take_record, .end = take_end, .close = some_close};
const struct stage_kind cms_stage_drop = {
    .name = "DROP", .abbreviation = 4, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct some),
    .format = "DROP [FIRST|LAST] [n|*]",
    .help = HELP_TEXT("All but the first or last n records (1); those go to stream 1.\n"),
    .prepare = some_prepare, .record = drop_record, .end = drop_end, .close = some_close};
