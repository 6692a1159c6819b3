/* The Linux x86-64 system-call ABI. A call is a row of one of the tables *.def (number, name, and how it goes on
 * behind a signal, where that is not by itself); its function, call_NAME, gets the six arguments as they were in the
 * registers, and returns what goes to RAX. One that has no row is -ENOSYS, and is noted
 * (syscall_missed). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/process/thread.h"

struct call {
    uint64_t argument[6];
};
struct call_row {
    const char *name;
    int64_t (*run)(const struct call *);
    enum interrupted interrupted; /* what becomes of -EINTR */
};
enum { CALL_NUMBERS = 512 };
extern const struct call_row call_table[CALL_NUMBERS];
#define CALL(number, name, ...) int64_t call_##name(const struct call *);
#include "cms/syscall/calls.def"
#undef CALL

/* Connects the table to SYSCALL, and the process room to exceptions and interrupts. */
void syscall_start(void);
/* A call that somebody made and that has no row: which, who first, and how often since IPL. */
enum { SYSCALLS_MISSED = 32 };
struct syscall_missed {
    uint64_t number, times;
    char name[THREAD_NAME]; /* of the thread */
};
/* The first SYSCALLS_MISSED of them, in the order in which they came; NULL: there are no more. */
const struct syscall_missed *syscall_missed(unsigned index);
