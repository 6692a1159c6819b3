/* DIAGNOSE of disks. In: a guest's numbers and buffers. Out: requests of its disks, and how they ended. */
#include "cp/diagnose/disk.h"

#include "cp/diagnose/buffer.h"
#include "cp/session/obey.h"

_Static_assert((int)DIAGNOSE_IO_READ == (int)DISK_READ && (int)DIAGNOSE_IO_WRITE == (int)DISK_WRITE &&
                   (int)DIAGNOSE_IO_FLUSH == (int)DISK_FLUSH,
               "the contract's words are the disk's");

uint64_t diagnose_device(struct vm *vm)
{
    uint64_t *gpr = vm->vcpu.gpr;
    struct machine_disk disk;
    if (gpr[RBX] > UINT16_MAX || !machine_disk_facts(&vm->machine, (unsigned)gpr[RBX], &disk))
        return DIAGNOSE_NO_DEVICE;
    gpr[RBX] = disk.number;
    gpr[RCX] = disk.sectors;
    gpr[RDX] = disk.read_only;
    return DIAGNOSE_OK;
}

static enum diagnose_status status_of(unsigned error)
{
    switch (error) {
    case 0: return DIAGNOSE_OK;
    case EINVAL: return DIAGNOSE_BAD_LENGTH;
    case EROFS: return DIAGNOSE_READ_ONLY;
    case EBUSY: return DIAGNOSE_BUSY;
    case ENODEV: return DIAGNOSE_NO_DEVICE;
    default: return DIAGNOSE_IO_ERROR;
    }
}

uint64_t diagnose_block_io(struct vm *vm)
{
    const uint64_t *gpr = vm->vcpu.gpr;
    uint64_t bytes = gpr[RSI] * DISK_SECTOR_BYTES;
    if (gpr[RDI] > DIAGNOSE_IO_FLUSH)
        return DIAGNOSE_BAD_CODE;
    if (gpr[RDI] != DIAGNOSE_IO_FLUSH) {
        if (!gpr[RSI] || gpr[RSI] > DIAGNOSE_SECTORS_MAX)
            return DIAGNOSE_BAD_LENGTH;
        if (!diagnose_in_ram(vm, gpr[RDX], bytes))
            return DIAGNOSE_BAD_ADDRESS;
    }
    int failed = machine_disk_call(&vm->machine, gpr[RBX], (enum disk_op)gpr[RDI], gpr[RCX], gpa(gpr[RDX]), bytes);
    if (!failed)
        vm_hold(vm);
    return status_of((unsigned)-failed);
}

uint64_t diagnose_called(struct vm *vm, unsigned error) { return (void)vm, status_of(error); }
