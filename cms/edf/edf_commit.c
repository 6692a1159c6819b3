/* The commit. Everything a change needs (directory blocks, map blocks, their pointer blocks) is first given a free
 * block, then written, then flushed; nothing that is in use is overwritten. The label, one sector, names the new
 * directory in the other one of blocks 4 and 5, and a last flush makes it so. In memory the same holds: the new entries
 * and the new map are kept apart, and take the old ones' places when the label is on the disk. */
#include "cms/edf/edf_internal.h"

struct commit {
    struct edf_disk *disk;
    const struct change *change;
    uint8_t *next;          /* the new map */
    uint8_t *dirty, *moved; /* a byte for each data block of the map */
    uint8_t *scratch;       /* the disk's, or NULL */
    uint32_t used;
    uint32_t span;          /* directory entries, before anything is removed */
    uint32_t count;         /* directory entries afterwards */
    uint32_t blocks;        /* directory blocks afterwards */
    uint8_t *changed;       /* a byte for each block of the directory: it will have other entries */
    uint32_t *where, *pointers, *map_where, *map_pointers;
    uint32_t pointer_count;
    uint8_t *buffer;        /* one block: of the directory, or of pointers */
    uint32_t edit_count, edit_room;
    struct edit {           /* entries that become other ones; a later edit overrides an earlier one */
        uint32_t index;
        uint8_t entry[FST_SIZE];
    } *edits;
};

static bool is_removal(const struct change *change)
{
    return change->index && !change->entry;
}

/* ---- the new map ------------------------------------------------------------------------------------------------- */

static void touch(struct commit *c, uint32_t block)
{
    c->dirty[(block - 1) / (c->disk->block_size * 8)] = 1;
}

static enum edf_status take(struct commit *c, uint32_t *block)
{
    *block = edf_map_take(c->disk, c->next);
    if (!*block)
        return EDF_FULL;
    touch(c, *block);
    c->used++;
    return EDF_OK;
}

static enum edf_status give(struct commit *c, uint32_t block)
{
    if (!block_is_data(c->disk, block) || !map_bit(c->disk->map, block) || !map_bit(c->next, block))
        return edf_fail(c->disk, EDF_DAMAGED, "a block to be freed is free already", block);
    map_clear(c->next, block);
    touch(c, block);
    c->used--;
    return EDF_OK;
}

static enum edf_status give_entry(void *ctx, struct tree_entry entry, unsigned level, uint64_t index)
{
    (void)level;
    (void)index;
    return entry.block ? give(ctx, entry.block) : EDF_OK;
}

static enum edf_status move_all(struct commit *c, const uint32_t *old, uint32_t old_count, uint32_t *new,
                                uint32_t new_count)
{
    enum edf_status status = EDF_OK;
    for (uint32_t i = 0; !status && i < old_count; i++)
        status = give(c, old[i]);
    for (uint32_t i = 0; !status && i < new_count; i++)
        status = take(c, &new[i]);
    return status;
}

static void add_taken(struct commit *c)
{
    if (!c->change->taken)
        return;
    for (uint32_t i = 0; i < c->disk->bit_bytes; i += 8) {
        if (!load64(c->change->taken + i))
            continue;
        for (uint32_t j = i; j < i + 8; j++)
            c->next[j] |= c->change->taken[j];
        c->dirty[i / c->disk->block_size] = 1;
    }
    c->used += c->change->taken_count;
}

/* Pointer blocks of erased files are still needed: a cut before the label leaves the way to their blocks. */
static enum edf_status give_scratch(void *ctx, struct tree_entry entry, unsigned level, uint64_t index)
{
    struct commit *c = ctx;
    enum edf_status status = give_entry(ctx, entry, level, index);
    if (!status && !level && entry.block)
        map_set(c->scratch, entry.block);
    return status;
}

static enum edf_status give_erased(struct commit *c)
{
    struct edf_disk *disk = c->disk;
    struct fst fst;
    enum edf_status status = EDF_OK;
    for (uint32_t i = 2; c->scratch && !status && i < disk->count; i++) {
        if (!edf_fst_is_own(directory_entry(disk, i), OWN_ERASED))
            continue;
        const char *fault = edf_fst_decode(disk, directory_entry(disk, i), &fst);
        status = fault ? edf_fail(disk, EDF_DAMAGED, fault, 0)
                       : edf_tree_visit(disk, edf_fst_tree(disk, &fst), give_scratch, c);
    }
    return status;
}

static enum edf_status plan_file(struct commit *c)
{
    add_taken(c);
    enum edf_status status = give_erased(c);
    if (!status && c->change->tree)
        status = edf_tree_visit(c->disk, *c->change->tree, give_entry, c);
    for (uint32_t i = 0; !status && i < c->change->freed_count; i++)
        status = give(c, c->change->freed[i]);
    return status;
}

/* ---- the directory ----------------------------------------------------------------------------------------------- */

static uint32_t block_of(const struct commit *c, uint32_t index)
{
    return index / (c->disk->block_size / FST_SIZE);
}

/* The entry `index` is to be what is then put at what this returns. */
static uint8_t *edit(struct commit *c, uint32_t index)
{
    struct edit *e = &c->edits[c->edit_count++];
    e->index = index;
    c->changed[block_of(c, index)] = 1;
    return e->entry;
}

/* The last entry fills the gap; what moves may be new itself. */
static void close_gap(struct commit *c, uint32_t gap, uint32_t last)
{
    const uint8_t *from = directory_entry(c->disk, last);
    for (uint32_t i = 0; i < c->edit_count; i++)
        if (c->edits[i].index == last)
            from = c->edits[i].entry;
    if (gap != last)
        memcpy(edit(c, gap), from, FST_SIZE);
    memset(edit(c, last), 0, FST_SIZE);
}

/* Gaps are closed from the last to the first, so that no gap is ever moved. */
static void plan_entries(struct commit *c)
{
    const struct change *change = c->change;
    uint32_t last = c->span - 1;
    c->changed[0] = 1; /* it describes directory and map */
    if (change->index && change->entry)
        memcpy(edit(c, change->index), change->entry, FST_SIZE);
    if (!c->disk->erased && is_removal(change))
        close_gap(c, change->index, last);
    for (uint32_t i = last; c->disk->erased && i >= 2; i--)
        if ((i == change->index && !change->entry) ||
            (i != change->index && edf_fst_is_own(directory_entry(c->disk, i), OWN_ERASED)))
            close_gap(c, i, last--);
}

static enum edf_status plan_directory(struct commit *c)
{
    struct edf_disk *disk = c->disk;
    uint32_t old_blocks = directory_blocks(disk, disk->count);
    enum edf_status status = EDF_OK;
    memcpy(c->where, disk->where, disk->room * sizeof *c->where);
    c->where[0] = disk->origin ^ BLOCK_FIRST_DIRECTORY ^ BLOCK_SECOND_DIRECTORY;
    for (uint32_t i = 1; !status && i < old_blocks; i++)
        if (c->changed[i] || i >= c->blocks)
            status = give(c, disk->where[i]);
    for (uint32_t i = 1; !status && i < c->blocks; i++)
        if (c->changed[i] || i >= old_blocks)
            status = take(c, &c->where[i]);
    if (!status)
        status = move_all(c, disk->pointers, disk->pointer_count, c->pointers, c->pointer_count);
    return status;
}

/* Moving a block of the map changes the map; but each is moved only once, so this ends. */
static enum edf_status plan_map(struct commit *c)
{
    struct edf_disk *disk = c->disk;
    enum edf_status status = move_all(c, disk->map_pointers, disk->map_pointer_count, c->map_pointers,
                                      disk->map_pointer_count);
    memcpy(c->map_where, disk->map_where, disk->map_count * sizeof *c->map_where);
    for (bool again = true; again && !status;) {
        again = false;
        for (uint32_t i = 0; !status && i < disk->map_count; i++) {
            if (!c->dirty[i] || c->moved[i])
                continue;
            c->moved[i] = 1;
            again = true;
            status = move_all(c, &disk->map_where[i], 1, &c->map_where[i], 1);
        }
    }
    return status;
}

/* A change that takes blocks must leave enough to erase a file later. */
static enum edf_status judge_room(struct commit *c)
{
    const struct edf_disk *disk = c->disk;
    if (!c->change->entry || c->used <= disk->used)
        return EDF_OK;
    uint32_t others = c->blocks - 1 < 2 ? c->blocks - 1 : 2;
    uint32_t reserve = disk->map_count + disk->map_pointer_count + c->pointer_count + others;
    uint64_t others_taken = map_taken(disk) - disk->used - c->change->taken_count;
    return c->used + others_taken + reserve > disk->blocks ? EDF_FULL : EDF_OK;
}

static void edit_own(struct commit *c, unsigned number, uint32_t lrecl, uint32_t records, uint32_t blocks,
                     uint32_t origin)
{
    uint8_t *entry = edit(c, number - 1);
    edf_fst_put_own(entry, number);
    put32(entry + FST_LRECL, lrecl);
    put32(entry + FST_RECORDS, records);
    put32(entry + FST_BLOCKS, blocks);
    put32(entry + FST_ORIGIN, origin);
    entry[FST_LEVELS] = (uint8_t)edf_tree_levels(c->disk->block_size, false, blocks);
    edf_fst_stamp(c->disk, entry);
}

/* The two entries that say where directory and map lie: known when all the others are. */
static void plan_own(struct commit *c)
{
    const struct edf_disk *disk = c->disk;
    edit_own(c, OWN_DIRECTORY, FST_SIZE, c->count, c->blocks,
             c->pointer_count ? c->pointers[c->pointer_count - 1] : c->where[0]);
    edit_own(c, OWN_MAP, disk->block_size, disk->map_count, disk->map_count,
             disk->map_pointer_count ? c->map_pointers[disk->map_pointer_count - 1] : c->map_where[0]);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static enum edf_status write_pointers(struct commit *c, const uint32_t *data, uint32_t count, const uint32_t *pointers)
{
    uint32_t per_block = tree_per_block(c->disk->block_size, false);
    enum edf_status status = EDF_OK;
    while (count > 1 && !status) {
        uint32_t above = 0;
        for (uint32_t i = 0; i < count && !status; i += per_block, above++) {
            memset(c->buffer, 0, c->disk->block_size);
            for (uint32_t j = 0; j < per_block && i + j < count; j++)
                put32(c->buffer + j * POINTER_SIZE_F, data[i + j]);
            status = edf_block_write(c->disk, pointers[above], c->buffer);
        }
        data = pointers;
        pointers += above;
        count = above;
    }
    return status;
}

static enum edf_status write_directory_block(struct commit *c, uint32_t block)
{
    const struct edf_disk *disk = c->disk;
    uint32_t first = block * (disk->block_size / FST_SIZE);
    memcpy(c->buffer, directory_entry(disk, first), disk->block_size);
    for (uint32_t i = 0; i < c->edit_count; i++)
        if (block_of(c, c->edits[i].index) == block)
            memcpy(c->buffer + (size_t)(c->edits[i].index - first) * FST_SIZE, c->edits[i].entry, FST_SIZE);
    return edf_block_write(c->disk, c->where[block], c->buffer);
}

/* In the order in which the blocks were taken: what lies side by side then goes to the device in one piece. */
static enum edf_status write_all(struct commit *c)
{
    struct edf_disk *disk = c->disk;
    enum edf_status status = EDF_OK;
    for (uint32_t i = 1; !status && i < c->blocks; i++)
        if (c->changed[i])
            status = write_directory_block(c, i);
    if (!status)
        status = write_pointers(c, c->where, c->blocks, c->pointers);
    if (!status)
        status = write_pointers(c, c->map_where, disk->map_count, c->map_pointers);
    for (uint32_t i = 0; !status && i < disk->map_count; i++)
        if (c->moved[i])
            status = edf_block_write(disk, c->map_where[i], c->next + (size_t)i * disk->block_size);
    if (!status)
        status = write_directory_block(c, 0);
    if (!status)
        status = edf_block_flush(disk);
    return status ? status : edf_label_store(disk, c->where[0], c->used);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static void *get_list(const struct edf_disk *disk, uint32_t count)
{
    return edf_memory_raw(disk, (count + 1) * sizeof(uint32_t));
}

static void put_list(const struct edf_disk *disk, uint32_t *list, uint32_t count)
{
    edf_memory_put(disk, list, (count + 1) * sizeof(uint32_t));
}

static enum edf_status begin(struct commit *c)
{
    struct edf_disk *disk = c->disk;
    uint32_t gaps = disk->erased + is_removal(c->change);
    c->span = disk->count + (c->change->index == disk->count);
    c->count = c->span - gaps;
    c->blocks = directory_blocks(disk, c->count);
    c->edit_room = 3 + 2 * gaps; /* the directory's own, the map's, the changed one; and two a gap */
    c->pointer_count = edf_tree_pointer_blocks(disk->block_size, c->blocks);
    c->used = disk->used;
    enum edf_status status = edf_directory_grow(disk, directory_blocks(disk, c->span));
    if (status)
        return status;
    c->dirty = edf_memory_get(disk, disk->map_count);
    c->moved = edf_memory_get(disk, disk->map_count);
    c->where = edf_memory_raw(disk, disk->room * sizeof *c->where);
    c->pointers = get_list(disk, c->pointer_count);
    c->map_where = edf_memory_raw(disk, disk->map_count * sizeof *c->map_where);
    c->map_pointers = get_list(disk, disk->map_pointer_count);
    c->buffer = edf_memory_raw(disk, disk->block_size);
    c->changed = edf_memory_get(disk, disk->room);
    c->edits = edf_memory_raw(disk, c->edit_room * sizeof *c->edits);
    if (disk->erased && !(disk->scratch = c->scratch = edf_memory_get(disk, disk->bit_bytes)))
        return EDF_NO_MEMORY;
    if (!c->dirty || !c->moved || !c->where || !c->pointers || !c->map_where || !c->map_pointers || !c->buffer ||
        !c->changed || !c->edits)
        return EDF_NO_MEMORY;
    memcpy(disk->spare, disk->map, disk->bit_bytes);
    disk->next = c->next = disk->spare;
    return EDF_OK;
}

static void swap(void *a, void *b)
{
    uint8_t t[sizeof(void *)];
    memcpy(t, a, sizeof t);
    memcpy(a, b, sizeof t);
    memcpy(b, t, sizeof t);
}

/* The new state becomes the disk's; what it replaces is left in `c` to be freed. */
static void adopt(struct commit *c)
{
    struct edf_disk *disk = c->disk;
    for (uint32_t i = 0; i < c->edit_count; i++)
        memcpy(directory_entry(disk, c->edits[i].index), c->edits[i].entry, FST_SIZE);
    disk->holding |= disk->readers != NULL;
    for (uint32_t i = 0; disk->readers && i < disk->bit_bytes; i++)
        disk->held[i] |= disk->map[i] & (uint8_t)~c->next[i];
    edf_map_count_held(disk);
    swap(&disk->map, &disk->spare);
    swap(&disk->where, &c->where);
    swap(&disk->map_where, &c->map_where);
    swap(&disk->map_pointers, &c->map_pointers);
    swap(&disk->pointers, &c->pointers);
    uint32_t pointer_count = disk->pointer_count;
    disk->pointer_count = c->pointer_count;
    c->pointer_count = pointer_count;
    disk->used = c->used;
    disk->origin = disk->where[0];
    disk->count = c->count;
    disk->erased = 0;
}

static void end(struct commit *c)
{
    struct edf_disk *disk = c->disk;
    disk->next = disk->scratch = NULL;
    edf_memory_put(disk, c->dirty, disk->map_count);
    edf_memory_put(disk, c->moved, disk->map_count);
    edf_memory_put(disk, c->where, disk->room * sizeof *c->where);
    put_list(disk, c->pointers, c->pointer_count);
    edf_memory_put(disk, c->map_where, disk->map_count * sizeof *c->map_where);
    put_list(disk, c->map_pointers, disk->map_pointer_count);
    edf_memory_put(disk, c->buffer, disk->block_size);
    edf_memory_put(disk, c->changed, disk->room);
    edf_memory_put(disk, c->edits, c->edit_room * sizeof *c->edits);
    edf_memory_put(disk, c->scratch, disk->bit_bytes);
}

enum edf_status edf_commit_change(struct edf_disk *disk, const struct change *change)
{
    struct commit c = {.disk = disk, .change = change};
    enum edf_status status = begin(&c);
    if (!status)
        status = plan_file(&c);
    if (!status) {
        plan_entries(&c);
        status = plan_directory(&c);
    }
    if (!status)
        status = plan_map(&c);
    if (!status)
        status = judge_room(&c);
    if (!status) {
        plan_own(&c);
        status = write_all(&c);
    }
    if (!status)
        adopt(&c);
    end(&c);
    return status;
}
