/* Look-up of ports and addresses in the ranges that devices claim. The tables are small and in no order; what makes
 * polling quick is the hint: where this port, or the last address, was found before. */
#include "cp/device/bus.h"

#include <errno.h>
#include <string.h>

static uint32_t all_ones(unsigned size)
{
    return size >= 4 ? UINT32_MAX : (1u << 8 * size) - 1;
}

void bus_init(struct bus *bus)
{
    memset(bus, 0, sizeof *bus);
}

/* Also refuses an inverted range. */
static bool overlap(uint64_t first, uint64_t last, uint64_t other_first, uint64_t other_last)
{
    return first > last || (first <= other_last && other_first <= last);
}

int bus_claim_ports(struct bus *bus, const struct bus_ports *claim)
{
    for (unsigned i = 0; i < bus->port_ranges; i++)
        if (overlap(claim->first, claim->last, bus->ports[i].first, bus->ports[i].last))
            return -EEXIST;
    if (bus->port_ranges == BUS_PORT_RANGES)
        return -ENOSPC;
    bus->ports[bus->port_ranges++] = *claim;
    return 0;
}

int bus_claim_mmio(struct bus *bus, const struct bus_mmio *claim)
{
    for (unsigned i = 0; i < bus->mmio_ranges; i++)
        if (overlap(claim->first, claim->last, bus->mmio[i].first, bus->mmio[i].last))
            return -EEXIST;
    if (bus->mmio_ranges == BUS_MMIO_RANGES)
        return -ENOSPC;
    bus->mmio[bus->mmio_ranges++] = *claim;
    return 0;
}

void bus_release(struct bus *bus, const void *device)
{
    for (unsigned i = bus->port_ranges; i-- > 0;)
        if (bus->ports[i].device == device)
            bus->ports[i] = bus->ports[--bus->port_ranges];
    for (unsigned i = bus->mmio_ranges; i-- > 0;)
        if (bus->mmio[i].device == device)
            bus->mmio[i] = bus->mmio[--bus->mmio_ranges];
}

void bus_release_mmio(struct bus *bus, const void *device, uint64_t first)
{
    for (unsigned i = bus->mmio_ranges; i-- > 0;)
        if (bus->mmio[i].device == device && bus->mmio[i].first == first)
            bus->mmio[i] = bus->mmio[--bus->mmio_ranges];
}

static bool port_in(const struct bus *bus, unsigned range, uint16_t port)
{
    return range < bus->port_ranges && bus->ports[range].first <= port && port <= bus->ports[range].last;
}

static __attribute__((noinline)) const struct bus_ports *port_search(struct bus *bus, uint16_t port, uint8_t *hint)
{
    for (unsigned i = 0; i < bus->port_ranges; i++)
        if (port_in(bus, i, port)) {
            *hint = i;
            return &bus->ports[i];
        }
    return NULL;
}

/* A hint may be stale: it is only where the search begins. */
static const struct bus_ports *port_find(struct bus *bus, uint16_t port)
{
    uint8_t *hint = &bus->port_hint[(port ^ port >> 8) & 0xff];

    return port_in(bus, *hint, port) ? &bus->ports[*hint] : port_search(bus, port, hint);
}

static __attribute__((noinline)) uint32_t port_read_split(struct bus *bus, uint16_t port, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (bus_port_read(bus, port + i, 1) & 0xff) << 8 * i;
    return value;
}

uint32_t bus_port_read(struct bus *bus, uint16_t port, unsigned size)
{
    const struct bus_ports *range = port_find(bus, port);

    if (!range || !range->read)
        return all_ones(size);
    if (range->byte_wide && size > 1)
        return port_read_split(bus, port, size);
    return range->read(range->device, port, size);
}

void bus_port_write(struct bus *bus, uint16_t port, unsigned size, uint32_t value)
{
    const struct bus_ports *range = port_find(bus, port);

    if (!range || !range->write)
        return;
    if (range->byte_wide && size > 1) {
        for (unsigned i = 0; i < size; i++)
            bus_port_write(bus, port + i, 1, value >> 8 * i & 0xff);
        return;
    }
    range->write(range->device, port, size, value & all_ones(size));
}

void bus_port_write_run(struct bus *bus, uint16_t port, const uint8_t *bytes, unsigned count)
{
    const struct bus_ports *range = port_find(bus, port);

    if (range && range->write_run) {
        range->write_run(range->device, port, bytes, count);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        bus_port_write(bus, port, 1, bytes[i]);
}

static bool mmio_in(const struct bus *bus, unsigned range, uint64_t address)
{
    return range < bus->mmio_ranges && bus->mmio[range].first <= address && address <= bus->mmio[range].last;
}

static __attribute__((noinline)) const struct bus_mmio *mmio_search(const struct bus *bus, uint64_t address)
{
    for (unsigned i = 0; i < bus->mmio_ranges; i++)
        if (mmio_in(bus, i, address))
            return &bus->mmio[i];
    return NULL;
}

static const struct bus_mmio *mmio_find(struct bus *bus, uint64_t address)
{
    const struct bus_mmio *range;

    if (mmio_in(bus, bus->mmio_hint, address))
        return &bus->mmio[bus->mmio_hint];
    range = mmio_search(bus, address);
    if (range)
        bus->mmio_hint = range - bus->mmio;
    return range;
}

bool bus_mmio_claimed(const struct bus *bus, uint64_t address)
{
    return mmio_search(bus, address);
}

/* Devices see only accesses of 1, 2, 4 or 8 bytes. Other sizes are the parts of an access that crossed a page: 3 bytes
 * become 2 and 1, 5 to 7 bytes begin with 4. */
static unsigned whole_piece(unsigned size)
{
    return size > 4 ? 4 : 2;
}

static uint64_t ones_of(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

static __attribute__((noinline)) uint64_t mmio_read_odd(struct bus *bus, uint64_t address, unsigned size)
{
    unsigned first = whole_piece(size);
    uint64_t low = bus_mmio_read(bus, address, first);

    return low | bus_mmio_read(bus, address + first, size - first) << 8 * first;
}

uint64_t bus_mmio_read(struct bus *bus, uint64_t address, unsigned size)
{
    const struct bus_mmio *range = mmio_find(bus, address);

    if (!range || !range->read)
        return ones_of(size);
    if (size & (size - 1))
        return mmio_read_odd(bus, address, size);
    return range->read(range->device, address - range->first, size) & ones_of(size);
}

static __attribute__((noinline)) void mmio_write_odd(struct bus *bus, uint64_t address, unsigned size, uint64_t value)
{
    unsigned first = whole_piece(size);

    bus_mmio_write(bus, address, first, value);
    bus_mmio_write(bus, address + first, size - first, value >> 8 * first);
}

void bus_mmio_write(struct bus *bus, uint64_t address, unsigned size, uint64_t value)
{
    const struct bus_mmio *range = mmio_find(bus, address);

    if (!range || !range->write)
        return;
    if (size & (size - 1))
        mmio_write_odd(bus, address, size, value);
    else
        range->write(range->device, address - range->first, size, value & ones_of(size));
}
