/* Clocks, sleep and timers. */
#include "tests/programs/abi/abi.h"

#include <sys/resource.h>
#include <sys/times.h>

static volatile sig_atomic_t count;
static siginfo_t info;
static void note(int number, siginfo_t *i, void *context) { (void)number; (void)context; count++; info = *i; }
static void set(int number)
{
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    CHECK(!sigaction(number, &a, NULL));
}

static void clocks_go_forward(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME,
                                       CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_THREAD_CPUTIME_ID};
    for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct timespec a, b, resolution;
        CHECK(!clock_gettime(clocks[i], &a));
        for (volatile int n = 0; n < 10000; n++)
            ;
        CHECK(!clock_gettime(clocks[i], &b));
        CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
        CHECK(a.tv_nsec >= 0 && a.tv_nsec < 1000000000);
        CHECK(!clock_getres(clocks[i], &resolution));
    }
    struct timespec t;
    FAILS(clock_gettime(99, &t), EINVAL);
    FAILS(syscall(SYS_clock_gettime, CLOCK_REALTIME, hostile), EFAULT);
}

static void clocks_agree(void)
{
    struct timespec t;
    struct timeval v;
    CHECK(!clock_gettime(CLOCK_REALTIME, &t) && !gettimeofday(&v, NULL));
    CHECK(t.tv_sec > 1700000000);
    CHECK(labs(t.tv_sec - v.tv_sec) <= 1 && labs(time(NULL) - v.tv_sec) <= 1);
}

static void sleeps_are_long_enough(void)
{
    static const int lengths[] = {1, 5, 30, 120};
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct timespec a, b, t = {0, lengths[i] * 1000000l};
        clock_gettime(CLOCK_MONOTONIC, &a);
        CHECK(!nanosleep(&t, NULL));
        clock_gettime(CLOCK_MONOTONIC, &b);
        long us = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
        CHECK(us >= lengths[i] * 1000);
        CHECK(us < lengths[i] * 1000 + 300000);
    }
    struct timespec bad = {0, 1000000000};
    FAILS(nanosleep(&bad, NULL), EINVAL);
    bad.tv_sec = -1;
    FAILS(nanosleep(&bad, NULL), EINVAL);
    FAILS(nanosleep(hostile, NULL), EFAULT);
}

static void sleeps_until_a_time(void)
{
    struct timespec until, now;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 30000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    CHECK(!clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
    clock_gettime(CLOCK_REALTIME, &now);
    CHECK(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec - 2000000));
    CHECK(!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){0, 1}, NULL));
    CHECK(clock_nanosleep(99, 0, &until, NULL) == EINVAL);
}

static void alarms_come(void)
{
    set(SIGALRM);
    CHECK(alarm(100) == 0);
    CHECK(alarm(0) == 100);
    struct itimerval often = {{0, 10000}, {0, 10000}}, now;
    CHECK(!setitimer(ITIMER_REAL, &often, NULL));
    while (count < 3)
        pause();
    CHECK(!getitimer(ITIMER_REAL, &now) && now.it_interval.tv_usec == 10000 && now.it_value.tv_usec <= 10000);
    CHECK(!setitimer(ITIMER_REAL, &(struct itimerval){0}, &now));
    CHECK(!getitimer(ITIMER_REAL, &now) && !now.it_value.tv_sec && !now.it_value.tv_usec);
    FAILS(setitimer(7, &often, NULL), EINVAL);
    often.it_value.tv_usec = 1000000;
    FAILS(setitimer(ITIMER_REAL, &often, NULL), EINVAL);
}

static void alarms_come_while_it_computes(void)
{
    set(SIGALRM);
    struct itimerval soon = {{0, 0}, {0, 20000}};
    CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
    int64_t until = now_ms() + 2000;
    while (!count && now_ms() < until)
        ;
    CHECK(count == 1);
    CHECK(info.si_code == SI_KERNEL);
}

static long used_us(const struct rusage *u)
{
    return u->ru_utime.tv_usec + u->ru_stime.tv_usec + 1000000 * (u->ru_utime.tv_sec + u->ru_stime.tv_sec);
}

static void processor_time_is_counted(void)
{
    set(SIGVTALRM);
    set(SIGPROF);
    struct itimerval soon = {{0, 0}, {0, 20000}};
    CHECK(!setitimer(ITIMER_VIRTUAL, &soon, NULL));
    int64_t until = now_ms() + 5000;
    while (!count && now_ms() < until)
        for (volatile int i = 0; i < 1000; i++)
            ;
    CHECK(count == 1);
    CHECK(!setitimer(ITIMER_PROF, &soon, NULL));
    while (count == 1 && now_ms() < until)
        for (volatile int i = 0; i < 1000; i++)
            ;
    CHECK(count == 2);
    struct rusage usage;
    CHECK(!getrusage(RUSAGE_SELF, &usage));
    /* Linux may count whole ticks for the timers, and samples: what it says of it is not exact */
    CHECK(usage.ru_utime.tv_sec || usage.ru_utime.tv_usec >= 8000);
    CHECK(used_us(&usage) >= 20000);
    struct tms t;
    CHECK(times(&t) != -1 && t.tms_utime + t.tms_stime >= 2);
    struct timespec cpu;
    CHECK(!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) && (cpu.tv_sec || cpu.tv_nsec >= 20000000));
}

static void sleep_costs_no_processor_time(void)
{
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    sleep_ms(200);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    long us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    CHECK(us < 100000);
}

/* 40 ms of its processor time, however long that takes. */
static void burn(void)
{
    struct timespec used;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    while (!used.tv_sec && used.tv_nsec < 40000000);
}

static void children_are_accounted(void)
{
    struct rusage usage;
    int status;
    pid_t child = fork();
    if (!child) {
        burn();
        _exit(0);
    }
    CHECK(wait4(child, &status, 0, &usage) == child);
    long us = used_us(&usage);
    CHECK(us >= 20000);
    CHECK(!getrusage(RUSAGE_CHILDREN, &usage));
    CHECK(used_us(&usage) >= us);
}

static void made_timers_queue_signals(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 77};
    struct itimerspec often = {{0, 10000000}, {0, 10000000}}, now;
    set(SIGRTMIN);
    CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
    CHECK(!timer_settime(timer, 0, &often, NULL));
    while (count < 2)
        pause();
    CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 77);
    CHECK(!timer_gettime(timer, &now) && now.it_interval.tv_nsec == 10000000);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGRTMIN);
    CHECK(!sigprocmask(SIG_BLOCK, &one, NULL));
    sleep_ms(100);
    siginfo_t got;
    CHECK(sigwaitinfo(&one, &got) == SIGRTMIN);
    CHECK(timer_getoverrun(timer) >= 2);
    CHECK(!timer_delete(timer));
    FAILS(syscall(SYS_timer_delete, 12345), EINVAL);
    event.sigev_signo = 99;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == -1 && errno == EINVAL);
}

static void burns(void)
{
    struct rlimit one = {1, 5};
    CHECK(!setrlimit(RLIMIT_CPU, &one));
    for (;;)
        ;
}

static void processor_time_has_a_limit(void)
{
    int status = run_child(burns);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
}

const struct test time_tests[] = {
    CASE(clocks_go_forward), CASE(clocks_agree), CASE(sleeps_are_long_enough), CASE(sleeps_until_a_time),
    CASE(alarms_come), CASE(alarms_come_while_it_computes), CASE(processor_time_is_counted),
    CASE(sleep_costs_no_processor_time), CASE(children_are_accounted), CASE(made_timers_queue_signals),
    CASE(processor_time_has_a_limit), {0},
};
