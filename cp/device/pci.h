/* A PCI bus: configuration mechanism #1 at CF8/CFC, a host bridge at 00:00.0, and up to 31 single-function devices
 * whose base addresses come and go on the machine's bus as the guest moves them. It comes as firmware would leave it:
 * every BAR has an address, memory and I/O decoding and bus mastering are on, the interrupt line register names the
 * 8259's input.
 *
 * Every device uses INTA. The wire of slot n is global system interrupt 16 + (n & 3) and also, for a guest without
 * IOAPIC, ISA interrupt 11 (even slots) or 10 (odd slots). Those two must be level-triggered in the 8259 (ELCR). Both
 * are wired-OR here, so the receiver of set_irq sees each of 10, 11, 16-19 as one wire. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/bus.h"
#include "cp/device/irq.h"

enum { PCI_SLOTS = 32, PCI_BARS = 6, PCI_CONFIG_BYTES = 256, PCI_GSI_BASE = 16, PCI_GSIS = 4 };
enum { PCI_ISA_IRQ_EVEN = 11, PCI_ISA_IRQ_ODD = 10 };

/* where BARs lie as the machine comes: slot n has the n-th window of each kind */
enum {
    PCI_MEMORY_BASE = 0xE0000000u, PCI_MEMORY_BYTES = 0x10000000u, PCI_MEMORY_SLOT_BYTES = 0x10000,
    PCI_IO_BASE = 0xC000, PCI_IO_BYTES = 0x2000, PCI_IO_SLOT_BYTES = 0x100,
};

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEMORY32, PCI_BAR_MEMORY64 /* takes two BAR registers */ };

/* The bus calls the handlers with the struct pci_bar itself as their device. */
struct pci_bar {
    enum pci_bar_kind kind;
    uint64_t bytes; /* a power of two; memory >= 4 KiB, I/O 4..256 */
    void *owner;    /* the device, for the handlers */
    uint64_t (*read)(void *bar, uint64_t offset, unsigned size); /* memory */
    void (*write)(void *bar, uint64_t offset, unsigned size, uint64_t value);
    uint32_t (*port_read)(void *bar, uint16_t port, unsigned size); /* I/O: port - at is the offset */
    void (*port_write)(void *bar, uint16_t port, unsigned size, uint32_t value);
    uint64_t at;  /* the address claimed on the bus, while decoded */
    bool decoded;
};

struct pci_function {
    uint8_t config[PCI_CONFIG_BYTES];
    uint8_t writable[PCI_CONFIG_BYTES]; /* the bits a guest may change */
    struct pci_bar bar[PCI_BARS];
    void *owner; /* for the three below, each may be NULL */
    void (*config_before_read)(struct pci_function *, unsigned offset, unsigned size);
    void (*config_after_write)(struct pci_function *, unsigned offset, unsigned size);
    void (*reset)(struct pci_function *);
    struct pci_host *host; /* NULL: not attached */
    uint8_t slot;
    uint8_t last_capability, capability_end;
    bool interrupt; /* what the device asks for; config.command may hide it */
};

struct pci_identity {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits: class, subclass, interface */
    uint8_t revision;
};

struct pci_wiring {
    void *context;
    void (*set_irq)(void *context, unsigned gsi, bool level);
    /* a message-signalled interrupt; NULL: devices offer no MSI-X */
    void (*message)(void *context, uint64_t address, uint32_t data);
};

struct pci_host {
    struct bus *bus;
    struct pci_wiring wiring;
    uint32_t address; /* CF8 */
    struct pci_function bridge;
    struct pci_function *slot[PCI_SLOTS];
    uint32_t asserted; /* bit n: slot n drives its INTA */
};

/* 0, or the error of bus_claim_ports. */
int pci_init(struct pci_host *, struct bus *, const struct pci_wiring *);
void pci_reset(struct pci_host *); /* the bus and every device on it */

/* A function is built by function_init, bar, capability, and attached last. */
void pci_function_init(struct pci_function *, const struct pci_identity *, void *owner);
/* Room for a capability of `bytes` (its two-byte head included): its offset in config, or 0 when none is left. */
unsigned pci_capability_add(struct pci_function *, uint8_t id, unsigned bytes);
/* slot 1-31, or 0 for the lowest free one. 0, -ENOSPC (no slot), -EEXIST (slot taken). */
int pci_attach(struct pci_host *, struct pci_function *, unsigned slot);
void pci_detach(struct pci_function *); /* nothing to do when not attached */

void pci_interrupt(struct pci_function *, bool level); /* drives INTA */
void pci_message(struct pci_function *, uint64_t address, uint32_t data);
static inline bool pci_bus_master(const struct pci_function *f) { return f->config[4] & 4; }

/* little-endian fields of configuration space */
uint32_t pci_config_get(const struct pci_function *, unsigned offset, unsigned size);
void pci_config_set(struct pci_function *, unsigned offset, unsigned size, uint32_t value);
