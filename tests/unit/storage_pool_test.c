/* The free frames: every one once, none twice, and long runs again whatever they were used for meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/storage/address.h"
#include "cp/storage/pool.h"

enum { FRAMES = 4096, HELD = 600, STEPS = 200000 };

static char *arena;
static uint64_t frames; /* of the arena, less those the pool keeps book in */

static int start(void **state)
{
    (void)state;
    arena = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
    frames = pool_add((uint64_t)(uintptr_t)arena, (uint64_t)(uintptr_t)arena + FRAMES * PAGE_SIZE);
    return frames < FRAMES - 1 || frames > FRAMES;
}

static void what_was_taken_singly_is_had_again_in_one_run(void **state)
{
    static char *frame[FRAMES];
    (void)state;
    for (unsigned i = 0; i < frames; i++)
        assert_non_null(frame[i] = pool_take(1));
    assert_null(pool_take(1));
    for (unsigned i = 0; i < frames; i += 2) /* no two neighbours */
        pool_give(frame[i], 1);
    assert_null(pool_take(2));
    for (unsigned i = 1; i < frames; i += 2)
        pool_give(frame[i], 1);
    char *run = pool_take((unsigned)frames);
    assert_non_null(run);
    assert_null(pool_take(1));
    pool_give(run, (unsigned)frames);
}

static void a_run_may_be_given_back_in_pieces(void **state)
{
    char *run = pool_take(9);
    (void)state;
    pool_give(run + 3 * PAGE_SIZE, 3);
    pool_give(run + 6 * PAGE_SIZE, 3);
    pool_give(run, 3);
    char *all = pool_take((unsigned)frames);
    assert_non_null(all);
    pool_give(all, (unsigned)frames);
}

/* Long runs are for those who need them. */
static void single_frames_come_from_the_shortest_runs(void **state)
{
    char *first = pool_take(1), *between = pool_take(1), *run = pool_take(100), *end = pool_take(1);
    (void)state;
    pool_give(first, 1);
    pool_give(run, 100);
    char *again = pool_take(1);
    assert_ptr_equal(again, first);
    assert_non_null(run = pool_take(100));
    pool_give(again, 1);
    pool_give(between, 1);
    pool_give(run, 100);
    pool_give(end, 1);
}

static struct {
    char *first;
    unsigned pages;
} held[HELD];

static bool intact(unsigned i)
{
    for (unsigned p = 0; p < held[i].pages; p++)
        if (*(uint32_t *)(held[i].first + p * PAGE_SIZE) != i ||
            *(uint32_t *)(held[i].first + p * PAGE_SIZE + 4092) != i)
            return false;
    return true;
}

static void hold(unsigned i, unsigned pages)
{
    held[i].first = pool_take(pages);
    held[i].pages = held[i].first ? pages : 0;
    for (unsigned p = 0; p < held[i].pages; p++) {
        memset(held[i].first + p * PAGE_SIZE, 0xFF, PAGE_SIZE); /* and nothing in it is the pool's any more */
        *(uint32_t *)(held[i].first + p * PAGE_SIZE) = *(uint32_t *)(held[i].first + p * PAGE_SIZE + 4092) = i;
    }
}

static void no_frame_has_two_holders_in_any_order(void **state)
{
    uint64_t taken = 0;
    unsigned refused = 0;
    (void)state;
    srand(8);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)rand() % HELD;
        assert_true(intact(i));
        if (held[i].pages) {
            taken -= held[i].pages;
            pool_give(held[i].first, held[i].pages);
            held[i].pages = 0;
        } else {
            unsigned pages = rand() % 8 ? 1 + (unsigned)rand() % 9 : 1 + (unsigned)rand() % 64;
            hold(i, pages);
            taken += held[i].pages;
            refused += !held[i].pages;
            assert_true(held[i].pages || pages > 1 || taken == frames);
        }
    }
    assert_in_range(refused, 1, STEPS / 4);
    for (unsigned i = 0; i < HELD; i++)
        if (held[i].pages)
            pool_give(held[i].first, held[i].pages);
    char *all = pool_take((unsigned)frames);
    assert_non_null(all);
    pool_give(all, (unsigned)frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_singly_is_had_again_in_one_run),
        cmocka_unit_test(a_run_may_be_given_back_in_pieces),
        cmocka_unit_test(single_frames_come_from_the_shortest_runs),
        cmocka_unit_test(no_frame_has_two_holders_in_any_order),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
