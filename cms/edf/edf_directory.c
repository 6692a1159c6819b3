/* The directory in memory: its blocks as they lie on the disk, one entry of 64 bytes after the other. Entry 0 is the
 * directory's own, entry 1 the allocation map's; the first null entry ends it. */
#include "cms/edf/edf_internal.h"

enum edf_status edf_directory_grow(struct edf_disk *disk, uint32_t blocks)
{
    if (blocks <= disk->room)
        return EDF_OK;
    uint32_t room = disk->room * 2 > blocks ? disk->room * 2 : blocks;
    uint8_t *entries = edf_memory_get(disk, (size_t)room * disk->block_size);
    uint32_t *where = edf_memory_get(disk, room * sizeof *where);
    if (!entries || !where) {
        edf_memory_put(disk, entries, (size_t)room * disk->block_size);
        edf_memory_put(disk, where, room * sizeof *where);
        return EDF_NO_MEMORY;
    }
    if (disk->room) {
        memcpy(entries, disk->entries, (size_t)disk->room * disk->block_size);
        memcpy(where, disk->where, disk->room * sizeof *where);
        edf_memory_put(disk, disk->entries, (size_t)disk->room * disk->block_size);
        edf_memory_put(disk, disk->where, disk->room * sizeof *where);
    }
    disk->entries = entries;
    disk->where = where;
    disk->room = room;
    return EDF_OK;
}

static bool is_null(const uint8_t *entry)
{
    return !load64(entry) && !load64(entry + FST_TYPE);
}

/* The directory's own entry, which must be sound before any other block is read. */
static const char *judge_own(const struct edf_disk *disk, const uint8_t *entry, struct tree *tree)
{
    uint32_t records = get32(entry + FST_RECORDS), per_block = disk->block_size / FST_SIZE;
    if (!edf_fst_is_own(entry, OWN_DIRECTORY) || !edf_fst_is_own(entry + FST_SIZE, OWN_MAP))
        return "the directory does not begin with DIRECTOR and ALLOCMAP";
    if (entry[FST_RECFM] != FST_RECFM_F || get32(entry + FST_LRECL) != FST_SIZE)
        return "the directory is not an F 64 file";
    if (records < 2 || records / per_block > disk->blocks)
        return "the directory's record count is out of range";
    *tree = (struct tree){get32(entry + FST_ORIGIN), entry[FST_LEVELS], false, (records + per_block - 1) / per_block};
    unsigned least = edf_tree_levels(disk->block_size, false, tree->count);
    if (tree->levels != least && !(tree->count > 1 && tree->levels == least + 1))
        return "the directory's levels do not fit its record count";
    if (tree->levels == 0 && tree->top != disk->origin)
        return "the directory's first block is not the label's";
    return NULL;
}

/* Reading the directory's tree. Its first block is 4 or 5 and already read, which edf_tree_visit would take for damage;
 * and a block that is pointed to twice would let a small disk claim a large directory. So it has a walk of its own. */
struct loading {
    struct edf_disk *disk;
    uint8_t *pointers; /* a block a level */
    uint8_t *seen;     /* a bit a block */
    uint32_t pointer_count;
    uint64_t data, count;
};

static enum edf_status load_data(struct loading *l, uint32_t block)
{
    struct edf_disk *disk = l->disk;
    enum edf_status status = edf_directory_grow(disk, (uint32_t)l->data + 1);
    if (status)
        return status;
    disk->where[l->data] = block;
    return edf_block_read(disk, block, disk->entries + (size_t)l->data++ * disk->block_size);
}

static enum edf_status load_block(struct loading *l, uint32_t block, unsigned level);

static enum edf_status load_pointers(struct loading *l, uint32_t block, unsigned level)
{
    struct edf_disk *disk = l->disk;
    uint8_t *pointers = l->pointers + (size_t)(level - 1) * disk->block_size;
    enum edf_status status = edf_block_read(disk, block, pointers);
    disk->pointers[l->pointer_count++] = block;
    for (uint32_t i = 0; !status && i < disk->block_size / POINTER_SIZE_F && l->data < l->count; i++)
        status = load_block(l, get32(pointers + i * POINTER_SIZE_F), level - 1);
    return status;
}

static enum edf_status load_block(struct loading *l, uint32_t block, unsigned level)
{
    struct edf_disk *disk = l->disk;
    if (level == 0 && l->data == 0) {
        if (block != disk->origin)
            return edf_fail(disk, EDF_DAMAGED, "the directory's first block is not the label's", block);
        disk->where[l->data++] = block;
        return EDF_OK;
    }
    if (!block_is_data(disk, block))
        return edf_fail(disk, EDF_DAMAGED, "the directory points beyond the disk", block);
    if (map_bit(l->seen, block))
        return edf_fail(disk, EDF_DAMAGED, "the directory uses a block twice", block);
    map_set(l->seen, block);
    return level ? load_pointers(l, block, level) : load_data(l, block);
}

static uint32_t pointer_blocks(const struct edf_disk *disk, const struct tree *tree)
{
    uint32_t per_block = tree_per_block(disk->block_size, false), total = 0;
    uint64_t count = tree->count;
    for (unsigned level = 0; level < tree->levels; level++)
        total += (uint32_t)(count = (count + per_block - 1) / per_block);
    return total;
}

static enum edf_status load_rest(struct edf_disk *disk, const struct tree *tree)
{
    if (!tree->levels) {
        disk->where[0] = disk->origin;
        return EDF_OK;
    }
    size_t pointers_size = (size_t)tree->levels * disk->block_size, seen_size = disk->blocks / 8 + 1;
    disk->pointer_count = pointer_blocks(disk, tree);
    disk->pointers = edf_memory_get(disk, (disk->pointer_count + 1) * sizeof *disk->pointers);
    struct loading l = {.disk = disk, .count = tree->count};
    l.pointers = edf_memory_get(disk, pointers_size);
    l.seen = edf_memory_get(disk, seen_size);
    enum edf_status status = EDF_NO_MEMORY;
    if (disk->pointers && l.pointers && l.seen)
        status = load_block(&l, tree->top, tree->levels);
    edf_memory_put(disk, l.pointers, pointers_size);
    edf_memory_put(disk, l.seen, seen_size);
    return status;
}

/* Sets the count of entries and looks for what forbids changing this disk. */
static void judge_entries(struct edf_disk *disk, uint32_t records)
{
    uint32_t all = disk->room ? directory_blocks(disk, records) * (disk->block_size / FST_SIZE) : 0;
    for (disk->count = 2; disk->count < records && !is_null(directory_entry(disk, disk->count)); disk->count++) {
        struct fst fst;
        disk->erased += edf_fst_is_own(directory_entry(disk, disk->count), OWN_ERASED);
        if (!disk->fault && edf_fst_decode(disk, directory_entry(disk, disk->count), &fst))
            disk->fault = "a directory entry is damaged";
    }
    if (disk->count < records || (records < all && !is_null(directory_entry(disk, records))))
        disk->fault = "the directory's record count does not fit its entries";
}

enum edf_status edf_directory_load(struct edf_disk *disk)
{
    struct tree tree;
    enum edf_status status = edf_directory_grow(disk, 1);
    if (!status)
        status = edf_block_read(disk, disk->origin, disk->entries);
    if (status)
        return status;
    const char *fault = judge_own(disk, disk->entries, &tree);
    if (fault)
        return edf_fail(disk, EDF_DAMAGED, fault, disk->origin);
    status = load_rest(disk, &tree);
    if (status)
        return status;
    judge_entries(disk, get32(disk->entries + FST_RECORDS));
    return EDF_OK;
}

uint32_t edf_directory_find(const struct edf_disk *disk, const uint8_t name[16])
{
    uint64_t key = load64(name), type = load64(name + FST_TYPE);
    for (uint32_t i = 2; i < disk->count; i++) {
        const uint8_t *entry = directory_entry(disk, i);
        if (load64(entry) == key && load64(entry + FST_TYPE) == type)
            return i;
    }
    return 0;
}
