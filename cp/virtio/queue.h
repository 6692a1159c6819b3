/* The driver's side of a split virtqueue: chains of pieces of memory go out to a device and come back in any order.
 * In: pieces. Out: the rings as the device reads them, and what it gave back, believed only as far as it can be true.
 * Plain C over memory; who owns the device tells it of what was published and calls when it interrupts.
 *
 * VIRTIO 1.1, "Split Virtqueues". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { VIRTQ_MOST = 128 }; /* pieces a queue may have room for */

struct virtq_piece {
    const void *data; /* physical address and pointer are one, as everywhere in CP */
    uint32_t bytes;
    bool device_writes;
};

struct virtq_descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};

/* What the driver keeps of each descriptor in memory of its own, so that a device which overwrites the rings harms only
 * itself. */
struct virtq_slot {
    uint16_t next;     /* in the chain, or in the list of free ones */
    uint16_t pieces;   /* of the chain the device has that begins here; 0: none */
    uint32_t writable; /* bytes of it that the device may write */
};

struct virtq {
    uint16_t size;
    bool broken; /* the device gave back what it never had: nothing more is taken from it */
    uint16_t free_head, free_count;
    uint16_t chains;         /* with the device */
    uint16_t offered, taken; /* free-running */
    struct virtq_descriptor *descriptor;
    uint16_t *available; /* flags, index, ring[size] */
    uint16_t *used;      /* flags, index, ring[size] of two 32-bit words: chain, bytes written */
    struct virtq_slot *slot;
};

/* What a queue of that size (a power of two, 2 to VIRTQ_MOST) needs of memory. */
#define VIRTQ_BYTES(size) \
    (16u * (size) + ((6u + 2u * (size) + 3u) & ~3u) + ((6u + 8u * (size) + 7u) & ~7u) + 8u * (size) + 4u)

/* memory: VIRTQ_BYTES(size), zeroed, aligned to 16, kept as long as the device may look at it */
void virtq_init(struct virtq *, uint16_t size, void *memory);

/* Makes a chain of the pieces; virtq_publish shows it to the device. Its number, which comes back when the device is
 * done with it, or -1: there are fewer free descriptors than pieces. @pre pieces > 0 */
int virtq_offer(struct virtq *, const struct virtq_piece *, unsigned pieces);

/* True: the device wants to be told. */
bool virtq_publish(struct virtq *);

/* Whether the device need not interrupt for what it gives back: a request, which it may pass over. */
void virtq_quiet(struct virtq *, bool quiet);

/* Takes back one chain: its number and how many bytes the device says it wrote, no more than there are. False: there
 * is none, or the queue is broken. */
bool virtq_take(struct virtq *, uint16_t *chain, uint32_t *bytes);
