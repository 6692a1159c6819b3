/* The Linux x86-64 system-call ABI. A call is a row of the table (number, name, function); its function gets the six
 * arguments as they were in the registers, and returns what goes to RAX. One that has no row is -ENOSYS, and is told of
 * when SET TRACE or the like asks for it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct call {
    uint64_t argument[6];
};
struct call_row {
    const char *name;
    int64_t (*run)(const struct call *);
};
enum { CALL_NUMBERS = 512 };
extern const struct call_row call_table[CALL_NUMBERS];
/* Connects the table to SYSCALL. */
void syscall_start(void);
