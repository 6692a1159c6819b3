#include "cp/dispatch/run.h"

#include <stddef.h>

#include "cp/dispatch/account.h"
#include "cp/dispatch/interrupts.h"
#include "cp/dispatch/scheduler.h"
#include "cp/time/work.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/context.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/exits.h"
#include "cp/vcpu/machine_check.h"
#include "cp/vcpu/nested.h"

enum { INTERRUPT_HANDLERS = 32, TURN_HANDLERS = 4, LOOK_US = 1000 };

static struct handler {
    unsigned word; /* of the vectors that came, and its bit there */
    uint64_t bit;
    run_handler *run;
    void *context;
} interrupts[INTERRUPT_HANDLERS];
static struct {
    run_turn *run;
    void *context;
} turns[TURN_HANDLERS];
static unsigned interrupts_used, turns_used;

void run_on_interrupt(unsigned vector, run_handler *run, void *context)
{
    if (interrupts_used < INTERRUPT_HANDLERS)
        interrupts[interrupts_used++] = (struct handler){vector / 64, 1ull << vector % 64, run, context};
}

void run_each_turn(run_turn *run, void *context)
{
    if (turns_used == TURN_HANDLERS)
        return;
    turns[turns_used].run = run;
    turns[turns_used++].context = context;
}

/* When interrupts could come in last. */
static uint64_t stretch_begun;

static void let_in(void)
{
    cpu_interrupt_window();
    stretch_begun = clock_now();
    work_slice_from(stretch_begun);
}

/* Lets them in, having kept them out for `what`, which takes its time from here on. */
static void look(enum stretch what)
{
    uint64_t taken = clock_now() - stretch_begun;
    account_stretch(what, taken);
    if (debtor)
        debtor->ticks += taken;
    debtor = NULL;
    let_in();
}

static void interrupts_serve(void)
{
    if (!cpu_events.pending)
        return;
    uint64_t came[4];

    cpu_interrupts_take(came);
    for (struct handler *h = interrupts; h < interrupts + interrupts_used; h++)
        if (came[h->word] & h->bit) {
            h->run(h->context);
            look(STRETCH_INTERRUPT);
        }
    cpu_interrupts_served();
}

/* A machine that stopped by itself is told of here, between exits, where destroying it is safe. */
static void stops_report(void)
{
    if (!vm_stops_unseen)
        return;
    vm_stops_unseen = false;
    for (struct vm *vm = vm_list; vm;) {
        struct vm *next = vm->next;
        if (vm->stop_unseen) {
            vm->stop_unseen = false;
            if (vm_stopped)
                vm_stopped(vm);
        }
        vm = next;
    }
}

static void housekeeping(void)
{
    interrupts_serve();
    if (timer_next() <= clock_now()) {
        timer_run(clock_now());
        look(STRETCH_TIMER);
    }
    stops_report();
    if (machine_check_waits)
        machine_check_report();
    interrupts_serve(); /* a UART holds sixteen bytes: it is looked at between any two slices */
    if (work_waits()) {
        work_run();
        look(STRETCH_WORK);
        interrupts_serve();
    }
    for (unsigned i = 0; i < turns_used; i++)
        if (turns[i].run(turns[i].context))
            look(STRETCH_USERS);
}

/* How long a turn may last: a slice if others wait. And where an interrupt cannot end a guest that was entered with
 * interrupts off (docs/machine.md), until the next look at them, which must come before sixteen bytes, a UART's FIFO,
 * can arrive. */
static uint64_t turn_end(uint64_t begun)
{
    if (!cpu_events.exact)
        return begun + clock_ticks(LOOK_US * 1000ull);
    return scheduler_contended() ? begun + clock_ticks(SCHEDULER_SLICE_US * 1000ull) : UINT64_MAX;
}

/* The processor would not take what CP made: the guest that caused it hears of it, or its machine stops. */
static void entry_refused(struct vm *vm)
{
    if (vm->vcpu.exit.reason == CPU_UNSOUND)
        vm_unsound(vm, (uint32_t)vm->vcpu.exit.qualification);
    else if (nested_runs(&vm->vcpu))
        nested_refused(vm);
    else
        vm_stop(vm, VM_STOP_BAD_ENTRY, vm->vcpu.exit.reason);
}

/* What CP did for a machine since its last exit, with interrupts kept out. */
static inline void note_stretch(const struct vm *vm, uint64_t ticks)
{
    if (ticks > STRETCH_WORTH_KEEPING)
        account_exit_stretch(exit_basic(&vm->vcpu.exit), ticks);
}

/* Runs one machine until `end`, or it waits or stops, or something else needs CP. Not inlined, since cp/boot/cp.ld has
 * it lie with what else an exit goes through. */
static __attribute__((noinline)) void enter_until(struct vm *vm, uint64_t begun, uint64_t end)
{
    uint64_t now = begun, deadline;

    do {
        deadline = timer_next() < end ? timer_next() : end;
        uint64_t until = deadline, entered = 0;
        if (nested_runs(&vm->vcpu)) {
            uint64_t nested = nested_prepare(vm);
            if (vm->state != VM_RUNNABLE)
                break;
            if (nested < deadline) {
                if (nested == NEST_TIMER_FRESH) /* what CP does from here to the entry takes none of it */
                    entered = clock_now(), nested = nested_timer_start(vm, entered);
                until = nested < deadline ? nested : deadline;
            }
        }
        if (event_waits(vm)) {
            enum event_entry how = event_prepare(vm);
            if (how == EVENT_SHUT_DOWN)
                machine_check_shut_down(vm);
            if (how <= EVENT_WAITS)
                break;
            if (timer_next() < deadline) /* an interrupt taken or held back armed one */
                deadline = timer_next(), until = until < deadline ? until : deadline;
            if (how == EVENT_LEAVE)
                until = 0;
        }
        dispatch_account.entries++;
        if (!entered)
            entered = clock_now();
        note_stretch(vm, entered - now);
        if (!cpu_backend->enter(&vm->vcpu, until, entered)) {
            entry_refused(vm);
            now = entered;
            continue;
        }
        now = clock_now();
        vm->virtual_ticks += now - entered; /* at every exit: a guest may ask in this one */
        if (!nested_runs(&vm->vcpu) || !nested_exit(vm))
            exit_dispatch(vm);
        if (__builtin_expect(!cpu_events.exact, true) || exit_basic(&vm->vcpu.exit) == EXIT_EXTERNAL_INTERRUPT)
            /* a guest with interrupts off that exits often need not hold up CP's lines and disks */
            cpu_interrupt_window();
    } while (vm->state == VM_RUNNABLE && !cpu_events.pending && now < deadline);
    note_stretch(vm, clock_now() - now);
}

/* Whether the machine may go on without giving up its turn: nothing came in, nothing is due but timers of its own, and
 * nobody else wants the processor. */
static bool goes_on(struct vm *vm, uint64_t now)
{
    if (vm->state != VM_RUNNABLE || cpu_events.pending || scheduler_contended())
        return false;
    if (timer_next() <= now)
        timer_run_whose(&vm->machine.pace, now);
    return vm->state == VM_RUNNABLE && timer_next() > now;
}

static void turn(struct vm *vm)
{
    scheduler_settle(vm);
    uint64_t begun = clock_now();

    vm->turn_begun = begun;
    vm->steal_ticks += begun - vm->waits_since;
    vm_turn = vm;
    context_load(&vm->vcpu);
    uint64_t from = begun;
    do {
        enter_until(vm, from, turn_end(from));
        from = clock_now();
    } while (goes_on(vm, from));
    vm_turn = NULL;
    vga_ran(&vm->machine.vga);
    debtor = NULL; /* what it asked for in its turn, that has paid for */
    uint64_t taken = clock_now() - begun;
    vm->total_ticks += taken;
    scheduler_charge(vm, taken);
    if (vm->state != VM_RUNNABLE)
        scheduler_remove(vm);
}

static void sleep(void)
{
    uint64_t begun = clock_now();
    cpu_idle(timer_next());
    dispatch_account.idle_ticks += clock_now() - begun;
}

/* Work for a machine that has had more than others waits, or its share would be what it gets beside it. */
static bool may_have_work(struct debt *debt)
{
    return scheduler_settle((struct vm *)((char *)debt - offsetof(struct vm, machine.disk_user.debt)));
}

void run_loop(void)
{
    work_may = may_have_work;
    for (;;) {
        let_in();
        housekeeping();
        if (cpu_events.pending)
            continue; /* came meanwhile: neither a guest nor sleep may keep it waiting */
        struct vm *vm = scheduler_pick();
        if (vm)
            turn(vm);
        else if (!work_waits())
            sleep();
    }
}
