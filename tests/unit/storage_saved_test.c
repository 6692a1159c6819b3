/* Pages that storages share until they write there: who sees what, whose frames they are, and that all come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/storage/second_level.h"
#include "cp/storage/share.h"
#include "cp/storage/watch.h"
#include "tests/unit/storage_scene.h"

enum { PAGE = 0x5000, OTHER = 0x9000, TABLES = 4 };

static struct guest_storage saved, second;
static unsigned moves;

static void moved(struct guest_storage *s) { moves += s == &storage || s == &second; }

/* Two pages of "saved", which `storage` and `second` map. */
static int begin(void **state)
{
    start(state);
    moves = 0;
    guest_storage_init(&saved, MIB, 0);
    guest_storage_init(&second, MIB, 0);
    storage.moved = second.moved = moved;
    assert_int_equal(guest_write(&saved, gpa(PAGE), "saved page", 11), GUEST_OK);
    assert_int_equal(guest_write(&saved, gpa(OTHER), "another", 8), GUEST_OK);
    share_begin(&storage, &saved);
    share_begin(&second, &saved);
    assert_int_equal(share_map(&storage, gpa(0)), GUEST_OK);
    assert_int_equal(share_map(&second, gpa(0)), GUEST_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    guest_storage_free(&second);
    assert_int_equal(saved.sharers, 0);
    guest_storage_free(&saved);
    assert_int_equal(frame_available(), FRAMES);
    return 0;
}

static const char *text(struct guest_storage *s, uint64_t at)
{
    static char got[16];
    assert_int_equal(guest_read(s, gpa(at), got, sizeof got), GUEST_OK);
    return got;
}

static void who_reads_has_no_page_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(text(&storage, PAGE), "saved page");
    assert_ptr_equal(guest_pointer(&storage, gpa(PAGE), NULL), guest_pointer(&second, gpa(PAGE), NULL));
    assert_int_equal(guest_bring_in(&storage, gpa(PAGE)), GUEST_OK);
    assert_int_equal(storage.resident, 0);
    assert_int_equal(storage.shared, 2);
    assert_int_equal(storage.account.frames, TABLES);
    assert_int_equal(*guest_entry(&storage, gpa(PAGE)) & 7, 5);
    assert_int_equal(moves, 0);
}

static void write_text(struct guest_storage *s)
{
    assert_int_equal(guest_write(s, gpa(PAGE), "mine", 5), GUEST_OK);
}

static void fill_text(struct guest_storage *s) { assert_int_equal(guest_fill(s, gpa(PAGE), 0, 5), GUEST_OK); }
static void point(struct guest_storage *s) { *(char *)guest_private(s, gpa(PAGE), NULL) = 'S'; }
static void violate(struct guest_storage *s) { assert_int_equal(guest_bring_in_private(s, gpa(PAGE)), GUEST_OK); }

static void watch(struct guest_storage *s)
{
    bool armed;
    assert_true(guest_watch(s, gpa(PAGE), &armed));
    assert_int_equal(*guest_entry(s, gpa(PAGE)) & LEAF_WRITE, 0);
    guest_written(s, gpa(PAGE), 1);
}

static void who_writes_gets_a_copy_and_nobody_else_sees_it(void **state)
{
    static void (*const ways[])(struct guest_storage *) = {write_text, fill_text, point, violate, watch};
    static const char *const then[] = {"mine", "", "Saved page", "saved page", "saved page"};
    (void)state;
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        ways[i](&storage);
        assert_string_equal(text(&storage, PAGE), then[i]);
        assert_string_equal(text(&second, PAGE), "saved page");
        assert_string_equal(text(&saved, PAGE), "saved page");
        assert_int_equal(moves, 1);
        assert_int_equal(storage.resident, 1);
        assert_int_equal(storage.shared, 1);
        assert_int_equal(*guest_entry(&storage, gpa(PAGE)) & 7, 7);
        assert_false(*guest_entry(&storage, gpa(PAGE)) & LEAF_SHARED);
        assert_ptr_equal(guest_pointer(&storage, gpa(OTHER), NULL), guest_pointer(&second, gpa(OTHER), NULL));
        ways[i](&storage); /* it is its own by now */
        assert_int_equal(moves, 1);
        end(NULL);
        begin(NULL);
    }
}

static void without_a_frame_for_the_copy_nothing_is_written(void **state)
{
    (void)state;
    storage.account.limit = storage.account.frames;
    assert_int_equal(guest_write(&storage, gpa(PAGE), "mine", 5), GUEST_NO_FRAMES);
    assert_int_equal(guest_fill(&storage, gpa(PAGE), 0, 5), GUEST_NO_FRAMES);
    assert_null(guest_private(&storage, gpa(PAGE), NULL));
    assert_string_equal(text(&storage, PAGE), "saved page");
    assert_string_equal(text(&second, PAGE), "saved page");
    assert_int_equal(storage.shared, 2);
}

static void flush(void *context) { (void)context; }

static void what_is_trimmed_or_cleared_leaves_the_shared_pages_where_they_are(void **state)
{
    (void)state;
    guest_write(&storage, gpa(PAGE), "mine", 5);
    assert_false(guest_storage_trim(&storage, 2, flush, NULL));
    assert_int_equal(storage.resident + storage.shared, 0);
    assert_string_equal(text(&storage, PAGE), "");
    guest_storage_renew(&second, MIB);
    assert_int_equal(second.shared, 0);
    assert_string_equal(text(&second, PAGE), "");
    assert_string_equal(text(&saved, PAGE), "saved page");
    assert_string_equal(text(&saved, OTHER), "another");
    assert_int_equal(saved.sharers, 1);
}

static void what_is_dismissed_goes_with_the_last_who_maps_it(void **state)
{
    uint64_t held = saved.account.frames;
    (void)state;
    share_dismiss(&saved);
    assert_int_equal(saved.account.frames - saved.account.dying, held);
    guest_storage_free(&storage);
    assert_string_equal(text(&second, PAGE), "saved page");
    assert_int_equal(saved.account.frames - saved.account.dying, held);
    guest_storage_free(&second);
    assert_int_equal(saved.account.frames - saved.account.dying, 0);
}

static void a_page_beyond_the_storage_is_not_mapped(void **state)
{
    (void)state;
    guest_storage_renew(&second, OTHER);
    share_begin(&second, &saved);
    assert_int_equal(share_map(&second, gpa(0)), GUEST_NOT_RAM);
    assert_int_equal(second.shared, 1);
}

static void zeros_bring_nothing_in(void **state)
{
    (void)state;
    uint64_t frames = storage.account.frames;
    assert_int_equal(guest_fill(&storage, gpa(0x20000), 0, 5 * PAGE_SIZE), GUEST_OK);
    assert_int_equal(storage.account.frames, frames);
    assert_int_equal(guest_fill(&storage, gpa(MIB - 1), 0, 2), GUEST_NOT_RAM);
    assert_int_equal(guest_fill(&storage, gpa(0x20000), 1, 1), GUEST_OK);
    assert_int_equal(storage.account.frames, frames + 1);
    assert_int_equal(guest_fill(&storage, gpa(0x20000), 0, PAGE_SIZE), GUEST_OK);
    assert_string_equal(text(&storage, 0x20000), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_reads_has_no_page_of_its_own),
        TEST(who_writes_gets_a_copy_and_nobody_else_sees_it),
        TEST(without_a_frame_for_the_copy_nothing_is_written),
        TEST(what_is_trimmed_or_cleared_leaves_the_shared_pages_where_they_are),
        TEST(what_is_dismissed_goes_with_the_last_who_maps_it),
        TEST(a_page_beyond_the_storage_is_not_mapped),
        TEST(zeros_bring_nothing_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
