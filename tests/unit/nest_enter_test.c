/* A guest hypervisor's round trip: VMLAUNCH, an exit of its guest, VMRESUME; in both modes, with a model of hardware
 * beneath. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/recompute.h"
#include "tests/unit/fake/vmx_machine.h"

static const enum nest_mode modes[] = {NEST_TRAP, NEST_SHADOW};
#define EACH_MODE(m) for (unsigned mode_at = 0; mode_at < 2 && (fake_vmx_start(&(m), modes[mode_at]), true); \
                          fake_vmx_stop(&(m)), assert_null((m).complaint), mode_at++)

static void launch(struct fake_vmx *m)
{
    fake_vmx_enter_operation(m);
    assert_int_equal(fake_vmx_verdict(m), FAKE_SUCCEEDED);
    fake_vmx_make_vmcs(m, FAKE_VMCS);
    m->traced = NULL;
    enum nest_result result = fake_vmx_plain(m, EXIT_VMLAUNCH);
    if (m->traced)
        fail_msg("entry failed: %s", m->traced);
    assert_int_equal(result, NEST_ENTERED);
    assert_true(fake_vmx_load(m));
}

static const struct exit cpuid = {.reason = EXIT_CPUID, .instruction_length = 2};

static void l2_runs_with_the_state_and_controls_of_its_vmcs(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        const struct vmcs *v = &m.loaded->held;
        assert_ptr_not_equal(m.loaded, &m.first);
        assert_int_equal(v->guest_rip, 0x4000);
        assert_int_equal(v->guest_rsp, 0x4800);
        assert_int_equal(v->host_rip, m.base.host_rip);
        assert_true(v->processor_controls & CPU_HLT_EXITING);
    }
}

static void an_exit_l1_gets_shows_reason_state_and_l1_at_its_host_rip(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        m.loaded->held.guest_rip = 0x4010;
        m.loaded->held.guest_rflags = 0x246;
        assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
        assert_ptr_equal(m.loaded, &m.first);
        assert_false(nest_in_guest(&m.nest));
        assert_int_equal(m.first.held.guest_rip, 0x8100);
        assert_int_equal(m.first.held.guest_rsp, 0x8800);
        assert_int_equal(m.first.held.guest_rflags, 2);
        assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_CPUID);
        assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RIP), 0x4010);
        assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RFLAGS), 0x246);
        assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_INSTRUCTION_LENGTH), 2);
    }
}

static void vmresume_takes_over_what_l1_wrote_meanwhile(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        fake_vmx_exit(&m, &cpuid);
        fake_vmx_write(&m, VMCS_GUEST_RIP, 0x4002);
        fake_vmx_write(&m, VMCS_GUEST_ES_SELECTOR, 0x20);
        fake_vmx_write(&m, VMCS_EXCEPTION_BITMAP, 1 << 3);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_int_equal(m.loaded->held.guest_rip, 0x4002);
        assert_int_equal(m.loaded->held.guest_es_selector, 0x20);
        assert_int_equal(m.loaded->held.exception_bitmap, 1 << 3);
    }
}

static void l2_state_goes_on_across_exits_cp_handles(void **state)
{
    static struct fake_vmx m;
    const struct exit interrupt = {.reason = EXIT_EXTERNAL_INTERRUPT};
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        m.loaded->held.guest_rip = 0x4444;
        m.loaded->held.guest_cr0 |= 8;
        assert_int_equal(fake_vmx_exit(&m, &interrupt), NEST_CP);
        nest_base_write(&m.nest, VMCS_INDEX_TSC_OFFSET, 5000);
        assert_true(fake_vmx_load(&m));
        assert_int_equal(m.loaded->held.guest_rip, 0x4444);
        assert_true(m.loaded->held.guest_cr0 & 8);
        assert_int_equal(m.loaded->held.tsc_offset, 5000);
    }
}

static void a_second_entry_writes_only_what_changed(void **state)
{
    static struct fake_vmx m;
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    launch(&m);
    for (unsigned i = 0; i < 3; i++) {
        fake_vmx_exit(&m, &cpuid);
        fake_vmx_write(&m, VMCS_GUEST_RIP, 0x4002 + i);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
        m.vmwrites = 0;
        assert_true(fake_vmx_load(&m));
    }
    assert_int_equal(m.vmwrites, 2); /* RIP, and RSP with it */
    fake_vmx_stop(&m);
    assert_null(m.complaint);
}

/* Control registers and MSRs of L2 are worked out anew only when one changed: by L2, by CP for it, or by L1. */
static void what_l2_does_to_its_registers_is_seen_at_any_exit(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        for (unsigned i = 0; i < 8; i++) {
            m.loaded->held.guest_rip = 0x4000 + i;
            m.loaded->held.guest_rsp = 0x4800 - i;
            if (i == 3)
                m.loaded->held.guest_cr0 ^= 8;
            if (i == 5)
                m.loaded->held.cr4_shadow ^= 0x2000; /* a bit CP keeps, which L2 believes it wrote */
            uint64_t cr0 = m.loaded->held.guest_cr0, cr4 = m.loaded->held.cr4_shadow;
            assert_int_equal(fake_vmx_exit(&m, &cpuid), NEST_REFLECTED);
            assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RIP), 0x4000 + i);
            assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RSP), 0x4800 - i);
            assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR0) & 8, cr0 & 8);
            assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR4) & 0x2000, cr4 & 0x2000);
            assert_int_equal(m.first.held.guest_cr0 & 0x20, 0x20);
            assert_int_equal(m.first.held.guest_rip, 0x8100);
            fake_vmx_write(&m, VMCS_GUEST_RIP, 0x4100);
            assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
            assert_true(fake_vmx_load(&m));
            assert_int_equal(m.loaded->held.guest_rip, 0x4100);
            assert_int_equal(m.loaded->held.guest_cr0 & 8, cr0 & 8);
        }
    }
}

/* L2 starts with L1's own EFER where the entry does not load it, whatever was inherited the last time. */
static void state_that_is_not_loaded_is_l1s_of_now(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        fake_vmx_exit(&m, &cpuid);
        uint32_t controls = (uint32_t)fake_vmx_read(&m, VMCS_ENTRY_CONTROLS);
        fake_vmx_write(&m, VMCS_ENTRY_CONTROLS, controls & ~(uint32_t)ENTRY_LOAD_PAT);
        m.first.held.guest_pat = 0x0606060606060606;
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_int_equal(m.loaded->held.guest_pat, 0x0606060606060606);
        fake_vmx_exit(&m, &cpuid);
        m.first.held.guest_pat = 0x0404040404040404;
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_int_equal(m.loaded->held.guest_pat, 0x0404040404040404);
    }
}

/* Hardware flushes what is under no VPID at each entry and exit: an L1 that counts on that runs so until VMXOFF. */
static void an_l1_without_vpids_runs_without_one(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        fake_vmx_enter_operation(&m);
        fake_vmx_make_vmcs(&m, FAKE_VMCS);
        fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VPID);
        fake_vmx_write(&m, VMCS_VPID, 7);
        m.first.held.secondary_controls = m.base.secondary_controls;
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_true(m.loaded->held.secondary_controls & CPU2_VPID);
        fake_vmx_exit(&m, &cpuid);
        assert_true(m.first.held.secondary_controls & CPU2_VPID);
        fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_false(m.loaded->held.secondary_controls & CPU2_VPID);
        unsigned flushes = m.flushes_vpid;
        fake_vmx_exit(&m, &cpuid);
        assert_false(m.first.held.secondary_controls & CPU2_VPID);
        assert_int_equal(m.flushes_vpid, flushes);
        fake_vmx_plain(&m, EXIT_VMXOFF);
        assert_true(m.first.held.secondary_controls & CPU2_VPID);
        assert_int_equal(m.flushes_vpid, flushes + 1);
    }
}

static void each_virtual_vmcs_keeps_its_own_vmcs02(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        struct fake_region *first = m.loaded;
        fake_vmx_exit(&m, &cpuid);
        fake_vmx_make_vmcs(&m, FAKE_VMCS_B);
        fake_vmx_write(&m, VMCS_GUEST_RIP, 0x7000);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_ptr_not_equal(m.loaded, first);
        assert_int_equal(m.loaded->held.guest_rip, 0x7000);
        fake_vmx_exit(&m, &cpuid);
        fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS);
        fake_vmx_write(&m, VMCS_GUEST_RIP, 0x4002);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_ptr_equal(m.loaded, first);
        assert_int_equal(m.loaded->held.guest_rip, 0x4002);
    }
}

static void an_entry_with_bad_guest_state_fails_into_l1_with_reason_33(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        fake_vmx_enter_operation(&m);
        fake_vmx_make_vmcs(&m, FAKE_VMCS);
        fake_vmx_write(&m, VMCS_GUEST_RFLAGS, 0);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_REFLECTED);
        assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_ENTRY_FAILED | EXIT_ENTRY_GUEST_STATE);
        assert_int_equal(m.first.held.guest_rip, 0x8100);
        fake_vmx_write(&m, VMCS_GUEST_RFLAGS, 2);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    }
}

static void an_entry_hardware_fails_late_leaves_the_vmcs_unlaunched(void **state)
{
    static struct fake_vmx m;
    const struct exit failed = {.reason = EXIT_ENTRY_FAILED | EXIT_ENTRY_GUEST_STATE};
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        assert_int_equal(fake_vmx_exit(&m, &failed), NEST_REFLECTED);
        assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_ENTRY_FAILED | EXIT_ENTRY_GUEST_STATE);
        fake_vmx_plain(&m, EXIT_VMRESUME);
        assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_VALID);
        assert_int_equal(fake_vmx_read(&m, VMCS_INSTRUCTION_ERROR), 5);
    }
}

static void a_vmcs02_that_hardware_refuses_is_an_error_7_for_l1(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        assert_int_equal(nest_entry_refused(&m.nest), NEST_REFLECTED);
        assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_VALID);
        assert_int_equal(fake_vmx_read(&m, VMCS_INSTRUCTION_ERROR), 7);
        assert_int_equal(m.first.held.guest_rip, 0x8004);
    }
}

static void an_event_to_inject_is_handed_over_once(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        fake_vmx_enter_operation(&m);
        fake_vmx_make_vmcs(&m, FAKE_VMCS);
        fake_vmx_write(&m, VMCS_ENTRY_INTERRUPTION_INFO, 0x80000B0E);
        fake_vmx_write(&m, VMCS_ENTRY_EXCEPTION_ERROR_CODE, 2);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
        assert_int_equal(m.nest.event.info, 0x80000B0E);
        assert_int_equal(m.nest.event.error, 2);
        fake_vmx_load(&m);
        assert_int_equal(m.loaded->held.entry_interruption_info, 0);
        fake_vmx_exit(&m, &cpuid);
        assert_int_equal(fake_vmx_read(&m, VMCS_ENTRY_INTERRUPTION_INFO), 0xB0E);
        fake_vmx_plain(&m, EXIT_VMRESUME);
        assert_int_equal(m.nest.event.info, 0);
    }
}

static void an_undelivered_event_comes_back_as_idt_vectoring(void **state)
{
    static struct fake_vmx m;
    const struct exit interrupt = {.reason = EXIT_EXTERNAL_INTERRUPT, .interruption_info = 0x80000020,
                                   .idt_vectoring_info = 0x80000B0E, .idt_vectoring_error = 6};
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        bool acknowledge;
        assert_int_equal(nest_interrupt_arrives(&m.nest, &acknowledge), NEST_ARRIVAL_EXIT);
        assert_false(acknowledge);
        assert_int_equal(nest_reflect(&m.nest, &interrupt), NEST_REFLECTED);
        assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_EXTERNAL_INTERRUPT);
        assert_int_equal(fake_vmx_read(&m, VMCS_IDT_VECTORING_INFO), 0x80000B0E);
        assert_int_equal(fake_vmx_read(&m, VMCS_IDT_VECTORING_ERROR_CODE), 6);
        assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_INTERRUPTION_INFO), 0x80000020);
    }
}

static void round_trips(struct fake_vmx *m, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(fake_vmx_exit(m, &cpuid), NEST_REFLECTED);
        fake_vmx_write(m, VMCS_GUEST_RIP, 0x4000 + i);
        assert_int_equal(fake_vmx_plain(m, EXIT_VMRESUME), NEST_ENTERED);
        assert_true(fake_vmx_load(m));
    }
}

static void a_quiet_region_is_closed_and_costs_less(void **state)
{
    static struct fake_vmx m;
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    launch(&m);
    nest_recomputes = false;
    round_trips(&m, 4);
    unsigned before = m.vmreads;
    round_trips(&m, 1);
    unsigned open = m.vmreads - before;
    round_trips(&m, 20);
    assert_true(m.closed);
    before = m.vmreads;
    round_trips(&m, 1);
    assert_true(m.vmreads - before < open / 4);
    nest_recomputes = true;
    fake_vmx_stop(&m);
    assert_null(m.complaint);
}

static void a_closed_region_still_shows_all_that_l2_changed(void **state)
{
    static struct fake_vmx m;
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    launch(&m);
    round_trips(&m, 20);
    m.loaded->held.guest_es_selector = 0x33;
    m.loaded->held.guest_debugctl = 1;
    fake_vmx_exit(&m, &cpuid);
    assert_true(m.closed);
    uint64_t exits = m.nest.counts.instructions[EXIT_VMREAD];
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_ES_SELECTOR), 0x33);
    assert_int_equal(m.nest.counts.instructions[EXIT_VMREAD], exits + 1);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_DEBUGCTL), 1);
    assert_int_equal(m.nest.counts.instructions[EXIT_VMREAD], exits + 1);
    fake_vmx_stop(&m);
    assert_null(m.complaint);
}

static void a_write_to_a_closed_region_takes_effect_and_keeps_l2_state(void **state)
{
    static struct fake_vmx m;
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    launch(&m);
    round_trips(&m, 20);
    m.loaded->held.guest_ds_selector = 0x28;
    fake_vmx_exit(&m, &cpuid);
    fake_vmx_write(&m, VMCS_EXCEPTION_BITMAP, 1 << 6);
    fake_vmx_write(&m, VMCS_GUEST_FS_BASE, 0x1234);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
    assert_int_equal(m.loaded->held.exception_bitmap, 1 << 6);
    assert_int_equal(m.loaded->held.guest_fs_base, 0x1234);
    assert_int_equal(m.loaded->held.guest_ds_selector, 0x28);
    fake_vmx_stop(&m);
    assert_null(m.complaint);
}

static void vmclear_of_a_closed_region_writes_back_what_l2_changed(void **state)
{
    static struct fake_vmx m;
    struct nest_region region;
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    launch(&m);
    round_trips(&m, 20);
    m.loaded->held.guest_ldtr_base = 0x5678;
    fake_vmx_exit(&m, &cpuid);
    fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMCS);
    memcpy(&region, m.storage + FAKE_VMCS, sizeof(region));
    assert_int_equal(region.fields.guest_ldtr_base, 0x5678);
    assert_int_equal(region.launched, 0);
    fake_vmx_stop(&m);
    assert_null(m.complaint);
}

static void reset_in_mid_flight_frees_everything(void **state)
{
    static struct fake_vmx m;
    (void)state;
    EACH_MODE(m) {
        launch(&m);
        assert_true(m.regions_held > 0);
        nest_reset(&m.nest, false);
        assert_int_equal(m.regions_held, 0);
        assert_int_equal(m.frames_held, 3);
        assert_false(nest_in_guest(&m.nest));
        m.loaded = &m.first;
        fake_vmx_plain(&m, EXIT_VMRESUME);
        assert_int_equal(m.nest.fault.vector, 6);
    }
}

static void a_machine_without_frames_is_stopped_not_harmed(void **state)
{
    static struct fake_vmx m;
    (void)state;
    for (unsigned spare = 0; spare < 8; spare++) {
        fake_vmx_start(&m, NEST_SHADOW);
        fake_vmx_enter_operation(&m);
        m.frames_limit = m.frames_held + spare;
        fake_vmx_make_vmcs(&m, FAKE_VMCS);
        enum nest_result result = fake_vmx_plain(&m, EXIT_VMLAUNCH);
        assert_true(result == NEST_ENTERED || result == NEST_NO_FRAMES || (!m.nest.current && result == NEST_SKIP));
        fake_vmx_stop(&m);
        assert_null(m.complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(l2_runs_with_the_state_and_controls_of_its_vmcs),
        cmocka_unit_test(an_exit_l1_gets_shows_reason_state_and_l1_at_its_host_rip),
        cmocka_unit_test(vmresume_takes_over_what_l1_wrote_meanwhile),
        cmocka_unit_test(l2_state_goes_on_across_exits_cp_handles),
        cmocka_unit_test(a_second_entry_writes_only_what_changed),
        cmocka_unit_test(what_l2_does_to_its_registers_is_seen_at_any_exit),
        cmocka_unit_test(state_that_is_not_loaded_is_l1s_of_now),
        cmocka_unit_test(an_l1_without_vpids_runs_without_one),
        cmocka_unit_test(each_virtual_vmcs_keeps_its_own_vmcs02),
        cmocka_unit_test(an_entry_with_bad_guest_state_fails_into_l1_with_reason_33),
        cmocka_unit_test(an_entry_hardware_fails_late_leaves_the_vmcs_unlaunched),
        cmocka_unit_test(a_vmcs02_that_hardware_refuses_is_an_error_7_for_l1),
        cmocka_unit_test(an_event_to_inject_is_handed_over_once),
        cmocka_unit_test(an_undelivered_event_comes_back_as_idt_vectoring),
        cmocka_unit_test(a_quiet_region_is_closed_and_costs_less),
        cmocka_unit_test(a_closed_region_still_shows_all_that_l2_changed),
        cmocka_unit_test(a_write_to_a_closed_region_takes_effect_and_keeps_l2_state),
        cmocka_unit_test(vmclear_of_a_closed_region_writes_back_what_l2_changed),
        cmocka_unit_test(reset_in_mid_flight_frees_everything),
        cmocka_unit_test(a_machine_without_frames_is_stopped_not_harmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
