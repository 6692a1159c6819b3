/* Virtual disks by virtio; the terms are those of cms/kernel/disk.h. */
#pragma once
#include "cms/kernel/disk.h"

struct disk *virtio_blk_find(uint16_t vdev);
/* @pre the range lies within the disk */
int virtio_blk_read(struct disk *, uint64_t sector, void *buffer, uint32_t count);
int virtio_blk_write(struct disk *, uint64_t sector, const void *buffer, uint32_t count);
int virtio_blk_flush(struct disk *);
