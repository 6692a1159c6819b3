/* A disk as everything above a driver sees it: real disks (ata, virtio-blk), minidisks (extents of one) and what tests fake.
 * Asynchronous: submit queues, `done` is called later from CP's event loop, never from within submit.
 * Pure to include: no hardware here. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { DISK_SECTOR = 512, DISK_SEGMENTS = 34 };
enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };

struct disk_segment {
    void *data;     /* CP's address; stays valid and in place until done */
    uint32_t bytes; /* a multiple of DISK_SECTOR? not required: only the sum is */
};

struct disk_request {
    enum disk_op op;
    uint64_t sector;
    uint32_t sectors; /* the segments' sum / DISK_SECTOR; 0 for DISK_FLUSH */
    unsigned segments;
    struct disk_segment segment[DISK_SEGMENTS];
    void (*done)(struct disk_request *, int status); /* 0, -EIO, -EROFS, -ERANGE */
    void *owner;               /* for done() */
    struct disk_request *next; /* belongs to whoever holds the request now */
};

struct disk {
    const char *name;
    uint64_t sectors;
    bool read_only;
    void *driver;
    /* 0: queued. -ERANGE (beyond the end), -EROFS, -EINVAL: refused, done is not called.
     * A DISK_FLUSH completes when every write completed before it was submitted is on stable storage. */
    int (*submit)(struct disk *, struct disk_request *);
};
