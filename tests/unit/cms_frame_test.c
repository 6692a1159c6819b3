/* Page frames, and how they and the heap share one range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"

enum { ARENA = 1 << 20, MOST = ARENA / FRAME_SIZE };

static _Alignas(FRAME_SIZE) uint8_t arena[ARENA];

static int set_up(void **state)
{
    (void)state;
    memset(arena, 0xa5, sizeof arena);
    cms_heap_start(arena, sizeof arena);
    return 0;
}

static size_t take_all(void *frames[MOST])
{
    size_t n = 0;
    while ((frames[n] = cms_frame_take()))
        memset(frames[n++], 0x11, FRAME_SIZE);
    return n;
}

static void frames_are_aligned_apart_and_within_the_range(void **state)
{
    void *frames[MOST];
    (void)state;
    size_t left = cms_frames_left(), n = take_all(frames);
    assert_in_range(left - n, 0, 1); /* the table */
    assert_int_equal(cms_frames_in_use(), n);
    assert_int_equal(cms_frames_left(), 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal((uintptr_t)frames[i] % FRAME_SIZE, 0);
        assert_in_range((uint8_t *)frames[i] - arena, 0, ARENA - FRAME_SIZE);
        *(size_t *)frames[i] = i;
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(*(size_t *)frames[i], i);
}

static void nothing_is_touched_before_the_first(void **state)
{
    (void)state;
    assert_true(cms_frames_left() > 0);
    cms_frames_free_commands();
    for (size_t i = 0; i < ARENA; i++)
        assert_int_equal(arena[i], 0xa5);
}

static void the_last_user_gives_it_back(void **state)
{
    (void)state;
    void *frame = cms_frame_take();
    size_t left = cms_frames_left();
    cms_frame_share(frame);
    assert_int_equal(cms_frame_users(frame), 2);
    cms_frame_give(frame);
    assert_int_equal(cms_frames_left(), left);
    cms_frame_give(frame);
    assert_int_equal(cms_frames_left(), left + 1);
    assert_int_equal(cms_frames_in_use(), 0);
    assert_ptr_equal(cms_frame_take(), frame);
}

static void with_all_frames_taken_the_heap_still_has_something(void **state)
{
    void *frames[MOST];
    (void)state;
    take_all(frames);
    assert_non_null(cms_heap_allocate(ARENA / 64));
}

static void the_heap_gets_back_frames_that_nobody_uses_and_no_other(void **state)
{
    void *frames[MOST];
    (void)state;
    size_t n = take_all(frames);
    assert_null(cms_heap_allocate(ARENA / 2));
    for (size_t i = n / 4; i < n; i++)
        cms_frame_give(frames[i]);
    uint8_t *block = cms_heap_allocate(ARENA / 2);
    assert_non_null(block);
    memset(block, 0, ARENA / 2);
    assert_null(cms_heap_allocate(ARENA / 2));
    for (size_t i = 0; i < n / 4; i++)
        assert_int_equal(*(uint8_t *)frames[i], 0x11);
    cms_heap_free(block);
    for (size_t i = n / 4; i < n; i++)
        assert_non_null(cms_frame_take());
    assert_null(cms_frame_take());
}

static void a_command_that_ends_leaves_only_what_is_kept(void **state)
{
    (void)state;
    void *kept = cms_frame_take(), *other = cms_frame_take(), *shared = cms_frame_take();
    memset(kept, 0x77, FRAME_SIZE);
    cms_frame_keep(kept);
    cms_frame_share(kept);
    cms_frame_share(shared);
    assert_int_equal(cms_frame_users(kept), 2);
    (void)other;
    cms_heap_free_commands();
    assert_int_equal(cms_frames_in_use(), 1);
    assert_int_equal(cms_frame_users(kept), 1);
    for (int i = 0; i < FRAME_SIZE; i++)
        assert_int_equal(((uint8_t *)kept)[i], 0x77);
    cms_heap_free_commands();
    assert_int_equal(cms_frames_in_use(), 1);
    cms_frame_give_kept(kept);
    assert_int_equal(cms_frames_in_use(), 0);
}

/* A cache of frames, which it keeps. */
static struct cache {
    struct frame_cache cache;
    void *frame[MOST];
    size_t count;
} cache;

static bool give_one_up(struct frame_cache *c)
{
    struct cache *own = (struct cache *)c;
    if (!own->count)
        return false;
    cms_frame_give_kept(own->frame[--own->count]);
    return true;
}

static void fill_cache(size_t count)
{
    cache = (struct cache){.cache = {.give_up = give_one_up}};
    cms_frame_cache_add(&cache.cache);
    while (cache.count < count) {
        cache.frame[cache.count] = cms_frame_take();
        cms_frame_keep(cache.frame[cache.count++]);
    }
}

static void caches_are_emptied_before_anybody_is_refused(void **state)
{
    void *frames[MOST];
    (void)state;
    size_t most = cms_frames_left() - 1;
    fill_cache(most / 2);
    assert_in_range(take_all(frames), most - 1, most + 1);
    assert_int_equal(cache.count, 0);
}

static void caches_are_emptied_for_the_heap(void **state)
{
    (void)state;
    fill_cache(cms_frames_left() / 2);
    assert_non_null(cms_heap_allocate(ARENA * 3 / 4));
}

/* Random: what is where is known by what it holds. */
static void heap_and_frames_never_meet(void **state)
{
    enum { BLOCKS = 64, FRAMES = 128, STEPS = 20000 };
    static uint8_t *block[BLOCKS];
    static size_t size[BLOCKS];
    static uint8_t *frame[FRAMES];
    (void)state;
    memset(block, 0, sizeof block);
    memset(frame, 0, sizeof frame);
    srand(7);
    for (int step = 0; step < STEPS; step++) {
        unsigned b = (unsigned)rand() % BLOCKS, f = (unsigned)rand() % FRAMES;
        if (block[b]) {
            for (size_t i = 0; i < size[b]; i += 97)
                assert_int_equal(block[b][i], b);
            cms_heap_free(block[b]);
            block[b] = NULL;
        } else if ((block[b] = cms_heap_allocate(size[b] = (size_t)rand() % 40000 + 1))) {
            memset(block[b], (int)b, size[b]);
        }
        if (frame[f]) {
            for (int i = 0; i < FRAME_SIZE; i += 97)
                assert_int_equal(frame[f][i], 200 - f % 100);
            cms_frame_give(frame[f]);
            frame[f] = NULL;
        } else if ((frame[f] = cms_frame_take())) {
            memset(frame[f], (int)(200 - f % 100), FRAME_SIZE);
        }
    }
    size_t held = 0;
    for (int f = 0; f < FRAMES; f++)
        held += frame[f] != NULL;
    assert_int_equal(cms_frames_in_use(), held);
    cms_heap_free_commands();
    assert_int_equal(cms_frames_in_use(), 0);
    assert_int_equal(cms_heap_in_use(), 0);
}

#define T(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(frames_are_aligned_apart_and_within_the_range), T(nothing_is_touched_before_the_first),
        T(the_last_user_gives_it_back), T(with_all_frames_taken_the_heap_still_has_something),
        T(the_heap_gets_back_frames_that_nobody_uses_and_no_other), T(a_command_that_ends_leaves_only_what_is_kept),
        T(caches_are_emptied_before_anybody_is_refused), T(caches_are_emptied_for_the_heap),
        T(heap_and_frames_never_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
