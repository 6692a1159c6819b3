/* L1 with virtual VMX on the fake processor, in 64-bit mode over identity-mapped paging, and a VMCS for an L2 that
 * passes all checks: everything through the exits a real L1 would make. */
#pragma once
#include "tests/unit/dispatch_machine_scene.h"

#include "cp/diagnose.h"
#include "vmcs-shadow/page.h"

enum { PT_ROOT = 0x5000, PT_TOP = 0x7000, L1_RIP = 0x8000, L1_HOST_RIP = 0x8100, L2_RIP = 0x4000 };
enum { PRESENT = 1, WRITABLE = 2, LARGE = 0x80 };

static const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};
static const struct exit launch = {.reason = EXIT_VMLAUNCH, .instruction_length = 3};
static const struct exit resume = {.reason = EXIT_VMRESUME, .instruction_length = 3};

/* An instruction of L1 as the processor would find it; what it queued is in vcpu.event_info. */
static enum nest_result through_exit(struct fake_vmx *m, const struct exit *exit)
{
    (void)m;
    vm->vcpu.exit = *exit;
    vm->vcpu.exit.rip = get(VMCS_GUEST_RIP);
    processor()->loaded->held.exit_instruction_length = exit->instruction_length;
    exit_dispatch(vm);
    return nested_runs(&vm->vcpu) ? NEST_ENTERED : NEST_SKIP;
}

static inline void l1_begin(enum nest_mode mode)
{
    machine_begin(mode);
    struct vmcs *held = &processor()->loaded->held;
    uint64_t mask0 = held->cr0_mask, mask4 = held->cr4_mask;
    fake_vmx_l1_state(held);
    held->cr0_mask = mask0, held->cr4_mask = mask4;
    poke(PT_ROOT, PT_TOP | PRESENT | WRITABLE, 8);
    poke(PT_TOP, LARGE | PRESENT | WRITABLE, 8);
    nested_host_fill(&processor()->host, vm);
    processor()->instruct = through_exit;
    assert_non_null(nested_of(vm));
}

/* In VMX operation, the VMCS current and ready to be launched. */
static inline void l1_ready(enum nest_mode mode)
{
    l1_begin(mode);
    fake_vmx_enter_operation(processor());
    fake_vmx_make_vmcs(processor(), FAKE_VMCS);
    assert_int_equal(vm->vcpu.event_info, 0);
    assert_int_equal(fake_vmx_verdict(processor()), FAKE_SUCCEEDED);
    set(VMCS_GUEST_RIP, L1_RIP);
}

UNUSED static uint64_t vmread(enum vmcs_field field)
{
    uint64_t rip = get(VMCS_GUEST_RIP), value = fake_vmx_read(processor(), field);
    set(VMCS_GUEST_RIP, rip);
    return value;
}

UNUSED static void vmwrite(enum vmcs_field field, uint64_t value)
{
    uint64_t rip = get(VMCS_GUEST_RIP);
    fake_vmx_write(processor(), field, value);
    set(VMCS_GUEST_RIP, rip);
}

/* L2's first 2 MiB are L1's, and so are the next ones, so many in all. */
UNUSED static void map_l2(unsigned places)
{
    enum { ALL = 7, WRITE_BACK = 6 << 3 };

    poke(FAKE_EPT, 0x21000 | ALL, 8);
    poke(0x21000, 0x22000 | ALL, 8);
    for (unsigned i = 0; i < places; i++)
        poke(0x22000 + 8 * i, LARGE | WRITE_BACK | ALL, 8);
}

/* L1 stands at its host RIP, and its VMCS says so. */
UNUSED static void assert_l1_has(unsigned reason)
{
    assert_false(nested_runs(&vm->vcpu));
    assert_ptr_equal(processor()->loaded, &processor()->first);
    assert_int_equal(get(VMCS_GUEST_RIP), L1_HOST_RIP);
    assert_int_equal(vmread(VMCS_EXIT_REASON), reason);
}

static inline int nested_end(void **state)
{
    (void)state;
    while (vm_list)
        vm_destroy(vm_list);
    vm_stopped = NULL, vm_traced = NULL, vm_diagnose = NULL;
    return 0;
}
