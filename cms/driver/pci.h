/* PCI configuration space by ports CF8 and CFC: bus 0, which is all the machine model has. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef uint32_t pci_function; /* what CF8 takes, register 0 */

enum { PCI_ID = 0x00, PCI_COMMAND = 0x04, PCI_HEADER = 0x0c, PCI_BAR = 0x10 };
enum { PCI_CAPABILITIES = 0x34, PCI_INTERRUPT = 0x3c };
enum { PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_NO_INTX = 0x400 };
enum { PCI_STATUS_CAPABILITIES = 0x100000 }; /* of the same register */

uint32_t pci_read(pci_function function, unsigned offset);
void pci_write(pci_function function, unsigned offset, uint32_t value);
/* Each function that answers, until `visit` returns false. */
void pci_scan(bool (*visit)(pci_function function, uint32_t id));
/* The address of a memory BAR, 0 if it has none or is not configured. */
uint64_t pci_memory_bar(pci_function function, unsigned bar);
