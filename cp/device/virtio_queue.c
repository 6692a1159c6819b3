/* Split virtqueues, from the device's side ("Split Virtqueues"). Whatever the driver wrote is read once, judged, and
 * only then used; used elements become visible all at once when the driver is signalled. */
#include "cp/device/virtio.h"

#include <errno.h>

enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2, DESCRIPTOR_INDIRECT = 4, AVAILABLE_NO_INTERRUPT = 1 };

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

/* a descriptor table: the queue's own or an indirect one */
struct table {
    uint64_t at;
    uint32_t entries;
    bool indirect;
};

/* offsets in the driver area and the device area of a queue of `size` */
enum { AREA_FLAGS = 0, AREA_INDEX = 2, AREA_RING = 4, USED_ELEMENT = 8 };
static uint64_t used_event_at(const struct virtio_queue *q) { return q->driver + AREA_RING + 2ull * q->size; }
static uint64_t avail_event_at(const struct virtio_queue *q) { return q->device + AREA_RING + 8ull * q->size; }

static bool get(struct virtio_device *d, uint64_t at, void *to, unsigned bytes)
{
    return guest_read(d->storage, gpa(at), to, bytes) == GUEST_OK;
}

static bool put(struct virtio_device *d, uint64_t at, const void *from, unsigned bytes)
{
    return guest_write(d->storage, gpa(at), from, bytes) == GUEST_OK;
}

/* RAM has one hole, so a range with both ends in RAM and on one side of the hole lies in RAM. Should a page between
 * them still be missing, its use fails later. */
static bool is_ram(const struct virtio_device *d, uint64_t at, uint32_t bytes)
{
    uint64_t last = at + bytes - 1;

    return guest_is_ram(d->storage, gpa(at)) && guest_is_ram(d->storage, gpa(last)) &&
           (at < GUEST_HOLE_START) == (last < GUEST_HOLE_START);
}

static bool buffer_add(const struct virtio_device *d, struct virtio_chain *chain, const struct descriptor *desc)
{
    unsigned n = chain->readable + chain->writable;
    bool writable = desc->flags & DESCRIPTOR_WRITE;

    if (n == VIRTIO_CHAIN_BUFFERS || (!writable && chain->writable))
        return false;
    if (!desc->length)
        return true;
    if (!is_ram(d, desc->address, desc->length))
        return false;
    chain->buffer[n] = (struct virtio_buffer){.at = gpa(desc->address), .bytes = desc->length};
    *(writable ? &chain->writable : &chain->readable) += 1;
    *(writable ? &chain->writable_bytes : &chain->readable_bytes) += desc->length;
    return true;
}

static bool indirect_open(const struct virtio_device *d, const struct descriptor *desc, struct table *table)
{
    if (table->indirect || !(d->accepted & VIRTIO_F_INDIRECT_DESC) || (desc->flags & DESCRIPTOR_NEXT))
        return false;
    if (!desc->length || desc->length % sizeof *desc || !is_ram(d, desc->address, desc->length))
        return false;
    *table = (struct table){.at = desc->address, .entries = desc->length / sizeof *desc, .indirect = true};
    return true;
}

/* Follows a chain; a loop in it ends at the longest chain there may be. */
static bool walk(struct virtio_device *d, struct table table, uint32_t index, struct virtio_chain *chain)
{
    struct descriptor desc;

    for (unsigned steps = 0; steps <= VIRTIO_CHAIN_BUFFERS; steps++) {
        if (index >= table.entries || !get(d, table.at + (uint64_t)index * sizeof desc, &desc, sizeof desc))
            return false;
        if (desc.flags & DESCRIPTOR_INDIRECT) {
            if (!indirect_open(d, &desc, &table))
                return false;
            index = 0;
            continue;
        }
        if (!buffer_add(d, chain, &desc))
            return false;
        if (!(desc.flags & DESCRIPTOR_NEXT))
            return true;
        index = desc.next;
    }
    return false;
}

static int broken(struct virtio_device *d)
{
    virtio_break(d);
    return -EIO;
}

/* How many chains the driver offers beyond those taken; -EIO. Its index is read once for all of them. With EVENT_IDX an
 * empty ring is armed for the next notify. */
static int available(struct virtio_device *d, struct virtio_queue *q)
{
    uint16_t index;

    if (q->seen != q->next_available)
        return (uint16_t)(q->seen - q->next_available);
    if (!get(d, q->driver + AREA_INDEX, &index, sizeof index))
        return broken(d);
    if (index == q->next_available && (d->accepted & VIRTIO_F_EVENT_IDX)) {
        if (!put(d, avail_event_at(q), &q->next_available, 2) || !get(d, q->driver + AREA_INDEX, &index, sizeof index))
            return broken(d);
    }
    if ((uint16_t)(index - q->next_available) > q->size)
        return broken(d);
    q->seen = index;
    return (uint16_t)(index - q->next_available);
}

int virtio_queue_take(struct virtio_device *d, unsigned queue, struct virtio_chain *chain)
{
    struct virtio_queue *q = &d->queue[queue];
    struct table table = {.at = q->descriptors, .entries = q->size};
    int count;

    if (!virtio_running(d) || !q->enabled)
        return -EIO;
    count = available(d, q);
    if (count <= 0)
        return count;
    chain->readable = chain->writable = 0;
    chain->readable_bytes = chain->writable_bytes = 0;
    if (!get(d, q->driver + AREA_RING + 2ull * (q->next_available % q->size), &chain->head, 2) ||
        !walk(d, table, chain->head, chain))
        return broken(d);
    q->next_available++;
    return 1;
}

void virtio_queue_untake(struct virtio_device *d, unsigned queue, unsigned count)
{
    d->queue[queue].next_available = (uint16_t)(d->queue[queue].next_available - count);
}

void virtio_queue_give(struct virtio_device *d, unsigned queue, uint16_t head, uint32_t written)
{
    struct virtio_queue *q = &d->queue[queue];
    const uint32_t element[2] = {head, written};

    if (!virtio_running(d))
        return;
    if (put(d, q->device + AREA_RING + USED_ELEMENT * (uint64_t)(q->next_used % q->size), element, sizeof element))
        q->next_used++;
    else
        virtio_break(d);
}

/* Does the driver want to hear of what was used since it was last told? -EIO: cannot be known. */
static int wants_interrupt(struct virtio_device *d, const struct virtio_queue *q)
{
    uint16_t word;

    if (d->accepted & VIRTIO_F_EVENT_IDX) {
        if (!get(d, used_event_at(q), &word, sizeof word))
            return -EIO;
        return (uint16_t)(q->next_used - word - 1) < (uint16_t)(q->next_used - q->signalled);
    }
    if (!get(d, q->driver + AREA_FLAGS, &word, sizeof word))
        return -EIO;
    return !(word & AVAILABLE_NO_INTERRUPT);
}

void virtio_queue_signal(struct virtio_device *d, unsigned queue)
{
    struct virtio_queue *q = &d->queue[queue];
    int wanted;

    if (!virtio_running(d) || q->next_used == q->signalled)
        return;
    wanted = put(d, q->device + AREA_INDEX, &q->next_used, 2) ? wants_interrupt(d, q) : -EIO;
    q->signalled = q->next_used;
    if (wanted < 0)
        virtio_break(d);
    else if (wanted)
        virtio_interrupt(d, queue);
}
