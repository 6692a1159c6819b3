/* SPECS: each record built anew from pieces of others, of literal text and of record numbers. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/specs.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

static int specs_prepare(struct stage *stage, struct scan *operands)
{
    return cms_specs_scan(stage->state, operands);
}

static int specs_start(struct stage *stage)
{
    const struct specs *s = stage->state;
    int rc = s->streams > (uint32_t)stage->streams
                 ? cms_message("PIP", MESSAGE_PIPE_NO_STREAM, (unsigned)s->streams - 1) : 0;
    for (const struct specs_item *i = s->first; !rc && i; i = i->next)
        if (i->what == ITEM_OUTSTREAM && i->stream >= (uint32_t)stage->streams)
            rc = cms_message("PIP", MESSAGE_PIPE_NO_STREAM, (unsigned)i->stream);
    return rc;
}

/* ---- a piece ----------------------------------------------------------------------------------------------------- */

static int convert(struct specs *s, const struct specs_item *item, const uint8_t *data, size_t length)
{
    char shown[40];
    int rc = item->conversion->convert(&s->piece, data, length);
    return rc <= 0 ? rc
                   : cms_message("PIP", MESSAGE_PIPE_CONVERSION, item->conversion->name, (unsigned)s->records, rc,
                                 cms_scan_shown(data, length, shown, sizeof shown));
}

static int get_piece(struct specs *s, const struct specs_item *item, const uint8_t *data, size_t length)
{
    char number[24];
    size_t from = 0, to = 0;
    int rc = 0;
    s->piece.length = 0;
    if (item->what == ITEM_NUMBER) {
        int64_t value = item->from + (s->records - 1) * item->by;
        to = format_text(number, sizeof number, "%*lld", SPECS_NUMBER_WIDTH, (long long)value);
        data = (const uint8_t *)number;
    } else if (item->what == ITEM_STRING) {
        data = item->string.data;
        to = item->string.length;
    } else {
        cms_range_find(&item->range, data, length, &from, &to);
    }
    while (item->strip && from < to && data[from] == ' ')
        from++;
    while (item->strip && to > from && data[to - 1] == ' ')
        to--;
    if (item->conversion && from < to)
        return convert(s, item, data + from, to - from);
    cms_buffer_add(&s->piece, from < to ? data + from : (const uint8_t *)"", to - from, &rc);
    return rc;
}

static size_t lead(const struct specs_item *item, size_t width, size_t length)
{
    if (length >= width || item->align == ALIGN_LEFT)
        return 0;
    return item->align == ALIGN_RIGHT ? width - length : (width - length) / 2;
}

static int place(struct specs *s, const struct specs_item *item)
{
    struct buffer *out = &s->out;
    size_t at = item->target == TARGET_COLUMN ? item->column - 1 : out->length;
    size_t width = item->width ? item->width : s->piece.length, length = s->piece.length;
    const uint8_t *piece = s->piece.data;
    int rc = 0;
    if (item->target == TARGET_NEXTWORD && out->length)
        at++;
    if (length > width && item->align == ALIGN_RIGHT) /* the end of it is what fits */
        piece += length - width;
    length = length > width ? width : length;
    if (!cms_buffer_fill(out, s->pad, at + width, &rc))
        return rc;
    if (width)
        memset(out->data + at, s->pad, width);
    if (length)
        memcpy(out->data + at + lead(item, width, length), piece, length);
    return 0;
}

/* ---- a record ---------------------------------------------------------------------------------------------------- */

/* Of all streams that are looked at, the next record or the end must be known. */
static int begin_record(struct stage *stage)
{
    struct specs *s = stage->state;
    const uint8_t *data;
    size_t length;
    uint32_t over = 0;
    for (uint32_t i = 0; i < s->streams; i++) {
        enum pipe_input input = cms_pipe_peek(stage, (int)i, &data, &length);
        if (input == INPUT_NOTHING)
            return PIPE_WAIT;
        over += input == INPUT_END;
    }
    if (over == s->streams || (over && s->stop_any))
        return PIPE_ENOUGH;
    s->building = true;
    s->at = s->first;
    s->records++;
    s->selected = s->outstream = 0;
    s->pad = ' ';
    s->out.length = 0;
    return 0;
}

static int end_record(struct stage *stage)
{
    struct specs *s = stage->state;
    const uint8_t *data;
    size_t length;
    for (uint32_t i = 0; i < s->streams; i++)
        if (cms_pipe_peek(stage, (int)i, &data, &length) == INPUT_RECORD)
            cms_pipe_consume(stage, (int)i);
    s->building = false;
    return cms_pipe_put(stage, (int)s->outstream, s->out.data, s->out.length);
}

static int write_record(struct stage *stage)
{
    struct specs *s = stage->state;
    int rc = cms_pipe_put(stage, (int)s->outstream, s->out.data, s->out.length);
    s->out.length = 0;
    return rc;
}

/* The next record of the selected stream: the one at hand goes, and the item is gone through once more. */
static int read_record(struct stage *stage, struct specs_item *item)
{
    struct specs *s = stage->state;
    const uint8_t *data;
    size_t length;
    enum pipe_input input = cms_pipe_peek(stage, (int)s->selected, &data, &length);
    if (!s->reading && input == INPUT_RECORD) {
        s->reading = true;
        s->at = item;
        cms_pipe_consume(stage, (int)s->selected);
        return PIPE_AGAIN;
    }
    s->at = input == INPUT_NOTHING ? item : item->next;
    s->reading = input == INPUT_NOTHING;
    if (input == INPUT_END && item->what == ITEM_READSTOP)
        s->at = NULL;
    return input == INPUT_NOTHING ? PIPE_WAIT : 0;
}

static int place_item(struct stage *stage, const struct specs_item *item)
{
    struct specs *s = stage->state;
    const uint8_t *data;
    size_t length;
    cms_pipe_peek(stage, (int)s->selected, &data, &length);
    int rc = get_piece(s, item, data, length);
    return rc ? rc : place(s, item);
}

static int specs_step(struct stage *stage)
{
    struct specs *s = stage->state;
    int rc = s->building ? 0 : begin_record(stage);
    while (!rc && s->at) {
        struct specs_item *item = s->at;
        s->at = item->next;
        switch (item->what) {
        case ITEM_PAD: s->pad = item->pad; break;
        case ITEM_SELECT: s->selected = item->stream; break;
        case ITEM_OUTSTREAM: s->outstream = item->stream; break;
        case ITEM_WRITE: return write_record(stage);
        case ITEM_READ:
        case ITEM_READSTOP: rc = read_record(stage, item); break;
        default: rc = place_item(stage, item);
        }
    }
    return rc == PIPE_AGAIN ? 0 : rc ? rc : end_record(stage);
}

static void specs_close(struct stage *stage)
{
    struct specs *s = stage->state;
    cms_buffer_free(&s->out);
    cms_buffer_free(&s->piece);
    for (struct specs_item *item; (item = s->first);) {
        s->first = item->next;
        cms_heap_free(item);
    }
}

const struct stage_kind cms_stage_specs = {
    .name = "SPECS", .abbreviation = 4, .streams = 255, .size = sizeof(struct specs),
    .format = "SPECS [STOP ALLEOF|STOP ANYEOF] item...\n"
              "  item: {range|/text/|NUMBER [FROM n] [BY n]} [STRIP]\n"
              "        [C2X|X2C|C2B|B2C|C2D|D2C|V2C|C2V]\n"
              "        {n|n-m|n-*|n.m|NEXT[.m]|NEXTWORD[.m]} [LEFT|CENTER|RIGHT]\n"
              "  or:   PAD c, SELECT n, OUTSTREAM n, READ, READSTOP, WRITE",
    .help = HELP_TEXT("Builds a record of each.  An item is input, what is done to it, and where it is\n"
                      "put; NEXTWORD leaves a blank before it.  PAD fills with c from here on, SELECT\n"
                      "takes input from stream n, OUTSTREAM puts to stream n.  READ goes on with the\n"
                      "next record, without which READSTOP ends this one; WRITE puts what is built and\n"
                      "begins afresh.\n"),
    .prepare = specs_prepare, .start = specs_start, .step = specs_step, .close = specs_close};
