#include "tests/programs/abi/abi.h"

#include <sys/auxv.h>

static const struct {
    const char *name;
    const struct test *tests;
} groups[] = {
    {"process", process_tests}, {"signal", signal_tests}, {"thread", thread_tests},
    {"time", time_tests},       {"memory", memory_tests}, {"file", file_tests},
    {"processor", processor_tests}, {"transfer", transfer_tests},
    {"settings", settings_tests},
};

const char *self;
void *volatile hostile = (void *)8;

void failed(const char *file, int line, const char *what, long got)
{
    const char *base = strrchr(file, '/');
    printf("\n    %s:%d: %s (%ld)", base ? base + 1 : file, line, what, got);
    fflush(stdout);
    _exit(1);
}

void sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000l};
    while (nanosleep(&t, &t) && errno == EINTR)
        ;
}

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

int run_child(void (*child)(void))
{
    int status = -1;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        child();
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static bool run(const char *group, const struct test *test)
{
    printf("%s: %s", group, test->name);
    int status = run_child(test->run);
    if (WIFSIGNALED(status))
        printf("\n    ended by signal %d", WTERMSIG(status));
    puts(status ? "\n    FAILED" : " ok");
    return !status;
}

/* abi [GROUP [CASE]] */
int main(int count, char **words)
{
    int failures = 0, runs = 0;

    if (count > 2 && !strcmp(words[1], "exit"))
        return atoi(words[2]);
    if (count > 1 && !strcmp(words[1], "arguments")) {
        for (int i = 0; i < count; i++)
            printf("[%s]", words[i]);
        puts(getenv("ABI") ? getenv("ABI") : "-");
        return 0;
    }
    self = (const char *)getauxval(AT_EXECFN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const struct test *t = groups[g].tests; t->name; t++) {
            if ((count > 1 && strcmp(words[1], groups[g].name)) || (count > 2 && strcmp(words[2], t->name)))
                continue;
            runs++;
            failures += !run(groups[g].name, t);
        }
    printf("%d cases, %d failed\nend\n", runs, failures);
    return failures ? 1 : 0;
}
