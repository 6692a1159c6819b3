/* The ACPI tables, held against the device tree's facts. What is in AML is asked of ACPICA's own interpreter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cp/device/machine.h"
#include "cp/device/power.h"
#include "cp/ipl/dsdt.h"
#include "cp/ipl/firmware.h"
#include "cp/ipl/tree_vm.h"

enum { AT = FIRMWARE_EBDA, ROOM = 4096, HEADER = 36 };

static uint8_t page[ROOM], rsdp[FIRMWARE_RSDP_BYTES];
static struct machine_config machine;
static struct tree_config tree;

static bool leave_in(size_t room, unsigned uarts)
{
    machine = (struct machine_config){.userid = "ALICE", .storage_bytes = 64 << 20, .uarts = uarts};
    const struct firmware_facts facts = {&machine, "LINUX", 0, 0};
    memset(page, 0xEE, sizeof page);
    tree_vm_config(&tree, &machine, 1000000000, NULL);
    return firmware_acpi(page, room, AT, &facts, rsdp);
}

static void leave(unsigned uarts) { assert_true(leave_in(ROOM, uarts)); }

static uint64_t value(const uint8_t *from, unsigned bytes)
{
    uint64_t v = 0;
    memcpy(&v, from, bytes);
    return v;
}

static const uint8_t *pointed(uint64_t address)
{
    assert_in_range(address, AT, AT + ROOM - HEADER);
    const uint8_t *table = page + (address - AT);
    assert_in_range(value(table + 4, 4), HEADER, ROOM - (address - AT));
    return table;
}

static const uint8_t *find(const char *signature)
{
    const uint8_t *xsdt = pointed(value(rsdp + 24, 8));
    for (unsigned at = HEADER; at < value(xsdt + 4, 4); at += 8)
        if (!memcmp(pointed(value(xsdt + at, 8)), signature, 4))
            return pointed(value(xsdt + at, 8));
    fail_msg("no %s", signature);
    return NULL;
}

static void a_pointer_leads_to_the_same_tables_by_both_ways(void **state)
{
    (void)state;
    leave(1);
    assert_memory_equal(rsdp, "RSD PTR ", 8);
    assert_int_equal(firmware_sum(rsdp, 20), 0);
    assert_int_equal(firmware_sum(rsdp, 36), 0);
    const uint8_t *rsdt = pointed(value(rsdp + 16, 4)), *xsdt = pointed(value(rsdp + 24, 8));
    unsigned tables = (unsigned)(value(rsdt + 4, 4) - HEADER) / 4;
    assert_int_equal((value(xsdt + 4, 4) - HEADER) / 8, tables);
    assert_int_equal(firmware_sum(rsdt, value(rsdt + 4, 4)), 0);
    assert_int_equal(firmware_sum(xsdt, value(xsdt + 4, 4)), 0);
    for (unsigned i = 0; i < tables; i++) {
        uint64_t table = value(xsdt + HEADER + 8 * i, 8);
        assert_int_equal(value(rsdt + HEADER + 4 * i, 4), table);
        assert_int_equal(firmware_sum(pointed(table), value(pointed(table) + 4, 4)), 0);
        assert_int_equal(table % 8, 0);
    }
}

static void what_finds_no_room_is_said(void **state)
{
    (void)state;
    for (size_t room = 0; room < ROOM; room += 8)
        if (leave_in(room, 1))
            return;
        else {
            for (size_t at = room; at < ROOM; at++)
                assert_int_equal(page[at], 0xEE);
            for (unsigned i = 0; i < sizeof rsdp; i++)
                assert_int_equal(rsdp[i], 0);
        }
    fail_msg("never");
}

static void the_fixed_hardware_is_where_the_tree_says(void **state)
{
    (void)state;
    leave(1);
    const uint8_t *fadt = find("FACP"), *facs = page + (value(fadt + 36, 4) - AT);
    assert_memory_equal(facs, "FACS", 4);
    assert_int_equal(value(fadt + 36, 4) % 64, 0);
    assert_int_equal(value(fadt + 36, 4), value(fadt + 132, 8));
    assert_int_equal(value(fadt + 40, 4), value(fadt + 140, 8));
    assert_memory_equal(pointed(value(fadt + 40, 4)), acpi_dsdt, acpi_dsdt_bytes);
    assert_int_equal(value(fadt + 56, 4), POWER_PM1_EVENT);
    assert_int_equal(value(fadt + 76, 4), POWER_PM_TIMER);
    assert_int_equal(value(fadt + 64, 4), tree.poweroff.port); /* \_S5 is type 0: SLP_EN alone */
    assert_int_equal(tree.poweroff.value, POWER_SLP_EN);
    assert_int_equal(fadt[89], tree.poweroff.width);
    assert_int_equal(value(fadt + 120, 8), tree.reboot.port);
    assert_int_equal(fadt[128], tree.reboot.value);
    assert_int_equal(value(fadt + 152, 8), POWER_PM1_EVENT);
    assert_int_equal(value(fadt + 176, 8), POWER_PM1_CONTROL);
    assert_int_equal(value(fadt + 212, 8), POWER_PM_TIMER);
}

static void the_interrupt_controllers_are_the_trees(void **state)
{
    const uint8_t *at, *madt;
    unsigned seen[5] = {0};

    (void)state;
    leave(1);
    madt = find("APIC");
    assert_int_equal(value(madt + 36, 4), tree.lapic);
    for (at = madt + 44; at < madt + value(madt + 4, 4); at += at[1]) {
        assert_in_range(at[0], 0, 4);
        seen[at[0]]++;
        if (at[0] == 0)
            assert_int_equal(at[3], tree.apic_id);
        else if (at[0] == 1)
            assert_int_equal(value(at + 4, 4), tree.ioapic);
        else if (at[0] == 2)
            assert_int_equal(value(at + 4, 4), at[3] == MACHINE_TIMER_IRQ ? MACHINE_TIMER_PIN : at[3]);
    }
    assert_ptr_equal(at, madt + value(madt + 4, 4));
    for (unsigned kind = 0; kind < 5; kind++)
        assert_int_equal(seen[kind], kind == 2 ? 2 : kind != 3);
}

static void the_console_is_the_first_uart(void **state)
{
    (void)state;
    leave(1);
    const uint8_t *spcr = find("SPCR"), *dbg2 = find("DBG2"), *device = dbg2 + value(dbg2 + 36, 4);
    assert_int_equal(value(spcr + 44, 8), tree.uart[0].port);
    assert_int_equal(spcr[53], tree.uart[0].irq);
    assert_int_equal(value(spcr + 54, 4), tree.uart[0].irq);
    assert_int_equal(value(dbg2 + 40, 4), 1);
    assert_int_equal(value(device + value(device + 18, 2) + 4, 8), tree.uart[0].port);
    assert_int_equal(value(device + value(device + 20, 2), 4), 8);
    assert_string_equal((const char *)device + value(device + 6, 2), "\\_SB.PCI0.ISA.COM1");
}

/* ---- the name space --------------------------------------------------------------------------------------------- */

static char said[1 << 18];

static void keep(const char *path, const uint8_t *table)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(table, 1, value(table + 4, 4), f), value(table + 4, 4));
    assert_int_equal(fclose(f), 0);
}

/* What the interpreter answers, with the tables of a machine of so many UARTs. */
static const char *ask(unsigned uarts, const char *commands)
{
    char folder[] = "/tmp/acpi.XXXXXX", line[512];
    assert_non_null(mkdtemp(folder));
    leave(uarts);
    snprintf(line, sizeof line, "%s/d", folder);
    keep(line, acpi_dsdt);
    snprintf(line, sizeof line, "%s/s", folder);
    keep(line, find("SSDT"));
    snprintf(line, sizeof line, "acpiexec -b '%s' %s/d %s/s 2>&1; rm -r %s", commands, folder, folder, folder);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    said[fread(said, 1, sizeof said - 1, f)] = 0;
    assert_int_equal(pclose(f), 0);
    assert_null(strstr(said, "Error"));
    assert_null(strstr(said, "Warning"));
    return said;
}

/* The number behind the next `label`; *at goes behind it. UINT64_MAX: there is none. */
static uint64_t next(const char **at, const char *label, int base)
{
    const char *found = strstr(*at, label);
    if (!found)
        return UINT64_MAX;
    *at = found + strlen(label);
    return strtoull(*at, (char **)at, base);
}

static void present_uarts_are_the_machines(void **state)
{
    char command[256];

    (void)state;
    for (unsigned uarts = 1; uarts <= MACHINE_UARTS; uarts++)
        for (unsigned i = 0; i < MACHINE_UARTS; i++) {
            snprintf(command, sizeof command, "evaluate \\_SB.PCI0.ISA.COM%u._STA; resources \\_SB.PCI0.ISA.COM%u",
                     i + 1, i + 1);
            const char *at = ask(uarts, command);
            assert_int_equal(next(&at, "[Integer] = ", 16), i < uarts ? 0xF : 0);
            assert_int_equal(next(&at, "Address Minimum : ", 16), machine_uarts[i].port);
            assert_int_equal(next(&at, "Address Length : ", 16), 8);
            assert_int_equal(next(&at, "Interrupt List : ", 10), machine_uarts[i].irq);
        }
}

static void the_bridge_has_the_trees_windows(void **state)
{
    bool memory = false, ports = false;
    const char *at;

    (void)state;
    at = ask(1, "resources \\_SB.PCI0");
    for (uint64_t from; (from = next(&at, "Address Minimum : ", 16)) != UINT64_MAX;) {
        uint64_t bytes = next(&at, "Address Length : ", 16);
        memory |= from == tree.pci_memory.start && bytes == tree.pci_memory.bytes;
        ports |= from <= tree.pci_ports.start && from + bytes >= tree.pci_ports.start + tree.pci_ports.bytes;
    }
    assert_true(memory);
    assert_true(ports);
}

/* Packages of four: the slot, INTA, no source, which interrupt. */
static void expect_wires(const char *at, bool apic)
{
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        uint64_t expected = apic ? PCI_GSI_BASE + slot % PCI_GSIS : slot & 1 ? PCI_ISA_IRQ_ODD : PCI_ISA_IRQ_EVEN;
        assert_int_equal(next(&at, "[Integer] = ", 16), slot << 16 | 0xFFFF);
        assert_int_equal(next(&at, "[Integer] = ", 16), 0);
        assert_int_equal(next(&at, "[Integer] = ", 16), 0);
        assert_int_equal(next(&at, "[Integer] = ", 16), expected);
    }
    assert_null(strstr(at, "[Integer]"));
}

static void wires_lead_where_the_bus_leads_them(void **state)
{
    (void)state;
    assert_true(tree.pci_pins);
    expect_wires(strstr(ask(1, "evaluate \\_SB.PCI0._PRT"), "_PRT"), false);
    expect_wires(strstr(ask(1, "evaluate \\_PIC 1; evaluate \\_SB.PCI0._PRT"), "_PRT"), true);
}

static void old_devices_are_where_the_tree_has_them(void **state)
{
    static const struct {
        const char *name;
        unsigned port, irq;
    } devices[] = {{"PIC", 0x20, 2}, {"TMR", 0x40, MACHINE_TIMER_IRQ}, {"RTC", 0x70, 8}, {"KBD", 0x60, 1}};
    char command[128];

    (void)state;
    leave(1);
    assert_true(tree.pic && tree.pit && tree.rtc && tree.keyboard);
    for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++) {
        snprintf(command, sizeof command, "resources \\_SB.PCI0.ISA.%s", devices[i].name);
        const char *at = ask(1, command);
        assert_int_equal(next(&at, "Address Minimum : ", 16), devices[i].port);
        assert_int_equal(next(&at, "Interrupt List : ", 10), devices[i].irq);
    }
}

static void off_needs_no_type(void **state)
{
    (void)state;
    const char *at = strstr(ask(1, "evaluate \\_S5"), "[Package]");
    assert_non_null(at);
    assert_int_equal(next(&at, "[Integer] = ", 16), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_leads_to_the_same_tables_by_both_ways),
        cmocka_unit_test(what_finds_no_room_is_said),
        cmocka_unit_test(the_fixed_hardware_is_where_the_tree_says),
        cmocka_unit_test(the_interrupt_controllers_are_the_trees),
        cmocka_unit_test(the_console_is_the_first_uart),
        cmocka_unit_test(present_uarts_are_the_machines),
        cmocka_unit_test(the_bridge_has_the_trees_windows),
        cmocka_unit_test(wires_lead_where_the_bus_leads_them),
        cmocka_unit_test(old_devices_are_where_the_tree_has_them),
        cmocka_unit_test(off_needs_no_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
