/* DIAGNOSE X'100'. In: where a guest says a kernel is. Out: a machine for it, noted. */
#include "cp/diagnose/machine.h"

#include "cp/diagnose/buffer.h"
#include "cp/session/session.h"

_Static_assert((int)DIAGNOSE_LINE_MAX <= (int)STACK_LINE, "what may be asked for is kept");

static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

uint64_t diagnose_machine(struct vm *vm)
{
    const uint64_t *gpr = vm->vcpu.gpr;
    uint64_t at = gpr[RBX], bytes = gpr[RCX], length = gpr[RSI];
    char line[DIAGNOSE_LINE_MAX + 1];
    if (machine_forbids(&vm->config, "MACHINE"))
        return DIAGNOSE_NOT_OFFERED;
    if (!bytes || bytes > DIAGNOSE_IMAGE_MAX || !length || length > DIAGNOSE_LINE_MAX)
        return DIAGNOSE_BAD_LENGTH;
    if (!diagnose_in_ram(vm, at, 1) || !diagnose_in_ram(vm, at + bytes - 1, 1) ||
        !diagnose_in_ram(vm, gpr[RDX], length))
        return DIAGNOSE_BAD_ADDRESS;
    enum guest_access access = guest_read(&vm->storage, gpa(gpr[RDX]), line, length);
    if (access != GUEST_OK)
        return diagnose_of_access(access);
    line[length] = 0;
    if (!is_plain(line, length))
        return DIAGNOSE_BAD_LENGTH;
    if (!stack_room(vm->session))
        return DIAGNOSE_NO_MACHINE;
    return stack_note_begin(vm->session, at, bytes, line) ? DIAGNOSE_OK : DIAGNOSE_BUSY;
}
