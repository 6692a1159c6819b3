/* Timers that send signals: setitimer(2), timer_create(2). Times are nanoseconds. */
#pragma once
#include "cms/process/thread.h"

enum { TIMER_REAL, TIMER_VIRTUAL, TIMER_PROF, TIMER_KINDS };
enum { TIMER_TICK = 10000000 }; /* of times(2) and AT_CLKTCK */
enum { TIMER_SIGNAL, TIMER_NONE, TIMER_THREAD, TIMER_THREAD_ID = 4 }; /* SIGEV_* */

struct timer_setting {
    uint64_t left, interval; /* left 0: not set */
};
void timer_interval_get(struct process *, unsigned kind, struct timer_setting *);
void timer_interval_set(struct process *, unsigned kind, const struct timer_setting *);
/* RLIMIT_CPU has another value. */
void timer_limit_set(struct process *);
/* CPU time has passed: those that count it. Returns whether the process has such timers, or a limit. */
bool timer_count(struct process *, uint64_t ticks, bool user);

/* The timer, or a negative errno; its signal, thread and value are the caller's to fill in. */
int timer_create(struct process *, struct process_timer **);
struct process_timer *timer_find(struct process *, int id);
void timer_get(struct process_timer *, struct timer_setting *);
/* `at`: when it runs out first (as cms_wait_now()), 0: it is stopped. */
void timer_set(struct process_timer *, uint64_t at, uint64_t interval);
void timer_delete(struct process_timer *);
void timer_delete_all(struct process *); /* exec: the created ones only */
void timer_end(struct process *);
