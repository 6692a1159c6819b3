/* A NIC as a virtio network device ("Network Device" in the virtio specification): frames from the transmit ring go to
 * a port of a LAN (cp/network/lan.h), those that wait in the port's queue into the receive ring. Checksums
 * and TCP's segments may be left to it, and to the driver (cp/network/offload.h).
 *
 * What a driver sends it sends as fast as its port may: the rest waits in the ring. What is for it waits in the port's
 * queue as long as that has room. Both go on a slice at a time, on the time of the machine (cp/time/work.h), whoever
 * sent. Every frame is copied, so that nothing is in flight, and the device can be taken away at any time. */
#pragma once
#include "cp/device/virtio.h"
#include "cp/network/lan.h"
#include "cp/time/timer.h"
#include "cp/time/work.h"

enum { VIRTIO_NET_RECEIVE, VIRTIO_NET_TRANSMIT };
enum { VIRTIO_NET_HEADER = 12, VIRTIO_NET_CONFIG = 8 };

struct virtio_net {
    struct virtio_device virtio;
    struct port port;
    uint16_t vdev;
    uint8_t config[VIRTIO_NET_CONFIG]; /* the address, and the link's state */
    struct work send, deliver; /* queued: there is more, and was no time for it */
    struct timer paid;         /* armed: until the port may send again */
};

/* What a NIC is; the directory's (cp/device/machine_config.h). */
struct machine_nic;

/* Puts it on the PCI bus, with a port that has no LAN yet. `debt`: whose time it takes; `whose`: as of struct timer. 0,
 * or as pci_attach(). @pre the struct is zeroed, or was detached */
int virtio_net_attach(struct virtio_net *, struct pci_host *, unsigned slot, struct guest_storage *,
                      const struct machine_nic *, struct debt *, const void *whose);
void virtio_net_detach(struct virtio_net *); /* leaves its LAN, and gives back what its queue took */
/* Frames wait that its program is going to be interrupted for, or to be sent. */
bool virtio_net_is_busy(const struct virtio_net *);
