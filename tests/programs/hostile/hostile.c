/* A program that means harm: system calls at random, with pointers to where nothing is, to the kernel, to what must
 * not be written, across the ends of pages. CMS must stand, and so must the parent. Not to be run where one's own
 * files are.
 *
 * hostile [SEED [CHILDREN [CALLS]]] */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, NUMBERS = 460, PATIENCE_MS = 400 };

static uint64_t state;
static char *edge, *read_only, *room;

static uint64_t chance(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dull;
}

static long value(void)
{
    static const uint64_t odd[] = {0, 1, 8, UINT64_MAX, UINT32_MAX, INT64_MAX, 1ull << 63, 1ull << 47,
                                   (1ull << 47) - PAGE, (1ull << 47) - 1, 0xffffffff80000000, 0xffff800000000000,
                                   0xfffffffffffff000};
    uint64_t n = chance();
    switch (chance() % 12) {
    case 0: case 1: return (long)odd[n % (sizeof odd / sizeof *odd)];
    case 2: return (long)edge + PAGE - (long)(n % 64);
    case 3: return (long)read_only + (long)(n % PAGE);
    case 4: case 5: case 6: return (long)room + (long)(n % (8 * PAGE) & ~7ull);
    case 7: return (long)(n % 4096);
    case 8: return (long)n;
    case 9: return 1l << n % 63;
    default: return (long)(n % 16);
    }
}

static void fill(void)
{
    for (size_t i = 0; i < 64; i++)
        ((uint64_t *)room)[chance() % (8 * PAGE / 8)] = (uint64_t)value();
    if (chance() % 3)
        strcpy(room + chance() % PAGE, "/tmp/hostile");
}

/* Those that would only end the test early: others' signals. */
static int is_left_out(long number)
{
    switch (number) {
    case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo:
    case SYS_reboot:
        return 1;
    default:
        return 0;
    }
}

static void attack(unsigned calls)
{
    int null = open("/dev/null", O_RDWR);
    pid_t own = getpid();
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    ualarm(150000, 0);
    for (unsigned i = 0; i < calls; i++) {
        long number = (long)(chance() % NUMBERS);
        if (is_left_out(number))
            continue;
        if (i % 8 == 0)
            fill();
        syscall(number, value(), value(), value(), value(), value(), value());
        if (syscall(SYS_getpid) != own)
            syscall(SYS_exit_group, 0);
    }
    _exit(0);
}

static long ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void await(pid_t child)
{
    struct timespec moment = {0, 2000000};
    long until = ms() + PATIENCE_MS;
    while (!waitpid(child, NULL, WNOHANG)) {
        if (ms() > until)
            kill(child, SIGKILL);
        nanosleep(&moment, NULL);
    }
}

int main(int count, char **words)
{
    uint64_t seed = count > 1 ? strtoull(words[1], NULL, 0) : 1;
    unsigned children = count > 2 ? (unsigned)atoi(words[2]) : 100, calls = count > 3 ? (unsigned)atoi(words[3]) : 100;

    edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(edge + PAGE, PAGE);
    read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    room = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGCHLD, SIG_DFL);
    for (unsigned i = 0; i < children; i++) {
        state = (seed * 1000003 + i) * 0x9e3779b97f4a7c15ull | 1;
        pid_t child = fork();
        if (child < 0) {
            printf("fork: %s\n", strerror(errno));
            return 1;
        }
        if (!child)
            attack(calls);
        await(child);
    }
    printf("%u times %u calls from seed %llu: it stands\n", children, calls, (unsigned long long)seed);
    return 0;
}
