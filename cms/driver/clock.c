/* Where the TSC's rate comes from, best first: the device tree or CP (they agree), CPUID leaf 15, the PIT.  The last is
 * measured only when somebody asks for the time. */
#include "cms/driver/clock.h"

#include <stdbool.h>

#include "cms/cpu/cpu.h"
#include "cms/driver/cp.h"
#include "cms/kernel/clock.h"

enum { RTC_INDEX = 0x70, RTC_DATA = 0x71, RTC_STATUS_A = 0x0a, RTC_STATUS_B = 0x0b, RTC_NMI_OFF = 0x80 };
enum { STATUS_A_UPDATING = 0x80, STATUS_B_24_HOURS = 0x02, STATUS_B_BINARY = 0x04, HOUR_PM = 0x80 };
enum { PIT_CHANNEL_2 = 0x42, PIT_COMMAND = 0x43, PIT_GATE = 0x61 };
enum { GATE_ON = 0x01, GATE_SPEAKER = 0x02, GATE_OUT = 0x20 };
enum { PIT_HZ = 1193182, PIT_ONE_SHOT = 0xb0, MEASURE_TICKS = PIT_HZ / 100 };

static uint32_t khz;
static uint64_t wall_start; /* Unix seconds when the ticks began, read when first needed */

void clock_start(uint32_t tsc_khz)
{
    cms_ticks(); /* from now on they count */
    khz = tsc_khz ? tsc_khz : cp_tsc_khz();
}

static uint32_t khz_from_cpuid(void)
{
    if (cpu_id(0).eax < 0x15)
        return 0;
    struct cpu_leaf l = cpu_id(0x15);
    return l.eax && l.ebx && l.ecx ? (uint32_t)((uint64_t)l.ecx * l.ebx / l.eax / 1000) : 0;
}

static uint32_t khz_from_pit(void)
{
    cpu_out8(PIT_GATE, (uint8_t)((cpu_in8(PIT_GATE) & ~GATE_SPEAKER) | GATE_ON));
    cpu_out8(PIT_COMMAND, PIT_ONE_SHOT);
    cpu_out8(PIT_CHANNEL_2, MEASURE_TICKS & 0xff);
    cpu_out8(PIT_CHANNEL_2, MEASURE_TICKS >> 8);
    uint64_t from = cpu_tsc();
    while (!(cpu_in8(PIT_GATE) & GATE_OUT))
        ;
    return (uint32_t)((cpu_tsc() - from) * PIT_HZ / MEASURE_TICKS / 1000);
}

static uint8_t rtc_read(uint8_t index)
{
    cpu_out8(RTC_INDEX, RTC_NMI_OFF | index);
    return cpu_in8(RTC_DATA);
}

static int rtc_number(uint8_t value, bool binary)
{
    return binary ? value : (value >> 4) * 10 + (value & 0x0f);
}

static uint64_t rtc_time(void)
{
    while (rtc_read(RTC_STATUS_A) & STATUS_A_UPDATING)
        ;
    uint8_t b = rtc_read(RTC_STATUS_B), hour = rtc_read(4);
    bool binary = b & STATUS_B_BINARY, pm = !(b & STATUS_B_24_HOURS) && hour & HOUR_PM;
    struct clock_date date = {
        .year = 2000 + rtc_number(rtc_read(9), binary), .month = rtc_number(rtc_read(8), binary),
        .day = rtc_number(rtc_read(7), binary), .minute = rtc_number(rtc_read(2), binary),
        .second = rtc_number(rtc_read(0), binary),
    };
    date.hour = rtc_number(hour & (b & STATUS_B_24_HOURS ? 0xff : 0x7f), binary);
    if (!(b & STATUS_B_24_HOURS))
        date.hour = date.hour % 12 + (pm ? 12 : 0);
    return cms_clock_join(&date);
}

static uint32_t rate(void)
{
    if (!khz && !(khz = khz_from_cpuid()))
        khz = khz_from_pit();
    return khz;
}

/* By differences: a TSC that was set back, as in a machine that goes on from a saved one, costs one of them. */
uint64_t cms_ticks(void)
{
    static uint64_t at, ticks;
    uint64_t now = cpu_tsc();

    if (at && now > at)
        ticks += now - at;
    at = now;
    return ticks;
}

uint64_t cms_ticks_ns(uint64_t ticks)
{
    uint32_t per_ms = rate();
    return ticks / per_ms * 1000000 + ticks % per_ms * 1000000 / per_ms;
}

uint64_t cms_clock_ns(void)
{
    return cms_ticks_ns(cms_ticks()) + 1;
}

static struct clock_time time_without_cp(void)
{
    uint64_t ticks = cms_ticks();
    uint64_t us = ticks / rate() * 1000 + ticks % rate() * 1000 / rate();
    if (!wall_start)
        wall_start = rtc_time() - us / 1000000;
    return (struct clock_time){wall_start + us / 1000000, (uint32_t)(us % 1000000), us * 1000, us * 1000};
}

struct clock_time cms_clock_now(void)
{
    struct clock_time now;
    return cp_times(&now) ? now : time_without_cp();
}
