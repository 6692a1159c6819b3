/* Stages that make another record of each: CHOP, PAD, STRIP, REVERSE, XLATE, TIMESTAMP. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/clock.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

/* ---- CHOP -------------------------------------------------------------------------------------------------------- */

enum chop_where { CHOP_COLUMN, CHOP_BEFORE, CHOP_AFTER };

struct chop {
    enum chop_where where;
    bool any_of, any_case;
    uint32_t width;
    struct string target;
};

static int chop_prepare(struct stage *stage, struct scan *operands)
{
    struct chop *c = stage->state;
    int rc = 0;
    c->width = 80;
    if (cms_scan_is_number(operands)) {
        rc = cms_scan_number(operands, &c->width);
        return rc ? rc : cms_scan_end(operands);
    }
    c->any_case = cms_scan_any_case(operands);
    if (cms_scan_keyword(operands, "AFTER", 5))
        c->where = CHOP_AFTER;
    else if (cms_scan_keyword(operands, "BEFORE", 6) || cms_scan_more(operands))
        c->where = CHOP_BEFORE;
    if (c->where == CHOP_COLUMN)
        return 0;
    c->any_of = cms_scan_keyword(operands, "ANYOF", 5);
    if (!c->any_of)
        cms_scan_keyword(operands, "STRING", 6);
    rc = cms_scan_string(operands, &c->target);
    return rc ? rc : cms_scan_end(operands);
}

static size_t chop_at(const struct chop *c, const uint8_t *data, size_t length)
{
    size_t at = c->width;
    if (c->where != CHOP_COLUMN && c->any_of)
        for (at = 0; at < length && !(c->target.length && memchr(c->target.data, data[at], c->target.length)); at++) {}
    else if (c->where != CHOP_COLUMN)
        at = cms_string_find(&c->target, data, 0, length, c->any_case);
    if (at >= length)
        return length;
    return c->where == CHOP_AFTER ? at + (c->any_of ? 1 : c->target.length) : at;
}

static int chop_record(struct stage *stage, const uint8_t *data, size_t length)
{
    size_t at = chop_at(stage->state, data, length);
    int rc = cms_pipe_put(stage, 0, data, at);
    return rc || !cms_pipe_wanted(stage, 1) ? rc : cms_pipe_put(stage, 1, data + at, length - at);
}

const struct stage_kind cms_stage_chop = {
    .name = "CHOP", .abbreviation = 4, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct chop),
    .format = "CHOP [n|[ANYCASE] [BEFORE|AFTER] [STRING|ANYOF] /text/]",
    .help = HELP_TEXT("The first n characters (80), or those up to the text; the rest of each record\n"
                      "goes to stream 1.\n"),
    .prepare = chop_prepare, .record = chop_record};

/* ---- PAD --------------------------------------------------------------------------------------------------------- */

struct pad {
    bool left, modulo;
    uint32_t width;
    uint8_t with;
    struct buffer out;
};

static int pad_prepare(struct stage *stage, struct scan *operands)
{
    struct pad *p = stage->state;
    p->with = ' ';
    p->left = cms_scan_keyword(operands, "LEFT", 4);
    if (!p->left)
        cms_scan_keyword(operands, "RIGHT", 5);
    p->modulo = cms_scan_keyword(operands, "MODULO", 3);
    int rc = cms_scan_number(operands, &p->width);
    if (!rc && p->modulo && !p->width)
        rc = cms_message("PIP", MESSAGE_PIPE_OUTSIDE, p->width);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_character(operands, &p->with);
    return rc ? rc : cms_scan_end(operands);
}

static int pad_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct pad *p = stage->state;
    size_t width = p->modulo ? (length + p->width - 1) / p->width * p->width : p->width;
    int rc = 0;
    if (length >= width)
        return cms_pipe_put(stage, 0, data, length);
    p->out.length = 0;
    if ((p->left && !cms_buffer_fill(&p->out, p->with, width - length, &rc)) ||
        !cms_buffer_add(&p->out, data, length, &rc) || !cms_buffer_fill(&p->out, p->with, width, &rc))
        return rc;
    return cms_pipe_put(stage, 0, p->out.data, p->out.length);
}

static void pad_close(struct stage *stage)
{
    cms_buffer_free(&((struct pad *)stage->state)->out);
}

const struct stage_kind cms_stage_pad = {
    .name = "PAD", .abbreviation = 3, .place = PLACE_LATER, .size = sizeof(struct pad),
    .format = "PAD [LEFT|RIGHT] [MODULO] n [c]",
    .help = HELP_TEXT("Fills records up to n characters, or a multiple of n, with blanks or c.\n"),
    .prepare = pad_prepare, .record = pad_record, .close = pad_close};

/* ---- STRIP ------------------------------------------------------------------------------------------------------- */

struct strip {
    bool keep_front, keep_back, inverse, any_of;
    struct string what;
    uint32_t most;
};

static int strip_prepare(struct stage *stage, struct scan *operands)
{
    static const uint8_t blank = ' ';
    struct strip *s = stage->state;
    int rc = 0;
    s->what.data = &blank;
    s->what.length = 1;
    s->most = UINT32_MAX;
    if (!cms_scan_keyword(operands, "BOTH", 4)) {
        s->keep_back = cms_scan_keyword(operands, "LEADING", 4);
        s->keep_front = !s->keep_back && cms_scan_keyword(operands, "TRAILING", 5);
    }
    s->inverse = cms_scan_keyword(operands, "NOT", 3) || cms_scan_keyword(operands, "TO", 2);
    s->any_of = cms_scan_keyword(operands, "ANYOF", 5);
    if (!s->any_of)
        cms_scan_keyword(operands, "STRING", 6);
    if (cms_scan_is_string(operands))
        rc = cms_scan_string(operands, &s->what);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_number(operands, &s->most);
    return rc ? rc : cms_scan_end(operands);
}

/* Whether what stands at data goes; `size`: so much. */
static bool goes(const struct strip *s, const uint8_t *data, size_t size)
{
    bool is = s->any_of ? memchr(s->what.data, *data, s->what.length) != NULL : !memcmp(data, s->what.data, size);
    return is != s->inverse;
}

static int strip_record(struct stage *stage, const uint8_t *data, size_t length)
{
    const struct strip *s = stage->state;
    size_t size = s->any_of ? 1 : s->what.length, from = 0, to = length, step = s->inverse ? 1 : size;
    while (!s->keep_front && size && from + size <= to && from + step <= s->most && goes(s, data + from, size))
        from += step;
    if (s->inverse && !s->keep_front && from + size > to)
        from = to;
    while (!s->keep_back && size && from + size <= to && length - to + step <= s->most &&
           goes(s, data + to - size, size))
        to -= step;
    return cms_pipe_put(stage, 0, data + from, to - from);
}

const struct stage_kind cms_stage_strip = {
    .name = "STRIP", .abbreviation = 5, .place = PLACE_LATER, .size = sizeof(struct strip),
    .format = "STRIP [BOTH|LEADING|TRAILING] [NOT] [STRING|ANYOF] [/text/] [n]",
    .help = HELP_TEXT("Takes blanks, or the text, off both ends or one, at most n characters; with NOT\n"
                      "everything up to it.\n"),
    .prepare = strip_prepare, .record = strip_record};

/* ---- REVERSE ----------------------------------------------------------------------------------------------------- */

struct edited {
    struct buffer out;
};

static int reverse_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct buffer *out = &((struct edited *)stage->state)->out;
    int rc = 0;
    out->length = 0;
    if (!cms_buffer_fill(out, 0, length, &rc))
        return rc;
    for (size_t i = 0; i < length; i++)
        out->data[i] = data[length - 1 - i];
    return cms_pipe_put(stage, 0, out->data, length);
}

static void edited_close(struct stage *stage)
{
    cms_buffer_free(&((struct edited *)stage->state)->out);
}

const struct stage_kind cms_stage_reverse = {
    .name = "REVERSE", .abbreviation = 7, .place = PLACE_LATER, .size = sizeof(struct edited),
    .format = "REVERSE",
    .help = HELP_TEXT("The characters of each record from the last to the first.\n"),
    .record = reverse_record, .close = edited_close};

/* ---- XLATE ------------------------------------------------------------------------------------------------------- */

struct xlate {
    struct ranges ranges;
    uint8_t to[256];
    struct buffer out;
};

static void xlate_case(struct xlate *x, bool lower)
{
    for (int c = 'A'; c <= 'Z'; c++)
        if (lower)
            x->to[c] = (uint8_t)(c + 32);
        else
            x->to[c + 32] = (uint8_t)c;
}

/* c or c-c, each a character or two hexadecimal digits */
static int xlate_side(struct scan *operands, uint8_t *first, uint8_t *last)
{
    const char *dash = NULL;
    cms_scan_more(operands);
    size_t length = cms_scan_length(operands);
    if (length > 2)
        dash = memchr(operands->at + 1, '-', length - 2);
    if (!dash) {
        int rc = cms_scan_character(operands, first);
        *last = *first;
        return rc;
    }
    struct scan one = {operands->at, dash}, two = {dash + 1, operands->at + length};
    int rc = cms_scan_character(&one, first);
    operands->at += length;
    return rc ? rc : cms_scan_character(&two, last);
}

static int xlate_pair(struct scan *operands, struct xlate *x)
{
    uint8_t from, from_last, to, to_last;
    int rc = xlate_side(operands, &from, &from_last);
    if (!rc && !cms_scan_more(operands))
        rc = cms_message("PIP", MESSAGE_PIPE_PAIRS);
    if (!rc)
        rc = xlate_side(operands, &to, &to_last);
    for (int i = 0; !rc && from + i <= from_last; i++)
        x->to[from + i] = (uint8_t)(to + i < to_last ? to + i : to_last);
    return rc;
}

static int xlate_prepare(struct stage *stage, struct scan *operands)
{
    struct xlate *x = stage->state;
    int rc = cms_scan_ranges(operands, &x->ranges);
    for (int i = 0; i < 256; i++)
        x->to[i] = (uint8_t)i;
    if (cms_scan_keyword(operands, "LOWER", 5))
        xlate_case(x, true);
    else if (cms_scan_keyword(operands, "UPPER", 5) || !cms_scan_more(operands))
        xlate_case(x, false);
    while (!rc && cms_scan_more(operands))
        rc = xlate_pair(operands, x);
    return rc;
}

static int xlate_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct xlate *x = stage->state;
    int rc = 0;
    x->out.length = 0;
    if (!cms_buffer_add(&x->out, data, length, &rc))
        return rc;
    for (int i = 0; i < x->ranges.count; i++) {
        size_t from, to;
        cms_range_find(&x->ranges.range[i], data, length, &from, &to);
        for (; from < to; from++)
            x->out.data[from] = x->to[data[from]];
    }
    return cms_pipe_put(stage, 0, x->out.data, length);
}

static void xlate_close(struct stage *stage)
{
    cms_buffer_free(&((struct xlate *)stage->state)->out);
}

#define XLATE_OPERANDS " [range] [UPPER|LOWER] [from to]..."
#define XLATE_HELP \
    "Characters for characters: capital letters, or small ones, or what the pairs\n" \
    "say, in which each is a character, two hexadecimal digits, or two of those with\n" \
    "- between them.\n"

const struct stage_kind cms_stage_xlate = {
    .name = "XLATE", .abbreviation = 5, .place = PLACE_LATER, .size = sizeof(struct xlate),
    .format = "XLATE" XLATE_OPERANDS, .help = HELP_TEXT(XLATE_HELP),
    .prepare = xlate_prepare, .record = xlate_record, .close = xlate_close};
const struct stage_kind cms_stage_translate = {
    .name = "TRANSLATE", .abbreviation = 5, .place = PLACE_LATER, .size = sizeof(struct xlate),
    .format = "TRANSLATE" XLATE_OPERANDS, .help = HELP_TEXT(XLATE_HELP),
    .prepare = xlate_prepare, .record = xlate_record, .close = xlate_close};

/* ---- TIMESTAMP --------------------------------------------------------------------------------------------------- */

enum stamp { STAMP_STANDARD, STAMP_SHORTDATE, STAMP_FULLDATE, STAMP_ISODATE, STAMPS };

struct timestamp {
    enum stamp stamp;
    struct buffer out;
};

static const char *const stamps[STAMPS] = {"STANDARD", "SHORTDATE", "FULLDATE", "ISODATE"};
static const uint8_t stamp_least[STAMPS] = {3, 5, 4, 3};

static int timestamp_prepare(struct stage *stage, struct scan *operands)
{
    struct timestamp *t = stage->state;
    for (int i = 0; i < STAMPS; i++)
        if (cms_scan_keyword(operands, stamps[i], stamp_least[i]))
            t->stamp = (enum stamp)i;
    return cms_scan_end(operands);
}

static size_t stamp(enum stamp stamp, char text[40])
{
    struct clock_time now = cms_clock_now();
    struct clock_date d = cms_clock_split(now.unix_seconds);
    switch (stamp) {
    case STAMP_SHORTDATE:
        return format_text(text, 40, "%02d/%02d/%02d %02d:%02d:%02d ", d.month, d.day, d.year % 100, d.hour, d.minute,
                           d.second);
    case STAMP_FULLDATE:
        return format_text(text, 40, "%2d/%02d/%04d %02d:%02d:%02d ", d.month, d.day, d.year, d.hour, d.minute,
                           d.second);
    case STAMP_ISODATE:
        return format_text(text, 40, "%04d-%02d-%02d %02d:%02d:%02d ", d.year, d.month, d.day, d.hour, d.minute,
                           d.second);
    default:
        return format_text(text, 40, "%04d%02d%02d%02d%02d%02d%02u", d.year, d.month, d.day, d.hour, d.minute,
                           d.second, (unsigned)now.microseconds / 10000);
    }
}

static int timestamp_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct timestamp *t = stage->state;
    char text[40];
    int rc = 0;
    t->out.length = 0;
    if (!cms_buffer_add(&t->out, text, stamp(t->stamp, text), &rc) || !cms_buffer_add(&t->out, data, length, &rc))
        return rc;
    return cms_pipe_put(stage, 0, t->out.data, t->out.length);
}

static void timestamp_close(struct stage *stage)
{
    cms_buffer_free(&((struct timestamp *)stage->state)->out);
}

const struct stage_kind cms_stage_timestamp = {
    .name = "TIMESTAMP", .abbreviation = 9, .place = PLACE_LATER, .size = sizeof(struct timestamp),
    .format = "TIMESTAMP [STANDARD|SHORTDATE|FULLDATE|ISODATE]",
    .help = HELP_TEXT("The time before each record: 16 digits, from the year to hundredths of a second\n"
                      "(STANDARD), or as dates are written, and a blank.\n"),
    .prepare = timestamp_prepare, .record = timestamp_record, .close = timestamp_close};
