/* Page frames: handed out, counted, given back, and runs that last for any number of logons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/storage/frame.h"

enum { FRAMES = 64, RUN = 7 };

static struct frame_account account;
static void *pool;

static int start(void **state)
{
    (void)state;
    if (!pool) {
        pool = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_add(frame_address(pool), FRAMES * PAGE_SIZE);
    }
    account = (struct frame_account){0};
    assert_int_equal(frame_available(), FRAMES); /* the test before gave all back */
    return 0;
}

static bool zeroed(const char *bytes, unsigned pages)
{
    return !bytes[0] && !memcmp(bytes, bytes + 1, (size_t)pages * PAGE_SIZE - 1);
}

static void runs_come_back_as_runs(void **state)
{
    (void)state;
    for (unsigned logon = 0; logon < 10000; logon++) {
        char *machine = frame_alloc_run(&account, RUN), *context = frame_alloc_run(&account, 2);
        assert_non_null(machine);
        assert_non_null(context);
        assert_true(zeroed(machine, RUN) && zeroed(context, 2));
        memset(machine, 0xFF, RUN * PAGE_SIZE);
        memset(context, 0xFF, 2 * PAGE_SIZE);
        frame_free_run(&account, logon & 1 ? machine : context, logon & 1 ? RUN : 2);
        frame_free_run(&account, logon & 1 ? context : machine, logon & 1 ? 2 : RUN);
    }
    assert_int_equal(account.frames, 0);
}

static void frames_are_zeroed_and_inside(void **state)
{
    (void)state;
    char *first = frame_alloc(&account);
    assert_true(zeroed(first, 1));
    assert_true(first >= (char *)pool && first < (char *)pool + FRAMES * PAGE_SIZE);
    assert_int_equal(frame_address(first).a & PAGE_MASK, 0);
    memset(first, 0xFF, PAGE_SIZE);
    frame_free(&account, first);
    first = frame_alloc(&account);
    assert_true(zeroed(first, 1));
    frame_free(&account, first);
}

/* Every frame once, no frame twice, whatever was a run before. */
static void all_frames_can_be_had_one_by_one(void **state)
{
    void *frame[FRAMES];
    (void)state;
    void *run = frame_alloc_run(&account, 20);
    frame_free_run(&account, run, 20);
    for (unsigned i = 0; i < FRAMES; i++) {
        assert_non_null(frame[i] = frame_alloc(&account));
        memset(frame[i], (int)i, PAGE_SIZE);
    }
    assert_null(frame_alloc(&account));
    assert_null(frame_alloc_run(&account, 1));
    assert_int_equal(frame_available(), 0);
    assert_int_equal(account.frames, FRAMES);
    for (unsigned i = 0; i < FRAMES; i++) {
        assert_int_equal(*(uint8_t *)frame[i], i);
        frame_free(&account, frame[i]);
    }
    assert_int_equal(account.frames, 0);
}

static void accounts_have_limits(void **state)
{
    (void)state;
    account.limit = 3;
    void *run = frame_alloc_run(&account, 2);
    assert_null(frame_alloc_run(&account, 2));
    void *frame = frame_alloc(&account);
    assert_null(frame_alloc(&account));
    assert_int_equal(frame_available(), FRAMES - 3);
    frame_free(&account, frame);
    frame_free_run(&account, run, 2);
    frame_free(&account, NULL);
    frame_free_run(&account, NULL, 2);
    assert_int_equal(account.frames, 0);
}

static void accounts_beside_each_other_have_what_one_has(void **state)
{
    struct frame_account upper, other;
    void *mine[4];
    (void)state;
    assert_true(frame_account_open(&account, 4, FRAME_USER));
    assert_true(frame_account_open(&other, 0, FRAME_USER));
    uint64_t share = frame_share();
    frame_account_open_beside(&upper, &account);
    assert_int_equal(frame_share(), share);
    for (unsigned i = 0; i < 4; i++)
        assert_non_null(mine[i] = frame_alloc(i & 1 ? &upper : &account));
    assert_null(frame_alloc(&upper)); /* the limit is one */
    assert_int_equal(frame_account_living(&upper), 4);
    assert_int_equal(frame_account_living(&account), 2);
    frame_free(&account, mine[0]);
    assert_non_null(mine[0] = frame_alloc(&upper));
    frame_free(&upper, mine[0]);
    frame_free(&upper, mine[1]), frame_free(&account, mine[2]), frame_free(&upper, mine[3]);
    frame_account_close(&upper);
    assert_int_equal(frame_share(), share);
    frame_account_close(&account);
    frame_account_close(&other);
}

static void partial_pages_are_left_out(void **state)
{
    uint64_t before = frame_total();
    (void)state;
    frame_add(hpa(0x1000001), PAGE_SIZE); /* no whole page in it */
    frame_add(hpa(0x1000000), 0);
    assert_int_equal(frame_total(), before);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(runs_come_back_as_runs), /* first: it wants frames never handed out */
        TEST(frames_are_zeroed_and_inside),
        TEST(accounts_have_limits),
        TEST(accounts_beside_each_other_have_what_one_has),
        TEST(partial_pages_are_left_out),
        TEST(all_frames_can_be_had_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
