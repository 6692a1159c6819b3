/* A minidisk as a virtio block device ("Block Device" in the virtio specification): chains from the ring become
 * requests to a struct disk, straight into and out of the guest's page frames.
 *
 * However much the ring holds, and whatever is written into it meanwhile, as much of it is served at once as fits a
 * slice of work (cp/time/work.h), and the rest goes on from the event loop.
 *
 * A request is one page frame on the machine's account, at most VIRTIO_BLK_REQUESTS of them a disk; what the ring holds
 * beyond that waits in the ring. While requests are in flight their disk writes into guest frames, so:
 * - the guest's own reset of the device reads as unfinished (status not 0) until the last one is done;
 * - after virtio_blk_detach() or pci_reset() they are orphans: their end touches no ring and no register, but until
 *   virtio_blk_in_flight() is 0 the guest's storage must not be freed nor given a new content, and the struct not be
 *   reused. */
#pragma once
#include "cp/device/disk.h"
#include "cp/device/virtio.h"
#include "cp/time/work.h"

enum { VIRTIO_BLK_REQUESTS = 8, VIRTIO_BLK_SERIAL = 20 };

struct virtio_blk_request;

struct virtio_blk {
    struct virtio_device virtio;
    struct disk *disk; /* NULL: nothing attached here */
    uint16_t vdev;
    uint8_t config[64]; /* struct virtio_blk_config */
    struct virtio_blk_request *idle;
    unsigned requests;  /* frames held, idle ones included */
    unsigned in_flight; /* orphans included */
    uint32_t epoch;     /* a request of an earlier epoch is an orphan */
    struct work more;   /* queued: the ring holds what there was no time for */
    uint64_t number;    /* of this disk among all that ever were, set by the machine */
    /* A request of virtio_blk_call() is done: 0, -EIO, or -ENODEV if the disk was detached or the device reset
     * meanwhile. Set by who makes calls. */
    void (*call_done)(void *context, int error);
    void *call_context;
};

/* Puts `disk` on the PCI bus (slot as for pci_attach); its serial is the four hex digits of vdev. 0, -ENOSPC (no slot),
 * -ENOMEM (no frame), -EBUSY (attached, or orphans are in flight).
 * @pre the struct is zeroed, or was detached; `disk` lives until in_flight is 0 after detach */
int virtio_blk_attach(struct virtio_blk *, struct pci_host *, unsigned slot, struct guest_storage *, unsigned vdev,
                      struct disk *);
void virtio_blk_detach(struct virtio_blk *); /* nothing to do when not attached */
/* A request without the ring, however the driver has set that up: of `bytes`, a multiple of 512, at that address of the
 * guest's, which are ignored by FLUSH. 0: call_done follows. Else it does not: -EINVAL (beyond the disk), -EROFS, -EIO,
 * -EBUSY (as many requests as there may be are under way: ask again). @pre attached */
int virtio_blk_call(struct virtio_blk *, enum disk_op, uint64_t sector, gpa_t at, uint64_t bytes);
static inline unsigned virtio_blk_in_flight(const struct virtio_blk *d) { return d->in_flight; }
