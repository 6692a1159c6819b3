/* Device constants -> tree_config. */
#include "cp/ipl/tree_vm.h"

#include <string.h>

#include "cp/device/grant.h"
#include "cp/device/ioapic.h"
#include "cp/device/lapic.h"
#include "cp/device/pci.h"
#include "cp/device/power.h"
#include "cp/ipl/map.h"

_Static_assert((int)TREE_UARTS >= (int)MACHINE_UARTS && (int)TREE_ISA >= (int)GRANTED_DEVICES * (int)GRANTED_NODES,
               "a machine fits into a tree");

static void memory(struct tree_config *config, uint64_t storage_bytes)
{
    struct ipl_range range[IPL_MAP_RANGES];
    unsigned n = ipl_map(storage_bytes, range);

    for (unsigned i = 0; i < n; i++)
        if (range[i].kind == IPL_RAM)
            config->memory[config->memories++] = (struct tree_range){range[i].start, range[i].bytes};
}

static void granted(struct tree_config *config, const struct machine_config *machine)
{
    const struct granted_device *device;

    for (unsigned i = 0; (device = grant_device(machine, &i)); i++)
        for (unsigned n = 0; n < GRANTED_NODES && device->node[n].name; n++)
            config->isa[config->isas++] = device->node[n];
}

void tree_vm_config(struct tree_config *config, const struct machine_config *machine, uint64_t tsc_hz,
                    const char *bootargs)
{
    *config = (struct tree_config){
        .model = "VM/N virtual machine", .bootargs = bootargs, .tsc_hz = tsc_hz, .lapic_hz = LAPIC_TIMER_HZ,
        .lapic = LAPIC_DEFAULT_BASE, .ioapic = IOAPIC_BASE, .uarts = machine->uarts,
        .pic = true, .pit = true, .rtc = true, .keyboard = true, .pci = true, .pci_pins = true,
        .pci_memory = {PCI_MEMORY_BASE, PCI_MEMORY_BYTES}, .pci_ports = {PCI_IO_BASE, PCI_IO_BYTES},
        .poweroff = {POWER_PM1_CONTROL, 2, POWER_SLP_EN}, .reboot = {POWER_RESET_CONTROL, 1, 6}};
    for (unsigned i = 0; i < config->uarts; i++)
        config->uart[i] = (struct tree_uart){machine_uarts[i].port, machine_uarts[i].irq};
    granted(config, machine);
    memory(config, machine->storage_bytes);
}

/* In all that tree_vm_config() looks at. */
static bool is_of(const struct tree_vm *t, const struct machine_config *machine, uint64_t tsc_hz, const char *bootargs)
{
    return t->bytes && t->storage_bytes == machine->storage_bytes && t->tsc_hz == tsc_hz &&
           t->uarts == machine->uarts && t->grants == machine->grants && !strcmp(t->bootargs, bootargs);
}

const struct tree_vm *tree_vm_of(const struct machine_config *machine, uint64_t tsc_hz, const char *bootargs,
                                 struct tree_fault *fault)
{
    static struct tree_vm made[TREE_VMS];
    static unsigned next;
    struct tree_config config;
    for (const struct tree_vm *t = made; t < made + TREE_VMS; t++)
        if (is_of(t, machine, tsc_hz, bootargs))
            return t;
    struct tree_vm *t = &made[next++ % TREE_VMS];
    t->storage_bytes = machine->storage_bytes;
    t->tsc_hz = tsc_hz;
    t->uarts = machine->uarts;
    t->grants = machine->grants;
    memcpy(t->bootargs, bootargs, strlen(bootargs) + 1);
    tree_vm_config(&config, machine, tsc_hz, t->bootargs);
    t->bytes = tree_build(t->tree, sizeof t->tree, &config, fault);
    return t;
}
