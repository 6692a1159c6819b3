#include "tests/unit/dispatch_scene.h"

#include "cp/dispatch/scheduler.h"

enum { MACHINES = 3, SLICE = 5, LONG_TIME = 100000, HZ = 1000, CREDIT = SCHEDULER_CREDIT_US / (1000000 / HZ) };

static struct vm machine[MACHINES];
static unsigned turns[MACHINES];

static int begin(void **state)
{
    (void)state;
    fake_clock_reset(HZ);
    memset(machine, 0, sizeof machine);
    for (unsigned i = 0; i < MACHINES; i++)
        scheduler_add(&machine[i]); /* lifted to what others of earlier tests have had */
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MACHINES; i++)
        scheduler_remove(&machine[i]);
    assert_null(scheduler_pick());
    return 0;
}

static unsigned turn(uint64_t ticks)
{
    struct vm *picked = scheduler_pick();
    assert_non_null(picked);
    scheduler_charge(picked, ticks);
    turns[picked - machine]++;
    return (unsigned)(picked - machine);
}

static void run(unsigned count)
{
    memset(turns, 0, sizeof turns);
    while (count--)
        turn(SLICE);
}

static void equal_machines_take_turns(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        run(MACHINES);
        for (unsigned j = 0; j < MACHINES; j++)
            assert_int_equal(turns[j], 1);
    }
}

static void time_is_shared_evenly_however_long_the_turns_are(void **state)
{
    uint64_t had[MACHINES] = {0};

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        struct vm *picked = scheduler_pick();
        unsigned n = (unsigned)(picked - machine);
        uint64_t ticks = 1 + n * 10; /* one is often interrupted, one hardly ever */
        scheduler_charge(picked, ticks);
        had[n] += ticks;
        for (unsigned a = 0; a < MACHINES; a++)
            for (unsigned b = 0; b < MACHINES; b++)
                assert_true(had[a] <= had[b] + 21);
    }
}

static void who_slept_is_soon_served_and_does_not_claim_the_past(void **state)
{
    (void)state;
    run(30);
    scheduler_remove(&machine[2]);
    run(1000);
    assert_int_equal(turns[0] + turns[1], 1000);
    assert_true(turns[0] >= 499 && turns[1] >= 499);
    scheduler_add(&machine[2]);
    run(3); /* back: its turn comes at once */
    assert_true(turns[2] >= 1);
    run(30);
    for (unsigned i = 0; i < MACHINES; i++)
        assert_true(turns[i] >= 9 && turns[i] <= 11);
}

static void who_sleeps_often_and_shortly_gains_nothing_over_the_others(void **state)
{
    unsigned had[MACHINES] = {0};

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        run(4);
        for (unsigned j = 0; j < MACHINES; j++)
            had[j] += turns[j];
        scheduler_remove(&machine[2]);
        scheduler_add(&machine[2]);
    }
    assert_true(had[0] > 1300 && had[1] > 1300 && had[2] > 1300);
}

static void sleeps_while_others_run(struct vm *who, unsigned count)
{
    scheduler_remove(who);
    run(count);
    scheduler_add(who);
}

static void who_wakes_comes_first_until_its_credit_is_used(void **state)
{
    (void)state;
    run(30);
    sleeps_while_others_run(&machine[2], 100);
    run(CREDIT / SLICE);
    assert_int_equal(turns[2], CREDIT / SLICE);
    run(30);
    assert_in_range(turns[2], 9, 11);
}

/* As CMS answers a command: it waits for a disk, for the terminal, for CP. */
static void an_answer_in_several_steps_does_not_wait_for_the_others_at_each(void **state)
{
    (void)state;
    run(30);
    sleeps_while_others_run(&machine[2], 100);
    for (unsigned step = 0; step < CREDIT; step++) {
        assert_ptr_equal(scheduler_pick(), &machine[2]);
        scheduler_charge(&machine[2], 1);
        sleeps_while_others_run(&machine[2], 1); /* what it waits for is there when a slice is over, or before */
    }
}

static void who_sleeps_at_every_occasion_has_its_share_and_the_credit_once(void **state)
{
    uint64_t had[MACHINES] = {0};

    (void)state;
    sleeps_while_others_run(&machine[2], 1000);
    for (unsigned i = 0; i < 10000; i++) {
        struct vm *picked = scheduler_pick();
        uint64_t ticks = picked == &machine[2] ? 1 + i % SLICE : SLICE;
        scheduler_charge(picked, ticks);
        had[picked - machine] += ticks;
        if (picked == &machine[2])
            scheduler_remove(picked);
        if (i % 2)
            scheduler_add(&machine[2]);
        assert_true(had[2] <= had[0] + CREDIT + 2 * SLICE);
        assert_true(had[2] <= had[1] + CREDIT + 2 * SLICE);
    }
    assert_true(had[2] * 2 > had[0]); /* and is not kept from it */
}

static void a_long_time_alone_is_not_held_against_a_machine_when_others_come(void **state)
{
    (void)state;
    scheduler_remove(&machine[1]);
    scheduler_remove(&machine[2]);
    assert_int_equal(turn(LONG_TIME), 0); /* one turn: nothing interrupted it */
    scheduler_add(&machine[1]);           /* before the next pick, as an interrupt at its end would */
    run(20);
    assert_true(turns[0] >= 9);
    assert_true(turns[1] >= 9);
}

static void who_comes_back_starts_beside_the_one_that_had_least(void **state)
{
    (void)state;
    scheduler_remove(&machine[2]);
    unsigned ahead = turn(LONG_TIME);
    scheduler_add(&machine[2]);
    run(20);
    assert_int_equal(turns[ahead], 0);
    assert_true(turns[1 - ahead] >= 9);
    assert_true(turns[2] >= 9);
}

static void nor_when_it_was_waiting_as_they_came(void **state)
{
    (void)state;
    scheduler_remove(&machine[1]);
    scheduler_remove(&machine[2]);
    turn(LONG_TIME);
    scheduler_remove(&machine[0]);
    scheduler_add(&machine[1]);
    run(1);
    scheduler_add(&machine[0]);
    run(20);
    assert_true(turns[0] >= 9);
    assert_true(turns[1] >= 9);
}

static void nor_when_it_stopped_within_that_turn(void **state)
{
    (void)state;
    scheduler_remove(&machine[1]);
    scheduler_remove(&machine[2]);
    assert_ptr_equal(scheduler_pick(), &machine[0]);
    scheduler_remove(&machine[0]);
    scheduler_charge(&machine[0], LONG_TIME);
    scheduler_add(&machine[1]);
    scheduler_add(&machine[0]);
    run(20);
    assert_true(turns[0] >= 9);
    assert_true(turns[1] >= 9);
}

static void what_cp_does_for_a_machine_outside_its_turns_is_of_its_share(void **state)
{
    (void)state;
    run(30);
    machine[1].machine.disk_user.debt.ticks = 30 * SLICE;
    assert_false(scheduler_settle(&machine[1])); /* it had more than the others: more work for it waits */
    assert_true(scheduler_settle(&machine[0]) || scheduler_settle(&machine[2]));
    assert_int_equal(machine[1].total_ticks, 30 * SLICE);
    run(60);
    assert_in_range(turns[1], 0, 1);
    run(30);
    assert_in_range(turns[1], 9, 11);
    scheduler_remove(&machine[0]), scheduler_remove(&machine[2]), scheduler_remove(&machine[1]);
    assert_true(scheduler_settle(&machine[1])); /* nobody else wants the processor */
    for (unsigned i = 0; i < MACHINES; i++)
        scheduler_add(&machine[i]);
}

static void a_machine_is_listed_once_and_may_be_taken_out_twice(void **state)
{
    (void)state;
    scheduler_remove(&machine[1]);
    scheduler_remove(&machine[1]);
    scheduler_add(&machine[0]);
    scheduler_add(&machine[0]);
    assert_true(scheduler_contended());
    scheduler_remove(&machine[2]);
    assert_false(scheduler_contended());
    assert_ptr_equal(scheduler_pick(), &machine[0]);
    scheduler_remove(&machine[0]);
    assert_null(scheduler_pick());
    assert_false(scheduler_contended());
}

/* ---- shares ----------------------------------------------------------------------------------------------------- */

static struct share relative(unsigned parts) { return (struct share){false, (uint16_t)parts}; }
static struct share percent(unsigned whole) { return (struct share){true, (uint16_t)(whole * 10)}; }

/* What each had, in parts of ten thousand, while all want all there is. */
static void had_by_share(unsigned had[MACHINES])
{
    enum { TURNS = 20000 };
    run(TURNS);
    for (unsigned i = 0; i < MACHINES; i++)
        had[i] = turns[i] * 10000 / TURNS;
}

static void time_is_shared_as_the_shares_say(void **state)
{
    static const struct {
        struct share share[MACHINES];
        unsigned right[MACHINES];
    } cases[] = {
        {{{false, 100}, {false, 200}, {false, 300}}, {1667, 3333, 5000}},
        {{{0}, {0}, {true, 500}}, {2500, 2500, 5000}},
        {{{true, 200}, {true, 300}, {false, 7}}, {2000, 3000, 5000}},
        {{{true, 5}, {0}, {false, 300}}, {50, 2487, 7462}},
        {{{true, 1000}, {true, 1000}, {0}}, {4950, 4950, 100}}, /* more than there is: something is left to the third */
        {{{true, 100}, {true, 200}, {true, 300}}, {1667, 3333, 5000}},
        {{{false, 1}, {false, 10000}, {false, 10000}}, {0, 5000, 5000}},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned had[MACHINES];
        for (unsigned j = 0; j < MACHINES; j++)
            scheduler_share(&machine[j], cases[i].share[j]);
        had_by_share(had); /* what they had before is made even */
        had_by_share(had);
        for (unsigned j = 0; j < MACHINES; j++)
            assert_in_range(had[j] + 20, cases[i].right[j], cases[i].right[j] + 40);
    }
}

static void what_a_share_leaves_unused_is_the_others(void **state)
{
    unsigned had[MACHINES];
    (void)state;
    scheduler_share(&machine[0], percent(90));
    scheduler_remove(&machine[0]);
    had_by_share(had);
    assert_int_equal(had[0], 0);
    assert_in_range(had[1], 4980, 5020);
    scheduler_add(&machine[0]);
    scheduler_remove(&machine[1]);
    scheduler_remove(&machine[2]);
    had_by_share(had);
    assert_int_equal(had[0], 10000);
    scheduler_add(&machine[1]);
    scheduler_add(&machine[2]);
    had_by_share(had);
    assert_in_range(had[0], 8960, 9040);
}

static void who_has_a_small_share_claims_no_more_time_after_sleep_than_others(void **state)
{
    (void)state;
    scheduler_share(&machine[2], relative(1));
    run(1000);
    sleeps_while_others_run(&machine[2], 20000);
    run(20);
    assert_in_range(turns[2], 0, CREDIT / SLICE + 1);
    scheduler_share(&machine[2], relative(10000));
    sleeps_while_others_run(&machine[2], 1000);
    run(CREDIT / SLICE);
    assert_int_equal(turns[2], CREDIT / SLICE); /* the credit, and then its share */
}

static void who_is_given_more_has_it_at_once_whatever_they_had_by_less(void **state)
{
    static const struct share more[] = {{false, 10000}, {true, 330}};
    (void)state;
    for (unsigned i = 0; i < sizeof more / sizeof *more; i++) {
        scheduler_share(&machine[0], relative(1));
        scheduler_share(&machine[1], relative(10000));
        scheduler_share(&machine[2], relative(10000));
        while (turn(SLICE) != 0) {}
        scheduler_share(&machine[0], more[i]);
        run(600);
        assert_in_range(turns[0], 180, 220);
    }
    scheduler_share(&machine[0], relative(10000));
    while (turn(SLICE) != 0) {} /* and what it had by much is not forgotten as it gets less */
    scheduler_share(&machine[0], relative(1));
    run(1000);
    assert_in_range(turns[0], 0, 1);
    scheduler_remove(&machine[0]);
    scheduler_share(&machine[0], relative(10000)); /* nor starves one that sleeps meanwhile */
    scheduler_add(&machine[0]);
    run(600);
    assert_in_range(turns[0], 180, 300);
}

#define scheduler_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scheduler_test(equal_machines_take_turns),
        scheduler_test(time_is_shared_evenly_however_long_the_turns_are),
        scheduler_test(who_slept_is_soon_served_and_does_not_claim_the_past),
        scheduler_test(who_sleeps_often_and_shortly_gains_nothing_over_the_others),
        scheduler_test(who_wakes_comes_first_until_its_credit_is_used),
        scheduler_test(an_answer_in_several_steps_does_not_wait_for_the_others_at_each),
        scheduler_test(who_sleeps_at_every_occasion_has_its_share_and_the_credit_once),
        scheduler_test(a_long_time_alone_is_not_held_against_a_machine_when_others_come),
        scheduler_test(who_comes_back_starts_beside_the_one_that_had_least),
        scheduler_test(nor_when_it_was_waiting_as_they_came),
        scheduler_test(nor_when_it_stopped_within_that_turn),
        scheduler_test(time_is_shared_as_the_shares_say),
        scheduler_test(what_a_share_leaves_unused_is_the_others),
        scheduler_test(who_is_given_more_has_it_at_once_whatever_they_had_by_less),
        scheduler_test(who_has_a_small_share_claims_no_more_time_after_sleep_than_others),
        scheduler_test(what_cp_does_for_a_machine_outside_its_turns_is_of_its_share),
        scheduler_test(a_machine_is_listed_once_and_may_be_taken_out_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
