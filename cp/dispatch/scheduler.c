#include "cp/dispatch/scheduler.h"

#include "cp/dispatch/ready.h"

/* No machine that goes on running has had less time than this: who slept may claim only a little (the credit) of the
 * time they did not use. It is raised when time is charged, not at the next pick: a machine that wakes in between would
 * else be given as much as the last one used while it was alone. */
static uint64_t floor_now;

/* What the ready machines' shares add up to. */
static uint64_t relative, absolute;

static void count_share(struct share share, bool in)
{
    uint64_t *sum = share.absolute ? &absolute : &relative, parts = share_parts(share);
    *sum += in ? parts : -parts;
}

/* Relative parts that come to as much as the share, times WEIGHT. Absolute shares of more than all there is are cut in
 * proportion, and what then is the others' is left to them. */
enum { WEIGHT = 1024, ABSOLUTE_MOST = SHARE_WHOLE - SHARE_WHOLE / 100 };

static uint64_t weight(const struct vm *vm)
{
    if (!vm->share.absolute || !relative || !absolute)
        return share_parts(vm->share) * WEIGHT;
    uint64_t given = absolute < ABSOLUTE_MOST ? absolute : ABSOLUTE_MOST;
    uint64_t parts = share_parts(vm->share) * given * relative * WEIGHT / (absolute * (SHARE_WHOLE - given));
    return parts ? parts : 1;
}

enum { USUAL_WEIGHT = SHARE_USUAL * WEIGHT };

/* Who waited is ahead of all who ran by what they may still claim, which is enough to answer a key or a command without
 * a round of the others' slices at each step. What they have had is never taken off it: in any time a machine has its
 * share and once the credit, however often it sleeps. */
static uint64_t least_vruntime(const struct vm *vm)
{
    uint64_t credit = clock_ticks(SCHEDULER_CREDIT_US * 1000ull) * USUAL_WEIGHT / weight(vm);
    return floor_now > credit ? floor_now - credit : 0;
}

void scheduler_add(struct vm *vm)
{
    if (vm->ready)
        return;
    count_share(vm->share, true);
    uint64_t least = least_vruntime(vm);
    if (vm->vruntime < least)
        vm->vruntime = least;
    vm->waits_since = clock_now();
    vm->ready = true;
    ready_add(vm);
}

void scheduler_remove(struct vm *vm)
{
    if (!vm->ready)
        return;
    count_share(vm->share, false);
    ready_remove(vm);
    vm->ready = false;
}

struct vm *scheduler_pick(void)
{
    return ready_first();
}

bool scheduler_contended(void)
{
    return ready_several();
}

static void charge(struct vm *vm, uint64_t ticks)
{
    uint64_t had = ticks * USUAL_WEIGHT + vm->vremainder, by = weight(vm);
    vm->vremainder = had % by; /* turns may be short and shares large */
    if (vm->ready)
        ready_had(vm, vm->vruntime + had / by);
    else
        vm->vruntime += had / by;
    const struct vm *least = ready_first() ? ready_first() : vm;
    if (least->vruntime > floor_now)
        floor_now = least->vruntime;
}

void scheduler_charge(struct vm *vm, uint64_t ticks)
{
    charge(vm, ticks);
    vm->waits_since = clock_now();
}

bool scheduler_settle(struct vm *vm)
{
    struct debt *debt = &vm->machine.disk_user.debt;
    if (debt->ticks) {
        vm->total_ticks += debt->ticks;
        charge(vm, debt->ticks);
        debt->ticks = 0;
    }
    return !ready_first() || vm->vruntime <= ready_first()->vruntime;
}

/* What it weighs beside those who are ready, as one of them. */
static uint64_t weight_beside(struct vm *vm)
{
    if (vm->ready)
        return weight(vm);
    count_share(vm->share, true);
    uint64_t result = weight(vm);
    count_share(vm->share, false);
    return result;
}

/* What it has had beyond others, or may claim, is as much time by the new share as it was by the old: a slice by a
 * small share would else be a long time by a large one. */
void scheduler_share(struct vm *vm, struct share share)
{
    uint64_t before = weight_beside(vm), now;
    if (vm->ready)
        count_share(vm->share, false);
    vm->share = share;
    if (vm->ready)
        count_share(share, true);
    now = weight_beside(vm);
    uint64_t ahead = vm->vruntime > floor_now ? (vm->vruntime - floor_now) * before / now : 0;
    uint64_t behind = vm->vruntime < floor_now ? (floor_now - vm->vruntime) * before / now : 0;
    uint64_t vruntime = floor_now + ahead - (behind < floor_now ? behind : floor_now);
    vm->vremainder = 0;
    if (vm->ready)
        ready_had(vm, vruntime);
    else
        vm->vruntime = vruntime;
}
