/* Whole disks, sector by sector. */
#include "cms/file/disk_image.h"

#include <string.h>

static const uint8_t label[4] = {0xc3, 0xd4, 0xe2, 0xf1}; /* CMS1 */

bool cms_image_is_zero(const uint8_t *data, size_t bytes)
{
    return !bytes || (!data[0] && !memcmp(data, data + 1, bytes - 1));
}

static uint32_t held_sectors(const struct image_out *out)
{
    return out->disk->sectors < IMAGE_CHUNK ? (uint32_t)out->disk->sectors : IMAGE_CHUNK;
}

static int write_held(struct image_out *out, const uint8_t *data)
{
    int rc = cms_disk_write(out->disk, 0, data, held_sectors(out));
    return rc ? rc : cms_disk_flush(out->disk);
}

int cms_image_begin(struct image_out *out, struct disk *disk)
{
    memset(out, 0, sizeof *out);
    out->disk = disk;
    return write_held(out, out->zeros);
}

/* One sector, to where it is kept. */
static void hold(struct image_out *out, uint64_t sector, const uint8_t *data)
{
    memcpy(out->held + sector * DISK_SECTOR, data, DISK_SECTOR);
}

static int write(struct image_out *out, const uint8_t *data, uint32_t count)
{
    for (; count && out->next < IMAGE_CHUNK; count--, data += DISK_SECTOR)
        hold(out, out->next++, data);
    int rc = count ? cms_disk_write(out->disk, out->next, data, count) : 0;
    out->next += count;
    return rc;
}

static int fill(struct image_out *out, uint64_t sector)
{
    int rc = 0;
    while (!rc && out->next < sector) {
        uint64_t left = sector - out->next;
        rc = write(out, out->zeros, left < IMAGE_CHUNK ? (uint32_t)left : IMAGE_CHUNK);
    }
    return rc;
}

int cms_image_put(struct image_out *out, uint64_t sector, const uint8_t *data, uint32_t count)
{
    int rc = fill(out, sector);
    for (uint32_t i = 0; i < count; i++)
        out->nonzero += !cms_image_is_zero(data + (size_t)i * DISK_SECTOR, DISK_SECTOR);
    return rc ? rc : write(out, data, count);
}

int cms_image_end(struct image_out *out, uint64_t sectors)
{
    uint8_t last[DISK_SECTOR];
    uint32_t at = 0;
    int rc = fill(out, sectors);
    if (!rc)
        rc = cms_disk_flush(out->disk);
    if (rc)
        return rc;
    while (at < held_sectors(out) - 1 && memcmp(out->held + at * DISK_SECTOR, label, sizeof label))
        at++;
    memcpy(last, out->held + at * DISK_SECTOR, DISK_SECTOR);
    hold(out, at, out->zeros);
    rc = write_held(out, out->held);
    if (!rc)
        rc = cms_disk_write(out->disk, at, last, 1);
    return rc ? rc : cms_disk_flush(out->disk);
}
