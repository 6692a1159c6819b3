/* The virtual disks there are, by virtual device number.  The driver room provides them; unit tests bring a fake. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { DISK_SECTOR = 512, DISK_MAX = 26 };

struct disk {
    uint16_t vdev;       /* 0x191 */
    bool read_only;      /* as the device says */
    uint64_t sectors;    /* of 512 bytes */
    uint32_t generation; /* changes when another device takes this place: whoever keeps the pointer compares it */
    void *device;        /* the driver's own; NULL: gone */
};

/* The disk of that number, or NULL.  Looks for devices that have come or gone since it last looked. */
struct disk *cms_disk_find(uint16_t vdev);

/* False: the device has gone, or become another. It is looked for where something may have changed that, and every few
 * milliseconds otherwise. */
bool cms_disk_is_there(struct disk *);
/* Synchronous; 0 or a negative errno: EIO the device's error, ENODEV it is gone, EINVAL beyond its end, EROFS.
 * `count` sectors, at most 2^22; the buffer is memory CMS owns. */
int cms_disk_read(struct disk *disk, uint64_t sector, void *buffer, uint32_t count);
int cms_disk_write(struct disk *disk, uint64_t sector, const void *buffer, uint32_t count);
int cms_disk_flush(struct disk *disk);
