/* Question: what does IA32_DEBUGCTL hold, of a program and of its guest: BTF, under which nothing but a branch is a
 * step; LBR, which may be written and reads as 0 where there are no model-specific LBRs; and no other bit. SDM
 * "IA32_DEBUGCTL MSR", "Single-Stepping on Branches", "Last Branch Records". */
#include "tests/guest/vmx/vm.h"

enum { MSR_DEBUGCTL = 0x1D9, LBR = 1, BTF = 2, VECTOR_DB = 1, VECTOR_GP = 13 };
enum { ECX_DTES64 = 1 << 2, ECX_PDCM = 1 << 15, EDX_DS = 1 << 21, EBX_RTM = 1 << 11 };
#define DR6_NONE 0xFFFF0FF0ull

static struct page region, bitmap;
static struct vm vm = {.region = &region};

static volatile struct {
    unsigned count;
    uint64_t rip, dr6, debugctl;
} got;

static void note(struct guest_frame *frame)
{
    if (!got.count++)
        got.rip = frame->rip, got.dr6 = read_dr6(), got.debugctl = rdmsr(MSR_DEBUGCTL);
    write_dr6(DR6_NONE);
    frame->rflags &= ~0x100ull;
}

static bool takes(uint64_t value)
{
    return guest_try_write_msr(MSR_DEBUGCTL, value) == GUEST_NO_TRAP;
}

static void bits(void)
{
    uint64_t reserved = 0;

    guest_check(takes(LBR), "LBR may be written");
    guest_check_equal(rdmsr(MSR_DEBUGCTL), 0, "and reads as 0");
    guest_check(takes(LBR | BTF), "BTF too");
    guest_check_equal(rdmsr(MSR_DEBUGCTL), BTF, "and is kept");
    for (unsigned bit = 2; bit < 64; bit++)
        if (guest_try_write_msr(MSR_DEBUGCTL, 1ull << bit) == VECTOR_GP)
            reserved |= 1ull << bit;
    guest_check_equal(reserved, ~3ull, "other bits are reserved");
    guest_check_equal(rdmsr(MSR_DEBUGCTL), BTF, "which changes nothing");
    wrmsr(MSR_DEBUGCTL, 0);
}

/* What the other bits, and records of branches, would be for is not offered; its MSRs fault. */
static void others(void)
{
    static const uint32_t msrs[] = {0x1C8, 0x1C9, 0x1DB, 0x1DE, 0x345, 0x600,
                                    0x680, 0x69F, 0x6C0, 0x6DF, 0xDC0, 0x14CE};
    unsigned faults = 0;
    uint64_t value;

    for (unsigned i = 0; i < sizeof msrs / sizeof *msrs; i++)
        faults += guest_try_read_msr(msrs[i], &value) == VECTOR_GP;
    guest_check_equal(faults, sizeof msrs / sizeof *msrs, "no MSRs of branch records, counters or the debug store");
    guest_check(!(cpuid(1, 0).ecx & (ECX_DTES64 | ECX_PDCM)) && !(cpuid(1, 0).edx & EDX_DS) &&
                    !(cpuid(7, 0).ebx & EBX_RTM) && cpuid(0, 0).eax < 0x1C && !cpuid(0xA, 0).eax,
                "and CPUID offers none");
}

extern const char debugctl_branched[];
void debugctl_step(void);
__asm__(".text\n"
        "debugctl_step:\n"
        "    push %rbx\n"
        "    pushfq\n"
        "    orl $0x100, (%rsp)\n"
        "    popfq\n"
        "    cpuid\n"
        "    jmp 1f\n"
        "    nop\n"
        "debugctl_branched:\n"
        "1:  nop\n"
        "    pop %rbx\n"
        "    ret\n");

static void branches(void)
{
    got.count = 0;
    write_dr6(DR6_NONE);
    wrmsr(MSR_DEBUGCTL, BTF);
    debugctl_step();
    guest_check(got.count == 1 && got.rip == (uintptr_t)debugctl_branched, "a branch is a step, CPUID is none");
    guest_check_equal(got.dr6 & 0x400F, 0x4000, "DR6.BS");
    guest_check_equal(got.debugctl, 0, "BTF is clear in the handler");
    wrmsr(MSR_DEBUGCTL, 0);
}

static volatile uint64_t seen;

static void l2(void *value)
{
    seen = rdmsr(MSR_DEBUGCTL);
    wrmsr(MSR_DEBUGCTL, (uintptr_t)value);
}

static void enter(uint64_t at_entry, uint64_t by_l2, bool saves)
{
    vm_prepare(&vm);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS);
    vm_exit_controls(saves ? EXIT_SAVE_DEBUG_CONTROLS : 0);
    vm_cpu(CPU_MSR_BITMAPS, 0);
    vm_set(VMCS_MSR_BITMAP, (uintptr_t)&bitmap); /* every MSR is L2's */
    vm_set(VMCS_GUEST_DEBUGCTL, at_entry);
    vm_start(&vm, l2, (void *)(uintptr_t)by_l2);
    seen = ~0ull;
    wrmsr(MSR_DEBUGCTL, BTF);
    vm_run(&vm);
}

static bool refuses(uint64_t value)
{
    enter(value, 0, true);
    return (vm.exit.reason & 0xFFFF) == EXIT_ENTRY_GUEST_STATE;
}

static void guests(void)
{
    vm_begin();
    enter(BTF, 0, true);
    guest_check(vm_finished(&vm) && seen == BTF, "an entry loads BTF");
    guest_check_equal(vm_get(VMCS_GUEST_DEBUGCTL), 0, "an exit saves what L2 wrote");
    guest_check_equal(rdmsr(MSR_DEBUGCTL), 0, "and clears L1's");
    enter(0, BTF, false);
    guest_check_equal(vm_get(VMCS_GUEST_DEBUGCTL) & ~(uint64_t)BTF, 0, "or not, where it is not asked to");
    enter(LBR, LBR | BTF, true);
    guest_check(vm_finished(&vm) && seen == 0, "LBR may be loaded, and reads as 0");
    guest_check_equal(vm_get(VMCS_GUEST_DEBUGCTL), BTF, "and is not saved");
    guest_check(refuses(4) && refuses(1 << 6) && refuses(1 << 11) && refuses(1ull << 63),
                "a reserved bit fails the entry");
}

int guest_main(void)
{
    guest_handle(VECTOR_DB, note);
    bits();
    others();
    branches();
    guests();
    guest_print("end\n");
    return 0;
}
