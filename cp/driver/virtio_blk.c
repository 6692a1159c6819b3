/* The virtio block driver (virtio_blk.h): requests become descriptor chains (header, data, status byte), the device
 * gives the chains back in any order.
 *
 * VIRTIO 1.1, "Block Device". */
#include "cp/driver/virtio_blk.h"

#include <stddef.h>

enum {
    ID_MODERN = 0x10421AF4,
    ID_TRANSITIONAL = 0x10011AF4,

    FEATURE_READ_ONLY = 1 << 5,
    FEATURE_FLUSH = 1 << 9,

    TYPE_IN = 0,
    TYPE_OUT = 1,
    TYPE_FLUSH = 4,
    TYPE_GET_ID = 8,

    STATUS_OK = 0,
    STATUS_UNSUPPORTED = 2,

    QUEUE = VIRTIO_BLK_DRIVER_QUEUE,
};

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

struct virtio_blk_memory {
    uint8_t rings[VIRTQ_BYTES(QUEUE)] __attribute__((aligned(16)));
    struct header header[QUEUE]; /* by the chain's number, as are the next two */
    struct disk_request *request[QUEUE];
    uint8_t status[QUEUE];
};
_Static_assert(sizeof(struct virtio_blk_memory) <= VIRTIO_BLK_MEMORY_BYTES,
               "the memory callers set aside is too small");

/* Makes a chain of the request; the device hears of it by publish().
 * @pre segments + 2 descriptors are free */
static void offer(struct virtio_blk_disk *d, struct disk_request *r, uint32_t type)
{
    struct virtio_blk_memory *m = d->memory;
    uint16_t first = d->queue.free_head;
    struct virtq_piece piece[QUEUE] = {{&m->header[first], sizeof(struct header), false}};

    m->header[first] = (struct header){.type = type, .sector = r->op == DISK_FLUSH ? 0 : r->sector};
    m->status[first] = 0xFF;
    m->request[first] = r;
    for (unsigned i = 0; i < r->segments; i++)
        piece[1 + i] = (struct virtq_piece){r->segment[i].data, r->segment[i].bytes, type != TYPE_OUT};
    piece[1 + r->segments] = (struct virtq_piece){&m->status[first], 1, true};
    virtq_offer(&d->queue, piece, r->segments + 2);
}

static void publish(struct virtio_blk_disk *d)
{
    if (virtq_publish(&d->queue))
        *d->notify = 0;
}

static void offer_waiting(struct virtio_blk_disk *d)
{
    static const uint8_t type[] = {[DISK_READ] = TYPE_IN, [DISK_WRITE] = TYPE_OUT, [DISK_FLUSH] = TYPE_FLUSH};
    bool any = false;
    while (d->first && d->first->segments + 2 <= d->queue.free_count) {
        struct disk_request *r = d->first;
        d->first = r->next;
        d->now = r->turn;
        offer(d, r, type[r->op]);
        any = true;
    }
    if (any)
        publish(d);
}

/* ---- requests ------------------------------------------------------------------------------ */

static int submit(struct disk *disk, struct disk_request *r)
{
    struct virtio_blk_disk *d = disk->owner;
    int status = d->broken ? -EIO : disk_request_check(disk, r);
    if (status)
        return status;
    if (r->segments + 2 > QUEUE)
        return -EINVAL; /* it would wait for ever */
    if (r->op == DISK_FLUSH)
        r->segments = 0;
    disk_request_queue(&d->first, d->now, r);
    offer_waiting(d);
    return 0;
}

/* Takes back one chain, if there is one; its request and status. */
static bool take_used(struct virtio_blk_disk *d, struct disk_request **r, int *status)
{
    struct virtio_blk_memory *m = d->memory;
    uint16_t id;
    uint32_t written;
    bool taken = !d->broken && virtq_take(&d->queue, &id, &written);

    d->broken |= d->queue.broken;
    if (!taken)
        return false;
    *r = m->request[id];
    m->request[id] = NULL;
    bool flushed = m->status[id] == STATUS_UNSUPPORTED && (*r)->op == DISK_FLUSH && !d->has_flush;
    *status = m->status[id] == STATUS_OK || flushed ? 0 : -EIO;
    return true;
}

/* A device that broke the protocol answers nothing any more: everything it has, and everything that waits, fails. */
static void fail_all(struct virtio_blk_disk *d)
{
    virtio_pci_reset(&d->pci);
    for (unsigned i = 0; i < QUEUE; i++) {
        struct disk_request *r = d->memory->request[i];
        d->memory->request[i] = NULL;
        if (r)
            disk_request_end(&d->disk, r, -EIO);
    }
    while (d->first) {
        struct disk_request *r = d->first;
        d->first = r->next;
        disk_request_end(&d->disk, r, -EIO);
    }
}

bool virtio_blk_interrupt(struct virtio_blk_disk *d)
{
    struct disk_request *r;
    int status;
    unsigned answers = 0;
    virtio_pci_acknowledge(&d->pci);
    for (; answers < VIRTIO_BLK_ANSWERS && take_used(d, &r, &status); answers++)
        disk_request_end(&d->disk, r, status);
    if (d->broken)
        fail_all(d);
    else
        offer_waiting(d);
    return answers == VIRTIO_BLK_ANSWERS;
}

/* ---- bringing it up -------------------------------------------------------------------------- */

/* The serial is the only thing a probe asks for by a request; a device that has none leaves it empty. */
static void read_serial(struct virtio_blk_disk *d)
{
    struct disk_segment segment = {d->serial, VIRTIO_BLK_SERIAL_BYTES};
    struct disk_request r = {.op = DISK_READ, .segment = &segment, .segments = 1}, *done;
    int status = -EIO;
    offer(d, &r, TYPE_GET_ID);
    publish(d);
    for (uint32_t i = 0; i < VIRTIO_PCI_POLLS && !take_used(d, &done, &status); i++)
        virtio_pci_acknowledge(&d->pci);
    virtio_pci_acknowledge(&d->pci);
    if (d->queue.chains)
        d->broken = true; /* it still holds our stack's address */
    if (status)
        d->serial[0] = 0;
}

static bool start(struct virtio_blk_disk *d, struct pci_address a)
{
    uint32_t features;
    if (!virtio_pci_open(&d->pci, a) ||
        !virtio_pci_negotiate(&d->pci, FEATURE_READ_ONLY | FEATURE_FLUSH, &features))
        return false;
    d->has_flush = features & FEATURE_FLUSH;
    d->disk.read_only = features & FEATURE_READ_ONLY;
    virtq_init(&d->queue, QUEUE, d->memory->rings);
    d->notify = virtio_pci_queue(&d->pci, 0, &d->queue);
    if (d->notify)
        virtio_pci_start(&d->pci);
    return d->notify;
}

void virtio_blk_release(struct virtio_blk_disk *d)
{
    if (d->pci.common && d->pci.isr) {
        virtio_pci_reset(&d->pci);
        virtio_pci_acknowledge(&d->pci);
    }
}

/* False: it is none that can be used. */
static bool bring_up(struct virtio_blk_disk *d, struct pci_address a)
{
    if (!start(d, a))
        return false;
    read_serial(d);
    return !d->broken;
}

bool virtio_blk_probe(struct virtio_blk_disk *d, unsigned index, void *memory)
{
    struct pci_address a;
    *d = (struct virtio_blk_disk){.memory = memory};
    if (!pci_find(ID_MODERN, ID_TRANSITIONAL, index, &a))
        return false;
    if (!bring_up(d, a)) {
        virtio_blk_release(d);
        return false;
    }
    const volatile uint32_t *capacity = (const volatile uint32_t *)d->pci.device;
    d->disk.name = d->serial;
    d->disk.sectors = capacity[0] | (uint64_t)capacity[1] << 32;
    d->disk.submit = submit;
    d->disk.owner = d;
    if (!d->disk.sectors)
        virtio_blk_release(d);
    return d->disk.sectors > 0;
}
