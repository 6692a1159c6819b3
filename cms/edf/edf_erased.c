/* Erasing a file when there is no free block to commit it with: disks that others filled to the last block.
 *
 * One sector is written wholly or not at all, so the file's entry is changed where it lies: its name becomes that of an
 * erased file, which nobody lists or opens. All else stands, map and label too, so a cut before or after leaves the old
 * state or the new one, and to those who know nothing of it the blocks are still taken. From then on what the erased
 * file's data blocks hold does not matter, and commits may use them; each removes the entries of all erased files. If
 * they are too few, they wait until more files have been erased, also while the disk is not accessed. */
#include "cms/edf/edf_internal.h"

static enum edf_status write_entry(struct edf_disk *disk, uint32_t index)
{
    uint32_t offset = index * FST_SIZE / EDF_SECTOR * EDF_SECTOR;
    uint32_t block = disk->where[offset / disk->block_size];
    enum edf_status status = edf_block_write_sector(disk, block, offset % disk->block_size, disk->entries + offset);
    return status ? status : edf_block_flush(disk);
}

enum edf_status edf_erase_in_place(struct edf_disk *disk, uint32_t index)
{
    uint8_t *entry = directory_entry(disk, index), old[FST_SIZE];
    memcpy(old, entry, sizeof old);
    edf_fst_put_erased(entry);
    enum edf_status status = write_entry(disk, index);
    if (!status) {
        disk->erased++;
        edf_commit_change(disk, &(struct change){0}); /* fails if there are still too few */
        return EDF_OK;
    }
    struct edf_reason reason = disk->reason;
    memcpy(entry, old, sizeof old);
    if (write_entry(disk, index)) {
        disk->writable = false;
        disk->fault = "the device failed while a file was erased; access the disk again";
    }
    disk->reason = reason;
    return status;
}
