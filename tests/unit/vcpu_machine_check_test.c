#include "tests/unit/dispatch_scene.h"

#include "cp/time/timer.h"
#include "cp/vcpu/machine_check.h"
#include "tests/unit/fake/machine_check.h"

#define VALID         MACHINE_CHECK_VALID
#define UNCORRECTED   (VALID | MACHINE_CHECK_UNCORRECTED)
#define SIGNALED      (1ull << 56)
#define NEEDS_ACTION  (UNCORRECTED | SIGNALED | MACHINE_CHECK_ACTION_REQUIRED)
#define CORRUPT       (UNCORRECTED | MACHINE_CHECK_CONTEXT_CORRUPT)
enum { RESTART = MACHINE_CHECK_RESTART, UNDER_WAY = MACHINE_CHECK_UNDER_WAY };

static struct machine_check last;
static char outcome[80];
static unsigned times_told;

static void hear(const struct machine_check *check, const char *words)
{
    last = *check;
    strcpy(outcome, words);
    times_told++;
}

static int begin(void **state)
{
    scene_begin(state);
    machine_check_told = hear;
    fake_banks = (struct machine_check){0};
    fake_under_way = false;
    times_told = 0;
    *outcome = 0;
    return 0;
}

static int end(void **state)
{
    fake_machine_check_end = NULL;
    return scene_end(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct machine_check one(uint64_t global, bool recovers, uint64_t status)
{
    struct machine_check check = {.global = global, .recovers = recovers, .banks = status != 0};
    check.bank[0] = (struct machine_check_bank){4, status, 0x12345000};
    return check;
}

static void what_is_done_follows_from_the_banks(void **state)
{
    static const struct {
        uint64_t global;
        bool recovers;
        uint64_t status;
        enum machine_check_verdict verdict;
    } cases[] = {
        {RESTART, true, VALID, MACHINE_CHECK_GO_ON},                          /* corrected */
        {RESTART, false, VALID, MACHINE_CHECK_GO_ON},
        {RESTART, true, VALID | MACHINE_CHECK_OVERFLOW, MACHINE_CHECK_GO_ON}, /* several, all corrected */
        {RESTART, true, UNCORRECTED, MACHINE_CHECK_GO_ON},                    /* UCNA: nobody used it */
        {RESTART, true, UNCORRECTED | SIGNALED, MACHINE_CHECK_GO_ON},         /* SRAO: action is optional */
        {RESTART, true, NEEDS_ACTION, MACHINE_CHECK_VICTIM},                  /* SRAR */
        {0, true, NEEDS_ACTION, MACHINE_CHECK_VICTIM},
        {RESTART, false, UNCORRECTED, MACHINE_CHECK_VICTIM},                  /* who knows what is bad */
        {RESTART, true, CORRUPT, MACHINE_CHECK_FATAL},
        {RESTART, false, CORRUPT, MACHINE_CHECK_FATAL},
        {0, true, CORRUPT, MACHINE_CHECK_FATAL},
        {RESTART, true, UNCORRECTED | MACHINE_CHECK_OVERFLOW, MACHINE_CHECK_FATAL},
        {0, true, VALID, MACHINE_CHECK_VICTIM},                               /* no way back to where it was */
        {0, true, 0, MACHINE_CHECK_VICTIM},
        {RESTART, true, 0, MACHINE_CHECK_GO_ON},                              /* another processor's */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct machine_check check = one(cases[i].global | UNDER_WAY, cases[i].recovers, cases[i].status);
        assert_int_equal(machine_check_judge(&check), cases[i].verdict);
    }
}

static void the_worst_of_several_banks_counts_and_is_named(void **state)
{
    struct machine_check check = {.global = RESTART, .recovers = true, .banks = 3};
    char text[80];

    (void)state;
    check.bank[0] = (struct machine_check_bank){1, VALID, 0};
    check.bank[1] = (struct machine_check_bank){7, NEEDS_ACTION | MACHINE_CHECK_HAS_ADDRESS, 0xABC000};
    check.bank[2] = (struct machine_check_bank){9, UNCORRECTED, 0};
    assert_int_equal(machine_check_judge(&check), MACHINE_CHECK_VICTIM);
    machine_check_text(&check, text, sizeof text);
    assert_string_equal(text, "bank 7, status A580000000000000, address ABC000");
    check.bank[2].status = CORRUPT;
    assert_int_equal(machine_check_judge(&check), MACHINE_CHECK_FATAL);
    machine_check_text(&check, text, sizeof text);
    assert_string_equal(text, "bank 9, status A200000000000000");
    check.banks = 0;
    machine_check_text(&check, text, sizeof text);
    assert_string_equal(text, "no bank tells why, MCG_STATUS 1");
}

static enum exit_action machine_check_exit(uint32_t reason)
{
    vm->vcpu.exit =
        (struct exit){.reason = reason, .interruption_info = EVENT_VALID | EVENT_HARDWARE_EXCEPTION | VECTOR_MC};
    exit_dispatch(vm);
    return vm->state == VM_STOPPED ? EXIT_STOP : EXIT_RESUME;
}

static void a_machine_that_can_go_on_does_and_the_operator_hears(void **state)
{
    (void)state;
    fake_banks = one(RESTART | UNDER_WAY, true, UNCORRECTED | SIGNALED);
    assert_int_equal(machine_check_exit(EXIT_EXCEPTION_NMI), EXIT_RESUME);
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_int_equal(taken_exception(), -1); /* it is not the guest's */
    assert_int_equal(times_told, 1);
    assert_string_equal(outcome, "all goes on");
    assert_int_equal(last.bank[0].number, 4);
}

static void a_machine_check_stops_the_machine_that_was_hit(void **state)
{
    static const uint32_t reasons[] = {EXIT_EXCEPTION_NMI, EXIT_ENTRY_MCE | 1u << 31};

    (void)state;
    for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        vm->state = VM_RUNNABLE;
        fake_banks = one(RESTART | UNDER_WAY, true, NEEDS_ACTION);
        assert_int_equal(machine_check_exit(reasons[i]), EXIT_STOP);
        assert_int_equal(vm->stop, VM_STOP_MACHINE_CHECK);
        assert_true(vm->stop_unseen);
        assert_int_equal(times_told, i + 1);
        assert_string_equal(outcome, "the machine of SCENE was stopped");
    }
}

static void an_nmi_of_the_real_machine_is_no_machine_check(void **state)
{
    (void)state;
    fake_banks = one(0, true, CORRUPT);
    vm->vcpu.exit =
        (struct exit){.reason = EXIT_EXCEPTION_NMI, .interruption_info = EVENT_VALID | EVENT_NMI | VECTOR_NMI};
    exit_dispatch(vm);
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_int_equal(times_told, 0);
}

static jmp_buf ended;
static void end_of_cp(const struct machine_check *check)
{
    last = *check;
    longjmp(ended, 1);
}

static void one_that_leaves_the_processor_corrupt_ends_cp(void **state)
{
    (void)state;
    fake_machine_check_end = end_of_cp;
    fake_banks = one(RESTART | UNDER_WAY, true, CORRUPT);
    if (!setjmp(ended)) {
        machine_check_exit(EXIT_EXCEPTION_NMI);
        fail();
    }
    assert_int_equal(last.bank[0].status, CORRUPT);
}

static void a_shutdown_is_a_machine_checks_doing_only_while_one_is_under_way(void **state)
{
    (void)state;
    vm->vcpu.exit = (struct exit){.reason = EXIT_TRIPLE_FAULT};
    exit_dispatch(vm);
    assert_int_equal(vm->stop, VM_STOP_TRIPLE_FAULT);
    assert_int_equal(times_told, 0);
    for (unsigned i = 0; i < 2; i++) { /* what the program could have survived, it did not */
        vm->state = VM_RUNNABLE;
        fake_under_way = true;
        fake_banks = one(RESTART | UNDER_WAY, true, i ? NEEDS_ACTION : VALID);
        exit_dispatch(vm);
        assert_int_equal(vm->state, VM_STOPPED);
        assert_int_equal(vm->stop, VM_STOP_MACHINE_CHECK);
        assert_int_equal(times_told, i + 1);
        assert_string_equal(outcome, "the machine of SCENE was stopped");
    }
}

static void what_interrupted_cp_is_told_of_later_or_ends_it(void **state)
{
    struct machine_check check = one(RESTART | UNDER_WAY, true, UNCORRECTED | SIGNALED);

    (void)state;
    assert_true(machine_check_in_cp(&check));
    assert_int_equal(times_told, 0);
    assert_true(machine_check_waits);
    machine_check_report();
    assert_int_equal(times_told, 1);
    assert_false(machine_check_waits);
    check = one(RESTART | UNDER_WAY, true, NEEDS_ACTION);
    assert_false(machine_check_in_cp(&check));
    check = one(0, true, VALID);
    assert_false(machine_check_in_cp(&check));
    assert_false(machine_check_waits);
}

static void of_a_storm_the_first_are_told(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct machine_check check = one(RESTART, true, VALID | i);
        assert_true(machine_check_in_cp(&check));
    }
    machine_check_report();
    assert_int_equal(times_told, 4);
    assert_int_equal(last.bank[0].status, VALID | 3);
    machine_check_report();
    assert_int_equal(times_told, 4);
}

static void the_banks_are_looked_at_for_what_raised_nothing(void **state)
{
    (void)state;
    fake_bank_count = 0;
    work_all();
    machine_check_watch();
    assert_int_equal(timer_next(), UINT64_MAX); /* no banks, no looks */
    fake_bank_count = 10;
    machine_check_watch();
    for (unsigned i = 0; i < 3; i++) {
        fake_banks = one(0, true, i == 1 ? VALID : 0);
        fake_now = timer_next();
        timer_run(clock_now());
        assert_int_equal(times_told, i >= 1);
    }
    fake_banks = (struct machine_check){.global = UNDER_WAY}; /* a guest had it */
    fake_now = timer_next();
    timer_run(clock_now());
    assert_int_equal(times_told, 2);
}

static bool takes(uint32_t msr, uint64_t value) { return msr_policy_write(vm, msr, value) == 0; }

static uint64_t value_of(uint32_t msr)
{
    uint64_t value = ~0ull;
    assert_int_equal(msr_policy_read(vm, msr, &value), 0);
    return value;
}

static void a_guest_has_machine_checks_without_banks(void **state)
{
    enum { MCG_CAP = 0x179, MCG_STATUS, MCG_CTL };
    uint64_t value;

    (void)state;
    assert_true(cpuid_answer(vm, 1, 0).edx >> 7 & cpuid_answer(vm, 1, 0).edx >> 14 & 1);
    assert_int_equal(value_of(MCG_CAP), 0);
    assert_false(takes(MCG_CAP, 0));
    assert_int_equal(value_of(MCG_STATUS), 0);
    for (unsigned bit = 0; bit < 64; bit++)
        assert_int_equal(takes(MCG_STATUS, 1ull << bit), bit < 3);
    assert_int_equal(value_of(MCG_STATUS), 4);
    assert_true(takes(MCG_STATUS, 0));
    assert_int_equal(msr_policy_read(vm, MCG_CTL, &value), -1);
    vm->vcpu.mcg_status = 7;
    vm_reset(vm);
    assert_int_equal(value_of(MCG_STATUS), 0);
}

static struct cpuid_answer without_machine_checks(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_answer a = everything(leaf, subleaf);
    if (leaf == 1)
        a.edx &= ~(1u << 7 | 1u << 14);
    return a;
}

static void where_the_processor_has_none_they_are_not_there(void **state)
{
    uint64_t value;

    (void)state;
    cpuid_policy_init(without_machine_checks, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    assert_int_equal(registers_cr4_own, CR4_VMXE);
    assert_false(cpuid_cr4_allowed(vm) & CR4_MCE);
    for (uint32_t msr = 0x179; msr < 0x17C; msr++) {
        assert_int_equal(msr_policy_read(vm, msr, &value), -1);
        assert_false(takes(msr, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_done_follows_from_the_banks),
        TEST(the_worst_of_several_banks_counts_and_is_named),
        TEST(a_machine_that_can_go_on_does_and_the_operator_hears),
        TEST(a_machine_check_stops_the_machine_that_was_hit),
        TEST(an_nmi_of_the_real_machine_is_no_machine_check),
        TEST(one_that_leaves_the_processor_corrupt_ends_cp),
        TEST(a_shutdown_is_a_machine_checks_doing_only_while_one_is_under_way),
        TEST(what_interrupted_cp_is_told_of_later_or_ends_it),
        TEST(of_a_storm_the_first_are_told),
        TEST(the_banks_are_looked_at_for_what_raised_nothing),
        TEST(a_guest_has_machine_checks_without_banks),
        TEST(where_the_processor_has_none_they_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
