/* Signals: sending, blocking, handlers and what they find, job control, faults. */
#include "tests/programs/abi/abi.h"

#include <setjmp.h>
#include <ucontext.h>

static volatile sig_atomic_t count, last;
static siginfo_t info;
static sigjmp_buf back;

static void note(int number) { count++; last = number; }
static void note_info(int number, siginfo_t *i, void *context) { (void)context; note(number); info = *i; }
static void jump(int number, siginfo_t *i, void *context)
{
    (void)context;
    last = number;
    info = *i;
    siglongjmp(back, 1);
}

static void set(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(!sigaction(number, &a, NULL));
}

static void handler_gets_the_facts(void)
{
    set(SIGUSR1, note_info, 0);
    CHECK(!kill(getpid(), SIGUSR1));
    CHECK(count == 1 && last == SIGUSR1);
    CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_USER && info.si_pid == getpid());
    CHECK(!raise(SIGUSR1));
    CHECK(count == 2 && info.si_code == SI_TKILL);
}

static void registers_come_back(void)
{
    double before = 1.5, after;
    uint64_t general = 0x123456789abcdef0;
    set(SIGUSR1, note_info, 0);
    int pid = getpid();
    long result;
    __asm__ volatile("movq %[before], %%xmm7\n movq %[general], %%r12\n movl %[number], %%eax\n syscall\n"
                     "movq %%xmm7, %[after]\n movq %%r12, %[general]\n"
                     : [after] "=r"(after), [general] "+r"(general), "=a"(result)
                     : [before] "r"(before), [number] "i"(SYS_kill), "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "r12", "xmm7", "memory");
    CHECK(result == 0 && count == 1 && after == before && general == 0x123456789abcdef0);
}

static void change_context(int number, siginfo_t *i, void *context)
{
    ucontext_t *u = context;
    (void)number;
    (void)i;
    u->uc_mcontext.gregs[REG_RBX] = 42;
    sigaddset(&u->uc_sigmask, SIGUSR2);
}

static void handler_may_change_registers(void)
{
    long rbx = 1;
    set(SIGUSR1, change_context, 0);
    int pid = getpid();
    __asm__ volatile("movq $1, %%rbx\n syscall\n movq %%rbx, %0\n"
                     : "=r"(rbx) : "a"(SYS_kill), "D"(pid), "S"(SIGUSR1) : "rbx", "rcx", "r11", "memory");
    CHECK(rbx == 42);
    sigset_t now;
    CHECK(!sigprocmask(SIG_SETMASK, NULL, &now) && sigismember(&now, SIGUSR2));
}

static void blocked_signals_wait(void)
{
    sigset_t one, old, pending;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    set(SIGUSR1, note_info, 0);
    CHECK(!sigprocmask(SIG_BLOCK, &one, &old));
    CHECK(!kill(getpid(), SIGUSR1) && !kill(getpid(), SIGUSR1));
    CHECK(count == 0);
    CHECK(!sigpending(&pending) && sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
    CHECK(!sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK(count == 1);
}

static void real_time_signals_queue(void)
{
    sigset_t one, old;
    int number = SIGRTMIN + 3;
    sigemptyset(&one);
    sigaddset(&one, number);
    set(number, note_info, 0);
    CHECK(!sigprocmask(SIG_BLOCK, &one, &old));
    for (int i = 0; i < 3; i++)
        CHECK(!sigqueue(getpid(), number, (union sigval){.sival_int = 10 + i}));
    siginfo_t got;
    CHECK(sigwaitinfo(&one, &got) == number && got.si_value.sival_int == 10 && got.si_code == SI_QUEUE);
    CHECK(!sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK(count == 2 && info.si_value.sival_int == 12);
}

static void waiting_for_signals(void)
{
    sigset_t one;
    struct timespec soon = {0, 20000000};
    sigemptyset(&one);
    sigaddset(&one, SIGCHLD);
    CHECK(!sigprocmask(SIG_BLOCK, &one, NULL));
    FAILS(sigtimedwait(&one, NULL, &soon), EAGAIN);
    pid_t child = fork();
    if (!child)
        _exit(3);
    siginfo_t got;
    CHECK(sigwaitinfo(&one, &got) == SIGCHLD);
    CHECK(got.si_pid == child && got.si_code == CLD_EXITED && got.si_status == 3);
    CHECK(waitpid(child, NULL, 0) == child);
}

/* SIGCONT too: nothing is left of it where nobody had stopped. */
static void ignored_signals_end_no_wait(void)
{
    sigset_t one;
    struct timespec long_enough = {5, 0};
    pid_t waits = getpid();
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    CHECK(!sigprocmask(SIG_BLOCK, &one, NULL));
    pid_t child = fork();
    if (!child) {
        sleep_ms(50);
        kill(waits, SIGCONT);
        kill(waits, SIGWINCH);
        sleep_ms(50);
        kill(waits, SIGUSR1);
        _exit(0);
    }
    siginfo_t got;
    CHECK(sigtimedwait(&one, &got, &long_enough) == SIGUSR1 && got.si_pid == child);
}

/* Programs set a flag and ask for it to learn whether it is known. */
static void unknown_flags_are_not_kept(void)
{
    struct {
        uint64_t handler, flags, restorer, mask;
    } action = {(uintptr_t)SIG_IGN, SA_RESTART | 0x400 | 0x100000000, 0, 0};
    CHECK(!syscall(SYS_rt_sigaction, SIGHUP, &action, NULL, 8) && !syscall(SYS_rt_sigaction, SIGHUP, NULL, &action, 8));
    CHECK(action.flags == SA_RESTART);
}

static void suspend_unblocks_meanwhile(void)
{
    sigset_t one, none;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigemptyset(&none);
    set(SIGUSR1, note_info, 0);
    CHECK(!sigprocmask(SIG_BLOCK, &one, NULL));
    CHECK(!kill(getpid(), SIGUSR1));
    FAILS(sigsuspend(&none), EINTR);
    CHECK(count == 1);
    sigset_t now;
    CHECK(!sigprocmask(SIG_SETMASK, NULL, &now) && sigismember(&now, SIGUSR1));
}

static void nest(int number)
{
    count++;
    if (number == SIGUSR1 && count == 1) {
        raise(SIGUSR1);
        if (count != 1)
            _exit(1);
    }
}

static void handlers_block_their_signal(void)
{
    struct sigaction a = {.sa_handler = nest};
    CHECK(!sigaction(SIGUSR1, &a, NULL));
    CHECK(!raise(SIGUSR1));
    CHECK(count == 2);
    count = 0;
    struct sigaction once = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    CHECK(!sigaction(SIGUSR2, &once, NULL) && !raise(SIGUSR2) && count == 1);
    CHECK(!sigaction(SIGUSR2, NULL, &once) && once.sa_handler == SIG_DFL);
}

static void end_by_default(void) { raise(SIGTERM); }
static void end_by_abort(void) { abort(); }
static void ignore_child(void) { raise(SIGCHLD); raise(SIGWINCH); raise(SIGURG); raise(SIGCONT); }

static void default_actions(void)
{
    int status = run_child(end_by_default);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    status = run_child(end_by_abort);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(run_child(ignore_child) == 0);
    FAILS(kill(getpid(), 65), EINVAL);
    FAILS(kill(99999, 0), ESRCH);
    CHECK(!kill(getpid(), 0));
    struct sigaction a = {.sa_handler = note};
    FAILS(sigaction(SIGKILL, &a, NULL), EINVAL);
    FAILS(sigaction(SIGSTOP, &a, NULL), EINVAL);
}

static void reads_restart_or_not(void)
{
    int pipes[2];
    char byte;
    CHECK(!pipe(pipes));
    set(SIGALRM, note_info, 0);
    struct itimerval soon = {{0, 0}, {0, 20000}};
    CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
    FAILS(read(pipes[0], &byte, 1), EINTR);
    CHECK(count == 1);
    set(SIGALRM, note_info, SA_RESTART);
    CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
    pid_t child = fork();
    if (!child) {
        sleep_ms(60);
        (void)!write(pipes[1], "z", 1);
        _exit(0);
    }
    CHECK(read(pipes[0], &byte, 1) == 1 && byte == 'z');
    CHECK(count == 2);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void sleep_tells_what_is_left(void)
{
    struct timespec wanted = {5, 0}, left = {0, 0};
    struct itimerval soon = {{0, 0}, {0, 20000}};
    set(SIGALRM, note_info, SA_RESTART);
    CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
    FAILS(nanosleep(&wanted, &left), EINTR);
    CHECK(left.tv_sec == 4 && left.tv_nsec > 0);
}

static char alternate[65536];
static volatile uintptr_t where;
static void on_stack(int number) { note(number); where = (uintptr_t)&number; }

static void alternate_stacks(void)
{
    stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;
    CHECK(!sigaltstack(&s, &old) && old.ss_flags == SS_DISABLE);
    struct sigaction a = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};
    CHECK(!sigaction(SIGUSR1, &a, NULL) && !raise(SIGUSR1));
    CHECK(count == 1 && where >= (uintptr_t)alternate && where < (uintptr_t)alternate + sizeof alternate);
    s.ss_size = 100;
    FAILS(sigaltstack(&s, NULL), ENOMEM);
    s.ss_size = sizeof alternate;
    s.ss_flags = 77;
    FAILS(sigaltstack(&s, NULL), EINVAL);
}

#define FAULT(statement)            \
    do {                            \
        last = 0;                   \
        if (!sigsetjmp(back, 1)) {  \
            statement;              \
        }                           \
    } while (0)

static void faults_say_where(void)
{
    set(SIGSEGV, jump, 0);
    set(SIGBUS, jump, 0);
    set(SIGFPE, jump, 0);
    set(SIGILL, jump, 0);
    set(SIGTRAP, jump, 0);
    FAULT(*(volatile char *)16);
    CHECK(last == SIGSEGV && info.si_code == SEGV_MAPERR && info.si_addr == (void *)16);
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT(*(volatile char *)(page + 5) = 1);
    CHECK(last == SIGSEGV && info.si_code == SEGV_ACCERR && info.si_addr == page + 5);
    FAULT(((void (*)(void))page)());
    CHECK(last == SIGSEGV && info.si_code == SEGV_ACCERR && info.si_addr == page);
    FAULT(*(volatile char *)0x8000000000000000);
    CHECK(last == SIGSEGV && info.si_code == SI_KERNEL && info.si_addr == NULL);
    FAULT(__asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx" : : : "eax", "ecx", "edx"));
    CHECK(last == SIGFPE && info.si_code == FPE_INTDIV);
    FAULT(__asm__ volatile("ud2"));
    CHECK(last == SIGILL && info.si_code == ILL_ILLOPN);
    FAULT(__asm__ volatile("int3"));
    CHECK(last == SIGTRAP && info.si_code == SI_KERNEL);
    FAULT(__asm__ volatile("hlt"));
    CHECK(last == SIGSEGV && info.si_code == SI_KERNEL);
    FAULT(__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc"));
    CHECK(last == SIGTRAP && info.si_code == TRAP_TRACE);
    unsigned mxcsr = 0x1f80 & ~0x200u;
    FAULT(__asm__ volatile("ldmxcsr %0; xorps %%xmm0, %%xmm0; movss %1, %%xmm1; divss %%xmm0, %%xmm1"
                           : : "m"(mxcsr), "m"((float){1}) : "xmm0", "xmm1"));
    CHECK(last == 0 /* QEMU's own processor never raises it */ || (last == SIGFPE && info.si_code == FPE_FLTDIV));
    FAULT(__asm__ volatile("int $0x80" : : "a"(20)));
    CHECK(last == 0 || last == SIGSEGV);
}

static void segv(void) { *(volatile char *)24 = 1; }
static void blocked_segv(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGSEGV, SIG_IGN);
    segv();
}
static void bad_frame(void)
{
    __asm__ volatile("movq $0x1000, %rsp; movl $15, %eax; syscall");
}
static void on_no_stack(void)
{
    set(SIGUSR1, note_info, 0);
    int pid = getpid();
    __asm__ volatile("movq $0x2000, %%rsp; syscall; ud2" : : "a"(SYS_kill), "D"(pid), "S"(SIGUSR1));
}

static void faults_without_handler_end(void)
{
    int status = run_child(segv);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    status = run_child(blocked_segv);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    status = run_child(bad_frame);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    status = run_child(on_no_stack);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void stops_and_goes_on(void)
{
    int status;
    pid_t child = fork();
    if (!child)
        for (;;)
            sleep_ms(5);
    CHECK(!kill(child, SIGSTOP));
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK(!kill(child, SIGCONT));
    CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    CHECK(waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED) == 0);
    CHECK(!kill(child, SIGSTOP) && waitpid(child, &status, WUNTRACED) == child);
    CHECK(!kill(child, SIGKILL) && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void ignored_children_vanish(void)
{
    signal(SIGCHLD, SIG_IGN);
    pid_t child = fork();
    if (!child)
        _exit(1);
    FAILS(waitpid(child, NULL, 0), ECHILD);
}

static void groups_are_signalled(void)
{
    int status;
    pid_t leader = fork();
    if (!leader) {
        setpgid(0, 0);
        for (int i = 0; i < 2; i++)
            if (!fork())
                for (;;)
                    pause();
        sleep_ms(30);
        signal(SIGTERM, SIG_IGN);
        kill(0, SIGTERM);
        for (int i = 0; i < 2; i++) {
            wait(&status);
            if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
                _exit(1);
        }
        _exit(0);
    }
    CHECK(waitpid(leader, &status, 0) == leader && status == 0);
    FAILS(kill(-leader, 0), ESRCH);
}

static void queueing_cannot_feign(void)
{
    siginfo_t i = {.si_signo = SIGUSR1, .si_code = SI_USER};
    pid_t child = fork();
    if (!child) {
        pause();
        _exit(0);
    }
    FAILS(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, &i), EPERM);
    FAILS(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, hostile), EFAULT);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

const struct test signal_tests[] = {
    CASE(handler_gets_the_facts), CASE(registers_come_back), CASE(handler_may_change_registers),
    CASE(blocked_signals_wait), CASE(real_time_signals_queue), CASE(waiting_for_signals),
    CASE(ignored_signals_end_no_wait), CASE(unknown_flags_are_not_kept),
    CASE(suspend_unblocks_meanwhile), CASE(handlers_block_their_signal), CASE(default_actions),
    CASE(reads_restart_or_not), CASE(sleep_tells_what_is_left), CASE(alternate_stacks), CASE(faults_say_where),
    CASE(faults_without_handler_end), CASE(stops_and_goes_on), CASE(ignored_children_vanish),
    CASE(groups_are_signalled), CASE(queueing_cannot_feign), {0},
};
