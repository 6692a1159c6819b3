/* Reading an area. In: its sectors. Out: a set that is ready, or knows why it is not. */
#include <errno.h>
#include <string.h>

#include "cp/snapshot/set.h"

static enum snapshot_next damaged(struct snapshot_set *s, const char *why)
{
    s->state = s->head.restore ? SET_STUCK : SET_DAMAGED;
    s->why = why;
    return snapshot_end(s, 0);
}

enum { HEAD, JUDGE, CLEAR, READ, TAKE, LINK, RESTORE, RESTORED };

/* Where there is no snapshot nobody asks the map before an order does. */
static void judge_head(struct snapshot_set *s, unsigned *phase)
{
    const struct snapshot_head *h = s->frame[0];
    static const char *const why[] = {
        [SNAPSHOT_HEAD_DAMAGED] = "its head is damaged", [SNAPSHOT_HEAD_ANOTHERS] = "it is of another minidisk"};
    enum snapshot_head_is is = snapshot_head_judge(h, s->disk.start, s->disk.blocks, s->area.blocks);
    memset(&s->head, 0, sizeof s->head);
    if (s->status) {
        damaged(s, "its head cannot be read");
    } else if (is == SNAPSHOT_HEAD_GOOD || is == SNAPSHOT_HEAD_NONE) {
        if (is == SNAPSHOT_HEAD_GOOD)
            s->head = *h;
        *phase = s->head.count || s->head.restore ? CLEAR : RESTORE;
        return;
    } else {
        damaged(s, why[is]);
    }
    *phase = 0;
}

/* A sector of the map that was read; false: it is not good, or there is no storage. */
static bool take_sector(struct snapshot_set *s, uint32_t index)
{
    const struct snapshot_map_sector *m =
        (const void *)((const uint8_t *)s->frame[0] + (size_t)(index % SNAPSHOT_SECTORS) * SNAPSHOT_SECTOR);
    uint32_t first = index * SNAPSHOT_COPIES;
    if (!snapshot_map_good(m, &s->head, index))
        return false;
    for (uint32_t i = 0; i < SNAPSHOT_COPIES && first + i < s->map.slots; i++)
        if (m->copy[i].keeper && snapshot_map_read(&s->map, &s->head, first + i, m->copy[i]))
            return false;
    return true;
}

/* The next block of the map, or what comes behind the last. */
static enum snapshot_next read_map(struct snapshot_set *s, unsigned *phase)
{
    if (!s->head.count || s->at * SNAPSHOT_COPIES >= s->map.slots) {
        s->at = 0;
        *phase = LINK;
        return NEXT_AGAIN;
    }
    *phase = TAKE;
    return snapshot_io(s, DISK_READ, snapshot_map_sector(s, s->at), SNAPSHOT_SECTORS, 0);
}

static enum snapshot_next take_map(struct snapshot_set *s, unsigned *phase)
{
    if (s->status)
        return damaged(s, "its map cannot be read");
    if (!take_sector(s, s->at))
        return damaged(s, "its map is damaged");
    if (++s->at % SNAPSHOT_SECTORS == 0 || s->at * SNAPSHOT_COPIES >= s->map.slots)
        *phase = READ;
    return NEXT_AGAIN;
}

static enum snapshot_next ready(struct snapshot_set *s)
{
    s->state = SET_READY;
    s->draft = s->draft_of = 0;
    return snapshot_end(s, 0);
}

static enum snapshot_next stuck(struct snapshot_set *s)
{
    s->state = SET_STUCK;
    s->why = "the minidisk could not be made what it was";
    return snapshot_end(s, 0);
}

enum snapshot_next snapshot_load(struct snapshot_set *s, unsigned *phase)
{
    switch (*phase) {
    case HEAD:
        *phase = JUDGE;
        return snapshot_io(s, DISK_READ, (uint64_t)s->area.start * SNAPSHOT_SECTORS, 1, 0);
    case JUDGE:
        judge_head(s, phase);
        return *phase ? NEXT_AGAIN : NEXT_DONE;
    case CLEAR:
        s->mapped = true;
        switch (snapshot_map_clear(&s->map, &s->at)) {
        case 1: return NEXT_AGAIN;
        case 0: s->at = 0, *phase = READ; return NEXT_AGAIN;
        default: return damaged(s, "CP has no storage for its map");
        }
    case READ: return read_map(s, phase);
    case TAKE: return take_map(s, phase);
    case LINK:
        if (snapshot_map_link_free(&s->map, &s->at))
            return NEXT_AGAIN;
        *phase = RESTORE;
        return NEXT_AGAIN;
    case RESTORE:
        if (!s->head.restore)
            return ready(s);
        *phase = RESTORED;
        return snapshot_call(s, snapshot_restore);
    default: return s->status ? stuck(s) : ready(s);
    }
}

enum snapshot_next snapshot_load_map(struct snapshot_set *s, unsigned *phase)
{
    if (*phase == HEAD)
        *phase = CLEAR;
    return snapshot_load(s, phase);
}
