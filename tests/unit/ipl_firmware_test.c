/* What firmware leaves, read as kernels read it, and held against the device tree's facts and the memory map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/device/lapic.h"
#include "cp/device/machine.h"
#include "cp/ipl/firmware.h"
#include "cp/ipl/map.h"
#include "cp/ipl/tree_vm.h"
#include "cp/storage/frame.h"

enum { MIB = 1 << 20, SIGNATURE = 0x50654, FEATURES = 0x0F8BFBFF, MOST_STRUCTURES = 32 };

static struct guest_storage storage;
static struct machine_config machine;
static struct firmware_facts facts;
static uint8_t low[MIB]; /* the first MiB, as it was left */

static void leave(uint64_t bytes, unsigned uarts)
{
    static void *arena;
    if (!arena) {
        arena = aligned_alloc(PAGE_SIZE, 4 * MIB);
        frame_add(hpa((uint64_t)(uintptr_t)arena), 4 * MIB);
    }
    machine = (struct machine_config){.userid = "ALICE", .storage_bytes = bytes, .uarts = uarts};
    facts = (struct firmware_facts){&machine, "XV6", SIGNATURE, FEATURES};
    guest_storage_init(&storage, bytes, 0);
    assert_int_equal(firmware_leave(&storage, &facts), GUEST_OK);
    uint64_t pages = storage.resident;
    for (unsigned at = 0; at < MIB; at += PAGE_SIZE)
        assert_int_equal(guest_read(&storage, gpa(at), low + at, PAGE_SIZE), GUEST_OK);
    assert_int_equal(pages, 3); /* each is on the machine's account */
    guest_storage_free(&storage);
}

static uint64_t at(uint32_t where, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, low + where, bytes);
    return value;
}

/* ---- page 0 ----------------------------------------------------------------------------------------------------- */

static void each_vector_leads_to_an_iret(void **state)
{
    (void)state;
    leave(64 * MIB, 1);
    for (unsigned vector = 0; vector < 256; vector++) {
        uint32_t handler = (uint32_t)(at(vector * 4 + 2, 2) << 4) + (uint32_t)at(vector * 4, 2);
        assert_int_equal(low[handler], 0xCF);
        assert_false(ipl_map_usable(64 * MIB, handler, 1));
    }
}

static void the_bios_data_area_agrees_with_the_map_and_the_machine(void **state)
{
    struct ipl_range range[IPL_MAP_RANGES];

    (void)state;
    for (unsigned uarts = 1; uarts <= MACHINE_UARTS; uarts++) {
        leave(64 * MIB, uarts);
        ipl_map(64 * MIB, range);
        uint32_t ebda = (uint32_t)at(0x40E, 2) << 4;
        assert_int_equal(at(0x413, 2) << 10, range[0].bytes);
        assert_int_equal(ebda, range[0].bytes);
        assert_int_equal(low[ebda], (range[1].bytes >> 10)); /* its size in KiB */
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(at(0x400 + 2 * i, 2), i < uarts ? machine_uarts[i].port : 0);
        assert_int_equal(at(0x410, 2) >> 9 & 7, uarts);
        assert_int_equal(at(0x41A, 2), at(0x41C, 2)); /* no key waits */
    }
}

static void where_storage_does_not_reach_the_rom_nothing_is_left(void **state)
{
    (void)state;
    machine = (struct machine_config){.userid = "TINY", .storage_bytes = MIB - PAGE_SIZE, .uarts = 1};
    guest_storage_init(&storage, machine.storage_bytes, 0);
    assert_int_equal(firmware_leave(&storage, &facts), GUEST_OK);
    assert_int_equal(storage.resident, 0);
    guest_storage_free(&storage);
}

static void without_frames_it_says_so(void **state)
{
    (void)state;
    leave(64 * MIB, 1);
    machine.frame_limit = 2;
    guest_storage_init(&storage, 64 * MIB, 2);
    assert_int_equal(firmware_leave(&storage, &facts), GUEST_NO_FRAMES);
    guest_storage_free(&storage);
}

/* ---- MP tables -------------------------------------------------------------------------------------------------- */

static uint32_t find(const char *anchor, unsigned length)
{
    for (uint32_t where = 0xF0000; where < 0x100000; where += 16)
        if (!memcmp(low + where, anchor, length))
            return where;
    fail_msg("no %s", anchor);
    return 0;
}

static void the_mp_tables_say_what_the_tree_says(void **state)
{
    static const uint8_t sizes[5] = {20, 8, 8, 8, 8};
    unsigned seen[5] = {0}, pins[24] = {0}, pci[32] = {0};
    struct tree_config tree;

    (void)state;
    leave(64 * MIB, 2);
    tree_vm_config(&tree, &machine, 1000000000, NULL);
    uint32_t pointer = find("_MP_", 4), table = (uint32_t)at(pointer + 4, 4), entry = table + 44;
    assert_int_equal(firmware_sum(low + pointer, 16), 0);
    assert_memory_equal(low + table, "PCMP", 4);
    assert_int_equal(firmware_sum(low + table, at(table + 4, 2)), 0);
    assert_int_equal(at(table + 0x24, 4), tree.lapic);
    for (unsigned i = 0; i < at(table + 0x22, 2); i++, entry += sizes[low[entry]]) {
        assert_in_range(low[entry], 0, 4);
        seen[low[entry]]++;
        if (low[entry] == 0) {
            assert_int_equal(low[entry + 1], tree.apic_id);
            assert_int_equal(at(entry + 4, 4), SIGNATURE);
            assert_int_equal(at(entry + 8, 4), FEATURES);
        } else if (low[entry] == 2) {
            assert_int_equal(at(entry + 4, 4), tree.ioapic);
        } else if (low[entry] == 3 && low[entry + 4] == 1) { /* ISA: pin n but for the timer's */
            unsigned irq = low[entry + 5];
            assert_int_equal(low[entry + 7], irq == 0 ? MACHINE_TIMER_PIN : irq);
            pins[low[entry + 7]]++;
        } else if (low[entry] == 3) {
            assert_int_equal(low[entry + 7], 16 + (low[entry + 5] >> 2) % 4);
            pci[low[entry + 5] >> 2]++;
        }
    }
    assert_int_equal(entry, table + at(table + 4, 2));
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[2], 1);
    assert_int_equal(seen[4], 2);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(pins[i], i == 0 ? 0 : 1);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(pci[i], 1);
}

/* ---- SMBIOS ----------------------------------------------------------------------------------------------------- */

static const uint8_t *structures[MOST_STRUCTURES];
static unsigned structure_count;

static void smbios_read(void)
{
    uint32_t entry = find("_SM_", 4), where = (uint32_t)at(entry + 0x18, 4);
    uint32_t end = where + (uint32_t)at(entry + 0x16, 2);
    unsigned longest = 0;

    assert_int_equal(firmware_sum(low + entry, low[entry + 5]), 0);
    assert_memory_equal(low + entry + 16, "_DMI_", 5);
    assert_int_equal(firmware_sum(low + entry + 16, 15), 0);
    for (structure_count = 0; where < end; structure_count++) {
        const uint8_t *begin = low + where, *text = begin + begin[1];
        assert_true(structure_count < MOST_STRUCTURES);
        structures[structure_count] = begin;
        while (text[0] || text[1])
            text++;
        where = (uint32_t)(text + 2 - low);
        longest = text + 2 - begin > longest ? (unsigned)(text + 2 - begin) : longest;
        for (unsigned i = 0; i < structure_count; i++)
            assert_memory_not_equal(structures[i] + 2, begin + 2, 2); /* handles */
    }
    assert_int_equal(where, end);
    assert_int_equal(at(entry + 0x1C, 2), structure_count);
    assert_int_equal(at(entry + 8, 2), longest);
    assert_int_equal(structures[structure_count - 1][0], 127);
}

static const uint8_t *structure(unsigned kind, unsigned which)
{
    for (unsigned i = 0; i < structure_count; i++)
        if (structures[i][0] == kind && !which--)
            return structures[i];
    return NULL;
}

static const char *text(const uint8_t *of, unsigned offset)
{
    const char *string = (const char *)of + of[1];

    if (!of[offset])
        return "";
    for (unsigned i = 1; i < of[offset]; i++)
        string += strlen(string) + 1;
    return string;
}

static void smbios_names_the_user_and_the_system(void **state)
{
    (void)state;
    leave(64 * MIB, 1);
    smbios_read();
    assert_string_equal(text(structure(1, 0), 5), "VM/N virtual machine");
    assert_string_equal(text(structure(1, 0), 7), "ALICE");
    assert_string_equal(text(structure(1, 0), 0x19), "XV6");
    facts.system = "";
    static uint8_t page[1024];
    firmware_smbios(page, sizeof page, 0xF0000, &facts);
    memcpy(low + 0xF0000, page, sizeof page);
    smbios_read();
    assert_string_equal(text(structure(1, 0), 0x19), "");
}

/* The lengths are those of version 2.8, which decide what a reader takes from a structure. */
static void smbios_has_what_it_requires(void **state)
{
    static const struct {
        uint8_t kind, bytes;
    } required[] = {{0, 24}, {1, 27}, {3, 22}, {4, 42}, {16, 23}, {17, 40}, {19, 31}, {32, 11}, {127, 4}};

    (void)state;
    leave(64 * MIB, 1);
    smbios_read();
    for (unsigned i = 0; i < sizeof required / sizeof *required; i++) {
        assert_non_null(structure(required[i].kind, 0));
        assert_int_equal(structure(required[i].kind, 0)[1], required[i].bytes);
    }
    assert_memory_equal(structure(17, 0) + 4, structure(16, 0) + 2, 2); /* of that array */
    assert_memory_equal(structure(19, 0) + 12, structure(16, 0) + 2, 2);
}

static void smbios_has_all_the_storage_and_where_it_lies(void **state)
{
    static const uint64_t sizes[] = {2ull << 20, 64ull << 20, 3ull << 30, 5ull << 30, 1ull << 40};

    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        leave(sizes[i], 1);
        smbios_read();
        uint64_t mib, kib, extended, mapped = 0;
        const uint8_t *array = structure(16, 0), *device = structure(17, 0), *range;
        kib = 0, memcpy(&kib, array + 7, 4), memcpy(&extended, array + 15, 8);
        assert_true((kib == 0x80000000u ? extended : kib << 10) == sizes[i]);
        mib = extended = 0, memcpy(&mib, device + 12, 2), memcpy(&extended, device + 28, 4);
        assert_true((mib == 0x7FFF ? extended : mib) << 20 == sizes[i]);
        for (unsigned n = 0; (range = structure(19, n)); n++) {
            uint64_t first, last;
            memcpy(&first, range + 15, 8), memcpy(&last, range + 23, 8);
            mapped += last - first + 1;
        }
        assert_true(mapped == sizes[i]);
    }
}

/* What is in them: ipl_acpi_test. */
static void acpi_is_pointed_to_from_the_rom_and_lies_in_the_ebda(void **state)
{
    (void)state;
    leave(64 * MIB, 4);
    uint32_t pointer = find("RSD PTR ", 8), table = (uint32_t)at(pointer + 16, 4);
    assert_int_equal(firmware_sum(low + pointer, 36), 0);
    assert_memory_equal(low + table, "RSDT", 4);
    assert_int_equal(table >> 12, at(0x40E, 2) >> 8);
    assert_false(ipl_map_usable(64 * MIB, table, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_vector_leads_to_an_iret),
        cmocka_unit_test(the_bios_data_area_agrees_with_the_map_and_the_machine),
        cmocka_unit_test(where_storage_does_not_reach_the_rom_nothing_is_left),
        cmocka_unit_test(without_frames_it_says_so),
        cmocka_unit_test(the_mp_tables_say_what_the_tree_says),
        cmocka_unit_test(acpi_is_pointed_to_from_the_rom_and_lies_in_the_ebda),
        cmocka_unit_test(smbios_names_the_user_and_the_system),
        cmocka_unit_test(smbios_has_what_it_requires),
        cmocka_unit_test(smbios_has_all_the_storage_and_where_it_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
