#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/device/pit.h"
#include "tests/unit/fake/clock.h"

static struct bus bus;
static struct pit pit;
static struct pace pace;
static unsigned edges;
static bool line, taken;

static void set(void *context, unsigned gsi, bool level)
{
    (void)context;
    assert_int_equal(gsi, 0);
    edges += level && !line;
    line = level;
    if (level && taken)
        pace_taken(&pace);
}

static void out(uint16_t port, uint8_t value)
{
    bus_port_write(&bus, port, 1, value);
}

static uint8_t in(uint16_t port)
{
    return bus_port_read(&bus, port, 1);
}

static void load(unsigned channel, uint8_t control, uint16_t count)
{
    out(0x43, channel << 6 | 0x30 | control);
    out(0x40 + channel, count);
    out(0x40 + channel, count >> 8);
}

static uint16_t latched(unsigned channel)
{
    uint8_t low;

    out(0x43, channel << 6);
    low = in(0x40 + channel);
    return low | in(0x40 + channel) << 8;
}

static void clocks(uint64_t n)
{
    fake_clock_advance(n * 1000000000 / PIT_HZ);
}

static void changed(void *context) { (void)context; }

static int begin(void **state)
{
    (void)state;
    fake_clock_reset(2000000000);
    bus_init(&bus);
    pace_init(&pace, changed, NULL);
    pit_init(&pit, &bus, &(struct irq){.set = set, .gsi = 0}, &pace);
    edges = 0;
    line = false;
    taken = true;
    return 0;
}

static int end(void **state)
{
    (void)state;
    pit_free(&pit);
    pace_reset(&pace);
    return timer_next() == UINT64_MAX ? 0 : -1;
}

static void a_rate_generator_interrupts_at_its_rate_without_drift(void **state)
{
    (void)state;
    load(0, 0x4, 11932);
    edges = 0;
    fake_clock_advance(10000000000);
    assert_in_range(edges, 999, 1000); /* 99.998 Hz */
    assert_true(line);
}

static void a_square_wave_is_high_half_of_its_period(void **state)
{
    (void)state;
    out(0x61, 1);
    load(2, 0x6, 1000);
    assert_true(in(0x61) & 0x20);
    clocks(400);
    assert_true(in(0x61) & 0x20);
    assert_in_range(latched(2), 198, 204); /* two at a time */
    clocks(200);
    assert_false(in(0x61) & 0x20);
    clocks(500);
    assert_true(in(0x61) & 0x20);
}

static void a_terminal_count_raises_its_output_once(void **state)
{
    (void)state;
    load(0, 0x0, 1000);
    assert_false(line);
    clocks(990);
    assert_int_equal(edges, 0);
    clocks(20);
    assert_int_equal(edges, 1);
    assert_true(line);
    fake_clock_advance(1000000000);
    assert_int_equal(edges, 1);
    load(0, 0x0, 500);
    assert_false(line);
    clocks(510);
    assert_int_equal(edges, 2);
}

static void a_strobe_is_low_for_one_clock(void **state)
{
    (void)state;
    load(0, 0x8, 100);
    assert_true(line);
    edges = 0;
    clocks(99);
    assert_int_equal(edges, 0);
    clocks(5);
    assert_int_equal(edges, 1);
    clocks(70000);
    assert_int_equal(edges, 1);
}

/* how Linux, Xen and most others calibrate the TSC */
static void channel_2_measures_time_behind_its_gate(void **state)
{
    (void)state;
    out(0x61, 0);
    load(2, 0x0, 11932);
    fake_clock_advance(50000000);
    assert_false(in(0x61) & 0x20);
    assert_int_equal(latched(2), 11932);
    out(0x61, 1);
    clocks(11900);
    assert_false(in(0x61) & 0x20);
    clocks(40);
    assert_true(in(0x61) & 0x20);
    /* the gate stops it on the way too */
    load(2, 0x0, 1000);
    clocks(400);
    out(0x61, 0);
    clocks(5000);
    assert_in_range(latched(2), 599, 601);
    out(0x61, 1);
    clocks(590);
    assert_false(in(0x61) & 0x20);
    clocks(20);
    assert_true(in(0x61) & 0x20);
}

static void a_one_shot_waits_for_its_gate(void **state)
{
    (void)state;
    out(0x61, 0);
    load(2, 0x2, 100);
    assert_true(in(0x61) & 0x20);
    clocks(500);
    assert_true(in(0x61) & 0x20);
    out(0x61, 1);
    assert_false(in(0x61) & 0x20);
    clocks(50);
    out(0x61, 0), out(0x61, 1); /* triggered again: starts again */
    clocks(90);
    assert_false(in(0x61) & 0x20);
    clocks(20);
    assert_true(in(0x61) & 0x20);
}

static void half_a_count_of_two_bytes_takes_the_output_of_mode_0_down(void **state)
{
    (void)state;
    load(0, 0, 100);
    clocks(200);
    assert_int_equal(edges, 1);
    assert_true(line);
    out(0x40, 50);
    assert_false(line);
    clocks(100000);
    assert_int_equal(edges, 1);
    out(0x40, 0);
    clocks(51);
    assert_int_equal(edges, 2);
    /* nor does the gate begin a count of which half is missing */
    load(2, 0, 100);
    out(0x61, 1);
    clocks(200);
    assert_int_equal(in(0x61) & 0x20, 0x20);
    out(0x42, 50);
    assert_int_equal(in(0x61) & 0x20, 0);
    out(0x61, 0);
    out(0x61, 1);
    clocks(100000);
    assert_int_equal(in(0x61) & 0x20, 0);
    out(0x42, 0);
    clocks(51);
    assert_int_equal(in(0x61) & 0x20, 0x20);
}

static void status_has_the_mode_as_it_was_written(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 8; mode++) {
        out(0x43, 0xb0 | mode << 1);
        out(0x43, 0xe8);
        assert_int_equal(in(0x42) & 0x3f, 0x30 | mode << 1);
    }
}

static void counts_latch_until_read_whole(void **state)
{
    uint8_t low;

    (void)state;
    load(0, 0x4, 60000);
    clocks(1000);
    out(0x43, 0x00);
    clocks(5000);
    out(0x43, 0x00); /* a second latch before the first was read is nothing */
    low = in(0x40);
    assert_in_range(low | in(0x40) << 8, 58999, 59001);
    low = in(0x40);
    assert_in_range(low | in(0x40) << 8, 53999, 54001);
}

static void read_back_latches_status_and_counts_of_several(void **state)
{
    uint8_t low;

    (void)state;
    load(0, 0x4, 1000);
    out(0x43, 0xb6); /* channel 2, no count yet */
    out(0x43, 0xc0 | 0x0a); /* status and count of 0 and 2 */
    assert_int_equal(in(0x40), 0xb4);
    low = in(0x40);
    assert_in_range(low | in(0x40) << 8, 998, 1000);
    assert_int_equal(in(0x42) & 0x7f, 0x76); /* null count */
    out(0x43, 0xe0 | 0x02); /* status only */
    assert_int_equal(in(0x40), 0xb4);
}

static void bytes_are_written_and_read_as_the_control_word_says(void **state)
{
    (void)state;
    out(0x43, 0x14); /* low byte only, mode 2 */
    out(0x40, 100);
    clocks(10);
    assert_in_range(in(0x40), 89, 91);
    out(0x43, 0x24); /* high byte only */
    out(0x40, 0x10);
    clocks(0x10);
    assert_int_equal(in(0x40), 0x0f);
    assert_int_equal(in(0x40), 0x0f);
}

static void bcd_counts_in_decimals(void **state)
{
    (void)state;
    load(0, 0x5, 0x1000);
    clocks(2);
    assert_in_range(latched(0), 0x998, 0x999);
    load(0, 0x1, 0xffff); /* no digits: as the sum comes out, without harm */
    latched(0);
    load(0, 0x1, 0);
    clocks(2);
    assert_in_range(latched(0), 0x9998, 0x9999);
}

static void a_new_count_takes_over_at_the_period_s_end(void **state)
{
    (void)state;
    load(0, 0x4, 1000);
    edges = 0;
    clocks(2500);
    assert_int_equal(edges, 2);
    out(0x40, 100), out(0x40, 0);
    clocks(450);
    assert_int_equal(edges, 2);
    clocks(60);
    assert_int_equal(edges, 3);
    clocks(1000);
    assert_int_equal(edges, 13);
}

static void zero_is_65536_and_the_shortest_period_does_not_flood(void **state)
{
    (void)state;
    load(0, 0x4, 0);
    edges = 0;
    fake_clock_advance(1000000000);
    assert_int_equal(edges, 18); /* 18.2 Hz */
    load(0, 0x4, 1);
    edges = 0;
    fake_clock_advance(100000000);
    assert_in_range(edges, 1, 5000);
}

/* Its floor is behind the last tick, not behind the programming; and what nobody took before says nothing now. */
static void a_timer_programmed_anew_ticks_at_its_own_first_edge(void **state)
{
    (void)state;
    pace.cost = clock_ticks(10000000);
    taken = false;
    load(0, 0x4, 100);
    edges = 0; /* mode 2 begins with OUT high */
    clocks(101);
    assert_int_equal(edges, 1);
    out(0x43, 0x34); /* stops */
    fake_clock_advance(31000000); /* (1 + PACE_REST) times 10 ms and one more: fewer than PACE_UNTAKEN */
    load(0, 0x4, 100);
    edges = 0;
    clocks(102);
    assert_int_equal(edges, 1);
    clocks(200);
    assert_int_equal(edges, 1);
}

static void port_61_shows_refresh_and_keeps_the_speaker(void **state)
{
    uint8_t first;

    (void)state;
    out(0x61, 3);
    first = in(0x61);
    assert_int_equal(first & 3, 3);
    assert_int_equal((first ^ in(0x61)) & 0x10, 0x10);
}

/* Looking at the clock takes time, on some machine at some look as long as the count: the edge
 * falls between any two of them. */
static void an_edge_is_told_whenever_it_falls_while_the_guest_s_write_is_done(void **state)
{
    enum { TERMINAL_COUNT = 0x0, RATE = 0x4, SQUARE = 0x6, STROBE = 0x8 };
    static const uint8_t modes[] = {TERMINAL_COUNT, RATE, SQUARE, STROBE};

    (void)state;
    for (unsigned m = 0; m < sizeof modes; m++) {
        for (uint64_t tick = 1; tick < 4000000; tick += tick / 16 + 1) {
            fake_clock_tick = tick;
            load(0, modes[m], 1000); /* 838 us, 1,676,000 ticks */
            fake_clock_tick = 0;
            edges = 0;
            clocks(2500);
            assert_true(modes[m] == RATE || modes[m] == SQUARE ? edges >= 2 : edges == 1);
        }
    }
}

/* However long the processor is away between any two looks. */
static void an_edge_is_told_once_and_not_early_however_time_passes(void **state)
{
    enum { TERMINAL_COUNT = 0x0, STROBE = 0x8, RATE = 0x4 };
    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        uint16_t count = (uint16_t)(2 + i * 7 % 2000);
        bool once = i % 3;
        uint8_t mode = i % 3 == 1 ? TERMINAL_COUNT : once ? STROBE : RATE;
        fake_clock_away = 0;
        load(0, mode, count);
        uint64_t begun = fake_now;
        fake_clock_away = i % 4 * 1000000;
        load(0, mode, count);
        edges = 0;
        for (unsigned looks = 0; looks < 4; looks++) {
            latched(0);
            out(0x43, 0xc2); /* read back: status and count */
            in(0x40), in(0x40), in(0x40);
            assert_true(clock_scale(fake_now - begun, PIT_HZ, clock_hz) + 1 >= (uint64_t)edges * count);
        }
        fake_clock_away = 0;
        clocks(3 * count + 100);
        assert_true(once ? edges == 1 : edges >= 2);
    }
}

/* The edge of a timer that is too fast to look at each is told before what is written next. */
static void an_edge_that_has_passed_is_told_though_the_look_at_it_is_later(void **state)
{
    (void)state;
    load(0, 0x4, 6); /* 5 us */
    clocks(100);
    edges = 0;
    fake_now += 14 * 1000 * 2;
    out(0x43, 0x30);
    assert_int_equal(edges, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rate_generator_interrupts_at_its_rate_without_drift),
        TEST(a_square_wave_is_high_half_of_its_period),
        TEST(a_terminal_count_raises_its_output_once),
        TEST(a_strobe_is_low_for_one_clock),
        TEST(channel_2_measures_time_behind_its_gate),
        TEST(a_one_shot_waits_for_its_gate),
        TEST(half_a_count_of_two_bytes_takes_the_output_of_mode_0_down),
        TEST(status_has_the_mode_as_it_was_written),
        TEST(counts_latch_until_read_whole),
        TEST(read_back_latches_status_and_counts_of_several),
        TEST(bytes_are_written_and_read_as_the_control_word_says),
        TEST(bcd_counts_in_decimals),
        TEST(a_new_count_takes_over_at_the_period_s_end),
        TEST(zero_is_65536_and_the_shortest_period_does_not_flood),
        TEST(a_timer_programmed_anew_ticks_at_its_own_first_edge),
        TEST(port_61_shows_refresh_and_keeps_the_speaker),
        TEST(an_edge_is_told_whenever_it_falls_while_the_guest_s_write_is_done),
        TEST(an_edge_is_told_once_and_not_early_however_time_passes),
        TEST(an_edge_that_has_passed_is_told_though_the_look_at_it_is_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
