/* A disk as CP sees it: real (ata.c, virtio_blk.c) or a part of one. Requests are asynchronous: submit() queues and
 * returns, done() is called later from the event loop, once, in any order. Plain C, so that the virtual devices that
 * submit here also run on the host against a fake disk. */
#pragma once
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "cp/time/debt.h"

enum { DISK_SECTOR_BYTES = 512, DISK_MAX_SEGMENTS = 128 };

/* FLUSH: every write completed before it was submitted is on the medium when it completes. */
enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };

struct disk_segment {
    void *data;
    uint32_t bytes; /* > 0, a multiple of 512; the memory does not cross out of CP's one-to-one map */
};

/* Somebody on whose behalf requests are made. The disk serves them all by turns, so that one who asks for much does not
 * keep one who asks for little waiting. */
struct disk_user {
    uint64_t turn; /* the disk's own: at which their next request is due, counted in sectors */
    struct debt debt;
};

struct disk_request {
    enum disk_op op;
    uint64_t sector;  /* first, in units of 512 bytes; ignored by FLUSH */
    uint32_t sectors; /* the segments' bytes / 512; 0 for FLUSH */
    struct disk_segment *segment;
    unsigned segments;
    /* status 0, -EIO (the medium failed), -EROFS, -EINVAL (segments and sectors disagree, outside the disk).
     * The request and its segments belong to the disk from submit() until here; done() may submit anew. */
    void (*done)(struct disk_request *, int status);
    void *owner; /* for done() */

    struct disk_user *user; /* NULL: CP itself, which does not wait for turns */

    /* Of a disk that hands the request on to another, and wants to know when that has ended it; NULL: none does. */
    void (*handed)(struct disk_request *);
    void *hand; /* for handed() */

    struct disk_request *next; /* the disk's own, while queued */
    uint64_t turn;
    unsigned at_segment;       /* the disk's own: how far the transfer is */
    uint32_t at_byte;
    uint32_t sectors_done;
};

struct disk {
    const char *name;
    uint64_t sectors;
    bool read_only;
    /* 0: queued, done() will follow (never before submit returns). Else an error as above, and done() is not called. */
    int (*submit)(struct disk *, struct disk_request *);
    void *owner; /* for submit() */
    /* Told how each request ended, before its done(); NULL: nobody is. */
    void (*heed)(const struct disk *, const struct disk_request *, int status);
};

/* A driver works for who made the request. */
static inline void disk_request_work(const struct disk_request *r)
{
    if (r->user)
        debtor = &r->user->debt;
}

/* How a driver ends a request. */
static inline void disk_request_end(const struct disk *d, struct disk_request *r, int status)
{
    disk_request_work(r);
    if (d->heed)
        d->heed(d, r, status);
    if (r->handed)
        r->handed(r);
    r->done(r, status);
}

/* The check every submit() begins with: 0, -EINVAL or -EROFS. */
static inline int disk_request_check(const struct disk *d, const struct disk_request *r)
{
    uint64_t bytes = 0;
    if (r->op == DISK_FLUSH)
        return 0;
    if (r->op != DISK_READ && r->op != DISK_WRITE)
        return -EINVAL;
    if (!r->sectors || !r->segments || r->segments > DISK_MAX_SEGMENTS)
        return -EINVAL;
    for (unsigned i = 0; i < r->segments; i++) {
        if (!r->segment[i].bytes || r->segment[i].bytes % DISK_SECTOR_BYTES)
            return -EINVAL;
        bytes += r->segment[i].bytes;
    }
    if (bytes != (uint64_t)r->sectors * DISK_SECTOR_BYTES)
        return -EINVAL;
    if (r->sector > d->sectors || r->sectors > d->sectors - r->sector)
        return -EINVAL;
    return r->op == DISK_WRITE && d->read_only ? -EROFS : 0;
}

/* Queues a request among those that wait; *waiting is the first of them. `now`: the turn of the request the disk began
 * last. Requests of one user keep their order; a user who had none waiting is due at once, whatever others asked for
 * before. */
static inline void disk_request_queue(struct disk_request **waiting, uint64_t now, struct disk_request *r)
{
    enum { LEAST = 8 }; /* the smallest counts as so many sectors */

    r->turn = r->user && r->user->turn > now ? r->user->turn : now;
    if (r->user)
        r->user->turn = r->turn + (r->sectors > LEAST ? r->sectors : LEAST);
    while (*waiting && (*waiting)->turn <= r->turn)
        waiting = &(*waiting)->next;
    r->next = *waiting;
    *waiting = r;
}
