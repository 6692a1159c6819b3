/* Futexes: futex(2). The words are the programs'; here are those who wait for them. */
#pragma once
#include "cms/process/thread.h"

enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI,
       FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_WAIT_REQUEUE_PI,
       FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2, FUTEX_COMMANDS = 0x7f, FUTEX_PRIVATE = 128, FUTEX_CLOCK_REALTIME = 256 };
enum { FUTEX_ANY = -1 };

/* Sleeps while the word is `value`: 0, -EAGAIN: it is not, -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL. */
int futex_wait(uint64_t address, uint32_t value, uint32_t bits, uint64_t deadline);
/* At most `most` of those who wait with one of the bits: how many, or -EFAULT, -EINVAL. */
int futex_wake(uint64_t address, uint32_t most, uint32_t bits);
/* Wakes `most`, and has at most `more` others wait for `to` instead; with `compare` only while the word is *compare. */
int futex_requeue(uint64_t address, uint32_t most, uint64_t to, uint32_t more, const uint32_t *compare);
int futex_wake_operation(uint64_t address, uint32_t most, uint64_t second, uint32_t more, uint32_t operation);
/* The thread ends: its robust locks are given up, and the word that tells of its end is cleared. */
void futex_thread_ends(struct thread *);
void futex_forget_all(void); /* after an abend */
