/* What poll, select and epoll share. */
#pragma once
#include "cms/kernel/wait.h"
#include "cms/syscall/user.h"

struct poll_queues {
    struct wait_queue *queue[WAIT_QUEUES_MAX];
    unsigned count;
    bool more; /* there were more of them */
    uint64_t wakes; /* of the queues of the file that was looked at last */
};

/* The events that hold of a file, all of them; its queue is noted. */
unsigned poll_file(struct file *, struct poll_queues *);
void poll_note(struct wait_queue *, struct poll_queues *);
/* The same of an epoll: the queues of all that it watches are noted. NULL: the file is none. */
struct epoll *epoll_of(const struct file *);
unsigned epoll_look(struct epoll *, struct poll_queues *);
/* Waits for the queues noted, and forgets them; WAIT_FOR_EVER or a deadline. 0, -EINTR, -ETIMEDOUT. */
int poll_wait(struct poll_queues *, uint64_t deadline);
/* A struct timespec of the program's, from now on; no address: for ever. */
int poll_time(uint64_t address, bool *forever, uint64_t *deadline);
uint64_t poll_deadline(int64_t s, int64_t ns); /* so far from now */
/* Blocks the signals of the mask at this address (0: none is given) till the wait is over. */
int poll_block(uint64_t mask, uint64_t size);
