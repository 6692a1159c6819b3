/* A request of a virtual disk, and its way between the guest's storage and a disk: shared by who takes requests from a
 * ring or a call (virtio_blk.c) and who moves their data (virtio_blk_transfer.c). */
#pragma once
#include "cp/device/virtio_blk.h"

enum { SECTOR = DISK_SECTOR_BYTES, SEGMENTS = 48, BOUNCES = 2, SEGMENT_BYTES = 1 << 20 };
enum { PIECES = 64 /* of a page or less in one transfer: each may be the first touch of its page */ };

/* a place in the chain */
struct cursor {
    uint16_t buffer, end; /* up to the buffer before `end` */
    uint32_t offset;      /* in that buffer */
};

/* A sector that does not lie within one page goes through here. */
struct bounce {
    struct cursor from;
    uint8_t data[SECTOR];
};

struct virtio_blk_request {
    struct disk_request disk; /* one transfer: as much of the whole as its segments hold */
    struct virtio_blk *device;
    struct virtio_blk_request *next;
    uint32_t epoch;
    uint64_t sector, sectors; /* still to be transferred */
    struct cursor data, begun; /* what is not in a transfer yet; where the one under way began */
    unsigned bounces;
    bool called;     /* the machine's program made a call for it: no ring is told of its end */
    bool flush_last; /* the driver knows no FLUSH: what it writes must be on the medium when we say so */
    struct bounce bounce[BOUNCES];
    struct disk_segment segment[SEGMENTS];
    struct virtio_chain chain;
};
_Static_assert(sizeof(struct virtio_blk_request) <= PAGE_SIZE, "a request is one page frame");

/* The streams of a chain: what the device reads, and what it writes. */
struct cursor virtio_blk_readable(const struct virtio_chain *);
struct cursor virtio_blk_writable(const struct virtio_chain *);
/* Copies `bytes` between `memory` and the guest, moving the cursor. */
bool virtio_blk_copy(struct virtio_blk_request *, struct cursor *, void *memory, uint32_t bytes, bool to_guest);
/* Fills disk.segment with as many of the sectors left as fit. 0, or -EIO. */
int virtio_blk_build(struct virtio_blk_request *);
/* The disk wrote to the guest's frames by itself. What is watched must know: now, since it may have been looked at
 * while the transfer was under way. */
void virtio_blk_noted(const struct virtio_blk_request *);
/* What a read brought for sectors that do not lie within one page. False: there is no such storage any more. */
bool virtio_blk_deliver(struct virtio_blk_request *);
