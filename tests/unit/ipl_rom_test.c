/* Firmware as it is begun: where its copies lie, and what it reads of its machine by fw_cfg's ports, with the ACPI
 * tables put elsewhere as SeaBIOS puts them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/ipl/rom.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/fake/disk.h"

enum { KIB = 1 << 10, MIB = 1 << 20, RAM = 16 * MIB, FRAMES = 1024, TABLES_AT = 0xABC000, HEADER = 36, NAME = 56 };

static struct machine machine;
static struct machine_config config;
static struct guest_storage storage;

static void event(void *context, enum machine_event what, uint32_t detail) { (void)context, (void)what, (void)detail; }
static uint64_t guest_tsc(void *context, uint64_t now) { return (void)context, now; }
static unsigned output(void *context, unsigned n, const uint8_t *bytes, unsigned count)
{
    return (void)context, (void)n, (void)bytes, count;
}

static int begin(void **state)
{
    static const struct machine_host host = {.event = event, .output = output, .guest_tsc = guest_tsc,
                                             .physical_bits = 40};
    static uint8_t *frames;
    (void)state;
    if (!frames) {
        frames = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_add(frame_address(frames), FRAMES * PAGE_SIZE);
    }
    fake_clock_reset(1000000000);
    config = (struct machine_config){.userid = "ALICE", .storage_bytes = RAM, .uarts = 2};
    guest_storage_init(&storage, RAM, 0);
    machine_init(&machine, &host, &storage, &config);
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_free(&machine);
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, 0);
    return 0;
}

/* ---- the image --------------------------------------------------------------------------------------------------- */

static uint8_t *image_of(size_t bytes)
{
    uint8_t *image = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        image[i] = (uint8_t)(i * 7 + (i >> 12));
    image[bytes - 16] = 0xEA;
    return image;
}

static bool is(const uint8_t *image, uint64_t bytes) { return rom_is((struct ipl_bytes){.data = image}, bytes); }

static void it_is_known_by_its_size_and_the_jump_at_the_reset_vector(void **state)
{
    static const uint8_t others[] = {0x00, 0xFF, 0x7F, 0xCC, 0x0F};
    uint8_t *image = image_of(128 * KIB);
    (void)state;
    assert_true(is(image, 128 * KIB));
    assert_false(is(image, 128 * KIB - 1));
    assert_false(is(image, 0));
    assert_false(is(image, 15));
    for (unsigned i = 0; i < sizeof others; i++) {
        image[128 * KIB - 16] = others[i];
        assert_false(is(image, 128 * KIB));
    }
    image[128 * KIB - 15] = 0x09; /* WBINVD */
    assert_true(is(image, 128 * KIB));
    image[128 * KIB - 16] = 0xFA; /* CLI, as U-Boot's */
    assert_true(is(image, 128 * KIB));
    memcpy(image, "\177ELF", 4);
    assert_false(is(image, 128 * KIB));
    free(image);
    assert_false(is(image = image_of(ROM_MOST + 64 * KIB), ROM_MOST + 64 * KIB));
    free(image);
}

static void its_end_is_at_four_gib_and_at_one_mib(void **state)
{
    static const uint32_t sizes[] = {64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB};
    static uint8_t got[ROM_LOW];
    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t bytes = sizes[i], low = bytes < ROM_LOW ? bytes : ROM_LOW;
        uint8_t *image = image_of(bytes);
        struct ipl_copies copies;
        const char *why = NULL;
        assert_null(rom_begin(&copies, &storage, (struct ipl_bytes){.data = image}, bytes));
        while (ipl_copy_go_on(&copies, &why)) {}
        assert_null(why);
        assert_int_equal(guest_read(&storage, gpa((1ull << 32) - low), got, low), GUEST_OK);
        assert_memory_equal(got, image + bytes - low, low);
        assert_int_equal(guest_read(&storage, gpa(MIB - low), got, low), GUEST_OK);
        assert_memory_equal(got, image + bytes - low, low);
        assert_true(guest_is_ram(&storage, gpa((1ull << 32) - bytes)));
        assert_false(guest_is_ram(&storage, gpa((1ull << 32) - bytes - 1)));
        assert_int_equal(guest_write(&storage, gpa(MIB - 4), "abcd", 4), GUEST_OK); /* it is RAM */
        free(image);
        guest_storage_clear(&storage, RAM);
        assert_false(guest_is_ram(&storage, gpa(0xFFFFFFF0)));
    }
}

static void storage_without_a_first_mib_is_refused(void **state)
{
    struct ipl_copies copies;
    uint8_t *image = image_of(64 * KIB);
    (void)state;
    storage.bytes = 512 * KIB;
    assert_string_equal(rom_begin(&copies, &storage, (struct ipl_bytes){.data = image}, 64 * KIB),
                        "Firmware wants 1 MiB of storage");
    free(image);
}

/* ---- what it reads ----------------------------------------------------------------------------------------------- */

static void read_item(unsigned key, void *to, size_t bytes)
{
    bus_port_write(&machine.bus, FW_CFG_SELECTOR, 2, key);
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = (uint8_t)bus_port_read(&machine.bus, FW_CFG_DATA, 1);
}

static uint32_t big(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* Its length, or 0: there is none. */
static size_t read_file(const char *name, uint8_t *to, size_t room)
{
    static uint8_t directory[4 + 64 * FW_CFG_FILES];
    read_item(0x19, directory, sizeof directory);
    for (unsigned i = 0; i < big(directory, 4); i++) {
        const uint8_t *file = directory + 4 + 64 * i;
        if (strcmp((const char *)file + 8, name))
            continue;
        assert_true(big(file, 4) <= room);
        read_item(big(file + 4, 2), to, big(file, 4));
        return big(file, 4);
    }
    return 0;
}

static void inform(int slot)
{
    const struct firmware_facts facts = {&config, "0191", 0x50654, 0x0F8BFBFF};
    assert_true(rom_inform(&machine, &facts, slot));
}

static uint64_t little(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

static void fixed_items_say_what_the_machine_is(void **state)
{
    uint8_t item[16];
    (void)state;
    inform(ROM_ANY_DISK);
    read_item(0, item, 4);
    assert_memory_equal(item, "QEMU", 4);
    read_item(1, item, 4);
    assert_int_equal(little(item, 4), 1); /* no DMA */
    read_item(3, item, 8);
    assert_int_equal(little(item, 8), RAM);
    read_item(5, item, 4);
    assert_int_equal(little(item, 4), 1); /* one processor, and nothing behind it */
    static const unsigned none[] = {2, 0x8000, 0x8001, 0x8003, 0x1F, 0x20 + FW_CFG_FILES, 0xFFFF};
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
        read_item(none[i], item, sizeof item);
        for (unsigned n = 0; n < sizeof item; n++)
            assert_int_equal(item[n], 0);
    }
}

static void memory_is_told_on_both_sides_of_the_hole(void **state)
{
    uint8_t map[64];
    (void)state;
    inform(ROM_ANY_DISK);
    assert_int_equal(read_file("etc/e820", map, sizeof map), 20);
    assert_int_equal(little(map, 8), 0);
    assert_int_equal(little(map + 8, 8), RAM);
    assert_int_equal(little(map + 16, 4), 1);
    storage.bytes = GUEST_HOLE_START + 5ull * MIB;
    inform(ROM_ANY_DISK);
    assert_int_equal(read_file("etc/e820", map, sizeof map), 40);
    assert_int_equal(little(map + 8, 8), GUEST_HOLE_START);
    assert_int_equal(little(map + 20, 8), 1ull << 32);
    assert_int_equal(little(map + 28, 8), 5 * MIB);
}

static void it_boots_the_disk_that_was_asked_for_and_no_other(void **state)
{
    uint8_t order[128];
    struct fake_disk disk;
    (void)state;
    fake_disk_init(&disk, 64, false);
    assert_int_equal(machine_disk_slot(&machine, 0x191), -2 /* ENOENT */);
    assert_int_equal(machine_attach_disk(&machine, 0x190, &disk.disk), 0);
    assert_int_equal(machine_attach_disk(&machine, 0x191, &disk.disk), 0);
    inform(machine_disk_slot(&machine, 0x191));
    assert_int_equal(read_file("bootorder", order, sizeof order), sizeof "/pci@i0cf8/scsi@2/disk@0,0\nHALT");
    assert_string_equal((char *)order, "/pci@i0cf8/scsi@2/disk@0,0\nHALT");
    inform(ROM_ANY_DISK);
    assert_int_equal(read_file("bootorder", order, sizeof order), 0);
    assert_int_equal(read_file("etc/sercon-port", order, sizeof order), 8);
    assert_int_equal(little(order, 8), 0x3F8);
    machine_detach_disk(&machine, 0x190);
    machine_detach_disk(&machine, 0x191);
    machine_free(&machine);
    machine_give_back(&machine);
    fake_disk_free(&disk);
}

/* What SeaBIOS does with etc/table-loader. */
static void obey(uint8_t *tables, uint8_t *rsdp)
{
    static uint8_t orders[40 * 128];
    size_t bytes = read_file("etc/table-loader", orders, sizeof orders);
    assert_true(bytes && bytes % 128 == 0);
    for (const uint8_t *o = orders; o < orders + bytes; o += 128) {
        const char *file = (const char *)o + 4;
        uint8_t *in = !strcmp(file, "etc/acpi/rsdp") ? rsdp : tables;
        assert_true(in == rsdp || !strcmp(file, "etc/acpi/tables"));
        if (little(o, 4) == 2) {
            const uint8_t *rest = o + 4 + 2 * NAME;
            assert_string_equal((const char *)o + 4 + NAME, "etc/acpi/tables");
            uint8_t *at = in + little(rest, 4);
            uint64_t value = little(at, rest[4]) + TABLES_AT;
            memcpy(at, &value, rest[4]);
        } else if (little(o, 4) == 3) {
            const uint8_t *rest = o + 4 + NAME;
            in[little(rest, 4)] -= firmware_sum(in + little(rest + 4, 4), little(rest + 8, 4));
        } else {
            assert_int_equal(little(o, 4), 1);
        }
    }
}

static void acpi_tables_are_the_machines_wherever_they_are_put(void **state)
{
    static uint8_t tables[PAGE_SIZE], wanted[PAGE_SIZE], rsdp[64], wanted_rsdp[FIRMWARE_RSDP_BYTES];
    const struct firmware_facts facts = {&config, "0191", 0x50654, 0x0F8BFBFF};
    (void)state;
    inform(ROM_ANY_DISK);
    assert_int_equal(read_file("etc/acpi/tables", tables, sizeof tables), PAGE_SIZE);
    assert_int_equal(read_file("etc/acpi/rsdp", rsdp, sizeof rsdp), FIRMWARE_RSDP_BYTES);
    obey(tables, rsdp);
    assert_true(firmware_acpi(wanted, sizeof wanted, TABLES_AT, &facts, wanted_rsdp));
    assert_memory_equal(tables, wanted, sizeof wanted);
    assert_memory_equal(rsdp, wanted_rsdp, sizeof wanted_rsdp);
}

static bool contains(const uint8_t *in, size_t bytes, const char *text)
{
    size_t length = strlen(text) + 1, at = 0;
    while (at + length <= bytes && memcmp(in + at, text, length))
        at++;
    return at + length <= bytes;
}

static void smbios_names_the_user(void **state)
{
    uint8_t anchor[64], tables[1024];
    (void)state;
    inform(ROM_ANY_DISK);
    assert_int_equal(read_file("etc/smbios/smbios-anchor", anchor, sizeof anchor), 31);
    assert_memory_equal(anchor, "_SM_", 4);
    assert_int_equal(read_file("etc/smbios/smbios-tables", tables, sizeof tables), little(anchor + 22, 2));
    assert_true(contains(tables, sizeof tables, "ALICE"));
    assert_true(contains(tables, sizeof tables, "0191"));
}

static void odd_accesses_do_nothing_and_it_goes_with_the_storage(void **state)
{
    uint8_t item[4];
    (void)state;
    assert_int_equal(bus_port_read(&machine.bus, FW_CFG_DATA, 1), 0xFF); /* not there without firmware */
    inform(ROM_ANY_DISK);
    read_item(0, item, 2);
    bus_port_write(&machine.bus, FW_CFG_SELECTOR, 1, 1);
    bus_port_write(&machine.bus, FW_CFG_DATA, 1, 0);
    assert_int_equal(bus_port_read(&machine.bus, FW_CFG_DATA, 1), 'M'); /* goes on */
    assert_int_equal(bus_port_read(&machine.bus, FW_CFG_SELECTOR, 2), 0xFFFF);
    machine_reset(&machine);
    assert_int_equal(bus_port_read(&machine.bus, FW_CFG_DATA, 1), 'Q');
    inform(ROM_ANY_DISK); /* again */
    fw_cfg_end(&machine.fw_cfg);
    assert_int_equal(bus_port_read(&machine.bus, FW_CFG_DATA, 1), 0xFF);
    assert_int_equal(storage.account.frames, 0);
}

static void without_frames_there_is_none(void **state)
{
    const struct firmware_facts facts = {&config, "", 0, 0};
    (void)state;
    storage.account.limit = 1;
    assert_false(rom_inform(&machine, &facts, ROM_ANY_DISK));
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(it_is_known_by_its_size_and_the_jump_at_the_reset_vector),
        ROW(its_end_is_at_four_gib_and_at_one_mib),
        ROW(storage_without_a_first_mib_is_refused),
        ROW(fixed_items_say_what_the_machine_is),
        ROW(memory_is_told_on_both_sides_of_the_hole),
        ROW(it_boots_the_disk_that_was_asked_for_and_no_other),
        ROW(acpi_tables_are_the_machines_wherever_they_are_put),
        ROW(smbios_names_the_user),
        ROW(odd_accesses_do_nothing_and_it_goes_with_the_storage),
        ROW(without_frames_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
