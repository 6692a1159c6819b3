/* Question: do MSR lists do what RDMSR and WRMSR would? Each value is tried by WRMSR, then by the list of an
 * entry, and each MSR by RDMSR and by the list of an exit: what the one refuses the other must refuse. And is
 * what a list loaded, and L2 wrote, saved? Whose is the TSC of lists? Which MSRs there are differs from
 * machine to machine, so only whether the two agree is printed. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum { MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_STAR = 0xC0000081, MSR_LSTAR, MSR_CSTAR,
       MSR_FMASK, MSR_FS_BASE = 0xC0000100, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX, MSR_PAT = 0x277,
       MSR_EFER = 0xC0000080, ENTRIES = 4 };
#define NOT_CANONICAL 0x0000800000000000ull

struct entry {
    uint32_t index, reserved;
    uint64_t data;
};
static struct page region;
static struct vm vm = {.region = &region};
static struct entry list[ENTRIES] __attribute__((aligned(16))), stored[ENTRIES] __attribute__((aligned(16)));

static void l2_cpuid(void *unused)
{
    (void)unused;
    __asm__ volatile("cpuid" : : "a"(0) : "rbx", "rcx", "rdx");
}

static void prepare(unsigned load, unsigned store)
{
    vm_prepare(&vm);
    vm_set(VMCS_GUEST_SYSENTER_CS, 0x10);
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, (uint64_t)(uintptr_t)list);
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, load);
    vm_set(VMCS_EXIT_MSR_STORE_ADDRESS, (uint64_t)(uintptr_t)stored);
    vm_set(VMCS_EXIT_MSR_STORE_COUNT, store);
    vm_start(&vm, l2_cpuid, NULL);
}

/* ---- writes ------------------------------------------------------------------------------ */

static const struct write {
    uint32_t msr;
    uint64_t value;
} writes[] = {
    {MSR_SYSENTER_ESP, NOT_CANONICAL}, {MSR_SYSENTER_EIP, 0x1000}, {MSR_STAR, ~0ull}, {MSR_LSTAR, NOT_CANONICAL},
    {MSR_LSTAR, 0x2000}, {MSR_CSTAR, NOT_CANONICAL}, {MSR_CSTAR, 0x3000}, {MSR_FMASK, 0x4000},
    {MSR_KERNEL_GS_BASE, NOT_CANONICAL}, {MSR_KERNEL_GS_BASE, ~0ull}, {MSR_TSC_AUX, 5}, {MSR_PAT, 0x0007040600070406},
    {MSR_PAT, 2}, {MSR_PAT, 0x0800000000000000}, {0x12345, 0}, {0x480, 0}, {0x3A, 5},
};

static void print(const char *what, uint32_t msr, uint64_t value, bool agree)
{
    guest_print("%s %#x %#llx: %s\n", what, msr, (unsigned long long)value,
                agree ? "as by itself" : "NOT AS BY ITSELF");
    guest_failures += !agree;
}

static void writing(void)
{
    for (const struct write *w = writes; w < writes + sizeof writes / sizeof *writes; w++) {
        uint64_t before = 0;
        bool readable = guest_try_read_msr(w->msr, &before) == GUEST_NO_TRAP;
        bool takes = guest_try_write_msr(w->msr, w->value) == GUEST_NO_TRAP;
        if (takes && readable)
            wrmsr(w->msr, before);
        prepare(1, 0);
        list[0] = (struct entry){w->msr, 0, w->value};
        vm_run(&vm);
        bool loaded = vm.entered == VMX_SUCCEED && !(vm.exit.reason & EXIT_ENTRY_FAILED);
        print("load", w->msr, w->value, loaded == takes);
        if (loaded && readable && w->msr > 0xC0000080)
            wrmsr(w->msr, before);
    }
}

/* ---- reads ------------------------------------------------------------------------------- */

static void reading(void)
{
    static const uint32_t msrs[] = {MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_FMASK,
                                    MSR_KERNEL_GS_BASE, MSR_TSC_AUX, MSR_PAT};
    static const uint64_t value = 0x765;

    for (unsigned i = 0; i < sizeof msrs / sizeof *msrs; i++) {
        bool there = guest_try_write_msr(msrs[i], msrs[i] == MSR_PAT ? 0 : value) == GUEST_NO_TRAP;
        if (!there) { /* a list that stores it ends in a VMX abort: not asked */
            print("store", msrs[i], 0, true);
            continue;
        }
        uint64_t now = rdmsr(msrs[i]);
        prepare(0, 1);
        vm_set(VMCS_GUEST_SYSENTER_CS, now);
        vm_set(VMCS_GUEST_SYSENTER_ESP, now);
        stored[0] = (struct entry){msrs[i], 0, ~0ull};
        vm_run(&vm);
        print("store", msrs[i], now, stored[0].data == now);
    }
    wrmsr(MSR_PAT, 0x0007040600070406);
}

/* ---- saving ------------------------------------------------------------------------------- */

static void l2_sysenter(void *unused)
{
    (void)unused;
    wrmsr(MSR_SYSENTER_EIP, 0x9000);
    for (unsigned i = 0; i < 20; i++) {
        wrmsr(MSR_SYSENTER_ESP, 0x5000 + i);
        l2_cpuid(NULL);
    }
}

static void print_sysenter(const char *when)
{
    guest_print("%s: SYSENTER_CS %#llx ESP %#llx EIP %#llx\n", when, (unsigned long long)vm_get(VMCS_GUEST_SYSENTER_CS),
                (unsigned long long)vm_get(VMCS_GUEST_SYSENTER_ESP),
                (unsigned long long)vm_get(VMCS_GUEST_SYSENTER_EIP));
}

/* The list becomes another in storage, of which no VMWRITE tells: a value each entry. */
static void saving_anew(void)
{
    static const struct {
        const char *name;
        enum vmcs_field field;
        uint32_t msr;
        uint64_t values[3];
    } rows[] = {
        {"SYSENTER_CS", VMCS_GUEST_SYSENTER_CS, MSR_SYSENTER_CS, {0x33, 0x44, 0x55}},
        {"SYSENTER_ESP", VMCS_GUEST_SYSENTER_ESP, MSR_SYSENTER_ESP, {0x3000, 0x4000, 0x5000}},
        {"SYSENTER_EIP", VMCS_GUEST_SYSENTER_EIP, MSR_SYSENTER_EIP, {0x6000, 0x7000, 0x8000}},
        {"PAT", VMCS_GUEST_PAT, MSR_PAT, {0x0007040600070400, 0x0007040600070401, 0x0007040600070404}},
        {"EFER", VMCS_GUEST_EFER, MSR_EFER, {0xD01, 0xD00, 0x501}},
    };

    for (unsigned save = 0; save < 2; save++) {
        prepare(1, 0);
        vm_set(VMCS_GUEST_PAT, 0x0007040600070406), vm_set(VMCS_HOST_PAT, rdmsr(MSR_PAT));
        vm_set(VMCS_GUEST_EFER, 0xD00), vm_set(VMCS_HOST_EFER, rdmsr(MSR_EFER));
        vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER);
        vm_exit_controls(EXIT_LOAD_PAT | EXIT_LOAD_EFER | (save ? EXIT_SAVE_PAT | EXIT_SAVE_EFER : 0));
        for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
            guest_print("%s:", rows[i].name);
            for (unsigned n = 0; n < 3; n++) {
                list[0] = (struct entry){rows[i].msr, 0, rows[i].values[n]};
                vm_start(&vm, l2_cpuid, NULL);
                vm_run(&vm);
                guest_print(" %#llx", (unsigned long long)vm_get(rows[i].field));
            }
            guest_print(save ? "\n" : ", not asked to save PAT and EFER\n");
        }
    }
}

/* ---- time ---------------------------------------------------------------------------------- */

enum { MSR_TSC = 0x10, UNITS = 40 };

static volatile uint64_t l2_time;

static void l2_tsc(void *unused)
{
    l2_time = rdtsc() >> UNITS;
    l2_cpuid(unused);
}

/* L2's TSC is one unit ahead of L1's, which lists are about: loaded at an entry, stored and loaded at an exit. */
static void time(void)
{
    static struct entry back[1] __attribute__((aligned(16))) = {{MSR_TSC, 0, 64ull << UNITS}};

    prepare(1, 1);
    vm_cpu(CPU_TSC_OFFSETTING, 0);
    vm_set(VMCS_TSC_OFFSET, 1ull << UNITS);
    vm_set(VMCS_EXIT_MSR_LOAD_ADDRESS, (uint64_t)(uintptr_t)back);
    vm_set(VMCS_EXIT_MSR_LOAD_COUNT, 1);
    list[0] = (struct entry){MSR_TSC, 0, 32ull << UNITS};
    stored[0] = (struct entry){MSR_TSC, 0, 0};
    vm_start(&vm, l2_tsc, NULL);
    vm_run(&vm);
    guest_print("TSC of L2: %llu, stored: %llu, of L1: %llu\n", (unsigned long long)l2_time,
                (unsigned long long)(stored[0].data >> UNITS), (unsigned long long)(rdtsc() >> UNITS));
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
    vm_start(&vm, l2_tsc, NULL);
    vm_run(&vm);
    guest_print("TSC of L2, none loaded: %llu, stored: %llu, of L1: %llu\n", (unsigned long long)l2_time,
                (unsigned long long)(stored[0].data >> UNITS), (unsigned long long)(rdtsc() >> UNITS));
}

static struct page bitmap; /* L2 has those MSRs to itself */

static void saving(void)
{
    prepare(3, 0);
    for (unsigned i = 0; i < 3; i++)
        list[i] = (struct entry){MSR_SYSENTER_CS + i, 0, 0x33 + i};
    vm_run(&vm);
    vm_print_exit("loaded", &vm);
    print_sysenter("loaded");
    vm_skip(&vm);
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
    vm_run(&vm);
    print_sysenter("kept");
    /* often enough for a hypervisor beneath to look at few fields only */
    prepare(0, 1);
    vm_cpu(CPU_MSR_BITMAPS, 0);
    vm_set(VMCS_MSR_BITMAP, (uint64_t)(uintptr_t)&bitmap);
    stored[0] = (struct entry){MSR_SYSENTER_ESP, 0, 0};
    vm_start(&vm, l2_sysenter, NULL);
    for (unsigned i = 0, wrong = 0; i <= 20; i++) {
        vm_run(&vm);
        if (i < 20)
            vm_set(VMCS_GUEST_RIP, vm_get(VMCS_GUEST_RIP) + 2);
        wrong += i < 20 && stored[0].data != 0x5000 + i;
        if (i == 20)
            guest_print("stored at each exit: %s\n", wrong ? "NO" : "yes");
    }
    print_sysenter("written");
}

int guest_main(void)
{
    vm_begin();
    writing();
    reading();
    saving();
    saving_anew();
    time();
    guest_print("end\n");
    return (int)guest_failures;
}
