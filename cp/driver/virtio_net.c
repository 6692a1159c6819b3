/* Frames between the port of a LAN and a device's rings: each is one buffer, behind a header that says nothing.
 *
 * VIRTIO 1.1, "Network Device". */
#include "cp/driver/virtio_net.h"

#include <stddef.h>
#include <string.h>

enum {
    ID_MODERN = 0x10411AF4,
    ID_TRANSITIONAL = 0x10001AF4,
    FEATURE_MAC = 1 << 5,
    HEADER = 12,
    QUEUE_IN = 0,
    QUEUE_OUT = 1,
};

static void offer_in(struct virtio_net_driver *d)
{
    const struct virtq_piece piece = {d->in_buffer[d->in.free_head], VIRTIO_NET_BUFFER, true};

    virtq_offer(&d->in, &piece, 1);
}

/* A device that broke the protocol touches no memory any more. */
static void give_up(struct virtio_net_driver *d)
{
    d->broken = true;
    virtio_pci_reset(&d->pci);
    frame_queue_clear(&d->port.queue);
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static void reclaim(struct virtio_net_driver *d)
{
    uint16_t chain;
    uint32_t written;

    while (virtq_take(&d->out, &chain, &written)) {}
    if (d->out.broken)
        give_up(d);
}

static void offer_out(struct virtio_net_driver *d, const uint8_t *frame, unsigned bytes)
{
    uint8_t *buffer = d->out_buffer[d->out.free_head];
    const struct virtq_piece piece = {buffer, HEADER + bytes, false};

    memset(buffer, 0, HEADER);
    memcpy(buffer + HEADER, frame, bytes);
    virtq_offer(&d->out, &piece, 1);
}

/* As many as the ring has room for. Only a full one has to tell when it has some again. */
static void send(struct virtio_net_driver *d)
{
    const uint8_t *frame;
    unsigned bytes, sent = 0;

    reclaim(d);
    for (; !d->broken && d->out.free_count && (frame = frame_queue_first(&d->port.queue, &bytes)); sent++) {
        offer_out(d, frame, bytes);
        d->port.received.frames++;
        d->port.received.bytes += bytes;
        frame_queue_drop(&d->port.queue);
    }
    if (d->broken)
        return;
    virtq_quiet(&d->out, !d->port.queue.count);
    if (sent && virtq_publish(&d->out))
        *d->notify_out = QUEUE_OUT;
    if (d->port.queue.count)
        reclaim(d); /* what it gave back before it heard that it is to tell */
    if (!d->broken && d->port.queue.count && d->out.free_count)
        work_begin(&d->send);
}

static void send_more(struct work *work) { send(work->owner); }

static void arrived(struct port *port)
{
    struct virtio_net_driver *d = port->owner;

    if (d->broken)
        frame_queue_clear(&port->queue);
    else
        work_begin(&d->send);
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

/* One frame, if there is one. */
static bool take_in(struct virtio_net_driver *d)
{
    uint16_t chain;
    uint32_t written;

    if (!virtq_take(&d->in, &chain, &written))
        return false;
    lan_send(&d->port, d->in_buffer[chain] + HEADER, written > HEADER ? written - HEADER : 0);
    offer_in(d); /* the same place: its chain is the first that is free */
    return true;
}

bool virtio_net_interrupt(struct virtio_net_driver *d)
{
    unsigned frames = 0;
    bool more = !d->broken;

    if (d->broken)
        return false;
    virtio_pci_acknowledge(&d->pci);
    while (more && frames < VIRTIO_NET_FRAMES && !(frames && work_over())) { /* one to a group may go to many */
        more = take_in(d);
        frames += more;
    }
    if (d->in.broken) {
        give_up(d);
        return false;
    }
    if (frames && virtq_publish(&d->in))
        *d->notify_in = QUEUE_IN;
    send(d);
    return more;
}

/* ---- bringing it up ---------------------------------------------------------------------------------------------- */

static bool start(struct virtio_net_driver *d, struct pci_address a)
{
    uint32_t features;

    if (!virtio_pci_open(&d->pci, a) || !virtio_pci_negotiate(&d->pci, FEATURE_MAC, &features) ||
        !(features & FEATURE_MAC))
        return false;
    virtq_init(&d->in, VIRTIO_NET_DRIVER_QUEUE, d->in_rings);
    virtq_init(&d->out, VIRTIO_NET_DRIVER_QUEUE, d->out_rings);
    d->notify_in = virtio_pci_queue(&d->pci, QUEUE_IN, &d->in);
    d->notify_out = virtio_pci_queue(&d->pci, QUEUE_OUT, &d->out);
    return d->notify_in && d->notify_out;
}

bool virtio_net_probe(struct virtio_net_driver *d, unsigned index)
{
    struct pci_address a;

    if (!pci_find(ID_MODERN, ID_TRANSITIONAL, index, &a))
        return false;
    if (!start(d, a)) {
        if (d->pci.common)
            virtio_pci_reset(&d->pci);
        return false;
    }
    for (unsigned i = 0; i < MAC; i++)
        d->port.mac[i] = d->pci.device[i];
    d->port.trunk = d->port.uplink = true;
    d->port.queue.account = &frame_cp_account;
    d->port.arrived = arrived;
    d->port.owner = d;
    d->send = (struct work){.step = send_more, .owner = d};
    virtio_pci_start(&d->pci);
    while (d->in.free_count)
        offer_in(d);
    if (virtq_publish(&d->in))
        *d->notify_in = QUEUE_IN;
    return true;
}
