/* The event loop with machines that follow a script: who runs, for how long, what it is entered with, what wakes it,
 * and who hears of its end. */
#include "tests/unit/dispatch_machine_scene.h"

enum { START = 0x100000, US = 1000, SLICE = SCHEDULER_SLICE_US * US, LOOK = 1000 * US, APIC_TIMER = 0x70 };

static const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};
static const struct exit interrupted = {.reason = EXIT_EXTERNAL_INTERRUPT};
static const struct exit expired = {.reason = EXIT_PREEMPTION_TIMER};
static const struct exit halt = {.reason = EXIT_HLT, .instruction_length = 1};
static const struct exit triple_fault = {.reason = EXIT_TRIPLE_FAULT};

static int begin(void **state)
{
    (void)state;
    machine_begin(NEST_OFF);
    return 0;
}

static int end(void **state)
{
    (void)state;
    while (vm_list)
        vm_destroy(vm_list);
    vm_stopped = NULL;
    return 0;
}

/* ---- one machine ----------------------------------------------------------------------------------------------- */

static void an_instruction_is_done_and_the_guest_goes_on_behind_it(void **state)
{
    (void)state;
    PLAY(IN_L1(cpuid), IN_L1(cpuid), IN_L1({.reason = EXIT_WBINVD, .instruction_length = 2}));
    assert_int_equal(entered[0].rip, START);
    assert_int_equal(entered[1].rip, START + 2);
    assert_int_equal(entered[2].rip, START + 4);
    assert_int_equal(vm->exits[EXIT_CPUID], 2);
    assert_int_equal(get(VMCS_GUEST_RIP), START + 6);
    assert_int_equal(loaded, 1); /* its registers stay in the processor */
}

static void a_machine_alone_runs_without_a_deadline(void **state)
{
    (void)state;
    PLAY(IN_L1(cpuid));
    assert_true(entered[0].deadline == UINT64_MAX);
}

static void one_entered_with_interrupts_off_is_looked_after_each_millisecond(void **state)
{
    (void)state;
    cpu_events.exact = false;
    windows_opened = 0;
    PLAY(IN_L1(cpuid, .ticks = 400 * US), IN_L1(expired, .ticks = ~0ull), IN_L1(cpuid));
    assert_int_equal(entered[0].deadline, LOOK);
    assert_int_equal(entered[1].deadline, LOOK);
    assert_int_equal(entered[2].deadline, 2 * LOOK);
    assert_true(windows_opened >= 4); /* the loop's, and one after each exit */
    assert_int_equal(loaded, 1);     /* the look found nothing: the turn goes on */
}

static void a_stop_is_told_once_and_between_exits(void **state)
{
    uint64_t entries = dispatch_account.entries;

    (void)state;
    PLAY(IN_L1(triple_fault));
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->stop, VM_STOP_TRIPLE_FAULT);
    assert_int_equal(stops_seen, 1);
    assert_int_equal(dispatch_account.entries - entries, 1);
    assert_true(idle_until == UINT64_MAX);
}

static void who_hears_of_the_stop_may_destroy_the_machine(void **state)
{
    (void)state;
    uint64_t held = frame_available();
    vm_stopped = vm_destroy;
    PLAY(IN_L1(triple_fault));
    assert_null(vm_list);
    assert_true(frame_available() > held);
}

static void a_control_block_the_processor_refuses_stops_its_machine(void **state)
{
    (void)state;
    PLAY(IN_L1({.reason = EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED}, .refused = true));
    assert_int_equal(vm->stop, VM_STOP_BAD_ENTRY);
    assert_int_equal(vm->stop_detail, EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED);
    assert_int_equal(stops_seen, 1);
}

static void so_does_one_that_cp_itself_refuses(void **state)
{
    (void)state;
    PLAY(IN_L1({.reason = CPU_UNSOUND, .qualification = 9}, .refused = true));
    assert_int_equal(vm->stop, VM_STOP_UNSOUND);
    assert_int_equal(vm->stop_detail, 9);
    assert_int_equal(stops_seen, 1);
}

static void so_does_guest_state_that_fails_the_entry(void **state)
{
    (void)state;
    PLAY(IN_L1({.reason = EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED}));
    assert_int_equal(vm->stop, VM_STOP_BAD_ENTRY);
}

static void a_fault_too_many(void)
{
    vcpu_queue_exception(&vm->vcpu, VECTOR_DF, true, 0);
    vcpu_queue_exception(&vm->vcpu, VECTOR_GP, true, 0);
}

static void a_fault_while_a_double_fault_is_delivered_ends_the_machine(void **state)
{
    (void)state;
    PLAY(IN_L1({.reason = EXIT_INVD, .instruction_length = 2}, .then = a_fault_too_many));
    assert_int_equal(vm->stop, VM_STOP_TRIPLE_FAULT);
    assert_int_equal(stops_seen, 1);
}

static void each_exit_without_a_handler_stops_the_machine_and_names_itself(void **state)
{
    static const unsigned reasons[] = {EXIT_SIPI, EXIT_TASK_SWITCH, EXIT_RSM, EXIT_EPT_MISCONFIG, EXIT_XRSTORS};

    (void)state;
    for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        const struct step step = IN_L1({.reason = reasons[i]});
        vm_begin(vm);
        play_steps(&step, 1);
        assert_int_equal(vm->stop, VM_STOP_EMULATION);
        assert_int_equal(vm->stop_detail, reasons[i]);
    }
}

static void each_instruction_cpuid_does_not_offer_is_undefined(void **state)
{
    static const unsigned reasons[] = {EXIT_GETSEC, EXIT_MWAIT, EXIT_MONITOR, EXIT_VMCLEAR, EXIT_VMLAUNCH, EXIT_VMPTRLD,
                                       EXIT_VMPTRST, EXIT_VMREAD, EXIT_VMRESUME, EXIT_VMWRITE, EXIT_VMXOFF, EXIT_VMXON,
                                       EXIT_INVEPT, EXIT_INVVPID, EXIT_VMFUNC};

    (void)state;
    for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        const struct step steps[] = {IN_L1({.reason = reasons[i], .instruction_length = 3}), IN_L1(cpuid)};
        set(VMCS_GUEST_RIP, START);
        play_steps(steps, 2);
        assert_int_equal(entered[1].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | VECTOR_UD);
        assert_int_equal(entered[1].rip, START); /* a fault: RIP is the instruction's */
    }
}

static void rdpmc_without_counters_is_a_general_protection_fault(void **state)
{
    (void)state;
    PLAY(IN_L1({.reason = EXIT_RDPMC, .instruction_length = 2}), IN_L1(cpuid));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    assert_int_equal(entered[1].error, 0);
    assert_int_equal(entered[1].rip, START);
}

static void rip_wraps_at_four_gigabytes_outside_of_64_bit_mode(void **state)
{
    (void)state;
    set(VMCS_GUEST_RIP, 0xFFFFFFFE);
    PLAY(IN_L1(cpuid), IN_L1(cpuid));
    assert_int_equal(entered[1].rip, 0);
    scene_long_mode();
    set(VMCS_GUEST_RIP, 0xFFFFFFFE);
    PLAY(IN_L1(cpuid), IN_L1(cpuid));
    assert_true(entered[1].rip == 0x100000000ull);
}

static void an_event_the_exit_cut_short_is_entered_again(void **state)
{
    (void)state;
    PLAY(IN_L1({.reason = EXIT_EXTERNAL_INTERRUPT, .idt_vectoring_info = EVENT_VALID | EVENT_HARDWARE_EXCEPTION |
                                                                        EVENT_ERROR | VECTOR_PF,
               .idt_vectoring_error = 6}),
         IN_L1(cpuid));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_PF);
    assert_int_equal(entered[1].error, 6);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void work(void) { fake_now += 7; } /* CP's, within an exit */
static uint64_t slow_diagnose(struct vm *of) { return (void)of, work(), 0; }

static void time_in_the_guest_and_cps_for_it_are_told_apart(void **state)
{
    (void)state;
    vm_diagnose = slow_diagnose;
    fake_now += 50; /* it is ready, and others run */
    PLAY(IN_L1({.reason = EXIT_VMCALL, .instruction_length = 3}, .ticks = 100), IN_L1(cpuid, .ticks = 10),
         IN_L1(triple_fault, .ticks = 1));
    assert_int_equal(vm->virtual_ticks, 111);
    assert_int_equal(vm->total_ticks, 118);
    assert_int_equal(vm->steal_ticks, 50);
    vm_diagnose = NULL;
}

static unsigned timer_ran;
static void timer_expired(struct timer *timer) { (void)timer, timer_ran++; }

static void a_timer_that_is_due_ends_the_turn_and_runs_once(void **state)
{
    static struct timer timer = {.expire = timer_expired};

    (void)state;
    timer_ran = 0;
    timer_arm(&timer, 500 * US);
    PLAY(IN_L1(expired, .ticks = ~0ull), IN_L1(cpuid));
    assert_int_equal(entered[0].deadline, 500 * US);
    assert_int_equal(entered[1].at, 500 * US);
    assert_true(entered[1].deadline == UINT64_MAX);
    assert_int_equal(timer_ran, 1);
}

static void exits_of_cps_own_timer_are_counted_apart(void **state)
{
    uint64_t before = exits_asynchronous;

    (void)state;
    PLAY(IN_L1(expired), IN_L1(cpuid), IN_L1(interrupted));
    assert_int_equal(exits_asynchronous - before, 2);
    assert_int_equal(entered[1].rip, START); /* nothing was skipped */
}

static void arm_apic_timer(void) /* one shot, divided by one */
{
    assert_int_equal(msr_policy_write(vm, 0x83E, 0xB), 0);
    assert_int_equal(msr_policy_write(vm, 0x832, APIC_TIMER), 0);
    assert_int_equal(msr_policy_write(vm, 0x838, 1000), 0);
}

static void a_halted_machine_sleeps_until_its_timer_interrupts(void **state)
{
    (void)state;
    uint64_t idle = dispatch_account.idle_ticks;
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    PLAY(IN_L1(halt, .then = arm_apic_timer), IN_L1(cpuid));
    assert_int_equal(idles, 1);
    assert_true(entered[1].at > 0 && entered[1].at == idle_until);
    assert_int_equal(dispatch_account.idle_ticks - idle, entered[1].at);
    assert_int_equal(entered[1].rip, START + 1);
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_EXTERNAL | APIC_TIMER);
}

/* A tick of its own is no reason to go through all that the loop does between turns. */
static void its_own_timer_interrupts_it_within_its_turn(void **state)
{
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    PLAY(IN_L1(cpuid, .then = arm_apic_timer), IN_L1(expired, .ticks = ~0ull), IN_L1(cpuid));
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_EXTERNAL | APIC_TIMER);
    assert_int_equal(loaded, 1);
}

static void but_not_where_something_of_cps_is_due_too(void **state)
{
    static struct timer timer = {.expire = timer_expired};

    (void)state;
    timer_ran = 0;
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    timer_arm(&timer, 1);
    PLAY(IN_L1(cpuid, .then = arm_apic_timer), IN_L1(expired, .ticks = 500 * US), IN_L1(cpuid));
    assert_int_equal(timer_ran, 1);
    assert_true(loaded > 1);
}

static void interrupts_off(void) { set(VMCS_GUEST_RFLAGS, 2); }
static void interrupts_on(void) { set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF); }
static void handle_tick(void)
{
    assert_int_equal(msr_policy_write(vm, 0x838, 1000), 0);
    fake_now += 50 * US;
    assert_int_equal(msr_policy_write(vm, 0x80B, 0), 0);
}

/* The tick that came in the handler is taken when the program has had its time, and that is what the entry ends at,
 * though it is known only when the entry is prepared. */
static void behind_the_handler_of_a_tick_the_program_has_its_time(void **state)
{
    const struct exit window = {.reason = EXIT_INTERRUPT_WINDOW};

    (void)state;
    interrupts_on();
    PLAY(IN_L1(cpuid, .then = arm_apic_timer), IN_L1(expired, .ticks = ~0ull), IN_L1(cpuid, .then = interrupts_off),
         IN_L1(cpuid, .then = handle_tick), IN_L1(window, .then = interrupts_on), IN_L1(expired, .ticks = ~0ull),
         IN_L1(cpuid));
    const uint32_t tick = EVENT_VALID | EVENT_EXTERNAL | APIC_TIMER;
    assert_int_equal(entered[2].info, tick);
    assert_int_equal(entered[3].info, 0);
    assert_int_equal(entered[4].info, 0);
    assert_int_equal(entered[5].info, 0);
    assert_in_range(entered[5].deadline - entered[5].at, PACE_REST * 2 * PACE_FIRST_US * US, 21 * US);
    assert_int_equal(entered[6].info, tick);
}

static void halted_with_interrupts_off_is_a_disabled_wait(void **state)
{
    (void)state;
    PLAY(IN_L1(halt));
    assert_int_equal(vm->stop, VM_STOP_DISABLED_WAIT);
    assert_int_equal(stops_seen, 1);
}

static void lint0_is_an_nmi(void) { assert_int_equal(msr_policy_write(vm, 0x835, 0x400), 0); }
static void lint0_rises(void) { lapic_raise_lint0(&vm->machine.lapic); }

static void halted_with_interrupts_off_it_waits_where_an_nmi_may_come(void **state)
{
    (void)state;
    PLAY(IN_L1(cpuid, .then = lint0_is_an_nmi));
    vm->vcpu.exit = (struct exit){.reason = EXIT_HLT, .instruction_length = 1, .rip = get(VMCS_GUEST_RIP)};
    exit_dispatch(vm);
    assert_int_equal(vm->state, VM_WAITING);
    lint0_rises();
    assert_true(event_deliverable(vm));
}

static void halted_in_an_nmi_s_handler_it_waits_for_no_other(void **state)
{
    (void)state;
    PLAY(IN_L1(cpuid, .then = lint0_is_an_nmi));
    set(VMCS_GUEST_INTERRUPTIBILITY, 8);
    vm->vcpu.exit = (struct exit){.reason = EXIT_HLT, .instruction_length = 1, .rip = get(VMCS_GUEST_RIP)};
    exit_dispatch(vm);
    assert_int_equal(vm->stop, VM_STOP_DISABLED_WAIT);
}

static void a_halt_with_an_interrupt_waiting_does_not_wait(void **state)
{
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    PLAY(IN_L1(halt, .then = interrupt_51), IN_L1(cpuid));
    assert_int_equal(idles, 0);
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_EXTERNAL | 0x51);
}

/* ---- several ----------------------------------------------------------------------------------------------------- */

static struct vm *another(void)
{
    struct vm *made = scene_vm(NEST_OFF);
    registers_start_flat(&made->vcpu, START, 0, 0);
    return made;
}

static void machines_take_turns_of_a_slice(void **state)
{
    struct vm *second = another();

    (void)state;
    vm_begin(second);
    PLAY(IN_L1(expired, .ticks = ~0ull), IN_L1(expired, .ticks = ~0ull), IN_L1(expired, .ticks = ~0ull),
         IN_L1(expired, .ticks = ~0ull));
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(entered[i].deadline - entered[i].at, SLICE);
    assert_ptr_not_equal(entered[0].vm, entered[1].vm);
    assert_ptr_equal(entered[0].vm, entered[2].vm);
    assert_ptr_equal(entered[1].vm, entered[3].vm);
    assert_int_equal(vm->virtual_ticks, second->virtual_ticks);
    assert_int_equal(loaded, 5); /* the registers of each, and of who would be next */
}

static struct vm *other;
static void other_begins(void) { vm_begin(other), cpu_events.pending = true; }

static void one_that_becomes_runnable_gets_the_processor_at_once(void **state)
{
    (void)state;
    other = another();
    PLAY(IN_L1(cpuid, .ticks = 5, .then = other_begins), IN_L1(cpuid));
    assert_ptr_equal(entered[0].vm, vm);
    assert_ptr_equal(entered[1].vm, other);
    assert_int_equal(entered[1].at, 5);
}

static void the_end_of_one_is_no_end_of_another(void **state)
{
    (void)state;
    struct vm *second = another();
    vm_begin(second);
    scheduler_charge(second, 1);
    PLAY(IN_L1(triple_fault), IN_L1(cpuid), IN_L1(cpuid));
    assert_ptr_equal(entered[0].vm, vm);
    assert_ptr_equal(entered[1].vm, second);
    assert_ptr_equal(entered[2].vm, second);
    assert_int_equal(second->state, VM_RUNNABLE);
}

/* ---- the real machine's interrupts ----------------------------------------------------------------------------- */

static unsigned heard[2], turns_seen;
static void hear(void *context) { ++*(unsigned *)context; }
static bool busy;
static bool work_a_turn(void *context) { return hear(context), busy; }

static void device_40(void) { device_interrupts(0x40); }
static void device_ff(void) { device_interrupts(0xFF); }

static void an_interrupt_ends_the_turn_and_reaches_the_handler_of_its_vector(void **state)
{
    (void)state;
    run_on_interrupt(0x40, hear, &heard[0]);
    run_on_interrupt(0xFF, hear, &heard[1]);
    heard[0] = heard[1] = 0;
    PLAY(IN_L1(interrupted, .then = device_40), IN_L1(interrupted, .then = device_ff), IN_L1(cpuid));
    assert_int_equal(heard[0], 1);
    assert_int_equal(heard[1], 1);
    assert_int_equal(served, 2);
    assert_int_equal(entered[1].rip, START);
}

static void every_pass_of_the_loop_lets_users_work_be_done(void **state)
{
    (void)state;
    run_each_turn(work_a_turn, &turns_seen);
    turns_seen = 0;
    PLAY(IN_L1(interrupted, .then = device_40), IN_L1(triple_fault));
    assert_int_equal(turns_seen, 3); /* before each turn, and before sleep */
}

static unsigned windows_of_a_turn(void)
{
    windows_opened = 0;
    vm_begin(vm);
    PLAY(IN_L1(triple_fault));
    return windows_opened;
}

static void only_behind_work_interrupts_are_let_in_once_more(void **state)
{
    (void)state;
    unsigned without = windows_of_a_turn();
    busy = true;
    unsigned with = windows_of_a_turn();
    busy = false;
    assert_int_equal(with, without + 2); /* before the turn, and before sleep */
}

static void a_wait_ends_by_input(void **state)
{
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_IF);
    PLAY(IN_L1(halt));
    assert_int_equal(vm->state, VM_WAITING);
    interrupt_51();
    assert_int_equal(vm->state, VM_RUNNABLE);
    PLAY(IN_L1(cpuid));
    assert_int_equal(entered[0].info, EVENT_VALID | EVENT_EXTERNAL | 0x51);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_instruction_is_done_and_the_guest_goes_on_behind_it),
        TEST(a_machine_alone_runs_without_a_deadline),
        TEST(one_entered_with_interrupts_off_is_looked_after_each_millisecond),
        TEST(a_stop_is_told_once_and_between_exits),
        TEST(who_hears_of_the_stop_may_destroy_the_machine),
        TEST(a_control_block_the_processor_refuses_stops_its_machine),
        TEST(so_does_one_that_cp_itself_refuses),
        TEST(so_does_guest_state_that_fails_the_entry),
        TEST(a_fault_while_a_double_fault_is_delivered_ends_the_machine),
        TEST(each_exit_without_a_handler_stops_the_machine_and_names_itself),
        TEST(each_instruction_cpuid_does_not_offer_is_undefined),
        TEST(rdpmc_without_counters_is_a_general_protection_fault),
        TEST(rip_wraps_at_four_gigabytes_outside_of_64_bit_mode),
        TEST(an_event_the_exit_cut_short_is_entered_again),
        TEST(time_in_the_guest_and_cps_for_it_are_told_apart),
        TEST(a_timer_that_is_due_ends_the_turn_and_runs_once),
        TEST(exits_of_cps_own_timer_are_counted_apart),
        TEST(a_halted_machine_sleeps_until_its_timer_interrupts),
        TEST(its_own_timer_interrupts_it_within_its_turn),
        TEST(but_not_where_something_of_cps_is_due_too),
        TEST(behind_the_handler_of_a_tick_the_program_has_its_time),
        TEST(halted_with_interrupts_off_is_a_disabled_wait),
        TEST(halted_with_interrupts_off_it_waits_where_an_nmi_may_come),
        TEST(halted_in_an_nmi_s_handler_it_waits_for_no_other),
        TEST(a_halt_with_an_interrupt_waiting_does_not_wait),
        TEST(machines_take_turns_of_a_slice),
        TEST(one_that_becomes_runnable_gets_the_processor_at_once),
        TEST(the_end_of_one_is_no_end_of_another),
        TEST(an_interrupt_ends_the_turn_and_reaches_the_handler_of_its_vector),
        TEST(every_pass_of_the_loop_lets_users_work_be_done),
        TEST(only_behind_work_interrupts_are_let_in_once_more),
        TEST(a_wait_ends_by_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
