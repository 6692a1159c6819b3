/* Processes and threads: who runs, what they own, how they begin and end, the signals they get.
 *
 * A thread has a kernel stack and runs until it sleeps (cms/kernel/wait.h) or, in user mode, its slice is over. The
 * command level is no thread: it runs on CMS' own stack, and process_run() lends the processor to threads until the
 * first process of the command has ended. All that is left then is killed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/cpu/user.h"
#include "cms/space/space.h"
#include "cms/vfs/vfs.h"

enum { PROCESS_MAX = 1024, PROCESS_ID_LAST = 32767, THREAD_MAX = 4096, SIGNAL_COUNT = 64 };

struct thread;
struct process;

/* The thread whose stack this is, and its process. @pre not on the command level */
struct thread *thread_current(void);
struct process *process_current(void);
struct space *process_space(struct process *);
struct files *process_files(struct process *);
struct place *process_place(struct process *);
struct trap_frame *thread_registers(struct thread *); /* as the program left them */

struct process_end {
    int status;                    /* as wait4(2) gives it */
    struct trap_frame registers;   /* of the thread that died by a signal */
    uint64_t fault_address;
};
/* Runs a program to its end: `arguments` and `environment` end with NULL; its descriptors 0 to 2 are the terminal,
 * or they are a copy of `files`, where that is not NULL. 0 and *end, or the negative errno that execve(2) gives.
 * Nested: what a thread asks of the command level (process_post) is done by the process_run that is innermost. */
int process_run(const char *path, const char *const arguments[], const char *const environment[], struct files *files,
                struct process_end *end);
/* The same in parts, for who lends the processor meanwhile as they like. They are finished in the reverse order in
 * which they were begun; one that has not ended then is killed. */
struct process_running;
int process_begin(const char *path, const char *const arguments[], const char *const environment[], struct files *files,
                  struct process_running **running);
bool process_has_ended(const struct process_running *);
void process_finish(struct process_running *, struct process_end *end);
/* Work for the command level: it is done there between threads, one piece after the other, by the process_run() or
 * process_lend() that is innermost. Who posts it keeps it until it has begun, or was taken back (false: it has). */
struct level_work {
    void (*run)(struct level_work *);
    struct level_work *next;
};
void process_post(struct level_work *);
bool process_take_back(struct level_work *);
/* On the command level, while it works for a thread: threads run until done() says so. */
void process_lend(bool (*done)(void *context), void *context);
/* HX: every process of the command is killed. */
void process_halt(void);
/* After an abend: nothing runs any more, and what the heap had of it is gone. */
void process_recover(void);
