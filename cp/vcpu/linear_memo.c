/* Keeps, for a few pages, the entries a walk of the guest's page tables used and what was in them. */
#include "cp/vcpu/linear_memo.h"

#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"

enum { LEVELS = 4, ENTRY_LARGE = 0x80 };
#define ENTRY_ADDRESS 0x000FFFFFFFFFF000ull

static struct nest_memo *place(struct vm *vm, uint64_t linear)
{
    return &vm->vcpu.nest->memos[linear >> PAGE_SHIFT & (NEST_MEMOS - 1)];
}

bool linear_memo_find(struct vm *vm, uint64_t linear, enum nest_access access, uint64_t *to)
{
    const struct nest_memo *memo = place(vm, linear);

    if (memo->page != linear >> PAGE_SHIFT || !memo->used || memo->access != access ||
        vcpu_read(&vm->vcpu, VMCS_GUEST_CR3) != memo->cr3 || vcpu_read(&vm->vcpu, VMCS_GUEST_CR0) != memo->cr0 ||
        vcpu_read(&vm->vcpu, VMCS_GUEST_CR4) != memo->cr4)
        return false;
    for (unsigned i = 0; i < memo->used; i++)
        if (*memo->entries[i] != memo->values[i])
            return false;
    *to = memo->gpa | (linear & PAGE_MASK);
    return true;
}

const void *linear_memo_view(struct vm *vm, uint64_t linear, unsigned bytes)
{
    const struct nest_memo *memo = place(vm, linear);

    if (memo->page != linear >> PAGE_SHIFT || !memo->used || memo->access != NEST_READ ||
        (linear & PAGE_MASK) + bytes > PAGE_SIZE || vcpu_read(&vm->vcpu, VMCS_GUEST_CR3) != memo->cr3 ||
        vcpu_read(&vm->vcpu, VMCS_GUEST_CR4) != memo->cr4)
        return NULL;
    for (unsigned i = 0; i < memo->used; i++)
        if (*memo->entries[i] != memo->values[i])
            return NULL;
    return memo->at ? (const char *)memo->at + (linear & PAGE_MASK) : NULL;
}

/* The walk was just made with success: its accessed and dirty bits are set. */
void linear_memo_keep(struct vm *vm, uint64_t linear, enum nest_access access, uint64_t to)
{
    struct nest_memo *memo = place(vm, linear);
    uint64_t cr4 = vcpu_read(&vm->vcpu, VMCS_GUEST_CR4), cr3 = vcpu_read(&vm->vcpu, VMCS_GUEST_CR3);
    uint64_t table = cr3 & ENTRY_ADDRESS;

    memo->used = 0;
    if (!(vcpu_read(&vm->vcpu, VMCS_GUEST_EFER) & EFER_LMA) || (cr4 & CR4_SMAP)) /* SMAP: RFLAGS.AC would count too */
        return;
    for (unsigned level = LEVELS; level; level--) {
        uint64_t at = table + (linear >> (PAGE_SHIFT + 9 * (level - 1)) & 511) * 8;
        const uint64_t *entry = guest_private(&vm->storage, gpa(at), NULL);
        if (!entry)
            return;
        memo->entries[LEVELS - level] = entry;
        memo->values[LEVELS - level] = *entry;
        table = *entry & ENTRY_ADDRESS;
        if (level == 1 || (level < LEVELS && (*entry & ENTRY_LARGE))) {
            *memo = (struct nest_memo){.page = linear >> PAGE_SHIFT, .cr0 = vcpu_read(&vm->vcpu, VMCS_GUEST_CR0),
                .cr3 = cr3, .cr4 = cr4, .gpa = to & ~(uint64_t)PAGE_MASK,
                .at = guest_private(&vm->storage, gpa(to & ~(uint64_t)PAGE_MASK), NULL),
                .used = (uint8_t)(LEVELS - level + 1), .access = (uint8_t)access,
                .entries = {memo->entries[0], memo->entries[1], memo->entries[2], memo->entries[3]},
                .values = {memo->values[0], memo->values[1], memo->values[2], memo->values[3]}};
            return;
        }
    }
}
