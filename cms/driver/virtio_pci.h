/* Virtio 1.x over PCI, one queue: finding the register blocks, negotiation, queue set-up, interrupts. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cms/driver/pci.h"

struct virtio_pci {
    pci_function function;
    volatile uint8_t *common, *isr, *config, *notify; /* notify: of queue 0 */
    uint32_t notify_multiplier;
    uint8_t irq;
};

struct virtio_queue {
    const void *descriptors, *driver, *device;
    uint16_t size; /* a power of two; the device must allow at least as much */
};

/* Resets the device and agrees on `wanted` features (VERSION_1 is added); those it offers come back in *features.
 * False if it is no usable modern virtio device. */
bool virtio_pci_start(struct virtio_pci *device, pci_function function, uint32_t wanted, uint32_t *features);
/* Gives it queue 0 and sets DRIVER_OK. */
bool virtio_pci_ready(struct virtio_pci *device, const struct virtio_queue *queue);
void virtio_pci_notify(const struct virtio_pci *device);
/* Takes back its interrupt request. */
void virtio_pci_acknowledge(const struct virtio_pci *device);
/* The device is still in its slot, and still the one that was made ready: not reset, not exchanged for another. */
bool virtio_pci_live(const struct virtio_pci *device, uint32_t id);
