/* Question: do CP's disk drivers move the right bytes to the right sectors, by interrupt, in every shape of request,
 * and refuse what is no request? Runs on a bare machine against each disk found: ATA (Bochs, QEMU) and virtio (QEMU).
 * The host prepared sector n of each disk to begin with the 64-bit number n, and looks at what is left there. */
#include "tests/guest/runtime/runtime.h"

#include "cp/driver/ata.h"
#include "cp/driver/virtio_blk.h"

enum {
    PIC_MASTER = 0x20,
    PIC_SLAVE = 0xA0,
    PIC_BASE = 0x20, /* vectors 20-2F */
    PIC_END = 0x20,
    ATA_IRQ = 14,
    BIG_SECTORS = 600, /* more than one ATA command moves */
    PARTS = 20,
    WAIT_TICKS = 2000000000,
};

static struct ata_disk ata;
static struct virtio_blk_disk virtio;
static uint8_t virtio_memory[VIRTIO_BLK_MEMORY_BYTES] __attribute__((aligned(4096)));
static uint8_t buffer[BIG_SECTORS * DISK_SECTOR_BYTES], copy[BIG_SECTORS * DISK_SECTOR_BYTES];
static unsigned interrupts, completions;

static void acknowledge(unsigned irq)
{
    interrupts++;
    if (irq >= 8)
        outb(PIC_SLAVE, PIC_END);
    outb(PIC_MASTER, PIC_END);
}

static void ata_irq(struct guest_frame *f)
{
    (void)f;
    ata_interrupt(&ata);
    acknowledge(ATA_IRQ);
}

static void virtio_irq(struct guest_frame *f)
{
    while (virtio_blk_interrupt(&virtio)) {}
    acknowledge((unsigned)f->vector - PIC_BASE);
}

static void pic_init(void)
{
    static const uint16_t ports[] = {PIC_MASTER, PIC_SLAVE};
    for (unsigned i = 0; i < 2; i++) {
        outb(ports[i], 0x11);
        outb(ports[i] + 1, (uint8_t)(PIC_BASE + 8 * i));
        outb(ports[i] + 1, i ? 2 : 4);
        outb(ports[i] + 1, 1);
        outb(ports[i] + 1, 0xFF);
    }
}

static void route(unsigned irq, guest_handler *handler)
{
    guest_handle((uint8_t)(PIC_BASE + irq), handler);
    outb(PIC_MASTER + 1, inb(PIC_MASTER + 1) & (uint8_t) ~(irq < 8 ? 1 << irq : 1 << 2));
    if (irq >= 8)
        outb(PIC_SLAVE + 1, inb(PIC_SLAVE + 1) & (uint8_t) ~(1 << (irq - 8)));
}

struct waited {
    struct disk_request request;
    int status;
    volatile bool over;
};

static void done(struct disk_request *r, int status)
{
    struct waited *w = r->owner;
    w->status = status;
    w->over = true;
    completions++;
}

static int finish(struct waited *w)
{
    uint64_t start = rdtsc();
    while (!w->over && rdtsc() - start < WAIT_TICKS) {
        interrupts_on();
        __asm__ volatile("nop; nop"); /* an interrupt may come between these */
        interrupts_off();
    }
    return w->over ? w->status : -1000;
}

static int begin(struct disk *d, struct waited *w, enum disk_op op, uint64_t sector, struct disk_segment *s, unsigned n)
{
    uint32_t bytes = 0;
    for (unsigned i = 0; i < n; i++)
        bytes += s[i].bytes;
    *w = (struct waited){.request = {.op = op,
                                     .sector = sector,
                                     .sectors = bytes / DISK_SECTOR_BYTES,
                                     .segment = s,
                                     .segments = n,
                                     .done = done}};
    w->request.owner = w;
    return d->submit(d, &w->request);
}

static int transfer(struct disk *d, enum disk_op op, uint64_t sector, void *data, uint32_t sectors)
{
    struct disk_segment s = {data, sectors * DISK_SECTOR_BYTES};
    struct waited w;
    int status = begin(d, &w, op, sector, &s, sectors ? 1 : 0);
    return status ? status : finish(&w);
}

static bool numbered(const uint8_t *bytes, uint64_t first, uint32_t sectors)
{
    for (uint32_t i = 0; i < sectors; i++)
        if (*(const uint64_t *)(bytes + i * DISK_SECTOR_BYTES) != first + i)
            return false;
    return true;
}

static void fill(uint8_t *bytes, uint32_t n, uint32_t seed)
{
    for (uint32_t i = 0; i < n; i++) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (uint8_t)(seed >> 16);
    }
}

static bool same(const uint8_t *a, const uint8_t *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static void check_reads(struct disk *d)
{
    guest_check_equal((uint64_t)transfer(d, DISK_READ, 0, buffer, 1), 0, "the first sector is read");
    guest_check(numbered(buffer, 0, 1), "and is the first");
    guest_check_equal((uint64_t)transfer(d, DISK_READ, d->sectors - 1, buffer, 1), 0, "the last sector is read");
    guest_check(numbered(buffer, d->sectors - 1, 1), "and is the last");
    guest_check_equal((uint64_t)transfer(d, DISK_READ, 1001, buffer, BIG_SECTORS), 0, "a long run is read");
    guest_check(numbered(buffer, 1001, BIG_SECTORS), "and is in order");
}

static void check_segments(struct disk *d)
{
    struct disk_segment s[PARTS];
    struct waited w;
    uint32_t at = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        s[i] = (struct disk_segment){buffer + at, (1 + i % 3) * DISK_SECTOR_BYTES};
        at += s[i].bytes;
    }
    fill(buffer, at, 1);
    guest_check_equal((uint64_t)begin(d, &w, DISK_WRITE, 5000, s, PARTS), 0, "a write of many pieces is taken");
    guest_check_equal((uint64_t)finish(&w), 0, "and done");
    guest_check_equal((uint64_t)transfer(d, DISK_READ, 5000, copy, at / DISK_SECTOR_BYTES), 0, "and read back");
    guest_check(same(buffer, copy, at), "the same");
}

static void check_queue(struct disk *d)
{
    static struct waited w[64];
    static struct disk_segment s[64];
    fill(buffer, sizeof s / sizeof *s * 8 * DISK_SECTOR_BYTES, 2);
    unsigned before = completions;
    for (unsigned i = 0; i < 64; i++) {
        s[i] = (struct disk_segment){buffer + i * 8 * DISK_SECTOR_BYTES, 8 * DISK_SECTOR_BYTES};
        begin(d, &w[i], DISK_WRITE, 6000 + i * 8, &s[i], 1);
    }
    guest_check_equal(completions, before, "nothing completes before the event loop runs");
    int status = 0;
    for (unsigned i = 0; i < 64; i++)
        status |= finish(&w[i]);
    guest_check_equal((uint64_t)status, 0, "64 queued writes are done");
    guest_check_equal(completions, before + 64, "each once");
    guest_check_equal((uint64_t)transfer(d, DISK_FLUSH, 0, NULL, 0), 0, "flush");
    guest_check_equal((uint64_t)transfer(d, DISK_READ, 6000, copy, 64 * 8), 0, "they are read back");
    guest_check(same(buffer, copy, 64 * 8 * DISK_SECTOR_BYTES), "the same");
}

static void check_refusals(struct disk *d)
{
    struct disk_segment odd = {buffer, 100};
    struct waited w;
    guest_check_equal((uint64_t)transfer(d, DISK_READ, d->sectors, buffer, 1), (uint64_t)-EINVAL, "past the end");
    guest_check_equal((uint64_t)transfer(d, DISK_READ, d->sectors - 1, buffer, 2), (uint64_t)-EINVAL, "across the end");
    guest_check_equal((uint64_t)transfer(d, DISK_READ, UINT64_MAX, buffer, 2), (uint64_t)-EINVAL, "address overflow");
    guest_check_equal((uint64_t)begin(d, &w, DISK_READ, 0, &odd, 1), (uint64_t)-EINVAL, "part of a sector");
    d->read_only = true;
    guest_check_equal((uint64_t)transfer(d, DISK_WRITE, 0, buffer, 1), (uint64_t)-EROFS, "write to a read-only disk");
    d->read_only = false;
}

static void measure(struct disk *d)
{
    unsigned before = interrupts;
    uint64_t start = rdtsc();
    transfer(d, DISK_WRITE, 7000, buffer, 8);
    guest_print("4 KiB write: %llu ticks, %u interrupts\n", (unsigned long long)(rdtsc() - start), interrupts - before);
}

static void check_disk(struct disk *d, const char *kind)
{
    guest_print("-- %s '%s', %llu sectors\n", kind, d->name, (unsigned long long)d->sectors);
    check_reads(d);
    check_segments(d);
    check_queue(d);
    check_refusals(d);
    measure(d);
}

int guest_main(void)
{
    unsigned disks = 0;
    pic_init();
    if (ata_probe(&ata, 0x1F0, 0x3F6, ATA_IRQ, false)) {
        route(ATA_IRQ, ata_irq);
        guest_print("multiple %u lba48 %u flush %u\n", ata.multiple, ata.lba48, ata.has_flush);
        check_disk(&ata.disk, "ata");
        disks++;
    }
    if (virtio_blk_probe(&virtio, 0, virtio_memory)) {
        route(virtio.pci.irq, virtio_irq);
        check_disk(&virtio.disk, "virtio");
        disks++;
    }
    static struct ata_disk other;
    guest_check(!ata_probe(&other, 0x170, 0x376, 15, false), "a CD drive or nobody is no disk");
    guest_check(!ata_probe(&other, 0x1E8, 0x3EE, 15, false), "ports where nothing is are no disk");
    guest_print("%u disks, %u interrupts\n", disks, interrupts);
    return disks ? (int)guest_failures : 99;
}
