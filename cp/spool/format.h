/* What the spool area of the volume holds.
 *
 *   blocks 0..63   the table: two sectors for each of 256 files, written in turn, the newer good one counts. So what is
 *                  known of a file is never overwritten by what shall be known of it.
 *   from block 64  records: blocks that say whose they are, which one, and what they must add up to
 *
 * Blocks are 4 KiB, numbers little-endian. Whatever is on the disk may be damaged or made up: it costs the file that it
 * is part of, and nothing else. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SPOOL_BLOCK = 4096,
    SPOOL_SECTOR = 512,
    SPOOL_FILES = 256,
    SPOOL_FIRST_DATA = SPOOL_FILES * 2 * SPOOL_SECTOR / SPOOL_BLOCK,
    SPOOL_DATA_MAX = 8192,  /* blocks that are used of an area, however large */
    SPOOL_PIECES = 64,      /* runs of blocks that a file may consist of */
    SPOOL_RECORD_MAX = 4000,
    SPOOL_ID_MAX = 9999,
    SPOOL_COPIES_MAX = 255,
    SPOOL_TAG = 136,
};

/* As whose files are known that came from the host CP's machine runs on. It is no user ID: nobody else can be it. */
#define SPOOL_HOST "*HOST"

enum spool_queue { SPOOL_RDR, SPOOL_PRT, SPOOL_PUN, SPOOL_QUEUES };
enum spool_state { SPOOL_GONE, SPOOL_KEPT }; /* GONE: of no file any more, but of whose it was and its spoolid */

struct spool_piece {
    uint16_t start, blocks; /* start counts from SPOOL_FIRST_DATA */
};

struct spool_file {
    char magic[8];
    uint64_t sequence; /* of the two sectors the higher one is the newer */
    uint64_t id;       /* no other file ever has it */
    int64_t order;     /* in its owner's queue: the lowest comes first */
    uint64_t created;  /* Unix seconds */
    uint32_t records;
    uint16_t blocks, pieces;
    uint16_t spoolid;
    uint8_t state;
    uint8_t queue;  /* where it is */
    uint8_t device; /* which made it; a queue too */
    char class;
    uint8_t hold, keep;
    uint8_t copies;
    uint8_t reserved[3];
    uint32_t given; /* counts the spoolids that were given, to whomever: of two the later has more (mod 2^32) */
    char owner[9], origin[9]; /* who has it, who made it */
    char name[9], type[9], dist[9];
    char tag[SPOOL_TAG + 1];
    uint8_t reserved2[2];
    struct spool_piece piece[SPOOL_PIECES];
    uint32_t crc; /* of the bytes before */
};
_Static_assert(sizeof(struct spool_file) == SPOOL_SECTOR, "on disk");

/* A block of records, each a struct spool_length and so many bytes; no record crosses into another block. */
struct spool_block {
    uint32_t magic;
    uint32_t crc; /* of the bytes behind it, to the end of the block */
    uint64_t id;  /* of its file */
    uint32_t index;
    uint16_t records, bytes;
    uint64_t reserved;
};
enum { SPOOL_PAYLOAD = SPOOL_BLOCK - (int)sizeof(struct spool_block), SPOOL_LENGTH = 2 };

/* Makes a sector or a block fit to be written: magic and checksum. */
void spool_file_seal(struct spool_file *);
void spool_block_seal(void *block, uint64_t id, uint32_t index, unsigned records, unsigned bytes);

/* Is it what it says, and can it be true in an area of so many blocks of data? */
bool spool_file_good(const struct spool_file *, uint32_t data_blocks);
bool spool_block_good(const void *block, uint64_t id, uint32_t index);

/* Length of the record at `at`, of which `bytes` are there; -1: no whole record of a length that may be is there. */
int spool_record_length(const void *at, size_t bytes);

/* Block number `index` of the file, counted from SPOOL_FIRST_DATA. @pre index < blocks of a good file */
uint32_t spool_file_block(const struct spool_file *, uint32_t index);
