/* Question: is each page whose dirty flag becomes 1 logged, once and in order, whatever wrote to it, and does a full
 * log exit before anything is accessed? SDM "Page-Modification Logging".
 *
 * Not asked, because Bochs 2.7 is no oracle for them: bits 11:0 of an entry (it leaves them as the address has them),
 * and a full log at an access that needs no flag set (it exits). nest_log_test asks.
 *
 * L2 has the first GiB one to one in 2 MiB pages that are dirty already, and at 1 GiB a window of 4 KiB pages. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

enum { RWX = 7, WRITE_BACK = 6 << 3, LARGE = 1 << 7, ACCESSED = 1 << 8, DIRTY = 1 << 9, FOUR_LEVELS = 3 << 3 | 6,
       MARKS = 1 << 6, INVEPT_ALL = 2, PAGES = 8, LOG_ENTRIES = 512 };
#define WINDOW 0x40000000ull
#define PAGE(n) (WINDOW + (n) * 4096ull)
#define LARGE_WINDOW (WINDOW + 0x200000)
#define LARGE_FRAME 0x2000000ull /* the payload does not reach so far */

static struct page region, frames[PAGES], tables[5], log;
static struct vm vm = {.region = &region};
static volatile uint64_t seen;

static uint64_t address(const volatile void *p) { return (uint64_t)(uintptr_t)p; }
static uint64_t *entry(struct page *table, unsigned n) { return (uint64_t *)(void *)table + n; }
static uint64_t *leaf(unsigned n) { return entry(&tables[4], n); }

static void flush(void)
{
    const struct vmx_descriptor all = {0, 0};
    vmx_invept(INVEPT_ALL, &all);
}

/* The window's pages are clean, and nobody has looked at them. */
static void window_clean(void)
{
    for (unsigned n = 0; n < PAGES; n++)
        *leaf(n) = address(&frames[n]) | WRITE_BACK | RWX;
    *entry(&tables[3], 1) = LARGE_FRAME | LARGE | WRITE_BACK | RWX;
    flush();
}

static void begin(void)
{
    for (unsigned level = 0; level < 2; level++)
        *entry(&tables[level], 0) = address(&tables[level + 1]) | RWX;
    for (unsigned n = 0; n < LOG_ENTRIES; n++)
        *entry(&tables[2], n) = n * 0x200000ull | LARGE | WRITE_BACK | ACCESSED | DIRTY | RWX;
    *entry(&tables[1], 1) = address(&tables[3]) | RWX;
    *entry(&tables[3], 0) = address(&tables[4]) | RWX;
    vm_prepare(&vm);
    vm_set(VMCS_EPT_POINTER, address(&tables[0]) | FOUR_LEVELS | MARKS);
    vm_cpu(0, CPU2_EPT | CPU2_PML);
    vm_set(VMCS_PML_ADDRESS, address(&log));
    window_clean();
}

/* Empties the log, and leaves room for so many. */
static void room(unsigned entries)
{
    memset(&log, 0, sizeof(log));
    vm_set(VMCS_PML_INDEX, entries - 1u);
}

static void print_log(void)
{
    guest_print("  index %#llx:", (unsigned long long)vm_get(VMCS_PML_INDEX));
    for (unsigned n = LOG_ENTRIES; n-- > 0;)
        if (*entry(&log, n))
            guest_print(" %u %#llx", n, (unsigned long long)(*entry(&log, n) >> 12 << 12));
    guest_print("\n");
}

static void print_flags(unsigned n)
{
    guest_print("  page %u is %s%s\n", n, *leaf(n) & ACCESSED ? "accessed" : "not accessed",
                *leaf(n) & DIRTY ? " and dirty" : "");
}

static void goes_on(const char *name)
{
    vm_run(&vm);
    vm_print_exit(name, &vm);
    print_log();
}

static void attempt(const char *name, void (*body)(void *), uint64_t at)
{
    vm_start(&vm, body, (void *)(uintptr_t)at);
    goes_on(name);
}

/* ---- what L2 does ------------------------------------------------------------------------------------------------ */

static void l2_read(void *p) { seen = *(volatile uint64_t *)p; }
static void l2_write(void *p) { *(volatile uint64_t *)p = 0x1122334455667788; }
static void l2_modify(void *p) { __asm__ volatile("lock incq (%0)" : : "r"(p) : "memory", "cc"); }
static void l2_in(void *p) { __asm__ volatile("cld; insb" : "+D"(p) : "d"((uint16_t)0x80) : "memory"); }
static void l2_vmcall(void *unused)
{
    (void)unused;
    __asm__ volatile("vmcall" : : "a"(0));
}

/* ---- what is logged ---------------------------------------------------------------------------------------------- */

static void pages_written(void)
{
    room(LOG_ENTRIES);
    attempt("read", l2_read, PAGE(0));
    attempt("write", l2_write, PAGE(0) + 0x123);
    attempt("once more", l2_write, PAGE(0));
    attempt("modify", l2_modify, PAGE(1));
    attempt("over the end of a page", l2_write, PAGE(3) - 4);
    attempt("byte from a port", l2_in, PAGE(4));
    attempt("in 2 MiB", l2_write, LARGE_WINDOW + 0x12345);
    attempt("once more there", l2_write, LARGE_WINDOW + 0x1FF000);
    *leaf(0) &= ~(uint64_t)DIRTY;
    flush();
    attempt("clean again", l2_write, PAGE(0));
    attempt("read before", l2_read, PAGE(5));
    attempt("and written", l2_write, PAGE(5));
}

static void without_flags(void)
{
    window_clean();
    room(LOG_ENTRIES);
    vm_set(VMCS_EPT_POINTER, address(&tables[0]) | FOUR_LEVELS);
    attempt("without dirty flags", l2_write, PAGE(0));
    vm_set(VMCS_EPT_POINTER, address(&tables[0]) | FOUR_LEVELS | MARKS);
    vm_cpu(0, CPU2_EPT);
    attempt("without the control", l2_write, PAGE(1));
    print_flags(1);
    vm_cpu(0, CPU2_EPT | CPU2_PML);
}

/* With such flags the walk of L2's own tables writes to them. L2's tables are copies, in the window. */
static void structures(void)
{
    uint64_t cr3 = read_cr3();

    window_clean();
    for (unsigned n = 0; n < 3; n++)
        memset(&frames[n], 0, sizeof(frames[n]));
    memcpy(&frames[0], (const void *)(uintptr_t)(cr3 & ~0xFFFull), sizeof(frames[0]));
    room(LOG_ENTRIES);
    vm_set(VMCS_GUEST_CR3, PAGE(0));
    attempt("a table", l2_read, address(&seen));
    vm_set(VMCS_GUEST_CR3, cr3);
}

/* ---- a full log -------------------------------------------------------------------------------------------------- */

static void full(void)
{
    window_clean();
    room(2);
    attempt("last but one", l2_write, PAGE(0));
    attempt("last", l2_write, PAGE(1));
    *entry(&frames[2], 0) = 0;
    attempt("full, write", l2_write, PAGE(2));
    print_flags(2);
    guest_check_equal(*entry(&frames[2], 0), 0, "nothing was written");
    goes_on("full still");
    room(1);
    goes_on("with room");
    print_flags(2);
    guest_check_equal(*entry(&frames[2], 0), 0x1122334455667788, "it was written");
    attempt("full, read of what nobody read", l2_read, PAGE(3));
    print_flags(3);
    attempt("full, byte from a port", l2_in, PAGE(4));
    print_flags(4);
    room(LOG_ENTRIES + 1);
    attempt("index 512", l2_write, PAGE(4));
    room(LOG_ENTRIES);
    goes_on("index 511");
}

static void full_at_a_delivery(void)
{
    window_clean();
    room(0);
    vm_start(&vm, l2_vmcall, NULL);
    vm_set(VMCS_GUEST_RSP, PAGE(6) + 0x800);
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, 0x80000B0E);
    vm_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 2);
    goes_on("full, #PF injected");
    print_flags(6);
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static void refused(void)
{
    vm_set(VMCS_PML_ADDRESS, address(&log) + 8);
    attempt("log not aligned", l2_read, PAGE(0));
    vm_set(VMCS_PML_ADDRESS, 1ull << 51);
    attempt("log beyond the width", l2_read, PAGE(0));
    vm_set(VMCS_PML_ADDRESS, address(&log));
    vm_cpu(0, CPU2_PML);
    attempt("log without EPT", l2_read, address(&seen));
}

int guest_main(void)
{
    vm_begin();
    if (!vm_offers(VMX_CPU2, CPU2_PML)) {
        guest_print("page-modification log: not offered\n");
        return 1;
    }
    begin();
    pages_written();
    without_flags();
    structures();
    full();
    full_at_a_delivery();
    refused();
    guest_print("end\n");
    return (int)guest_failures;
}
