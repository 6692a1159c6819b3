/* The TSC measured by a model of the 8254's channel 2, on a processor that may be held up at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/cpu/port.h"
#include "cp/time/timer.h"
#include "tests/unit/fake/clock.h"

#define port_in8 fake_in8
#define port_out8 fake_out8
#define clock_now now_seen
#define clock_unix_us unix_us_seen
static uint8_t fake_in8(uint16_t port);
static void fake_out8(uint16_t port, uint8_t value);
uint64_t now_seen(void);
uint64_t unix_us_seen(void);
#include "cp/driver/clock.c"

enum { HZ = 2000000000, MS = HZ / 1000, ACCESS = 2000, SEEDS = 500 };

static uint64_t runs_until, ends;
static unsigned writes, counts, count;
static bool busy, broken;

/* On a busy host a processor runs for 1 to 8 ms and then waits for 1 to 30. */
static void time_passes(unsigned ticks)
{
    fake_now += ticks;
    if (busy && fake_now >= runs_until) {
        fake_now += MS + (uint64_t)(rand() % 29000) * (MS / 1000);
        runs_until = fake_now + MS + (uint64_t)(rand() % 7000) * (MS / 1000);
    }
}

static uint8_t fake_in8(uint16_t port)
{
    assert_int_equal(port, SPEAKER);
    time_passes(ACCESS);
    uint8_t value = !broken && fake_now >= ends ? OUT : 0;
    time_passes(ACCESS);
    return value;
}

static void fake_out8(uint16_t port, uint8_t value)
{
    time_passes(ACCESS);
    if (port == PIT_COMMAND) {
        assert_int_equal(value, PIT_ONE_SHOT_2);
        writes = 0;
        ends = UINT64_MAX;
    }
    if (port == PIT_CHANNEL2) {
        count = count >> 8 | (unsigned)value << 8;
        if (++writes == 2) {
            counts++;
            ends = fake_now + (uint64_t)count * HZ / PIT_HZ;
        }
    }
    time_passes(ACCESS);
}

uint64_t now_seen(void)
{
    time_passes(20);
    return fake_now;
}

static int begin(void **state)
{
    (void)state;
    fake_clock_reset(HZ);
    runs_until = counts = 0;
    busy = broken = false;
    return 0;
}

static void one_count_is_enough_where_nobody_is_held_up(void **state)
{
    (void)state;
    uint64_t hz = clock_measure_tsc();
    assert_in_range(hz, HZ - HZ / 1000, HZ + HZ / 1000);
    assert_int_equal(counts, 1);
}

static void however_often_cp_is_held_up_its_clock_is_right(void **state)
{
    unsigned again = 0;

    (void)state;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        begin(NULL);
        srand(seed);
        busy = true;
        uint64_t hz = clock_measure_tsc();
        assert_in_range(hz, HZ - HZ / 500, HZ + HZ / 500);
        assert_in_range(counts, 1, MEASURES);
        again += counts > 1;
    }
    assert_in_range(again, SEEDS / 2, SEEDS); /* the model does hold it up */
}

static void a_count_that_never_ends_is_not_tried_again(void **state)
{
    (void)state;
    broken = true;
    assert_true(clock_measure_tsc() > 0);
    assert_int_equal(counts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_count_is_enough_where_nobody_is_held_up, begin),
        cmocka_unit_test_setup(however_often_cp_is_held_up_its_clock_is_right, begin),
        cmocka_unit_test_setup(a_count_that_never_ends_is_not_tried_again, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
