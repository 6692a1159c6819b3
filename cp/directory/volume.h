/* The CP volume: what is on CP's disk apart from the minidisks.
 *
 *   block 0            struct volume_label
 *   blocks 1..16       directory slot A: struct volume_slot, then the directory's blob
 *   blocks 17..32      directory slot B
 *   from block 33      minidisks, and the areas of CP itself, as the directory says: its spool, its audit log
 *
 * Blocks are 4 KiB, numbers little-endian. A new directory goes into the slot that is not the newest, so a cut while it
 * is written leaves the other one. Whatever is on the disk may be damaged: that is a text and a fall-back, nothing
 * worse. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOLUME_BLOCK = 4096,
    VOLUME_SLOT_BLOCKS = 16,
    VOLUME_SLOT_A = 1,
    VOLUME_SLOT_B = VOLUME_SLOT_A + VOLUME_SLOT_BLOCKS,
    VOLUME_FIRST_MINIDISK = VOLUME_SLOT_B + VOLUME_SLOT_BLOCKS,
    VOLUME_HEAD_BYTES = VOLUME_FIRST_MINIDISK * VOLUME_BLOCK, /* all CP itself reads */
    VOLUME_VERSION = 1,
};

#define VOLUME_LABEL_MAGIC "VMNVOLUM"
#define VOLUME_SLOT_MAGIC  "VMNDIREC"

struct volume_label {
    char magic[8];
    uint32_t version;
    char volid[8];   /* blank-padded */
    uint32_t blocks; /* of the whole volume */
    uint32_t reserved;
    uint32_t crc; /* of the bytes before */
};

struct volume_slot {
    char magic[8];
    uint64_t sequence; /* the higher one is the newer */
    uint32_t bytes;    /* of the blob that follows this struct */
    uint32_t blob_crc;
    uint32_t reserved[3];
    uint32_t crc; /* of the bytes before */
};
_Static_assert(sizeof(struct volume_label) == 32 && sizeof(struct volume_slot) == 40, "on disk");
enum { VOLUME_DIRECTORY_MAX = VOLUME_SLOT_BLOCKS * VOLUME_BLOCK - (int)sizeof(struct volume_slot) };

struct volume_facts {
    char volid[9];
    uint32_t blocks;
    /* the good slots, newest first: blob and slot letter; NULL: no more */
    const void *blob[2];
    uint32_t bytes[2];
    uint64_t sequence[2];
    char slot[2];
    const char *slot_fault[2]; /* of A and B: why it is not good, NULL: it is */
};

/* Judges the volume's first VOLUME_HEAD_BYTES, read from a disk of `disk_blocks` blocks. NULL, or why it is no CP
 * volume (then facts says nothing). @pre head is 8-byte aligned */
const char *volume_examine(const void *head, uint64_t disk_blocks, struct volume_facts *facts);

/* For who lays a volume: fills in block 0, or a slot (blob included, the rest of the slot zeroed). */
void volume_label_make(void *block, const char *volid, uint32_t blocks);
void volume_slot_make(void *slot, const void *blob, uint32_t bytes, uint64_t sequence);
/* The slot's head alone, before a blob that is there. */
void volume_slot_seal(struct volume_slot *, uint32_t bytes, uint32_t blob_crc, uint64_t sequence);
