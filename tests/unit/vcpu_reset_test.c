/* RESET and INIT of the virtual CPU: SDM "Processor State After Reset", and INIT's way to it. */
#include "tests/unit/dispatch_scene.h"

#include "cp/vcpu/nested.h"

/* Every field and register something else than after power-up. */
static void soil(void)
{
    static const enum vmcs_field fields[] = {
        VMCS_GUEST_CS_BASE, VMCS_GUEST_SS_LIMIT, VMCS_GUEST_FS_BASE, VMCS_GUEST_LDTR_SELECTOR, VMCS_GUEST_TR_BASE,
        VMCS_GUEST_GDTR_BASE, VMCS_GUEST_IDTR_LIMIT, VMCS_GUEST_CR3, VMCS_GUEST_DR7, VMCS_GUEST_DEBUGCTL,
        VMCS_GUEST_RSP, VMCS_GUEST_RFLAGS, VMCS_GUEST_EFER, VMCS_GUEST_PAT, VMCS_GUEST_SYSENTER_CS,
        VMCS_GUEST_SYSENTER_ESP, VMCS_GUEST_SYSENTER_EIP, VMCS_GUEST_INTERRUPTIBILITY, VMCS_GUEST_ACTIVITY_STATE,
        VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, VMCS_ENTRY_INTERRUPTION_INFO};

    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        set(fields[i], 0x1234);
    for (unsigned i = 0; i < GPRS; i++)
        vm->vcpu.gpr[i] = 0x5678;
    set(VMCS_GUEST_CR0, CR0_PE | CR0_PG | CR0_NE | CR0_WP);
    set(VMCS_CR0_SHADOW, CR0_PE | CR0_PG | CR0_WP | CR0_NW | CR0_CD);
    set(VMCS_GUEST_CR4, CR4_VMXE | CR4_PAE);
    set(VMCS_CR4_SHADOW, CR4_PAE);
    set(VMCS_ENTRY_CONTROLS, get(VMCS_ENTRY_CONTROLS) | ENTRY_LONG_MODE);
    vcpu_queue_exception(&vm->vcpu, VECTOR_GP, true, 0);
    vm->vcpu.nmi_pending = true;
}

/* The rows of the table that RESET and INIT share. */
static void assert_init_state(void)
{
    struct vcpu *v = &vm->vcpu;

    assert_int_equal(get(VMCS_GUEST_RFLAGS), 2);
    assert_int_equal(get(VMCS_GUEST_RIP), 0xFFF0);
    assert_int_equal(get(VMCS_GUEST_CR3), 0);
    assert_int_equal(registers_cr4(v), 0);
    assert_int_equal(registers_cr0(v) & ~(CR0_CD | CR0_NW), CR0_ET);
    assert_int_equal(get(VMCS_GUEST_CS_SELECTOR), 0xF000);
    assert_int_equal(get(VMCS_GUEST_CS_BASE), 0xFFFF0000);
    assert_int_equal(get(VMCS_GUEST_CS_LIMIT), 0xFFFF);
    assert_int_equal(get(VMCS_GUEST_SS_LIMIT), 0xFFFF);
    assert_int_equal(get(VMCS_GUEST_FS_BASE), 0);
    assert_int_equal(get(VMCS_GUEST_LDTR_SELECTOR), 0);
    assert_int_equal(get(VMCS_GUEST_TR_BASE), 0);
    assert_int_equal(get(VMCS_GUEST_GDTR_BASE), 0);
    assert_int_equal(get(VMCS_GUEST_IDTR_LIMIT), 0xFFFF);
    assert_int_equal(get(VMCS_GUEST_DR7), 0x400);
    assert_int_equal(get(VMCS_GUEST_EFER), 0);
    assert_int_equal(get(VMCS_ENTRY_CONTROLS) & ENTRY_LONG_MODE, 0);
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY) | get(VMCS_GUEST_ACTIVITY_STATE) |
                     get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) | get(VMCS_ENTRY_INTERRUPTION_INFO), 0);
    for (unsigned i = 0; i < GPRS; i++)
        assert_int_equal(v->gpr[i], i == RDX ? 0x600 : 0);
    assert_int_equal(v->event_info, 0);
    assert_false(v->nmi_pending || v->init_pending || v->triple_fault || v->event_made);
}

static void reset_is_power_up(void **state)
{
    (void)state;
    soil();
    registers_reset(&vm->vcpu);
    assert_init_state();
    assert_int_equal(registers_cr0(&vm->vcpu), CR0_CD | CR0_NW | CR0_ET);
    assert_int_equal(get(VMCS_GUEST_PAT), 0x0007040600070406);
    assert_int_equal(get(VMCS_GUEST_DEBUGCTL), 0);
    assert_int_equal(get(VMCS_GUEST_SYSENTER_CS) | get(VMCS_GUEST_SYSENTER_ESP) | get(VMCS_GUEST_SYSENTER_EIP), 0);
}

static void init_leaves_the_msrs_and_the_caches_bits(void **state)
{
    static const uint64_t caches[] = {0, CR0_CD, CR0_CD | CR0_NW};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        soil();
        set(VMCS_CR0_SHADOW, CR0_PE | caches[i]);
        registers_init(&vm->vcpu);
        assert_init_state();
        assert_int_equal(registers_cr0(&vm->vcpu), CR0_ET | caches[i]);
        assert_int_equal(get(VMCS_GUEST_PAT), 0x1234);
        assert_int_equal(get(VMCS_GUEST_DEBUGCTL), 0x1234);
        assert_int_equal(get(VMCS_GUEST_SYSENTER_ESP), 0x1234);
    }
}

static void the_tsc_begins_anew_at_a_reset(void **state)
{
    uint64_t tsc;

    (void)state;
    fake_clock_advance(1000000);
    vm_reset(vm);
    assert_int_equal(msr_policy_read(vm, 0x10, &tsc), 0);
    assert_int_equal(tsc, 0);
    fake_clock_advance(77);
    assert_int_equal(msr_policy_read(vm, 0x10, &tsc), 0);
    assert_int_equal(tsc, 77);
}

/* Whatever of an MSR a guest can change: so nobody who adds a row of cp/vcpu/msr.c forgets its reset. */
static void assert_first_again_after_a_reset(uint32_t msr)
{
    uint64_t first, now;

    vm_reset(vm);
    if (msr_policy_read(vm, msr, &first))
        return;
    for (unsigned bit = 0; bit < 64; bit++) {
        if (msr_policy_write(vm, msr, first ^ 1ull << bit))
            continue;
        vm_reset(vm);
        assert_int_equal(msr_policy_read(vm, msr, &now), 0);
        if (now != first)
            fail_msg("MSR %X, of which a guest changed bit %u, is not as at first after a reset", msr, bit);
    }
}

static void every_msr_is_as_at_first_after_a_reset(void **state)
{
    (void)state;
    for (uint32_t msr = 0; msr < 0x2000; msr++) {
        assert_first_again_after_a_reset(msr);
        assert_first_again_after_a_reset(0xC0000000u + msr);
    }
}

static void send_init(void)
{
    lapic_deliver(&vm->machine.lapic, &(struct lapic_message){.delivery = LAPIC_INIT});
}

static void an_init_is_taken_after_the_instruction_that_sent_it(void **state)
{
    (void)state;
    send_init();
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_true(event_waits(vm));
    soil();
    assert_false(event_prepare(vm));
    assert_init_state();
    assert_int_equal(get(VMCS_GUEST_SYSENTER_CS), 0x1234);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->stop, VM_STOP_RESET);
}

static void an_init_takes_the_cpu_out_of_hlt(void **state)
{
    (void)state;
    vm->state = VM_WAITING;
    set(VMCS_GUEST_RFLAGS, 2);
    send_init();
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void an_init_waits_until_vmx_operation_is_left(void **state)
{
    static struct nest nest;

    (void)state;
    nest = (struct nest){.vmxon = true};
    vm->vcpu.nest = &nest;
    send_init();
    for (unsigned i = 0; i < 3; i++) {
        assert_true(event_waits(vm));
        assert_true(event_prepare(vm));
    }
    nest.vmxon = false;
    assert_true(event_waits(vm));
    assert_false(event_prepare(vm));
    assert_int_equal(vm->stop, VM_STOP_RESET);
    vm->vcpu.nest = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(reset_is_power_up),
        scene_test(init_leaves_the_msrs_and_the_caches_bits),
        scene_test(the_tsc_begins_anew_at_a_reset),
        scene_test(every_msr_is_as_at_first_after_a_reset),
        scene_test(an_init_is_taken_after_the_instruction_that_sent_it),
        scene_test(an_init_takes_the_cpu_out_of_hlt),
        scene_test(an_init_waits_until_vmx_operation_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
