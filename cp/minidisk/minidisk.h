/* A minidisk: an extent of a disk presented as a disk of its own. Nothing outside the extent can be reached through it.
 */
#pragma once
#include <stdint.h>

#include "cp/device/disk.h"
#include "cp/snapshot/snapshot.h"

struct minidisk {
    struct disk disk; /* what the virtual device submits to; its owner is this struct */
    struct disk *volume;
    struct disk_user *user; /* on whose turn its requests are; NULL: nobody's */
    uint64_t first_sector;
    struct snapshot_set *snapshots; /* its requests go by it; NULL: it has none */
    uint32_t view;                  /* which of them it is, or SNAPSHOT_LIVE */
    char name[16];
};

/* `start` and `blocks` count 4 KiB. False when the extent does not lie in the volume.
 * A request is handed on with its sector moved, so the minidisk may go while requests are still under way. */
bool minidisk_init(struct minidisk *, struct disk *volume, const char *name, uint32_t start, uint32_t blocks,
                   bool read_only);
