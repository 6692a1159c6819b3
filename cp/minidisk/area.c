/* Areas of CP's own. In: the directory in force, the volume. Out: disks. */
#include "cp/minidisk/area.h"

#include "cp/directory/load.h"
#include "cp/minidisk/link.h"
#include "cp/minidisk/minidisk.h"

struct disk *area_open(enum directory_area area)
{
    static struct minidisk opened[AREAS];
    static struct disk_user turns[AREAS];
    const struct directory_range *range = &directory.area[area];
    struct minidisk *m = &opened[area];
    if (!link_volume ||
        !minidisk_init(m, link_volume, directory_area_names[area], range->start, range->blocks, false))
        return NULL;
    m->user = &turns[area];
    return &m->disk;
}
