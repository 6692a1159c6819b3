/* From a data block's index in a file to its block number: pointer blocks in up to six levels.
 *
 * F: a pointer is a block number, 0 standing for a block (or a whole subtree) of zeros.
 * V: a pointer is a block number, the highest record that begins beneath it, and the displacement past the record that
 * continues from before; the block's last word is the offset of its last pointer.
 * Every pointer block but the last of its level is full, so an index alone says the way down. */
#include "cms/edf/edf_internal.h"

unsigned edf_tree_levels(uint32_t block_size, bool variable, uint64_t count)
{
    uint32_t per_block = tree_per_block(block_size, variable);
    unsigned levels = 0;
    while (count > 1) {
        count = (count + per_block - 1) / per_block;
        levels++;
    }
    return levels;
}

uint32_t edf_tree_pointer_blocks(uint32_t block_size, uint32_t count)
{
    uint32_t per_block = tree_per_block(block_size, false), total = 0;
    while (count > 1)
        total += count = (count + per_block - 1) / per_block;
    return total;
}

struct tree_entry edf_tree_entry_get(const uint8_t *pointers, bool variable, uint32_t index)
{
    if (!variable)
        return (struct tree_entry){.block = get32(pointers + (size_t)index * POINTER_SIZE_F)};
    const uint8_t *p = pointers + (size_t)index * POINTER_SIZE_V;
    return (struct tree_entry){get32(p), get32(p + POINTER_HIGHEST), get32(p + POINTER_DISPLACEMENT)};
}

void edf_tree_entry_put(uint8_t *pointers, bool variable, uint32_t index, struct tree_entry entry)
{
    uint8_t *p = pointers + (size_t)index * (variable ? POINTER_SIZE_V : POINTER_SIZE_F);
    put32(p, entry.block);
    if (variable) {
        put32(p + POINTER_HIGHEST, entry.highest);
        put32(p + POINTER_DISPLACEMENT, entry.displacement);
    }
}

/* How many pointers a V pointer block holds; 0 if its last word makes no sense. */
static uint32_t used_pointers(const uint8_t *pointers, uint32_t block_size)
{
    uint32_t last = get32(pointers + block_size - 4);
    uint32_t index = last / POINTER_SIZE_V;
    return last % POINTER_SIZE_V || index >= tree_per_block(block_size, true) ? 0 : index + 1;
}

/* ---- cursor ------------------------------------------------------------------------------------------------------ */

void edf_cursor_open(struct cursor *cursor, struct edf_disk *disk, struct tree tree)
{
    *cursor = (struct cursor){.disk = disk, .tree = tree};
}

void edf_cursor_close(struct cursor *cursor)
{
    for (unsigned i = 1; i <= LEVELS_MAX; i++)
        edf_memory_put(cursor->disk, cursor->level[i], cursor->disk->block_size);
}

static enum edf_status load_level(struct cursor *cursor, unsigned level, uint32_t block)
{
    struct edf_disk *disk = cursor->disk;
    if (cursor->loaded[level] == block)
        return EDF_OK;
    if (!block_is_data(disk, block))
        return edf_fail(disk, EDF_DAMAGED, "a pointer is beyond the disk", block);
    if (!cursor->level[level])
        cursor->level[level] = edf_memory_raw(disk, disk->block_size);
    if (!cursor->level[level])
        return EDF_NO_MEMORY;
    cursor->loaded[level] = 0;
    enum edf_status status = edf_block_read(disk, block, cursor->level[level]);
    if (status)
        return status;
    if (cursor->tree.variable && !used_pointers(cursor->level[level], disk->block_size))
        return edf_fail(disk, EDF_DAMAGED, "a pointer block's last word is wrong", block);
    cursor->loaded[level] = block;
    return EDF_OK;
}

static uint64_t power(uint32_t base, unsigned exponent)
{
    uint64_t result = 1;
    while (exponent--)
        result *= base;
    return result;
}

enum edf_status edf_cursor_find(struct cursor *cursor, uint64_t index, struct tree_entry *entry)
{
    struct edf_disk *disk = cursor->disk;
    const struct tree *tree = &cursor->tree;
    uint32_t per_block = tree_per_block(disk->block_size, tree->variable);
    *entry = (struct tree_entry){.block = tree->top, .highest = RECORDS_MAX};
    if (index >= tree->count)
        return edf_fail(disk, EDF_DAMAGED, "a record runs past the file's last block", 0);
    for (unsigned level = tree->levels; level; level--) {
        if (!tree->variable && entry->block == 0)
            return EDF_OK;
        enum edf_status status = load_level(cursor, level, entry->block);
        if (status)
            return status;
        uint32_t slot = (uint32_t)(index / power(per_block, level - 1) % per_block);
        if (tree->variable && slot >= used_pointers(cursor->level[level], disk->block_size))
            return edf_fail(disk, EDF_DAMAGED, "a pointer block holds too few pointers", cursor->loaded[level]);
        *entry = edf_tree_entry_get(cursor->level[level], tree->variable, slot);
    }
    if (entry->block && !block_is_data(disk, entry->block))
        return edf_fail(disk, EDF_DAMAGED, "a pointer is beyond the disk", entry->block);
    return EDF_OK;
}

enum edf_status edf_cursor_find_record(struct cursor *cursor, uint32_t number, uint64_t *index,
                                       struct tree_entry *entry, uint32_t *before)
{
    struct edf_disk *disk = cursor->disk;
    uint32_t per_block = tree_per_block(disk->block_size, true);
    *index = 0;
    *before = 0;
    *entry = (struct tree_entry){.block = cursor->tree.top, .highest = RECORDS_MAX};
    for (unsigned level = cursor->tree.levels; level; level--) {
        enum edf_status status = load_level(cursor, level, entry->block);
        if (status)
            return status;
        uint32_t used = used_pointers(cursor->level[level], disk->block_size), slot = 0;
        while (slot < used && (*entry = edf_tree_entry_get(cursor->level[level], true, slot)).highest < number) {
            *before = entry->highest;
            slot++;
        }
        if (slot == used)
            return edf_fail(disk, EDF_DAMAGED, "no pointer leads to a record", cursor->loaded[level]);
        *index += slot * power(per_block, level - 1);
    }
    if (*index >= cursor->tree.count || (entry->block && !block_is_data(disk, entry->block)))
        return edf_fail(disk, EDF_DAMAGED, "a pointer is beyond the file or the disk", entry->block);
    return EDF_OK;
}

/* ---- visit ------------------------------------------------------------------------------------------------------- */

struct visit {
    struct edf_disk *disk;
    struct tree tree;
    tree_visitor *visitor;
    void *ctx;
    uint8_t *pointers; /* a block a level */
    uint32_t budget;   /* blocks still allowed to be visited */
};

static enum edf_status visit_entry(struct visit *v, struct tree_entry entry, unsigned level, uint64_t index);

static enum edf_status visit_pointers(struct visit *v, struct tree_entry entry, unsigned level, uint64_t index)
{
    uint32_t size = v->disk->block_size, per_block = tree_per_block(size, v->tree.variable);
    uint8_t *pointers = v->pointers + (size_t)(level - 1) * size;
    enum edf_status status = edf_block_read(v->disk, entry.block, pointers);
    if (status)
        return status;
    uint64_t step = power(per_block, level - 1);
    uint32_t used = v->tree.variable ? used_pointers(pointers, size) : per_block;
    if (!used)
        return edf_fail(v->disk, EDF_DAMAGED, "a pointer block's last word is wrong", entry.block);
    for (uint32_t slot = 0; slot < used && index + slot * step < v->tree.count; slot++) {
        status = visit_entry(v, edf_tree_entry_get(pointers, v->tree.variable, slot), level - 1, index + slot * step);
        if (status)
            return status;
    }
    return EDF_OK;
}

static enum edf_status visit_entry(struct visit *v, struct tree_entry entry, unsigned level, uint64_t index)
{
    if (entry.block == 0 && !v->tree.variable)
        return EDF_OK;
    if (entry.block == 0 && level)
        return edf_fail(v->disk, EDF_DAMAGED, "a pointer block is missing", 0);
    if (entry.block && !block_is_data(v->disk, entry.block))
        return edf_fail(v->disk, EDF_DAMAGED, "a pointer is beyond the disk", entry.block);
    if (v->budget-- == 0)
        return edf_fail(v->disk, EDF_DAMAGED, "a file has more blocks than the disk", entry.block);
    enum edf_status status = v->visitor(v->ctx, entry, level, index);
    if (status || level == 0)
        return status;
    return visit_pointers(v, entry, level, index);
}

enum edf_status edf_tree_visit(struct edf_disk *disk, struct tree tree, tree_visitor *visitor, void *ctx)
{
    if (tree.count == 0)
        return EDF_OK;
    size_t size = (size_t)tree.levels * disk->block_size;
    struct visit v = {disk, tree, visitor, ctx, NULL, disk->blocks};
    if (size && !(v.pointers = edf_memory_raw(disk, size)))
        return EDF_NO_MEMORY;
    struct tree_entry top = {.block = tree.top, .highest = RECORDS_MAX};
    enum edf_status status = visit_entry(&v, top, tree.levels, 0);
    edf_memory_put(disk, v.pointers, size);
    return status;
}
