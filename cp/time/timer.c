/* The list of armed timers in order of deadline, and conversions between TSC ticks and other clocks. A list, since the
 * timers that are armed again and again are those due next, at its head; arming walks only past earlier ones. */
#include "cp/time/timer.h"

#include <stddef.h>

#include "cp/time/work.h"

enum { NS_PER_SECOND = 1000000000 };

uint64_t clock_hz = NS_PER_SECOND;

uint64_t timer_earliest = UINT64_MAX;

static struct timer *armed;

/* The list's head is another. */
static void earliest_renew(void)
{
    timer_earliest = armed ? armed->deadline : UINT64_MAX;
}

/* value * to / from, without a 128-bit product, since freestanding code cannot divide one: the whole part of value /
 * from and its remainder are converted apart. The remainder's product fits, since both rates are far below 2^32. What
 * does not fit 64 bits saturates. */
uint64_t clock_scale(uint64_t value, uint64_t to, uint64_t from)
{
    uint64_t whole = value / from, rest = value % from * to / from, product;

    if (__builtin_mul_overflow(whole, to, &product) || __builtin_add_overflow(product, rest, &product))
        return UINT64_MAX;
    return product;
}

uint64_t clock_ticks(uint64_t ns)
{
    return clock_scale(ns, clock_hz, NS_PER_SECOND);
}

uint64_t clock_ticks_up(uint64_t ns)
{
    uint64_t whole = ns / NS_PER_SECOND, rest = (ns % NS_PER_SECOND * clock_hz + NS_PER_SECOND - 1) / NS_PER_SECOND;
    uint64_t product;

    if (__builtin_mul_overflow(whole, clock_hz, &product) || __builtin_add_overflow(product, rest, &product))
        return UINT64_MAX;
    return product;
}

uint64_t clock_ns(uint64_t ticks)
{
    return clock_scale(ticks, NS_PER_SECOND, clock_hz);
}

/* Timers of the same deadline expire in the order they were armed. */
void timer_arm(struct timer *timer, uint64_t deadline)
{
    struct timer **at = &armed;

    timer_cancel(timer);
    while (*at && (*at)->deadline <= deadline)
        at = &(*at)->next;
    timer->deadline = deadline;
    timer->next = *at;
    timer->armed = true;
    *at = timer;
    earliest_renew();
}

void timer_cancel(struct timer *timer)
{
    struct timer **at = &armed;

    if (!timer->armed)
        return;
    while (*at != timer)
        at = &(*at)->next;
    *at = timer->next;
    timer->next = NULL;
    timer->armed = false;
    earliest_renew();
}

void timer_run(uint64_t now)
{
    uint64_t begun = clock_now();

    do {
        struct timer *timer = armed;

        if (!timer || timer->deadline > now)
            return;
        timer_cancel(timer);
        timer->expire(timer);
    } while (clock_now() - begun < work_slice_ticks);
}

void timer_run_whose(const void *whose, uint64_t now)
{
    struct timer *last = NULL, *timer;

    while ((timer = armed) && timer != last && timer->deadline <= now && timer->whose == whose) {
        last = timer;
        timer_cancel(timer);
        timer->expire(timer);
    }
}
