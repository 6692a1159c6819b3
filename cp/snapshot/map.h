/* Where a minidisk's blocks were kept: the map of its snapshot area, in storage. Slots are the area's places for
 * copies; each is free, or holds a block of the minidisk that a snapshot finds there. Pure, but that it takes frames
 * of CP's.
 *
 * Storage: 4 KiB for each 256 slots; as much for each 4 MiB of the minidisk that has a copy; two frames. */
#pragma once
#include <stddef.h>

#include "cp/snapshot/format.h"

struct snapshot_entry {
    uint32_t block;
    uint32_t keeper; /* 0: free */
    uint32_t serves; /* the oldest snapshot that finds it: what the keeper is on the disk, as far as it is there */
    uint32_t next;   /* slot and 1: of the same block, or free too; 0: none */
};

enum {
    SNAPSHOT_ENTRIES_A_FRAME = 4096 / sizeof(struct snapshot_entry),
    SNAPSHOT_HEADS_A_FRAME = 4096 / sizeof(uint32_t),
    SNAPSHOT_FRAMES = 4096 / sizeof(void *),
};
_Static_assert((int)SNAPSHOT_AREA_MOST <= SNAPSHOT_FRAMES * SNAPSHOT_ENTRIES_A_FRAME &&
                   (int)SNAPSHOT_DISK_MOST <= SNAPSHOT_FRAMES * SNAPSHOT_HEADS_A_FRAME,
               "a frame names all others");

struct snapshot_map {
    uint32_t slots, unused;
    uint32_t free; /* slot and 1 */
    struct snapshot_entry **entries;
    uint32_t **heads; /* slot and 1 of a block's first; frames that are wanted */
};

enum { SNAPSHOT_NOWHERE = UINT32_MAX };

/* Without copies, a frame at a time: called until it is not 1. 0, or -ENOMEM. `at` is 0 the first time. */
int snapshot_map_clear(struct snapshot_map *, uint32_t *at);
/* What clearing or reading left free becomes so; likewise, until it is 0. */
int snapshot_map_link_free(struct snapshot_map *, uint32_t *at);
/* Gives its storage back; likewise. */
int snapshot_map_drop(struct snapshot_map *, uint32_t *at);

struct snapshot_entry *snapshot_map_entry(const struct snapshot_map *, uint32_t slot);
/* A copy that was read. It is left out if no snapshot of the head would find it, nor the draft that it restores.
 * -ENOMEM, or 0. @pre the slot is free, block and keeper are good */
int snapshot_map_read(struct snapshot_map *, const struct snapshot_head *, uint32_t slot, struct snapshot_copy);
/* A slot for a copy; NOWHERE: all are taken, or there is no storage. It is free until snapshot_map_add, which cannot
 * fail. */
uint32_t snapshot_map_take(struct snapshot_map *, uint32_t block);
void snapshot_map_untake(struct snapshot_map *, uint32_t slot);
void snapshot_map_add(struct snapshot_map *, uint32_t slot, uint32_t block, uint32_t keeper);
/* Free again. */
void snapshot_map_remove(struct snapshot_map *, uint32_t slot);

/* Where the block is as snapshot `number` knows it, or the draft on top of it (0: none); NOWHERE: on the minidisk. */
uint32_t snapshot_map_find(const struct snapshot_map *, uint32_t block, uint32_t number, uint32_t draft);
/* Whether exactly this one serves it. */
bool snapshot_map_has(const struct snapshot_map *, uint32_t block, uint32_t serves);

/* The slot's copy when snapshot `number` is gone: the one before it, `older`, finds it, or it is free. 0: there is
 * none before. */
void snapshot_map_fall(struct snapshot_map *, uint32_t slot, uint32_t number, uint32_t older);
