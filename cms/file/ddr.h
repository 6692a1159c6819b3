/* What the parts of DDR share. */
#pragma once
#include "cms/file/disk_image.h"
#include "cms/file/tape_unit.h"

/* The message for a disk that could not be read or written, and its return code. */
int cms_ddr_failed(const struct disk *disk);
/* Whether the disk may be overwritten with so many sectors: the user is asked. 0 and *goes_on, which says whether they
 * agree, or the return code of the message given. */
int cms_ddr_ask(const struct disk *disk, uint64_t sectors, bool *goes_on);

/* Puts all of an image: 0, or the return code of the message given. */
typedef int image_source(void *context, struct image_out *out);
/* Releases the disk, writes what `copies` puts, tells how much that was, and accesses the disk again if it was. */
int cms_ddr_overwrite(struct disk *disk, uint64_t sectors, image_source *copies, void *context);

/* How many of the sectors are dealt with from `at` on. */
static inline uint32_t ddr_chunk(uint64_t sectors, uint64_t at)
{
    return sectors - at < IMAGE_CHUNK ? (uint32_t)(sectors - at) : IMAGE_CHUNK;
}

int cms_ddr_dump(struct disk *disk, struct tape_unit *unit);
int cms_ddr_restore(struct disk *disk, struct tape_unit *unit);
