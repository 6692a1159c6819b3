/* Question: does EPT translate, protect and report as the manual says: violations with each qualification,
 * misconfigurations, accessed and dirty flags, large pages, changes after INVEPT, EPTP switching, guests without long
 * mode?
 *
 * Not asked, because Bochs 2.7 is no oracle for them: reserved bits 20:12 of a 2 MiB page (it takes the page), and an
 * accessed flag to be set in a page-table page that EPT makes read-only (it sets it).
 *
 * L2 sees the first GiB one to one. A window at 1 GiB is what the cases change: page n of it is entry n of `table`. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

enum {
    R = 1,
    W = 2,
    X = 4,
    RWX = 7,
    WRITE_BACK = 6 << 3,
    LARGE = 1 << 7,
    ACCESSED = 1 << 8,
    DIRTY = 1 << 9,
    EPTP_FLAGS = 3 << 3 | 6,
    EPTP_ACCESSED_DIRTY = 1 << 6,
    INVEPT_ALL = 2,
};
#define WINDOW 0x40000000ull
#define LARGE_WINDOW 0x40200000ull
#define LARGE_FRAME 0x2000000ull /* 32 MiB: the payload uses less */
#define PAGE(n) (WINDOW + (n) * 4096ull)

static struct page region, frames[4], top, pointers, low, high, table, other_top, other_pointers, other_high,
    other_table, eptp_list;
static struct page code, pdpt;
static struct vm vm = {.region = &region};
static uint32_t secondary = CPU2_EPT;

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static uint64_t *entry(struct page *page, unsigned n) { return (uint64_t *)(void *)page + n; }
static uint64_t leaf(const struct page *frame, unsigned rights) { return address(frame) | WRITE_BACK | rights; }

static void flush(void)
{
    struct vmx_descriptor all = {0, 0};
    vmx_invept(INVEPT_ALL, &all);
}

static void build(struct page *t, struct page *p, struct page *h, struct page *pages)
{
    memset(t, 0, sizeof(*t));
    memset(p, 0, sizeof(*p));
    memset(h, 0, sizeof(*h));
    memset(pages, 0, sizeof(*pages));
    *entry(t, 0) = address(p) | RWX;
    *entry(p, 0) = address(&low) | RWX;
    *entry(p, 1) = address(h) | RWX;
    *entry(h, 0) = address(pages) | RWX;
    for (unsigned n = 0; n < 512; n++)
        *entry(&low, n) = n * 0x200000ull | LARGE | WRITE_BACK | RWX;
}

/* Everything anew, so that a case does not depend on the one before. */
static void fresh(void)
{
    vm_prepare(&vm);
    build(&top, &pointers, &high, &table);
    vm_set(VMCS_EPT_POINTER, address(&top) | EPTP_FLAGS);
    vm_cpu(0, secondary);
    flush();
}

/* ---- what L2 does ----------------------------------------------------------------- */

static volatile uint64_t seen;

static void l2_read(void *p) { seen = *(volatile uint64_t *)p; }
static void l2_write(void *p) { *(volatile uint64_t *)p = 0x1122334455667788; }
static void l2_execute(void *p) { ((void (*)(void))(uintptr_t)p)(); }
static void l2_modify(void *p) { __asm__ volatile("lock incq (%0)" : : "r"(p) : "memory", "cc"); }
static void l2_ud(void *unused)
{
    (void)unused;
    __asm__ volatile("ud2");
}

enum { RET = 0xC3 };

static void attempt(const char *name, void (*body)(void *), uint64_t at)
{
    vm_start(&vm, body, (void *)(uintptr_t)at);
    vm_run(&vm);
    vm_print_exit(name, &vm);
}

/* ---- violations ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint8_t rights;
    void (*body)(void *);
} protections[] = {
    {"read of nothing", 0, l2_read},          {"write to nothing", 0, l2_write},
    {"fetch from nothing", 0, l2_execute},    {"modify nothing", 0, l2_modify},
    {"read of R", R, l2_read},                {"write to R", R, l2_write},
    {"fetch from R", R, l2_execute},          {"modify R", R, l2_modify},
    {"write to RW", R | W, l2_write},         {"fetch from RW", R | W, l2_execute},
    {"read of RX", R | X, l2_read},           {"write to RX", R | X, l2_write},
    {"fetch from RX", R | X, l2_execute},     {"read of X", X, l2_read},
    {"write to X", X, l2_write},              {"fetch from X", X, l2_execute},
    {"modify RWX", RWX, l2_modify},
};

static void violations(void)
{
    for (unsigned i = 0; i < sizeof(protections) / sizeof(*protections); i++) {
        fresh();
        memset(&frames[0], RET, sizeof(frames[0]));
        *entry(&table, 5) = protections[i].rights ? leaf(&frames[0], protections[i].rights) : 0;
        attempt(protections[i].name, protections[i].body, PAGE(5) + 0x123);
    }
}

static void levels(void)
{
    fresh();
    *entry(&table, 0) = leaf(&frames[0], RWX);
    *entry(&high, 0) &= ~(uint64_t)W;
    attempt("write, page directory R X", l2_write, PAGE(0));
    *entry(&high, 0) = 0;
    flush();
    attempt("read, no page table", l2_read, PAGE(0));
    *entry(&pointers, 1) = 0;
    flush();
    attempt("read, no page directory", l2_read, PAGE(0));
    fresh();
    *entry(&table, 0) = leaf(&frames[0], RWX);
    attempt("read over the end of a page", l2_read, PAGE(1) - 4);
    attempt("write over the end of a page", l2_write, PAGE(1) - 4);
}

/* ---- misconfigurations ----------------------------------------------------------------- */

static void misconfigurations(void)
{
    static const struct {
        const char *name;
        uint64_t bits;
    } leaves[] = {
        {"leaf W", W | WRITE_BACK},
        {"leaf W X", W | X | WRITE_BACK},
        {"leaf memory type 2", RWX | 2 << 3},
        {"leaf memory type 3", RWX | 3 << 3},
        {"leaf memory type 7", RWX | 7 << 3},
        {"leaf beyond the width", RWX | WRITE_BACK | 1ull << 51},
    };
    for (unsigned i = 0; i < sizeof(leaves) / sizeof(*leaves); i++) {
        fresh();
        *entry(&table, 1) = address(&frames[0]) | leaves[i].bits;
        attempt(leaves[i].name, l2_read, PAGE(1) + 8);
    }
    fresh();
    *entry(&high, 0) |= 1 << 3;
    attempt("directory entry, reserved bit 3", l2_read, PAGE(1) + 8);
    fresh();
    *entry(&high, 0) = address(&table) | W;
    attempt("directory entry W", l2_read, PAGE(1) + 8);
    fresh();
    *entry(&table, 1) = 0x7F8; /* not present: nothing else of it counts */
    attempt("leaf not present, other bits", l2_read, PAGE(1) + 8);
}

/* ---- translation --------------------------------------------------------------------------- */

static void translation(void)
{
    fresh();
    *entry(&table, 0) = leaf(&frames[0], RWX);
    *entry(&table, 1) = leaf(&frames[0], RWX);
    *entry(&frames[0], 0) = 0;
    attempt("write through the window", l2_write, PAGE(0));
    guest_check_equal(*entry(&frames[0], 0), 0x1122334455667788, "the frame has what L2 wrote");
    attempt("read through another page of it", l2_read, PAGE(1));
    guest_check_equal(seen, 0x1122334455667788, "and L2 reads it there");
    *entry(&frames[1], 0) = 0x9999;
    *entry(&table, 0) = leaf(&frames[1], RWX);
    flush();
    attempt("read after the page moved", l2_read, PAGE(0));
    guest_check_equal(seen, 0x9999, "INVEPT makes the move visible");
    *entry(&table, 0) = leaf(&frames[1], R);
    flush();
    attempt("write after rights were taken", l2_write, PAGE(0));
    *entry(&table, 0) = leaf(&frames[1], RWX);
    vm_run(&vm);
    vm_print_exit("write after rights were given", &vm);
    guest_check_equal(*entry(&frames[1], 0), 0x1122334455667788, "the write was done once rights allowed it");
    *entry(&high, 1) = LARGE_FRAME | LARGE | WRITE_BACK | RWX;
    *(volatile uint64_t *)(LARGE_FRAME + 0x1FFFF8) = 0;
    attempt("write to a 2 MiB page", l2_write, LARGE_WINDOW + 0x1FFFF8);
    guest_check_equal(*(volatile uint64_t *)(LARGE_FRAME + 0x1FFFF8), 0x1122334455667788, "it is where the page says");
    *entry(&high, 1) = LARGE_FRAME | LARGE | WRITE_BACK | R;
    flush();
    attempt("write to a 2 MiB page R", l2_write, LARGE_WINDOW + 0x12345);
}

static void print_flags(const char *name)
{
    guest_print("%s: page %s%s, directory %s\n", name, *entry(&table, 0) & ACCESSED ? "accessed" : "not accessed",
                *entry(&table, 0) & DIRTY ? " dirty" : "", *entry(&high, 0) & ACCESSED ? "accessed" : "not accessed");
}

static void accessed_and_dirty(void)
{
    if (!(rdmsr(MSR_VMX_FIRST + VMX_EPT_VPID_CAP) & EPT_CAP_ACCESSED_DIRTY)) {
        guest_print("no accessed and dirty flags\n");
        return;
    }
    fresh();
    *entry(&table, 0) = leaf(&frames[0], RWX);
    attempt("read without flags", l2_read, PAGE(0));
    print_flags("read without flags");
    vm_set(VMCS_EPT_POINTER, address(&top) | EPTP_FLAGS | EPTP_ACCESSED_DIRTY);
    flush();
    attempt("nothing", l2_read, address(&frames[1]));
    print_flags("nothing");
    attempt("read", l2_read, PAGE(0));
    print_flags("read");
    attempt("write", l2_write, PAGE(0));
    print_flags("write");
    *entry(&table, 0) &= ~(uint64_t)(ACCESSED | DIRTY);
    flush();
    attempt("read after the flags were cleared", l2_read, PAGE(0));
    print_flags("read after the flags were cleared");
}

/* ---- paging structures and event delivery ------------------------------------------------------ */

static void print_structure(const char *name)
{
    guest_print("%s: %s qualification %#llx physical %#llx\n", name, vm_reason_name(vm.exit.reason),
                (unsigned long long)vm.exit.qualification, (unsigned long long)vm.exit.guest_physical);
}

static void structures(void)
{
    fresh();
    vm_set(VMCS_GUEST_CR3, PAGE(2));
    vm_start(&vm, l2_read, (void *)(uintptr_t)&seen);
    vm_run(&vm);
    print_structure("CR3 on nothing");
    *entry(&table, 2) = leaf((const struct page *)(uintptr_t)read_cr3(), R);
    vm_run(&vm);
    guest_print("CR3 on a page R: %s\n", vm_reason_name(vm.exit.reason));
}

static void during_delivery(void)
{
    fresh();
    uint64_t idt = vm_get(VMCS_GUEST_IDTR_BASE);
    vm_set(VMCS_GUEST_IDTR_BASE, PAGE(3));
    attempt("IDT on nothing", l2_ud, 0);
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, 0x80000B0E);
    vm_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 2);
    attempt("IDT on nothing, #PF injected", l2_read, 0);
    vm_set(VMCS_GUEST_IDTR_BASE, idt);
}

/* ---- VMFUNC ---------------------------------------------------------------------------------------- */

struct function {
    uint32_t eax, ecx;
};

static void l2_function(void *p)
{
    const struct function *f = p;
    __asm__ volatile(".byte 0x0F, 0x01, 0xD4" : : "a"(f->eax), "c"(f->ecx) : "memory");
    seen = *(volatile uint64_t *)PAGE(0);
}

static void l2_function_traps(void *p)
{
    seen = guest_try(l2_function, p);
}

static void functions(void)
{
    if (!(rdmsr(MSR_VMX_FIRST + VMX_CPU2) >> 32 & CPU2_VM_FUNCTIONS)) {
        guest_print("no VM functions\n");
        return;
    }
    static struct function to[] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 512}, {1, 0}, {63, 0}};
    fresh();
    build(&other_top, &other_pointers, &other_high, &other_table);
    *entry(&table, 0) = leaf(&frames[0], RWX);
    *entry(&other_table, 0) = leaf(&frames[1], RWX);
    *entry(&frames[0], 0) = 0xAAAA;
    *entry(&frames[1], 0) = 0xBBBB;
    memset(&eptp_list, 0, sizeof(eptp_list));
    *entry(&eptp_list, 0) = address(&top) | EPTP_FLAGS;
    *entry(&eptp_list, 1) = address(&other_top) | EPTP_FLAGS;
    *entry(&eptp_list, 3) = address(&other_top) | 7 << 3 | 6;
    vm_set(VMCS_VM_FUNCTION_CONTROLS, VM_FUNCTION_EPTP_SWITCHING);
    vm_set(VMCS_EPTP_LIST_ADDRESS, address(&eptp_list));
    vm_cpu(0, secondary | CPU2_VM_FUNCTIONS);
    for (unsigned i = 0; i < sizeof(to) / sizeof(*to); i++) {
        vm_set(VMCS_EPT_POINTER, address(&top) | EPTP_FLAGS);
        seen = 0;
        guest_print("VMFUNC %u with index %u, ", to[i].eax, to[i].ecx);
        attempt("then", l2_function, address(&to[i]));
        guest_print("  L2 saw %#llx, EPT pointer %s\n", (unsigned long long)seen,
                    vm_get(VMCS_EPT_POINTER) == (address(&other_top) | EPTP_FLAGS) ? "the other's" : "its own");
    }
    static struct function none = {64, 0};
    attempt("VMFUNC 64", l2_function_traps, address(&none));
    guest_print("  L2 saw vector %llu\n", (unsigned long long)seen);
    vm_set(VMCS_VM_FUNCTION_CONTROLS, 0);
    attempt("VMFUNC 0 not enabled", l2_function, address(&to[0]));
    vm_cpu(0, secondary);
    attempt("no VM functions", l2_function_traps, address(&to[0]));
    guest_print("  L2 saw vector %llu\n", (unsigned long long)seen);
}

/* ---- guests that are not in long mode ------------------------------------------------------------------ */

enum { CR0_REAL = 0x20, CR0_PAGING = 0x80000021, CR4_VMXE = 0x2000, CR4_VMXE_PAE = 0x2020 };

static void segments(uint64_t base, uint32_t limit, uint32_t code_rights, uint32_t data_rights)
{
    for (unsigned n = 0; n < 6; n++) {
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * n), base);
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * n), limit);
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * n), n == 1 ? code_rights : data_rights);
    }
}

static void run_code(const char *name, uint64_t rip)
{
    vm_set(VMCS_GUEST_RIP, rip);
    vm_run(&vm);
    vm_print_exit(name, &vm);
    guest_print("  RAX %#llx\n", (unsigned long long)vm.registers.rax);
}

static void real_mode(void)
{
    /* mov $0x1234, %ax; mov $0x5678, %bx; add %bx, %ax; mov %ax, 0x100; vmcall */
    static const uint8_t text[] = {0xB8, 0x34, 0x12, 0xBB, 0x78, 0x56, 0x01, 0xD8, 0xA3, 0x00, 0x01, 0x0F, 0x01, 0xC1};
    memcpy(&code, text, sizeof(text));
    fresh();
    vm_cpu(0, secondary | CPU2_UNRESTRICTED_GUEST);
    vm_entry_controls(0);
    vm_set(VMCS_GUEST_CR0, CR0_REAL);
    vm_set(VMCS_GUEST_CR4, CR4_VMXE);
    segments(address(&code), 0xFFFF, 0x9B, 0x93);
    run_code("real mode", 0);
    guest_check_equal(code.bytes[0x100] | code.bytes[0x101] << 8, 0x68AC, "real mode wrote to its segment");
    guest_check_equal(vm_get(VMCS_ENTRY_CONTROLS) & ENTRY_LONG_MODE, 0, "the guest is not in IA-32e mode");
}

static void pae(void)
{
    /* mov %cr3, %eax; mov %eax, %cr3; mov $0x11223344, %eax; vmcall */
    static const uint8_t text[] = {0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8, 0xB8, 0x44, 0x33, 0x22, 0x11, 0x0F, 0x01, 0xC1};
    const uint64_t *cr3 = (const uint64_t *)(uintptr_t)read_cr3();
    const uint64_t *directories = (const uint64_t *)(uintptr_t)(cr3[0] & ~0xFFFull);
    memcpy(&code, text, sizeof(text));
    fresh();
    for (unsigned n = 0; n < 4; n++) {
        *entry(&pdpt, n) = (directories[n] & ~0xFFFull) | 1;
        vm_set((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * n), n == 0 ? *entry(&pdpt, 0) : 0);
    }
    vm_entry_controls(0);
    vm_set(VMCS_GUEST_CR0, CR0_PAGING);
    vm_set(VMCS_GUEST_CR4, CR4_VMXE_PAE);
    vm_set(VMCS_GUEST_CR3, address(&pdpt));
    segments(0, ~0u, 0xC09B, 0xC093);
    run_code("PAE paging", address(&code));
    guest_check_equal(vm_get(VMCS_GUEST_PDPTE3), *entry(&pdpt, 3), "MOV to CR3 loaded the PDPTEs from memory");
}

/* ---- VPID ------------------------------------------------------------------------------------------------- */

static void vpid(void)
{
    fresh();
    *entry(&table, 0) = leaf(&frames[0], RWX);
    *entry(&frames[0], 0) = 0x7777;
    vm_cpu(0, secondary | CPU2_VPID);
    vm_set(VMCS_VPID, 1);
    attempt("VPID 1", l2_read, PAGE(0));
    vm_set(VMCS_VPID, 0xFFFF);
    attempt("VPID FFFF", l2_read, PAGE(0));
    guest_check_equal(seen, 0x7777, "L2 reads with a VPID");
}

int guest_main(void)
{
    vm_begin();
    violations();
    levels();
    misconfigurations();
    translation();
    accessed_and_dirty();
    structures();
    during_delivery();
    functions();
    real_mode();
    pae();
    vpid();
    guest_print("end\n");
    return (int)guest_failures;
}
