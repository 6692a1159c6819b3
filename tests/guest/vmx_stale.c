/* Question: is what L1 changed between two entries, whatever it is and however it changed it, in force from the next
 * entry on; and is what L2 changed what L1 reads, whenever it looks? Long quiet before each change, so that whoever
 * keeps things from entry to entry has ceased to look.
 *
 * "pages" on the command line: by pages shared with CP (vmcs-shadow/page.h) in place of regions, with the same
 * answers. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

enum {
    QUIET = 18,
    MOST_EXITS = 4,
    MSR_TSC = 0x10,
    MSR_SYSENTER = 0x174,
    MSR_PAT = 0x277,
    FS_BASE = 0xC0000100,
    GS_BASE = 0xC0000101,
    EFER = 0xC0000080,
    CR4_TSD = 4,
    CR3_PWT = 8,
    PORT = 0x80
};
#define HIGH(n) ((uint64_t)(n) << 44)
#define UPPER   0xFFFF800000000000ull

static struct page region, other_region, msrs, other_msrs, io, list;
static struct vm vm = {.region = &region}, other = {.region = &other_region};
static volatile uint64_t seen;
static void (*volatile task)(void);

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static void set_bit(struct page *page, unsigned n) { page->bytes[n / 8] |= (uint8_t)(1 << n % 8); }
static void clear_bit(struct page *page, unsigned n) { page->bytes[n / 8] &= (uint8_t) ~(1 << n % 8); }

/* ---- L2: does one thing after another, with an exit between them ---------------------------- */

static void l2_serve(void *unused)
{
    (void)unused;
    for (;;) {
        cpuid(0, 0);
        task();
    }
}

static void nothing(void) {}

static void fresh(struct vm *which)
{
    memset(&msrs, 0, sizeof(msrs));
    memset(&io, 0, sizeof(io));
    vm_prepare(which);
    vm_set(VMCS_MSR_BITMAP, address(&msrs));
    vm_set(VMCS_IO_BITMAP_A, address(&io));
    vm_set(VMCS_IO_BITMAP_B, address(&io));
    vm_cpu(CPU_MSR_BITMAPS | CPU_TSC_OFFSETTING, 0);
    vm_start(which, l2_serve, NULL);
    vm_run(which);
    vm_skip(which);
}

/* The reason of the first exit on the way to the next CPUID. */
static uint32_t go(struct vm *which, void (*what)(void))
{
    uint32_t first = 0;
    task = what;
    for (unsigned n = 0; n < MOST_EXITS; n++) {
        vm_run(which);
        if (which->entered != VMX_SUCCEED || which->exit.reason & EXIT_ENTRY_FAILED) {
            vm_print_exit("L2", which);
            return which->exit.reason;
        }
        first = n ? first : which->exit.reason;
        vm_skip(which);
        if (which->exit.reason == EXIT_CPUID)
            return first;
    }
    guest_print("no end of exits\n");
    return first;
}

static void quiet(struct vm *which)
{
    for (unsigned n = 0; n < QUIET; n++)
        go(which, nothing);
}

static void print(const char *name, const char *when, uint32_t reason)
{
    if (reason == EXIT_CPUID)
        guest_print("%s, %s: %#llx\n", name, when, (unsigned long long)seen);
    else
        guest_print("%s, %s: %s\n", name, when, vm_reason_name(reason));
}

static void look(const char *name, const char *when, void (*what)(void))
{
    seen = 0;
    print(name, when, go(&vm, what));
}

/* ---- fields that L1 writes --------------------------------------------------------------------- */

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

#define SEES(name, ...)                                                                                                \
    static void name(void) { __VA_ARGS__ }
SEES(sees_fs_base, seen = rdmsr(FS_BASE);)
SEES(sees_gs_base, seen = rdmsr(GS_BASE);)
SEES(sees_sysenter_cs, seen = rdmsr(MSR_SYSENTER);)
SEES(sees_sysenter_eip, seen = rdmsr(MSR_SYSENTER + 2);)
SEES(sees_pat, seen = rdmsr(MSR_PAT);)
SEES(sees_efer, seen = rdmsr(EFER);)
SEES(sees_gdt, struct table_register t; __asm__ volatile("sgdt %0" : "=m"(t)); seen = t.limit;)
SEES(sees_idt, struct table_register t; __asm__ volatile("sidt %0" : "=m"(t)); seen = t.limit;)
SEES(sees_es, uint64_t es; __asm__ volatile("mov %%es, %0" : "=r"(es)); seen = es;)
SEES(sees_tr, uint64_t tr; __asm__ volatile("str %0" : "=r"(tr)); seen = tr;)
SEES(sees_cr4, seen = read_cr4() & CR4_TSD;)
SEES(sees_dr7, seen = read_dr7();)
SEES(sees_time, seen = rdtsc() >> 44;)
SEES(writes_cr3, write_cr3(read_cr3());)
SEES(does_port, outb(PORT, 0);)

static const struct field_case {
    const char *name;
    enum vmcs_field field;
    uint64_t first, then;
    void (*sees)(void);
} fields[] = {
    {"FS base", VMCS_GUEST_FS_BASE, 0x1000, 0x2000, sees_fs_base},
    {"GS base", VMCS_GUEST_GS_BASE, 0x1000, UPPER, sees_gs_base},
    {"SYSENTER CS", VMCS_GUEST_SYSENTER_CS, 8, 0x18, sees_sysenter_cs},
    {"SYSENTER EIP", VMCS_GUEST_SYSENTER_EIP, 0x5000, UPPER, sees_sysenter_eip},
    {"PAT", VMCS_GUEST_PAT, 0x0007040600070406, 0x0007040600070400, sees_pat},
    {"EFER", VMCS_GUEST_EFER, 0x500, 0x501, sees_efer},
    {"GDTR limit", VMCS_GUEST_GDTR_LIMIT, 0x7F, 0xFFF, sees_gdt},
    {"IDTR limit", VMCS_GUEST_IDTR_LIMIT, 0xFFF, 0x1FFF, sees_idt},
    {"ES", VMCS_GUEST_ES_SELECTOR, 0x10, 0x20, sees_es},
    {"TR", VMCS_GUEST_TR_SELECTOR, 0x18, 0x28, sees_tr},
    {"CR4 shadow", VMCS_CR4_SHADOW, 0, CR4_TSD, sees_cr4},
    {"CR4 mask", VMCS_CR4_MASK, CR4_TSD, 0, sees_cr4},
    {"DR7", VMCS_GUEST_DR7, 0x400, 0x500, sees_dr7},
    {"TSC offset", VMCS_TSC_OFFSET, HIGH(3), HIGH(900), sees_time},
    {"CR3-target value", VMCS_CR3_TARGET_0, 0, 0x1000, writes_cr3},
    {"CR3-target count", VMCS_CR3_TARGET_COUNT, 1, 0, writes_cr3},
    {"MSR bitmap", VMCS_MSR_BITMAP, 0, 0, sees_sysenter_cs},
    {"I/O bitmap A", VMCS_IO_BITMAP_A, 0, 0, does_port},
};

static void prepare_case(void)
{
    fresh(&vm);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER);
    vm_cpu(CPU_MSR_BITMAPS | CPU_IO_BITMAPS | CPU_TSC_OFFSETTING | CPU_CR3_LOAD_EXITING, 0);
    vm_set(VMCS_GUEST_PAT, 0x0007040600070406);
    vm_set(VMCS_GUEST_EFER, 0x500);
    vm_set(VMCS_CR3_TARGET_COUNT, 1);
    vm_set(VMCS_CR3_TARGET_0, read_cr3());
    vm_set(VMCS_CR4_MASK, CR4_TSD);
    vm_set(VMCS_CR4_SHADOW, CR4_TSD);
}

static void one_field(const struct field_case *c)
{
    uint64_t first = c->first, then = c->then;
    prepare_case();
    if (c->field == VMCS_CR3_TARGET_0)
        first = read_cr3();
    if (c->field == VMCS_MSR_BITMAP || c->field == VMCS_IO_BITMAP_A) {
        memset(&other_msrs, 0xFF, sizeof(other_msrs));
        first = address(c->field == VMCS_MSR_BITMAP ? &msrs : &io), then = address(&other_msrs);
    }
    vm_set(c->field, first);
    look(c->name, "first", c->sees);
    quiet(&vm);
    vm_set(c->field, then);
    look(c->name, "then", c->sees);
    vm_set(c->field, first);
    look(c->name, "first again", c->sees);
}

/* What is L1's own at an exit. */
static void host_state(void)
{
    fresh(&vm);
    quiet(&vm);
    vm_set(VMCS_HOST_FS_BASE, 0x7000);
    vm_set(VMCS_HOST_SYSENTER_EIP, UPPER);
    go(&vm, nothing);
    guest_print("host FS base %#llx, SYSENTER EIP %#llx\n", (unsigned long long)rdmsr(FS_BASE),
                (unsigned long long)rdmsr(MSR_SYSENTER + 2));
    wrmsr(FS_BASE, 0x9000); /* the exit loads what the VMCS says all the same */
    wrmsr(MSR_SYSENTER + 2, 0x9000);
    go(&vm, nothing);
    guest_print("after L1 changed them itself: %#llx, %#llx\n", (unsigned long long)rdmsr(FS_BASE),
                (unsigned long long)rdmsr(MSR_SYSENTER + 2));
    uint64_t pat = rdmsr(MSR_PAT);
    wrmsr(MSR_PAT, 0x0007040600070400); /* no control loads it: L2 has L1's */
    look("PAT of L1", "in L2", sees_pat);
    wrmsr(MSR_PAT, 0x0007040600070401);
    look("PAT of L1", "another", sees_pat);
    vm_set(VMCS_GUEST_PAT, 0x0007040600070405);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_PAT);
    look("PAT of L1", "L2 has its own", sees_pat);
    vm_entry_controls(ENTRY_LONG_MODE);
    wrmsr(MSR_PAT, 0x0007040600070404);
    look("PAT of L1", "again L1's", sees_pat);
    wrmsr(MSR_PAT, pat);
}

/* ---- entries that fail in between ------------------------------------------------------------------ */

struct list_entry {
    uint32_t msr, reserved;
    uint64_t value;
};

static struct list_entry *entry(unsigned n) { return (struct list_entry *)(void *)&list + n; }

static void fail(const char *name)
{
    vm_run(&vm);
    vm_print_exit(name, &vm);
}

static void failures(void)
{
    fresh(&vm);
    quiet(&vm);
    vm_set(VMCS_GUEST_FS_BASE, 0x3000);
    vm_set(VMCS_TSC_OFFSET, HIGH(77));
    vm_set(VMCS_PIN_CONTROLS, 0);
    fail("no pin-based controls");
    vm_pin(0);
    look("FS base after that", "mended", sees_fs_base);
    look("TSC after that", "mended", sees_time);
    quiet(&vm);
    vm_set(VMCS_GUEST_FS_BASE, 0x4000);
    vm_set(VMCS_GUEST_TR_BASE, 1ull << 62);
    fail("TR base not canonical");
    vm_set(VMCS_GUEST_TR_BASE, vm_get(VMCS_HOST_TR_BASE));
    look("FS base after that", "mended", sees_fs_base);
    quiet(&vm);
    *entry(0) = (struct list_entry){FS_BASE, 0, 0x6000};
    *entry(1) = (struct list_entry){MSR_SYSENTER + 2, 0, 0x6000};
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, address(&list));
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 3);
    *entry(2) = (struct list_entry){FS_BASE, 1, 0};
    vm_set(VMCS_GUEST_FS_BASE, 0x5000); /* which no list may load: its entry is the first that fails */
    fail("list with FS base");
    *entry(0) = *entry(1);
    fail("list with a reserved bit");
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
    look("FS base after that", "no list", sees_fs_base);
    look("SYSENTER EIP after that", "no list", sees_sysenter_eip);
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
    look("SYSENTER EIP", "list of one", sees_sysenter_eip);
    quiet(&vm);
    entry(0)->value = UPPER; /* in storage only */
    look("SYSENTER EIP", "list of another", sees_sysenter_eip);
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
    vm_set(VMCS_GUEST_SYSENTER_EIP, 0x4440);
    look("SYSENTER EIP", "the field", sees_sysenter_eip);
}

/* ---- what L2 writes ---------------------------------------------------------------------------------- */

SEES(sets_fs_base, wrmsr(FS_BASE, 0x123000);)
SEES(sets_sysenter, wrmsr(MSR_SYSENTER + 2, 0x456000);)
SEES(sets_gdt, struct table_register t; __asm__ volatile("sgdt %0"
                                                         : "=m"(t));
     t.limit = 0x3F; __asm__ volatile("lgdt %0"
                                      :
                                      : "m"(t));)
SEES(sets_dr7, write_dr7(0x500);)
SEES(sets_cr3, write_cr3(read_cr3() | CR3_PWT);)
SEES(sets_es, __asm__ volatile("mov %0, %%es" : : "r"(0));)

static const struct written_case {
    const char *name;
    void (*sets)(void);
    enum vmcs_field field;
    uint64_t mask;
} written[] = {
    {"FS base", sets_fs_base, VMCS_GUEST_FS_BASE, ~0ull},
    {"SYSENTER EIP", sets_sysenter, VMCS_GUEST_SYSENTER_EIP, ~0ull},
    {"GDTR limit", sets_gdt, VMCS_GUEST_GDTR_LIMIT, ~0ull},
    {"DR7", sets_dr7, VMCS_GUEST_DR7, ~0ull},
    {"CR3", sets_cr3, VMCS_GUEST_CR3, 0xFFF},
    {"ES", sets_es, VMCS_GUEST_ES_SELECTOR, ~0ull},
};

static uint64_t after(const struct written_case *c, unsigned how)
{
    if (how == 1)
        fresh(&other);
    fresh(&vm);
    vm_exit_controls(EXIT_SAVE_DEBUG_CONTROLS);
    quiet(&vm);
    go(&vm, c->sets);
    if (how == 1) {
        vm_select(&other);
        go(&other, nothing);
        vm_select(&vm);
    } else if (how >= 2) {
        vm_clear(&vm);
        vm_select(&vm);
    }
    if (how == 3) /* and it is in force */
        go(&vm, nothing);
    return vm_get(c->field) & c->mask;
}

static void by_l2(const struct written_case *c)
{
    guest_print("%s by L2:", c->name);
    for (unsigned how = 0; how < 4; how++)
        guest_print(" %#llx", (unsigned long long)after(c, how));
    guest_print("\n");
}

/* ---- time -------------------------------------------------------------------------------------------------- */

SEES(sets_time, wrmsr(MSR_TSC, HIGH(40));)

static void time_stamps(void)
{
    fresh(&vm);
    vm_set(VMCS_TSC_OFFSET, HIGH(3));
    quiet(&vm);
    wrmsr(MSR_TSC, HIGH(10));
    look("TSC", "L1 set 10, offset 3", sees_time);
    wrmsr(MSR_TSC, HIGH(20));
    quiet(&vm);
    look("TSC", "L1 set 20, offset 3", sees_time);
    go(&vm, sets_time);
    guest_print("TSC, L2 set 40: L1 %llu\n", (unsigned long long)(rdtsc() >> 44));
    look("TSC", "L2 set 40, offset 3", sees_time);
    vm_cpu(CPU_MSR_BITMAPS, 0);
    look("TSC", "without offset", sees_time);
    wrmsr(MSR_TSC, HIGH(1));
    look("TSC", "L1 set 1, without offset", sees_time);
}

/* ---- bitmaps in storage ------------------------------------------------------------------------------------- */

SEES(sets_bit, set_bit(&msrs, MSR_SYSENTER);)
SEES(clears_bit, clear_bit(&msrs, MSR_SYSENTER);)

static void bitmaps(void)
{
    fresh(&vm);
    quiet(&vm);
    look("MSR bitmap", "no bit", sees_sysenter_cs);
    set_bit(&msrs, MSR_SYSENTER);
    look("MSR bitmap", "L1 set it", sees_sysenter_cs);
    quiet(&vm);
    go(&vm, clears_bit);
    look("MSR bitmap", "L2 cleared it", sees_sysenter_cs);
    go(&vm, sets_bit);
    look("MSR bitmap", "L2 set it", sees_sysenter_cs);
    clear_bit(&msrs, MSR_SYSENTER);
    vm_clear(&vm);
    vm_select(&vm);
    look("MSR bitmap", "L1 cleared it, VMCLEAR", sees_sysenter_cs);
    set_bit(&io, PORT);
    look("I/O bitmaps", "not asked for", does_port);
    vm_cpu(CPU_MSR_BITMAPS | CPU_IO_BITMAPS | CPU_TSC_OFFSETTING, 0);
    look("I/O bitmaps", "L1 set it", does_port);
    vm_set(VMCS_IO_BITMAP_A, address(&msrs)); /* one page for two things */
    look("I/O bitmap that is the MSR bitmap", "no bit", does_port);
    set_bit(&msrs, PORT);
    look("I/O bitmap that is the MSR bitmap", "L1 set it", does_port);
    set_bit(&msrs, MSR_SYSENTER);
    look("MSR bitmap that is the I/O bitmap", "L1 set it", sees_sysenter_cs);
}

/* Stored by no instruction, but by an exit. */
static void written_by_an_exit(void)
{
    fresh(&vm);
    struct list_entry *store = (struct list_entry *)(void *)&msrs.bytes[0x20]; /* the value has the bit of MSR 174 */
    quiet(&vm);
    look("MSR bitmap", "no bit", sees_sysenter_cs);
    store->msr = MSR_SYSENTER + 2;
    vm_set(VMCS_GUEST_SYSENTER_EIP, UPPER | 1ull << 52);
    vm_set(VMCS_EXIT_MSR_STORE_ADDRESS, address(store));
    vm_set(VMCS_EXIT_MSR_STORE_COUNT, 1);
    go(&vm, nothing);
    vm_set(VMCS_EXIT_MSR_STORE_COUNT, 0);
    look("MSR bitmap", "an exit's list set it", sees_sysenter_cs);
    store->value = 0;
    look("MSR bitmap", "L1 cleared it", sees_sysenter_cs);
}

int guest_main(void)
{
    const struct multiboot_information *information = guest_multiboot();
    if (information->flags & 4 && strstr((const char *)(uintptr_t)information->command_line, "pages")) {
        vm.page = (struct vmcs_page *)(void *)&region;
        other.page = (struct vmcs_page *)(void *)&other_region;
    }
    vm_begin();
    for (unsigned i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        one_field(&fields[i]);
    host_state();
    failures();
    for (unsigned i = 0; i < sizeof(written) / sizeof(*written); i++)
        by_l2(&written[i]);
    time_stamps();
    bitmaps();
    written_by_an_exit();
    guest_print("end\n");
    return (int)guest_failures;
}
