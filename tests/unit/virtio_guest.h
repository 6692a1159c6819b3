/* The guest's side of a virtio disk: a machine with one such disk and nothing else, the driver that finds it on PCI,
 * brings it up and drives its ring, and the names of where things lie in its storage. For the tests that play the
 * guest. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "cp/device/virtio_blk.h"
#include "tests/unit/fake/disk.h"

enum { SLOT = 3, GSI = 19, RAM = 4 << 20, SECTORS = 4096 };
enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
enum { DESC = 0x1000, DRIVER = 0x2000, DEVICE = 0x3000, HEADERS = 0x4000, STATUSES = 0x5000, TABLES = 0x8000,
       DATA = 0x100000 };
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

static inline void wire(void *context, unsigned gsi, bool on)
{
    (void)context;
    rises += gsi == GSI && on;
    level[gsi] = on;
}

static inline void message(void *context, uint64_t address, uint32_t data)
{
    (void)context;
    assert_int_equal(address, 0xfee00000);
    assert_int_equal(data, 0x51);
    messages++;
}

static inline void poke(uint64_t at, const void *from, size_t bytes)
{
    assert_int_equal(guest_write(&storage, gpa(at), from, bytes), GUEST_OK);
}

static inline void poke16(uint64_t at, uint16_t value) { poke(at, &value, 2); }

static inline uint16_t peek16(uint64_t at)
{
    uint16_t value;

    assert_int_equal(guest_read(&storage, gpa(at), &value, 2), GUEST_OK);
    return value;
}

static inline uint8_t peek8(uint64_t at)
{
    uint8_t value;

    assert_int_equal(guest_read(&storage, gpa(at), &value, 1), GUEST_OK);
    return value;
}

static inline uint32_t config(unsigned offset, unsigned bytes)
{
    bus_port_write(&bus, 0xcf8, 4, 0x80000000u | SLOT << 11 | (offset & 0xfc));
    return bus_port_read(&bus, 0xcfc + offset % 4, bytes);
}

static inline void config_set(unsigned offset, unsigned bytes, uint32_t value)
{
    bus_port_write(&bus, 0xcf8, 4, 0x80000000u | SLOT << 11 | (offset & 0xfc));
    bus_port_write(&bus, 0xcfc + offset % 4, bytes, value);
}

/* the capability of that type, found by its list */
static inline unsigned capability(unsigned type)
{
    unsigned at = config(0x34, 1);

    while (at && (config(at, 1) != 9 || config(at + 3, 1) != type))
        at = config(at + 1, 1);
    assert_int_not_equal(at, 0);
    return at;
}

static inline uint64_t structure(unsigned type)
{
    return (config(0x10 + 4 * config(capability(type) + 4, 1), 4) & ~15u) + config(capability(type) + 8, 4);
}

static inline uint64_t common(unsigned offset, unsigned bytes)
{
    return bus_mmio_read(&bus, structure(1) + offset, bytes);
}
static inline void common_set(unsigned offset, unsigned bytes, uint64_t value)
{
    bus_mmio_write(&bus, structure(1) + offset, bytes, value);
}
static inline uint8_t status(void) { return common(20, 1); }
static inline uint8_t isr(void) { return bus_mmio_read(&bus, structure(3), 1); }

static inline void notify(void)
{
    common_set(22, 2, 0);
    bus_mmio_write(&bus, structure(2) + common(30, 2) * config(capability(2) + 16, 4), 2, 0);
}

static inline uint64_t offered(void)
{
    uint64_t low;

    common_set(0, 4, 0);
    low = common(4, 4);
    common_set(0, 4, 1);
    return low | common(4, 4) << 32;
}

static inline void accept(uint64_t features)
{
    common_set(8, 4, 0);
    common_set(12, 4, (uint32_t)features);
    common_set(8, 4, 1);
    common_set(12, 4, features >> 32);
    common_set(20, 1, 1 | 2);
    common_set(20, 1, 1 | 2 | 8);
}

static inline void queue_up(uint16_t entries)
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

static inline void bring_up(uint64_t features, uint16_t entries)
{
    common_set(20, 1, 0);
    assert_int_equal(status(), 0);
    accept(features);
    assert_int_equal(status() & 8, 8);
    queue_up(entries);
}

static inline uint64_t all_features(void) { return offered() & ~VIRTIO_F_EVENT_IDX; }

static inline int attach(bool read_only, bool with_messages)
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

static inline int set_up(void **state)
{
    return (void)state, attach(false, false);
}

/* whatever a test did, every frame comes back */
static inline int tear_down(void **state)
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

static inline unsigned descriptor(uint64_t at, uint32_t bytes, uint16_t flags)
{
    unsigned n = free_descriptor++;
    struct descriptor d = {at, bytes, flags, n + 1};

    poke(DESC + 16 * n, &d, sizeof d);
    return n;
}

static inline void offer(unsigned head)
{
    poke16(DRIVER + 4 + 2 * (available % size), head);
    poke16(DRIVER + 2, ++available);
}

static inline uint64_t header(unsigned n, uint32_t type, uint64_t sector)
{
    const struct { uint32_t type, reserved; uint64_t sector; } h = {type, 0, sector};
    uint8_t none = 0xee;

    poke(HEADERS + 16 * n, &h, sizeof h);
    poke(STATUSES + n, &none, 1);
    return HEADERS + 16 * n;
}

/* A request of the usual three descriptors; its number is its head and names its header and its status byte. */
static inline unsigned request(uint32_t type, uint64_t sector, uint64_t at, uint32_t bytes)
{
    unsigned n = descriptor(header(free_descriptor, type, sector), 16, NEXT);

    if (bytes)
        descriptor(at, bytes, NEXT | (type == OUT ? 0 : WRITE));
    descriptor(STATUSES + n, 1, WRITE);
    offer(n);
    return n;
}

/* The next used element: its head, or -1. */
static inline int take_used(uint32_t *length)
{
    uint32_t element[2];

    if (peek16(DEVICE + 2) == used)
        return -1;
    guest_read(&storage, gpa(DEVICE + 4 + 8 * (used++ % size)), element, 8);
    if (length)
        *length = element[1];
    return element[0];
}

static inline void assert_data(uint64_t at, uint64_t sector, uint32_t bytes)
{
    uint8_t *copy = malloc(bytes);

    assert_int_equal(guest_read(&storage, gpa(at), copy, bytes), GUEST_OK);
    assert_memory_equal(copy, disk.medium + sector * 512, bytes);
    free(copy);
}

static inline int start_storage(void **state)
{
    (void)state;
    frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 16 << 20)), 16 << 20);
    return 0;
}

/* a test between a fresh machine and the check that it left nothing behind */
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
