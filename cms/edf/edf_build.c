/* Building a file's pointer blocks as its data blocks arrive. One unfinished pointer block a level is kept; a full one
 * is written when the next pointer comes, so no level is ever begun in vain. */
#include "cms/edf/edf_build.h"

static bool is_zero(const uint8_t *block, uint32_t size)
{
    for (uint32_t i = 0; i < size; i += 8)
        if (load64(block + i))
            return false;
    return true;
}

enum edf_status edf_build_store(struct edf_writer *w, const uint8_t *data, bool may_be_null, uint32_t *block)
{
    struct edf_disk *disk = w->disk;
    *block = 0;
    if (may_be_null && w->fst.recfm == 'F' && is_zero(data, disk->block_size))
        return EDF_OK;
    if (map_taken(disk) + edf_map_reserve(disk) >= disk->blocks)
        return EDF_FULL;
    *block = edf_map_take(disk, w->own);
    if (!*block)
        return EDF_FULL;
    w->own_count++;
    disk->in_flight++;
    return edf_block_write(disk, *block, data);
}

/* Write the pointer block of a level; `up` is what points to it. */
static enum edf_status finish_level(struct edf_writer *w, unsigned level, bool top, struct tree_entry *up)
{
    struct builder *b = &w->builder;
    bool variable = w->fst.recfm == 'V';
    up->highest = edf_tree_entry_get(b->level[level], variable, b->used[level] - 1).highest;
    up->displacement = edf_tree_entry_get(b->level[level], variable, 0).displacement;
    if (variable)
        put32(b->level[level] + w->disk->block_size - 4, (b->used[level] - 1) * POINTER_SIZE_V);
    enum edf_status status = edf_build_store(w, b->level[level], !top, &up->block);
    memset(b->level[level], 0, w->disk->block_size);
    b->used[level] = 0;
    return status;
}

static enum edf_status add(struct edf_writer *w, struct tree_entry entry, unsigned level)
{
    struct builder *b = &w->builder;
    struct tree_entry up;
    if (level > LEVELS_MAX)
        return EDF_FULL;
    if (!b->level[level] && !(b->level[level] = edf_memory_get(w->disk, w->disk->block_size)))
        return EDF_NO_MEMORY;
    if (b->levels < level)
        b->levels = level;
    if (b->used[level] == tree_per_block(w->disk->block_size, w->fst.recfm == 'V')) {
        enum edf_status status = finish_level(w, level, false, &up);
        if (!status)
            status = add(w, up, level + 1);
        if (status)
            return status;
    }
    edf_tree_entry_put(b->level[level], w->fst.recfm == 'V', b->used[level]++, entry);
    return EDF_OK;
}

enum edf_status edf_build_add(struct edf_writer *w, struct tree_entry entry)
{
    uint64_t before = w->count++;
    if (w->fst.recfm == 'V' || entry.block)
        w->fst.blocks++;
    if (w->builder.levels == 0 && before == 0) {
        w->builder.only = entry;
        return EDF_OK;
    }
    if (w->builder.levels == 0) {
        enum edf_status status = add(w, w->builder.only, 1);
        if (status)
            return status;
    }
    return add(w, entry, 1);
}

enum edf_status edf_build_finish(struct edf_writer *w)
{
    struct builder *b = &w->builder;
    struct tree_entry top = b->only;
    for (unsigned level = 1; level <= b->levels; level++) {
        bool last = level == b->levels;
        enum edf_status status = finish_level(w, level, last, &top);
        if (!status && !last)
            status = add(w, top, level + 1);
        if (status)
            return status;
    }
    w->fst.origin = top.block;
    w->fst.levels = (uint8_t)b->levels;
    return EDF_OK;
}

/* Take the last pointer block of each level out of the old file: what follows is added to it. */
enum edf_status edf_build_resume(struct edf_writer *w, const struct tree *tree, struct tree_entry *last)
{
    struct builder *b = &w->builder;
    struct cursor cursor;
    edf_cursor_open(&cursor, w->disk, *tree);
    enum edf_status status = edf_cursor_find(&cursor, tree->count - 1, last);
    uint32_t per_block = tree_per_block(w->disk->block_size, tree->variable);
    uint64_t index = tree->count - 1;
    b->levels = tree->levels;
    for (unsigned level = 1; !status && level <= tree->levels; level++, index /= per_block) {
        b->level[level] = edf_memory_get(w->disk, w->disk->block_size);
        if (!b->level[level]) {
            status = EDF_NO_MEMORY;
            break;
        }
        b->used[level] = (uint32_t)(index % per_block);
        if (!cursor.loaded[level])
            continue; /* a subtree of zeros */
        size_t kept = b->used[level] * (size_t)(tree->variable ? POINTER_SIZE_V : POINTER_SIZE_F);
        memcpy(b->level[level], cursor.level[level], kept);
        w->superseded[w->superseded_count++] = cursor.loaded[level];
    }
    edf_cursor_close(&cursor);
    return status;
}

void edf_build_free(struct edf_writer *w)
{
    for (unsigned level = 1; level <= LEVELS_MAX; level++)
        edf_memory_put(w->disk, w->builder.level[level], w->disk->block_size);
}
