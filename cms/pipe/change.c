/* Stages that change records: CHANGE, SPLIT, JOIN, XLATE. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/pipe/stages.h"

/* ---- CHANGE ------------------------------------------------------------------------------------------------------ */

struct change {
    bool any_case;
    struct range range;
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
    int rc = 0;
    c->count = UINT32_MAX;
    c->any_case = cms_scan_keyword(operands, "ANYCASE", 3) || cms_scan_keyword(operands, "CASEANY", 5);
    if (cms_scan_is_range(operands))
        rc = cms_scan_range(operands, &c->range);
    if (!rc)
        rc = two_strings(operands, c);
    if (!rc && !cms_scan_keyword(operands, "*", 1) && cms_scan_more(operands))
        rc = cms_scan_number(operands, &c->count);
    return rc ? rc : cms_scan_end(operands);
}

/* An empty `from` puts `to` at the beginning of the range, once. */
static bool change_range(struct change *c, const uint8_t *data, size_t from, size_t to, int *rc)
{
    size_t at;
    uint32_t count = c->from.length ? c->count : 1;
    for (; count && (at = cms_string_find(&c->from, data, from, to, c->any_case)) != SIZE_MAX; count--) {
        if (!cms_buffer_add(&c->out, data + from, at - from, rc) ||
            !cms_buffer_add(&c->out, c->to.data, c->to.length, rc))
            return false;
        from = at + c->from.length;
    }
    return cms_buffer_add(&c->out, data + from, to - from, rc);
}

static int change_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct change *c = stage->state;
    size_t from, to;
    int rc = 0;
    cms_range_find(&c->range, data, length, &from, &to);
    c->out.length = 0;
    if (!cms_buffer_add(&c->out, data, from, &rc) || !change_range(c, data, from, to, &rc) ||
        !cms_buffer_add(&c->out, data + to, length - to, &rc))
        return rc;
    return cms_pipe_put(stage, c->out.data, c->out.length);
}

static void change_close(struct stage *stage)
{
    cms_buffer_free(&((struct change *)stage->state)->out);
}

const struct stage_kind cms_stage_change = {
    "CHANGE", 6, PLACE_LATER, false, sizeof(struct change), change_prepare, NULL, change_record, NULL, change_close};

/* ---- SPLIT ------------------------------------------------------------------------------------------------------- */

enum where { SPLIT_AT, SPLIT_BEFORE, SPLIT_AFTER };

struct split {
    enum where where;
    bool any_of;
    struct string target;
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
    if (cms_scan_keyword(operands, "BEFORE", 6))
        s->where = SPLIT_BEFORE;
    else if (cms_scan_keyword(operands, "AFTER", 5))
        s->where = SPLIT_AFTER;
    else
        cms_scan_keyword(operands, "AT", 2);
    int rc = split_target(operands, s);
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

/* Pieces without a byte are not put out. */
static int split_record(struct stage *stage, const uint8_t *data, size_t length)
{
    const struct split *s = stage->state;
    size_t begin = 0, at = 0, size = s->any_of ? 1 : s->target.length;
    int rc = 0;
    if (length == 0)
        return cms_pipe_put(stage, data, 0);
    while (!rc && size && (at = find_target(s, data, at, length)) != SIZE_MAX) {
        size_t end = s->where == SPLIT_AFTER ? at + size : at;
        if (end > begin)
            rc = cms_pipe_put(stage, data + begin, end - begin);
        begin = s->where == SPLIT_BEFORE ? at : at + size;
        at += size;
    }
    return rc || begin == length ? rc : cms_pipe_put(stage, data + begin, length - begin);
}

const struct stage_kind cms_stage_split = {
    "SPLIT", 5, PLACE_LATER, false, sizeof(struct split), split_prepare, NULL, split_record, NULL, NULL};

/* ---- JOIN -------------------------------------------------------------------------------------------------------- */

struct join {
    uint32_t count, joined; /* records to add to the first; those in `out` */
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
        j->count = UINT32_MAX - 1;
    else if (cms_scan_is_range(operands))
        rc = cms_scan_number(operands, &j->count);
    if (!rc && (cms_scan_is_string(operands) || (cms_scan_more(operands) && (*operands->at | 0x20) == 'x')))
        rc = cms_scan_string(operands, &j->between);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_number(operands, &j->most);
    return rc ? rc : cms_scan_end(operands);
}

static int join_end(struct stage *stage)
{
    struct join *j = stage->state;
    int rc = j->joined ? cms_pipe_put(stage, j->out.data, j->out.length) : 0;
    j->joined = 0;
    j->out.length = 0;
    return rc;
}

static int join_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct join *j = stage->state;
    int rc = 0;
    if (j->joined && j->most && j->out.length + j->between.length + length > j->most)
        rc = join_end(stage);
    if (!rc && j->joined && !cms_buffer_add(&j->out, j->between.data, j->between.length, &rc))
        return rc;
    if (rc || !cms_buffer_add(&j->out, data, length, &rc))
        return rc;
    return j->joined++ == j->count ? join_end(stage) : 0;
}

static void join_close(struct stage *stage)
{
    cms_buffer_free(&((struct join *)stage->state)->out);
}

const struct stage_kind cms_stage_join = {
    "JOIN", 4, PLACE_LATER, false, sizeof(struct join), join_prepare, NULL, join_record, join_end, join_close};

/* ---- XLATE ------------------------------------------------------------------------------------------------------- */

struct xlate {
    bool lower;
    struct buffer out;
};

static int xlate_prepare(struct stage *stage, struct scan *operands)
{
    struct xlate *x = stage->state;
    x->lower = cms_scan_keyword(operands, "LOWER", 5);
    if (!x->lower)
        cms_scan_keyword(operands, "UPPER", 5);
    return cms_scan_end(operands);
}

static int xlate_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct xlate *x = stage->state;
    uint8_t first = x->lower ? 'A' : 'a';
    int rc = 0;
    x->out.length = 0;
    if (!cms_buffer_add(&x->out, data, length, &rc))
        return rc;
    for (size_t i = 0; i < length; i++)
        if (x->out.data[i] >= first && x->out.data[i] < first + 26)
            x->out.data[i] ^= 0x20;
    return cms_pipe_put(stage, x->out.data, length);
}

static void xlate_close(struct stage *stage)
{
    cms_buffer_free(&((struct xlate *)stage->state)->out);
}

const struct stage_kind cms_stage_xlate = {
    "XLATE", 5, PLACE_LATER, false, sizeof(struct xlate), xlate_prepare, NULL, xlate_record, NULL, xlate_close};
