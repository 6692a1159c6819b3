/* setitimer(2), alarm(2), timer_create(2). */
#include "cms/process/timer.h"

#include "cms/syscall/clock.h"
#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"

struct user_itimerval {
    struct user_timeval interval, value;
};
struct user_itimerspec {
    struct user_timespec interval, value;
};

static int put_interval(uint64_t to, const struct timer_setting *s)
{
    struct user_itimerval v = {user_timeval_of(s->interval), user_timeval_of(s->left)};
    if (s->left && !v.value.seconds && !v.value.microseconds)
        v.value.microseconds = 1;
    return user_out(to, &v, sizeof v);
}

int64_t call_getitimer(const struct call *c)
{
    struct timer_setting s;
    if (c->argument[0] >= TIMER_KINDS)
        return -EINVAL;
    timer_interval_get(process_current(), (unsigned)c->argument[0], &s);
    return put_interval(c->argument[1], &s);
}

int64_t call_setitimer(const struct call *c)
{
    struct timer_setting s = {0}, old;
    uint64_t from = c->argument[1];
    int error = 0;

    if (c->argument[0] >= TIMER_KINDS)
        return -EINVAL;
    if (from) {
        error = user_timeval_in(from + offsetof(struct user_itimerval, interval), &s.interval);
        if (!error)
            error = user_timeval_in(from + offsetof(struct user_itimerval, value), &s.left);
    }
    if (error)
        return error;
    timer_interval_get(process_current(), (unsigned)c->argument[0], &old);
    timer_interval_set(process_current(), (unsigned)c->argument[0], &s);
    return c->argument[2] ? put_interval(c->argument[2], &old) : 0;
}

int64_t call_alarm(const struct call *c)
{
    struct timer_setting s = {.left = (c->argument[0] & UINT32_MAX) * USER_NS}, old;
    timer_interval_get(process_current(), TIMER_REAL, &old);
    timer_interval_set(process_current(), TIMER_REAL, &s);
    return (int64_t)((old.left + USER_NS - 1) / USER_NS);
}

/* ---- timer_create ------------------------------------------------------------------------------------------------ */

struct user_sigevent {
    uint64_t value;
    int32_t signal, notify, thread, pad[11];
};
_Static_assert(sizeof(struct user_sigevent) == 64, "struct sigevent");

static int judge_event(const struct user_sigevent *e)
{
    if (e->notify == TIMER_NONE)
        return 0;
    if ((e->notify & ~TIMER_THREAD_ID) != TIMER_SIGNAL || !signal_is_valid(e->signal))
        return -EINVAL;
    if (e->notify & TIMER_THREAD_ID) {
        const struct thread *t = thread_find(e->thread);
        return t && t->process == process_current() ? 0 : -EINVAL;
    }
    return 0;
}

int64_t call_timer_create(const struct call *c)
{
    struct user_sigevent e = {.signal = SIGNAL_ALRM};
    struct process_timer *timer;
    uint64_t now;
    int clock = (int)c->argument[0], error = clock_deadline(clock, 0, &now);

    if (error)
        return error == -EOPNOTSUPP ? -EOPNOTSUPP : -EINVAL;
    if (c->argument[1]) {
        if (user_in(&e, c->argument[1], sizeof e))
            return -EFAULT;
        if ((error = judge_event(&e)))
            return error;
    }
    if ((error = timer_create(process_current(), &timer)))
        return error;
    timer->clock = clock;
    timer->signal = e.signal;
    timer->notify = e.notify;
    timer->thread = e.thread;
    timer->value = c->argument[1] ? e.value : (uint64_t)timer->id;
    if (!user_out(c->argument[2], &timer->id, sizeof timer->id))
        return 0;
    timer_delete(timer);
    return -EFAULT;
}

static int put_setting(uint64_t to, struct process_timer *timer)
{
    struct timer_setting s;
    timer_get(timer, &s);
    struct user_itimerspec v = {user_timespec_of(s.interval), user_timespec_of(s.left)};
    return user_out(to, &v, sizeof v);
}

int64_t call_timer_settime(const struct call *c)
{
    enum { ABSOLUTE = 1 };
    struct process_timer *timer = timer_find(process_current(), (int)c->argument[0]);
    uint64_t interval, value, at = 0, from = c->argument[2];

    if (!timer || !from)
        return -EINVAL;
    int error = user_timespec_in(from + offsetof(struct user_itimerspec, interval), &interval);
    if (!error)
        error = user_timespec_in(from + offsetof(struct user_itimerspec, value), &value);
    if (!error && c->argument[3])
        error = put_setting(c->argument[3], timer);
    if (error)
        return error;
    if (value && c->argument[1] & ABSOLUTE)
        clock_deadline(timer->clock, value, &at);
    else if (value)
        at = user_deadline(value);
    timer_set(timer, at, interval);
    return 0;
}

int64_t call_timer_gettime(const struct call *c)
{
    struct process_timer *timer = timer_find(process_current(), (int)c->argument[0]);
    return timer ? put_setting(c->argument[1], timer) : -EINVAL;
}

int64_t call_timer_getoverrun(const struct call *c)
{
    struct process_timer *timer = timer_find(process_current(), (int)c->argument[0]);
    return timer ? (int64_t)timer->last_overruns : -EINVAL;
}

int64_t call_timer_delete(const struct call *c)
{
    struct process_timer *timer = timer_find(process_current(), (int)c->argument[0]);
    if (!timer)
        return -EINVAL;
    timer_delete(timer);
    return 0;
}
