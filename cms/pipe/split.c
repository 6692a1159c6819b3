/* Stages that make more records of one or one of several: SPLIT, TOKENISE, JOIN, DUPLICATE, SNAKE. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"

/* ---- SPLIT ------------------------------------------------------------------------------------------------------- */

enum where { SPLIT_AT, SPLIT_BEFORE, SPLIT_AFTER };

struct split {
    enum where where;
    bool any_of;
    struct string target;
    size_t begin, at; /* in the record at hand: the piece, and where to look for its end */
    uint32_t minimum; /* characters a piece has before its end is looked for */
};

static int split_target(struct scan *operands, struct split *s)
{
    static const uint8_t blank = ' ';
    struct word word;
    if (cms_scan_keyword(operands, "STRING", 6))
        return cms_scan_string(operands, &s->target);
    if (cms_scan_keyword(operands, "ANYOF", 5)) {
        s->any_of = true;
        return cms_scan_string(operands, &s->target);
    }
    s->target.data = &blank;
    s->target.length = 1;
    if (!cms_scan_word(operands, &word))
        return 0;
    if (word.raw_length == 1)
        s->target.data = (const uint8_t *)word.raw;
    else if (!cms_abbreviates(word.text, "BLANK", 5))
        return cms_message("PIP", MESSAGE_PIPE_OPERAND, word.text);
    return 0;
}

static int split_prepare(struct stage *stage, struct scan *operands)
{
    struct split *s = stage->state;
    int rc = cms_scan_keyword(operands, "MINIMUM", 3) ? cms_scan_number(operands, &s->minimum) : 0;
    if (cms_scan_keyword(operands, "BEFORE", 6))
        s->where = SPLIT_BEFORE;
    else if (cms_scan_keyword(operands, "AFTER", 5))
        s->where = SPLIT_AFTER;
    else
        cms_scan_keyword(operands, "AT", 2);
    if (!rc)
        rc = split_target(operands, s);
    return rc ? rc : cms_scan_end(operands);
}

static size_t find_target(const struct split *s, const uint8_t *data, size_t from, size_t length)
{
    if (!s->any_of)
        return cms_string_find(&s->target, data, from, length, false);
    for (; from < length; from++)
        if (s->target.length && memchr(s->target.data, data[from], s->target.length))
            return from;
    return SIZE_MAX;
}

/* The piece that begins at s->begin, which is moved behind it. */
static void next_piece(struct split *s, const uint8_t *data, size_t length, size_t *from, size_t *to)
{
    size_t size = s->any_of ? 1 : s->target.length, least = s->begin + s->minimum;
    size_t look = s->at > least ? s->at : least;
    size_t at = size && look < length ? find_target(s, data, look, length) : SIZE_MAX;
    *from = s->begin;
    *to = at == SIZE_MAX ? length : s->where == SPLIT_AFTER ? at + size : at;
    s->begin = at == SIZE_MAX ? length : s->where == SPLIT_BEFORE ? at : at + size;
    s->at = at == SIZE_MAX ? length : at + size;
}

/* Pieces without a byte are not put, but a record without one is. */
static int split_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct split *s = stage->state;
    size_t from = 0, to = 0;
    int rc = 0;
    while (from == to && s->begin < length)
        next_piece(s, data, length, &from, &to);
    if (from < to || length == 0)
        rc = cms_pipe_put(stage, 0, data + from, to - from);
    if (!rc && s->begin < length)
        return PIPE_AGAIN;
    s->begin = s->at = 0;
    return rc;
}

const struct stage_kind cms_stage_split = {
    .name = "SPLIT", .abbreviation = 5, .place = PLACE_LATER, .size = sizeof(struct split),
    .format = "SPLIT [MINIMUM n] [AT|BEFORE|AFTER] [c|BLANK|STRING /text/|ANYOF /characters/]",
    .help = HELP_TEXT("Cuts records at blanks, or at what is named: it is left out, or stays before or\n"
                      "behind the cut.\n"),
    .prepare = split_prepare, .record = split_record};

/* ---- JOIN -------------------------------------------------------------------------------------------------------- */

struct join {
    uint32_t count; /* records to add to the first */
    uint64_t joined; /* those in `out` */
    uint32_t most;          /* longest record; 0: no limit */
    struct string between;
    struct buffer out;
};

static int join_prepare(struct stage *stage, struct scan *operands)
{
    struct join *j = stage->state;
    int rc = 0;
    j->count = 1;
    cms_scan_keyword(operands, "COUNT", 5);
    if (cms_scan_keyword(operands, "*", 1))
        j->count = UINT32_MAX;
    else if (cms_scan_is_number(operands))
        rc = cms_scan_number(operands, &j->count);
    if (!rc && cms_scan_is_string(operands))
        rc = cms_scan_string(operands, &j->between);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_number(operands, &j->most);
    return rc ? rc : cms_scan_end(operands);
}

static int join_end(struct stage *stage)
{
    struct join *j = stage->state;
    if (!j->joined)
        return 0;
    j->joined = 0;
    return cms_pipe_put(stage, 0, j->out.data, j->out.length);
}

/* What would make the joined record too long begins the next one, once this has gone. */
static int join_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct join *j = stage->state;
    int rc = 0;
    if (j->joined && j->most && j->out.length + j->between.length + length > j->most) {
        rc = join_end(stage);
        return rc ? rc : PIPE_AGAIN;
    }
    if (!j->joined)
        j->out.length = 0;
    else if (!cms_buffer_add(&j->out, j->between.data, j->between.length, &rc))
        return rc;
    if (!cms_buffer_add(&j->out, data, length, &rc))
        return rc;
    return ++j->joined > j->count ? join_end(stage) : 0;
}

static void join_close(struct stage *stage)
{
    cms_buffer_free(&((struct join *)stage->state)->out);
}

const struct stage_kind cms_stage_join = {
    .name = "JOIN", .abbreviation = 4, .place = PLACE_LATER, .size = sizeof(struct join),
    .format = "JOIN [COUNT] [n|*] [/text/] [max]",
    .help = HELP_TEXT("Adds n records (1) to one, or all, with the text between them, as long as the\n"
                      "record that comes of it has no more than max characters.\n"),
    .prepare = join_prepare, .record = join_record, .end = join_end, .close = join_close};

/* ---- TOKENISE ---------------------------------------------------------------------------------------------------- */

struct tokenise {
    struct string separators, last;
    size_t at;
    bool last_due;
};

static int tokenise_prepare(struct stage *stage, struct scan *operands)
{
    struct tokenise *t = stage->state;
    int rc = cms_scan_string(operands, &t->separators);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_string(operands, &t->last);
    return rc ? rc : cms_scan_end(operands);
}

static bool separates(const struct tokenise *t, uint8_t c)
{
    return c == ' ' || (t->separators.length && memchr(t->separators.data, c, t->separators.length));
}

/* A word or a separator, one a call; then the last string. */
static int tokenise_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct tokenise *t = stage->state;
    int rc = 0;
    while (t->at < length && data[t->at] == ' ')
        t->at++;
    size_t from = t->at;
    if (from == length) {
        t->at = 0;
        return t->last.data ? cms_pipe_put(stage, 0, t->last.data, t->last.length) : 0;
    }
    do
        t->at++;
    while (!separates(t, data[from]) && t->at < length && !separates(t, data[t->at]));
    rc = cms_pipe_put(stage, 0, data + from, t->at - from);
    return rc ? rc : PIPE_AGAIN;
}

const struct stage_kind cms_stage_tokenise = {
    .name = "TOKENISE", .abbreviation = 7, .place = PLACE_LATER, .size = sizeof(struct tokenise),
    .format = "TOKENISE /separators/ [/text/]",
    .help = HELP_TEXT("A record for each word and for each separator; the text, if it is given, behind\n"
                      "those of a record.\n"),
    .prepare = tokenise_prepare, .record = tokenise_record};

/* ---- DUPLICATE --------------------------------------------------------------------------------------------------- */

struct duplicate {
    int32_t count; /* copies beside the record itself; -1: not even that */
    bool for_ever;
    int64_t put;
};

static int duplicate_prepare(struct stage *stage, struct scan *operands)
{
    struct duplicate *d = stage->state;
    int rc = 0;
    d->count = 1;
    d->for_ever = cms_scan_keyword(operands, "*", 1);
    if (!d->for_ever && cms_scan_more(operands))
        rc = cms_scan_signed(operands, &d->count);
    if (!rc && d->count < -1)
        rc = cms_message("PIP", MESSAGE_PIPE_NEGATIVE, (int)d->count);
    return rc ? rc : cms_scan_end(operands);
}

static int duplicate_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct duplicate *d = stage->state;
    if (!d->for_ever && d->put > d->count)
        return d->put = 0;
    d->put++;
    int rc = cms_pipe_put(stage, 0, data, length);
    return rc ? rc : PIPE_AGAIN;
}

const struct stage_kind cms_stage_duplicate = {
    .name = "DUPLICATE", .abbreviation = 3, .place = PLACE_LATER, .size = sizeof(struct duplicate),
    .format = "DUPLICATE [n|*]",
    .help = HELP_TEXT("Each record and n more of it (1), or without an end.  With -1 it is gone.\n"),
    .prepare = duplicate_prepare, .record = duplicate_record};

/* ---- SNAKE ------------------------------------------------------------------------------------------------------- */

struct snake {
    uint32_t columns, rows; /* rows 0: as many as it takes for all */
    size_t row;
    struct hold hold;
    struct held **all; /* of `hold`, to be found by number; made at the end */
    struct buffer out;
};

static int snake_prepare(struct stage *stage, struct scan *operands)
{
    struct snake *s = stage->state;
    int rc = cms_scan_number(operands, &s->columns);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_number(operands, &s->rows);
    if (!rc && !s->columns)
        rc = cms_message("PIP", MESSAGE_PIPE_OUTSIDE, s->columns);
    return rc ? rc : cms_scan_end(operands);
}

static int snake_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_hold_add(&((struct snake *)stage->state)->hold, data, length);
}

static int number_all(struct snake *s)
{
    size_t i = 0;
    s->all = cms_heap_allocate((s->hold.count + 1) * sizeof *s->all);
    if (!s->all)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    for (struct held *held = s->hold.first; held; held = held->next)
        s->all[i++] = held;
    return 0;
}

/* A row of a page; pages of columns * rows records follow each other. */
static int snake_end(struct stage *stage)
{
    struct snake *s = stage->state;
    size_t count = s->hold.count, rows = s->rows ? s->rows : (count + s->columns - 1) / s->columns;
    int rc = s->all ? 0 : number_all(s);
    if (rc || !count)
        return rc;
    size_t first = s->row / rows * rows * s->columns + s->row % rows;
    if (first >= count)
        return first - s->row % rows >= count ? 0 : (s->row++, PIPE_AGAIN);
    s->out.length = 0;
    for (size_t i = 0; i < s->columns && first + i * rows < count; i++) {
        const struct held *held = s->all[first + i * rows];
        if (!cms_buffer_add(&s->out, held->data, held->length, &rc))
            return rc;
    }
    s->row++;
    rc = cms_pipe_put(stage, 0, s->out.data, s->out.length);
    return rc ? rc : PIPE_AGAIN;
}

static void snake_close(struct stage *stage)
{
    struct snake *s = stage->state;
    cms_hold_free(&s->hold);
    cms_heap_free(s->all);
    cms_buffer_free(&s->out);
}

const struct stage_kind cms_stage_snake = {
    .name = "SNAKE", .abbreviation = 5, .place = PLACE_LATER, .size = sizeof(struct snake),
    .format = "SNAKE columns [rows]",
    .help = HELP_TEXT("Records beside each other, as in a newspaper: of equal length, say by PAD.\n"),
    .prepare = snake_prepare, .record = snake_record, .end = snake_end, .close = snake_close};
