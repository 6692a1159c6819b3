/* What a guest's IN/OUT and its loads and stores outside RAM reach: ranges of ports and of guest-physical addresses,
 * each claimed by one virtual device. A port or address nobody claims reads all ones and swallows writes, as on a PC.
 * An access belongs to the device that claims its first port or byte. So CF9H can be claimed between CF8H and CFCH: a
 * byte there is the reset control, four bytes at CF8H are PCI's; and byte_wide devices get wide accesses split, as the
 * ISA bus does it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { BUS_PORT_RANGES = 48, BUS_MMIO_RANGES = 40 };

struct bus_ports {
    uint16_t first, last; /* inclusive */
    bool byte_wide; /* handlers see only size 1: wider accesses become one for each port, each looked up by itself */
    void *device;
    uint32_t (*read)(void *device, uint16_t port, unsigned size);             /* size 1, 2 or 4 */
    void (*write)(void *device, uint16_t port, unsigned size, uint32_t value); /* value has only `size` bytes */
    /* Bytes one after another to one port, as by REP OUTS; NULL: they are `count` calls of write(). */
    void (*write_run)(void *device, uint16_t port, const uint8_t *bytes, unsigned count);
};

struct bus_mmio {
    uint64_t first, last; /* guest-physical, inclusive */
    void *device;
    uint64_t (*read)(void *device, uint64_t offset, unsigned size); /* size 1, 2, 4 or 8; offset from first */
    void (*write)(void *device, uint64_t offset, unsigned size, uint64_t value);
};

struct bus {
    struct bus_ports ports[BUS_PORT_RANGES];
    struct bus_mmio mmio[BUS_MMIO_RANGES];
    unsigned port_ranges, mmio_ranges;
    uint8_t port_hint[256]; /* by a hash of the port: the range it was found in last, so that polling is quick */
    unsigned mmio_hint;
};

void bus_init(struct bus *);

/* 0, or -ENOSPC (table full), -EEXIST (overlaps a claimed range). Claims may come and go at run time (PCI BARs). */
int bus_claim_ports(struct bus *, const struct bus_ports *);
int bus_claim_mmio(struct bus *, const struct bus_mmio *);
void bus_release(struct bus *, const void *device); /* every range of that device */
void bus_release_mmio(struct bus *, const void *device, uint64_t first);

uint32_t bus_port_read(struct bus *, uint16_t port, unsigned size);
void bus_port_write(struct bus *, uint16_t port, unsigned size, uint32_t value);
void bus_port_write_run(struct bus *, uint16_t port, const uint8_t *bytes, unsigned count);
/* MMIO sizes are 1-8; devices see only 1, 2, 4 and 8. */
bool bus_mmio_claimed(const struct bus *, uint64_t address);
uint64_t bus_mmio_read(struct bus *, uint64_t address, unsigned size);
void bus_mmio_write(struct bus *, uint64_t address, unsigned size, uint64_t value);
