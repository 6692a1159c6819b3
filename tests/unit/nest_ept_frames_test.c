/* EPT02 when page frames run out: what it holds is dropped and made again, as long as L2 gets on. */
#include "tests/unit/nest_ept_scene.h"

static void a_shortage_of_frames_shrinks_ept02_and_goes_on(void **state)
{
    uint64_t hpa;
    (void)state;
    entry_put(PML4, PDPT | RWX);
    for (unsigned i = 0; i < 512; i++)
        entry_put(PDPT + i * 8, PD | RWX); /* every GiB is the same one */
    for (unsigned i = 0; i < 512; i++)
        entry_put(PD + i * 8, PT | RWX);
    for (unsigned i = 0; i < 512; i++)
        entry_put(PT + i * 8, i << 12 | RWX | WRITE_BACK);
    launch(PML4 | 3 << 3 | 6);
    m.frames_limit = m.frames_held + NEST_SHRINK_LEAST + 8;
    for (uint64_t gib = 0; gib < 200; gib++) {
        assert_int_equal(touch(gib << 30 | 0x7000, EPT_READ, &hpa), NEST_RESUME);
        assert_int_equal(hpa, 0x100007000);
    }
    m.frames_limit = FAKE_FRAMES;
}

/* Made and dropped for ever would be what L2 needs for one instruction. */
static void a_shortage_too_great_for_l2_to_get_on_is_told(void **state)
{
    uint64_t hpa;
    (void)state;
    entry_put(PML4, PDPT | RWX);
    for (unsigned i = 0; i < 512; i++)
        entry_put(PDPT + i * 8, PD | RWX);
    entry_put(PD, PT | RWX);
    entry_put(PT + 7 * 8, 7 << 12 | RWX | WRITE_BACK);
    launch(PML4 | 3 << 3 | 6);
    m.frames_limit = m.frames_held + 8;
    unsigned filled = 0;
    while (touch((uint64_t)filled << 30 | 0x7000, EPT_READ, &hpa) == NEST_RESUME)
        assert_in_range(++filled, 1, 8);
    assert_int_equal(touch((uint64_t)filled << 30 | 0x7000, EPT_READ, &hpa), NEST_NO_FRAMES);
    m.frames_limit = FAKE_FRAMES;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_shortage_of_frames_shrinks_ept02_and_goes_on),
        TEST(a_shortage_too_great_for_l2_to_get_on_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
