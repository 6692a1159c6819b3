/* The allocation map: a file of its own, one bit a block, 1 for used. It is read on the first change of a disk. */
#include "cms/edf/edf_internal.h"

static void forget(struct edf_disk *disk)
{
    edf_memory_put(disk, disk->run, RUN_BYTES);
    edf_memory_put(disk, disk->map, disk->map_bytes);
    edf_memory_put(disk, disk->spare, disk->map_bytes);
    edf_memory_put(disk, disk->held, disk->bit_bytes);
    edf_memory_put(disk, disk->map_where, disk->map_count * sizeof *disk->map_where);
    edf_memory_put(disk, disk->map_pointers, (disk->map_pointer_count + 1) * sizeof *disk->map_pointers);
    disk->run = disk->map = disk->spare = disk->held = NULL;
    disk->map_where = disk->map_pointers = NULL;
}

static enum edf_status prepare(struct edf_disk *disk)
{
    uint32_t bits_per_block = disk->block_size * 8;
    disk->map_count = (disk->blocks + bits_per_block - 1) / bits_per_block;
    disk->map_bytes = disk->map_count * disk->block_size;
    disk->bit_bytes = (disk->blocks + 63) / 64 * 8;
    disk->map_pointer_count = edf_tree_pointer_blocks(disk->block_size, disk->map_count);
    disk->run = edf_memory_raw(disk, RUN_BYTES);
    disk->map = edf_memory_get(disk, disk->map_bytes);
    disk->spare = edf_memory_get(disk, disk->map_bytes);
    disk->held = edf_memory_get(disk, disk->bit_bytes);
    disk->map_where = edf_memory_get(disk, disk->map_count * sizeof *disk->map_where);
    disk->map_pointers = edf_memory_get(disk, (disk->map_pointer_count + 1) * sizeof *disk->map_pointers);
    return disk->run && disk->map && disk->spare && disk->held && disk->map_where && disk->map_pointers ? EDF_OK
                                                                                                    : EDF_NO_MEMORY;
}

struct loading {
    struct edf_disk *disk;
    uint32_t data, pointers;
};

static enum edf_status load_block(void *ctx, struct tree_entry entry, unsigned level, uint64_t index)
{
    struct loading *l = ctx;
    struct edf_disk *disk = l->disk;
    if (level) {
        if (l->pointers == disk->map_pointer_count)
            return edf_fail(disk, EDF_DAMAGED, "the allocation map has too many pointer blocks", entry.block);
        disk->map_pointers[l->pointers++] = entry.block;
        return EDF_OK;
    }
    disk->map_where[index] = entry.block;
    l->data++;
    return edf_block_read(disk, entry.block, disk->map + (size_t)index * disk->block_size);
}

static uint32_t count_bits(const uint8_t *map, uint32_t bytes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < bytes; i += 8)
        for (uint64_t word = load64(map + i); word; word &= word - 1)
            count++;
    return count;
}

static void clear_past_end(struct edf_disk *disk)
{
    uint32_t bit = disk->blocks;
    for (; bit % 8; bit++)
        map_clear(disk->map, bit + 1);
    memset(disk->map + bit / 8, 0, disk->map_bytes - bit / 8);
}

static const char *judge(struct edf_disk *disk)
{
    clear_past_end(disk);
    for (uint32_t block = 1; block < BLOCK_FIRST_DATA; block++)
        if (!map_bit(disk->map, block))
            return "the allocation map has a reserved block free";
    for (uint32_t i = 0; i < disk->map_count; i++)
        if (!map_bit(disk->map, disk->map_where[i]))
            return "the allocation map has its own block free";
    if (count_bits(disk->map, disk->bit_bytes) != disk->used)
        return "the allocation map does not add up to the label's used count";
    return NULL;
}

static enum edf_status load(struct edf_disk *disk)
{
    const uint8_t *entry = directory_entry(disk, 1);
    struct tree tree = {get32(entry + FST_ORIGIN), entry[FST_LEVELS], false, disk->map_count};
    struct loading l = {.disk = disk};
    if (tree.levels != edf_tree_levels(disk->block_size, false, tree.count))
        return edf_fail(disk, EDF_DAMAGED, "the allocation map's levels do not fit its size", 0);
    enum edf_status status = edf_tree_visit(disk, tree, load_block, &l);
    if (status)
        return status;
    if (l.data != disk->map_count)
        return edf_fail(disk, EDF_DAMAGED, "the allocation map has a hole", 0);
    const char *fault = judge(disk);
    return fault ? edf_fail(disk, EDF_DAMAGED, fault, 0) : EDF_OK;
}

enum edf_status edf_map_load(struct edf_disk *disk)
{
    if (disk->map)
        return EDF_OK;
    enum edf_status status = prepare(disk);
    if (!status)
        status = load(disk);
    if (status == EDF_DAMAGED) {
        disk->writable = false;
        disk->fault = disk->reason.text;
    }
    if (status)
        forget(disk);
    disk->rover = BLOCK_FIRST_DATA - 1;
    return status;
}

static uint8_t used_byte(const struct edf_disk *disk, uint32_t i)
{
    uint8_t used = disk->map[i];
    if (disk->scratch)
        used &= (uint8_t)~disk->scratch[i];
    used |= disk->held[i];
    if (disk->next)
        used |= disk->next[i];
    for (const struct edf_writer *w = disk->writers; w; w = w->next)
        used |= w->own[i];
    return used;
}

uint32_t edf_map_take(struct edf_disk *disk, uint8_t *owner)
{
    uint32_t bytes = (disk->blocks + 7) / 8, i = disk->rover / 8;
    for (uint32_t tried = 0, bit = disk->rover % 8; tried <= bytes; tried++, i++, bit = 0) {
        i %= bytes;
        uint8_t used = used_byte(disk, i);
        for (; used != 0xff && bit < 8; bit++) {
            uint32_t block = i * 8 + bit + 1;
            if (used & 0x80 >> bit || block > disk->blocks)
                continue;
            map_set(owner, block);
            disk->rover = block - 1;
            return block;
        }
    }
    return 0;
}

void edf_map_count_held(struct edf_disk *disk)
{
    disk->held_count = disk->holding ? count_bits(disk->held, disk->bit_bytes) : 0;
}

enum edf_status edf_promise(struct edf_disk *disk, uint32_t *promised, uint32_t blocks)
{
    if (blocks > *promised) {
        enum edf_status status = disk->writable ? edf_map_load(disk) : EDF_READ_ONLY;
        if (status)
            return status;
        if (map_taken(disk) + edf_map_reserve(disk) + (blocks - *promised) > disk->blocks)
            return EDF_FULL;
    }
    disk->promised += blocks - *promised;
    *promised = blocks;
    return EDF_OK;
}

uint32_t edf_map_reserve(const struct edf_disk *disk)
{
    uint32_t others = directory_blocks(disk, disk->count) - 1;
    return disk->map_count + disk->map_pointer_count + disk->pointer_count + (others < 2 ? others : 2);
}
