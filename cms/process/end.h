/* How threads and processes end, stop and go on, and what their parents hear of it. */
#pragma once
#include "cms/process/thread.h"

enum { END_CORE = 0x80 };
/* Status words of wait4(2) */
static inline int end_status_exited(int code) { return (code & 0xff) << 8; }

/* The calling thread ends; with the last one its process does. */
void end_thread(void) __attribute__((noreturn));
/* All its threads end as soon as they come back from where they sleep; the first to say so says with what status. */
void end_process(struct process *, int status);
/* All but the calling thread, which waits for them: exec. False: it is dying itself. */
bool end_other_threads(struct thread *);
void stop_process(struct process *, int signal);
void end_stop(struct process *);

/* wait4(2), waitid(2) */
enum { WAIT_NOHANG = 1, WAIT_STOPPED = 2, WAIT_EXITED = 4, WAIT_CONTINUED = 8, WAIT_NOWAIT = 0x01000000,
       WAIT_THREAD_ONLY = 0x20000000, WAIT_ALL = 0x40000000 };
static const uint32_t WAIT_CLONE = 0x80000000;

struct end_wanted {
    int process, group; /* 0: any */
    uint32_t options;
};
struct end_told {
    int process;
    int status;         /* as wait4(2) has it */
    struct times times; /* the child's, with its children's */
};
/* 1 and what a child has to tell; 0: WAIT_NOHANG, and none has; -ECHILD, -EINTR. */
int end_wait(const struct end_wanted *, struct end_told *);

/* Memory and descriptors, before the rest: by exec's failure beyond the point of no return, and at the end. */
void end_give_up(struct process *);
