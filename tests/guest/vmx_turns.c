/* Question: where several VMCSs take turns, and share pages, tags and tables, does each entry use what its own VMCS
 * says now, and reach what was changed or invalidated while another had its turn?
 *
 * "pages" on the command line: by pages shared with CP (vmcs-shadow/page.h) in place of regions, with the same
 * answers. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum {
    MANY = 20,
    ROUNDS = 2,
    MSR_SYSENTER = 0x174,
    FS_BASE = 0xC0000100,
    EPTP_FLAGS = 3 << 3 | 6,
    EPTP_DIRTY = 1 << 6,
    LEAF = 6 << 3,
    RWX = 7,
    LARGE = 0x80,
    MIB_2 = 1 << 21,
    WINDOW = 0x40000000,
    LINEAR = 0x60000000,
    FRAMES = 0x2000000,
    CR0_PAGING = 0x80000021,
    CR4_VMXE_PAE = 0x2020
};

static struct page regions[MANY], bitmaps[MANY], apics[2], frames[4], code;
static struct page tops[2], pointers[2], directories[2][4], tables[3];
static struct vm vms[MANY];
static volatile uint64_t seen;

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static uint64_t *entry(struct page *table, unsigned i) { return (uint64_t *)(void *)table + i; }

/* ---- one turn ------------------------------------------------------------------------------ */

static uint32_t turn(struct vm *vm, void (*body)(void *), uint64_t argument)
{
    seen = 0;
    vm_select(vm);
    vm_start(vm, body, (void *)(uintptr_t)argument);
    vm_run(vm);
    return vm_finished(vm) && vm->entered == VMX_SUCCEED && !(vm->exit.reason & EXIT_ENTRY_FAILED) ? 0 : 1;
}

static void look(const char *name, struct vm *vm, void (*body)(void *), uint64_t argument)
{
    if (turn(vm, body, argument))
        vm_print_exit(name, vm);
    else
        guest_print("%s: %#llx\n", name, (unsigned long long)seen);
}

static void l2_read(void *at) { seen = *(volatile uint64_t *)at; }
static void l2_write(void *at) { *(volatile uint64_t *)at = ~0ull; }
static void l2_read_cr8(void *unused)
{
    (void)unused;
    seen = read_cr8();
}
static void l2_write_cr8(void *value)
{
    write_cr8((uintptr_t)value);
    seen = read_cr8();
}
static void l2_sysenter(void *unused)
{
    (void)unused;
    seen = rdmsr(MSR_SYSENTER);
}
static void l2_count(void *unused)
{
    (void)unused;
    seen = rdmsr(FS_BASE) + 1;
    wrmsr(FS_BASE, seen);
}

/* ---- more of them than anybody keeps --------------------------------------------------------- */

static bool round_of(struct vm *vm, unsigned n, unsigned round)
{
    bool right = !turn(vm, l2_count, 0) && seen == n * 0x1000 + 2 * round + 1;
    *entry(&bitmaps[n], 0) = 0;
    memset(&bitmaps[n], round % 2 ? 0xFF : 0, sizeof(bitmaps[n]) / 4); /* reads of low MSRs */
    bool exits = turn(vm, l2_sysenter, 0) && vm->exit.reason == EXIT_RDMSR;
    memset(&bitmaps[n], 0, sizeof(bitmaps[n]));
    right &= exits == round % 2 && !turn(vm, l2_count, 0) && seen == n * 0x1000 + 2 * round + 2;
    return right && vm_get(VMCS_GUEST_FS_BASE) == seen;
}

static void many(void)
{
    for (unsigned n = 0; n < MANY; n++) {
        vm_prepare(&vms[n]);
        vm_set(VMCS_MSR_BITMAP, address(&bitmaps[n]));
        vm_cpu(CPU_MSR_BITMAPS, 0);
        vm_set(VMCS_GUEST_FS_BASE, n * 0x1000);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned wrong = 0;
        for (unsigned n = 0; n < MANY; n++)
            wrong += !round_of(&vms[n], n, round);
        guest_print("round %u: %u of %u wrong\n", round, wrong, MANY);
    }
    for (unsigned n = 0; n < MANY; n += 2)
        vm_clear(&vms[n]);
    unsigned wrong = 0;
    for (unsigned n = 0; n < MANY; n++) /* every other is launched anew */
        wrong += !round_of(&vms[n], n, ROUNDS);
    guest_print("after VMCLEAR of half of them: %u wrong\n", wrong);
    for (unsigned n = 0; n < MANY; n++)
        vm_clear(&vms[n]);
}

/* ---- virtual-APIC pages ------------------------------------------------------------------------ */

static void prepare_apic(struct vm *vm, unsigned n)
{
    vm_prepare(vm);
    vm_set(VMCS_VIRTUAL_APIC_ADDRESS, address(&apics[n]));
    vm_set(VMCS_TPR_THRESHOLD, 0);
    vm_cpu(CPU_TPR_SHADOW, 0);
}

static void virtual_apics(void)
{
    struct vm *a = &vms[0], *b = &vms[1];
    apics[0].bytes[0x80] = 0x50;
    apics[1].bytes[0x80] = 0x30;
    prepare_apic(a, 0);
    prepare_apic(b, 1);
    look("CR8, page 0", a, l2_read_cr8, 0);
    look("CR8, page 1", b, l2_read_cr8, 0);
    apics[0].bytes[0x80] = 0x70;
    look("CR8, page 0, L1 wrote 7", a, l2_read_cr8, 0);
    look("CR8 set to 9 in page 1", b, l2_write_cr8, 9);
    vm_select(a);
    vm_set(VMCS_VIRTUAL_APIC_ADDRESS, address(&apics[1]));
    look("CR8, page 1 from the other", a, l2_read_cr8, 0);
    look("CR8 set to 2", a, l2_write_cr8, 2);
    guest_print("page 0 %#x, page 1 %#x\n", apics[0].bytes[0x80], apics[1].bytes[0x80]);
    look("CR8, page 1", b, l2_read_cr8, 0);
    vm_select(a);
    vm_cpu(0, 0);
    write_cr8(4);
    look("CR8 without a page", a, l2_read_cr8, 0);
    vm_set(VMCS_VIRTUAL_APIC_ADDRESS, address(&apics[0]));
    vm_cpu(CPU_TPR_SHADOW, 0);
    look("CR8, page 0 again", a, l2_read_cr8, 0);
    write_cr8(0);
    vm_clear(b);
    look("CR8 set to 6 in page 0", a, l2_write_cr8, 6);
    vm_set(VMCS_TPR_THRESHOLD, 5);
    look("threshold 5, CR8 set to 4", a, l2_write_cr8, 4);
    vm_set(VMCS_TPR_THRESHOLD, 3);
    look("threshold 3, CR8 set to 4", a, l2_write_cr8, 4);
    vm_clear(a);
    guest_print("page 0 %#x, page 1 %#x\n", apics[0].bytes[0x80], apics[1].bytes[0x80]);
}

/* ---- linear addresses ---------------------------------------------------------------------------- */

static uint64_t *directory_entry(uint64_t at)
{
    uint64_t *top = (uint64_t *)(uintptr_t)(read_cr3() & ~0xFFFull),
             *pointer = (uint64_t *)(uintptr_t)(top[0] & ~0xFFFull);
    return (uint64_t *)(uintptr_t)(pointer[at >> 30] & ~0xFFFull) + (at >> 21 & 511);
}

static void map(unsigned n) { *directory_entry(LINEAR) = (FRAMES + n * MIB_2) | LARGE | 3; }

static void linear(void)
{
    static const char *const types[] = {"INVVPID of the address", "INVVPID of the VPID", "INVVPID of all",
                                        "INVVPID but globals"};
    struct vm *a = &vms[0], *b = &vms[1];
    for (unsigned n = 0; n < 2; n++) {
        *(volatile uint64_t *)(uintptr_t)(FRAMES + n * MIB_2) = 0xF0 + n;
        vm_prepare(&vms[n]);
        vm_set(VMCS_VPID, 1); /* both */
        vm_cpu(0, CPU2_VPID);
    }
    for (unsigned type = 0; type < 4; type++) {
        const struct vmx_descriptor descriptor = {1, LINEAR};
        map(0);
        vmx_invvpid(2, &descriptor);
        turn(a, l2_read, LINEAR);
        turn(b, l2_read, LINEAR);
        map(1);
        vmx_invvpid(type, &descriptor);
        look(types[type], a, l2_read, LINEAR);
        look("  the other with this VPID", b, l2_read, LINEAR);
    }
    vm_select(b);
    vm_cpu(0, 0);
    for (unsigned n = 0; n < 2; n++) { /* each entry and exit flushes */
        map(n);
        look("without VPID", b, l2_read, LINEAR);
        guest_print("  L1: %#llx\n", (unsigned long long)*(volatile uint64_t *)(uintptr_t)LINEAR);
    }
    vm_clear(a);
    vm_clear(b);
}

/* ---- EPT ------------------------------------------------------------------------------------------- */

static void tree(unsigned t)
{
    *entry(&tops[t], 0) = address(&pointers[t]) | RWX;
    for (unsigned i = 0; i < 4; i++) {
        *entry(&pointers[t], i) = address(&directories[t][i]) | RWX;
        for (uint64_t j = 0; j < 512; j++)
            *entry(&directories[t][i], (unsigned)j) = (i * 512 + j) << 21 | LARGE | LEAF | RWX;
    }
    *entry(&directories[t][WINDOW >> 30], 0) = address(&tables[t]) | RWX;
    *entry(&tables[t], 0) = address(&frames[t]) | LEAF | RWX;
}

static void prepare_ept(struct vm *vm, unsigned t, unsigned vpid, unsigned flags)
{
    vm_prepare(vm);
    vm_set(VMCS_EPT_POINTER, address(&tops[t]) | EPTP_FLAGS | flags);
    vm_set(VMCS_VPID, vpid);
    vm_set(VMCS_MSR_BITMAP, address(&bitmaps[0]));
    vm_cpu(CPU_MSR_BITMAPS, CPU2_EPT | (vpid ? CPU2_VPID : 0));
}

static void invalidate(unsigned type, unsigned t)
{
    const struct vmx_descriptor descriptor = {type == 1 ? address(&tops[t]) | EPTP_FLAGS : 0, 0};
    if (vmx_invept(type, &descriptor) != VMX_SUCCEED)
        guest_print("INVEPT %u failed\n", type);
}

static void invept(void)
{
    struct vm *a = &vms[0], *b = &vms[1], *c = &vms[2];
    for (unsigned t = 0; t < 2; t++)
        tree(t);
    for (unsigned n = 0; n < 4; n++)
        *entry(&frames[n], 0) = 0xB0 + n;
    prepare_ept(a, 0, 1, 0);
    prepare_ept(b, 0, 2, 0);
    prepare_ept(c, 1, 0, 0);
    look("EPT: tree 0", a, l2_read, WINDOW);
    look("tree 0, another VPID", b, l2_read, WINDOW);
    look("tree 1", c, l2_read, WINDOW);
    *entry(&tables[0], 0) = address(&frames[2]) | LEAF | RWX;
    invalidate(1, 0); /* while the VMCS of tree 1 is current */
    look("leaf changed, INVEPT of the tree", a, l2_read, WINDOW);
    look("  another VPID", b, l2_read, WINDOW);
    *entry(&tables[2], 0) = address(&frames[3]) | LEAF | RWX;
    *entry(&directories[0][WINDOW >> 30], 0) = address(&tables[2]) | RWX;
    invalidate(2, 0);
    look("table changed, INVEPT of all", b, l2_read, WINDOW);
    look("  another VPID", a, l2_read, WINDOW);
    *entry(&tops[0], 0) = address(&pointers[1]) | RWX;
    vm_clear(a);
    invalidate(1, 0);
    look("top changed, VMCLEAR, INVEPT", a, l2_read, WINDOW);
    look("  another VPID", b, l2_read, WINDOW);
}

/* More rights and what was absent need no INVEPT after the violation. */
static void without_invept(void)
{
    struct vm *c = &vms[2];
    *entry(&tables[1], 0) = address(&frames[1]) | LEAF | 1;
    invalidate(2, 0);
    look("read-only: read", c, l2_read, WINDOW);
    look("read-only: write", c, l2_write, WINDOW);
    *entry(&tables[1], 0) |= RWX;
    look("writable: write", c, l2_write, WINDOW);
    guest_print("the frame has %#llx\n", (unsigned long long)*entry(&frames[1], 0));
    look("absent", c, l2_read, WINDOW + 0x1000);
    *entry(&tables[1], 1) = address(&frames[2]) | LEAF | RWX;
    look("present", c, l2_read, WINDOW + 0x1000);
    *entry(&tables[1], 2) = address(&frames[3]) | 2;
    look("misconfigured", c, l2_read, WINDOW + 0x2000);
    *entry(&tables[1], 2) = address(&frames[3]) | LEAF | RWX;
    look("configured", c, l2_read, WINDOW + 0x2000);
}

/* L2 writes the bitmap where its hypervisor put it: at another address, known before and after it is a bitmap. */
static void by_alias(void)
{
    struct vm *c = &vms[2];
    *entry(&tables[1], 3) = address(&bitmaps[1]) | LEAF | RWX;
    uint64_t at = WINDOW + 0x3000 + (MSR_SYSENTER / 64) * 8;
    memset(&bitmaps[1], 0, sizeof(bitmaps[1]));
    look("alias of a page", c, l2_read, at);
    turn(c, l2_write, at + 8);
    vm_set(VMCS_MSR_BITMAP, address(&bitmaps[1]));
    look("it is the MSR bitmap now", c, l2_sysenter, 0);
    look("L2 sets a bit", c, l2_write, at);
    look("RDMSR", c, l2_sysenter, 0);
    *entry(&bitmaps[1], MSR_SYSENTER / 64) = 0;
    look("L1 clears it: RDMSR", c, l2_sysenter, 0);
    look("L2 sets it again", c, l2_write, at);
    look("RDMSR", c, l2_sysenter, 0);
    for (unsigned n = 0; n < 3; n++)
        vm_clear(&vms[n]);
}

/* ---- PAE's top entries ------------------------------------------------------------------------------- */

static void pae(void)
{
    /* mov $0x40000000, %eax; mov (%eax), %ecx; vmcall */
    static const uint8_t text[] = {0xB8, 0, 0, 0, 0x40, 0x8B, 0x08, 0x0F, 0x01, 0xC1};
    static struct page top, directory[2];
    struct vm *a = &vms[0];
    const uint64_t *own = (const uint64_t *)(uintptr_t)(*(uint64_t *)(uintptr_t)(read_cr3() & ~0xFFFull) & ~0xFFFull);
    memcpy(&code, text, sizeof(text));
    for (unsigned n = 0; n < 2; n++)
        *entry(&directory[n], 0) = (FRAMES + n * MIB_2) | LARGE | 3;
    vm_prepare(a);
    vm_entry_controls(0);
    vm_set(VMCS_GUEST_CR0, CR0_PAGING);
    vm_set(VMCS_GUEST_CR4, CR4_VMXE_PAE);
    vm_set(VMCS_GUEST_CR3, address(&top));
    vm_set(VMCS_GUEST_CS_ACCESS_RIGHTS, 0xC09B);
    *entry(&top, 0) = (own[0] & ~0xFFFull) | 1; /* in which QEMU's walks set bit 5, which is reserved */
    for (unsigned n = 0; n < 4; n++) {
        *entry(&top, 1) = address(&directory[n % 2]) | 1;
        if (n == 2)
            vm_clear(a);
        vm_select(a);
        vm_set(VMCS_GUEST_RIP, address(&code));
        vm_run(a);
        if (a->entered != VMX_SUCCEED || a->exit.reason != EXIT_VMCALL)
            vm_print_exit("PAE", a);
        guest_print("PAE, directory %u: %#llx\n", n % 2, (unsigned long long)(uint32_t)a->registers.rcx);
    }
    *entry(&top, 1) = 0x3000 | 1 << 1 | 1;
    vm_set(VMCS_GUEST_RIP, address(&code));
    vm_run(a);
    vm_print_exit("a reserved bit in storage only", a);
}

int guest_main(void)
{
    const struct multiboot_information *information = guest_multiboot();
    bool pages = information->flags & 4 && strstr((const char *)(uintptr_t)information->command_line, "pages");
    vm_begin();
    for (unsigned n = 0; n < MANY; n++) {
        vms[n].region = &regions[n];
        vms[n].page = pages ? (struct vmcs_page *)(void *)&regions[n] : NULL;
    }
    many();
    virtual_apics();
    linear();
    invept();
    without_invept();
    by_alias();
    pae();
    guest_print("end\n");
    return (int)guest_failures;
}
