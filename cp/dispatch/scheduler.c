#include "cp/dispatch/scheduler.h"

#include <stddef.h>

static struct vm *ready;
/* No runnable machine has had less time than this, so that a machine that slept cannot claim the time it did not use.
 * It is raised when time is charged, not at the next pick: a machine that wakes in between would else be given as much
 * as the last one used while it was alone. */
static uint64_t floor_now;

void scheduler_add(struct vm *vm)
{
    if (vm->ready)
        return;
    if (vm->vruntime < floor_now)
        vm->vruntime = floor_now;
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
