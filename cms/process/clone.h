/* New threads and processes: clone(2). */
#pragma once
#include "cms/process/thread.h"

enum {
    CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_PIDFD = 0x1000,
    CLONE_PTRACE = 0x2000, CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000, CLONE_THREAD = 0x10000, CLONE_NEWNS = 0x20000,
    CLONE_SYSVSEM = 0x40000, CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x100000, CLONE_CHILD_CLEARTID = 0x200000,
    CLONE_DETACHED = 0x400000, CLONE_UNTRACED = 0x800000, CLONE_CHILD_SETTID = 0x1000000, CLONE_IO = 0x80000000,
};
static const uint64_t CLONE_CLEAR_SIGHAND = 0x100000000ull;

struct clone_wanted {
    uint64_t flags;
    int exit_signal;
    uint64_t stack; /* 0: the caller's */
    uint64_t parent_id, child_id, tls;
};
/* The new thread's number, which begins where the caller is, with 0; -EINVAL, -EAGAIN, -ENOMEM. */
int clone_make(const struct clone_wanted *);
