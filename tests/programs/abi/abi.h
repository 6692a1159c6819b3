/* A program that must say the same on Linux and in CMS. A case is a function that CHECKs what the manual pages promise;
 * a group is a table of cases. Each case runs in a process of its own, so that one that is ended tells so. */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void failed(const char *file, int line, const char *what, long got);

#define CHECK(condition)                                                                                    \
    do {                                                                                                    \
        errno = 0;                                                                                          \
        if (!(condition))                                                                                   \
            failed(__FILE__, __LINE__, #condition, errno);                                                  \
    } while (0)
#define FAILS(call, error)                                                                                  \
    do {                                                                                                    \
        errno = 0;                                                                                          \
        long result_ = (long)(call);                                                                        \
        if (result_ != -1 || errno != (error))                                                              \
            failed(__FILE__, __LINE__, #call " fails with " #error, result_ == -1 ? errno : -result_);      \
    } while (0)

struct test {
    const char *name;
    void (*run)(void);
};
#define CASE(name) {#name, name}
extern const struct test process_tests[], signal_tests[], thread_tests[], time_tests[], memory_tests[], file_tests[],
    processor_tests[], transfer_tests[], settings_tests[];

extern const char *self; /* the path of this program */
extern void *volatile hostile; /* an address where nothing is */
void sleep_ms(int ms);
int64_t now_ms(void);
/* Runs `child` in a new process, and gives its wait status. */
int run_child(void (*child)(void));
