#include "cp/dispatch/scheduler.h"

#include <stddef.h>

static struct vm *ready;
/* No machine that goes on running has had less time than this: who slept may claim only a little (the credit) of the
 * time they did not use. It is raised when time is charged, not at the next pick: a machine that wakes in between would
 * else be given as much as the last one used while it was alone. */
static uint64_t floor_now;

/* Who waited is ahead of all who ran by what they may still claim, which is enough to answer a key or a command without
 * a round of the others' slices at each step. What they have had is never taken off it: in any time a machine has its
 * share and once the credit, however often it sleeps. */
static uint64_t least_vruntime(void)
{
    uint64_t credit = clock_ticks(SCHEDULER_CREDIT_US * 1000ull);
    return floor_now > credit ? floor_now - credit : 0;
}

void scheduler_add(struct vm *vm)
{
    if (vm->ready)
        return;
    uint64_t least = least_vruntime();
    if (vm->vruntime < least)
        vm->vruntime = least;
    vm->ready = true;
    vm->ready_next = ready;
    ready = vm;
}

void scheduler_remove(struct vm *vm)
{
    if (!vm->ready)
        return;
    for (struct vm **at = &ready; *at; at = &(*at)->ready_next)
        if (*at == vm) {
            *at = vm->ready_next;
            break;
        }
    vm->ready = false;
}

struct vm *scheduler_pick(void)
{
    struct vm *best = ready;

    for (struct vm *vm = ready; vm; vm = vm->ready_next)
        if (vm->vruntime < best->vruntime)
            best = vm;
    return best;
}

bool scheduler_contended(void)
{
    return ready && ready->ready_next;
}

void scheduler_charge(struct vm *vm, uint64_t ticks)
{
    vm->vruntime += ticks;
    const struct vm *least = ready ? scheduler_pick() : vm;
    if (least->vruntime > floor_now)
        floor_now = least->vruntime;
}
