/* The test is the guest: it finds the device on PCI, brings it up and drives its ring as a driver would, or as none should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cp/device/virtio_blk.h"
#include "tests/unit/fake/disk.h"

enum { SLOT = 3, GSI = 19, RAM = 4 << 20, SECTORS = 4096 };
enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
enum { DESC = 0x1000, DRIVER = 0x2000, DEVICE = 0x3000, HEADERS = 0x4000, STATUSES = 0x5000, TABLES = 0x8000, DATA = 0x100000 };
enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8 };

struct descriptor {
    uint64_t at;
    uint32_t bytes;
    uint16_t flags, next;
};

static struct bus bus;
static struct pci_host host;
static struct guest_storage storage;
static struct virtio_blk blk;
static struct fake_disk disk;
static bool level[24];
static unsigned rises, messages;
static uint64_t frames_before;
static uint16_t size, available, used; /* the driver's own indices */
static unsigned free_descriptor;

static void wire(void *context, unsigned gsi, bool on)
{
    (void)context;
    rises += gsi == GSI && on;
    level[gsi] = on;
}

static void message(void *context, uint64_t address, uint32_t data)
{
    (void)context;
    assert_int_equal(address, 0xfee00000);
    assert_int_equal(data, 0x51);
    messages++;
}

static void poke(uint64_t at, const void *from, size_t bytes)
{
    assert_int_equal(guest_write(&storage, gpa(at), from, bytes), GUEST_OK);
}

static void poke16(uint64_t at, uint16_t value) { poke(at, &value, 2); }

static uint16_t peek16(uint64_t at)
{
    uint16_t value;

    assert_int_equal(guest_read(&storage, gpa(at), &value, 2), GUEST_OK);
    return value;
}

static uint8_t peek8(uint64_t at)
{
    uint8_t value;

    assert_int_equal(guest_read(&storage, gpa(at), &value, 1), GUEST_OK);
    return value;
}

static uint32_t config(unsigned offset, unsigned bytes)
{
    bus_port_write(&bus, 0xcf8, 4, 0x80000000u | SLOT << 11 | (offset & 0xfc));
    return bus_port_read(&bus, 0xcfc + offset % 4, bytes);
}

static void config_set(unsigned offset, unsigned bytes, uint32_t value)
{
    bus_port_write(&bus, 0xcf8, 4, 0x80000000u | SLOT << 11 | (offset & 0xfc));
    bus_port_write(&bus, 0xcfc + offset % 4, bytes, value);
}

/* the capability of that type, found by its list */
static unsigned capability(unsigned type)
{
    unsigned at = config(0x34, 1);

    while (at && (config(at, 1) != 9 || config(at + 3, 1) != type))
        at = config(at + 1, 1);
    assert_int_not_equal(at, 0);
    return at;
}

static uint64_t structure(unsigned type)
{
    return (config(0x10 + 4 * config(capability(type) + 4, 1), 4) & ~15u) + config(capability(type) + 8, 4);
}

static uint64_t common(unsigned offset, unsigned bytes) { return bus_mmio_read(&bus, structure(1) + offset, bytes); }
static void common_set(unsigned offset, unsigned bytes, uint64_t value) { bus_mmio_write(&bus, structure(1) + offset, bytes, value); }
static uint8_t status(void) { return common(20, 1); }
static uint8_t isr(void) { return bus_mmio_read(&bus, structure(3), 1); }

static void notify(void)
{
    common_set(22, 2, 0);
    bus_mmio_write(&bus, structure(2) + common(30, 2) * config(capability(2) + 16, 4), 2, 0);
}

static uint64_t offered(void)
{
    uint64_t low;

    common_set(0, 4, 0);
    low = common(4, 4);
    common_set(0, 4, 1);
    return low | common(4, 4) << 32;
}

static void accept(uint64_t features)
{
    common_set(8, 4, 0);
    common_set(12, 4, (uint32_t)features);
    common_set(8, 4, 1);
    common_set(12, 4, features >> 32);
    common_set(20, 1, 1 | 2);
    common_set(20, 1, 1 | 2 | 8);
}

static void queue_up(uint16_t entries)
{
    size = entries;
    available = used = 0;
    free_descriptor = 0;
    guest_fill(&storage, gpa(DESC), 0, 0x3000);
    common_set(22, 2, 0);
    common_set(24, 2, entries);
    common_set(32, 8, DESC);
    common_set(40, 4, DRIVER);
    common_set(44, 4, 0);
    common_set(48, 8, DEVICE);
    common_set(28, 2, 1);
    common_set(20, 1, 1 | 2 | 4 | 8);
}

static void bring_up(uint64_t features, uint16_t entries)
{
    common_set(20, 1, 0);
    assert_int_equal(status(), 0);
    accept(features);
    assert_int_equal(status() & 8, 8);
    queue_up(entries);
}

static uint64_t all_features(void) { return offered() & ~VIRTIO_F_EVENT_IDX; }

static int attach(bool read_only, bool with_messages)
{
    struct pci_wiring wiring = {.set_irq = wire, .message = with_messages ? message : NULL};

    bus = (struct bus){0};
    memset(level, 0, sizeof level);
    rises = messages = 0;
    guest_storage_init(&storage, RAM, 0);
    fake_disk_init(&disk, SECTORS, read_only);
    for (unsigned i = 0; i < SECTORS * 512; i++)
        disk.medium[i] = i / 512 ^ i * 7;
    frames_before = frame_available();
    blk = (struct virtio_blk){0};
    assert_int_equal(pci_init(&host, &bus, &wiring), 0);
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x191, &disk.disk), 0);
    return 0;
}

static int set_up(void **state)
{
    return (void)state, attach(false, false);
}

/* whatever a test did, every frame comes back */
static int tear_down(void **state)
{
    (void)state;
    virtio_blk_detach(&blk);
    fake_disk_done_all(&disk);
    assert_int_equal(virtio_blk_in_flight(&blk), 0);
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, 0);
    assert_int_equal(frame_available(), frames_before);
    fake_disk_free(&disk);
    return 0;
}

static unsigned descriptor(uint64_t at, uint32_t bytes, uint16_t flags)
{
    unsigned n = free_descriptor++;
    struct descriptor d = {at, bytes, flags, n + 1};

    poke(DESC + 16 * n, &d, sizeof d);
    return n;
}

static void offer(unsigned head)
{
    poke16(DRIVER + 4 + 2 * (available % size), head);
    poke16(DRIVER + 2, ++available);
}

static uint64_t header(unsigned n, uint32_t type, uint64_t sector)
{
    const struct { uint32_t type, reserved; uint64_t sector; } h = {type, 0, sector};
    uint8_t none = 0xee;

    poke(HEADERS + 16 * n, &h, sizeof h);
    poke(STATUSES + n, &none, 1);
    return HEADERS + 16 * n;
}

/* A request of the usual three descriptors; its number is its head and names its header and its status byte. */
static unsigned request(uint32_t type, uint64_t sector, uint64_t at, uint32_t bytes)
{
    unsigned n = descriptor(header(free_descriptor, type, sector), 16, NEXT);

    if (bytes)
        descriptor(at, bytes, NEXT | (type == OUT ? 0 : WRITE));
    descriptor(STATUSES + n, 1, WRITE);
    offer(n);
    return n;
}

/* The next used element: its head, or -1. */
static int take_used(uint32_t *length)
{
    uint32_t element[2];

    if (peek16(DEVICE + 2) == used)
        return -1;
    guest_read(&storage, gpa(DEVICE + 4 + 8 * (used++ % size)), element, 8);
    if (length)
        *length = element[1];
    return element[0];
}

static void assert_data(uint64_t at, uint64_t sector, uint32_t bytes)
{
    uint8_t *copy = malloc(bytes);

    assert_int_equal(guest_read(&storage, gpa(at), copy, bytes), GUEST_OK);
    assert_memory_equal(copy, disk.medium + sector * 512, bytes);
    free(copy);
}

/* ---- the transport ---- */

static void is_a_modern_block_device(void **state)
{
    (void)state;
    assert_int_equal(config(0, 4), 0x10421af4);
    assert_int_equal(config(8, 1), 1);
    assert_int_equal(common(18, 2), 1);
    assert_int_equal(common(24, 2), 256);
    assert_int_equal(offered(), 1ull << 32 | 1 << 29 | 1 << 28 | 1 << 9 | 1 << 6 | 1 << 2);
    assert_int_equal(bus_mmio_read(&bus, structure(4), 8), SECTORS);
    assert_int_equal(bus_mmio_read(&bus, structure(4) + 20, 4), 512);
    assert_int_equal(bus_mmio_read(&bus, structure(4) + 60, 8), 0);
    assert_int_equal(status(), 0);
}

static void unknown_features_or_legacy_are_refused(void **state)
{
    (void)state;
    common_set(20, 1, 0);
    accept(1ull << 32 | 1ull << 40);
    assert_int_equal(status() & 8, 0);
    common_set(20, 1, 0);
    accept(1ull << 28);
    assert_int_equal(status() & 8, 0);
    common_set(20, 1, 0);
    accept(1ull << 32);
    assert_int_equal(status() & 8, 8);
    accept(1ull << 32 | 1ull << 9); /* too late */
    common_set(8, 4, 0);
    assert_int_equal(common(12, 4), 0);
}

static void queue_registers_hold_until_enabled(void **state)
{
    (void)state;
    common_set(22, 2, 0);
    common_set(24, 2, 96); /* no power of two */
    assert_int_equal(common(24, 2), 256);
    common_set(24, 2, 512);
    assert_int_equal(common(24, 2), 256);
    common_set(24, 2, 16);
    common_set(32, 8, 0x123450);
    assert_int_equal(common(32, 4), 0x123450);
    common_set(28, 2, 1);
    common_set(24, 2, 32);
    common_set(32, 8, 0);
    assert_int_equal(common(24, 2), 16);
    assert_int_equal(common(32, 8), 0x123450);
    common_set(22, 2, 1);
    assert_int_equal(common(24, 2), 0);
    common_set(24, 2, 16);
    common_set(20, 1, 0);
    assert_int_equal(common(24, 2), 256);
}

static void notify_before_driver_ok_does_nothing(void **state)
{
    (void)state;
    bring_up(all_features(), 16);
    common_set(20, 1, 0);
    request(IN, 0, DATA, 512);
    notify();
    assert_int_equal(disk.waiting, 0);
}

static void configuration_window_reaches_the_registers(void **state)
{
    unsigned window = capability(5), at = structure(1) - structure(1) % 0x4000;

    (void)state;
    config_set(window + 8, 4, structure(1) - at + 20);
    config_set(window + 12, 4, 1);
    config_set(window + 16, 1, 3);
    assert_int_equal(status(), 3);
    assert_int_equal(config(window + 16, 1), 3);
    config_set(window + 8, 4, structure(4) - at);
    config_set(window + 12, 4, 4);
    assert_int_equal(config(window + 16, 4), SECTORS);
    config_set(window + 8, 4, 0xfffffffc); /* far outside */
    config(window + 16, 4);
    config_set(window + 16, 4, 0);
    config_set(window + 12, 4, 3);
    config_set(window + 8, 4, 0x3fff);
    config(window + 16, 4);
    config_set(window + 12, 4, 4);
    config(window + 16, 4);
    config_set(window + 16, 4, 1);
    assert_int_equal(status(), 3);
}

/* ---- requests ---- */

static void read_comes_back_with_data_status_and_interrupt(void **state)
{
    uint32_t length;
    unsigned n;

    (void)state;
    bring_up(all_features(), 128);
    n = request(IN, 8, DATA, 4096);
    notify();
    assert_int_equal(peek8(STATUSES + n), 0xee);
    assert_int_equal(take_used(NULL), -1);
    assert_false(level[GSI]);
    fake_disk_done_all(&disk);
    assert_true(level[GSI]);
    assert_int_equal(isr(), 1);
    assert_false(level[GSI]);
    assert_int_equal(take_used(&length), n);
    assert_int_equal(length, 4097);
    assert_int_equal(peek8(STATUSES + n), 0);
    assert_data(DATA, 8, 4096);
}

static void write_reaches_the_medium(void **state)
{
    uint8_t text[1024];

    (void)state;
    memset(text, 0x5a, sizeof text);
    poke(DATA, text, sizeof text);
    bring_up(all_features(), 128);
    request(OUT, 100, DATA, sizeof text);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    assert_memory_equal(disk.medium + 100 * 512, text, sizeof text);
    assert_int_equal(disk.flushes, 0);
}

static void without_flush_a_write_is_through(void **state)
{
    (void)state;
    bring_up(VIRTIO_F_VERSION_1, 128);
    request(OUT, 1, DATA, 512);
    notify();
    fake_disk_done_first(&disk);
    assert_int_equal(peek8(STATUSES), 0xee);
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    assert_int_equal(disk.flushes, 1);
}

static void flush_and_identity(void **state)
{
    unsigned flush, id;
    char serial[20];

    (void)state;
    bring_up(all_features(), 128);
    flush = request(FLUSH, 0, 0, 0);
    id = request(GET_ID, 0, DATA, 20);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(disk.flushes, 1);
    assert_int_equal(peek8(STATUSES + flush), 0);
    assert_int_equal(peek8(STATUSES + id), 0);
    guest_read(&storage, gpa(DATA), serial, sizeof serial);
    assert_string_equal(serial, "0191");
}

static void one_notify_serves_a_batch_with_one_interrupt_for_what_ends_together(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < 20; i++)
        request(IN, i, DATA + 4096 * i, 512);
    notify();
    assert_int_equal(disk.waiting, VIRTIO_BLK_REQUESTS); /* the rest waits in the ring */
    fake_disk_done_all(&disk);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(take_used(NULL), 3 * i);
        assert_data(DATA + 4096 * i, i, 512);
    }
    assert_int_equal(take_used(NULL), -1);
    assert_int_equal(rises, 1);
    assert_in_range(blk.requests, 1, VIRTIO_BLK_REQUESTS);
}

static void suppressed_interrupts_do_not_come(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    poke16(DRIVER, 1);
    request(IN, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(rises, 0);
    assert_int_equal(take_used(NULL), 0);
}

static void event_index_tells_when_to_interrupt_and_when_to_notify(void **state)
{
    (void)state;
    bring_up(offered(), 128);
    poke16(DRIVER + 4 + 2 * 128, 2); /* used_event: after the third */
    for (unsigned i = 0; i < 2; i++)
        request(IN, i, DATA, 512);
    notify();
    assert_int_equal(peek16(DEVICE + 4 + 8 * 128), 2); /* avail_event: tell me when you add another */
    fake_disk_done_all(&disk);
    assert_int_equal(rises, 0);
    request(IN, 2, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(rises, 1);
}

static void ring_indices_wrap(void **state)
{
    (void)state;
    bring_up(all_features(), 4);
    for (unsigned i = 0; i < 70000; i++) {
        free_descriptor = 0;
        request(IN, i % SECTORS, DATA, 512);
        notify();
        fake_disk_done_all(&disk);
        assert_int_equal(take_used(NULL), 0);
    }
    assert_int_equal(status() & 64, 0);
}

static void indirect_tables_are_followed(void **state)
{
    struct descriptor table[3] = {{HEADERS, 16, NEXT, 2}, {STATUSES, 1, WRITE, 0}, {DATA, 1024, NEXT | WRITE, 1}};

    (void)state;
    bring_up(all_features(), 128);
    header(0, IN, 30);
    poke(TABLES, table, sizeof table);
    offer(descriptor(TABLES, sizeof table, INDIRECT));
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(take_used(NULL), 0);
    assert_data(DATA, 30, 1024);
}

static void direct_descriptors_may_end_in_an_indirect_one(void **state)
{
    struct descriptor table[2] = {{DATA, 512, NEXT | WRITE, 1}, {STATUSES, 1, WRITE, 0}};

    (void)state;
    bring_up(all_features(), 128);
    header(0, IN, 31);
    poke(TABLES, table, sizeof table);
    descriptor(HEADERS, 16, NEXT);
    descriptor(TABLES, sizeof table, INDIRECT);
    offer(0);
    notify();
    fake_disk_done_all(&disk);
    assert_data(DATA, 31, 512);
    assert_int_equal(peek8(STATUSES), 0);
}

/* header and status cut to single bytes, data in odd pieces that cross pages within a sector */
static void how_buffers_are_cut_does_not_matter(void **state)
{
    static const uint32_t piece[] = {1, 700, 4099, 511, 8000, 3073};
    uint64_t at = DATA + 4096 - 100;
    uint8_t *copy = malloc(16384), *p = copy;

    (void)state;
    bring_up(all_features(), 128);
    header(0, IN, 50);
    for (unsigned i = 0; i < 16; i++)
        descriptor(HEADERS + i, 1, NEXT);
    for (unsigned i = 0; i < 6; at += piece[i++] + 33)
        descriptor(at, piece[i], NEXT | WRITE);
    descriptor(STATUSES, 1, WRITE);
    offer(0);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    at = DATA + 4096 - 100;
    for (unsigned i = 0; i < 6; p += piece[i], at += piece[i++] + 33)
        guest_read(&storage, gpa(at), p, piece[i]);
    assert_memory_equal(copy, disk.medium + 50 * 512, 16384);
    free(copy);
}

static void unaligned_write_arrives_whole(void **state)
{
    uint8_t *text = malloc(65536);

    (void)state;
    for (unsigned i = 0; i < 65536; i++)
        text[i] = i * 31 >> 3;
    poke(DATA + 77, text, 65536);
    bring_up(all_features(), 128);
    request(OUT, 200, DATA + 77, 65536);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    assert_memory_equal(disk.medium + 200 * 512, text, 65536);
    free(text);
}

static void a_long_aligned_read_goes_in_few_transfers(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 1 << 20);
    notify();
    fake_disk_done_all(&disk);
    assert_data(DATA, 0, 1 << 20);
    assert_in_range(disk.reads, 1, 6); /* 256 pages, 48 segments each at the worst */
}

static void the_longest_chain_announced_is_served(void **state)
{
    uint32_t segments = bus_mmio_read(&bus, structure(4) + 12, 4);

    (void)state;
    assert_int_equal(segments, 128);
    bring_up(all_features(), 256);
    descriptor(header(0, IN, 7), 16, NEXT);
    for (unsigned i = 0; i < segments; i++)
        descriptor(DATA + 8192 * i, 512, NEXT | WRITE);
    descriptor(STATUSES, 1, WRITE);
    offer(0);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    for (unsigned i = 0; i < segments; i++)
        assert_data(DATA + 8192 * i, 7 + i, 512);
}

static void impossible_requests_fail_alone(void **state)
{
    unsigned beyond, ragged, far, unknown, good;

    (void)state;
    bring_up(all_features(), 128);
    beyond = request(IN, SECTORS - 1, DATA, 1024);
    ragged = request(IN, 0, DATA, 513);
    far = request(OUT, ~0ull, DATA, 512);
    unknown = request(99, 0, DATA, 512);
    good = request(IN, SECTORS - 1, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES + beyond), 1);
    assert_int_equal(peek8(STATUSES + ragged), 1);
    assert_int_equal(peek8(STATUSES + far), 1);
    assert_int_equal(peek8(STATUSES + unknown), 2);
    assert_int_equal(peek8(STATUSES + good), 0);
    assert_int_equal(status() & 64, 0);
}

/* It would go in several transfers: not even the first one that fits is begun. */
static void a_read_over_the_end_reads_nothing(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, SECTORS - 24, DATA + 77, 32768);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 1);
    assert_int_equal(disk.reads, 0);
}

static void a_failing_medium_is_an_error_status(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    disk.fail = true;
    request(IN, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 1);
    assert_int_equal(take_used(NULL), 0);
}

static void a_read_only_disk_says_so_and_refuses_writes(void **state)
{
    tear_down(state);
    attach(true, false);
    assert_int_equal(offered() & 1 << 5, 1 << 5);
    bring_up(all_features(), 128);
    request(OUT, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 1);
    assert_int_equal(disk.writes, 0);
}

static void messages_replace_the_wire(void **state)
{
    unsigned at;
    uint64_t table;

    tear_down(state);
    attach(false, true);
    for (at = config(0x34, 1); config(at, 1) != 0x11;)
        at = config(at + 1, 1);
    table = config(0x14, 4);
    bus_mmio_write(&bus, table + 16, 8, 0xfee00000);
    bus_mmio_write(&bus, table + 24, 8, 0x51);
    config_set(at + 2, 2, 0x8000);
    common_set(20, 1, 0);
    accept(all_features());
    common_set(26, 2, 7);
    assert_int_equal(common(26, 2), 0xffff); /* no such vector */
    common_set(26, 2, 1);
    assert_int_equal(common(26, 2), 1);
    queue_up(128);
    request(IN, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(messages, 1);
    assert_int_equal(rises, 0);
    assert_int_equal(isr(), 0);
}

/* ---- reset and detach with requests in flight ---- */

static void the_guests_reset_waits_for_requests_in_flight(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < 3; i++)
        request(IN, i, DATA, 512);
    notify();
    common_set(20, 1, 0);
    assert_int_not_equal(status(), 0);
    common_set(20, 1, 15);
    common_set(20, 1, 64);
    notify();
    fake_disk_done_first(&disk);
    assert_int_not_equal(status(), 0);
    fake_disk_done_all(&disk);
    assert_int_equal(status(), 0);
    assert_int_equal(peek16(DEVICE + 2), 0); /* nothing was given back */
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(take_used(NULL), 0);
}

static void a_machine_reset_orphans_requests_in_flight(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 512);
    notify();
    pci_reset(&host);
    assert_int_equal(status(), 0);
    assert_int_equal(virtio_blk_in_flight(&blk), 1);
    fake_disk_done_all(&disk);
    assert_int_equal(virtio_blk_in_flight(&blk), 0);
    assert_int_equal(peek16(DEVICE + 2), 0);
    assert_int_equal(rises, 0);
}

static void detach_leaves_orphans_until_they_are_done(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < 4; i++)
        request(IN, i, DATA, 512);
    notify();
    virtio_blk_detach(&blk);
    assert_int_equal(config(0, 4), 0xffffffff);
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x192, &disk.disk), -EBUSY);
    fake_disk_done_all(&disk);
    assert_int_equal(blk.requests, 0);
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x192, &disk.disk), 0);
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x192, &disk.disk), -EBUSY);
}

static void attach_without_a_frame_is_refused(void **state)
{
    void *held = frame_alloc(&frame_cp_account);

    (void)state;
    virtio_blk_detach(&blk);
    frame_cp_account.limit = frame_cp_account.frames;
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x191, &disk.disk), -ENOMEM);
    frame_cp_account.limit = 0;
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x191, &disk.disk), 0);
    frame_free(&frame_cp_account, held);
}

/* SYSTEM CLEAR: the machine is reset and its storage replaced while its disks stay. */
static void storage_may_be_replaced_once_nothing_is_in_flight(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 1, DATA, 512);
    notify();
    pci_reset(&host);
    fake_disk_done_all(&disk);
    assert_int_equal(virtio_blk_in_flight(&blk), 0);
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, 0);
    guest_storage_init(&storage, RAM, 0);
    bring_up(all_features(), 128);
    request(IN, 2, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_data(DATA, 2, 512);
}

static void out_of_frames_is_an_error_status(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 512);
    storage.account.limit = storage.account.frames;
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 1);
}

/* ---- broken rings ---- */

static void assert_broken(void)
{
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(status() & 64, 64);
    assert_int_equal(isr() & 2, 2);
    assert_int_equal(disk.reads + disk.writes, 0);
    bring_up(all_features(), 128); /* and its driver can bring it back */
    request(IN, 5, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
}

#define BROKEN(name, ...)                            \
    static void name(void **state)                   \
    {                                                \
        (void)state;                                 \
        bring_up(all_features(), 128);               \
        header(0, IN, 0);                            \
        __VA_ARGS__                                  \
        assert_broken();                             \
    }

/* whatever would be served if the one fault went unnoticed */
static void good_table(uint64_t at)
{
    struct descriptor table[3] = {{HEADERS, 16, NEXT, 1}, {DATA, 512, NEXT | WRITE, 2}, {STATUSES, 1, WRITE, 0}};

    poke(at, table, sizeof table);
}

BROKEN(an_index_too_far_ahead, good_table(DESC); poke16(DRIVER + 2, 129);)
BROKEN(a_head_outside_the_table, offer(128);)
BROKEN(a_next_outside_the_table,
       struct descriptor d = {HEADERS, 16, NEXT, 200}; poke(DESC, &d, 16); offer(0);)
BROKEN(a_chain_that_loops,
       struct descriptor d = {HEADERS, 16, NEXT, 0}; poke(DESC, &d, 16); offer(0);)
BROKEN(a_loop_of_empty_descriptors,
       struct descriptor d = {HEADERS, 0, NEXT, 0}; poke(DESC, &d, 16); offer(0);)
BROKEN(a_buffer_beyond_ram, descriptor(HEADERS, 16, NEXT); descriptor(RAM - 512, 1024, NEXT | WRITE);
       descriptor(STATUSES, 1, WRITE); offer(0);)
BROKEN(a_buffer_that_wraps, descriptor(HEADERS, 16, NEXT); descriptor(~0ull - 100, 512, NEXT | WRITE);
       descriptor(STATUSES, 1, WRITE); offer(0);)
BROKEN(a_readable_buffer_after_a_writable, descriptor(HEADERS, 16, NEXT); descriptor(STATUSES, 1, NEXT | WRITE);
       descriptor(DATA, 512, 0); offer(0);)
BROKEN(a_chain_without_status, descriptor(HEADERS, 16, NEXT); descriptor(DATA, 512, 0); offer(0);)
BROKEN(a_header_too_short, descriptor(HEADERS, 15, NEXT); descriptor(STATUSES, 1, WRITE); offer(0);)
BROKEN(an_empty_indirect_table, offer(descriptor(TABLES, 0, INDIRECT));)
BROKEN(a_ragged_indirect_table, good_table(TABLES); offer(descriptor(TABLES, 56, INDIRECT));)
BROKEN(an_indirect_table_outside_ram, offer(descriptor(RAM, 48, INDIRECT));)
BROKEN(an_indirect_descriptor_with_a_successor, good_table(TABLES); offer(descriptor(TABLES, 48, INDIRECT | NEXT));)
BROKEN(an_indirect_table_in_an_indirect_table,
       struct descriptor d = {TABLES + 256, 48, INDIRECT, 0}; poke(TABLES, &d, 16); good_table(TABLES + 256); offer(descriptor(TABLES, 16, INDIRECT));)
BROKEN(an_indirect_next_outside_its_table,
       struct descriptor d = {HEADERS, 16, NEXT, 1}; poke(TABLES, &d, 16); offer(descriptor(TABLES, 16, INDIRECT));)

static void a_chain_longer_than_announced_breaks_it(void **state)
{
    struct descriptor d;

    (void)state;
    bring_up(all_features(), 128);
    header(0, IN, 0);
    for (unsigned i = 0; i < 200; i++) {
        d = (struct descriptor){HEADERS, 16, NEXT, i + 1};
        poke(TABLES + 16 * i, &d, 16);
    }
    d = (struct descriptor){STATUSES, 1, WRITE, 0};
    poke(TABLES + 16 * 200, &d, 16);
    offer(descriptor(TABLES, 16 * 201, INDIRECT));
    assert_broken();
}

static void a_buffer_across_the_hole_breaks_it(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    guest_storage_init(&storage, 5ull << 30, 0);
    bring_up(all_features(), 128);
    descriptor(header(0, IN, 0), 16, NEXT);
    descriptor(GUEST_HOLE_START - 4096, 0x40002000, NEXT | WRITE);
    descriptor(STATUSES, 1, WRITE);
    offer(0);
    assert_broken();
}

static void indirect_without_the_feature_breaks_it(void **state)
{
    (void)state;
    bring_up(VIRTIO_F_VERSION_1, 128);
    offer(descriptor(TABLES, 48, INDIRECT));
    assert_broken();
}

static void rings_outside_ram_break_only_this_device(void **state)
{
    static const unsigned field[] = {32, 40, 48};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        common_set(20, 1, 0);
        accept(all_features());
        common_set(32, 8, DESC);
        common_set(40, 8, DRIVER);
        common_set(48, 8, DEVICE);
        common_set(field[i], 8, i == 1 ? ~0ull - 3 : 1ull << 50);
        common_set(28, 2, 1);
        common_set(20, 1, 15);
        available = used = free_descriptor = 0;
        size = 128;
        request(IN, 0, DATA, 512);
        notify();
        fake_disk_done_all(&disk);
        assert_int_equal(status() & 64, 64);
        isr();
    }
}

static int start_storage(void **state)
{
    (void)state;
    frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 16 << 20)), 16 << 20);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(is_a_modern_block_device), T(unknown_features_or_legacy_are_refused), T(queue_registers_hold_until_enabled),
        T(notify_before_driver_ok_does_nothing), T(configuration_window_reaches_the_registers),
        T(read_comes_back_with_data_status_and_interrupt), T(write_reaches_the_medium),
        T(without_flush_a_write_is_through), T(flush_and_identity),
        T(one_notify_serves_a_batch_with_one_interrupt_for_what_ends_together), T(suppressed_interrupts_do_not_come),
        T(event_index_tells_when_to_interrupt_and_when_to_notify), T(ring_indices_wrap), T(indirect_tables_are_followed),
        T(direct_descriptors_may_end_in_an_indirect_one), T(how_buffers_are_cut_does_not_matter),
        T(unaligned_write_arrives_whole), T(a_long_aligned_read_goes_in_few_transfers),
        T(the_longest_chain_announced_is_served), T(impossible_requests_fail_alone), T(a_read_over_the_end_reads_nothing), T(a_failing_medium_is_an_error_status),
        T(a_read_only_disk_says_so_and_refuses_writes), T(messages_replace_the_wire),
        T(the_guests_reset_waits_for_requests_in_flight), T(a_machine_reset_orphans_requests_in_flight),
        T(detach_leaves_orphans_until_they_are_done), T(attach_without_a_frame_is_refused),
        T(storage_may_be_replaced_once_nothing_is_in_flight), T(out_of_frames_is_an_error_status), T(an_index_too_far_ahead), T(a_head_outside_the_table),
        T(a_next_outside_the_table), T(a_chain_that_loops), T(a_loop_of_empty_descriptors), T(a_buffer_beyond_ram),
        T(a_buffer_that_wraps), T(a_readable_buffer_after_a_writable), T(a_chain_without_status), T(a_header_too_short),
        T(an_empty_indirect_table), T(a_ragged_indirect_table), T(an_indirect_table_outside_ram),
        T(an_indirect_descriptor_with_a_successor), T(an_indirect_table_in_an_indirect_table),
        T(an_indirect_next_outside_its_table), T(a_chain_longer_than_announced_breaks_it),
        T(a_buffer_across_the_hole_breaks_it), T(indirect_without_the_feature_breaks_it), T(rings_outside_ram_break_only_this_device),
    };
    return cmocka_run_group_tests(tests, start_storage, NULL);
}
