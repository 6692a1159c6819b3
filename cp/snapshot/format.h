/* What a minidisk's snapshot area holds.
 *
 *   block 0        its first sector is the head: which snapshots there are, and what is being done
 *   then           the map: of each block behind it whose contents it has, 60 to a sector
 *   then           old contents of the minidisk's blocks
 *
 * Blocks are 4 KiB, numbers little-endian. Head and map are written a sector at a time, which is there or not.
 * Snapshots have ascending numbers, none of which comes again. A block is kept on behalf of the youngest snapshot
 * there is when it changes, its keeper: what block b was at snapshot s is the copy with the lowest keeper from s on,
 * or if there is none what the minidisk has. So a snapshot is deleted by taking it out of the head; a copy that no
 * snapshot finds any more is free, whatever the map says. Whatever is on the disk may be damaged or made up. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
    SNAPSHOT_BLOCK = 4096,
    SNAPSHOT_SECTOR = 512,
    SNAPSHOT_SECTORS = SNAPSHOT_BLOCK / SNAPSHOT_SECTOR,
    SNAPSHOTS = 16, /* of a minidisk, at a time */
    SNAPSHOT_NAME = 8,
    SNAPSHOT_COPIES = 60,                                         /* in a sector of the map */
    SNAPSHOT_COPIES_A_BLOCK = SNAPSHOT_COPIES * SNAPSHOT_SECTORS,
    SNAPSHOT_AREA_LEAST = 3,      /* blocks: the head, the map, a copy */
    SNAPSHOT_AREA_MOST = 1 << 17, /* of an area, 512 MiB */
    SNAPSHOT_DISK_MOST = 1 << 19, /* of a minidisk that has one, 2 GiB */
};
#define SNAPSHOT_DRAFT (1u << 31) /* of a keeper: the copy is a draft's, which is no snapshot */

struct snapshot {
    uint32_t number; /* from 1 */
    uint32_t reserved;
    uint64_t taken; /* Unix seconds */
    char name[SNAPSHOT_NAME]; /* filled with zeros; it may have none */
};

struct snapshot_head {
    char magic[8];
    uint64_t stamp; /* the map's sectors have the same, or are of an earlier use */
    uint32_t disk_start, disk_blocks, area_blocks; /* whose it is */
    uint32_t next; /* number */
    uint32_t count;
    /* The minidisk is being made what it was at this snapshot, 0: it is not; and with the copies of this draft. */
    uint32_t restore, draft;
    uint32_t losses; /* snapshots that were given up, ever */
    struct snapshot snapshot[SNAPSHOTS]; /* `count` of them, the oldest first */
    struct snapshot lost; /* the last of these */
    uint8_t reserved[52];
    uint32_t crc; /* of the bytes before */
};
_Static_assert(sizeof(struct snapshot_head) == SNAPSHOT_SECTOR, "on disk");

struct snapshot_copy {
    uint32_t block;  /* of the minidisk */
    uint32_t keeper; /* number of a snapshot, or SNAPSHOT_DRAFT and a number; 0: free */
};

struct snapshot_map_sector {
    char magic[4];
    uint32_t index;
    uint64_t stamp;
    struct snapshot_copy copy[SNAPSHOT_COPIES];
    uint8_t reserved[12];
    uint32_t crc;
};
_Static_assert(sizeof(struct snapshot_map_sector) == SNAPSHOT_SECTOR, "on disk");

/* How many blocks of an area are the map's, and how many copies it has room for. */
uint32_t snapshot_map_blocks(uint32_t area_blocks);
uint32_t snapshot_slots(uint32_t area_blocks);

/* Makes a sector fit to be written: magic and checksum. */
void snapshot_head_seal(struct snapshot_head *);
void snapshot_map_seal(struct snapshot_map_sector *);

enum snapshot_head_is { SNAPSHOT_HEAD_GOOD, SNAPSHOT_HEAD_NONE, SNAPSHOT_HEAD_DAMAGED, SNAPSHOT_HEAD_ANOTHERS };
/* Is it the head of this area of this minidisk, and can it be true? NONE: it is no head at all. */
enum snapshot_head_is snapshot_head_judge(const struct snapshot_head *, uint32_t disk_start, uint32_t disk_blocks,
                                          uint32_t area_blocks);
/* Likewise a sector of the map that belongs to this head. */
bool snapshot_map_good(const struct snapshot_map_sector *, const struct snapshot_head *, uint32_t index);
