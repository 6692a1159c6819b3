/* The memory way: calls that fail, by what is wrong with the page or with what it describes, and how L1 is told. */
#include "tests/unit/nest_page_scene.h"

static int start_shadow(void **state)
{
    (void)state;
    return begin(NEST_SHADOW);
}

static bool is_offered(unsigned index)
{
    return index < VMCS_FIELDS && capability_has_field(&m.offered, index);
}

/* Any note of what is not offered, in a page CP knows and in one it does not. */
static void a_note_of_what_is_not_offered_is_malformed_and_costs_nothing_else(void **state)
{
    (void)state;
    for (unsigned index = 0; index < 64 * sizeof(struct vmcs_set) / 8; index++) {
        struct vmcs_page before;
        if (is_offered(index))
            continue;
        if (index & 1)
            fake_vmx_pointer(&m, EXIT_VMCLEAR, PAGE);
        page_write(PAGE, VMCS_INDEX_GUEST_CR3, 0x100000 + index * 0x1000);
        page_at(PAGE)->written.word[index >> 6] |= 1ull << (index & 63);
        before = *page_at(PAGE);
        refuse(PAGE, NEST_PAGE_MALFORMED);
        assert_memory_equal(page_at(PAGE), &before, sizeof(before));
        page_at(PAGE)->written.word[index >> 6] &= ~(1ull << (index & 63));
        enter(PAGE); /* what else was noted is there */
        assert_int_equal(m.loaded->held.guest_cr3, 0x100000 + index * 0x1000);
        leave();
    }
}

static void every_field_that_is_offered_may_be_noted(void **state)
{
    (void)state;
    enter(PAGE);
    leave();
    for (unsigned index = 0; index < VMCS_FIELDS; index++)
        if (is_offered(index))
            vmcs_set_add(&page_at(PAGE)->written, index);
    enter(PAGE);
}

static void a_page_with_another_header_is_malformed(void **state)
{
    (void)state;
    page_at(PAGE)->revision ^= 1;
    refuse(PAGE, NEST_PAGE_MALFORMED);
    page_at(PAGE)->revision ^= 1;
    page_at(PAGE)->form = 0;
    refuse(PAGE, NEST_PAGE_MALFORMED);
    page_at(PAGE)->form = VMCS_PAGE_FORM;
    page_at(PAGE)->revision |= VMCS_SHADOW_INDICATOR;
    refuse(PAGE, NEST_PAGE_MALFORMED); /* to be linked to, not entered */
    fake_vmx_pointer(&m, EXIT_VMCLEAR, PAGE);
    page_at(PAGE)->revision &= ~VMCS_SHADOW_INDICATOR;
    enter(PAGE);
}

static void an_address_that_is_no_page_of_ram_is_refused(void **state)
{
    static const uint64_t bad[] = {PAGE + 1, PAGE + 8, PAGE + 0x800, FAKE_STORAGE, 1ull << 39, 1ull << 40 | PAGE,
                                   1ull << 63 | PAGE, ~0ull, ~0xFFFull, FAKE_VMXON};
    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuse(bad[i], NEST_PAGE_ADDRESS);
    m.device_from = PAGE;
    refuse(PAGE, NEST_PAGE_ADDRESS);
}

static void a_region_that_vmptrld_has_is_no_page(void **state)
{
    (void)state;
    make_page(PAGE_B);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, PAGE_B); /* its revision is a region's */
    refuse(PAGE_B, NEST_PAGE_ADDRESS);
    fake_vmx_pointer(&m, EXIT_VMCLEAR, PAGE_B);
    make_page(PAGE_B);
    enter(PAGE_B);
}

static void a_refused_page_does_not_become_current(void **state)
{
    (void)state;
    enter(PAGE);
    leave();
    stamp_page(PAGE_B, VMCS_SHADOW_INDICATOR);
    refuse(PAGE_B, NEST_PAGE_MALFORMED);
    assert_int_equal(m.nest.current->gpa, PAGE);
    make_page(PAGE_B + 0x100000);
    enter(PAGE);
    leave();
    page_at(PAGE_B + 0x100000)->written.word[0] = ~0ull;
    refuse(PAGE_B + 0x100000, NEST_PAGE_MALFORMED);
    assert_int_equal(m.nest.current->gpa, PAGE);
}

static void outside_vmx_operation_and_in_lesser_modes_it_is_not_offered(void **state)
{
    (void)state;
    refuse(PAGE, NEST_PAGE_NOT_OFFERED); /* NEST_SHADOW */
    stop(NULL);
    fake_vmx_start(&m, NEST_MEMORY);
    stamp_page(PAGE, 0);
    refuse(PAGE, NEST_PAGE_NOT_OFFERED);
    fake_vmx_enter_operation(&m);
    make_page(PAGE);
    enter(PAGE);
    leave();
    fake_vmx_plain(&m, EXIT_VMXOFF);
    refuse(PAGE, NEST_PAGE_NOT_OFFERED);
    fake_vmx_enter_operation(&m);
    enter(PAGE);
}

static void without_a_way_to_pages_there_is_no_such_address(void **state)
{
    (void)state;
    m.host.page = NULL;
    refuse(PAGE, NEST_PAGE_ADDRESS);
}

/* ---- VMfail and late failures -------------------------------------------------------------- */

static void a_vmfail_puts_its_number_into_the_page(void **state)
{
    (void)state;
    page_write(PAGE, VMCS_INDEX_PIN_CONTROLS, 0);
    refuse(PAGE, NEST_PAGE_FAILED);
    assert_int_equal(page_at(PAGE)->fields.instruction_error, VM_ERROR_CONTROLS);
    assert_true(told(PAGE, VMCS_INDEX_INSTRUCTION_ERROR));
    page_write(PAGE, VMCS_INDEX_PIN_CONTROLS, 0x16);
    page_write(PAGE, VMCS_INDEX_HOST_RIP, 1ull << 60);
    refuse(PAGE, NEST_PAGE_FAILED);
    assert_int_equal(page_at(PAGE)->fields.instruction_error, VM_ERROR_HOST_STATE);
    page_write(PAGE, VMCS_INDEX_HOST_RIP, 0x8100);
    enter(PAGE);
}

static void l2_invalid_state_reaches_l1_in_the_page(void **state)
{
    (void)state;
    page_at(PAGE)->rax = 5, page_at(PAGE)->rbx = 6;
    page_write(PAGE, VMCS_INDEX_GUEST_RFLAGS, 0);
    assert_int_equal(call(PAGE), NEST_REFLECTED);
    assert_int_equal(page_at(PAGE)->fields.exit_reason, EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED);
    assert_true(told(PAGE, VMCS_INDEX_EXIT_REASON) && told(PAGE, VMCS_INDEX_EXIT_QUALIFICATION));
    assert_int_equal(m.loaded->held.guest_rip, 0x8100);
    assert_int_equal(m.loaded->held.guest_rsp, 0x8800);
    assert_int_equal(m.gpr[RAX], 5);
    assert_int_equal(m.gpr[RBX], 6);
    page_write(PAGE, VMCS_INDEX_GUEST_RFLAGS, 2);
    enter(PAGE);
}

static void an_msr_that_cannot_be_loaded_reaches_l1_in_the_page(void **state)
{
    const uint64_t list[] = {0xC0000081, 1, 0x99999999, 2};
    (void)state;
    memcpy(m.storage + 0x50000, list, sizeof(list));
    page_write(PAGE, VMCS_INDEX_ENTRY_MSR_LOAD_ADDRESS, 0x50000);
    page_write(PAGE, VMCS_INDEX_ENTRY_MSR_LOAD_COUNT, 2);
    assert_int_equal(call(PAGE), NEST_REFLECTED);
    assert_int_equal(page_at(PAGE)->fields.exit_reason, EXIT_ENTRY_MSR | EXIT_ENTRY_FAILED);
    assert_int_equal(page_at(PAGE)->fields.exit_qualification, 2);
    assert_int_equal(m.loaded->held.guest_rip, 0x8100);
}

static void an_entry_hardware_refuses_looks_like_a_failed_call(void **state)
{
    (void)state;
    page_at(PAGE)->rbx = 77;
    enter(PAGE);
    assert_int_equal(nest_entry_refused(&m.nest), NEST_REFLECTED);
    assert_int_equal(page_at(PAGE)->fields.instruction_error, VM_ERROR_CONTROLS);
    assert_int_equal(m.gpr[RBX], PAGE);
    assert_int_equal(m.loaded->held.guest_rip, 0x8004);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_note_of_what_is_not_offered_is_malformed_and_costs_nothing_else),
        TEST(every_field_that_is_offered_may_be_noted),
        TEST(a_page_with_another_header_is_malformed),
        TEST(an_address_that_is_no_page_of_ram_is_refused),
        TEST(a_region_that_vmptrld_has_is_no_page),
        TEST(a_refused_page_does_not_become_current),
        cmocka_unit_test_setup_teardown(outside_vmx_operation_and_in_lesser_modes_it_is_not_offered, start_shadow,
                                        stop),
        TEST(without_a_way_to_pages_there_is_no_such_address),
        TEST(a_vmfail_puts_its_number_into_the_page),
        TEST(l2_invalid_state_reaches_l1_in_the_page),
        TEST(an_msr_that_cannot_be_loaded_reaches_l1_in_the_page),
        TEST(an_entry_hardware_refuses_looks_like_a_failed_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
