/* Blocks over sectors: EDF block n lies at byte (n - 1) * block size. Owns the range check and the reason texts of
 * device errors, and the calls of the heap seam. */
#include "cms/edf/edf_internal.h"

enum edf_status edf_fail(struct edf_disk *disk, enum edf_status status, const char *text, uint32_t block)
{
    disk->reason = (struct edf_reason){text, block};
    return status;
}

static uint64_t sector_of(const struct edf_disk *disk, uint32_t block)
{
    return (uint64_t)(block - 1) * (disk->block_size / EDF_SECTOR);
}

static enum edf_status released(struct edf_disk *disk)
{
    return edf_fail(disk, EDF_IO, "the disk was released", 0);
}

enum edf_status edf_block_read(struct edf_disk *disk, uint32_t block, void *buffer)
{
    if (disk->released)
        return released(disk);
    if (block == 0 || block > disk->blocks)
        return edf_fail(disk, EDF_DAMAGED, "a block number is beyond the disk", block);
    if (disk->device->read(disk->device->ctx, sector_of(disk, block), buffer, disk->block_size / EDF_SECTOR))
        return edf_fail(disk, EDF_IO, "the device could not read", block);
    return EDF_OK;
}

enum edf_status edf_block_write(struct edf_disk *disk, uint32_t block, const void *buffer)
{
    if (disk->released)
        return released(disk);
    if (block < BLOCK_FIRST_DIRECTORY || block > disk->blocks)
        return edf_fail(disk, EDF_DAMAGED, "a block number is beyond the disk", block);
    if (disk->device->write(disk->device->ctx, sector_of(disk, block), buffer, disk->block_size / EDF_SECTOR))
        return edf_fail(disk, EDF_IO, "the device could not write", block);
    return EDF_OK;
}

enum edf_status edf_block_write_sector(struct edf_disk *disk, uint32_t block, uint32_t offset, const void *data)
{
    if (disk->device->write(disk->device->ctx, sector_of(disk, block) + offset / EDF_SECTOR, data, 1))
        return edf_fail(disk, EDF_IO, "the device could not write", block);
    return EDF_OK;
}

enum edf_status edf_block_flush(struct edf_disk *disk)
{
    if (disk->device->flush(disk->device->ctx))
        return edf_fail(disk, EDF_IO, "the device could not flush", 0);
    return EDF_OK;
}

void *edf_memory_raw(const struct edf_disk *disk, size_t size)
{
    return disk->host->get(disk->host->ctx, size);
}

void *edf_memory_get(const struct edf_disk *disk, size_t size)
{
    void *memory = edf_memory_raw(disk, size);
    if (memory)
        memset(memory, 0, size);
    return memory;
}

void edf_memory_put(const struct edf_disk *disk, void *memory, size_t size)
{
    if (memory)
        disk->host->put(disk->host->ctx, memory, size);
}
