#include "cms/process/signal.h"

#include <errno.h>

#include "cms/process/end.h"
#include "cms/vfs/caller.h"

static struct signal_action *action_of(struct process *p, int number)
{
    return &p->actions->of[number - 1];
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static bool takes(const struct thread *t, int number)
{
    return !t->dying && (!signal_is_in(t->blocked, number) || signal_is_in(t->waited, number));
}

static bool is_blocked_by_all(const struct process *p, int number)
{
    for (const struct thread *t = p->threads; t; t = t->sibling)
        if (!signal_is_in(t->blocked, number))
            return false;
    return true;
}

/* The main thread if it can, else any. */
static void wake_one(struct process *p, int number)
{
    struct thread *chosen = NULL;
    for (struct thread *t = p->threads; t; t = t->sibling)
        if (takes(t, number) && (!chosen || t->id == p->id))
            chosen = t;
    if (chosen)
        thread_attend(chosen, false);
}

static void drop_everywhere(struct process *p, signal_set set)
{
    signal_queue_drop(&p->pending, set);
    for (struct thread *t = p->threads; t; t = t->sibling)
        signal_queue_drop(&t->pending, set);
}

/* What a signal does when it is sent, whatever becomes of it: it ends the process, ends its stop, or keeps one from
 * coming. */
static bool acts_at_once(struct process *p, int number)
{
    if (number == SIGNAL_KILL) {
        end_process(p, SIGNAL_KILL);
        return true;
    }
    if (number == SIGNAL_CONT) {
        drop_everywhere(p, SIGNALS_STOPPING);
        end_stop(p);
    } else if (signal_is_in(SIGNALS_STOPPING, number)) {
        drop_everywhere(p, signal_bit(SIGNAL_CONT));
    }
    return false;
}

bool signal_send(struct process *p, const struct signal_info *info)
{
    if (p->zombie || p->ending || acts_at_once(p, info->number))
        return true;
    if (signal_is_ignored(info->number, action_of(p, info->number)) && !is_blocked_by_all(p, info->number))
        return true;
    if (!signal_queue_add(&p->pending, info))
        return false;
    wake_one(p, info->number);
    return true;
}

bool signal_send_thread(struct thread *t, const struct signal_info *info)
{
    if (t->dying || acts_at_once(t->process, info->number))
        return true;
    if (signal_is_ignored(info->number, action_of(t->process, info->number)) && !signal_is_in(t->blocked, info->number))
        return true;
    if (!signal_queue_add(&t->pending, info))
        return false;
    if (takes(t, info->number))
        thread_attend(t, false);
    return true;
}

void signal_raise(struct process *p, int number)
{
    signal_send(p, &(struct signal_info){.number = number, .code = CODE_KERNEL});
}

void signal_force(struct thread *t, const struct signal_info *info)
{
    struct signal_action *a = action_of(t->process, info->number);
    if (a->handler == SIGNAL_IGNORE || signal_is_in(t->blocked, info->number))
        a->handler = SIGNAL_DEFAULT;
    t->blocked &= ~signal_bit(info->number);
    signal_queue_drop(&t->pending, signal_bit(info->number));
    signal_queue_add(&t->pending, info);
    t->attention = true;
}

unsigned signal_send_group(int group, const struct signal_info *info)
{
    unsigned sent = 0;
    for (struct process *p = process_all, *next; p; p = next) {
        next = p->next;
        if (p->group != group)
            continue;
        sent++;
        if (info->number)
            signal_send(p, info);
    }
    return sent;
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

static void taken_of_timer(struct process *p, struct signal_info *info)
{
    if (info->code != CODE_TIMER || !p->timers || info->timer < 0 || info->timer >= PROCESS_TIMERS_MAX)
        return;
    struct process_timer *timer = &p->timers[info->timer];
    timer->queued = false;
    timer->last_overruns = timer->overruns;
    timer->overruns = 0;
    info->overrun = (int32_t)timer->last_overruns;
}

int signal_take(struct thread *t, signal_set set, struct signal_info *info)
{
    struct signal_queue *q = &t->pending;
    int number = signal_queue_first(q, set);
    if (!number) {
        q = &t->process->pending;
        number = signal_queue_first(q, set);
    }
    if (number) {
        signal_queue_take(q, number, info);
        taken_of_timer(t->process, info);
    }
    return number;
}

signal_set signal_pending(const struct thread *t)
{
    return t->pending.pending | t->process->pending.pending;
}

void signal_block(struct thread *t, signal_set set)
{
    t->blocked = set & ~SIGNALS_UNBLOCKABLE;
    if (signal_pending(t) & ~t->blocked)
        t->attention = true;
}

void signal_block_meanwhile(struct thread *t, signal_set set)
{
    t->kept_blocked = t->blocked;
    t->keeps_blocked = true;
    t->attention = true;
    signal_block(t, set);
}

void signal_action_changed(struct process *p, int number)
{
    if (signal_is_ignored(number, action_of(p, number)))
        drop_everywhere(p, signal_bit(number));
}

/* ---- on the way back to the program ------------------------------------------------------------------------------ */

/* rip behind SYSCALL, and rax the number: the call is made again. */
static void call_again(struct thread *t, unsigned number)
{
    enum { SYSCALL_BYTES = 2 };
    t->frame->rip -= SYSCALL_BYTES;
    t->frame->rax = number;
    t->in_call = false;
}

static bool is_interrupted(const struct thread *t)
{
    return t->in_call && (int64_t)t->frame->rax == -EINTR;
}

static void handle(struct thread *t, const struct signal_info *info, struct signal_action *a)
{
    struct signal_action action = *a;

    if (is_interrupted(t) && t->interrupted == INTERRUPTED_RESTARTS && action.flags & ACTION_RESTART)
        call_again(t, t->call);
    t->in_call = false;
    t->resume = NULL;
    if (action.flags & ACTION_RESETHAND)
        a->handler = SIGNAL_DEFAULT;
    if (signal_frame_push(t, info, &action)) {
        if (info->number == SIGNAL_SEGV)
            a->handler = SIGNAL_DEFAULT;
        signal_force(t, &(struct signal_info){.number = SIGNAL_SEGV, .code = CODE_KERNEL});
        return;
    }
    t->keeps_blocked = false;
    signal_set add = action.mask | (action.flags & ACTION_NODEFER ? 0 : signal_bit(info->number));
    signal_block(t, t->blocked | add);
}

static void obey_default(struct thread *t, const struct signal_info *info)
{
    switch (signal_default(info->number)) {
    case DEFAULT_IGNORE:
    case DEFAULT_CONTINUE:
        return;
    case DEFAULT_STOP:
        if (info->number == SIGNAL_STOP || !caller_group_is_orphaned(t->process->group))
            stop_process(t->process, info->number);
        return;
    case DEFAULT_CORE:
        t->process->end_address = t->fault_address;
        /* fall through */
    case DEFAULT_END:
        t->process->end_registers = *t->frame;
        end_process(t->process, info->number);
        return;
    }
}

static bool take_one(struct thread *t)
{
    struct signal_info info;

    if (t->process->stopped || !signal_take(t, ~t->blocked, &info))
        return false;
    struct signal_action *a = action_of(t->process, info.number);
    if (a->handler == SIGNAL_DEFAULT)
        obey_default(t, &info);
    else if (a->handler != SIGNAL_IGNORE)
        handle(t, &info, a);
    return true;
}

/* No handler runs: the call that was interrupted goes on by itself. */
static void go_on(struct thread *t)
{
    enum { RESTART_SYSCALL = 219 };
    if (is_interrupted(t) && t->interrupted != INTERRUPTED_ENDS)
        call_again(t, t->resume ? RESTART_SYSCALL : t->call);
    t->in_call = false;
    if (t->keeps_blocked) {
        t->keeps_blocked = false;
        signal_block(t, t->kept_blocked);
    }
}

void thread_before_program(void)
{
    struct thread *t = thread_current();
    do {
        t->attention = false;
        while (!t->dying && (t->process->stopped || take_one(t)))
            if (t->process->stopped)
                thread_wait_deaf(&t->process->continued);
        if (t->dying)
            end_thread();
        go_on(t);
        thread_yield();
    } while (t->attention);
}
