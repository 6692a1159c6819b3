/* Multiboot 2 and PVH: what is loaded, what a kernel reads of it, and which images are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>

#include "cp/ipl/firmware.h"
#include "cp/ipl/format.h"
#include "cp/ipl/map.h"
#include "cp/ipl/multiboot2.h"
#include "cp/ipl/pvh.h"
#include "cp/storage/frame.h"

enum { MIB = 1 << 20, RAM = 16 * MIB, IMAGE = 65536, AT = 2 * MIB, TAGS = 8 };

static struct guest_storage storage;
static struct machine_config machine = {.userid = "ALICE", .storage_bytes = RAM, .uarts = 1};
static uint8_t file[IMAGE];
static struct ipl_entry entry;
static struct multiboot_image image;
static const struct multiboot_module modules[] = {{"device tree", 11, "tree"}, {file, 40000, "kernel a b"},
                                                  {"small", 5, NULL}};
static unsigned header_bytes; /* of the multiboot 2 header as it grows, at 4096 */

static void put32(unsigned at, uint32_t value) { memcpy(file + at, &value, 4); }

/* A PT_LOAD of the whole file's last 32 KiB, and a PT_NOTE. */
static void elf(uint32_t run, uint32_t note_at, uint32_t note_bytes)
{
    Elf32_Ehdr h = {.e_type = ET_EXEC, .e_machine = EM_386, .e_version = 1, .e_entry = run, .e_phoff = 52,
                    .e_ehsize = 52, .e_phentsize = 32, .e_phnum = 2};
    Elf32_Phdr p[2] = {{.p_type = PT_NOTE, .p_offset = note_at, .p_filesz = note_bytes},
                       {.p_type = PT_LOAD, .p_offset = 32768, .p_vaddr = AT, .p_paddr = AT, .p_filesz = 32768,
                        .p_memsz = 40000}};
    memcpy(h.e_ident, "\177ELF\1\1\1", 7);
    memcpy(file, &h, sizeof h);
    memcpy(file + 52, p, sizeof p);
}

static void tag(uint16_t type, uint16_t flags, unsigned words, const uint32_t *word)
{
    unsigned at = 4096 + header_bytes;
    put32(at, type | (uint32_t)flags << 16);
    put32(at + 4, 8 + 4 * words);
    for (unsigned i = 0; i < words; i++)
        put32(at + 8 + 4 * i, word[i]);
    header_bytes += (8 + 4 * words + 7) & ~7u;
}
#define TAG(type, flags, ...) \
    tag(type, flags, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (const uint32_t[]){__VA_ARGS__})

static void header_close(void)
{
    tag(0, 0, 0, NULL);
    put32(4096, 0xE85250D6);
    put32(4100, 0);
    put32(4104, header_bytes);
    put32(4108, -(0xE85250D6 + header_bytes));
}

static int set_up(void **state)
{
    static void *arena;
    (void)state;
    if (!arena) {
        arena = aligned_alloc(PAGE_SIZE, 8 * MIB);
        frame_add(hpa((uint64_t)(uintptr_t)arena), 8 * MIB);
    }
    const struct firmware_facts facts = {&machine, "XEN", 0, 0};
    guest_storage_init(&storage, RAM, 0);
    assert_int_equal(firmware_leave(&storage, &facts), GUEST_OK);
    for (unsigned i = 0; i < IMAGE; i++)
        file[i] = i % 251;
    header_bytes = 16;
    entry = (struct ipl_entry){0};
    image = (struct multiboot_image){.data.data = file, .bytes = IMAGE, .command_line = "xen one",
                                     .module = modules, .modules = 3};
    elf(AT + 0x20, 0, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, 0);
    return 0;
}

static const char *load_by(const char *(*begin)(struct ipl_copies *, struct guest_storage *,
                                                const struct multiboot_image *, struct ipl_entry *))
{
    struct ipl_copies copies;
    const char *error = begin(&copies, &storage, &image, &entry);
    while (!error && ipl_copy_go_on(&copies, &error)) {}
    return error;
}
static const char *load2(void) { return load_by(multiboot2_begin); }

static uint64_t word(uint64_t at, unsigned bytes)
{
    uint64_t value = 0;
    assert_int_equal(guest_read(&storage, gpa(at), &value, bytes), GUEST_OK);
    return value;
}

static void assert_guest(uint64_t at, const void *expected, size_t bytes)
{
    static uint8_t copy[IMAGE];
    assert_int_equal(guest_read(&storage, gpa(at), copy, bytes), GUEST_OK);
    assert_memory_equal(copy, expected, bytes);
}
#define assert_text(at, text) assert_guest(at, text, sizeof(text))

/* ---- multiboot 2 ------------------------------------------------------------------------------------------------- */

/* The n-th tag of that type, or 0. */
static uint64_t information(unsigned type, unsigned n)
{
    uint64_t end = entry.ebx + word(entry.ebx, 4);
    for (uint64_t at = entry.ebx + 8; at < end; at += (word(at + 4, 4) + 7) & ~7ull)
        if (word(at, 4) == type && !n--)
            return at;
    return 0;
}

static void an_elf_image_is_told_all_and_gets_its_own_modules_first(void **state)
{
    (void)state;
    TAG(1, 0, 1, 3, 4, 6, 14, 15);
    TAG(4, 1, 3);
    TAG(5, 0, 1024, 768, 32);
    TAG(6, 0);
    header_close();
    assert_int_equal(ipl_format_of(image.data, IMAGE), IPL_MULTIBOOT2);
    assert_null(load2());
    assert_int_equal(entry.eax, 0x36D76289);
    assert_int_equal(entry.eip, AT + 0x20);
    assert_int_equal(entry.ebx % 8, 0);
    assert_guest(AT, file + 32768, 32768);
    assert_text(information(1, 0) + 8, "xen one");
    assert_text(information(2, 0) + 8, "VM/N");
    uint64_t module = information(3, 0);
    assert_int_equal(word(module + 12, 4) - word(module + 8, 4), 40000);
    assert_int_equal(word(module + 8, 4) % PAGE_SIZE, 0);
    assert_guest(word(module + 8, 4), file, 40000);
    assert_text(module + 16, "kernel a b");
    assert_text(information(3, 1) + 16, "");
    assert_text(information(3, 2) + 16, "tree");
    assert_guest(word(information(3, 2) + 8, 4), "device tree", 11);
    assert_int_equal(information(3, 3), 0);
    assert_int_equal(word(information(4, 0) + 8, 4), FIRMWARE_EBDA >> 10);
    assert_int_equal(word(information(4, 0) + 12, 4), (RAM - MIB) >> 10);
    struct ipl_range range[IPL_MAP_RANGES];
    unsigned n = ipl_map(RAM, range);
    assert_int_equal(word(information(6, 0) + 4, 4), 16 + 24 * n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(word(information(6, 0) + 16 + 24 * i, 8), range[i].start);
        assert_int_equal(word(information(6, 0) + 24 + 24 * i, 8), range[i].bytes);
        assert_int_equal(word(information(6, 0) + 32 + 24 * i, 8), range[i].kind);
    }
    assert_int_equal(word(information(14, 0) + 4, 4), 28);
    assert_guest(information(15, 0) + 8, "RSD PTR ", 8);
    assert_int_equal(word(information(15, 0) + 4, 4), 8 + FIRMWARE_RSDP_BYTES);
    assert_int_equal(word(information(21, 0) + 8, 4), AT);
    assert_int_equal(information(8, 0), 0);
    assert_int_equal(information(0, 0) + 8, entry.ebx + word(entry.ebx, 4));
}

static void addresses_and_entry_stand_for_a_file_that_is_no_elf(void **state)
{
    (void)state;
    memset(file, 0, 128);
    TAG(2, 0, AT + 4096, AT, AT + 20000, AT + 30000);
    TAG(3, 0, AT + 0x1234);
    header_close();
    assert_null(load2());
    assert_int_equal(entry.eip, AT + 0x1234);
    assert_guest(AT, file, 20000);
    for (unsigned at = 20000; at < 30000; at += 4)
        assert_int_equal(word(AT + at, 4), 0);
    header_bytes = 16;
    TAG(2, 0, AT + 4096, 0xFFFFFFFF, 0, 0);
    TAG(3, 0, AT + 0x1234);
    header_close();
    assert_null(load2());
    assert_guest(AT, file, IMAGE);
}

static void without_firmwares_tables_there_are_no_acpi_tags(void **state)
{
    (void)state;
    guest_fill(&storage, gpa(FIRMWARE_RSDP), 0, 16);
    header_close();
    assert_null(load2());
    assert_int_equal(information(14, 0), 0);
    assert_int_equal(information(15, 0), 0);
}

static void headers_that_ask_for_more_or_are_broken_are_refused(void **state)
{
    static const struct {
        uint16_t type, flags;
        uint32_t word[4];
        unsigned words;
        const char *why; /* NULL: it is loaded */
    } row[] = {
        {1, 0, {6, 9}, 2, "The multiboot 2 header requests information that is not offered"},
        {1, 0, {77}, 1, "The multiboot 2 header requests information that is not offered"},
        {1, 1, {9}, 1, NULL},
        {7, 0, {0}, 0, "The multiboot 2 header requires a feature that is not offered"},
        {7, 1, {0}, 0, NULL},
        {99, 0, {0}, 0, "The multiboot 2 header requires a feature that is not offered"},
        {10, 0, {AT, RAM, 0, 0}, 4, NULL},
        {2, 0, {AT + 4096, AT, 0, 0}, 4, "The multiboot 2 header has addresses and no entry"},
        {2, 0, {AT}, 1, NULL}, /* too short to be one */
        {3, 0, {0xFFFFFFF0}, 1, "The image's entry point is not in the storage"},
        {3, 0, {0xA0000}, 1, "The image's entry point is not in the storage"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        header_bytes = 16;
        tag(row[i].type, row[i].flags, row[i].words, row[i].word);
        header_close();
        const char *why = load2();
        if (row[i].why)
            assert_string_equal(why, row[i].why);
        else
            assert_null(why);
    }
}

static void addresses_that_do_not_fit_are_refused(void **state)
{
    static const uint32_t row[][4] = {
        {AT + 4095, AT, 0, 0},                 /* header above its place in the file */
        {AT, AT + 1, 0, 0},                    /* below the load */
        {AT + 9000, AT, 0, 0},
        {AT + 4096, AT, AT + IMAGE + 1, 0},    /* more than there is */
        {AT + 4096, AT, AT - 1, 0},
        {AT + 4096, AT, 0, AT + 10},           /* bss before data */
        {AT + 4096, AT, 0, AT - 1},
        {AT + 4096, AT, 0, 0xFFFFFFFF},        /* beyond storage */
        {100, 0xFFFFFFFF, 0, 0},               /* the file's beginning below 0 */
        {0x1000, 0, 0, 0},                     /* over the first MiB's ROM */
    };
    (void)state;
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        header_bytes = 16;
        tag(2, 0, 4, row[i]);
        TAG(3, 0, AT);
        header_close();
        if (i == 0) /* 4095: offset - (header - load) is 1, and so it loads from there: allowed */
            assert_null(load2());
        else if (i == 9)
            assert_null(load2()); /* 64 KiB at 0 are RAM */
        else if (!load2())
            fail_msg("row %u was loaded", i);
    }
}

static void a_header_whose_tags_do_not_end_or_that_is_elsewhere_is_none(void **state)
{
    (void)state;
    header_close();
    put32(4096 + 16, 6), put32(4096 + 20, 4); /* a length below its own head */
    assert_string_equal(load2(), "The multiboot 2 header's tags do not end");
    put32(4096 + 20, 4000);
    assert_string_equal(load2(), "The multiboot 2 header's tags do not end");
    put32(4108, 0); /* the sum */
    assert_string_equal(load2(), "The image has no multiboot 2 header in its first 32 KiB");
    assert_int_equal(ipl_format_of(image.data, IMAGE), IPL_MULTIBOOT);
    header_close();
    put32(4100, 4), put32(4108, -(0xE85250D6 + 4 + header_bytes)); /* MIPS */
    assert_false(multiboot2_is(image.data, IMAGE));
    put32(4100, 0), put32(4104, 0xFFFFFFF8), put32(4108, -(0xE85250D6 + 0xFFFFFFF8));
    assert_false(multiboot2_is(image.data, IMAGE));
    assert_false(multiboot2_is(image.data, 0));
}

/* ---- PVH --------------------------------------------------------------------------------------------------------- */

static void note(unsigned at, const char *name, uint32_t type, uint32_t value)
{
    put32(at, (uint32_t)strlen(name) + 1), put32(at + 4, 4), put32(at + 8, type);
    memcpy(file + at + 12, name, strlen(name) + 1);
    put32(at + 12 + ((strlen(name) + 4) & ~3u), value);
}

static void a_kernel_with_xens_note_begins_where_that_says(void **state)
{
    (void)state;
    elf(0xFFFFFFF0, 8192, 60);
    note(8192, "GNU", 3, 1);
    note(8192 + 20, "Xen", 6, 1);
    note(8192 + 40, "Xen", 18, AT + 0x40);
    assert_int_equal(ipl_format_of(image.data, IMAGE), IPL_PVH);
    assert_null(load_by(pvh_begin));
    assert_int_equal(entry.eip, AT + 0x40);
    assert_guest(AT, file + 32768, 32768);
    assert_int_equal(word(entry.ebx, 4), 0x336EC578);
    assert_int_equal(word(entry.ebx + 4, 4), 1);
    assert_int_equal(word(entry.ebx + 12, 4), 3);
    uint64_t list = word(entry.ebx + 16, 8);
    assert_guest(word(list, 8), file, 40000);
    assert_int_equal(word(list + 8, 8), 40000);
    assert_text(word(list + 16, 8), "kernel a b");
    assert_text(word(list + 2 * 32 + 16, 8), "tree");
    assert_text(word(entry.ebx + 24, 8), "xen one");
    assert_int_equal(word(entry.ebx + 32, 8), FIRMWARE_RSDP);
    struct ipl_range range[IPL_MAP_RANGES];
    unsigned n = ipl_map(RAM, range);
    assert_int_equal(word(entry.ebx + 48, 4), n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t at = word(entry.ebx + 40, 8) + 24 * i;
        assert_int_equal(word(at, 8), range[i].start);
        assert_int_equal(word(at + 8, 8), range[i].bytes);
        assert_int_equal(word(at + 16, 4), range[i].kind);
    }
}

static void notes_that_lead_nowhere_are_none(void **state)
{
    (void)state;
    note(8192, "Xen", 18, AT);
    elf(AT, 8192, 20);
    assert_true(pvh_is(image.data, IMAGE));
    elf(AT, 8192, 0);
    assert_false(pvh_is(image.data, IMAGE));
    elf(AT, IMAGE - 8, 0xFFFFFFFF);
    assert_false(pvh_is(image.data, IMAGE));
    elf(AT, 0xFFFFFFF0, 0xFFFFFFFF);
    assert_false(pvh_is(image.data, IMAGE));
    elf(AT, 8192, 20);
    put32(8192, 0xFFFFFFFF); /* a name of 4 GiB */
    assert_false(pvh_is(image.data, IMAGE));
    note(8192, "Xen", 18, AT);
    put32(8196, 2); /* half an address */
    assert_false(pvh_is(image.data, IMAGE));
    note(8192, "Xen", 18, 0xC0000); /* not RAM that is its own */
    assert_string_equal(load_by(pvh_begin), "The image's entry point is not in the storage");
    assert_false(pvh_is(image.data, 40));
    assert_false(pvh_is(image.data, 0));
}

static void what_there_is_no_room_for_is_refused(void **state)
{
    static const struct multiboot_module large[] = {{"tree", 4, "tree"}, {file, RAM, "large"}};
    (void)state;
    header_close();
    image.module = large, image.modules = 2;
    assert_string_equal(load2(), "The storage has no room for the image's modules and boot information");
    note(8192, "Xen", 18, AT);
    elf(AT, 8192, 20);
    assert_string_equal(load_by(pvh_begin), "The storage has no room for the image's modules and boot information");
    image.modules = MULTIBOOT_MODULES + 1;
    assert_non_null(load2());
    assert_non_null(load_by(pvh_begin));
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(an_elf_image_is_told_all_and_gets_its_own_modules_first),
        ROW(addresses_and_entry_stand_for_a_file_that_is_no_elf),
        ROW(without_firmwares_tables_there_are_no_acpi_tags),
        ROW(headers_that_ask_for_more_or_are_broken_are_refused),
        ROW(addresses_that_do_not_fit_are_refused),
        ROW(a_header_whose_tags_do_not_end_or_that_is_elsewhere_is_none),
        ROW(a_kernel_with_xens_note_begins_where_that_says),
        ROW(notes_that_lead_nowhere_are_none),
        ROW(what_there_is_no_room_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
