/* Question: does an entry that fails on guest state, or on its MSR-load list, leave L1 with the host state as it is at
 * that entry, every field of it, be it of a region that was never entered or of one that was? SDM "VM-Entry Failures
 * During or After Loading Guest State", "Loading Host State". */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum { MSR_SYSENTER_CS = 0x174, MSR_PAT = 0x277, MSR_EFER = 0xC0000080, MSR_FS_BASE = 0xC0000100, MSR_GS_BASE,
       EFER_SCE = 1, CR0_WP = 1 << 16, CR4_TSD = 4, DATA = 0x10, TASK = 0x18 };
#define UPPER 0xFFFF800000000000ull

static struct page region, top, tables[2];
static struct vm vm = {.region = &region};
static struct {
    uint32_t index, reserved;
    uint64_t data;
} list[1] __attribute__((aligned(16))) = {{MSR_FS_BASE, 0, 0}}; /* which no list may have */

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* The other place L1 goes on at. */
extern char exited_elsewhere[];
uint64_t elsewhere;
__asm__("exited_elsewhere: incq elsewhere(%rip); jmp vm_exited");

/* ---- what L1 finds ----------------------------------------------------------------------------- */

#define SELECTOR(name) \
    static uint64_t name(void) \
    { \
        uint16_t value; \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value)); \
        return value; \
    }
SELECTOR(ds)
SELECTOR(es)
SELECTOR(fs)
SELECTOR(gs)
#define READ(name, ...) \
    static uint64_t name(void) { __VA_ARGS__ }
READ(cr0, return read_cr0() & CR0_WP;)
READ(cr3, return read_cr3() == (uint64_t)(uintptr_t)&top;)
READ(cr4, return read_cr4() & CR4_TSD;)
READ(tr, uint16_t value; __asm__ volatile("str %0" : "=r"(value)); return value;)
READ(gdt, struct table_register t; __asm__ volatile("sgdt %0" : "=m"(t)); return t.base == (uintptr_t)&tables[0];)
READ(idt, struct table_register t; __asm__ volatile("sidt %0" : "=m"(t)); return t.base == (uintptr_t)&tables[1];)
READ(fs_base, return rdmsr(MSR_FS_BASE);)
READ(gs_base, return rdmsr(MSR_GS_BASE);)
READ(sysenter_cs, return rdmsr(MSR_SYSENTER_CS);)
READ(sysenter_esp, return rdmsr(MSR_SYSENTER_CS + 1);)
READ(sysenter_eip, return rdmsr(MSR_SYSENTER_CS + 2);)
READ(pat, return rdmsr(MSR_PAT);)
READ(efer, return rdmsr(MSR_EFER) & EFER_SCE;)
READ(rip, uint64_t times = elsewhere; elsewhere = 0; return times;)

/* ---- what it asks for ---------------------------------------------------------------------------- */

static struct row {
    const char *name;
    enum vmcs_field field;
    uint64_t (*read)(void);
    uint64_t other, own;
} rows[] = {
    {"ES", VMCS_HOST_ES_SELECTOR, es, 0, 0}, {"DS", VMCS_HOST_DS_SELECTOR, ds, 0, 0},
    {"FS", VMCS_HOST_FS_SELECTOR, fs, DATA, 0}, {"GS", VMCS_HOST_GS_SELECTOR, gs, DATA, 0},
    {"TR", VMCS_HOST_TR_SELECTOR, tr, TASK + 8, 0},
    {"FS base", VMCS_HOST_FS_BASE, fs_base, UPPER + 0x1000, 0},
    {"GS base", VMCS_HOST_GS_BASE, gs_base, UPPER + 0x2000, 0},
    {"GDT", VMCS_HOST_GDTR_BASE, gdt, (uint64_t)(uintptr_t)0, 0}, {"IDT", VMCS_HOST_IDTR_BASE, idt, 0, 0},
    {"CR0.WP", VMCS_HOST_CR0, cr0, CR0_WP, 0}, {"CR3", VMCS_HOST_CR3, cr3, 0, 0},
    {"CR4.TSD", VMCS_HOST_CR4, cr4, CR4_TSD, 0},
    {"SYSENTER_CS", VMCS_HOST_SYSENTER_CS, sysenter_cs, 0x33, 0},
    {"SYSENTER_ESP", VMCS_HOST_SYSENTER_ESP, sysenter_esp, 0x3000, 0},
    {"SYSENTER_EIP", VMCS_HOST_SYSENTER_EIP, sysenter_eip, 0x4000, 0},
    {"PAT", VMCS_HOST_PAT, pat, 0x0006070400060704, 0}, {"EFER.SCE", VMCS_HOST_EFER, efer, EFER_SCE, 0},
    {"RIP", VMCS_HOST_RIP, rip, 0, 0},
};
enum { ROWS = sizeof rows / sizeof *rows };

static struct row *row_of(enum vmcs_field field)
{
    struct row *row = rows;
    while (row->field != field)
        row++;
    return row;
}

static void others(void)
{
    struct table_register t;
    __asm__ volatile("sgdt %0" : "=m"(t));
    memcpy(&tables[0], (const void *)(uintptr_t)t.base, t.limit + 1u);
    __asm__ volatile("sidt %0" : "=m"(t));
    memcpy(&tables[1], (const void *)(uintptr_t)t.base, t.limit < 4096 ? t.limit + 1u : 4096);
    memcpy(&top, (const void *)(uintptr_t)(read_cr3() & ~4095ull), sizeof top);
    row_of(VMCS_HOST_GDTR_BASE)->other = (uint64_t)(uintptr_t)&tables[0];
    row_of(VMCS_HOST_IDTR_BASE)->other = (uint64_t)(uintptr_t)&tables[1];
    row_of(VMCS_HOST_CR3)->other = (uint64_t)(uintptr_t)&top;
    row_of(VMCS_HOST_RIP)->other = (uint64_t)(uintptr_t)exited_elsewhere;
    row_of(VMCS_HOST_CR0)->other |= read_cr0();
    row_of(VMCS_HOST_CR4)->other |= read_cr4();
    row_of(VMCS_HOST_EFER)->other |= rdmsr(MSR_EFER);
    for (unsigned i = 0; i < ROWS; i++)
        rows[i].own = vm_get(rows[i].field);
}

static void l2(void *unused)
{
    (void)unused;
    cpuid(0, 0);
}

/* One field after another is changed and changed back, each between two entries that fail. */
static void fields(const char *name)
{
    for (unsigned i = 0; i < ROWS; i++) {
        uint64_t found[3];
        for (unsigned n = 0; n < 3; n++) {
            vm_set(rows[i].field, n == 1 ? rows[i].other : rows[i].own);
            vm_run(&vm);
            found[n] = rows[i].read();
        }
        guest_print("%s, %s: %#llx, %#llx, %#llx\n", name, rows[i].name, (unsigned long long)found[0],
                    (unsigned long long)found[1], (unsigned long long)found[2]);
    }
    vm_print_exit(name, &vm);
}

/* At another depth of the stack. */
static __attribute__((noinline)) uint64_t deeper(uint64_t n)
{
    volatile uint64_t mark[16] = {n};
    if (n)
        return deeper(n - 1) + 1 + (mark[0] - n);
    vm_run(&vm);
    return mark[0];
}

static void failing(const char *rflags, const char *msr)
{
    vm_set(VMCS_GUEST_RFLAGS, 0);
    fields(rflags);
    guest_print("%s, RSP: %llu %llu\n", rflags, (unsigned long long)deeper(0), (unsigned long long)deeper(7));
    vm_set(VMCS_GUEST_RFLAGS, 2);
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
    fields(msr);
    guest_print("%s, RSP: %llu %llu\n", msr, (unsigned long long)deeper(0), (unsigned long long)deeper(7));
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
}

int guest_main(void)
{
    vm_begin();
    vm_prepare(&vm);
    vm_exit_controls(EXIT_LOAD_PAT | EXIT_LOAD_EFER);
    vm_set(VMCS_HOST_PAT, rdmsr(MSR_PAT));
    vm_set(VMCS_HOST_EFER, rdmsr(MSR_EFER));
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, (uint64_t)(uintptr_t)list);
    vm_start(&vm, l2, NULL);
    others();
    failing("never entered", "never entered, list");
    vm_run(&vm);
    vm_print_exit("L2", &vm);
    failing("entered", "entered, list");
    vm_start(&vm, l2, NULL);
    vm_run(&vm);
    vm_print_exit("L2", &vm);
    guest_print("end\n");
    return 0;
}
