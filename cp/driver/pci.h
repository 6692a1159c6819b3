/* PCI configuration space through ports CF8 and CFC: what a driver needs to find its device. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct pci_address {
    uint8_t bus, slot, function;
};

enum {
    PCI_ID = 0x00,      /* vendor in the low half, device in the high */
    PCI_COMMAND = 0x04, /* status in the high half */
    PCI_BAR0 = 0x10,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT = 0x3C, /* line in the low byte, pin in the next */
    PCI_NOBODY = 0xFFFFFFFF,
};

uint32_t pci_read(struct pci_address, uint8_t offset); /* offset: a multiple of 4 */
void pci_write(struct pci_address, uint8_t offset, uint32_t value);

/* The `index`-th function, in order of address, whose PCI_ID is one of the two; false when there are fewer. Looks at
 * buses 0 to 7: no machine CP runs on numbers its buses sparsely. */
bool pci_find(uint32_t id, uint32_t other_id, unsigned index, struct pci_address *found);

/* Offset of the next capability of that id behind `after` (0: the first), or 0. */
uint8_t pci_capability(struct pci_address, uint8_t id, uint8_t after);

/* Where BAR `n` points in memory, or 0: unassigned, an I/O BAR, no such BAR. */
uint64_t pci_memory_bar(struct pci_address, unsigned n);

/* Memory decoding, bus mastering and INTx on. */
void pci_enable(struct pci_address);
