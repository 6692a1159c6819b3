/* Virtual disks: virtio-blk devices, found on PCI, known by the number in their ID string.
 * One request at a time.  The interrupt is asked for only when the answer is not there at once: a hypervisor that
 * serves the request inside the notification then costs one exit for a whole transfer. */
#include "cms/driver/virtio_blk.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cms/cpu/cpu.h"
#include "cms/cpu/trap.h"
#include "cms/driver/change.h"
#include "cms/driver/pic.h"
#include "cms/driver/virtio_pci.h"
#include "cms/kernel/frame.h"
#include "cms/kernel/sleep.h"

enum { VENDOR_VIRTIO = 0x1af4, DEVICE_BLK_MODERN = 0x1042, DEVICE_BLK_TRANSITIONAL = 0x1001 };
enum { FEATURE_RO = 1u << 5, FEATURE_FLUSH = 1u << 9 };
enum { REQUEST_IN = 0, REQUEST_OUT = 1, REQUEST_FLUSH = 4, REQUEST_GET_ID = 8, ID_SIZE = 20 };
enum { STATUS_OK = 0, STATUS_PENDING = 0xff };
enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2, AVAIL_NO_INTERRUPT = 1 };
enum { QUEUE_SIZE = 4 };

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct request_header {
    uint32_t type, reserved;
    uint64_t sector;
};

struct blk {
    struct descriptor descriptors[QUEUE_SIZE];
    struct {
        volatile uint16_t flags, index;
        uint16_t ring[QUEUE_SIZE], event;
    } avail;
    struct {
        volatile uint16_t flags, index;
        struct {
            uint32_t id, length;
        } ring[QUEUE_SIZE];
        uint16_t event;
    } __attribute__((aligned(4))) used;
    struct request_header header;
    volatile uint8_t status;
    uint8_t id[ID_SIZE];
    bool has_flush;
    uint32_t pci_id;
    uint32_t checked; /* the change_count at which it was last seen there */
    struct virtio_pci pci;
    struct disk disk; /* disk.device is NULL when the slot is free or the device has gone */
} __attribute__((aligned(16)));

static struct blk blks[DISK_MAX];
volatile uint32_t change_count;

static void interrupt(void *context)
{
    uintptr_t irq = (uintptr_t)context;
    for (struct blk *b = blks; b < blks + DISK_MAX; b++)
        if (b->disk.device && b->pci.irq == irq)
            virtio_pci_acknowledge(&b->pci);
}

/* False: the device has gone or become another (CP DETACH), and no answer will come. */
static bool is_there(struct blk *b)
{
    if (b->checked == change_count)
        return true;
    b->checked = change_count;
    return virtio_pci_live(&b->pci, b->pci_id);
}

/* It was asked for one request at a time: the answer is there when all that was made available was used. */
static bool is_answered(const struct blk *b)
{
    return b->used.index == b->avail.index;
}

static bool is_answered_or_gone(void *context)
{
    return is_answered(context) || !is_there(context) || is_answered(context);
}

static bool wait_for_answer(struct blk *b)
{
    if (is_answered(b))
        return true;
    cpu_interrupts_off();
    b->avail.flags = 0;
    cpu_fence();
    cms_sleep_until(is_answered_or_gone, b);
    b->avail.flags = AVAIL_NO_INTERRUPT;
    cpu_interrupts_on();
    return is_answered(b);
}

/* `length` 0: no data. */
static int request(struct blk *b, uint32_t type, uint64_t sector, void *data, uint32_t length)
{
    bool from_device = type == REQUEST_IN || type == REQUEST_GET_ID;
    struct descriptor *d = b->descriptors;

    b->header = (struct request_header){type, 0, sector};
    b->status = STATUS_PENDING;
    *d++ = (struct descriptor){cms_physical(&b->header), sizeof b->header, DESCRIPTOR_NEXT, 1};
    if (length) {
        uint16_t next = (uint16_t)(d - b->descriptors + 1);
        *d++ = (struct descriptor){cms_physical(data), length,
                                   (uint16_t)(DESCRIPTOR_NEXT | (from_device ? DESCRIPTOR_WRITE : 0)), next};
    }
    *d = (struct descriptor){cms_physical((const void *)&b->status), 1, DESCRIPTOR_WRITE, 0};
    b->avail.ring[b->avail.index % QUEUE_SIZE] = 0;
    cpu_compiler_barrier();
    b->avail.index = (uint16_t)(b->avail.index + 1);
    cpu_fence();
    virtio_pci_notify(&b->pci);
    if (!wait_for_answer(b)) {
        b->disk.device = NULL;
        return -ENODEV;
    }
    cpu_compiler_barrier();
    return b->status == STATUS_OK ? 0 : -EIO;
}

static bool vdev_from_id(const uint8_t *id, uint16_t *vdev)
{
    unsigned value = 0, n = 0;
    for (; n < ID_SIZE && id[n] && id[n] != ' '; n++) {
        uint8_t c = id[n] | 0x20;
        if (n == 4)
            return false;
        if (c >= '0' && c <= '9' && id[n] == c)
            value = value << 4 | (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (unsigned)(c - 'a' + 10);
        else
            return false;
    }
    *vdev = (uint16_t)value;
    return n > 0;
}

static bool start(struct blk *b, pci_function function, uint32_t pci_id)
{
    uint32_t features, generation = b->disk.generation + 1;

    memset(b, 0, sizeof *b);
    b->pci_id = pci_id;
    b->checked = change_count;
    b->disk.generation = generation;
    b->avail.flags = AVAIL_NO_INTERRUPT;
    if (!virtio_pci_start(&b->pci, function, FEATURE_RO | FEATURE_FLUSH, &features))
        return false;
    struct virtio_queue queue = {b->descriptors, &b->avail, &b->used, QUEUE_SIZE};
    if (!virtio_pci_ready(&b->pci, &queue))
        return false;
    b->has_flush = features & FEATURE_FLUSH;
    b->disk.read_only = features & FEATURE_RO;
    b->disk.sectors = cpu_mmio_read32(b->pci.config) | (uint64_t)cpu_mmio_read32(b->pci.config + 4) << 32;
    b->disk.device = b; /* from here on the interrupt handler knows it */
    trap_set_irq(b->pci.irq, interrupt, (void *)(uintptr_t)b->pci.irq);
    pic_enable_level(b->pci.irq);
    if (request(b, REQUEST_GET_ID, 0, b->id, ID_SIZE) || !vdev_from_id(b->id, &b->disk.vdev)) {
        b->disk.device = NULL;
        return false;
    }
    return true;
}

static bool is_known(pci_function function)
{
    for (struct blk *b = blks; b < blks + DISK_MAX; b++)
        if (b->disk.device && b->pci.function == function)
            return virtio_pci_live(&b->pci, b->pci_id);
    return false;
}

static uint16_t wanted; /* what a scan is for: it goes no further than there */

static bool visit(pci_function function, uint32_t id)
{
    if (id != (DEVICE_BLK_MODERN << 16 | VENDOR_VIRTIO) && id != (DEVICE_BLK_TRANSITIONAL << 16 | VENDOR_VIRTIO))
        return true;
    if (is_known(function))
        return true;
    for (struct blk *b = blks; b < blks + DISK_MAX; b++)
        if (!b->disk.device || b->pci.function == function) {
            return !start(b, function, id) || b->disk.vdev != wanted;
        }
    return false;
}

static struct disk *find_known(uint16_t vdev)
{
    for (struct blk *b = blks; b < blks + DISK_MAX; b++)
        if (b->disk.device && b->disk.vdev == vdev)
            return &b->disk;
    return NULL;
}

struct disk *virtio_blk_find(uint16_t vdev)
{
    struct disk *disk = find_known(vdev);
    if (disk) {
        struct blk *b = disk->device;
        if (virtio_pci_live(&b->pci, b->pci_id))
            return disk;
        disk->device = NULL;
    }
    wanted = vdev;
    pci_scan(visit);
    return find_known(vdev);
}

int virtio_blk_read(struct disk *disk, uint64_t sector, void *buffer, uint32_t count)
{
    return request(disk->device, REQUEST_IN, sector, buffer, count * DISK_SECTOR);
}

int virtio_blk_write(struct disk *disk, uint64_t sector, const void *buffer, uint32_t count)
{
    return request(disk->device, REQUEST_OUT, sector, (void *)buffer, count * DISK_SECTOR);
}

int virtio_blk_flush(struct disk *disk)
{
    struct blk *b = disk->device;
    return b->has_flush ? request(b, REQUEST_FLUSH, 0, NULL, 0) : 0;
}
