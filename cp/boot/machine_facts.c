/* One walk over the tree; a table says which reader a compatible belongs to. */
#include "cp/boot/machine_facts.h"

#include <libfdt.h>
#include <string.h>

#include "cp/device/grant.h"
#include "lib/format.h"

enum { IO_SPACE = 1, IRQS = 16, UART_PORTS = 8, PAGE = 4096 };

struct reader {
    const void *tree;
    struct machine_facts facts;
    struct tree_fault *fault;
    int node;
    int stdout_node; /* -1: not named */
    bool console_seen;
};

/* ---- faults and notes ------------------------------------------------------- */

static void tell(const struct reader *r, struct tree_fault *to, const char *reason)
{
    if (r->node < 0 || fdt_get_path(r->tree, r->node, to->path, sizeof to->path))
        format_text(to->path, sizeof to->path, "/");
    to->reason = reason;
}

static bool fail(struct reader *r, const char *reason)
{
    tell(r, r->fault, reason);
    return false;
}

static bool note(struct reader *r, const char *reason)
{
    if (r->facts.notes < MACHINE_NOTES)
        tell(r, &r->facts.note[r->facts.notes], reason);
    r->facts.notes++;
    return true;
}

/* ---- properties ------------------------------------------------------------- */

static uint64_t number(const fdt32_t *cell, unsigned count)
{
    uint64_t value = 0;

    while (count--)
        value = value << 32 | fdt32_ld(cell++);
    return value;
}

/* A property of one or two cells. False: not there, or of another length. */
static bool number_get(const struct reader *r, const char *name, uint64_t *value)
{
    int length;
    const fdt32_t *cell = fdt_getprop(r->tree, r->node, name, &length);

    if (!cell || (length != 4 && length != 8))
        return false;
    *value = number(cell, length / 4);
    return true;
}

static const char *text_get(const struct reader *r, const char *name)
{
    int length;
    const char *text = fdt_getprop(r->tree, r->node, name, &length);

    return text && length > 0 && !text[length - 1] && strlen(text) == (size_t)length - 1 ? text : NULL;
}

/* The n-th address and size of `reg`, in the cells its parent says. */
static bool reg_get(const struct reader *r, unsigned n, struct tree_range *range)
{
    int parent = fdt_parent_offset(r->tree, r->node), length;
    const fdt32_t *reg = fdt_getprop(r->tree, r->node, "reg", &length);
    int address = parent < 0 ? -1 : fdt_address_cells(r->tree, parent);
    int size = parent < 0 ? -1 : fdt_size_cells(r->tree, parent);

    if (!reg || address < 1 || address > 2 || size < 1 || size > 2 || length / 4 / (address + size) <= (int)n)
        return false;
    reg += n * (unsigned)(address + size);
    *range = (struct tree_range){number(reg, address), number(reg + address, size)};
    return true;
}

/* The n-th range of ports, at least `least` long. */
static bool ports_get(const struct reader *r, unsigned n, unsigned least, uint16_t *port)
{
    struct tree_range range;

    if (!reg_get(r, n, &range) || range.start >> 32 != IO_SPACE || range.bytes < least)
        return false;
    *port = range.start;
    return (uint32_t)range.start && (uint32_t)range.start + range.bytes <= 0x10000;
}

static bool irq_get(const struct reader *r, uint8_t *irq)
{
    int length;
    const fdt32_t *cell = fdt_getprop(r->tree, r->node, "interrupts", &length);

    if (!cell || length < 4 || fdt32_ld(cell) >= IRQS)
        return false;
    *irq = fdt32_ld(cell);
    return true;
}

/* ---- one reader a kind of node ---------------------------------------------- */

static bool read_memory(struct reader *r)
{
    struct machine_facts *f = &r->facts;
    struct tree_range range;

    for (unsigned n = 0; reg_get(r, n, &range); n++) {
        if (range.start + range.bytes < range.start)
            return fail(r, "a range of memory wraps");
        if (f->memories == TREE_MEMORY)
            return note(r, "there are more ranges of memory than CP uses");
        if (range.bytes)
            f->memory[f->memories++] = range;
    }
    return true;
}

static bool read_cpu(struct reader *r)
{
    uint64_t id;

    if (r->facts.tsc_hz)
        return note(r, "CP uses one CPU");
    if (!number_get(r, "timebase-frequency", &r->facts.tsc_hz) || !r->facts.tsc_hz)
        return fail(r, "timebase-frequency, the TSC's, is missing or unusable");
    if (!number_get(r, "reg", &id) || id > UINT32_MAX)
        return fail(r, "reg, the APIC ID, is missing or unusable");
    r->facts.apic_id = id;
    return true;
}

static bool read_serial(struct reader *r)
{
    struct machine_facts *f = &r->facts;
    struct tree_uart uart;

    if (!ports_get(r, 0, UART_PORTS, &uart.port))
        return fail(r, "reg is not a range of eight I/O ports");
    if (!irq_get(r, &uart.irq))
        return fail(r, "interrupts does not name an ISA interrupt");
    if (f->uarts == TREE_UARTS)
        return note(r, "there are more lines than CP uses");
    f->uart[f->uarts++] = uart;
    if (r->node == r->stdout_node) {
        r->console_seen = true;
        memmove(&f->uart[1], &f->uart[0], (f->uarts - 1) * sizeof uart);
        f->uart[0] = uart;
    }
    return true;
}

static bool read_ide(struct reader *r)
{
    struct machine_facts *f = &r->facts;
    struct tree_ata ata;

    if (!ports_get(r, 0, 8, &ata.command) || !ports_get(r, 1, 1, &ata.control))
        return fail(r, "reg is not the command ports and the control port");
    if (!irq_get(r, &ata.irq))
        return fail(r, "interrupts does not name an ISA interrupt");
    if (f->atas == TREE_ATA)
        return note(r, "there are more ATA channels than CP uses");
    f->ata[f->atas++] = ata;
    return true;
}

static bool read_lapic(struct reader *r)
{
    struct tree_range range;

    if (!reg_get(r, 0, &range) || !range.start || range.start % PAGE)
        return fail(r, "reg is not the address of a local APIC");
    r->facts.lapic = range.start;
    if (!number_get(r, "clock-frequency", &r->facts.lapic_hz))
        r->facts.lapic_hz = 0;
    return true;
}

static bool read_ioapic(struct reader *r)
{
    struct tree_range range;

    if (r->facts.ioapic)
        return note(r, "CP uses one IOAPIC");
    if (!reg_get(r, 0, &range) || !range.start || range.start % 16)
        return fail(r, "reg is not the address of an IOAPIC");
    r->facts.ioapic = range.start;
    return true;
}

static bool read_pci(struct reader *r)
{
    if (r->facts.pci)
        return note(r, "CP uses one PCI host");
    return r->facts.pci = true;
}

static bool read_console(struct reader *r)
{
    enum { REG_CELLS = 5 };
    struct machine_facts *f = &r->facts;
    int length;
    const fdt32_t *reg = fdt_getprop(r->tree, r->node, "reg", &length);

    if (!reg || length < REG_CELLS * (int)sizeof *reg)
        return fail(r, "reg is not the place of a PCI function");
    if (f->consoles == TREE_CONSOLES)
        return note(r, "there are more consoles than CP uses");
    uint32_t at = fdt32_ld(reg);
    f->console[f->consoles++] = (struct tree_pci){(uint8_t)(at >> 16), at >> 11 & 0x1F, at >> 8 & 7};
    return true;
}

static bool read_module(struct reader *r)
{
    struct machine_facts *f = &r->facts;
    struct tree_module *m = &f->module[f->modules];
    struct tree_range range;

    if (f->modules == TREE_MODULES)
        return note(r, "there are more modules than CP uses");
    if (!reg_get(r, 0, &range) || range.start + range.bytes < range.start)
        return fail(r, "reg is not the place of a module");
    *m = (struct tree_module){.text = text_get(r, "bootargs"), .start = range.start, .bytes = range.bytes};
    if (!m->text)
        m->text = "";
    f->modules++;
    return true;
}

static bool read_debug_exit(struct reader *r)
{
    return ports_get(r, 0, 1, &r->facts.debug_exit) || fail(r, "reg is not an I/O port");
}

/* "syscon-poweroff", "syscon-reboot": regmap names the register, offset and value say what to write. */
static bool read_action(struct reader *r, struct tree_register *to)
{
    struct reader at = *r;
    uint64_t regmap, offset, value, width = 4;

    if (!number_get(r, "regmap", &regmap) || !number_get(r, "offset", &offset) || !number_get(r, "value", &value) ||
        regmap > UINT32_MAX || value > UINT32_MAX)
        return fail(r, "regmap, offset or value is missing or unusable");
    at.node = fdt_node_offset_by_phandle(r->tree, regmap);
    if (at.node < 0 || !ports_get(&at, 0, 1, &to->port))
        return fail(r, "regmap does not lead to I/O ports");
    number_get(&at, "reg-io-width", &width);
    if ((width != 1 && width != 2 && width != 4) || offset > 0xffff || to->port + offset + width > 0x10000)
        return fail(r, "its register has no usable width or offset");
    to->port += offset;
    to->width = width;
    to->value = value;
    return true;
}

static bool read_poweroff(struct reader *r) { return read_action(r, &r->facts.poweroff); }
static bool read_reboot(struct reader *r) { return read_action(r, &r->facts.reboot); }
static bool read_pic(struct reader *r) { return r->facts.pic = true; }
static bool read_pit(struct reader *r) { return r->facts.pit = true; }
static bool read_rtc(struct reader *r) { return r->facts.rtc = true; }
static bool read_keyboard(struct reader *r) { return r->facts.keyboard = true; }
static bool read_nothing(struct reader *r) { return (void)r, true; }

static const struct {
    const char *compatible;
    bool (*read)(struct reader *);
} kinds[] = {
    {"ns16550a", read_serial},
    {"pnpPNP,600", read_ide},
    {"intel,ce4100-lapic", read_lapic},
    {"intel,ce4100-ioapic", read_ioapic},
    {"intel,i8259", read_pic},
    {"pnpPNP,100", read_pit},
    {"motorola,mc146818", read_rtc},
    {"pnpPNP,303", read_keyboard},
    {"pci-x86", read_pci},
    {"pci1af4,1043", read_console},
    {"multiboot,module", read_module},
    {"syscon-poweroff", read_poweroff},
    {"syscon-reboot", read_reboot},
    {"vmn,debug-exit", read_debug_exit},
    {"syscon", read_nothing}, /* read through the nodes that point to it */
    {"isa", read_nothing},
    {"vmn,machine", read_nothing},
};

/* ---- the walk --------------------------------------------------------------- */

static bool is_type(const struct reader *r, const char *type)
{
    const char *value = text_get(r, "device_type");

    return value && !strcmp(value, type);
}

/* CP gives such a device to machines and has no use for one itself. */
static bool is_granted(const struct reader *r)
{
    for (unsigned i = 0; i < GRANTS; i++)
        for (unsigned n = 0; machine_grants[i].device && n < GRANTED_NODES; n++) {
            const char *compatible = machine_grants[i].device->node[n].compatible;
            if (compatible && !fdt_node_check_compatible(r->tree, r->node, compatible))
                return true;
        }
    return false;
}

static bool read_node(struct reader *r)
{
    if (is_type(r, "memory"))
        return read_memory(r);
    if (is_type(r, "cpu"))
        return read_cpu(r);
    if (!fdt_getprop(r->tree, r->node, "compatible", NULL))
        return true; /* a node that only holds others */
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!fdt_node_check_compatible(r->tree, r->node, kinds[i].compatible))
            return kinds[i].read(r);
    return is_granted(r) || note(r, "CP knows nothing that is compatible with this");
}

static bool read_chosen(struct reader *r)
{
    const char *path, *colon;

    r->node = fdt_path_offset(r->tree, "/chosen");
    r->facts.command_line = "";
    r->stdout_node = -1;
    if (r->node < 0)
        return true;
    if (text_get(r, "bootargs"))
        r->facts.command_line = text_get(r, "bootargs");
    path = text_get(r, "stdout-path");
    if (!path)
        return true;
    colon = strchr(path, ':'); /* options that do not concern CP */
    r->stdout_node = fdt_path_offset_namelen(r->tree, path, colon ? (int)(colon - path) : (int)strlen(path));
    return r->stdout_node >= 0 || fail(r, "stdout-path leads nowhere");
}

static bool check_whole(struct reader *r)
{
    r->node = -1;
    if (!r->facts.memories)
        return fail(r, "there is no memory node with a usable reg");
    if (!r->facts.tsc_hz)
        return fail(r, "there is no cpu node");
    if (r->stdout_node >= 0 && !r->console_seen) {
        r->node = r->stdout_node;
        return fail(r, "stdout-path does not lead to a line CP can use");
    }
    return true;
}

bool machine_facts_read(const void *tree, size_t bytes, struct machine_facts *facts, struct tree_fault *fault)
{
    struct reader r = {.tree = tree, .fault = fault, .node = -1};

    *fault = (struct tree_fault){.reason = NULL};
    if (fdt_check_full(tree, bytes))
        return fail(&r, "it is not a sound flattened device tree");
    if (!read_chosen(&r))
        return false;
    for (r.node = fdt_next_node(tree, -1, NULL); r.node >= 0; r.node = fdt_next_node(tree, r.node, NULL))
        if (!read_node(&r))
            return false;
    if (!check_whole(&r))
        return false;
    *facts = r.facts;
    return true;
}

/* ---- modules and free memory ------------------------------------------------ */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool first_word_is(const char *text, const char *name)
{
    while (*name && lower(*text) == lower(*name))
        text++, name++;
    return !*name && (!*text || *text == ' ');
}

const struct tree_module *machine_facts_module(const struct machine_facts *facts, const char *name)
{
    for (unsigned i = 0; i < facts->modules; i++)
        if (first_word_is(facts->module[i].text, name))
            return &facts->module[i];
    return NULL;
}

/* Moves *at beyond `taken` if it lies in it, and *end down to it if it lies before. */
static void yield_to(const struct tree_range *taken, uint64_t *at, uint64_t *end)
{
    uint64_t first = taken->start & ~(uint64_t)(PAGE - 1);
    uint64_t last = (taken->start + taken->bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);

    if (!taken->bytes)
        return;
    if (first <= *at && last > *at)
        *at = last;
    else if (first > *at && first < *end)
        *end = first;
}

unsigned machine_facts_free(const struct machine_facts *facts, const struct tree_range *range,
                            const struct tree_range *taken, unsigned takens, struct tree_range *free, unsigned most)
{
    uint64_t at = (range->start + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    uint64_t limit = (range->start + range->bytes) & ~(uint64_t)(PAGE - 1);
    unsigned n = 0;

    while (at < limit && n < most) {
        uint64_t end = limit, before = at;

        for (unsigned i = 0; i < takens; i++)
            yield_to(&taken[i], &at, &end);
        for (unsigned i = 0; i < facts->modules; i++)
            yield_to(&(struct tree_range){facts->module[i].start, facts->module[i].bytes}, &at, &end);
        if (at != before)
            continue; /* moved: look again from there */
        free[n++] = (struct tree_range){at, end - at};
        at = end;
    }
    return n;
}
