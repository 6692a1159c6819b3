/* VMCS shadowing for L1's own guests: the region L1 links to, and its bitmaps. */
#include "nest/active.h"
#include "tests/unit/nest_l2_scene.h"

static void l2_reaches_the_very_region_l1_links_to(void **state)
{
    (void)state;
    put_revision(0x4000, VMCS_SHADOW_INDICATOR);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4000);
    struct fake_region *region = m.link;
    fake_vmx_write(&m, VMCS_GUEST_RIP, 0x777);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS);
    offer_link();
    enter(EXIT_VMLAUNCH);
    const struct vmcs *v = &m.loaded->held;
    assert_int_equal(v->vmcs_link_pointer, (uint64_t)(uintptr_t)region);
    assert_true(v->secondary_controls & CPU2_VMCS_SHADOWING);
    assert_int_equal(region->held.guest_rip, 0x777);
    const uint8_t *bitmap = (const uint8_t *)(uintptr_t)v->vmread_bitmap;
    assert_false(vmcs_bitmap_exits(bitmap, VMCS_GUEST_RIP));
    assert_true(vmcs_bitmap_exits(bitmap, VMCS_GUEST_RSP)); /* L1 did not let it through */
}

static void l2_never_runs_with_l1s_shadow_bitmap_alone(void **state)
{
    (void)state;
    offer_link();
    memset(m.storage + 0x15000, 0, 4096); /* L1 lets everything through */
    enter(EXIT_VMLAUNCH);
    const uint8_t *bitmap = (const uint8_t *)(uintptr_t)m.loaded->held.vmread_bitmap;
    assert_true(vmcs_bitmap_exits(bitmap, VMCS_APIC_ACCESS_ADDRESS));
    assert_true(vmcs_bitmap_exits(bitmap, 0x7FFE));
    assert_false(vmcs_bitmap_exits(bitmap, VMCS_EPT_POINTER));
}

static void a_linked_vmcs_cleared_by_l1_is_no_longer_linked(void **state)
{
    (void)state;
    offer_link();
    enter(EXIT_VMLAUNCH);
    leave();
    fake_vmx_pointer(&m, EXIT_VMCLEAR, 0x4000);
    enter(EXIT_VMRESUME); /* made active again, from storage */
    assert_ptr_equal(m.nest.current->link, nest_active_find(&m.nest, 0x4000));
    assert_int_equal(m.loaded->held.vmcs_link_pointer, (uint64_t)(uintptr_t)m.nest.current->link->shadow_region);
}

static void without_a_frame_for_a_linked_vmcs_the_machine_stops(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH);
    leave();
    offer_link();
    m.frames_limit = m.frames_held;
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_NO_FRAMES);
    assert_null(m.nest.current->link);
    m.frames_limit = FAKE_FRAMES;
    enter(EXIT_VMRESUME);
    assert_non_null(m.nest.current->link);
}

/* L1 made it a shadow VMCS in storage without clearing it: what is active still is the plain one. */
static void a_vmcs_that_is_active_as_a_plain_one_is_linked_once_l1_cleared_it(void **state)
{
    (void)state;
    put_revision(0x4000, 0);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4000);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS);
    offer_link();
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.loaded->held.vmcs_link_pointer, NEST_NO_ADDRESS);
    assert_false(m.loaded->held.secondary_controls & CPU2_VMCS_SHADOWING);
    leave();
    fake_vmx_pointer(&m, EXIT_VMCLEAR, 0x4000);
    enter(EXIT_VMRESUME);
    assert_non_null(m.nest.current->link);
    assert_int_equal(m.loaded->held.vmcs_link_pointer, (uint64_t)(uintptr_t)m.nest.current->link->shadow_region);
}

/* What a region holds may be written by L1 as long as it is not active. */
static void a_link_pointer_without_vmcs_shadowing_makes_nothing_active(void **state)
{
    struct nest_region *region = (void *)(m.storage + 0x4000);
    (void)state;
    put_revision(0x4000, 0);
    fake_vmx_write(&m, VMCS_VMCS_LINK_POINTER, 0x4000);
    enter(EXIT_VMLAUNCH);
    leave();
    region->fields.guest_rip = 0x777;
    fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4000);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RIP), 0x777);
}

/* L2's VMREAD of RCX to RDX, or VMWRITE, that hardware did not carry out though L1 lets it through. */
static enum nest_result l2_executes(enum exit_reason reason, uint32_t operands)
{
    const struct exit exit = {.reason = reason, .instruction_length = 3, .instruction_info = operands};
    m.gpr[1] = VMCS_GUEST_RIP;
    return fake_vmx_exit(&m, &exit);
}

enum { REGISTERS = 1 << 10 | 1 << 28 | 2 << 3, AT_RAX = 1 << 28 | 2 << 7 | 1 << 22 };

static void link_and_enter(void)
{
    offer_link();
    memset(m.storage + 0x15000, 0, 4096);
    memset(m.storage + 0x16000, 0, 4096);
    enter(EXIT_VMLAUNCH);
    m.nest.current->link->vmcs12.guest_rip = 0x777;
    ((struct fake_region *)m.nest.current->link->shadow_region)->held.guest_rip = 0x777;
    ((struct fake_region *)m.nest.current->link->shadow_region)->memory.guest_rip = 0x777;
    m.gpr[2] = 0x5555;
}

/* SDM "Conventions": a number goes to the current VMCS, which is L1's, and not to the one that is linked. */
static void the_number_of_l2s_vmfail_is_l1s_to_read(void **state)
{
    (void)state;
    link_and_enter();
    const struct exit read = {.reason = EXIT_VMREAD, .instruction_length = 3, .instruction_info = REGISTERS};
    const struct exit write = {.reason = EXIT_VMWRITE, .instruction_length = 3, .instruction_info = REGISTERS};
    m.gpr[1] = 0x6C3E;
    assert_int_equal(fake_vmx_exit(&m, &read), NEST_SKIP);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_VALID);
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_INSTRUCTION_ERROR), 12);
    m.offered.msr[VMX_MISC] &= ~(uint64_t)VMX_MISC_VMWRITE_ANY;
    enter(EXIT_VMRESUME);
    m.gpr[1] = VMCS_EXIT_REASON;
    assert_int_equal(fake_vmx_exit(&m, &write), NEST_SKIP);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_VALID);
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_INSTRUCTION_ERROR), 13);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4000);
    assert_int_equal(fake_vmx_read(&m, VMCS_INSTRUCTION_ERROR), 0);
}

static void set_level(unsigned level)
{
    m.loaded->held.guest_ss_access_rights = (m.loaded->held.guest_ss_access_rights & ~0x60u) | level << 5;
}

static void a_linked_vmcs_is_its_kernels_alone(void **state)
{
    (void)state;
    link_and_enter();
    struct fake_region *shadow = m.nest.current->link->shadow_region;
    for (unsigned level = 1; level <= 3; level++) {
        set_level(level);
        assert_int_equal(l2_executes(EXIT_VMREAD, REGISTERS), NEST_FAULT);
        assert_int_equal(m.nest.fault.vector, 13);
        assert_int_equal(l2_executes(EXIT_VMWRITE, REGISTERS), NEST_FAULT);
        assert_int_equal(m.nest.fault.vector, 13);
        assert_int_equal(m.nest.fault.error, 0);
        assert_int_equal(m.gpr[2], 0x5555);
        assert_int_equal(shadow->held.guest_rip | shadow->memory.guest_rip, 0x777);
    }
    set_level(0);
    assert_int_equal(l2_executes(EXIT_VMREAD, REGISTERS), NEST_SKIP);
    assert_int_equal(m.gpr[2], 0x777);
}

static void a_linked_vmcs_is_reached_in_no_mode_that_has_no_vmx_instructions(void **state)
{
    (void)state;
    link_and_enter();
    m.nest.policy.nested_page_tables = true; /* where the processor has SVM, nobody else has asked */
    const struct vmcs before = m.loaded->held;
    for (unsigned mode = 0; mode < 3; mode++) {
        struct vmcs *l2 = &m.loaded->held;
        *l2 = before;
        l2->guest_cr0 &= mode == 0 ? ~1ull : ~0ull;
        l2->guest_rflags |= mode == 1 ? 1 << 17 : 0;
        l2->guest_cs_access_rights &= mode == 2 ? ~(1u << 13) : ~0u;
        assert_int_equal(l2_executes(EXIT_VMREAD, REGISTERS), NEST_FAULT);
        assert_int_equal(m.nest.fault.vector, 6);
        l2->guest_ss_access_rights |= 3 << 5; /* and that comes first */
        assert_int_equal(l2_executes(EXIT_VMWRITE, REGISTERS), NEST_FAULT);
        assert_int_equal(m.nest.fault.vector, 6);
    }
    m.nest.policy.nested_page_tables = false;
}

static void the_size_of_an_operand_is_that_of_l2s_mode(void **state)
{
    (void)state;
    link_and_enter();
    struct fake_region *shadow = m.nest.current->link->shadow_region;
    shadow->held.guest_rip = shadow->memory.guest_rip = 0x1122334455667788;
    m.loaded->held.guest_efer &= ~0x400ull; /* L1 is in IA-32e mode */
    assert_int_equal(l2_executes(EXIT_VMREAD, REGISTERS), NEST_SKIP);
    assert_int_equal(m.gpr[2], 0x55667788);
    m.loaded->held.guest_efer |= 0x400;
    assert_int_equal(l2_executes(EXIT_VMREAD, REGISTERS), NEST_SKIP);
    assert_int_equal(m.gpr[2], 0x1122334455667788);
}

static void an_operand_that_faults_is_l2s_page_fault(void **state)
{
    (void)state;
    link_and_enter();
    m.gpr[0] = 0x7000;
    m.fault_linear = 0x7000;
    assert_int_equal(l2_executes(EXIT_VMREAD, AT_RAX | 1 << 27), NEST_SKIP); /* without a base: address 0 */
    assert_int_equal(l2_executes(EXIT_VMREAD, AT_RAX), NEST_FAULT);
    assert_int_equal(m.nest.fault.vector, 14);
    assert_int_equal(m.nest.fault.cr2, 0x7000);
    assert_true(m.nest.in_guest);
}

static void an_operand_that_l1s_ept_forbids_is_told_to_who_knows_where(void **state)
{
    (void)state;
    link_and_enter();
    m.gpr[0] = m.fault_linear = 0x7000;
    m.fault_is_ept = true;
    assert_int_equal(l2_executes(EXIT_VMREAD, AT_RAX), NEST_FORBIDDEN);
    assert_int_equal(l2_executes(EXIT_VMWRITE, AT_RAX), NEST_FORBIDDEN);
    assert_true(m.nest.in_guest); /* its EPT violation is yet to come */
}

static void what_l2_does_to_a_linked_vmcs_does_not_link_l1_to_it(void **state)
{
    (void)state;
    link_and_enter();
    struct fake_region *of_l1 = m.link;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(l2_executes(i % 2 ? EXIT_VMREAD : EXIT_VMWRITE, REGISTERS), NEST_SKIP);
    assert_ptr_equal(m.link, of_l1);
    leave();
    assert_ptr_equal(m.link, of_l1);
}

/* It is not used by itself for long, and is what L2 may read and write at any time. */
static void a_linked_vmcs_does_not_make_room_for_others(void **state)
{
    (void)state;
    offer_link();
    enter(EXIT_VMLAUNCH);
    leave();
    fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS); /* used later than what it links to */
    for (unsigned i = 0; i < NEST_ACTIVE - 1; i++) {
        put_revision(0x100000 + i * 0x1000, 0);
        fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x100000 + i * 0x1000);
    }
    assert_null(nest_active_find(&m.nest, FAKE_VMCS));
    assert_non_null(nest_active_find(&m.nest, 0x4000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_number_of_l2s_vmfail_is_l1s_to_read),
        TEST(l2_reaches_the_very_region_l1_links_to),
        TEST(l2_never_runs_with_l1s_shadow_bitmap_alone),
        TEST(a_linked_vmcs_is_its_kernels_alone),
        TEST(a_linked_vmcs_is_reached_in_no_mode_that_has_no_vmx_instructions),
        TEST(the_size_of_an_operand_is_that_of_l2s_mode),
        TEST(an_operand_that_faults_is_l2s_page_fault),
        TEST(an_operand_that_l1s_ept_forbids_is_told_to_who_knows_where),
        TEST(what_l2_does_to_a_linked_vmcs_does_not_link_l1_to_it),
        TEST(a_linked_vmcs_does_not_make_room_for_others),
        TEST(a_linked_vmcs_cleared_by_l1_is_no_longer_linked),
        TEST(without_a_frame_for_a_linked_vmcs_the_machine_stops),
        TEST(a_vmcs_that_is_active_as_a_plain_one_is_linked_once_l1_cleared_it),
        TEST(a_link_pointer_without_vmcs_shadowing_makes_nothing_active),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
