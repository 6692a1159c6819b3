/* Sets of signals, signals that wait to be taken, and which is taken first. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/process/signal_abi.h"

/* Bit n-1: signal n, as sigset_t. */
typedef uint64_t signal_set;
static inline signal_set signal_bit(int number) { return 1ull << (number - 1); }
static inline bool signal_is_in(signal_set set, int number) { return set & signal_bit(number); }
static inline bool signal_is_valid(int64_t number) { return number >= 1 && number <= SIGNAL_LAST; }

static const signal_set SIGNALS_UNBLOCKABLE = 1ull << (SIGNAL_KILL - 1) | 1ull << (SIGNAL_STOP - 1);
static const signal_set SIGNALS_STOPPING = 1ull << (SIGNAL_STOP - 1) | 1ull << (SIGNAL_TSTP - 1) |
                                           1ull << (SIGNAL_TTIN - 1) | 1ull << (SIGNAL_TTOU - 1);
/* What an instruction caused comes before what others sent. */
static const signal_set SIGNALS_OF_FAULTS = 1ull << (SIGNAL_SEGV - 1) | 1ull << (SIGNAL_BUS - 1) |
                                            1ull << (SIGNAL_ILL - 1) | 1ull << (SIGNAL_TRAP - 1) |
                                            1ull << (SIGNAL_FPE - 1) | 1ull << (SIGNAL_SYS - 1);

struct signal_entry {
    struct signal_info info;
    struct signal_entry *next;
};
/* No making beyond zeroes. */
struct signal_queue {
    signal_set pending;
    struct signal_entry *first; /* oldest first */
    unsigned count;
};

enum { SIGNALS_QUEUED_MAX = 1024 }; /* RLIMIT_SIGPENDING: real-time signals of a queue */

/* False: a real-time signal for which there is no room. A signal below SIGNAL_REAL_TIME that is pending already stays
 * as it is, and one for whose facts there is no room is pending without them. */
bool signal_queue_add(struct signal_queue *, const struct signal_info *);
/* The first of those in `set`, 0: none. */
int signal_queue_first(const struct signal_queue *, signal_set set);
/* Takes out the oldest of that number. */
void signal_queue_take(struct signal_queue *, int number, struct signal_info *);
void signal_queue_drop(struct signal_queue *, signal_set set);

enum signal_default { DEFAULT_END, DEFAULT_IGNORE, DEFAULT_CORE, DEFAULT_STOP, DEFAULT_CONTINUE };
enum signal_default signal_default(int number);
/* Whether it would do nothing. */
bool signal_is_ignored(int number, const struct signal_action *);
