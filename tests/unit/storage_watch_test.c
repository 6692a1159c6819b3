/* Watched pages: a write is noticed, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/storage/watch.h"
#include "tests/unit/storage_scene.h"

enum { WRITE = 2 };

static int stop(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    return 0;
}

static uint64_t watch(uint64_t at, bool expect_armed)
{
    bool armed;
    uint64_t number = guest_watch(&storage, gpa(at), &armed);
    assert_int_equal(armed, expect_armed);
    return number;
}

static void the_number_changes_with_a_write_and_not_without(void **state)
{
    (void)state;
    uint64_t first = watch(0x5008, true);
    assert_int_not_equal(first, 0);
    assert_int_equal(watch(0x5000, false), first);
    assert_false(*guest_entry(&storage, gpa(0x5000)) & WRITE);
    assert_true(guest_is_watched(&storage, gpa(0x5FFF)));
    guest_written(&storage, gpa(0x4FFF), 1);
    assert_int_equal(watch(0x5000, false), first);
    guest_written(&storage, gpa(0x4FFF), 2);
    assert_true(*guest_entry(&storage, gpa(0x5000)) & WRITE);
    assert_false(guest_is_watched(&storage, gpa(0x5000)));
    assert_int_not_equal(watch(0x5000, true), first);
}

static void cps_own_writes_count_and_its_reads_do_not(void **state)
{
    uint32_t value = 7;
    (void)state;
    uint64_t first = watch(0x5000, true);
    assert_int_equal(guest_read(&storage, gpa(0x5000), &value, sizeof(value)), GUEST_OK);
    assert_int_equal(watch(0x5000, false), first);
    assert_int_equal(guest_write(&storage, gpa(0x5000), &value, sizeof(value)), GUEST_OK);
    uint64_t second = watch(0x5000, true);
    assert_int_not_equal(second, first);
    assert_int_equal(guest_fill(&storage, gpa(0x4000), 0, 0x2000), GUEST_OK);
    assert_int_not_equal(watch(0x5000, true), second);
}

static void a_page_that_makes_room_may_be_written_again_and_is_seen_anew(void **state)
{
    (void)state;
    uint64_t first = watch(0, true);
    for (uint64_t i = 1; i <= GUEST_WATCHES; i++)
        watch(i * PAGE_SIZE, true);
    assert_true(*guest_entry(&storage, gpa(0)) & WRITE);
    assert_int_not_equal(watch(0, true), first);
}

static void a_page_that_was_lent_is_taken_back_once(void **state)
{
    (void)state;
    uint64_t first = watch(0x5000, true);
    assert_false(guest_take_back(&storage, gpa(0x5000)));
    guest_written(&storage, gpa(0x5000), 1);
    guest_lend(&storage, gpa(0x5008));
    assert_false(guest_take_back(&storage, gpa(0x6000)));
    assert_int_not_equal(watch(0x5000, true), first);
    assert_true(guest_take_back(&storage, gpa(0x5000)));
    assert_false(guest_take_back(&storage, gpa(0x5000)));
    assert_true(guest_is_watched(&storage, gpa(0x5000)));
}

static void what_is_no_ram_is_not_watched(void **state)
{
    (void)state;
    assert_int_equal(watch(1 << 20, false), 0);
    assert_false(guest_is_watched(&storage, gpa(1 << 20)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_number_changes_with_a_write_and_not_without),
        TEST(cps_own_writes_count_and_its_reads_do_not),
        TEST(a_page_that_makes_room_may_be_written_again_and_is_seen_anew),
        TEST(a_page_that_was_lent_is_taken_back_once),
        TEST(what_is_no_ram_is_not_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
