/* VIRTIO 1.1, "Virtio Over PCI Bus", "Device Initialization". */
#include "cp/driver/virtio_pci.h"

#include <stddef.h>

enum {
    CAPABILITY_VENDOR = 0x09,

    STRUCTURE_COMMON = 1,
    STRUCTURE_NOTIFY = 2,
    STRUCTURE_ISR = 3,
    STRUCTURE_DEVICE = 4,

    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,

    FEATURE_VERSION_1 = 1 << 0, /* bit 32: in the second word */
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

/* "Virtio Structure PCI Capabilities": offsets in one */
enum { CAPABILITY_BAR = 4, CAPABILITY_OFFSET = 8, CAPABILITY_BYTES = 12, CAPABILITY_MULTIPLIER = 16 };

static volatile uint8_t *reg8(struct virtio_pci *v, enum common_register r)
{
    return v->common + r;
}

static volatile uint16_t *reg16(struct virtio_pci *v, enum common_register r)
{
    return (volatile uint16_t *)(v->common + r);
}

static volatile uint32_t *reg32(struct virtio_pci *v, enum common_register r)
{
    return (volatile uint32_t *)(v->common + r);
}

/* The first capability of each type counts. */
static void take_structure(struct virtio_pci *v, uint8_t at)
{
    uint8_t type = (uint8_t)(pci_read(v->at, at) >> 24);
    uint64_t bar = pci_memory_bar(v->at, pci_read(v->at, (uint8_t)(at + CAPABILITY_BAR)) & 0xFF);
    volatile uint8_t *block = (volatile uint8_t *)(uintptr_t)(bar + pci_read(v->at, (uint8_t)(at + CAPABILITY_OFFSET)));
    volatile uint8_t **const place[] = {[STRUCTURE_COMMON] = &v->common, [STRUCTURE_NOTIFY] = &v->notify,
                                        [STRUCTURE_ISR] = &v->isr, [STRUCTURE_DEVICE] = &v->device};

    if (!bar || !type || type >= sizeof place / sizeof *place || *place[type])
        return;
    *place[type] = block;
    if (type != STRUCTURE_NOTIFY)
        return;
    v->notify_bytes = pci_read(v->at, (uint8_t)(at + CAPABILITY_BYTES));
    v->notify_multiplier = pci_read(v->at, (uint8_t)(at + CAPABILITY_MULTIPLIER));
}

bool virtio_pci_open(struct virtio_pci *v, struct pci_address a)
{
    *v = (struct virtio_pci){.at = a, .irq = (uint8_t)pci_read(a, PCI_INTERRUPT)};
    for (uint8_t at = 0; (at = pci_capability(a, CAPABILITY_VENDOR, at)) != 0;)
        take_structure(v, at);
    if (!v->common || !v->isr || !v->device || !v->notify)
        return false;
    pci_enable(a);
    return true;
}

static uint32_t offered_features(struct virtio_pci *v, uint32_t word)
{
    *reg32(v, DEVICE_FEATURE_SELECT) = word;
    return *reg32(v, DEVICE_FEATURE);
}

static void accept_features(struct virtio_pci *v, uint32_t word, uint32_t features)
{
    *reg32(v, DRIVER_FEATURE_SELECT) = word;
    *reg32(v, DRIVER_FEATURE) = features;
}

void virtio_pci_reset(struct virtio_pci *v)
{
    *reg8(v, DEVICE_STATUS) = 0;
}

bool virtio_pci_negotiate(struct virtio_pci *v, uint32_t wanted, uint32_t *got)
{
    uint32_t polls = 0;

    virtio_pci_reset(v);
    while (*reg8(v, DEVICE_STATUS) != 0)
        if (polls++ == VIRTIO_PCI_POLLS)
            return false;
    *reg8(v, DEVICE_STATUS) = STATUS_ACKNOWLEDGE;
    *reg8(v, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
    *got = offered_features(v, 0) & wanted;
    if (!(offered_features(v, 1) & FEATURE_VERSION_1))
        return false;
    accept_features(v, 0, *got);
    accept_features(v, 1, FEATURE_VERSION_1);
    *reg8(v, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
    return *reg8(v, DEVICE_STATUS) & STATUS_FEATURES_OK;
}

/* 64-bit registers may be written in halves */
static void write_address(struct virtio_pci *v, enum common_register r, const void *structure)
{
    volatile uint32_t *half = reg32(v, r);

    half[0] = (uint32_t)(uintptr_t)structure;
    half[1] = (uint32_t)((uint64_t)(uintptr_t)structure >> 32);
}

volatile uint16_t *virtio_pci_queue(struct virtio_pci *v, uint16_t index, const struct virtq *q)
{
    *reg16(v, QUEUE_SELECT) = index;
    uint64_t notify = (uint64_t)*reg16(v, QUEUE_NOTIFY_OFFSET) * v->notify_multiplier;

    if (*reg16(v, QUEUE_SIZE) < q->size || notify + sizeof(uint16_t) > v->notify_bytes)
        return NULL;
    *reg16(v, QUEUE_SIZE) = q->size;
    write_address(v, QUEUE_DESCRIPTORS, q->descriptor);
    write_address(v, QUEUE_AVAILABLE, q->available);
    write_address(v, QUEUE_USED, q->used);
    *reg16(v, QUEUE_ENABLE) = 1;
    return (volatile uint16_t *)(v->notify + notify);
}

void virtio_pci_start(struct virtio_pci *v)
{
    *reg8(v, DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK;
}

void virtio_pci_acknowledge(struct virtio_pci *v)
{
    (void)*v->isr;
}
