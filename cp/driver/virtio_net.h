/* A modern virtio-pci network device of the machine CP runs on: QEMU's, or the NIC another CP gives. It is the uplink
 * of a LAN: what is behind it is a trunk port's. Frames that come while there is no LAN are dropped. */
#pragma once
#include "cp/driver/virtio_pci.h"
#include "cp/network/lan.h"
#include "cp/time/work.h"

enum { VIRTIO_NET_DRIVER_QUEUE = 32, VIRTIO_NET_BUFFER = 2048, VIRTIO_NET_FRAMES = 16 /* handed on in one call */ };

struct virtio_net_driver {
    struct port port;
    struct virtio_pci pci;
    struct virtq in, out;
    volatile uint16_t *notify_in, *notify_out;
    bool broken;      /* it gave back what it never had: nothing goes in or out any more */
    struct work send; /* queued: the port has frames to be sent */
    uint8_t in_rings[VIRTQ_BYTES(VIRTIO_NET_DRIVER_QUEUE)] __attribute__((aligned(16)));
    uint8_t out_rings[VIRTQ_BYTES(VIRTIO_NET_DRIVER_QUEUE)] __attribute__((aligned(16)));
    uint8_t in_buffer[VIRTIO_NET_DRIVER_QUEUE][VIRTIO_NET_BUFFER]; /* by the chain's number */
    uint8_t out_buffer[VIRTIO_NET_DRIVER_QUEUE][VIRTIO_NET_BUFFER];
};

/* Brings up the `index`-th such function on PCI. `driver`: zeroed, physically contiguous, kept for good. False: there
 * is none, or it is no modern one, has no address, or will not come up; it was let go of then.
 * @pre as of virtio_pci_open */
bool virtio_net_probe(struct virtio_net_driver *driver, unsigned index);

/* Call when its IRQ came (INTx may be shared), or to poll. True: there may be more; call again soon. */
bool virtio_net_interrupt(struct virtio_net_driver *driver);
