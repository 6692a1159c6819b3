/* prctl(2) and personality(2): what a process sets of itself. Much of it changes nothing here, but who set it asks for
 * it, and their children have it too. */
#include <errno.h>
#include <string.h>

#include "cms/syscall/argument.h"
#include "cms/syscall/syscall.h"

/* Nothing is laid out by chance, and no file is mapped at 0 or so that all can be executed: only what asks for what is
 * so anyway can be set. */
int64_t call_personality(const struct call *c)
{
    enum { NO_RANDOMIZE = 0x40000, COMPAT_LAYOUT = 0x200000 };
    static const uint32_t ASK = 0xffffffff;
    struct process *p = process_current();
    uint32_t wanted = (uint32_t)c->argument[0], old = p->set.personality;
    if (wanted == ASK)
        return old;
    if (wanted & ~(uint32_t)(NO_RANDOMIZE | COMPAT_LAYOUT))
        return -EINVAL;
    p->set.personality = wanted;
    return old;
}

enum {
    SET_DEATH_SIGNAL = 1, GET_DEATH_SIGNAL, GET_DUMPABLE, SET_DUMPABLE, GET_KEEP_CAPABILITIES = 7,
    SET_KEEP_CAPABILITIES, GET_TIMING = 13, SET_TIMING, SET_NAME = 15, GET_NAME, GET_SECCOMP = 21, READ_BOUNDING = 23,
    DROP_BOUNDING, GET_SECURE_BITS = 27, SET_SLACK = 29, GET_SLACK, SET_SUBREAPER = 36, GET_SUBREAPER,
    SET_NO_NEW_PRIVILEGES, GET_NO_NEW_PRIVILEGES, GET_HUGE_PAGES_OFF = 42, AMBIENT = 47,
};
enum { CAPABILITY_LAST = 40 };
static const uint64_t SLACK_USUAL = 50000; /* ns */

static int64_t set_name(struct thread *t, uint64_t from)
{
    char name[THREAD_NAME];
    int64_t length = space_copy_string(t->process->space, name, from, sizeof name);
    if (length < 0 && length != -ENAMETOOLONG)
        return length;
    name[THREAD_NAME - 1] = 0;
    memcpy(t->name, name, sizeof name);
    return 0;
}

/* Capabilities that programs it executes get without asking: none, and none can be added. */
static int64_t ambient(const struct call *c)
{
    enum { IS_SET = 1, RAISE, LOWER, CLEAR_ALL };
    uint64_t what = c->argument[1], which = c->argument[2];
    if (c->argument[3] || c->argument[4] || what < IS_SET || what > CLEAR_ALL ||
        (what == CLEAR_ALL ? which : which > CAPABILITY_LAST))
        return -EINVAL;
    return what == RAISE ? -EPERM : 0;
}

static int64_t switch_of(bool *of, uint64_t value)
{
    if (value > 1)
        return -EINVAL;
    *of = value;
    return 0;
}

static int64_t number_out(uint64_t to, int32_t number) { return user_out(to, &number, sizeof number); }

/* The questions: none changes anything. */
static int64_t tell(const struct call *c, const struct thread *t)
{
    const struct process *p = t->process;
    uint64_t value = c->argument[1];
    switch ((int)c->argument[0]) {
    case GET_DEATH_SIGNAL: return number_out(value, p->death_signal);
    case GET_DUMPABLE: return !p->set.not_dumpable;
    case GET_KEEP_CAPABILITIES: return p->set.keeps_capabilities;
    case GET_SLACK: return (int64_t)(p->set.slack ? p->set.slack : SLACK_USUAL);
    case GET_NAME: return user_out(value, t->name, sizeof t->name);
    case READ_BOUNDING: return value > CAPABILITY_LAST ? -EINVAL : !(p->set.dropped >> value & 1);
    case GET_SUBREAPER: return number_out(value, p->set.reaps_orphans);
    case GET_NO_NEW_PRIVILEGES: return p->set.no_new_privileges;
    case GET_SECCOMP:
    case GET_SECURE_BITS:
    case GET_TIMING:
    case GET_HUGE_PAGES_OFF: return 0;
    default: return -EINVAL;
    }
}

int64_t call_prctl(const struct call *c)
{
    struct thread *t = thread_current();
    struct process *p = t->process;
    uint64_t value = c->argument[1];

    switch ((int)c->argument[0]) {
    case SET_DEATH_SIGNAL:
        if (value > SIGNAL_LAST)
            return -EINVAL;
        p->death_signal = (int)value;
        return 0;
    case SET_DUMPABLE:
        if (value > 1)
            return -EINVAL;
        p->set.not_dumpable = !value;
        return 0;
    case SET_KEEP_CAPABILITIES:
        return switch_of(&p->set.keeps_capabilities, value);
    case SET_TIMING:
        return value ? -EINVAL : 0;
    case SET_SLACK:
        p->set.slack = (int64_t)value <= 0 ? 0 : value;
        return 0;
    case SET_NAME:
        return set_name(t, value);
    case DROP_BOUNDING:
        if (value > CAPABILITY_LAST)
            return -EINVAL;
        p->set.dropped |= 1ull << value;
        return 0;
    case SET_SUBREAPER:
        p->set.reaps_orphans = value;
        return 0;
    case SET_NO_NEW_PRIVILEGES:
        if (value != 1 || c->argument[2] || c->argument[3] || c->argument[4])
            return -EINVAL;
        p->set.no_new_privileges = true;
        return 0;
    case AMBIENT:
        return ambient(c);
    default:
        return tell(c, t);
    }
}
