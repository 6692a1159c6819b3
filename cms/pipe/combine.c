/* Stages that make of records of several streams one, or order them by each other: OVERLAY, JUXTAPOSE, COLLATE. */
#include "cms/command/messages.h"
#include "cms/pipe/key.h"
#include "cms/pipe/stages.h"

/* ---- OVERLAY ----------------------------------------------------------------------------------------------------- */

struct overlay {
    uint8_t pad;
    struct buffer out;
};

static int overlay_prepare(struct stage *stage, struct scan *operands)
{
    struct overlay *o = stage->state;
    int rc = 0;
    o->pad = ' ';
    if (cms_scan_more(operands))
        rc = cms_scan_character(operands, &o->pad);
    return rc ? rc : cms_scan_end(operands);
}

static bool lay_over(struct overlay *o, const uint8_t *data, size_t length, int *rc)
{
    if (!cms_buffer_fill(&o->out, o->pad, length, rc))
        return false;
    for (size_t i = 0; i < length; i++)
        if (data[i] != o->pad)
            o->out.data[i] = data[i];
    return true;
}

static int overlay_step(struct stage *stage)
{
    struct overlay *o = stage->state;
    const uint8_t *data;
    size_t length;
    int records = 0, rc = 0;
    for (int i = 0; i < stage->streams; i++) {
        enum pipe_input input = cms_pipe_peek(stage, i, &data, &length);
        if (input == INPUT_NOTHING)
            return PIPE_WAIT;
        records += input == INPUT_RECORD;
    }
    if (!records)
        return PIPE_ENOUGH;
    o->out.length = 0;
    for (int i = 0; i < stage->streams; i++) {
        if (cms_pipe_peek(stage, i, &data, &length) != INPUT_RECORD)
            continue;
        if (!lay_over(o, data, length, &rc))
            return rc;
        cms_pipe_consume(stage, i);
    }
    return cms_pipe_put(stage, 0, o->out.data, o->out.length);
}

static void overlay_close(struct stage *stage)
{
    cms_buffer_free(&((struct overlay *)stage->state)->out);
}

const struct stage_kind cms_stage_overlay = {
    .name = "OVERLAY", .abbreviation = 7, .streams = 255, .size = sizeof(struct overlay),
    .format = "OVERLAY [c]",
    .help = HELP_TEXT("One record of each stream laid over each other: what is not blank (c) in that\n"
                      "of the highest number is seen.\n"),
    .prepare = overlay_prepare, .step = overlay_step, .close = overlay_close};

/* ---- JUXTAPOSE --------------------------------------------------------------------------------------------------- */

struct juxtapose {
    struct buffer marker, out;
};

/* Markers come on the primary input, what they mark on stream 1. */
static int juxtapose_step(struct stage *stage)
{
    struct juxtapose *j = stage->state;
    const uint8_t *data;
    size_t length;
    int rc = 0;
    enum pipe_input marker = cms_pipe_peek(stage, 0, &data, &length);
    if (marker == INPUT_RECORD) {
        j->marker.length = 0;
        if (cms_buffer_add(&j->marker, data, length, &rc))
            cms_pipe_consume(stage, 0);
        return rc;
    }
    enum pipe_input record = cms_pipe_peek(stage, 1, &data, &length);
    if (record != INPUT_RECORD)
        return record == INPUT_END ? PIPE_ENOUGH : PIPE_WAIT;
    j->out.length = 0;
    if (!cms_buffer_add(&j->out, j->marker.data, j->marker.length, &rc) ||
        !cms_buffer_add(&j->out, data, length, &rc))
        return rc;
    cms_pipe_consume(stage, 1);
    return cms_pipe_put(stage, 0, j->out.data, j->out.length);
}

static void juxtapose_close(struct stage *stage)
{
    struct juxtapose *j = stage->state;
    cms_buffer_free(&j->marker);
    cms_buffer_free(&j->out);
}

const struct stage_kind cms_stage_juxtapose = {
    .name = "JUXTAPOSE", .abbreviation = 9, .streams = 2, .size = sizeof(struct juxtapose),
    .format = "JUXTAPOSE",
    .help = HELP_TEXT("Each record of stream 1 behind the one that came last on the primary input.\n"),
    .step = juxtapose_step, .close = juxtapose_close};

/* ---- COLLATE ----------------------------------------------------------------------------------------------------- */

struct collate {
    struct keys keys;
    struct range master, detail;
    bool masters, details; /* of those that match, which are put */
    bool matched;          /* the master at hand */
};

static int collate_prepare(struct stage *stage, struct scan *operands)
{
    struct collate *c = stage->state;
    int rc = cms_scan_padding(operands, &c->keys);
    if (!rc && cms_scan_is_range(operands))
        rc = cms_scan_range(operands, &c->master);
    c->detail = c->master;
    if (!rc && cms_scan_is_range(operands))
        rc = cms_scan_range(operands, &c->detail);
    c->masters = cms_scan_keyword(operands, "MASTERS", 6);
    c->details = cms_scan_keyword(operands, "DETAILS", 6);
    if (!c->masters && !c->details)
        c->masters = c->details = true;
    return rc ? rc : cms_scan_end(operands);
}

static int put_from(struct stage *stage, int from, int to, struct record r)
{
    cms_pipe_consume(stage, from);
    return to < 0 ? 0 : cms_pipe_put(stage, to, r.data, r.length);
}

static int collate_step(struct stage *stage)
{
    struct collate *c = stage->state;
    struct record master, detail;
    enum pipe_input masters = cms_pipe_peek(stage, 0, &master.data, &master.length);
    enum pipe_input details = cms_pipe_peek(stage, 1, &detail.data, &detail.length);
    if (masters == INPUT_NOTHING || details == INPUT_NOTHING)
        return PIPE_WAIT;
    if (masters == INPUT_END && details == INPUT_END)
        return PIPE_ENOUGH;
    int order = masters == INPUT_END   ? 1
                : details == INPUT_END ? -1
                                       : cms_key_compare_ranges(&c->keys, &c->master, master, &c->detail, detail);
    if (order > 0)
        return put_from(stage, 1, 2, detail);
    if (order < 0) {
        int to = c->matched ? -1 : 1;
        c->matched = false;
        return put_from(stage, 0, to, master);
    }
    if (!c->matched && c->masters) { /* the record stays, for the details that follow */
        c->matched = true;
        return cms_pipe_put(stage, 0, master.data, master.length);
    }
    c->matched = true;
    return put_from(stage, 1, c->details ? 0 : -1, detail);
}

const struct stage_kind cms_stage_collate = {
    .name = "COLLATE", .abbreviation = 7, .streams = 3, .size = sizeof(struct collate),
    .format = "COLLATE [NOPAD|PAD c] [ANYCASE] [range [range]] [MASTER] [DETAIL]",
    .help = HELP_TEXT("Masters come on the primary input, details on stream 1, both in the order of\n"
                      "their ranges.  Each master that has details goes before them; those that have\n"
                      "none go to stream 1, details without a master to stream 2.\n"),
    .prepare = collate_prepare, .step = collate_step};
