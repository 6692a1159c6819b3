/* SORT, UNIQUE and MERGE: records by their keys. Equal records keep their order. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/key.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

enum { COUNT_WIDTH = 10 };

static int put_counted(struct stage *stage, int stream, const struct held *held, uint64_t count, bool counted)
{
    struct buffer line = {0};
    char number[24];
    int rc = 0;
    if (!counted)
        return cms_pipe_put(stage, stream, held->data, held->length);
    size_t n = format_text(number, sizeof number, "%*llu", COUNT_WIDTH, (unsigned long long)count);
    if (cms_buffer_add(&line, number, n, &rc) && cms_buffer_add(&line, held->data, held->length, &rc))
        rc = cms_pipe_put(stage, stream, line.data, line.length);
    cms_buffer_free(&line);
    return rc;
}

/* ---- SORT -------------------------------------------------------------------------------------------------------- */

struct sort {
    bool unique, counted, sorted;
    struct keys keys;
    struct hold hold;
};

static int sort_prepare(struct stage *stage, struct scan *operands)
{
    struct sort *s = stage->state;
    s->counted = cms_scan_keyword(operands, "COUNT", 5);
    s->unique = s->counted || cms_scan_keyword(operands, "UNIQUE", 4);
    int rc = cms_scan_padding(operands, &s->keys);
    return rc ? rc : cms_scan_keys(operands, &s->keys);
}

static int compare(const struct sort *s, const struct held *a, const struct held *b)
{
    return cms_key_compare(&s->keys, record_held(a), record_held(b));
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

/* How many records are equal to the first; all but that are taken off. */
static uint64_t take_equal(struct sort *s)
{
    struct held *first = s->hold.first;
    uint64_t same = 1;
    for (struct held *second; (second = first->next) && compare(s, first, second) == 0; same++) {
        first->next = second->next;
        s->hold.count--;
        cms_heap_free(second);
    }
    return same;
}

static int sort_end(struct stage *stage)
{
    struct sort *s = stage->state;
    if (!s->sorted)
        sort_held(s);
    s->sorted = true;
    if (!s->hold.first)
        return 0;
    uint64_t same = s->unique ? take_equal(s) : 1;
    struct held *held = cms_hold_take(&s->hold);
    int rc = put_counted(stage, 0, held, same, s->counted);
    cms_heap_free(held);
    return rc ? rc : PIPE_AGAIN;
}

static void sort_close(struct stage *stage)
{
    cms_hold_free(&((struct sort *)stage->state)->hold);
}

const struct stage_kind cms_stage_sort = {
    .name = "SORT", .abbreviation = 4, .place = PLACE_LATER, .size = sizeof(struct sort),
    .format = "SORT [UNIQUE|COUNT] [NOPAD|PAD c] [ANYCASE] [range [A|D]]...",
    .help = HELP_TEXT("Records in the order of the ranges, ascending or descending.  Of equal ones\n"
                      "UNIQUE keeps the first, COUNT too, and says in ten columns how many there were.\n"),
    .prepare = sort_prepare, .record = sort_record, .end = sort_end, .close = sort_close};

/* ---- UNIQUE ------------------------------------------------------------------------------------------------------ */

enum keep { KEEP_LAST, KEEP_FIRST, KEEP_SINGLES, KEEP_MULTIPLES };

struct unique {
    bool counted;
    struct keys keys;
    enum keep keep;
    struct hold run; /* equal records so far: all, the first or the last of them */
    uint64_t count;
    bool over; /* the run has ended: what is in `run` goes */
};

static const struct {
    const char *name;
    enum keep keep;
} keeps[] = {{"FIRST", KEEP_FIRST}, {"SINGLES", KEEP_SINGLES}, {"MULTIPLES", KEEP_MULTIPLES}, {"LAST", KEEP_LAST}};

static int unique_prepare(struct stage *stage, struct scan *operands)
{
    struct unique *u = stage->state;
    u->counted = cms_scan_keyword(operands, "COUNT", 5);
    int rc = cms_scan_padding(operands, &u->keys);
    u->keys.count = 1;
    if (!rc && cms_scan_is_range(operands))
        rc = cms_scan_range(operands, &u->keys.key[0].range);
    for (size_t i = 0; i < sizeof keeps / sizeof *keeps; i++)
        if (cms_scan_keyword(operands, keeps[i].name, strlen(keeps[i].name)))
            u->keep = keeps[i].keep;
    return rc ? rc : cms_scan_end(operands);
}

/* One of the run goes: those that are kept to the primary output, others to stream 1. */
static int put_run(struct stage *stage)
{
    struct unique *u = stage->state;
    struct held *held = cms_hold_take(&u->run);
    bool last = !u->run.first;
    bool kept = u->keep == KEEP_SINGLES     ? u->count == 1
                : u->keep == KEEP_MULTIPLES ? u->count > 1
                                            : last;
    if (!held)
        return 0;
    int rc = put_counted(stage, kept ? 0 : 1, held, u->count, u->counted && kept);
    cms_heap_free(held);
    return rc ? rc : PIPE_AGAIN;
}

/* A record of the run is in the run, or, if it is known not to be kept, goes to stream 1. */
static int join_run(struct stage *stage, const uint8_t *data, size_t length)
{
    struct unique *u = stage->state;
    struct held *held = NULL;
    int rc = 0;
    if (u->count++ && u->keep == KEEP_FIRST)
        return cms_pipe_put(stage, 1, data, length);
    if (u->keep == KEEP_LAST || (u->keep == KEEP_SINGLES && u->count > 2))
        held = cms_hold_take(&u->run);
    rc = cms_hold_add(&u->run, data, length);
    if (held && !rc)
        rc = cms_pipe_put(stage, 1, held->data, held->length);
    cms_heap_free(held);
    return rc;
}

static int unique_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct unique *u = stage->state;
    if (u->run.first && cms_key_compare(&u->keys, record_held(u->run.first), (struct record){data, length}))
        u->over = true;
    if (u->over && u->run.first)
        return put_run(stage);
    if (u->over)
        u->count = 0;
    u->over = false;
    return join_run(stage, data, length);
}

static void unique_close(struct stage *stage)
{
    cms_hold_free(&((struct unique *)stage->state)->run);
}

const struct stage_kind cms_stage_unique = {
    .name = "UNIQUE", .abbreviation = 4, .place = PLACE_LATER, .streams = 2, .size = sizeof(struct unique),
    .format = "UNIQUE [COUNT] [NOPAD|PAD c] [ANYCASE] [range] [LAST|FIRST|SINGLES|MULTIPLES]",
    .help = HELP_TEXT("Of records that are equal and follow each other the last or the first; only\n"
                      "those that have no equal, or only those that have.  Others go to stream 1.\n"),
    .prepare = unique_prepare, .record = unique_record, .end = put_run, .close = unique_close};

/* ---- MERGE ------------------------------------------------------------------------------------------------------- */

static int merge_prepare(struct stage *stage, struct scan *operands)
{
    struct keys *k = stage->state;
    int rc = cms_scan_padding(operands, k);
    return rc ? rc : cms_scan_keys(operands, k);
}

static int merge_step(struct stage *stage)
{
    struct record least = {0}, r;
    int from = -1;
    for (int i = 0; i < stage->streams; i++) {
        enum pipe_input input = cms_pipe_peek(stage, i, &r.data, &r.length);
        if (input == INPUT_NOTHING)
            return PIPE_WAIT;
        if (input == INPUT_END || (from >= 0 && cms_key_compare(stage->state, r, least) >= 0))
            continue;
        from = i;
        least = r;
    }
    if (from < 0)
        return PIPE_ENOUGH;
    cms_pipe_consume(stage, from);
    return cms_pipe_put(stage, 0, least.data, least.length);
}

const struct stage_kind cms_stage_merge = {
    .name = "MERGE", .abbreviation = 5, .streams = 255, .size = sizeof(struct keys),
    .format = "MERGE [NOPAD|PAD c] [ANYCASE] [range [A|D]]...",
    .help = HELP_TEXT("The records of all streams, each in the order of the ranges already, in that\n"
                      "order.\n"),
    .prepare = merge_prepare, .step = merge_step};
