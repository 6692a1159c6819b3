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
    if (block - disk->run_first < disk->run_count) {
        memcpy(buffer, disk->run + (size_t)(block - disk->run_first) * disk->block_size, disk->block_size);
        return EDF_OK;
    }
    if (disk->device->read(disk->device->ctx, sector_of(disk, block), buffer, disk->block_size / EDF_SECTOR))
        return edf_fail(disk, EDF_IO, "the device could not read", block);
    return EDF_OK;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Whose blocks did not reach the device is not known any more. */
static enum edf_status write_failed(struct edf_disk *disk, uint32_t block)
{
    for (struct edf_writer *w = disk->writers; w; w = w->next)
        w->failed = EDF_IO;
    return edf_fail(disk, EDF_IO, "the device could not write", block);
}

static enum edf_status write_run(struct edf_disk *disk)
{
    uint32_t block = disk->run_first, count = disk->run_count;
    disk->run_count = 0;
    if (count && disk->device->write(disk->device->ctx, sector_of(disk, block), disk->run,
                                     count * (disk->block_size / EDF_SECTOR)))
        return write_failed(disk, block);
    return EDF_OK;
}

enum edf_status edf_block_write(struct edf_disk *disk, uint32_t block, const void *buffer)
{
    if (disk->released)
        return released(disk);
    if (block < BLOCK_FIRST_DIRECTORY || block > disk->blocks)
        return edf_fail(disk, EDF_DAMAGED, "a block number is beyond the disk", block);
    if (disk->run_count == RUN_BYTES / disk->block_size || block != disk->run_first + disk->run_count) {
        enum edf_status status = write_run(disk);
        if (status)
            return status;
        disk->run_first = block;
    }
    memcpy(disk->run + (size_t)disk->run_count++ * disk->block_size, buffer, disk->block_size);
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
    enum edf_status status = write_run(disk);
    if (status)
        return status;
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
