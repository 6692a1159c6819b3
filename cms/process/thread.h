/* The records of threads and processes, for this room and for the system calls that show or change them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/cpu/user.h"
#include "cms/kernel/clock.h"
#include "cms/kernel/wait.h"
#include "cms/process/deadline.h"
#include "cms/process/process.h"
#include "cms/process/signal_queue.h"

enum { THREAD_NAME = 16, LIMITS = 16, PROCESS_TIMERS_MAX = 64, PROCESS_PATH = 256 };
enum { THREAD_SLICE = 20000000 }; /* ns */
enum { LIMIT_CPU, LIMIT_STACK = 3, LIMIT_CORE, LIMIT_PROCESSES = 6, LIMIT_FILES, LIMIT_SIGNALS = 11, LIMIT_NICE = 13,
       LIMIT_REAL_TIME };
static const uint64_t LIMIT_NONE = UINT64_MAX;

/* How a call that a signal interrupted (-EINTR) goes on: signal(7), "Interruption of system calls". */
enum interrupted {
    INTERRUPTED_RESTARTS,   /* by itself, where no handler ran or its action has SA_RESTART */
    INTERRUPTED_NO_HANDLER, /* by itself only where no handler ran */
    INTERRUPTED_ENDS,       /* never */
};

enum thread_state { THREAD_READY, THREAD_RUNS, THREAD_SLEEPS, THREAD_DEAD };

struct thread {
    int id;
    struct process *process;
    struct thread *sibling; /* the process' next */
    struct thread *next;    /* of the run queue, or of the dead */
    enum thread_state state;
    struct context context;
    struct user_state user;
    void *stack;
    struct trap_frame *frame; /* as the program left them; valid while it is in the kernel */
    struct trap_frame start;  /* the registers it begins with */
    bool attention;           /* something is to be done before it goes back to the program */

    struct deadline deadline; /* of its sleep */
    bool woken, timed_out;
    struct waiter *waiters; /* its places in the queues where it sleeps; NULL: it does not */
    unsigned waiter_count;
    enum { HEARS_ALL, HEARS_KILL, HEARS_NOTHING } hears; /* what ends its sleep */

    bool dying;
    int status;               /* it ends with, as wait4(2) has it */
    signal_set blocked;
    signal_set kept_blocked;  /* what is blocked again behind the handler, if keeps_blocked */
    bool keeps_blocked;
    signal_set waited;        /* what sigtimedwait wants: comes although it is blocked */
    struct signal_queue pending;
    struct signal_stack alternate;
    uint64_t fault_address;

    unsigned call;            /* the system call it is in */
    bool in_call;
    enum interrupted interrupted;
    int64_t (*resume)(struct thread *); /* what restart_syscall does */
    uint64_t resume_argument[4];

    uint64_t clear_child_id, robust_list;
    uint64_t user_ticks, system_ticks;
    uint64_t switches, forced_switches;
    char name[THREAD_NAME];
};

struct signal_actions {
    unsigned users; /* CLONE_SIGHAND */
    struct signal_action of[SIGNAL_COUNT];
};

struct limit {
    uint64_t now, most;
};

/* setitimer(2) */
struct interval_timer {
    uint64_t interval;
    struct deadline deadline; /* of ITIMER_REAL */
    uint64_t left;            /* CPU ticks, of the others; 0: not set */
};

/* timer_create(2) */
struct process_timer {
    bool used;
    int id, clock, notify, signal, thread;
    uint64_t value, interval;
    unsigned overruns, last_overruns;
    uint64_t last_at; /* when it ran out, or will, first */
    bool queued; /* its signal has not been taken */
    struct deadline deadline;
    struct process *process;
};

struct times {
    uint64_t user, system; /* ticks */
};

struct vfork_wait {
    struct wait_queue queue;
};

/* What a process sets of itself, by prctl(2), personality(2) and setpriority(2): its children have it too, but for
 * `reaps_orphans`. */
struct settings {
    bool no_new_privileges, not_dumpable, keeps_capabilities;
    bool reaps_orphans; /* what its descendants leave behind becomes its own */
    int nice;
    uint32_t personality;
    uint64_t slack, dropped; /* PR_SET_TIMERSLACK; capabilities, PR_CAPBSET_DROP */
};

struct process {
    int id, group, session;
    struct process *next;              /* of all */
    struct process *parent;            /* NULL: CMS itself */
    struct process *first_child, *sibling;
    unsigned level;                    /* of the process_run that it belongs to */
    struct thread *threads;
    unsigned thread_count;
    struct wait_queue thread_ended, child_changed, continued;
    struct vfork_wait *vforked;        /* who waits until it has a space of its own; on their stack */
    bool shares_files;                 /* may share them: CLONE_FILES */

    struct space *space;
    struct files *files;
    struct place *place;
    struct signal_actions *actions;
    struct signal_queue pending;

    bool ending, zombie;
    bool executed;                     /* since it was forked: setpgid(2) */
    int status;                        /* as wait4(2) gives it, from `ending` on */
    int exit_signal, death_signal;     /* to the parent; of the parent's death */
    bool stopped, told_stopped, told_continued; /* what the parent has not yet heard: told_* */
    int stop_signal;

    struct trap_frame end_registers;
    uint64_t end_address;
    struct limit limit[LIMITS];
    struct interval_timer interval[3];
    bool counts;                       /* CPU time, for one of these or RLIMIT_CPU */
    uint64_t limited_ns, limit_told;   /* of RLIMIT_CPU: what was used, and from which second on that is said again */
    struct process_timer *timers;      /* PROCESS_TIMERS_MAX, or NULL */
    struct times gone, children;       /* of threads that ended; of children waited for */
    uint64_t started;                  /* cms_wait_now() */
    uint64_t faults;
    struct settings set;
    uint64_t stack_begin;              /* where its first thread began: argc, and the arguments' addresses behind it */
    char path[PROCESS_PATH];           /* what it runs */
};

extern struct process *process_all;

/* ---- scheduling (scheduler.c) ------------------------------------------------------------------------------------ */

/* Makes a thread of the process, not yet ready, with frame `start` all zeroes; NULL: no storage, or too many. */
struct thread *thread_make(struct process *);
void thread_unmake(struct thread *); /* which was never ready */
void thread_make_ready(struct thread *);
/* Has it look at what came before it goes back to its program, and ends a sleep that may be interrupted. */
void thread_attend(struct thread *, bool kill);
/* Gives the processor to who is next; comes back when this one is next again. */
void thread_yield(void);
/* For ever; the thread's record goes when another runs. */
void thread_leave(void) __attribute__((noreturn));
/* As cms_wait, but only SIGKILL ends it. */
int thread_wait_deaf(struct wait_queue *);
/* The command level's: lets threads run until all sleep, or `command_wanted` is set. */
void thread_run_all(void);
extern bool thread_command_wanted;
/* Behind an interrupt, and before a sleep: does what is due and says when the next tick must come. */
void thread_time_passed(void);
/* On the command level: whose process the files and the terminal shall see as the caller; NULL: nobody. */
void thread_pretend(struct thread *);
bool thread_is_command_level(void);
/* What has run since this was last said was the program, or was the kernel for it. At every call, and so inline. */
extern uint64_t thread_last_ticks;
void thread_count_time(struct process *, uint64_t ticks, bool user);
static inline void thread_account(struct thread *t, uint64_t *to, bool user)
{
    uint64_t now = cms_ticks(), passed = now - thread_last_ticks;
    thread_last_ticks = now;
    *to += passed;
    if (t->process->counts)
        thread_count_time(t->process, passed, user);
}
static inline void thread_account_user(struct thread *t) { thread_account(t, &t->user_ticks, true); }
static inline void thread_account_system(struct thread *t) { thread_account(t, &t->system_ticks, false); }
struct times thread_times(const struct thread *);
struct times process_times(const struct process *);
void thread_forget_all(void);
void thread_count(unsigned *ready, unsigned *all);

/* ---- processes --------------------------------------------------------------------------------------------------- */

struct process *process_find(int id);
struct thread *thread_find(int id);
int process_new_id(void); /* -EAGAIN */
/* Ready to be filled with a first thread; NULL: no storage, or too many. */
struct process *process_make(struct process *parent);
void process_adopt(struct process *parent, struct process *child); /* which has no parent */
void process_vfork_over(struct process *);
void process_forget_all(void); /* after an abend: their records went with the heap */
void process_free(struct process *); /* @pre no threads, no children; takes it out of its parent's list */
bool process_is_over(void); /* the innermost command, and all its processes */
bool process_is_first(const struct process *); /* of a process_run(), which waits for it */
bool process_group_exists(int group, int session); /* session 0: any */

/* The way back to the program: signals, an end, a stop, a slice that is over. */
void thread_before_program(void);
