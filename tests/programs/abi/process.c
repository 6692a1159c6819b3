/* Processes: numbers, fork, exec, wait, groups, sessions. */
#include "tests/programs/abi/abi.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <spawn.h>

extern char **environ;

static void numbers_agree(void)
{
    CHECK(getpid() > 1);
    CHECK(syscall(SYS_gettid) == getpid());
    pid_t parent = getpid();
    pid_t child = fork();
    if (!child)
        _exit(getppid() == parent ? 0 : 1);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(getuid() == geteuid() && getgid() == getegid());
}

static void fork_copies_storage(void)
{
    static volatile int value = 1;
    volatile int *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *page = 1;
    pid_t child = fork();
    if (!child) {
        value = 2;
        *page = 2;
        _exit(value);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    CHECK(value == 1);
    CHECK(*page == 2);
}

static void exit_status_is_one_byte(void)
{
    pid_t child = fork();
    if (!child)
        _exit(0x1234);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0x34);
    FAILS(waitpid(child, &status, 0), ECHILD);
    FAILS(wait(&status), ECHILD);
}

static void wait_without_hanging(void)
{
    int status, pipes[2];
    char byte;
    CHECK(!pipe(pipes));
    pid_t child = fork();
    if (!child) {
        close(pipes[1]);
        _exit((int)read(pipes[0], &byte, 1));
    }
    CHECK(waitpid(child, &status, WNOHANG) == 0);
    CHECK(write(pipes[1], "x", 1) == 1);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 1);
}

static void waitid_tells_and_keeps(void)
{
    siginfo_t info;
    pid_t child = fork();
    if (!child)
        _exit(7);
    memset(&info, 0, sizeof info);
    CHECK(!waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    CHECK(info.si_signo == SIGCHLD && info.si_code == CLD_EXITED && info.si_pid == child && info.si_status == 7);
    memset(&info, 0, sizeof info);
    CHECK(!waitid(P_ALL, 0, &info, WEXITED));
    CHECK(info.si_pid == child);
    FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
    FAILS(waitid(P_ALL, 0, &info, 0), EINVAL);
}

static void exec_takes_arguments_and_environment(void)
{
    int pipes[2];
    char text[200] = "";
    CHECK(!pipe(pipes));
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        dup2(pipes[1], 1);
        close(pipes[0]);
        char *words[] = {(char *)"name", (char *)"arguments", (char *)"two words", (char *)"", NULL};
        char *environment[] = {(char *)"ABI=yes", NULL};
        execve(self, words, environment);
        _exit(9);
    }
    close(pipes[1]);
    size_t n = 0;
    for (ssize_t got; n < sizeof text - 1 && (got = read(pipes[0], text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    int status;
    CHECK(waitpid(child, &status, 0) == child && !status);
    CHECK(!strcmp(text, "[name][arguments][two words][]yes\n"));
}

static void exec_fails_and_all_stands(void)
{
    char *words[] = {(char *)"x", NULL};
    char *huge = malloc(200000);
    memset(huge, 'x', 199999);
    huge[199999] = 0;
    char *long_words[] = {(char *)"x", huge, NULL};
    FAILS(execve("/nowhere/at/all", words, environ), ENOENT);
    FAILS(execve("/tmp", words, environ), EACCES);
    FAILS(execve(self, long_words, environ), E2BIG);
    FAILS(execve(self, hostile, environ), EFAULT);
    FAILS(execve(hostile, words, environ), EFAULT);
    FAILS(execve("", words, environ), ENOENT);
}

static void write_program(const char *path, const char *text, size_t bytes, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    CHECK(file >= 0);
    CHECK(write(file, text, bytes) == (ssize_t)bytes);
    CHECK(!close(file));
}

static void exec_judges_files(void)
{
    char *words[] = {(char *)"x", NULL};
    write_program("/tmp/abi-none", "hello, no program\n", 18, 0755);
    FAILS(execve("/tmp/abi-none", words, environ), ENOEXEC);
    write_program("/tmp/abi-elf", "\177ELF\2\1\1", 7, 0755);
    FAILS(execve("/tmp/abi-elf", words, environ), ENOEXEC);
    unlink("/tmp/abi-none");
    unlink("/tmp/abi-elf");
}

static void scripts_name_their_interpreter(void)
{
    char line[300], text[300] = "";
    int pipes[2], status;
    snprintf(line, sizeof line, "#! %s arguments\nrest\n", self);
    write_program("/tmp/abi-script", line, strlen(line), 0755);
    CHECK(!pipe(pipes));
    pid_t child = fork();
    if (!child) {
        dup2(pipes[1], 1);
        char *words[] = {(char *)"dropped", (char *)"kept", NULL};
        execve("/tmp/abi-script", words, (char *[]){NULL});
        _exit(9);
    }
    close(pipes[1]);
    size_t n = 0;
    for (ssize_t got; n < sizeof text - 1 && (got = read(pipes[0], text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    CHECK(waitpid(child, &status, 0) == child && !status);
    snprintf(line, sizeof line, "[%s][arguments][/tmp/abi-script][kept]-\n", self);
    CHECK(!strcmp(text, line));
    unlink("/tmp/abi-script");
}

static void exec_closes_and_keeps(void)
{
    int status;
    pid_t child = fork();
    if (!child) {
        signal(SIGUSR1, SIG_IGN);
        signal(SIGUSR2, _exit);
        char *words[] = {(char *)"x", (char *)"exit", (char *)"3", NULL};
        execve(self, words, environ);
        _exit(9);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void spawn_runs_a_program(void)
{
    char *words[] = {(char *)"x", (char *)"exit", (char *)"5", NULL};
    pid_t child;
    int status;
    CHECK(!posix_spawn(&child, self, NULL, NULL, words, environ));
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
    CHECK(posix_spawn(&child, "/nowhere", NULL, NULL, words, environ) == ENOENT);
}

static void vfork_waits_for_exec(void)
{
    static volatile int seen;
    int status;
    pid_t child = vfork();
    if (!child) {
        seen = 1;
        char *words[] = {(char *)"x", (char *)"exit", (char *)"6", NULL};
        execve(self, words, environ);
        _exit(9);
    }
    CHECK(seen == 1);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 6);
}

static void groups_and_sessions(void)
{
    CHECK(getpgid(0) == getpgrp());
    pid_t child = fork();
    if (!child) {
        CHECK(!setpgid(0, 0));
        CHECK(getpgrp() == getpid());
        FAILS(setsid(), EPERM);
        pid_t inner = fork();
        if (!inner) {
            CHECK(setsid() == getpid());
            CHECK(getsid(0) == getpid() && getpgrp() == getpid());
            FAILS(setpgid(0, 0), EPERM);
            _exit(0);
        }
        int status;
        CHECK(waitpid(inner, &status, 0) == inner);
        _exit(WEXITSTATUS(status));
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && !status);
    FAILS(setpgid(0, -1), EINVAL);
    FAILS(getpgid(99999), ESRCH);
    FAILS(setpgid(99999, 0), ESRCH);
}

static void waiting_for_a_group(void)
{
    int status;
    pid_t child = fork();
    if (!child) {
        sleep_ms(20);
        _exit(4);
    }
    CHECK(!setpgid(child, child));
    FAILS(waitpid(-getpgrp() - 20000, &status, 0), ECHILD);
    CHECK(waitpid(-child, &status, 0) == child && WEXITSTATUS(status) == 4);
}

static void orphans_have_another_parent(void)
{
    int pipes[2];
    pid_t parent, grand[2];
    CHECK(!pipe(pipes));
    pid_t child = fork();
    if (!child) {
        parent = getpid();
        if (!fork()) {
            while (getppid() == parent)
                sleep_ms(2);
            grand[0] = parent;
            grand[1] = getppid();
            (void)!write(pipes[1], grand, sizeof grand);
            _exit(0);
        }
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(read(pipes[0], grand, sizeof grand) == sizeof grand);
    CHECK(grand[1] != child && grand[1] >= 1);
}

static void many_children(void)
{
    int sum = 0, status;
    for (int i = 0; i < 20; i++)
        if (!fork())
            _exit(i);
    for (int i = 0; i < 20; i++) {
        CHECK(wait(&status) > 0);
        sum += WEXITSTATUS(status);
    }
    CHECK(sum == 190);
}

static void end_at_once(void) { _exit(5); }

static pid_t ended(void)
{
    siginfo_t info;
    pid_t id = fork();
    if (!id)
        end_at_once();
    CHECK(id > 0 && !waitid(P_PID, (id_t)id, &info, WEXITED | WNOWAIT));
    return id;
}

static void oldest_is_heard_of_first(void)
{
    pid_t id[3];
    int status;
    for (int i = 0; i < 3; i++)
        id[i] = ended();
    for (int i = 0; i < 3; i++)
        CHECK(waitpid(-1, &status, 0) == id[i]);
}

/* Shells put the processes of a pipeline into the group of its first, which may have ended meanwhile. */
static void the_ended_have_groups(void)
{
    int status;
    pid_t id = ended(), other;
    CHECK(!setpgid(id, id) && getpgid(id) == id && !kill(id, 0) && !kill(-id, SIGTERM));
    other = fork();
    if (!other) {
        pause();
        _exit(0);
    }
    CHECK(!setpgid(other, id) && getpgid(other) == id && waitpid(id, &status, 0) == id);
    CHECK(!kill(-id, SIGTERM) && waitpid(-id, &status, 0) == other && WTERMSIG(status) == SIGTERM);
    FAILS(kill(-id, 0), ESRCH);
    FAILS(setpgid(id, id), ESRCH);
}

static void a_stop_is_not_told_after_the_end(void)
{
    int status;
    siginfo_t info;
    pid_t id = fork();
    if (!id)
        for (;;)
            pause();
    CHECK(!kill(id, SIGSTOP) && !waitid(P_PID, (id_t)id, &info, WSTOPPED | WNOWAIT) && info.si_status == SIGSTOP);
    CHECK(!kill(id, SIGKILL) && waitpid(id, &status, WUNTRACED) == id && WTERMSIG(status) == SIGKILL);
}

static void limits(void)
{
    struct rlimit limit;
    int last, most = -1;
    CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(limit.rlim_cur >= 256);
    limit.rlim_cur = 200;
    CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 0;
    CHECK(!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur == 200);
    while ((last = dup(1)) >= 0)
        most = last;
    CHECK(most == 199);
    FAILS(dup(1), EMFILE);
    FAILS(dup2(1, 200), EBADF);
    FAILS(fcntl(1, F_DUPFD, 200), EINVAL);
    CHECK(!getrlimit(RLIMIT_STACK, &limit) && limit.rlim_cur >= 1 << 20);
    FAILS(getrlimit(99, &limit), EINVAL);
}

static void names_and_controls(void)
{
    char name[16] = "";
    struct utsname u;
    CHECK(!prctl(PR_SET_NAME, "a name of more than 15"));
    CHECK(!prctl(PR_GET_NAME, name) && !strcmp(name, "a name of more "));
    CHECK(!uname(&u) && !strcmp(u.sysname, "Linux") && !strcmp(u.machine, "x86_64"));
    CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    FAILS(syscall(500), ENOSYS);
    FAILS(syscall(100000), ENOSYS);
}

static void death_signal_comes(void)
{
    int pipes[2];
    char byte = 0;
    CHECK(!pipe(pipes));
    pid_t child = fork();
    if (!child) {
        if (!fork()) {
            close(pipes[0]);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)!write(pipes[1], "r", 1);
            sleep_ms(10000);
            (void)!write(pipes[1], "x", 1);
            _exit(0);
        }
        CHECK(read(pipes[0], &byte, 1) == 1);
        _exit(0);
    }
    close(pipes[1]);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(read(pipes[0], &byte, 1) == 0);
}

const struct test process_tests[] = {
    CASE(numbers_agree), CASE(fork_copies_storage), CASE(exit_status_is_one_byte), CASE(wait_without_hanging),
    CASE(waitid_tells_and_keeps), CASE(exec_takes_arguments_and_environment), CASE(exec_fails_and_all_stands),
    CASE(exec_judges_files), CASE(scripts_name_their_interpreter), CASE(exec_closes_and_keeps),
    CASE(spawn_runs_a_program), CASE(vfork_waits_for_exec), CASE(groups_and_sessions), CASE(waiting_for_a_group),
    CASE(orphans_have_another_parent), CASE(oldest_is_heard_of_first), CASE(the_ended_have_groups),
    CASE(a_stop_is_not_told_after_the_end), CASE(many_children), CASE(limits), CASE(names_and_controls),
    CASE(death_signal_comes), {0},
};
