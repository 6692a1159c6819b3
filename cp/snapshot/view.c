/* Snapshots as disks. In: the first request, which is of a view. Out: its blocks, from where they are. */
#include <errno.h>
#include <string.h>

#include "cp/snapshot/set.h"

/* The request's next bytes to or from the frame. */
static void carry(struct disk_request *r, uint8_t *frame, uint32_t bytes)
{
    while (bytes) {
        struct disk_segment *g = &r->segment[r->at_segment];
        uint32_t some = g->bytes - r->at_byte < bytes ? g->bytes - r->at_byte : bytes;
        uint8_t *at = (uint8_t *)g->data + r->at_byte;
        memcpy(r->op == DISK_READ ? at : frame, r->op == DISK_READ ? frame : at, some);
        frame += some, bytes -= some, r->at_byte += some;
        if (r->at_byte == g->bytes)
            r->at_segment++, r->at_byte = 0;
    }
}

/* The snapshot that the view is of, and the draft if it is one; false: it is there no more. */
static bool resolve(const struct snapshot_set *s, uint32_t view, uint32_t *number, uint32_t *draft)
{
    *draft = view & SNAPSHOT_DRAFT ? view : 0;
    *number = *draft ? s->draft_of : view;
    return s->state == SET_READY && snapshot_index(&s->head, *number) >= 0 && (!*draft || *draft == s->draft);
}

static uint64_t place(const struct snapshot_set *s, uint32_t block, uint32_t number, uint32_t draft)
{
    uint32_t slot = snapshot_map_find(&s->map, block, number, draft);
    return slot == SNAPSHOT_NOWHERE ? snapshot_live_sector(s, block) : snapshot_slot_sector(s, slot);
}

/* Its part in the block it has come to. */
static uint32_t part(const struct snapshot_set *s, uint32_t *skip)
{
    uint64_t at = s->first->sector + s->sector;
    uint32_t left = s->first->sectors - s->sector;
    *skip = at % SNAPSHOT_SECTORS;
    return left < SNAPSHOT_SECTORS - *skip ? left : SNAPSHOT_SECTORS - *skip;
}

static uint32_t block_at(const struct snapshot_set *s)
{
    return (uint32_t)((s->first->sector + s->sector) / SNAPSHOT_SECTORS);
}

/* As many blocks as stand one behind the other. */
static enum snapshot_next read_run(struct snapshot_set *s, uint32_t number, uint32_t draft)
{
    uint32_t first = block_at(s), last = (uint32_t)((s->first->sector + s->first->sectors - 1) / SNAPSHOT_SECTORS);
    uint64_t at = place(s, first, number, draft);
    s->batch = 1;
    while (s->batch < SNAPSHOT_BATCH && first + s->batch <= last &&
           place(s, first + s->batch, number, draft) == at + (uint64_t)s->batch * SNAPSHOT_SECTORS)
        s->batch++;
    return snapshot_io(s, DISK_READ, at, s->batch * SNAPSHOT_SECTORS, 0);
}

static void carry_run(struct snapshot_set *s)
{
    for (unsigned i = 0; i < s->batch; i++) {
        uint32_t skip, sectors = part(s, &skip);
        carry(s->first, (uint8_t *)s->frame[i] + (size_t)skip * SNAPSHOT_SECTOR, sectors * SNAPSHOT_SECTOR);
        s->sector += sectors;
    }
}

static enum snapshot_next end(struct snapshot_set *s, int status)
{
    snapshot_finish(s, status);
    return snapshot_end(s, 0);
}

static enum snapshot_next serve_read(struct snapshot_set *s, unsigned *phase, uint32_t number, uint32_t draft)
{
    if ((*phase)++) {
        if (s->status)
            return end(s, s->status);
        carry_run(s);
    }
    return s->sector == s->first->sectors ? end(s, 0) : read_run(s, number, draft);
}

/* The block with the request's part, into the draft's own place. */
static enum snapshot_next write_block(struct snapshot_set *s, uint32_t draft)
{
    uint32_t skip, sectors = part(s, &skip), block = block_at(s);
    uint32_t slot = snapshot_map_has(&s->map, block, draft) ? snapshot_map_find(&s->map, block, 0, draft)
                                                            : snapshot_map_take(&s->map, block);
    if (slot == SNAPSHOT_NOWHERE)
        return end(s, -EIO);
    if (!snapshot_map_entry(&s->map, slot)->keeper)
        snapshot_map_add(&s->map, slot, block, draft);
    carry(s->first, (uint8_t *)s->frame[0] + (size_t)skip * SNAPSHOT_SECTOR, sectors * SNAPSHOT_SECTOR);
    s->sector += sectors;
    return snapshot_io(s, DISK_WRITE, snapshot_slot_sector(s, slot), SNAPSHOT_SECTORS, 0);
}

static enum snapshot_next serve_draft(struct snapshot_set *s, unsigned *phase, uint32_t number, uint32_t draft)
{
    enum { BEGIN, HAS_READ, WRITTEN };
    uint32_t skip;
    if (*phase != BEGIN && s->status)
        return end(s, s->status);
    if (*phase == HAS_READ) {
        *phase = WRITTEN;
        return write_block(s, draft);
    }
    if (s->sector == s->first->sectors)
        return end(s, 0);
    *phase = HAS_READ;
    return part(s, &skip) == SNAPSHOT_SECTORS
               ? NEXT_AGAIN
               : snapshot_io(s, DISK_READ, place(s, block_at(s), number, draft), SNAPSHOT_SECTORS, 0);
}

enum snapshot_next snapshot_serve_view(struct snapshot_set *s, unsigned *phase)
{
    struct disk_request *r = s->first;
    uint32_t number, draft;
    if (!*phase)
        r->at_segment = 0, r->at_byte = 0, s->status = 0;
    if (!resolve(s, (uint32_t)r->turn, &number, &draft))
        return end(s, -EIO);
    if (r->op == DISK_FLUSH)
        return end(s, 0);
    if (r->op == DISK_READ)
        return serve_read(s, phase, number, draft);
    return draft ? serve_draft(s, phase, number, draft) : end(s, -EROFS);
}
