/* Question: does an entry load, and an exit save and load, exactly the state the manual says: lists of MSRs, PAT, EFER,
 * debug registers, TSC offset, descriptor tables, segments, and what both sides share? */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum {
    MSR_TSC = 0x10,
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176,
    MSR_PAT = 0x277,
    MSR_EFER = 0xC0000080,
    MSR_STAR = 0xC0000081,
    MSR_LSTAR = 0xC0000082,
    MSR_FMASK = 0xC0000084,
    MSR_FS_BASE = 0xC0000100,
    MSR_GS_BASE = 0xC0000101,
    MSR_KERNEL_GS_BASE = 0xC0000102,
    EFER_SCE = 1,
    CR4_PGE = 1 << 7,
    CR4_OSFXSR = 1 << 9,
};

static struct page region, msr_bitmap;
static struct vm vm = {.region = &region};
static volatile uint64_t seen[8];

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* No MSR exits. */
static void fresh(void)
{
    memset(&msr_bitmap, 0, sizeof(msr_bitmap));
    vm_prepare(&vm);
    vm_set(VMCS_MSR_BITMAP, address(&msr_bitmap));
    vm_cpu(CPU_MSR_BITMAPS, 0);
}

static void run(const char *name, void (*body)(void *))
{
    vm_start(&vm, body, NULL);
    vm_run(&vm);
    vm_print_exit(name, &vm);
}

/* ---- lists of MSRs ---------------------------------------------------------------- */

struct msr_entry {
    uint32_t index, reserved;
    uint64_t value;
};
static struct msr_entry entry_load[3] __attribute__((aligned(16))), exit_store[3] __attribute__((aligned(16))),
    exit_load[2] __attribute__((aligned(16)));

static void l2_lists(void *unused)
{
    (void)unused;
    seen[0] = rdmsr(MSR_STAR);
    seen[1] = rdmsr(MSR_LSTAR);
    seen[2] = rdmsr(MSR_KERNEL_GS_BASE);
    wrmsr(MSR_STAR, 0x1111);
    wrmsr(MSR_LSTAR, 0xFFFF800000002222);
    wrmsr(MSR_KERNEL_GS_BASE, 0x3333);
}

static void lists(void)
{
    fresh();
    wrmsr(MSR_STAR, 0xA);
    wrmsr(MSR_LSTAR, 0xB);
    wrmsr(MSR_KERNEL_GS_BASE, 0xC);
    entry_load[0] = (struct msr_entry){MSR_STAR, 0, 0xAA};
    entry_load[1] = (struct msr_entry){MSR_LSTAR, 0, 0xBB};
    entry_load[2] = (struct msr_entry){MSR_LSTAR, 0, 0xBBBB}; /* the last one counts */
    exit_store[0] = (struct msr_entry){MSR_STAR, 0, 0};
    exit_store[1] = (struct msr_entry){MSR_LSTAR, 0, 0};
    exit_store[2] = (struct msr_entry){MSR_KERNEL_GS_BASE, 0, 0};
    exit_load[0] = (struct msr_entry){MSR_STAR, 0, 0xABCD};
    exit_load[1] = (struct msr_entry){MSR_KERNEL_GS_BASE, 0, 0xDCBA};
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, address(entry_load));
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 3);
    vm_set(VMCS_EXIT_MSR_STORE_ADDRESS, address(exit_store));
    vm_set(VMCS_EXIT_MSR_STORE_COUNT, 3);
    vm_set(VMCS_EXIT_MSR_LOAD_ADDRESS, address(exit_load));
    vm_set(VMCS_EXIT_MSR_LOAD_COUNT, 2);
    run("lists", l2_lists);
    guest_check_equal(seen[0], 0xAA, "L2 has STAR of the entry's list");
    guest_check_equal(seen[1], 0xBBBB, "L2 has the last LSTAR of the entry's list");
    guest_check_equal(seen[2], 0xC, "L2 has L1's KERNEL_GS_BASE, which is in no list");
    guest_check_equal(exit_store[0].value, 0x1111, "STAR of L2 was stored");
    guest_check_equal(exit_store[1].value, 0xFFFF800000002222, "LSTAR of L2 was stored");
    guest_check_equal(exit_store[2].value, 0x3333, "KERNEL_GS_BASE of L2 was stored");
    guest_check_equal(rdmsr(MSR_STAR), 0xABCD, "L1 has STAR of the exit's list");
    guest_check_equal(rdmsr(MSR_LSTAR), 0xFFFF800000002222, "L1 has LSTAR as L2 left it");
    guest_check_equal(rdmsr(MSR_KERNEL_GS_BASE), 0xDCBA, "L1 has KERNEL_GS_BASE of the exit's list");
}

/* ---- PAT and EFER -------------------------------------------------------------------- */

#define PAT_L1 0x0007040600070406ull
#define PAT_L2 0x0007040600070404ull
#define PAT_WRITTEN 0x0006060600070406ull

static void l2_pat_efer(void *unused)
{
    (void)unused;
    seen[0] = rdmsr(MSR_PAT);
    seen[1] = rdmsr(MSR_EFER);
    wrmsr(MSR_PAT, PAT_WRITTEN);
    wrmsr(MSR_EFER, seen[1] & ~(uint64_t)EFER_SCE);
}

static void pat_and_efer(void)
{
    uint64_t efer = rdmsr(MSR_EFER);
    fresh();
    wrmsr(MSR_PAT, PAT_L1);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER);
    vm_exit_controls(EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER);
    vm_set(VMCS_GUEST_PAT, PAT_L2);
    vm_set(VMCS_GUEST_EFER, efer | EFER_SCE);
    vm_set(VMCS_HOST_PAT, PAT_L1);
    vm_set(VMCS_HOST_EFER, efer & ~(uint64_t)EFER_SCE);
    run("PAT and EFER", l2_pat_efer);
    guest_check_equal(seen[0], PAT_L2, "L2 has the PAT of its field");
    guest_check_equal(seen[1], efer | EFER_SCE, "L2 has the EFER of its field");
    guest_check_equal(vm_get(VMCS_GUEST_PAT), PAT_WRITTEN, "the PAT L2 wrote was saved");
    guest_check_equal(vm_get(VMCS_GUEST_EFER), efer & ~(uint64_t)EFER_SCE, "the EFER L2 wrote was saved");
    guest_check_equal(rdmsr(MSR_PAT), PAT_L1, "L1 has the PAT of its field");
    guest_check_equal(rdmsr(MSR_EFER), efer & ~(uint64_t)EFER_SCE, "L1 has the EFER of its field");
}

/* ---- debug registers --------------------------------------------------------------------- */

static void l2_debug(void *unused)
{
    (void)unused;
    seen[0] = read_dr7();
    seen[1] = read_dr0();
    write_dr0(0x5678);
    write_dr7(0x700);
}

static volatile uint64_t watched;
static void l2_watched(void *unused)
{
    (void)unused;
    watched = 1;
    __asm__ volatile("nop");
}

static void debug_registers(void)
{
    fresh();
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS);
    vm_exit_controls(EXIT_SAVE_DEBUG_CONTROLS);
    write_dr0(0x1234);
    vm_set(VMCS_GUEST_DR7, 0x500);
    run("debug registers", l2_debug);
    guest_check_equal(seen[0], 0x500, "L2 has DR7 of its field");
    guest_check_equal(seen[1], 0x1234, "L2 has DR0 of L1");
    guest_check_equal(vm_get(VMCS_GUEST_DR7), 0x700, "DR7 that L2 wrote was saved");
    guest_check_equal(read_dr7(), 0x400, "L1 has DR7 as after a reset");
    guest_check_equal(read_dr0(), 0x5678, "L1 has DR0 that L2 wrote");
    fresh();
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS);
    write_dr0(address((const void *)(uintptr_t)&watched));
    vm_set(VMCS_GUEST_DR7, 0x400 | 1 | 0xD << 16); /* a write of 8 bytes or less: 4 */
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << 1);
    run("watch point", l2_watched);
    write_dr0(0);
}

/* ---- time ----------------------------------------------------------------------------------- */

#define OFFSET (1ull << 50)

static void l2_tsc(void *unused)
{
    (void)unused;
    seen[0] = rdtsc();
    seen[1] = rdmsr(MSR_TSC);
}

static void time_stamp(void)
{
    fresh();
    vm_set(VMCS_TSC_OFFSET, OFFSET);
    vm_cpu(CPU_MSR_BITMAPS | CPU_TSC_OFFSETTING, 0);
    uint64_t before = rdtsc();
    run("TSC with an offset", l2_tsc);
    uint64_t after = rdtsc();
    guest_check(seen[0] >= before + OFFSET && seen[0] <= after + OFFSET, "RDTSC of L2 has the offset");
    guest_check(seen[1] >= before + OFFSET && seen[1] <= after + OFFSET, "RDMSR of the TSC has it");
    vm_cpu(CPU_MSR_BITMAPS, 0);
    before = rdtsc();
    run("TSC without", l2_tsc);
    after = rdtsc();
    guest_check(seen[0] >= before && seen[0] <= after, "RDTSC of L2 without the control has none");
    vm_set(VMCS_TSC_OFFSET, -before);
    vm_cpu(CPU_MSR_BITMAPS | CPU_TSC_OFFSETTING, 0);
    run("TSC with a negative offset", l2_tsc);
    guest_check(seen[0] < 1ull << 40, "a negative offset turns L2's clock back");
}

/* ---- segments, tables and control registers ----------------------------------------------------- */

static struct descriptor_table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed)) gdt, idt, l2_gdt, l2_idt;

static void l2_state(void *unused)
{
    (void)unused;
    __asm__ volatile("sgdt %0; sidt %1" : "=m"(l2_gdt), "=m"(l2_idt));
    uint16_t tr;
    __asm__ volatile("str %0" : "=r"(tr));
    seen[0] = tr;
    seen[1] = rdmsr(MSR_SYSENTER_ESP);
    seen[2] = rdmsr(MSR_FS_BASE);
    wrmsr(MSR_GS_BASE, 0x123456789000);
    wrmsr(MSR_SYSENTER_EIP, 0x6789);
    write_cr4(read_cr4() | CR4_PGE);
    write_cr2(0xC2C2);
    __asm__ volatile("xor %%eax, %%eax; mov %%eax, %%es; std; stc" : : : "rax", "cc");
    /* no CLD: DF and CF are for the exit to save */
    __asm__ volatile("mov $0, %%eax; vmcall" : : : "rax", "memory");
    __asm__ volatile("cld");
}

static void state_of_both(void)
{
    __asm__ volatile("sgdt %0; sidt %1" : "=m"(gdt), "=m"(idt));
    uint64_t cr4 = read_cr4();
    fresh();
    vm_set(VMCS_GUEST_GDTR_LIMIT, 0x77);
    vm_set(VMCS_GUEST_SYSENTER_ESP, 0x4567);
    vm_set(VMCS_GUEST_FS_BASE, 0xFFFF800012345678);
    vm_set(VMCS_GUEST_TR_SELECTOR, 0x28);
    vm_set(VMCS_HOST_FS_BASE, 0x1000);
    vm_set(VMCS_HOST_GS_BASE, 0xFFFF900000000000);
    vm_set(VMCS_HOST_SYSENTER_CS, 0x99);
    vm_set(VMCS_HOST_SYSENTER_EIP, 0x7777);
    run("state", l2_state);
    guest_check_equal(l2_gdt.limit, 0x77, "L2 has the GDTR limit of its field");
    guest_check_equal(l2_idt.limit, idt.limit, "L2 has the IDTR limit of its field");
    guest_check_equal(seen[0], 0x28, "L2 has the TR of its field");
    guest_check_equal(seen[1], 0x4567, "L2 has the SYSENTER_ESP of its field");
    guest_check_equal(seen[2], 0xFFFF800012345678, "L2 has the FS base of its field");
    guest_check_equal(vm_get(VMCS_GUEST_GS_BASE), 0x123456789000, "the GS base L2 wrote was saved");
    guest_check_equal(vm_get(VMCS_GUEST_SYSENTER_EIP), 0x6789, "the SYSENTER_EIP L2 wrote was saved");
    guest_check_equal(vm_get(VMCS_GUEST_CR4), cr4 | CR4_PGE, "the CR4 L2 wrote was saved");
    guest_check_equal(vm_get(VMCS_GUEST_ES_ACCESS_RIGHTS) >> 16 & 1, 1, "ES was saved unusable");
    guest_check_equal(vm_get(VMCS_GUEST_RFLAGS) & 0x401, 0x401, "DF and CF were saved");
    struct descriptor_table host_gdt, host_idt;
    __asm__ volatile("sgdt %0; sidt %1" : "=m"(host_gdt), "=m"(host_idt));
    uint16_t es, tr;
    __asm__ volatile("mov %%es, %0; str %1" : "=r"(es), "=r"(tr));
    guest_check_equal(host_gdt.limit, 0xFFFF, "the exit set the GDTR limit");
    guest_check_equal(host_idt.limit, 0xFFFF, "the exit set the IDTR limit");
    guest_check_equal(host_gdt.base, gdt.base, "L1 has its GDT");
    guest_check_equal(es, 0x10, "L1 has its ES");
    guest_check_equal(tr, 0x18, "L1 has its TR");
    guest_check_equal(read_cr4(), cr4, "L1 has its CR4");
    guest_check_equal(read_cr2(), 0xC2C2, "L1 has the CR2 that L2 wrote");
    guest_check_equal(rdmsr(MSR_FS_BASE), 0x1000, "L1 has its FS base");
    guest_check_equal(rdmsr(MSR_GS_BASE), 0xFFFF900000000000, "L1 has its GS base");
    guest_check_equal(rdmsr(MSR_SYSENTER_CS), 0x99, "L1 has its SYSENTER_CS");
    guest_check_equal(rdmsr(MSR_SYSENTER_EIP), 0x7777, "L1 has its SYSENTER_EIP");
    vm_skip(&vm);
    vm_run(&vm);
    vm_print_exit("state, to its end", &vm);
}

/* ---- what is nobody's field ------------------------------------------------------------------------ */

static void l2_shared(void *unused)
{
    (void)unused;
    uint64_t value;
    __asm__ volatile("movq %%xmm3, %0" : "=r"(value));
    seen[0] = value;
    __asm__ volatile("movq %0, %%xmm3" : : "r"(0x2222ull));
    seen[1] = read_cr8();
    write_cr8(9);
}

static void shared(void)
{
    uint64_t value;
    write_cr4(read_cr4() | CR4_OSFXSR);
    fresh();
    __asm__ volatile("movq %0, %%xmm3" : : "r"(0x1111ull));
    write_cr8(3);
    run("what both share", l2_shared);
    __asm__ volatile("movq %%xmm3, %0" : "=r"(value));
    guest_check_equal(seen[0], 0x1111, "L2 has XMM3 of L1");
    guest_check_equal(value, 0x2222, "L1 has XMM3 of L2");
    guest_check_equal(seen[1], 3, "L2 has CR8 of L1");
    guest_check_equal(read_cr8(), 9, "L1 has CR8 of L2");
    write_cr8(0);
}

/* ---- the TPR shadow ---------------------------------------------------------------------------------- */

static struct page vapic;

static void l2_cr8(void *unused)
{
    (void)unused;
    seen[0] = read_cr8();
    write_cr8(6);
    seen[1] = read_cr8();
    write_cr8(4);
    write_cr8(2);
}

static void l2_cr8_stepped(void *unused)
{
    (void)unused;
    __asm__ volatile("pushf; orl $0x100, (%%rsp); popf; mov %0, %%cr8; nop" : : "r"(2ull) : "cc", "memory");
}

/* The trap behind MOV to CR8 waits while L1 is told of the TPR. */
static void tpr_stepped(void)
{
    vapic.bytes[0x80] = 0x50;
    vm_set(VMCS_TPR_THRESHOLD, 4);
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << 1);
    run("stepped, threshold 4", l2_cr8_stepped);
    guest_check_equal(vm_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0x4000, "the step is pending");
    vm_set(VMCS_TPR_THRESHOLD, 0);
    vm_run(&vm);
    vm_print_exit("and is taken next", &vm);
    vm_set(VMCS_EXCEPTION_BITMAP, 0);
}

static void tpr_shadow(void)
{
    fresh();
    memset(&vapic, 0, sizeof(vapic));
    vapic.bytes[0x80] = 0x50;
    vm_set(VMCS_VIRTUAL_APIC_ADDRESS, address(&vapic));
    vm_set(VMCS_TPR_THRESHOLD, 4);
    vm_cpu(CPU_MSR_BITMAPS | CPU_TPR_SHADOW, 0);
    run("TPR shadow, threshold 4", l2_cr8);
    guest_check_equal(seen[0], 5, "L2 reads CR8 from the virtual-APIC page");
    guest_check_equal(seen[1], 6, "and what it wrote there");
    guest_check_equal(vapic.bytes[0x80], 0x20, "the page has the last");
    guest_check_equal(read_cr8(), 0, "L1's CR8 is untouched");
    vm_run(&vm);
    vm_print_exit("entry with VTPR below the threshold", &vm);
    vm_set(VMCS_TPR_THRESHOLD, 0);
    vm_run(&vm);
    vm_print_exit("with threshold 0", &vm);
    tpr_stepped();
}

/* ---- CR0.CD and NW ----------------------------------------------------------------------- */

#define CACHES (3ull << 29)
#define CD     (1ull << 30)

static void l2_caches(void *unused)
{
    (void)unused;
    seen[0] = read_cr0() & CACHES;
    write_cr0(read_cr0() | CD);
    seen[1] = read_cr0() & CACHES;
    cpuid(0, 0);
    seen[2] = read_cr0() & CACHES;
    write_cr0(read_cr0() & ~CACHES);
    seen[3] = read_cr0() & CACHES;
    cpuid(0, 0);
}

static void print_caches(const char *when)
{
    guest_print("%s: L2 %#llx %#llx %#llx %#llx, its CR0 %#llx, L1 %#llx\n", when, (unsigned long long)seen[0],
                (unsigned long long)seen[1], (unsigned long long)seen[2], (unsigned long long)seen[3],
                (unsigned long long)(vm_get(VMCS_GUEST_CR0) & CACHES), (unsigned long long)(read_cr0() & CACHES));
}

/* They are the processor's: no entry loads them and no exit. */
static void caches(void)
{
    memset((void *)(uintptr_t)seen, 0, sizeof(seen));
    fresh();
    vm_set(VMCS_GUEST_CR0, read_cr0() | CACHES);
    vm_set(VMCS_HOST_CR0, read_cr0() | CACHES);
    vm_start(&vm, l2_caches, NULL);
    for (unsigned i = 0; i < 3; i++) {
        vm_run(&vm);
        print_caches(vm_reason_name(vm.exit.reason));
        vm_skip(&vm);
        if (i == 1)
            write_cr0(read_cr0() | CD);
    }
    vm_set(VMCS_CR0_MASK, CACHES); /* what L1 keeps, L2 leaves */
    vm_set(VMCS_CR0_SHADOW, read_cr0() & ~CACHES);
    vm_start(&vm, l2_caches, NULL);
    vm_run(&vm);
    print_caches("kept");
    vm_print_exit("kept", &vm);
    write_cr0(read_cr0() & ~CACHES);
    vm_set(VMCS_CR0_MASK, 0);
    vm_start(&vm, l2_caches, NULL);
    vm_set(VMCS_GUEST_RFLAGS, 0); /* an entry that fails */
    write_cr0(read_cr0() | CD);
    vm_run(&vm);
    guest_print("failed: L1 %#llx\n", (unsigned long long)(read_cr0() & CACHES));
    write_cr0(read_cr0() & ~CACHES);
}

/* ---- bits of CR0 and CR4 that L1 keeps ------------------------------------------------------- */

/* What L2 sees of them is what it writes, with other bits changed. */
static void l2_others(void *unused)
{
    (void)unused;
    write_cr0(read_cr0() ^ 8); /* TS */
    seen[0] = read_cr0();
    __asm__ volatile("clts" : : : "memory");
    seen[1] = read_cr0();
    __asm__ volatile("smsw %%eax; or $8, %%eax; lmsw %%ax" : : : "rax", "memory");
    seen[2] = read_cr0();
    write_cr4(read_cr4() | 4); /* TSD */
    seen[3] = read_cr4();
    write_cr4(read_cr4() & ~4ull);
    seen[4] = read_cr4();
}

/* PE and PG as of a guest in real mode, PAE as of one without; the guest has them on all the while. */
static void kept_bits(void)
{
    enum { PE = 1, PAE_AND_VMXE = 0x2020, ET_AND_NE = 0x30 };
    uint64_t cr0 = read_cr0() | 8, cr4 = read_cr4();

    fresh();
    vm_set(VMCS_CR0_MASK, 0x80000000 | PE);
    vm_set(VMCS_CR0_SHADOW, 0);
    vm_set(VMCS_CR4_MASK, PAE_AND_VMXE);
    vm_set(VMCS_CR4_SHADOW, 0);
    run("bits that L1 keeps", l2_others);
    guest_check_equal(seen[0], ET_AND_NE | 8, "CR0 by MOV");
    guest_check_equal(seen[1], ET_AND_NE, "by CLTS");
    guest_check_equal(seen[2], ET_AND_NE | 8, "by LMSW");
    guest_check_equal(seen[3], (cr4 & ~(uint64_t)PAE_AND_VMXE) | 4, "CR4 with another bit");
    guest_check_equal(seen[4], cr4 & ~(uint64_t)PAE_AND_VMXE, "and without");
    guest_check_equal(vm_get(VMCS_GUEST_CR0), cr0, "CR0 is what it was, but for TS");
    guest_check_equal(vm_get(VMCS_GUEST_CR4), cr4, "and CR4");
}

int guest_main(void)
{
    vm_begin();
    lists();
    pat_and_efer();
    debug_registers();
    time_stamp();
    state_of_both();
    shared();
    tpr_shadow();
    caches();
    kept_bits();
    guest_print("end\n");
    return (int)guest_failures;
}
