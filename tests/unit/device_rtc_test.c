#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/device/rtc.h"
#include "cp/time/calendar.h"
#include "tests/unit/fake/clock.h"

enum { SECOND = 1000000000, GIB = 1 << 30 };
enum {
    REG_A = 10,
    REG_B,
    REG_C,
    REG_D,
    CENTURY = 0x32,
    SET = 0x80,
    PIE = 0x40,
    AIE = 0x20,
    UIE = 0x10,
    BINARY = 4,
    H24 = 2
};

static struct bus bus;
static struct rtc rtc;
static struct pace pace;
static unsigned edges;
static bool line;

static void set(void *context, unsigned gsi, bool level)
{
    (void)context;
    assert_int_equal(gsi, 8);
    edges += level && !line;
    line = level;
}

static void store(uint8_t reg, uint8_t value)
{
    bus_port_write(&bus, 0x70, 1, reg);
    bus_port_write(&bus, 0x71, 1, value);
}

static uint8_t load(uint8_t reg)
{
    bus_port_write(&bus, 0x70, 1, reg);
    return bus_port_read(&bus, 0x71, 1);
}

static void assert_time(uint8_t century, uint8_t year, uint8_t month, uint8_t day, uint8_t hour, uint8_t minute,
                        uint8_t second)
{
    assert_int_equal(load(CENTURY), century);
    assert_int_equal(load(9), year);
    assert_int_equal(load(8), month);
    assert_int_equal(load(7), day);
    assert_int_equal(load(4), hour);
    assert_int_equal(load(2), minute);
    assert_int_equal(load(0), second);
}

static void changed(void *context) { (void)context; }

/* 2024-02-28 23:59:58 UTC, a Wednesday */
static int begin(void **state)
{
    (void)state;
    fake_clock_reset(1500000000);
    fake_unix_us = UINT64_C(1709164798) * 1000000;
    bus_init(&bus);
    pace_init(&pace, changed, NULL);
    rtc_init(&rtc, &bus, &(struct irq){.set = set, .gsi = 8}, &pace, GIB);
    edges = 0;
    line = false;
    return 0;
}

static int end(void **state)
{
    (void)state;
    rtc_free(&rtc);
    pace_reset(&pace);
    return timer_next() == UINT64_MAX ? 0 : -1;
}

static void dates_and_days_are_inverse(void **state)
{
    (void)state;
    assert_int_equal(calendar_day(&(struct calendar_date){1970, 1, 1, 0}), CALENDAR_UNIX_EPOCH);
    for (uint32_t day = calendar_day(&(struct calendar_date){0, 1, 1, 0}); day <= 4518000; day += 7) {
        struct calendar_date date = calendar_date(day);

        if (date.year <= 9999)
            assert_int_equal(calendar_day(&date), day);
    }
    assert_int_equal(calendar_date(CALENDAR_UNIX_EPOCH).weekday, 4);
}

static void it_tells_the_wall_clock_s_time_in_bcd(void **state)
{
    (void)state;
    assert_time(0x20, 0x24, 0x02, 0x28, 0x23, 0x59, 0x58);
    assert_int_equal(load(6), 4);
    fake_clock_advance(UINT64_C(3) * SECOND);
    assert_time(0x20, 0x24, 0x02, 0x29, 0x00, 0x00, 0x01);
    assert_int_equal(load(6), 5);
    assert_int_equal(load(REG_D), 0x80);
}

static void it_tells_binary_and_twelve_hours_when_asked(void **state)
{
    (void)state;
    store(REG_B, BINARY | H24);
    assert_time(20, 24, 2, 28, 23, 59, 58);
    store(REG_B, BINARY);
    assert_int_equal(load(4), 0x80 | 11);
    store(REG_B, 0);
    assert_int_equal(load(4), 0x91);
    fake_clock_advance(UINT64_C(2) * SECOND);
    assert_int_equal(load(4), 0x12); /* midnight is 12 AM */
    fake_clock_advance(UINT64_C(12) * 3600 * SECOND);
    assert_int_equal(load(4), 0x92);
}

static void a_time_that_is_set_goes_on_from_there(void **state)
{
    (void)state;
    store(REG_B, SET | H24);
    store(0, 0x30), store(2, 0x45), store(4, 0x06), store(7, 0x31), store(8, 0x12), store(9, 0x99),
        store(CENTURY, 0x19);
    fake_clock_advance(UINT64_C(100) * SECOND);
    assert_time(0x19, 0x99, 0x12, 0x31, 0x06, 0x45, 0x30); /* stands still */
    store(REG_B, H24);
    fake_clock_advance(UINT64_C(10) * SECOND);
    assert_time(0x19, 0x99, 0x12, 0x31, 0x06, 0x45, 0x40);
    store(4, 0x23); /* without SET */
    assert_time(0x19, 0x99, 0x12, 0x31, 0x23, 0x45, 0x40);
    fake_clock_advance(UINT64_C(1000) * SECOND);
    assert_time(0x20, 0x00, 0x01, 0x01, 0x00, 0x02, 0x20);
    rtc_reset(&rtc, GIB);
    assert_time(0x20, 0x00, 0x01, 0x01, 0x00, 0x02, 0x20); /* the battery keeps it */
}

static void registers_may_hold_rubbish(void **state)
{
    (void)state;
    store(REG_B, SET | H24);
    for (unsigned reg = 0; reg < 10; reg++)
        store(reg, 0xff);
    store(CENTURY, 0xff);
    store(REG_B, H24);
    load(8);
    store(8, 0);
    store(7, 0);
    assert_int_equal(load(8), 1);
    assert_int_equal(load(7), 1);
}

static void a_divider_in_reset_stops_the_clock_for_half_a_second_more(void **state)
{
    (void)state;
    store(REG_A, 0x70 | 6);
    fake_clock_advance(UINT64_C(5) * SECOND);
    assert_int_equal(load(0), 0x58);
    store(REG_A, 0x26);
    fake_clock_advance(SECOND / 2 + 1000000);
    assert_int_equal(load(0), 0x59);
}

static void update_in_progress_shows_right_before_the_second(void **state)
{
    (void)state;
    assert_int_equal(load(REG_A) & 0x80, 0);
    fake_clock_advance(SECOND - 200000);
    assert_int_equal(load(REG_A) & 0x80, 0x80);
    fake_clock_advance(300000);
    assert_int_equal(load(REG_A) & 0x80, 0);
}

static void updates_interrupt_once_a_second_when_acknowledged(void **state)
{
    (void)state;
    assert_int_equal(timer_next(), UINT64_MAX);
    store(REG_B, UIE | H24);
    fake_clock_advance(1000);
    for (unsigned i = 0; i < 10; i++) {
        fake_clock_advance(SECOND);
        assert_true(line);
        assert_int_equal(load(REG_C) & 0x90, 0x90);
        assert_false(line);
    }
    assert_int_equal(edges, 10);
    fake_clock_advance(UINT64_C(5) * SECOND); /* nobody reads C: one interrupt, then no timer */
    assert_int_equal(edges, 11);
    assert_int_equal(timer_next(), UINT64_MAX);
    store(REG_B, H24);
    assert_false(line);
}

static void the_periodic_interrupt_comes_at_its_rate(void **state)
{
    unsigned count = 0;

    (void)state;
    store(REG_B, PIE | H24);
    for (unsigned i = 0; i < 10000; i++) {
        fake_clock_advance(SECOND / 10000);
        if (load(REG_C) & 0x80)
            count++;
    }
    assert_in_range(count, 1022, 1025);
    store(REG_A, 0x20);
    load(REG_C);
    assert_int_equal(timer_next(), UINT64_MAX);
}

static void periods_go_on_while_the_time_is_set(void **state)
{
    (void)state;
    store(REG_B, SET | PIE | AIE | H24);
    for (unsigned reg = 1; reg < 6; reg += 2)
        store(reg, 0xff);
    for (unsigned i = 0; i < 2048; i++) {
        fake_clock_advance(SECOND / 1024);
        load(REG_C);
    }
    assert_in_range(edges, 2046, 2049);
    fake_clock_advance(2 * (uint64_t)SECOND);
    assert_int_equal(load(REG_C), 0x80 | PIE); /* no update, no alarm */
    assert_time(0x20, 0x24, 2, 0x28, 0x23, 0x59, 0x58);
    store(REG_B, PIE | H24);
    fake_clock_advance(SECOND);
    assert_time(0x20, 0x24, 2, 0x28, 0x23, 0x59, 0x59);
}

static void flags_rise_without_interrupts_too(void **state)
{
    (void)state;
    load(REG_C);
    assert_int_equal(load(REG_C), 0);
    fake_clock_advance(SECOND);
    assert_int_equal(load(REG_C), 0x50);
    assert_int_equal(edges, 0);
}

static void an_alarm_matches_its_registers_or_any(void **state)
{
    (void)state;
    store(1, 0x05), store(3, 0x00), store(5, 0xc0); /* five seconds past any hour */
    store(REG_B, AIE | H24);
    fake_clock_advance(UINT64_C(6) * SECOND);
    assert_false(line);
    fake_clock_advance(UINT64_C(2) * SECOND);
    assert_true(line);
    assert_int_equal(load(REG_C) & 0xa0, 0xa0);
    fake_clock_advance(UINT64_C(3598) * SECOND);
    assert_false(line);
    fake_clock_advance(UINT64_C(3) * SECOND);
    assert_true(line);
    load(REG_C);
    store(1, 0x75); /* never */
    fake_clock_advance(UINT64_C(3) * 86400 * SECOND);
    assert_false(line);
    assert_int_equal(timer_next(), UINT64_MAX);
}

static void cmos_tells_how_much_storage_there_is(void **state)
{
    (void)state;
    assert_int_equal(load(0x15) | load(0x16) << 8, 640);
    assert_int_equal(load(0x17) | load(0x18) << 8, 0xffff);
    assert_int_equal(load(0x30) | load(0x31) << 8, 0xffff);
    assert_int_equal(load(0x34) | load(0x35) << 8, (GIB - (16 << 20)) / 65536);
    rtc_reset(&rtc, UINT64_C(5) * GIB);
    assert_int_equal(load(0x34) | load(0x35) << 8, 0xc0000000u / 65536 - 256);
    assert_int_equal(load(0x5b) | load(0x5c) << 8 | load(0x5d) << 16, 2 * (GIB / 65536));
    rtc_reset(&rtc, 4 << 20);
    assert_int_equal(load(0x17) | load(0x18) << 8, 3072);
    assert_int_equal(load(0x34) | load(0x35) << 8, 0);
    assert_int_equal(load(0x5b), 0);
}

static void other_cmos_bytes_are_memory_and_the_index_port_holds_the_nmi_mask(void **state)
{
    (void)state;
    store(0x7f, 0xa5);
    assert_int_equal(load(0xff), 0xa5);
    assert_true(rtc.nmi_masked);
    assert_int_equal(load(0x7f), 0xa5);
    assert_false(rtc.nmi_masked);
    store(REG_C, 0xff), store(REG_D, 0);
    assert_int_equal(load(REG_D), 0x80);
}

/* However long the processor is away between any two looks: the second that passed is told, and what is written takes
 * none away. */
static void no_second_is_lost_while_registers_are_written_however_time_passes(void **state)
{
    int64_t offset = rtc.offset_us;
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        fake_clock_away = i % 4 * (clock_hz / 3);
        load(REG_C);
        uint8_t before = load(0), year = load(9);
        store(9, year); /* the same, so that the time is */
        uint8_t after = load(0);
        fake_clock_away = 0;
        assert_true(before == after || load(REG_C) & UIE);
        assert_true(rtc.offset_us == offset);
    }
}

static void an_interrupt_of_the_next_second_is_not_late_by_what_passes_while_it_is_armed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        fake_clock_away = clock_hz / 4;
        load(REG_C);
        store(REG_B, UIE | H24);
        fake_clock_away = 0;
        uint64_t us = clock_unix_us() % 1000000;
        assert_true(line || timer_next() <= fake_now + clock_ticks((1000000 - us) * 1000) + clock_hz / 100000);
        store(REG_B, H24);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dates_and_days_are_inverse),
        TEST(it_tells_the_wall_clock_s_time_in_bcd),
        TEST(it_tells_binary_and_twelve_hours_when_asked),
        TEST(a_time_that_is_set_goes_on_from_there),
        TEST(registers_may_hold_rubbish),
        TEST(a_divider_in_reset_stops_the_clock_for_half_a_second_more),
        TEST(update_in_progress_shows_right_before_the_second),
        TEST(updates_interrupt_once_a_second_when_acknowledged),
        TEST(the_periodic_interrupt_comes_at_its_rate),
        TEST(periods_go_on_while_the_time_is_set),
        TEST(flags_rise_without_interrupts_too),
        TEST(an_alarm_matches_its_registers_or_any),
        TEST(cmos_tells_how_much_storage_there_is),
        TEST(other_cmos_bytes_are_memory_and_the_index_port_holds_the_nmi_mask),
        TEST(no_second_is_lost_while_registers_are_written_however_time_passes),
        TEST(an_interrupt_of_the_next_second_is_not_late_by_what_passes_while_it_is_armed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
