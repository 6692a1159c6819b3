/* Question: what comes of lists of MSRs that an entry must not load, and says the exit which of their entries it was;
 * what has been loaded by then, and is the exit's own list loaded then? Whose is the deadline that L2 sets its timer
 * to, through a bitmap and intercepted, with a TSC of its own? SDM "Loading MSRs", "VM-Entry Failures During or After
 * Loading Guest State", "TSC-Deadline Mode".
 *
 * Not asked, because Bochs 2.7 is no oracle for them: IA32_DEBUGCTL (vmx_debugctl), IA32_SMM_MONITOR_CTL and
 * IA32_SMBASE, which it takes like every MSR that it does not have, and what a deadline reads as that is over (it
 * stays). */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum { SYSENTER_CS = 0x174, SYSENTER_EIP = 0x176, PAT = 0x277, EFER = 0xC0000080, FS_BASE = 0xC0000100, GS_BASE,
       KERNEL_GS, APIC_BASE = 0x1B, MOST = 512, HOLE = (int)0xD0000000 };

struct entry {
    uint32_t index, reserved;
    uint64_t data;
};
static struct page region, bitmap;
static struct vm vm = {.region = &region};
static struct entry list[MOST] __attribute__((aligned(4096))), back[1] __attribute__((aligned(16))),
    stored[1] __attribute__((aligned(16)));

static void l2_nothing(void *unused) { (void)unused; }

static void run(const char *name, void (*body)(void *), unsigned load)
{
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, load);
    vm_start(&vm, body, NULL);
    vm_run(&vm);
    vm_print_exit(name, &vm);
}

/* ---- lists ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    unsigned at; /* behind so many that are good */
    struct entry entry;
} bad[] = {
    {"FS base", 0, {FS_BASE, 0, 0}},
    {"GS base", 1, {GS_BASE, 0, 0}},
    {"first of x2APIC", 0, {0x800, 0, 0}},
    {"TPR of x2APIC", 2, {0x808, 0, 0}},
    {"last of x2APIC", 0, {0x8FF, 0, 0}},
    {"reserved bits of an entry", 3, {SYSENTER_CS, 1, 0}},
    {"the highest of them", 0, {SYSENTER_CS, 0x80000000, 0}},
    {"no canonical address", 0, {SYSENTER_EIP, 0, 1ull << 47}},
    {"PAT, no type", 0, {PAT, 0, 0x0307040600070406}},
    {"EFER, a reserved bit", 0, {EFER, 0, 0xD02}},
    {"EFER, no LME in IA-32e mode", 0, {EFER, 0, 0}},
    {"APIC base, a reserved bit", 0, {APIC_BASE, 0, 0xFEE00901}},
    {"the 512th", 511, {FS_BASE, 0, 0}},
    {"none of 512", 512, {0, 0, 0}},
};

static void lists(void)
{
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, (uint64_t)(uintptr_t)list);
    for (unsigned n = 0; n < sizeof bad / sizeof *bad; n++) {
        for (unsigned i = 0; i < MOST; i++)
            list[i] = (struct entry){KERNEL_GS, 0, 0x100 + i};
        if (bad[n].at < MOST)
            list[bad[n].at] = bad[n].entry;
        wrmsr(KERNEL_GS, 1);
        run(bad[n].name, l2_nothing, bad[n].at < MOST ? bad[n].at + 1 : MOST);
        guest_print("  kernel GS base %#llx\n", (unsigned long long)rdmsr(KERNEL_GS));
    }
    list[0] = (struct entry){KERNEL_GS, 0, 5};
    list[1] = (struct entry){FS_BASE, 0, 5};
    back[0] = (struct entry){KERNEL_GS, 0, 7};
    stored[0] = (struct entry){KERNEL_GS, 0, 9};
    vm_set(VMCS_EXIT_MSR_LOAD_ADDRESS, (uint64_t)(uintptr_t)back);
    vm_set(VMCS_EXIT_MSR_LOAD_COUNT, 1);
    vm_set(VMCS_EXIT_MSR_STORE_ADDRESS, (uint64_t)(uintptr_t)stored);
    vm_set(VMCS_EXIT_MSR_STORE_COUNT, 1);
    run("lists of the exit too", l2_nothing, 2);
    guest_print("  kernel GS base %#llx, stored %#llx\n", (unsigned long long)rdmsr(KERNEL_GS),
                (unsigned long long)stored[0].data);
    run("the same, entered", l2_nothing, 1);
    guest_print("  kernel GS base %#llx, stored %#llx\n", (unsigned long long)rdmsr(KERNEL_GS),
                (unsigned long long)stored[0].data);
    vm_set(VMCS_EXIT_MSR_LOAD_COUNT, 0);
    vm_set(VMCS_EXIT_MSR_STORE_COUNT, 0);
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, (uint32_t)HOLE);
    run("where nothing is", l2_nothing, 1);
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, 1);
    run("nothing, not aligned", l2_nothing, 0);
}

/* ---- deadlines ---------------------------------------------------------------------------------- */

enum { DEADLINE = 0x6E0, VECTOR = 0x55, OFFERED = 1 << 24, APIC = (int)0xFEE00000, EOI = 0xB0, SPURIOUS = 0xF0,
       LVT = 0x320, BY_DEADLINE = 2 << 17, AHEAD = 3000, LITTLE = 20000, MUCH = 50000000 };
#define AWAY (1ull << 40)

static volatile unsigned came;
static volatile uint64_t first, last;

static void apic(unsigned at, uint32_t value) { *(volatile uint32_t *)(uintptr_t)((uint32_t)APIC + at) = value; }

static void note(struct guest_frame *frame)
{
    (void)frame;
    came++;
    apic(EOI, 0);
}

static void wait(unsigned patience)
{
    interrupts_on();
    for (unsigned n = 0; n < patience && !came; n++)
        __asm__ volatile("pause");
    interrupts_off();
}

static void l2_ahead(void *unused)
{
    (void)unused;
    wrmsr(DEADLINE, rdtsc() + AHEAD);
    wait(MUCH);
}

/* L2's TSC is ahead of that by which deadlines are. */
static void l2_real(void *unused)
{
    (void)unused;
    wrmsr(DEADLINE, rdtsc() - AWAY + AHEAD);
    wait(MUCH);
}

static void l2_later(void *unused)
{
    (void)unused;
    wrmsr(DEADLINE, AWAY - 1);
    wait(LITTLE);
    first = rdmsr(DEADLINE), wrmsr(DEADLINE, 0), last = rdmsr(DEADLINE);
}

static void deadline(const char *name, void (*body)(void *), uint64_t offset)
{
    came = 0, first = last = 0;
    vm_set(VMCS_TSC_OFFSET, offset);
    run(name, body, 0);
    guest_print("  came %u, at first %#llx, at last %#llx\n", came, (unsigned long long)first,
                (unsigned long long)last);
    interrupts_on();
    __asm__ volatile("nop; nop");
    interrupts_off();
    guest_print("  and to L1 %u\n", came);
    wrmsr(DEADLINE, 0);
}

static void deadlines(void)
{
    if (!(cpuid(1, 0).ecx & OFFERED)) {
        guest_print("no TSC deadline\n");
        return;
    }
    outb(0x21, 0xFF), outb(0xA1, 0xFF);
    guest_handle(VECTOR, note);
    apic(SPURIOUS, 0x1FF);
    vm_cpu(CPU_MSR_BITMAPS | CPU_TSC_OFFSETTING, 0);
    vm_set(VMCS_MSR_BITMAP, (uint64_t)(uintptr_t)&bitmap);
    apic(LVT, VECTOR);
    deadline("not in that mode", l2_later, 0);
    apic(LVT, BY_DEADLINE | VECTOR);
    deadline("soon", l2_ahead, 0);
    deadline("far away", l2_later, 0);
    deadline("soon by its own TSC, which is ahead", l2_later, AWAY);
    deadline("soon by L1's", l2_real, AWAY);
    vm_pin(PIN_EXTERNAL_INTERRUPT_EXITING);
    deadline("soon, L1 takes interrupts", l2_ahead, 0);
    vm_pin(0);
    bitmap.bytes[2048 + DEADLINE / 8] |= 1 << DEADLINE % 8;
    deadline("intercepted", l2_ahead, 0);
    guest_print("  deadline %#llx\n", (unsigned long long)rdmsr(DEADLINE));
}

int guest_main(void)
{
    vm_begin();
    vm_prepare(&vm);
    lists();
    deadlines();
    guest_print("end\n");
    return 0;
}
