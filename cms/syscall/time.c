/* Clocks and sleep. REALTIME is CMS' time of day, MONOTONIC and BOOTTIME count from IPL, CPU clocks what threads
 * used. */
#include "cms/kernel/clock.h"
#include "cms/process/timer.h"
#include "cms/syscall/clock.h"
#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"

static const uint64_t EVER = INT64_MAX / 4; /* as good as for ever, and no sum of it overflows */

int user_timespec_in(uint64_t from, uint64_t *ns)
{
    struct user_timespec t;
    if (user_in(&t, from, sizeof t))
        return -EFAULT;
    if (t.seconds < 0 || t.nanoseconds < 0 || t.nanoseconds >= USER_NS)
        return -EINVAL;
    *ns = (uint64_t)t.seconds >= EVER / USER_NS ? EVER : (uint64_t)t.seconds * USER_NS + (uint64_t)t.nanoseconds;
    return 0;
}

int user_timeval_in(uint64_t from, uint64_t *ns)
{
    struct user_timeval t;
    if (user_in(&t, from, sizeof t))
        return -EFAULT;
    if (t.seconds < 0 || t.microseconds < 0 || t.microseconds >= USER_US)
        return -EINVAL;
    *ns = (uint64_t)t.seconds * USER_NS + (uint64_t)t.microseconds * USER_NS_OF_US;
    if ((uint64_t)t.seconds >= EVER / USER_NS)
        *ns = EVER;
    return 0;
}

uint64_t user_deadline(uint64_t ns)
{
    return cms_wait_now() + ns;
}

/* ---- which clock ------------------------------------------------------------------------------------------------- */

static uint64_t cpu_ns(struct times t)
{
    return cms_ticks_ns(t.user + t.system);
}

/* A CPU clock of another: its number, inverted, above three bits that say what of it. clock_getcpuclockid(3) */
static int cpu_clock(int clock, uint64_t *ns)
{
    enum { THREAD = 4, SCHEDULED = 2, KIND = 3 };
    int id = ~(clock >> 3);
    if ((clock & KIND) != SCHEDULED)
        return -EINVAL;
    if (clock & THREAD) {
        struct thread *t = id ? thread_find(id) : thread_current();
        if (!t || t->process != process_current())
            return -EINVAL;
        *ns = cpu_ns(thread_times(t));
        return 0;
    }
    struct process *p = id ? process_find(id) : process_current();
    if (!p)
        return -EINVAL;
    *ns = cpu_ns(process_times(p));
    return 0;
}

int clock_read(int clock, uint64_t *ns)
{
    switch (clock) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: case CLOCK_REALTIME_ALARM: case CLOCK_TAI:
        *ns = cms_clock_wall();
        return 0;
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW: case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *ns = cms_wait_now();
        return 0;
    case CLOCK_PROCESS:
        *ns = cpu_ns(process_times(process_current()));
        return 0;
    case CLOCK_THREAD:
        *ns = cpu_ns(thread_times(thread_current()));
        return 0;
    default:
        return clock < 0 ? cpu_clock(clock, ns) : -EINVAL;
    }
}

int clock_deadline(int clock, uint64_t at, uint64_t *deadline)
{
    uint64_t now, monotonic = cms_wait_now();
    int error = clock_read(clock, &now);
    if (error)
        return error;
    if (clock == CLOCK_PROCESS || clock == CLOCK_THREAD || clock < 0)
        return -EOPNOTSUPP;
    *deadline = at > now ? monotonic + (at - now) : monotonic;
    return 0;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

int64_t call_clock_gettime(const struct call *c)
{
    uint64_t ns;
    int error = clock_read((int)c->argument[0], &ns);
    if (error)
        return error;
    struct user_timespec t = user_timespec_of(ns);
    return user_out(c->argument[1], &t, sizeof t);
}

int64_t call_clock_getres(const struct call *c)
{
    uint64_t ns;
    int error = clock_read((int)c->argument[0], &ns);
    struct user_timespec t = {0, 1};
    if (error || !c->argument[1])
        return error;
    return user_out(c->argument[1], &t, sizeof t);
}

int64_t call_clock_settime(const struct call *c)
{
    uint64_t ns;
    int error = user_timespec_in(c->argument[1], &ns);
    return error ? error : (int)c->argument[0] == CLOCK_REALTIME ? -EPERM : -EINVAL; /* the clock is CP's */
}

int64_t call_gettimeofday(const struct call *c)
{
    struct user_timeval t = user_timeval_of(cms_clock_wall());
    const int32_t zone[2] = {0, 0};
    if (c->argument[0] && user_out(c->argument[0], &t, sizeof t))
        return -EFAULT;
    return c->argument[1] ? user_out(c->argument[1], zone, sizeof zone) : 0;
}

int64_t call_time(const struct call *c)
{
    int64_t seconds = (int64_t)(cms_clock_wall() / USER_NS);
    if (c->argument[0] && user_out(c->argument[0], &seconds, sizeof seconds))
        return -EFAULT;
    return seconds;
}

/* ---- sleep ------------------------------------------------------------------------------------------------------- */

enum { RESUME_DEADLINE, RESUME_LEFT };

static int64_t sleep_until(uint64_t deadline, uint64_t left_to);

static int64_t sleep_on(struct thread *t)
{
    return sleep_until(t->resume_argument[RESUME_DEADLINE], t->resume_argument[RESUME_LEFT]);
}

/* What is left goes to the program, where it wants it, if a signal comes first. */
static int64_t sleep_until(uint64_t deadline, uint64_t left_to)
{
    struct wait_queue queue = {NULL};
    struct thread *self = thread_current();
    int error = cms_wait(&queue, deadline);

    if (error != -EINTR)
        return 0;
    uint64_t now = cms_wait_now();
    struct user_timespec left = user_timespec_of(deadline > now ? deadline - now : 0);
    if (left_to && user_out(left_to, &left, sizeof left))
        return -EFAULT;
    self->resume = sleep_on;
    self->resume_argument[RESUME_DEADLINE] = deadline;
    self->resume_argument[RESUME_LEFT] = left_to;
    return -EINTR;
}

int64_t call_nanosleep(const struct call *c)
{
    uint64_t ns;
    int error = user_timespec_in(c->argument[0], &ns);
    return error ? error : sleep_until(user_deadline(ns), c->argument[1]);
}

int64_t call_clock_nanosleep(const struct call *c)
{
    enum { ABSOLUTE = 1 };
    int clock = (int)c->argument[0];
    uint64_t ns, deadline;
    int error = user_timespec_in(c->argument[2], &ns);

    if (clock == CLOCK_THREAD)
        return -EINVAL;
    if (!error)
        error = clock_deadline(clock, ns, &deadline);
    if (error)
        return error;
    if (!(c->argument[1] & ABSOLUTE))
        return sleep_until(user_deadline(ns), c->argument[3]);
    int64_t slept = sleep_until(deadline, 0);
    thread_current()->resume = NULL; /* the call itself may be made again */
    return slept;
}

int64_t call_restart_syscall(const struct call *c)
{
    struct thread *t = thread_current();
    int64_t (*resume)(struct thread *) = t->resume;
    (void)c;
    t->resume = NULL;
    t->interrupted = INTERRUPTED_NO_HANDLER;
    return resume ? resume(t) : -EINTR;
}

/* ---- processor time ---------------------------------------------------------------------------------------------- */

int64_t call_times(const struct call *c)
{
    struct process *p = process_current();
    struct times own = process_times(p);
    const uint64_t used[4] = {own.user, own.system, p->children.user, p->children.system};
    int64_t ticks[4];
    for (unsigned i = 0; i < 4; i++)
        ticks[i] = (int64_t)(cms_ticks_ns(used[i]) / TIMER_TICK);
    if (c->argument[0] && user_out(c->argument[0], ticks, sizeof ticks))
        return -EFAULT;
    return (int64_t)(cms_wait_now() / TIMER_TICK);
}
