/* What the system says of itself, and prctl(2). */
#include <string.h>

#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/random.h"
#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"

enum { NAME_BYTES = 65 };

/* The release is that of the Linux whose calls these are: glibc refuses to start where it is too old. */
int64_t call_uname(const struct call *c)
{
    static const char names[6][NAME_BYTES] = {"Linux", "VMN", "6.1.0-vmn", "#1 VM/N CMS", "x86_64", "(none)"};
    return user_out(c->argument[0], names, sizeof names);
}

struct user_sysinfo {
    int64_t uptime;
    uint64_t loads[3], total, free, shared, buffers, swap_total, swap_free;
    uint16_t processes, pad;
    uint64_t high_total, high_free;
    uint32_t unit;
};
_Static_assert(sizeof(struct user_sysinfo) == 112, "struct sysinfo");

int64_t call_sysinfo(const struct call *c)
{
    unsigned ready, threads;
    thread_count(&ready, &threads);
    struct user_sysinfo s = {.uptime = (int64_t)(cms_wait_now() / USER_NS), .processes = (uint16_t)threads, .unit = 1,
                             .free = cms_frames_left() * (uint64_t)FRAME_SIZE};
    s.total = s.free + cms_frames_in_use() * (uint64_t)FRAME_SIZE + cms_heap_in_use();
    return user_out(c->argument[0], &s, sizeof s);
}

int64_t call_getrandom(const struct call *c)
{
    enum { KNOWN = 1 | 2 | 4, MOST = 33554431, PART = 256 };
    uint64_t bytes = c->argument[1] < MOST ? c->argument[1] : MOST, done = 0;
    char part[PART];

    if (c->argument[2] & ~(uint64_t)KNOWN)
        return -EINVAL;
    while (done < bytes) {
        size_t n = bytes - done < PART ? (size_t)(bytes - done) : PART;
        cms_random_fill(part, n);
        if (user_out(c->argument[0] + done, part, n))
            return -EFAULT;
        done += n;
        if (cms_work() || (done % SPACE_PAGE == 0 && cms_wait_is_over()))
            break;
    }
    return (int64_t)done;
}

int64_t call_personality(const struct call *c)
{
    enum { LINUX = 0, ASK = 0xffffffff };
    uint32_t wanted = (uint32_t)c->argument[0];
    return wanted == LINUX || wanted == (uint32_t)ASK ? LINUX : -EINVAL;
}

/* ---- prctl ------------------------------------------------------------------------------------------------------- */

enum {
    SET_DEATH_SIGNAL = 1, GET_DEATH_SIGNAL, GET_DUMPABLE, SET_DUMPABLE, GET_KEEP_CAPABILITIES = 7,
    SET_KEEP_CAPABILITIES, SET_NAME = 15, GET_NAME, READ_BOUNDING = 23, DROP_BOUNDING, SET_SLACK = 29, GET_SLACK,
    SET_SUBREAPER = 36, GET_SUBREAPER, SET_NO_NEW_PRIVILEGES, GET_NO_NEW_PRIVILEGES,
};

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

int64_t call_prctl(const struct call *c)
{
    struct thread *t = thread_current();
    struct process *p = t->process;
    uint64_t value = c->argument[1];
    int32_t out;

    switch ((int)c->argument[0]) {
    case SET_DEATH_SIGNAL:
        if (value > SIGNAL_LAST)
            return -EINVAL;
        p->death_signal = (int)value;
        return 0;
    case GET_DEATH_SIGNAL:
        out = p->death_signal;
        return user_out(value, &out, sizeof out);
    case GET_DUMPABLE:
        return !p->not_dumpable;
    case SET_DUMPABLE:
        if (value > 1)
            return -EINVAL;
        p->not_dumpable = !value;
        return 0;
    case GET_KEEP_CAPABILITIES:
    case GET_SLACK:
        return 0;
    case SET_KEEP_CAPABILITIES:
        return value > 1 ? -EINVAL : 0;
    case SET_SLACK:
        return 0;
    case SET_NAME:
        return set_name(t, value);
    case GET_NAME:
        return user_out(value, t->name, sizeof t->name);
    case READ_BOUNDING:
        return value > 40 ? -EINVAL : 1;
    case SET_NO_NEW_PRIVILEGES:
        if (value != 1 || c->argument[2] || c->argument[3] || c->argument[4])
            return -EINVAL;
        p->no_new_privileges = true;
        return 0;
    case GET_NO_NEW_PRIVILEGES:
        return p->no_new_privileges;
    default:
        return -EINVAL;
    }
}

int64_t call_arch_prctl(const struct call *c)
{
    enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };
    struct thread *t = thread_current();
    int what = (int)c->argument[0];
    uint64_t value = c->argument[1];

    user_state_note(&t->user);
    switch (what) {
    case SET_GS:
    case SET_FS:
        if (value >= SPACE_TOP)
            return -EPERM;
        *(what == SET_FS ? &t->user.fs_base : &t->user.gs_base) = value;
        user_state_load(&t->user);
        return 0;
    case GET_FS:
        return user_out(value, &t->user.fs_base, sizeof value);
    case GET_GS:
        return user_out(value, &t->user.gs_base, sizeof value);
    default:
        return -EINVAL;
    }
}
