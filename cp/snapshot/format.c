/* In: sectors, of which nothing is believed. Out: whether they can be what they say. */
#include "cp/snapshot/format.h"

#include <stddef.h>
#include <string.h>

#include "lib/crc32.h"
#include "lib/userid.h"

static const char head_magic[8] = {'V', 'M', 'N', 'S', 'N', 'A', 'P', '1'}, map_magic[4] = {'S', 'M', 'A', 'P'};

uint32_t snapshot_map_blocks(uint32_t area_blocks)
{
    return (area_blocks - 1 + SNAPSHOT_COPIES_A_BLOCK) / (SNAPSHOT_COPIES_A_BLOCK + 1);
}

uint32_t snapshot_slots(uint32_t area_blocks) { return area_blocks - 1 - snapshot_map_blocks(area_blocks); }

void snapshot_head_seal(struct snapshot_head *h)
{
    memcpy(h->magic, head_magic, sizeof h->magic);
    h->crc = crc32_of(h, offsetof(struct snapshot_head, crc));
}

void snapshot_map_seal(struct snapshot_map_sector *m)
{
    memcpy(m->magic, map_magic, sizeof m->magic);
    m->crc = crc32_of(m, offsetof(struct snapshot_map_sector, crc));
}

static bool name_good(const char name[SNAPSHOT_NAME])
{
    size_t length = strnlen(name, SNAPSHOT_NAME);
    for (size_t i = length; i < SNAPSHOT_NAME; i++)
        if (name[i])
            return false;
    return !length || userid_is(name, length);
}

static bool snapshots_good(const struct snapshot_head *h)
{
    uint32_t before = 0;
    if (h->count > SNAPSHOTS || !h->next || h->next >= SNAPSHOT_DRAFT)
        return false;
    for (const struct snapshot *s = h->snapshot; s < h->snapshot + h->count; before = s++->number)
        if (s->number <= before || s->number >= h->next || !name_good(s->name))
            return false;
    return name_good(h->lost.name);
}

static bool restore_good(const struct snapshot_head *h)
{
    if (h->draft && (!h->restore || h->draft <= SNAPSHOT_DRAFT || h->draft - SNAPSHOT_DRAFT >= h->next))
        return false;
    for (const struct snapshot *s = h->snapshot; s < h->snapshot + h->count; s++)
        if (s->number == h->restore)
            return true;
    return !h->restore;
}

enum snapshot_head_is snapshot_head_judge(const struct snapshot_head *h, uint32_t disk_start, uint32_t disk_blocks,
                                          uint32_t area_blocks)
{
    if (memcmp(h->magic, head_magic, sizeof h->magic))
        return SNAPSHOT_HEAD_NONE;
    if (h->crc != crc32_of(h, offsetof(struct snapshot_head, crc)) || !snapshots_good(h) || !restore_good(h))
        return SNAPSHOT_HEAD_DAMAGED;
    return h->disk_start == disk_start && h->disk_blocks == disk_blocks && h->area_blocks == area_blocks
               ? SNAPSHOT_HEAD_GOOD
               : SNAPSHOT_HEAD_ANOTHERS;
}

static bool copy_good(const struct snapshot_copy *c, const struct snapshot_head *h)
{
    uint32_t number = c->keeper & ~SNAPSHOT_DRAFT;
    return !c->keeper || (c->block < h->disk_blocks && number && number < h->next);
}

bool snapshot_map_good(const struct snapshot_map_sector *m, const struct snapshot_head *h, uint32_t index)
{
    if (memcmp(m->magic, map_magic, sizeof m->magic) || m->index != index || m->stamp != h->stamp ||
        m->crc != crc32_of(m, offsetof(struct snapshot_map_sector, crc)))
        return false;
    for (const struct snapshot_copy *c = m->copy; c < m->copy + SNAPSHOT_COPIES; c++)
        if (!copy_good(c, h))
            return false;
    return true;
}
