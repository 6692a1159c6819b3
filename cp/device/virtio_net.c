/* Rings of the guest -> a port, and back. A frame stands behind a header of twelve bytes, which says what is still to
 * be done to it; into a ring it goes in as many chains as it takes, where the driver merges them. */
#include "cp/device/virtio_net.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cp/device/machine_config.h"

enum { DEVICE_NETWORK = 1, CLASS_ETHERNET = 0x020000, LINK_UP = 1, CONFIG_STATUS = 6, HEADER_BUFFERS = 10 };
#define FEATURE_CSUM       (1ull << 0)
#define FEATURE_GUEST_CSUM (1ull << 1)
#define FEATURE_MAC        (1ull << 5)
#define FEATURE_GUEST_TSO4 (1ull << 7)
#define FEATURE_HOST_TSO4  (1ull << 11)
#define FEATURE_MRG_RXBUF  (1ull << 15)
#define FEATURE_STATUS     (1ull << 16)
enum { MERGED = 64 /* chains that one frame may take */ };

static const uint64_t features = FEATURE_CSUM | FEATURE_GUEST_CSUM | FEATURE_MAC | FEATURE_GUEST_TSO4 |
                                 FEATURE_HOST_TSO4 | FEATURE_MRG_RXBUF | FEATURE_STATUS;

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

/* struct virtio_net_hdr: an offload, and in how many chains the frame is */
struct header {
    struct offload offload;
    uint16_t buffers;
};
_Static_assert(sizeof(struct header) == VIRTIO_NET_HEADER, "as the driver has it");

/* What was not agreed on is not done. */
static bool may_ask(const struct virtio_net *d, const struct offload *o)
{
    return (!o->flags || d->virtio.accepted & FEATURE_CSUM) && (!o->gso_type || d->virtio.accepted & FEATURE_HOST_TSO4);
}

/* One frame, of whatever length. False: the ring broke. */
static bool send_one(struct virtio_net *d, const struct virtio_chain *chain)
{
    static struct { /* one call at a time */
        struct header header;
        uint8_t frame[ETHERNET_UNCUT];
    } it;
    uint64_t all = chain->readable_bytes;

    if (all < sizeof it.header || all > sizeof it.header + sizeof it.frame) {
        d->port.sent.errors++;
        return true;
    }
    if (!gather(d, chain, (uint8_t *)&it, all)) {
        virtio_break(&d->virtio);
        return false;
    }
    if (may_ask(d, &it.header.offload))
        lan_send_offloaded(&d->port, it.frame, (unsigned)(all - sizeof it.header), &it.header.offload);
    else
        d->port.sent.errors++;
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
        uint64_t bytes = chain.readable_bytes < ETHERNET_UNCUT ? chain.readable_bytes : ETHERNET_UNCUT;
        port_pay(&d->port, (unsigned)bytes, now);
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

/* Chains for the frame at hand, as many as it takes. */
struct places {
    unsigned chains;
    struct {
        uint16_t head;
        uint32_t bytes; /* written */
    } used[MERGED];
};

/* The frame into one chain more: as much as fits, from *at on, the header being its first bytes. False: the ring
 * broke. */
static bool fill(struct virtio_net *d, const struct virtio_chain *chain, uint32_t bytes, uint32_t *at,
                 uint32_t *written)
{
    const struct header header = {.offload = *frame_queue_offload(&d->port.queue), .buffers = 1};
    uint64_t offset = 0;

    while (*at < VIRTIO_NET_HEADER + bytes && offset < chain->writable_bytes) {
        uint32_t run = VIRTIO_NET_HEADER;
        const uint8_t *from = !*at ? (const uint8_t *)&header
                                   : frame_queue_piece(&d->port.queue, *at - VIRTIO_NET_HEADER, &run);
        if (run > chain->writable_bytes - offset)
            run = (uint32_t)(chain->writable_bytes - offset);
        if ((!*at && run < VIRTIO_NET_HEADER) || !scatter(d, chain, &offset, from, run))
            return false;
        *at += run;
    }
    *written = (uint32_t)offset;
    return true;
}

/* In how many chains it is stands in the first one, which is the guest's by now. */
static bool say_buffers(struct virtio_net *d, const struct virtio_chain *first, uint16_t buffers)
{
    uint64_t offset = HEADER_BUFFERS;

    return buffers == 1 || scatter(d, first, &offset, (const uint8_t *)&buffers, sizeof buffers);
}

/* The first frame of the queue into the ring: 1; 0: there are not enough places yet; -EIO: the ring broke. */
static int deliver_one(struct virtio_net *d)
{
    static struct virtio_chain first, chain; /* one call at a time */
    struct places p = {.chains = 0};
    uint32_t at = 0, bytes;
    bool merges = d->virtio.accepted & FEATURE_MRG_RXBUF;

    frame_queue_first(&d->port.queue, &bytes);
    while (at < VIRTIO_NET_HEADER + bytes) {
        struct virtio_chain *next = p.chains ? &chain : &first;
        int taken = p.chains < (merges ? MERGED : 1) ? virtio_queue_take(&d->virtio, VIRTIO_NET_RECEIVE, next) : -EIO;
        if (!taken) {
            virtio_queue_untake(&d->virtio, VIRTIO_NET_RECEIVE, p.chains);
            return 0;
        }
        if (taken < 0 || !next->writable_bytes || !fill(d, next, bytes, &at, &p.used[p.chains].bytes)) {
            virtio_break(&d->virtio);
            return -EIO;
        }
        p.used[p.chains++].head = next->head;
    }
    if (!say_buffers(d, &first, (uint16_t)p.chains)) {
        virtio_break(&d->virtio);
        return -EIO;
    }
    for (unsigned i = 0; i < p.chains; i++)
        virtio_queue_give(&d->virtio, VIRTIO_NET_RECEIVE, p.used[i].head, p.used[i].bytes);
    d->port.received.frames++;
    d->port.received.bytes += bytes;
    frame_queue_drop(&d->port.queue);
    return 1;
}

static void deliver(struct virtio_net *d)
{
    bool more = true;

    while (virtio_running(&d->virtio) && more && d->port.queue.count && !work_over())
        more = deliver_one(d) == 1;
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
    struct port *port = &of(virtio)->port;

    port->takes_checksum = virtio->accepted & FEATURE_GUEST_CSUM;
    port->takes_segments = port->takes_checksum && virtio->accepted & FEATURE_GUEST_TSO4;
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
    d->port.takes_checksum = d->port.takes_segments = false;
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
    virtio_init(&d->virtio, &model, storage, features, d->config, host->wiring.message != NULL);
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
