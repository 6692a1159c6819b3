/* Intel 8254 "Mode 0: Interrupt on Terminal Count": one interrupt for each count written, none after it. */
#include "cms/driver/sleep.h"

#include <stddef.h>

#include "cms/cpu/cpu.h"
#include "cms/cpu/trap.h"
#include "cms/driver/pic.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/sleep.h"

enum { CHANNEL_0 = 0x40, COMMAND = 0x43, ONE_SHOT = 0x30, IRQ = 0, HZ = 1193182, COUNT = HZ / 1000 * SLEEP_MOST_MS };

static volatile bool ticking; /* a count runs: several sleeps may share it, and they end early rather than late */
static uint64_t tick_at;      /* when it ends, in ns of cms_ticks_ns() */

static void (*on_tick)(void);

static void tick(void *context)
{
    (void)context;
    ticking = false;
    if (on_tick)
        on_tick();
}

void sleep_on_tick(void (*then)(void))
{
    on_tick = then;
}

static void count(unsigned from)
{
    ticking = true;
    cpu_out8(COMMAND, ONE_SHOT);
    cpu_out8(CHANNEL_0, from & 0xff);
    cpu_out8(CHANNEL_0, (uint8_t)(from >> 8));
}

void sleep_tick(void)
{
    _Static_assert(COUNT < 0x10000, "the counter has 16 bits");
    if (ticking)
        return;
    tick_at = UINT64_MAX;
    count(COUNT);
}

void cms_tick_within(uint64_t ns)
{
    enum { MOST_NS = SLEEP_MOST_MS * 1000000, LEAST_NS = 50000 };
    enum { LATE_NS = 1000000 }; /* then it is lost */
    uint64_t bounded = ns < LEAST_NS ? LEAST_NS : ns > MOST_NS ? MOST_NS : ns;
    uint64_t now = cms_ticks_ns(cms_ticks()), at = now + bounded;

    if (ticking && tick_at <= at && tick_at + LATE_NS > now)
        return;
    tick_at = at;
    count((unsigned)(bounded * HZ / 1000000000) + 1);
}

void sleep_start(void)
{
    cpu_out8(COMMAND, ONE_SHOT);
    trap_set_irq(IRQ, tick, NULL);
    pic_enable(IRQ);
}

void cms_sleep(bool bounded)
{
    if (bounded)
        sleep_tick();
    cpu_wait();
}
