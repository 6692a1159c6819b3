/* The consistency check of label, directory and map: does everything that is written down twice agree? What the files
 * say is left to edf_check_file.c. */
#include "cms/edf/edf_check_file.h"

/* ---- directory and map ------------------------------------------------------------------------------------------- */

static void check_directory(struct check *c)
{
    const struct edf_disk *disk = c->disk;
    const uint8_t *own = directory_entry(disk, 0);
    uint32_t blocks = directory_blocks(disk, disk->count);
    for (uint32_t block = 1; block < BLOCK_FIRST_DATA; block++)
        c->owners[block - 1] = OWNER_RESERVED;
    for (uint32_t i = 1; i < blocks; i++)
        edf_check_claim(c, "directory", disk->where[i], OWNER_DIRECTORY);
    for (uint32_t i = 0; i < disk->pointer_count; i++)
        edf_check_claim(c, "directory", disk->pointers[i], OWNER_DIRECTORY);
    if (get32(own + FST_RECORDS) != disk->count)
        edf_check_note(c, "directory", "its record count is %u, but it has %u entries", get32(own + FST_RECORDS),
                    disk->count);
    if (get32(own + FST_BLOCKS) != blocks)
        edf_check_remark(c, "directory", "its block count is %u instead of %u", get32(own + FST_BLOCKS), blocks);
    uint8_t *end = directory_entry(disk, disk->count);
    for (size_t i = 0; i < (size_t)blocks * disk->block_size - (size_t)disk->count * FST_SIZE; i++)
        if (end[i]) {
            edf_check_note(c, "directory", "there is something after its last entry");
            break;
        }
}

static enum edf_status load_map_block(void *ctx, struct tree_entry entry, unsigned level, uint64_t index)
{
    struct check *c = ctx;
    enum edf_status status = edf_check_claim(c, "map", entry.block, OWNER_MAP);
    if (status || level)
        return status;
    c->map_blocks++;
    return edf_block_read(c->disk, entry.block, c->map + index * c->disk->block_size);
}

static enum edf_status load_map(struct check *c)
{
    struct edf_disk *disk = c->disk;
    const uint8_t *own = directory_entry(disk, 1);
    uint32_t bits = disk->block_size * 8, count = (disk->blocks + bits - 1) / bits;
    struct tree tree = {get32(own + FST_ORIGIN), own[FST_LEVELS], false, count};
    unsigned levels = edf_tree_levels(disk->block_size, false, count);
    if (tree.levels != levels) {
        edf_check_note(c, "map", "it has %u pointer levels instead of %u", tree.levels, levels);
        return EDF_DAMAGED;
    }
    if (own[FST_RECFM] != FST_RECFM_F || get32(own + FST_LRECL) != disk->block_size ||
        get32(own + FST_RECORDS) != count || get32(own + FST_BLOCKS) != count)
        edf_check_note(c, "map", "its entry should say F %u, %u records, %u blocks", disk->block_size, count, count);
    enum edf_status status = edf_tree_visit(disk, tree, load_map_block, c);
    if (status == EDF_DAMAGED && disk->reason.text)
        edf_check_note(c, "map", "%s", disk->reason.text);
    else if (!status && c->map_blocks != count)
        edf_check_note(c, "map", "it has a hole");
    return status;
}

/* What is wrong with one block, as far as the map goes. */
static const char *map_fault(const struct check *c, uint32_t block)
{
    bool used = map_bit(c->map, block), owned = c->owners[block - 1] != OWNER_NONE;
    return used == owned ? NULL : used ? "used in the map, but owned by" : "free in the map, but used by";
}

static void compare_map(struct check *c)
{
    uint32_t marked = 0, first;
    for (uint32_t block = 1; block <= c->disk->blocks; block++)
        marked += map_bit(c->map, block);
    if (marked != c->disk->used)
        edf_check_note(c, "label", "its used count is %u, but the map has %u blocks used", c->disk->used, marked);
    for (uint32_t block = 1; block <= c->disk->blocks; block++) {
        const char *fault = map_fault(c, block);
        if (!fault)
            continue;
        for (first = block; block < c->disk->blocks && map_fault(c, block + 1) == fault;)
            block++;
        char owner[CHECK_NAME];
        edf_check_owner(c, c->owners[first - 1], owner);
        if (first == block)
            edf_check_note(c, "map", "block %u is %s %s", first, fault, owner);
        else
            edf_check_note(c, "map", "blocks %u to %u are %s %s", first, block, fault, owner);
    }
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static int compare_names(const struct check *c, uint32_t a, uint32_t b)
{
    return memcmp(directory_entry(c->disk, a), directory_entry(c->disk, b), 2 * EDF_NAME_MAX);
}

static void sift(struct check *c, uint32_t root, uint32_t count)
{
    uint32_t *order = c->order;
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && compare_names(c, order[child], order[child + 1]) < 0)
            child++;
        if (compare_names(c, order[root], order[child]) >= 0)
            return;
        uint32_t t = order[root];
        order[root] = order[child];
        order[child] = t;
    }
}

static void check_names(struct check *c)
{
    uint32_t count = c->disk->count - 2;
    char where[CHECK_NAME];
    for (uint32_t i = 0; i < count; i++)
        c->order[i] = i + 2;
    for (uint32_t i = count / 2; i-- > 0;)
        sift(c, i, count);
    for (uint32_t end = count; end-- > 1;) {
        uint32_t t = c->order[0];
        c->order[0] = c->order[end];
        c->order[end] = t;
        sift(c, 0, end);
    }
    for (uint32_t i = 1; i < count; i++)
        if (!compare_names(c, c->order[i - 1], c->order[i]) &&
            !edf_fst_is_own(directory_entry(c->disk, c->order[i]), OWN_ERASED)) {
            edf_check_owner(c, OWNER_FILES + c->order[i], where);
            edf_check_note(c, where, "the directory has this name twice");
        }
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static enum edf_status check_files(struct check *c)
{
    for (uint32_t i = 2; i < c->disk->count; i++) {
        char where[CHECK_NAME];
        edf_check_owner(c, OWNER_FILES + i, where);
        enum edf_status status = edf_check_file(c, where, directory_entry(c->disk, i), OWNER_FILES + i);
        if (status == EDF_IO || status == EDF_NO_MEMORY)
            return status;
    }
    return EDF_OK;
}

static enum edf_status check_disk(struct check *c)
{
    check_directory(c);
    enum edf_status mapped = load_map(c);
    if (mapped == EDF_IO || mapped == EDF_NO_MEMORY)
        return mapped;
    check_names(c);
    enum edf_status status = check_files(c);
    if (!status && !mapped)
        compare_map(c);
    return status;
}

static enum edf_status with_memory(struct check *c)
{
    struct edf_disk *disk = c->disk;
    size_t owners = (size_t)disk->blocks * sizeof *c->owners, order = (size_t)disk->count * sizeof *c->order;
    size_t map = ((size_t)disk->blocks / 8 / disk->block_size + 1) * disk->block_size;
    c->owners = edf_memory_get(disk, owners);
    c->order = edf_memory_get(disk, order);
    c->map = edf_memory_get(disk, map);
    c->data = edf_memory_get(disk, disk->block_size);
    enum edf_status status = c->owners && c->order && c->map && c->data ? check_disk(c) : EDF_NO_MEMORY;
    edf_memory_put(disk, c->owners, owners);
    edf_memory_put(disk, c->order, order);
    edf_memory_put(disk, c->map, map);
    edf_memory_put(disk, c->data, disk->block_size);
    return status;
}

enum edf_status edf_check(const struct edf_device *device, const struct edf_host *host, edf_check_finding *finding,
                          void *ctx, struct edf_check_report *report)
{
    struct check c = {.finding = finding, .ctx = ctx, .report = report};
    struct edf_reason reason;
    *report = (struct edf_check_report){0};
    enum edf_status status = edf_access(device, host, false, &c.disk, &reason);
    if (status == EDF_DAMAGED) {
        edf_check_note(&c, "label or directory", "%s (block %u)", reason.text, reason.block);
        return EDF_OK;
    }
    if (status)
        return status;
    report->block_size = c.disk->block_size;
    report->blocks = c.disk->blocks;
    report->used = c.disk->used;
    report->files = c.disk->count - 2 - c.disk->erased;
    status = with_memory(&c);
    edf_release(c.disk);
    return status;
}
