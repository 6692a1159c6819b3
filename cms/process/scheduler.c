/* Who runs: a queue of threads that are ready, those that wait in queues, and the command level, which runs when no
 * thread can or when a thread wants it to. All runs with interrupts off; an interrupt's handler, which comes from user
 * mode or from the command level's sleep, may wake. */
#include <errno.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/sleep.h"
#include "cms/process/signal.h"
#include "cms/process/thread.h"
#include "cms/process/timer.h"
#include "cms/tty/tty.h"

enum { LOOK_EVERY = 5000000 }; /* ns, of long work at keys and timers */
static const uint64_t STACK_END = 0x9d1f0ae37c5b8642; /* lowest in a thread's stack */

struct waiter {
    struct thread *thread;
    struct waiter *next;
    struct wait_queue *queue; /* NULL: that has gone */
};

static struct thread *current, *ready, **ready_end = &ready, *dead;
static struct context command_level;
static bool on_command_level = true;
static unsigned thread_total, ready_count;
static uint64_t slice_end;
uint64_t thread_last_ticks;
bool thread_command_wanted;

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

uint64_t cms_wait_now(void)
{
    return cms_clock_ns();
}

void thread_count_time(struct process *p, uint64_t ticks, bool user)
{
    p->counts = timer_count(p, ticks, user);
}

struct times thread_times(const struct thread *t)
{
    return (struct times){t->user_ticks, t->system_ticks + (t == current ? cms_ticks() - thread_last_ticks : 0)};
}

struct times process_times(const struct process *p)
{
    struct times sum = p->gone;
    for (const struct thread *t = p->threads; t; t = t->sibling) {
        struct times one = thread_times(t);
        sum.user += one.user;
        sum.system += one.system;
    }
    return sum;
}

/* The next tick: for the first deadline, and for the slice's end where somebody else is ready. */
static void arm(uint64_t now)
{
    uint64_t next = deadline_first(), keys = tty_deadline();
    if (keys && (!next || keys < next))
        next = keys;
    bool slices = !on_command_level && (ready || current->process->counts);
    if (slices && (!next || slice_end < next))
        next = slice_end;
    if (next)
        cms_tick_within(next > now ? next - now : 0);
}

void thread_time_passed(void)
{
    tty_input_arrived();
    uint64_t now = cms_wait_now();
    deadline_run(now);
    if (!on_command_level && now >= slice_end) {
        if (ready)
            current->attention = true;
        else
            slice_end = now + THREAD_SLICE;
    }
    arm(now);
}

/* ---- the run queue ----------------------------------------------------------------------------------------------- */

struct thread *thread_current(void) { return current; }
struct process *process_current(void) { return current->process; }
struct trap_frame *thread_registers(struct thread *t) { return t->frame; }
bool thread_is_command_level(void) { return on_command_level; }

void thread_pretend(struct thread *t)
{
    current = t;
}

void thread_make_ready(struct thread *t)
{
    t->state = THREAD_READY;
    t->next = NULL;
    *ready_end = t;
    ready_end = &t->next;
    if (!ready_count++ && !on_command_level)
        arm(cms_wait_now());
}

static struct thread *take_ready(void)
{
    struct thread *t = ready;
    if (!t)
        return NULL;
    if (!(ready = t->next))
        ready_end = &ready;
    ready_count--;
    return t;
}

static void free_thread(struct thread *t)
{
    cms_heap_free(t->user.extended ? (char *)t->user.extended - ((uint8_t *)t->user.extended)[-1] : NULL);
    cms_heap_free(t->stack);
    cms_heap_free(t);
}

/* A thread cannot give back the stack it ends on. */
static void bury(void)
{
    while (dead) {
        struct thread *t = dead;
        dead = t->next;
        thread_total--;
        free_thread(t);
    }
}

static void arrived(struct thread *t)
{
    t->state = THREAD_RUNS;
    slice_end = cms_wait_now() + THREAD_SLICE;
    thread_last_ticks = cms_ticks();
    bury();
    if (ready || deadline_first())
        arm(cms_wait_now());
}

/* A stack that was too small has overwritten what lies below it: no command goes on from there. */
static void check_stack(const struct thread *t)
{
    if (*(const uint64_t *)t->stack != STACK_END)
        __builtin_trap();
}

static void switch_to(struct thread *to)
{
    struct thread *from = on_command_level ? NULL : current;

    if (from)
        check_stack(from);
    if (from)
        thread_account_system(from);
    user_state_switch(from ? &from->user : NULL, to ? &to->user : NULL);
    current = to;
    on_command_level = !to;
    context_switch(from ? &from->context : &command_level, to ? &to->context : &command_level);
    if (from)
        arrived(from);
    else
        bury();
}

/* The command level comes first where a thread wants something of it, and last otherwise. */
static void give_way(void)
{
    struct thread *next = thread_command_wanted ? NULL : take_ready();
    if (next != current)
        switch_to(next);
    else
        arrived(next);
}

void thread_yield(void)
{
    if (!ready && !thread_command_wanted)
        return;
    thread_make_ready(current);
    give_way();
}

void thread_leave(void)
{
    current->state = THREAD_DEAD;
    current->next = dead;
    dead = current;
    give_way();
    __builtin_unreachable();
}

void thread_run_all(void)
{
    struct thread *next;
    while (!thread_command_wanted && (next = take_ready()))
        switch_to(next);
}

/* ---- making and forgetting --------------------------------------------------------------------------------------- */

static void begin(void *argument)
{
    struct thread *t = argument;
    struct trap_frame frame = t->start;

    arrived(t);
    t->frame = &frame;
    thread_before_program();
    thread_account_system(t);
    user_enter(&frame);
}

/* Aligned to 64 bytes in the heap; the byte before says how far it was moved. */
static void *make_extended(void)
{
    enum { ALIGNMENT = 64 };
    char *block = cms_heap_allocate(user_extended_size() + ALIGNMENT);
    if (!block)
        return NULL;
    unsigned moved = ALIGNMENT - (uintptr_t)block % ALIGNMENT;
    ((uint8_t *)block)[moved - 1] = (uint8_t)moved;
    return block + moved;
}

struct thread *thread_make(struct process *p)
{
    struct thread *t = thread_total < THREAD_MAX ? cms_heap_allocate(sizeof *t) : NULL;
    if (!t)
        return NULL;
    *t = (struct thread){.process = p, .alternate.flags = STACK_DISABLE, .state = THREAD_SLEEPS};
    t->stack = cms_heap_allocate(KERNEL_STACK);
    t->user.extended = make_extended();
    if (!t->stack || !t->user.extended) {
        free_thread(t);
        return NULL;
    }
    *(uint64_t *)t->stack = STACK_END;
    user_extended_begin(t->user.extended);
    t->user.stack_top = (uintptr_t)t->stack + KERNEL_STACK;
    t->user.root = p->space ? space_root(p->space) : 0;
    context_make(&t->context, t->stack, begin, t);
    t->frame = &t->start;
    t->sibling = p->threads;
    p->threads = t;
    p->thread_count++;
    thread_total++;
    return t;
}

void thread_unmake(struct thread *t)
{
    struct thread **at = &t->process->threads;
    while (*at != t)
        at = &(*at)->sibling;
    *at = t->sibling;
    t->process->thread_count--;
    thread_total--;
    free_thread(t);
}

/* Queues that are no thread's own, as the terminal's, outlive them all. */
static void leave_queues(void)
{
    for (struct process *p = process_all; p; p = p->next)
        for (struct thread *t = p->threads; t; t = t->sibling)
            for (unsigned i = 0; t->waiters && i < t->waiter_count; i++)
                if (t->waiters[i].queue)
                    t->waiters[i].queue->first = NULL;
}

void thread_forget_all(void)
{
    leave_queues();
    current = ready = dead = NULL;
    ready_end = &ready;
    thread_total = ready_count = 0;
    on_command_level = true;
    thread_command_wanted = false;
    deadline_forget_all();
}

void thread_count(unsigned *now_ready, unsigned *all)
{
    *now_ready = ready_count + !on_command_level;
    *all = thread_total;
}

/* ---- sleeping ---------------------------------------------------------------------------------------------------- */

static bool has_signal(const struct thread *t)
{
    signal_set pending = t->pending.pending | t->process->pending.pending;
    if (t->hears == HEARS_NOTHING)
        return false;
    return t->dying || (t->hears == HEARS_ALL && (pending & (~t->blocked | t->waited)));
}

static void wake(struct thread *t)
{
    if (t->state == THREAD_SLEEPS)
        thread_make_ready(t);
}

void thread_attend(struct thread *t, bool kill)
{
    t->attention = true;
    if (t->hears == HEARS_ALL || (kill && t->hears == HEARS_KILL))
        wake(t);
}

static void time_out(struct deadline *d)
{
    struct thread *t = (struct thread *)((char *)d - offsetof(struct thread, deadline));
    t->timed_out = true;
    wake(t);
}

static void leave_queue(struct wait_queue *q, const struct waiter *w)
{
    for (struct waiter **at = &q->first; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            return;
        }
}

static int sleep_in(struct wait_queue *const queues[], struct waiter waiters[], unsigned count, uint64_t deadline)
{
    struct thread *t = current;

    if (has_signal(t))
        return -EINTR;
    if (deadline != WAIT_FOR_EVER && deadline <= cms_wait_now())
        return -ETIMEDOUT;
    for (unsigned i = 0; i < count; i++) {
        waiters[i] = (struct waiter){t, queues[i]->first, queues[i]};
        queues[i]->first = &waiters[i];
    }
    t->woken = t->timed_out = false;
    t->waiters = waiters;
    t->waiter_count = count;
    t->state = THREAD_SLEEPS;
    t->switches++;
    if (deadline != WAIT_FOR_EVER) {
        t->deadline.due = time_out;
        deadline_set(&t->deadline, deadline);
    }
    give_way();
    deadline_cancel(&t->deadline);
    t->waiters = NULL;
    for (unsigned i = 0; i < count; i++)
        if (waiters[i].queue)
            leave_queue(waiters[i].queue, &waiters[i]);
    return t->woken ? 0 : t->timed_out ? -ETIMEDOUT : -EINTR;
}

/* The command level has no queue to stand in: it lets an interrupt pass, and looks again. */
static int sleep_on_command_level(uint64_t deadline)
{
    if (deadline != WAIT_FOR_EVER && deadline <= cms_wait_now())
        return -ETIMEDOUT;
    cms_sleep(true);
    return 0;
}

int cms_wait_any(struct wait_queue *const queues[], unsigned count, uint64_t deadline)
{
    struct waiter waiters[WAIT_QUEUES_MAX];
    return on_command_level ? sleep_on_command_level(deadline) : sleep_in(queues, waiters, count, deadline);
}

int cms_wait(struct wait_queue *queue, uint64_t deadline)
{
    struct waiter waiter;
    return on_command_level ? sleep_on_command_level(deadline) : sleep_in(&queue, &waiter, 1, deadline);
}

int thread_wait_deaf(struct wait_queue *queue)
{
    current->hears = HEARS_KILL;
    int error = cms_wait(queue, WAIT_FOR_EVER);
    current->hears = HEARS_ALL;
    return error;
}

void cms_wake(struct wait_queue *queue)
{
    queue->wakes++;
    for (struct waiter *w = queue->first; w; w = w->next) {
        w->thread->woken = true;
        wake(w->thread);
    }
}

void cms_wait_end(struct wait_queue *queue)
{
    cms_wake(queue);
    for (struct waiter *w = queue->first; w; w = w->next)
        w->queue = NULL;
    queue->first = NULL;
}

/* ---- long work in the kernel ------------------------------------------------------------------------------------- */

/* One that nothing but its end follows. */
static bool has_fatal_signal(const struct thread *t)
{
    for (signal_set left = signal_pending(t) & ~t->blocked; left; left &= left - 1) {
        int number = __builtin_ctzll(left) + 1;
        bool ends = signal_default(number) == DEFAULT_END || signal_default(number) == DEFAULT_CORE;
        if (ends && t->process->actions->of[number - 1].handler == SIGNAL_DEFAULT)
            return true;
    }
    return false;
}

int cms_work(void)
{
    static uint64_t looked; /* ticks */
    const struct thread *t = current;
    if (on_command_level)
        return 0;
    uint64_t now = cms_ticks();
    if (cms_ticks_ns(now - looked) >= LOOK_EVERY) {
        looked = now;
        cms_interrupts_pass();
        thread_time_passed();
    }
    return t->hears != HEARS_NOTHING && (t->dying || has_fatal_signal(t)) ? -EINTR : 0;
}

bool cms_wait_is_over(void)
{
    return !on_command_level && has_signal(current);
}
