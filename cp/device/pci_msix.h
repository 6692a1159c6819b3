/* MSI-X ("PCI Local Bus Specification", "MSI-X Capability and Table Structures"): a device's interrupts as messages to
 * the local APIC, one vector for each cause, so that the guest need not read why it was interrupted.
 * In: the guest's accesses to the table's BAR and to the capability; pci_msix_raise(). Out: pci_message(). */
#pragma once
#include "cp/device/pci.h"

enum { PCI_MSIX_VECTORS = 4, PCI_MSIX_NONE = 0xffff };

struct pci_msix_entry {
    uint32_t address_low, address_high, data, control; /* control bit 0: masked */
};

struct pci_msix {
    struct pci_function *function;
    uint8_t capability; /* its offset, 0: the device has no MSI-X */
    unsigned vectors;
    struct pci_msix_entry entry[PCI_MSIX_VECTORS];
    uint32_t pending; /* vectors raised while masked */
};

/* Adds the capability and makes BAR `bar` the table's (4 KiB: table at 0, pending bits at 800H).
 * @pre the function is initialised and not attached; vectors 1..PCI_MSIX_VECTORS */
void pci_msix_init(struct pci_msix *, struct pci_function *, unsigned bar, unsigned vectors);
void pci_msix_reset(struct pci_msix *);
bool pci_msix_enabled(const struct pci_msix *);
/* Is a vector unmasked whose messages have that delivery mode (enum lapic_delivery)? */
bool pci_msix_delivers(const struct pci_msix *, unsigned delivery);
void pci_msix_raise(struct pci_msix *, unsigned vector); /* a vector that does not exist is no interrupt */
void pci_msix_written(struct pci_msix *);                /* the capability may have changed: send what it held back */
