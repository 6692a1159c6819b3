/* Virtual disks by CP's calls; the terms are those of cms/kernel/disk.h. */
#pragma once
#include "cms/kernel/disk.h"

bool cp_has_disks(void);
void cp_disk_forget(void); /* whatever was found is another machine's */
struct disk *cp_disk_find(uint16_t vdev);
/* @pre the range lies within the disk */
int cp_disk_read(struct disk *, uint64_t sector, void *buffer, uint32_t count);
int cp_disk_write(struct disk *, uint64_t sector, const void *buffer, uint32_t count);
int cp_disk_flush(struct disk *);
