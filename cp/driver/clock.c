#include "cp/driver/clock.h"

#include <stdbool.h>

#include "cp/cpu/port.h"
#include "cp/time/timer.h"

enum { PIT_HZ = 1193182, PIT_CHANNEL2 = 0x42, PIT_COMMAND = 0x43, PIT_ONE_SHOT_2 = 0xB0, SPEAKER = 0x61, GATE = 1,
       OUT = 0x20, LONGEST = PIT_HZ / 100, LENGTHS = 3, MEASURES = 32, PRECISION = 512, POLLS = 10000000 };
enum { CMOS_INDEX = 0x70, CMOS_DATA = 0x71, NMI_OFF = 0x80, STATUS_A = 10, STATUS_B = 11, UPDATING = 0x80, BINARY = 4,
       HOURS_24 = 2, CENTURY = 0x32, TRIES = 10 };

struct calendar_time {
    uint8_t second, minute, hour, day, month, year, century;
};

static uint64_t boot_unix_us, boot_tsc;

/* What the TSC's frequency is at least and at most: whoever reads it may be held up before, between and after. */
struct measure {
    uint64_t least, most; /* Hz */
};

static struct measure measured(uint64_t least, uint64_t most, uint32_t count)
{
    return (struct measure){least * PIT_HZ / count, most * PIT_HZ / count};
}

/* False: the count never ended. */
static bool measure_once(uint32_t count, struct measure *m)
{
    port_out8(SPEAKER, (port_in8(SPEAKER) & ~2) | GATE);
    port_out8(PIT_COMMAND, PIT_ONE_SHOT_2);
    port_out8(PIT_CHANNEL2, (uint8_t)count);
    uint64_t before = clock_now();
    port_out8(PIT_CHANNEL2, (uint8_t)(count >> 8)); /* now it counts */
    uint64_t begun = clock_now(), counting = begun;
    for (unsigned i = 0; i < POLLS; i++) {
        uint64_t asked = clock_now();
        if (port_in8(SPEAKER) & OUT) {
            *m = measured(counting - begun, clock_now() - before, count);
            return true;
        }
        counting = asked;
    }
    *m = measured(counting - begun, counting - before, count);
    return false;
}

uint64_t clock_measure_tsc(void)
{
    struct measure all, m;
    bool ended = measure_once(LONGEST, &all);

    for (unsigned i = 1; ended && i < MEASURES && all.most > all.least + all.least / PRECISION; i++) {
        ended = measure_once(LONGEST >> i % LENGTHS, &m);
        if (ended && m.least > all.least)
            all.least = m.least;
        if (ended && m.most < all.most)
            all.most = m.most;
    }
    uint64_t hz = (all.least + all.most) / 2;
    return hz ? hz : 1;
}

static uint8_t cmos_read(uint8_t index)
{
    port_out8(CMOS_INDEX, NMI_OFF | index);
    return port_in8(CMOS_DATA);
}

static struct calendar_time cmos_time(void)
{
    for (unsigned i = 0; i < POLLS && (cmos_read(STATUS_A) & UPDATING); i++)
        ;
    return (struct calendar_time){cmos_read(0), cmos_read(2), cmos_read(4), cmos_read(7), cmos_read(8), cmos_read(9),
                                  cmos_read(CENTURY)};
}

static unsigned plain(uint8_t value, bool binary)
{
    return binary ? value : (value >> 4) * 10u + (value & 15);
}

/* Days from 1970-01-01 to the first of the month, by the calendar's 400-year cycle with years that begin in March. */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + (int64_t)(of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

static uint64_t unix_seconds(const struct calendar_time *t, uint8_t status_b)
{
    bool binary = status_b & BINARY;
    unsigned hour = plain(t->hour & 0x7F, binary), month = plain(t->month, binary);

    if (!(status_b & HOURS_24))
        hour = hour % 12 + (t->hour & 0x80 ? 12 : 0);
    unsigned century = plain(t->century, binary);
    int64_t year = (century >= 19 && century <= 21 ? century : 20) * 100 + plain(t->year, binary);
    if (month < 1 || month > 12)
        return 0;
    int64_t days = days_from_civil(year, month, plain(t->day, binary));
    return (uint64_t)days * 86400 + hour * 3600 + plain(t->minute, binary) * 60 + plain(t->second, binary);
}

static bool same(const struct calendar_time *a, const struct calendar_time *b)
{
    return a->second == b->second && a->minute == b->minute && a->hour == b->hour && a->day == b->day;
}

/* Read twice alike: no update came in between. */
static uint64_t cmos_unix_seconds(void)
{
    struct calendar_time first = cmos_time(), second = cmos_time();

    for (unsigned i = 0; i < TRIES && !same(&first, &second); i++)
        first = second, second = cmos_time();
    return unix_seconds(&second, cmos_read(STATUS_B));
}

void clock_start(uint64_t tsc_hz)
{
    clock_hz = tsc_hz;
    boot_unix_us = cmos_unix_seconds() * 1000000;
    boot_tsc = clock_now();
}

uint64_t clock_unix_us(void)
{
    return boot_unix_us + clock_ns(clock_now() - boot_tsc) / 1000;
}
