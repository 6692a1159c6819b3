#include "tests/unit/fake/clock.h"

#include "cp/time/timer.h"

uint64_t fake_now, fake_unix_us, fake_clock_tick;

uint64_t clock_now(void)
{
    return fake_now += fake_clock_tick;
}

uint64_t clock_unix_us(void)
{
    return fake_unix_us + clock_ns(fake_now) / 1000;
}

void fake_clock_reset(uint64_t hz)
{
    clock_hz = hz;
    fake_now = fake_clock_tick = 0;
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
