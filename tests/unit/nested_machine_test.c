/* A guest's guest on a whole machine: L1's VMX instructions through its exits, entries and exits of L2 through the run
 * loop, and who gets which exit. */
#include "tests/unit/nested_scene.h"

#include "nest/recompute.h"

static const struct exit halt = {.reason = EXIT_HLT, .instruction_length = 1};
static const struct exit interrupted = {.reason = EXIT_EXTERNAL_INTERRUPT};
static const struct exit expired = {.reason = EXIT_PREEMPTION_TIMER};
static const struct exit wbinvd = {.reason = EXIT_WBINVD, .instruction_length = 2};

static enum nest_mode mode;

static int begin(void **state)
{
    (void)state;
    l1_ready(mode);
    return 0;
}

/* ---- entry and exit ------------------------------------------------------------------------------------------- */

static void l2_runs_and_its_exit_is_l1s(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(cpuid), IN_L1(wbinvd));
    assert_int_equal(entered[0].rip, L1_RIP);
    assert_int_equal(entered[1].rip, L2_RIP);
    assert_int_equal(entered[2].rip, L1_HOST_RIP);
    assert_int_equal(vm->nested_reflected[EXIT_CPUID], 1);
    assert_int_equal(vm->exits[EXIT_CPUID], 0);
    set(VMCS_GUEST_RIP, L1_HOST_RIP);
    assert_l1_has(EXIT_CPUID);
    assert_int_equal(vmread(VMCS_GUEST_RIP), L2_RIP);
    assert_int_equal(vmread(VMCS_EXIT_INSTRUCTION_LENGTH), 2);
}

static void l1_goes_on_where_it_left_l2(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(cpuid));
    vmwrite(VMCS_GUEST_RIP, L2_RIP + 2);
    PLAY(IN_L1(resume), IN_L2(cpuid), IN_L1(wbinvd));
    assert_int_equal(entered[1].rip, L2_RIP + 2);
    assert_int_equal(vm->nested_reflected[EXIT_CPUID], 2);
}

static void an_exit_that_only_cp_wants_is_cps(void **state)
{
    (void)state;
    const struct exit invd = {.reason = EXIT_IO, .instruction_length = 1, .qualification = 0x80 << 16};
    PLAY(IN_L1(launch), IN_L2(interrupted), IN_L2(invd), IN_L2(cpuid));
    assert_int_equal(vm->nested_handled[EXIT_EXTERNAL_INTERRUPT], 1);
    assert_int_equal(vm->nested_handled[EXIT_IO], 1); /* OUT to a port L1 let through: done, and L2 goes on */
    assert_int_equal(entered[3].rip, L2_RIP + 1);
    assert_l1_has(EXIT_CPUID);
}

static const char *traced;
static uint32_t traced_field;
static void note_trace(struct vm *of, const char *rule, uint32_t field)
{
    (void)of;
    traced = rule;
    traced_field = field;
}

static void a_failed_check_is_told_to_l1_and_traced(void **state)
{
    (void)state;
    vm_traced = note_trace;
    traced = NULL;
    vmwrite(VMCS_HOST_CR3, 1ull << 60);
    PLAY(IN_L1(launch), IN_L1(wbinvd));
    assert_int_equal(entered[1].rip, L1_RIP + 3);
    assert_int_equal(fake_vmx_verdict(processor()), FAKE_FAILED_VALID);
    assert_int_equal(vmread(VMCS_INSTRUCTION_ERROR), 8);
    assert_non_null(traced);
    assert_int_equal(traced_field, VMCS_HOST_CR3);
}

static void guest_state_that_fails_is_an_exit_of_the_entry(void **state)
{
    (void)state;
    vmwrite(VMCS_GUEST_RFLAGS, 0);
    PLAY(IN_L1(launch), IN_L1(wbinvd));
    assert_int_equal(entered[1].rip, L1_HOST_RIP);
    assert_int_equal(vmread(VMCS_EXIT_REASON), EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED);
}

static void l1_lives_when_the_processor_refuses_vmcs02(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(cpuid, .refused = true), IN_L1(wbinvd));
    assert_int_equal(entered[2].rip, L1_RIP + 3);
    assert_int_equal(fake_vmx_verdict(processor()), FAKE_FAILED_VALID);
    assert_int_equal(vmread(VMCS_INSTRUCTION_ERROR), 7);
    assert_int_equal(stops_seen, 0);
    PLAY(IN_L1(launch), IN_L2(cpuid), IN_L1(wbinvd)); /* it was not launched */
    assert_int_equal(entered[1].rip, L2_RIP);
}

static void spoil_host_state(void) { vm->vcpu.nest->current->vmcs02.host_cr3 ^= 0x1000; }
static void spoil_event(void)
{
    vm->vcpu.event_info = vm->vcpu.exit.idt_vectoring_info = EVENT_VALID | 1 << 8;
}

/* A fault of CP's own: the machine that it would have hit stops, and says so; nothing of that L2
 * runs, however often it is begun. */
static void a_vmcs02_that_is_not_as_it_must_be_does_not_run(void **state)
{
    uint64_t before = dispatch_account.unsound;
    (void)state;
    nest_recomputes = false; /* the assertions are to find it alone */
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = spoil_host_state));
    assert_int_equal(vm->stop, VM_STOP_UNSOUND);
    assert_int_equal(vm->stop_detail, VMCS_HOST_CR3);
    assert_int_equal(stops_seen, 1);
    vm_begin(vm);
    play_steps(NULL, 0);
    assert_int_equal(vm->stop, VM_STOP_UNSOUND);
    assert_int_equal(dispatch_account.unsound - before, 2);
    vm_reset(vm);
    nest_recomputes = true;
}

static void nor_with_an_event_that_no_entry_may_inject(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = spoil_event));
    assert_int_equal(vm->stop, VM_STOP_UNSOUND);
    assert_int_equal(vm->stop_detail, VMCS_ENTRY_INTERRUPTION_INFO);
}

static void an_event_l1_injects_is_delivered_to_l2_once(void **state)
{
    (void)state;
    vmwrite(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_VALID | EVENT_EXTERNAL | 0x66);
    PLAY(IN_L1(launch), IN_L2(interrupted), IN_L2(cpuid));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_EXTERNAL | 0x66);
    assert_int_equal(entered[2].info, 0);
    assert_int_equal(vmread(VMCS_ENTRY_INTERRUPTION_INFO), EVENT_EXTERNAL | 0x66);
}

static void an_event_cut_short_by_what_cp_handles_is_delivered_again(void **state)
{
    (void)state;
    vmwrite(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_VALID | EVENT_EXTERNAL | 0x66);
    PLAY(IN_L1(launch),
         IN_L2({.reason = EXIT_EXTERNAL_INTERRUPT, .idt_vectoring_info = EVENT_VALID | EVENT_EXTERNAL | 0x66}),
         IN_L2(cpuid));
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_EXTERNAL | 0x66);
    assert_int_equal(vmread(VMCS_IDT_VECTORING_INFO), 0);
}

/* ---- L2's storage ------------------------------------------------------------------------------------------------ */

static uint64_t touched;
static void touch(void)
{
    assert_true(fake_vmx_touch(processor(), 0x123458, 3, &touched));
}

static void l2_reaches_the_storage_l1_gave_it(void **state)
{
    const struct exit violation = {.reason = EXIT_EPT_VIOLATION, .qualification = 3 | 3 << 7,
                                   .guest_physical = 0x123458};

    (void)state;
    map_l2(1);
    poke(0x123458, 0x1234567890, 8);
    PLAY(IN_L1(launch), IN_L2(violation), IN_L2(cpuid, .then = touch));
    assert_int_equal(vm->nested_handled[EXIT_EPT_VIOLATION], 1);
    assert_true(*(uint64_t *)(uintptr_t)touched == 0x1234567890);
}

static void an_iret_of_l2_that_met_an_absent_page_finds_nmis_blocked_again(void **state)
{
    const struct exit violation = {.reason = EXIT_EPT_VIOLATION, .qualification = 1 | 3 << 7 | 1 << 12,
                                   .guest_physical = 0x123458};

    (void)state;
    map_l2(1);
    PLAY(IN_L1(launch), IN_L2(violation), IN_L2(cpuid));
    assert_int_equal(vm->nested_handled[EXIT_EPT_VIOLATION], 1);
    assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), 8);
}

static void what_l1_did_not_map_is_l1s_violation(void **state)
{
    const struct exit violation = {.reason = EXIT_EPT_VIOLATION, .qualification = 1 | 3 << 7,
                                   .guest_physical = 0x654321};

    (void)state;
    map_l2(1);
    PLAY(IN_L1(launch), IN_L2(violation));
    assert_l1_has(EXIT_EPT_VIOLATION);
    assert_int_equal(vmread(VMCS_GUEST_PHYSICAL_ADDRESS), 0x654321);
    assert_int_equal(vmread(VMCS_EXIT_QUALIFICATION) & 0x3F, 1);
}

static void an_event_cut_short_by_a_missing_page_is_delivered_again(void **state)
{
    (void)state;
    map_l2(1);
    vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    vmwrite(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0x18);
    PLAY(IN_L1(launch),
         IN_L2({.reason = EXIT_EPT_VIOLATION, .qualification = 3 | 3 << 7, .guest_physical = 0x123458,
                .idt_vectoring_info = EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP,
                .idt_vectoring_error = 0x18}),
         IN_L2(cpuid));
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    assert_int_equal(entered[2].error, 0x18);
}

/* ---- exceptions and faults CP makes ----------------------------------------------------------------------------- */

static void a_fault_cp_makes_goes_to_l2_unless_l1_intercepts_it(void **state)
{
    (void)state;
    const struct exit out = {.reason = EXIT_CR_ACCESS, .instruction_length = 3, .qualification = 4}; /* MOV CR4, RAX */
    vmwrite(VMCS_CR4_MASK, 0);
    vm->vcpu.gpr[RAX] = ~0ull;
    PLAY(IN_L1(launch), IN_L2(out), IN_L2(cpuid));
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    assert_int_equal(entered[2].rip, L2_RIP);
    vmwrite(VMCS_EXCEPTION_BITMAP, 1 << VECTOR_GP);
    vm->vcpu.gpr[RAX] = ~0ull;
    PLAY(IN_L1(resume), IN_L2(out), IN_L1(wbinvd));
    assert_int_equal(entered[2].info, 0); /* L1 is told of it, and has none of its own */
    set(VMCS_GUEST_RIP, L1_HOST_RIP);
    assert_l1_has(EXIT_EXCEPTION_NMI);
    assert_int_equal(vmread(VMCS_EXIT_INTERRUPTION_INFO),
                     EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    assert_int_equal(vmread(VMCS_EXIT_INTERRUPTION_ERROR_CODE), 0);
    assert_int_equal(vmread(VMCS_GUEST_RIP), L2_RIP);
}

static void a_triple_fault_of_l2_is_l1s_exit(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2({.reason = EXIT_TRIPLE_FAULT}));
    assert_l1_has(EXIT_TRIPLE_FAULT);
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void double_fault_and_one_more(void)
{
    vcpu_queue_exception(&vm->vcpu, VECTOR_DF, true, 0);
    vcpu_queue_exception(&vm->vcpu, VECTOR_GP, true, 0);
}

static void so_is_one_that_cp_makes(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = double_fault_and_one_more), IN_L1(wbinvd));
    set(VMCS_GUEST_RIP, L1_HOST_RIP);
    assert_l1_has(EXIT_TRIPLE_FAULT);
    assert_int_equal(entered[2].info, 0);
    assert_int_equal(stops_seen, 0);
}

static void what_cp_cannot_emulate_for_l2_ends_l2_only(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2({.reason = EXIT_SIPI}), IN_L1(wbinvd));
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_int_equal(entered[2].rip, L1_HOST_RIP);
}

/* ---- interrupts for L1 ------------------------------------------------------------------------------------------- */

static void an_interrupt_takes_l2_out_and_waits_for_l1(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = interrupt_51), IN_L1(wbinvd));
    set(VMCS_GUEST_RIP, L1_HOST_RIP);
    assert_l1_has(EXIT_EXTERNAL_INTERRUPT);
    assert_false(vmread(VMCS_EXIT_INTERRUPTION_INFO) & EVENT_VALID);
    assert_int_equal(entered[2].info, 0); /* L1's interrupts are off: it waits */
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    PLAY(IN_L1(wbinvd));
    assert_int_equal(entered[0].info, EVENT_VALID | EVENT_EXTERNAL | 0x51);
}

static void one_that_l1_wants_acknowledged_comes_with_its_vector(void **state)
{
    (void)state;
    vmwrite(VMCS_EXIT_CONTROLS, vmread(VMCS_EXIT_CONTROLS) | EXIT_ACKNOWLEDGE_INTERRUPT);
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = interrupt_51), IN_L1(wbinvd));
    assert_int_equal(vmread(VMCS_EXIT_INTERRUPTION_INFO), EVENT_VALID | EVENT_EXTERNAL | 0x51);
    assert_false(machine_interrupt_pending(&vm->machine));
}

static void interrupts_l1_gave_away_go_to_l2(void **state)
{
    (void)state;
    vmwrite(VMCS_PIN_CONTROLS, 0x16);
    vmwrite(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = interrupt_51), IN_L2(cpuid));
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_EXTERNAL | 0x51);
}

static void l2_with_interrupts_off_gets_them_by_cps_window(void **state)
{
    (void)state;
    vmwrite(VMCS_PIN_CONTROLS, 0x16);
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = interrupt_51), IN_L2(interrupted));
    assert_int_equal(entered[2].info, 0);
    assert_true(processor()->loaded->held.processor_controls & CPU_INTERRUPT_WINDOW_EXITING);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    PLAY(IN_L2({.reason = EXIT_INTERRUPT_WINDOW}), IN_L2(cpuid));
    assert_int_equal(entered[0].info, EVENT_VALID | EVENT_EXTERNAL | 0x51);
    assert_l1_has(EXIT_CPUID); /* the window was CP's */
    assert_int_equal(vm->nested_handled[EXIT_INTERRUPT_WINDOW], 1);
}

static void an_nmi_is_l1s_if_it_says_so_and_l2s_if_not(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = nmi), IN_L2(cpuid));
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_NMI | VECTOR_NMI);
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
    PLAY(IN_L1(resume), IN_L2(interrupted, .then = nmi), IN_L1(wbinvd));
    set(VMCS_GUEST_RIP, L1_HOST_RIP);
    assert_l1_has(EXIT_EXCEPTION_NMI);
    assert_int_equal(vmread(VMCS_EXIT_INTERRUPTION_INFO), EVENT_VALID | EVENT_NMI | VECTOR_NMI);
    assert_int_equal(entered[2].info, 0); /* it was the exit; and NMIs are blocked by it */
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), 8);
    set(VMCS_GUEST_INTERRUPTIBILITY, 0);
    PLAY(IN_L1(wbinvd));
    assert_int_equal(entered[0].info, 0); /* once */
}

static void init_ends_l2_and_waits_while_l1_is_in_vmx_operation(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(interrupted, .then = init), IN_L1(wbinvd));
    set(VMCS_GUEST_RIP, L1_HOST_RIP);
    assert_l1_has(EXIT_INIT);
    PLAY(IN_L1(wbinvd, .then = init), IN_L1(wbinvd));
    assert_int_equal(vm->state, VM_RUNNABLE); /* blocked */
    PLAY(IN_L1({.reason = EXIT_VMXOFF, .instruction_length = 3}));
    assert_int_equal(vm->stop, VM_STOP_RESET);
    assert_int_equal(get(VMCS_GUEST_RIP), 0xFFF0);
}

/* ---- time and HLT ------------------------------------------------------------------------------------------------ */

static void l1_halts_l2_itself_if_it_wants_to(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(halt));
    assert_l1_has(EXIT_HLT);
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void do_not_exit_at_hlt(void)
{
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) & ~(uint64_t)CPU_HLT_EXITING);
}

static void a_halt_of_l2_that_l1_does_not_want_waits_for_l1s_interrupt(void **state)
{
    (void)state;
    do_not_exit_at_hlt();
    PLAY(IN_L1(launch), IN_L2(halt));
    assert_int_equal(vm->state, VM_WAITING); /* not a disabled wait, though L2's interrupts are off */
    assert_int_equal(stops_seen, 0);
    interrupt_51();
    PLAY(IN_L1(wbinvd));
    assert_int_equal(entered[0].rip, L1_HOST_RIP);
    assert_int_equal(vmread(VMCS_EXIT_REASON), EXIT_EXTERNAL_INTERRUPT);
    assert_int_equal(vmread(VMCS_GUEST_ACTIVITY_STATE), 1);
}

static void l1s_timer_takes_l2_out_of_its_halt(void **state)
{
    (void)state;
    do_not_exit_at_hlt();
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_PREEMPTION_TIMER);
    vmwrite(VMCS_PREEMPTION_TIMER, 100); /* times 32 */
    PLAY(IN_L1(launch), IN_L2(halt, .ticks = 200), IN_L1(wbinvd));
    assert_int_equal(idles, 1);
    assert_true(entered[2].at >= 3200 && entered[2].at < 3300);
    assert_int_equal(vmread(VMCS_EXIT_REASON), EXIT_PREEMPTION_TIMER);
    assert_int_equal(vmread(VMCS_GUEST_ACTIVITY_STATE), 1);
}

static void a_reset_forgets_the_timer_of_a_halted_l2(void **state)
{
    (void)state;
    do_not_exit_at_hlt();
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_PREEMPTION_TIMER);
    vmwrite(VMCS_PREEMPTION_TIMER, 100);
    vm->vcpu.exit = launch;
    exit_dispatch(vm);
    nested_prepare(vm);
    nested_timer_start(vm, clock_now());
    nested_halt(vm);
    nested_wait(vm);
    assert_int_equal(timer_next(), vm->vcpu.nest->timer_deadline);
    assert_true(vm_is_busy(vm));
    vm_reset(vm);
    work_all();
    assert_false(vm_is_busy(vm));
    assert_true(timer_next() == UINT64_MAX);
}

static void l1s_timer_ends_l2_when_it_is_due_and_not_before(void **state)
{
    (void)state;
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_PREEMPTION_TIMER);
    vmwrite(VMCS_PREEMPTION_TIMER, 1000);
    PLAY(IN_L1(launch), IN_L2(expired, .ticks = 100), IN_L2(expired, .ticks = ~0ull));
    assert_int_equal(entered[1].deadline, entered[2].deadline);
    assert_int_equal(vm->nested_handled[EXIT_PREEMPTION_TIMER], 1); /* CP's slice */
    assert_l1_has(EXIT_PREEMPTION_TIMER);
}

/* SDM "Special Features of VM Entry", activity state: what may come is blocked, and the timer with it. */
static void nothing_ends_l2s_wait_for_a_sipi(void **state)
{
    (void)state;
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING | PIN_PREEMPTION_TIMER);
    vmwrite(VMCS_PREEMPTION_TIMER, 0);
    vmwrite(VMCS_GUEST_ACTIVITY_STATE, 3);
    interrupt_51();
    vm->vcpu.nmi_pending = vm->vcpu.init_pending = true;
    PLAY(IN_L1(launch));
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->stop, VM_STOP_DISABLED_WAIT);
    assert_true(nested_runs(&vm->vcpu));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, nested_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(l2_runs_and_its_exit_is_l1s),
        TEST(l1_goes_on_where_it_left_l2),
        TEST(an_exit_that_only_cp_wants_is_cps),
        TEST(a_failed_check_is_told_to_l1_and_traced),
        TEST(guest_state_that_fails_is_an_exit_of_the_entry),
        TEST(l1_lives_when_the_processor_refuses_vmcs02),
        TEST(a_vmcs02_that_is_not_as_it_must_be_does_not_run),
        TEST(nor_with_an_event_that_no_entry_may_inject),
        TEST(an_event_l1_injects_is_delivered_to_l2_once),
        TEST(an_event_cut_short_by_what_cp_handles_is_delivered_again),
        TEST(l2_reaches_the_storage_l1_gave_it),
        TEST(an_iret_of_l2_that_met_an_absent_page_finds_nmis_blocked_again),
        TEST(what_l1_did_not_map_is_l1s_violation),
        TEST(an_event_cut_short_by_a_missing_page_is_delivered_again),
        TEST(a_fault_cp_makes_goes_to_l2_unless_l1_intercepts_it),
        TEST(a_triple_fault_of_l2_is_l1s_exit),
        TEST(so_is_one_that_cp_makes),
        TEST(what_cp_cannot_emulate_for_l2_ends_l2_only),
        TEST(an_interrupt_takes_l2_out_and_waits_for_l1),
        TEST(one_that_l1_wants_acknowledged_comes_with_its_vector),
        TEST(interrupts_l1_gave_away_go_to_l2),
        TEST(l2_with_interrupts_off_gets_them_by_cps_window),
        TEST(an_nmi_is_l1s_if_it_says_so_and_l2s_if_not),
        TEST(init_ends_l2_and_waits_while_l1_is_in_vmx_operation),
        TEST(l1_halts_l2_itself_if_it_wants_to),
        TEST(a_halt_of_l2_that_l1_does_not_want_waits_for_l1s_interrupt),
        TEST(l1s_timer_takes_l2_out_of_its_halt),
        TEST(a_reset_forgets_the_timer_of_a_halted_l2),
        TEST(nothing_ends_l2s_wait_for_a_sipi),
        TEST(l1s_timer_ends_l2_when_it_is_due_and_not_before),
    };
    int failed = 0;

    for (mode = NEST_TRAP; mode < NEST_MODES; mode++)
        failed += cmocka_run_group_tests_name(nest_mode_names[mode].lower, tests, NULL, NULL);
    return failed;
}
