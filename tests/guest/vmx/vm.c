/* The payloads' hypervisor; see vm.h. In: the machine's capability MSRs. Out: a current VMCS, and what its exits
 * say. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "cp/diagnose.h"

enum {
    MSR_FEATURE_CONTROL = 0x3A,
    FEATURE_LOCK_AND_VMX = 5,
    CPUID_VMX = 1 << 5,
    CR4_VMXE = 1 << 13,
    CODE = 0x08,
    DATA = 0x10,
    TASK = 0x18, /* not in the GDT: VMX loads TR from the VMCS */
    RIGHTS_CODE64 = 0xA09B,
    RIGHTS_DATA = 0xC093,
    RIGHTS_TSS = 0x8B,
    RIGHTS_UNUSABLE = 0x10000,
    TSS_LIMIT = 0x67,
    STACK_BYTES = 16384,
    MOST_EXITS = 16,
};

static struct page vmxon_region;
static uint8_t tss[TSS_LIMIT + 1] __attribute__((aligned(16)));
static uint8_t l2_stack[STACK_BYTES] __attribute__((aligned(16)));

static struct vmcs_page *shared; /* of the vm prepared last; NULL: it has a region */

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

static uint32_t revision(uint32_t indicator)
{
    return (uint32_t)(rdmsr(MSR_VMX_FIRST + VMX_BASIC) & VMX_BASIC_REVISION_MASK) | indicator;
}

void vm_stamp(struct page *region, uint32_t indicator)
{
    uint32_t first = revision(indicator);
    memcpy(region, &first, sizeof(first));
}

void vm_stamp_page(struct vmcs_page *page, uint32_t indicator)
{
    memset(page, 0, sizeof(*page));
    page->revision = revision(indicator);
    page->form = VMCS_PAGE_FORM;
}

bool vm_offers_pages(void)
{
    const struct guest_cpuid signature = cpuid(DIAGNOSE_LEAF_SIGNATURE, 0);
    const char vm_n[] = DIAGNOSE_SIGNATURE;
    return !memcmp(&signature.ebx, vm_n, 12) && cpuid(DIAGNOSE_LEAF_ASSISTS, 0).eax & DIAGNOSE_ASSIST_ENTER;
}

void vm_begin(void)
{
    if (!(cpuid(1, 0).ecx & CPUID_VMX)) {
        guest_print("no VMX here\n");
        guest_exit(2);
    }
    if (!(rdmsr(MSR_FEATURE_CONTROL) & 1))
        wrmsr(MSR_FEATURE_CONTROL, FEATURE_LOCK_AND_VMX);
    write_cr0(read_cr0() | rdmsr(MSR_VMX_FIRST + VMX_CR0_FIXED0));
    write_cr4(read_cr4() | CR4_VMXE);
    vm_stamp(&vmxon_region, 0);
    if (vmx_on(address(&vmxon_region)) != VMX_SUCCEED) {
        guest_print("VMXON failed\n");
        guest_exit(2);
    }
}

uint64_t vm_get(enum vmcs_field field)
{
    uint64_t value = 0;
    if (shared)
        return vmcs_get(&shared->fields, vmcs_field_find(field));
    if (vmx_read(field, &value) != VMX_SUCCEED) {
        guest_print("VMREAD of %s failed\n", vmcs_field_name(field));
        guest_exit(2);
    }
    return value;
}

void vm_set(enum vmcs_field field, uint64_t value)
{
    if (shared) {
        vmcs_page_write(shared, vmcs_field_find(field), value);
        return;
    }
    if (vmx_write(field, value) != VMX_SUCCEED) {
        guest_print("VMWRITE of %s failed\n", vmcs_field_name(field));
        guest_exit(2);
    }
}

static uint64_t control_msr(uint32_t plain, uint32_t true_msr)
{
    bool has_true = rdmsr(MSR_VMX_FIRST + VMX_BASIC) & VMX_BASIC_TRUE_CONTROLS;
    return rdmsr(MSR_VMX_FIRST + (has_true ? true_msr : plain));
}

static uint32_t with_fixed(uint64_t msr, uint32_t controls)
{
    return (controls | (uint32_t)msr) & (uint32_t)(msr >> 32);
}

bool vm_offers(uint32_t msr, uint32_t bits) { return (rdmsr(MSR_VMX_FIRST + msr) >> 32 & bits) == bits; }
void vm_pin(uint32_t controls) { vm_set(VMCS_PIN_CONTROLS, with_fixed(control_msr(VMX_PIN, VMX_TRUE_PIN), controls)); }

void vm_cpu(uint32_t controls, uint32_t secondary)
{
    vm_set(VMCS_PROCESSOR_CONTROLS,
           with_fixed(control_msr(VMX_CPU, VMX_TRUE_CPU), controls | (secondary ? CPU_SECONDARY_CONTROLS : 0)));
    if (secondary)
        vm_set(VMCS_SECONDARY_CONTROLS, with_fixed(rdmsr(MSR_VMX_FIRST + VMX_CPU2), secondary));
}

void vm_exit_controls(uint32_t controls)
{
    vm_set(VMCS_EXIT_CONTROLS, with_fixed(control_msr(VMX_EXIT, VMX_TRUE_EXIT), controls | EXIT_HOST_LONG_MODE));
}

void vm_entry_controls(uint32_t controls)
{
    vm_set(VMCS_ENTRY_CONTROLS, with_fixed(control_msr(VMX_ENTRY, VMX_TRUE_ENTRY), controls));
}

static void prepare_controls(void)
{
    static const enum vmcs_field zero[] = {
        VMCS_EXCEPTION_BITMAP, VMCS_PAGE_FAULT_MASK, VMCS_PAGE_FAULT_MATCH, VMCS_CR3_TARGET_COUNT,
        VMCS_EXIT_MSR_STORE_COUNT,
        VMCS_EXIT_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_COUNT, VMCS_ENTRY_INTERRUPTION_INFO, VMCS_CR0_MASK, VMCS_CR4_MASK,
        VMCS_TSC_OFFSET, VMCS_ENTRY_EXCEPTION_ERROR_CODE, VMCS_ENTRY_INSTRUCTION_LENGTH,
    };
    vm_pin(0);
    vm_cpu(0, 0);
    vm_exit_controls(0);
    vm_entry_controls(ENTRY_LONG_MODE);
    for (unsigned i = 0; i < sizeof(zero) / sizeof(*zero); i++)
        vm_set(zero[i], 0);
    vm_set(VMCS_CR0_SHADOW, read_cr0());
    vm_set(VMCS_CR4_SHADOW, read_cr4());
}

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void prepare_host(void)
{
    struct table_register gdt, idt;
    __asm__ volatile("sgdt %0; sidt %1" : "=m"(gdt), "=m"(idt));
    vm_set(VMCS_HOST_CR0, read_cr0());
    vm_set(VMCS_HOST_CR3, read_cr3());
    vm_set(VMCS_HOST_CR4, read_cr4());
    vm_set(VMCS_HOST_CS_SELECTOR, CODE);
    vm_set(VMCS_HOST_SS_SELECTOR, DATA);
    vm_set(VMCS_HOST_DS_SELECTOR, DATA);
    vm_set(VMCS_HOST_ES_SELECTOR, DATA);
    vm_set(VMCS_HOST_FS_SELECTOR, 0);
    vm_set(VMCS_HOST_GS_SELECTOR, 0);
    vm_set(VMCS_HOST_TR_SELECTOR, TASK);
    vm_set(VMCS_HOST_FS_BASE, 0);
    vm_set(VMCS_HOST_GS_BASE, 0);
    vm_set(VMCS_HOST_TR_BASE, address(tss));
    vm_set(VMCS_HOST_GDTR_BASE, gdt.base);
    vm_set(VMCS_HOST_IDTR_BASE, idt.base);
    vm_set(VMCS_HOST_SYSENTER_CS, 0);
    vm_set(VMCS_HOST_SYSENTER_ESP, 0);
    vm_set(VMCS_HOST_SYSENTER_EIP, 0);
    vm_set(VMCS_HOST_RIP, address(vm_exited));
}

/* ES, CS, SS, DS, FS, GS, LDTR, TR: their four fields are two apart. */
static void prepare_segment(unsigned n, uint16_t selector, uint64_t base, uint32_t limit, uint32_t rights)
{
    vm_set((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * n), selector);
    vm_set((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * n), base);
    vm_set((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * n), limit);
    vm_set((enum vmcs_field)(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * n), rights);
}

static void prepare_guest(void)
{
    struct table_register gdt, idt;
    __asm__ volatile("sgdt %0; sidt %1" : "=m"(gdt), "=m"(idt));
    for (unsigned n = 0; n < 6; n++)
        prepare_segment(n, n == 1 ? CODE : DATA, 0, ~0u, n == 1 ? RIGHTS_CODE64 : RIGHTS_DATA);
    prepare_segment(6, 0, 0, 0, RIGHTS_UNUSABLE);
    prepare_segment(7, TASK, address(tss), TSS_LIMIT, RIGHTS_TSS);
    vm_set(VMCS_GUEST_GDTR_BASE, gdt.base);
    vm_set(VMCS_GUEST_GDTR_LIMIT, gdt.limit);
    vm_set(VMCS_GUEST_IDTR_BASE, idt.base);
    vm_set(VMCS_GUEST_IDTR_LIMIT, idt.limit);
    vm_set(VMCS_GUEST_CR0, read_cr0());
    vm_set(VMCS_GUEST_CR3, read_cr3());
    vm_set(VMCS_GUEST_CR4, read_cr4());
    vm_set(VMCS_GUEST_DR7, 0x400);
    vm_set(VMCS_GUEST_DEBUGCTL, 0);
    vm_set(VMCS_GUEST_SYSENTER_CS, 0);
    vm_set(VMCS_GUEST_SYSENTER_ESP, 0);
    vm_set(VMCS_GUEST_SYSENTER_EIP, 0);
    vm_set(VMCS_VMCS_LINK_POINTER, ~0ull);
}

static void load_region(struct page *region)
{
    vm_stamp(region, 0);
    if (vmx_clear(address(region)) != VMX_SUCCEED || vmx_load(address(region)) != VMX_SUCCEED) {
        guest_print("no VMCS could be made current\n");
        guest_exit(2);
    }
}

/* CP must not know it, or it keeps what it was. */
static void load_page(void)
{
    if (vmx_clear(address(shared)) != VMX_SUCCEED) {
        guest_print("CP does not let go of a page\n");
        guest_exit(2);
    }
    vm_stamp_page(shared, 0);
}

void vm_prepare(struct vm *vm)
{
    struct page *region = vm->region;
    shared = vm->page;
    memset(vm, 0, sizeof(*vm));
    vm->region = region;
    vm->page = shared;
    if (shared)
        load_page();
    else
        load_region(region);
    prepare_controls();
    prepare_host();
    prepare_guest();
    vm_start(vm, NULL, NULL);
}

void vm_select(const struct vm *vm)
{
    shared = vm->page;
    if (!shared && vmx_load(address(vm->region)) != VMX_SUCCEED) {
        guest_print("a VMCS does not become current\n");
        guest_exit(2);
    }
}

void vm_clear(struct vm *vm)
{
    if (vmx_clear(vm->page ? address(vm->page) : address(vm->region)) != VMX_SUCCEED) {
        guest_print("a VMCS is not cleared\n");
        guest_exit(2);
    }
    vm->launched = false;
}

void vm_start(struct vm *vm, void (*body)(void *), void *argument)
{
    vm->registers.rbx = address((const void *)(uintptr_t)body);
    vm->registers.rdi = address(argument);
    vm_set(VMCS_GUEST_RIP, address(vm_l2_start));
    vm_set(VMCS_GUEST_RSP, address(l2_stack + STACK_BYTES));
    vm_set(VMCS_GUEST_RFLAGS, 2);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, 0);
    vm_set(VMCS_GUEST_ACTIVITY_STATE, 0);
    vm_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
}

static void enter_page(struct vm *vm)
{
    shared = vm->page;
    vm->page->rax = vm->registers.rax;
    vm->page->rbx = vm->registers.rbx;
    vmcs_set_add(&vm->page->written, VMCS_INDEX_HOST_RSP);
    vm->status = vm_enter_page(&vm->registers, vm->page, &vm->page->fields.host_rsp);
    vm->entered = !vm->status ? VMX_SUCCEED
                  : vm->status == DIAGNOSE_ENTRY_FAILED ? VMX_FAIL_VALID
                                                        : VMX_FAIL_INVALID;
}

void vm_run(struct vm *vm)
{
    if (vm->page)
        enter_page(vm);
    else
        vm->entered = (enum vmx_result)vm_enter(&vm->registers, vm->launched);
    if (vm->entered != VMX_SUCCEED)
        return;
    vm->exit = (struct exit){
        .reason = (uint32_t)vm_get(VMCS_EXIT_REASON),
        .qualification = vm_get(VMCS_EXIT_QUALIFICATION),
        .instruction_length = (uint32_t)vm_get(VMCS_EXIT_INSTRUCTION_LENGTH),
        .instruction_info = (uint32_t)vm_get(VMCS_EXIT_INSTRUCTION_INFO),
        .interruption_info = (uint32_t)vm_get(VMCS_EXIT_INTERRUPTION_INFO),
        .interruption_error = (uint32_t)vm_get(VMCS_EXIT_INTERRUPTION_ERROR_CODE),
        .idt_vectoring_info = (uint32_t)vm_get(VMCS_IDT_VECTORING_INFO),
        .idt_vectoring_error = (uint32_t)vm_get(VMCS_IDT_VECTORING_ERROR_CODE),
        .guest_linear = vm_get(VMCS_GUEST_LINEAR_ADDRESS),
        .rip = vm_get(VMCS_GUEST_RIP),
    };
    if (!(vm->exit.reason & EXIT_ENTRY_FAILED))
        vm->launched = true;
    if (exit_basic(&vm->exit) == EXIT_EPT_VIOLATION || exit_basic(&vm->exit) == EXIT_EPT_MISCONFIG)
        vm->exit.guest_physical = vm_get(VMCS_GUEST_PHYSICAL_ADDRESS);
}

void vm_skip(const struct vm *vm)
{
    vm_set(VMCS_GUEST_RIP, vm->exit.rip + vm->exit.instruction_length);
}

bool vm_finished(const struct vm *vm)
{
    return vm->entered != VMX_SUCCEED || vm->exit.reason & EXIT_ENTRY_FAILED ||
           (vm->exit.reason == EXIT_VMCALL && vm->registers.rax == VM_DONE);
}

void vm_trace(struct vm *vm, const char *name, void (*body)(void *), void *argument)
{
    vm_start(vm, body, argument);
    for (unsigned n = 0; n < MOST_EXITS; n++) {
        vm_run(vm);
        if (vm->entered == VMX_SUCCEED && vm_finished(vm) && !(vm->exit.reason & EXIT_ENTRY_FAILED))
            return;
        vm_print_exit(name, vm);
        if (vm_finished(vm))
            return;
        vm_skip(vm);
    }
    guest_print("%s: no end of exits\n", name);
}
