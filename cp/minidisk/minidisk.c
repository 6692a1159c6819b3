/* Minidisks. In: requests in a minidisk's own sectors. Out: the same requests in the volume's. */
#include "cp/minidisk/minidisk.h"

#include <errno.h>
#include <string.h>

enum { SECTORS_A_BLOCK = 4096 / DISK_SECTOR_BYTES };

static int submit(struct disk *disk, struct disk_request *request)
{
    struct minidisk *m = disk->owner;
    int why = disk_request_check(disk, request);
    if (why)
        return why;
    request->user = m->user;
    if (m->snapshots)
        return snapshot_submit(m->snapshots, m->view, request);
    if (request->op == DISK_FLUSH)
        return m->volume->submit(m->volume, request);
    request->sector += m->first_sector;
    why = m->volume->submit(m->volume, request);
    if (why)
        request->sector -= m->first_sector;
    return why;
}

bool minidisk_init(struct minidisk *m, struct disk *volume, const char *name, uint32_t start, uint32_t blocks,
                   bool read_only)
{
    uint64_t first = (uint64_t)start * SECTORS_A_BLOCK, sectors = (uint64_t)blocks * SECTORS_A_BLOCK;
    if (!blocks || first + sectors > volume->sectors)
        return false;
    memset(m, 0, sizeof *m);
    memcpy(m->name, name, strnlen(name, sizeof m->name - 1));
    m->volume = volume;
    m->first_sector = first;
    m->disk = (struct disk){
        .name = m->name, .sectors = sectors, .read_only = read_only || volume->read_only, .submit = submit, .owner = m};
    return true;
}
