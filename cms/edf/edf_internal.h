/* What the files of this folder share: an accessed disk's state and the layers beneath files, lowest first.
 *
 *   block      numbered blocks over the device's sectors, ranges checked
 *   label      the one sector whose writing commits
 *   fst        one directory entry: judged, decoded, encoded
 *   tree       from a data block's index in a file to its number on the disk
 *   map        which blocks are free
 *   directory  all entries, kept in memory as they lie on the disk
 *   commit     directory and map written to free blocks, then the label
 *   erased     the way out when there is no free block */
#pragma once
#include "cms/edf/edf.h"
#include "cms/edf/edf_layout.h"

enum { RUN_BYTES = 32 * 1024 };

struct edf_disk {
    const struct edf_device *device;
    const struct edf_host *host;
    uint32_t block_size, blocks, used;
    uint32_t label_sector;
    uint32_t origin; /* which of blocks 4 and 5 holds the directory's first block */
    uint8_t label[EDF_SECTOR];
    bool writable;
    bool released;       /* only kept for the files that are still open */
    const char *fault;
    struct edf_reason reason;

    uint8_t *entries;    /* directory blocks, one after the other */
    uint32_t count;      /* entries in use, the directory's and the map's own included */
    uint32_t erased;     /* of them, entries of erased files that still have their blocks (edf_erased.c) */
    uint32_t room;       /* blocks `entries` has room for */
    uint32_t *where;     /* block number of each directory block; room for `room` */
    uint32_t *pointers;  /* the directory's pointer blocks; one element more than pointer_count */
    uint32_t pointer_count;

    /* The map is read on the first change. `map` and `spare` are map_bytes long: whole blocks, bits past the end clear.
     * Bit maps that are never written to the disk are bit_bytes long: a multiple of 8. */
    uint8_t *map;        /* as committed */
    uint8_t *held;       /* free in the map, but readers that are open still see them */
    uint8_t *spare;      /* where a commit builds the next map, so that only the bits need be copied */
    uint8_t *next;       /* that map, during a commit only */
    uint8_t *scratch;    /* bits of erased files' data blocks, which may be overwritten; NULL: none, or no commit */
    bool holding;        /* `held` is not all clear */
    uint32_t map_bytes, bit_bytes, map_count; /* map_count: data blocks of the map */
    uint32_t *map_where, *map_pointers;
    uint32_t map_pointer_count;
    uint32_t rover;      /* bit where the search for a free block begins */
    uint32_t in_flight;  /* blocks that open writers have taken */
    uint32_t promised;   /* that no writer may take: edf_promise */
    uint32_t held_count; /* bits of `held` */

    /* Blocks written one after the other go to the device in one piece: `run_count` of them, from `run_first` on. */
    uint8_t *run; /* RUN_BYTES; got with the map */
    uint32_t run_first, run_count;

    struct edf_reader *readers;
    struct edf_writer *writers;
};

/* A file was closed: if it was the last one of a released disk, that one goes, too. */
void edf_disk_drop(struct edf_disk *disk);

/* Record why a call fails, and return `status`. */
enum edf_status edf_fail(struct edf_disk *disk, enum edf_status status, const char *text, uint32_t block);

/* ---- block ------------------------------------------------------------------------------------------------------- */
enum edf_status edf_block_read(struct edf_disk *disk, uint32_t block, void *buffer);
/* The block is on the device when edf_block_flush has returned. If that or a later write fails, every open writer has
 * failed. */
enum edf_status edf_block_write(struct edf_disk *disk, uint32_t block, const void *buffer);
/* Only the sector that byte `offset` of the block lies in; `data` is that sector. */
enum edf_status edf_block_write_sector(struct edf_disk *disk, uint32_t block, uint32_t offset, const void *data);
enum edf_status edf_block_flush(struct edf_disk *disk);
static inline bool block_is_data(const struct edf_disk *disk, uint32_t block)
{
    return block >= BLOCK_FIRST_DATA && block <= disk->blocks;
}
void *edf_memory_get(const struct edf_disk *disk, size_t size); /* cleared */
void *edf_memory_raw(const struct edf_disk *disk, size_t size); /* not cleared: for what is overwritten at once */
void edf_memory_put(const struct edf_disk *disk, void *memory, size_t size);

/* ---- label ------------------------------------------------------------------------------------------------------- */
/* Finds and judges the label, sets label_sector, block_size, blocks, used, origin. */
enum edf_status edf_label_load(struct edf_disk *disk);
/* Writes the label with a new origin and used count: this is the commit. */
enum edf_status edf_label_store(struct edf_disk *disk, uint32_t origin, uint32_t used);
uint32_t edf_label_sector_ckd(uint32_t block_size);

/* ---- fst --------------------------------------------------------------------------------------------------------- */
struct fst {
    char recfm; /* 'F' or 'V' */
    uint8_t levels;
    uint32_t lrecl, origin, blocks, records;
};

/* A file's blocks, as its entry or the map's or directory's own entry describes them. */
struct tree {
    uint32_t top;
    unsigned levels;
    bool variable;
    uint64_t count; /* data blocks, null ones included */
};

/* Decodes; NULL if sound, or what is wrong. Never reads anything but the 64 bytes. */
const char *edf_fst_decode(const struct edf_disk *disk, const uint8_t *entry, struct fst *fst);
struct tree edf_fst_tree(const struct edf_disk *disk, const struct fst *fst);
void edf_fst_facts(const struct edf_disk *disk, const uint8_t *entry, struct edf_file_facts *facts);
void edf_fst_put_name(uint8_t *entry, const char *name, const char *type);
void edf_fst_put_date(uint8_t *entry, const struct edf_date *date);
void edf_fst_stamp(const struct edf_disk *disk, uint8_t *entry); /* the date of now */
/* Entries that are no files have a number for their name. */
enum { OWN_DIRECTORY = 1, OWN_MAP, OWN_ERASED };
/* Fills in the entry of the directory or of the map itself. */
void edf_fst_put_own(uint8_t *entry, unsigned number);
/* Makes a file's entry that of an erased file: its name is another one, the rest stands. */
void edf_fst_put_erased(uint8_t *entry);
bool edf_fst_is_own(const uint8_t *entry, unsigned number);

/* ---- tree -------------------------------------------------------------------------------------------------------- */
static inline uint32_t tree_per_block(uint32_t block_size, bool variable)
{
    return variable ? (block_size - 4) / POINTER_SIZE_V : block_size / POINTER_SIZE_F;
}
/* Fewest pointer levels for `count` data blocks. */
unsigned edf_tree_levels(uint32_t block_size, bool variable, uint64_t count);
/* Pointer blocks of an F tree without holes over `count` data blocks. */
uint32_t edf_tree_pointer_blocks(uint32_t block_size, uint32_t count);

struct tree_entry {
    uint32_t block; /* 0: a block of zeros */
    uint32_t highest, displacement; /* V only */
};
struct tree_entry edf_tree_entry_get(const uint8_t *pointers, bool variable, uint32_t index);
void edf_tree_entry_put(uint8_t *pointers, bool variable, uint32_t index, struct tree_entry entry);

/* Looks up data blocks by index, keeping the pointer blocks on the way to the last one. */
struct cursor {
    struct edf_disk *disk;
    struct tree tree;
    uint8_t *level[LEVELS_MAX + 1];   /* [1..levels]: the pointer block last used */
    uint32_t loaded[LEVELS_MAX + 1];  /* its number; 0: none yet */
};
void edf_cursor_open(struct cursor *cursor, struct edf_disk *disk, struct tree tree);
void edf_cursor_close(struct cursor *cursor);
enum edf_status edf_cursor_find(struct cursor *cursor, uint64_t index, struct tree_entry *entry);
/* V: the data block where record `number` starts: its index, its entry, and the highest record before it. */
enum edf_status edf_cursor_find_record(struct cursor *cursor, uint32_t number, uint64_t *index,
                                       struct tree_entry *entry, uint32_t *before);

/* Visits every block of a tree, pointer blocks before what they point to, null data blocks of V files too. At most as
 * many blocks as the disk has are visited. level 0 is data; index counts data blocks. A status other than EDF_OK ends
 * the visit and is returned. */
typedef enum edf_status tree_visitor(void *ctx, struct tree_entry entry, unsigned level, uint64_t index);
enum edf_status edf_tree_visit(struct edf_disk *disk, struct tree tree, tree_visitor *visitor, void *ctx);

/* ---- map --------------------------------------------------------------------------------------------------------- */
enum edf_status edf_map_load(struct edf_disk *disk);
static inline bool map_bit(const uint8_t *map, uint32_t block)
{
    return map[(block - 1) / 8] >> (7 - (block - 1) % 8) & 1;
}
static inline void map_set(uint8_t *map, uint32_t block)
{
    map[(block - 1) / 8] |= (uint8_t)(0x80 >> (block - 1) % 8);
}
static inline void map_clear(uint8_t *map, uint32_t block)
{
    map[(block - 1) / 8] &= (uint8_t)~(0x80 >> (block - 1) % 8);
}
/* Finds a block that is free in every map there is, sets its bit in `owner`, and returns its number, or 0. */
uint32_t edf_map_take(struct edf_disk *disk, uint8_t *owner);
/* Blocks that must stay free so that a file can still be erased. */
uint32_t edf_map_reserve(const struct edf_disk *disk);
/* What is not to be had of the disk: in use, under way, promised, or still seen by readers. */
static inline uint64_t map_taken(const struct edf_disk *disk)
{
    return (uint64_t)disk->used + disk->in_flight + disk->promised + disk->held_count;
}
void edf_map_count_held(struct edf_disk *disk);

/* ---- directory --------------------------------------------------------------------------------------------------- */
static inline uint8_t *directory_entry(const struct edf_disk *disk, uint32_t index)
{
    return disk->entries + (size_t)index * FST_SIZE;
}
static inline uint32_t directory_blocks(const struct edf_disk *disk, uint32_t count)
{
    uint32_t per_block = disk->block_size / FST_SIZE;
    return count / per_block + (count % per_block != 0);
}
enum edf_status edf_directory_load(struct edf_disk *disk);
enum edf_status edf_directory_grow(struct edf_disk *disk, uint32_t blocks);
/* Index of the entry with this name, or 0: the directory's own entry is never found. */
uint32_t edf_directory_find(const struct edf_disk *disk, const uint8_t name[16]);

/* ---- commit ------------------------------------------------------------------------------------------------------ */
/* One change of the directory: entry `index` becomes `entry`; index == count adds one; a NULL entry removes it, and
 * index 0 changes nothing. Entries of erased files are removed with it, and their blocks given back.
 * `taken`: blocks written for it; `tree`: a file whose blocks it gives up; `freed`: single blocks it gives up. */
struct change {
    uint32_t index;
    const uint8_t *entry;
    const uint8_t *taken;
    uint32_t taken_count;
    const struct tree *tree;
    const uint32_t *freed;
    uint32_t freed_count;
};
enum edf_status edf_commit_change(struct edf_disk *disk, const struct change *change);
/* Erases the file of entry `index`, which is sound, when a commit finds no block free. No reader is open. */
enum edf_status edf_erase_in_place(struct edf_disk *disk, uint32_t index);

/* ---- files ------------------------------------------------------------------------------------------------------- */
struct edf_reader {
    struct edf_disk *disk;
    struct edf_reader *next;
    uint8_t entry[FST_SIZE];
    struct fst fst;
    struct cursor cursor;
    uint8_t *data;        /* one data block */
    uint64_t data_index;  /* which one; UINT64_MAX: none */
    uint32_t record;      /* number of the next record */
    uint64_t position;    /* where it begins: data block index * block size + offset */
};

/* The pointer blocks of a file being written: one unfinished block a level. */
struct builder {
    uint8_t *level[LEVELS_MAX + 1]; /* [1..levels] */
    uint32_t used[LEVELS_MAX + 1];
    unsigned levels;
    struct tree_entry only; /* the first data block, until there is a second */
};

struct edf_writer {
    struct edf_disk *disk;
    struct edf_writer *next;
    uint8_t entry[FST_SIZE]; /* as it will be; name, type, mode and format from the start */
    struct fst fst;          /* levels, origin, blocks, records as far as written */
    bool replace, append, dated;
    enum edf_status failed;  /* EDF_OK: not */
    uint8_t *own;            /* blocks taken */
    uint32_t own_count;
    uint8_t *data;           /* the block being filled */
    uint32_t fill;
    uint64_t count;          /* data blocks passed to the builder, null ones included */
    bool started;            /* V: a record starts in this block, at `displacement` */
    uint32_t displacement;
    struct builder builder;
    uint32_t superseded[LEVELS_MAX + 2]; /* append: blocks of the old file that are not kept */
    uint32_t superseded_count;
};
