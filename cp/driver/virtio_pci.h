/* How a driver reaches a modern virtio device on PCI: its register blocks, the negotiation, its queues. Every virtio
 * driver stands on this; what the queues carry is theirs. */
#pragma once
#include "cp/driver/pci.h"
#include "cp/virtio/queue.h"

struct virtio_pci {
    struct pci_address at;
    uint8_t irq;                             /* the INTx line as the firmware routed it (PCI interrupt line register) */
    volatile uint8_t *common, *isr, *device; /* device: its own configuration */
    volatile uint8_t *notify;
    uint32_t notify_multiplier, notify_bytes;
};

enum { VIRTIO_PCI_POLLS = 1000000 }; /* looks at the ISR register, a microsecond each or more, that bringing up waits */

/* Finds the register blocks and turns the function on. False: it is not a modern device.
 * @pre its BARs are assigned (the firmware's job; CP's own machines come so) and mapped one to one */
bool virtio_pci_open(struct virtio_pci *, struct pci_address);

/* Resets the device and agrees on VERSION_1 and those of the `wanted` features (bits 0
 * to 31) it has; *got says which. */
bool virtio_pci_negotiate(struct virtio_pci *, uint32_t wanted, uint32_t *got);

/* Gives the device its queue `index`, in an initialized virtq. Where to write when it wants to be told, or NULL: it has
 * no such queue, a shorter one, or no place to write. @pre negotiated, not started */
volatile uint16_t *virtio_pci_queue(struct virtio_pci *, uint16_t index, const struct virtq *);

void virtio_pci_start(struct virtio_pci *);
void virtio_pci_reset(struct virtio_pci *); /* the device touches no memory any more */

/* Takes the interrupt back; look at the queues afterwards, so that nothing comes between. */
void virtio_pci_acknowledge(struct virtio_pci *);
