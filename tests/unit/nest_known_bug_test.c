/* One test for each class of bug that nested virtualization has had elsewhere, in KVM and Xen. */
#include "tests/unit/nest_l2_scene.h"

/* CVE-2021-3653: interrupt virtualization that was not offered got through to hardware */
static void interrupt_virtualization_is_refused_where_it_is_not_offered(void **state)
{
    static const uint32_t controls[] = {CPU2_APIC_ACCESSES, CPU2_X2APIC_MODE, CPU2_APIC_REGISTERS,
                                        CPU2_VIRTUAL_INTERRUPT_DELIVERY};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | controls[i]);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_SKIP);
        assert_int_equal(fake_vmx_read(&m, VMCS_INSTRUCTION_ERROR), 7);
    }
}

/* CVE-2021-3656: L1 switched off an intercept the hypervisor needs */
static void an_intercept_cp_needs_stays_when_l1_does_without(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, 0x04006172 | CPU_SECONDARY_CONTROLS);
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16);
    enter(EXIT_VMLAUNCH);
    const struct vmcs *v = &m.loaded->held;
    assert_int_equal(m.base.pin_controls & ~v->pin_controls, 0);
    assert_true(v->processor_controls & CPU_HLT_EXITING);
    assert_true(v->processor_controls & CPU_UNCONDITIONAL_IO_EXITING);
    assert_true(v->processor_controls & CPU_CR8_LOAD_EXITING);
    const struct exit hlt = {.reason = EXIT_HLT}, io = {.reason = EXIT_IO, .qualification = 0x800000};
    assert_int_equal(fake_vmx_exit(&m, &hlt), NEST_CP); /* invisible to L1 */
    assert_int_equal(fake_vmx_exit(&m, &io), NEST_CP);
}

/* CVE-2023-30456: inconsistent CR0 and CR4 of the guest were not refused */
static void inconsistent_control_registers_are_refused(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_GUEST_CR0, 0x80000030); /* paging without protection */
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_ENTRY_FAILED | EXIT_ENTRY_GUEST_STATE);
    fake_vmx_write(&m, VMCS_GUEST_CR0, 0x80000031);
    fake_vmx_write(&m, VMCS_GUEST_CR4, 0x2000); /* long mode without PAE */
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_REFLECTED);
}

/* Double fetch: what L1 changes after the entry was judged has no effect on what runs. */
static void l1s_bitmap_is_copied_not_used(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, 0x04006172 | CPU_SECONDARY_CONTROLS | CPU_MSR_BITMAPS);
    fake_vmx_write(&m, VMCS_MSR_BITMAP, 0x10000);
    m.storage[0x10000] = 0xF0;
    enter(EXIT_VMLAUNCH);
    const uint8_t *bitmap = (const uint8_t *)(uintptr_t)m.loaded->held.msr_bitmap;
    assert_int_equal(bitmap[0], 0xFF); /* CP's ones and L1's */
    assert_int_equal(bitmap[1], 0x0F);
    m.storage[0x10000] = 0;
    assert_int_equal(bitmap[0], 0xFF);
    leave();
    enter(EXIT_VMRESUME);
    bitmap = (const uint8_t *)(uintptr_t)m.loaded->held.msr_bitmap;
    assert_int_equal(bitmap[0], 0x0F); /* L1's change counts from its next entry on */
}

static void a_bitmap_page_known_unchanged_is_not_read_again(void **state)
{
    (void)state;
    m.versions = 5;
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, 0x04006172 | CPU_SECONDARY_CONTROLS | CPU_MSR_BITMAPS);
    fake_vmx_write(&m, VMCS_MSR_BITMAP, 0x10000);
    enter(EXIT_VMLAUNCH);
    leave();
    unsigned read = m.page_reads;
    enter(EXIT_VMRESUME);
    leave();
    assert_int_equal(m.page_reads, read);
    m.versions = 6;
    m.storage[0x10001] = 0xF0;
    enter(EXIT_VMRESUME);
    assert_int_equal(((const uint8_t *)(uintptr_t)m.loaded->held.msr_bitmap)[1], 0xFF);
    leave();
    fake_vmx_write(&m, VMCS_MSR_BITMAP, 0x11000); /* another page with the same version */
    enter(EXIT_VMRESUME);
    assert_int_equal(((const uint8_t *)(uintptr_t)m.loaded->held.msr_bitmap)[1], 0x0F);
}

/* XSETBV of L2 is L1's to judge, whatever its controls */
static void xsetbv_of_l2_always_reaches_l1(void **state)
{
    const struct exit xsetbv = {.reason = EXIT_XSETBV, .instruction_length = 3};
    (void)state;
    enter(EXIT_VMLAUNCH);
    assert_int_equal(fake_vmx_exit(&m, &xsetbv), NEST_REFLECTED);
}

/* A triple fault of L2 is L1's to hear of, and L1 lives. */
static void a_triple_fault_ends_only_the_guest_that_had_it(void **state)
{
    const struct exit triple = {.reason = EXIT_TRIPLE_FAULT};
    (void)state;
    enter(EXIT_VMLAUNCH);
    assert_int_equal(fake_vmx_exit(&m, &triple), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_TRIPLE_FAULT);
    assert_int_equal(m.first.held.guest_rip, 0x8100);
}

/* VMXOFF and reset while everything is in use */
static void vmx_state_in_use_is_freed_and_can_be_taken_up_again(void **state)
{
    (void)state;
    m.storage[0x5000] = 1;
    offer_link();
    enter(EXIT_VMLAUNCH);
    leave();
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMXOFF), NEST_SKIP);
    assert_int_equal(m.regions_held, 0);
    assert_int_equal(m.frames_held, 3);
    assert_null(m.link);
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    enter(EXIT_VMLAUNCH);
}

/* A page hardware writes to stays pinned until hardware is told of another. */
static void the_virtual_apic_page_is_pinned_while_it_is_in_use(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, 0x04006172 | CPU_SECONDARY_CONTROLS | CPU_TPR_SHADOW);
    fake_vmx_write(&m, VMCS_VIRTUAL_APIC_ADDRESS, 0x17000);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.pins, 1);
    assert_int_equal(m.loaded->held.virtual_apic_address, 0x100017000);
    leave();
    assert_int_equal(m.pins, 1);
    fake_vmx_write(&m, VMCS_VIRTUAL_APIC_ADDRESS, 0x18000);
    enter(EXIT_VMRESUME);
    assert_int_equal(m.pins, 1);
    assert_int_equal(m.loaded->held.virtual_apic_address, 0x100018000);
    leave();
    fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMCS);
    assert_int_equal(m.pins, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(interrupt_virtualization_is_refused_where_it_is_not_offered),
        TEST(an_intercept_cp_needs_stays_when_l1_does_without),
        TEST(inconsistent_control_registers_are_refused),
        TEST(l1s_bitmap_is_copied_not_used),
        TEST(a_bitmap_page_known_unchanged_is_not_read_again),
        TEST(xsetbv_of_l2_always_reaches_l1),
        TEST(a_triple_fault_ends_only_the_guest_that_had_it),
        TEST(vmx_state_in_use_is_freed_and_can_be_taken_up_again),
        TEST(the_virtual_apic_page_is_pinned_while_it_is_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
