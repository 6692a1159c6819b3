/* What is kept of a virtual VMCS from entry to exit to entry follows what it is made of, whoever changes that: beside
 * these tests, every entry and exit of any is compared with what it comes to from nothing (nest/recompute.h). */
#include "tests/unit/nest_l2_scene.h"

#include "nest/stale.h"

enum { LIST = 0x18000, PDPTES = 0x6000, RFLAGS_BITS = 0x246 };
enum { ENTRY_PLAIN = 0x000011FB, EXIT_PLAIN = 0x00036DFB | EXIT_HOST_LONG_MODE };
static const struct exit failed = {.reason = EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED};
static const struct exit interrupt = {.reason = EXIT_EXTERNAL_INTERRUPT};

/* L1 runs; its own registers are those of vmcs01. */
static struct vmcs *l1(void)
{
    assert_ptr_equal(m.loaded, &m.first);
    return &m.first.held;
}

/* ---- vmcs02 ---------------------------------------------------------------------------- */

static void registers_that_no_entry_loads_are_l1s_of_that_entry(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_ENTRY_CONTROLS, ENTRY_PLAIN | ENTRY_LONG_MODE);
    enter(EXIT_VMLAUNCH);
    leave();
    for (unsigned i = 0; i < 3; i++) {
        l1()->guest_pat = 0x0007040600070400 + i % 2;
        l1()->guest_dr7 = 0x400 + i;
        l1()->guest_debugctl = i & 2;
        l1()->guest_efer = 0xD00 | (i & 1);
        enter(EXIT_VMRESUME);
        assert_int_equal(m.loaded->held.guest_pat, 0x0007040600070400 + i % 2);
        assert_int_equal(m.loaded->held.guest_dr7, 0x400 + i);
        assert_int_equal(m.loaded->held.guest_debugctl, i & 2);
        assert_int_equal(m.loaded->held.guest_efer, 0xD00 | (i & 1));
        leave();
    }
}

static void entries_of_pae_paging_are_those_in_memory_at_that_entry(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, 0);
    fake_vmx_write(&m, VMCS_ENTRY_CONTROLS, ENTRY_PLAIN | ENTRY_LOAD_EFER);
    fake_vmx_write(&m, VMCS_GUEST_EFER, 0);
    fake_vmx_write(&m, VMCS_GUEST_CS_ACCESS_RIGHTS, 0xC09B);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t entry = (0x30 + i) << 12 | 1;
        memcpy(m.storage + PDPTES, &entry, sizeof(entry));
        enter(i ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        assert_int_equal(m.loaded->held.guest_pdpte0, entry);
        leave();
    }
}

/* ---- what hardware holds ------------------------------------------------------------------ */

static void a_list_that_fails_leaves_nothing_behind(void **state)
{
    const struct {
        uint32_t index, reserved;
        uint64_t data;
    } list[] = {{0x175, 0, 0x5550}, {0xC0000080, 0, 0xD01}, {0x1234, 0, 0}};
    (void)state;
    memcpy(m.storage + LIST, list, sizeof(list));
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_ADDRESS, LIST);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 2);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.loaded->held.guest_sysenter_esp, 0x5550);
    assert_int_equal(m.loaded->held.guest_efer, 0xD01);
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_SYSENTER_ESP), 0x5550);
    fake_vmx_write(&m, VMCS_GUEST_SYSENTER_ESP, 0x1110);
    fake_vmx_write(&m, VMCS_GUEST_EFER, 0xD00);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 3);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_REFLECTED);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 0);
    enter(EXIT_VMRESUME);
    assert_int_equal(m.loaded->held.guest_sysenter_esp, 0x1110);
    assert_int_equal(m.loaded->held.guest_efer, 0xD00);
}

static void what_cp_changes_after_a_list_was_loaded_leaves_what_that_loaded(void **state)
{
    const struct {
        uint32_t index, reserved;
        uint64_t data;
    } list[] = {{0xC0000080, 0, 0xD01}};
    (void)state;
    memcpy(m.storage + LIST, list, sizeof(list));
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_ADDRESS, LIST);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 1);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    nest_base_write(&m.nest, VMCS_INDEX_TSC_OFFSET, 5000);
    assert_true(fake_vmx_load(&m));
    assert_int_equal(m.loaded->held.tsc_offset, 5000);
    assert_int_equal(m.loaded->held.guest_efer, 0xD01);
}

static void l2_that_ran_before_its_entry_failed_begins_again_as_its_vmcs_says(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH);
    leave();
    for (unsigned refused = 0; refused < 2; refused++) {
        enter(EXIT_VMRESUME);
        m.loaded->held.guest_cr3 = 0x7000;
        m.loaded->held.guest_rflags = RFLAGS_BITS;
        assert_int_equal(fake_vmx_exit(&m, &interrupt), NEST_CP);
        assert_true(fake_vmx_load(&m));
        assert_int_equal(refused ? nest_entry_refused(&m.nest) : nest_exit(&m.nest, &failed), NEST_REFLECTED);
        assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR3), 0x6000);
        enter(EXIT_VMRESUME);
        assert_int_equal(m.loaded->held.guest_cr3, 0x6000);
        assert_int_equal(m.loaded->held.guest_rflags, 2);
        leave();
    }
}

static void cold_state_of_a_closed_region_outlives_an_entry_that_fails(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH);
    leave();
    for (unsigned i = 0; i < 40 && !m.closed; i++)
        enter(EXIT_VMRESUME), leave();
    assert_true(m.closed);
    enter(EXIT_VMRESUME);
    m.loaded->held.guest_es_base = 0x12340;
    leave();
    enter(EXIT_VMRESUME);
    assert_int_equal(nest_exit(&m.nest, &failed), NEST_REFLECTED);
    enter(EXIT_VMRESUME);
    assert_int_equal(m.loaded->held.guest_es_base, 0x12340);
}

/* ---- checks ----------------------------------------------------------------------------------- */

static void a_bad_rip_is_seen_beside_another_change_and_alone(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH);
    leave();
    fake_vmx_write(&m, VMCS_GUEST_RFLAGS, RFLAGS_BITS);
    enter(EXIT_VMRESUME);
    leave();
    fake_vmx_write(&m, VMCS_GUEST_RIP, 1ull << 63);
    fake_vmx_write(&m, VMCS_GUEST_CR3, 0x7000);
    fake_vmx_write(&m, VMCS_GUEST_DR7, 0x401);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED);
    fake_vmx_write(&m, VMCS_GUEST_RIP, 0x4000);
    enter(EXIT_VMRESUME);
}

/* ---- L1's state after an exit -------------------------------------------------------------------- */

static void registers_no_exit_loads_are_l2s_after_it_ran_and_l1s_where_it_did_not(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS, EXIT_PLAIN);
    enter(EXIT_VMLAUNCH);
    m.loaded->held.guest_pat = 0x0606060606060606;
    leave();
    assert_int_equal(l1()->guest_pat, 0x0606060606060606);
    l1()->guest_pat = 0x0404040404040404;
    fake_vmx_write(&m, VMCS_GUEST_RIP, 1ull << 63);
    fake_vmx_write(&m, VMCS_GUEST_DR7, 0x401);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_REFLECTED);
    assert_int_equal(l1()->guest_pat, 0x0404040404040404);
    fake_vmx_write(&m, VMCS_GUEST_RIP, 0x4000);
    enter(EXIT_VMRESUME);
    leave();
    assert_int_equal(l1()->guest_pat, 0x0007040600070406); /* which that entry loaded */
}

/* ---- the table ------------------------------------------------------------------------------------- */

static void a_field_says_what_is_derived_of_it(void **state)
{
    static const struct {
        enum vmcs_index index;
        uint32_t parts;
    } rows[] = {
        {VMCS_INDEX_GUEST_CR3, 0}, {VMCS_INDEX_GUEST_RIP, 0}, {VMCS_INDEX_EXIT_REASON, 0},
        {VMCS_INDEX_GUEST_CR0, NEST_STALE_RULES}, {VMCS_INDEX_EPT_POINTER, NEST_STALE_EPT},
        {VMCS_INDEX_VPID, NEST_STALE_RULES | NEST_STALE_TAG}, {VMCS_INDEX_HOST_CR3, NEST_STALE_HOST},
        {VMCS_INDEX_EXIT_CONTROLS, NEST_STALE_HOST | NEST_STALE_GUEST},
    };
    struct vmcs_set all = {{0}};
    uint32_t parts = 0;
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmcs_set one = {{0}};
        vmcs_set_add(&one, rows[i].index);
        vmcs_set_add(&all, rows[i].index);
        assert_int_equal(nest_parts_of(&one), rows[i].parts);
        assert_int_equal(nest_parts_of(&all), parts |= rows[i].parts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(registers_that_no_entry_loads_are_l1s_of_that_entry),
        TEST(entries_of_pae_paging_are_those_in_memory_at_that_entry),
        TEST(a_list_that_fails_leaves_nothing_behind),
        TEST(what_cp_changes_after_a_list_was_loaded_leaves_what_that_loaded),
        TEST(l2_that_ran_before_its_entry_failed_begins_again_as_its_vmcs_says),
        TEST(cold_state_of_a_closed_region_outlives_an_entry_that_fails),
        TEST(a_bad_rip_is_seen_beside_another_change_and_alone),
        TEST(registers_no_exit_loads_are_l2s_after_it_ran_and_l1s_where_it_did_not),
        cmocka_unit_test(a_field_says_what_is_derived_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
