/* PCI Local Bus "Configuration Mechanism #1". */
#include "cms/driver/pci.h"

#include "cms/cpu/cpu.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc, DEVICES = 32, FUNCTIONS = 8, BARS = 6 };

static pci_function function_of(unsigned device, unsigned number)
{
    return 0x80000000u | device << 11 | number << 8;
}

uint32_t pci_read(pci_function function, unsigned offset)
{
    cpu_out32(ADDRESS, function | (offset & 0xfc));
    return cpu_in32(DATA);
}

void pci_write(pci_function function, unsigned offset, uint32_t value)
{
    cpu_out32(ADDRESS, function | (offset & 0xfc));
    cpu_out32(DATA, value);
}

static bool is_multifunction(pci_function function)
{
    return pci_read(function, PCI_HEADER) & 0x800000;
}

void pci_scan(bool (*visit)(pci_function function, uint32_t id))
{
    for (unsigned device = 0; device < DEVICES; device++) {
        for (unsigned number = 0; number < FUNCTIONS; number++) {
            pci_function f = function_of(device, number);
            uint32_t id = pci_read(f, PCI_ID);
            bool there = (id & 0xffff) != 0xffff;
            if (there && !visit(f, id))
                return;
            if (!number && (!there || !is_multifunction(f)))
                break;
        }
    }
}

uint64_t pci_memory_bar(pci_function function, unsigned bar)
{
    if (bar >= BARS)
        return 0;
    uint32_t low = pci_read(function, PCI_BAR + bar * 4);
    if (low & 1)
        return 0;
    uint64_t address = low & ~0xfu;
    if ((low & 6) == 4 && bar + 1 < BARS)
        address |= (uint64_t)pci_read(function, PCI_BAR + bar * 4 + 4) << 32;
    return address;
}
