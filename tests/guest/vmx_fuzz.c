/* Question: does everything stay up when a guest does anything at all with VMX? Random instructions and operands,
 * regions that overlap or serve two purposes, random VMCS contents, EPT that points at itself, lists over the edge of
 * storage, random code in a guest of its own; where CP offers it, pages shared with CP in place of regions too.
 *
 * Command line: steps=N (default 20000) seed=N (default 1). The payload takes care of its own life only: host state is
 * kept whole, and a guest that runs random code sees the arena and nothing else. Prints "still here" when it is
 * done. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "cp/diagnose.h"

enum { ARENA = 16, SANDBOX_CODE = 12, MOST_RESUMES = 4, TIMER = 300, REPORT_EVERY = 1000000,
       GUEST_ONE_IN = 48 /* steps run a guest: some hundred instructions, the others are one */ };
#define SANDBOX 0x40000000ull

static struct page arena[ARENA], region, vmxon_region, top, pointers, low, high, table;
static struct vmcs_page shared __attribute__((aligned(4096)));
static struct vm vm = {.region = &region};
static bool pages_offered;
static uint64_t seed = 1, counts[4];

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static uint64_t *entry(struct page *page, unsigned n) { return (uint64_t *)(void *)page + n; }

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}
static unsigned below(unsigned n) { return (unsigned)((random64() >> 11) % n); }

/* ---- operands --------------------------------------------------------------------- */

static struct page *any_page(void) { return &arena[below(ARENA)]; }

static uint64_t any_address(void)
{
    switch (below(8)) {
    case 0:
        return random64();
    case 1:
        return address(any_page()) + below(4096);
    case 2:
        return 1ull << below(64);
    case 3:
        return (random64() & 0xFFFFFFF) << 12; /* of storage, of a device, or of nothing */
    case 4:
        return below(2) ? address(&region) : address(&shared);
    default:
        return address(any_page());
    }
}

static uint64_t any_value(uint64_t old)
{
    switch (below(6)) {
    case 0:
        return random64();
    case 1:
        return old ^ 1ull << below(64);
    case 2:
        return old ^ 1ull << below(32);
    case 3:
        return below(256);
    case 4:
        return (1ull << below(64)) - 1;
    default:
        return any_address();
    }
}

static uint32_t any_field(void)
{
    if (below(16) == 0)
        return (uint32_t)random64() & 0xFFFF;
    return vmcs_field_rows[below(VMCS_FIELDS)].encoding | (below(8) == 0);
}

static bool is_host(uint32_t field) { return VMCS_ENCODING_AREA(field) == VMCS_HOST; }

/* Any field but host state, with or without a note, and notes of anything. */
static void change_page(struct vmcs_page *page)
{
    for (unsigned n = below(6); n > 0; n--) {
        unsigned index = below(VMCS_FIELDS);
        if (is_host(vmcs_field_rows[index].encoding))
            continue;
        vmcs_set(&page->fields, index, any_value(vmcs_get(&page->fields, index)));
        if (below(8))
            vmcs_set_add(&page->written, index);
    }
    if (below(32) == 0)
        page->written.word[below(3)] |= random64();
    if (below(64) == 0)
        *(below(2) ? &page->form : &page->revision) ^= 1u << below(32);
}

static void scribble(void)
{
    struct page *page = any_page();
    switch (below(7)) {
    case 0: /* entries of a translation, to pages of the arena or to nothing */
        for (unsigned n = 0; n < 16; n++)
            *entry(page, below(512)) = (below(4) ? address(any_page()) : random64() | 1ull << 40) | below(256);
        break;
    case 1:
        vm_stamp(page, below(2) ? VMCS_SHADOW_INDICATOR : 0);
        break;
    case 2:
        memset(page, below(2) ? 0xFF : 0, sizeof(*page));
        break;
    case 3: /* to be linked to, or to be entered in vain: it has no host state */
        vm_stamp_page((struct vmcs_page *)(void *)page, below(4) ? VMCS_SHADOW_INDICATOR : 0);
        break;
    case 4:
        change_page((struct vmcs_page *)(void *)page);
        break;
    default:
        for (unsigned n = 0; n < 32; n++)
            *entry(page, below(512)) = random64();
    }
}

/* ---- instructions, one by one -------------------------------------------------------- */

static void enter_in_vain(uint64_t at)
{
    uint64_t status = DIAGNOSE_ENTER;
    __asm__ volatile("vmcall" : "+a"(status) : "b"(at) : "memory", "cc");
}

static void instruction(void *unused)
{
    (void)unused;
    uint64_t value = 0;
    struct vmx_descriptor descriptor = {any_address(), below(4) ? 0 : random64()};
    uint32_t field;
    switch (below(pages_offered ? 14 : 12)) {
    case 0:
        value = any_address();
        /* or nothing could be run with them */
        if (value >> 12 != address(&region) >> 12 && value >> 12 != address(&shared) >> 12)
            vmx_on(value);
        break;
    case 1:
        if (below(16) == 0)
            vmx_off();
        break;
    case 2:
        vmx_clear(any_address());
        break;
    case 3:
    case 4:
        vmx_load(any_address());
        break;
    case 5:
        vmx_store(&value);
        break;
    case 6:
        vmx_read(any_field(), &value);
        break;
    case 7:
    case 8:
        field = any_field();
        if (!is_host(field)) /* host state is ours, or an exit would end the payload */
            vmx_write(field, any_value(0));
        break;
    case 9:
        vmx_invept(below(4), &descriptor);
        break;
    case 10:
        vmx_invvpid(below(5), &descriptor);
        break;
    case 12: /* never the one that a guest could be run with */
    case 13:
        enter_in_vain(below(8) ? address(any_page()) : below(2) ? address(any_page()) + below(4096) : random64());
        break;
    default: /* operands that fault */
        __asm__ volatile("vmptrld (%0)" : : "r"(any_value(0x8000000000000000ull)) : "memory", "cc");
    }
}

/* ---- a guest -------------------------------------------------------------------------------- */

static void l2_some_exits(void *unused)
{
    (void)unused;
    __asm__ volatile("cpuid; rdtsc; in $0x80, %%al; out %%al, $0x80; pushf; popf\n"
                     "sti; nop; cli; pause; mov %%cr0, %%rax"
                     : : : "rax", "rbx", "rcx", "rdx", "memory", "cc");
}

enum { L2_FIELDS = 8 };
static uint32_t l2_fields[L2_FIELDS];

/* With VMCS shadowing some of these reach what its VMCS links to. */
static void l2_vmread_and_vmwrite(void *unused)
{
    (void)unused;
    for (unsigned n = 0; n < L2_FIELDS; n++) {
        uint64_t value = 0;
        vmx_read(l2_fields[n], &value);
        vmx_write(l2_fields[n], value + 1);
    }
    l2_some_exits(NULL);
}

static void link_to_any(void)
{
    vm_set(VMCS_VMCS_LINK_POINTER, address(any_page()));
    vm_set(VMCS_VMREAD_BITMAP, address(any_page()));
    vm_set(VMCS_VMWRITE_BITMAP, address(any_page()));
    for (unsigned n = 0; n < L2_FIELDS; n++)
        l2_fields[n] = any_field();
}

/* L2's page tables, GDT and IDT are the payload's; it may read all and write the arena only, and its stack is there. */
static void build_sandbox(void)
{
    memset(&top, 0, sizeof(top));
    memset(&pointers, 0, sizeof(pointers));
    memset(&high, 0, sizeof(high));
    memset(&table, 0, sizeof(table));
    *entry(&top, 0) = address(&pointers) | 7;
    *entry(&pointers, 0) = address(&low) | 7;
    *entry(&pointers, 1) = address(&high) | 7;
    *entry(&high, 0) = address(&table) | 7;
    for (unsigned n = 0; n < 1 + guest_multiboot()->mem_upper / 2048 && n < 512; n++)
        *entry(&low, n) = n * 0x200000ull | 0x80 | 6 << 3 | 5;
    for (unsigned n = 0; n < ARENA; n++)
        *entry(&table, n) = address(&arena[n]) | 6 << 3 | 7;
}

static void use_sandbox(uint32_t more)
{
    vm_set(VMCS_EPT_POINTER, address(&top) | 3 << 3 | 6);
    vm_cpu(CPU_UNCONDITIONAL_IO_EXITING, CPU2_EPT | more);
    vm_set(VMCS_GUEST_RSP, SANDBOX + 0x800);
    vm_set(VMCS_GUEST_CR3, read_cr3());
}

static void random_code(void)
{
    for (unsigned n = 0; n < 512; n++)
        *entry(&arena[SANDBOX_CODE], n) = random64();
    vm_set(VMCS_GUEST_RIP, SANDBOX + SANDBOX_CODE * 4096ull + below(4096));
    vm_set(VMCS_GUEST_RSP, SANDBOX + below(65536));
}

static void change_fields(void)
{
    if (vm.page) {
        change_page(vm.page);
        return;
    }
    for (unsigned n = below(6); n > 0; n--) {
        uint32_t field = any_field();
        uint64_t value = 0;
        if (is_host(field) || vmx_read(field, &value) != VMX_SUCCEED)
            continue;
        vmx_write(field, any_value(value));
    }
}

/* What a guest must not be left with: no way out, or a way out that ends the payload. */
static void keep_hold(bool sandboxed)
{
    vm_pin((uint32_t)vm_get(VMCS_PIN_CONTROLS) | PIN_PREEMPTION_TIMER);
    vm_set(VMCS_PREEMPTION_TIMER, TIMER);
    if (vm_get(VMCS_GUEST_ACTIVITY_STATE) - 2 <= 1)
        vm_set(VMCS_GUEST_ACTIVITY_STATE, 1);
    if (vm_offers(VMX_CPU2, CPU2_PML)) /* what is logged goes over what may be anything */
        vm_set(VMCS_PML_ADDRESS, address(any_page()) + below(2) * 8);
    vm_set(VMCS_EXIT_MSR_LOAD_COUNT, 0);
    vm_set(VMCS_EXIT_MSR_STORE_COUNT, 0);
    vm_exit_controls((uint32_t)vm_get(VMCS_EXIT_CONTROLS) &
                     (EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_PREEMPTION_TIMER | EXIT_ACKNOWLEDGE_INTERRUPT));
    /* a list that is accepted may only hold what does no harm */
    *entry(&arena[ARENA - 1], 0) = 0x175;
    if (vm_get(VMCS_ENTRY_MSR_LOAD_COUNT) != 0 && below(2))
        vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, 1), vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, address(&arena[ARENA - 1]));
    else if (vm_get(VMCS_ENTRY_MSR_LOAD_COUNT) != 0)
        vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, 0xFFFFFFFFF0);
    if (sandboxed) {
        uint64_t eptp = vm_get(VMCS_EPT_POINTER) & ~0xFFFull;
        bool ours = eptp == address(&top) || (eptp >= address(arena) && eptp < address(arena + ARENA)) || eptp >> 32;
        if (!ours)
            vm_set(VMCS_EPT_POINTER, address(&top) | 3 << 3 | 6);
        vm_cpu((uint32_t)vm_get(VMCS_PROCESSOR_CONTROLS) & ~(uint32_t)CPU_TPR_SHADOW,
               ((uint32_t)vm_get(VMCS_SECONDARY_CONTROLS) & ~(uint32_t)CPU2_VM_FUNCTIONS) | CPU2_EPT);
    }
    /* the MSRs of both sides stay the payload's */
    vm_cpu((uint32_t)vm_get(VMCS_PROCESSOR_CONTROLS) & ~(uint32_t)(CPU_MSR_BITMAPS | CPU_IO_BITMAPS),
           (uint32_t)vm_get(VMCS_SECONDARY_CONTROLS));
}

static void run_guest(void)
{
    bool sandboxed = below(4) != 0, links = vm_offers(VMX_CPU2, CPU2_VMCS_SHADOWING) && below(2);
    vm.page = pages_offered && below(2) ? &shared : NULL;
    vm_prepare(&vm);
    vm_set(VMCS_SECONDARY_CONTROLS, 0);
    vm_start(&vm, links ? l2_vmread_and_vmwrite : l2_some_exits, NULL);
    if (links)
        link_to_any();
    if (sandboxed) {
        use_sandbox((below(2) ? CPU2_UNRESTRICTED_GUEST : 0) | (links ? CPU2_VMCS_SHADOWING : 0));
        if (below(2))
            random_code();
        change_fields();
    }
    keep_hold(sandboxed);
    for (unsigned n = 0; n < MOST_RESUMES; n++) {
        vm_run(&vm);
        if (vm.entered != VMX_SUCCEED) {
            counts[0]++;
            break;
        }
        counts[vm.exit.reason & EXIT_ENTRY_FAILED ? 1 : 2]++;
        if (vm.exit.reason & EXIT_ENTRY_FAILED)
            break;
        vm_skip(&vm);
        if (sandboxed && below(2))
            change_fields();
        keep_hold(sandboxed);
    }
}

/* ---- */

static void ensure_on(void *unused)
{
    (void)unused;
    vmx_on(address(&vmxon_region));
}

static uint64_t option(const char *name, uint64_t otherwise)
{
    const struct multiboot_information *information = guest_multiboot();
    const char *text = information->flags & 4 ? (const char *)(uintptr_t)information->command_line : "";
    const char *at = strstr(text, name);
    if (!at)
        return otherwise;
    uint64_t value = 0;
    for (at += strlen(name); *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

int guest_main(void)
{
    uint64_t steps = option("steps=", 20000);
    seed = option("seed=", 1) * 0x9E3779B97F4A7C15ull + 1;
    vm_begin();
    pages_offered = vm_offers_pages();
    vmx_off();
    vm_stamp(&vmxon_region, 0);
    build_sandbox();
    for (uint64_t step = 0; step < steps; step++) {
        if (below(16) == 0)
            scribble();
        if (below(GUEST_ONE_IN)) {
            guest_try(instruction, NULL);
            counts[3]++;
        } else {
            guest_try(ensure_on, NULL);
            run_guest();
        }
        if (step % REPORT_EVERY == REPORT_EVERY - 1)
            guest_print("%llu steps\n", (unsigned long long)step + 1);
    }
    guest_print("%llu instructions; entries: %llu refused, %llu failed, %llu made\n", (unsigned long long)counts[3],
                (unsigned long long)counts[0], (unsigned long long)counts[1], (unsigned long long)counts[2]);
    guest_print("still here\n");
    return 0;
}
