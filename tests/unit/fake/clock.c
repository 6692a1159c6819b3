#include "tests/unit/fake/clock.h"

#include "cp/time/timer.h"

uint64_t fake_now, fake_unix_us, fake_clock_tick, fake_clock_away;

uint64_t clock_now(void)
{
    static uint32_t random = 1;

    if (fake_clock_away) {
        random = random * 1664525 + 1013904223;
        fake_now += random >> 28 ? random >> 20 & 7 : (random >> 8) % fake_clock_away;
    }
    return fake_now += fake_clock_tick;
}

uint64_t clock_unix_us(void)
{
    return fake_unix_us + clock_ns(clock_now()) / 1000; /* it is told by the same clock */
}

void fake_clock_reset(uint64_t hz)
{
    clock_hz = hz;
    fake_now = fake_clock_tick = fake_clock_away = 0;
    fake_unix_us = 0;
}

void fake_clock_advance(uint64_t ns)
{
    uint64_t end = fake_now + clock_ticks(ns);

    while (timer_next() <= end) {
        if (timer_next() > fake_now)
            fake_now = timer_next();
        timer_run(fake_now);
    }
    if (fake_now < end)
        fake_now = end;
}
