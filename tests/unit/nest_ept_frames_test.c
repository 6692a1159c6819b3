/* The frames of EPT02: when they run out, what it holds is dropped and made again, as long as L2 gets on; a
 * tree too large to be freed at once is given to the host; what another one takes the place of is given
 * back, after hardware forgot it. */
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

/* ---- trees that are freed when there is time ------------------------------------------------ */

static uint64_t frames_given;
static unsigned trees_given;

static void free_tree(uint64_t *table, unsigned level)
{
    for (unsigned i = 0; level > 1 && i < 512; i++)
        if (table[i] && !(table[i] & EPT_LARGE))
            free_tree((uint64_t *)(uintptr_t)(table[i] & EPT_TABLE_MASK), level - 1);
    m.host.frame_free(&m, table);
}

static void tables_free(void *context, void *books, uint64_t *root, uint64_t frames)
{
    unsigned before = m.frames_held;
    (void)context;
    trees_given++;
    frames_given = frames;
    free_tree(root, 4);
    m.host.frame_free(&m, books);
    assert_int_equal(before - m.frames_held, frames);
}

/* Every GiB of L2 is the same page of 2 MiB: each takes one table of EPT02, and the first one more. */
static void map_gibs(void)
{
    entry_put(PML4, PDPT | RWX);
    for (unsigned i = 0; i < 512; i++)
        entry_put(PDPT + i * 8, PD | RWX);
    entry_put(PD, 0x200000 | EPT_LARGE | RWX | WRITE_BACK);
    m.host_page_bytes = LARGE_BYTES;
    m.host.tables_free = tables_free;
    trees_given = 0;
}

static void touch_gibs(unsigned count)
{
    uint64_t hpa;
    for (uint64_t gib = 0; gib < count; gib++) {
        assert_int_equal(touch(gib << 30 | 0x7000, EPT_READ, &hpa), NEST_RESUME);
        assert_int_equal(hpa, 0x100207000);
    }
}

static void a_large_tree_goes_to_the_host_whole_and_l2_gets_another(void **state)
{
    (void)state;
    map_gibs();
    launch(PML4 | 3 << 3 | 6);
    for (unsigned gibs = 6; gibs < 10; gibs++) {
        unsigned before = trees_given;
        touch_gibs(gibs);
        assert_int_equal(m.nest.current->ept->tables, gibs + 1);
        nest_ept_flush_all(&m.nest);
        assert_int_equal(trees_given - before, gibs + 1 > 8);
        if (gibs + 1 > 8)
            assert_int_equal(frames_given, gibs + 3); /* the root, and a frame for the host's books */
        assert_true(fake_vmx_load(&m));
    }
    touch_gibs(20);
    m.host.tables_free = NULL; /* whoever cannot take one has it freed at once */
    unsigned held = m.frames_held;
    nest_ept_flush_all(&m.nest);
    assert_int_equal(held - m.frames_held, 21);
    assert_int_equal(m.nest.current->ept->tables, 0);
    touch_gibs(3);
}

static void everybody_who_used_a_tree_that_is_gone_gets_another(void **state)
{
    const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};
    const uint64_t regions[] = {FAKE_VMCS, FAKE_VMCS_B};
    (void)state;
    map_gibs();
    launch(PML4 | 3 << 3 | 6);
    touch_gibs(12);
    assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
    fake_vmx_make_vmcs(&m, FAKE_VMCS_B);
    fake_vmx_write(&m, VMCS_EPT_POINTER, PML4 | 3 << 3 | 6);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
    touch_gibs(12);
    assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
    for (unsigned i = 0; i < 6; i++) {
        fake_vmx_pointer(&m, EXIT_VMPTRLD, regions[i % 2]);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_int_equal(m.loaded->held.ept_pointer & EPT_TABLE_MASK, (uint64_t)(uintptr_t)m.nest.current->ept->root);
        touch_gibs(12);
        if (i % 3 == 0)
            nest_ept_flush_all(&m.nest);
        if (i % 3 == 0)
            assert_true(fake_vmx_load(&m));
        assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
    }
}

static void a_shortage_drops_a_large_tree_and_l2_goes_on_in_another(void **state)
{
    (void)state;
    map_gibs();
    launch(PML4 | 3 << 3 | 6);
    m.frames_limit = m.frames_held + NEST_SHRINK_LEAST + 8;
    touch_gibs(200);
    assert_true(trees_given >= 4);
    m.frames_limit = FAKE_FRAMES;
}

static void bitmaps_whose_frames_cost_a_tree_leave_l2_another(void **state)
{
    const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};
    (void)state;
    map_gibs();
    launch(PML4 | 3 << 3 | 6);
    touch_gibs(NEST_SHRINK_LEAST);
    assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, fake_vmx_read(&m, VMCS_PROCESSOR_CONTROLS) | CPU_MSR_BITMAPS);
    fake_vmx_write(&m, VMCS_MSR_BITMAP, 0x10000);
    m.frames_limit = m.frames_held;
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
    assert_int_equal(trees_given, 1);
    assert_true(fake_vmx_load(&m));
    assert_int_equal(m.loaded->held.ept_pointer & EPT_TABLE_MASK, (uint64_t)(uintptr_t)m.nest.current->ept->root);
    touch_gibs(3);
    m.frames_limit = FAKE_FRAMES;
}

static void so_few_tables_are_not_worth_dropping(void **state)
{
    (void)state;
    map_gibs();
    launch(PML4 | 3 << 3 | 6);
    touch_gibs(NEST_SHRINK_LEAST - 2);
    assert_false(nest_shrink(&m.nest)); /* one less */
    assert_int_equal(m.nest.current->ept->tables, NEST_SHRINK_LEAST - 1);
    touch_gibs(NEST_SHRINK_LEAST - 1);
    void *frame = nest_frame(&m.nest); /* and not while there are frames */
    assert_non_null(frame);
    m.host.frame_free(&m, frame);
    assert_int_equal(trees_given, 0);
    m.frames_limit = m.frames_held;
    frame = nest_frame(&m.nest);
    assert_non_null(frame);
    m.host.frame_free(&m, frame);
    assert_int_equal(trees_given, 1);
    assert_false(nest_shrink(&m.nest));
    m.frames_limit = FAKE_FRAMES;
}

/* ---- pages that become large, and small --------------------------------------------------------- */

static void a_page_that_becomes_large_gives_its_table_back(void **state)
{
    uint64_t hpa;
    (void)state;
    map_gibs();
    entry_put(PD, PT | RWX);
    entry_put(PT + 5 * 8, 0x205000 | RWX | WRITE_BACK);
    launch(PML4 | 3 << 3 | 6);
    assert_int_equal(touch(0x5000, EPT_READ, &hpa), NEST_RESUME);
    unsigned held = m.frames_held, flushes = m.flushes_ept;
    assert_int_equal(m.nest.current->ept->tables, 3);
    entry_put(PD, 0x200000 | EPT_LARGE | RWX | WRITE_BACK); /* L1 need not flush: it only allows more */
    assert_int_equal(touch(0x6000, EPT_READ, &hpa), NEST_RESUME);
    assert_int_equal(hpa, 0x100206000);
    assert_int_equal(m.frames_held, held - 1);
    assert_int_equal(m.nest.current->ept->tables, 2);
    assert_true(m.flushes_ept > flushes);
}

static void a_large_page_that_is_taken_apart_is_forgotten_first(void **state)
{
    uint64_t hpa;
    (void)state;
    map_gibs();
    entry_put(PD, 0x200000 | EPT_LARGE | EPT_READ | WRITE_BACK);
    launch(PML4 | 3 << 3 | 6);
    assert_int_equal(touch(0x5000, EPT_READ, &hpa), NEST_RESUME);
    unsigned held = m.frames_held, flushes = m.flushes_ept;
    entry_put(PD, PT | RWX);
    entry_put(PT + 5 * 8, 0x205000 | RWX | WRITE_BACK);
    assert_int_equal(touch(0x5000, EPT_WRITE, &hpa), NEST_RESUME);
    assert_int_equal(m.frames_held, held + 1);
    assert_int_equal(m.nest.current->ept->tables, 3);
    assert_int_equal(m.flushes_ept, flushes + 1);
    entry_put(PT + 6 * 8, 0x206000 | RWX | WRITE_BACK);
    assert_int_equal(touch(0x6000, EPT_WRITE, &hpa), NEST_RESUME);
    assert_int_equal(m.flushes_ept, flushes + 1); /* nothing was in the way of that one */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_shortage_of_frames_shrinks_ept02_and_goes_on),
        TEST(a_shortage_too_great_for_l2_to_get_on_is_told),
        TEST(a_large_tree_goes_to_the_host_whole_and_l2_gets_another),
        TEST(everybody_who_used_a_tree_that_is_gone_gets_another),
        TEST(a_shortage_drops_a_large_tree_and_l2_goes_on_in_another),
        TEST(bitmaps_whose_frames_cost_a_tree_leave_l2_another),
        TEST(so_few_tables_are_not_worth_dropping),
        TEST(a_page_that_becomes_large_gives_its_table_back),
        TEST(a_large_page_that_is_taken_apart_is_forgotten_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
