/* A Linux kernel as its boot protocol wants to find the machine, and kernels' files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/ipl/firmware.h"
#include "cp/ipl/map.h"
#include "cp/storage/frame.h"
#include "tests/unit/linux_image.h"

enum { MIB = 1 << 20, RAM = 16 * MIB };

static struct guest_storage storage;
static uint8_t file[LINUX_FILE], initrd[3 * PAGE_SIZE + 5], tree[700];
static struct linux_image image;
static struct ipl_entry entry;

static int set_up(void **state)
{
    static void *arena;
    (void)state;
    if (!arena) {
        arena = aligned_alloc(PAGE_SIZE, 8 * MIB);
        frame_add(hpa((uint64_t)(uintptr_t)arena), 8 * MIB);
    }
    guest_storage_init(&storage, RAM, 0);
    linux_file(file);
    memset(initrd, 0x17, sizeof initrd);
    memset(tree, 0x7E, sizeof tree);
    image = (struct linux_image){.data.data = file, .bytes = sizeof file, .command_line = "console=ttyS0",
                                 .initrd = initrd, .initrd_bytes = sizeof initrd, .tree = tree,
                                 .tree_bytes = sizeof tree};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    return 0;
}

static void loads(void) { assert_null(linux_whole(&storage, &image, &entry)); }

static void refused(const char *part)
{
    const char *why = linux_whole(&storage, &image, &entry);
    assert_non_null(why);
    if (!strstr(why, part))
        fail_msg("%s", why);
}

static uint64_t at(uint64_t where, unsigned bytes)
{
    uint64_t value = 0;
    assert_int_equal(guest_read(&storage, gpa(where), &value, bytes), GUEST_OK);
    return value;
}

static void lies_at(uint64_t where, const void *expected, size_t bytes)
{
    uint8_t *found = malloc(bytes);
    assert_int_equal(guest_read(&storage, gpa(where), found, bytes), GUEST_OK);
    assert_memory_equal(found, expected, bytes);
    free(found);
}

static void the_kernel_lies_at_one_mib_and_starts_there(void **state)
{
    (void)state;
    loads();
    assert_int_equal(entry.eip, MIB);
    lies_at(MIB, file + LINUX_SETUP, LINUX_KERNEL);
    lies_at(entry.esi + 0x1F1, file + 0x1F1, 0x210 - 0x1F1); /* the header is the file's ... */
    assert_int_equal(at(entry.esi + 0x210, 1), 0xFF);        /* ... with the loader's fields */
    assert_int_equal(at(entry.esi + 0x214, 4), MIB);
    assert_int_equal(at(entry.esi + 0x211, 1) & 0x80, 0); /* no heap was set up */
}

static void what_is_not_the_header_of_the_parameters_is_zero(void **state)
{
    (void)state;
    loads();
    for (unsigned i = 0; i < PAGE_SIZE; i++) {
        bool used = (i >= 0x70 && i < 0x78) || i == 0x1E8 || (i >= 0x1F1 && i < 0x202 + 0x6A) ||
                    (i >= 0x2D0 && i < 0x2D0 + 20 * IPL_MAP_RANGES);
        if (!used)
            assert_int_equal(at(entry.esi + i, 1), 0);
    }
}

static void command_line_and_tree_are_where_the_parameters_say(void **state)
{
    (void)state;
    loads();
    lies_at(at(entry.esi + 0x228, 4), "console=ttyS0", 14);
    uint64_t data = at(entry.esi + 0x250, 8);
    assert_int_equal(at(data, 8), 0);
    assert_int_equal(at(data + 8, 4), 2);
    assert_int_equal(at(data + 12, 4), sizeof tree);
    lies_at(data + 16, tree, sizeof tree);
    assert_true(ipl_map_usable(RAM, data, 16 + sizeof tree));
    image.tree_bytes = 0;
    loads();
    assert_int_equal(at(entry.esi + 0x250, 8), 0);
}

static void ranges_are_those_of_the_map(void **state)
{
    struct ipl_range range[IPL_MAP_RANGES];

    (void)state;
    loads();
    unsigned n = ipl_map(RAM, range);
    assert_int_equal(at(entry.esi + 0x1E8, 1), n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(at(entry.esi + 0x2D0 + 20 * i, 8), range[i].start);
        assert_int_equal(at(entry.esi + 0x2D8 + 20 * i, 8), range[i].bytes);
        assert_int_equal(at(entry.esi + 0x2E0 + 20 * i, 4), range[i].kind);
    }
}

static void acpi_is_told_of_to_kernels_that_ask(void **state)
{
    (void)state;
    loads();
    assert_int_equal(at(entry.esi + 0x70, 8), FIRMWARE_RSDP);
    linux_set(file, 0x206, 0x20D, 2);
    loads();
    assert_int_equal(at(entry.esi + 0x70, 8), 0);
}

static void the_initrd_is_clear_of_the_kernel_as_high_as_it_reaches(void **state)
{
    (void)state;
    loads();
    uint64_t where = at(entry.esi + 0x218, 4);
    assert_int_equal(at(entry.esi + 0x21C, 4), sizeof initrd);
    assert_int_equal(where, RAM - 4 * PAGE_SIZE);
    lies_at(where, initrd, sizeof initrd);
    linux_set(file, 0x22C, 0xBFFFFF, 4);
    loads();
    assert_int_equal(at(entry.esi + 0x218, 4), 0xC00000 - 4 * PAGE_SIZE);
    linux_set(file, 0x22C, LINUX_PREFERRED + LINUX_MEMORY + sizeof initrd - 1, 4);
    loads();
    linux_set(file, 0x22C, LINUX_PREFERRED + LINUX_MEMORY + sizeof initrd - 2, 4);
    refused("no room for the initrd");
    linux_set(file, 0x22C, 100, 4);
    refused("no room for the initrd");
    image.initrd_bytes = 1ull << 40;
    linux_set(file, 0x22C, LINUX_INITRD_LAST, 4);
    refused("no room for the initrd");
    image.initrd_bytes = 0;
    loads();
    assert_int_equal(at(entry.esi + 0x218, 8), 0);
}

static void storage_is_asked_for_where_the_kernel_goes_on(void **state)
{
    static const struct {
        uint64_t preferred;
        uint32_t memory;
        bool fits;
    } cases[] = {
        {LINUX_PREFERRED, RAM - LINUX_PREFERRED, true}, {LINUX_PREFERRED, RAM - LINUX_PREFERRED + 1, false},
        {0, 0, true}, {0, 1, false} /* 16 MiB are for none */, {1ull << 32, 0, false},
        {UINT64_MAX, 2, false}, {LINUX_PREFERRED, UINT32_MAX, false}};

    (void)state;
    image.initrd_bytes = 0;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        linux_set(file, 0x258, cases[i].preferred, 8);
        linux_set(file, 0x260, cases[i].memory, 4);
        if (cases[i].fits)
            loads();
        else
            refused("DEFINE STORAGE");
    }
}

static void other_files_are_refused_by_reason(void **state)
{
    (void)state;
    linux_set(file, 0x206, 0x209, 2);
    refused("older than boot protocol 2.10");
    linux_file(file);
    linux_set(file, 0x1FE, 0, 2);
    refused("older");
    linux_file(file);
    file[0x211] = 0;
    refused("zImage");
    linux_file(file);
    linux_set(file, 0x1F4, LINUX_KERNEL / 16 + 1, 4);
    refused("shorter than its header says");
    linux_file(file);
    file[0x1F1] = 255;
    refused("shorter");
    linux_file(file);
    linux_set(file, 0x238, 12, 4);
    refused("longer than the Linux kernel takes");
    linux_set(file, 0x238, 13, 4);
    loads();
    image.tree_bytes = FIRMWARE_EBDA;
    refused("too long");
}

/* From an allocation of just that size, so that the sanitizer sees who reads on. */
static void a_file_may_end_anywhere(void **state)
{
    (void)state;
    for (uint64_t bytes = 0; bytes < LINUX_SETUP + 16; bytes++) {
        uint8_t *cut = malloc(bytes ? bytes : 1);
        memcpy(cut, file, bytes);
        assert_int_equal(linux_is((struct ipl_bytes){.data = cut}, bytes), bytes >= 0x206);
        image.data.data = cut, image.bytes = bytes;
        if (linux_is((struct ipl_bytes){.data = cut}, bytes))
            assert_non_null(linux_whole(&storage, &image, &entry));
        free(cut);
    }
}

static void a_setup_of_no_sectors_has_four(void **state)
{
    (void)state;
    file[0x1F1] = 0;
    linux_set(file, 0x1F4, 100, 4);
    loads();
    lies_at(MIB, file + 5 * 512, LINUX_FILE - 5 * 512);
}

static void without_frames_it_says_so(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    guest_storage_init(&storage, RAM, 6);
    refused("frames");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_kernel_lies_at_one_mib_and_starts_there),
        TEST(what_is_not_the_header_of_the_parameters_is_zero),
        TEST(command_line_and_tree_are_where_the_parameters_say),
        TEST(ranges_are_those_of_the_map),
        TEST(acpi_is_told_of_to_kernels_that_ask),
        TEST(the_initrd_is_clear_of_the_kernel_as_high_as_it_reaches),
        TEST(storage_is_asked_for_where_the_kernel_goes_on),
        TEST(other_files_are_refused_by_reason),
        TEST(a_file_may_end_anywhere),
        TEST(a_setup_of_no_sectors_has_four),
        TEST(without_frames_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
