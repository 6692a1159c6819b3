/* What kernels under test expect of the machine that tests them, as QEMU's pc-testdev has it: four bytes that keep what
 * is stored (ports E0H to E3H, and byte by byte at E8H), a port that has a page translated anew (E4H), the ISA
 * interrupts as wires that a program holds (2000H to 200FH), and 64 KiB in memory that are a device's and keep what is
 * stored (FF000000H). Port E9H, of the four from E8H on, is the debug console's. */
#include "cp/device/grant.h"
#include "cp/device/machine.h"

#include <string.h>

enum { WORD_PORT = 0xE0, RENEW_PORT = 0xE4, RENEW_PORTS = 4, BYTES_PORT = 0xE8, WORD_BYTES = 4, CONSOLE_PORT = 0xE9,
       IRQ_PORT = 0x2000, IRQS = 16, MEMORY_BYTES = 64 << 10, MEMORY_PAGES = MEMORY_BYTES / PAGE_SIZE };
#define MEMORY_BASE 0xFF000000u

struct test_device {
    struct machine *machine;
    uint8_t word[WORD_BYTES];
    uint16_t held;                /* the interrupts, a bit each */
    uint8_t *pages[MEMORY_PAGES]; /* NULL: nothing was stored there yet */
};
_Static_assert(sizeof(struct test_device) <= GRANTED_STATE, "more than a granted device gets");

static uint32_t word_read(void *device, uint16_t port, unsigned size)
{
    const struct test_device *d = device;
    uint32_t value = 0;

    for (unsigned i = 0, at = port % WORD_BYTES; i < size && at + i < WORD_BYTES; i++)
        value |= (uint32_t)d->word[at + i] << 8 * i;
    return value;
}

static void word_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct test_device *d = device;

    for (unsigned i = 0, at = port % WORD_BYTES; i < size && at + i < WORD_BYTES; i++)
        d->word[at + i] = (uint8_t)(value >> 8 * i);
}

static uint32_t zero_read(void *device, uint16_t port, unsigned size)
{
    (void)device, (void)port, (void)size;
    return 0;
}

/* Who keeps translations of guest pages drops the one whose address is stored here, and the guest sees no difference:
 * CP's follow the storage, so that there is nothing to drop. */
static void renew_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    (void)device, (void)port, (void)size, (void)value;
}

static void hold(struct test_device *d, unsigned n, bool level)
{
    struct irq irq = machine_isa_irq(d->machine, n);

    irq.level = d->held >> n & 1;
    irq_set(&irq, level);
    d->held = (uint16_t)((d->held & ~(1u << n)) | (unsigned)level << n);
}

static void irq_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    (void)size;
    hold(device, port - IRQ_PORT, value != 0);
}

static uint64_t memory_read(void *device, uint64_t offset, unsigned size)
{
    const struct test_device *d = device;
    uint64_t value = 0;

    for (unsigned i = 0; i < size && offset + i < MEMORY_BYTES; i++) {
        const uint8_t *page = d->pages[(offset + i) / PAGE_SIZE];
        value |= (uint64_t)(page ? page[(offset + i) % PAGE_SIZE] : 0) << 8 * i;
    }
    return value;
}

/* Without a frame for it a store is lost, as on a bus where nobody is. */
static void memory_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct test_device *d = device;

    for (unsigned i = 0; i < size && offset + i < MEMORY_BYTES; i++) {
        uint8_t **page = &d->pages[(offset + i) / PAGE_SIZE];
        if (!*page)
            *page = frame_alloc(&d->machine->storage->account);
        if (*page)
            (*page)[(offset + i) % PAGE_SIZE] = (uint8_t)(value >> 8 * i);
    }
}

static void claim(struct bus *bus, void *device, uint16_t first, unsigned ports, bool byte_wide,
                  uint32_t (*read)(void *, uint16_t, unsigned), void (*write)(void *, uint16_t, unsigned, uint32_t))
{
    const struct bus_ports range = {first, (uint16_t)(first + ports - 1), byte_wide, device, read, write, NULL};

    bus_claim_ports(bus, &range);
}

static void init(struct machine *m, void *state)
{
    struct test_device *d = state;
    const struct bus_mmio memory = {MEMORY_BASE, MEMORY_BASE + MEMORY_BYTES - 1, d, memory_read, memory_write};

    d->machine = m;
    claim(&m->bus, d, WORD_PORT, WORD_BYTES, false, word_read, word_write);
    claim(&m->bus, d, RENEW_PORT, RENEW_PORTS, false, zero_read, renew_write);
    claim(&m->bus, d, BYTES_PORT, CONSOLE_PORT - BYTES_PORT, true, word_read, word_write);
    claim(&m->bus, d, CONSOLE_PORT + 1, BYTES_PORT + WORD_BYTES - CONSOLE_PORT - 1, true, word_read, word_write);
    claim(&m->bus, d, IRQ_PORT, IRQS, true, zero_read, irq_write);
    bus_claim_mmio(&m->bus, &memory);
}

static void memory_free(struct test_device *d)
{
    for (unsigned i = 0; i < MEMORY_PAGES; i++) {
        if (d->pages[i])
            frame_free(&d->machine->storage->account, d->pages[i]);
        d->pages[i] = NULL;
    }
}

static void reset(void *state)
{
    struct test_device *d = state;

    memset(d->word, 0, sizeof d->word);
    for (unsigned n = 0; n < IRQS; n++)
        hold(d, n, false);
    memory_free(d);
}

static void device_free(void *state)
{
    memory_free(state);
}

const struct granted_device test_device_granted = {
    .node = {{"test-device", "vmn,test-device", WORD_PORT, BYTES_PORT + 1 - WORD_PORT, 0},
             {"test-interrupts", "vmn,test-interrupts", IRQ_PORT, IRQS, 0}},
    .init = init,
    .reset = reset,
    .free = device_free,
};
