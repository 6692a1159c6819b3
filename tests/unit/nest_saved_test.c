/* Guest state after an exit: what L2 did to each field, L1 reads, and L2 goes on with; but for
 * what L1 asked not to be saved. */
#include "nest/active.h"
#include "tests/unit/nest_l2_scene.h"

enum { EXIT_PLAIN = 0x00036DFB | EXIT_HOST_LONG_MODE | EXIT_LOAD_EFER | EXIT_LOAD_PAT };

/* Another value of a field than L1 wrote; of control registers only bits that are L2's alone. */
static uint64_t another(enum vmcs_index index)
{
    uint64_t before = vmcs_get(&m.loaded->held, index);
    switch (index) {
    case VMCS_INDEX_GUEST_CR0: return before ^ 0x10004;
    case VMCS_INDEX_GUEST_CR4: return before ^ 0x10600;
    case VMCS_INDEX_GUEST_EFER: return before ^ 1;
    default: return before ^ 0x5B;
    }
}

static bool is_pdpte(enum vmcs_index index)
{
    return index >= VMCS_INDEX_GUEST_PDPTE0 && index <= VMCS_INDEX_GUEST_PDPTE3;
}

/* By which exit control it is saved; 0: always. */
static uint32_t saved_by(enum vmcs_index index)
{
    switch (index) {
    case VMCS_INDEX_GUEST_DR7:
    case VMCS_INDEX_GUEST_DEBUGCTL: return EXIT_SAVE_DEBUG_CONTROLS;
    case VMCS_INDEX_GUEST_PAT: return EXIT_SAVE_PAT;
    case VMCS_INDEX_GUEST_EFER: return EXIT_SAVE_EFER;
    default: return 0;
    }
}

static bool is_state(enum vmcs_index index)
{
    return VMCS_ENCODING_AREA(vmcs_field_rows[index].encoding) == VMCS_GUEST &&
           vmcs_set_has(nest_active_fields(&m.nest), index) && vmcs_field_rows[index].merge != VMCS_MERGE_CP &&
           index != VMCS_INDEX_PML_INDEX && index != VMCS_INDEX_VMCS_LINK_POINTER &&
           index != VMCS_INDEX_PREEMPTION_TIMER && index != VMCS_INDEX_GUEST_SMBASE && !is_pdpte(index);
}

static void assert_all_is_saved(uint32_t save, unsigned exits_before)
{
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS, EXIT_PLAIN | save);
    enter(EXIT_VMLAUNCH);
    for (unsigned i = 0; i < exits_before; i++)
        leave(), enter(EXIT_VMRESUME);
    const struct vmcs before = m.loaded->held;
    struct vmcs after = before;
    unsigned fields = 0;
    for (unsigned index = 0; index < VMCS_FIELDS; index++)
        if (is_state(index))
            vmcs_set(&after, index, another(index)), fields++;
    assert_true(fields > 45);
    m.loaded->held = after;
    leave();
    for (unsigned index = 0; index < VMCS_FIELDS; index++)
        if (is_state(index)) {
            bool saved = !saved_by(index) || (save & saved_by(index));
            uint64_t value = fake_vmx_read(&m, vmcs_field_rows[index].encoding);
            uint64_t want = vmcs_get(saved ? &after : &before, index);
            if (index == VMCS_INDEX_GUEST_CR0)
                value |= 0x20; /* NE is CP's; L1 has it set as well */
            if (value != want)
                fail_msg("%s is %#llx, not %#llx", vmcs_field_name(vmcs_field_rows[index].encoding),
                         (unsigned long long)value, (unsigned long long)want);
        }
}

static void what_l2_did_to_its_state_l1_reads(void **state)
{
    (void)state;
    assert_all_is_saved(EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_PAT | EXIT_SAVE_EFER, 0);
}

static void also_after_many_exits_at_which_nothing_changed(void **state)
{
    (void)state;
    assert_all_is_saved(EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_PAT | EXIT_SAVE_EFER, 3);
}

static void also_when_its_region_shows_hot_fields_only(void **state)
{
    (void)state;
    assert_all_is_saved(EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_PAT | EXIT_SAVE_EFER, 100);
    assert_true(m.nest.current->quiet || m.nest.current->patience); /* it had been closed: see nest_enter_test */
}

static void what_l1_does_not_ask_for_stays_as_it_wrote_it(void **state)
{
    static const uint32_t each[] = {0, EXIT_SAVE_DEBUG_CONTROLS, EXIT_SAVE_PAT, EXIT_SAVE_EFER};
    for (unsigned i = 0; i < 4; i++) {
        assert_all_is_saved(each[i], i);
        stop(state);
        start(state);
    }
}

/* Page-directory-pointer entries are L2's when it uses PAE paging with EPT, and else L1's own notes. */
static void pdptes_are_saved_where_they_are_used(void **state)
{
    for (unsigned n = 0; n < 16; n++) {
        bool pae = n & 1, paging = n & 2, long_mode = n & 4, ept = n & 8;
        fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, ept ? CPU2_EPT : 0);
        fake_vmx_write(&m, VMCS_EXIT_CONTROLS, EXIT_PLAIN | EXIT_SAVE_EFER);
        for (unsigned i = 0; i < 4; i++)
            fake_vmx_write(&m, VMCS_GUEST_PDPTE0 + 2 * i, 0x1000 * i);
        enter(EXIT_VMLAUNCH);
        struct vmcs *l2 = &m.loaded->held;
        l2->guest_cr4 = pae ? l2->guest_cr4 | 0x20 : l2->guest_cr4 & ~0x20ull;
        l2->guest_cr0 = paging ? l2->guest_cr0 | 1ull << 31 : l2->guest_cr0 & ~(1ull << 31);
        l2->guest_efer = long_mode ? l2->guest_efer | 0x500 : l2->guest_efer & ~0x500ull;
        l2->guest_pdpte0 = 0x11001, l2->guest_pdpte1 = 0x12001, l2->guest_pdpte2 = 0x13001, l2->guest_pdpte3 = 0x14001;
        leave();
        bool used = pae && paging && !long_mode && ept;
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_PDPTE0 + 2 * i), (used ? 0x11001 : 0) + 0x1000 * i);
        stop(state);
        start(state);
    }
}

/* They are cold: an L1 whose region is closed exits to read them. */
static void pdptes_that_changed_while_the_region_was_closed_are_l1s_to_read(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_ENTRY_CONTROLS, 0x000011FB | ENTRY_LOAD_EFER);
    fake_vmx_write(&m, VMCS_GUEST_EFER, 0);
    fake_vmx_write(&m, VMCS_GUEST_CS_ACCESS_RIGHTS, 0xC09B);
    enter(EXIT_VMLAUNCH);
    for (unsigned i = 0; i < 40 && !m.closed; i++)
        leave(), enter(EXIT_VMRESUME);
    assert_true(m.closed);
    m.loaded->held.guest_pdpte2 = 0x13001;
    leave();
    assert_true(m.closed);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_PDPTE2), 0x13001);
}

/* What the list of an entry loaded is guest state too, though L2 did not touch it. */
static void sysenter_registers_loaded_from_a_list_are_saved(void **state)
{
    static const enum vmcs_field fields[] = {VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_ESP, VMCS_GUEST_SYSENTER_EIP};
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t entry[4] = {0x174 + i, 0, 0x4440 + i, 0};
        memcpy(m.storage + 0x12000 + i * sizeof(entry), entry, sizeof(entry));
        fake_vmx_write(&m, fields[i], 0);
    }
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_ADDRESS, 0x12000);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 3);
    enter(EXIT_VMLAUNCH);
    leave();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(fake_vmx_read(&m, fields[i]), 0x4440 + i);
}

static void the_mode_is_saved_only_where_that_is_offered(void **state)
{
    for (unsigned offered = 0; offered < 2; offered++) {
        m.offered.msr[VMX_MISC] &= ~(uint64_t)VMX_MISC_SAVES_LONG_MODE;
        m.offered.msr[VMX_MISC] |= offered ? VMX_MISC_SAVES_LONG_MODE : 0;
        enter(EXIT_VMLAUNCH);
        m.loaded->held.guest_efer = 0;
        leave();
        assert_int_equal(!(fake_vmx_read(&m, VMCS_ENTRY_CONTROLS) & ENTRY_LONG_MODE), offered);
        stop(state);
        start(state);
    }
}

/* SDM "Saving Non-Register State": what is left of the timer, in its units, and never less than nothing */
static void what_is_left_of_the_timer_is_saved(void **state)
{
    static const struct {
        uint64_t passed;
        uint32_t left;
    } rows[] = {{0, 100}, {31, 99}, {32, 99}, {33, 98}, {3199, 0}, {3200, 0}, {3201, 0}, {1 << 30, 0}};
    (void)state;
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16 | PIN_PREEMPTION_TIMER);
    for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        bool save = i % 2;
        fake_vmx_write(&m, VMCS_EXIT_CONTROLS, EXIT_PLAIN | (save ? EXIT_SAVE_PREEMPTION_TIMER : 0));
        fake_vmx_write(&m, VMCS_PREEMPTION_TIMER, 100);
        enter(i ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        nest_timer_start(&m.nest, m.tsc);
        m.tsc += rows[i / 2].passed;
        leave();
        assert_int_equal(fake_vmx_read(&m, VMCS_PREEMPTION_TIMER), save ? rows[i / 2].left : 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_l2_did_to_its_state_l1_reads),
        TEST(also_after_many_exits_at_which_nothing_changed),
        TEST(also_when_its_region_shows_hot_fields_only),
        TEST(what_l1_does_not_ask_for_stays_as_it_wrote_it),
        TEST(pdptes_are_saved_where_they_are_used),
        TEST(pdptes_that_changed_while_the_region_was_closed_are_l1s_to_read),
        TEST(sysenter_registers_loaded_from_a_list_are_saved),
        TEST(the_mode_is_saved_only_where_that_is_offered),
        TEST(what_is_left_of_the_timer_is_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
