/* Reads the machine from a flattened device tree (devicetree.org "Devicetree Specification"), in one walk. */
#include "cms/kernel/machine.h"

#include <libfdt.h>
#include <stdbool.h>
#include <string.h>

enum { IO_SPACE = 1, IRQ_LINES = 16 };

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

static const char *read_uart(const void *tree, int node, struct machine *machine)
{
    int parent = fdt_parent_offset(tree, node), length, irq_length;
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

static bool is_type(const void *tree, int node, const char *type)
{
    int length;
    const char *value = fdt_getprop(tree, node, "device_type", &length);
    return value && length == (int)strlen(type) + 1 && !memcmp(value, type, (size_t)length);
}

/* /chosen stdout-path names the console, with options after a colon that do not concern us */
static int console_node(const void *tree, int chosen)
{
    int length;
    const char *path = fdt_getprop(tree, chosen, "stdout-path", &length);
    if (!path || length < 2 || path[length - 1])
        return -1;
    const char *colon = strchr(path, ':');
    return fdt_path_offset_namelen(tree, path, colon ? (int)(colon - path) : length - 1);
}

static const char *bootargs(const void *tree, int chosen)
{
    int length;
    const char *text = fdt_getprop(tree, chosen, "bootargs", &length);
    return text && length > 0 && !text[length - 1] ? text : "";
}

const char *cms_machine_from_tree(const void *tree, size_t size, uint64_t image, struct machine *machine, int *where)
{
    struct machine found = *machine;
    const char *reason = NULL;
    int uart = -1, chosen_uart = -1, node;

    *where = -1;
    if (fdt_check_full(tree, size))
        return "not a sound flattened device tree";
    for (node = fdt_next_node(tree, -1, NULL); node >= 0 && !reason; node = fdt_next_node(tree, node, NULL)) {
        const char *name = fdt_get_name(tree, node, NULL);
        *where = node;
        if (is_type(tree, node, "memory"))
            reason = read_memory(tree, node, image, &found);
        else if (is_type(tree, node, "cpu"))
            read_cpu(tree, node, &found);
        else if (name && !strcmp(name, "chosen")) {
            chosen_uart = console_node(tree, node);
            found.command_line = bootargs(tree, node);
        } else if (uart < 0 && !fdt_node_check_compatible(tree, node, "ns16550a"))
            uart = node;
    }
    if (!reason && chosen_uart >= 0 && !fdt_node_check_compatible(tree, chosen_uart, "ns16550a"))
        uart = chosen_uart;
    if (!reason && uart >= 0)
        *where = uart, reason = read_uart(tree, uart, &found);
    if (!reason && found.ram_end <= found.ram_start)
        *where = -1, reason = "no memory node holds the image";
    if (reason)
        return reason;
    *machine = found;
    return NULL;
}
