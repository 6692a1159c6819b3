/* The fixed point: the machine CP gives is the machine CP needs. Trees are built, read back, damaged, and handed on
 * through a virtual machine's own storage to the code a second CP boots with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <libfdt.h>
#include <string.h>

#include "cp/boot/machine_facts.h"
#include "cp/boot/tree_pc.h"
#include "cp/device/grant.h"
#include "cp/device/pci.h"
#include "cp/ipl/tree_vm.h"
#include "tests/unit/multiboot_load.h"

enum { TREE = 16384, RAM = 8 << 20 };

static char tree[TREE], other[TREE];
static struct tree_fault fault;
static struct machine_facts facts;
static struct tree_config config;

static size_t build_vm(uint64_t storage)
{
    const struct machine_config machine = {.storage_bytes = storage, .uarts = 4, .grants = ~0u};

    tree_vm_config(&config, &machine, 5000000001ull, "quiet operator=off");
    return tree_build(tree, sizeof tree, &config, &fault);
}

static void assert_fault(const char *path, const char *reason)
{
    assert_non_null(fault.reason);
    assert_string_equal(fault.path, path);
    assert_non_null(strstr(fault.reason, reason));
}

static void assert_register(const struct tree_register *got, const struct tree_register *given)
{
    assert_int_equal(got->port, given->port);
    assert_int_equal(got->width, given->width);
    assert_int_equal(got->value, given->value);
}

static void the_machine_cp_gives_is_the_machine_cp_needs(void **state)
{
    size_t bytes = build_vm(5ull << 30);

    (void)state;
    assert_in_range(bytes, 1000, 8192);
    assert_true(machine_facts_read(tree, bytes, &facts, &fault));
    assert_int_equal(facts.notes, 0);
    assert_int_equal(facts.tsc_hz, 5000000001ull);
    assert_int_equal(facts.lapic_hz, config.lapic_hz);
    assert_int_equal(facts.lapic, 0xfee00000);
    assert_int_equal(facts.ioapic, 0xfec00000);
    assert_int_equal(facts.memories, config.memories);
    assert_memory_equal(facts.memory, config.memory, config.memories * sizeof *config.memory);
    assert_int_equal(facts.memory[2].start, 1ull << 32);
    assert_int_equal(facts.uarts, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(facts.uart[i].port, config.uart[i].port);
        assert_int_equal(facts.uart[i].irq, config.uart[i].irq);
    }
    assert_register(&facts.poweroff, &config.poweroff);
    assert_register(&facts.reboot, &config.reboot);
    assert_true(facts.pic && facts.pit && facts.rtc && facts.keyboard && facts.pci);
    assert_int_equal(facts.debug_exit, 0xf4);
    assert_string_equal(facts.command_line, "quiet operator=off");
}

static void pci_interrupts_are_mapped_as_the_host_wires_them(void **state)
{
    size_t bytes = build_vm(RAM);
    int length, node = fdt_node_offset_by_compatible(tree, -1, "pci");
    const fdt32_t *map = fdt_getprop(tree, node, "interrupt-map", &length);

    (void)state, (void)bytes;
    assert_int_equal(length, 4 * 7 * 4);
    for (unsigned n = 0; n < 4; n++)
        assert_int_equal(fdt32_ld(&map[7 * n + 5]), PCI_GSI_BASE + (fdt32_ld(&map[7 * n]) >> 11));
}

/* The register of the node that is compatible with this, -1: there is none. */
static int port_of(const char *compatible)
{
    int node = fdt_node_offset_by_compatible(tree, -1, compatible);
    const fdt32_t *reg = node < 0 ? NULL : fdt_getprop(tree, node, "reg", NULL);

    return reg ? (int)fdt32_ld(&reg[1]) : -1;
}

static void a_granted_device_is_in_the_tree_of_who_has_it_and_of_nobody_else(void **state)
{
    (void)state;
    for (unsigned granted = 0; granted < GRANTS; granted++) {
        const struct machine_config machine = {.storage_bytes = RAM, .uarts = 1, .grants = 1u << granted};

        tree_vm_config(&config, &machine, 1000000000, NULL);
        assert_in_range(tree_build(tree, sizeof tree, &config, &fault), 1000, 8192);
        for (unsigned i = 0; i < GRANTS; i++)
            for (unsigned n = 0; machine_grants[i].device && n < GRANTED_NODES; n++) {
                const struct device_node *node = &machine_grants[i].device->node[n];
                if (node->name)
                    assert_int_equal(port_of(node->compatible), i == granted ? node->port : -1);
            }
    }
}

static void a_tree_is_made_once_for_machines_that_are_alike(void **state)
{
    struct machine_config machine = {.storage_bytes = RAM, .uarts = 1}, another = machine;
    const struct tree_vm *first = tree_vm_of(&machine, 1000000000, "CMS", &fault);

    (void)state;
    tree_vm_config(&config, &machine, 1000000000, "CMS");
    assert_int_equal(tree_build(tree, sizeof tree, &config, &fault), first->bytes);
    assert_memory_equal(tree, first->tree, first->bytes);
    another.userid = "BOB";
    another.frame_limit = 7;
    assert_ptr_equal(tree_vm_of(&another, 1000000000, "CMS", &fault), first);
    for (unsigned i = 0; i < 5 * TREE_VMS; i++) { /* of five things one is another */
        another = machine;
        another.storage_bytes += i % 5 ? 0 : RAM * (i + 1);
        another.uarts += i % 5 == 1;
        another.grants = i % 5 == 2;
        uint64_t hz = i % 5 == 3 ? 2000000000 : 1000000000;
        const char *bootargs = i % 5 == 4 ? "CMS NODISK" : "CMS";
        const struct tree_vm *made = tree_vm_of(&another, hz, bootargs, &fault);
        tree_vm_config(&config, &another, hz, bootargs);
        assert_int_equal(tree_build(tree, sizeof tree, &config, &fault), made->bytes);
        assert_memory_equal(tree, made->tree, made->bytes);
    }
}

static void what_cannot_be_described_is_refused_by_path(void **state)
{
    (void)state;
    build_vm(RAM);
    config.uart[2].irq = 16;
    assert_int_equal(tree_build(tree, sizeof tree, &config, &fault), 0);
    assert_fault("/isa/serial@3e8", "out of range");
    build_vm(RAM);
    config.uart[1].port = 0x3f9;
    assert_int_equal(tree_build(tree, sizeof tree, &config, &fault), 0);
    assert_fault("/isa/serial@3f9", "overlap");
    build_vm(RAM);
    config.tsc_hz = 0;
    assert_int_equal(tree_build(tree, sizeof tree, &config, &fault), 0);
    assert_fault("/cpus/cpu@0", "TSC");
    build_vm(RAM);
    config.memory[1].start = 0x1000;
    assert_int_equal(tree_build(tree, sizeof tree, &config, &fault), 0);
    assert_fault("/memory@1000", "overlap");
    build_vm(RAM);
    config.reboot.width = 3;
    assert_int_equal(tree_build(tree, sizeof tree, &config, &fault), 0);
    assert_fault("/reboot", "width");
}

static void too_little_space_is_refused(void **state)
{
    size_t bytes = build_vm(RAM);

    (void)state;
    for (size_t size = 0; size < bytes; size += 7) {
        char *exact = malloc(size + 1);

        assert_int_equal(tree_build(exact, size, &config, &fault), 0);
        assert_fault("/", "fit");
        free(exact);
    }
}

/* ---- damage ---- */

static int edited(const char *path)
{
    size_t bytes = build_vm(RAM);
    int node;

    assert_int_not_equal(bytes, 0);
    assert_int_equal(fdt_open_into(tree, other, sizeof other), 0);
    node = fdt_path_offset(other, path);
    assert_true(node >= 0);
    return node;
}

static bool read_edited(void) { return machine_facts_read(other, sizeof other, &facts, &fault); }

#define FAULTY(name, at, edit, path, reason)       \
    static void name(void **state)                 \
    {                                              \
        int node = edited(at);                     \
                                                   \
        (void)state;                               \
        assert_int_equal(edit, 0);                 \
        assert_false(read_edited());               \
        assert_fault(path, reason);                \
    }

FAULTY(no_memory, "/memory@0", fdt_del_node(other, node), "/", "no memory")
FAULTY(memory_that_wraps, "/memory@0",
       fdt_setprop(other, node, "reg", "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\2", 16),
       "/memory@0", "wraps")
FAULTY(no_cpu, "/cpus", fdt_del_node(other, node), "/", "no cpu")
FAULTY(no_tsc_frequency, "/cpus/cpu@0", fdt_delprop(other, node, "timebase-frequency"),
       "/cpus/cpu@0", "timebase-frequency")
FAULTY(an_odd_tsc_frequency, "/cpus/cpu@0", fdt_setprop(other, node, "timebase-frequency", "abc", 3), "/cpus/cpu@0",
       "timebase-frequency")
FAULTY(a_line_in_memory, "/isa/serial@2f8", fdt_setprop(other, node, "reg", "\0\0\0\0\0\0\2\xf8\0\0\0\10", 12),
       "/isa/serial@2f8", "I/O ports")
FAULTY(a_line_beyond_the_ports, "/isa/serial@2f8", fdt_setprop(other, node, "reg", "\0\0\0\1\0\0\xff\xf9\0\0\0\10", 12),
       "/isa/serial@2f8", "I/O ports")
FAULTY(a_line_without_interrupt, "/isa/serial@2f8", fdt_delprop(other, node, "interrupts"),
       "/isa/serial@2f8", "interrupt")
FAULTY(a_line_with_an_empty_interrupt, "/isa/serial@2f8",
       fdt_setprop(other, node, "interrupts", "", 0), "/isa/serial@2f8",
       "interrupt")
FAULTY(a_console_that_is_none, "/chosen", fdt_setprop_string(other, node, "stdout-path", "/isa/rtc@70"), "/isa/rtc@70",
       "stdout-path")
FAULTY(a_console_nowhere, "/chosen", fdt_setprop_string(other, node, "stdout-path", "/isa/serial@1"), "/chosen",
       "nowhere")
FAULTY(a_poweroff_into_nothing, "/poweroff", fdt_setprop_u32(other, node, "regmap", 77), "/poweroff", "regmap")
FAULTY(a_poweroff_too_far, "/poweroff", fdt_setprop_u32(other, node, "offset", 0xffff), "/poweroff", "offset")
FAULTY(an_ioapic_at_nothing, "/interrupt-controller@fec00000", fdt_delprop(other, node, "reg"),
       "/interrupt-controller@fec00000", "IOAPIC")

static void an_unknown_device_is_noted_not_skipped(void **state)
{
    int node = edited("/isa");

    (void)state;
    node = fdt_add_subnode(other, node, "sound@220");
    assert_int_equal(fdt_setprop_string(other, node, "compatible", "creative,sb16"), 0);
    assert_true(read_edited());
    assert_int_equal(facts.notes, 1);
    assert_string_equal(facts.note[0].path, "/isa/sound@220");
}

static void stdout_path_chooses_the_console(void **state)
{
    int node = edited("/chosen");

    (void)state;
    assert_int_equal(fdt_setprop_string(other, node, "stdout-path", "/isa/serial@3e8:115200n8"), 0);
    assert_true(read_edited());
    assert_int_equal(facts.uart[0].port, 0x3e8);
    assert_int_equal(facts.uart[1].port, 0x3f8);
    assert_int_equal(facts.uarts, 4);
}

static void every_flipped_byte_is_read_or_refused(void **state)
{
    size_t bytes = build_vm(RAM);
    char *copy = malloc(bytes); /* exactly so long, for the sanitizer */

    (void)state;
    for (size_t i = 0; i < bytes; i++)
        for (unsigned flip = 1; flip < 256; flip = flip * 2 + 1) {
            memcpy(copy, tree, bytes);
            copy[i] ^= flip;
            if (!machine_facts_read(copy, bytes, &facts, &fault))
                assert_non_null(fault.reason);
        }
    for (size_t cut = 0; cut < bytes; cut++)
        assert_false(machine_facts_read(copy, cut, &facts, &fault));
    free(copy);
}

/* ---- the PC, and a second CP ---- */

static struct guest_storage storage;
static uint8_t image[4096];

/* a virtual machine's storage, as the CP that runs in it sees it */
static const void *physical(uint64_t address, uint64_t bytes)
{
    static uint8_t copy[TREE];

    if (bytes > sizeof copy)
        return NULL;
    if (bytes > 1)
        return guest_read(&storage, gpa(address), copy, bytes) == GUEST_OK ? copy : NULL;
    return guest_private(&storage, gpa(address), NULL);
}

static void ipl(const struct multiboot_module *module, unsigned modules, uint32_t *information)
{
    static const uint32_t header[8] = {0x1badb002, 1 << 16, -(0x1badb002u + (1 << 16)), 0x100000, 0x100000, 0, 0,
                                       0x100000};
    const struct multiboot_image what = {.data.data = image, .bytes = sizeof image, .command_line = "second",
                                         .module = module, .modules = modules};
    struct ipl_entry entry;

    memcpy(image, header, sizeof header);
    guest_storage_init(&storage, RAM, 0);
    assert_null(multiboot_whole(&storage, &what, &entry));
    *information = entry.ebx;
}

static const struct pc_facts probed = {
    .physical = physical, .tsc_hz = 100000000, .lapic = 0xfee00000, .ioapic = 0xfec00000,
    .uart = {{0x3f8, 4}, {0x2f8, 3}},
    .uarts = 2, .ata = {{0x1f0, 0x3f6, 14}}, .atas = 1, .pci = true,
    .console = {{0, 4, 0}, {1, 31, 7}}, .consoles = 2, .poweroff = {0xb004, 2, 0x2000},
    .reboot = {0xcf9, 1, 6}, .debug_exit = 0xf4};

static void a_pcs_facts_become_a_tree_cp_can_read(void **state)
{
    const struct multiboot_module module[2] = {{"cmsbytes", 8, "cms"}, {"d", 1, "directory x y"}};
    struct pc_facts pc = probed;
    size_t bytes;

    (void)state;
    ipl(module, 2, &pc.multiboot);
    bytes = tree_pc_build(tree, sizeof tree, &pc, &fault);
    assert_null(fault.reason);
    assert_true(machine_facts_read(tree, bytes, &facts, &fault));
    assert_int_equal(facts.notes, 0);
    assert_string_equal(facts.command_line, "second");
    assert_int_equal(facts.memories, 2);
    assert_int_equal(facts.memory[1].start + facts.memory[1].bytes, RAM);
    assert_int_equal(facts.uarts, 2);
    assert_int_equal(facts.ata[0].control, 0x3f6);
    assert_int_equal(facts.ata[0].irq, 14);
    assert_int_equal(facts.consoles, 2);
    assert_memory_equal(facts.console, probed.console, sizeof facts.console);
    assert_int_equal(facts.poweroff.port, 0xb004);
    assert_int_equal(facts.modules, 2);
    assert_int_equal(machine_facts_module(&facts, "cms")->bytes, 8);
    assert_memory_equal(guest_pointer(&storage, gpa(machine_facts_module(&facts, "cms")->start), NULL), "cmsbytes", 8);
    assert_string_equal(machine_facts_module(&facts, "directory")->text, "directory x y");
    assert_ptr_equal(machine_facts_module(&facts, "CMS"), machine_facts_module(&facts, "cms"));
    assert_null(machine_facts_module(&facts, "direct"));
    assert_null(machine_facts_module(&facts, "cp"));
    guest_storage_free(&storage);
}

static void a_second_cp_adopts_the_tree_the_first_one_gave(void **state)
{
    struct multiboot_module module[2] = {{other, 0, "tree"}, {"cms", 3, "cms"}};
    struct pc_facts pc = {.physical = physical}; /* it need not probe anything */
    size_t bytes = build_vm(RAM);

    (void)state;
    memcpy(other, tree, bytes);
    module[0].bytes = bytes;
    ipl(module, 2, &pc.multiboot);
    memset(tree, 0, sizeof tree);
    bytes = tree_pc_build(tree, sizeof tree, &pc, &fault);
    assert_null(fault.reason);
    assert_true(machine_facts_read(tree, bytes, &facts, &fault));
    assert_int_equal(facts.notes, 0);
    assert_int_equal(facts.tsc_hz, 5000000001ull);
    assert_int_equal(facts.uarts, 4);
    assert_string_equal(facts.command_line, "second");
    assert_int_equal(facts.modules, 2);
    assert_int_equal(machine_facts_module(&facts, "cms")->bytes, 3);
    guest_storage_free(&storage);
}

static void a_damaged_tree_module_is_refused(void **state)
{
    const struct multiboot_module module = {"no tree at all", 14, "tree"};
    struct pc_facts pc = {.physical = physical};

    (void)state;
    ipl(&module, 1, &pc.multiboot);
    assert_int_equal(tree_pc_build(tree, sizeof tree, &pc, &fault), 0);
    assert_fault("/", "module \"tree\"");
    guest_storage_free(&storage);
}

static void damaged_multiboot_information_is_refused(void **state)
{
    struct pc_facts pc = probed;
    uint32_t word, at;

    (void)state;
    ipl(NULL, 0, &pc.multiboot);
    at = pc.multiboot;
    pc.multiboot = 0xf0000000;
    assert_int_equal(tree_pc_build(tree, sizeof tree, &pc, &fault), 0);
    pc.multiboot = at;
    word = 17;
    guest_write(&storage, gpa(at + 20), &word, 4);
    assert_int_equal(tree_pc_build(tree, sizeof tree, &pc, &fault), 0);
    assert_fault("/chosen", "more modules");
    word = 0;
    guest_write(&storage, gpa(at + 20), &word, 4);
    guest_read(&storage, gpa(at + 48), &word, 4);
    guest_fill(&storage, gpa(word), 0, 4); /* an entry of size 0 */
    assert_int_equal(tree_pc_build(tree, sizeof tree, &pc, &fault), 0);
    assert_fault("/memory", "damaged");
    word = 0;
    guest_write(&storage, gpa(at), &word, 4);
    assert_int_equal(tree_pc_build(tree, sizeof tree, &pc, &fault), 0);
    assert_fault("/memory", "no memory map");
    guest_storage_free(&storage);
}

static void free_memory_leaves_out_what_the_loader_put_there(void **state)
{
    const struct tree_range memory = {0x100800, 0x20000}, taken[2] = {{0x100000, 0x2001}, {0x200000, 0x1000}};
    struct tree_range free_range[4];
    unsigned n;

    (void)state;
    facts = (struct machine_facts){.modules = 2, .module = {{"a", 0x105800, 0x100}, {"b", 0x106000, 0x1000}}};
    n = machine_facts_free(&facts, &memory, taken, 2, free_range, 4);
    assert_int_equal(n, 2);
    assert_int_equal(free_range[0].start, 0x103000);
    assert_int_equal(free_range[0].bytes, 0x2000);
    assert_int_equal(free_range[1].start, 0x107000);
    assert_int_equal(free_range[1].start + free_range[1].bytes, 0x120000);
    assert_int_equal(machine_facts_free(&facts, &memory, taken, 2, free_range, 1), 1);
}

static int start_storage(void **state)
{
    (void)state;
    frame_add(hpa((uint64_t)(uintptr_t)aligned_alloc(4096, 16 << 20)), 16 << 20);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_machine_cp_gives_is_the_machine_cp_needs),
        cmocka_unit_test(pci_interrupts_are_mapped_as_the_host_wires_them),
        cmocka_unit_test(a_granted_device_is_in_the_tree_of_who_has_it_and_of_nobody_else),
        cmocka_unit_test(a_tree_is_made_once_for_machines_that_are_alike),
        cmocka_unit_test(what_cannot_be_described_is_refused_by_path),
        cmocka_unit_test(too_little_space_is_refused),
        cmocka_unit_test(no_memory), cmocka_unit_test(memory_that_wraps), cmocka_unit_test(no_cpu),
        cmocka_unit_test(no_tsc_frequency), cmocka_unit_test(an_odd_tsc_frequency), cmocka_unit_test(a_line_in_memory),
        cmocka_unit_test(a_line_beyond_the_ports), cmocka_unit_test(a_line_without_interrupt),
        cmocka_unit_test(a_line_with_an_empty_interrupt), cmocka_unit_test(a_console_that_is_none),
        cmocka_unit_test(a_console_nowhere),
        cmocka_unit_test(a_poweroff_into_nothing), cmocka_unit_test(a_poweroff_too_far),
        cmocka_unit_test(an_ioapic_at_nothing), cmocka_unit_test(an_unknown_device_is_noted_not_skipped),
        cmocka_unit_test(stdout_path_chooses_the_console), cmocka_unit_test(every_flipped_byte_is_read_or_refused),
        cmocka_unit_test(a_pcs_facts_become_a_tree_cp_can_read),
        cmocka_unit_test(a_second_cp_adopts_the_tree_the_first_one_gave),
        cmocka_unit_test(a_damaged_tree_module_is_refused), cmocka_unit_test(damaged_multiboot_information_is_refused),
        cmocka_unit_test(free_memory_leaves_out_what_the_loader_put_there),
    };
    return cmocka_run_group_tests(tests, start_storage, NULL);
}
