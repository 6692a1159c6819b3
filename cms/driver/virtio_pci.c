/* Virtio 1.1 "Virtio Over PCI Bus": capabilities, common configuration, notification. */
#include "cms/driver/virtio_pci.h"

#include <stddef.h>

#include "cms/cpu/cpu.h"
#include "cms/kernel/frame.h"

enum { CAP_VENDOR = 0x09, CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAPS_MAX = 48 };
enum { /* common configuration */
    FEATURE_SELECT = 0x00, FEATURE = 0x04, DRIVER_FEATURE_SELECT = 0x08, DRIVER_FEATURE = 0x0c, STATUS = 0x14,
    QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18, QUEUE_ENABLE = 0x1c, QUEUE_NOTIFY = 0x1e,
    QUEUE_DESCRIPTORS = 0x20, QUEUE_DRIVER = 0x28, QUEUE_DEVICE = 0x30,
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };
enum { FEATURE_VERSION_1 = 1 }; /* bit 32: of the upper word */

static void set_status(const struct virtio_pci *v, uint8_t status)
{
    cpu_mmio_write8(v->common + STATUS, status);
}

/* Of a BAR that was read already, nearly always the same. */
struct bar {
    unsigned number;
    uint64_t address; /* 0: none was read */
};

static uint64_t bar_address(const struct virtio_pci *v, unsigned number, struct bar *last)
{
    if (!last->address || last->number != number)
        *last = (struct bar){number, pci_memory_bar(v->function, number)};
    return last->address;
}

static void note_capability(struct virtio_pci *v, unsigned at, uint32_t head, struct bar *last)
{
    uint32_t place = pci_read(v->function, at + 4);
    unsigned type = head >> 24;

    if (type < CAP_COMMON || type > CAP_DEVICE)
        return;
    uint64_t bar = bar_address(v, place & 0xff, last);
    if (!bar || bar >= KERNEL_DIRECT_BYTES)
        return;
    volatile uint8_t *block = cms_at_physical(bar + pci_read(v->function, at + 8));
    switch (type) {
    case CAP_COMMON:
        v->common = block;
        break;
    case CAP_NOTIFY:
        v->notify = block;
        v->notify_multiplier = pci_read(v->function, at + 16);
        break;
    case CAP_ISR:
        v->isr = block;
        break;
    case CAP_DEVICE:
        v->config = block;
    }
}

static bool find_blocks(struct virtio_pci *v)
{
    uint32_t command = pci_read(v->function, PCI_COMMAND);
    struct bar bar = {0};
    if (!(command & PCI_STATUS_CAPABILITIES))
        return false;
    unsigned at = pci_read(v->function, PCI_CAPABILITIES) & 0xfc;
    for (int i = 0; at && i < CAPS_MAX; i++) {
        uint32_t head = pci_read(v->function, at);
        if ((head & 0xff) == CAP_VENDOR)
            note_capability(v, at, head, &bar);
        at = head >> 8 & 0xfc;
    }
    if (!v->common || !v->notify || !v->isr || !v->config)
        return false;
    v->irq = pci_read(v->function, PCI_INTERRUPT) & 0xff;
    command = (command & 0xffff & ~(uint32_t)PCI_COMMAND_NO_INTX) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    pci_write(v->function, PCI_COMMAND, command);
    return v->irq && v->irq < 16; /* 0: firmware has routed it nowhere */
}

static uint32_t read_features(const struct virtio_pci *v, uint32_t word)
{
    cpu_mmio_write32(v->common + FEATURE_SELECT, word);
    return cpu_mmio_read32(v->common + FEATURE);
}

static void write_features(const struct virtio_pci *v, uint32_t word, uint32_t features)
{
    cpu_mmio_write32(v->common + DRIVER_FEATURE_SELECT, word);
    cpu_mmio_write32(v->common + DRIVER_FEATURE, features);
}

bool virtio_pci_start(struct virtio_pci *v, pci_function function, uint32_t wanted, uint32_t *features)
{
    *v = (struct virtio_pci){.function = function};
    if (!find_blocks(v))
        return false;
    set_status(v, 0);
    while (cpu_mmio_read8(v->common + STATUS))
        ;
    set_status(v, ACKNOWLEDGE | DRIVER);
    if (!(read_features(v, 1) & FEATURE_VERSION_1))
        return false;
    *features = read_features(v, 0) & wanted;
    write_features(v, 0, *features);
    write_features(v, 1, FEATURE_VERSION_1);
    set_status(v, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    return cpu_mmio_read8(v->common + STATUS) & FEATURES_OK;
}

static void write_address(const struct virtio_pci *v, unsigned offset, const void *address)
{
    cpu_mmio_write32(v->common + offset, (uint32_t)cms_physical(address));
    cpu_mmio_write32(v->common + offset + 4, (uint32_t)(cms_physical(address) >> 32));
}

bool virtio_pci_ready(struct virtio_pci *v, const struct virtio_queue *queue)
{
    cpu_mmio_write16(v->common + QUEUE_SELECT, 0);
    if (cpu_mmio_read16(v->common + QUEUE_SIZE) < queue->size)
        return false;
    cpu_mmio_write16(v->common + QUEUE_SIZE, queue->size);
    write_address(v, QUEUE_DESCRIPTORS, queue->descriptors);
    write_address(v, QUEUE_DRIVER, queue->driver);
    write_address(v, QUEUE_DEVICE, queue->device);
    v->notify += (size_t)cpu_mmio_read16(v->common + QUEUE_NOTIFY) * v->notify_multiplier;
    cpu_mmio_write16(v->common + QUEUE_ENABLE, 1);
    set_status(v, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    return true;
}

void virtio_pci_notify(const struct virtio_pci *v)
{
    cpu_mmio_write16(v->notify, 0);
}

void virtio_pci_acknowledge(const struct virtio_pci *v)
{
    (void)cpu_mmio_read8(v->isr);
}

bool virtio_pci_live(const struct virtio_pci *v, uint32_t id)
{
    return pci_read(v->function, PCI_ID) == id && pci_read(v->function, PCI_COMMAND) & PCI_COMMAND_MEMORY &&
           cpu_mmio_read8(v->common + STATUS) == (ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}
