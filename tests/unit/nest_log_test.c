/* The page-modification log that CP writes for L1: what is logged and when, and what a full one keeps from happening.
 * SDM "Page-Modification Logging". */
#include "tests/unit/nest_ept_scene.h"

enum { LOG = 0x120000, ENTRIES = 512, TARGET = 0x9000, FULL = 0xFFFF };

static uint64_t quad(uint64_t at)
{
    uint64_t value;
    memcpy(&value, m.storage + at, sizeof(value));
    return value;
}

static uint64_t logged(unsigned n) { return quad(LOG + n * 8ull); }
static uint64_t leaf(uint64_t gpa2) { return quad(PT + (gpa2 >> 12) * 8); }
static uint64_t log_index(void) { return fake_vmx_read(&m, VMCS_PML_INDEX); }

/* L2's pages 0 to 15, of which `flags` are set already, as all tables above are accessed; the log with so much room. */
static void begin(uint64_t flags, uint64_t room, uint64_t eptp_flags)
{
    entry_put(PML4, PDPT | EPT_ACCESSED | RWX);
    entry_put(PDPT, PD | EPT_ACCESSED | RWX);
    entry_put(PD, PT | EPT_ACCESSED | RWX);
    for (unsigned n = 0; n < 16; n++)
        entry_put(PT + n * 8, (TARGET + n * 0x1000ull) | flags | RWX | WRITE_BACK);
    memset(m.storage + LOG, 0, 4096);
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_EPT_POINTER, PML4 | 3 << 3 | 6 | eptp_flags);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_PML);
    fake_vmx_write(&m, VMCS_PML_ADDRESS, LOG);
    fake_vmx_write(&m, VMCS_PML_INDEX, room - 1);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
}

static enum nest_result access(uint64_t gpa2, unsigned kind)
{
    uint64_t hpa;
    return touch(gpa2, kind, &hpa);
}

static void leave(void)
{
    const struct exit exit = {.reason = EXIT_CPUID, .instruction_length = 2};
    assert_int_equal(fake_vmx_exit(&m, &exit), NEST_REFLECTED);
}

static void assert_full(uint64_t qualification)
{
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_PML_FULL);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_QUALIFICATION), qualification);
}

static void a_page_that_becomes_dirty_is_logged_once_by_its_page_and_from_the_end(void **state)
{
    (void)state;
    begin(0, ENTRIES, EPTP_ACCESSED_DIRTY);
    assert_int_equal(access(0x3123, EPT_READ), NEST_RESUME);
    assert_int_equal(access(0x5678, EPT_WRITE), NEST_RESUME);
    assert_int_equal(access(0x5FFF, EPT_WRITE), NEST_RESUME);
    assert_int_equal(access(0x4800, EPT_READ | EPT_WRITE), NEST_RESUME);
    leave();
    assert_int_equal(log_index(), ENTRIES - 3);
    assert_int_equal(logged(ENTRIES - 1), 0x5000);
    assert_int_equal(logged(ENTRIES - 2), 0x4000);
    assert_int_equal(logged(ENTRIES - 3), 0);
    assert_int_equal(leaf(0x3000) & (EPT_ACCESSED | EPT_DIRTY), EPT_ACCESSED);
    assert_int_equal(leaf(0x5000) & (EPT_ACCESSED | EPT_DIRTY), EPT_ACCESSED | EPT_DIRTY);
}

static void one_that_is_dirty_already_is_not(void **state)
{
    (void)state;
    begin(EPT_ACCESSED | EPT_DIRTY, ENTRIES, EPTP_ACCESSED_DIRTY);
    assert_int_equal(access(0x5678, EPT_WRITE), NEST_RESUME);
    leave();
    assert_int_equal(log_index(), ENTRIES - 1);
}

static void nothing_is_logged_without_dirty_flags(void **state)
{
    (void)state;
    begin(0, 0, 0);
    assert_int_equal(access(0x5678, EPT_WRITE), NEST_RESUME);
    leave();
    assert_int_equal(log_index(), FULL);
    assert_int_equal(leaf(0x5000) & (EPT_ACCESSED | EPT_DIRTY), 0);
}

static void the_index_goes_from_0_to_ffff_and_then_the_log_is_full(void **state)
{
    (void)state;
    begin(EPT_ACCESSED, 1, EPTP_ACCESSED_DIRTY);
    assert_int_equal(access(0x5000, EPT_WRITE), NEST_RESUME);
    assert_int_equal(access(0x6000, EPT_WRITE), NEST_REFLECTED);
    assert_full(0);
    assert_int_equal(log_index(), FULL);
    assert_int_equal(logged(0), 0x5000);
    assert_int_equal(leaf(0x6000) & EPT_DIRTY, 0);
}

static void a_full_log_keeps_every_flag_from_being_set_and_no_access_that_needs_none(void **state)
{
    static const struct {
        uint64_t flags;
        unsigned kind;
        bool exits;
    } rows[] = {
        {0, EPT_READ, true}, {0, EPT_WRITE, true}, {0, EPT_EXECUTE, true},
        {EPT_ACCESSED, EPT_READ, false}, {EPT_ACCESSED, EPT_WRITE, true},
        {EPT_DIRTY, EPT_READ, true}, {EPT_DIRTY, EPT_WRITE, true},
        {EPT_ACCESSED | EPT_DIRTY, EPT_WRITE, false}, {EPT_ACCESSED | EPT_DIRTY, EPT_EXECUTE, false},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(rows[i].flags, 0, EPTP_ACCESSED_DIRTY);
        assert_int_equal(access(0x5678, rows[i].kind), rows[i].exits ? NEST_REFLECTED : NEST_RESUME);
        assert_int_equal(leaf(0x5000) & (EPT_ACCESSED | EPT_DIRTY), rows[i].flags);
        assert_int_equal(stop(state), 0);
        start(state);
    }
}

/* A flag of a table above needs room as well. */
static void so_does_the_flag_of_a_table(void **state)
{
    (void)state;
    begin(EPT_ACCESSED | EPT_DIRTY, 0, EPTP_ACCESSED_DIRTY);
    entry_put(PD, PT | RWX);
    assert_int_equal(access(0x5678, EPT_READ), NEST_REFLECTED);
    assert_full(0);
    assert_int_equal(quad(PD) & EPT_ACCESSED, 0);
}

static void an_index_beyond_the_page_is_full_and_one_at_its_end_is_not(void **state)
{
    static const uint64_t indexes[] = {512, 0x7FFF, 0x8000, 0xFFFF};
    for (unsigned i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        begin(0, indexes[i] + 1, EPTP_ACCESSED_DIRTY);
        assert_int_equal(access(0x5000, EPT_WRITE), NEST_REFLECTED);
        assert_full(0);
        assert_int_equal(log_index(), indexes[i]);
        assert_int_equal(stop(state), 0);
        start(state);
    }
    begin(0, ENTRIES, EPTP_ACCESSED_DIRTY);
    assert_int_equal(access(0x5000, EPT_WRITE), NEST_RESUME);
}

/* SDM "Information About NMI Unblocking Due to IRET"; and an event that was on its way. */
static void an_exit_by_a_full_log_tells_of_an_iret_and_of_an_event(void **state)
{
    const struct exit exit = {.reason = EXIT_EPT_VIOLATION, .qualification = EPT_WRITE | 0x180 | 1 << 12,
                              .guest_physical = 0x5000, .guest_linear = 0x5000, .idt_vectoring_info = 0x80000030};
    (void)state;
    begin(0, 0, EPTP_ACCESSED_DIRTY);
    assert_int_equal(fake_vmx_exit(&m, &exit), NEST_REFLECTED);
    assert_full(1 << 12);
    assert_int_equal(fake_vmx_read(&m, VMCS_IDT_VECTORING_INFO), 0x80000030);
}

/* CP's own writes to L2's memory count as L2's; what it only looks at needs no room. */
static void what_cp_writes_for_l2_is_logged_and_what_it_reads_is_not_kept_from_it(void **state)
{
    uint64_t gpa;
    (void)state;
    begin(0, 1, EPTP_ACCESSED_DIRTY);
    assert_true(nest_translate(&m.nest, 0x5678, NEST_WRITE, &gpa));
    assert_int_equal(gpa, TARGET + 0x5678);
    assert_int_equal(logged(0), 0x5000);
    assert_false(nest_translate(&m.nest, 0x6678, NEST_WRITE, &gpa));
    assert_true(nest_translate(&m.nest, 0x7678, NEST_READ, &gpa));
    leave();
    assert_int_equal(log_index(), FULL);
    assert_int_equal(leaf(0x6000) & EPT_DIRTY, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_that_becomes_dirty_is_logged_once_by_its_page_and_from_the_end),
        TEST(one_that_is_dirty_already_is_not),
        TEST(nothing_is_logged_without_dirty_flags),
        TEST(the_index_goes_from_0_to_ffff_and_then_the_log_is_full),
        TEST(a_full_log_keeps_every_flag_from_being_set_and_no_access_that_needs_none),
        TEST(so_does_the_flag_of_a_table),
        TEST(an_index_beyond_the_page_is_full_and_one_at_its_end_is_not),
        TEST(an_exit_by_a_full_log_tells_of_an_iret_and_of_an_event),
        TEST(what_cp_writes_for_l2_is_logged_and_what_it_reads_is_not_kept_from_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
