/* Requests of the guest -> requests of the disk. A chain is a stream of bytes to read (header, then the data of a
 * write) and a stream to write (the data of a read, then the status); how the driver cut them into buffers does not
 * matter. */
#include "cp/device/virtio_blk.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cp/storage/watch.h"

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
    bool flush_last; /* the driver knows no FLUSH: what it writes must be on the medium when we say so */
    struct bounce bounce[BOUNCES];
    struct disk_segment segment[SEGMENTS];
    struct virtio_chain chain;
};
_Static_assert(sizeof(struct virtio_blk_request) <= PAGE_SIZE, "a request is one page frame");

/* ---- the chain as streams --------------------------------------------------- */

/* The bytes at the cursor that lie in one page of one buffer: how many, at most `limit`. 0 at the end. */
static uint32_t run_length(const struct virtio_chain *chain, const struct cursor *at, uint64_t limit)
{
    const struct virtio_buffer *b = &chain->buffer[at->buffer];
    uint64_t run;

    if (at->buffer == at->end)
        return 0;
    run = PAGE_SIZE - ((b->at.a + at->offset) & PAGE_MASK);
    if (run > b->bytes - at->offset)
        run = b->bytes - at->offset;
    return run < limit ? run : limit;
}

static gpa_t run_address(const struct virtio_chain *chain, const struct cursor *at)
{
    return gpa(chain->buffer[at->buffer].at.a + at->offset);
}

/* @pre `bytes` are left in the cursor's buffer */
static void advance(const struct virtio_chain *chain, struct cursor *at, uint32_t bytes)
{
    at->offset += bytes;
    if (at->offset == chain->buffer[at->buffer].bytes)
        *at = (struct cursor){.buffer = at->buffer + 1, .end = at->end};
}

/* Copies `bytes` between `memory` and the guest, moving the cursor. */
static bool stream_copy(struct virtio_blk_request *r, struct cursor *at, void *memory, uint32_t bytes, bool to_guest)
{
    struct guest_storage *storage = r->device->virtio.storage;
    uint8_t *p = memory;

    while (bytes) {
        uint32_t run = run_length(&r->chain, at, bytes);
        gpa_t address;
        enum guest_access error;

        if (!run)
            return false;
        address = run_address(&r->chain, at);
        error = to_guest ? guest_write(storage, address, p, run) : guest_read(storage, address, p, run);
        if (error != GUEST_OK)
            return false;
        advance(&r->chain, at, run);
        p += run;
        bytes -= run;
    }
    return true;
}

static struct cursor readable_start(const struct virtio_chain *chain)
{
    return (struct cursor){.buffer = 0, .end = chain->readable};
}

static struct cursor writable_start(const struct virtio_chain *chain)
{
    return (struct cursor){.buffer = chain->readable, .end = chain->readable + chain->writable};
}

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

/* ---- one transfer ----------------------------------------------------------- */

/* A segment for `bytes` at `data`, joined to the one before when they touch. False: no room. */
static bool segment_add(struct virtio_blk_request *r, uint8_t *data, uint32_t bytes)
{
    struct disk_segment *last = r->disk.segments ? &r->segment[r->disk.segments - 1] : NULL;

    if (last && (uint8_t *)last->data + last->bytes == data && last->bytes + bytes <= SEGMENT_BYTES) {
        last->bytes += bytes;
        return true;
    }
    if (r->disk.segments == SEGMENTS)
        return false;
    r->segment[r->disk.segments++] = (struct disk_segment){.data = data, .bytes = bytes};
    return true;
}

/* The next whole sectors that lie in one page, straight from or to the guest's frame. 0: none; -EAGAIN: no segment
 * left. */
static int direct_add(struct virtio_blk_request *r, uint64_t limit)
{
    uint32_t run = run_length(&r->chain, &r->data, limit) & ~(SECTOR - 1u);
    uint8_t *data;

    if (!run)
        return 0;
    data = guest_private(r->device->virtio.storage, run_address(&r->chain, &r->data), NULL);
    if (!data)
        return -EIO;
    if (!segment_add(r, data, run))
        return -EAGAIN;
    advance(&r->chain, &r->data, run);
    return run;
}

static int bounce_add(struct virtio_blk_request *r)
{
    struct cursor after = r->data;
    struct bounce *b;

    if (r->bounces == BOUNCES || r->disk.segments == SEGMENTS)
        return -EAGAIN;
    b = &r->bounce[r->bounces];
    b->from = r->data;
    if (!stream_copy(r, &after, b->data, SECTOR, false)) /* for a read: are they there at all? */
        return -EIO;
    segment_add(r, b->data, SECTOR);
    r->bounces++;
    r->data = after;
    return SECTOR;
}

/* Fills disk.segment with as many of the sectors left as fit. 0, or -EIO. */
static int transfer_build(struct virtio_blk_request *r)
{
    uint64_t left = r->sectors * SECTOR, all = left;
    int added = 0;

    r->disk.segments = r->bounces = 0;
    r->begun = r->data;
    for (unsigned pieces = 0; left && pieces < PIECES; pieces++) {
        added = direct_add(r, left);
        if (!added)
            added = bounce_add(r);
        if (added < 0)
            break;
        left -= added;
    }
    if (left == all || added == -EIO)
        return -EIO;
    r->disk.sector = r->sector;
    r->disk.sectors = (all - left) / SECTOR;
    return 0;
}

/* The disk wrote to the guest's frames by itself. What is watched must know: now, since it may have been looked at
 * while the transfer was under way. */
static void transfer_noted(const struct virtio_blk_request *r)
{
    struct guest_storage *storage = r->device->virtio.storage;

    if (r->disk.op != DISK_READ || !storage->watching)
        return;
    for (unsigned i = r->begun.buffer; i <= r->data.buffer && i < r->data.end; i++)
        guest_written(storage, r->chain.buffer[i].at, r->chain.buffer[i].bytes);
}

static bool bounces_deliver(struct virtio_blk_request *r)
{
    for (unsigned i = 0; i < r->bounces; i++) {
        struct cursor at = r->bounce[i].from;

        if (!stream_copy(r, &at, r->bounce[i].data, SECTOR, true))
            return false;
    }
    return true;
}

/* ---- the life of a request -------------------------------------------------- */

static void finish(struct virtio_blk_request *r, enum status status)
{
    struct virtio_blk *d = r->device;
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

/* Hands the disk the next transfer, or ends the request. True while the disk has it. */
static bool proceed(struct virtio_blk_request *r)
{
    struct disk *disk = r->device->disk;

    if (r->sectors) {
        if (transfer_build(r) == 0 && disk->submit(disk, &r->disk) == 0)
            return true;
    } else if (r->flush_last) {
        r->flush_last = false;
        r->disk.op = DISK_FLUSH;
        r->disk.sector = r->disk.sectors = r->disk.segments = 0;
        if (disk->submit(disk, &r->disk) == 0)
            return true;
    } else {
        finish(r, STATUS_OK);
        return false;
    }
    finish(r, STATUS_IOERR);
    return false;
}

static void pump(struct virtio_blk *d);

static void orphan_done(struct virtio_blk_request *r)
{
    struct virtio_blk *d = r->device;

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
    transfer_noted(r);
    if (r->epoch != d->epoch) {
        orphan_done(r);
        return;
    }
    r->sector += r->disk.sectors;
    r->sectors -= r->disk.sectors;
    if (error || (r->disk.op == DISK_READ && !bounces_deliver(r))) {
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
    finish(r, stream_copy(r, &r->data, serial, bytes < sizeof serial ? bytes : sizeof serial, true) ? STATUS_OK
                                                                                                    : STATUS_IOERR);
    return false;
}

/* Begins the request of a chain just taken. True when the disk has it now. */
static bool start(struct virtio_blk_request *r)
{
    struct cursor from = readable_start(&r->chain);
    struct header h;

    r->data = writable_start(&r->chain);
    r->sectors = 0;
    r->flush_last = false;
    if (!stream_copy(r, &from, &h, sizeof h, false)) {
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
    *d = (struct virtio_blk){.disk = disk, .vdev = vdev, .epoch = d->epoch + 1,
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
