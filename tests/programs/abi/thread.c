/* Threads and futexes. */
#include "tests/programs/abi/abi.h"

#include <sched.h>

/* futex(2); musl's compiler has no headers of Linux */
enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP, FUTEX_WAIT_BITSET = 9 };
enum { FUTEX_BITSET_MATCH_ANY = -1, FUTEX_OP_ADD = 1, FUTEX_OP_CMP_EQ = 0 };
#define FUTEX_OP(operation, argument, comparison, with) \
    ((operation) << 28 | (comparison) << 24 | (argument) << 12 | (with))

enum { THREADS = 8, ROUNDS = 2000 };

static long futex(uint32_t *word, int operation, uint32_t value, const void *timeout, uint32_t *second, uint32_t third)
{
    return syscall(SYS_futex, word, operation, value, timeout, second, third);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long total;

static void *add(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        long before = total;
        if (i % 100 == 0)
            sched_yield();
        total = before + 1;
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

static void mutexes_exclude(void)
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        CHECK(!pthread_create(&threads[i], NULL, add, (void *)i));
    for (long i = 0; i < THREADS; i++) {
        void *result;
        CHECK(!pthread_join(threads[i], &result) && result == (void *)i);
    }
    CHECK(total == THREADS * ROUNDS);
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *play(void *argument)
{
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        while (turn != (int)(long)argument)
            pthread_cond_wait(&changed, &lock);
        turn = !turn;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void conditions_pass_the_turn(void)
{
    pthread_t other;
    CHECK(!pthread_create(&other, NULL, play, (void *)1));
    play((void *)0);
    CHECK(!pthread_join(other, NULL));
    CHECK(turn == 0);
}

static __thread int mine = 5;
static void *own(void *argument)
{
    int *seen = argument;
    *seen = mine;
    mine = 6;
    return NULL;
}

static void storage_of_its_own(void)
{
    pthread_t thread;
    int seen = 0;
    mine = 7;
    CHECK(!pthread_create(&thread, NULL, own, &seen) && !pthread_join(thread, NULL));
    CHECK(seen == 5 && mine == 7);
}

static volatile bool stop;
static volatile unsigned long spins;
static void *spin(void *argument)
{
    while (!stop)
        spins++;
    return argument;
}

static void slices_end(void)
{
    pthread_t thread;
    CHECK(!pthread_create(&thread, NULL, spin, NULL));
    int64_t until = now_ms() + 400;
    while (!spins && now_ms() < until)
        ;
    unsigned long before = spins;
    CHECK(before > 0);
    until = now_ms() + 400;
    while (spins == before && now_ms() < until)
        ;
    CHECK(spins > before);
    stop = true;
    CHECK(!pthread_join(thread, NULL));
}

static void futexes_wait_and_time_out(void)
{
    uint32_t word = 1;
    struct timespec soon = {0, 20000000};
    FAILS(futex(&word, FUTEX_WAIT, 2, NULL, NULL, 0), EAGAIN);
    int64_t from = now_ms();
    FAILS(futex(&word, FUTEX_WAIT, 1, &soon, NULL, 0), ETIMEDOUT);
    CHECK(now_ms() - from >= 19);
    CHECK(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
    FAILS(futex(hostile, FUTEX_WAIT, 1, NULL, NULL, 0), EFAULT);
    FAILS(futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT, 1, NULL, NULL, 0), EINVAL);
    FAILS(futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0), EINVAL);
    FAILS(futex(&word, 99, 1, NULL, NULL, 0), ENOSYS);
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_nsec += 10000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_nsec -= 1000000000;
        soon.tv_sec++;
    }
    FAILS(futex(&word, FUTEX_WAIT_BITSET, 1, &soon, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
}

static uint32_t words[2];
static volatile int woken;
static void *sleeper(void *argument)
{
    (void)argument;
    while (futex(&words[0], FUTEX_WAIT, 0, NULL, NULL, 0) && errno == EINTR)
        ;
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void wait_for_sleepers(void)
{
    sleep_ms(60);
}

static void futexes_requeue(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK(!pthread_create(&threads[i], NULL, sleeper, NULL));
    wait_for_sleepers();
    FAILS(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)10l, &words[1], 1), EAGAIN);
    CHECK(futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)10l, &words[1], 0) == 4);
    wait_for_sleepers();
    CHECK(woken == 1);
    CHECK(futex(&words[0], FUTEX_WAKE, 10, NULL, NULL, 0) == 0);
    /* sets words[1] to 1 | old, wakes one there, and one of words[0] as the old was 0 */
    CHECK(futex(&words[1], FUTEX_WAKE_OP, 1, (void *)1l, &words[0],
                FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)) == 1);
    CHECK(words[0] == 3);
    CHECK(futex(&words[1], FUTEX_WAKE, 10, NULL, NULL, 0) == 2);
    for (int i = 0; i < 4; i++)
        CHECK(!pthread_join(threads[i], NULL));
    CHECK(woken == 4);
}

static void futexes_between_processes(void)
{
    uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (!child) {
        sleep_ms(20);
        *word = 1;
        futex(word, FUTEX_WAKE, 1, NULL, NULL, 0);
        _exit(0);
    }
    while (!*(volatile uint32_t *)word)
        futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void *leave_all(void *argument)
{
    (void)argument;
    exit(23);
}

static void end_with_threads(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, leave_all, NULL);
    for (;;)
        pause();
}

static void *exec_in_thread(void *argument)
{
    char *arguments[] = {(char *)"x", (char *)"exit", (char *)"12", NULL};
    (void)argument;
    execv(self, arguments);
    _exit(9);
}

static void exec_from_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, exec_in_thread, NULL);
    for (;;)
        pause();
}

static void *crash(void *argument)
{
    (void)argument;
    *(volatile char *)hostile = 1;
    return NULL;
}

static void crash_in_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, crash, NULL);
    for (;;)
        pause();
}

static void ends_take_all_threads(void)
{
    int status = run_child(end_with_threads);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 23);
    status = run_child(exec_from_thread);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 12);
    status = run_child(crash_in_thread);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static pthread_t handled_by;
static void take(int number) { (void)number; handled_by = pthread_self(); }
static void *wait_here(void *argument)
{
    while (!handled_by)
        sleep_ms(1000);
    return argument;
}

static void signals_reach_one_thread(void)
{
    pthread_t thread;
    struct sigaction a = {.sa_handler = take};
    CHECK(!sigaction(SIGUSR1, &a, NULL));
    CHECK(!pthread_create(&thread, NULL, wait_here, NULL));
    sleep_ms(30);
    CHECK(!pthread_kill(thread, SIGUSR1));
    CHECK(!pthread_join(thread, NULL));
    CHECK(pthread_equal(handled_by, thread));
    FAILS(syscall(SYS_tgkill, getpid(), 99999, 0), ESRCH);
    FAILS(syscall(SYS_tgkill, 0, getpid(), 0), EINVAL);
}

static void *lock_and_end(void *argument)
{
    pthread_mutex_lock(argument);
    return NULL;
}

static void robust_locks_are_given_up(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutex_t robust;
    pthread_t thread;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    CHECK(!pthread_create(&thread, NULL, lock_and_end, &robust) && !pthread_join(thread, NULL));
    CHECK(pthread_mutex_lock(&robust) == EOWNERDEAD);
    CHECK(!pthread_mutex_consistent(&robust) && !pthread_mutex_unlock(&robust));
}

static void clones_are_judged(void)
{
    FAILS(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
    FAILS(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
    FAILS(syscall(SYS_clone3, hostile, 88), EFAULT);
    FAILS(syscall(SYS_clone3, hostile, 4), EINVAL);
    cpu_set_t set;
    CHECK(!sched_getaffinity(0, sizeof set, &set) && CPU_COUNT(&set) >= 1);
    CHECK(sched_get_priority_max(SCHED_FIFO) == 99 && syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER);
}

const struct test thread_tests[] = {
    CASE(mutexes_exclude), CASE(conditions_pass_the_turn), CASE(storage_of_its_own), CASE(slices_end),
    CASE(futexes_wait_and_time_out), CASE(futexes_requeue), CASE(futexes_between_processes),
    CASE(ends_take_all_threads), CASE(signals_reach_one_thread), CASE(robust_locks_are_given_up),
    CASE(clones_are_judged), {0},
};
