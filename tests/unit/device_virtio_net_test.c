/* A NIC as its driver sees it: frames out of and into rings, the link, the rate, and what a driver does wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "cp/device/machine_config.h"
#include "cp/device/virtio_net.h"
#include "cp/network/table.h"
#include "cp/time/debt.h"
#include "cp/time/work.h"
#include "tests/unit/fake/clock.h"

enum { SLOT = 3, GSI = 19, RAM = 4 << 20, QUEUE = 128, NEXT = 1, WRITE = 2, RECEIVE = 0, TRANSMIT = 1 };
enum { BAR = PCI_MEMORY_BASE + SLOT * PCI_MEMORY_SLOT_BYTES, CONFIG = 0x2000, NOTIFY = 0x3000 };
enum { RINGS = 0x1000, RING_BYTES = 0x4000, DESC = 0, DRIVER = 0x1000, DEVICE = 0x2000, DATA = 0x100000 };

static struct bus bus;
static struct pci_host host;
static struct guest_storage storage;
static struct virtio_net net;
static struct lan *lan;
static struct port other; /* the rest of the LAN */
static struct frame_account other_account;
static struct debt debt;
static uint16_t available[2], used[2];
static bool level;

static void wire(void *context, unsigned gsi, bool on)
{
    (void)context;
    if (gsi == GSI)
        level = on;
}

static void other_arrived(struct port *p) { (void)p; }

static void set(unsigned offset, unsigned bytes, uint64_t value) { bus_mmio_write(&bus, BAR + offset, bytes, value); }
static uint64_t get(unsigned offset, unsigned bytes) { return bus_mmio_read(&bus, BAR + offset, bytes); }

static void poke(uint64_t at, const void *from, size_t bytes)
{
    assert_int_equal(guest_write(&storage, gpa(at), from, bytes), GUEST_OK);
}

static uint64_t ring(unsigned queue) { return RINGS + queue * RING_BYTES; }

static void bring_up_with(uint32_t features)
{
    set(20, 1, 0);
    set(8, 4, 0);
    set(12, 4, features);
    set(8, 4, 1);
    set(12, 4, 1);
    set(20, 1, 11);
    assert_int_equal(get(20, 1), 11);
    for (unsigned q = 0; q < 2; q++) {
        guest_fill(&storage, gpa(ring(q)), 0, RING_BYTES);
        set(22, 2, q);
        set(24, 2, QUEUE);
        set(32, 8, ring(q) + DESC);
        set(40, 8, ring(q) + DRIVER);
        set(48, 8, ring(q) + DEVICE);
        set(28, 2, 1);
        available[q] = used[q] = 0;
    }
    set(20, 1, 15);
}

static void bring_up(void) { bring_up_with(1 << 5 | 1 << 16); }

static int start(uint32_t rate)
{
    const struct pci_wiring wiring = {.set_irq = wire};
    const struct machine_nic nic = {.vdev = 0x600, .mac = {2, 0, 0, 0, 0, 1}, .rate = rate};

    fake_clock_reset(1000000000);
    level = false;
    memset(&bus, 0, sizeof bus);
    memset(&net, 0, sizeof net);
    guest_storage_init(&storage, RAM, 0);
    pci_init(&host, &bus, &wiring);
    lan = lan_define(LAN_SYSTEM, "NET");
    other = (struct port){.mac = {2, 0, 0, 0, 0, 2}, .arrived = other_arrived, .queue = {.account = &other_account}};
    lan_join(lan, &other);
    assert_int_equal(virtio_net_attach(&net, &host, SLOT, &storage, &nic, &debt, &debt), 0);
    lan_join(lan, &net.port);
    bring_up();
    return 0;
}

static int set_up(void **state) { return (void)state, start(0); }
static int set_up_slow(void **state) { return (void)state, start(64); }

static int tear_down(void **state)
{
    (void)state;
    virtio_net_detach(&net);
    assert_null(net.port.lan);
    assert_false(net.paid.armed);
    lan_end(lan);
    frame_queue_free(&other.queue);
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, 0);
    assert_false(work_waits());
    return 0;
}

static void work(void)
{
    while (work_waits())
        work_run();
}

static void describe(unsigned queue, unsigned n, uint64_t at, uint32_t bytes, uint16_t flags)
{
    const struct { uint64_t at; uint32_t bytes; uint16_t flags, next; } d = {at, bytes, flags, (uint16_t)(n + 1)};

    poke(ring(queue) + DESC + 16 * n, &d, sizeof d);
}

static void offer(unsigned queue, uint16_t head)
{
    poke(ring(queue) + DRIVER + 4 + 2 * (available[queue] % QUEUE), &head, 2);
    available[queue]++;
    poke(ring(queue) + DRIVER + 2, &available[queue], 2);
}

static void notify(unsigned queue)
{
    work_slice();
    set(NOTIFY + 4 * queue, 2, queue);
    work();
}

/* The bytes written into the next chain that came back; -1: none. */
static int take(unsigned queue)
{
    uint16_t index;
    uint32_t element[2];

    guest_read(&storage, gpa(ring(queue) + DEVICE + 2), &index, 2);
    if (index == used[queue])
        return -1;
    guest_read(&storage, gpa(ring(queue) + DEVICE + 4 + 8 * (used[queue]++ % QUEUE)), element, 8);
    return (int)element[1];
}

/* A frame of that length to the other, with its header, in the guest's storage. */
static void frame_at(uint64_t at, unsigned bytes)
{
    uint8_t frame[VIRTIO_NET_HEADER + 4096] = {0};

    for (unsigned i = VIRTIO_NET_HEADER; i < sizeof frame; i++)
        frame[i] = (uint8_t)i;
    memcpy(frame + VIRTIO_NET_HEADER, other.mac, MAC);
    memcpy(frame + VIRTIO_NET_HEADER + MAC, net.port.mac, MAC);
    poke(at, frame, VIRTIO_NET_HEADER + bytes);
}

static void send(unsigned n, unsigned bytes)
{
    frame_at(DATA + 0x2000 * n, bytes);
    describe(TRANSMIT, n, DATA + 0x2000 * n, VIRTIO_NET_HEADER + bytes, 0);
    offer(TRANSMIT, (uint16_t)n);
}

static void give(unsigned bytes)
{
    uint8_t frame[ETHERNET_MOST];

    for (unsigned i = 0; i < sizeof frame; i++)
        frame[i] = (uint8_t)(i * 3);
    memcpy(frame, net.port.mac, MAC);
    memcpy(frame + MAC, other.mac, MAC);
    frame[12] = 8;
    assert_true(lan_send(&other, frame, bytes));
}

static void it_says_its_address_and_that_the_link_is_up(void **state)
{
    uint8_t generation = (uint8_t)get(21, 1);

    (void)state;
    for (unsigned i = 0; i < MAC; i++)
        assert_int_equal(get(CONFIG + i, 1), net.port.mac[i]);
    assert_int_equal(get(CONFIG + 6, 2), 1);
    lan_leave(&net.port);
    assert_int_equal(get(CONFIG + 6, 2), 0);
    assert_int_not_equal(get(21, 1), generation);
    assert_true(level);
    assert_int_equal(get(0x1000, 1), 2); /* a change of configuration */
    assert_false(level);
    lan_join(lan, &net.port);
    assert_int_equal(get(CONFIG + 6, 2), 1);
}

static void a_frame_goes_out_as_it_is(void **state)
{
    unsigned bytes;
    const uint8_t *got;

    (void)state;
    frame_at(DATA, 100);
    describe(TRANSMIT, 0, DATA, 5, NEXT); /* however it is cut */
    describe(TRANSMIT, 1, DATA + 5, 30, NEXT);
    describe(TRANSMIT, 2, DATA + 35, 77, 0);
    offer(TRANSMIT, 0);
    notify(TRANSMIT);
    assert_int_equal(take(TRANSMIT), 0);
    assert_true(level);
    got = frame_queue_first(&other.queue, &bytes);
    assert_int_equal(bytes, 100);
    assert_int_equal(got[50], VIRTIO_NET_HEADER + 50);
    assert_int_equal(net.port.sent.frames, 1);
}

static void frames_of_any_length_come_back_and_are_counted(void **state)
{
    static const unsigned length[] = {0, 1, 13, 14, 60, ETHERNET_MOST, ETHERNET_MOST + 1, 2000, 4000};

    (void)state;
    for (unsigned i = 0; i < sizeof length / sizeof *length; i++) {
        send(i, length[i]);
        notify(TRANSMIT);
        assert_int_equal(take(TRANSMIT), 0);
    }
    describe(TRANSMIT, 20, DATA, 5, 0); /* less than a header */
    offer(TRANSMIT, 20);
    notify(TRANSMIT);
    assert_int_equal(take(TRANSMIT), 0);
    assert_int_equal(net.port.sent.frames, 3);
    assert_int_equal(net.port.sent.errors, 7);
    assert_int_equal(other.queue.count, 3);
    assert_int_equal(get(20, 1), 15);
}

static void work_that_was_not_offered_is_not_done(void **state)
{
    uint8_t checksum = 1;

    (void)state;
    send(0, 100);
    poke(DATA, &checksum, 1);
    notify(TRANSMIT);
    assert_int_equal(net.port.sent.errors, 1);
    assert_int_equal(other.queue.count, 0);
}

static void a_frame_comes_in_behind_its_header(void **state)
{
    uint8_t got[2000];

    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* in two pieces */
        describe(RECEIVE, 2 * i, DATA + 0x1000 * i, 20, NEXT | WRITE);
        describe(RECEIVE, 2 * i + 1, DATA + 0x800 + 0x1000 * i, 1600, WRITE);
        offer(RECEIVE, (uint16_t)(2 * i));
    }
    give(ETHERNET_MOST);
    work();
    assert_true(level);
    assert_int_equal(take(RECEIVE), VIRTIO_NET_HEADER + ETHERNET_MOST);
    assert_int_equal(take(RECEIVE), -1);
    guest_read(&storage, gpa(DATA), got, 20);
    for (unsigned i = 0; i < VIRTIO_NET_HEADER; i++)
        assert_int_equal(got[i], i == 10);
    assert_memory_equal(got + VIRTIO_NET_HEADER, net.port.mac, MAC);
    guest_read(&storage, gpa(DATA + 0x800), got, 1600);
    assert_int_equal(got[100], (uint8_t)((100 + 8) * 3));
    assert_int_equal(net.port.received.frames, 1);
}

static void what_comes_waits_for_a_place_and_is_lost_behind_that(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FRAME_QUEUE + 5; i++) {
        give(60);
        work();
    }
    assert_int_equal(take(RECEIVE), -1);
    assert_int_equal(net.port.received.discarded, 5);
    assert_true(virtio_net_is_busy(&net));
    for (unsigned i = 0; i < QUEUE; i++) {
        describe(RECEIVE, i, DATA + 0x800 * i, 0x800, WRITE);
        offer(RECEIVE, (uint16_t)i);
    }
    notify(RECEIVE);
    for (unsigned i = 0; i < FRAME_QUEUE; i++)
        assert_int_equal(take(RECEIVE), VIRTIO_NET_HEADER + 60);
    assert_false(virtio_net_is_busy(&net));
}

static void a_place_that_is_too_small_breaks_the_device(void **state)
{
    (void)state;
    describe(RECEIVE, 0, DATA, 60, WRITE);
    offer(RECEIVE, 0);
    give(60);
    work();
    assert_int_equal(get(20, 1) & VIRTIO_NEEDS_RESET, VIRTIO_NEEDS_RESET);
    give(60);
    work();
    assert_int_equal(net.port.queue.count, 0);
    bring_up();
    send(0, 100);
    notify(TRANSMIT);
    assert_int_equal(other.queue.count, 1);
}

static void without_a_driver_nothing_is_kept(void **state)
{
    (void)state;
    set(20, 1, 0);
    give(60);
    work();
    assert_int_equal(net.port.queue.count, 0);
    assert_int_equal(net.port.received.discarded, 1);
}

static void without_a_lan_frames_go_nowhere(void **state)
{
    (void)state;
    lan_leave(&net.port);
    send(0, 100);
    notify(TRANSMIT);
    assert_int_equal(take(TRANSMIT), 0);
    assert_int_equal(net.port.sent.discarded, 1);
}

/* 64 KiB a second, of which a burst comes first. */
static void who_sends_too_fast_waits(void **state)
{
    unsigned sent = 0, before;

    (void)state;
    for (unsigned i = 0; i < QUEUE; i++)
        send(i, 1500);
    notify(TRANSMIT);
    for (before = 0; take(TRANSMIT) >= 0;)
        before++;
    assert_in_range(before, 10, 12);
    assert_true(virtio_net_is_busy(&net));
    for (unsigned ms = 0; ms < 500; ms++) {
        fake_clock_advance(1000000);
        work_slice();
        timer_run(clock_now());
        work();
        while (take(TRANSMIT) >= 0)
            sent++;
    }
    assert_in_range(sent, 20, 23);
    assert_int_equal(net.port.sent.discarded, 0);
}

/* CSUM, GUEST_CSUM, GUEST_TSO4, HOST_TSO4 and MRG_RXBUF */
static void bring_up_offloads(void) { bring_up_with(3 | 1 << 5 | 1 << 7 | 1 << 11 | 1 << 15 | 1 << 16); }

static void places(unsigned first, unsigned count, uint32_t bytes)
{
    for (unsigned i = first; i < first + count; i++) {
        describe(RECEIVE, i, DATA + 0x2000 * i, bytes, WRITE);
        offer(RECEIVE, (uint16_t)i);
    }
    notify(RECEIVE);
}

static void a_frame_comes_in_as_many_places_as_it_takes(void **state)
{
    uint8_t got[1000];
    uint16_t buffers;

    (void)state;
    bring_up_offloads();
    places(0, 2, 1000);
    give(ETHERNET_MOST);
    give(60);
    work();
    assert_int_equal(take(RECEIVE), 1000);
    assert_int_equal(take(RECEIVE), VIRTIO_NET_HEADER + ETHERNET_MOST - 1000);
    assert_int_equal(take(RECEIVE), -1);
    guest_read(&storage, gpa(DATA + 10), &buffers, 2);
    assert_int_equal(buffers, 2);
    guest_read(&storage, gpa(DATA + 0x2000), got, 10);
    assert_int_equal(got[0], (uint8_t)((1000 - VIRTIO_NET_HEADER) * 3));
    assert_int_equal(net.port.queue.count, 1);
    give(ETHERNET_MOST);
    places(2, 2, 1000); /* for the short one, and too few for the other */
    assert_int_equal(take(RECEIVE), VIRTIO_NET_HEADER + 60);
    assert_int_equal(take(RECEIVE), -1);
    places(4, 1, 1000);
    assert_int_equal(take(RECEIVE), 1000);
    assert_int_equal(take(RECEIVE), VIRTIO_NET_HEADER + ETHERNET_MOST - 1000);
    assert_int_equal(net.port.queue.count, 0);
    places(5, 1, 11); /* not even a header */
    give(60);
    work();
    assert_int_equal(get(20, 1) & VIRTIO_NEEDS_RESET, VIRTIO_NEEDS_RESET);
}

static void what_is_left_to_be_done_stands_before_the_frame(void **state)
{
    const struct offload o = {.flags = 1, .checksum_start = 34, .checksum_offset = 16};
    struct offload got;

    (void)state;
    bring_up_offloads();
    places(0, 1, 2000);
    frame_at(DATA + 0x10000, 100);
    poke(DATA + 0x10000, &o, sizeof o);
    describe(TRANSMIT, 0, DATA + 0x10000, VIRTIO_NET_HEADER + 100, 0);
    offer(TRANSMIT, 0);
    notify(TRANSMIT);
    assert_int_equal(net.port.sent.frames, 1);
    assert_int_equal(frame_queue_offload(&other.queue)->flags, 0); /* done, for who does not */
    uint8_t frame[100] = {0};
    memcpy(frame, net.port.mac, MAC);
    memcpy(frame + MAC, other.mac, MAC);
    assert_true(lan_send_offloaded(&other, frame, sizeof frame, &o));
    work();
    assert_int_equal(take(RECEIVE), VIRTIO_NET_HEADER + 100);
    guest_read(&storage, gpa(DATA), &got, sizeof got);
    assert_memory_equal(&got, &o, sizeof o);
    bring_up(); /* a driver that takes none */
    places(0, 1, 2000);
    assert_true(lan_send_offloaded(&other, frame, sizeof frame, &o));
    work();
    guest_read(&storage, gpa(DATA), &got, sizeof got);
    assert_int_equal(got.flags, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_says_its_address_and_that_the_link_is_up),
        T(a_frame_goes_out_as_it_is),
        T(frames_of_any_length_come_back_and_are_counted),
        T(work_that_was_not_offered_is_not_done),
        T(a_frame_comes_in_behind_its_header),
        T(what_comes_waits_for_a_place_and_is_lost_behind_that),
        T(a_place_that_is_too_small_breaks_the_device),
        T(without_a_driver_nothing_is_kept),
        T(without_a_lan_frames_go_nowhere),
        T(a_frame_comes_in_as_many_places_as_it_takes),
        T(what_is_left_to_be_done_stands_before_the_frame),
        cmocka_unit_test_setup_teardown(who_sends_too_fast_waits, set_up_slow, tear_down),
    };

    frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 16 << 20)), 16 << 20);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
