/* A whole disk as it is copied: written so that it is a CMS disk only when all of it is there. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/kernel/disk.h"

enum { IMAGE_CHUNK = 64, IMAGE_BYTES = IMAGE_CHUNK * DISK_SECTOR };

struct image_out {
    struct disk *disk;
    uint64_t next;    /* sectors before it are written, or held */
    uint64_t nonzero; /* sectors */
    uint8_t held[IMAGE_BYTES]; /* the first ones, which hold a label: written last */
    uint8_t zeros[IMAGE_BYTES];
};

/* The first sectors are zero from now on. Each answers 0 or a negative errno. */
int cms_image_begin(struct image_out *out, struct disk *disk);
/* `count` sectors, at most IMAGE_CHUNK, from `sector` on, which is not before the last ones; between them are zeros. */
int cms_image_put(struct image_out *out, uint64_t sector, const uint8_t *data, uint32_t count);
/* Zeros up to `sectors`, then the first sectors; a CMS label as the very last. */
int cms_image_end(struct image_out *out, uint64_t sectors);
/* All of them zero? */
bool cms_image_is_zero(const uint8_t *data, size_t bytes);
