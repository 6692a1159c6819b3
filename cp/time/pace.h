/* The pace of a machine's timers: one that is faster than its handler leaves the program time to go on. How long a tick
 * takes, from its interrupt being taken until the CPU would take the next, is measured, with all that CP and the CPs
 * below do for it. For PACE_REST times as long no further tick is taken, so that at least half of the time is the
 * program's: the exits at both ends of a tick are not in what is measured. Timers count and interrupt controllers show
 * requests as ever; only the taking waits, and only while nothing but ticks is to be taken. A program that halts has no
 * use for time, and waits for nothing.
 * In: ticks, interrupts taken, and when the CPU would take one. Out: whether interrupts are held back. */
#pragma once
#include "cp/time/timer.h"

enum {
    PACE_REST = 2,
    PACE_UNMEASURED = 15,   /* ticks for each that is measured, which costs a window, and in each CP below a merge */
    PACE_MOST_US = 10000,   /* a tick costs no more: longer is the program's own, though interrupts are off */
    PACE_FIRST_US = 5,      /* what one is taken to cost at first */
    PACE_SHORTEST_US = 20,  /* no timer looks more often: CP is not to be kept busy by nothing else, */
    PACE_UNTAKEN_US = 1000, /* nor more often than this while nobody takes its ticks, */
    PACE_UNTAKEN = 6,       /* or than so many times the cost */
};

struct pace {
    struct timer hold;   /* armed: nothing is taken until then */
    void (*changed)(void *context); /* interrupts are held back, or no longer */
    void *context;
    uint64_t cost;       /* of a tick, in TSC ticks like all times here */
    uint64_t taken;      /* when the last was */
    uint64_t rest_end;   /* until then the time is the program's */
    unsigned unmeasured; /* ticks since one was measured */
    bool told;           /* a tick has come since one was taken */
    bool ticking;        /* what is requested now is a tick's */
    bool measures;       /* one was taken, and the CPU would not take another yet */
};

void pace_init(struct pace *, void (*changed)(void *context), void *context);
void pace_reset(struct pace *); /* as at first; also before the end: cancels its timer */

void pace_tick(struct pace *);  /* a timer is about to request an interrupt, */
static inline void pace_ticked(struct pace *p) { p->ticking = false; } /* and has done so */
void pace_taken(struct pace *); /* the CPU took a tick's interrupt */
void pace_done(struct pace *);  /* @pre measures; it would take one now */
void pace_idle(struct pace *);  /* it halts until one comes */

static inline bool pace_holds(const struct pace *p) { return p->hold.armed; }
/* Something was requested. */
static inline void pace_look_again(struct pace *p)
{
    if (pace_holds(p))
        p->changed(p->context);
}
/* The least time in which a timer that ticks by itself should do so again: ticks between are one. */
uint64_t pace_floor(const struct pace *);
/* The same of one that does not hear whether its ticks are taken. Asked before pace_tick. */
uint64_t pace_floor_unheard(const struct pace *);
/* From when on a timer whose last tick was at `ticked` (0: none was) may tick again, though it is programmed anew. */
static inline uint64_t pace_earliest(uint64_t ticked, uint64_t floor, uint64_t now)
{
    return ticked && now < ticked + floor ? ticked + floor : now;
}
