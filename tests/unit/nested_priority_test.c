/* What comes first of all that waits as a guest's guest is entered: SDM "Priority Among Concurrent Events". */
#include "tests/unit/nested_scene.h"

enum { IF = 2 | RFLAGS_IF, NO_IF = 2, STI = 1, MOV_SS = 2, NMI_BLOCKED = 8, STEP = 0x4000, BREAKPOINT = 0x1001 };
enum { ALL_PIN = 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS };
enum { BOTH = CPU_INTERRUPT_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING };

static const struct exit expired = {.reason = EXIT_PREEMPTION_TIMER};
static const struct exit wbinvd = {.reason = EXIT_WBINVD, .instruction_length = 2};
static const struct exit to_window = {.reason = EXIT_INTERRUPT_WINDOW}, to_nmi_window = {.reason = EXIT_NMI_WINDOW};

static int begin(void **state)
{
    (void)state;
    l1_ready(NEST_SHADOW);
    fake_now = 1000;
    vmwrite(VMCS_PIN_CONTROLS, ALL_PIN);
    vmwrite(VMCS_GUEST_RFLAGS, IF);
    return 0;
}

static void nmi_and_interrupt(void) { nmi(), interrupt_51(); }

static void l2_is_left_behind_the_event_it_is_entered_with(void **state)
{
    enum { FAULT = EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_PF };
    (void)state;
    vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, FAULT);
    vmwrite(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 4);
    PLAY(IN_L1(launch, .then = interrupt_51), IN_L2(expired), IN_L1(wbinvd));
    assert_int_equal(entered[1].info, FAULT);
    assert_int_equal(entered[1].error, 4);
    assert_int_equal(entered[1].deadline, 0);
    set(VMCS_GUEST_RIP, L1_HOST_RIP);
    assert_l1_has(EXIT_EXTERNAL_INTERRUPT);
    assert_int_equal(vmread(VMCS_IDT_VECTORING_INFO), 0);
}

static void so_it_is_for_an_init(void **state)
{
    (void)state;
    vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_VALID | EVENT_EXTERNAL | 0x66);
    PLAY(IN_L1(launch, .then = init), IN_L2(expired));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_EXTERNAL | 0x66);
    assert_int_equal(entered[1].deadline, 0);
    assert_l1_has(EXIT_INIT);
}

static void and_behind_a_trap_that_is_pending(void **state)
{
    (void)state;
    vmwrite(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, STEP);
    PLAY(IN_L1(launch, .then = interrupt_51), IN_L2(expired));
    assert_int_equal(entered[1].info, 0);
    assert_int_equal(entered[1].deadline, 0);
}

static void trap_comes(void) { set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0); }

static void which_comes_before_an_interrupt_of_l2s_own(void **state)
{
    (void)state;
    vmwrite(VMCS_PIN_CONTROLS, 0x16);
    vmwrite(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, STEP);
    PLAY(IN_L1(launch, .then = interrupt_51), IN_L2(expired, .then = trap_comes), IN_L2(cpuid));
    assert_int_equal(entered[1].info, 0);
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_EXTERNAL | 0x51);
}

static uint32_t windows_seen;
static void shadow_ends(void)
{
    windows_seen = processor()->loaded->held.processor_controls & BOTH;
    set(VMCS_GUEST_INTERRUPTIBILITY, get(VMCS_GUEST_INTERRUPTIBILITY) & ~(uint64_t)(STI | MOV_SS));
}

static void behind_a_shadow(uint64_t flags, uint64_t blocked, const struct exit *window)
{
    vmwrite(VMCS_GUEST_RFLAGS, flags);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, blocked);
    PLAY(IN_L1(launch, .then = interrupt_51), IN_L2(*window, .then = shadow_ends));
    assert_int_not_equal(entered[1].deadline, 0);
    assert_true(windows_seen & (window == &to_window ? CPU_INTERRUPT_WINDOW_EXITING : CPU_NMI_WINDOW_EXITING));
    assert_l1_has(EXIT_EXTERNAL_INTERRUPT);
    assert_int_equal(vmread(VMCS_GUEST_INTERRUPTIBILITY), blocked & NMI_BLOCKED);
}

static void in_the_shadow_of_sti_l2_has_one_instruction_more(void **state)
{
    (void)state;
    behind_a_shadow(IF, STI, &to_window);
}

static void so_it_has_in_that_of_mov_ss(void **state)
{
    (void)state;
    behind_a_shadow(IF, MOV_SS | NMI_BLOCKED, &to_window);
}

static void and_with_interrupts_off(void **state)
{
    (void)state;
    behind_a_shadow(NO_IF, MOV_SS, &to_nmi_window);
}

static void where_no_window_tells_of_its_end_it_has_none(void **state)
{
    (void)state;
    vmwrite(VMCS_GUEST_RFLAGS, NO_IF);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, MOV_SS | NMI_BLOCKED);
    PLAY(IN_L1(launch, .then = interrupt_51));
    assert_l1_has(EXIT_EXTERNAL_INTERRUPT);
}

/* A window that CP wanted when L2 was left may be open no more when it is entered again, or nobody may want it. */
static void a_window_of_before_is_not_asked_for_for_ever(void **state)
{
    (void)state;
    behind_a_shadow(IF, STI, &to_window);
    while (machine_interrupt_pending(&vm->machine))
        machine_interrupt_acknowledge(&vm->machine);
    set(VMCS_GUEST_RIP, L1_RIP);
    PLAY(IN_L1(resume), IN_L2(to_window), IN_L2(cpuid, .then = shadow_ends));
    assert_int_equal(windows_seen, 0);
}

static void what_waits_comes_in_order(void **state)
{
    static const struct {
        uint32_t pin, windows;
        uint64_t flags, blocked;
        void (*comes)(void);
        unsigned reason;
    } rows[] = {
        {ALL_PIN | PIN_PREEMPTION_TIMER, BOTH, IF, 0, nmi_and_interrupt, EXIT_PREEMPTION_TIMER},
        {ALL_PIN, BOTH, IF, 0, nmi_and_interrupt, EXIT_NMI_WINDOW},
        {ALL_PIN, BOTH, IF, NMI_BLOCKED, nmi_and_interrupt, EXIT_EXCEPTION_NMI}, /* virtual NMIs: it is not blocked */
        {ALL_PIN, BOTH, IF, NMI_BLOCKED, interrupt_51, EXIT_INTERRUPT_WINDOW},
        {ALL_PIN, BOTH, NO_IF, NMI_BLOCKED, interrupt_51, EXIT_EXTERNAL_INTERRUPT},
        {ALL_PIN, 0, IF, 0, nmi_and_interrupt, EXIT_EXCEPTION_NMI},
        {ALL_PIN, 0, NO_IF, 0, interrupt_51, EXIT_EXTERNAL_INTERRUPT},
        {ALL_PIN & ~PIN_VIRTUAL_NMIS, 0, IF, NMI_BLOCKED, nmi_and_interrupt, EXIT_EXTERNAL_INTERRUPT},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (i)
            nested_end(state), begin(state);
        vmwrite(VMCS_PIN_CONTROLS, rows[i].pin);
        vmwrite(VMCS_PREEMPTION_TIMER, 0);
        vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | rows[i].windows);
        vmwrite(VMCS_GUEST_RFLAGS, rows[i].flags);
        vmwrite(VMCS_GUEST_INTERRUPTIBILITY, rows[i].blocked);
        PLAY(IN_L1(launch, .then = rows[i].comes));
        assert_l1_has(rows[i].reason);
        assert_int_equal(vmread(VMCS_GUEST_RIP), L2_RIP);
    }
}

static void an_nmi_of_l2s_own_comes_before_the_interrupts_window_of_l1(void **state)
{
    (void)state;
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING);
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | CPU_INTERRUPT_WINDOW_EXITING);
    PLAY(IN_L1(launch, .then = nmi_and_interrupt), IN_L2(to_window));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_NMI | VECTOR_NMI);
    assert_l1_has(EXIT_INTERRUPT_WINDOW);
}

static void one_that_is_blocked_waits_for_its_window(void **state)
{
    (void)state;
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_NMI_EXITING);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, NMI_BLOCKED);
    PLAY(IN_L1(launch, .then = nmi), IN_L2(wbinvd, .then = shadow_ends), IN_L2(cpuid));
    assert_int_equal(windows_seen, CPU_NMI_WINDOW_EXITING);
    assert_l1_has(EXIT_CPUID);
}

/* ---- halted ----------------------------------------------------------------------------------------------------- */

static void halted_l2_waits_and_does_not_run(void **state)
{
    (void)state;
    vmwrite(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
    PLAY(IN_L1(launch));
    assert_int_equal(vm->state, VM_WAITING);
    assert_true(nested_runs(&vm->vcpu));
    interrupt_51();
    PLAY(IN_L1(wbinvd));
    assert_int_equal(vmread(VMCS_EXIT_REASON), EXIT_EXTERNAL_INTERRUPT);
    assert_int_equal(vmread(VMCS_GUEST_ACTIVITY_STATE), ACTIVITY_HLT);
}

static void and_again_if_l1_enters_it_so_again(void **state)
{
    halted_l2_waits_and_does_not_run(state);
    while (machine_interrupt_pending(&vm->machine))
        machine_interrupt_acknowledge(&vm->machine);
    set(VMCS_GUEST_RIP, L1_RIP);
    PLAY(IN_L1(resume));
    assert_int_equal(vm->state, VM_WAITING);
}

static void an_nmi_that_is_blocked_does_not_wake_it(void **state)
{
    (void)state;
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_NMI_EXITING);
    vmwrite(VMCS_GUEST_INTERRUPTIBILITY, NMI_BLOCKED);
    vmwrite(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
    PLAY(IN_L1(launch, .then = nmi));
    assert_int_equal(vm->state, VM_WAITING);
}

static void windows_and_l1s_timer_end_its_halt(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        static const unsigned reasons[] = {EXIT_NMI_WINDOW, EXIT_INTERRUPT_WINDOW, EXIT_PREEMPTION_TIMER};
        static const uint32_t windows[] = {CPU_NMI_WINDOW_EXITING, CPU_INTERRUPT_WINDOW_EXITING, 0};
        if (i)
            nested_end(state), begin(state);
        vmwrite(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
        vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | windows[i]);
        vmwrite(VMCS_PIN_CONTROLS, ALL_PIN | PIN_PREEMPTION_TIMER);
        vmwrite(VMCS_PREEMPTION_TIMER, 100);
        PLAY(IN_L1(launch), IN_L1(wbinvd));
        assert_int_equal(vmread(VMCS_EXIT_REASON), reasons[i]);
        assert_int_equal(vmread(VMCS_GUEST_ACTIVITY_STATE), ACTIVITY_HLT);
        assert_int_equal(idles, i == 2);
    }
}

static void an_event_or_a_trap_it_is_entered_with_ends_its_halt(void **state)
{
    (void)state;
    vmwrite(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
    vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_VALID | EVENT_EXTERNAL | 0x66);
    PLAY(IN_L1(launch), IN_L2(cpuid));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_EXTERNAL | 0x66);
    vmwrite(VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
    vmwrite(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, BREAKPOINT);
    set(VMCS_GUEST_RIP, L1_RIP);
    PLAY(IN_L1(resume), IN_L2(cpuid));
    assert_l1_has(EXIT_CPUID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, nested_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(l2_is_left_behind_the_event_it_is_entered_with),
        TEST(so_it_is_for_an_init),
        TEST(and_behind_a_trap_that_is_pending),
        TEST(which_comes_before_an_interrupt_of_l2s_own),
        TEST(in_the_shadow_of_sti_l2_has_one_instruction_more),
        TEST(so_it_has_in_that_of_mov_ss),
        TEST(and_with_interrupts_off),
        TEST(where_no_window_tells_of_its_end_it_has_none),
        TEST(a_window_of_before_is_not_asked_for_for_ever),
        TEST(what_waits_comes_in_order),
        TEST(an_nmi_of_l2s_own_comes_before_the_interrupts_window_of_l1),
        TEST(one_that_is_blocked_waits_for_its_window),
        TEST(halted_l2_waits_and_does_not_run),
        TEST(and_again_if_l1_enters_it_so_again),
        TEST(an_nmi_that_is_blocked_does_not_wake_it),
        TEST(windows_and_l1s_timer_end_its_halt),
        TEST(an_event_or_a_trap_it_is_entered_with_ends_its_halt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
