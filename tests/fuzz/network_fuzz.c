/* Two machines with a NIC each and an uplink on one LAN, whose guests' rings, registers and frames are the fuzzer's,
 * and who are coupled and uncoupled, reset and taken away at any moment. Whatever they do, nothing outside their
 * storage is touched (the sanitizers watch), nobody gets a frame from an address that is another's, and all frames of
 * storage come back in the end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cp/device/machine_config.h"
#include "cp/device/virtio_net.h"
#include "cp/network/table.h"
#include "cp/time/work.h"

enum { RAM = 64 << 10, RINGS = 0x800, MACHINES = 2, QUEUE_SIZE = 16, BAR = PCI_MEMORY_BASE + PCI_MEMORY_SLOT_BYTES };
enum { DESCRIPTORS = 0x000, DRIVER = 0x100, DEVICE = 0x180, RING_BYTES = 0x300, NOTIFY = 0x3000, FRAME = 0x700 };

struct input {
    const uint8_t *at, *end;
};

static struct side {
    struct bus bus;
    struct pci_host host;
    struct guest_storage storage;
    struct virtio_net net;
} side[MACHINES];
static struct machine_nic nic[MACHINES] = {{.vdev = 0x600, .mac = {2, 0, 0, 0, 0, 1}},
                                           {.vdev = 0x601, .mac = {2, 0, 0, 0, 0, 2}}};
static struct frame_account uplink_account;
static struct port uplink;
static struct lan *lan;

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- && in->at < in->end)
        value = value << 8 | *in->at++;
    return value;
}

static void ignore_irq(void *context, unsigned gsi, bool level) { (void)context, (void)gsi, (void)level; }
static void ignore_message(void *context, uint64_t at, uint32_t data) { (void)context, (void)at, (void)data; }

static void set(struct side *s, unsigned offset, unsigned bytes, uint64_t value)
{
    bus_mmio_write(&s->bus, BAR + offset, bytes, value);
}

static void bring_up(struct side *s, bool event_index)
{
    set(s, 20, 1, 0);
    set(s, 8, 4, 1);
    set(s, 12, 4, 1);
    set(s, 8, 4, 0);
    set(s, 12, 4, 1 << 28 | 1 << 5 | 1 << 16 | (event_index ? 1 << 29 | 1 << 15 | 1 << 11 | 1 << 7 | 3 : 0));
    set(s, 20, 1, 11);
    for (unsigned q = 0; q < 2; q++) {
        set(s, 22, 2, q);
        set(s, 24, 2, QUEUE_SIZE);
        set(s, 32, 8, q * RING_BYTES + DESCRIPTORS);
        set(s, 40, 8, q * RING_BYTES + DRIVER);
        set(s, 48, 8, q * RING_BYTES + DEVICE);
        set(s, 28, 2, 1);
    }
    set(s, 20, 1, 15);
}

static void put(uint8_t *at, uint64_t value, unsigned bytes) { memcpy(at, &value, bytes); }

/* Four places for frames that come, and four frames, to the other, to all, and to nobody. */
static void rings_build(uint8_t page[RINGS], unsigned n)
{
    enum { WRITE = 2 };

    memset(page, 0, RINGS);
    for (unsigned q = 0; q < 2; q++) {
        uint8_t *ring = page + q * RING_BYTES;
        for (unsigned i = 0; i < 4; i++) {
            put(ring + DESCRIPTORS + 16 * i, q ? FRAME : 0x2000 + 0x800 * i, 8);
            put(ring + DESCRIPTORS + 16 * i + 8, q ? 0x80 : 0x800, 4);
            put(ring + DESCRIPTORS + 16 * i + 12, q ? 0 : WRITE, 2);
            put(ring + DRIVER + 4 + 2 * i, i, 2);
        }
        put(ring + DRIVER + 2, 4, 2);
    }
    static const uint8_t tcp[] = {8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6},
                         offload[] = {1, 1, 0, 0, 48, 0, 34, 0, 16, 0};
    memcpy(page + FRAME, offload, n ? sizeof offload : 0); /* by who agreed on it */
    memcpy(page + FRAME + VIRTIO_NET_HEADER + 2 * MAC, tcp, sizeof tcp);
    page[FRAME + VIRTIO_NET_HEADER + 46] = 0x50;
    memcpy(page + FRAME + VIRTIO_NET_HEADER, nic[!n].mac, MAC);
    memcpy(page + FRAME + VIRTIO_NET_HEADER + MAC, nic[n].mac, MAC);
}

static void attach(unsigned n)
{
    struct side *s = &side[n];

    if (!s->net.virtio.pci.host)
        assert(virtio_net_attach(&s->net, &s->host, 1, &s->storage, &nic[n], NULL, NULL) == 0);
}

/* No guest sends from another's address, so none that comes from there is in a queue. */
static void sources_are_true(const struct port *p)
{
    struct frame_queue q = p->queue;
    const uint8_t *frame;
    unsigned bytes;

    for (; (frame = frame_queue_first(&q, &bytes)); frame_queue_drop(&q)) {
        assert(bytes >= ETHERNET_HEADER && bytes <= (p->takes_segments ? ETHERNET_UNCUT : ETHERNET_ROOM));
        assert(!frame_queue_offload(&q)->flags || p->takes_checksum);
        for (unsigned n = 0; n < MACHINES; n++)
            assert(p != &side[n].net.port || memcmp(frame + MAC, nic[n].mac, MAC));
    }
}

static void from_outside(struct input *in)
{
    uint8_t frame[ETHERNET_ROOM + 100];
    unsigned bytes = take(in, 2) % sizeof frame;

    memset(frame, 0, sizeof frame);
    for (unsigned i = 0; i < 20 && i < bytes; i++)
        frame[i] = (uint8_t)take(in, 1);
    lan_send(&uplink, frame, bytes);
}

static void configuration(struct side *s, struct input *in)
{
    bus_port_write(&s->bus, 0xcf8, 4, 0x80000800u | take(in, 1));
    if (take(in, 1) & 1)
        bus_port_write(&s->bus, 0xcfc, 4, take(in, 4));
    else
        bus_port_read(&s->bus, 0xcfc, 4);
}

static void step(struct input *in)
{
    static const uint8_t size[4] = {1, 2, 4, 8};
    uint8_t op = take(in, 1);
    struct side *s = &side[op >> 4 & 1];

    switch (op & 15) {
    case 0: set(s, NOTIFY, 2, 0); break;
    case 1: set(s, take(in, 2) & 0x3fff, size[op >> 6], take(in, 8)); break;
    case 2: bus_mmio_read(&s->bus, BAR + (take(in, 2) & 0x3fff), size[op >> 6]); break;
    case 3: configuration(s, in); break;
    case 4: pci_reset(&s->host); break;
    case 5: bring_up(s, op & 32); break;
    case 6: virtio_net_detach(&s->net); break;
    case 7: attach(s - side); break;
    case 8: lan_leave(&s->net.port); break;
    case 9:
        if (s->net.virtio.pci.host && !s->net.port.lan)
            lan_join(lan, &s->net.port);
        break;
    case 10: s->storage.account.limit = op & 32 ? s->storage.account.frames : 0; break;
    case 11: {
        uint64_t word = take(in, 8);
        guest_write(&s->storage, gpa(take(in, 2) & (RINGS - 1)), &word, 8);
        break;
    }
    case 12: from_outside(in); break;
    case 13:
        for (unsigned n = 0; n < 8 && work_waits(); n++)
            work_run();
        break;
    case 14: frame_queue_clear(&uplink.queue); break;
    default:
        set(s, NOTIFY + 4, 2, 1);
        for (unsigned n = 0; n < MACHINES; n++)
            sources_are_true(&side[n].net.port);
        sources_are_true(&uplink);
    }
}

static void arrived(struct port *p) { (void)p; }

static void begin(const uint8_t *data, size_t bytes)
{
    const struct pci_wiring wiring = {.set_irq = ignore_irq, .message = ignore_message};
    static bool ready;

    if (!ready)
        frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 4 << 20)), 4 << 20);
    ready = true;
    lan = lan_define(LAN_SYSTEM, "NET");
    uplink = (struct port){.trunk = true, .uplink = true, .arrived = arrived, .queue = {.account = &uplink_account}};
    lan_join(lan, &uplink);
    for (unsigned n = 0; n < MACHINES; n++) {
        uint8_t page[RINGS];
        struct side *s = &side[n];
        memset(s, 0, sizeof *s);
        guest_storage_init(&s->storage, RAM, 0);
        pci_init(&s->host, &s->bus, &wiring);
        attach(n);
        lan_join(lan, &s->net.port);
        rings_build(page, n);
        for (size_t i = 0; i < bytes / MACHINES && i < RINGS; i++)
            page[i] ^= data[i + n * (bytes / MACHINES)];
        guest_write(&s->storage, gpa(0), page, RINGS);
        bring_up(s, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t rings = size / 2 < MACHINES * RINGS ? size / 2 : MACHINES * RINGS;
    struct input in = {data + rings, data + size};

    begin(data, rings);
    for (unsigned n = 0; n < MACHINES; n++)
        set(&side[n], NOTIFY + 4, 2, 1);
    while (in.at < in.end)
        step(&in);
    for (unsigned n = 0; n < MACHINES; n++) {
        virtio_net_detach(&side[n].net);
        guest_storage_free(&side[n].storage);
        assert(!side[n].storage.account.frames);
    }
    lan_end(lan);
    frame_queue_free(&uplink.queue);
    assert(!uplink_account.frames && !work_waits());
    return 0;
}
