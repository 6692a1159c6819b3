#include "tests/unit/dispatch_scene.h"

enum {
    STI = 1,
    MOV_SS = 2,
    BY_NMI = 8,
    TYPE_SOFTWARE_INTERRUPT = 4 << 8,
    TYPE_PRIVILEGED = 5 << 8,
    TYPE_SOFTWARE_EXCEPTION = 6 << 8
};
#define EXCEPTION(vector) (EVENT_VALID | EVENT_HARDWARE_EXCEPTION | (vector))

static int begin(void **state)
{
    scene_begin(state);
    assert_int_equal(msr_policy_write(vm, 0x1B, LAPIC_DEFAULT_BASE | 1 << 8 | 1 << 10 | 1 << 11), 0);
    assert_int_equal(msr_policy_write(vm, 0x80F, 0x1FF), 0);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    return 0;
}

static void interrupt(uint8_t vector)
{
    lapic_deliver(&vm->machine.lapic, &(struct lapic_message){.vector = vector, .delivery = LAPIC_FIXED});
}

static void nmi(void) { lapic_deliver(&vm->machine.lapic, &(struct lapic_message){.delivery = LAPIC_NMI}); }

/* What the next entry injects; as the processor does, an entry takes it. */
static uint32_t entered(void)
{
    assert_true(event_prepare(vm));
    uint32_t info = (uint32_t)get(VMCS_ENTRY_INTERRUPTION_INFO);
    set(VMCS_ENTRY_INTERRUPTION_INFO, 0);
    return info;
}

static uint32_t windows(void)
{
    return (uint32_t)get(VMCS_PROCESSOR_CONTROLS) & (CPU_INTERRUPT_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING);
}

static void an_interrupt_is_injected_when_the_guest_is_open_to_it(void **state)
{
    (void)state;
    assert_false(event_waits(vm));
    assert_int_equal(entered(), 0);
    interrupt(0x51);
    assert_true(event_waits(vm));
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
    assert_int_equal(windows(), 0);
    assert_int_equal(entered(), 0); /* once */
}

static void each_kind_of_blocking_makes_an_interrupt_wait_for_a_window(void **state)
{
    static const struct {
        uint64_t flags, blocked;
    } closed[] = {{2, 0}, {2 | RFLAGS_IF, STI}, {2 | RFLAGS_IF, MOV_SS}, {2, STI | MOV_SS}};

    (void)state;
    interrupt(0x51);
    for (unsigned i = 0; i < sizeof closed / sizeof *closed; i++) {
        set(VMCS_GUEST_RFLAGS, closed[i].flags);
        set(VMCS_GUEST_INTERRUPTIBILITY, closed[i].blocked);
        assert_int_equal(entered(), 0);
        assert_int_equal(windows(), CPU_INTERRUPT_WINDOW_EXITING);
        assert_true(event_waits(vm)); /* looked at again before the next entry */
    }
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_NMI); /* an NMI handler with interrupts on: open */
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
    assert_int_equal(windows(), 0);
    assert_false(event_waits(vm));
}

static void an_nmi_goes_before_an_interrupt_which_gets_its_window(void **state)
{
    (void)state;
    interrupt(0x51);
    nmi();
    assert_int_equal(entered(), EVENT_VALID | EVENT_NMI | 2);
    assert_int_equal(windows(), CPU_INTERRUPT_WINDOW_EXITING);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
    assert_int_equal(windows(), 0);
}

static void an_nmi_does_not_ask_rflags_if_but_waits_for_the_last_one_to_end(void **state)
{
    static const unsigned blocks[] = {BY_NMI, MOV_SS, STI};

    (void)state;
    set(VMCS_GUEST_RFLAGS, 2);
    nmi();
    for (unsigned i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        set(VMCS_GUEST_INTERRUPTIBILITY, blocks[i]);
        assert_int_equal(entered(), 0);
        assert_int_equal(windows(), CPU_NMI_WINDOW_EXITING);
    }
    set(VMCS_GUEST_INTERRUPTIBILITY, 0);
    assert_int_equal(entered(), EVENT_VALID | EVENT_NMI | 2);
    assert_int_equal(windows(), 0);
}

static void a_blocked_nmi_does_not_hold_up_an_interrupt(void **state)
{
    (void)state;
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_NMI);
    nmi();
    interrupt(0x51);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
    assert_int_equal(windows(), CPU_NMI_WINDOW_EXITING);
}

static void the_higher_vector_comes_first_and_the_lower_waits_for_its_eoi(void **state)
{
    (void)state;
    interrupt(0x31);
    interrupt(0x71);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x71);
    assert_int_equal(windows(), 0); /* nothing to wait for: its priority is too low */
    assert_int_equal(entered(), 0);
    assert_int_equal(msr_policy_write(vm, 0x80B, 0), 0); /* EOI */
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x31);
}

static void an_exception_goes_before_both_and_keeps_them_waiting(void **state)
{
    (void)state;
    interrupt(0x51);
    nmi();
    vcpu_queue_exception(&vm->vcpu, VECTOR_GP, true, 0x18);
    assert_int_equal(entered(), EXCEPTION(VECTOR_GP) | EVENT_ERROR);
    assert_int_equal(get(VMCS_ENTRY_EXCEPTION_ERROR_CODE), 0x18);
    assert_int_equal(windows(), CPU_INTERRUPT_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING);
    assert_int_equal(entered(), EVENT_VALID | EVENT_NMI | 2);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
}

static void a_page_fault_brings_its_address_when_it_is_delivered(void **state)
{
    (void)state;
    vm->vcpu.cr2 = 1;
    vcpu_queue_page_fault(&vm->vcpu, 0xFFFF800012345678, 6);
    assert_int_equal(vm->vcpu.cr2, 1);
    assert_int_equal(entered(), EXCEPTION(VECTOR_PF) | EVENT_ERROR);
    assert_int_equal(get(VMCS_ENTRY_EXCEPTION_ERROR_CODE), 6);
    assert_int_equal(vm->vcpu.cr2, 0xFFFF800012345678);
}

static void real_mode_pushes_no_error_code(void **state)
{
    static const unsigned vectors[] = {VECTOR_DF, VECTOR_TS, VECTOR_NP, VECTOR_SS, VECTOR_GP, VECTOR_PF};

    (void)state;
    for (unsigned i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        set(VMCS_GUEST_CR0, CR0_ET | CR0_NE);
        vcpu_queue_exception(&vm->vcpu, vectors[i], true, 0);
        assert_int_equal(entered(), EXCEPTION(vectors[i]));
        set(VMCS_GUEST_CR0, CR0_ET | CR0_NE | CR0_PE);
        vcpu_queue_exception(&vm->vcpu, vectors[i], true, 0);
        assert_int_equal(entered(), EXCEPTION(vectors[i]) | EVENT_ERROR);
    }
}

/* SDM "Conditions for Generating a Double Fault": rows the first, columns the second. */
enum class { BENIGN, CONTRIBUTORY, PAGE_FAULT };

static enum class class_of(unsigned vector) {
    static const unsigned contributory[] = {0, 10, 11, 12, 13};
    for (unsigned i = 0; i < sizeof contributory / sizeof *contributory;
         i++) if (vector == contributory[i]) return CONTRIBUTORY;
    return vector == 14 ? PAGE_FAULT : BENIGN;
}

static void two_exceptions_make_a_double_fault_as_the_table_says(void **state)
{
    static const bool makes_double[3][3] = {{0, 0, 0}, {0, 1, 0}, {0, 1, 1}};

    (void)state;
    for (unsigned first = 0; first < 32; first++)
        for (unsigned second = 0; second < 32; second++) {
            bool error = class_of(second) != BENIGN && second;
            if (first == VECTOR_DF || second == VECTOR_DF || first == 2 || second == 2)
                continue;
            vm->vcpu.event_info = EXCEPTION(first);
            vcpu_queue_exception(&vm->vcpu, second, error, 0x44);
            if (makes_double[class_of(first)][class_of(second)]) {
                assert_int_equal(vm->vcpu.event_info, EXCEPTION(VECTOR_DF) | EVENT_ERROR);
                assert_int_equal(vm->vcpu.event_error, 0);
            } else {
                assert_int_equal(vm->vcpu.event_info, EXCEPTION(second) | (error ? EVENT_ERROR : 0));
            }
            assert_false(vm->vcpu.triple_fault);
            taken_exception();
        }
}

static void a_fault_while_delivering_a_double_fault_shuts_down(void **state)
{
    static const unsigned seconds[] = {0, VECTOR_TS, VECTOR_NP, VECTOR_SS, VECTOR_GP, VECTOR_PF};

    (void)state;
    for (unsigned i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        vm->vcpu.event_info = EXCEPTION(VECTOR_DF) | EVENT_ERROR;
        vcpu_queue_exception(&vm->vcpu, seconds[i], seconds[i] != 0, 0);
        assert_true(vm->vcpu.triple_fault);
        assert_true(event_waits(vm));
        assert_false(event_prepare(vm));
        vm->vcpu.triple_fault = false;
        taken_exception();
    }
}

static void only_exceptions_count_as_the_first(void **state)
{
    static const uint32_t types[] = {EVENT_EXTERNAL, EVENT_NMI, TYPE_SOFTWARE_INTERRUPT, TYPE_PRIVILEGED,
                                     TYPE_SOFTWARE_EXCEPTION};

    (void)state;
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        vm->vcpu.event_info = EVENT_VALID | types[i] | VECTOR_GP;
        vcpu_queue_exception(&vm->vcpu, VECTOR_GP, true, 0);
        assert_int_equal(taken_exception(), VECTOR_GP);
        assert_false(vm->vcpu.triple_fault);
    }
}

static void cut_short(uint32_t info, uint32_t error, uint32_t length)
{
    vm->vcpu.exit.idt_vectoring_info = info;
    vm->vcpu.exit.idt_vectoring_error = error;
    vm->vcpu.exit.instruction_length = length;
    event_requeue(&vm->vcpu);
}

static void a_delivery_cut_short_is_done_again_as_it_was(void **state)
{
    static const uint32_t infos[] = {
        EVENT_VALID | EVENT_EXTERNAL | 0x51,
        EXCEPTION(VECTOR_PF) | EVENT_ERROR,
        EXCEPTION(1),
        EVENT_VALID | TYPE_SOFTWARE_INTERRUPT | 0x80,
        EVENT_VALID | TYPE_PRIVILEGED | 1,
        EVENT_VALID | TYPE_SOFTWARE_EXCEPTION | 3,
    };
    (void)state;
    for (unsigned i = 0; i < sizeof infos / sizeof *infos; i++) {
        vm->vcpu.cr2 = 0x1234;
        set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0xFF);
        set(VMCS_ENTRY_INSTRUCTION_LENGTH, 0xFF);
        cut_short(infos[i] | 1u << 12, 5, 2); /* bit 12 is undefined there and must be 0 here */
        assert_int_equal(entered(), infos[i]);
        assert_int_equal(get(VMCS_ENTRY_EXCEPTION_ERROR_CODE), infos[i] & EVENT_ERROR ? 5 : 0xFF);
        assert_int_equal(get(VMCS_ENTRY_INSTRUCTION_LENGTH),
                         (infos[i] & EVENT_TYPE) >= TYPE_SOFTWARE_INTERRUPT ? 2 : 0xFF);
        assert_int_equal(vm->vcpu.cr2, 0x1234); /* the processor's own page fault has set it */
    }
    cut_short(0, 0, 0);
    assert_int_equal(entered(), 0);
}

static void an_nmi_cut_short_finds_itself_not_blocked(void **state)
{
    (void)state;
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_NMI);
    cut_short(EVENT_VALID | EVENT_NMI | 2, 0, 0);
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY) & BY_NMI, 0);
    assert_int_equal(entered(), EVENT_VALID | EVENT_NMI | 2);
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_NMI);
    cut_short(EVENT_VALID | EVENT_EXTERNAL | 0x51, 0, 0); /* any other: blocking is the guest's */
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), BY_NMI);
    entered();
}

static void an_iret_cut_short_by_a_violation_finds_nmis_blocked_again(void **state)
{
    static const struct {
        uint64_t qualification;
        uint32_t vectoring;
        unsigned blocked;
    } cases[] = {{1 << 12 | 1, 0, BY_NMI}, {1, 0, 0}, {1 << 12 | 1, EVENT_VALID | EVENT_EXTERNAL | 0x51, 0}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(VMCS_GUEST_INTERRUPTIBILITY, 0);
        vm->vcpu.exit = (struct exit){.reason = EXIT_EPT_VIOLATION,
                                      .qualification = cases[i].qualification,
                                      .idt_vectoring_info = cases[i].vectoring,
                                      .guest_physical = 0x5000};
        exit_dispatch(vm);
        assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), cases[i].blocked);
    }
}

/* What a processor saves at such an exit, whatever an emulator does. */
static void an_instruction_cut_short_by_a_violation_is_executed_again_before_its_traps(void **state)
{
    enum { RF = 1 << 16, TF = 1 << 8, BY_STI = 1, BS = 1 << 14 };
    static const struct {
        uint32_t vectoring, flags, blocked, pending, flags_then, pending_then;
    } cases[] = {
        {0, 2, 0, 0, RF | 2, 0},
        {0, RF | 2, 0, 0, RF | 2, 0},
        {0, TF | 2, 0, BS, RF | TF | 2, 0},
        {0, TF | 2, BY_STI, BS, RF | TF | 2, BS},                         /* an entry wants it so */
        {EVENT_VALID | EVENT_EXTERNAL | 0x51, TF | 2, 0, BS, TF | 2, 0}, /* not an instruction's */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(VMCS_GUEST_RFLAGS, cases[i].flags);
        set(VMCS_GUEST_INTERRUPTIBILITY, cases[i].blocked);
        set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, cases[i].pending);
        vm->vcpu.exit = (struct exit){.reason = EXIT_EPT_VIOLATION,
                                      .qualification = 1,
                                      .guest_physical = 0x5000,
                                      .idt_vectoring_info = cases[i].vectoring};
        exit_dispatch(vm);
        assert_int_equal(get(VMCS_GUEST_RFLAGS), cases[i].flags_then);
        assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), cases[i].pending_then);
    }
}

static void a_fault_that_cp_makes_in_a_delivery_cut_short_doubles(void **state)
{
    (void)state;
    cut_short(EXCEPTION(VECTOR_GP) | EVENT_ERROR, 0x10, 0);
    vcpu_queue_exception(&vm->vcpu, VECTOR_SS, true, 0x20);
    assert_int_equal(entered(), EXCEPTION(VECTOR_DF) | EVENT_ERROR);
    cut_short(EXCEPTION(VECTOR_DF) | EVENT_ERROR, 0, 0);
    vcpu_queue_page_fault(&vm->vcpu, 0x1000, 2);
    assert_false(event_prepare(vm));
}

static void a_new_interrupt_waits_behind_a_delivery_cut_short(void **state)
{
    (void)state;
    interrupt(0x71);
    cut_short(EVENT_VALID | EVENT_EXTERNAL | 0x51, 0, 0);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
    assert_int_equal(windows(), CPU_INTERRUPT_WINDOW_EXITING);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x71);
}

static void an_exception_in_a_delivery_cut_short_does_not_lose_the_interrupt(void **state)
{
    (void)state;
    interrupt(0x51);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
    cut_short(EVENT_VALID | EVENT_EXTERNAL | 0x51, 0, 0);
    vcpu_queue_exception(&vm->vcpu, VECTOR_SS, true, 0);
    set(VMCS_GUEST_INTERRUPTIBILITY, 0);
    assert_int_equal(entered(), EXCEPTION(VECTOR_SS) | EVENT_ERROR);
    assert_int_equal(windows(), CPU_INTERRUPT_WINDOW_EXITING);
    set(VMCS_GUEST_RFLAGS, 2); /* in the handler */
    interrupt(0x71);           /* of a higher priority, but that one was taken before */
    assert_int_equal(entered(), 0);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x71);
    assert_int_equal(entered(), 0);
    assert_int_equal(msr_policy_write(vm, 0x80B, 0), 0); /* EOI */
    assert_int_equal(msr_policy_write(vm, 0x80B, 0), 0);
    interrupt(0x31);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x31); /* both had been in service once */
}

static void an_exception_in_a_delivery_cut_short_does_not_lose_the_nmi(void **state)
{
    (void)state;
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_NMI);
    cut_short(EVENT_VALID | EVENT_NMI | 2, 0, 0);
    vcpu_queue_exception(&vm->vcpu, VECTOR_SS, true, 0);
    assert_int_equal(entered(), EXCEPTION(VECTOR_SS) | EVENT_ERROR);
    assert_int_equal(windows(), CPU_NMI_WINDOW_EXITING);
    assert_int_equal(entered(), EVENT_VALID | EVENT_NMI | 2);
    assert_int_equal(entered(), 0);
}

static void a_software_interrupt_cut_short_by_an_exception_is_left_to_its_instruction(void **state)
{
    (void)state;
    cut_short(EVENT_VALID | TYPE_SOFTWARE_INTERRUPT | 0x80, 0, 2);
    vcpu_queue_exception(&vm->vcpu, VECTOR_GP, true, 0x402);
    assert_int_equal(entered(), EXCEPTION(VECTOR_GP) | EVENT_ERROR);
    assert_int_equal(entered(), 0);
}

static void a_reset_forgets_what_was_not_delivered(void **state)
{
    (void)state;
    cut_short(EVENT_VALID | EVENT_EXTERNAL | 0x51, 0, 0);
    vcpu_queue_exception(&vm->vcpu, VECTOR_SS, true, 0);
    vm_reset(vm);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    assert_false(event_waits(vm));
    assert_int_equal(entered(), 0);
}

static void hlt_goes_on_for_what_would_be_taken_and_waits_for_the_rest(void **state)
{
    (void)state;
    assert_int_equal(exit_hlt(vm), EXIT_SKIP);
    assert_int_equal(vm->state, VM_WAITING);
    interrupt(0x51); /* wakes it */
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_int_equal(exit_hlt(vm), EXIT_SKIP);
    assert_int_equal(vm->state, VM_RUNNABLE);
    set(VMCS_GUEST_INTERRUPTIBILITY, STI); /* STI; HLT: the shadow ends with HLT, no wake-up is lost */
    assert_int_equal(exit_hlt(vm), EXIT_SKIP);
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void hlt_with_interrupts_off_ends_only_by_an_nmi(void **state)
{
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2);
    nmi();
    assert_int_equal(exit_hlt(vm), EXIT_SKIP);
    assert_int_equal(vm->state, VM_RUNNABLE);
    entered();
    interrupt(0x51);
    assert_int_equal(exit_hlt(vm), EXIT_STOP);
    assert_int_equal(vm->stop, VM_STOP_DISABLED_WAIT);
}

static void an_nmi_that_is_blocked_does_not_end_hlt(void **state)
{
    (void)state;
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_NMI);
    nmi();
    assert_int_equal(exit_hlt(vm), EXIT_SKIP);
    assert_int_equal(vm->state, VM_WAITING);
    interrupt(0x51);
    assert_int_equal(vm->state, VM_RUNNABLE);
}

#define event_test(name) cmocka_unit_test_setup_teardown(name, begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        event_test(an_interrupt_is_injected_when_the_guest_is_open_to_it),
        event_test(each_kind_of_blocking_makes_an_interrupt_wait_for_a_window),
        event_test(an_nmi_goes_before_an_interrupt_which_gets_its_window),
        event_test(an_nmi_does_not_ask_rflags_if_but_waits_for_the_last_one_to_end),
        event_test(a_blocked_nmi_does_not_hold_up_an_interrupt),
        event_test(the_higher_vector_comes_first_and_the_lower_waits_for_its_eoi),
        event_test(an_exception_goes_before_both_and_keeps_them_waiting),
        event_test(a_page_fault_brings_its_address_when_it_is_delivered),
        event_test(real_mode_pushes_no_error_code),
        event_test(two_exceptions_make_a_double_fault_as_the_table_says),
        event_test(a_fault_while_delivering_a_double_fault_shuts_down),
        event_test(only_exceptions_count_as_the_first),
        event_test(a_delivery_cut_short_is_done_again_as_it_was),
        event_test(an_nmi_cut_short_finds_itself_not_blocked),
        event_test(an_instruction_cut_short_by_a_violation_is_executed_again_before_its_traps),
        event_test(an_iret_cut_short_by_a_violation_finds_nmis_blocked_again),
        event_test(a_fault_that_cp_makes_in_a_delivery_cut_short_doubles),
        event_test(a_new_interrupt_waits_behind_a_delivery_cut_short),
        event_test(an_exception_in_a_delivery_cut_short_does_not_lose_the_interrupt),
        event_test(an_exception_in_a_delivery_cut_short_does_not_lose_the_nmi),
        event_test(a_software_interrupt_cut_short_by_an_exception_is_left_to_its_instruction),
        event_test(a_reset_forgets_what_was_not_delivered),
        event_test(hlt_goes_on_for_what_would_be_taken_and_waits_for_the_rest),
        event_test(hlt_with_interrupts_off_ends_only_by_an_nmi),
        event_test(an_nmi_that_is_blocked_does_not_end_hlt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
