/* A chain as streams of bytes, and transfers straight into and out of the frames they lie in. */
#include "cp/device/virtio_blk_request.h"

#include <errno.h>

#include "cp/storage/watch.h"

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

bool virtio_blk_copy(struct virtio_blk_request *r, struct cursor *at, void *memory, uint32_t bytes, bool to_guest)
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

struct cursor virtio_blk_readable(const struct virtio_chain *chain)
{
    return (struct cursor){.buffer = 0, .end = chain->readable};
}

struct cursor virtio_blk_writable(const struct virtio_chain *chain)
{
    return (struct cursor){.buffer = chain->readable, .end = chain->readable + chain->writable};
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
    if (!virtio_blk_copy(r, &after, b->data, SECTOR, false)) /* for a read: are they there at all? */
        return -EIO;
    segment_add(r, b->data, SECTOR);
    r->bounces++;
    r->data = after;
    return SECTOR;
}

int virtio_blk_build(struct virtio_blk_request *r)
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

void virtio_blk_noted(const struct virtio_blk_request *r)
{
    struct guest_storage *storage = r->device->virtio.storage;

    if (r->disk.op != DISK_READ || !storage->watching)
        return;
    for (unsigned i = r->begun.buffer; i <= r->data.buffer && i < r->data.end; i++)
        guest_written(storage, r->chain.buffer[i].at, r->chain.buffer[i].bytes);
}

bool virtio_blk_deliver(struct virtio_blk_request *r)
{
    for (unsigned i = 0; i < r->bounces; i++) {
        struct cursor at = r->bounce[i].from;

        if (!virtio_blk_copy(r, &at, r->bounce[i].data, SECTOR, true))
            return false;
    }
    return true;
}
