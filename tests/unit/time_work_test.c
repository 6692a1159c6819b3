/* Work that goes on: one step a call, each in its turn, and nobody runs on for long beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cp/time/debt.h"
#include "cp/time/timer.h"
#include "cp/time/work.h"
#include "tests/unit/fake/clock.h"

static unsigned order[16], steps;

struct job {
    struct work work;
    unsigned number, left;
};

static void step(struct work *work)
{
    struct job *job = work->owner;
    order[steps++ % 16] = job->number;
    if (--job->left)
        work_begin(work);
}

static struct job job_of(unsigned number, unsigned left)
{
    return (struct job){.work = {.step = step}, .number = number, .left = left};
}

static int begin(void **state)
{
    (void)state;
    fake_clock_reset(1000000000);
    steps = 0;
    return 0;
}

static void each_has_a_step_in_its_turn(void **state)
{
    static const unsigned expected[] = {1, 2, 3, 1, 3, 1};
    struct job a = job_of(1, 3), b = job_of(2, 1), c = job_of(3, 2);
    (void)state;
    a.work.owner = &a, b.work.owner = &b, c.work.owner = &c;
    work_begin(&a.work);
    work_begin(&b.work);
    work_begin(&b.work); /* queued already */
    work_begin(&c.work);
    for (unsigned n = 1; work_waits(); n++) {
        work_run();
        assert_int_equal(steps, n);
    }
    assert_int_equal(steps, 6);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(order[i], expected[i]);
    work_run(); /* nothing to do */
    assert_int_equal(steps, 6);
}

static void what_is_cancelled_does_nothing_and_the_others_stay(void **state)
{
    struct job a = job_of(1, 1), b = job_of(2, 1), c = job_of(3, 1);
    (void)state;
    a.work.owner = &a, b.work.owner = &b, c.work.owner = &c;
    work_begin(&a.work);
    work_begin(&b.work);
    work_cancel(&b.work);
    work_cancel(&b.work);
    work_begin(&c.work);
    while (work_waits())
        work_run();
    assert_int_equal(steps, 2);
    assert_int_equal(order[1], 3);
    assert_int_equal(timer_next(), UINT64_MAX); /* and no turn is cut short for it */
}

static void a_turn_ends_soon_while_work_waits(void **state)
{
    struct job a = job_of(1, 2);
    (void)state;
    a.work.owner = &a;
    assert_int_equal(timer_next(), UINT64_MAX);
    work_begin(&a.work);
    assert_in_range(timer_next(), fake_now + 1, fake_now + clock_ticks(1000000));
    work_run();
    assert_in_range(timer_next(), fake_now + 1, fake_now + clock_ticks(1000000));
    work_run();
    assert_int_equal(timer_next(), UINT64_MAX);
}

static void a_slice_is_over_after_its_ticks(void **state)
{
    (void)state;
    work_slice();
    assert_false(work_over());
    fake_now += WORK_SLICE - 1;
    assert_false(work_over());
    fake_now++;
    assert_true(work_over());
    work_slice();
    assert_false(work_over());
}

static struct debt rich, poor;
static bool may(struct debt *debt) { return debt != &poor; }

static void work_for_who_had_too_much_waits_and_holds_up_no_other(void **state)
{
    struct job a = job_of(1, 1), b = job_of(2, 1), c = job_of(3, 1);
    (void)state;
    work_may = may;
    a.work.owner = &a, b.work.owner = &b, c.work.owner = &c;
    a.work.debt = &poor, b.work.debt = &rich;
    work_begin(&a.work);
    work_begin(&b.work);
    work_begin(&c.work);
    assert_true(timer_next() < UINT64_MAX);
    work_run();
    assert_ptr_equal(debtor, &rich);
    work_run();
    assert_null(debtor);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 3);
    work_run();
    assert_int_equal(steps, 2);
    assert_true(work_waits());
    assert_int_equal(timer_next(), UINT64_MAX); /* and a machine's turn is as long as ever */
    work_may = NULL;
    work_run();
    assert_int_equal(steps, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_has_a_step_in_its_turn, begin),
        cmocka_unit_test_setup(work_for_who_had_too_much_waits_and_holds_up_no_other, begin),
        cmocka_unit_test_setup(what_is_cancelled_does_nothing_and_the_others_stay, begin),
        cmocka_unit_test_setup(a_turn_ends_soon_while_work_waits, begin),
        cmocka_unit_test_setup(a_slice_is_over_after_its_ticks, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
