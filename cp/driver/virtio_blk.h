/* A modern virtio-pci block device of the machine CP runs on: QEMU's, or the minidisk another CP gives.
 * One split queue; one notify write a batch, one ISR read an interrupt. */
#pragma once
#include "cp/device/disk.h"
#include "cp/driver/virtio_pci.h"

enum { VIRTIO_BLK_DRIVER_QUEUE = 128, VIRTIO_BLK_SERIAL_BYTES = 20 };

/* The virtqueue and what each chain in it belongs to. It lives in memory the caller gives, since the device reads and
 * writes it by physical address. */
struct virtio_blk_memory;
enum { VIRTIO_BLK_MEMORY_BYTES = 20 * 1024 }; /* 4 KiB aligned, physically contiguous */

struct virtio_blk_disk {
    struct disk disk; /* what others use; its owner is this struct */
    struct virtio_pci pci;
    struct virtq queue;
    char serial[VIRTIO_BLK_SERIAL_BYTES + 1];
    struct virtio_blk_memory *memory;
    volatile uint16_t *notify;
    bool has_flush, broken;            /* broken: it gave back what it never had; all requests fail */
    struct disk_request *first; /* waiting for free descriptors */
    uint64_t now;               /* the turn of the one begun last */
};

/* Finds the `index`-th virtio block function on PCI (configuration through CF8/CFC) and brings it up, polling at most
 * a second or two. `memory`: VIRTIO_BLK_MEMORY_BYTES, zeroed, kept for good. False when there is none, it is not a
 * modern one, its queue is shorter than VIRTIO_BLK_DRIVER_QUEUE, or it will not come up; then it was let go of.
 * @pre as of virtio_pci_open */
bool virtio_blk_probe(struct virtio_blk_disk *, unsigned index, void *memory);

/* Lets go of it: it reads and writes no memory of ours any more, and raises no interrupt. */
void virtio_blk_release(struct virtio_blk_disk *);

enum { VIRTIO_BLK_ANSWERS = 2 /* taken in one call: what is done with each may take its time */ };

/* Call when its IRQ came (INTx may be shared), or to poll. Runs done() of what has completed, submits what waits. True:
 * that was not all; call again soon. */
bool virtio_blk_interrupt(struct virtio_blk_disk *);
