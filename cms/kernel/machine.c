/* Reads the machine from a flattened device tree (devicetree.org "Devicetree Specification"), in one walk. */
#include "cms/kernel/machine.h"

#include <libfdt.h>
#include <stdbool.h>
#include <string.h>

enum { IO_SPACE = 1, IRQ_LINES = 16, DEPTH_MAX = 8 };

void cms_machine_default(struct machine *machine)
{
    *machine = (struct machine){.uart_port = 0x3f8, .uart_irq = 4, .command_line = ""};
}

static uint64_t cells(const fdt32_t *cell, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 32 | fdt32_ld(cell + i);
    return value;
}

/* /memory: the range that holds the image */
static const char *read_memory(const void *tree, int node, uint64_t image, struct machine *machine)
{
    int address = fdt_address_cells(tree, 0), size = fdt_size_cells(tree, 0), length;
    const fdt32_t *reg = fdt_getprop(tree, node, "reg", &length);

    if (!reg || address < 1 || address > 2 || size < 1 || size > 2)
        return "memory without a usable reg";
    for (; length >= (address + size) * 4; length -= (address + size) * 4, reg += address + size) {
        uint64_t start = cells(reg, address), bytes = cells(reg + address, size);
        if (start <= image && bytes && image - start < bytes) {
            machine->ram_start = start;
            machine->ram_end = start + bytes < start ? UINT64_MAX : start + bytes;
        }
    }
    return NULL;
}

static const char *read_uart(const void *tree, int node, int parent, struct machine *machine)
{
    int length, irq_length;
    int address = parent < 0 ? -1 : fdt_address_cells(tree, parent);
    const fdt32_t *reg = fdt_getprop(tree, node, "reg", &length);
    const fdt32_t *irq = fdt_getprop(tree, node, "interrupts", &irq_length);

    if (!reg || address < 1 || address > 2 || length < address * 4)
        return "console UART without a usable reg";
    if (address == 2 && fdt32_ld(reg) != IO_SPACE)
        return "console UART is not in I/O space";
    uint32_t port = fdt32_ld(reg + address - 1);
    if (!port || port > 0xfff8)
        return "console UART's port is out of range";
    if (!irq || irq_length < 4 || fdt32_ld(irq) >= IRQ_LINES)
        return "console UART without a usable interrupt";
    machine->uart_port = (uint16_t)port;
    machine->uart_irq = (uint8_t)fdt32_ld(irq);
    return NULL;
}

static void read_cpu(const void *tree, int node, struct machine *machine)
{
    int length;
    const fdt32_t *hz = fdt_getprop(tree, node, "timebase-frequency", &length);
    if (hz && (length == 4 || length == 8) && !machine->tsc_khz)
        machine->tsc_khz = (uint32_t)(cells(hz, length / 4) / 1000);
}

/* A node's text property, "" if it has none or it is not one string */
static const char *text_of(const void *tree, int node, const char *property)
{
    int length;
    const char *value = fdt_getprop(tree, node, property, &length);
    return value && length > 0 && strnlen(value, (size_t)length) == (size_t)length - 1 ? value : "";
}

/* /chosen stdout-path names the console, with options after a colon that do not concern us */
static int console_node(const void *tree, int chosen)
{
    const char *path = text_of(tree, chosen, "stdout-path"), *colon = strchr(path, ':');
    return *path ? fdt_path_offset_namelen(tree, path, colon ? (int)(colon - path) : (int)strlen(path)) : -1;
}

/* What the walk has found so far.  Every libfdt look-up by itself walks the tree, so parents are remembered. */
struct walk {
    struct machine machine;
    int parent[DEPTH_MAX];
    int uart, uart_parent; /* the console, or the first UART; -1: none */
    int console;           /* what /chosen names; -1: nothing */
};

static const char *visit(const void *tree, int node, int depth, uint64_t image, struct walk *w)
{
    const char *type = text_of(tree, node, "device_type");

    if (!strcmp(type, "memory"))
        return read_memory(tree, node, image, &w->machine);
    if (!strcmp(type, "cpu")) {
        read_cpu(tree, node, &w->machine);
    } else if (depth == 1 && !strcmp(fdt_get_name(tree, node, NULL), "chosen")) {
        w->console = console_node(tree, node);
        w->machine.command_line = text_of(tree, node, "bootargs");
    } else if ((w->uart < 0 || node == w->console) && !fdt_node_check_compatible(tree, node, "ns16550a")) {
        w->uart = node;
        w->uart_parent = w->parent[depth - 1];
    }
    return NULL;
}

/* The console may be named after its node has gone by. */
static const char *finish(const void *tree, struct walk *w, int *where)
{
    if (w->console >= 0 && w->console != w->uart && !fdt_node_check_compatible(tree, w->console, "ns16550a")) {
        w->uart = w->console;
        w->uart_parent = fdt_parent_offset(tree, w->console);
    }
    *where = w->uart;
    const char *reason = w->uart >= 0 ? read_uart(tree, w->uart, w->uart_parent, &w->machine) : NULL;
    if (reason || w->machine.ram_end > w->machine.ram_start)
        return reason;
    *where = -1;
    return "no memory node holds the image";
}

const char *cms_machine_from_tree(const void *tree, size_t size, uint64_t image, struct machine *machine, int *where)
{
    struct walk w = {.machine = *machine, .uart = -1, .console = -1};
    const char *reason = NULL;
    int depth = 0, node;

    *where = -1;
    if (fdt_check_full(tree, size))
        return "not a sound flattened device tree";
    for (node = fdt_next_node(tree, 0, &depth); node >= 0 && depth > 0 && !reason;
         node = fdt_next_node(tree, node, &depth)) {
        if (depth >= DEPTH_MAX)
            continue;
        w.parent[depth] = node;
        *where = node;
        reason = visit(tree, node, depth, image, &w);
    }
    if (!reason)
        reason = finish(tree, &w, where);
    if (!reason)
        *machine = w.machine;
    return reason;
}
