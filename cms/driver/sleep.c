/* Intel 8254 "Mode 0: Interrupt on Terminal Count": one interrupt for each count written, none after it. */
#include "cms/driver/sleep.h"

#include <stddef.h>

#include "cms/cpu/cpu.h"
#include "cms/cpu/trap.h"
#include "cms/driver/pic.h"
#include "cms/kernel/sleep.h"

enum { CHANNEL_0 = 0x40, COMMAND = 0x43, ONE_SHOT = 0x30, IRQ = 0, HZ = 1193182, COUNT = HZ / 1000 * SLEEP_MOST_MS };

static volatile bool ticking; /* a count runs: several sleeps may share it, and they end early rather than late */

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

void sleep_tick(void)
{
    _Static_assert(COUNT < 0x10000, "the counter has 16 bits");
    if (ticking)
        return;
    ticking = true;
    cpu_out8(COMMAND, ONE_SHOT);
    cpu_out8(CHANNEL_0, COUNT & 0xff);
    cpu_out8(CHANNEL_0, COUNT >> 8);
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
