/* One measured cost, which follows what is measured by doubling or halving at most: the processor may be taken from CP
 * while a tick is handled, and one such tick says nothing about the next. */
#include "cp/time/pace.h"

static uint64_t ticks_of_us(uint64_t us)
{
    return clock_ticks(us * 1000) + 1;
}

static uint64_t between(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void hold(struct pace *p, uint64_t now)
{
    if (now >= p->rest_end || p->hold.armed)
        return;
    timer_arm(&p->hold, p->rest_end);
    p->changed(p->context);
}

static void release(struct timer *timer)
{
    struct pace *p = timer->owner;

    p->changed(p->context);
}

void pace_tick(struct pace *p)
{
    p->told = p->ticking = true;
    hold(p, clock_now());
}

void pace_taken(struct pace *p)
{
    if (!p->told)
        return;
    p->told = false;
    if (p->measures)
        return;
    p->taken = clock_now();
    p->rest_end = p->taken + (1 + PACE_REST) * p->cost;
    p->measures = ++p->unmeasured > PACE_UNMEASURED;
}

void pace_done(struct pace *p)
{
    uint64_t now = clock_now();

    uint64_t took = now - p->taken, most = between(p->cost * 2, 1, ticks_of_us(PACE_MOST_US));
    p->measures = false;
    p->unmeasured = took > most ? PACE_UNMEASURED : 0; /* not known yet: the next tells more */
    p->cost = between(took, p->cost / 2 + 1, most);
    p->rest_end = now + PACE_REST * p->cost;
    if (p->told)
        hold(p, now);
}

void pace_idle(struct pace *p)
{
    p->measures = false;
    p->rest_end = 0;
    if (!p->hold.armed)
        return;
    timer_cancel(&p->hold);
    p->changed(p->context);
}

static uint64_t at_least(uint64_t us, uint64_t costs)
{
    uint64_t ticks = ticks_of_us(us);

    return ticks > costs ? ticks : costs;
}

uint64_t pace_floor(const struct pace *p)
{
    return at_least(PACE_SHORTEST_US, (1 + PACE_REST) * p->cost);
}

uint64_t pace_floor_unheard(const struct pace *p)
{
    return p->told ? at_least(PACE_UNTAKEN_US, PACE_UNTAKEN * p->cost) : pace_floor(p);
}

void pace_reset(struct pace *p)
{
    timer_cancel(&p->hold);
    p->cost = ticks_of_us(PACE_FIRST_US);
    p->taken = p->rest_end = 0;
    p->unmeasured = PACE_UNMEASURED; /* so that the first is */
    p->told = p->ticking = p->measures = false;
}

void pace_init(struct pace *p, void (*changed)(void *context), void *context)
{
    *p = (struct pace){.hold = {.expire = release, .owner = p, .whose = p}, .changed = changed, .context = context};
    pace_reset(p);
}
