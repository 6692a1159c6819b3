#include "cms/process/futex.h"

#include "cms/syscall/clock.h"
#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"

enum { RESUME_ADDRESS, RESUME_VALUE, RESUME_DEADLINE };

/* A wait for some time goes on for what is left of it. */
static int64_t wait_on(struct thread *t)
{
    uint64_t *a = t->resume_argument;
    int error = futex_wait(a[RESUME_ADDRESS], (uint32_t)a[RESUME_VALUE], (uint32_t)FUTEX_ANY, a[RESUME_DEADLINE]);
    if (error == -EINTR)
        t->resume = wait_on;
    return error;
}

static int64_t wait_for_some_time(uint64_t address, uint32_t value, uint64_t timeout_at)
{
    struct thread *t = thread_current();
    uint64_t ns;
    int error = user_timespec_in(timeout_at, &ns);
    if (error)
        return error;
    t->interrupted = INTERRUPTED_NO_HANDLER;
    t->resume_argument[RESUME_ADDRESS] = address;
    t->resume_argument[RESUME_VALUE] = value;
    t->resume_argument[RESUME_DEADLINE] = user_deadline(ns);
    return wait_on(t);
}

static int64_t wait_until(const struct call *c, uint32_t value, uint32_t bits, bool wall)
{
    uint64_t ns, deadline = WAIT_FOR_EVER;
    if (c->argument[3]) {
        int error = user_timespec_in(c->argument[3], &ns);
        if (!error)
            error = clock_deadline(wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns, &deadline);
        if (error)
            return error;
    }
    return futex_wait(c->argument[0], value, bits, deadline);
}

int64_t call_futex(const struct call *c)
{
    uint64_t address = c->argument[0], second = c->argument[4];
    int operation = (int)c->argument[1];
    uint32_t value = (uint32_t)c->argument[2], more = (uint32_t)c->argument[3], third = (uint32_t)c->argument[5];
    bool wall = operation & FUTEX_CLOCK_REALTIME;

    switch (operation & FUTEX_COMMANDS) {
    case FUTEX_WAIT:
        if (wall)
            return -ENOSYS;
        return c->argument[3] ? wait_for_some_time(address, value, c->argument[3])
                              : futex_wait(address, value, (uint32_t)FUTEX_ANY, WAIT_FOR_EVER);
    case FUTEX_WAIT_BITSET:
        return wait_until(c, value, third, wall);
    case FUTEX_WAKE:
        return futex_wake(address, value, (uint32_t)FUTEX_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake(address, value, third);
    case FUTEX_REQUEUE:
        return (int32_t)value < 0 || (int32_t)more < 0 ? -EINVAL : futex_requeue(address, value, second, more, NULL);
    case FUTEX_CMP_REQUEUE:
        return (int32_t)value < 0 || (int32_t)more < 0 ? -EINVAL : futex_requeue(address, value, second, more, &third);
    case FUTEX_WAKE_OP:
        return futex_wake_operation(address, value, second, more, third);
    default:
        return -ENOSYS;
    }
}

enum { ROBUST_HEAD_BYTES = 24 };

int64_t call_set_robust_list(const struct call *c)
{
    if (c->argument[1] != ROBUST_HEAD_BYTES)
        return -EINVAL;
    thread_current()->robust_list = c->argument[0];
    return 0;
}

int64_t call_get_robust_list(const struct call *c)
{
    const struct thread *t = (int)c->argument[0] ? thread_find((int)c->argument[0]) : thread_current();
    const uint64_t bytes = ROBUST_HEAD_BYTES;
    if (!t)
        return -ESRCH;
    if (user_out(c->argument[1], &t->robust_list, sizeof t->robust_list))
        return -EFAULT;
    return user_out(c->argument[2], &bytes, sizeof bytes);
}
