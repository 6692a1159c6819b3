#include "tests/unit/device_lapic_scene.h"

static void a_one_shot_counts_down_and_fires_once(void **state)
{
    (void)state;
    store(LVT_TIMER, 0x30);
    store(DIVIDE, 0x3); /* by 16 */
    store(INITIAL, 1000);
    assert_int_equal(load(CURRENT), 1000);
    fake_clock_advance(8000);
    assert_int_equal(load(CURRENT), 500);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    fake_clock_advance(7999);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    fake_clock_advance(2);
    assert_int_equal(lapic_acknowledge(&lapic), 0x30);
    assert_int_equal(load(CURRENT), 0);
    store(EOI, 0);
    store(LVT_TIMER, 0x30);
    store(DIVIDE, 0xb);
    fake_clock_advance(100000);
    assert_int_equal(lapic_acknowledge(&lapic), -1);
    assert_int_equal(load(INITIAL), 1000);
}

static void a_one_shot_that_ran_out_stays_so_in_periodic_mode_until_it_is_loaded(void **state)
{
    (void)state;
    store(LVT_TIMER, MASKED | 0x30);
    store(DIVIDE, 0xb);
    store(INITIAL, 1000);
    fake_clock_advance(2500);
    store(LVT_TIMER, PERIODIC | 0x30);
    assert_int_equal(load(CURRENT), 0);
    assert_int_equal(timer_next(), UINT64_MAX);
    store(DIVIDE, 0x0);
    fake_clock_advance(100);
    assert_int_equal(load(CURRENT), 0);
    store(LVT_TIMER, 0x30);
    store(LVT_TIMER, PERIODIC | 0x30);
    assert_int_equal(load(CURRENT), 0);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    store(INITIAL, 100000);
    fake_clock_advance(200010);
    assert_int_equal(lapic_vector_pending(&lapic), 0x30);
}

static void a_count_goes_on_through_changes_of_mode(void **state)
{
    (void)state;
    store(LVT_TIMER, PERIODIC | 0x30);
    store(DIVIDE, 0xb);
    store(INITIAL, 100000);
    fake_clock_advance(330000);
    assert_int_equal(lapic_acknowledge(&lapic), 0x30);
    store(EOI, 0);
    store(LVT_TIMER, 0x30);
    assert_in_range(load(CURRENT), 69999, 70001);
    fake_clock_advance(30000);
    assert_in_range(load(CURRENT), 39999, 40001);
    store(LVT_TIMER, PERIODIC | 0x30);
    assert_in_range(load(CURRENT), 39998, 40001);
    fake_clock_advance(40010);
    assert_int_equal(lapic_vector_pending(&lapic), 0x30);
    assert_in_range(load(CURRENT), 99980, 100000);
}

static void a_divider_changed_on_the_way_keeps_the_count(void **state)
{
    (void)state;
    store(LVT_TIMER, 0x30);
    store(DIVIDE, 0xb);
    store(INITIAL, 100000);
    fake_clock_advance(40000);
    store(DIVIDE, 0x0); /* by 2 */
    assert_in_range(load(CURRENT), 59999, 60000);
    fake_clock_advance(119990);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    fake_clock_advance(20);
    assert_int_equal(lapic_vector_pending(&lapic), 0x30);
}

static void a_periodic_timer_neither_drifts_nor_floods(void **state)
{
    unsigned fired = 0;

    (void)state;
    store(LVT_TIMER, PERIODIC | 0x30);
    store(DIVIDE, 0xb);
    store(INITIAL, 333333);
    for (unsigned i = 0; i < 10000; i++) {
        fake_clock_advance(100000);
        if (lapic_acknowledge(&lapic) == 0x30) {
            fired++;
            store(EOI, 0);
        }
    }
    assert_int_equal(fired, 3000); /* a second at 3000.003 Hz */
    store(INITIAL, 1);
    fired = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t next = timer_next();

        assert_true(next >= fake_now + clock_ticks(10000));
        fake_now = next;
        timer_run(fake_now);
        assert_int_equal(lapic_acknowledge(&lapic), 0x30);
        store(EOI, 0);
    }
    store(INITIAL, 0);
    assert_int_equal(timer_next(), UINT64_MAX);
}

/* Its floor is behind its last tick, not behind the programming. */
static void a_periodic_timer_programmed_anew_ticks_at_its_own_first_edge(void **state)
{
    (void)state;
    pace.cost = clock_ticks(10000000);
    store(LVT_TIMER, PERIODIC | 0x30);
    store(DIVIDE, 0xb);
    for (unsigned i = 0; i < 3; i++) {
        store(INITIAL, 1000000);
        fake_clock_advance(1001000);
        assert_int_equal(lapic_acknowledge(&lapic), 0x30);
        store(EOI, 0);
        store(INITIAL, 0);
        fake_clock_advance(30000000); /* (1 + PACE_REST) times the cost, in which it does not tick again */
    }
    store(INITIAL, 1000000);
    fake_clock_advance(1001000);
    assert_int_equal(lapic_acknowledge(&lapic), 0x30);
    store(EOI, 0);
    store(INITIAL, 1000000);
    fake_clock_advance(20000000);
    assert_int_equal(lapic_acknowledge(&lapic), -1);
}

static void a_periodic_timer_rests_while_nobody_takes_its_interrupt(void **state)
{
    (void)state;
    store(LVT_TIMER, PERIODIC | 0x30);
    store(DIVIDE, 0xb);
    store(INITIAL, 1000000);
    fake_clock_advance(3500000);
    assert_int_equal(timer_next(), UINT64_MAX);
    assert_in_range(load(CURRENT), 499999, 500001);
    assert_int_equal(lapic_acknowledge(&lapic), 0x30);
    store(EOI, 0);
    fake_clock_advance(499000);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    fake_clock_advance(2000);
    assert_int_equal(lapic_acknowledge(&lapic), 0x30);
}

static void a_masked_timer_costs_nothing_and_goes_on(void **state)
{
    (void)state;
    store(LVT_TIMER, MASKED | PERIODIC | 0x30);
    store(DIVIDE, 0xb);
    store(INITIAL, 100000);
    assert_int_equal(timer_next(), UINT64_MAX);
    fake_clock_advance(250000);
    assert_int_equal(load(CURRENT), 50000);
    store(LVT_TIMER, PERIODIC | 0x30);
    fake_clock_advance(49900);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    fake_clock_advance(200);
    assert_int_equal(lapic_vector_pending(&lapic), 0x30);
}

static void a_tsc_deadline_fires_in_the_guest_s_time(void **state)
{
    (void)state;
    tsc_offset = UINT64_C(1) << 40;
    assert_int_equal(wrmsr(MSR_TSC_DEADLINE, guest_tsc(NULL, fake_now) + 1000), 0);
    assert_int_equal(rdmsr(MSR_TSC_DEADLINE), 0); /* not in that mode */
    store(LVT_TIMER, DEADLINE | 0x30);
    wrmsr(MSR_TSC_DEADLINE, guest_tsc(NULL, fake_now) + 2500);
    assert_int_equal(rdmsr(MSR_TSC_DEADLINE), tsc_offset + 3500);
    store(INITIAL, 5);
    assert_int_equal(load(INITIAL), 0);
    assert_int_equal(load(CURRENT), 0);
    fake_clock_advance(990);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    fake_clock_advance(10);
    assert_int_equal(lapic_acknowledge(&lapic), 0x30);
    assert_int_equal(rdmsr(MSR_TSC_DEADLINE), 0);
    store(EOI, 0);
    wrmsr(MSR_TSC_DEADLINE, 1); /* long past: at once */
    assert_int_equal(lapic_acknowledge(&lapic), 0x30);
    store(EOI, 0);
    wrmsr(MSR_TSC_DEADLINE, guest_tsc(NULL, fake_now) + 2500);
    wrmsr(MSR_TSC_DEADLINE, 0);
    assert_int_equal(timer_next(), UINT64_MAX);
    wrmsr(MSR_TSC_DEADLINE, UINT64_MAX);
    fake_clock_advance(1000000);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
}

static void a_deadline_that_passes_while_masked_is_lost(void **state)
{
    (void)state;
    store(LVT_TIMER, MASKED | DEADLINE | 0x30);
    wrmsr(MSR_TSC_DEADLINE, guest_tsc(NULL, fake_now) + 1000);
    fake_clock_advance(1000);
    store(LVT_TIMER, DEADLINE | 0x30);
    fake_clock_advance(1000);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    assert_int_equal(rdmsr(MSR_TSC_DEADLINE), 0);
}

static void a_tsc_that_jumps_takes_its_deadline_along(void **state)
{
    (void)state;
    store(LVT_TIMER, DEADLINE | 0x30);
    wrmsr(MSR_TSC_DEADLINE, guest_tsc(NULL, fake_now) + 1000000);
    tsc_offset = 900000;
    lapic_tsc_moved(&lapic);
    assert_int_equal(timer_next(), fake_now + 100000);
    tsc_offset = 2000000;
    lapic_tsc_moved(&lapic);
    assert_int_equal(lapic_vector_pending(&lapic), 0x30);
}

static void leaving_deadline_mode_disarms(void **state)
{
    (void)state;
    store(LVT_TIMER, DEADLINE | 0x30);
    wrmsr(MSR_TSC_DEADLINE, guest_tsc(NULL, fake_now) + 1000);
    store(LVT_TIMER, 0x30);
    store(LVT_TIMER, DEADLINE | 0x30);
    assert_int_equal(rdmsr(MSR_TSC_DEADLINE), 0);
    assert_int_equal(timer_next(), UINT64_MAX);
}

static bool fires_once(void)
{
    fake_clock_tick = 0;
    fake_clock_advance(2000000);
    bool fired = lapic_acknowledge(&lapic) == 0x30;
    store(EOI, 0);
    fake_clock_advance(2000000);
    return fired && lapic_acknowledge(&lapic) == -1;
}

/* Looking at the clock takes time, at some look as long as the count, as where the machine CP runs
 * on is taken from the processor. */
static void a_count_fires_once_whenever_it_ends_while_the_guest_s_write_is_done(void **state)
{
    (void)state;
    store(LVT_TIMER, 0x30);
    store(DIVIDE, 0xb);
    for (uint64_t tick = 1; tick < 400000; tick += tick / 16 + 1) {
        fake_clock_tick = tick;
        store(INITIAL, 50000); /* 125,000 ticks */
        assert_true(fires_once());
        store(INITIAL, 50000);
        fake_clock_tick = tick;
        store(DIVIDE, 0x0);
        store(DIVIDE, 0xb);
        assert_true(fires_once());
        store(INITIAL, 50000);
        fake_clock_tick = tick;
        store(LVT_TIMER, 0x30);
        assert_true(fires_once());
    }
    fake_clock_tick = 10;
    store(INITIAL, 1); /* shorter than a look */
    assert_true(fires_once());
}

static void a_write_a_tick_before_the_end_of_the_count_does_not_lose_it(void **state)
{
    static const uint64_t rates[] = {1000000000, 2500000000, 1193182, 999999937};

    (void)state;
    store(LVT_TIMER, 0x30);
    store(DIVIDE, 0xb);
    for (unsigned r = 0; r < sizeof rates / sizeof *rates; r++) {
        clock_hz = rates[r];
        for (int early = -2; early <= 2; early++) {
            for (unsigned what = 0; what < 2; what++) {
                store(INITIAL, 50000);
                fake_now += clock_ticks(50000) - (uint64_t)early;
                store(what ? DIVIDE : LVT_TIMER, what ? 0xb : 0x30);
                assert_true(fires_once());
            }
        }
    }
}

/* Whatever is written while it counts, and however long the processor is away between any two looks. */
static void a_one_shot_fires_once_and_not_early_however_time_passes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t count = i % 7 ? 1 + i * 37 % 60000 : 1, begun = fake_now;
        bool deadline = i & 1;
        fake_clock_away = i % 5 * 40000;
        store(DIVIDE, 0xb);
        store(LVT_TIMER, deadline ? DEADLINE | 0x30 : 0x30);
        if (deadline)
            wrmsr(MSR_TSC_DEADLINE, guest_tsc(NULL, begun) + clock_ticks(count));
        else
            store(INITIAL, (uint32_t)count);
        for (unsigned looks = 0; looks < 3; looks++) {
            load(CURRENT);
            store(LVT_TIMER, deadline ? DEADLINE | 0x30 : 0x30);
            rdmsr(MSR_TSC_DEADLINE);
            if (lapic_vector_pending(&lapic) >= 0)
                assert_true(fake_now - begun >= clock_ticks(count));
        }
        fake_clock_away = 0;
        assert_true(fires_once());
    }
}

/* Each period that passes is told, once, or is one with those that pass before it is taken. */
static void a_period_is_told_once_however_time_passes(void **state)
{
    (void)state;
    store(DIVIDE, 0xb);
    store(LVT_TIMER, PERIODIC | 0x30);
    for (unsigned i = 0; i < 300; i++) {
        uint32_t period = 50000 + i * 333;
        fake_clock_away = 0;
        while (lapic_acknowledge(&lapic) >= 0)
            store(EOI, 0);
        store(INITIAL, period);
        uint64_t begun = fake_now, told = 0;
        fake_clock_away = i % 3 * clock_ticks(period) / 4;
        for (unsigned n = 0; n < 100; n++) {
            store(DIVIDE, 0xb);
            load(CURRENT);
            if (timer_next() <= fake_now)
                timer_run(fake_now);
            if (lapic_acknowledge(&lapic) == 0x30) {
                told++;
                store(EOI, 0);
                assert_true(told <= clock_ns(fake_now - begun) / period);
            }
        }
        fake_clock_away = 0;
        fake_clock_advance(2 * period); /* none was the last */
        assert_int_equal(lapic_vector_pending(&lapic), 0x30);
    }
    lapic_acknowledge(&lapic);
    store(EOI, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(begin_enabled, a_one_shot_counts_down_and_fires_once),
        TEST(begin_enabled, a_one_shot_that_ran_out_stays_so_in_periodic_mode_until_it_is_loaded),
        TEST(begin_enabled, a_count_goes_on_through_changes_of_mode),
        TEST(begin_enabled, a_divider_changed_on_the_way_keeps_the_count),
        TEST(begin_enabled, a_periodic_timer_neither_drifts_nor_floods),
        TEST(begin_enabled, a_periodic_timer_programmed_anew_ticks_at_its_own_first_edge),
        TEST(begin_enabled, a_periodic_timer_rests_while_nobody_takes_its_interrupt),
        TEST(begin_enabled, a_masked_timer_costs_nothing_and_goes_on),
        TEST(begin_enabled, a_tsc_deadline_fires_in_the_guest_s_time),
        TEST(begin_enabled, a_deadline_that_passes_while_masked_is_lost),
        TEST(begin_enabled, a_tsc_that_jumps_takes_its_deadline_along),
        TEST(begin_enabled, leaving_deadline_mode_disarms),
        TEST(begin_enabled, a_count_fires_once_whenever_it_ends_while_the_guest_s_write_is_done),
        TEST(begin_enabled, a_write_a_tick_before_the_end_of_the_count_does_not_lose_it),
        TEST(begin_enabled, a_one_shot_fires_once_and_not_early_however_time_passes),
        TEST(begin_enabled, a_period_is_told_once_however_time_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
