/* Waiting for something that another thread, a device or time brings. The process room provides it; unit tests bring a
 * fake. A queue needs no making beyond zeroes, and must be empty when it goes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct waiter;
struct wait_queue {
    struct waiter *first;
    uint64_t wakes; /* how often it was woken, whoever waited: what an edge-triggered epoll looks for */
};

enum { WAIT_FOR_EVER = 0 };

/* Sleeps until the queue is woken: 0; or -EINTR: the caller has a signal to take first; or -ETIMEDOUT: cms_wait_now()
 * has reached `deadline`. Who was woken looks again at what it waited for. */
int cms_wait(struct wait_queue *, uint64_t deadline);
/* The same of several queues at once (poll), at most WAIT_QUEUES_MAX. */
enum { WAIT_QUEUES_MAX = 64 };
int cms_wait_any(struct wait_queue *const queues[], unsigned count, uint64_t deadline);
void cms_wake(struct wait_queue *);
/* The queue goes: who sleeps there is woken, and leaves it now. */
void cms_wait_end(struct wait_queue *);
/* What a program can make long and what does not sleep says so at each step (a page, a piece of a transfer, a name):
 * keys and timers are then looked at every few milliseconds, although no thread gives way. 0; or -EINTR: the caller
 * has been killed, and the rest would be for nobody. Steps that must not be left half done do not ask. */
int cms_work(void);
/* A signal has come that would end the caller's sleep: calls that may return with less do so then. */
bool cms_wait_is_over(void);
/* Nanoseconds that only grow (CLOCK_MONOTONIC); never WAIT_FOR_EVER. */
uint64_t cms_wait_now(void);
