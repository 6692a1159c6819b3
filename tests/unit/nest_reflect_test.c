/* What L1 finds after an exit. */
#include "tests/unit/nest_l2_scene.h"

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
    assert_int_equal(nest_nmi_arrives(&m.nest, false), NEST_ARRIVAL_EXIT);
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

/* L2's MOV to CR0 as CP carries it out. */
static void l2_writes_cr0(uint64_t value)
{
    struct nest_cr cr = nest_cr_write(&m.nest, 0, value);
    m.loaded->held.guest_cr0 = cr.real;
    m.loaded->held.cr0_shadow = cr.shadow;
}

/* SDM "Loading Guest Control Registers, Debug Registers, and MSRs", "Loading Host Control Registers, ..." */
static void cd_and_nw_are_the_processors_whoever_runs(void **state)
{
    enum { WITHOUT = (int)0x80000031, CD = 1 << 30, NW = 1 << 29 };
    (void)state;
    fake_vmx_write(&m, VMCS_GUEST_CR0, (uint32_t)WITHOUT | CD);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.loaded->held.cr0_shadow, (uint32_t)WITHOUT); /* the field's is not loaded */
    l2_writes_cr0((uint32_t)WITHOUT | CD | NW);
    assert_int_equal(m.loaded->held.guest_cr0, (uint32_t)WITHOUT); /* and the real one has neither */
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR0), (uint32_t)WITHOUT | CD | NW);
    assert_int_equal(m.first.held.cr0_shadow, (uint32_t)WITHOUT | CD | NW);
    enter(EXIT_VMRESUME);
    leave();
    m.first.held.cr0_shadow = nest_cr_write(&m.nest, 0, (uint32_t)WITHOUT | CD).shadow; /* L1 changes them */
    enter(EXIT_VMRESUME);
    assert_int_equal(m.loaded->held.cr0_shadow, (uint32_t)WITHOUT | CD);
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR0), (uint32_t)WITHOUT | CD);
    assert_int_equal(m.first.held.cr0_shadow, (uint32_t)WITHOUT | CD);
    fake_vmx_write(&m, VMCS_CR0_MASK, CD); /* what L1 keeps of L2 L2 does not change */
    fake_vmx_write(&m, VMCS_CR0_SHADOW, 0);
    enter(EXIT_VMRESUME);
    assert_int_equal(m.loaded->held.cr0_shadow, (uint32_t)WITHOUT);
    l2_writes_cr0((uint32_t)WITHOUT | NW);
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR0), (uint32_t)WITHOUT | CD | NW);
}

/* As the processor has them when L1 enters VMX operation. */
static void cd_and_nw_are_those_of_vmxon(void **state)
{
    (void)state;
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMXOFF), NEST_SKIP);
    m.first.held.cr0_shadow = 0x80000031 | 1 << 30;
    m.first.held.cr0_mask |= 1 << 30;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.loaded->held.cr0_shadow, 0x80000031 | 1 << 30);
    leave();
    assert_int_equal(m.first.held.cr0_shadow, 0x80000031 | 1 << 30);
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

/* The list changes in storage, where no VMWRITE tells of it. */
static void what_a_list_loads_is_saved_each_time(void **state)
{
    const struct vmcs *vmcs12 = &m.nest.current->vmcs12;
    (void)state;
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_ADDRESS, 0x12000);
    fake_vmx_write(&m, VMCS_ENTRY_MSR_LOAD_COUNT, 1);
    for (unsigned i = 0; i < 60; i++) { /* long enough for the region to be closed */
        put_list(0x12000, 0, 0x174 + i % 3, 0x1000 + i);
        enter(i ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        leave();
        assert_int_equal(i % 3 == 0   ? vmcs12->guest_sysenter_cs
                         : i % 3 == 1 ? vmcs12->guest_sysenter_esp
                                      : vmcs12->guest_sysenter_eip,
                         0x1000 + i);
    }
    assert_true(m.nest.current->closed);
    put_list(0x12000, 0, 0x174, 0x33);
    enter(EXIT_VMRESUME);
    m.loaded->held.guest_sysenter_cs = 0x55; /* L2's own WRMSR behind it */
    leave();
    put_list(0x12000, 0, 0xC0000082, 7);
    enter(EXIT_VMRESUME);
    assert_int_equal(m.loaded->held.guest_sysenter_cs, 0x55);
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_SYSENTER_CS), 0x55);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_SYSENTER_ESP), 0x103A);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_SYSENTER_EIP), 0x103B);
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
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16 | PIN_PREEMPTION_TIMER);
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS,
                   0x00036DFB | EXIT_HOST_LONG_MODE | EXIT_LOAD_EFER | EXIT_SAVE_PREEMPTION_TIMER);
    fake_vmx_write(&m, VMCS_PREEMPTION_TIMER, 100);
    enter(EXIT_VMLAUNCH);
    nest_load(&m.nest, &entry);
    assert_int_equal(entry.deadline, NEST_TIMER_FRESH);
    m.tsc = 1000;
    nest_timer_start(&m.nest, 1000);
    m.tsc += 1600;
    assert_int_equal(fake_vmx_exit(&m, &interrupt), NEST_CP);
    nest_load(&m.nest, &entry);
    assert_int_equal(entry.deadline, 1000 + (100 << 5));
    assert_int_equal(fake_vmx_exit(&m, &timer), NEST_CP); /* CP's own, earlier one */
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_PREEMPTION_TIMER), 50);
    enter(EXIT_VMRESUME);
    nest_timer_start(&m.nest, m.tsc);
    m.tsc += 1600;
    assert_int_equal(fake_vmx_exit(&m, &timer), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_PREEMPTION_TIMER), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(l1_gets_the_segments_and_tables_of_its_host_state),
        TEST(host_state_l1_changes_takes_effect_at_the_next_exit),
        TEST(efer_and_pat_not_loaded_are_what_l2_left),
        TEST(nmi_blocking_follows_the_exit),
        TEST(each_owner_of_a_control_register_bit_keeps_it),
        TEST(cd_and_nw_are_the_processors_whoever_runs),
        TEST(cd_and_nw_are_those_of_vmxon),
        TEST(l1_sees_its_own_registers_behind_cps_forced_bits),
        TEST(the_guests_mode_is_saved_in_the_entry_controls),
        TEST(msr_lists_load_and_store),
        TEST(what_a_list_loads_is_saved_each_time),
        TEST(a_bad_entry_list_fails_the_entry_with_its_number),
        TEST(a_list_over_the_edge_of_storage_fails_there),
        TEST(a_bad_exit_list_is_a_vmx_abort_that_harms_l1_only),
        TEST(l1s_timer_runs_on_through_exits_of_cps_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
