/* SORT and UNIQUE: records by their keys. A shorter key counts as padded with blanks; equal records keep their
 * order. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

enum { KEYS_MAX = 10, COUNT_WIDTH = 10 };

struct key {
    struct range range;
    bool descending;
};

static uint8_t fold(uint8_t c, bool any_case)
{
    return any_case && c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
}

static int compare_key(const struct range *range, bool any_case, const struct held *a, const struct held *b)
{
    size_t from_a, to_a, from_b, to_b;
    cms_range_find(range, a->data, a->length, &from_a, &to_a);
    cms_range_find(range, b->data, b->length, &from_b, &to_b);
    size_t length_a = to_a - from_a, length_b = to_b - from_b, most = length_a > length_b ? length_a : length_b;
    for (size_t i = 0; i < most; i++) {
        int x = i < length_a ? fold(a->data[from_a + i], any_case) : ' ';
        int y = i < length_b ? fold(b->data[from_b + i], any_case) : ' ';
        if (x != y)
            return x - y;
    }
    return 0;
}

static int put_counted(struct stage *stage, const struct held *held, uint64_t count, bool counted)
{
    struct buffer line = {0};
    char number[24];
    int rc = 0;
    if (!counted)
        return cms_pipe_put(stage, held->data, held->length);
    size_t n = format_text(number, sizeof number, "%*llu", COUNT_WIDTH, (unsigned long long)count);
    if (cms_buffer_add(&line, number, n, &rc) && cms_buffer_add(&line, held->data, held->length, &rc))
        rc = cms_pipe_put(stage, line.data, line.length);
    cms_buffer_free(&line);
    return rc;
}

/* ---- SORT -------------------------------------------------------------------------------------------------------- */

struct sort {
    bool any_case, unique, counted;
    int keys;
    struct key key[KEYS_MAX];
    struct hold hold;
};

static bool take_order(struct scan *operands, struct key *key)
{
    key->descending = cms_scan_keyword(operands, "DESCENDING", 1);
    return key->descending || cms_scan_keyword(operands, "ASCENDING", 1);
}

static int sort_prepare(struct stage *stage, struct scan *operands)
{
    struct sort *s = stage->state;
    s->counted = cms_scan_keyword(operands, "COUNT", 5);
    s->unique = s->counted || cms_scan_keyword(operands, "UNIQUE", 4);
    s->any_case = cms_scan_keyword(operands, "ANYCASE", 3);
    s->keys = 1;
    if (take_order(operands, &s->key[0]))
        return cms_scan_end(operands);
    for (s->keys = 0; cms_scan_more(operands); s->keys++) {
        if (s->keys == KEYS_MAX)
            return cms_scan_end(operands);
        int rc = cms_scan_range(operands, &s->key[s->keys].range);
        if (rc)
            return rc;
        take_order(operands, &s->key[s->keys]);
    }
    s->keys += s->keys == 0;
    return 0;
}

static int compare(const struct sort *s, const struct held *a, const struct held *b)
{
    for (int i = 0; i < s->keys; i++) {
        int order = compare_key(&s->key[i].range, s->any_case, a, b);
        if (order)
            return s->key[i].descending ? -order : order;
    }
    return 0;
}

static int sort_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_hold_add(&((struct sort *)stage->state)->hold, data, length);
}

static struct held *merge(const struct sort *s, struct held *a, struct held *b)
{
    struct held *first = NULL, **link = &first;
    while (a && b) {
        struct held **smaller = compare(s, a, b) <= 0 ? &a : &b;
        *link = *smaller;
        link = &(*smaller)->next;
        *smaller = *link;
    }
    *link = a ? a : b;
    return first;
}

/* Merge sort bottom-up: run[i] is a sorted list of 2^i records, or empty. */
static void sort_held(struct sort *s)
{
    struct held *run[32] = {0}, *all = NULL;
    for (struct held *next, *one = s->hold.first; one; one = next) {
        next = one->next;
        one->next = NULL;
        int i = 0;
        for (; i < 31 && run[i]; i++) {
            one = merge(s, run[i], one);
            run[i] = NULL;
        }
        run[i] = run[i] ? merge(s, run[i], one) : one;
    }
    for (int i = 0; i < 32; i++)
        if (run[i])
            all = merge(s, run[i], all);
    s->hold.first = all;
}

static int sort_end(struct stage *stage)
{
    struct sort *s = stage->state;
    uint64_t same = 1;
    int rc = 0;
    sort_held(s);
    for (struct held *held; !rc && (held = cms_hold_take(&s->hold));) {
        bool repeats = s->unique && s->hold.first && compare(s, held, s->hold.first) == 0;
        if (repeats) { /* the first of equal ones is kept: it moves on in the place of the second */
            struct held *second = s->hold.first;
            held->next = second->next;
            s->hold.first = held;
            if (!held->next)
                s->hold.last = &held->next;
            cms_heap_free(second);
            same++;
            continue;
        }
        rc = put_counted(stage, held, same, s->counted);
        same = 1;
        cms_heap_free(held);
    }
    return rc;
}

static void sort_close(struct stage *stage)
{
    cms_hold_free(&((struct sort *)stage->state)->hold);
}

const struct stage_kind cms_stage_sort = {
    "SORT", 4, PLACE_LATER, false, sizeof(struct sort), sort_prepare, NULL, sort_record, sort_end, sort_close};

/* ---- UNIQUE ------------------------------------------------------------------------------------------------------ */

enum keep { KEEP_LAST, KEEP_FIRST, KEEP_SINGLES, KEEP_MULTIPLES };

struct unique {
    bool any_case, counted;
    struct range range;
    enum keep keep;
    struct held *held; /* FIRST: the first, otherwise the last of the records that are equal so far */
    uint64_t count;
};

static int unique_prepare(struct stage *stage, struct scan *operands)
{
    struct unique *u = stage->state;
    int rc = 0;
    u->counted = cms_scan_keyword(operands, "COUNT", 5);
    u->any_case = cms_scan_keyword(operands, "ANYCASE", 3);
    if (cms_scan_is_range(operands))
        rc = cms_scan_range(operands, &u->range);
    if (cms_scan_keyword(operands, "FIRST", 5))
        u->keep = KEEP_FIRST;
    else if (cms_scan_keyword(operands, "SINGLES", 6))
        u->keep = KEEP_SINGLES;
    else if (cms_scan_keyword(operands, "MULTIPLES", 8))
        u->keep = KEEP_MULTIPLES;
    else
        cms_scan_keyword(operands, "LAST", 4);
    return rc ? rc : cms_scan_end(operands);
}

/* A run of equal records has ended. */
static int end_run(struct stage *stage)
{
    struct unique *u = stage->state;
    bool wanted = u->keep == KEEP_SINGLES ? u->count == 1 : u->keep != KEEP_MULTIPLES || u->count > 1;
    int rc = u->held && wanted ? put_counted(stage, u->held, u->count, u->counted) : 0;
    cms_heap_free(u->held);
    u->held = NULL;
    u->count = 0;
    return rc;
}

static struct held *keep(const uint8_t *data, size_t length)
{
    struct held *held = cms_heap_allocate(sizeof *held + length);
    if (held) {
        *held = (struct held){.length = length};
        memcpy(held->data, data, length);
    }
    return held;
}

static int unique_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct unique *u = stage->state;
    struct held *held = keep(data, length);
    int rc = 0;
    if (!held)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    if (u->held && compare_key(&u->range, u->any_case, u->held, held))
        rc = end_run(stage);
    else if (u->keep == KEEP_MULTIPLES && u->held) { /* every one of them is wanted */
        rc = put_counted(stage, u->held, u->count, u->counted);
    }
    u->count++;
    struct held *other = u->held && u->keep == KEEP_FIRST ? held : u->held;
    u->held = u->held && u->keep == KEEP_FIRST ? u->held : held;
    cms_heap_free(other);
    return rc;
}

static void unique_close(struct stage *stage)
{
    cms_heap_free(((struct unique *)stage->state)->held);
}

const struct stage_kind cms_stage_unique = {
    "UNIQUE", 4, PLACE_LATER, false, sizeof(struct unique), unique_prepare, NULL, unique_record, end_run,
    unique_close};
