/* A program with a timer beneath a CPU that costs: how much of the time is the program's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/time/pace.h"
#include "tests/unit/fake/clock.h"

enum { US = 1000, MS = 1000000 /* ticks */ };

static struct pace pace;
static unsigned changes;

static void changed(void *context)
{
    assert_ptr_equal(context, &pace);
    changes++;
}

static int begin(void **state)
{
    (void)state;
    fake_clock_reset(1000000000);
    fake_now = MS;
    pace_init(&pace, changed, &pace);
    changes = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    pace_reset(&pace);
    return timer_next() == UINT64_MAX ? 0 : -1;
}

struct course {
    uint64_t program, handlers;
    unsigned ticks;
    uint64_t latest; /* from when a tick was due until it was taken */
};

static void pass(uint64_t ticks)
{
    fake_now += ticks;
    if (timer_next() <= fake_now)
        timer_run(fake_now);
}

/* One that ticks each `period` without end, or is set to `period` anew by the handler; what came while nobody took it
 * is one tick. Time passes a step at a time. */
static struct course run(uint64_t period, uint64_t handler, bool anew, uint64_t time)
{
    struct course c = {0};
    uint64_t due = fake_now + period, told_at = 0, left = 0, end = fake_now + time, step = 500;
    bool pending = false;

    while (fake_now < end) {
        if (due <= fake_now) {
            if (!pending)
                pace_tick(&pace), told_at = fake_now;
            pending = true;
            due = anew ? UINT64_MAX : fake_now + period;
        }
        if (!left && pace.measures)
            pace_done(&pace);
        if (!left && pending && !pace_holds(&pace)) {
            pace_taken(&pace);
            pending = false;
            left = handler;
            c.ticks++;
            if (fake_now - told_at > c.latest)
                c.latest = fake_now - told_at;
            if (anew)
                due = fake_now + period;
        }
        *(left ? &c.handlers : &c.program) += step;
        left -= left < step ? left : step;
        pass(step);
    }
    return c;
}

static void a_timer_faster_than_its_handler_leaves_the_program_half_of_the_time(void **state)
{
    static const uint64_t handlers[] = {2 * US, 20 * US, 200 * US, 2 * MS};
    static const uint64_t periods[] = {1, 1 * US, 30 * US, 150 * US};

    (void)state;
    for (unsigned h = 0; h < 4; h++)
        for (unsigned p = 0; p < 4; p++)
            for (unsigned anew = 0; anew < 2; anew++) {
                pace_reset(&pace);
                run(periods[p], handlers[h], anew, 100 * handlers[h]); /* it is learnt */
                struct course c = run(periods[p], handlers[h], anew, 200 * handlers[h]);
                assert_true(c.program >= c.handlers);
                assert_true(c.ticks >= 20 || c.program > 10 * c.handlers);
            }
}

static void a_timer_that_leaves_it_of_itself_is_never_late(void **state)
{
    (void)state;
    struct course c = run(1 * MS, 20 * US, false, 1000 * MS);
    assert_in_range(c.ticks, 990, 1000);
    assert_int_equal(c.latest, 0);
    c = run(100 * US, 20 * US, true, 100 * MS);
    assert_true(c.ticks >= 800);
    assert_int_equal(c.latest, 0);
    assert_int_equal(changes, 0);
}

/* as of Linux that sleeps for a few microseconds over and over */
static void a_program_that_halts_waits_for_no_tick(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        pace_idle(&pace);
        fake_now += US;
        pace_tick(&pace);
        assert_false(pace_holds(&pace));
        pace_taken(&pace);
        fake_now += 5 * US;
        if (pace.measures)
            pace_done(&pace);
    }
    pace_tick(&pace);
    assert_true(pace_holds(&pace));
    assert_int_equal(changes, 1);
    pace_idle(&pace);
    assert_false(pace_holds(&pace));
    assert_int_equal(changes, 2);
}

static void one_tick_during_which_the_processor_was_away_says_little_about_the_next(void **state)
{
    (void)state;
    run(1 * US, 10 * US, false, 10 * MS);
    uint64_t before = pace.cost;
    pace_tick(&pace);
    pace_taken(&pace);
    fake_now += 500 * MS;
    if (pace.measures)
        pace_done(&pace);
    assert_true(pace.cost <= 2 * before);
}

static void no_tick_waits_for_longer_than_the_longest_handler_that_is_one(void **state)
{
    (void)state;
    struct course c = run(1 * US, 100 * MS, false, 10000 * (uint64_t)MS);
    assert_true(pace.cost <= PACE_MOST_US * US + 1);
    assert_true(c.handlers > c.program); /* what takes so long is no handler, but what the program is */
}

static void a_timer_that_is_not_heard_goes_slow_and_is_at_its_pace_when_it_is(void **state)
{
    (void)state;
    uint64_t usual = pace_floor_unheard(&pace);
    assert_true(usual < 30 * US);
    pace_tick(&pace);
    assert_true(pace_floor_unheard(&pace) >= MS);
    pace_taken(&pace);
    assert_int_equal(pace_floor_unheard(&pace), usual);
}

static void an_interrupt_without_a_tick_is_not_measured(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        pace_taken(&pace);
    assert_false(pace.measures);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_timer_faster_than_its_handler_leaves_the_program_half_of_the_time),
        TEST(a_timer_that_leaves_it_of_itself_is_never_late),
        TEST(a_program_that_halts_waits_for_no_tick),
        TEST(one_tick_during_which_the_processor_was_away_says_little_about_the_next),
        TEST(no_tick_waits_for_longer_than_the_longest_handler_that_is_one),
        TEST(a_timer_that_is_not_heard_goes_slow_and_is_at_its_pace_when_it_is),
        TEST(an_interrupt_without_a_tick_is_not_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
