/* A chain of many: each guest of a guest delegates in its turn. */
#include "tests/unit/nest_chain_scene.h"

enum { IDENTITY = 0x10000, DEEP = 0x34000, DEEPER = 10, TABLES_BYTES = 0x4000, TABLES_MOST = 9 };

static void make_identity(uint64_t at)
{
    for (unsigned level = 0; level < 3; level++)
        table_at(at + level * 0x1000)[0] = (at + (level + 1) * 0x1000) | RWX;
    for (unsigned i = 0; i < TOWER_V2_PAGES; i++)
        table_at(at + 0x3000)[i] = (i * 0x1000) | RWX | WRITE_BACK;
}

/* Every guest of a guest has all of V2's storage as its own, and delegates in its turn. */
static void make_deep(void)
{
    for (unsigned i = 0; i < TABLES_MOST; i++)
        make_identity(IDENTITY + i * TABLES_BYTES);
    for (unsigned i = 0; i < DEEPER; i++) {
        struct vmcs_page *page = tower_make_page(&t, DEEP + i * 0x1000, IDENTITY + i % TABLES_MOST * TABLES_BYTES);
        page->fields.guest_cr4 = page->fields.host_cr4 = 0x2020;
        page->delegation = (struct vmcs_delegation){
            TOWER_V2_VMXON | VMCS_DELEGATED | VMCS_DELEGATED_VMXON | VMCS_DELEGATED_MAY_VMXON, NEST_NO_ADDRESS};
    }
}

static unsigned depth(void)
{
    unsigned n = 0;
    for (const struct nest *nest = t.m.nest.innermost; nest != &t.m.nest; nest = nest->outer)
        n++;
    return n;
}

static void dive(unsigned levels)
{
    make_deep();
    for (unsigned i = 0; i < levels; i++) {
        assert_true(nest_chain_delegates(&t.m.nest));
        assert_int_equal(call_of_v2(DEEP + i * 0x1000), NEST_ENTERED);
        assert_true(fake_vmx_load(&t.m));
        assert_int_equal(depth(), i + 1);
        t.in_l3 = true;
    }
}

static void at_any_depth_an_exit_is_the_innermost_owners(void **state)
{
    (void)state;
    dive(4);
    for (unsigned i = 4; i > 0; i--) {
        struct vmcs_page *page = page_at(DEEP + (i - 1) * 0x1000);
        assert_int_equal(exit_of_l3(EXIT_CPUID, 0, 0), NEST_REFLECTED);
        assert_int_equal(page->fields.exit_reason, EXIT_CPUID);
        assert_int_equal(depth(), i - 1);
        assert_true(fake_vmx_load(&t.m));
    }
    t.in_l3 = false;
    sound();
}

static void at_any_depth_storage_is_reached(void **state)
{
    (void)state;
    uint64_t hpa = 0;
    dive(3);
    for (unsigned i = 0; i < 3 && !fake_vmx_touch(&t.m, 0x3008, 2, &hpa); i++) {
        assert_int_equal(exit_of_l3(EXIT_EPT_VIOLATION, 0x3008, 2), NEST_RESUME);
        assert_true(fake_vmx_load(&t.m));
    }
    assert_int_equal(hpa, 0x100000000ull + TOWER_V2 + 0x3008);
    uint64_t gpa = 0;
    assert_true(nest_translate(&t.m.nest, 0x3008, NEST_READ, &gpa));
    assert_int_equal(gpa, TOWER_V2 + 0x3008);
}

static void when_ept01_changes_no_depth_keeps_translations(void **state)
{
    (void)state;
    uint64_t hpa = 0;
    dive(3);
    for (unsigned i = 0; i < 3 && !fake_vmx_touch(&t.m, 0x3008, 2, &hpa); i++) {
        assert_int_equal(exit_of_l3(EXIT_EPT_VIOLATION, 0x3008, 2), NEST_RESUME);
        assert_true(fake_vmx_load(&t.m));
    }
    nest_ept01_changed(&t.m.nest, 0, 0x1000);
    assert_true(fake_vmx_load(&t.m));
    assert_false(fake_vmx_touch(&t.m, 0x3008, 2, &hpa));
}

static void beyond_the_deepest_the_owner_has_the_call(void **state)
{
    (void)state;
    dive(9);
    assert_int_equal(call_of_v2(DEEP + 9 * 0x1000), NEST_OUTER);
    assert_int_equal(depth(), 9);
    const struct exit exit = {.reason = EXIT_VMCALL, .instruction_length = 3};
    assert_int_equal(nest_exit(&t.m.nest, &exit), NEST_REFLECTED);
    assert_int_equal(depth(), 8);
    assert_int_equal(page_at(DEEP + 8 * 0x1000)->fields.exit_reason, EXIT_VMCALL);
    assert_true(fake_vmx_load(&t.m));
    nest_chain_stop(&t.m.nest);
    assert_int_equal(depth(), 0);
    assert_int_equal(t.m.gpr[RBX], DEEP);
    t.in_l3 = false;
}

/* Tables of a guest lie behind those of all beneath it: looked up afresh they would be four times as many each time. */
static void few_tables_are_read_for_one_exit(void **state)
{
    (void)state;
    dive(8);
    for (struct nest *nest = t.m.nest.innermost; nest != &t.m.nest; nest = nest->outer)
        nest_chain_places_forget(nest->chain);
    enum nest_result result = exit_of_l3(EXIT_EPT_VIOLATION, 0x3008, 1);
    assert_int_equal(result, NEST_OUTER);
    assert_int_equal(t.m.nest.chain_walks, 0);
    assert_int_equal(depth(), 8);
    const struct nest_event none = {0};
    assert_int_equal(nest_chain_return(&t.m.nest, &none), NEST_REFLECTED);
    assert_int_equal(depth(), 6); /* the owner of the seventh has the call that entered the eighth */
    assert_int_equal(page_at(DEEP + 6 * 0x1000)->fields.exit_reason, EXIT_VMCALL);
    assert_true(fake_vmx_load(&t.m));
    nest_chain_stop(&t.m.nest);
    t.in_l3 = false;
}

static void all_that_is_deep_comes_back(void **state)
{
    (void)state;
    dive(9);
    t.m.loaded = &t.m.first;
    nest_reset(&t.m.nest, true);
    assert_int_equal(t.m.regions_held, 0);
    assert_int_equal(t.m.frames_held, 3);
    fake_vmx_enter_operation(&t.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ALL(at_any_depth_an_exit_is_the_innermost_owners),
        WITH_ALL(at_any_depth_storage_is_reached),
        WITH_ALL(when_ept01_changes_no_depth_keeps_translations),
        WITH_ALL(beyond_the_deepest_the_owner_has_the_call),
        WITH_ALL(few_tables_are_read_for_one_exit),
        WITH_ALL(all_that_is_deep_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
