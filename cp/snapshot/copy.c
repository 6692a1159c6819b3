/* Copies. In: blocks that are to be kept. Out: their contents in slots, and a map that tells of it. */
#include <errno.h>
#include <string.h>

#include "cp/snapshot/set.h"

enum snapshot_next snapshot_put_head(struct snapshot_set *s, unsigned *phase)
{
    switch ((*phase)++) {
    case 0:
        s->head.disk_start = s->disk.start, s->head.disk_blocks = s->disk.blocks;
        s->head.area_blocks = s->area.blocks;
        if (!s->head.next)
            s->head.next = 1;
        snapshot_head_seal(&s->head);
        memcpy(s->frame[0], &s->head, sizeof s->head);
        return snapshot_io(s, DISK_WRITE, (uint64_t)s->area.start * SNAPSHOT_SECTORS, 1, 0);
    case 1: return s->status ? snapshot_end(s, s->status) : snapshot_flush(s);
    default: return snapshot_end(s, s->status);
    }
}

/* So many of the batch from `first` on whose places follow one another. */
static unsigned run_of(const uint64_t *place, unsigned first, unsigned batch)
{
    unsigned n = 1;
    while (first + n < batch && place[first + n] == place[first] + (uint64_t)n * SNAPSHOT_SECTORS)
        n++;
    return n;
}

enum snapshot_next snapshot_move(struct snapshot_set *s, unsigned *phase)
{
    enum { BEGIN, READS, WRITES };
    if (*phase == BEGIN)
        s->moved = 0, *phase = READS;
    else if (s->status)
        return snapshot_end(s, s->status);
    if (*phase == READS && s->moved == s->batch)
        s->moved = 0, *phase = WRITES;
    if (s->moved == s->batch)
        return snapshot_end(s, 0);
    const uint64_t *place = *phase == READS ? s->from : s->to;
    unsigned first = s->moved, n = run_of(place, first, s->batch);
    s->moved += n;
    return snapshot_io(s, *phase == READS ? DISK_READ : DISK_WRITE, place[first], n * SNAPSHOT_SECTORS, first);
}

/* ---- the map's sectors ------------------------------------------------------------------------------------------- */

static void build_sector(const struct snapshot_set *s, uint32_t index, struct snapshot_map_sector *m)
{
    uint32_t first = index * SNAPSHOT_COPIES;
    memset(m, 0, sizeof *m);
    m->index = index;
    m->stamp = s->head.stamp;
    for (uint32_t i = 0; i < SNAPSHOT_COPIES && first + i < s->map.slots; i++) {
        const struct snapshot_entry *e = snapshot_map_entry(&s->map, first + i);
        m->copy[i] = (struct snapshot_copy){e->block, e->keeper};
        if (!e->keeper)
            m->copy[i].block = 0;
    }
    snapshot_map_seal(m);
}

enum snapshot_next snapshot_put_map(struct snapshot_set *s, unsigned *phase)
{
    if ((*phase)++ == 0)
        s->moved = 0;
    else if (s->status)
        return snapshot_end(s, s->status);
    while (s->moved && s->moved < s->batch &&
           s->slot[s->moved] / SNAPSHOT_COPIES == s->slot[s->moved - 1] / SNAPSHOT_COPIES)
        s->moved++;
    if (s->moved == s->batch)
        return snapshot_end(s, 0);
    uint32_t index = s->slot[s->moved++] / SNAPSHOT_COPIES;
    build_sector(s, index, s->frame[0]);
    return snapshot_io(s, DISK_WRITE, snapshot_map_sector(s, index), 1, 0);
}

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

static void take_slots(struct snapshot_set *s)
{
    for (unsigned i = 0; i < s->batch; i++) {
        s->slot[i] = snapshot_map_take(&s->map, s->block[i]);
        if (s->slot[i] == SNAPSHOT_NOWHERE) {
            s->batch = i; /* the others come with the next batch */
            break;
        }
        s->from[i] = snapshot_live_sector(s, s->block[i]);
        s->to[i] = snapshot_slot_sector(s, s->slot[i]);
    }
}

static void tell_map(struct snapshot_set *s)
{
    for (unsigned i = 0; i < s->batch; i++)
        snapshot_map_add(&s->map, s->slot[i], s->block[i], snapshot_youngest(s));
}

static enum snapshot_next give_slots_back(struct snapshot_set *s, int status)
{
    for (unsigned i = 0; i < s->batch; i++)
        snapshot_map_untake(&s->map, s->slot[i]);
    return snapshot_end(s, status);
}

/* What a slot has is on the medium before the map tells of it, and the map before the block is written over. */
enum snapshot_next snapshot_keep(struct snapshot_set *s, unsigned *phase)
{
    switch ((*phase)++) {
    case 0:
        take_slots(s);
        return s->batch ? snapshot_call(s, snapshot_move) : snapshot_end(s, -ENOSPC);
    case 1: return s->status ? give_slots_back(s, s->status) : snapshot_flush(s);
    case 2:
        if (s->status)
            return give_slots_back(s, s->status);
        tell_map(s);
        return snapshot_call(s, snapshot_put_map);
    case 3: return s->status ? snapshot_end(s, s->status) : snapshot_flush(s);
    default: return snapshot_end(s, s->status);
    }
}

/* ---- giving up --------------------------------------------------------------------------------------------------- */

enum snapshot_next snapshot_fall(struct snapshot_set *s, unsigned *phase)
{
    if ((*phase)++ == 0)
        s->at = 0;
    for (unsigned n = 0; n < 64 && s->at < s->map.slots; n++, s->at++) {
        if (s->sweep)
            snapshot_map_fall(&s->map, s->at, s->sweep, s->sweep_to);
        else if (snapshot_map_entry(&s->map, s->at)->keeper)
            snapshot_map_remove(&s->map, s->at);
    }
    return s->at < s->map.slots ? NEXT_AGAIN : snapshot_end(s, 0);
}

static void lose(struct snapshot_set *s, bool failed)
{
    const struct snapshot *first = &s->head.snapshot[0];
    s->head.losses += failed ? s->head.count : 1;
    s->head.lost = *first;
    s->head.count = failed ? 0 : s->head.count - 1;
    memmove(s->head.snapshot, first + 1, s->head.count * sizeof *first);
    memset(s->head.snapshot + s->head.count, 0, (SNAPSHOTS - s->head.count) * sizeof *first);
}

enum snapshot_next snapshot_give_up(struct snapshot_set *s, unsigned *phase)
{
    switch ((*phase)++) {
    case 0:
        if (!s->head.count)
            return snapshot_end(s, -ENOSPC);
        if (s->draft) {
            s->sweep = s->draft, s->sweep_to = 0;
            s->draft = s->draft_of = 0;
            *phase = 2;
            return snapshot_call(s, snapshot_fall);
        }
        s->before = s->head;
        lose(s, false);
        return snapshot_call(s, snapshot_put_head);
    case 1:
        if (s->status) { /* the medium may have either: the one with more snapshots is kept to */
            s->head = s->before;
            return snapshot_end(s, s->status);
        }
        if (snapshot_lost)
            snapshot_lost(s->owner, s->vdev, &s->head.lost, false);
        s->sweep = s->head.lost.number, s->sweep_to = 0;
        return snapshot_call(s, snapshot_fall);
    default: return snapshot_end(s, 0);
    }
}

/* A head that may be another's, or made up, is left alone where there is none of ours: with its stamp gone the map is
 * nobody's, whatever is on the area. */
enum snapshot_next snapshot_disown(struct snapshot_set *s, unsigned *phase)
{
    bool any = s->head.count;
    switch ((*phase)++) {
    case 0:
        s->before = s->head;
        if (any)
            lose(s, true);
        s->head.restore = s->head.draft = 0;
        return snapshot_call(s, snapshot_put_head);
    case 1:
        if (s->status) {
            s->head = s->before;
            return snapshot_end(s, s->status);
        }
        if (snapshot_lost && s->before.count)
            snapshot_lost(s->owner, s->vdev, &s->head.lost, true);
        s->draft = s->draft_of = 0;
        return snapshot_call(s, snapshot_fresh);
    default:
        s->state = s->status ? SET_DAMAGED : SET_READY;
        return snapshot_end(s, 0);
    }
}

enum snapshot_next snapshot_fresh(struct snapshot_set *s, unsigned *phase)
{
    enum { BEGIN, CLEAR, LINK };
    if (*phase == BEGIN)
        s->at = 0, *phase = CLEAR;
    if (*phase == LINK)
        return snapshot_map_link_free(&s->map, &s->at) ? NEXT_AGAIN : snapshot_end(s, 0);
    s->mapped = true;
    int more = snapshot_map_clear(&s->map, &s->at);
    if (more < 0)
        return snapshot_end(s, more);
    if (!more)
        s->at = 0, *phase = LINK;
    return NEXT_AGAIN;
}

/* ---- a write that has to wait for copies ------------------------------------------------------------------------- */

static void gather(struct snapshot_set *s)
{
    const struct disk_request *r = s->first;
    uint32_t last = (uint32_t)((r->sector + r->sectors - 1) / SNAPSHOT_SECTORS);
    s->batch = 0;
    for (uint32_t b = (uint32_t)(r->sector / SNAPSHOT_SECTORS); b <= last && s->batch < SNAPSHOT_BATCH; b++)
        if (snapshot_unkept(s, b))
            s->block[s->batch++] = b;
}

/* It ends when the request has no block any more that has to be copied, so that it passes; or has been told that it
 * failed. */
enum snapshot_next snapshot_serve_write(struct snapshot_set *s, unsigned *phase)
{
    enum { LOOK, KEPT, GIVEN_UP, DISOWNED };
    if (s->state == SET_STUCK) {
        snapshot_finish(s, -EIO);
        return snapshot_end(s, 0);
    }
    switch (*phase) {
    case LOOK:
        if (s->state == SET_DAMAGED)
            break;
        gather(s);
        if (!s->batch)
            return snapshot_end(s, 0);
        *phase = s->map.unused ? KEPT : GIVEN_UP;
        return snapshot_call(s, s->map.unused ? snapshot_keep : snapshot_give_up);
    case KEPT:
        if (s->status == -ENOSPC) { /* no storage for the map, which giving up gives back */
            *phase = GIVEN_UP;
            return snapshot_call(s, snapshot_give_up);
        }
        if (s->status)
            break;
        *phase = LOOK;
        return NEXT_AGAIN;
    case GIVEN_UP:
        if (s->status)
            break;
        *phase = LOOK;
        return NEXT_AGAIN;
    default:
        if (s->status)
            snapshot_finish(s, -EIO); /* written over it would be wrong at the next start, and nobody would know */
        return snapshot_end(s, 0);
    }
    *phase = DISOWNED;
    return snapshot_call(s, snapshot_disown);
}
