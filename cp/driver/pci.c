/* PCI configuration space (pci.h), by the PC's "configuration mechanism #1". */
#include "cp/driver/pci.h"

#include "cp/cpu/port.h"

enum {
    PORT_ADDRESS = 0xCF8,
    PORT_DATA = 0xCFC,
    BUSES = 8,
    SLOTS = 32,
    FUNCTIONS = 8,
    HEADER_TYPE = 0x0C, /* in the third byte */
    MULTIFUNCTION = 1 << 23,
    HAS_CAPABILITIES = 1 << 20, /* in the status half of PCI_COMMAND */
    COMMAND_MEMORY = 1 << 1,
    COMMAND_MASTER = 1 << 2,
    COMMAND_NO_INTX = 1 << 10,
    BARS = 6,
    MOST_CAPABILITIES = 48, /* all that fit: a list that is longer is a ring */
};

static void select_register(struct pci_address a, uint8_t offset)
{
    port_out32(PORT_ADDRESS,
               1u << 31 | (uint32_t)a.bus << 16 | (uint32_t)a.slot << 11 | (uint32_t)a.function << 8 | (offset & 0xFC));
}

uint32_t pci_read(struct pci_address a, uint8_t offset)
{
    select_register(a, offset);
    return port_in32(PORT_DATA);
}

void pci_write(struct pci_address a, uint8_t offset, uint32_t value)
{
    select_register(a, offset);
    port_out32(PORT_DATA, value);
}

static unsigned functions_of(struct pci_address a)
{
    a.function = 0;
    if (pci_read(a, PCI_ID) == PCI_NOBODY)
        return 0;
    return pci_read(a, HEADER_TYPE) & MULTIFUNCTION ? FUNCTIONS : 1;
}

bool pci_find(uint32_t id, uint32_t other_id, unsigned index, struct pci_address *found)
{
    for (unsigned at = 0; at < BUSES * SLOTS; at++) {
        struct pci_address a = {(uint8_t)(at / SLOTS), (uint8_t)(at % SLOTS), 0};
        unsigned functions = functions_of(a);
        for (; a.function < functions; a.function++) {
            uint32_t here = pci_read(a, PCI_ID);
            if ((here == id || here == other_id) && index-- == 0) {
                *found = a;
                return true;
            }
        }
    }
    return false;
}

uint8_t pci_capability(struct pci_address a, uint8_t id, uint8_t after)
{
    if (!(pci_read(a, PCI_COMMAND) & HAS_CAPABILITIES))
        return 0;
    uint32_t link = after ? pci_read(a, after) >> 8 : pci_read(a, PCI_CAPABILITIES);
    for (unsigned i = 0; i < MOST_CAPABILITIES; i++) {
        uint8_t at = link & 0xFC;
        if (at < 0x40)
            return 0;
        uint32_t head = pci_read(a, at);
        if ((head & 0xFF) == id)
            return at;
        link = head >> 8;
    }
    return 0;
}

uint64_t pci_memory_bar(struct pci_address a, unsigned n)
{
    if (n >= BARS)
        return 0;
    uint32_t low = pci_read(a, (uint8_t)(PCI_BAR0 + 4 * n));
    if (low & 1)
        return 0;
    uint64_t address = low & ~0xFu;
    if ((low & 6) == 4 && n + 1 < BARS)
        address |= (uint64_t)pci_read(a, (uint8_t)(PCI_BAR0 + 4 * n + 4)) << 32;
    return address;
}

void pci_enable(struct pci_address a)
{
    uint32_t command =
        pci_read(a, PCI_COMMAND) & 0xFFFF; /* zeros leave the status half alone: its bits clear by ones */
    pci_write(a, PCI_COMMAND, (command | COMMAND_MEMORY | COMMAND_MASTER) & ~(uint32_t)COMMAND_NO_INTX);
}
