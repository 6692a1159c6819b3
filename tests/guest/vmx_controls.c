/* Question: do the controls that change how a guest runs do so as the manual says: one exit an instruction (monitor
 * trap flag), exits of PAUSE loops but of no other PAUSE, a TSC that is scaled? Bochs has no monitor trap flag: the
 * model in use does not offer it, and those that do never exit for it. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

enum { STEPS = 40, SEEN = 5, PAUSES = 10000, WINDOW = 1000, GAP = 1 << 24 };
#define ONE_AND_A_HALF (3ull << 47)
#define OFFSET (1ull << 40)

static struct page region, msrs;
static struct vm vm = {.region = &region};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* ---- monitor trap flag: SDM "Monitor Trap Flag" --------------------------------------- */

static void l2_steps(void *unused)
{
    (void)unused;
    __asm__ volatile("nop; mov $1, %%eax; mov %%rax, %%rcx; cmp %%rcx, %%rax" : : : "rax", "rcx", "cc");
}

static bool exits_for_trap_flag(void)
{
    vm_run(&vm);
    return vm.entered == VMX_SUCCEED && vm.exit.reason == EXIT_MTF;
}

static void steps(void)
{
    static const uint8_t code[] = {0x90, 0xB8, 1, 0, 0, 0, 0x48, 0x89, 0xC1, 0x48, 0x39, 0xC8};
    uint64_t start = 0;
    unsigned count = 0;

    if (!vm_offers(VMX_TRUE_CPU, CPU_MONITOR_TRAP_FLAG)) {
        guest_print("monitor trap flag: not offered\n");
        return;
    }
    vm_cpu(CPU_MONITOR_TRAP_FLAG, 0);
    vm_start(&vm, l2_steps, NULL);
    guest_print("monitor trap flag: exits at");
    for (unsigned i = 0; i < STEPS && count < SEEN && exits_for_trap_flag(); i++) {
        if (!start && !memcmp((const void *)(uintptr_t)vm.exit.rip, code, sizeof(code)))
            start = vm.exit.rip;
        if (start) {
            guest_print(" %u", (unsigned)(vm.exit.rip - start));
            count++;
        }
    }
    vm_cpu(0, 0);
    vm_run(&vm);
    guest_print(", then the guest %s\n", vm_finished(&vm) ? "ends" : "DOES NOT END");
}

/* ---- PAUSE-loop exiting: SDM "Instructions That Cause VM Exits Conditionally" ------------ */

static void l2_pauses(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < PAUSES; i++)
        __asm__ volatile("pause");
}

static void pause_until_exit(const char *name, uint32_t gap, uint32_t window)
{
    vm_set(VMCS_PLE_GAP, gap);
    vm_set(VMCS_PLE_WINDOW, window);
    vm_start(&vm, l2_pauses, NULL);
    vm_run(&vm);
    vm_print_exit(name, &vm);
}

static void pause_loops(void)
{
    if (!vm_offers(VMX_CPU2, CPU2_PAUSE_LOOP_EXITING)) {
        guest_print("PAUSE loop: not offered\n");
        return;
    }
    vm_cpu(0, CPU2_PAUSE_LOOP_EXITING);
    pause_until_exit("PAUSE loop", GAP, WINDOW);
    pause_until_exit("PAUSE loop shorter than the window", GAP, ~0u);
    pause_until_exit("PAUSEs further apart than the gap", 0, 0);
    vm_cpu(0, 0);
}

/* ---- TSC scaling: SDM "Time-Stamp Counter Offsetting and Scaling" ------------------------- */

static uint64_t seen;

static void l2_clock(void *unused)
{
    (void)unused;
    seen = rdtsc();
}

static void l2_clock_msr(void *unused)
{
    (void)unused;
    seen = rdmsr(0x10);
}

static void scaled_clock(void)
{
    if (!vm_offers(VMX_CPU2, CPU2_TSC_SCALING)) {
        guest_print("TSC scaling: not offered\n");
        return;
    }
    vm_set(VMCS_TSC_MULTIPLIER, ONE_AND_A_HALF);
    vm_set(VMCS_TSC_OFFSET, OFFSET);
    vm_cpu(CPU_TSC_OFFSETTING, CPU2_TSC_SCALING);
    uint64_t before = rdtsc();
    vm_trace(&vm, "RDTSC scaled", l2_clock, NULL);
    uint64_t after = rdtsc();
    guest_check(seen - OFFSET >= before / 2 * 3 && seen - OFFSET <= after / 2 * 3 + 3, "TSC is scaled, then offset");
    memset(&msrs, 0, sizeof(msrs));
    vm_set(VMCS_MSR_BITMAP, address(&msrs));
    vm_cpu(CPU_TSC_OFFSETTING | CPU_MSR_BITMAPS, CPU2_TSC_SCALING);
    before = rdtsc();
    vm_trace(&vm, "RDMSR scaled", l2_clock_msr, NULL);
    after = rdtsc();
    guest_check(seen - OFFSET >= before / 2 * 3 && seen - OFFSET <= after / 2 * 3 + 3, "as its MSR too");
    vm_cpu(0, 0);
}

int guest_main(void)
{
    vm_begin();
    vm_prepare(&vm);
    steps();
    pause_loops();
    scaled_clock();
    guest_print("end\n");
    return (int)guest_failures;
}
