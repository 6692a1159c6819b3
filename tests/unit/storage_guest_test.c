/* A machine's storage: what is RAM, what is brought in, what it costs, and that all of it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/storage/guest.h"
#include "cp/storage/watch.h"
#include "tests/unit/storage_scene.h"

enum { ROOT_AND_TABLES = 4 };
#define GIB (1ull << 30)

static int stop(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    assert_int_equal(frame_available(), FRAMES);
    return 0;
}

static void the_hole_is_no_ram_and_what_is_beyond_it_is(void **state)
{
    (void)state;
    guest_storage_init(&storage, 4 * GIB, 0);
    assert_true(guest_is_ram(&storage, gpa(GUEST_HOLE_START - 1)));
    assert_false(guest_is_ram(&storage, gpa(GUEST_HOLE_START)));
    assert_false(guest_is_ram(&storage, gpa(4 * GIB - 1)));
    assert_true(guest_is_ram(&storage, gpa(4 * GIB)));
    assert_true(guest_is_ram(&storage, gpa(5 * GIB - 1)));
    assert_false(guest_is_ram(&storage, gpa(5 * GIB)));
    assert_false(guest_is_ram(&storage, gpa(UINT64_MAX)));
    guest_storage_init(&storage, MIB, 0);
    assert_true(guest_is_ram(&storage, gpa(MIB - 1)));
    assert_false(guest_is_ram(&storage, gpa(MIB)));
    assert_false(guest_is_ram(&storage, gpa(4 * GIB)));
}

static void pages_come_with_the_first_touch_and_are_zero(void **state)
{
    static const char zeroes[PAGE_SIZE];
    (void)state;
    assert_int_equal(storage.resident, 0);
    const char *page = guest_pointer(&storage, gpa(0x5123), NULL);
    assert_memory_equal(page - 0x123, zeroes, PAGE_SIZE);
    assert_int_equal(storage.resident, 1);
    assert_ptr_equal(guest_pointer(&storage, gpa(0x5000), NULL), page - 0x123);
    assert_int_equal(storage.resident, 1);
    assert_int_equal(storage.account.frames, 1 + ROOT_AND_TABLES);
}

static void assert_absent_is_zero(const uint64_t *table, unsigned level)
{
    for (unsigned i = 0; i < 512; i++) {
        if (!(table[i] & 7))
            assert_int_equal(table[i], 0);
        else if (level)
            assert_absent_is_zero(frame_pointer(hpa(table[i] & 0xFFFFFFFFFF000ull)), level - 1);
    }
}

/* A processor with L1 terminal fault reads ahead where an absent entry points. */
static void an_entry_that_is_not_present_names_no_page(void **state)
{
    bool armed;

    (void)state;
    guest_storage_init(&storage, 4 * GIB, 0);
    for (uint64_t at = 0; at < 16; at++)
        guest_bring_in(&storage, gpa(at * 0x12345000 % (2 * GIB)));
    guest_watch(&storage, gpa(0), &armed);
    guest_written(&storage, gpa(0), 1);
    assert_absent_is_zero(storage.root, 3);
}

/* The tables are what hardware walks: four levels, every one readable, writable, executable. */
static void the_tables_lead_to_the_page(void **state)
{
    (void)state;
    guest_storage_init(&storage, 4 * GIB, 0);
    uint64_t at = 4 * GIB + 0x3456000;
    const void *page = guest_pointer(&storage, gpa(at), NULL);
    const uint64_t *table = storage.root;
    for (int shift = 39; shift >= 12; shift -= 9) {
        uint64_t entry = table[at >> shift & 511];
        assert_int_equal(entry & 7, 7);
        table = frame_pointer(hpa(entry & 0xFFFFFFFFFF000ull));
    }
    assert_ptr_equal(table, page);
    assert_ptr_equal(frame_pointer(hpa(*guest_entry(&storage, gpa(at)) & 0xFFFFFFFFFF000ull)), page);
}

static void copies_cross_pages_and_stop_at_the_end(void **state)
{
    char text[] = "crosses a page", back[sizeof text] = "";
    enum guest_access why;
    (void)state;
    assert_int_equal(guest_write(&storage, gpa(0x1FF8), text, sizeof text), GUEST_OK);
    assert_int_equal(guest_read(&storage, gpa(0x1FF8), back, sizeof back), GUEST_OK);
    assert_string_equal(back, text);
    assert_int_equal(guest_fill(&storage, gpa(0x1FFF), 'x', 2), GUEST_OK);
    guest_read(&storage, gpa(0x1FF8), back, sizeof back);
    assert_string_equal(back, "crossesxx page");
    assert_int_equal(guest_write(&storage, gpa(MIB - 4), text, sizeof text), GUEST_NOT_RAM);
    assert_int_equal(guest_read(&storage, gpa(UINT64_MAX - 3), back, sizeof back), GUEST_NOT_RAM);
    assert_int_equal(guest_fill(&storage, gpa(MIB), 0, 1), GUEST_NOT_RAM);
    assert_null(guest_pointer(&storage, gpa(MIB), &why));
    assert_int_equal(why, GUEST_NOT_RAM);
}

static void the_limit_counts_tables_and_is_an_answer(void **state)
{
    enum guest_access why;
    (void)state;
    guest_storage_init(&storage, MIB, ROOT_AND_TABLES + 2);
    assert_non_null(guest_pointer(&storage, gpa(0), NULL));
    assert_non_null(guest_pointer(&storage, gpa(PAGE_SIZE), NULL));
    assert_null(guest_pointer(&storage, gpa(2 * PAGE_SIZE), &why));
    assert_int_equal(why, GUEST_NO_FRAMES);
    assert_non_null(guest_pointer(&storage, gpa(PAGE_SIZE), NULL));
    assert_int_equal(storage.resident, 2);
    guest_storage_free(&storage);
    guest_storage_init(&storage, MIB, 2); /* not even for the tables */
    assert_null(guest_pointer(&storage, gpa(0), &why));
    assert_int_equal(why, GUEST_NO_FRAMES);
}

static void freed_storage_is_forgotten(void **state)
{
    bool armed;
    (void)state;
    guest_fill(&storage, gpa(0x7000), 'a', 16);
    assert_int_not_equal(guest_watch(&storage, gpa(0x7000), &armed), 0);
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, 0);
    guest_storage_init(&storage, MIB, 0);
    assert_false(guest_is_watched(&storage, gpa(0x7000)));
    assert_int_equal(*(char *)guest_pointer(&storage, gpa(0x7000), NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_hole_is_no_ram_and_what_is_beyond_it_is),
        TEST(pages_come_with_the_first_touch_and_are_zero),
        TEST(the_tables_lead_to_the_page),
        TEST(an_entry_that_is_not_present_names_no_page),
        TEST(copies_cross_pages_and_stop_at_the_end),
        TEST(the_limit_counts_tables_and_is_an_answer),
        TEST(freed_storage_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
