/* PCI Local Bus Specification 3.0, "Configuration Space" and "Configuration Mechanism #1". */
#include "cp/device/pci.h"

#include <errno.h>
#include <stddef.h>

enum config_offset {
    CONFIG_VENDOR = 0x00, CONFIG_DEVICE = 0x02, CONFIG_COMMAND = 0x04, CONFIG_STATUS = 0x06, CONFIG_REVISION = 0x08,
    CONFIG_CLASS = 0x09, CONFIG_CACHE_LINE = 0x0c, CONFIG_LATENCY = 0x0d, CONFIG_BAR = 0x10, CONFIG_BARS_END = 0x28,
    CONFIG_SUBSYSTEM_VENDOR = 0x2c, CONFIG_SUBSYSTEM = 0x2e, CONFIG_CAPABILITIES = 0x34, CONFIG_LINE = 0x3c,
    CONFIG_PIN = 0x3d, CONFIG_OWN = 0x40
};
enum { COMMAND_IO = 0x001, COMMAND_MEMORY = 0x002, COMMAND_MASTER = 0x004, COMMAND_NO_INTX = 0x400 };
enum { COMMAND_WRITABLE = 0x547, STATUS_INTERRUPT = 0x08, STATUS_CAPABILITIES = 0x10 };
enum { BAR_IO_FLAG = 1, BAR_64_FLAG = 4 };
enum { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc };
#define ADDRESS_ENABLE   0x80000000u
#define ADDRESS_WRITABLE 0x80fffffcu

/* a generic host bridge: neither Linux nor Xen has a quirk for it */
static const struct pci_identity bridge_identity = {
    .vendor = 0x1b36, .device = 0x0008, .subsystem_vendor = 0x1af4, .subsystem = 0x1100, .class_code = 0x060000};

uint32_t pci_config_get(const struct pci_function *f, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)f->config[offset + i] << 8 * i;
    return value;
}

static void field_set(uint8_t *field, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        field[i] = value >> 8 * i;
}

void pci_config_set(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    field_set(&f->config[offset], size, value);
}

/* ---- interrupts ------------------------------------------------------------- */

static void wire_update(struct pci_host *host, uint32_t before, uint32_t sharers, unsigned gsi)
{
    bool was = before & sharers, is = host->asserted & sharers;

    if (was != is && host->wiring.set_irq)
        host->wiring.set_irq(host->wiring.context, gsi, is);
}

static void interrupt_update(struct pci_function *f)
{
    struct pci_host *host = f->host;
    bool hidden = pci_config_get(f, CONFIG_COMMAND, 2) & COMMAND_NO_INTX;
    uint32_t before = host->asserted, bit = 1u << f->slot;
    unsigned pin = f->slot % PCI_GSIS, odd = f->slot & 1;

    host->asserted = f->interrupt && !hidden ? before | bit : before & ~bit;
    wire_update(host, before, 0x11111111u << pin, PCI_GSI_BASE + pin);
    wire_update(host, before, 0x55555555u << odd, odd ? PCI_ISA_IRQ_ODD : PCI_ISA_IRQ_EVEN);
}

void pci_interrupt(struct pci_function *f, bool level)
{
    if (f->interrupt == level)
        return;
    f->interrupt = level;
    f->config[CONFIG_STATUS] = (f->config[CONFIG_STATUS] & ~STATUS_INTERRUPT) | (level ? STATUS_INTERRUPT : 0);
    if (f->host)
        interrupt_update(f);
}

void pci_message(struct pci_function *f, uint64_t address, uint32_t data)
{
    if (f->host && f->host->wiring.message && pci_bus_master(f))
        f->host->wiring.message(f->host->wiring.context, address, data);
}

/* ---- base addresses --------------------------------------------------------- */

static unsigned bar_offset(unsigned n)
{
    return CONFIG_BAR + 4 * n;
}

static uint64_t bar_address(const struct pci_function *f, unsigned n)
{
    const struct pci_bar *bar = &f->bar[n];
    uint64_t low = pci_config_get(f, bar_offset(n), 4);

    if (bar->kind == PCI_BAR_IO)
        return low & ~3ull;
    if (bar->kind == PCI_BAR_MEMORY64)
        low |= (uint64_t)pci_config_get(f, bar_offset(n + 1), 4) << 32;
    return low & ~15ull;
}

/* An address of 0, or one whose range runs over the end of its space, decodes nothing. */
static bool bar_wanted(const struct pci_function *f, unsigned n)
{
    const struct pci_bar *bar = &f->bar[n];
    uint64_t at = bar_address(f, n), end = at + bar->bytes;
    unsigned enable = bar->kind == PCI_BAR_IO ? COMMAND_IO : COMMAND_MEMORY;

    if (bar->kind == PCI_BAR_NONE || !(f->config[CONFIG_COMMAND] & enable) || !at || end < at)
        return false;
    return bar->kind != PCI_BAR_IO || end <= 0x10000;
}

static void bar_claim(struct bus *bus, struct pci_bar *bar, uint64_t at)
{
    const struct bus_ports ports = {.first = at, .last = at + bar->bytes - 1, .device = bar, .read = bar->port_read,
                                    .write = bar->port_write};
    const struct bus_mmio mmio = {.first = at, .last = at + bar->bytes - 1, .device = bar, .read = bar->read,
                                  .write = bar->write};
    /* where another device is, the first comer stays */
    int error = bar->kind == PCI_BAR_IO ? bus_claim_ports(bus, &ports) : bus_claim_mmio(bus, &mmio);

    bar->decoded = !error;
    bar->at = at;
}

static void bar_release(struct bus *bus, struct pci_bar *bar)
{
    if (bar->decoded)
        bus_release(bus, bar);
    bar->decoded = false;
}

static void function_release(struct pci_function *f)
{
    for (unsigned n = 0; n < PCI_BARS; n++)
        if (!bar_wanted(f, n) || f->bar[n].at != bar_address(f, n))
            bar_release(f->host->bus, &f->bar[n]);
}

static void function_claim(struct pci_function *f)
{
    for (unsigned n = 0; n < PCI_BARS; n++)
        if (!f->bar[n].decoded && bar_wanted(f, n))
            bar_claim(f->host->bus, &f->bar[n], bar_address(f, n));
}

/* One BAR's move can make room for another's, so all are looked at. */
static void decode_update(struct pci_function *f)
{
    struct pci_host *host = f->host;

    function_release(f);
    for (unsigned n = 0; n < PCI_SLOTS; n++)
        if (host->slot[n])
            function_claim(host->slot[n]);
}

/* ---- configuration space ---------------------------------------------------- */

static bool touches(unsigned offset, unsigned size, unsigned from, unsigned end)
{
    return offset < end && offset + size > from;
}

static void config_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t mask = f->writable[offset + i], byte = value >> 8 * i;

        f->config[offset + i] = (f->config[offset + i] & ~mask) | (byte & mask);
    }
    if (touches(offset, size, CONFIG_COMMAND, CONFIG_STATUS)) {
        interrupt_update(f);
        decode_update(f);
    } else if (touches(offset, size, CONFIG_BAR, CONFIG_BARS_END)) {
        decode_update(f);
    }
    if (f->config_after_write)
        f->config_after_write(f, offset, size);
}

static uint32_t config_read(struct pci_function *f, unsigned offset, unsigned size)
{
    if (f->config_before_read)
        f->config_before_read(f, offset, size);
    return pci_config_get(f, offset, size);
}

/* The function CF8 addresses, or NULL. Every device is function 0 of bus 0. */
static struct pci_function *addressed(const struct pci_host *host)
{
    if (!(host->address & ADDRESS_ENABLE) || (host->address & 0x00ff0700))
        return NULL;
    return host->slot[host->address >> 11 & (PCI_SLOTS - 1)];
}

static uint32_t data_read(void *device, uint16_t port, unsigned size)
{
    struct pci_host *host = device;
    struct pci_function *f = addressed(host);
    unsigned lane = port - PORT_DATA;

    if (!f || lane + size > 4)
        return 0xffffffff;
    return config_read(f, (host->address & 0xfc) + lane, size);
}

static void data_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct pci_host *host = device;
    struct pci_function *f = addressed(host);
    unsigned lane = port - PORT_DATA;

    if (f && lane + size <= 4)
        config_write(f, (host->address & 0xfc) + lane, size, value);
}

/* Only a doubleword reaches the address register; CF9 by itself is the reset control port of another device. */
static uint32_t address_read(void *device, uint16_t port, unsigned size)
{
    const struct pci_host *host = device;

    (void)port;
    return size == 4 ? host->address : 0xffffffff;
}

static void address_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct pci_host *host = device;

    (void)port;
    if (size == 4)
        host->address = value & ADDRESS_WRITABLE;
}

/* ---- building and attaching ------------------------------------------------- */

void pci_function_init(struct pci_function *f, const struct pci_identity *id, void *owner)
{
    *f = (struct pci_function){.owner = owner, .capability_end = CONFIG_OWN};
    pci_config_set(f, CONFIG_VENDOR, 2, id->vendor);
    pci_config_set(f, CONFIG_DEVICE, 2, id->device);
    pci_config_set(f, CONFIG_REVISION, 1, id->revision);
    pci_config_set(f, CONFIG_CLASS, 3, id->class_code);
    pci_config_set(f, CONFIG_SUBSYSTEM_VENDOR, 2, id->subsystem_vendor);
    pci_config_set(f, CONFIG_SUBSYSTEM, 2, id->subsystem);
    pci_config_set(f, CONFIG_PIN, 1, 1);
    field_set(&f->writable[CONFIG_COMMAND], 2, COMMAND_WRITABLE);
    f->writable[CONFIG_CACHE_LINE] = f->writable[CONFIG_LATENCY] = f->writable[CONFIG_LINE] = 0xff;
}

unsigned pci_capability_add(struct pci_function *f, uint8_t id, unsigned bytes)
{
    unsigned at = f->capability_end, end = at + ((bytes + 3) & ~3u);

    if (end >= PCI_CONFIG_BYTES)
        return 0;
    f->config[at] = id;
    f->config[f->last_capability ? f->last_capability + 1 : CONFIG_CAPABILITIES] = at;
    f->config[CONFIG_STATUS] |= STATUS_CAPABILITIES;
    f->last_capability = at;
    f->capability_end = end;
    return at;
}

/* The n-th BAR's place in its slot's window; `next` is where the window is still free. */
static uint64_t bar_assign(struct pci_function *f, unsigned n, uint64_t next)
{
    struct pci_bar *bar = &f->bar[n];
    uint64_t at = (next + bar->bytes - 1) & ~(bar->bytes - 1);
    uint32_t flags = bar->kind == PCI_BAR_IO ? BAR_IO_FLAG : bar->kind == PCI_BAR_MEMORY64 ? BAR_64_FLAG : 0;

    field_set(&f->writable[bar_offset(n)], bar->kind == PCI_BAR_MEMORY64 ? 8 : 4, ~(bar->bytes - 1));
    if (bar->kind == PCI_BAR_MEMORY64)
        pci_config_set(f, bar_offset(n + 1), 4, 0);
    pci_config_set(f, bar_offset(n), 4, at | flags);
    return at + bar->bytes;
}

/* What firmware does: addresses for all BARs, decoding on, the interrupt line named. */
static void function_reset(struct pci_function *f)
{
    uint64_t memory = PCI_MEMORY_BASE + (uint64_t)f->slot * PCI_MEMORY_SLOT_BYTES;
    uint64_t io = PCI_IO_BASE + (uint64_t)f->slot * PCI_IO_SLOT_BYTES;

    pci_interrupt(f, false);
    pci_config_set(f, CONFIG_COMMAND, 2, COMMAND_MASTER | COMMAND_MEMORY | COMMAND_IO);
    pci_config_set(f, CONFIG_CACHE_LINE, 2, 0);
    pci_config_set(f, CONFIG_LINE, 1, f->slot & 1 ? PCI_ISA_IRQ_ODD : PCI_ISA_IRQ_EVEN);
    for (unsigned n = 0; n < PCI_BARS; n++) {
        if (f->bar[n].kind == PCI_BAR_IO)
            io = bar_assign(f, n, io);
        else if (f->bar[n].kind != PCI_BAR_NONE)
            memory = bar_assign(f, n, memory);
    }
    if (f->reset)
        f->reset(f);
}

static unsigned free_slot(const struct pci_host *host)
{
    unsigned slot = 1;

    while (slot < PCI_SLOTS && host->slot[slot])
        slot++;
    return slot;
}

int pci_attach(struct pci_host *host, struct pci_function *f, unsigned slot)
{
    if (!slot)
        slot = free_slot(host);
    if (slot >= PCI_SLOTS)
        return -ENOSPC;
    if (host->slot[slot])
        return -EEXIST;
    f->host = host;
    f->slot = slot;
    host->slot[slot] = f;
    function_reset(f);
    decode_update(f);
    return 0;
}

void pci_detach(struct pci_function *f)
{
    struct pci_host *host = f->host;

    if (!host)
        return;
    pci_interrupt(f, false);
    for (unsigned n = 0; n < PCI_BARS; n++)
        bar_release(host->bus, &f->bar[n]);
    host->slot[f->slot] = NULL;
    f->host = NULL;
}

void pci_reset(struct pci_host *host)
{
    host->address = 0;
    for (unsigned n = 1; n < PCI_SLOTS; n++) /* all leave their addresses before one takes its first */
        for (unsigned b = 0; host->slot[n] && b < PCI_BARS; b++)
            bar_release(host->bus, &host->slot[n]->bar[b]);
    for (unsigned n = 1; n < PCI_SLOTS; n++)
        if (host->slot[n]) {
            function_reset(host->slot[n]);
            decode_update(host->slot[n]);
        }
}

int pci_init(struct pci_host *host, struct bus *bus, const struct pci_wiring *wiring)
{
    const struct bus_ports address = {.first = PORT_ADDRESS, .last = PORT_ADDRESS, .device = host,
                                      .read = address_read, .write = address_write};
    const struct bus_ports data = {.first = PORT_DATA, .last = PORT_DATA + 3, .device = host, .read = data_read,
                                   .write = data_write};
    int error;

    *host = (struct pci_host){.bus = bus, .wiring = *wiring};
    pci_function_init(&host->bridge, &bridge_identity, NULL);
    host->bridge.config[CONFIG_PIN] = 0;
    host->bridge.host = host;
    host->slot[0] = &host->bridge;
    error = bus_claim_ports(bus, &address);
    return error ? error : bus_claim_ports(bus, &data);
}
