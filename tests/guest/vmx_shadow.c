/* Question: with VMCS shadowing, do L2's VMREAD and VMWRITE reach the shadow VMCS without an exit, exactly for the
 * fields whose bits in the bitmaps are 0; and exit or VMfail otherwise as the manual says?
 *
 * Not asked, because Bochs 2.7 is no oracle for it: VMLAUNCH of a shadow VMCS (it fails otherwise than
 * VMfailInvalid). */
#include "tests/guest/vmx/access.h"
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

static struct page region, shadow, other_shadow, read_bitmap, write_bitmap;
static struct vm vm = {.region = &region};

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* ---- what L2 does ------------------------------------------------------------- */

static void l2_vmread_memory(void *unused)
{
    (void)unused;
    __asm__ volatile("vmread %1, %0" : "=m"(access.value) : "r"(access.field) : "cc");
}

static void l2_vmwrite_memory(void *unused)
{
    (void)unused;
    __asm__ volatile("vmwrite %0, %1" : : "m"(access.value), "r"(access.field) : "cc");
}

static void l2_vmptrst(void *unused)
{
    (void)unused;
    access.result = vmx_store(&access.value);
}

static const char *const results[] = {"ok", "VMfailInvalid", "VMfailValid"};

static void attempt(const char *name, void (*body)(void *), uint64_t field, uint64_t value)
{
    access.field = field;
    access.value = value;
    access.result = VMX_SUCCEED;
    vm_start(&vm, body, NULL);
    vm_run(&vm);
    if (vm_finished(&vm) && !(vm.exit.reason & EXIT_ENTRY_FAILED) && vm.entered == VMX_SUCCEED)
        guest_print("%s: no exit, %s, value %#llx\n", name, results[access.result], (unsigned long long)access.value);
    else
        vm_print_exit(name, &vm);
}

/* ---- the shadow region ------------------------------------------------------------ */

static void set_bit(struct page *page, unsigned n, bool on)
{
    page->bytes[n / 8] &= (uint8_t)~(1 << n % 8);
    page->bytes[n / 8] |= (uint8_t)(on << n % 8);
}

static void fields(bool read_exits, bool write_exits)
{
    memset(&read_bitmap, read_exits ? 0xFF : 0, sizeof(read_bitmap));
    memset(&write_bitmap, write_exits ? 0xFF : 0, sizeof(write_bitmap));
}

static void shadowing(void)
{
    vm_set(VMCS_VMREAD_BITMAP, address(&read_bitmap));
    vm_set(VMCS_VMWRITE_BITMAP, address(&write_bitmap));
    vm_cpu(0, CPU2_VMCS_SHADOWING);
}

/* A shadow VMCS is written while it is current, as any other. */
static void fill(struct page *page, uint64_t rip, uint64_t offset)
{
    vm_stamp(page, VMCS_SHADOW_INDICATOR);
    vmx_clear(address(page));
    vmx_load(address(page));
    vm_set(VMCS_GUEST_RIP, rip);
    vm_set(VMCS_TSC_OFFSET, offset);
    vm_set(VMCS_GUEST_RFLAGS, 0x8888);
    vm_set(VMCS_PIN_CONTROLS, 0x12345678);
    vm_set(VMCS_GUEST_CS_SELECTOR, 0x1234);
    vmx_clear(address(page));
}

static uint64_t peek(struct page *page, enum vmcs_field field)
{
    vmx_clear(address(page));
    vmx_load(address(page));
    uint64_t value = vm_get(field);
    vmx_clear(address(page));
    vmx_load(address(vm.region));
    return value;
}

static void begin(void)
{
    fill(&shadow, 0x1111222233334444, 0xAAAABBBBCCCCDDDD);
    fill(&other_shadow, 0x5555, 0x6666);
    vm_prepare(&vm);
    shadowing();
    fields(false, false);
    vm_set(VMCS_VMCS_LINK_POINTER, address(&shadow));
}

/* ---- the questions -------------------------------------------------------------------- */

static void reads(void)
{
    begin();
    attempt("VMREAD GUEST_RIP", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMREAD GUEST_RIP to memory", l2_vmread_memory, VMCS_GUEST_RIP, 0);
    attempt("VMREAD TSC_OFFSET", l2_vmread, VMCS_TSC_OFFSET, 0);
    attempt("VMREAD TSC_OFFSET, high half", l2_vmread, VMCS_TSC_OFFSET | 1, 0);
    attempt("VMREAD PIN_CONTROLS", l2_vmread, VMCS_PIN_CONTROLS, 0);
    attempt("VMREAD GUEST_CS_SELECTOR", l2_vmread, VMCS_GUEST_CS_SELECTOR, 0);
    attempt("VMREAD of no such field", l2_vmread, 0x6C3E, 0);
    attempt("VMREAD with encoding bit 15", l2_vmread, VMCS_GUEST_RIP | 1 << 15, 0);
    attempt("VMREAD with encoding bit 32", l2_vmread, VMCS_GUEST_RIP | 1ull << 32, 0);
    set_bit(&read_bitmap, VMCS_GUEST_RIP, true);
    attempt("VMREAD GUEST_RIP, its bit 1", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMREAD GUEST_RFLAGS beside it", l2_vmread, VMCS_GUEST_RFLAGS, 0);
    set_bit(&read_bitmap, VMCS_TSC_OFFSET | 1, true);
    attempt("VMREAD TSC_OFFSET, the high half's bit 1", l2_vmread, VMCS_TSC_OFFSET, 0);
    attempt("VMREAD high half, its bit 1", l2_vmread, VMCS_TSC_OFFSET | 1, 0);
    fields(true, true);
    attempt("VMREAD GUEST_RIP, every bit 1", l2_vmread, VMCS_GUEST_RIP, 0);
}

static void writes(void)
{
    begin();
    attempt("VMWRITE GUEST_RIP", l2_vmwrite, VMCS_GUEST_RIP, 0x0123456789ABCDEF);
    attempt("VMREAD GUEST_RIP", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMWRITE GUEST_RIP from memory", l2_vmwrite_memory, VMCS_GUEST_RIP, 0x9999);
    attempt("VMREAD GUEST_RIP", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMWRITE TSC_OFFSET, high half", l2_vmwrite, VMCS_TSC_OFFSET | 1, 0xFFFFFFFF77777777);
    attempt("VMREAD TSC_OFFSET", l2_vmread, VMCS_TSC_OFFSET, 0);
    attempt("VMWRITE of no such field", l2_vmwrite, 0x6C3E, 1);
    set_bit(&write_bitmap, VMCS_GUEST_RIP, true);
    attempt("VMWRITE GUEST_RIP, its bit 1", l2_vmwrite, VMCS_GUEST_RIP, 5);
    attempt("VMREAD GUEST_RIP, its bit 0", l2_vmread, VMCS_GUEST_RIP, 0);
    guest_check_equal(peek(&shadow, VMCS_GUEST_RIP), 0x9999, "the shadow VMCS has what L2 wrote");
    guest_check_equal(peek(&shadow, VMCS_TSC_OFFSET), 0x77777777CCCCDDDD, "and its half");
    guest_check_equal(peek(&other_shadow, VMCS_GUEST_RIP), 0x5555, "another has not");
}

static void links(void)
{
    begin();
    attempt("link to the first", l2_vmread, VMCS_GUEST_RIP, 0);
    vm_set(VMCS_VMCS_LINK_POINTER, address(&other_shadow));
    attempt("link to the other", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMWRITE to the other", l2_vmwrite, VMCS_GUEST_RIP, 0x4242);
    vm_set(VMCS_VMCS_LINK_POINTER, address(&shadow));
    attempt("link to the first again", l2_vmread, VMCS_GUEST_RIP, 0);
    vm_set(VMCS_VMCS_LINK_POINTER, ~0ull);
    attempt("VMREAD without a link", l2_vmread, VMCS_GUEST_RIP, 0);
    attempt("VMWRITE without a link", l2_vmwrite, VMCS_GUEST_RIP, 0);
    vm_set(VMCS_VMCS_LINK_POINTER, address(&shadow));
    vm_cpu(0, CPU2_RDTSCP);
    attempt("link to a shadow VMCS without shadowing", l2_vmread, VMCS_GUEST_RIP, 0);
    vm_set(VMCS_VMCS_LINK_POINTER, ~0ull);
    attempt("VMREAD without shadowing", l2_vmread, VMCS_GUEST_RIP, 0);
    shadowing();
    vm_stamp(&other_shadow, 0);
    vm_set(VMCS_VMCS_LINK_POINTER, address(&other_shadow));
    attempt("link to an ordinary VMCS", l2_vmread, VMCS_GUEST_RIP, 0);
}

static void others(void)
{
    begin();
    attempt("VMPTRST still exits", l2_vmptrst, 0, 0);
    begin();
    vm_set(VMCS_VMREAD_BITMAP, address(&read_bitmap) + 8);
    attempt("VMREAD bitmap not aligned", l2_vmread, VMCS_GUEST_RIP, 0);
    begin();
    vm_set(VMCS_VMWRITE_BITMAP, 1ull << 51);
    attempt("VMWRITE bitmap beyond the width", l2_vmread, VMCS_GUEST_RIP, 0);
}

/* What a hypervisor at L2 keeps in its VMCS survives what L1 does with it. */
static void persistence(void)
{
    begin();
    attempt("VMWRITE", l2_vmwrite, VMCS_HOST_RSP, 0xABCD);
    vmx_clear(address(&shadow));
    attempt("VMREAD after VMCLEAR of the shadow VMCS", l2_vmread, VMCS_HOST_RSP, 0);
    vmx_load(address(&shadow));
    vm_set(VMCS_HOST_RSP, 0x1234);
    vmx_load(address(vm.region));
    attempt("VMREAD after L1 wrote it", l2_vmread, VMCS_HOST_RSP, 0);
}

/* The number of a VMfail is in the VMCS that is current, whoever executes. */
static void numbers(void)
{
    begin();
    attempt("VMREAD of no such field", l2_vmread, 0x6C3E, 0);
    guest_check_equal(vm_get(VMCS_INSTRUCTION_ERROR), 12, "L1 reads its number");
    guest_check_equal(peek(&shadow, VMCS_INSTRUCTION_ERROR), 0, "the shadow VMCS has none");
    attempt("VMREAD GUEST_RIP", l2_vmread, VMCS_GUEST_RIP, 0);
    guest_check_equal(vm_get(VMCS_INSTRUCTION_ERROR), 12, "success leaves it");
    begin();
    attempt("VMWRITE of no such field", l2_vmwrite, 0x6C3E, 0);
    guest_check_equal(vm_get(VMCS_INSTRUCTION_ERROR), 12, "the same of VMWRITE");
    bool any = rdmsr(MSR_VMX_FIRST + VMX_MISC) & VMX_MISC_VMWRITE_ANY;
    begin();
    attempt("VMWRITE of what may be read-only", l2_vmwrite, VMCS_EXIT_REASON, 0);
    guest_check_equal(vm_get(VMCS_INSTRUCTION_ERROR), any ? 12 : 13, "whose number follows IA32_VMX_MISC");
}

int guest_main(void)
{
    vm_begin();
    if (!(rdmsr(MSR_VMX_FIRST + VMX_CPU2) >> 32 & CPU2_VMCS_SHADOWING)) {
        guest_print("no VMCS shadowing\n");
        return 0;
    }
    reads();
    writes();
    links();
    others();
    persistence();
    numbers();
    guest_print("end\n");
    return (int)guest_failures;
}
