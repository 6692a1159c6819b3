/* The volume label: 80 bytes in one sector, at byte 512 on FBA or in block 3 on CKD. Everything else on the disk is
 * reached from it, so writing that one sector is what commits a change. */
#include "cms/edf/edf_internal.h"

static const uint8_t cms1[4] = {0xc3, 0xd4, 0xe2, 0xf1};

uint32_t edf_label_sector_ckd(uint32_t block_size)
{
    return 2 * (block_size / EDF_SECTOR);
}

static bool block_size_valid(uint32_t size)
{
    return size == 512 || size == 1024 || size == 2048 || size == 4096;
}

static enum edf_status read_label(struct edf_disk *disk, uint32_t sector, bool *found)
{
    *found = false;
    if (sector >= disk->device->sectors)
        return EDF_OK;
    if (disk->device->read(disk->device->ctx, sector, disk->label, 1))
        return edf_fail(disk, EDF_IO, "the device could not read the label", 0);
    *found = !memcmp(disk->label + LABEL_ID, cms1, sizeof cms1);
    disk->label_sector = sector;
    return EDF_OK;
}

static enum edf_status find_label(struct edf_disk *disk)
{
    bool found;
    enum edf_status status = read_label(disk, LABEL_FBA_SECTOR, &found);
    if (status || found)
        return status;
    for (uint32_t size = 512; size <= EDF_BLOCK_MAX; size *= 2) {
        status = read_label(disk, edf_label_sector_ckd(size), &found);
        if (status)
            return status;
        if (found && get32(disk->label + LABEL_BLOCK_SIZE) == size)
            return EDF_OK;
    }
    return edf_fail(disk, EDF_NOT_CMS, "there is no CMS1 label", 0);
}

/* What is wrong with the label, or NULL. The fields of the disk are set already. */
static const char *judge(const struct edf_disk *disk)
{
    const uint8_t *label = disk->label;
    if (!block_size_valid(disk->block_size))
        return "the label's block size is not 512, 1024, 2048 or 4096";
    if (get16(label + LABEL_VERSION) != LABEL_VERSION_EDF)
        return "the label's version is not 2";
    if (disk->origin != BLOCK_FIRST_DIRECTORY && disk->origin != BLOCK_SECOND_DIRECTORY)
        return "the label's directory origin is not 4 or 5";
    if (get32(label + LABEL_FST_SIZE) != FST_SIZE)
        return "the label's entry size is not 64";
    if (get32(label + LABEL_FST_PER_BLOCK) != disk->block_size / FST_SIZE)
        return "the label's entries a block do not fit its block size";
    if (disk->blocks < BLOCKS_MIN || disk->blocks > BLOCKS_MAX)
        return "the label's block count is out of range";
    if ((uint64_t)disk->blocks * (disk->block_size / EDF_SECTOR) > disk->device->sectors)
        return "the label counts more blocks than the device has";
    if (disk->used < BLOCK_FIRST_DATA || disk->used > disk->blocks)
        return "the label's used count is out of range";
    return NULL;
}

enum edf_status edf_label_load(struct edf_disk *disk)
{
    enum edf_status status = find_label(disk);
    if (status)
        return status;
    disk->block_size = get32(disk->label + LABEL_BLOCK_SIZE);
    disk->origin = get32(disk->label + LABEL_ORIGIN);
    disk->blocks = get32(disk->label + LABEL_BLOCKS);
    disk->used = get32(disk->label + LABEL_USED);
    const char *fault = judge(disk);
    return fault ? edf_fail(disk, EDF_DAMAGED, fault, 0) : EDF_OK;
}

static enum edf_status write_label(struct edf_disk *disk, const uint8_t *label)
{
    if (disk->device->write(disk->device->ctx, disk->label_sector, label, 1))
        return edf_fail(disk, EDF_IO, "the device could not write the label", 0);
    return edf_block_flush(disk);
}

enum edf_status edf_label_store(struct edf_disk *disk, uint32_t origin, uint32_t used)
{
    uint8_t label[EDF_SECTOR];
    memcpy(label, disk->label, sizeof label);
    put32(label + LABEL_ORIGIN, origin);
    put32(label + LABEL_USED, used);
    enum edf_status status = write_label(disk, label);
    if (!status) {
        memcpy(disk->label, label, sizeof label);
        return EDF_OK;
    }
    /* The new label may be on the disk all the same. Both states are whole, but we must know which one it is before
     * we reuse a block of the other: put the old one back, or never write again. */
    struct edf_reason reason = disk->reason;
    if (write_label(disk, disk->label)) {
        disk->writable = false;
        disk->fault = "the device failed while a change was committed; access the disk again";
    }
    disk->reason = reason;
    return status;
}
