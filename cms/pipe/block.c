/* Stages that make blocks of records and records of blocks: BLOCK, FBLOCK, DEBLOCK, SPILL. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/pipe/stages.h"

enum format { FORMAT_FIXED, FORMAT_LINEND, FORMAT_STRING, FORMAT_CMS };

struct blocking {
    enum format format;
    uint32_t size; /* of a block, or of a fixed record */
    uint8_t pad;
    bool padded;
    struct string mark; /* behind each record */
    struct buffer out;
    size_t at; /* done of the record at hand */
    bool due;  /* what is in `out` is put next */
};

static void blocking_close(struct stage *stage)
{
    cms_buffer_free(&((struct blocking *)stage->state)->out);
}

static void set_mark(struct blocking *b, const char *mark, size_t length)
{
    memcpy(b->mark.decoded, mark, length);
    b->mark.data = b->mark.decoded;
    b->mark.length = length;
}

/* FIXED, LINEND [c], CRLF, STRING /text/, TEXTFILE, CMS */
static int read_format(struct scan *operands, struct blocking *b)
{
    int rc = 0;
    set_mark(b, "\n", 1);
    if (cms_scan_keyword(operands, "LINEND", 5) || cms_scan_keyword(operands, "TEXTFILE", 8)) {
        b->format = FORMAT_LINEND;
        if (cms_scan_more(operands))
            rc = cms_scan_character(operands, &b->mark.decoded[0]);
    } else if (cms_scan_keyword(operands, "CRLF", 4)) {
        b->format = FORMAT_STRING;
        set_mark(b, "\r\n", 2);
    } else if (cms_scan_keyword(operands, "STRING", 6)) {
        b->format = FORMAT_STRING;
        rc = cms_scan_string(operands, &b->mark);
        if (!rc && !b->mark.length)
            rc = cms_message("PIP", MESSAGE_PIPE_NULL_STRING);
    } else if (cms_scan_keyword(operands, "CMS", 3)) {
        b->format = FORMAT_CMS;
    } else {
        cms_scan_keyword(operands, "FIXED", 1);
    }
    return rc;
}

static int positive(uint32_t n)
{
    return n && n <= PIPE_RECORD_MAX ? 0 : cms_message("PIP", MESSAGE_PIPE_OUTSIDE, n);
}

/* ---- BLOCK ------------------------------------------------------------------------------------------------------- */

static int block_prepare(struct stage *stage, struct scan *operands)
{
    struct blocking *b = stage->state;
    int rc = cms_scan_number(operands, &b->size);
    if (!rc)
        rc = positive(b->size);
    if (!rc)
        rc = read_format(operands, b);
    return rc ? rc : cms_scan_end(operands);
}

/* What stands before and behind a record in the block. */
static bool add_framed(struct blocking *b, const uint8_t *data, size_t length, int *rc)
{
    const uint8_t head[2] = {(uint8_t)(length >> 8), (uint8_t)length};
    if (b->format == FORMAT_CMS && length > UINT16_MAX) {
        *rc = cms_message("PIP", MESSAGE_PIPE_LONG, length);
        return false;
    }
    if (b->format == FORMAT_CMS && !cms_buffer_add(&b->out, head, 2, rc))
        return false;
    bool marked = b->format == FORMAT_LINEND || b->format == FORMAT_STRING;
    return cms_buffer_add(&b->out, data, length, rc) &&
           (!marked || cms_buffer_add(&b->out, b->mark.data, b->mark.length, rc));
}

/* Puts the first bytes of what there is, and keeps the rest. */
static int put_front(struct stage *stage, size_t length)
{
    struct blocking *b = stage->state;
    int rc = cms_pipe_put(stage, 0, b->out.data, length);
    memmove(b->out.data, b->out.data + length, b->out.length - length);
    b->out.length -= length;
    return rc ? rc : PIPE_AGAIN;
}

/* Fixed records are whole in a block; others go on in the next. */
static int block_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct blocking *b = stage->state;
    int rc = 0;
    if (b->due && b->out.length >= b->size)
        return put_front(stage, b->size);
    if (b->due)
        return b->due = false, 0;
    if (b->format == FORMAT_FIXED && length > b->size)
        return cms_message("PIP", MESSAGE_PIPE_LONG, length);
    if (b->format == FORMAT_FIXED && b->out.length && b->out.length + length > b->size)
        return put_front(stage, b->out.length);
    if (!add_framed(b, data, length, &rc))
        return rc;
    b->due = b->out.length >= b->size;
    return b->due ? PIPE_AGAIN : 0;
}

static int put_rest(struct stage *stage)
{
    struct blocking *b = stage->state;
    return b->out.length ? put_front(stage, b->out.length) : 0;
}

const struct stage_kind cms_stage_block = {
    .name = "BLOCK", .abbreviation = 5, .place = PLACE_LATER, .size = sizeof(struct blocking),
    .format = "BLOCK n [FIXED|LINEND [c]|CRLF|STRING /text/|CMS]",
    .help = HELP_TEXT("Makes blocks of at most n bytes of records: of whole ones, or with something\n"
                      "behind each, or, CMS, its length before it in two bytes.\n"),
    .prepare = block_prepare, .record = block_record, .end = put_rest, .close = blocking_close};

/* ---- FBLOCK ------------------------------------------------------------------------------------------------------ */

static int fblock_prepare(struct stage *stage, struct scan *operands)
{
    struct blocking *b = stage->state;
    int rc = cms_scan_number(operands, &b->size);
    if (!rc)
        rc = positive(b->size);
    b->padded = cms_scan_more(operands);
    if (!rc && b->padded)
        rc = cms_scan_character(operands, &b->pad);
    return rc ? rc : cms_scan_end(operands);
}

static int fblock_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct blocking *b = stage->state;
    size_t room = b->size - b->out.length, piece = length - b->at < room ? length - b->at : room;
    int rc = 0;
    if (!cms_buffer_add(&b->out, data + b->at, piece, &rc))
        return rc;
    b->at += piece;
    if (b->out.length == b->size)
        return put_front(stage, b->size);
    b->at = 0;
    return 0;
}

static int fblock_end(struct stage *stage)
{
    struct blocking *b = stage->state;
    int rc = 0;
    if (b->out.length && b->padded && !cms_buffer_fill(&b->out, b->pad, b->size, &rc))
        return rc;
    return put_rest(stage);
}

const struct stage_kind cms_stage_fblock = {
    .name = "FBLOCK", .abbreviation = 6, .place = PLACE_LATER, .size = sizeof(struct blocking),
    .format = "FBLOCK n [c]",
    .help = HELP_TEXT("The bytes of all records in records of n, the last filled with c.\n"),
    .prepare = fblock_prepare, .record = fblock_record, .end = fblock_end, .close = blocking_close};

/* ---- DEBLOCK ----------------------------------------------------------------------------------------------------- */

static int deblock_prepare(struct stage *stage, struct scan *operands)
{
    struct blocking *b = stage->state;
    int rc = read_format(operands, b);
    b->size = 80;
    if (!rc && b->format == FORMAT_FIXED && cms_scan_more(operands))
        rc = cms_scan_number(operands, &b->size);
    if (!rc)
        rc = positive(b->size);
    return rc ? rc : cms_scan_end(operands);
}

/* How many bytes of `out` make a record, with what frames it; 0: more must come. */
static size_t framed(const struct blocking *b, size_t *head, size_t *length)
{
    *head = b->format == FORMAT_CMS ? 2 : 0;
    if (b->format == FORMAT_FIXED)
        return *length = b->out.length >= b->size ? b->size : 0;
    if (b->format == FORMAT_CMS) {
        *length = b->out.length < 2 ? 0 : (size_t)(b->out.data[0] << 8 | b->out.data[1]);
        return b->out.length >= 2 && b->out.length - 2 >= *length ? *length + 2 : 0;
    }
    *length = cms_string_find(&b->mark, b->out.data, 0, b->out.length, false);
    return *length == SIZE_MAX ? 0 : *length + b->mark.length;
}

/* b->at: what of `out` has been put. */
static int deblock_next(struct stage *stage)
{
    struct blocking *b = stage->state;
    struct blocking rest = *b;
    size_t head, length;
    rest.mark.data = b->mark.data;
    rest.out.data = b->out.data ? b->out.data + b->at : NULL;
    rest.out.length = b->out.length - b->at;
    size_t taken = framed(&rest, &head, &length);
    if (!taken)
        return 0;
    int rc = cms_pipe_put(stage, 0, rest.out.data + head, length);
    b->at += taken;
    return rc ? rc : PIPE_AGAIN;
}

static int deblock_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct blocking *b = stage->state;
    int rc = 0;
    if (!b->due && !cms_buffer_add(&b->out, data, length, &rc))
        return rc;
    b->due = true;
    rc = deblock_next(stage);
    if (rc)
        return rc;
    if (b->out.length > b->at)
        memmove(b->out.data, b->out.data + b->at, b->out.length - b->at);
    b->out.length -= b->at;
    b->at = 0;
    b->due = false;
    return 0;
}

static int deblock_end(struct stage *stage)
{
    struct blocking *b = stage->state;
    if (b->out.length && b->format == FORMAT_CMS)
        return cms_message("PIP", MESSAGE_PIPE_INCOMPLETE);
    return put_rest(stage);
}

const struct stage_kind cms_stage_deblock = {
    .name = "DEBLOCK", .abbreviation = 7, .place = PLACE_LATER, .size = sizeof(struct blocking),
    .format = "DEBLOCK [FIXED] [n]|LINEND [c]|CRLF|STRING /text/|TEXTFILE|CMS",
    .help = HELP_TEXT("Makes records of blocks: of n bytes (80), or up to something, or, CMS, with\n"
                      "their length before them in two bytes.\n"),
    .prepare = deblock_prepare, .record = deblock_record, .end = deblock_end, .close = blocking_close};

/* ---- SPILL ------------------------------------------------------------------------------------------------------- */

struct spill {
    uint32_t width, offset;
    size_t at;
    struct buffer out;
};

static int spill_prepare(struct stage *stage, struct scan *operands)
{
    struct spill *s = stage->state;
    int rc = cms_scan_number(operands, &s->width);
    if (!rc && cms_scan_keyword(operands, "OFFSET", 6))
        rc = cms_scan_number(operands, &s->offset);
    if (!rc && s->offset >= s->width)
        rc = cms_message("PIP", MESSAGE_PIPE_OFFSET);
    return rc ? rc : cms_scan_end(operands);
}

/* Up to the last blank that lets it fit; a word that is too long is cut. */
static int spill_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct spill *s = stage->state;
    size_t room = s->width - (s->at ? s->offset : 0), to = length - s->at <= room ? length : s->at + room;
    int rc = 0;
    if (to < length) {
        size_t blank = to;
        while (blank > s->at && data[blank] != ' ')
            blank--;
        to = blank > s->at ? blank : to;
    }
    s->out.length = 0;
    if ((s->at && !cms_buffer_fill(&s->out, ' ', s->offset, &rc)) ||
        !cms_buffer_add(&s->out, data + s->at, to - s->at, &rc))
        return rc;
    rc = cms_pipe_put(stage, 0, s->out.data, s->out.length);
    for (s->at = to; s->at < length && data[s->at] == ' '; s->at++) {}
    if (!rc && s->at < length)
        return PIPE_AGAIN;
    s->at = 0;
    return rc;
}

static void spill_close(struct stage *stage)
{
    cms_buffer_free(&((struct spill *)stage->state)->out);
}

const struct stage_kind cms_stage_spill = {
    .name = "SPILL", .abbreviation = 5, .place = PLACE_LATER, .size = sizeof(struct spill),
    .format = "SPILL n [OFFSET m]",
    .help = HELP_TEXT("Cuts records between words, so that none is longer than n; what follows the\n"
                      "first piece is moved m columns to the right.\n"),
    .prepare = spill_prepare, .record = spill_record, .close = spill_close};
