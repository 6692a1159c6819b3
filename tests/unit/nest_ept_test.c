/* Nested EPT: the walk, its violations and misconfigurations, and EPT02 under a model of hardware's translation
 * cache. */
#include "tests/unit/nest_ept_scene.h"

static uint64_t entry_get(uint64_t at)
{
    uint64_t entry;
    memcpy(&entry, m.storage + at, sizeof(entry));
    return entry;
}

/* L2 page 0x5000 at L1 page `target`, by 4 KiB tables. */
static void map_page(uint64_t target, uint64_t rights)
{
    entry_put(PML4, PDPT | RWX);
    entry_put(PDPT, PD | RWX);
    entry_put(PD, PT | RWX);
    entry_put(PT + 5 * 8, target | rights | WRITE_BACK);
}

static enum ept_status walk(uint64_t eptp, uint64_t gpa2, unsigned access, struct ept_mapping *mapping)
{
    struct ept_memory memory = nest_ept_memory(&m.nest);
    return ept_walk(&memory, eptp, gpa2, access, mapping);
}

static void a_walk_ends_at_the_page_and_ands_the_rights(void **state)
{
    struct ept_mapping mapping;
    (void)state;
    map_page(0x9000, EPT_READ | EPT_EXECUTE);
    assert_int_equal(walk(PML4, 0x5123, EPT_READ, &mapping), EPT_MAPPED);
    assert_int_equal(mapping.gpa, 0x9123);
    assert_int_equal(mapping.bytes, 4096);
    assert_int_equal(mapping.rights, EPT_READ | EPT_EXECUTE);
    entry_put(PDPT, PD | EPT_READ);
    assert_int_equal(walk(PML4, 0x5123, EPT_EXECUTE, &mapping), EPT_VIOLATION);
    assert_int_equal(mapping.rights, EPT_READ);
    entry_put(PD, 0);
    assert_int_equal(walk(PML4, 0x5123, EPT_READ, &mapping), EPT_VIOLATION);
    assert_int_equal(mapping.rights, 0);
}

static void large_pages_are_2_mib_and_1_gib(void **state)
{
    struct ept_mapping mapping;
    (void)state;
    map_page(0x9000, RWX);
    entry_put(PD, 0x200000 | EPT_LARGE | RWX | WRITE_BACK);
    assert_int_equal(walk(PML4, 0x5123, EPT_WRITE, &mapping), EPT_MAPPED);
    assert_int_equal(mapping.gpa, 0x205123);
    assert_int_equal(mapping.bytes, LARGE_BYTES);
    entry_put(PDPT, 0x40000000 | EPT_LARGE | RWX | WRITE_BACK);
    assert_int_equal(walk(PML4, 0x12345678, EPT_WRITE, &mapping), EPT_MAPPED);
    assert_int_equal(mapping.gpa, 0x52345678);
    assert_int_equal(mapping.bytes, 1 << 30);
}

static void misconfigured_entries_are_those_of_the_manual(void **state)
{
    struct ept_memory memory = nest_ept_memory(&m.nest);
    (void)state;
    static const struct {
        uint64_t entry;
        unsigned level;
        bool valid;
    } cases[] = {
        {0x1000 | EPT_WRITE | WRITE_BACK, 1, false}, {0x1000 | EPT_WRITE | EPT_EXECUTE | WRITE_BACK, 1, false},
        {0x1000 | EPT_EXECUTE | WRITE_BACK, 1, true}, {0x1000 | EPT_READ | 2 << 3, 1, false},
        {0x1000 | EPT_READ | 3 << 3, 1, false}, {0x1000 | EPT_READ | 7 << 3, 1, false},
        {0x1000 | EPT_READ | 0 << 3, 1, true}, {0x1000 | EPT_READ | 1 << 3, 1, true},
        {0x1000 | EPT_READ | 4 << 3, 1, true}, {0x1000 | EPT_READ | 5 << 3, 1, true},
        {0x1000 | RWX | 1ull << 40, 1, false}, {0x1000 | RWX | 1ull << 39 | WRITE_BACK, 1, true},
        {0x1000 | RWX | WRITE_BACK | 1ull << 62, 1, true}, {0x1000 | RWX | WRITE_BACK | EPT_LARGE, 1, true},
        {0x1000 | RWX | 8, 2, false}, {0x1000 | RWX, 2, true}, {0x200000 | RWX | EPT_LARGE | WRITE_BACK, 2, true},
        {0x201000 | RWX | EPT_LARGE | WRITE_BACK, 2, false}, {0x40000000 | RWX | EPT_LARGE | WRITE_BACK, 3, true},
        {0x40200000 | RWX | EPT_LARGE | WRITE_BACK, 3, false}, {0x1000 | RWX | EPT_LARGE, 4, false},
        {0x1000 | RWX, 4, true},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ept_entry_valid(&memory, cases[i].entry, cases[i].level), cases[i].valid);
    memory.execute_only = false;
    assert_false(ept_entry_valid(&memory, 0x1000 | EPT_EXECUTE | WRITE_BACK, 1));
}

static void accessed_and_dirty_flags_are_set_as_the_pointer_asks(void **state)
{
    struct ept_mapping mapping;
    (void)state;
    map_page(0x9000, RWX);
    walk(PML4, 0x5000, EPT_READ, &mapping);
    assert_int_equal(entry_get(PT + 40) & (EPT_ACCESSED | EPT_DIRTY), 0);
    assert_true(mapping.dirty);
    walk(PML4 | EPTP_ACCESSED_DIRTY, 0x5000, EPT_READ, &mapping);
    assert_int_equal(entry_get(PT + 40) & (EPT_ACCESSED | EPT_DIRTY), EPT_ACCESSED);
    assert_int_equal(entry_get(PML4) & (EPT_ACCESSED | EPT_DIRTY), EPT_ACCESSED);
    assert_false(mapping.dirty);
    walk(PML4 | EPTP_ACCESSED_DIRTY, 0x5000, EPT_WRITE, &mapping);
    assert_int_equal(entry_get(PT + 40) & (EPT_ACCESSED | EPT_DIRTY), EPT_ACCESSED | EPT_DIRTY);
    assert_int_equal(entry_get(PD) & EPT_DIRTY, 0);
    map_page(0x9000, EPT_READ);
    assert_int_equal(walk(PML4 | EPTP_ACCESSED_DIRTY, 0x5000, EPT_WRITE, &mapping), EPT_VIOLATION);
    assert_int_equal(entry_get(PT + 40) & EPT_DIRTY, 0);
}

static void a_table_outside_storage_or_pointing_at_itself_is_survived(void **state)
{
    struct ept_mapping mapping;
    (void)state;
    assert_int_equal(walk(1ull << 39, 0, EPT_READ, &mapping), EPT_UNREADABLE);
    for (unsigned i = 0; i < 512; i++)
        entry_put(PML4 + i * 8, PML4 | RWX | WRITE_BACK);
    assert_int_equal(walk(PML4, 0x5000, EPT_READ, &mapping), EPT_MISCONFIGURATION); /* memory type bits in a table */
    for (unsigned i = 0; i < 512; i++)
        entry_put(PML4 + i * 8, PML4 | RWX);
    assert_int_equal(walk(PML4, 0x5000, EPT_READ, &mapping), EPT_MAPPED);
    assert_int_equal(mapping.gpa, PML4);
    assert_int_equal(walk(PML4, 1ull << 48, EPT_READ, &mapping), EPT_VIOLATION);
}

/* ---- EPT02 ---------------------------------------------------------------------- */

static void resume(void)
{
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
}

static void leave(void)
{
    const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};
    assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
}

static void invept(uint64_t type, uint64_t eptp)
{
    uint64_t descriptor[2] = {eptp, 0};
    memcpy(m.storage + 0x900, descriptor, sizeof(descriptor));
    m.gpr[6] = type;
    assert_int_equal(fake_vmx_memory(&m, EXIT_INVEPT, 0x900, 6), NEST_SKIP);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_SUCCEEDED);
}

static void l2_memory_is_the_composition_of_both_tables(void **state)
{
    uint64_t hpa;
    (void)state;
    map_page(0x9000, RWX);
    launch(PML4 | 3 << 3 | 6);
    assert_int_equal(touch(0x5678, EPT_WRITE, &hpa), NEST_RESUME);
    assert_int_equal(hpa, 0x100009678);
}

static void what_ept12_forbids_is_l1s_exit_with_its_own_rights(void **state)
{
    uint64_t hpa;
    (void)state;
    map_page(0x9000, EPT_READ);
    launch(PML4 | 3 << 3 | 6);
    assert_int_equal(touch(0x5678, EPT_READ, &hpa), NEST_RESUME);
    assert_int_equal(touch(0x5678, EPT_WRITE, &hpa), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_EPT_VIOLATION);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_QUALIFICATION), 0x180 | EPT_READ << 3 | EPT_WRITE);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_PHYSICAL_ADDRESS), 0x5678);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_LINEAR_ADDRESS), 0x5678);
}

/* What SVM reports of a walk of the guest's own tables is always a read and a write. */
static uint64_t walk_reported(uint64_t rights, uint64_t eptp_flags)
{
    const struct exit exit = {.reason = EXIT_EPT_VIOLATION, .qualification = EPT_READ | EPT_WRITE | 0x80,
                              .guest_physical = 0x5678};

    map_page(0x9000, rights);
    launch(PML4 | 3 << 3 | 6 | eptp_flags);
    m.nest.policy.nested_page_tables = true;
    assert_int_equal(fake_vmx_exit(&m, &exit), NEST_REFLECTED);
    return fake_vmx_read(&m, VMCS_EXIT_QUALIFICATION);
}

static void a_walk_under_nested_paging_is_told_as_vmx_would(void **state)
{
    (void)state;
    assert_int_equal(walk_reported(0, 0), 0x80 | EPT_READ);
}

static void a_walk_that_may_read_is_told_as_a_write(void **state)
{
    (void)state;
    assert_int_equal(walk_reported(EPT_READ, 0), 0x80 | EPT_READ << 3 | EPT_WRITE);
}

static void a_walk_with_accessed_and_dirty_flags_is_both(void **state)
{
    (void)state;
    assert_int_equal(walk_reported(EPT_READ, EPTP_ACCESSED_DIRTY), 0x80 | EPT_READ << 3 | EPT_READ | EPT_WRITE);
}

static void a_misconfiguration_is_l1s_exit(void **state)
{
    uint64_t hpa;
    (void)state;
    map_page(0x9000, EPT_WRITE);
    launch(PML4 | 3 << 3 | 6);
    assert_int_equal(touch(0x5678, EPT_READ, &hpa), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_EPT_MISCONFIG);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_PHYSICAL_ADDRESS), 0x5678);
}

static void l1s_device_memory_is_cps_to_emulate(void **state)
{
    uint64_t hpa;
    (void)state;
    m.device_from = 0x300000;
    map_page(0x310000, RWX);
    launch(PML4 | 3 << 3 | 6);
    assert_int_equal(touch(0x5010, EPT_READ, &hpa), NEST_CP);
    assert_int_equal(m.nest.device_gpa, 0x310010);
}

static void a_missing_invept_would_be_noticed_and_none_is(void **state)
{
    uint64_t hpa;
    (void)state;
    map_page(0x9000, RWX);
    launch(PML4 | 3 << 3 | 6);
    assert_int_equal(touch(0x5000, EPT_WRITE, &hpa), NEST_RESUME);
    leave();
    map_page(0xA000, RWX);
    resume();
    assert_int_equal(touch(0x5000, EPT_WRITE, &hpa), NEST_RESUME);
    assert_int_equal(hpa, 0x100009000); /* L1 did not flush: the old one may be used */
    leave();
    invept(1, PML4 | 3 << 3 | 6);
    resume();
    assert_int_equal(touch(0x5000, EPT_WRITE, &hpa), NEST_RESUME);
    assert_int_equal(hpa, 0x10000A000);
    leave();
    map_page(0xB000, RWX);
    invept(2, 0);
    resume();
    touch(0x5000, EPT_READ, &hpa);
    assert_int_equal(hpa, 0x10000B000);
}

static void ept02_outlives_a_switch_of_vmcs(void **state)
{
    uint64_t hpa;
    (void)state;
    map_page(0x9000, RWX);
    launch(PML4 | 3 << 3 | 6);
    touch(0x5000, EPT_READ, &hpa);
    leave();
    unsigned frames = m.frames_held;
    fake_vmx_make_vmcs(&m, FAKE_VMCS_B);
    fake_vmx_write(&m, VMCS_EPT_POINTER, PML4 | 3 << 3 | 6);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
    assert_true(fake_vmx_touch(&m, 0x5000, EPT_READ, &hpa));
    assert_int_equal(m.frames_held, frames + 1); /* the virtual VMCS itself */
}

static void pages_are_2_mib_where_both_sides_are(void **state)
{
    uint64_t hpa;
    (void)state;
    m.host_page_bytes = LARGE_BYTES;
    map_page(0x9000, RWX);
    entry_put(PD, 0x200000 | EPT_LARGE | RWX | WRITE_BACK);
    launch(PML4 | 3 << 3 | 6);
    assert_int_equal(touch(0x5000, EPT_WRITE, &hpa), NEST_RESUME);
    assert_int_equal(hpa, 0x100205000);
    assert_true(fake_vmx_touch(&m, 0x1FF000, EPT_WRITE, &hpa)); /* no further violation */
    assert_int_equal(hpa, 0x1003FF000);
    assert_int_equal(m.nest.current->ept->tables, 2);
}

static void a_large_page_split_by_l1_does_not_live_on(void **state)
{
    uint64_t hpa;
    (void)state;
    m.host_page_bytes = LARGE_BYTES;
    map_page(0x9000, RWX);
    entry_put(PD, 0x200000 | EPT_LARGE | RWX | WRITE_BACK);
    launch(PML4 | 3 << 3 | 6);
    touch(0x5000, EPT_READ, &hpa);
    leave();
    map_page(0x9000, RWX);
    invept(2, 0);
    resume();
    assert_int_equal(touch(0x5000, EPT_READ, &hpa), NEST_RESUME);
    assert_int_equal(hpa, 0x100009000);
    assert_int_equal(touch(0x6000, EPT_READ, &hpa), NEST_REFLECTED);
}

static void the_dirty_flag_is_set_by_the_write_not_by_the_read(void **state)
{
    uint64_t hpa;
    (void)state;
    map_page(0x9000, RWX);
    launch(PML4 | 3 << 3 | 6 | EPTP_ACCESSED_DIRTY);
    assert_int_equal(touch(0x5000, EPT_READ, &hpa), NEST_RESUME);
    assert_int_equal(entry_get(PT + 40) & EPT_DIRTY, 0);
    assert_int_equal(touch(0x5000, EPT_WRITE, &hpa), NEST_RESUME);
    assert_int_equal(entry_get(PT + 40) & EPT_DIRTY, EPT_DIRTY);
}

static void a_fifth_ept_pointer_evicts_and_the_first_comes_back(void **state)
{
    uint64_t hpa;
    (void)state;
    for (uint64_t i = 0; i < 6; i++)
        memcpy(m.storage + 0x100000 + i * 0x1000, m.storage + PML4, 8);
    map_page(0x9000, RWX);
    for (uint64_t i = 0; i < 6; i++)
        entry_put(0x100000 + i * 0x1000, PDPT | RWX);
    launch(0x100000 | 3 << 3 | 6);
    touch(0x5000, EPT_READ, &hpa);
    for (uint64_t i = 1; i < 7; i++) {
        leave();
        fake_vmx_write(&m, VMCS_EPT_POINTER, (0x100000 + i % 6 * 0x1000) | 3 << 3 | 6);
        resume();
        assert_int_equal(touch(0x5000, EPT_READ, &hpa), NEST_RESUME);
        assert_int_equal(hpa, 0x100009000);
    }
}

static void vmfunc_switches_to_a_listed_pointer_and_exits_for_others(void **state)
{
    uint64_t hpa;
    (void)state;
    map_page(0x9000, RWX);
    memcpy(m.storage + 0x100000, m.storage + PML4, 8);
    entry_put(0x100000, (PDPT + 0x10000) | RWX);
    entry_put(PDPT + 0x10000, (PD + 0x10000) | RWX);
    entry_put(PD + 0x10000, (PT + 0x10000) | RWX);
    entry_put(PT + 0x10000 + 40, 0xC000 | RWX | WRITE_BACK);
    entry_put(0x110000 + 8, 0x100000 | 3 << 3 | 6);
    entry_put(0x110000 + 16, 0x100000 | 3 << 3 | 5); /* no memory type */
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VM_FUNCTIONS);
    fake_vmx_write(&m, VMCS_VM_FUNCTION_CONTROLS, VM_FUNCTION_EPTP_SWITCHING);
    fake_vmx_write(&m, VMCS_EPTP_LIST_ADDRESS, 0x110000);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
    touch(0x5000, EPT_READ, &hpa);
    assert_int_equal(hpa, 0x100009000);
    const struct exit vmfunc = {.reason = EXIT_VMFUNC, .instruction_length = 3};
    m.gpr[0] = 0;
    m.gpr[1] = 1;
    assert_int_equal(fake_vmx_exit(&m, &vmfunc), NEST_SKIP);
    assert_true(fake_vmx_load(&m));
    assert_int_equal(touch(0x5000, EPT_READ, &hpa), NEST_RESUME);
    assert_int_equal(hpa, 0x10000C000);
    m.gpr[1] = 2;
    assert_int_equal(fake_vmx_exit(&m, &vmfunc), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_VMFUNC);
    assert_int_equal(fake_vmx_read(&m, VMCS_EPT_POINTER), 0x100000 | 3 << 3 | 6);
}

static void a_change_of_cps_own_mapping_empties_ept02(void **state)
{
    uint64_t hpa;
    (void)state;
    map_page(0x9000, RWX);
    launch(PML4 | 3 << 3 | 6);
    touch(0x5000, EPT_READ, &hpa);
    nest_ept01_changed(&m.nest, 0x9000, 4096);
    assert_false(fake_vmx_touch(&m, 0x5000, EPT_READ, &hpa));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_walk_ends_at_the_page_and_ands_the_rights),
        TEST(large_pages_are_2_mib_and_1_gib),
        TEST(misconfigured_entries_are_those_of_the_manual),
        TEST(accessed_and_dirty_flags_are_set_as_the_pointer_asks),
        TEST(a_table_outside_storage_or_pointing_at_itself_is_survived),
        TEST(l2_memory_is_the_composition_of_both_tables),
        TEST(what_ept12_forbids_is_l1s_exit_with_its_own_rights),
        TEST(a_walk_under_nested_paging_is_told_as_vmx_would),
        TEST(a_walk_that_may_read_is_told_as_a_write),
        TEST(a_walk_with_accessed_and_dirty_flags_is_both),
        TEST(a_misconfiguration_is_l1s_exit),
        TEST(l1s_device_memory_is_cps_to_emulate),
        TEST(a_missing_invept_would_be_noticed_and_none_is),
        TEST(ept02_outlives_a_switch_of_vmcs),
        TEST(pages_are_2_mib_where_both_sides_are),
        TEST(a_large_page_split_by_l1_does_not_live_on),
        TEST(the_dirty_flag_is_set_by_the_write_not_by_the_read),
        TEST(a_fifth_ept_pointer_evicts_and_the_first_comes_back),
        TEST(vmfunc_switches_to_a_listed_pointer_and_exits_for_others),
        TEST(a_change_of_cps_own_mapping_empties_ept02),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
