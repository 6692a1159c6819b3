/* What L1 finds after an exit, and one test for each class of bug that nested virtualization has had elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/ept.h"
#include "tests/unit/fake/vmx_machine.h"

static struct fake_vmx m;
static const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};

static int start(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_vmx_stop(&m);
    return m.complaint != NULL;
}

static void enter(enum exit_reason instruction)
{
    m.traced = NULL;
    enum nest_result result = fake_vmx_plain(&m, instruction);
    if (m.traced)
        fail_msg("entry failed: %s", m.traced);
    assert_int_equal(result, NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
}

static void leave(void)
{
    assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
}

/* ---- host state ---------------------------------------------------------------- */

static void l1_gets_the_segments_and_tables_of_its_host_state(void **state)
{
    const struct vmcs *v = &m.first.held;
    (void)state;
    fake_vmx_write(&m, VMCS_HOST_FS_BASE, 0x1000);
    fake_vmx_write(&m, VMCS_HOST_GDTR_BASE, 0x2000);
    fake_vmx_write(&m, VMCS_HOST_IDTR_BASE, 0x3000);
    fake_vmx_write(&m, VMCS_HOST_TR_BASE, 0x4000);
    fake_vmx_write(&m, VMCS_HOST_DS_SELECTOR, 0);
    enter(EXIT_VMLAUNCH);
    leave();
    assert_int_equal(v->guest_cs_selector, 8);
    assert_int_equal(v->guest_cs_access_rights, 0xA09B);
    assert_int_equal(v->guest_ss_access_rights, 0xC093);
    assert_int_equal(v->guest_ds_access_rights, 0x10000);
    assert_int_equal(v->guest_fs_base, 0x1000);
    assert_int_equal(v->guest_gdtr_base, 0x2000);
    assert_int_equal(v->guest_gdtr_limit, 0xFFFF);
    assert_int_equal(v->guest_idtr_base, 0x3000);
    assert_int_equal(v->guest_tr_base, 0x4000);
    assert_int_equal(v->guest_tr_limit, 0x67);
    assert_int_equal(v->guest_tr_access_rights, 0x8B);
    assert_int_equal(v->guest_ldtr_access_rights, 0x10000);
    assert_int_equal(v->guest_dr7, 0x400);
    assert_int_equal(v->guest_debugctl, 0);
    assert_int_equal(v->guest_activity_state, 0);
}

static void host_state_l1_changes_takes_effect_at_the_next_exit(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH);
    leave();
    fake_vmx_write(&m, VMCS_HOST_RIP, 0x9900);
    fake_vmx_write(&m, VMCS_HOST_RSP, 0x9800);
    fake_vmx_write(&m, VMCS_HOST_GS_BASE, 0x7000);
    fake_vmx_write(&m, VMCS_HOST_CR3, 0x6000);
    enter(EXIT_VMRESUME);
    leave();
    assert_int_equal(m.first.held.guest_rip, 0x9900);
    assert_int_equal(m.first.held.guest_rsp, 0x9800);
    assert_int_equal(m.first.held.guest_gs_base, 0x7000);
    assert_int_equal(m.first.held.guest_cr3, 0x6000);
}

static void efer_and_pat_not_loaded_are_what_l2_left(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS, 0x00036DFB | EXIT_HOST_LONG_MODE);
    enter(EXIT_VMLAUNCH);
    m.loaded->held.guest_efer = 0xD01;
    m.loaded->held.guest_pat = 0x0606060606060606;
    leave();
    assert_int_equal(m.first.held.guest_efer, 0xD01);
    assert_int_equal(m.first.held.guest_pat, 0x0606060606060606);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_EFER), 0xD00); /* nor saved */
    enter(EXIT_VMRESUME);
    assert_int_equal(m.loaded->held.guest_efer, 0xD00);
    assert_int_equal(m.loaded->held.guest_pat, 0x0007040600070406);
}

static void nmi_blocking_follows_the_exit(void **state)
{
    const struct exit nmi = {.reason = EXIT_EXCEPTION_NMI, .interruption_info = 0x80000202};
    (void)state;
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16 | PIN_NMI_EXITING);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(nest_nmi_arrives(&m.nest), NEST_ARRIVAL_EXIT);
    assert_int_equal(nest_reflect(&m.nest, &nmi), NEST_REFLECTED);
    assert_int_equal(m.first.held.guest_interruptibility, 8);
    enter(EXIT_VMRESUME);
    leave();
    assert_int_equal(m.first.held.guest_interruptibility, 0);
}

/* ---- control registers ------------------------------------------------------------ */

static void each_owner_of_a_control_register_bit_keeps_it(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_CR0_MASK, 8);
    fake_vmx_write(&m, VMCS_CR0_SHADOW, 8);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.loaded->held.guest_cr0, 0x80000031);
    m.loaded->held.guest_cr0 |= 4;                  /* L2's own */
    struct nest_cr cr = nest_cr_write(&m.nest, 0, 0xC0000015 | 8); /* CP's: NE off, CD on */
    m.loaded->held.guest_cr0 = cr.real;
    m.loaded->held.cr0_shadow = cr.shadow;
    assert_int_equal(cr.real & 0x60000028, 0x20);   /* CP's forced bits, and L1's bit as L1 gave it */
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR0), 0xC0000015);
    enter(EXIT_VMRESUME);
    assert_int_equal(m.loaded->held.guest_cr0, 0x80000035);
    assert_int_equal(m.loaded->held.cr0_shadow, 0xC000001D);
}

static void l1_sees_its_own_registers_behind_cps_forced_bits(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH);
    leave();
    assert_int_equal(m.first.held.cr0_shadow, 0x80000031);
    assert_int_equal(m.first.held.cr4_shadow, 0x2020);
    struct nest_cr cr = nest_cr_write(&m.nest, 0, 0xE0000011);
    assert_int_equal(cr.real, 0x80000031);
    assert_int_equal(cr.shadow, 0xE0000011);
}

static void the_guests_mode_is_saved_in_the_entry_controls(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH);
    m.loaded->held.guest_efer = 0;
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_ENTRY_CONTROLS) & ENTRY_LONG_MODE, 0);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_EFER), 0);
}

/* ---- MSR lists ----------------------------------------------------------------------- */

struct msr_entry {
    uint32_t index, reserved;
    uint64_t data;
};

static void put_list(uint64_t at, unsigned number, uint32_t index, uint64_t data)
{
    struct msr_entry entry = {index, 0, data};
    memcpy(m.storage + at + number * sizeof(entry), &entry, sizeof(entry));
}

static void msr_lists_load_and_store(void **state)
{
    struct msr_entry entry;
    (void)state;
    put_list(0x12000, 0, 0xC0000082, 0x1111);
    put_list(0x12000, 1, 0x175, 0x2222); /* SYSENTER_ESP lives in the VMCS */
    put_list(0x13000, 0, 0xC0000082, 0);
    put_list(0x13000, 1, 0x175, 0);
    put_list(0x14000, 0, 0xC0000082, 0x3333);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_ADDRESS, 0x12000);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 2);
    fake_vmx_write(&m, VMCS_EXIT_MSR_STORE_ADDRESS, 0x13000);
    fake_vmx_write(&m, VMCS_EXIT_MSR_STORE_COUNT, 2);
    fake_vmx_write(&m, VMCS_EXIT_MSR_LOAD_ADDRESS, 0x14000);
    fake_vmx_write(&m, VMCS_EXIT_MSR_LOAD_COUNT, 1);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.msrs[2], 0x1111);
    assert_int_equal(m.loaded->held.guest_sysenter_esp, 0x2222);
    leave();
    memcpy(&entry, m.storage + 0x13000, sizeof(entry));
    assert_int_equal(entry.data, 0x1111);
    memcpy(&entry, m.storage + 0x13010, sizeof(entry));
    assert_int_equal(entry.data, 0x2222);
    assert_int_equal(m.msrs[2], 0x3333);
}

static void a_bad_entry_list_fails_the_entry_with_its_number(void **state)
{
    (void)state;
    put_list(0x12000, 0, 0xC0000082, 0x1111);
    put_list(0x12000, 1, 0xC0000100, 0); /* FS.base may not be in a list */
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_ADDRESS, 0x12000);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 2);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_ENTRY_FAILED | EXIT_ENTRY_MSR);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_QUALIFICATION), 2);
}

static void a_list_over_the_edge_of_storage_fails_there(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        put_list(FAKE_STORAGE - 32, i, 0xC0000082, 7);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_ADDRESS, FAKE_STORAGE - 32);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 0xFFFFFFF);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_QUALIFICATION), 3);
}

static void a_bad_exit_list_is_a_vmx_abort_that_harms_l1_only(void **state)
{
    uint32_t indicator;
    (void)state;
    put_list(0x14000, 0, 0xC0000100, 0);
    fake_vmx_write(&m, VMCS_EXIT_MSR_LOAD_ADDRESS, 0x14000);
    fake_vmx_write(&m, VMCS_EXIT_MSR_LOAD_COUNT, 1);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_ABORT);
    assert_int_equal(m.nest.abort_reason, 4);
    memcpy(&indicator, m.storage + FAKE_VMCS + 4, 4);
    assert_int_equal(indicator, 4);
}

/* ---- time ------------------------------------------------------------------------------- */

static void l1s_timer_runs_on_through_exits_of_cps_own(void **state)
{
    const struct exit interrupt = {.reason = EXIT_EXTERNAL_INTERRUPT}, timer = {.reason = EXIT_PREEMPTION_TIMER};
    struct nest_entry entry;
    (void)state;
    m.tsc = 1000;
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16 | PIN_PREEMPTION_TIMER);
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS, 0x00036DFB | EXIT_HOST_LONG_MODE | EXIT_LOAD_EFER | EXIT_SAVE_PREEMPTION_TIMER);
    fake_vmx_write(&m, VMCS_PREEMPTION_TIMER, 100);
    enter(EXIT_VMLAUNCH);
    m.tsc += 1600;
    assert_int_equal(fake_vmx_exit(&m, &interrupt), NEST_CP);
    nest_load(&m.nest, &entry);
    assert_int_equal(entry.deadline, 1000 + (100 << 5));
    assert_int_equal(fake_vmx_exit(&m, &timer), NEST_CP); /* CP's own, earlier one */
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_PREEMPTION_TIMER), 50);
    enter(EXIT_VMRESUME);
    m.tsc += 1600;
    assert_int_equal(fake_vmx_exit(&m, &timer), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_PREEMPTION_TIMER), 0);
}

/* ---- shadowing for L1's own guests -------------------------------------------------------- */

static void put_revision(uint64_t at, uint32_t bits)
{
    uint32_t revision = (uint32_t)m.offered.msr[VMX_BASIC] | bits;
    memcpy(m.storage + at, &revision, sizeof(revision));
}

static void offer_link(void)
{
    memset(m.storage + 0x15000, 0xFF, 4096);
    memset(m.storage + 0x16000, 0xFF, 4096);
    m.storage[0x15000 + (VMCS_GUEST_RIP >> 3)] &= (uint8_t)~(1 << (VMCS_GUEST_RIP & 7));
    put_revision(0x4000, VMCS_SHADOW_INDICATOR);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VMCS_SHADOWING);
    fake_vmx_write(&m, VMCS_VMREAD_BITMAP, 0x15000);
    fake_vmx_write(&m, VMCS_VMWRITE_BITMAP, 0x16000);
    fake_vmx_write(&m, VMCS_VMCS_LINK_POINTER, 0x4000);
}

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
    assert_true(vmcs_bitmap_exits(bitmap, VMCS_PML_ADDRESS));
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

/* ---- classes of bugs found in KVM and Xen ---------------------------------------------------- */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(l1_gets_the_segments_and_tables_of_its_host_state),
        TEST(host_state_l1_changes_takes_effect_at_the_next_exit),
        TEST(efer_and_pat_not_loaded_are_what_l2_left), TEST(nmi_blocking_follows_the_exit),
        TEST(each_owner_of_a_control_register_bit_keeps_it),
        TEST(l1_sees_its_own_registers_behind_cps_forced_bits),
        TEST(the_guests_mode_is_saved_in_the_entry_controls),
        TEST(msr_lists_load_and_store), TEST(a_bad_entry_list_fails_the_entry_with_its_number),
        TEST(a_list_over_the_edge_of_storage_fails_there),
        TEST(a_bad_exit_list_is_a_vmx_abort_that_harms_l1_only),
        TEST(l1s_timer_runs_on_through_exits_of_cps_own),
        TEST(l2_reaches_the_very_region_l1_links_to),
        TEST(l2_never_runs_with_l1s_shadow_bitmap_alone),
        TEST(a_linked_vmcs_cleared_by_l1_is_no_longer_linked),
        TEST(interrupt_virtualization_is_refused_where_it_is_not_offered),
        TEST(an_intercept_cp_needs_stays_when_l1_does_without),
        TEST(inconsistent_control_registers_are_refused),
        TEST(l1s_bitmap_is_copied_not_used), TEST(a_bitmap_page_known_unchanged_is_not_read_again),
        TEST(xsetbv_of_l2_always_reaches_l1), TEST(a_triple_fault_ends_only_the_guest_that_had_it),
        TEST(vmx_state_in_use_is_freed_and_can_be_taken_up_again),
        TEST(the_virtual_apic_page_is_pinned_while_it_is_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
