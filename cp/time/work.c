/* The queue of work. In: steps to do. Out: one at a time to the event loop, and a timer that ends the turn of a machine
 * which would run on while work waits: it gets as long as a step has. */
#include "cp/time/work.h"

#include <stddef.h>

#include "cp/time/debt.h"
#include "cp/time/timer.h"

enum { TURN_LEAST_US = 50, SLICE_US = 100 };

uint64_t work_slice_ticks = WORK_SLICE;
bool (*work_may)(struct debt *);

static struct work *first, **end = &first;
static uint64_t slice_begun;

static void come_round(struct timer *timer) { (void)timer; /* that the event loop comes round was all */ }

static struct timer turn = {.expire = come_round};

static void turn_allow(void)
{
    uint64_t least = clock_ticks(TURN_LEAST_US * 1000ull);
    timer_arm(&turn, clock_now() + (work_slice_ticks > least ? work_slice_ticks : least));
}

void work_start(void)
{
    uint64_t ticks = clock_ticks(SLICE_US * 1000ull);
    work_slice_ticks = ticks > WORK_SLICE ? ticks : WORK_SLICE;
}

void work_begin(struct work *work)
{
    if (work->queued)
        return;
    if (!first)
        turn_allow();
    work->queued = true;
    work->next = NULL;
    *end = work;
    end = &work->next;
}

void work_cancel(struct work *work)
{
    if (!work->queued)
        return;
    struct work **at = &first;
    while (*at != work)
        at = &(*at)->next;
    *at = work->next;
    if (!*at)
        end = at;
    work->queued = false;
    if (!first)
        timer_cancel(&turn);
}

bool work_waits(void) { return first; }

/* The first that may have a step; what may not stands behind it. */
static struct work *choose(void)
{
    struct work *work = first;
    while (work && work->debt && work_may && !work_may(work->debt))
        work = work->next;
    return work;
}

/* If none may, machines have turns as long as if there were none. */
void work_run(void)
{
    struct work *work = choose();
    if (!work) {
        timer_cancel(&turn);
        return;
    }
    work_cancel(work);
    debtor = work->debt;
    work_slice();
    work->step(work);
    if (first)
        turn_allow();
}

void work_slice_from(uint64_t now) { slice_begun = now; }

void work_slice(void) { work_slice_from(clock_now()); }

bool work_over(void) { return clock_now() - slice_begun >= work_slice_ticks; }
