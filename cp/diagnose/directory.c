/* DIAGNOSE of the directory. In: bytes of a new one. Out: bytes of the one in force. */
#include "cp/diagnose/directory.h"

#include "cp/diagnose/buffer.h"
#include "cp/directory/load.h"
#include "cp/session/replace.h"
#include "cp/session/session.h"

static uint64_t get(struct vm *vm)
{
    const struct directory_source *source = &directory_source;
    uint64_t *gpr = vm->vcpu.gpr, offset = gpr[RSI], bytes = gpr[RCX];
    if (!source->blob)
        return DIAGNOSE_NO_DIRECTORY;
    uint64_t left = offset < source->bytes ? source->bytes - offset : 0;
    if (bytes > left)
        bytes = left;
    enum guest_access access =
        bytes ? guest_write(&vm->storage, gpa(gpr[RBX]), (const uint8_t *)source->blob + offset, bytes) : GUEST_OK;
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    gpr[RBX] = source->bytes;
    gpr[RCX] = bytes;
    gpr[RDX] = directory_changes;
    return DIAGNOSE_OK;
}

static uint64_t put(struct vm *vm)
{
    static const uint64_t status[] = {
        [REPLACE_TAKEN] = DIAGNOSE_OK,
        [REPLACE_BUSY] = DIAGNOSE_BUSY,
        [REPLACE_MISPLACED] = DIAGNOSE_NO_DIRECTORY,
        [REPLACE_TOO_LONG] = DIAGNOSE_BAD_LENGTH,
    };
    static uint8_t bytes[DIAGNOSE_DIRECTORY_MAX]; /* one call at a time */
    const uint64_t *gpr = vm->vcpu.gpr;
    enum guest_access access = guest_read(&vm->storage, gpa(gpr[RBX]), bytes, gpr[RCX]);
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    return status[replace_put(vm->session, gpr[RSI], bytes, (uint32_t)gpr[RCX])];
}

uint64_t diagnose_directory(struct vm *vm)
{
    const uint64_t *gpr = vm->vcpu.gpr;
    if (!(vm->session->user->classes & CLASS('B')))
        return DIAGNOSE_NO_CLASS;
    if (!gpr[RCX] || gpr[RCX] > DIAGNOSE_DIRECTORY_MAX || gpr[RDX] > DIAGNOSE_DIRECTORY_PUT)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, gpr[RBX], gpr[RCX]))
        return DIAGNOSE_BAD_ADDRESS;
    return gpr[RDX] == DIAGNOSE_DIRECTORY_GET ? get(vm) : put(vm);
}
