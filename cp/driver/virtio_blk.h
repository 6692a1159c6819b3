/* A modern virtio-pci block device of the machine CP runs on: QEMU's, or the minidisk another CP gives.
 * One split queue; one notify write a batch, one ISR read an interrupt. */
#pragma once
#include "cp/driver/disk.h"

enum { VIRTIO_BLK_DRIVER_QUEUE = 256, VIRTIO_BLK_SERIAL_BYTES = 20 };

/* One virtqueue and what each chain in it belongs to. All of it lives in whole pages the caller gives, since the device
 * reads and writes it by physical address. */
struct virtio_blk_memory;
enum { VIRTIO_BLK_MEMORY_BYTES = 20 * 1024 }; /* 4 KiB aligned, physically contiguous */

struct virtio_blk_disk {
    struct disk disk; /* what others use; its owner is this struct */
    uint8_t irq;      /* the INTx line as the firmware routed it (PCI interrupt line register) */
    uint8_t bus, slot, function;
    char serial[VIRTIO_BLK_SERIAL_BYTES + 1];
    struct virtio_blk_memory *memory;
    volatile uint8_t *common, *isr, *device;
    volatile uint16_t *notify;
    uint16_t queue_size, free_head, free_count, next_available, next_used;
    bool has_flush;
    struct disk_request *first, *last; /* waiting for free descriptors */
};

/* Finds the `index`-th virtio block function on PCI (configuration through CF8/CFC) and brings it up, polling at most about
 * a second. `memory`: VIRTIO_BLK_MEMORY_BYTES, zeroed, kept for good. False when there is none, or it will not come up.
 * @pre its BARs are assigned (firmware's job; CP's virtual machines come so) and mapped one to one, uncached where it matters */
bool virtio_blk_probe(struct virtio_blk_disk *, unsigned index, void *memory);

/* Call when its IRQ came (INTx may be shared), or to poll. Runs done() of what has completed, submits what waits. */
void virtio_blk_interrupt(struct virtio_blk_disk *);
