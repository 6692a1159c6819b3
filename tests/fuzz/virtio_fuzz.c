/* A guest whose every ring word and register access is the fuzzer's: the first bytes are laid over (exclusive or) a
 * page with good rings, so that small inputs are rings with small faults; the rest are accesses, completions, resets
 * and detaches. Whatever it does, nothing outside its storage is touched (the sanitizers watch), and all frames come
 * back in the end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cp/device/virtio_blk.h"
#include "tests/unit/fake/disk.h"

enum { RAM = 64 << 10, SECTORS = 64, RINGS = 0x400, BAR = PCI_MEMORY_BASE + 1 * PCI_MEMORY_SLOT_BYTES };
enum { DESCRIPTORS = 0x000, DRIVER = 0x100, DEVICE = 0x180, QUEUE_SIZE = 16, NOTIFY = 0x3000 };

struct input {
    const uint8_t *at, *end;
};

static struct bus bus;
static struct pci_host host;
static struct guest_storage storage;
static struct virtio_blk blk;
static struct fake_disk disk;

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- && in->at < in->end)
        value = value << 8 | *in->at++;
    return value;
}

static void ignore_irq(void *context, unsigned gsi, bool level) { (void)context, (void)gsi, (void)level; }
static void ignore_message(void *context, uint64_t at, uint32_t data) { (void)context, (void)at, (void)data; }

static void set(unsigned offset, unsigned bytes, uint64_t value) { bus_mmio_write(&bus, BAR + offset, bytes, value); }

static void bring_up(bool event_index)
{
    set(20, 1, 0);
    set(8, 4, 1);
    set(12, 4, 1);
    set(8, 4, 0);
    set(12, 4, 1 << 28 | 1 << 9 | (event_index ? 1 << 29 : 0));
    set(20, 1, 11);
    set(24, 2, QUEUE_SIZE);
    set(32, 8, DESCRIPTORS);
    set(40, 8, DRIVER);
    set(48, 8, DEVICE);
    set(28, 2, 1);
    set(20, 1, 15);
}

static void configuration(struct input *in)
{
    bus_port_write(&bus, 0xcf8, 4, 0x80000800u | take(in, 1));
    if (take(in, 1) & 1)
        bus_port_write(&bus, 0xcfc, 4, take(in, 4));
    else
        bus_port_read(&bus, 0xcfc, 4);
}

static void step(struct input *in)
{
    static const uint8_t size[4] = {1, 2, 4, 8};
    uint8_t op = take(in, 1);

    switch (op & 15) {
    case 0: set(NOTIFY, 2, 0); break;
    case 1: set(take(in, 2) & 0x3fff, size[op >> 6], take(in, 8)); break;
    case 2: bus_mmio_read(&bus, BAR + (take(in, 2) & 0x3fff), size[op >> 6]); break;
    case 3: configuration(in); break;
    case 4:
        if (disk.first)
            fake_disk_done_first(&disk);
        break;
    case 5: disk.fail = op & 16; break;
    case 6: pci_reset(&host); break;
    case 7: bring_up(op & 16); break;
    case 8: virtio_blk_detach(&blk); break;
    case 9: virtio_blk_attach(&blk, &host, 1, &storage, 0x191, &disk.disk); break;
    case 10: storage.account.limit = op & 16 ? storage.account.frames : 0; break;
    case 11: { /* the guest writes its rings while requests are in flight */
        uint64_t word = take(in, 8);

        guest_write(&storage, gpa(take(in, 2) & (RINGS - 1)), &word, 8);
        break;
    }
    default: set(NOTIFY, 2, 0); fake_disk_done_all(&disk);
    }
}

static void begin(void)
{
    const struct pci_wiring wiring = {.set_irq = ignore_irq, .message = ignore_message};
    static bool ready;

    if (!ready)
        frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 4 << 20)), 4 << 20);
    ready = true;
    bus = (struct bus){0};
    blk = (struct virtio_blk){0};
    guest_storage_init(&storage, RAM, 0);
    fake_disk_init(&disk, SECTORS, false);
    pci_init(&host, &bus, &wiring);
    assert(virtio_blk_attach(&blk, &host, 1, &storage, 0x191, &disk.disk) == 0);
}

static void word_set(uint8_t *at, uint64_t value, unsigned bytes)
{
    memcpy(at, &value, bytes);
}

static void descriptor_set(uint8_t *page, unsigned n, uint64_t at, uint32_t bytes, uint16_t flags, uint16_t next)
{
    word_set(page + 16 * n, at, 8);
    word_set(page + 16 * n + 8, bytes, 4);
    word_set(page + 16 * n + 12, flags, 2);
    word_set(page + 16 * n + 14, next, 2);
}

/* Three good requests: a read, an unaligned write, and a read through an indirect table. */
static void rings_build(uint8_t page[RINGS])
{
    enum { NEXT = 1, WRITE = 2, INDIRECT = 4, HEADER = 0x300, STATUS = 0x3f0, TABLE = 0x340 };

    memset(page, 0, RINGS);
    for (unsigned i = 0; i < 2; i++) {
        descriptor_set(page, 3 * i, HEADER + 16 * i, 16, NEXT, 3 * i + 1);
        descriptor_set(page, 3 * i + 1, 0x2000 + 0x1e0 * i, 4096, NEXT | (i ? 0 : WRITE), 3 * i + 2);
        descriptor_set(page, 3 * i + 2, STATUS + i, 1, WRITE, 0);
        word_set(page + DRIVER + 4 + 2 * i, 3 * i, 2);
        word_set(page + HEADER + 16 * i, i, 4);
    }
    descriptor_set(page, 6, TABLE, 48, INDIRECT, 0);
    descriptor_set(page + TABLE, 0, HEADER, 16, NEXT, 1);
    descriptor_set(page + TABLE, 1, 0x4000, 8192, NEXT | WRITE, 2);
    descriptor_set(page + TABLE, 2, STATUS + 2, 1, WRITE, 0);
    word_set(page + DRIVER + 8, 6, 2);
    word_set(page + DRIVER + 2, 3, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t rings = size < RINGS ? size : RINGS;
    struct input in = {data + rings, data + size};

    uint8_t page[RINGS];

    begin();
    rings_build(page);
    for (size_t i = 0; i < rings; i++)
        page[i] ^= data[i];
    guest_write(&storage, gpa(0), page, RINGS);
    bring_up(size & 1);
    set(NOTIFY, 2, 0);
    while (in.at < in.end)
        step(&in);
    virtio_blk_detach(&blk);
    fake_disk_done_all(&disk);
    assert(!virtio_blk_in_flight(&blk) && !blk.requests);
    guest_storage_free(&storage);
    assert(!storage.account.frames);
    fake_disk_free(&disk);
    return 0;
}
