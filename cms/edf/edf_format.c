/* Writing an empty file system: a directory of two entries and a map, then the label. */
#include "cms/edf/edf_internal.h"

struct plan {
    const struct edf_device *device;
    const struct edf_host *host;
    uint32_t block_size, blocks;
    uint32_t map_count, pointer_count; /* the map's data and pointer blocks, in this order from block 6 */
    uint8_t *buffer;
};

static enum edf_status put_block(const struct plan *p, uint32_t block)
{
    uint32_t sectors = p->block_size / EDF_SECTOR;
    return p->device->write(p->device->ctx, (uint64_t)(block - 1) * sectors, p->buffer, sectors) ? EDF_IO : EDF_OK;
}

static uint32_t used(const struct plan *p)
{
    return BLOCK_FIRST_DATA - 1 + p->map_count + p->pointer_count;
}

/* All places a label may be, for this block size or that of an earlier life. */
static enum edf_status destroy_labels(const struct plan *p)
{
    memset(p->buffer, 0, p->block_size);
    if (p->device->write(p->device->ctx, LABEL_FBA_SECTOR, p->buffer, 1))
        return EDF_IO;
    for (uint32_t size = 512; size <= EDF_BLOCK_MAX; size *= 2)
        if (edf_label_sector_ckd(size) < p->device->sectors &&
            p->device->write(p->device->ctx, edf_label_sector_ckd(size), p->buffer, 1))
            return EDF_IO;
    return p->device->flush(p->device->ctx) ? EDF_IO : EDF_OK;
}

static enum edf_status write_map(const struct plan *p)
{
    uint32_t bits = p->block_size * 8;
    for (uint32_t i = 0; i < p->map_count; i++) {
        memset(p->buffer, 0, p->block_size);
        for (uint32_t bit = 0; bit < bits && i * bits + bit < used(p); bit++)
            map_set(p->buffer, bit + 1);
        if (put_block(p, BLOCK_FIRST_DATA + i))
            return EDF_IO;
    }
    return EDF_OK;
}

static enum edf_status write_map_pointers(const struct plan *p)
{
    uint32_t per_block = tree_per_block(p->block_size, false), below = BLOCK_FIRST_DATA, count = p->map_count;
    uint32_t at = below + count;
    while (count > 1) {
        uint32_t above = 0;
        for (uint32_t i = 0; i < count; i += per_block, above++) {
            memset(p->buffer, 0, p->block_size);
            for (uint32_t j = 0; j < per_block && i + j < count; j++)
                put32(p->buffer + j * POINTER_SIZE_F, below + i + j);
            if (put_block(p, at + above))
                return EDF_IO;
        }
        below = at;
        at += above;
        count = above;
    }
    return EDF_OK;
}

static enum edf_status write_directory(const struct plan *p, const struct edf_date *now)
{
    uint8_t *entry = p->buffer;
    memset(p->buffer, 0, p->block_size);
    for (unsigned number = 1; number <= 2; number++, entry += FST_SIZE) {
        edf_fst_put_own(entry, number);
        put32(entry + FST_LRECL, number == 1 ? FST_SIZE : p->block_size);
        put32(entry + FST_ORIGIN, number == 1 ? (uint32_t)BLOCK_FIRST_DIRECTORY : used(p));
        put32(entry + FST_BLOCKS, number == 1 ? 1 : p->map_count);
        put32(entry + FST_RECORDS, number == 1 ? 2 : p->map_count);
        entry[FST_LEVELS] = number == 1 ? 0 : (uint8_t)edf_tree_levels(p->block_size, false, p->map_count);
        edf_fst_put_date(entry, now);
    }
    return put_block(p, BLOCK_FIRST_DIRECTORY);
}

static enum edf_status write_label(const struct plan *p, const char *volid, const struct edf_date *now)
{
    uint8_t *label = p->buffer;
    memset(label, 0, p->block_size);
    edf_name_put(label + LABEL_ID, 4, "CMS1");
    edf_name_put(label + LABEL_VOLID, EDF_VOLID_MAX, volid);
    put16(label + LABEL_VERSION, LABEL_VERSION_EDF);
    put32(label + LABEL_BLOCK_SIZE, p->block_size);
    put32(label + LABEL_ORIGIN, BLOCK_FIRST_DIRECTORY);
    put32(label + LABEL_BLOCKS, p->blocks);
    put32(label + LABEL_USED, used(p));
    put32(label + LABEL_FST_SIZE, FST_SIZE);
    put32(label + LABEL_FST_PER_BLOCK, p->block_size / FST_SIZE);
    if (edf_date_put(label + LABEL_CREATED, now))
        label[LABEL_FLAGS] |= LABEL_FLAG_20XX;
    return p->device->write(p->device->ctx, LABEL_FBA_SECTOR, label, 1) || p->device->flush(p->device->ctx) ? EDF_IO
                                                                                                             : EDF_OK;
}

static enum edf_status write_all(const struct plan *p, const char *volid)
{
    struct edf_date now;
    p->host->now(p->host->ctx, &now);
    enum edf_status status = destroy_labels(p);
    if (!status)
        status = write_map(p);
    if (!status)
        status = write_map_pointers(p);
    if (!status)
        status = write_directory(p, &now);
    if (!status && p->device->flush(p->device->ctx))
        status = EDF_IO;
    return status ? status : write_label(p, volid, &now);
}

static bool make_plan(struct plan *p)
{
    uint64_t blocks = p->device->sectors / (p->block_size / EDF_SECTOR);
    uint32_t bits = p->block_size * 8, per_block = tree_per_block(p->block_size, false);
    if (blocks < BLOCKS_MIN || blocks > BLOCKS_MAX)
        return false;
    p->blocks = (uint32_t)blocks;
    p->map_count = (p->blocks + bits - 1) / bits;
    for (uint32_t count = p->map_count; count > 1;)
        p->pointer_count += count = (count + per_block - 1) / per_block;
    return true;
}

enum edf_status edf_format(const struct edf_device *device, const struct edf_host *host, uint32_t block_size,
                           const char *volid)
{
    struct plan p = {.device = device, .host = host, .block_size = block_size};
    size_t length = strlen(volid);
    if (device->read_only)
        return EDF_READ_ONLY;
    if (block_size != 512 && block_size != 1024 && block_size != 2048 && block_size != 4096)
        return EDF_INVALID;
    if (length == 0 || length > EDF_VOLID_MAX || !edf_name_valid(volid))
        return EDF_BAD_NAME;
    if (!make_plan(&p))
        return EDF_INVALID;
    p.buffer = host->get(host->ctx, block_size);
    if (!p.buffer)
        return EDF_NO_MEMORY;
    enum edf_status status = write_all(&p, volid);
    host->put(host->ctx, p.buffer, block_size);
    return status;
}
