/* L1 after an exit, field by field: what its host-state area says, what the manual fixes, and what is left as it was.
 * SDM "Loading Host State". */
#include "nest/active.h"
#include "tests/unit/nest_l2_scene.h"

enum { EXIT_PLAIN = 0x00036DFB, USABLE_DATA = 0xC093, UNUSABLE = 0x10000 };

static const struct vmcs *l1(void) { return &m.first.held; }

static const struct {
    enum vmcs_field host;
    enum vmcs_index guest;
    uint64_t value;
} loaded[] = {
    {VMCS_HOST_ES_SELECTOR, VMCS_INDEX_GUEST_ES_SELECTOR, 0x18},
    {VMCS_HOST_CS_SELECTOR, VMCS_INDEX_GUEST_CS_SELECTOR, 0x20},
    {VMCS_HOST_SS_SELECTOR, VMCS_INDEX_GUEST_SS_SELECTOR, 0x28},
    {VMCS_HOST_DS_SELECTOR, VMCS_INDEX_GUEST_DS_SELECTOR, 0x30},
    {VMCS_HOST_FS_SELECTOR, VMCS_INDEX_GUEST_FS_SELECTOR, 0x38},
    {VMCS_HOST_GS_SELECTOR, VMCS_INDEX_GUEST_GS_SELECTOR, 0x40},
    {VMCS_HOST_TR_SELECTOR, VMCS_INDEX_GUEST_TR_SELECTOR, 0x48},
    {VMCS_HOST_FS_BASE, VMCS_INDEX_GUEST_FS_BASE, 0x11000},
    {VMCS_HOST_GS_BASE, VMCS_INDEX_GUEST_GS_BASE, 0x12000},
    {VMCS_HOST_TR_BASE, VMCS_INDEX_GUEST_TR_BASE, 0x13000},
    {VMCS_HOST_GDTR_BASE, VMCS_INDEX_GUEST_GDTR_BASE, 0x14000},
    {VMCS_HOST_IDTR_BASE, VMCS_INDEX_GUEST_IDTR_BASE, 0x15000},
    {VMCS_HOST_SYSENTER_CS, VMCS_INDEX_GUEST_SYSENTER_CS, 0x50},
    {VMCS_HOST_SYSENTER_ESP, VMCS_INDEX_GUEST_SYSENTER_ESP, 0x16000},
    {VMCS_HOST_SYSENTER_EIP, VMCS_INDEX_GUEST_SYSENTER_EIP, 0x17000},
    {VMCS_HOST_CR3, VMCS_INDEX_GUEST_CR3, 0x7000},
    {VMCS_HOST_RSP, VMCS_INDEX_GUEST_RSP, 0x18000},
    {VMCS_HOST_RIP, VMCS_INDEX_GUEST_RIP, 0x19000},
    {VMCS_HOST_PAT, VMCS_INDEX_GUEST_PAT, 0x0007010600070106},
    {VMCS_HOST_EFER, VMCS_INDEX_GUEST_EFER, 0xD01},
};
enum { LOADED = sizeof(loaded) / sizeof(loaded[0]) };

static uint64_t other_value(unsigned row)
{
    enum vmcs_field host = loaded[row].host;
    return loaded[row].value ^ (host == VMCS_HOST_PAT ? 1 << 8 : host == VMCS_HOST_EFER ? 1 : 0x100);
}

/* Each of them is as `changed` says, which alone is another (LOADED: none). */
static void assert_loaded(unsigned changed)
{
    for (unsigned row = 0; row < LOADED; row++)
        if (vmcs_get(l1(), loaded[row].guest) != (row == changed ? other_value(row) : loaded[row].value))
            fail_msg("%s after a change of %s", vmcs_field_name(vmcs_field_rows[loaded[row].guest].encoding),
                     changed < LOADED ? vmcs_field_name(loaded[changed].host) : "none");
}

static void what_l1_wrote_as_its_host_state_it_finds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LOADED; i++)
        fake_vmx_write(&m, loaded[i].host, loaded[i].value);
    enter(EXIT_VMLAUNCH);
    leave();
    assert_loaded(LOADED);
    for (unsigned i = 0; i < LOADED; i++) { /* and each of them alone, changed between two exits */
        fake_vmx_write(&m, loaded[i].host, other_value(i));
        enter(EXIT_VMRESUME);
        leave();
        assert_loaded(i);
        fake_vmx_write(&m, loaded[i].host, loaded[i].value);
    }
}

/* Guest state that an entry refuses, or an entry of its MSR-load list. */
static void break_entry(bool list)
{
    const uint32_t refused[4] = {0x12345};
    memcpy(m.storage + 0x12000, refused, sizeof(refused));
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_ADDRESS, 0x12000);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, list);
    fake_vmx_write(&m, VMCS_GUEST_RFLAGS, list ? 2 : 0);
}

static void an_entry_that_fails_leaves_l1_the_host_state_as_it_is_now(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) { /* of a region that was never entered, and of one that was */
        for (unsigned i = 0; i < LOADED; i++)
            fake_vmx_write(&m, loaded[i].host, loaded[i].value);
        for (unsigned i = 0; i <= LOADED; i++) {
            break_entry(n & 1);
            if (i < LOADED)
                fake_vmx_write(&m, loaded[i].host, other_value(i));
            assert_int_equal(fake_vmx_plain(&m, n < 2 ? EXIT_VMLAUNCH : EXIT_VMRESUME), NEST_REFLECTED);
            assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON),
                             EXIT_ENTRY_FAILED | (n & 1 ? EXIT_ENTRY_MSR : EXIT_ENTRY_GUEST_STATE));
            assert_loaded(i);
            if (i < LOADED)
                fake_vmx_write(&m, loaded[i].host, loaded[i].value);
        }
        fake_vmx_write(&m, VMCS_GUEST_RFLAGS, 2);
        fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 0);
        if (n == 1)
            enter(EXIT_VMLAUNCH), leave();
    }
}

static void what_no_field_says_is_as_the_manual_has_it(void **state)
{
    (void)state;
    struct vmcs *v = &m.first.held; /* as it may have been before the entry */
    v->guest_dr7 = 0x455, v->guest_debugctl = 2, v->guest_rflags = 0x246, v->guest_ldtr_selector = 0x60;
    v->guest_ldtr_base = 0x99000, v->guest_ldtr_limit = 0x77, v->guest_activity_state = 1,
    v->guest_pending_debug_exceptions = 0x4000;
    v->guest_cs_base = v->guest_ss_base = v->guest_ds_base = v->guest_es_base = 0x55000;
    v->guest_gdtr_limit = v->guest_idtr_limit = v->guest_tr_limit = 0x1234;
    enter(EXIT_VMLAUNCH);
    leave();
    const struct {
        enum vmcs_index field;
        uint64_t value;
    } rows[] = {
        {VMCS_INDEX_GUEST_DR7, 0x400},
        {VMCS_INDEX_GUEST_DEBUGCTL, 0},
        {VMCS_INDEX_GUEST_RFLAGS, 2},
        {VMCS_INDEX_GUEST_LDTR_SELECTOR, 0},
        {VMCS_INDEX_GUEST_LDTR_BASE, 0},
        {VMCS_INDEX_GUEST_LDTR_LIMIT, 0},
        {VMCS_INDEX_GUEST_LDTR_ACCESS_RIGHTS, UNUSABLE},
        {VMCS_INDEX_GUEST_ACTIVITY_STATE, 0},
        {VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS, 0},
        {VMCS_INDEX_GUEST_CS_BASE, 0},
        {VMCS_INDEX_GUEST_SS_BASE, 0},
        {VMCS_INDEX_GUEST_DS_BASE, 0},
        {VMCS_INDEX_GUEST_ES_BASE, 0},
        {VMCS_INDEX_GUEST_GDTR_LIMIT, 0xFFFF},
        {VMCS_INDEX_GUEST_IDTR_LIMIT, 0xFFFF},
        {VMCS_INDEX_GUEST_TR_LIMIT, 0x67},
        {VMCS_INDEX_GUEST_TR_ACCESS_RIGHTS, 0x8B},
        {VMCS_INDEX_GUEST_CS_LIMIT, 0xFFFFFFFF},
        {VMCS_INDEX_GUEST_SS_LIMIT, 0xFFFFFFFF},
        {VMCS_INDEX_GUEST_DS_LIMIT, 0xFFFFFFFF},
        {VMCS_INDEX_GUEST_ES_LIMIT, 0xFFFFFFFF},
        {VMCS_INDEX_GUEST_FS_LIMIT, 0xFFFFFFFF},
        {VMCS_INDEX_GUEST_GS_LIMIT, 0xFFFFFFFF},
        {VMCS_INDEX_GUEST_CS_ACCESS_RIGHTS, 0xA09B},
        {VMCS_INDEX_GUEST_SS_ACCESS_RIGHTS, USABLE_DATA},
        {VMCS_INDEX_GUEST_DS_ACCESS_RIGHTS, UNUSABLE},
        {VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS, UNUSABLE},
        {VMCS_INDEX_GUEST_FS_ACCESS_RIGHTS, UNUSABLE},
        {VMCS_INDEX_GUEST_GS_ACCESS_RIGHTS, UNUSABLE},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (vmcs_get(l1(), rows[i].field) != rows[i].value)
            fail_msg("%s is %#llx", vmcs_field_name(vmcs_field_rows[rows[i].field].encoding),
                     (unsigned long long)vmcs_get(l1(), rows[i].field));
}

static void a_selector_of_0_is_an_unusable_segment(void **state)
{
    static const struct {
        enum vmcs_field host;
        enum vmcs_index rights;
    } rows[] = {{VMCS_HOST_DS_SELECTOR, VMCS_INDEX_GUEST_DS_ACCESS_RIGHTS},
                {VMCS_HOST_ES_SELECTOR, VMCS_INDEX_GUEST_ES_ACCESS_RIGHTS},
                {VMCS_HOST_FS_SELECTOR, VMCS_INDEX_GUEST_FS_ACCESS_RIGHTS},
                {VMCS_HOST_GS_SELECTOR, VMCS_INDEX_GUEST_GS_ACCESS_RIGHTS},
                {VMCS_HOST_SS_SELECTOR, VMCS_INDEX_GUEST_SS_ACCESS_RIGHTS}};
    (void)state;
    for (unsigned i = 0; i < 2 * 5; i++) {
        fake_vmx_write(&m, rows[i / 2].host, i % 2 ? 0 : 0x18);
        enter(i ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        leave();
        assert_int_equal(vmcs_get(l1(), rows[i / 2].rights), i % 2 ? UNUSABLE : USABLE_DATA);
    }
}

static void control_registers_are_loaded_but_for_bits_no_exit_changes(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_HOST_CR0, 0x80000021 | 1 << 1 | 1 << 16);
    fake_vmx_write(&m, VMCS_HOST_CR4, 0x2020 | 1 << 7 | 1 << 17);
    enter(EXIT_VMLAUNCH);
    leave();
    assert_int_equal(l1()->cr0_shadow, 0x80000031 | 1 << 1 | 1 << 16); /* ET, which the area has clear, is as it was */
    assert_int_equal(l1()->guest_cr0, 0x80000031 | 1 << 1 | 1 << 16);
    assert_int_equal(l1()->cr4_shadow, 0x2020 | 1 << 7 | 1 << 17);
    assert_int_equal(l1()->guest_cr4, 0x2020 | 1 << 7 | 1 << 17);
}

static void nmis_stay_blocked_unless_they_were_l2s_own_affair(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        bool virtual_nmis = n & 1, blocked = n & 2;
        fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16 | (virtual_nmis ? PIN_NMI_EXITING | PIN_VIRTUAL_NMIS : 0));
        enter(n ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        m.loaded->held.guest_interruptibility = blocked ? 8 : 0;
        leave();
        assert_int_equal(l1()->guest_interruptibility, n == 2 ? 8 : 0);
        fake_vmx_write(&m, VMCS_GUEST_INTERRUPTIBILITY, 0);
    }
}

/* ---- an L1 of 32 bits ---------------------------------------------------------------------- */

static int start_32(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    m.first.held.guest_efer = 0;
    m.first.held.guest_cs_access_rights = 0xC09B;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS, EXIT_PLAIN | EXIT_LOAD_EFER | EXIT_LOAD_PAT);
    fake_vmx_write(&m, VMCS_ENTRY_CONTROLS, 0x000011FB | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT);
    fake_vmx_write(&m, VMCS_HOST_EFER, 0);
    fake_vmx_write(&m, VMCS_GUEST_EFER, 0);
    fake_vmx_write(&m, VMCS_GUEST_CR4, 0x2000);
    fake_vmx_write(&m, VMCS_GUEST_CS_ACCESS_RIGHTS, 0xC09B);
    fake_vmx_write(&m, VMCS_HOST_CR4, 0x2000);
    return 0;
}

static void put_pdptes(uint64_t at, uint64_t first)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t entry = i == 3 ? 0 : first + i * 0x1000;
        memcpy(m.storage + at + i * 8, &entry, 8);
    }
}

static void a_32_bit_l1_has_code_of_32_bits_and_no_long_mode(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS, EXIT_PLAIN);
    enter(EXIT_VMLAUNCH);
    m.loaded->held.guest_efer = 1;
    leave();
    assert_int_equal(l1()->guest_cs_access_rights, 0xC09B);
    assert_int_equal(l1()->guest_efer, 1); /* not loaded: as L2 left it, but for the mode */
    assert_int_equal(l1()->cr4_shadow, 0x2000);
    assert_false(m.nest.long_mode);
}

static void pae_paging_of_l1_has_its_four_entries_loaded(void **state)
{
    (void)state;
    put_pdptes(0x5000, 0x30001);
    put_pdptes(0x5020, 0x40001);
    fake_vmx_write(&m, VMCS_HOST_CR4, 0x2020);
    fake_vmx_write(&m, VMCS_HOST_CR3, 0x5000);
    enter(EXIT_VMLAUNCH);
    leave();
    assert_int_equal(l1()->guest_pdpte0, 0x30001);
    assert_int_equal(l1()->guest_pdpte1, 0x31001);
    assert_int_equal(l1()->guest_pdpte2, 0x32001);
    assert_int_equal(l1()->guest_pdpte3, 0);
    fake_vmx_write(&m, VMCS_HOST_CR3, 0x5020);
    enter(EXIT_VMRESUME);
    leave();
    assert_int_equal(l1()->guest_pdpte2, 0x42001);
    put_pdptes(0x5020, 0x50001); /* L1's own storage: as it is at the exit */
    enter(EXIT_VMRESUME);
    leave();
    assert_int_equal(l1()->guest_pdpte0, 0x50001);
}

/* SDM "VMX Aborts" 2: an entry that is present with a reserved bit set */
static void a_bad_entry_is_a_vmx_abort(void **state)
{
    static const uint64_t bad[] = {1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1ull << 40, 1ull << 63};
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]); i++) {
        bool present = i % 2;
        put_pdptes(0x5000, (0x30000 | bad[i / 2]) + present);
        fake_vmx_write(&m, VMCS_HOST_CR4, 0x2020);
        enter(EXIT_VMLAUNCH);
        assert_int_equal(fake_vmx_exit(&m, &cpuid), present ? NEST_ABORT : NEST_REFLECTED);
        if (present)
            assert_int_equal(m.nest.abort_reason, 2);
        stop(state);
        start_32(state);
    }
}

static void entries_that_are_no_storage_are_a_vmx_abort(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_HOST_CR4, 0x2020);
    fake_vmx_write(&m, VMCS_HOST_CR3, FAKE_STORAGE);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_ABORT);
    assert_int_equal(m.nest.abort_reason, 2);
}

#define TEST_32(name) cmocka_unit_test_setup_teardown(name, start_32, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_l1_wrote_as_its_host_state_it_finds),
        TEST(an_entry_that_fails_leaves_l1_the_host_state_as_it_is_now),
        TEST(what_no_field_says_is_as_the_manual_has_it),
        TEST(a_selector_of_0_is_an_unusable_segment),
        TEST(control_registers_are_loaded_but_for_bits_no_exit_changes),
        TEST(nmis_stay_blocked_unless_they_were_l2s_own_affair),
        TEST_32(a_32_bit_l1_has_code_of_32_bits_and_no_long_mode),
        TEST_32(pae_paging_of_l1_has_its_four_entries_loaded),
        TEST_32(a_bad_entry_is_a_vmx_abort),
        TEST_32(entries_that_are_no_storage_are_a_vmx_abort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
