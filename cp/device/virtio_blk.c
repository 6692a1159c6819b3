/* Requests of the guest -> requests of the disk. A chain is a stream of bytes to read (header, then the data of a
 * write) and a stream to write (the data of a read, then the status); how the driver cut them into buffers does not
 * matter. What the guest asks by a call is a chain of one buffer of data. */
#include "cp/device/virtio_blk.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cp/device/virtio_blk_request.h"

enum { DEVICE_BLOCK = 2, CLASS_STORAGE = 0x010000, QUEUE = 0, CONFIG_BYTES = 60 };
enum { SEGMENT_LIMIT = VIRTIO_CHAIN_BUFFERS - 2 /* header and status */ };
_Static_assert((int)SEGMENT_LIMIT >= (int)DISK_MAX_SEGMENTS, "CP's own driver, one level up, sends that many");
#define FEATURE_SEG_MAX  (1ull << 2)
#define FEATURE_RO       (1ull << 5)
#define FEATURE_BLK_SIZE (1ull << 6)
#define FEATURE_FLUSH    (1ull << 9)

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8 };
enum status { STATUS_OK = 0, STATUS_IOERR = 1, STATUS_UNSUPPORTED = 2 };

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

/* ---- frames for requests ---------------------------------------------------- */

/* They are on the machine's account, which stays open until its last orphan is done. */
static struct virtio_blk_request *request_new(struct virtio_blk *d)
{
    struct virtio_blk_request *r = d->idle;

    if (r) {
        d->idle = r->next;
        return r;
    }
    if (d->requests == VIRTIO_BLK_REQUESTS)
        return NULL;
    r = frame_alloc_dirty(&d->virtio.storage->account);
    if (r)
        d->requests++;
    return r;
}

static void request_release(struct virtio_blk_request *r)
{
    struct virtio_blk *d = r->device;

    r->next = d->idle;
    d->idle = r;
}

static void idle_free(struct virtio_blk *d)
{
    while (d->idle) {
        struct virtio_blk_request *r = d->idle;

        d->idle = r->next;
        frame_free(&d->virtio.storage->account, r);
        d->requests--;
    }
}

/* ---- the life of a request -------------------------------------------------- */

static void finish_call(struct virtio_blk_request *r, int error)
{
    struct virtio_blk *d = r->device;

    request_release(r);
    d->call_done(d->call_context, error);
}

static void finish(struct virtio_blk_request *r, enum status status)
{
    struct virtio_blk *d = r->device;

    if (r->called) {
        finish_call(r, status == STATUS_OK ? 0 : -EIO);
        return;
    }
    const struct virtio_chain *chain = &r->chain;
    const struct virtio_buffer *last = &chain->buffer[chain->readable + chain->writable - 1];
    uint8_t byte = status;

    if (guest_write(d->virtio.storage, gpa(last->at.a + last->bytes - 1), &byte, 1) == GUEST_OK)
        virtio_queue_give(&d->virtio, QUEUE, chain->head,
                          status == STATUS_OK ? (uint32_t)chain->writable_bytes : 1);
    else
        virtio_break(&d->virtio);
    request_release(r);
}

/* Hands the disk the next transfer, or the flush. False: it was not taken. @pre something is left to be done */
static bool hand_over(struct virtio_blk_request *r)
{
    struct disk *disk = r->device->disk;

    if (r->sectors)
        return virtio_blk_build(r) == 0 && disk->submit(disk, &r->disk) == 0;
    r->flush_last = false;
    r->disk.op = DISK_FLUSH;
    r->disk.sector = r->disk.sectors = r->disk.segments = 0;
    return disk->submit(disk, &r->disk) == 0;
}

/* Hands the disk what is next, or ends the request. True while the disk has it. */
static bool proceed(struct virtio_blk_request *r)
{
    bool more = r->sectors || r->flush_last;

    if (more && hand_over(r))
        return true;
    finish(r, more ? STATUS_IOERR : STATUS_OK);
    return false;
}

static void pump(struct virtio_blk *d);

static void orphan_done(struct virtio_blk_request *r)
{
    struct virtio_blk *d = r->device;

    if (r->called)
        finish_call(r, -ENODEV);
    else
        request_release(r);
    if (!d->disk)
        idle_free(d);
    if (!d->in_flight)
        virtio_reset_done(&d->virtio);
    pump(d); /* it may have been the frame a request waited for */
}

static void transfer_done(struct disk_request *request, int error)
{
    struct virtio_blk_request *r = request->owner;
    struct virtio_blk *d = r->device;

    d->in_flight--;
    virtio_blk_noted(r);
    if (r->epoch != d->epoch) {
        orphan_done(r);
        return;
    }
    r->sector += r->disk.sectors;
    r->sectors -= r->disk.sectors;
    if (error || (r->disk.op == DISK_READ && !virtio_blk_deliver(r))) {
        finish(r, STATUS_IOERR);
    } else if (proceed(r)) {
        d->in_flight++;
        return;
    }
    pump(d);
}

/* ---- what the guest asks for ------------------------------------------------ */

static bool in_range(const struct disk *disk, uint64_t sector, uint64_t bytes)
{
    return !(bytes % SECTOR) && sector <= disk->sectors && bytes / SECTOR <= disk->sectors - sector;
}

static bool transfer_start(struct virtio_blk_request *r, const struct header *h, uint64_t bytes)
{
    struct virtio_blk *d = r->device;
    bool out = h->type == TYPE_OUT;

    if (!in_range(d->disk, h->sector, bytes)) { /* whether it may be written, the disk says */
        finish(r, STATUS_IOERR);
        return false;
    }
    r->disk.op = out ? DISK_WRITE : DISK_READ;
    r->sector = h->sector;
    r->sectors = bytes / SECTOR;
    r->flush_last = out && !(d->virtio.accepted & FEATURE_FLUSH);
    return proceed(r);
}

static bool identify(struct virtio_blk_request *r)
{
    static const char digit[] = "0123456789ABCDEF";
    char serial[VIRTIO_BLK_SERIAL] = "";
    uint64_t bytes = r->chain.writable_bytes - 1;

    for (unsigned i = 0; i < 4; i++)
        serial[i] = digit[r->device->vdev >> (12 - 4 * i) & 15];
    finish(r, virtio_blk_copy(r, &r->data, serial, bytes < sizeof serial ? bytes : sizeof serial, true) ? STATUS_OK
                                                                                                    : STATUS_IOERR);
    return false;
}

/* Begins the request of a chain just taken. True when the disk has it now. */
static bool start(struct virtio_blk_request *r)
{
    struct cursor from = virtio_blk_readable(&r->chain);
    struct header h;

    r->data = virtio_blk_writable(&r->chain);
    r->sectors = 0;
    r->flush_last = false;
    if (!virtio_blk_copy(r, &from, &h, sizeof h, false)) {
        finish(r, STATUS_IOERR);
        return false;
    }
    switch (h.type) {
    case TYPE_OUT:
        r->data = from;
        return transfer_start(r, &h, r->chain.readable_bytes - sizeof h);
    case TYPE_IN: return transfer_start(r, &h, r->chain.writable_bytes - 1);
    case TYPE_FLUSH:
        r->flush_last = true;
        return proceed(r);
    case TYPE_GET_ID: return identify(r);
    }
    finish(r, STATUS_UNSUPPORTED);
    return false;
}

/* Takes a chain, if there is one and a request to put it in. One without room for header and status breaks the
 * device. */
static bool take(struct virtio_blk *d)
{
    struct virtio_blk_request *r = virtio_running(&d->virtio) ? request_new(d) : NULL;

    if (!r)
        return false;
    r->device = d;
    r->epoch = d->epoch;
    r->called = false;
    r->disk = (struct disk_request){.segment = r->segment, .done = transfer_done, .owner = r};
    if (virtio_queue_take(&d->virtio, QUEUE, &r->chain) != 1) {
        request_release(r);
        return false;
    }
    if (r->chain.readable_bytes < sizeof(struct header) || !r->chain.writable_bytes) {
        virtio_break(&d->virtio);
        request_release(r);
    } else if (start(r)) {
        d->in_flight++;
    }
    return true;
}

/* Takes what the ring holds, as far as requests and this slice go. */
static void pump(struct virtio_blk *d)
{
    bool any = true;

    for (unsigned n = 0; any && n < VIRTIO_QUEUE_SIZE && !work_over(); n++)
        any = take(d);
    if (any)
        work_begin(&d->more);
    virtio_queue_signal(&d->virtio, QUEUE);
}

static void pump_more(struct work *work) { pump(work->owner); }

static bool call_is_sound(const struct disk *disk, enum disk_op op, uint64_t sector, uint64_t bytes)
{
    return op == DISK_FLUSH || (bytes && bytes <= UINT32_MAX && in_range(disk, sector, bytes));
}

int virtio_blk_call(struct virtio_blk *d, enum disk_op op, uint64_t sector, gpa_t at, uint64_t bytes)
{
    if (!call_is_sound(d->disk, op, sector, bytes))
        return -EINVAL;
    if (op == DISK_WRITE && d->disk->read_only)
        return -EROFS;
    struct virtio_blk_request *r = request_new(d);
    if (!r)
        return -EBUSY;
    r->device = d;
    r->epoch = d->epoch;
    r->called = true;
    r->disk = (struct disk_request){.op = op, .segment = r->segment, .done = transfer_done, .owner = r};
    r->chain.buffer[0] = (struct virtio_buffer){at, (uint32_t)bytes};
    r->data = (struct cursor){.end = 1};
    r->sector = sector;
    r->sectors = op == DISK_FLUSH ? 0 : bytes / SECTOR;
    r->flush_last = op == DISK_FLUSH;
    if (!hand_over(r)) {
        request_release(r);
        return -EIO;
    }
    d->in_flight++;
    return 0;
}

/* ---- the device ------------------------------------------------------------- */

static void notify(struct virtio_device *virtio, unsigned queue)
{
    (void)queue;
    pump((struct virtio_blk *)((char *)virtio - offsetof(struct virtio_blk, virtio)));
}

static bool reset(struct virtio_device *virtio)
{
    struct virtio_blk *d = (struct virtio_blk *)((char *)virtio - offsetof(struct virtio_blk, virtio));

    d->epoch++;
    work_cancel(&d->more);
    return !d->in_flight;
}

static const struct virtio_model model = {
    .id = DEVICE_BLOCK, .class_code = CLASS_STORAGE, .queues = 1, .config_bytes = CONFIG_BYTES, .notify = notify,
    .reset = reset};

/* "Device configuration layout": capacity at 0, seg_max at 12, blk_size at 20 */
static void config_build(struct virtio_blk *d)
{
    const uint32_t segments = SEGMENT_LIMIT, block = SECTOR;

    memset(d->config, 0, sizeof d->config);
    memcpy(d->config, &d->disk->sectors, 8);
    memcpy(d->config + 12, &segments, 4);
    memcpy(d->config + 20, &block, 4);
}

int virtio_blk_attach(struct virtio_blk *d, struct pci_host *host, unsigned slot, struct guest_storage *storage,
                      unsigned vdev, struct disk *disk)
{
    uint64_t features = FEATURE_SEG_MAX | FEATURE_BLK_SIZE | FEATURE_FLUSH | (disk->read_only ? FEATURE_RO : 0);
    struct virtio_blk_request *first;
    int error;

    if (d->disk || d->in_flight)
        return -EBUSY;
    *d = (struct virtio_blk){.disk = disk, .vdev = vdev, .epoch = d->epoch + 1, .call_done = d->call_done,
                             .call_context = d->call_context,
                             .more = {.step = pump_more, .owner = d}};
    config_build(d);
    virtio_init(&d->virtio, &model, storage, features, d->config, host->wiring.message != NULL);
    first = request_new(d); /* so that one request can always be under way */
    if (!first) {
        d->disk = NULL;
        return -ENOMEM;
    }
    first->device = d;
    request_release(first);
    error = pci_attach(host, &d->virtio.pci, slot);
    if (error)
        virtio_blk_detach(d);
    return error;
}

void virtio_blk_detach(struct virtio_blk *d)
{
    if (!d->disk)
        return;
    reset(&d->virtio);
    pci_detach(&d->virtio.pci);
    d->virtio.status = 0;
    d->disk = NULL;
    idle_free(d);
}
