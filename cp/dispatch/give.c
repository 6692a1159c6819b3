/* Who gives, and how. In: an account that lacks frames. Out: a machine without its storage, a few turns later. */
#include "cp/dispatch/give.h"

#include <stddef.h>

#include "cp/vcpu/backend.h"
#include "cp/vcpu/nested.h"

enum { TABLES_A_TURN = 2 }; /* of 2 MiB each */

/* Some machine gives back; the timer's end has the event loop come round. */
static bool giving;
static struct timer soon;

static void come_round(struct timer *timer) { (void)timer; }

static void begin(struct vm *vm)
{
    vm_stop(vm, VM_STOP_TAKEN, 0);
    vm->stop = VM_STOP_TAKEN; /* also if it was stopped before: its user hears of it */
    vm->stop_unseen = vm_stops_unseen = vm->gives_back = giving = true;
    timer_arm(&soon, clock_now());
}

/* The machine that holds most, if that is more than its share. While one machine gives, no other one is asked. */
static bool find_giver(const struct frame_account *asker)
{
    struct vm *most = NULL;
    uint64_t held = frame_share();

    for (struct vm *vm = vm_list; vm; vm = vm->next) {
        if (vm->gives_back)
            return true;
        const struct frame_account *account = &vm->storage.account;
        uint64_t living = frame_account_living(account);
        if (account != asker && living > held)
            held = living, most = vm;
    }
    if (most)
        begin(most);
    return most;
}

bool give_own(struct guest_storage *storage)
{
    return nested_shrink((struct vm *)((char *)storage - offsetof(struct vm, storage)));
}

static void flush(void *context)
{
    struct vm *vm = context;
    cpu_backend->flush_storage(&vm->vcpu);
}

/* True: there is more. A machine whose disks still write into its storage gives it up when they are done. So that they
 * get done, its user cannot start it again meanwhile, and its disks take no more from its rings, which they may be
 * refilling themselves. */
static bool give_some(struct vm *vm)
{
    vm_stop(vm, VM_STOP_TAKEN, 0);
    if (machine_in_flight(&vm->machine)) {
        machine_reset(&vm->machine);
        return true;
    }
    vm_reset(vm);
    return guest_storage_trim(&vm->storage, TABLES_A_TURN, flush, vm);
}

bool give_turn(void)
{
    if (!giving)
        return false;
    giving = false;
    for (struct vm *vm = vm_list; vm; vm = vm->next)
        if (vm->gives_back)
            giving |= vm->gives_back = give_some(vm);
    if (giving)
        timer_arm(&soon, clock_now());
    return true;
}

void give_start(void)
{
    soon.expire = come_round;
    frame_short = find_giver;
}
