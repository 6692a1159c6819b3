#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/time/timer.h"
#include "tests/unit/fake/clock.h"

enum { TIMERS = 8 };

static unsigned order[64], expired;

static void note(struct timer *timer)
{
    order[expired++ % 64] = *(unsigned *)timer->owner;
}

static void note_and_arm_again(struct timer *timer)
{
    note(timer);
    timer_arm(timer, timer->deadline + 10);
}

static int begin(void **state)
{
    (void)state;
    fake_clock_reset(1000000000);
    expired = 0;
    return 0;
}

static void timers_expire_in_order_of_deadline(void **state)
{
    static const uint64_t at[TIMERS] = {50, 10, 30, 10, 70, 20, 60, 40};
    static const unsigned expected[TIMERS] = {1, 3, 5, 2, 7, 0, 6, 4};
    unsigned number[TIMERS];
    struct timer timer[TIMERS] = {0};

    (void)state;
    for (unsigned i = 0; i < TIMERS; i++) {
        number[i] = i;
        timer[i].owner = &number[i];
        timer[i].expire = note;
        timer_arm(&timer[i], at[i]);
    }
    assert_int_equal(timer_next(), 10);
    timer_run(9);
    assert_int_equal(expired, 0);
    timer_run(69);
    assert_int_equal(expired, 7);
    assert_int_equal(timer_next(), 70);
    timer_run(70);
    for (unsigned i = 0; i < TIMERS; i++)
        assert_int_equal(order[i], expected[i]);
    assert_int_equal(timer_next(), UINT64_MAX);
}

static void an_armed_timer_moves_and_a_cancelled_one_is_silent(void **state)
{
    unsigned number = 5;
    struct timer timer = {.expire = note, .owner = &number};

    (void)state;
    timer_arm(&timer, 10);
    timer_arm(&timer, 40);
    timer_run(39);
    assert_int_equal(expired, 0);
    timer_cancel(&timer);
    timer_cancel(&timer);
    timer_run(100);
    assert_int_equal(expired, 0);
    assert_false(timer.armed);
}

static void a_timer_may_arm_itself_anew(void **state)
{
    unsigned number = 1;
    struct timer timer = {.expire = note_and_arm_again, .owner = &number};

    (void)state;
    timer_arm(&timer, 10);
    fake_clock_advance(95);
    assert_int_equal(expired, 9);
    assert_int_equal(timer_next(), 100);
    timer_cancel(&timer);
}

static void conversions_do_not_overflow_and_saturate(void **state)
{
    (void)state;
    clock_hz = 2500000000;
    assert_int_equal(clock_ticks(1000000000), 2500000000);
    assert_int_equal(clock_ns(2500000000), 1000000000);
    assert_int_equal(clock_ns(clock_ticks(7000000000000000001)), 7000000000000000000);
    assert_int_equal(clock_ticks(UINT64_MAX), UINT64_MAX);
    assert_int_equal(clock_ns(UINT64_MAX), 7378697629483820646);
    assert_int_equal(clock_scale(UINT64_MAX, 1193182, 2500000000), 8804129194942764);
    assert_int_equal(clock_scale(3, 1, 2), 1);
}

static void the_ticks_of_a_time_are_the_first_at_which_it_has_passed(void **state)
{
    static const uint64_t rates[] = {1, 50000000, 999999937, 1000000000, 2095078001, 4294967295}, times[] = {
        0, 1, 2, 999, 1000, 1234567, 999999999, 1000000000, 1000000001, 86400000000000, 1000000000000000003};

    (void)state;
    for (unsigned r = 0; r < sizeof rates / sizeof *rates; r++)
        for (unsigned t = 0; t < sizeof times / sizeof *times; t++) {
            clock_hz = rates[r];
            uint64_t ticks = clock_ticks_up(times[t]);
            assert_true(clock_ns(ticks) >= times[t]);
            assert_true(!ticks || clock_ns(ticks - 1) < times[t]);
        }
    clock_hz = 4294967295;
    assert_int_equal(clock_ticks_up(UINT64_MAX), UINT64_MAX);
    clock_hz = 1000000000;
}

/* In the midst of a machine's turn, only what is that machine's may happen. */
static void timers_of_one_machine_expire_up_to_the_first_that_is_not_its_own(void **state)
{
    static const uint64_t deadlines[] = {10, 20, 30, 40, 50};
    unsigned machine, other, numbers[] = {0, 1, 2, 3, 4};
    const void *const whose[] = {&machine, &machine, &other, &machine, NULL};
    struct timer timers[5];

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        timers[i] = (struct timer){.expire = note, .owner = &numbers[i], .whose = whose[i]};
        timer_arm(&timers[i], deadlines[i]);
    }
    timer_run_whose(&other, 60);
    assert_int_equal(expired, 0);
    timer_run_whose(&machine, 15);
    assert_int_equal(expired, 1);
    timer_run_whose(&machine, 60);
    assert_int_equal(expired, 2);
    assert_int_equal(timer_next(), 30);
    timer_cancel(&timers[2]);
    timer_run_whose(&machine, 60);
    assert_int_equal(expired, 3);
    timer_run_whose(&machine, 60); /* nobody's */
    assert_int_equal(expired, 3);
    timer_cancel(&timers[4]);
}

static void one_that_arms_itself_for_now_does_not_keep_the_rest_waiting(void **state)
{
    unsigned number = 1, machine;
    struct timer timer = {.expire = note_and_arm_again, .owner = &number, .whose = &machine};

    (void)state;
    timer_arm(&timer, 10);
    timer_run_whose(&machine, 1000);
    assert_int_equal(expired, 1);
    timer_cancel(&timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(timers_expire_in_order_of_deadline, begin),
        cmocka_unit_test_setup(an_armed_timer_moves_and_a_cancelled_one_is_silent, begin),
        cmocka_unit_test_setup(a_timer_may_arm_itself_anew, begin),
        cmocka_unit_test_setup(conversions_do_not_overflow_and_saturate, begin),
        cmocka_unit_test_setup(the_ticks_of_a_time_are_the_first_at_which_it_has_passed, begin),
        cmocka_unit_test_setup(timers_of_one_machine_expire_up_to_the_first_that_is_not_its_own, begin),
        cmocka_unit_test_setup(one_that_arms_itself_for_now_does_not_keep_the_rest_waiting, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
