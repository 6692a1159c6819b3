/* The virtio block driver (virtio_blk.h): requests become descriptor chains (header, data, status byte), the device
 * gives the chains back in any order.
 *
 * VIRTIO 1.1, "Split Virtqueues", "Virtio Over PCI Bus", "Block Device". */
#include "cp/driver/virtio_blk.h"

#include <stddef.h>

#include "cp/driver/pci.h"

enum {
    ID_MODERN = 0x10421AF4,
    ID_TRANSITIONAL = 0x10011AF4,
    CAPABILITY_VENDOR = 0x09,

    STRUCTURE_COMMON = 1,
    STRUCTURE_NOTIFY = 2,
    STRUCTURE_ISR = 3,
    STRUCTURE_DEVICE = 4,

    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,

    FEATURE_READ_ONLY = 1 << 5,
    FEATURE_FLUSH = 1 << 9,
    FEATURE_VERSION_1 = 1 << 0, /* bit 32: in the second word */

    CHAIN_NEXT = 1,
    CHAIN_DEVICE_WRITES = 2,
    USED_NO_NOTIFY = 1,

    TYPE_IN = 0,
    TYPE_OUT = 1,
    TYPE_FLUSH = 4,
    TYPE_GET_ID = 8,

    QUEUE = VIRTIO_BLK_DRIVER_QUEUE,
    PROBE_POLLS = 1000000,
};

/* "Common configuration structure layout": offsets */
enum common_register {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0C,
    DEVICE_STATUS = 0x14,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_ENABLE = 0x1C,
    QUEUE_NOTIFY_OFFSET = 0x1E,
    QUEUE_DESCRIPTORS = 0x20,
    QUEUE_AVAILABLE = 0x28,
    QUEUE_USED = 0x30,
};

struct descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};

struct header {
    uint32_t type, reserved;
    uint64_t sector;
};

struct virtio_blk_memory {
    struct descriptor descriptor[QUEUE];
    struct {
        uint16_t flags, index, ring[QUEUE], event;
    } available;
    struct {
        uint16_t flags, index;
        struct {
            uint32_t id, bytes;
        } ring[QUEUE];
        uint16_t event;
    } used __attribute__((aligned(4)));
    struct header header[QUEUE]; /* by the chain's first descriptor, as are the next two */
    struct disk_request *request[QUEUE];
    uint8_t status[QUEUE];
};
_Static_assert(sizeof(struct virtio_blk_memory) <= VIRTIO_BLK_MEMORY_BYTES,
               "the memory callers set aside is too small");

static volatile uint8_t *reg8(struct virtio_blk_disk *d, enum common_register r)
{
    return d->common + r;
}

static volatile uint16_t *reg16(struct virtio_blk_disk *d, enum common_register r)
{
    return (volatile uint16_t *)(d->common + r);
}

static volatile uint32_t *reg32(struct virtio_blk_disk *d, enum common_register r)
{
    return (volatile uint32_t *)(d->common + r);
}

/* ---- chains ---------------------------------------------------------------------------- */

static uint16_t take_descriptor(struct virtio_blk_disk *d)
{
    uint16_t n = d->free_head;
    d->free_head = d->memory->descriptor[n].next;
    d->free_count--;
    return n;
}

static void link_descriptor(struct virtio_blk_disk *d, uint16_t *last, const void *data, uint32_t bytes, uint16_t flags)
{
    uint16_t n = take_descriptor(d);
    if (*last != QUEUE) {
        d->memory->descriptor[*last].next = n;
        d->memory->descriptor[*last].flags |= CHAIN_NEXT;
    }
    d->memory->descriptor[n].address = (uint64_t)(uintptr_t)data;
    d->memory->descriptor[n].bytes = bytes;
    d->memory->descriptor[n].flags = flags;
    *last = n;
}

static void free_chain(struct virtio_blk_disk *d, uint16_t first)
{
    struct descriptor *table = d->memory->descriptor;
    uint16_t last = first;
    d->free_count++;
    while (table[last].flags & CHAIN_NEXT) {
        last = table[last].next;
        d->free_count++;
    }
    table[last].next = d->free_head;
    d->free_head = first;
}

/* Makes a chain of the request and puts it in the available ring; the device hears of it by notify().
 * @pre segments + 2 descriptors are free */
static void offer(struct virtio_blk_disk *d, struct disk_request *r, uint32_t type)
{
    struct virtio_blk_memory *m = d->memory;
    uint16_t first = d->free_head, last = QUEUE;
    m->header[first] = (struct header){.type = type, .sector = r->op == DISK_FLUSH ? 0 : r->sector};
    m->status[first] = 0xFF;
    m->request[first] = r;
    link_descriptor(d, &last, &m->header[first], sizeof(struct header), 0);
    for (unsigned i = 0; i < r->segments; i++)
        link_descriptor(d, &last, r->segment[i].data, r->segment[i].bytes, type == TYPE_OUT ? 0 : CHAIN_DEVICE_WRITES);
    link_descriptor(d, &last, &m->status[first], 1, CHAIN_DEVICE_WRITES);
    m->available.ring[d->available % QUEUE] = first;
    d->available++;
}

static void notify(struct virtio_blk_disk *d)
{
    __atomic_store_n(&d->memory->available.index, d->available, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the device sees the index before we ask whether it wants to be told */
    if (!(__atomic_load_n(&d->memory->used.flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY))
        *d->notify = 0;
}

static void offer_waiting(struct virtio_blk_disk *d)
{
    static const uint8_t type[] = {[DISK_READ] = TYPE_IN, [DISK_WRITE] = TYPE_OUT, [DISK_FLUSH] = TYPE_FLUSH};
    uint16_t before = d->available;
    while (d->first && d->first->segments + 2 <= d->free_count) {
        struct disk_request *r = d->first;
        d->first = r->next;
        offer(d, r, type[r->op]);
    }
    if (d->available != before)
        notify(d);
}

/* ---- requests ------------------------------------------------------------------------------ */

static int submit(struct disk *disk, struct disk_request *r)
{
    struct virtio_blk_disk *d = disk->owner;
    int status = d->broken ? -EIO : disk_request_check(disk, r);
    if (status)
        return status;
    r->next = NULL;
    if (r->op == DISK_FLUSH)
        r->segments = 0;
    if (d->first)
        d->last->next = r;
    else
        d->first = r;
    d->last = r;
    offer_waiting(d);
    return 0;
}

/* Takes back one chain, if there is one; its request and status. */
static bool take_used(struct virtio_blk_disk *d, struct disk_request **r, int *status)
{
    struct virtio_blk_memory *m = d->memory;
    if (d->broken || __atomic_load_n(&m->used.index, __ATOMIC_ACQUIRE) == d->used)
        return false;
    uint32_t id = m->used.ring[d->used % QUEUE].id;
    d->used++;
    if (id >= QUEUE || !m->request[id]) {
        d->broken = true;
        return false;
    }
    *r = m->request[id];
    *status = m->status[id] == 0 || (m->status[id] == 2 && (*r)->op == DISK_FLUSH && !d->has_flush) ? 0 : -EIO;
    m->request[id] = NULL;
    free_chain(d, (uint16_t)id);
    return true;
}

/* A device that broke the protocol answers nothing any more: everything it has, and everything that waits, fails. */
static void fail_all(struct virtio_blk_disk *d)
{
    *reg8(d, DEVICE_STATUS) = 0;
    for (unsigned i = 0; i < QUEUE; i++) {
        struct disk_request *r = d->memory->request[i];
        d->memory->request[i] = NULL;
        if (r)
            r->done(r, -EIO);
    }
    while (d->first) {
        struct disk_request *r = d->first;
        d->first = r->next;
        r->done(r, -EIO);
    }
}

void virtio_blk_interrupt(struct virtio_blk_disk *d)
{
    struct disk_request *r;
    int status;
    (void)*d->isr; /* takes the interrupt back; then the ring is looked at, so that nothing comes between */
    while (take_used(d, &r, &status))
        r->done(r, status);
    if (d->broken)
        fail_all(d);
    else
        offer_waiting(d);
}

/* ---- bringing it up -------------------------------------------------------------------------- */

/* Points the register blocks at what the vendor capabilities say. */
static bool find_structures(struct virtio_blk_disk *d, struct pci_address a, uint32_t *notify_multiplier)
{
    volatile uint8_t *notify_base = NULL;
    for (uint8_t at = 0; (at = pci_capability(a, CAPABILITY_VENDOR, at)) != 0;) {
        uint8_t type = (uint8_t)(pci_read(a, at) >> 24);
        uint64_t bar = pci_memory_bar(a, pci_read(a, (uint8_t)(at + 4)) & 0xFF);
        volatile uint8_t *block = (volatile uint8_t *)(uintptr_t)(bar + pci_read(a, (uint8_t)(at + 8)));
        if (!bar)
            continue;
        if (type == STRUCTURE_COMMON && !d->common)
            d->common = block;
        else if (type == STRUCTURE_ISR && !d->isr)
            d->isr = block;
        else if (type == STRUCTURE_DEVICE && !d->device)
            d->device = block;
        else if (type == STRUCTURE_NOTIFY && !notify_base) {
            notify_base = block;
            *notify_multiplier = pci_read(a, (uint8_t)(at + 16));
        }
    }
    d->notify = (volatile uint16_t *)notify_base;
    return d->common && d->isr && d->device && d->notify;
}

static bool negotiate(struct virtio_blk_disk *d)
{
    uint32_t polls = 0;
    *reg8(d, DEVICE_STATUS) = 0;
    while (*reg8(d, DEVICE_STATUS) != 0)
        if (polls++ == PROBE_POLLS)
            return false;
    *reg8(d, DEVICE_STATUS) = STATUS_ACKNOWLEDGE;
    *reg8(d, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
    *reg32(d, DEVICE_FEATURE_SELECT) = 0;
    uint32_t low = *reg32(d, DEVICE_FEATURE) & (FEATURE_READ_ONLY | FEATURE_FLUSH);
    *reg32(d, DEVICE_FEATURE_SELECT) = 1;
    if (!(*reg32(d, DEVICE_FEATURE) & FEATURE_VERSION_1))
        return false;
    *reg32(d, DRIVER_FEATURE_SELECT) = 0;
    *reg32(d, DRIVER_FEATURE) = low;
    *reg32(d, DRIVER_FEATURE_SELECT) = 1;
    *reg32(d, DRIVER_FEATURE) = FEATURE_VERSION_1;
    *reg8(d, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
    d->has_flush = low & FEATURE_FLUSH;
    d->disk.read_only = low & FEATURE_READ_ONLY;
    return *reg8(d, DEVICE_STATUS) & STATUS_FEATURES_OK;
}

/* 64-bit registers may be written in halves */
static void write_address(struct virtio_blk_disk *d, enum common_register r, const void *structure)
{
    volatile uint32_t *half = reg32(d, r);
    half[0] = (uint32_t)(uintptr_t)structure;
    half[1] = (uint32_t)((uint64_t)(uintptr_t)structure >> 32);
}

static bool start_queue(struct virtio_blk_disk *d, uint32_t notify_multiplier)
{
    struct virtio_blk_memory *m = d->memory;
    *reg16(d, QUEUE_SELECT) = 0;
    if (*reg16(d, QUEUE_SIZE) < QUEUE)
        return false;
    *reg16(d, QUEUE_SIZE) = QUEUE;
    for (uint16_t i = 0; i < QUEUE; i++)
        m->descriptor[i].next = (uint16_t)(i + 1);
    d->free_count = QUEUE;
    write_address(d, QUEUE_DESCRIPTORS, m->descriptor);
    write_address(d, QUEUE_AVAILABLE, &m->available);
    write_address(d, QUEUE_USED, &m->used);
    d->notify = (volatile uint16_t *)((volatile uint8_t *)d->notify +
                                      (uint64_t)*reg16(d, QUEUE_NOTIFY_OFFSET) * notify_multiplier);
    *reg16(d, QUEUE_ENABLE) = 1;
    *reg8(d, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
    return true;
}

/* The serial is the only thing a probe asks for by a request; a device that has none leaves it empty. */
static void read_serial(struct virtio_blk_disk *d)
{
    struct disk_segment segment = {d->serial, VIRTIO_BLK_SERIAL_BYTES};
    struct disk_request r = {.op = DISK_READ, .segment = &segment, .segments = 1}, *done;
    int status = -EIO;
    offer(d, &r, TYPE_GET_ID);
    notify(d);
    for (uint32_t i = 0; i < PROBE_POLLS; i++)
        if (take_used(d, &done, &status))
            break;
    (void)*d->isr;
    if (d->available != d->used)
        d->broken = true; /* it still holds our stack's address */
    if (status)
        d->serial[0] = 0;
}

bool virtio_blk_probe(struct virtio_blk_disk *d, unsigned index, void *memory)
{
    struct pci_address a;
    uint32_t multiplier = 0;
    *d = (struct virtio_blk_disk){.memory = memory};
    if (!pci_find(ID_MODERN, ID_TRANSITIONAL, index, &a) || !find_structures(d, a, &multiplier))
        return false;
    pci_enable(a);
    if (!negotiate(d) || !start_queue(d, multiplier))
        return false;
    d->irq = (uint8_t)pci_read(a, PCI_INTERRUPT);
    d->bus = a.bus;
    d->slot = a.slot;
    d->function = a.function;
    read_serial(d);
    if (d->broken) {
        *reg8(d, DEVICE_STATUS) = 0;
        return false;
    }
    const volatile uint32_t *capacity = (const volatile uint32_t *)d->device;
    d->disk.name = d->serial;
    d->disk.sectors = capacity[0] | (uint64_t)capacity[1] << 32;
    d->disk.submit = submit;
    d->disk.owner = d;
    return d->disk.sectors > 0;
}
