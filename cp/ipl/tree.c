/* Writes the tree from top to bottom with libfdt's sequential functions. The first error sticks; what follows does
 * nothing. */
#include "cp/ipl/tree.h"

#include <libfdt.h>
#include <string.h>

#include "lib/format.h"

enum { LEAST_BYTES = 256 /* libfdt's header and more */ };
enum { IO_SPACE = 1, UART_HZ = 1843200, PCI_PIN_BASE = 16, PCI_PINS = 4, TIMER_PIN = 2 };
/* the second interrupt cell, which each controller's binding numbers in its own way */
enum { IOAPIC_EDGE_RISING = 0, IOAPIC_LEVEL_LOW = 1, PIC_EDGE_RISING = 3 };
enum { PCI_SPACE_IO = 0x01000000, PCI_SPACE_MEMORY = 0x02000000, PCI_BUS_SHIFT = 16, PCI_SLOT_SHIFT = 11,
       PCI_FUNCTION_SHIFT = 8, PCI_SLOTS = 32, PCI_FUNCTIONS = 8 };
enum phandle { PHANDLE_IOAPIC = 1, PHANDLE_LAPIC, PHANDLE_PIC, PHANDLE_POWER, PHANDLE_RESET };

struct writer {
    void *tree;
    const struct tree_config *config;
    int error; /* libfdt's */
};

static void step(struct writer *w, int error)
{
    if (!w->error)
        w->error = error;
}

/* ---- properties ------------------------------------------------------------- */

static void begin(struct writer *w, const char *name)
{
    step(w, fdt_begin_node(w->tree, name));
}

static void begin_at(struct writer *w, const char *name, uint64_t address)
{
    char full[48];

    format_text(full, sizeof full, "%s@%llx", name, (unsigned long long)address);
    begin(w, full);
}

static void end(struct writer *w)
{
    step(w, fdt_end_node(w->tree));
}

static void text(struct writer *w, const char *name, const char *value)
{
    step(w, fdt_property_string(w->tree, name, value));
}

static void bytes(struct writer *w, const char *name, const void *value, size_t length)
{
    step(w, fdt_property(w->tree, name, value, (int)length));
}

#define TEXTS(w, name, list) bytes(w, name, list, sizeof list) /* several strings with a NUL between them */

static void flag(struct writer *w, const char *name)
{
    bytes(w, name, NULL, 0);
}

static void cell(struct writer *w, const char *name, uint32_t value)
{
    step(w, fdt_property_u32(w->tree, name, value));
}

static void cell64(struct writer *w, const char *name, uint64_t value)
{
    step(w, fdt_property_u64(w->tree, name, value));
}

static void cells(struct writer *w, const char *name, const uint32_t *value, unsigned count)
{
    fdt32_t big[64];

    for (unsigned i = 0; i < count; i++)
        big[i] = cpu_to_fdt32(value[i]);
    bytes(w, name, big, count * sizeof *big);
}

#define CELLS(w, name, ...) \
    cells(w, name, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define WIDE(value) (uint32_t)((uint64_t)(value) >> 32), (uint32_t)(value)

static void cell_sizes(struct writer *w, uint32_t address, uint32_t size)
{
    cell(w, "#address-cells", address);
    cell(w, "#size-cells", size);
}

static void interrupt_controller(struct writer *w, enum phandle phandle)
{
    flag(w, "interrupt-controller");
    cell(w, "#address-cells", 0);
    cell(w, "#interrupt-cells", 2);
    cell(w, "phandle", phandle);
}

/* ISA interrupts are rising edges at the pin of the same number, but for the timer's, which every PC has at pin 2. */
static void isa_interrupt(struct writer *w, uint8_t irq)
{
    if (w->config->ioapic)
        CELLS(w, "interrupts", irq ? irq : TIMER_PIN, IOAPIC_EDGE_RISING);
    else
        CELLS(w, "interrupts", irq, PIC_EDGE_RISING);
}

/* ---- the parts -------------------------------------------------------------- */

static void cpus(struct writer *w)
{
    begin(w, "cpus");
    cell_sizes(w, 1, 0);
    begin_at(w, "cpu", w->config->apic_id);
    text(w, "device_type", "cpu");
    text(w, "compatible", "cpu-x86");
    cell(w, "reg", w->config->apic_id);
    cell64(w, "clock-frequency", w->config->tsc_hz);
    cell64(w, "timebase-frequency", w->config->tsc_hz);
    if (w->config->lapic)
        cell(w, "lapic", PHANDLE_LAPIC);
    end(w);
    end(w);
}

static void memory(struct writer *w)
{
    uint32_t reg[4 * TREE_MEMORY];
    unsigned n = 0;

    for (unsigned i = 0; i < w->config->memories; i++) {
        const struct tree_range *r = &w->config->memory[i];
        const uint32_t entry[4] = {WIDE(r->start), WIDE(r->bytes)};

        memcpy(reg + n, entry, sizeof entry);
        n += 4;
    }
    begin_at(w, "memory", w->config->memory[0].start);
    text(w, "device_type", "memory");
    cells(w, "reg", reg, n);
    end(w);
}

static void chosen(struct writer *w)
{
    char path[32];

    begin(w, "chosen");
    cell_sizes(w, 2, 2);
    text(w, "bootargs", w->config->bootargs ? w->config->bootargs : "");
    if (w->config->uarts) {
        format_text(path, sizeof path, "/isa/serial@%x", w->config->uart[0].port);
        text(w, "stdout-path", path);
    }
    for (unsigned i = 0; i < w->config->modules; i++) {
        const struct tree_module *m = &w->config->module[i];

        begin_at(w, "module", m->start);
        text(w, "compatible", "multiboot,module");
        CELLS(w, "reg", WIDE(m->start), WIDE(m->bytes));
        text(w, "bootargs", m->text ? m->text : "");
        end(w);
    }
    end(w);
}

static void apics(struct writer *w)
{
    if (w->config->lapic) {
        begin_at(w, "interrupt-controller", w->config->lapic);
        text(w, "compatible", "intel,ce4100-lapic");
        CELLS(w, "reg", WIDE(w->config->lapic), WIDE(4096));
        interrupt_controller(w, PHANDLE_LAPIC);
        flag(w, "intel,virtual-wire-mode");
        if (w->config->lapic_hz)
            cell64(w, "clock-frequency", w->config->lapic_hz);
        end(w);
    }
    if (w->config->ioapic) {
        begin_at(w, "interrupt-controller", w->config->ioapic);
        text(w, "compatible", "intel,ce4100-ioapic");
        CELLS(w, "reg", WIDE(w->config->ioapic), WIDE(4096));
        interrupt_controller(w, PHANDLE_IOAPIC);
        end(w);
    }
}

/* Slots differ in the low two bits of their number, so four entries map all of them. */
static void pci_pins(struct writer *w)
{
    enum { CELLS_AN_ENTRY = 7 };
    uint32_t map[CELLS_AN_ENTRY * PCI_PINS];

    for (unsigned n = 0; n < PCI_PINS; n++) {
        const uint32_t entry[CELLS_AN_ENTRY] = {n << PCI_SLOT_SHIFT, 0, 0, 1, PHANDLE_IOAPIC, PCI_PIN_BASE + n,
                                                 IOAPIC_LEVEL_LOW};

        memcpy(map + CELLS_AN_ENTRY * n, entry, sizeof entry);
    }
    cell(w, "#interrupt-cells", 1);
    CELLS(w, "interrupt-map-mask", (PCI_PINS - 1) << PCI_SLOT_SHIFT, 0, 0, 7);
    cells(w, "interrupt-map", map, CELLS_AN_ENTRY * PCI_PINS);
}

static void console(struct writer *w, const struct tree_pci *at)
{
    char name[32];

    format_text(name, sizeof name, "serial@%x,%x", at->slot, at->function);
    begin(w, name);
    text(w, "compatible", "pci1af4,1043");
    CELLS(w, "reg",
          (uint32_t)at->bus << PCI_BUS_SHIFT | (uint32_t)at->slot << PCI_SLOT_SHIFT |
              at->function << PCI_FUNCTION_SHIFT,
          0, 0, 0, 0);
    end(w);
}

static void pci(struct writer *w)
{
    const struct tree_range *memory_window = &w->config->pci_memory, *port_window = &w->config->pci_ports;
    bool ranges = memory_window->bytes && port_window->bytes;

    if (ranges)
        begin_at(w, "pci", memory_window->start);
    else
        begin(w, "pci");
    TEXTS(w, "compatible", "pci-x86\0pci");
    text(w, "device_type", "pci");
    cell_sizes(w, 3, 2);
    CELLS(w, "bus-range", 0, w->config->pci_pins ? 0 : 255);
    if (ranges)
        CELLS(w, "ranges", PCI_SPACE_MEMORY, WIDE(memory_window->start), WIDE(memory_window->start),
              WIDE(memory_window->bytes), PCI_SPACE_IO, WIDE(port_window->start), WIDE(port_window->start),
              WIDE(port_window->bytes));
    if (w->config->pci_pins && w->config->ioapic)
        pci_pins(w);
    for (unsigned i = 0; i < w->config->consoles; i++)
        console(w, &w->config->console[i]);
    end(w);
}

/* ---- the ISA bus ------------------------------------------------------------ */

static void serial(struct writer *w, const struct tree_uart *uart)
{
    begin_at(w, "serial", uart->port);
    text(w, "compatible", "ns16550a");
    CELLS(w, "reg", IO_SPACE, uart->port, 8);
    cell(w, "clock-frequency", UART_HZ);
    isa_interrupt(w, uart->irq);
    end(w);
}

static void ide(struct writer *w, const struct tree_ata *ata)
{
    begin_at(w, "ide", ata->command);
    text(w, "compatible", "pnpPNP,600");
    CELLS(w, "reg", IO_SPACE, ata->command, 8, IO_SPACE, ata->control, 1);
    isa_interrupt(w, ata->irq);
    end(w);
}

static void pic(struct writer *w)
{
    begin_at(w, "interrupt-controller", 0x20);
    text(w, "compatible", "intel,i8259");
    CELLS(w, "reg", IO_SPACE, 0x20, 2, IO_SPACE, 0xa0, 2, IO_SPACE, 0x4d0, 2);
    interrupt_controller(w, PHANDLE_PIC);
    end(w);
}

/* A device of fixed place. */
static void legacy(struct writer *w, const char *name, const char *compatible, uint16_t port, unsigned ports,
                   uint8_t irq)
{
    begin_at(w, name, port);
    text(w, "compatible", compatible);
    CELLS(w, "reg", IO_SPACE, port, ports);
    isa_interrupt(w, irq);
    end(w);
}

static void further(struct writer *w, const struct device_node *node)
{
    begin_at(w, node->name, node->port);
    text(w, "compatible", node->compatible);
    CELLS(w, "reg", IO_SPACE, node->port, node->ports);
    if (node->irq)
        isa_interrupt(w, node->irq);
    end(w);
}

static void system_register(struct writer *w, const char *name, const struct tree_register *r, enum phandle phandle)
{
    if (!r->width)
        return;
    begin_at(w, name, r->port);
    text(w, "compatible", "syscon");
    CELLS(w, "reg", IO_SPACE, r->port, r->width);
    cell(w, "reg-io-width", r->width);
    cell(w, "phandle", phandle);
    end(w);
}

static void system_action(struct writer *w, const char *name, const char *compatible, const struct tree_register *r,
                          enum phandle phandle)
{
    if (!r->width)
        return;
    begin(w, name);
    text(w, "compatible", compatible);
    cell(w, "regmap", phandle);
    cell(w, "offset", 0);
    cell(w, "value", r->value);
    end(w);
}

static void isa(struct writer *w)
{
    const struct tree_config *c = w->config;

    begin(w, "isa");
    text(w, "compatible", "isa");
    cell_sizes(w, 2, 1);
    if (c->ioapic || c->pic)
        cell(w, "interrupt-parent", c->ioapic ? PHANDLE_IOAPIC : PHANDLE_PIC);
    for (unsigned i = 0; i < c->uarts; i++)
        serial(w, &c->uart[i]);
    for (unsigned i = 0; i < c->atas; i++)
        ide(w, &c->ata[i]);
    if (c->pic)
        pic(w);
    if (c->pit)
        legacy(w, "timer", "pnpPNP,100", 0x40, 4, 0);
    if (c->keyboard)
        legacy(w, "keyboard", "pnpPNP,303", 0x60, 5, 1);
    if (c->rtc)
        legacy(w, "rtc", "motorola,mc146818", 0x70, 2, 8);
    system_register(w, "power", &c->poweroff, PHANDLE_POWER);
    system_register(w, "reset", &c->reboot, PHANDLE_RESET);
    for (unsigned i = 0; i < c->isas; i++)
        further(w, &c->isa[i]);
    end(w);
}

static void root(struct writer *w)
{
    begin(w, "");
    text(w, "compatible", "vmn,machine");
    text(w, "model", w->config->model ? w->config->model : "VM/N");
    cell_sizes(w, 2, 2);
    cpus(w);
    memory(w);
    chosen(w);
    apics(w);
    if (w->config->pci)
        pci(w);
    isa(w);
    system_action(w, "poweroff", "syscon-poweroff", &w->config->poweroff, PHANDLE_POWER);
    system_action(w, "reboot", "syscon-reboot", &w->config->reboot, PHANDLE_RESET);
    end(w);
}

/* ---- what can be described -------------------------------------------------- */

static bool refuse(struct tree_fault *fault, const char *reason, const char *path, uint64_t number)
{
    format_text(fault->path, sizeof fault->path, path, (unsigned long long)number);
    fault->reason = reason;
    return false;
}

static bool check_memory(const struct tree_config *c, struct tree_fault *fault)
{
    if (!c->memories || c->memories > TREE_MEMORY)
        return refuse(fault, "there is no memory, or too many ranges of it", "/memory", 0);
    for (unsigned i = 0; i < c->memories; i++) {
        const struct tree_range *r = &c->memory[i];

        if (!r->bytes || r->start + r->bytes < r->start)
            return refuse(fault, "a range is empty or wraps", "/memory@%llx", r->start);
        if (i && r->start < c->memory[i - 1].start + c->memory[i - 1].bytes)
            return refuse(fault, "ranges overlap or are not in order", "/memory@%llx", r->start);
    }
    return true;
}

static bool check_ports(const struct tree_config *c, struct tree_fault *fault)
{
    if (c->uarts > TREE_UARTS || c->atas > TREE_ATA || c->isas > TREE_ISA || c->modules > TREE_MODULES)
        return refuse(fault, "there are too many of a kind", "/isa", 0);
    for (unsigned i = 0; i < c->uarts; i++) {
        if (!c->uart[i].port || c->uart[i].port > 0xfff8 || c->uart[i].irq > 15)
            return refuse(fault, "the port or the interrupt is out of range", "/isa/serial@%llx", c->uart[i].port);
        for (unsigned j = 0; j < i; j++)
            if (c->uart[i].port < c->uart[j].port + 8 && c->uart[j].port < c->uart[i].port + 8)
                return refuse(fault, "two lines overlap", "/isa/serial@%llx", c->uart[i].port);
    }
    for (unsigned i = 0; i < c->atas; i++)
        if (!c->ata[i].command || c->ata[i].command > 0xfff8 || c->ata[i].irq > 15)
            return refuse(fault, "the port or the interrupt is out of range", "/isa/ide@%llx", c->ata[i].command);
    return true;
}

static bool check_consoles(const struct tree_config *c, struct tree_fault *fault)
{
    if (c->consoles > TREE_CONSOLES || (c->consoles && !c->pci))
        return refuse(fault, "there are too many consoles, or no PCI for them", "/pci", 0);
    for (unsigned i = 0; i < c->consoles; i++) {
        const struct tree_pci *at = &c->console[i];

        if (at->slot >= PCI_SLOTS || at->function >= PCI_FUNCTIONS)
            return refuse(fault, "there is no such slot or function", "/pci/serial@%llx", at->slot);
        for (unsigned j = 0; j < i; j++)
            if (at->slot == c->console[j].slot && at->function == c->console[j].function)
                return refuse(fault, "two consoles are at one place", "/pci/serial@%llx", at->slot);
    }
    return true;
}

static bool check_register(const struct tree_register *r, const char *path, struct tree_fault *fault)
{
    if (r->width > 4 || r->width == 3 || r->port + (r->width ? r->width - 1 : 0) > 0xffff)
        return refuse(fault, "the width is not 1, 2 or 4, or the port is out of range", path, 0);
    return true;
}

static bool check(const struct tree_config *c, struct tree_fault *fault)
{
    if (!c->tsc_hz)
        return refuse(fault, "the TSC's frequency is not known", "/cpus/cpu@%llx", c->apic_id);
    return check_memory(c, fault) && check_ports(c, fault) && check_consoles(c, fault) &&
           check_register(&c->poweroff, "/poweroff", fault) &&
           check_register(&c->reboot, "/reboot", fault);
}

static const char no_space[] = "the tree does not fit into its space";

size_t tree_build(void *to, size_t size, const struct tree_config *config, struct tree_fault *fault)
{
    struct writer w = {.tree = to, .config = config};

    *fault = (struct tree_fault){.reason = NULL};
    if (!check(config, fault))
        return 0;
    if (size < LEAST_BYTES || size > INT32_MAX) {
        refuse(fault, no_space, "/", 0);
        return 0;
    }
    /* names are looked for in vain more often than they are found, and each look is at all there are */
    step(&w, fdt_create_with_flags(to, (int)size, FDT_CREATE_FLAG_NO_NAME_DEDUP));
    step(&w, fdt_finish_reservemap(to));
    root(&w);
    step(&w, fdt_finish(to));
    if (w.error) {
        refuse(fault, no_space, "/", 0);
        return 0;
    }
    return fdt_totalsize(to);
}
