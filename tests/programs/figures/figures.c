/* What programs cost: the same binary in CMS and on Linux, on an emulator whose time stamp counter counts instructions.
 * Prints, as the bare payloads do, a line for each: R NAME min=TICKS, the least of some tries.
 *
 * figures FOLDER: where `data.bin`, `text.txt`, `loop.rexx` and `hello.c` are, which bench/programs.py makes */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

enum { CALLS = 100, RUNS = 2, WORDS = 8, PIECE = 65536 };

struct work {
    const char *name;
    int runs;
    const char *words[WORDS];
};

/* What people do, in user mode and in the kernel, in different parts. */
static const struct work works[] = {
    {"true", 10, {"busybox", "true"}},
    {"shell_loop", RUNS, {"sh", "-c", "i=0; while [ $i -lt 300 ]; do i=$((i+1)); done"}},
    {"shell_forks", RUNS, {"sh", "-c", "i=0; while [ $i -lt 10 ]; do i=$((i+1)); busybox true; done"}},
    {"shell_pipe", RUNS, {"sh", "-c", "cat text.txt | tr a-z A-Z | wc -c"}},
    {"sort", RUNS, {"sort", "text.txt"}},
    {"checksum", RUNS, {"sha256sum", "text.txt"}},
    {"pack", RUNS, {"gzip", "-c", "text.txt"}},
    {"compile", RUNS, {"cc", "-c", "-o", "/tmp/hello.o", "hello.c"}},
    {"rexx_0", RUNS, {"regina", "./loop.rexx", "0"}},
    {"rexx_1000", RUNS, {"regina", "./loop.rexx", "1000"}},
};

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void result(const char *name, uint64_t ticks) { printf("R %s min=%llu\n", name, (unsigned long long)ticks); }

/* What is between two looks at the counter where nothing is. */
static uint64_t bracket(void)
{
    uint64_t taken = UINT64_MAX;
    for (int i = 0; i < CALLS; i++) {
        uint64_t before = __rdtsc();
        taken = least(taken, __rdtsc() - before);
    }
    return taken;
}

/* Without what a library wraps around it. */
static void system_call(void)
{
    uint64_t taken = UINT64_MAX;
    for (int i = 0; i < CALLS; i++) {
        long result = SYS_getpid;
        uint64_t before = __rdtsc();
        __asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
        taken = least(taken, __rdtsc() - before);
    }
    result("getpid", taken - bracket());
}

/* The file whole, after it was read before. */
static void cached_file(void)
{
    static char piece[PIECE];
    uint64_t taken = UINT64_MAX;
    long bytes = 0;
    for (int i = 0; i < RUNS; i++) {
        int fd = open("data.bin", O_RDONLY);
        if (fd < 0)
            fail("data.bin");
        uint64_t before = __rdtsc();
        bytes = 0;
        for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
            bytes += n;
        taken = least(taken, __rdtsc() - before);
        close(fd);
    }
    result("read_bytes", (uint64_t)bytes);
    result("read_cached", taken);
}

/* From a process that asks for a static program to the first thing this does. */
static void start(const char *self)
{
    uint64_t taken = UINT64_MAX;
    for (int i = 0; i < 3 * RUNS; i++) {
        uint64_t ticks[2];
        int ends[2];
        if (pipe(ends))
            fail("pipe");
        pid_t pid = fork();
        if (!pid) {
            char end[8];
            snprintf(end, sizeof end, "%d", ends[1]);
            ticks[0] = __rdtsc();
            if (write(ends[1], ticks, sizeof *ticks) == sizeof *ticks)
                execl(self, self, "born", end, (char *)NULL);
            _exit(1);
        }
        close(ends[1]);
        if (read(ends[0], &ticks[0], sizeof *ticks) != sizeof *ticks ||
            read(ends[0], &ticks[1], sizeof *ticks) != sizeof *ticks)
            fail("start");
        close(ends[0]);
        waitpid(pid, NULL, 0);
        taken = least(taken, ticks[1] - ticks[0]);
    }
    result("start", taken);
}

static int born(uint64_t now, int end) { return write(end, &now, sizeof now) != sizeof now; }

/* fork, exec, and waiting for the end. */
static uint64_t run(const struct work *w)
{
    int status;
    uint64_t before = __rdtsc();
    pid_t pid = fork();
    if (!pid) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        execvp(w->words[0], (char *const *)w->words);
        perror(w->words[0]);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
        fail(w->name);
    return __rdtsc() - before;
}

int main(int count, char **words)
{
    uint64_t now = __rdtsc();
    if (count == 3 && !strcmp(words[1], "born"))
        return born(now, atoi(words[2]));
    if (count != 2 || chdir(words[1]))
        fail("figures FOLDER");
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    system_call();
    cached_file();
    start("/proc/self/exe");
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        uint64_t taken = UINT64_MAX;
        for (int n = 0; n < works[i].runs; n++)
            taken = least(taken, run(&works[i]));
        result(works[i].name, taken);
    }
    puts("end");
    return 0;
}
