/* A walk of the guest's page tables costs more than all else an exit does. What the last one went through is kept, and
 * serves as long as every entry of it is what it was: a guest exits many times from the same few pages. */
#include "cp/cpu/svm_code.h"

#include "cp/cpu/svm_carry.h"
#include "cp/vcpu/linear.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/vm.h"

enum { LEVELS = 4, RIGHTS_LONG = 1 << 9, ENTRY_LARGE = 0x80 };
#define ENTRY_ADDRESS 0x000FFFFFFFFFF000ull
#define CR4_LA57 (1ull << 12)

/* 64-bit code and four levels, as most guests run. */
static bool is_usual(const struct vmcb *vmcb)
{
    return (vmcb->efer & EFER_LMA) && (vmcb->cs.rights & RIGHTS_LONG) && !(vmcb->cr4 & CR4_LA57);
}

static bool is_known(const struct svm_code_page *known, const struct vmcb *vmcb)
{
    if (known->page != vmcb->rip >> PAGE_SHIFT || !known->used || known->cr3 != vmcb->cr3 || known->cr4 != vmcb->cr4 ||
        known->cr0 != vmcb->cr0 || !is_usual(vmcb) || (vmcb->rip & PAGE_MASK) > PAGE_SIZE - INSTRUCTION_MAX_BYTES)
        return false;
    for (unsigned i = 0; i < known->used; i++)
        if (*known->entry[i] != known->value[i])
            return false;
    return true;
}

/* The walk was just made with success. */
static void keep(struct vcpu *vcpu, const struct vmcb *vmcb, struct svm_code_page *known)
{
    uint64_t table = vmcb->cr3 & ENTRY_ADDRESS, page = vmcb->rip >> PAGE_SHIFT;
    const struct svm_code_page now = {.page = page, .cr0 = vmcb->cr0, .cr3 = vmcb->cr3, .cr4 = vmcb->cr4};

    *known = now;
    for (unsigned level = LEVELS; is_usual(vmcb) && level; level--) {
        unsigned n = LEVELS - level, shift = 9 * (level - 1);
        const uint64_t *entry =
            guest_pointer(&vcpu->vm->storage, gpa(table + (page >> shift & 511) * sizeof *entry), NULL);
        if (!entry)
            return;
        known->entry[n] = entry;
        known->value[n] = *entry;
        table = *entry & ENTRY_ADDRESS;
        if (level > 1 && (level == LEVELS || !(*entry & ENTRY_LARGE)))
            continue;
        uint64_t within = page & ((1ull << shift) - 1); /* the 4 KiB page of a large one */
        uint64_t first = table & ~(((1ull << shift) - 1) << PAGE_SHIFT);
        known->bytes = guest_pointer(&vcpu->vm->storage, gpa(first + (within << PAGE_SHIFT)), NULL);
        known->used = known->bytes ? n + 1 : 0;
        return;
    }
}

static void read_bytes(struct vcpu *vcpu, const struct vmcb *vmcb, struct svm_code *code)
{
    uint64_t at = svm_segment_base(vcpu, SEGMENT_CS) + vmcb->rip, where;
    size_t first = PAGE_SIZE - (at & PAGE_MASK);
    uint32_t error;

    if (first > INSTRUCTION_MAX_BYTES)
        first = INSTRUCTION_MAX_BYTES;
    code->mode = (enum decode_mode)registers_code_size(vcpu);
    if (linear_read(vcpu, at, code->bytes, first, LINEAR_FETCH, &where, &error))
        return;
    code->count = first;
    size_t left = INSTRUCTION_MAX_BYTES - first;
    if (left && !linear_read(vcpu, at + first, code->bytes + first, left, LINEAR_FETCH, &where, &error))
        code->count = INSTRUCTION_MAX_BYTES;
}

void svm_code_fetch(struct vcpu *vcpu, const struct vmcb *vmcb, struct svm_code *code)
{
    struct svm_vcpu *own = vcpu->backend;

    if (own->active == &own->first && is_known(&own->code, vmcb)) {
        __builtin_memcpy(code->bytes, own->code.bytes + (vmcb->rip & PAGE_MASK), INSTRUCTION_MAX_BYTES); /* no call */
        code->count = INSTRUCTION_MAX_BYTES;
        code->mode = DECODE_64;
        return;
    }
    read_bytes(vcpu, vmcb, code);
    if (own->active == &own->first && code->count == INSTRUCTION_MAX_BYTES)
        keep(vcpu, vmcb, &own->code);
}
