/* Orders. In: what a user asks for. Out: another head on the medium, or why there is none. */
#include <errno.h>
#include <string.h>

#include "cp/snapshot/set.h"

/* ---- the minidisk becomes what it was ----------------------------------------------------------------------------
 * */

/* Whether the slot has what its block is to become. */
static bool is_wanted(const struct snapshot_set *s, uint32_t slot, uint32_t number, uint32_t draft)
{
    const struct snapshot_entry *e = snapshot_map_entry(&s->map, slot);
    return e->keeper && snapshot_map_find(&s->map, e->block, number, draft) == slot;
}

/* The next of them, as far as there is time: true, a batch is full, or these were all. */
static bool gather(struct snapshot_set *s, uint32_t number, uint32_t draft, bool unkept)
{
    for (unsigned n = 0; s->at < s->map.slots && s->batch < SNAPSHOT_BATCH; s->at++, n++) {
        if (n == 64)
            return false;
        uint32_t block = snapshot_map_entry(&s->map, s->at)->block;
        if (!is_wanted(s, s->at, number, draft) || (unkept && !snapshot_unkept(s, block)))
            continue;
        s->block[s->batch] = block;
        s->slot[s->batch] = s->at;
        s->from[s->batch] = snapshot_slot_sector(s, s->at);
        s->to[s->batch++] = snapshot_live_sector(s, block);
    }
    return true;
}

/* May be cut at any point and begun again: where the copies are does not depend on the minidisk. */
enum snapshot_next snapshot_restore(struct snapshot_set *s, unsigned *phase)
{
    enum { BEGIN, GATHER, MOVED, FLUSHED, FREED, WRITTEN };
    switch (*phase) {
    case BEGIN:
        s->at = s->batch = 0;
        *phase = GATHER;
        return NEXT_AGAIN;
    case GATHER:
        if (!gather(s, s->head.restore, s->head.draft, false))
            return NEXT_AGAIN;
        *phase = s->batch ? MOVED : FLUSHED;
        return s->batch ? snapshot_call(s, snapshot_move) : snapshot_flush(s);
    case MOVED:
        if (s->status)
            return snapshot_end(s, s->status);
        s->batch = 0;
        *phase = GATHER;
        return NEXT_AGAIN;
    case FLUSHED:
        if (s->status)
            return snapshot_end(s, s->status);
        s->before = s->head;
        s->head.restore = s->head.draft = 0;
        *phase = WRITTEN;
        return snapshot_call(s, snapshot_put_head);
    case WRITTEN:
        if (s->status || !s->before.draft)
            break;
        s->sweep = s->before.draft, s->sweep_to = 0;
        *phase = FREED;
        return snapshot_call(s, snapshot_fall);
    default: break;
    }
    if (s->status)
        s->head = s->before;
    return snapshot_end(s, s->status);
}

/* ---- what an order is about --------------------------------------------------------------------------------------
 * */

static bool is_it(const struct snapshot *snapshot, const struct snapshot_order *o)
{
    if (o->number)
        return snapshot->number == o->number;
    if (*o->name)
        return !strncmp(snapshot->name, o->name, SNAPSHOT_NAME);
    return snapshot->taken >= o->from && snapshot->taken <= o->to;
}

static int look_up(const struct snapshot_set *s)
{
    for (int i = (int)s->head.count; i-- > 0;)
        if (is_it(&s->head.snapshot[i], &s->order))
            return i;
    return -1;
}

static void facts(struct snapshot_set *s)
{
    struct snapshot_answer *a = s->answer;
    a->head = s->head;
    a->slots = s->map.slots;
    a->unused = s->map.unused;
    a->why = s->why;
}

/* How many copies serve whom, a few slots at a time. True: all are counted. */
static bool count(struct snapshot_set *s)
{
    struct snapshot_answer *a = s->answer;
    for (unsigned n = 0; n < 64 && s->at < s->map.slots; n++, s->at++) {
        const struct snapshot_entry *e = snapshot_map_entry(&s->map, s->at);
        int i = e->keeper ? snapshot_index(&s->head, e->serves) : -1;
        if (i >= 0)
            a->cost[i]++;
        else if (e->keeper)
            a->draft_cost++;
    }
    return s->at >= s->map.slots;
}

/* ---- deeds -------------------------------------------------------------------------------------------------------
 * */

enum { BEGIN, COUNT, FIRST_OF_DEED };

static enum snapshot_next answer(struct snapshot_set *s, unsigned *phase, enum snapshot_result result)
{
    s->answer->result = result;
    s->at = 0;
    *phase = COUNT;
    return NEXT_AGAIN;
}

static enum snapshot_next failed(struct snapshot_set *s, unsigned *phase)
{
    return answer(s, phase, s->status == -ENOSPC || s->status == -ENOMEM ? SNAPSHOT_FULL : SNAPSHOT_FAILED);
}

static void build_empty(struct snapshot_set *s, uint32_t index, unsigned blocks)
{
    for (unsigned i = 0; i < blocks * SNAPSHOT_SECTORS; i++) {
        struct snapshot_map_sector *m =
            (void *)((uint8_t *)s->frame[i / SNAPSHOT_SECTORS] + (size_t)(i % SNAPSHOT_SECTORS) * SNAPSHOT_SECTOR);
        memset(m, 0, sizeof *m);
        m->index = index + i;
        m->stamp = s->head.stamp;
        snapshot_map_seal(m);
    }
}

/* A map of its own for a head that has no snapshot yet: so no sector of an earlier use counts. */
static enum snapshot_next put_empty_map(struct snapshot_set *s, unsigned *phase)
{
    enum { BLOCKS = 2 };
    uint32_t all = snapshot_map_blocks(s->area.blocks);
    if ((*phase)++ == 0)
        s->at = 0, s->head.stamp = s->order.now << 20 ^ (s->head.stamp + s->order_id);
    else if (s->status)
        return snapshot_end(s, s->status);
    if (s->at == all)
        return snapshot_end(s, 0);
    unsigned blocks = all - s->at < BLOCKS ? all - s->at : BLOCKS;
    build_empty(s, s->at * SNAPSHOT_SECTORS, blocks);
    s->at += blocks;
    return snapshot_io(s, DISK_WRITE, snapshot_map_sector(s, (s->at - blocks) * SNAPSHOT_SECTORS),
                       blocks * SNAPSHOT_SECTORS, 0);
}

static enum snapshot_result may_take(const struct snapshot_set *s)
{
    const struct snapshot_order *o = &s->order;
    struct snapshot_order by_name = *o;
    by_name.number = 0;
    for (unsigned i = 0; *o->name && i < s->head.count; i++)
        if (is_it(&s->head.snapshot[i], &by_name))
            return SNAPSHOT_NAMED;
    return s->head.count == SNAPSHOTS || s->head.next >= SNAPSHOT_DRAFT - 1 ? SNAPSHOT_TOO_MANY : SNAPSHOT_OK;
}

static enum snapshot_next take(struct snapshot_set *s, unsigned *phase)
{
    enum { TAKE = FIRST_OF_DEED, MAPPED, FLUSHED, TAKEN };
    switch (*phase) {
    case TAKE:
        if (may_take(s) != SNAPSHOT_OK)
            return answer(s, phase, may_take(s));
        *phase = s->head.count ? FLUSHED : MAPPED;
        s->status = 0;
        return s->head.count ? NEXT_AGAIN : snapshot_call(s, put_empty_map);
    case MAPPED:
        if (s->status)
            return failed(s, phase);
        *phase = FLUSHED;
        return snapshot_flush(s);
    case FLUSHED: {
        if (s->status)
            return failed(s, phase);
        struct snapshot *new = &s->head.snapshot[s->head.count++];
        *new = (struct snapshot){.number = s->head.next ? s->head.next : 1, .taken = s->order.now};
        memcpy(new->name, s->order.name, strnlen(s->order.name, SNAPSHOT_NAME));
        s->head.next = new->number + 1;
        s->answer->view = new->number;
        *phase = TAKEN;
        return snapshot_call(s, snapshot_put_head);
    }
    default: /* if it failed the medium may have it: so it is kept to */
        return s->status ? failed(s, phase) : answer(s, phase, SNAPSHOT_OK);
    }
}

static enum snapshot_next delete(struct snapshot_set *s, unsigned *phase, int at)
{
    enum { DELETE = FIRST_OF_DEED, WRITTEN, FALLEN, DONE };
    struct snapshot *list = s->head.snapshot;
    switch (*phase) {
    case DELETE:
        if (at < 0)
            return answer(s, phase, SNAPSHOT_NONE);
        s->answer->view = s->sweep = list[at].number;
        if (snapshot_viewed(s, s->sweep) || (s->draft && s->draft_of == s->sweep && snapshot_viewed(s, s->draft)))
            return answer(s, phase, SNAPSHOT_IN_USE);
        s->sweep_to = at ? list[at - 1].number : 0;
        s->before = s->head;
        memmove(list + at, list + at + 1, (size_t)(--s->head.count - (unsigned)at) * sizeof *list);
        memset(list + s->head.count, 0, sizeof *list);
        *phase = WRITTEN;
        return snapshot_call(s, snapshot_put_head);
    case WRITTEN:
        if (s->status) {
            s->head = s->before;
            return failed(s, phase);
        }
        *phase = s->draft_of == s->sweep ? FALLEN : DONE;
        return snapshot_call(s, snapshot_fall);
    case FALLEN:
        s->sweep = s->draft, s->sweep_to = 0;
        s->draft = s->draft_of = 0;
        *phase = DONE;
        return snapshot_call(s, snapshot_fall);
    default: return answer(s, phase, SNAPSHOT_OK);
    }
}

static bool views_any(const struct snapshot_set *s)
{
    for (unsigned i = 0; i < SNAPSHOT_VIEWS; i++)
        if (s->view[i].users && s->view[i].view != SNAPSHOT_LIVE && s->view[i].view != SNAPSHOT_ASKED)
            return true;
    return false;
}

static enum snapshot_next clear(struct snapshot_set *s, unsigned *phase)
{
    enum { CLEAR = FIRST_OF_DEED, WRITTEN };
    if (*phase == CLEAR && views_any(s))
        return answer(s, phase, SNAPSHOT_IN_USE);
    if (*phase == CLEAR) {
        s->answer->head = s->head;
        s->head.count = s->head.losses = s->head.restore = s->head.draft = 0;
        memset(s->head.snapshot, 0, sizeof s->head.snapshot);
        memset(&s->head.lost, 0, sizeof s->head.lost);
        *phase = WRITTEN;
        return snapshot_call(s, snapshot_disown);
    }
    if (s->status)
        s->head = s->answer->head;
    return s->status ? failed(s, phase) : answer(s, phase, SNAPSHOT_OK);
}

static enum snapshot_next look(struct snapshot_set *s, unsigned *phase, int at)
{
    s->answer->view = at < 0 ? 0 : s->head.snapshot[at].number;
    return answer(s, phase, at < 0 ? SNAPSHOT_NONE : SNAPSHOT_OK);
}

/* A draft has a number that none had, so that copies of an earlier one, which the map may still tell of, are not its.
 * */
static enum snapshot_next edit(struct snapshot_set *s, unsigned *phase, int at)
{
    enum { EDIT = FIRST_OF_DEED, SWEPT, NUMBERED };
    switch (*phase) {
    case EDIT:
        if (at < 0)
            return answer(s, phase, SNAPSHOT_NONE);
        if (s->draft && snapshot_viewed(s, s->draft))
            return answer(s, phase, SNAPSHOT_IN_USE);
        if (s->head.next >= SNAPSHOT_DRAFT - 1)
            return answer(s, phase, SNAPSHOT_TOO_MANY);
        s->target = s->head.snapshot[at].number;
        s->sweep = s->draft, s->sweep_to = 0;
        *phase = SWEPT;
        s->status = 0;
        if (!s->sweep)
            return NEXT_AGAIN;
        s->draft = s->draft_of = 0;
        return snapshot_call(s, snapshot_fall);
    case SWEPT:
        s->head.next++;
        *phase = NUMBERED;
        return snapshot_call(s, snapshot_put_head);
    default:
        if (s->status)
            return failed(s, phase);
        s->draft = s->answer->view = SNAPSHOT_DRAFT | (s->head.next - 1);
        s->draft_of = s->target;
        return answer(s, phase, SNAPSHOT_OK);
    }
}

/* What the younger snapshots would lose is kept, then the draft's copies are in the map, then the head says what the
 * minidisk is: from there on it is that. */
static enum snapshot_next become(struct snapshot_set *s, unsigned *phase, int at)
{
    enum { BECOME = FIRST_OF_DEED, KEEP, KEPT, DRAFT, DRAWN, FLUSHED, WRITTEN, RESTORED };
    uint32_t draft = s->order.deed == SNAPSHOT_ADOPT ? s->draft : 0;
    switch (*phase) {
    case BECOME:
        if (at < 0)
            return answer(s, phase, SNAPSHOT_NONE);
        if (snapshot_viewed(s, SNAPSHOT_LIVE))
            return answer(s, phase, SNAPSHOT_IN_USE);
        s->target = s->answer->view = s->head.snapshot[at].number;
        s->at = s->batch = 0;
        *phase = KEEP;
        return NEXT_AGAIN;
    case KEEP:
        if (!gather(s, s->target, draft, true))
            return NEXT_AGAIN;
        *phase = s->batch ? KEPT : DRAFT;
        s->gathered = s->batch;
        s->at = s->batch ? s->at : 0;
        return s->batch ? snapshot_call(s, snapshot_keep) : NEXT_AGAIN;
    case KEPT:
        if (s->status)
            return failed(s, phase);
        if (s->batch < s->gathered)
            return answer(s, phase, SNAPSHOT_FULL);
        s->batch = 0;
        *phase = KEEP;
        return NEXT_AGAIN;
    case DRAFT: /* sectors of the map with copies of it, one slot of each */
        s->batch = 0;
        for (unsigned n = 0; draft && n < 64 && s->at < s->map.slots && !s->batch; s->at++, n++)
            if (snapshot_map_entry(&s->map, s->at)->keeper == draft)
                s->slot[s->batch++] = s->at;
        *phase = DRAWN;
        s->status = 0;
        return s->batch ? snapshot_call(s, snapshot_put_map) : NEXT_AGAIN;
    case DRAWN:
        if (s->status)
            return failed(s, phase);
        if (s->batch) /* on with the next sector */
            s->at = (s->slot[0] / SNAPSHOT_COPIES + 1) * SNAPSHOT_COPIES;
        *phase = draft && s->at < s->map.slots ? DRAFT : FLUSHED;
        return *phase == DRAFT ? NEXT_AGAIN : snapshot_flush(s);
    case FLUSHED:
        if (s->status)
            return failed(s, phase);
        s->head.restore = s->target;
        s->head.draft = draft;
        *phase = WRITTEN;
        return snapshot_call(s, snapshot_put_head);
    case WRITTEN:
        *phase = RESTORED;
        return s->status ? NEXT_AGAIN : snapshot_call(s, snapshot_restore);
    default:
        if (s->status) { /* the medium may have the head, or a part is done */
            s->state = SET_STUCK;
            s->why = "the minidisk could not be made what it was";
            return failed(s, phase);
        }
        if (draft)
            s->draft = s->draft_of = 0;
        return answer(s, phase, SNAPSHOT_OK);
    }
}

/* ---- the order at hand -------------------------------------------------------------------------------------------
 * */

static enum snapshot_next begin(struct snapshot_set *s, unsigned *phase)
{
    bool changes = s->order.deed != SNAPSHOT_LIST && s->order.deed != SNAPSHOT_LOOK;
    s->status = 0;
    if (s->state != SET_READY && s->order.deed != SNAPSHOT_CLEAR) {
        s->answer->result = SNAPSHOT_DAMAGED;
        s->answer->why = s->why;
        return snapshot_end(s, 0);
    }
    if (changes && s->volume->read_only)
        return answer(s, phase, SNAPSHOT_READ_ONLY);
    *phase = FIRST_OF_DEED;
    return NEXT_AGAIN;
}

enum snapshot_next snapshot_serve_order(struct snapshot_set *s, unsigned *phase)
{
    int at = s->order.deed == SNAPSHOT_ADOPT ? snapshot_index(&s->head, s->draft_of) : look_up(s);
    if (*phase == BEGIN)
        return begin(s, phase);
    if (*phase == COUNT) {
        if (s->state == SET_READY && !count(s))
            return NEXT_AGAIN;
        facts(s);
        return snapshot_end(s, 0);
    }
    switch (s->order.deed) {
    case SNAPSHOT_LIST: return answer(s, phase, SNAPSHOT_OK);
    case SNAPSHOT_TAKE: return take(s, phase);
    case SNAPSHOT_DELETE: return delete(s, phase, at);
    case SNAPSHOT_CLEAR: return clear(s, phase);
    case SNAPSHOT_LOOK: return look(s, phase, at);
    case SNAPSHOT_EDIT: return edit(s, phase, at);
    default: return become(s, phase, at);
    }
}
