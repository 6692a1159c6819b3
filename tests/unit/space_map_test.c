/* Address spaces: where mappings go, what is refused, the stack, the break, copies. */
#include "tests/unit/space_scene.h"
#include "tests/unit/fake/cms_space.h"

/* ---- mmap -------------------------------------------------------------------------------------------------------- */

static void what_mmap_refuses(void **state)
{
    static const struct {
        struct space_map map;
        int64_t answer;
    } rows[] = {
        {{.length = 0}, -EINVAL},
        {{.length = UINT64_MAX}, -ENOMEM},
        {{.length = 1ull << 47}, -ENOMEM},
        {{.length = P, .offset = 1}, -EINVAL},
        {{.address = 0x400001, .length = P, .fixed = true}, -EINVAL},
        {{.address = 0, .length = P, .fixed = true}, -EPERM},
        {{.address = 0xf000, .length = P, .fixed = true}, -EPERM},
        {{.address = (1ull << 47) - P, .length = P, .fixed = true}, -ENOMEM},
        {{.address = 1ull << 63, .length = P, .fixed = true}, -ENOMEM},
        {{.length = 8ull << 30, .access = RW}, -ENOMEM},
        {{.length = ARENA, .access = RW}, -ENOMEM},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(space_map(s, &rows[i].map), rows[i].answer);
}

static void a_reservation_costs_nothing(void **state)
{
    (void)state;
    size_t frames = cms_frames_in_use();
    int64_t at = space_map(s, &(struct space_map){.length = 4 * GIB});
    assert_true(at > 0);
    assert_int_equal(cms_frames_in_use(), frames);
    int64_t huge = space_map(s, &(struct space_map){.length = 64 * 1024 * GIB, .access = RW, .no_reserve = true});
    assert_true(huge > 0);
    assert_int_equal(cms_frames_in_use(), frames);
    assert_int_equal(space_fault(s, (uint64_t)at, SPACE_READ), SPACE_FORBIDDEN);
    assert_int_equal(space_protect(s, (uint64_t)at + GIB, 3 * P, RW), 0);
    assert_int_equal(put8(s, (uint64_t)at + GIB + P, 7), 0);
    assert_int_equal(space_protect(s, (uint64_t)at, 4 * GIB, RW), -ENOMEM);
    assert_int_equal(space_unmap(s, (uint64_t)at, 4 * GIB), 0);
    assert_int_equal(space_unmap(s, (uint64_t)huge, 64 * 1024 * GIB), 0);
    assert_int_equal(cms_frames_in_use(), frames);
}

static void mappings_do_not_overlap_and_holes_are_used(void **state)
{
    (void)state;
    int64_t a = anywhere(3 * P), b = anywhere(P), c = anywhere(2 * P);
    assert_true(a > 0 && b == a - P && c == b - 2 * P);
    assert_int_equal(space_unmap(s, (uint64_t)b, P), 0);
    assert_int_equal(anywhere(P), b);
    assert_int_equal(space_unmap(s, (uint64_t)a, 3 * P), 0);
    assert_int_equal(anywhere(4 * P), c - 4 * P);
}

static void a_wish_is_granted_where_it_is_free(void **state)
{
    struct space_map m = {.address = AT + 5, .length = P, .access = RW};
    (void)state;
    assert_int_equal(space_map(s, &m), AT);
    assert_true(space_map(s, &m) > (int64_t)AT + P);
    m.fixed_new = true;
    m.address = AT;
    assert_int_equal(space_map(s, &m), -EEXIST);
}

static void neighbours_alike_are_one_region(void **state)
{
    struct space_region_facts f;
    (void)state;
    map(AT, P, RW);
    map(AT + 2 * P, P, RW);
    map(AT + P, P, RW);
    assert_true(space_region_at(s, 0, &f));
    assert_int_equal(f.start, AT);
    assert_int_equal(f.end, AT + 3 * P);
    assert_int_equal(space_facts(s).mapped, 3 * P);
}

static void there_are_no_more_regions_than_linux_has(void **state)
{
    (void)state;
    uint64_t at = AT;
    size_t n = 0;
    while (map(at, P, n % 2 ? RW : SPACE_READ) > 0)
        at += P, n++;
    assert_in_range(n, 1000, SPACE_REGIONS_MAX); /* or what the heap holds */
    assert_int_equal(space_unmap(s, AT, at - AT), 0);
    assert_int_equal(space_facts(s).mapped, 0);
}

/* ---- access ------------------------------------------------------------------------------------------------------ */

static void touches_meet_what_the_region_says(void **state)
{
    (void)state;
    map(AT, P, SPACE_READ);
    map(AT + P, P, SPACE_EXECUTE);
    map(AT + 2 * P, P, SPACE_WRITE);
    assert_true(touch(AT, SPACE_READ));
    assert_int_equal(space_fault(s, AT, SPACE_WRITE), SPACE_FORBIDDEN);
    assert_int_equal(space_fault(s, AT, SPACE_EXECUTE), SPACE_FORBIDDEN);
    assert_true(touch(AT + P, SPACE_READ) && touch(AT + P, SPACE_EXECUTE));
    assert_int_equal(space_fault(s, AT + P, SPACE_WRITE), SPACE_FORBIDDEN);
    assert_true(touch(AT + 2 * P, SPACE_READ) && touch(AT + 2 * P, SPACE_WRITE));
    assert_int_equal(space_fault(s, AT + 3 * P, SPACE_READ), SPACE_NOT_MAPPED);
    assert_int_equal(space_fault(s, 0, SPACE_READ), SPACE_NOT_MAPPED);
    assert_int_equal(space_fault(s, SPACE_TOP, SPACE_READ), SPACE_NOT_MAPPED);
    assert_int_equal(space_fault(s, 0xffffffff80100000, SPACE_READ), SPACE_NOT_MAPPED);
}

static void what_a_file_denies_mprotect_does_not_give(void **state)
{
    (void)state;
    space_map(s, &(struct space_map){.address = AT, .length = P, .access = SPACE_READ, .denied = SPACE_WRITE,
                                     .fixed = true, .shared = true});
    assert_int_equal(space_protect(s, AT, P, RW), -EACCES);
    assert_int_equal(space_protect(s, AT, P, SPACE_READ | SPACE_EXECUTE), 0);
}

static void the_processor_forgets_what_changes(void **state)
{
    (void)state;
    map(AT, P, RW);
    put8(s, AT, 1);
    unsigned forgotten = fake_space_forgotten;
    space_protect(s, AT, P, SPACE_READ);
    assert_true(fake_space_forgotten > forgotten);
    forgotten = fake_space_forgotten;
    space_unmap(s, AT, P);
    assert_true(fake_space_forgotten > forgotten);
    map(AT, P, RW);
    put8(s, AT, 1);
    forgotten = fake_space_forgotten;
    struct space *child = space_fork(s);
    assert_true(fake_space_forgotten > forgotten);
    forgotten = fake_space_forgotten;
    put8(s, AT, 2);
    assert_true(fake_space_forgotten > forgotten);
    space_let_go(child);
}

/* ---- stack and break --------------------------------------------------------------------------------------------- */

static void a_stack_grows_to_its_limit_and_not_into_others(void **state)
{
    const uint64_t top = SPACE_TOP - 16 * P, low = top - P;
    (void)state;
    space_map(s, &(struct space_map){.address = low, .length = P, .access = RW, .fixed = true, .grows_down = true});
    assert_true(touch(low - P, SPACE_WRITE));
    assert_true(touch(top - SPACE_STACK, SPACE_WRITE));
    assert_int_equal(space_fault(s, top - SPACE_STACK - 1, SPACE_WRITE), SPACE_NOT_MAPPED);
    space_set_stack_limit(s, 3 * SPACE_STACK);
    map(top - 2 * SPACE_STACK, P, RW);
    assert_true(touch(top - 2 * SPACE_STACK + P + (1 << 20), SPACE_WRITE));
    assert_int_equal(space_fault(s, top - 2 * SPACE_STACK + P, SPACE_WRITE), SPACE_NOT_MAPPED);
}

static void the_break_moves(void **state)
{
    (void)state;
    space_set_break(s, AT + 100);
    assert_int_equal(space_break(s, 0), AT + 100);
    assert_int_equal(space_break(s, AT + 200), AT + 200);
    assert_int_equal(put8(s, AT + P, 1), -EFAULT);
    assert_int_equal(space_break(s, AT + 5 * P), AT + 5 * P);
    assert_int_equal(put8(s, AT + P, 1), 0);
    assert_int_equal(put8(s, AT + 5 * P - 1, 1), 0);
    assert_int_equal(space_break(s, AT + 50), AT + 5 * P);
    assert_int_equal(space_break(s, AT + 100), AT + 100);
    assert_int_equal(put8(s, AT + P, 1), -EFAULT);
    assert_int_equal(space_break(s, AT + 2 * P), AT + 2 * P);
    assert_int_equal(get8(s, AT + P), 0);
    map(AT + 8 * P, P, RW);
    assert_int_equal(space_break(s, AT + 9 * P), AT + 2 * P);
    assert_int_equal(space_break(s, AT + 8 * GIB), AT + 2 * P);
    assert_int_equal(space_break(s, UINT64_MAX), AT + 2 * P);
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static void copies_cross_pages_and_stop_at_holes(void **state)
{
    static uint8_t out[3 * P], in[3 * P];
    (void)state;
    map(AT, 3 * P, RW);
    for (int i = 0; i < 3 * P; i++)
        out[i] = (uint8_t)(i * 7);
    assert_int_equal(space_copy_out(s, AT + 5, out, 2 * P + 100), 0);
    assert_int_equal(space_copy_in(s, in, AT + 5, 2 * P + 100), 0);
    assert_memory_equal(in, out, 2 * P + 100);
    assert_int_equal(space_clear(s, AT + 10, P), 0);
    assert_int_equal(get8(s, AT + 9), out[4]);
    assert_int_equal(get8(s, AT + 10), 0);
    assert_int_equal(get8(s, AT + 10 + P), out[P + 5]);
    assert_int_equal(space_copy_out(s, AT + 2 * P, out, P + 1), -EFAULT);
    assert_int_equal(space_copy_in(s, in, AT - 1, 2), -EFAULT);
    assert_int_equal(space_copy_in(s, in, UINT64_MAX - 3, 8), -EFAULT);
    assert_int_equal(space_copy_in(s, in, 0, 0), 0);
}

static void strings_end_at_nul_at_a_hole_or_too_late(void **state)
{
    char text[16];
    (void)state;
    map(AT, 2 * P, RW);
    space_copy_out(s, AT + P - 3, "abcdef", 7);
    assert_int_equal(space_copy_string(s, text, AT + P - 3, sizeof text), 6);
    assert_string_equal(text, "abcdef");
    assert_int_equal(space_copy_string(s, text, AT + P - 3, 7), 6);
    assert_int_equal(space_copy_string(s, text, AT + P - 3, 6), -ENAMETOOLONG);
    space_copy_out(s, AT + 2 * P - 3, "xyz", 3);
    assert_int_equal(space_copy_string(s, text, AT + 2 * P - 3, sizeof text), -EFAULT);
    assert_int_equal(space_copy_string(s, text, AT + 2 * P - 3, 3), -ENAMETOOLONG);
    assert_int_equal(space_copy_string(s, text, AT + 2 * P, sizeof text), -EFAULT);
}

static void words_have_one_key_for_all_who_share_them(void **state)
{
    uint64_t a, b, c, d;
    (void)state;
    map(AT, P, RW);
    space_map(s, &(struct space_map){.address = AT + P, .length = P, .access = RW, .fixed = true, .shared = true});
    assert_null(space_word(s, AT + 2, false, &a));
    assert_null(space_word(s, AT + 2 * P, false, &a));
    *space_word(s, AT + 4, true, &a) = 5;
    *space_word(s, AT + P + 4, true, &b) = 6;
    struct space *child = space_fork(s);
    assert_int_equal(*space_word(child, AT + 4, true, &c), 5);
    assert_int_equal(*space_word(child, AT + P + 4, true, &d), 6);
    assert_true(a != b && a != c && b == d);
    *space_word(child, AT + P + 4, true, &d) = 7;
    *space_word(child, AT + 4, true, &d) = 8;
    assert_int_equal(*space_word(s, AT + P + 4, false, &d), 7);
    assert_int_equal(*space_word(s, AT + 4, false, &c), 5);
    assert_true(c == a);
    space_let_go(child);
}

/* ---- advice ------------------------------------------------------------------------------------------------------ */

static void advice_is_taken_or_refused(void **state)
{
    (void)state;
    map(AT, 4 * P, RW);
    put8(s, AT, 1);
    put8(s, AT + P, 2);
    assert_int_equal(space_is_resident(s, AT), 1);
    assert_int_equal(space_is_resident(s, AT + 2 * P), 0);
    assert_int_equal(space_is_resident(s, AT + 4 * P), -ENOMEM);
    for (int advice = -2; advice < 200; advice++) {
        bool known = (advice >= 0 && advice <= 4) || advice == 8 || advice == 10 || advice == 11 ||
                     (advice >= 14 && advice <= 23);
        assert_int_equal(space_advise(s, AT, P, advice), known ? 0 : -EINVAL);
    }
    space_advise(s, AT, P, 19);
    space_advise(s, AT, P, 11);
    space_advise(s, AT + P, P, 18); /* MADV_WIPEONFORK */
    space_advise(s, AT + 2 * P, P, 10); /* MADV_DONTFORK */
    put8(s, AT, 3);
    put8(s, AT + P, 4);
    struct space *child = space_fork(s);
    assert_int_equal(get8(child, AT), 3);
    assert_int_equal(get8(child, AT + P), 0);
    assert_int_equal(get8(child, AT + 2 * P), -EFAULT);
    assert_int_equal(get8(s, AT + P), 4);
    space_let_go(child);
    assert_int_equal(space_advise(s, AT + 1, P, 0), -EINVAL);
    assert_int_equal(space_advise(s, AT + 3 * P, 2 * P, 4), -ENOMEM);
    assert_int_equal(space_advise(s, 0, UINT64_MAX, 4), -EINVAL);
}

/* ---- objects that sleep ------------------------------------------------------------------------------------------ */

static struct sleeper {
    struct space_object object;
    int users, error;
    void (*meanwhile)(void);
} sleeper;

static int sleeper_page(struct space_object *o, uint64_t offset, bool write, void **frame)
{
    (void)o, (void)offset, (void)write;
    if (sleeper.error)
        return sleeper.error;
    *frame = cms_frame_take();
    memset(*frame, 0x55, P);
    void (*meanwhile)(void) = sleeper.meanwhile;
    sleeper.meanwhile = NULL;
    if (meanwhile)
        meanwhile();
    return 0;
}

static void sleeper_hold(struct space_object *o) { (void)o, sleeper.users++; }
static void sleeper_let_go(struct space_object *o) { (void)o, sleeper.users--; }

static const struct space_object_operations sleeper_operations = {sleeper_page, NULL, sleeper_hold, sleeper_let_go};

static void map_sleeper(bool shared)
{
    sleeper = (struct sleeper){.object = {&sleeper_operations}};
    space_map(s, &(struct space_map){.address = AT, .length = P, .access = RW, .fixed = true, .shared = shared,
                                     .object = &sleeper.object});
}

static void unmap_it(void) { space_unmap(s, AT, P); }
static void touch_it(void) { assert_int_equal(get8(s, AT), 0x55); }
static void write_it(void) { assert_int_equal(put8(s, AT, 9), 0); }

static void what_changes_while_a_page_comes_counts(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        map_sleeper(shared);
        sleeper.meanwhile = unmap_it;
        assert_int_equal(get8(s, AT), -EFAULT);
        assert_int_equal(sleeper.users, 0);
        map_sleeper(shared);
        sleeper.meanwhile = touch_it;
        assert_int_equal(put8(s, AT, 3), 0);
        assert_int_equal(get8(s, AT), 3);
        space_unmap(s, AT, P);
    }
    map_sleeper(false);
    sleeper.meanwhile = write_it;
    assert_int_equal(get8(s, AT), 9);
    assert_int_equal(sleeper.users, 1);
}

static void objects_fail_by_name(void **state)
{
    (void)state;
    map_sleeper(false);
    sleeper.error = -ENXIO;
    assert_int_equal(space_fault(s, AT, SPACE_READ), SPACE_BEYOND_OBJECT);
    sleeper.error = -EIO;
    assert_int_equal(space_fault(s, AT, SPACE_READ), SPACE_OBJECT_FAILED);
    sleeper.error = -ENOMEM;
    assert_int_equal(space_fault(s, AT, SPACE_WRITE), SPACE_NO_STORAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_mmap_refuses), T(a_reservation_costs_nothing), T(mappings_do_not_overlap_and_holes_are_used),
        T(a_wish_is_granted_where_it_is_free), T(neighbours_alike_are_one_region),
        T(there_are_no_more_regions_than_linux_has), T(touches_meet_what_the_region_says),
        T(what_a_file_denies_mprotect_does_not_give), T(the_processor_forgets_what_changes),
        T(a_stack_grows_to_its_limit_and_not_into_others), T(the_break_moves),
        T(copies_cross_pages_and_stop_at_holes), T(strings_end_at_nul_at_a_hole_or_too_late),
        T(words_have_one_key_for_all_who_share_them), T(advice_is_taken_or_refused),
        T(what_changes_while_a_page_comes_counts), T(objects_fail_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
