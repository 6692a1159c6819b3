/* LOOKUP: records found, or not, in a table of others. In: masters on stream 1, all of them first, then details on the
 * primary input. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/key.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

enum { COUNT_WIDTH = 10, SLOTS_LEAST = 64 };

struct master {
    struct master *next_in_slot, *next;
    uint64_t count; /* details that found it */
    size_t length;
    uint8_t data[];
};

struct lookup {
    struct keys keys;
    struct range detail, master;
    bool counted, adds, puts_detail, puts_master;
    struct master **slot, *first, **last;
    size_t slots, masters;
    bool detail_put; /* and the master of the same detail is still to be */
};

static int lookup_prepare(struct stage *stage, struct scan *operands)
{
    struct lookup *l = stage->state;
    int rc = 0;
    l->counted = cms_scan_keyword(operands, "COUNT", 5);
    l->adds = cms_scan_keyword(operands, "AUTOADD", 7);
    rc = cms_scan_padding(operands, &l->keys);
    if (!rc && cms_scan_is_range(operands))
        rc = cms_scan_range(operands, &l->detail);
    l->master = l->detail;
    if (!rc && cms_scan_is_range(operands))
        rc = cms_scan_range(operands, &l->master);
    l->puts_detail = cms_scan_keyword(operands, "DETAILS", 6);
    l->puts_master = cms_scan_keyword(operands, "MASTERS", 6);
    if (!l->puts_detail && !l->puts_master)
        l->puts_detail = true;
    l->last = &l->first;
    return rc ? rc : cms_scan_end(operands);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static bool grow(struct lookup *l)
{
    size_t slots = l->slots ? 4 * l->slots : SLOTS_LEAST;
    struct master **slot = cms_heap_allocate(slots * sizeof *slot);
    if (!slot)
        return l->slots > 0; /* a fuller table only takes longer */
    memset(slot, 0, slots * sizeof *slot);
    for (struct master *m = l->first; m; m = m->next) {
        struct master **head = &slot[cms_key_hash(&l->keys, &l->master, (struct record){m->data, m->length}) % slots];
        m->next_in_slot = *head;
        *head = m;
    }
    cms_heap_free(l->slot);
    l->slot = slot;
    l->slots = slots;
    return true;
}

static struct master *find(const struct lookup *l, const struct range *range, struct record r)
{
    struct master *m = l->slots ? l->slot[cms_key_hash(&l->keys, range, r) % l->slots] : NULL;
    while (m && cms_key_compare_ranges(&l->keys, &l->master, (struct record){m->data, m->length}, range, r))
        m = m->next_in_slot;
    return m;
}

static int add(struct lookup *l, struct record r)
{
    struct master *m = NULL;
    if (l->masters < 2 * l->slots || grow(l))
        m = cms_heap_allocate(sizeof *m + r.length);
    if (!m)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    *m = (struct master){.length = r.length};
    if (r.length)
        memcpy(m->data, r.data, r.length);
    *l->last = m;
    l->last = &m->next;
    struct master **head = &l->slot[cms_key_hash(&l->keys, &l->master, r) % l->slots];
    m->next_in_slot = *head;
    *head = m;
    l->masters++;
    return 0;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* Of masters with the same key the first counts; the others go to stream 2 at once. */
static int take_master(struct stage *stage, struct record r)
{
    struct lookup *l = stage->state;
    cms_pipe_consume(stage, 1);
    return find(l, &l->master, r) ? cms_pipe_put(stage, 2, r.data, r.length) : add(l, r);
}

static int take_detail(struct stage *stage, struct record r)
{
    struct lookup *l = stage->state;
    struct master *m = find(l, &l->detail, r);
    if (!m) {
        cms_pipe_consume(stage, 0);
        int rc = l->adds ? add(l, r) : 0;
        return rc ? rc : cms_pipe_put(stage, 1, r.data, r.length);
    }
    if (l->puts_detail && !l->detail_put) {
        l->detail_put = l->puts_master;
        m->count++;
        if (!l->puts_master)
            cms_pipe_consume(stage, 0);
        return cms_pipe_put(stage, 0, r.data, r.length);
    }
    m->count += !l->detail_put;
    l->detail_put = false;
    cms_pipe_consume(stage, 0);
    return cms_pipe_put(stage, 0, m->data, m->length);
}

/* At the end those masters that nobody found, or, with COUNT, all, go to stream 2. */
static int put_master(struct stage *stage)
{
    struct lookup *l = stage->state;
    char number[24];
    struct buffer line = {0};
    int rc = 0;
    while (l->first && l->first->count && !l->counted) {
        struct master *found = l->first;
        l->first = found->next;
        cms_heap_free(found);
    }
    struct master *m = l->first;
    if (!m)
        return PIPE_ENOUGH;
    l->first = m->next;
    size_t n = l->counted ? format_text(number, sizeof number, "%*llu", COUNT_WIDTH, (unsigned long long)m->count) : 0;
    if (cms_buffer_add(&line, number, n, &rc) && cms_buffer_add(&line, m->data, m->length, &rc))
        rc = cms_pipe_put(stage, 2, line.data, line.length);
    cms_buffer_free(&line);
    cms_heap_free(m);
    return rc;
}

static int lookup_step(struct stage *stage)
{
    struct record r;
    enum pipe_input masters = cms_pipe_peek(stage, 1, &r.data, &r.length);
    if (masters != INPUT_END)
        return masters == INPUT_NOTHING ? PIPE_WAIT : take_master(stage, r);
    enum pipe_input details = cms_pipe_peek(stage, 0, &r.data, &r.length);
    if (details != INPUT_END)
        return details == INPUT_NOTHING ? PIPE_WAIT : take_detail(stage, r);
    return put_master(stage);
}

static void lookup_close(struct stage *stage)
{
    struct lookup *l = stage->state;
    for (struct master *m; (m = l->first);) {
        l->first = m->next;
        cms_heap_free(m);
    }
    cms_heap_free(l->slot);
}

const struct stage_kind cms_stage_lookup = {
    .name = "LOOKUP", .abbreviation = 6, .place = PLACE_LATER, .streams = 3, .size = sizeof(struct lookup),
    .format = "LOOKUP [COUNT] [AUTOADD] [NOPAD|PAD c] [ANYCASE] [range [range]]\n"
              "       [DETAIL] [MASTER]",
    .help = HELP_TEXT("Details come on the primary input, and before them the masters on stream 1.\n"
                      "Details whose range is equal to a master's are put, or the master, or both;\n"
                      "others go to stream 1, and are masters then, with AUTOADD.  At the end masters\n"
                      "that were not found go to stream 2; with COUNT all, and how often in ten\n"
                      "columns.\n"),
    .prepare = lookup_prepare, .step = lookup_step, .close = lookup_close};
