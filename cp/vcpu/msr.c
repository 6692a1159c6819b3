/* Owns what RDMSR and WRMSR do in a virtual machine, for the MSRs the hardware does not serve by itself: a table of
 * rows. What is not in the table is #GP(0). SDM "Model-Specific Registers (MSRs)". */
#include <stdbool.h>
#include <stddef.h>

#include "cp/vcpu/backend.h"
#include "cp/vcpu/clock_page.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/edge.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/speculation.h"

typedef int msr_read(struct vm *, uint32_t msr, uint64_t *value); /* 0, or -1: #GP(0) */
typedef int msr_write(struct vm *, uint32_t msr, uint64_t value);

struct msr_row {
    msr_read *read;
    msr_write *write;
    uint64_t value; /* for read_value */
};

enum { MSR_MCG_CAP = 0x179, MSR_MCG_STATUS, MCG_STATUS_BITS = 7 };
enum { MTRR_DEFAULT_FLAGS = 1 << 11 | 1 << 10 };
enum { MISC_FAST_STRINGS = 1, MISC_NO_BRANCH_TRACE = 1 << 11, MISC_NO_SAMPLING = 1 << 12 };
#define MICROCODE_REVISION (1ull << 32) /* some: software takes 0 for none that was loaded */

static const struct msr_row *row_of(uint32_t msr);

static int read_value(struct vm *vm, uint32_t msr, uint64_t *value)
{
    (void)vm;
    *value = row_of(msr)->value;
    return 0;
}

static int write_ignored(struct vm *vm, uint32_t msr, uint64_t value)
{
    (void)vm, (void)msr, (void)value;
    return 0;
}

/* As RDTSC of whoever runs, L1 or L2: scaled, then offset. */
static int read_tsc(struct vm *vm, uint32_t msr, uint64_t *value)
{
    enum { MULTIPLIER_SHIFT = 48 };
    struct vcpu *vcpu = &vm->vcpu;
    uint64_t now = clock_now();

    (void)msr;
    if (nested_runs(vcpu) && (vcpu_read(vcpu, VMCS_SECONDARY_CONTROLS) & CPU2_TSC_SCALING))
        now = (uint64_t)((unsigned __int128)now * vcpu_read(vcpu, VMCS_TSC_MULTIPLIER) >> MULTIPLIER_SHIFT);
    *value = now + vcpu_read(vcpu, VMCS_TSC_OFFSET);
    return 0;
}

/* Both are L1's, though L2 may write them: L2's own offset comes on top. SDM "IA32_TSC_ADJUST MSR" */
static int move_tsc(struct vm *vm, uint64_t by)
{
    vm->vcpu.tsc_offset += by;
    vm->vcpu.tsc_adjust += by;
    if (nested_runs(&vm->vcpu))
        nested_write_own(vm, VMCS_TSC_OFFSET, vm->vcpu.tsc_offset);
    else
        vcpu_write(&vm->vcpu, VMCS_TSC_OFFSET, vm->vcpu.tsc_offset);
    nested_control(vm, VMCS_INDEX_TSC_OFFSET, vm->vcpu.tsc_offset);
    machine_tsc_moved(&vm->machine);
    clock_page_tsc_moved(vm);
    return 0;
}

static int write_tsc(struct vm *vm, uint32_t msr, uint64_t value)
{
    (void)msr;
    return move_tsc(vm, value - (clock_now() + vm->vcpu.tsc_offset));
}

static int read_tsc_adjust(struct vm *vm, uint32_t msr, uint64_t *value)
{
    (void)msr;
    *value = vm->vcpu.tsc_adjust;
    return 0;
}

static int write_tsc_adjust(struct vm *vm, uint32_t msr, uint64_t value)
{
    (void)msr;
    return move_tsc(vm, value - vm->vcpu.tsc_adjust);
}

static int read_apic(struct vm *vm, uint32_t msr, uint64_t *value)
{
    return lapic_read_msr(&vm->machine.lapic, msr, value);
}

static int write_apic(struct vm *vm, uint32_t msr, uint64_t value)
{
    return lapic_write_msr(&vm->machine.lapic, msr, value);
}

static int read_efer(struct vm *vm, uint32_t msr, uint64_t *value)
{
    (void)msr;
    *value = vcpu_read(&vm->vcpu, VMCS_GUEST_EFER);
    return 0;
}

/* SDM "IA32_EFER": LMA is the processor's; LME must not change while paging is on. */
static int write_efer(struct vm *vm, uint32_t msr, uint64_t value)
{
    uint64_t old = vcpu_read(&vm->vcpu, VMCS_GUEST_EFER);
    (void)msr;
    if (value & ~cpuid_efer_allowed())
        return -1;
    if (((value ^ old) & EFER_LME) && (vcpu_read(&vm->vcpu, VMCS_GUEST_CR0) & CR0_PG))
        return -1;
    vcpu_write(&vm->vcpu, VMCS_GUEST_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
    if ((value ^ old) & EFER_NXE)
        cpu_backend->flush_linear(&vm->vcpu);
    return 0;
}

static int read_pat(struct vm *vm, uint32_t msr, uint64_t *value)
{
    (void)msr;
    *value = vcpu_read(&vm->vcpu, VMCS_GUEST_PAT);
    return 0;
}

/* Types there are: UC, WC, WT, WP, WB; a PAT has UC- too. */
static bool memory_type(uint8_t type, bool pat)
{
    enum { MTRR_TYPES = 1 << 0 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6, PAT_TYPES = MTRR_TYPES | 1 << 7 };
    return type < 8 && (pat ? PAT_TYPES : MTRR_TYPES) >> type & 1;
}

/* SDM "Page Attribute Table (PAT)" */
static int write_pat(struct vm *vm, uint32_t msr, uint64_t value)
{
    (void)msr;
    for (unsigned i = 0; i < 8; i++)
        if (!memory_type((uint8_t)(value >> 8 * i), true))
            return -1;
    vcpu_write(&vm->vcpu, VMCS_GUEST_PAT, value);
    return 0;
}

static int read_mtrr_default(struct vm *vm, uint32_t msr, uint64_t *value)
{
    (void)msr;
    *value = vm->vcpu.mtrr_def_type;
    return 0;
}

static int write_mtrr_default(struct vm *vm, uint32_t msr, uint64_t value)
{
    (void)msr;
    if ((value & ~(uint64_t)MTRR_DEFAULT_FLAGS) > 0xFF || !memory_type((uint8_t)value, false))
        return -1;
    vm->vcpu.mtrr_def_type = value;
    return 0;
}

static int read_debugctl(struct vm *vm, uint32_t msr, uint64_t *value)
{
    (void)msr;
    *value = vcpu_read(&vm->vcpu, VMCS_GUEST_DEBUGCTL);
    return 0;
}

/* There are no model-specific LBRs: LBR may be written, and reads as 0. The rest needs the debug store, performance
 * counters or RTM, which CPUID does not offer. SDM "Last Branch Records", "IA32_DEBUGCTL MSR". */
static int write_debugctl(struct vm *vm, uint32_t msr, uint64_t value)
{
    (void)msr;
    if (value & ~(DEBUGCTL_LBR | DEBUGCTL_BTF))
        return -1;
    vcpu_write(&vm->vcpu, VMCS_GUEST_DEBUGCTL, value & DEBUGCTL_BTF);
    return 0;
}

/* A machine's hardware has no banks that could tell of an error. SDM "Machine-Check Global Control MSRs". */
static int read_mcg(struct vm *vm, uint32_t msr, uint64_t *value)
{
    if (!cpuid_machine_check())
        return -1;
    *value = msr == MSR_MCG_STATUS ? vm->vcpu.mcg_status : 0;
    return 0;
}

static int write_mcg_status(struct vm *vm, uint32_t msr, uint64_t value)
{
    (void)msr;
    if (!cpuid_machine_check() || value & ~(uint64_t)MCG_STATUS_BITS)
        return -1;
    vm->vcpu.mcg_status = (uint8_t)value;
    return 0;
}

static int read_spec_ctrl(struct vm *vm, uint32_t msr, uint64_t *value)
{
    *value = vm->vcpu.spec_ctrl;
    return cpuid_speculation_bits(msr) ? 0 : -1;
}

/* Takes effect with the next entry. SDM "Enumeration and Architectural MSRs". */
static int write_spec_ctrl(struct vm *vm, uint32_t msr, uint64_t value)
{
    uint64_t bits = cpuid_speculation_bits(msr);

    if (!bits || value & ~bits)
        return -1;
    vm->vcpu.spec_ctrl = value;
    return 0;
}

static int write_command(struct vm *vm, uint32_t msr, uint64_t value)
{
    uint64_t bits = cpuid_speculation_bits(msr);

    (void)vm;
    if (!bits || value & ~bits)
        return -1;
    if (value)
        cpu_speculation_write(msr, value);
    return 0;
}

static int read_capabilities(struct vm *vm, uint32_t msr, uint64_t *value)
{
    *value = cpuid_as_intel(vm) ? speculation_unaffected : speculation.guest_capabilities;
    return cpuid_as_intel(vm) || cpuid_speculation_bits(msr) ? 0 : -1;
}

/* Linux looks there whether the C1E state stops the APIC timer, on every AMD of old; here nothing does. */
static int read_interrupt_pending(struct vm *vm, uint32_t msr, uint64_t *value)
{
    (void)msr;
    *value = 0;
    return cpuid_shows_amd(vm) ? 0 : -1;
}

#define ROWS \
    ROW(0x10, 0x10, read_tsc, write_tsc, 0) \
    ROW(0x17, 0x17, read_value, NULL, 0) /* IA32_PLATFORM_ID */ \
    ROW(0x1B, 0x1B, read_apic, write_apic, 0) \
    ROW(0x3A, 0x3A, nested_read_msr, nested_write_msr, 0) /* IA32_FEATURE_CONTROL */ \
    ROW(0x3B, 0x3B, read_tsc_adjust, write_tsc_adjust, 0) \
    ROW(MSR_SPEC_CTRL, MSR_SPEC_CTRL, read_spec_ctrl, write_spec_ctrl, 0) \
    ROW(MSR_PRED_CMD, MSR_PRED_CMD, NULL, write_command, 0) \
    ROW(0x8B, 0x8B, read_value, write_ignored, MICROCODE_REVISION) /* IA32_BIOS_SIGN_ID */ \
    ROW(0xFE, 0xFE, read_value, NULL, 0) /* IA32_MTRRCAP: no variable, no fixed ranges */ \
    ROW(MSR_ARCH_CAPABILITIES, MSR_ARCH_CAPABILITIES, read_capabilities, NULL, 0) \
    ROW(MSR_FLUSH_CMD, MSR_FLUSH_CMD, NULL, write_command, 0) \
    ROW(MSR_MCG_CAP, MSR_MCG_CAP, read_mcg, NULL, 0) \
    ROW(MSR_MCG_STATUS, MSR_MCG_STATUS, read_mcg, write_mcg_status, 0) \
    ROW(0x1A0, 0x1A0, read_value, write_ignored, MISC_FAST_STRINGS | MISC_NO_BRANCH_TRACE | MISC_NO_SAMPLING) \
    ROW(0x1D9, 0x1D9, read_debugctl, write_debugctl, 0) \
    ROW(0x277, 0x277, read_pat, write_pat, 0) \
    ROW(0x2FF, 0x2FF, read_mtrr_default, write_mtrr_default, 0) \
    ROW(0x480, 0x491, nested_read_msr, nested_write_msr, 0) \
    ROW(0x6E0, 0x6E0, read_apic, write_apic, 0) \
    ROW(0x800, 0x8FF, read_apic, write_apic, 0) \
    ROW(CLOCK_PAGE_WALL, CLOCK_PAGE_SYSTEM, clock_page_read, clock_page_write, 0) \
    ROW(0xC0000080, 0xC0000080, read_efer, write_efer, 0) \
    ROW(0xC0010055, 0xC0010055, read_interrupt_pending, NULL, 0) /* AMD's Interrupt Pending */

/* A list of a guest's may ask for hundreds, each time another: the compiler makes a tree of comparisons of the rows. */
static const struct msr_row *row_of(uint32_t msr)
{
    switch (msr) {
#define ROW(first, last, ...) \
    case first ... last: { \
        static const struct msr_row row = {__VA_ARGS__}; \
        return &row; \
    }
        ROWS
    default: return NULL;
    }
}

int msr_policy_read(struct vm *vm, uint32_t msr, uint64_t *value)
{
    const struct msr_row *row = row_of(msr);
    return row && row->read ? row->read(vm, msr, value) : -1;
}

int msr_policy_write(struct vm *vm, uint32_t msr, uint64_t value)
{
    const struct msr_row *row = row_of(msr);
    return row && row->write ? row->write(vm, msr, value) : -1;
}

enum exit_action exit_rdmsr(struct vm *vm)
{
    uint64_t value;

    if (msr_policy_read(vm, (uint32_t)vm->vcpu.gpr[RCX], &value))
        return exit_fault(vm, VECTOR_GP, 0);
    vm->vcpu.gpr[RAX] = (uint32_t)value;
    vm->vcpu.gpr[RDX] = value >> 32;
    return EXIT_SKIP;
}

enum exit_action exit_wrmsr(struct vm *vm)
{
    uint64_t value = vm->vcpu.gpr[RDX] << 32 | (uint32_t)vm->vcpu.gpr[RAX];

    if (msr_policy_write(vm, (uint32_t)vm->vcpu.gpr[RCX], value))
        return exit_fault(vm, VECTOR_GP, 0);
    return EXIT_SKIP;
}
