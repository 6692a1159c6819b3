/* CP's clock and timers. Time is the host's TSC; everything virtual is derived from it (a guest's TSC is clock_now()
 * plus its offset). Tickless: the machine is woken for the earliest deadline only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

extern uint64_t clock_hz;    /* TSC ticks a second, set once at boot from the device tree */
uint64_t clock_now(void);    /* the host's TSC (edge: cp/cpu; tests: a fake they set) */
uint64_t clock_unix_us(void); /* wall clock: microseconds since 1970-01-01 UTC */

/* ns <-> ticks without overflow for any 64-bit value that fits the result; UINT64_MAX for one that does not */
uint64_t clock_ticks(uint64_t ns);
uint64_t clock_ns(uint64_t ticks);
uint64_t clock_ticks_up(uint64_t ns); /* the first tick at which so many have passed: rounded up */
/* value * to / from, rounded down: ticks of a clock of `from` Hz in those of one of `to` Hz. UINT64_MAX: does not fit.
 * @pre from > 0, from * to < 2^64 */
uint64_t clock_scale(uint64_t value, uint64_t to, uint64_t from);

struct timer {
    uint64_t deadline; /* host TSC */
    void (*expire)(struct timer *);
    void *owner;       /* for expire() */
    const void *whose; /* a machine's own, of its devices: may expire in the midst of its turn. NULL: in no turn */
    struct timer *next; /* while armed: in order of deadline */
    bool armed;
};

void timer_arm(struct timer *, uint64_t deadline); /* arms, or moves when armed already */
void timer_cancel(struct timer *);                 /* nothing to do when not armed */
extern uint64_t timer_earliest;                    /* is for timer_next() alone */
static inline uint64_t timer_next(void) { return timer_earliest; } /* deadline, UINT64_MAX: none */
/* Expires, in order, the timers with deadline <= now: all of them, or as many as fit
 * WORK_SLICE; the others stay due. */
void timer_run(uint64_t now);
/* The same of those that are due first and are `whose`, up to the first that is not; one at most of each. */
void timer_run_whose(const void *whose, uint64_t now);
