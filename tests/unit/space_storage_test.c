/* Address spaces when storage ends, and mremap. */
#include "tests/unit/space_scene.h"

static uint64_t fill(uint64_t at)
{
    while (put8(s, at, 1) == 0)
        at += P;
    return at;
}

static void a_program_that_takes_all_loses_itself_only(void **state)
{
    const uint64_t most = (cms_frames_total() - 16) * P;
    (void)state;
    assert_int_equal(map(AT, most, RW), AT);
    assert_int_equal(map(AT + GIB, most, RW), AT + GIB);
    assert_int_equal(fill(AT), AT + most);
    uint64_t end = fill(AT + GIB);
    assert_int_equal(space_fault(s, end, SPACE_WRITE), SPACE_NO_STORAGE);
    assert_int_equal(space_populate(s, AT + GIB, most), -ENOMEM);
    assert_null(space_make());
    assert_null(space_fork(s));
    assert_int_equal(get8(s, AT), 1); /* the fork that failed has left nothing behind */
    assert_int_equal(put8(s, AT, 2), 0);
    assert_non_null(cms_heap_allocate(1000)); /* commands go on */
    cms_heap_free_commands();
    space_forget_all();
    s = space_make();
    assert_non_null(s);
}

static void fork_that_fails_anywhere_leaves_the_parent_whole(void **state)
{
    void *rest[ARENA / P];
    (void)state;
    for (int i = 0; i < 40; i++)
        map(AT + (uint64_t)i * GIB, P, RW), put8(s, AT + (uint64_t)i * GIB, (uint8_t)i);
    size_t before = cms_frames_in_use(), n = 0;
    while ((rest[n] = cms_frame_take()))
        n++;
    for (size_t spare = 0; spare < 100 && spare < n; spare++) {
        struct space *child = space_fork(s);
        if (child)
            space_let_go(child);
        assert_int_equal(cms_frames_in_use(), before + n - spare);
        cms_frame_give(rest[n - 1 - spare]);
    }
    for (size_t i = 0; i + 100 < n; i++)
        cms_frame_give(rest[i]);
    for (int i = 0; i < 40; i++)
        assert_int_equal(get8(s, AT + (uint64_t)i * GIB), i);
}

static void mremap_that_finds_no_storage_changes_nothing(void **state)
{
    void *rest[ARENA / P];
    (void)state;
    map(AT, 4 * P, RW);
    put8(s, AT, 5);
    size_t n = 0;
    while ((rest[n] = cms_frame_take()))
        n++;
    assert_int_equal(remap(s, AT, 4 * P, 8 * P, true, true, AT + 300 * GIB), -ENOMEM);
    assert_int_equal(get8(s, AT), 5);
    while (n)
        cms_frame_give(rest[--n]);
    assert_int_equal(remap(s, AT, 4 * P, 8 * P, true, true, AT + 300 * GIB), AT + 300 * GIB);
    assert_int_equal(get8(s, AT + 300 * GIB), 5);
    assert_int_equal(get8(s, AT), -EFAULT);
}

static void what_mremap_refuses(void **state)
{
    (void)state;
    map(AT, 4 * P, RW);
    map(AT + 4 * P, P, SPACE_READ);
    assert_int_equal(remap(s, AT + 1, P, P, true, false, 0), -EINVAL);
    assert_int_equal(remap(s, AT, P, 0, true, false, 0), -EINVAL);
    assert_int_equal(remap(s, AT + 8 * P, P, P, true, false, 0), -EFAULT);
    assert_int_equal(remap(s, AT, 5 * P, 6 * P, true, false, 0), -EFAULT);
    assert_int_equal(remap(s, AT, 4 * P, 6 * P, false, false, 0), -ENOMEM);
    assert_int_equal(remap(s, AT, 0, P, true, false, 0), -EINVAL);
    assert_int_equal(remap(s, AT, P, P, true, true, AT + 5), -EINVAL);
    assert_int_equal(remap(s, AT, 2 * P, 2 * P, true, true, AT + P), -EINVAL);
    assert_int_equal(remap(s, AT, P, 1ull << 47, true, false, 0), -ENOMEM);
    assert_true(remap(s, AT, 4 * P, 6 * P, true, false, 0) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_program_that_takes_all_loses_itself_only), T(fork_that_fails_anywhere_leaves_the_parent_whole),
        T(mremap_that_finds_no_storage_changes_nothing), T(what_mremap_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
