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
static uint64_t ends;         /* when, by cms_clock_ns(); 0: with the longest count */

static void (*on_tick)(void), (*before)(void);

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

static void start(uint32_t count)
{
    _Static_assert(COUNT < 0x10000, "the counter has 16 bits");
    ticking = true;
    cpu_out8(COMMAND, ONE_SHOT);
    cpu_out8(CHANNEL_0, count & 0xff);
    cpu_out8(CHANNEL_0, (uint8_t)(count >> 8));
}

void sleep_tick(void)
{
    if (ticking)
        return;
    ends = 0;
    start(COUNT);
}

void cms_tick_within(uint64_t ns)
{
    enum { NS_PER_MS = 1000000, EVER = SLEEP_MOST_MS * NS_PER_MS };
    enum { LEAST = 50000, LATE = NS_PER_MS /* then it is lost */ };
    uint64_t now = cms_clock_ns();

    ns = ns < LEAST ? LEAST : ns; /* sooner is not worth an interrupt */
    if (ns >= EVER) {
        sleep_tick();
        return;
    }
    if (ticking && ends && ends <= now + ns && now < ends + LATE)
        return;
    uint32_t count = (uint32_t)(ns * (HZ / 1000) / NS_PER_MS);
    ends = now + ns;
    start(count);
}

void sleep_before(void (*look)(void))
{
    before = look;
}

void sleep_start(void)
{
    ticking = false;
    cpu_out8(COMMAND, ONE_SHOT);
    trap_set_irq(IRQ, tick, NULL);
    pic_enable(IRQ);
}

void cms_interrupts_pass(void)
{
    cpu_interrupts_pass();
}

void cms_sleep(bool bounded)
{
    if (before)
        before();
    if (bounded)
        sleep_tick();
    cpu_wait();
}
