/* What comes with a page that a program touched: more the more it has, and never at the cost of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/storage/guest.h"

enum { FRAMES = 8192, MIB = 1 << 20, PAGES = 4096 /* of the storage */ };

static struct guest_storage storage;
static struct frame_account other;

static int start(void **state)
{
    static void *pool;
    (void)state;
    if (!pool) {
        pool = aligned_alloc(PAGE_SIZE, (size_t)FRAMES * PAGE_SIZE);
        frame_add(frame_address(pool), (uint64_t)FRAMES * PAGE_SIZE);
    }
    other = (struct frame_account){0};
    guest_storage_init(&storage, (uint64_t)PAGES * PAGE_SIZE, 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    assert_int_equal(frame_available(), frame_total());
    return 0;
}

/* From page 0 on, one by one. */
static void has(unsigned pages)
{
    for (unsigned page = 0; storage.resident < pages; page++)
        guest_bring_in(&storage, gpa((uint64_t)page * PAGE_SIZE));
}

/* How many pages it brings in; `first`: the lowest that is there of the 32 around it. */
static unsigned brings(unsigned page, unsigned *first)
{
    uint64_t before = storage.resident;
    unsigned at = page & ~31u;

    guest_bring_in_near(&storage, gpa((uint64_t)page * PAGE_SIZE + 123));
    const uint64_t *leaves = guest_leaves(&storage, gpa((uint64_t)page * PAGE_SIZE));
    while (leaves && at < page && !leaves[at % 512])
        at++;
    *first = at;
    return (unsigned)(storage.resident - before);
}

static void the_more_it_has_the_more_comes_with_a_touch(void **state)
{
    static const struct {
        unsigned resident, pages;
    } rows[] = {{0, 0}, {255, 0}, {256, 2}, {512, 4}, {1024, 8}, {2048, 16}, {2500, 16}};
    unsigned first;

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        has(rows[i].resident);
        assert_int_equal(brings(3000 + 32 * i + 17, &first), rows[i].pages);
        if (rows[i].pages)
            assert_int_equal(first, (3000 + 32 * i + 17) & ~(rows[i].pages - 1));
    }
}

static void what_is_there_stays_and_what_comes_is_zero(void **state)
{
    static const char zeroes[PAGE_SIZE];
    unsigned first;

    (void)state;
    has(2048);
    assert_int_equal(guest_write(&storage, gpa(3205ull * PAGE_SIZE), "here", 4), GUEST_OK);
    uint64_t kept = *guest_entry(&storage, gpa(3205ull * PAGE_SIZE));
    assert_int_equal(brings(3200, &first), 15);
    assert_int_equal(*guest_entry(&storage, gpa(3205ull * PAGE_SIZE)), kept);
    for (unsigned page = 3200; page < 3216; page++)
        if (page != 3205)
            assert_memory_equal(guest_pointer(&storage, gpa((uint64_t)page * PAGE_SIZE), NULL), zeroes, PAGE_SIZE);
    assert_int_equal(brings(3200, &first), 0);
}

static void it_ends_where_the_storage_does(void **state)
{
    unsigned first;

    (void)state;
    has(2048);
    storage.bytes -= 5 * PAGE_SIZE;
    assert_int_equal(brings(PAGES - 6, &first), 11);
    assert_int_equal(brings(PAGES - 5, &first), 0); /* none of its own */
    guest_bring_in_near(&storage, gpa(GUEST_HOLE_START));
    guest_bring_in_near(&storage, gpa(UINT64_MAX));
    assert_int_equal(storage.resident, 2048 + 11);
}

static void where_frames_are_few_or_the_limit_is_met_nothing_comes_early(void **state)
{
    unsigned first;

    (void)state;
    has(2048);
    storage.account.limit = storage.account.frames + 3; /* one is the table's */
    assert_int_equal(brings(3200, &first), 2);
    storage.account.limit = 0;
    uint64_t pages = frame_available() - frame_total() / 4 - 3;
    void *run = frame_alloc_run(&other, (unsigned)pages);
    assert_non_null(run);
    assert_int_equal(brings(3232, &first), 4); /* the last of them leaves less than a quarter */
    assert_int_equal(brings(3264, &first), 0);
    assert_int_equal(guest_bring_in(&storage, gpa(3264ull * PAGE_SIZE)), GUEST_OK);
    frame_free_run(&other, run, (unsigned)pages);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_more_it_has_the_more_comes_with_a_touch),
        TEST(what_is_there_stays_and_what_comes_is_zero),
        TEST(it_ends_where_the_storage_does),
        TEST(where_frames_are_few_or_the_limit_is_met_nothing_comes_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
