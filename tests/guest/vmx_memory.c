/* Question: does CP's memory way do what its headers promise (vmcs-shadow/page.h, cp/diagnose.h): a VMCS shared as a
 * page, noted field by field, entered by one call; refused when anything is malformed or it is switched off?
 *
 * There is no bare machine that has it: the transcript says what the headers say. A machine to which it is not offered
 * gets the first lines only. */
#include "tests/guest/vmx/access.h"
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "cp/diagnose.h"

enum { MANY = 20, ROUNDS = 3, CPUID_BYTES = 2 };

static struct page pages[MANY], region, read_bitmap, write_bitmap;
static struct vm vm, many[MANY];

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }
static struct vmcs_page *page(unsigned n) { return (struct vmcs_page *)(void *)&pages[n]; }

/* ---- the call by itself --------------------------------------------------------------- */

/* For what is refused: an exit would not come back here. */
static void call(const char *name, uint64_t at)
{
    static const char *const statuses[] = {
        "ok", "no such function", "not offered", "bad address", "bad length", "busy", "bad page", "entry failed",
    };
    uint64_t status = DIAGNOSE_ENTER, rbx = at;
    __asm__ volatile("vmcall" : "+a"(status), "+b"(rbx) : : "memory", "cc");
    guest_print("%s: %s%s\n", name, rbx == at ? "" : "RBX changed, ",
                status < sizeof(statuses) / sizeof(*statuses) ? statuses[status] : "?");
}

static void fresh(void)
{
    vm.page = page(0);
    vm_prepare(&vm);
}

static void addresses(void)
{
    fresh();
    call("page not aligned", address(page(0)) + 8);
    call("page beyond the physical-address width", 1ull << 51);
    call("page beyond storage", 0x80000000);
    call("page of a device", 0xFEE00000);
    vm_stamp(&region, 0);
    vmx_clear(address(&region));
    vmx_load(address(&region));
    call("region that VMPTRLD has", address(&region));
    vmx_clear(address(&region));
}

static void headers(void)
{
    memset(page(1), 0, sizeof(struct vmcs_page));
    call("empty page", address(page(1)));
    vm_stamp_page(page(1), 0);
    page(1)->revision++;
    call("page with another revision", address(page(1)));
    vm_stamp_page(page(1), 0);
    page(1)->form = 0;
    call("page without its form", address(page(1)));
    vm_stamp_page(page(1), VMCS_SHADOW_INDICATOR);
    call("page that stands for a shadow VMCS", address(page(1)));
    vmx_clear(address(page(1)));
}

/* ---- what L2 does ---------------------------------------------------------------------- */

static void l2_cpuid(void *unused)
{
    (void)unused;
    cpuid(0, 0);
}

static void l2_rdtsc(void *unused)
{
    (void)unused;
    rdtsc();
}

static void l2_null_ds(void *unused)
{
    (void)unused;
    __asm__ volatile("mov %%ds, %%ecx; xor %%eax, %%eax; mov %%eax, %%ds; cpuid" : : : "rax", "rbx", "rcx", "rdx");
}

static void l2_vmwrite_and_vmptrst(void *unused)
{
    l2_vmwrite(unused);
    vmx_store(&access.value);
}

/* ---- notes -------------------------------------------------------------------------------- */

static void run(const char *name, void (*body)(void *))
{
    vm_start(&vm, body, NULL);
    vm_run(&vm);
    if (vm_finished(&vm) && vm.entered == VMX_SUCCEED && !(vm.exit.reason & EXIT_ENTRY_FAILED))
        guest_print("%s: no exit\n", name);
    else
        vm_print_exit(name, &vm);
}

static void malformed_notes(void)
{
    fresh();
    vmcs_set_add(&page(0)->written, VMCS_INDEX_HOST_SSP);
    const struct vmcs_page before = *page(0);
    call("note of a field that is not offered", address(page(0)));
    guest_check(!memcmp(&before, page(0), sizeof(before)), "the page stays as it was");
    vmcs_set_remove(&page(0)->written, VMCS_INDEX_HOST_SSP);
    page(0)->written.word[2] |= 1ull << 63;
    call("note beyond the fields", address(page(0)));
    page(0)->written.word[2] &= ~(1ull << 63);
    run("the same page without them", l2_cpuid);
    guest_check(vmcs_set_empty(&page(0)->written), "an entry clears the notes");
}

static void unnoted_fields(void)
{
    fresh();
    run("RDTSC", l2_rdtsc);
    uint32_t controls = page(0)->fields.processor_controls;
    page(0)->fields.processor_controls |= CPU_RDTSC_EXITING;
    run("RDTSC exiting, not noted", l2_rdtsc);
    vmcs_set_add(&page(0)->written, VMCS_INDEX_PROCESSOR_CONTROLS);
    run("RDTSC exiting, noted", l2_rdtsc);
    vm_set(VMCS_PROCESSOR_CONTROLS, controls);
    run("RDTSC again", l2_rdtsc);
    vmx_clear(address(page(0)));
    page(0)->fields.processor_controls |= CPU_RDTSC_EXITING;
    run("RDTSC exiting, not noted, after VMCLEAR", l2_rdtsc);
}

/* ---- failures --------------------------------------------------------------------------------- */

static void failures(void)
{
    fresh();
    vm_set(VMCS_PIN_CONTROLS, 0);
    run("no pin-based controls", l2_cpuid);
    guest_check_equal(vm.status, DIAGNOSE_ENTRY_FAILED, "the call's status");
    vm_pin(0);
    vm_set(VMCS_HOST_RIP, 1ull << 60);
    run("host RIP not canonical", l2_cpuid);
    fresh();
    vm_start(&vm, l2_cpuid, NULL);
    vm_set(VMCS_GUEST_RFLAGS, 0);
    vm.registers.rax = 0x1111, vm.registers.rbx = 0x2222, vm.registers.rcx = 0x3333;
    vm_run(&vm);
    vm_print_exit("RFLAGS without its bit 1", &vm);
    guest_check_equal(vm.registers.rax, 0x1111, "RAX comes from the page");
    guest_check_equal(vm.registers.rbx, 0x2222, "RBX comes from the page");
    guest_check_equal(vm.registers.rcx, 0x3333, "RCX comes from the caller");
    run("RFLAGS mended", l2_cpuid);
}

/* ---- exits ------------------------------------------------------------------------------------- */

static bool told(unsigned n, enum vmcs_index index) { return vmcs_set_has(&page(n)->changed, index); }

static void exits(void)
{
    fresh();
    vmcs_set_clear(&page(0)->changed);
    run("null DS", l2_null_ds);
    guest_check_equal(page(0)->fields.exit_reason, EXIT_CPUID, "the exit reason is in the page");
    guest_check_equal(page(0)->fields.guest_rip, vm.exit.rip, "RIP is");
    guest_check_equal(page(0)->fields.guest_ds_selector, 0, "DS is");
    guest_check(told(0, VMCS_INDEX_EXIT_REASON) && told(0, VMCS_INDEX_GUEST_RIP), "what an exit reports is noted");
    guest_check(told(0, VMCS_INDEX_GUEST_DS_SELECTOR), "and what the guest changed");
    guest_check(!told(0, VMCS_INDEX_GUEST_TR_BASE) && !told(0, VMCS_INDEX_HOST_CR3), "and nothing it did not");
    guest_check_equal(vm.registers.rax, 0, "RAX of the guest");
    guest_check_equal(vm.registers.rcx, 0x10, "RCX of the guest");
    vmcs_set_clear(&page(0)->changed);
    vm.registers.rax = 0xABCD; /* what VM_DONE writes over, so look at RDX too */
    vm.registers.rdx = 0x4444;
    vm_skip(&vm);
    vm_run(&vm);
    guest_check(vm_finished(&vm), "it goes on behind CPUID");
    guest_check_equal(vm.registers.rdx, 0x4444, "with the registers it is given");
    guest_check(!told(0, VMCS_INDEX_GUEST_DS_SELECTOR), "what is as it was is not noted again");
}

static void vmx_instructions(void)
{
    uint64_t value = 0;
    fresh();
    run("page", l2_cpuid);
    vm_print_result("VMPTRLD of it", vmx_load(address(page(0))));
    vmx_read(VMCS_GUEST_RIP, &value);
    guest_check_equal(value, page(0)->fields.guest_rip, "VMREAD");
    vm_print_result("VMWRITE", vmx_write(VMCS_GUEST_RSP, 0x5550));
    guest_check_equal(page(0)->fields.guest_rsp, 0x5550, "the page has it");
    guest_check(told(0, VMCS_INDEX_GUEST_RSP), "and notes it");
    vm_print_result("VMRESUME", vmx_resume());
    vm_print_result("VMCLEAR", vmx_clear(address(page(0))));
    vm_print_result("VMCLEAR again", vmx_clear(address(page(0))));
    run("page after VMCLEAR", l2_cpuid);
}

/* L2 counts in RDI, without a stack: all of these have the same. */
static void l2_count(void *from)
{
    __asm__ volatile("1: inc %%rdi; cpuid; jmp 1b" : : "D"(from) : "rax", "rbx", "rcx", "rdx");
}

static void more_than_there_is_room_for(void)
{
    bool right = true;
    for (unsigned n = 0; n < MANY; n++) {
        many[n].page = page(n);
        vm_prepare(&many[n]);
        vm_start(&many[n], l2_count, (void *)(uintptr_t)(n * 100));
    }
    for (unsigned round = 1; round <= ROUNDS; round++)
        for (unsigned n = 0; n < MANY; n++) {
            vm_run(&many[n]);
            right &= many[n].entered == VMX_SUCCEED && many[n].exit.reason == EXIT_CPUID &&
                     many[n].registers.rdi == n * 100 + round;
            vm_skip(&many[n]);
        }
    guest_check(right, "more pages than CP keeps take turns");
    for (unsigned n = 0; n < MANY; n++)
        vmx_clear(address(page(n)));
}

/* ---- a page that another links to ------------------------------------------------------------------ */

static void attempt(const char *name, void (*body)(void *), uint64_t field, uint64_t value)
{
    static const char *const results[] = {"ok", "VMfailInvalid", "VMfailValid"};
    access.field = field;
    access.value = value;
    vm_start(&vm, body, NULL);
    vm_run(&vm);
    if (vm_finished(&vm) && vm.entered == VMX_SUCCEED && !(vm.exit.reason & EXIT_ENTRY_FAILED))
        guest_print("%s: no exit, %s, value %#llx\n", name, results[access.result], (unsigned long long)access.value);
    else
        vm_print_exit(name, &vm);
}

static void set_bit(struct page *bitmap, unsigned n) { bitmap->bytes[n / 8] |= (uint8_t)(1 << n % 8); }

static void note_in_link(enum vmcs_index index, uint64_t value)
{
    vmcs_set(&page(1)->fields, index, value);
    vmcs_set_add(&page(1)->written, index);
}

static void link_to(uint64_t at) { vm_set(VMCS_VMCS_LINK_POINTER, at); }

static void prepare_link(void)
{
    fresh();
    vm_stamp_page(page(1), VMCS_SHADOW_INDICATOR);
    page(1)->fields.guest_rip = 0x1111222233334444;
    page(1)->fields.host_cr3 = 0x5000;
    vm_set(VMCS_VMREAD_BITMAP, address(&read_bitmap));
    vm_set(VMCS_VMWRITE_BITMAP, address(&write_bitmap));
    vm_cpu(0, CPU2_VMCS_SHADOWING);
    link_to(address(page(1)));
}

static void link_contents(void)
{
    attempt("VMREAD of a linked page", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMREAD of a cold field", l2_vmread, VMCS_HOST_CR3, 0);
    attempt("VMWRITE, then VMPTRST", l2_vmwrite_and_vmptrst, VMCS_GUEST_RIP, 0x7777);
    guest_check_equal(page(1)->fields.guest_rip, 0x7777, "the page has what L2 wrote");
    guest_check(told(1, VMCS_INDEX_GUEST_RIP), "and notes it");
    attempt("VMWRITE of a cold field, then VMPTRST", l2_vmwrite_and_vmptrst, VMCS_HOST_CR3, 0x9000);
    guest_check_equal(page(1)->fields.host_cr3, 0x9000, "the page has that too");
    note_in_link(VMCS_INDEX_GUEST_RIP, 0x8888);
    attempt("VMREAD of what L1 wrote", l2_vmread, VMCS_GUEST_RIP, 0);
    set_bit(&read_bitmap, VMCS_GUEST_RIP);
    attempt("VMREAD, its bit 1", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMWRITE before VMCLEAR", l2_vmwrite, VMCS_GUEST_RSP, 0x4444);
    vmx_clear(address(page(1)));
    guest_check_equal(page(1)->fields.guest_rsp, 0x4444, "VMCLEAR brings all L2 wrote into the page");
    attempt("VMREAD after it", l2_vmread, VMCS_GUEST_RSP, 0);
}

static void users_pages(void)
{
    uint64_t *top = (uint64_t *)(uintptr_t)(read_cr3() & ~0xFFFull),
             *pointers = (uint64_t *)(uintptr_t)(top[0] & ~0xFFFull);
    top[0] |= 4;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t *directory = (uint64_t *)(uintptr_t)(pointers[i] & ~0xFFFull);
        pointers[i] |= 4;
        for (unsigned j = 0; j < 512; j++)
            directory[j] |= 4;
    }
    write_cr3(read_cr3());
}

static void set_level(unsigned level)
{
    for (unsigned n = 0; n < 6; n++) {
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * n), (n == 1 ? 8 : 16) | level);
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * n), (n == 1 ? 0xA09B : 0xC093) | level << 5);
    }
}

/* tests/guest/vmx_privilege.c asks the same of regions, and the bare machine. */
static void at_level_3(void)
{
    users_pages();
    read_bitmap.bytes[VMCS_GUEST_RIP / 8] = 0;
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << 13 | 1 << 6);
    set_level(3);
    attempt("VMREAD at level 3", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMREAD of a cold field at level 3", l2_vmread, VMCS_HOST_CR3, 0);
    attempt("VMWRITE at level 3", l2_vmwrite, VMCS_GUEST_RIP, 0x3333);
    attempt("VMWRITE of a cold field at level 3", l2_vmwrite, VMCS_HOST_CR3, 0x3000);
    set_level(0);
    attempt("VMREAD at level 0 again", l2_vmread, VMCS_HOST_CR3, 0);
    vm_set(VMCS_EXCEPTION_BITMAP, 0);
}

static void links(void)
{
    prepare_link();
    link_contents();
    at_level_3();
    link_to(address(page(0)));
    attempt("link to itself", l2_vmread, VMCS_GUEST_RSP, 0);
    vm_stamp_page(page(2), 0);
    link_to(address(page(2)));
    attempt("link to a page that is no shadow", l2_vmread, VMCS_GUEST_RSP, 0);
    link_to(~0ull);
    attempt("VMREAD without a link", l2_vmread, VMCS_GUEST_RSP, 0);
    vmx_clear(address(page(1)));
    vmx_clear(address(page(0)));
}

/* ---- on and off ----------------------------------------------------------------------------------------- */

static void another_vmx_operation(void)
{
    vmx_off();
    call("after VMXOFF", address(page(0)));
    vm_begin();
    run("page as it was before", l2_cpuid);
}

int guest_main(void)
{
    guest_print("pages offered: %s\n", vm_offers_pages() ? "yes" : "no");
    call("before VMXON", address(page(0)));
    vm_begin();
    if (!vm_offers_pages()) {
        call("in VMX operation", address(page(0)));
        guest_print("end\n");
        return 0;
    }
    addresses();
    headers();
    malformed_notes();
    unnoted_fields();
    failures();
    exits();
    vmx_instructions();
    more_than_there_is_room_for();
    links();
    another_vmx_operation();
    guest_print("end\n");
    return (int)guest_failures;
}
