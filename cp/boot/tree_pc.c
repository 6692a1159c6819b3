/* Multiboot information ("Boot information format") + probed facts -> tree, or the tree another CP gave + the
 * former. */
#include "cp/boot/tree_pc.h"

#include <libfdt.h>
#include <string.h>

#include "cp/device/grant.h"
#include "lib/format.h"

enum { INFO_COMMAND_LINE = 1 << 2, INFO_MODULES = 1 << 3, INFO_MAP = 1 << 6, MAP_RAM = 1, TEXT_LIMIT = 4096 };

struct information {
    uint32_t flags, memory_lower, memory_upper, boot_device, command_line, modules, modules_at;
    uint32_t symbols[4];
    uint32_t map_bytes, map_at;
};

struct module_entry {
    uint32_t start, end, text, reserved;
};

struct map_entry {
    uint32_t size;
    uint64_t start, bytes;
    uint32_t kind;
} __attribute__((packed));

static bool refuse(struct tree_fault *fault, const char *path, const char *reason)
{
    format_text(fault->path, sizeof fault->path, "%s", path);
    fault->reason = reason;
    return false;
}

static bool get(const struct pc_facts *pc, uint64_t at, void *to, size_t bytes)
{
    const void *from = pc->physical(at, bytes);

    if (from)
        memcpy(to, from, bytes);
    return from;
}

/* A text of the loader's, or NULL when it does not end. */
static const char *text_at(const struct pc_facts *pc, uint32_t at)
{
    const char *text = at ? pc->physical(at, 1) : "";

    for (unsigned n = 0; text && n < TEXT_LIMIT; n++) {
        const char *c = at ? pc->physical((uint64_t)at + n, 1) : "";

        if (!c)
            return NULL;
        if (!*c)
            return text;
    }
    return NULL;
}

/* ---- the loader's facts ----------------------------------------------------- */

static void memory_insert(struct tree_config *c, struct tree_range range)
{
    unsigned n = c->memories;

    while (n && c->memory[n - 1].start > range.start) {
        c->memory[n] = c->memory[n - 1];
        n--;
    }
    c->memory[n] = range;
    c->memories++;
}

static bool overlaps(const struct tree_config *c, const struct tree_range *range)
{
    for (unsigned i = 0; i < c->memories; i++)
        if (range->start < c->memory[i].start + c->memory[i].bytes && c->memory[i].start < range->start + range->bytes)
            return true;
    return false;
}

/* Ranges the tree has no room for, or that contradict others, are left out: less memory is safe, wrong memory is
 * not. */
static bool read_map(const struct pc_facts *pc, const struct information *info, struct tree_config *c,
                     struct tree_fault *fault)
{
    uint64_t at = info->map_at, end = at + info->map_bytes;
    struct map_entry entry;

    if (!(info->flags & INFO_MAP))
        return refuse(fault, "/memory", "the boot loader gave no memory map");
    for (; at < end && get(pc, at, &entry, sizeof entry); at += entry.size + sizeof entry.size) {
        struct tree_range range = {entry.start, entry.bytes};

        if (entry.size < sizeof entry - sizeof entry.size)
            return refuse(fault, "/memory", "the boot loader's memory map is damaged");
        if (entry.kind == MAP_RAM && range.bytes && range.start + range.bytes > range.start &&
            c->memories < TREE_MEMORY && !overlaps(c, &range))
            memory_insert(c, range);
    }
    return c->memories || refuse(fault, "/memory", "the boot loader's memory map shows no memory");
}

static bool read_modules(const struct pc_facts *pc, const struct information *info, struct tree_config *c,
                         struct tree_fault *fault)
{
    unsigned n = info->flags & INFO_MODULES ? info->modules : 0;

    if (n > TREE_MODULES)
        return refuse(fault, "/chosen", "the boot loader gave more modules than CP takes");
    for (unsigned i = 0; i < n; i++) {
        struct module_entry entry;

        if (!get(pc, info->modules_at + (uint64_t)i * sizeof entry, &entry, sizeof entry) || entry.end < entry.start)
            return refuse(fault, "/chosen", "the boot loader's list of modules is damaged");
        c->module[i] = (struct tree_module){text_at(pc, entry.text), entry.start, entry.end - entry.start};
        if (!c->module[i].text)
            return refuse(fault, "/chosen", "a module's text does not end");
    }
    c->modules = n;
    return true;
}

static bool read_command_line(const struct pc_facts *pc, const struct information *info, struct tree_config *c,
                              struct tree_fault *fault)
{
    c->bootargs = info->flags & INFO_COMMAND_LINE ? text_at(pc, info->command_line) : "";
    return c->bootargs || refuse(fault, "/chosen", "the command line does not end");
}

/* ---- a tree of one's own, or another CP's ----------------------------------- */

static const struct tree_module *tree_module(const struct tree_config *c)
{
    for (unsigned i = 0; i < c->modules; i++)
        if (!strncmp(c->module[i].text, "tree", 4) && (!c->module[i].text[4] || c->module[i].text[4] == ' '))
            return &c->module[i];
    return NULL;
}

static int module_add(void *tree, int chosen, const struct tree_module *m)
{
    char name[32];
    int node, error;

    format_text(name, sizeof name, "module@%llx", (unsigned long long)m->start);
    node = fdt_add_subnode(tree, chosen, name);
    if (node < 0)
        return node;
    error = fdt_setprop_string(tree, node, "compatible", "multiboot,module");
    if (!error)
        error = fdt_setprop_u64(tree, node, "reg", m->start);
    if (!error)
        error = fdt_appendprop_u64(tree, node, "reg", m->bytes);
    return error ? error : fdt_setprop_string(tree, node, "bootargs", m->text);
}

static int chosen_fill(void *tree, const struct tree_config *c)
{
    int chosen = fdt_path_offset(tree, "/chosen"), error = 0;

    if (chosen == -FDT_ERR_NOTFOUND)
        chosen = fdt_add_subnode(tree, 0, "chosen");
    if (chosen < 0)
        return chosen;
    if (*c->bootargs)
        error = fdt_setprop_string(tree, chosen, "bootargs", c->bootargs);
    if (!error)
        error = fdt_setprop_u32(tree, chosen, "#address-cells", 2);
    if (!error)
        error = fdt_setprop_u32(tree, chosen, "#size-cells", 2);
    /* libfdt puts a new node before its siblings, and the order of modules means something */
    for (unsigned i = c->modules; i && !error; i--)
        error = module_add(tree, chosen, &c->module[i - 1]);
    return error;
}

static size_t adopt(void *to, size_t size, const struct pc_facts *pc, const struct tree_config *c,
                    const struct tree_module *module, struct tree_fault *fault)
{
    const void *given = pc->physical(module->start, module->bytes);

    if (!given || fdt_check_full(given, module->bytes)) {
        refuse(fault, "/", "the module \"tree\" is not a sound flattened device tree");
        return 0;
    }
    if (size > INT32_MAX || fdt_open_into(given, to, (int)size) || chosen_fill(to, c) || fdt_pack(to)) {
        refuse(fault, "/chosen", "the tree does not fit into its space");
        return 0;
    }
    return fdt_totalsize(to);
}

static void probed(const struct pc_facts *pc, struct tree_config *c)
{
    c->model = "PC";
    c->tsc_hz = pc->tsc_hz;
    c->lapic_hz = pc->lapic_hz;
    c->apic_id = pc->apic_id;
    c->lapic = pc->lapic;
    c->ioapic = pc->ioapic;
    memcpy(c->uart, pc->uart, sizeof c->uart);
    c->uarts = pc->uarts;
    memcpy(c->ata, pc->ata, sizeof c->ata);
    c->atas = pc->atas;
    c->pic = c->pit = c->rtc = c->keyboard = true; /* every PC has them */
    c->pci = pc->pci;
    memcpy(c->console, pc->console, sizeof c->console);
    c->consoles = pc->consoles;
    c->poweroff = pc->poweroff;
    c->reboot = pc->reboot;
    if (pc->debug_exit) {
        c->isa[c->isas] = debug_exit_granted.node[0];
        c->isa[c->isas++].port = pc->debug_exit;
    }
}

size_t tree_pc_build(void *to, size_t size, const struct pc_facts *pc, struct tree_fault *fault)
{
    struct tree_config config = {.model = NULL};
    struct information info;
    const struct tree_module *given;

    *fault = (struct tree_fault){.reason = NULL};
    if (!get(pc, pc->multiboot, &info, sizeof info)) {
        refuse(fault, "/", "the multiboot information is not in memory");
        return 0;
    }
    if (!read_modules(pc, &info, &config, fault) || !read_command_line(pc, &info, &config, fault))
        return 0;
    given = tree_module(&config);
    if (given)
        return adopt(to, size, pc, &config, given, fault);
    if (!read_map(pc, &info, &config, fault))
        return 0;
    struct pc_facts found = *pc;
    if (found.probe)
        found.probe(&found);
    probed(&found, &config);
    return tree_build(to, size, &config, fault);
}
