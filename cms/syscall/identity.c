/* Who a process is: numbers, groups, sessions; users, of which there is one, 0: the machine is its user's own. */
#include "cms/process/group.h"
#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"

enum { CMS = 1 }; /* the parent of a command's first process */

int64_t call_getpid(const struct call *c) { (void)c; return process_current()->id; }
int64_t call_gettid(const struct call *c) { (void)c; return thread_current()->id; }
int64_t call_getpgrp(const struct call *c) { (void)c; return process_current()->group; }
int64_t call_setsid(const struct call *c) { (void)c; return group_new_session(); }

int64_t call_getppid(const struct call *c)
{
    const struct process *p = process_current();
    (void)c;
    return p->parent ? p->parent->id : CMS;
}

int64_t call_setpgid(const struct call *c)
{
    return group_set((int)c->argument[0], (int)c->argument[1]);
}

static const struct process *process_of(uint64_t id)
{
    return (int)id ? process_find((int)id) : process_current();
}

int64_t call_getpgid(const struct call *c)
{
    const struct process *p = process_of(c->argument[0]);
    return p ? p->group : -ESRCH;
}

int64_t call_getsid(const struct call *c)
{
    const struct process *p = process_of(c->argument[0]);
    return p ? p->session : -ESRCH;
}

int64_t call_set_tid_address(const struct call *c)
{
    thread_current()->clear_child_id = c->argument[0];
    return thread_current()->id;
}

/* ---- users ------------------------------------------------------------------------------------------------------- */

int64_t call_getuid(const struct call *c) { (void)c; return 0; }
int64_t call_getgid(const struct call *c) { (void)c; return 0; }
int64_t call_geteuid(const struct call *c) { (void)c; return 0; }
int64_t call_getegid(const struct call *c) { (void)c; return 0; }
int64_t call_setfsuid(const struct call *c) { (void)c; return 0; }
int64_t call_setfsgid(const struct call *c) { (void)c; return 0; }

/* 0 or, where that means as it is, -1. */
static int64_t only_zero(const struct call *c, unsigned count, bool keeps)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t id = (uint32_t)c->argument[i];
        if (id && !(keeps && id == UINT32_MAX))
            return -EPERM;
    }
    return 0;
}

int64_t call_setuid(const struct call *c) { return only_zero(c, 1, false); }
int64_t call_setgid(const struct call *c) { return only_zero(c, 1, false); }
int64_t call_setreuid(const struct call *c) { return only_zero(c, 2, true); }
int64_t call_setregid(const struct call *c) { return only_zero(c, 2, true); }
int64_t call_setresuid(const struct call *c) { return only_zero(c, 3, true); }
int64_t call_setresgid(const struct call *c) { return only_zero(c, 3, true); }

int64_t call_getresuid(const struct call *c)
{
    const uint32_t zero = 0;
    for (unsigned i = 0; i < 3; i++)
        if (user_out(c->argument[i], &zero, sizeof zero))
            return -EFAULT;
    return 0;
}

int64_t call_getresgid(const struct call *c) { return call_getresuid(c); }
int64_t call_getgroups(const struct call *c) { return (int)c->argument[0] < 0 ? -EINVAL : 0; }

int64_t call_setgroups(const struct call *c)
{
    return c->argument[0] ? -EPERM : 0;
}

/* ---- capabilities: all, and nobody has less ---------------------------------------------------------------------- */

enum { CAPABILITIES_1 = 0x19980330, CAPABILITIES_2 = 0x20071026, CAPABILITIES_3 = 0x20080522 };

static int judge_version(uint64_t header, uint32_t *version)
{
    const uint32_t newest = CAPABILITIES_3;
    if (user_in(version, header, sizeof *version))
        return -EFAULT;
    if (*version == CAPABILITIES_1 || *version == CAPABILITIES_2 || *version == CAPABILITIES_3)
        return 0;
    return user_out(header, &newest, sizeof newest) ? -EFAULT : -EINVAL;
}

int64_t call_capget(const struct call *c)
{
    static const uint32_t all[6] = {UINT32_MAX, UINT32_MAX, 0, 0x1ff, 0x1ff, 0}; /* effective, permitted, inheritable */
    uint32_t version;
    int error = judge_version(c->argument[0], &version);
    if (!c->argument[1])
        return error == -EINVAL ? 0 : error;
    return error ? error : user_out(c->argument[1], all, version == CAPABILITIES_1 ? sizeof all / 2 : sizeof all);
}

int64_t call_capset(const struct call *c)
{
    uint32_t version;
    return judge_version(c->argument[0], &version);
}
