/* Rings of the guest -> a port, and back. A frame stands behind a header of twelve bytes that has nothing to say. */
#include "cp/device/virtio_net.h"

#include <stddef.h>
#include <string.h>

#include "cp/device/machine_config.h"

enum { DEVICE_NETWORK = 1, CLASS_ETHERNET = 0x020000, LINK_UP = 1, CONFIG_STATUS = 6, HEADER_BUFFERS = 10 };
#define FEATURE_MAC    (1ull << 5)
#define FEATURE_STATUS (1ull << 16)

static struct virtio_net *of(struct virtio_device *virtio)
{
    return (struct virtio_net *)((char *)virtio - offsetof(struct virtio_net, virtio));
}

/* ---- chains as bytes -------------------------------------------------------------------------------------------- */

/* The first `bytes` that the device reads. False: one of them is not there. @pre the chain has so many */
static bool gather(struct virtio_net *d, const struct virtio_chain *chain, uint8_t *to, uint64_t bytes)
{
    const struct virtio_buffer *b = chain->buffer;

    for (; bytes; b++) {
        uint64_t run = b->bytes < bytes ? b->bytes : bytes;
        if (guest_read(d->virtio.storage, b->at, to, run) != GUEST_OK)
            return false;
        to += run;
        bytes -= run;
    }
    return true;
}

/* Bytes to those that the device writes, from *offset on, which is moved. */
static bool scatter(struct virtio_net *d, const struct virtio_chain *chain, uint64_t *offset, const uint8_t *from,
                    uint64_t bytes)
{
    const struct virtio_buffer *b = chain->buffer + chain->readable;
    uint64_t skip = *offset;

    *offset += bytes;
    for (; skip >= b->bytes; b++)
        skip -= b->bytes;
    for (; bytes; b++, skip = 0) {
        uint64_t run = b->bytes - skip < bytes ? b->bytes - skip : bytes;
        if (guest_write(d->virtio.storage, gpa(b->at.a + skip), from, run) != GUEST_OK)
            return false;
        from += run;
        bytes -= run;
    }
    return true;
}

/* ---- from the guest --------------------------------------------------------------------------------------------- */

/* One frame, of whatever length. False: the ring broke. */
static bool send_one(struct virtio_net *d, const struct virtio_chain *chain)
{
    static uint8_t bytes[VIRTIO_NET_HEADER + ETHERNET_ROOM]; /* one call at a time */
    uint64_t all = chain->readable_bytes;
    unsigned frame = all > VIRTIO_NET_HEADER ? (unsigned)(all - VIRTIO_NET_HEADER) : 0;

    if (all < VIRTIO_NET_HEADER || all > sizeof bytes) {
        d->port.sent.errors++;
    } else if (!gather(d, chain, bytes, all)) {
        virtio_break(&d->virtio);
        return false;
    } else if (bytes[0] || bytes[1]) { /* flags and gso_type: work that was not offered */
        d->port.sent.errors++;
    } else {
        lan_send(&d->port, bytes + VIRTIO_NET_HEADER, frame);
    }
    return true;
}

/* Until the port may send on; 0: now. Asks for the timer if it is later. */
static bool may_send(struct virtio_net *d, uint64_t now)
{
    uint64_t from = port_sends_from(&d->port);

    if (from > now)
        timer_arm(&d->paid, from);
    return from <= now;
}

static void send(struct virtio_net *d)
{
    static struct virtio_chain chain; /* one call at a time */
    uint64_t now = d->port.rate ? clock_now() : 0;
    bool more = true;

    for (unsigned n = 0; more && n < VIRTIO_QUEUE_SIZE && may_send(d, now) && !work_over(); n++) {
        more = virtio_queue_take(&d->virtio, VIRTIO_NET_TRANSMIT, &chain) == 1 && send_one(d, &chain);
        if (!more)
            break;
        port_pay(&d->port, chain.readable_bytes < ETHERNET_ROOM ? (unsigned)chain.readable_bytes : ETHERNET_ROOM, now);
        virtio_queue_give(&d->virtio, VIRTIO_NET_TRANSMIT, chain.head, 0);
    }
    if (more && !d->paid.armed)
        work_begin(&d->send);
    virtio_queue_signal(&d->virtio, VIRTIO_NET_TRANSMIT);
}

static void send_more(struct work *work) { send(work->owner); }

static void paid(struct timer *timer)
{
    struct virtio_net *d = timer->owner;

    work_begin(&d->send);
}

/* ---- to the guest ----------------------------------------------------------------------------------------------- */

/* The first frame of the queue into that chain. False: the ring broke. */
static bool deliver_one(struct virtio_net *d, const struct virtio_chain *chain)
{
    static const uint8_t header[VIRTIO_NET_HEADER] = {[HEADER_BUFFERS] = 1};
    unsigned bytes;
    const uint8_t *frame = frame_queue_first(&d->port.queue, &bytes);
    uint64_t at = 0;

    if (chain->writable_bytes < sizeof header + bytes || !scatter(d, chain, &at, header, sizeof header) ||
        !scatter(d, chain, &at, frame, bytes)) {
        virtio_break(&d->virtio);
        return false;
    }
    virtio_queue_give(&d->virtio, VIRTIO_NET_RECEIVE, chain->head, (uint32_t)at);
    d->port.received.frames++;
    d->port.received.bytes += bytes;
    frame_queue_drop(&d->port.queue);
    return true;
}

static void deliver(struct virtio_net *d)
{
    static struct virtio_chain chain; /* one call at a time */
    bool more = true;

    while (virtio_running(&d->virtio) && more && d->port.queue.count && !work_over())
        more = virtio_queue_take(&d->virtio, VIRTIO_NET_RECEIVE, &chain) == 1 && deliver_one(d, &chain);
    if (!virtio_running(&d->virtio)) { /* nobody listens */
        d->port.received.discarded += d->port.queue.count;
        frame_queue_clear(&d->port.queue);
    }
    if (more && d->port.queue.count)
        work_begin(&d->deliver);
    virtio_queue_signal(&d->virtio, VIRTIO_NET_RECEIVE);
}

static void deliver_more(struct work *work) { deliver(work->owner); }

/* Somebody else's turn it may be. */
static void arrived(struct port *port)
{
    struct virtio_net *d = port->owner;

    work_begin(&d->deliver);
}

/* ---- the device ------------------------------------------------------------------------------------------------- */

static void coupled(struct port *port)
{
    struct virtio_net *d = port->owner;

    d->config[CONFIG_STATUS] = port->lan ? LINK_UP : 0;
    virtio_config_changed(&d->virtio);
}

static void notify(struct virtio_device *virtio, unsigned queue)
{
    if (queue == VIRTIO_NET_TRANSMIT)
        send(of(virtio));
    else if (of(virtio)->port.queue.count)
        deliver(of(virtio));
}

static bool reset(struct virtio_device *virtio)
{
    struct virtio_net *d = of(virtio);

    work_cancel(&d->send);
    work_cancel(&d->deliver);
    timer_cancel(&d->paid);
    frame_queue_clear(&d->port.queue);
    return true;
}

static const struct virtio_model model = {
    .id = DEVICE_NETWORK, .class_code = CLASS_ETHERNET, .queues = 2, .config_bytes = VIRTIO_NET_CONFIG,
    .notify = notify, .reset = reset};

int virtio_net_attach(struct virtio_net *d, struct pci_host *host, unsigned slot, struct guest_storage *storage,
                      const struct machine_nic *nic, struct debt *debt, const void *whose)
{
    *d = (struct virtio_net){.vdev = nic->vdev, .send = {.step = send_more, .owner = d, .debt = debt},
                             .deliver = {.step = deliver_more, .owner = d, .debt = debt},
                             .paid = {.expire = paid, .owner = d, .whose = whose},
                             .port = {.vlan = nic->vlan, .trunk = nic->trunk, .rate = nic->rate, .arrived = arrived,
                                      .coupled = coupled, .owner = d}};
    memcpy(d->port.mac, nic->mac, MAC);
    memcpy(d->config, nic->mac, MAC);
    d->port.queue.account = &storage->account;
    virtio_init(&d->virtio, &model, storage, FEATURE_MAC | FEATURE_STATUS, d->config, host->wiring.message != NULL);
    return pci_attach(host, &d->virtio.pci, slot);
}

void virtio_net_detach(struct virtio_net *d)
{
    if (!d->virtio.pci.host)
        return;
    reset(&d->virtio);
    pci_detach(&d->virtio.pci);
    d->virtio.status = 0;
    lan_leave(&d->port);
    frame_queue_free(&d->port.queue);
}

bool virtio_net_is_busy(const struct virtio_net *d)
{
    return d->port.queue.count || d->send.queued || d->paid.armed;
}
