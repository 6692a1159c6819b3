/* A new program in an old process: execve(2). */
#pragma once
#include "cms/process/thread.h"

/* Arguments and environment, copied from where they were: strings one behind the other. */
struct exec_strings {
    char *bytes;
    size_t used, size;
    unsigned arguments, environment;
};
enum { EXEC_STRING_MAX = 131072, EXEC_STRINGS_MAX = 2097152 }; /* E2BIG beyond: one; all, with a word for each */

/* Room at the end for `bytes` more, NULL with *error -E2BIG or -ENOMEM; counted by exec_added(). */
char *exec_room(struct exec_strings *, size_t bytes, int *error);
int exec_add(struct exec_strings *, const char *text);
void exec_free(struct exec_strings *);

/* Puts the program in the thread's process, in place of what that has (or, on the command level, in one that has none).
 * Up to the point where the old one is given up it fails with execve's errno and everything stands; behind it, it does
 * not fail. `strings` may be changed (scripts) and stay the caller's. */
int exec_program(struct thread *, int at, const char *path, unsigned at_flags, struct exec_strings *);
