/* SDM "APIC Timer": one-shot, periodic, TSC deadline. The count is never kept: it follows from when it was loaded. A
 * host timer is armed only while the LVT entry would deliver. A change looks at the clock once: what is due at that
 * look is delivered, what comes later is armed for, and nothing falls between. */
#include "cp/device/lapic_internal.h"

enum { DIVIDE_WRITABLE = 0xb };

static unsigned mode(const struct lapic *l)
{
    return l->lvt[LAPIC_LVT_TIMER] >> 17 & 3;
}

/* SDM "Divide Configuration Register": 000 is 2, 110 is 128, 111 is 1 */
static unsigned divisor(const struct lapic *l)
{
    unsigned code = (l->divide & 3) | (l->divide >> 1 & 4);

    return code == 7 ? 1 : 2u << code;
}

static uint64_t period_ns(const struct lapic *l)
{
    return (uint64_t)l->initial_count * divisor(l);
}

static uint64_t elapsed_ns(const struct lapic *l, uint64_t now)
{
    return clock_ns(now - l->count_start);
}

static void arm_for(struct lapic *l, uint64_t due, uint64_t earliest)
{
    l->due = due;
    timer_arm(&l->timer, due > earliest ? due : earliest);
}

static void arm_deadline(struct lapic *l, uint64_t now)
{
    uint64_t guest = l->host.guest_tsc(l->host.context, now), at = now;

    if (l->tsc_deadline > guest && __builtin_add_overflow(now, l->tsc_deadline - guest, &at))
        at = UINT64_MAX;
    arm_for(l, at, now);
}

/* Always counted from the start, so that rounding does not add up over the periods. */
static void arm_count(struct lapic *l, uint64_t now)
{
    uint64_t period = period_ns(l), elapsed = elapsed_ns(l, now), next = period, earliest = now;

    if (l->ran_out)
        return;
    if (mode(l) == LAPIC_TIMER_PERIODIC) {
        next = (elapsed / period + 1) * period;
        earliest = pace_earliest(l->ticked, pace_floor(l->host.pace), now);
    } else if (elapsed >= period) {
        return; /* it expired while nobody was to be told */
    }
    arm_for(l, l->count_start + clock_ticks_up(next), earliest);
}

static void arm(struct lapic *l, uint64_t now)
{
    timer_cancel(&l->timer);
    if (!lapic_enabled(l) || (l->lvt[LAPIC_LVT_TIMER] & LAPIC_LVT_MASKED))
        return;
    if (mode(l) == LAPIC_TIMER_DEADLINE && l->tsc_deadline)
        arm_deadline(l, now);
    else if (mode(l) <= LAPIC_TIMER_PERIODIC && l->initial_count)
        arm_count(l, now);
}

static void tick(struct lapic *l, uint64_t now)
{
    l->tsc_deadline = 0;
    l->ticked = now;
    /* a CPU that has not taken even the last interrupt, perhaps because its machine stands still, need not be told of
     * each period */
    if (mode(l) == LAPIC_TIMER_PERIODIC && !lapic_requested(l, l->lvt[LAPIC_LVT_TIMER] & 0xff))
        arm(l, now);
    pace_tick(l->host.pace);
    lapic_lvt_fire(l, LAPIC_LVT_TIMER);
    pace_ticked(l->host.pace);
}

static void expire(struct timer *timer)
{
    tick(timer->owner, clock_now());
}

void lapic_timer_taken(struct lapic *l)
{
    if (mode(l) != LAPIC_TIMER_PERIODIC || l->timer.armed)
        return;
    l->ticked = clock_now();
    arm(l, l->ticked);
}

static bool deadline_passed(const struct lapic *l, uint64_t now)
{
    return l->tsc_deadline && l->tsc_deadline <= l->host.guest_tsc(l->host.context, now);
}

static void deliver_due_at(struct lapic *l, uint64_t now)
{
    if (l->timer.armed && l->due <= now) {
        timer_cancel(&l->timer);
        tick(l, now);
    } else if (!l->timer.armed && deadline_passed(l, now)) {
        l->tsc_deadline = 0;
    }
}

/* What is due is delivered, or lost if masked, before anything about the timer changes. Returns the moment up to which
 * it was. */
static uint64_t deliver_due(struct lapic *l)
{
    uint64_t now = clock_now();

    deliver_due_at(l, now);
    return now;
}

void lapic_timer_init(struct lapic *l)
{
    l->timer = (struct timer){.expire = expire, .owner = l, .whose = l->host.pace};
}

void lapic_timer_reset(struct lapic *l)
{
    timer_cancel(&l->timer);
    l->initial_count = 0;
    l->ran_out = false;
    l->divide = 0;
    l->tsc_deadline = l->ticked = 0;
}

static uint32_t count_at(const struct lapic *l, uint64_t now)
{
    uint64_t period = period_ns(l), elapsed;

    if (!l->initial_count || l->ran_out || mode(l) > LAPIC_TIMER_PERIODIC)
        return 0;
    elapsed = elapsed_ns(l, now);
    if (mode(l) == LAPIC_TIMER_PERIODIC)
        elapsed %= period;
    return elapsed >= period ? 0 : (period - elapsed + divisor(l) - 1) / divisor(l);
}

/* As if it had been loaded so long ago that it is at `count` now. */
static void count_from(struct lapic *l, uint64_t now, uint32_t count)
{
    l->count_start = now - clock_ticks_up((uint64_t)(l->initial_count - count) * divisor(l));
}

/* SDM "APIC Timer": a one-shot that ran out stays at 0 until its count is written again, also once the entry is made
 * periodic; one that counts goes on from where it is. "TSC-Deadline Mode": to switch into or out of it disarms. */
void lapic_timer_write_lvt(struct lapic *l, uint32_t lvt)
{
    unsigned was = mode(l);
    uint64_t now = deliver_due(l);
    uint32_t count = count_at(l, now);

    l->lvt[LAPIC_LVT_TIMER] = lvt;
    if ((was == LAPIC_TIMER_DEADLINE) != (mode(l) == LAPIC_TIMER_DEADLINE)) {
        l->initial_count = 0;
        l->tsc_deadline = 0;
    } else if (was != mode(l) && l->initial_count) {
        l->ran_out |= was == LAPIC_TIMER_ONE_SHOT && !count;
        count_from(l, now, count);
    }
    arm(l, now);
}

void lapic_timer_write_count(struct lapic *l, uint32_t count)
{
    if (mode(l) == LAPIC_TIMER_DEADLINE)
        return;
    l->count_start = deliver_due(l);
    l->initial_count = count;
    l->ran_out = false;
    arm(l, l->count_start);
}

uint32_t lapic_timer_count(struct lapic *l)
{
    return count_at(l, clock_now());
}

/* The count goes on from where it is, at the new rate. */
void lapic_timer_write_divide(struct lapic *l, uint32_t divide)
{
    uint64_t now = deliver_due(l);
    uint32_t count = count_at(l, now);

    l->divide = divide & DIVIDE_WRITABLE;
    count_from(l, now, count);
    arm(l, now);
}

uint64_t lapic_timer_read_deadline(struct lapic *l)
{
    deliver_due(l);
    return l->tsc_deadline;
}

void lapic_timer_write_deadline(struct lapic *l, uint64_t guest_tsc)
{
    if (mode(l) != LAPIC_TIMER_DEADLINE)
        return;
    uint64_t now = deliver_due(l);
    l->tsc_deadline = guest_tsc;
    arm(l, now);
    deliver_due_at(l, now);
}

void lapic_tsc_moved(struct lapic *l)
{
    uint64_t now = clock_now();

    if (!l->tsc_deadline)
        return;
    arm(l, now);
    deliver_due_at(l, now);
}
