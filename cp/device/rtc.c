/* The MC146818's registers (Motorola MC146818A data sheet) over a time that is computed. Guest time is kept in
 * microseconds of the calendar of calendar.h; the clock stops while SET or a divider held in reset says so, and then
 * the registers hold the time. */
#include "cp/device/rtc.h"

#include <string.h>

#include "cp/storage/guest.h"
#include "cp/time/calendar.h"

enum { PORT_INDEX = 0x70, PORT_DATA = 0x71 };
enum {
    SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR,
    REG_A, REG_B, REG_C, REG_D, CENTURY = 0x32
};
enum { A_UPDATING = 0x80, A_DIVIDER_RESET = 0x60, A_RATE = 0x0f };
enum { B_SET = 0x80, B_PERIODIC = 0x40, B_ALARM = 0x20, B_UPDATE = 0x10, B_BINARY = 0x04, B_24_HOURS = 0x02 };
enum { FLAGS = B_PERIODIC | B_ALARM | B_UPDATE /* of C; their enable bits in B are the same */, C_INTERRUPT = 0x80 };
enum { HOUR_PM = 0x80, ANY_ALARM = 0xc0, D_BATTERY_GOOD = 0x80 };
enum { DAY_SECONDS = 86400, UPDATE_WARNING_US = 244, CRYSTAL_HZ = 32768, US = 1000000 };

static const uint64_t NEVER = UINT64_MAX;

static bool divider_held(const struct rtc *rtc)
{
    return (rtc->cmos[REG_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

/* SET keeps the time from being updated; what the divider does besides, the periods, goes on. */
static bool stopped(const struct rtc *rtc)
{
    return (rtc->cmos[REG_B] & B_SET) || divider_held(rtc);
}

static uint64_t now_us(const struct rtc *rtc)
{
    return clock_unix_us() + (uint64_t)rtc->offset_us;
}

static uint8_t encode(const struct rtc *rtc, unsigned value)
{
    return rtc->cmos[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10;
}

static unsigned decode(const struct rtc *rtc, uint8_t value)
{
    return rtc->cmos[REG_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 0xf);
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned hour)
{
    if (rtc->cmos[REG_B] & B_24_HOURS)
        return encode(rtc, hour);
    return encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned decode_hour(const struct rtc *rtc, uint8_t value)
{
    if (rtc->cmos[REG_B] & B_24_HOURS)
        return decode(rtc, value) % 24;
    return decode(rtc, value & 0x7f) % 12 + (value & HOUR_PM ? 12 : 0);
}

static void time_to_registers(struct rtc *rtc, uint64_t us)
{
    uint64_t seconds = us / US, of_day = seconds % DAY_SECONDS;
    struct calendar_date date = calendar_date(seconds / DAY_SECONDS);

    rtc->cmos[SECONDS] = encode(rtc, of_day % 60);
    rtc->cmos[MINUTES] = encode(rtc, of_day / 60 % 60);
    rtc->cmos[HOURS] = encode_hour(rtc, of_day / 3600);
    rtc->cmos[WEEKDAY] = encode(rtc, date.weekday + 1);
    rtc->cmos[DAY] = encode(rtc, date.day);
    rtc->cmos[MONTH] = encode(rtc, date.month);
    rtc->cmos[YEAR] = encode(rtc, date.year % 100);
    rtc->cmos[CENTURY] = encode(rtc, date.year / 100 % 100);
}

static unsigned between(unsigned value, unsigned low, unsigned high)
{
    return value < low ? low : value > high ? high : value;
}

/* Registers may hold anything: what is no time of day becomes one. */
static uint64_t registers_to_time(const struct rtc *rtc)
{
    const uint8_t *cmos = rtc->cmos;
    const struct calendar_date date = {
        .year = decode(rtc, cmos[CENTURY]) % 100 * 100 + decode(rtc, cmos[YEAR]) % 100,
        .month = between(decode(rtc, cmos[MONTH]), 1, 12), .day = between(decode(rtc, cmos[DAY]), 1, 31),
    };
    uint64_t of_day = decode_hour(rtc, cmos[HOURS]) * 3600u + decode(rtc, cmos[MINUTES]) % 60 * 60 +
                      decode(rtc, cmos[SECONDS]) % 60;

    return ((uint64_t)calendar_day(&date) * DAY_SECONDS + of_day) * US;
}

static void set_time(struct rtc *rtc, uint64_t us)
{
    rtc->offset_us = (int64_t)(us - clock_unix_us());
    rtc->seen_us = us;
}

static bool alarm_allows(const struct rtc *rtc, unsigned reg, uint8_t encoded)
{
    return (rtc->cmos[reg] & ANY_ALARM) == ANY_ALARM || rtc->cmos[reg] == encoded;
}

/* Alarm registers that hold no valid time never match; asking this first keeps the search below short. */
static bool alarm_possible(const struct rtc *rtc)
{
    bool hour = false, minute = false, second = false;

    for (unsigned i = 0; i < 60; i++) {
        hour |= i < 24 && alarm_allows(rtc, HOURS_ALARM, encode_hour(rtc, i));
        minute |= alarm_allows(rtc, MINUTES_ALARM, encode(rtc, i));
        second |= alarm_allows(rtc, SECONDS_ALARM, encode(rtc, i));
    }
    return hour && minute && second;
}

/* The first second >= `second` that the alarm registers match, by leaps over hours and minutes that do not. */
static uint64_t next_alarm(const struct rtc *rtc, uint64_t second)
{
    if (!alarm_possible(rtc))
        return NEVER;
    for (;;) {
        unsigned of_day = second % DAY_SECONDS;

        if (!alarm_allows(rtc, HOURS_ALARM, encode_hour(rtc, of_day / 3600)))
            second += 3600 - of_day % 3600;
        else if (!alarm_allows(rtc, MINUTES_ALARM, encode(rtc, of_day / 60 % 60)))
            second += 60 - of_day % 60;
        else if (!alarm_allows(rtc, SECONDS_ALARM, encode(rtc, of_day % 60)))
            second++;
        else
            return second;
    }
}

/* Periods are 2^shift of the crystal's; -1: none. */
static int period_shift(const struct rtc *rtc)
{
    unsigned rate = rtc->cmos[REG_A] & A_RATE;

    return !rate ? -1 : rate <= 2 ? (int)rate + 6 : (int)rate - 1;
}

static uint64_t period_number(const struct rtc *rtc, uint64_t us)
{
    return clock_scale(us, CRYSTAL_HZ, US) >> period_shift(rtc);
}

/* Raises the flags of what happened since somebody last looked. */
static void catch_up(struct rtc *rtc)
{
    uint64_t now, seen = rtc->seen_us;

    if (divider_held(rtc))
        return;
    now = now_us(rtc);
    if (now <= seen) { /* the wall clock was set back: nothing happened */
        rtc->seen_us = now;
        return;
    }
    if (period_shift(rtc) >= 0 && period_number(rtc, now) != period_number(rtc, seen))
        rtc->flags |= B_PERIODIC;
    if (!stopped(rtc) && now / US != seen / US) {
        rtc->flags |= B_UPDATE;
        if (next_alarm(rtc, seen / US + 1) <= now / US)
            rtc->flags |= B_ALARM;
    }
    rtc->seen_us = now;
}

/* When the next flag is set that causes an interrupt. One that is set already causes none until register C is read. */
static uint64_t next_event_us(const struct rtc *rtc)
{
    uint8_t possible = stopped(rtc) ? B_PERIODIC : FLAGS, wanted = rtc->cmos[REG_B] & possible & ~rtc->flags;
    uint64_t now = rtc->seen_us, at = NEVER, second;

    if ((wanted & B_PERIODIC) && period_shift(rtc) >= 0)
        at = clock_scale((period_number(rtc, now) + 1) << period_shift(rtc), US, CRYSTAL_HZ) + 1;
    if (wanted & B_UPDATE && at > (now / US + 1) * US)
        at = (now / US + 1) * US;
    if (wanted & B_ALARM) {
        second = next_alarm(rtc, now / US + 1);
        if (second != NEVER && at > second * US)
            at = second * US;
    }
    return at;
}

static void update(struct rtc *rtc)
{
    uint64_t at, before = clock_now(); /* rather early, which is nothing, than late by what passes meanwhile */

    catch_up(rtc);
    irq_set(&rtc->irq, rtc->flags & rtc->cmos[REG_B] & FLAGS);
    timer_cancel(&rtc->timer);
    if (divider_held(rtc) || !(rtc->cmos[REG_B] & FLAGS & ~rtc->flags))
        return;
    at = next_event_us(rtc);
    if (at != NEVER)
        timer_arm(&rtc->timer, before + clock_ticks((at - rtc->seen_us) * 1000) + 1);
}

static void expire(struct timer *timer)
{
    struct rtc *rtc = timer->owner;

    pace_tick(rtc->pace);
    update(rtc);
    pace_ticked(rtc->pace);
}

static bool is_time(unsigned index)
{
    return index == CENTURY ||
           (index <= YEAR && index != SECONDS_ALARM && index != MINUTES_ALARM && index != HOURS_ALARM);
}

static uint8_t read_flags(struct rtc *rtc)
{
    uint8_t value;

    catch_up(rtc);
    value = rtc->flags | (rtc->flags & rtc->cmos[REG_B] & FLAGS ? C_INTERRUPT : 0);
    rtc->flags = 0;
    update(rtc);
    return value;
}

static uint8_t read_a(const struct rtc *rtc)
{
    bool updating = !stopped(rtc) && now_us(rtc) % US >= US - UPDATE_WARNING_US;

    return rtc->cmos[REG_A] | (updating ? A_UPDATING : 0);
}

static uint8_t read_register(struct rtc *rtc, unsigned index)
{
    switch (index) {
    case REG_A: return read_a(rtc);
    case REG_C: return read_flags(rtc);
    case REG_D: return D_BATTERY_GOOD;
    }
    if (is_time(index) && !stopped(rtc))
        time_to_registers(rtc, now_us(rtc));
    return rtc->cmos[index];
}

/* The clock starts from what the registers hold; a divider that was held in reset makes its first update after half a
 * second. */
static void write_control(struct rtc *rtc, unsigned index, uint8_t value)
{
    bool was_stopped = stopped(rtc), was_reset = (rtc->cmos[REG_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
    uint64_t begin;

    if (!was_stopped)
        time_to_registers(rtc, rtc->seen_us);
    begin = registers_to_time(rtc) + (was_reset ? US / 2 : 0);
    rtc->cmos[index] = value;
    if (was_stopped && !stopped(rtc))
        set_time(rtc, begin);
}

static void write_time(struct rtc *rtc, unsigned index, uint8_t value)
{
    bool runs = !stopped(rtc);
    uint64_t now = rtc->seen_us;

    if (runs)
        time_to_registers(rtc, now);
    rtc->cmos[index] = value;
    if (!runs)
        return;
    rtc->seen_us = registers_to_time(rtc) + now % US;
    rtc->offset_us += (int64_t)(rtc->seen_us - now);
}

static void write_register(struct rtc *rtc, unsigned index, uint8_t value)
{
    catch_up(rtc);
    if (index == REG_A)
        write_control(rtc, index, value & ~A_UPDATING);
    else if (index == REG_B) /* SET takes the update interrupt's enable with it */
        write_control(rtc, index, value & B_SET ? value & ~B_UPDATE : value);
    else if (is_time(index))
        write_time(rtc, index, value);
    else if (index != REG_C && index != REG_D)
        rtc->cmos[index] = value;
    update(rtc);
}

static uint32_t port_read(void *device, uint16_t port, unsigned size)
{
    struct rtc *rtc = device;

    (void)size;
    return port == PORT_INDEX ? 0xff : read_register(rtc, rtc->index);
}

static void port_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct rtc *rtc = device;

    (void)size;
    if (port == PORT_DATA) {
        write_register(rtc, rtc->index, value);
        return;
    }
    rtc->index = value & 0x7f;
    rtc->nmi_masked = value & 0x80;
}

static void put(struct rtc *rtc, unsigned index, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        rtc->cmos[index + i] = value >> 8 * i;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

/* What a PC's firmware finds in CMOS: sizes in KiB from 1 MiB, and in 64 KiB from 16 MiB and from 4 GiB; the equipment
 * byte. */
static void configure(struct rtc *rtc, uint64_t storage)
{
    uint64_t low = at_most(storage, GUEST_HOLE_START), high = storage - low;
    uint64_t extended = low > 1 << 20 ? (low - (1 << 20)) >> 10 : 0;
    uint16_t sum = 0;

    rtc->cmos[0x14] = 0x02; /* an FPU, no diskettes */
    put(rtc, 0x15, 640, 2);
    put(rtc, 0x17, at_most(extended, 0xffff), 2);
    put(rtc, 0x30, at_most(extended, 0xffff), 2);
    put(rtc, 0x34, at_most(low > 16 << 20 ? (low - (16 << 20)) >> 16 : 0, 0xffff), 2);
    put(rtc, 0x5b, at_most(high >> 16, 0xffffff), 3);
    for (unsigned i = 0x10; i <= 0x2d; i++)
        sum += rtc->cmos[i];
    rtc->cmos[0x2e] = sum >> 8;
    rtc->cmos[0x2f] = sum;
}

void rtc_reset(struct rtc *rtc, uint64_t storage_bytes)
{
    catch_up(rtc);
    rtc->cmos[REG_B] &= ~FLAGS;
    rtc->flags = 0;
    rtc->index = 0;
    rtc->nmi_masked = false;
    configure(rtc, storage_bytes);
    update(rtc);
}

void rtc_init(struct rtc *rtc, struct bus *bus, const struct irq *irq, struct pace *pace, uint64_t storage_bytes)
{
    memset(rtc, 0, sizeof *rtc);
    rtc->irq = *irq;
    rtc->pace = pace;
    rtc->timer = (struct timer){.expire = expire, .owner = rtc, .whose = rtc->pace};
    rtc->cmos[REG_A] = 0x26; /* 32 KiHz crystal, 1024 Hz */
    rtc->cmos[REG_B] = B_24_HOURS;
    set_time(rtc, clock_unix_us() + UINT64_C(1) * CALENDAR_UNIX_EPOCH * DAY_SECONDS * US);
    rtc_reset(rtc, storage_bytes);
    bus_claim_ports(bus, &(struct bus_ports){PORT_INDEX, PORT_DATA, true, rtc, port_read, port_write, NULL});
}

void rtc_free(struct rtc *rtc)
{
    timer_cancel(&rtc->timer);
}
