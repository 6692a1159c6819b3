/* Disks by DIAGNOSE: no device to be looked for and set up, no interrupt, and one exit for a transfer. */
#include "cms/driver/cp_disk.h"

#include <errno.h>
#include <stddef.h>

#include "cms/cpu/cpu.h"
#include "cms/driver/cp.h"
#include "cms/kernel/frame.h"
#include "cp/diagnose.h"

static struct cp_disk {
    uint64_t number; /* by which CP knows it */
    struct disk disk;
} disks[DISK_MAX];

bool cp_has_disks(void) { return cp_offers(DIAGNOSE_ASSIST_DISK); }

static struct cp_disk *slot_for(uint16_t vdev)
{
    struct cp_disk *unused = NULL;
    for (struct cp_disk *d = disks; d < disks + DISK_MAX; d++) {
        if (d->disk.device && d->disk.vdev == vdev)
            return d;
        if (!d->disk.device && !unused)
            unused = d;
    }
    return unused;
}

void cp_disk_forget(void)
{
    for (struct cp_disk *d = disks; d < disks + DISK_MAX; d++)
        d->disk.device = NULL;
}

struct disk *cp_disk_find(uint16_t vdev)
{
    struct cpu_diagnose d = {.rax = DIAGNOSE_DEVICE, .rbx = vdev};
    struct cp_disk *slot = slot_for(vdev);

    if (!slot)
        return NULL;
    cpu_diagnose(&d);
    if (d.rax != DIAGNOSE_OK) {
        slot->disk.device = NULL;
        return NULL;
    }
    if (!slot->disk.device || slot->number != d.rbx)
        slot->disk = (struct disk){.vdev = vdev, .read_only = d.rdx & 1, .sectors = d.rcx,
                                   .generation = slot->disk.generation + 1, .device = slot};
    slot->number = d.rbx;
    return &slot->disk;
}

static int call(struct disk *disk, enum diagnose_io io, uint64_t sector, uint64_t at, uint32_t count)
{
    const struct cp_disk *slot = disk->device;
    struct cpu_diagnose d = {.rax = DIAGNOSE_BLOCK_IO, .rbx = slot->number, .rcx = sector, .rdx = at, .rsi = count,
                             .rdi = io};

    cp_call(&d);
    if (d.rax == DIAGNOSE_NO_DEVICE)
        disk->device = NULL;
    return d.rax == DIAGNOSE_OK ? 0 : d.rax == DIAGNOSE_NO_DEVICE ? -ENODEV : -EIO;
}

static int transfer(struct disk *disk, enum diagnose_io io, uint64_t sector, uint64_t at, uint32_t count)
{
    int failed = 0;

    for (uint32_t part; !failed && count; count -= part, sector += part, at += part * DISK_SECTOR) {
        part = count < DIAGNOSE_SECTORS_MAX ? count : DIAGNOSE_SECTORS_MAX;
        failed = call(disk, io, sector, at, part);
    }
    return failed;
}

int cp_disk_read(struct disk *disk, uint64_t sector, void *buffer, uint32_t count)
{
    return transfer(disk, DIAGNOSE_IO_READ, sector, cms_physical(buffer), count);
}

int cp_disk_write(struct disk *disk, uint64_t sector, const void *buffer, uint32_t count)
{
    return transfer(disk, DIAGNOSE_IO_WRITE, sector, cms_physical(buffer), count);
}

int cp_disk_flush(struct disk *disk)
{
    return call(disk, DIAGNOSE_IO_FLUSH, 0, 0, 0);
}
