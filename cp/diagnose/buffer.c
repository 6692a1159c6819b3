/* In: addresses and lengths of a guest's. Out: whether they are storage, and that it is there. */
#include "cp/diagnose/buffer.h"

#include <string.h>

bool diagnose_in_ram(struct vm *vm, uint64_t at, uint64_t bytes)
{
    uint64_t end = at + bytes;
    if (end < at)
        return false;
    for (uint64_t page = at & ~(uint64_t)PAGE_MASK; page < end; page += PAGE_SIZE)
        if (!guest_is_ram(&vm->storage, gpa(page)))
            return false;
    return true;
}

enum diagnose_status diagnose_of_access(enum guest_access access)
{
    return access == GUEST_OK ? DIAGNOSE_OK : access == GUEST_NO_FRAMES ? DIAGNOSE_BUSY : DIAGNOSE_BAD_ADDRESS;
}

enum guest_access diagnose_touch(struct vm *vm, uint64_t at, uint64_t bytes)
{
    enum guest_access why = GUEST_OK;
    for (uint64_t page = at & ~(uint64_t)PAGE_MASK; !why && page < at + bytes; page += PAGE_SIZE)
        why = guest_bring_in_private(&vm->storage, gpa(page));
    return why;
}

void diagnose_pad(char *out, unsigned size, const char *text)
{
    memset(out, ' ', size);
    memcpy(out, text, strnlen(text, size));
}
