/* Limits, what was used, priorities: getrlimit(2), getrusage(2), sched(7). There is one processor and one kind of
 * turn. */
#include "cms/syscall/resource.h"

#include "cms/kernel/clock.h"
#include "cms/process/timer.h"
#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"

struct user_usage {
    struct user_timeval user, system;
    int64_t most_resident, shared, data, stack, minor_faults, major_faults, swaps, in_blocks, out_blocks, sent,
        received, signals, switches, forced_switches;
};
_Static_assert(sizeof(struct user_usage) == 144, "struct rusage");

int resource_usage_out(uint64_t to, struct times t)
{
    struct user_usage u = {user_timeval_of(cms_ticks_ns(t.user)), user_timeval_of(cms_ticks_ns(t.system)), .swaps = 0};
    return user_out(to, &u, sizeof u);
}

int64_t call_getrusage(const struct call *c)
{
    enum { SELF = 0, CHILDREN = -1, THREAD = 1 };
    struct process *p = process_current();
    switch ((int)c->argument[0]) {
    case SELF: break;
    case CHILDREN: return resource_usage_out(c->argument[1], p->children);
    case THREAD: return resource_usage_out(c->argument[1], thread_times(thread_current()));
    default: return -EINVAL;
    }
    struct times t = process_times(p);
    struct user_usage u = {user_timeval_of(cms_ticks_ns(t.user)), user_timeval_of(cms_ticks_ns(t.system)),
                           .most_resident = (int64_t)(space_facts(p->space).resident / 1024),
                           .minor_faults = (int64_t)p->faults};
    for (struct thread *one = p->threads; one; one = one->sibling)
        u.switches += (int64_t)one->switches;
    return user_out(c->argument[1], &u, sizeof u);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static int set_limit(struct process *p, unsigned which, uint64_t from)
{
    struct limit l;
    if (user_in(&l, from, sizeof l))
        return -EFAULT;
    if (l.now > l.most)
        return -EINVAL;
    if (which == LIMIT_FILES && l.most > FILES_MAX)
        return -EPERM;
    p->limit[which] = l;
    if (which == LIMIT_FILES && p->files)
        files_set_limit(p->files, (unsigned)l.now);
    if (which == LIMIT_CPU)
        timer_limit_set(p);
    if (which == LIMIT_STACK && p->space)
        space_set_stack_limit(p->space, l.now);
    return 0;
}

static int64_t limits(struct process *p, unsigned which, uint64_t new, uint64_t old)
{
    if (!p)
        return -ESRCH;
    if (which >= LIMITS)
        return -EINVAL;
    struct limit was = p->limit[which];
    int error = new ? set_limit(p, which, new) : 0;
    if (error)
        return error;
    return old ? user_out(old, &was, sizeof was) : 0;
}

int64_t call_getrlimit(const struct call *c)
{
    return c->argument[1] ? limits(process_current(), (unsigned)c->argument[0], 0, c->argument[1]) : -EFAULT;
}

int64_t call_setrlimit(const struct call *c)
{
    return c->argument[1] ? limits(process_current(), (unsigned)c->argument[0], c->argument[1], 0) : -EFAULT;
}

int64_t call_prlimit64(const struct call *c)
{
    int id = (int)c->argument[0];
    return limits(id ? process_find(id) : process_current(), (unsigned)c->argument[1], c->argument[2], c->argument[3]);
}

/* ---- scheduling -------------------------------------------------------------------------------------------------- */

enum { POLICY_OTHER, POLICY_FIFO, POLICY_ROUND_ROBIN, POLICY_BATCH, POLICY_IDLE = 5, POLICY_RESET = 0x40000000 };

static struct thread *thread_of(uint64_t id)
{
    return (int)id ? thread_find((int)id) : thread_current();
}

int64_t call_sched_yield(const struct call *c)
{
    (void)c;
    thread_yield();
    return 0;
}

int64_t call_sched_getaffinity(const struct call *c)
{
    const uint64_t one = 1;
    if (c->argument[1] < sizeof one || c->argument[1] % sizeof one)
        return -EINVAL;
    if (!thread_of(c->argument[0]))
        return -ESRCH;
    return user_out(c->argument[2], &one, sizeof one) ? -EFAULT : (int64_t)sizeof one;
}

int64_t call_sched_setaffinity(const struct call *c)
{
    uint64_t mask = 0, bytes = c->argument[1] < sizeof mask ? c->argument[1] : sizeof mask;
    if (!thread_of(c->argument[0]))
        return -ESRCH;
    if (user_in(&mask, c->argument[2], bytes))
        return -EFAULT;
    return mask & 1 ? 0 : -EINVAL;
}

int64_t call_sched_getscheduler(const struct call *c)
{
    return thread_of(c->argument[0]) ? POLICY_OTHER : -ESRCH;
}

static int judge_priority(uint64_t from)
{
    int32_t priority;
    if (!from)
        return -EINVAL;
    if (user_in(&priority, from, sizeof priority))
        return -EFAULT;
    return priority ? -EINVAL : 0;
}

int64_t call_sched_setscheduler(const struct call *c)
{
    int policy = (int)c->argument[1] & ~POLICY_RESET;
    if (!thread_of(c->argument[0]))
        return -ESRCH;
    if (policy == POLICY_FIFO || policy == POLICY_ROUND_ROBIN)
        return -EPERM; /* nobody gets the processor for as long as they like */
    return policy == POLICY_OTHER || policy == POLICY_BATCH || policy == POLICY_IDLE ? judge_priority(c->argument[2])
                                                                                      : -EINVAL;
}

int64_t call_sched_getparam(const struct call *c)
{
    const int32_t priority = 0;
    if (!thread_of(c->argument[0]))
        return -ESRCH;
    return c->argument[1] ? user_out(c->argument[1], &priority, sizeof priority) : -EINVAL;
}

int64_t call_sched_setparam(const struct call *c)
{
    return thread_of(c->argument[0]) ? judge_priority(c->argument[1]) : -ESRCH;
}

static int64_t priority_limit(int policy, int real_time)
{
    switch (policy) {
    case POLICY_FIFO: case POLICY_ROUND_ROBIN: return real_time;
    case POLICY_OTHER: case POLICY_BATCH: case POLICY_IDLE: return 0;
    default: return -EINVAL;
    }
}

int64_t call_sched_get_priority_max(const struct call *c) { return priority_limit((int)c->argument[0], 99); }
int64_t call_sched_get_priority_min(const struct call *c) { return priority_limit((int)c->argument[0], 1); }

int64_t call_sched_rr_get_interval(const struct call *c)
{
    struct user_timespec slice = user_timespec_of(THREAD_SLICE);
    return thread_of(c->argument[0]) ? user_out(c->argument[1], &slice, sizeof slice) : -ESRCH;
}

/* ---- niceness: who is nice is so in name, and takes turns as all others ------------------------------------------ */

enum { NICE_LEAST = -20, NICE_MOST = 19 };

/* The next process behind `p` (NULL: the first) that this is about. */
static struct process *next_of(struct process *p, const struct call *c)
{
    enum { PROCESS, GROUP, USER };
    int id = (int)c->argument[1];
    struct process *self = process_current();
    if (c->argument[0] == PROCESS && p)
        return NULL;
    if (c->argument[0] == PROCESS) {
        struct thread *t = id ? thread_find(id) : NULL;
        return t ? t->process : id ? process_find(id) : self;
    }
    if (c->argument[0] == USER && id)
        return NULL; /* there is one, 0 */
    for (p = p ? p->next : process_all; p; p = p->next)
        if (c->argument[0] == USER || p->group == (id ? id : self->group))
            return p;
    return NULL;
}

/* Of the kernel's form: 20 is nice 0. Of several that is the least nice. */
int64_t call_getpriority(const struct call *c)
{
    int64_t most = -ESRCH;
    if (c->argument[0] > 2)
        return -EINVAL;
    for (struct process *p = next_of(NULL, c); p; p = next_of(p, c))
        most = 20 - p->set.nice > most ? 20 - p->set.nice : most;
    return most;
}

int64_t call_setpriority(const struct call *c)
{
    int nice = (int)c->argument[2];
    int64_t status = -ESRCH;
    if (c->argument[0] > 2)
        return -EINVAL;
    for (struct process *p = next_of(NULL, c); p; p = next_of(p, c)) {
        p->set.nice = nice < NICE_LEAST ? NICE_LEAST : nice > NICE_MOST ? NICE_MOST : nice;
        status = 0;
    }
    return status;
}

/* struct sched_attr, of its first version */
struct user_attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
_Static_assert(sizeof(struct user_attributes) == 48, "struct sched_attr");

int64_t call_sched_getattr(const struct call *c)
{
    const struct thread *t = (int)c->argument[0] < 0 ? NULL : thread_of(c->argument[0]);
    struct user_attributes a = {.size = sizeof a};
    if (!c->argument[1] || (int)c->argument[0] < 0 || c->argument[2] < sizeof a || c->argument[2] > SPACE_PAGE ||
        c->argument[3])
        return -EINVAL;
    if (!t)
        return -ESRCH;
    a.nice = t->process->set.nice;
    return user_out(c->argument[1], &a, sizeof a);
}

int64_t call_sched_setattr(const struct call *c)
{
    struct user_attributes a;
    if (!c->argument[1] || (int)c->argument[0] < 0 || c->argument[2])
        return -EINVAL;
    if (user_in(&a, c->argument[1], sizeof a))
        return -EFAULT;
    if (a.size && a.size < sizeof a)
        return -E2BIG;
    struct thread *t = thread_of(c->argument[0]);
    if (!t)
        return -ESRCH;
    if (a.policy == POLICY_FIFO || a.policy == POLICY_ROUND_ROBIN)
        return -EPERM;
    if ((a.policy != POLICY_OTHER && a.policy != POLICY_BATCH && a.policy != POLICY_IDLE) || a.priority)
        return -EINVAL;
    t->process->set.nice = a.nice < NICE_LEAST ? NICE_LEAST : a.nice > NICE_MOST ? NICE_MOST : a.nice;
    return 0;
}

/* A disk has no queue that somebody could go before others in: ioprio_set(2). */
enum { TURN_SHIFT = 13, TURN_OF_NONE = 0, TURN_REAL_TIME = 1, TURN_IDLE = 3 };

int64_t call_ioprio_get(const struct call *c)
{
    return c->argument[0] - 1 > 2 ? -EINVAL : TURN_OF_NONE;
}

int64_t call_ioprio_set(const struct call *c)
{
    uint64_t turn = (uint32_t)c->argument[2] >> TURN_SHIFT;
    if (c->argument[0] - 1 > 2 || turn > TURN_IDLE)
        return -EINVAL;
    return turn == TURN_REAL_TIME ? -EPERM : 0;
}

int64_t call_getcpu(const struct call *c)
{
    const uint32_t zero = 0;
    if (c->argument[0] && user_out(c->argument[0], &zero, sizeof zero))
        return -EFAULT;
    return c->argument[1] ? user_out(c->argument[1], &zero, sizeof zero) : 0;
}

/* Restartable sequences spare a program locks among processors, of which there is one. Every library does without, and
 * asks each time: it is no call that is missed. */
int64_t call_rseq(const struct call *c)
{
    (void)c;
    return -ENOSYS;
}
