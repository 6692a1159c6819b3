/* Work that goes on: what would keep CP from its interrupts for too long is done in steps from the event loop, one step
 * a pass, each kind in its turn, while machines run between. A step does a little, asks work_over(), and stops when it
 * says so; WORK_SLICE and the largest such little keep every stretch within WORK_BOUND. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* TSC ticks, which on Bochs are instructions. */
enum {
    WORK_SLICE = 20000,  /* of one step, at least */
    WORK_BOUND = 200000, /* that CP may work at most without looking at its interrupts */
};

struct debt;
struct work {
    /* One step; it is not queued meanwhile, and begins itself again when there is more. */
    void (*step)(struct work *);
    void *owner; /* for step() */
    struct debt *debt; /* whose time a step takes; NULL: CP's own */
    struct work *next;
    bool queued;
};

/* Where the TSC counts faster than instructions are done, a slice is a time: @pre clock_hz is the machine's */
void work_start(void);
extern uint64_t work_slice_ticks; /* of one step */

void work_begin(struct work *);  /* its next step comes after those that wait by now; queued already: nothing */
void work_cancel(struct work *); /* not queued: nothing */
bool work_waits(void);
void work_run(void); /* one step of the work that has waited longest, if any may */
/* Whether work for somebody is done now, or later, as they had more time than others; NULL: always. Set by
 * cp/dispatch. */
extern bool (*work_may)(struct debt *);

/* A step's time begins with it; whoever else has a loop to bound calls work_slice() first. */
void work_slice(void);
void work_slice_from(uint64_t now); /* the same, for who has just looked at the clock */
bool work_over(void); /* it is used up */
