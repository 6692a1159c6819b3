/* What the area of saved systems on the volume holds (areas/nss of the directory).
 *
 *   blocks 0..3    the table: two sectors for each of 16 systems, written in turn, the newer good one counts
 *   from block 4   each system in a row of blocks: its CPU, the numbers and checksums of its pages, the pages
 *
 * A system is written where nothing is, then flushed, then told of in the table: of one that replaces another of its
 * name either the old or the new is there, whenever power goes, and of both the newer counts. Blocks are 4 KiB, numbers
 * little-endian. Whatever is on the disk may be damaged or made up: it costs the system that it is part of, and nothing
 * else. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/vcpu/cpu_state.h"

enum {
    NSS_BLOCK = 4096,
    NSS_SECTOR = 512,
    NSS_SYSTEMS = 16,
    NSS_FIRST_DATA = NSS_SYSTEMS * 2 * NSS_SECTOR / NSS_BLOCK,
    NSS_RANGES = 8,
    NSS_INDEX = 510,               /* pages that a block of numbers tells of */
    NSS_PAGE_MAX = 0xC0000,        /* pages from here on there are none: the hole below 4 GiB */
    NSS_DATA_MAX = 1 << 20,        /* blocks that are used of an area, however large */
};

struct nss_range {
    uint32_t first, last; /* pages */
    uint32_t saved;       /* 1: EW; 0: EN, whose pages are all zeros for who IPLs it */
};

struct nss_definition {
    char name[9];
    uint8_t restricted; /* only for users whose directory entry names it */
    uint8_t parm;       /* registers say where its information is: else all are as they were */
    uint8_t ranges;
    uint32_t min_pages; /* of the storage of a machine that IPLs it */
    struct nss_range range[NSS_RANGES];
};

struct nss_sector {
    char magic[8];
    uint64_t sequence; /* of the two sectors the higher one is the newer */
    uint64_t serial;   /* of the system: no other ever has it, the higher one is the newer */
    uint64_t saved_us; /* when, in Unix microseconds */
    uint32_t kept;     /* 0: the sector stands for no system any more */
    uint32_t start;    /* counted from NSS_FIRST_DATA */
    uint32_t pages;
    char by[9];        /* who saved it */
    uint8_t reserved[3];
    struct nss_definition definition;
    uint8_t rest[NSS_SECTOR - 56 - 4 - sizeof(struct nss_definition)];
    uint32_t crc;      /* of the bytes before */
};
_Static_assert(sizeof(struct nss_sector) == NSS_SECTOR, "on disk");

struct nss_head {
    uint32_t crc; /* of the bytes behind it, to the end of the block */
    uint32_t magic;
    uint64_t serial;
    struct cpu_state cpu;
    uint8_t rest[NSS_BLOCK - 16 - sizeof(struct cpu_state)];
};
_Static_assert(sizeof(struct nss_head) == NSS_BLOCK, "on disk");

struct nss_index {
    uint32_t crc; /* likewise */
    uint32_t count;
    uint64_t serial;
    struct nss_entry {
        uint32_t page, crc;
    } entry[NSS_INDEX]; /* in ascending order, from block to block */
};
_Static_assert(sizeof(struct nss_index) == NSS_BLOCK, "on disk");

static inline uint32_t nss_index_blocks(uint32_t pages) { return (pages + NSS_INDEX - 1) / NSS_INDEX; }
static inline uint32_t nss_blocks(uint32_t pages) { return 1 + nss_index_blocks(pages) + pages; }

void nss_sector_seal(struct nss_sector *); /* magic and checksum */
void nss_head_seal(struct nss_head *, uint64_t serial);
void nss_index_seal(struct nss_index *, uint64_t serial);

/* Is it what it says, and can it be true in an area of so many blocks of data? */
bool nss_sector_good(const struct nss_sector *, uint32_t data_blocks);
bool nss_head_good(const struct nss_head *, uint64_t serial);
/* Its entries lie in ranges whose pages are saved, above page `*last`, which becomes the last of them (-1: none). */
bool nss_index_good(const struct nss_index *, const struct nss_sector *, int64_t *last);

/* NULL, or why there cannot be such a system. */
const char *nss_definition_wrong(const struct nss_definition *);
uint32_t nss_end(const struct nss_definition *); /* the page above its highest range */
bool nss_saves(const struct nss_definition *, uint32_t page);
