/* What is where in an image, and what of it may be believed once judged. All numbers are little-endian. Pure.
 *
 *   1024        super block                  inode n       meta_block * 4096 + n * 32
 *   inode       32 bytes (compact) or 64, then extended attributes, then the file's end if that is inline
 *   directory   blocks, each of it entries of 12 bytes (inode 8, name's offset 2, type 1) and then the names */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EROFS_BLOCK = 4096,
    EROFS_SUPER_AT = 1024,
    EROFS_SUPER_BYTES = 128,
    EROFS_INODE_MAX = 64,
    EROFS_ENTRY = 12,
    EROFS_NAME_MAX = 255
};

struct erofs_super {
    uint64_t blocks; /* at most as many as the disk has */
    uint64_t meta_block, root;
    int64_t built_s;
    uint32_t built_ns;
};
bool erofs_is(const uint8_t *super); /* whether it says it is one */
/* NULL, or why the image cannot be read. `disk_blocks`: those that are there. */
const char *erofs_judge_super(const uint8_t *bytes, uint64_t disk_blocks, struct erofs_super *);

struct erofs_inode {
    uint32_t mode, links;
    uint64_t size;
    int64_t changed_s;
    uint32_t changed_ns;
    uint64_t first;     /* block of the file's first byte, where it has whole blocks */
    uint64_t whole;     /* blocks there; what is behind them is inline */
    uint64_t inline_at; /* byte of the image where the rest is, if `size` is more than the whole blocks */
};
/* Where inode `number` is in the image; 0: nowhere. */
uint64_t erofs_inode_at(const struct erofs_super *, uint64_t number);
/* NULL, or what is wrong with it. `bytes` are EROFS_INODE_MAX from `at` on. */
const char *erofs_judge_inode(const struct erofs_super *, uint64_t at, const uint8_t *bytes, struct erofs_inode *);

struct erofs_entry {
    uint64_t inode;
    const char *name; /* in the block, without NUL */
    size_t length;
    uint32_t type; /* ABI_S_IF...; 0: not told */
};
/* How many entries a directory's block has, of which `bytes` count; they are in the order of their names' bytes. -1: it
 * is damaged. */
int erofs_entries(const uint8_t *block, size_t bytes);
/* Entry `index` of such a block: 1; 0: it has no more; -1: it is damaged. */
int erofs_entry(const uint8_t *block, size_t bytes, unsigned index, struct erofs_entry *);
