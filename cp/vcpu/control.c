/* Owns accesses to control registers and XCR0. CP owns CR0.NE, CD and NW (guests run cached whatever they ask for),
 * CR4.VMXE and MCE; the other bits the guest writes without an exit, so that what arrives here is a write that changes
 * one of CP's, or of a bit that CPUID does not offer. SDM "Control Registers". */
#include <stddef.h>

#include "cp/vcpu/backend.h"
#include "cp/vcpu/breakpoint.h"
#include "cp/vcpu/context.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"
#include "vmcs-shadow/control.h"

enum { ACCESS_TO_CR, ACCESS_FROM_CR, ACCESS_CLTS, ACCESS_LMSW, LMSW_MEMORY = 1 << 6 };
#define CR0_WRITABLE 0xE005003Full
#define CR4_FLUSHES (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP)
#define CR4_RELOADS (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP)

/* The four entries of PAE paging, which the processor holds in registers (and EPT takes from the VMCS). -1: a reserved
 * bit. */
static int load_pdptes(struct vm *vm)
{
    static const enum vmcs_field fields[4] = {VMCS_GUEST_PDPTE0, VMCS_GUEST_PDPTE1, VMCS_GUEST_PDPTE2,
                                              VMCS_GUEST_PDPTE3};
    uint64_t entry[4];
    uint64_t accessed = cpuid_marks_pdptes ? PDPTE_ACCESSED : 0;
    uint64_t reserved = (0x1E6 & ~accessed) | ~((1ull << cpuid_physical_bits()) - 1);

    uint64_t at = vcpu_read(&vm->vcpu, VMCS_GUEST_CR3) & 0xFFFFFFE0u;

    if (!nested_translate(&vm->vcpu, &at, false) || guest_read(&vm->storage, gpa(at), entry, sizeof entry) != GUEST_OK)
        return -1;
    for (unsigned i = 0; i < 4; i++)
        if ((entry[i] & 1) && (entry[i] & reserved))
            return -1;
    for (unsigned i = 0; i < 4; i++)
        vcpu_write(&vm->vcpu, fields[i], entry[i] & ~accessed);
    return 0;
}

static void set_long_mode(struct vcpu *vcpu, bool on)
{
    uint64_t efer = vcpu_read(vcpu, VMCS_GUEST_EFER), entry = vcpu_read(vcpu, VMCS_ENTRY_CONTROLS);

    vcpu_write(vcpu, VMCS_GUEST_EFER, on ? efer | EFER_LMA : efer & ~EFER_LMA);
    vcpu_write(vcpu, VMCS_ENTRY_CONTROLS, on ? entry | ENTRY_LONG_MODE : entry & ~(uint64_t)ENTRY_LONG_MODE);
}

static bool cr0_valid(struct vcpu *vcpu, uint64_t value, uint64_t cr4)
{
    uint64_t efer = vcpu_read(vcpu, VMCS_GUEST_EFER);
    bool turns_on = (value & CR0_PG) && !(vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_PG);

    if (value >> 32 || ((value & CR0_NW) && !(value & CR0_CD)) || ((value & CR0_PG) && !(value & CR0_PE)))
        return false;
    if (turns_on && (efer & EFER_LME) &&
        (!(cr4 & CR4_PAE) || (vcpu_read(vcpu, VMCS_GUEST_CS_ACCESS_RIGHTS) >> 13 & 1)))
        return false;
    return (value & CR0_PG) || (!(cr4 & CR4_PCIDE) && !registers_long_mode(vcpu));
}

static void cr_store(struct vm *vm, unsigned number, uint64_t value)
{
    struct nest_cr cr = nested_cr(vm, number, value);

    vcpu_write(&vm->vcpu, number ? VMCS_GUEST_CR4 : VMCS_GUEST_CR0, cr.real);
    vcpu_write(&vm->vcpu, number ? VMCS_CR4_SHADOW : VMCS_CR0_SHADOW, cr.shadow);
}

static enum exit_action write_cr0(struct vm *vm, uint64_t value)
{
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t cr4 = vcpu_read(vcpu, VMCS_GUEST_CR4), old = vcpu_read(vcpu, VMCS_GUEST_CR0);

    value = (value & CR0_WRITABLE) | (value & ~0xFFFFFFFFull) | CR0_ET;
    uint64_t merged = nested_merged_cr(vm, 0, value);
    if (!cr0_valid(vcpu, merged, cr4) || !nested_allows_cr(vm, 0, value))
        return exit_fault(vm, VECTOR_GP, 0);
    bool paging_changes = (merged ^ old) & CR0_PG;
    bool long_mode = vcpu_read(vcpu, VMCS_GUEST_EFER) & EFER_LME;
    if ((merged & CR0_PG) && !long_mode && (cr4 & CR4_PAE) && load_pdptes(vm))
        return exit_fault(vm, VECTOR_GP, 0);
    if (paging_changes && long_mode)
        set_long_mode(vcpu, merged & CR0_PG);
    cr_store(vm, 0, value);
    if ((merged ^ old) & (CR0_PG | CR0_WP | CR0_PE))
        cpu_backend->flush_linear(vcpu);
    return EXIT_SKIP;
}

static enum exit_action write_cr4(struct vm *vm, uint64_t value)
{
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t old = vcpu_read(vcpu, VMCS_GUEST_CR4), cr0 = vcpu_read(vcpu, VMCS_GUEST_CR0);
    uint64_t merged = nested_merged_cr(vm, 4, value), own = merged & ~value & old; /* no bit the guest sets anew */
    bool long_mode = vcpu_read(vcpu, VMCS_GUEST_EFER) & EFER_LMA;

    if ((merged & ~own & ~cpuid_cr4_allowed(vm)) || (long_mode && !(merged & CR4_PAE)))
        return exit_fault(vm, VECTOR_GP, 0);
    if ((merged & ~old & CR4_PCIDE) && (!long_mode || (vcpu_read(vcpu, VMCS_GUEST_CR3) & PAGE_MASK)))
        return exit_fault(vm, VECTOR_GP, 0);
    if (!nested_allows_cr(vm, 4, value))
        return exit_fault(vm, VECTOR_GP, 0);
    bool pae = (cr0 & CR0_PG) && (merged & CR4_PAE) && !long_mode;
    if (pae && ((merged ^ old) & CR4_RELOADS) && load_pdptes(vm))
        return exit_fault(vm, VECTOR_GP, 0);
    cr_store(vm, 4, value);
    if ((merged ^ old) & CR4_FLUSHES)
        cpu_backend->flush_linear(vcpu);
    return EXIT_SKIP;
}

static uint64_t gpr_read(struct vcpu *vcpu, unsigned reg)
{
    uint64_t value = reg == RSP ? vcpu_read(vcpu, VMCS_GUEST_RSP) : vcpu->gpr[reg];
    return registers_long_mode(vcpu) ? value : (uint32_t)value;
}

static void gpr_write(struct vcpu *vcpu, unsigned reg, uint64_t value)
{
    if (reg == RSP)
        vcpu_write(vcpu, VMCS_GUEST_RSP, value);
    else
        vcpu->gpr[reg] = value;
}

static enum exit_action write_cr8(struct vm *vm, uint64_t value)
{
    if (value > 15)
        return exit_fault(vm, VECTOR_GP, 0);
    lapic_write_cr8(&vm->machine.lapic, (unsigned)value);
    return EXIT_SKIP;
}

static enum exit_action move_to(struct vm *vm, unsigned cr, uint64_t value)
{
    switch (cr) {
    case 0:
        return write_cr0(vm, value);
    case 4:
        return write_cr4(vm, value);
    case 8:
        return write_cr8(vm, value);
    }
    return exit_undefined(vm);
}

/* The low four bits, and PE cannot be cleared. */
enum exit_action exit_status_word(struct vm *vm, uint64_t word)
{
    uint64_t old = registers_cr0(&vm->vcpu);
    enum exit_action action = write_cr0(vm, (old & ~0xEull) | (word & 0xF) | (old & CR0_PE));

    return action == EXIT_SKIP ? exit_done(&vm->vcpu) : action;
}

static enum exit_action load_status_word(struct vm *vm, uint64_t qualification)
{
    struct vcpu *vcpu = &vm->vcpu;

    vcpu->breakpoints_met = 0;
    if (qualification & LMSW_MEMORY)
        breakpoint_note(vcpu, BREAKPOINT_READ, vcpu_read(vcpu, VMCS_GUEST_LINEAR_ADDRESS), sizeof(uint16_t));
    return exit_status_word(vm, qualification >> 16);
}

/* SDM "Exit Qualification for Control-Register Accesses" */
enum exit_action exit_cr_access(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t q = vcpu->exit.qualification;
    unsigned cr = q & 15, reg = q >> 8 & 15;

    switch (q >> 4 & 3) {
    case ACCESS_TO_CR:
        return move_to(vm, cr, gpr_read(vcpu, reg));
    case ACCESS_FROM_CR:
        gpr_write(vcpu, reg, lapic_read_cr8(&vm->machine.lapic));
        return EXIT_SKIP;
    case ACCESS_CLTS:
        return write_cr0(vm, registers_cr0(vcpu) & ~CR0_TS);
    default:
        return load_status_word(vm, q);
    }
}

enum exit_action exit_xsetbv(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t value = vcpu->gpr[RDX] << 32 | (uint32_t)vcpu->gpr[RAX];

    if ((uint32_t)vcpu->gpr[RCX] || !cpuid_xcr0_valid(value))
        return exit_fault(vm, VECTOR_GP, 0);
    context_set_xcr0(vcpu, value);
    return EXIT_SKIP;
}
