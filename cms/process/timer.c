#include "cms/process/timer.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/heap.h"
#include "cms/process/signal.h"

enum { SECOND = 1000000000 };

#define OWNER(member, type, pointer) ((type *)((char *)(pointer) - offsetof(type, member)))

/* The first time behind `now`, in steps; *missed: how many were passed over. Steps too small to be told of one by one
 * are passed over too, so that a timer of a microsecond leaves the processor to others. */
static uint64_t next_time(uint64_t at, uint64_t interval, uint64_t now, uint64_t *missed)
{
    enum { LEAST = 1000000 };
    now += interval < LEAST ? LEAST : 0;
    *missed = now > at ? (now - at) / interval : 0;
    return at + (*missed + 1) * interval;
}

/* ---- setitimer --------------------------------------------------------------------------------------------------- */

static void real_due(struct deadline *d)
{
    struct interval_timer *timer = OWNER(deadline, struct interval_timer, d);
    struct process *p = OWNER(interval[TIMER_REAL], struct process, timer);
    uint64_t now = cms_wait_now(), missed;

    if (timer->interval)
        deadline_set(d, next_time(timer->left, timer->interval, now, &missed));
    timer->left = d->at;
    signal_raise(p, SIGNAL_ALRM);
}

void timer_interval_get(struct process *p, unsigned kind, struct timer_setting *s)
{
    struct interval_timer *timer = &p->interval[kind];
    uint64_t now = cms_wait_now();

    s->interval = timer->interval;
    if (kind != TIMER_REAL)
        s->left = timer->left;
    else
        s->left = !timer->deadline.at ? 0 : timer->deadline.at > now ? timer->deadline.at - now : 1;
}

void timer_interval_set(struct process *p, unsigned kind, const struct timer_setting *s)
{
    struct interval_timer *timer = &p->interval[kind];

    timer->interval = s->interval;
    timer->left = s->left;
    if (kind != TIMER_REAL) {
        p->counts |= s->left != 0;
        thread_time_passed();
        return;
    }
    deadline_cancel(&timer->deadline);
    if (!s->left)
        return;
    timer->left = cms_wait_now() + s->left;
    timer->deadline.due = real_due;
    deadline_set(&timer->deadline, timer->left);
    thread_time_passed();
}

static void count_one(struct process *p, unsigned kind, uint64_t ns)
{
    static const int signals[] = {[TIMER_VIRTUAL] = SIGNAL_VTALRM, [TIMER_PROF] = SIGNAL_PROF};
    struct interval_timer *timer = &p->interval[kind];

    if (!timer->left)
        return;
    if (timer->left > ns) {
        timer->left -= ns;
        return;
    }
    timer->left = timer->interval;
    signal_raise(p, signals[kind]);
}

/* setrlimit(2): SIGXCPU at the limit and each second behind it, SIGKILL at the most. */
static void count_limit(struct process *p, uint64_t ns)
{
    const struct limit *l = &p->limit[LIMIT_CPU];
    p->limited_ns += ns;
    uint64_t seconds = p->limited_ns / SECOND;
    if (seconds >= l->most)
        signal_raise(p, SIGNAL_KILL);
    else if (seconds >= l->now && seconds >= p->limit_told) {
        p->limit_told = seconds + 1;
        signal_raise(p, SIGNAL_XCPU);
    }
}

void timer_limit_set(struct process *p)
{
    struct times t = process_times(p);
    p->limited_ns = cms_ticks_ns(t.user + t.system);
    p->limit_told = 0;
    p->counts = true;
}

bool timer_count(struct process *p, uint64_t ticks, bool user)
{
    bool limited = p->limit[LIMIT_CPU].now != LIMIT_NONE;
    if (!limited && !p->interval[TIMER_VIRTUAL].left && !p->interval[TIMER_PROF].left)
        return false;
    uint64_t ns = cms_ticks_ns(ticks);
    if (limited)
        count_limit(p, ns);
    if (user)
        count_one(p, TIMER_VIRTUAL, ns);
    count_one(p, TIMER_PROF, ns);
    return true;
}

/* ---- timer_create ------------------------------------------------------------------------------------------------ */

static void send(struct process_timer *timer, uint64_t more)
{
    struct signal_info info = {.number = timer->signal, .code = CODE_TIMER, .timer = timer->id,
                               .timer_value = timer->value};
    if (timer->notify == TIMER_NONE)
        return;
    if (timer->queued) {
        timer->overruns += (unsigned)more + 1;
        return;
    }
    timer->overruns = (unsigned)more;
    struct thread *t = timer->notify & TIMER_THREAD_ID ? thread_find(timer->thread) : NULL;
    if (timer->notify & TIMER_THREAD_ID && (!t || t->process != timer->process))
        return;
    timer->queued = t ? signal_send_thread(t, &info) : signal_send(timer->process, &info);
    const struct signal_queue *q = t ? &t->pending : &timer->process->pending;
    if (!signal_is_in(q->pending, timer->signal))
        timer->queued = false; /* it is ignored */
}

static void created_due(struct deadline *d)
{
    struct process_timer *timer = OWNER(deadline, struct process_timer, d);
    uint64_t now = cms_wait_now(), missed = 0;

    if (timer->interval) {
        timer->last_at = next_time(timer->last_at, timer->interval, now, &missed);
        deadline_set(d, timer->last_at);
    }
    send(timer, missed);
}

int timer_create(struct process *p, struct process_timer **made)
{
    if (!p->timers) {
        p->timers = cms_heap_allocate(PROCESS_TIMERS_MAX * sizeof *p->timers);
        if (!p->timers)
            return -EAGAIN;
        memset(p->timers, 0, PROCESS_TIMERS_MAX * sizeof *p->timers);
    }
    for (int i = 0; i < PROCESS_TIMERS_MAX; i++)
        if (!p->timers[i].used) {
            p->timers[i] = (struct process_timer){.used = true, .id = i, .process = p, .deadline.due = created_due};
            *made = &p->timers[i];
            return 0;
        }
    return -EAGAIN;
}

struct process_timer *timer_find(struct process *p, int id)
{
    return p->timers && id >= 0 && id < PROCESS_TIMERS_MAX && p->timers[id].used ? &p->timers[id] : NULL;
}

void timer_get(struct process_timer *timer, struct timer_setting *s)
{
    uint64_t now = cms_wait_now(), at = timer->deadline.at;
    s->interval = timer->interval;
    s->left = !at ? 0 : at > now ? at - now : 1;
}

void timer_set(struct process_timer *timer, uint64_t at, uint64_t interval)
{
    deadline_cancel(&timer->deadline);
    timer->interval = interval;
    timer->last_at = at;
    timer->queued = false;
    if (!at)
        return;
    deadline_set(&timer->deadline, at);
    thread_time_passed();
}

void timer_delete(struct process_timer *timer)
{
    deadline_cancel(&timer->deadline);
    timer->used = false;
}

void timer_delete_all(struct process *p)
{
    for (int i = 0; p->timers && i < PROCESS_TIMERS_MAX; i++)
        if (p->timers[i].used)
            timer_delete(&p->timers[i]);
}

void timer_end(struct process *p)
{
    timer_delete_all(p);
    deadline_cancel(&p->interval[TIMER_REAL].deadline);
}
