/* What a process sets of itself and asks for again: prctl, personality, niceness; and what /proc says of it. */
#include "tests/programs/abi/abi.h"

#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

static void end_with_orphan(void)
{
    pid_t parent = getpid();
    if (!fork()) {
        while (getppid() == parent)
            sleep_ms(5);
        _exit(7);
    }
}

static void orphans_come_to_who_asked(void)
{
    int is = 9, status;
    CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0) && is == 0 && !prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0) && is == 1);
    CHECK(!run_child(end_with_orphan) && waitpid(-1, &status, 0) > 0 && WEXITSTATUS(status) == 7);
    FAILS(waitpid(-1, &status, 0), ECHILD);
}

static void has_what_the_parent_set(void)
{
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 1000);
    CHECK(personality(0xffffffff) == ADDR_NO_RANDOMIZE && getpriority(PRIO_PROCESS, 0) == 19);
    int is = 9;
    CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0) && is == 0 && prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1);
}

static void what_is_set_is_told(void)
{
    CHECK(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 50000 && !prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0));
    CHECK(!prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) && !prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    CHECK(!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) && !prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    CHECK(!personality(ADDR_NO_RANDOMIZE) && !setpriority(PRIO_PROCESS, 0, 19));
    CHECK(!run_child(has_what_the_parent_set));
    CHECK(personality(0) == ADDR_NO_RANDOMIZE && personality(0xffffffff) == 0);
    CHECK(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 0, 0));
    CHECK(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    FAILS(prctl(PR_CAP_AMBIENT, 77, 0, 0, 0), EINVAL);
    FAILS(prctl(9999, 0, 0, 0, 0), EINVAL);
}

/* As nice(1) and chrt(1) do it. */
static void niceness_is_kept(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t times[3];
    } a;
    int before = getpriority(PRIO_PROCESS, 0), more = before < 14 ? before + 5 : 19;
    CHECK(nice(5) == more && getpriority(PRIO_PROCESS, getpid()) == more && nice(100) == 19);
    CHECK(syscall(SYS_sched_getattr, 0, &a, 48, 0) == 0 && a.size == 48 && a.policy == SCHED_OTHER && a.nice == 19);
    FAILS(syscall(SYS_sched_getattr, 0, &a, 10, 0), EINVAL);
    FAILS(syscall(SYS_sched_getattr, 99999, &a, 48, 0), ESRCH);
    FAILS(getpriority(PRIO_PROCESS, 99999), ESRCH);
    FAILS(setpriority(PRIO_PGRP, 99999, 1), ESRCH);
    FAILS(getpriority(9, 0), EINVAL);
    CHECK(syscall(SYS_ioprio_get, 1, 0) >= 0);
}

static void shares_no_more(void)
{
    CHECK(!unshare(CLONE_FILES | CLONE_FS) && !unshare(0));
    FAILS(unshare(1), EINVAL);
}

static size_t read_file(const char *name, char *text, size_t size)
{
    int f = open(name, O_RDONLY);
    CHECK(f >= 0);
    size_t used = 0;
    for (ssize_t n; (n = read(f, text + used, size - 1 - used)) > 0; used += (size_t)n)
        ;
    text[used] = 0;
    close(f);
    return used;
}

static bool line_is(const char *name, const char *text)
{
    char got[256];
    size_t used = read_file(name, got, sizeof got);
    return used && got[used - 1] == '\n' && used - 1 == strlen(text) && !strncmp(got, text, used - 1);
}

static void proc_agrees_with_calls(void)
{
    static char text[65536];
    struct utsname u;
    struct rlimit l;
    CHECK(!uname(&u) && line_is("/proc/sys/kernel/osrelease", u.release));
    CHECK(line_is("/proc/sys/kernel/version", u.version));
    CHECK(line_is("/proc/sys/kernel/hostname", u.nodename) && line_is("/proc/sys/kernel/ostype", u.sysname));
    CHECK(read_file("/proc/version", text, sizeof text) && strstr(text, u.release) && strstr(text, u.version));
    CHECK(read_file("/proc/self/limits", text, sizeof text) && strstr(text, "\nMax open files            "));
    CHECK(!getrlimit(RLIMIT_NOFILE, &l) &&
          strtoull(strstr(text, "\nMax open files") + 26, NULL, 10) == (unsigned long long)l.rlim_cur);
    CHECK(read_file("/proc/self/mountinfo", text, sizeof text) && strstr(text, " / / ") && strstr(text, " - "));
    CHECK(read_file("/proc/sys/kernel/random/uuid", text, sizeof text) == 37 && text[14] == '4' && text[36] == '\n');
    CHECK(read_file("/proc/sys/kernel/pid_max", text, sizeof text) && atoi(text) >= 32768);
    CHECK(read_file("/proc/self/oom_score_adj", text, sizeof text));
    CHECK(read_file("/proc/self/cgroup", text, sizeof text));
}

const struct test settings_tests[] = {
    CASE(orphans_come_to_who_asked), CASE(what_is_set_is_told), CASE(niceness_is_kept), CASE(shares_no_more),
    CASE(proc_agrees_with_calls), {0},
};
