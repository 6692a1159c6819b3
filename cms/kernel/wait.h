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
/* Nanoseconds that only grow (CLOCK_MONOTONIC); never WAIT_FOR_EVER. */
uint64_t cms_wait_now(void);
