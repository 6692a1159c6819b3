/* Virtual disks the way that costs least: by CP's calls where it offers them, else by their device. */
#include "cms/kernel/disk.h"

#include <errno.h>
#include <stddef.h>

#include "cms/driver/change.h"
#include "cms/driver/cp_disk.h"
#include "cms/driver/virtio_blk.h"
#include "cms/kernel/clock.h"

enum { SECTORS_MAX = 1 << 22 };

struct disk *cms_disk_find(uint16_t vdev)
{
    return cp_has_disks() ? cp_disk_find(vdev) : virtio_blk_find(vdev);
}

static int judge(const struct disk *disk, uint64_t sector, uint32_t count)
{
    if (!disk->device)
        return -ENODEV;
    return !count || count > SECTORS_MAX || sector > disk->sectors || count > disk->sectors - sector ? -EINVAL : 0;
}

int cms_disk_read(struct disk *disk, uint64_t sector, void *buffer, uint32_t count)
{
    int wrong = judge(disk, sector, count);
    return wrong            ? wrong
           : cp_has_disks() ? cp_disk_read(disk, sector, buffer, count)
                            : virtio_blk_read(disk, sector, buffer, count);
}

int cms_disk_write(struct disk *disk, uint64_t sector, const void *buffer, uint32_t count)
{
    int wrong = disk->read_only ? -EROFS : judge(disk, sector, count);
    return wrong            ? wrong
           : cp_has_disks() ? cp_disk_write(disk, sector, buffer, count)
                            : virtio_blk_write(disk, sector, buffer, count);
}

bool cms_disk_is_there(struct disk *disk)
{
    enum { LOOK_EVERY = 10000000 }; /* ns */
    static uint32_t changes;
    static uint64_t looked;
    static const struct disk *of;
    uint64_t now = cms_clock_ns();

    if (!disk->device)
        return false;
    if (of == disk && changes == change_count && now - looked < LOOK_EVERY)
        return true;
    uint32_t generation = disk->generation;
    bool found = cms_disk_find(disk->vdev) == disk && disk->generation == generation;
    of = found ? disk : NULL;
    changes = change_count;
    looked = now;
    return found;
}

int cms_disk_flush(struct disk *disk)
{
    return !disk->device ? -ENODEV : cp_has_disks() ? cp_disk_flush(disk) : virtio_blk_flush(disk);
}
