/* Device constants -> tree_config. */
#include "cp/ipl/tree_vm.h"

#include "cp/device/debug_exit.h"
#include "cp/device/ioapic.h"
#include "cp/device/lapic.h"
#include "cp/device/pci.h"
#include "cp/device/power.h"
#include "cp/ipl/map.h"

static const struct tree_uart line[TREE_UARTS] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

static void memory(struct tree_config *config, uint64_t storage_bytes)
{
    struct ipl_range range[IPL_MAP_RANGES];
    unsigned n = ipl_map(storage_bytes, range);

    for (unsigned i = 0; i < n; i++)
        if (range[i].kind == IPL_RAM)
            config->memory[config->memories++] = (struct tree_range){range[i].start, range[i].bytes};
}

void tree_vm_config(struct tree_config *config, const struct tree_vm *vm)
{
    *config = (struct tree_config){
        .model = "VM/N virtual machine", .bootargs = vm->bootargs, .tsc_hz = vm->tsc_hz, .lapic_hz = LAPIC_TIMER_HZ,
        .lapic = LAPIC_DEFAULT_BASE, .ioapic = IOAPIC_BASE, .uarts = vm->uarts < TREE_UARTS ? vm->uarts : TREE_UARTS,
        .pic = true, .pit = true, .rtc = true, .keyboard = true, .pci = true, .pci_pins = true,
        .pci_memory = {PCI_MEMORY_BASE, PCI_MEMORY_BYTES}, .pci_ports = {PCI_IO_BASE, PCI_IO_BYTES},
        .poweroff = {POWER_PM1_CONTROL, 2, POWER_SLP_EN}, .reboot = {POWER_RESET_CONTROL, 1, 6},
        .debug_exit = vm->debug_exit ? DEBUG_EXIT_PORT : 0, .debug_console = vm->debug_exit ? DEBUG_CONSOLE_PORT : 0};
    for (unsigned i = 0; i < config->uarts; i++)
        config->uart[i] = line[i];
    memory(config, vm->storage_bytes);
}
