/* Virtual VMX from power-up to reset, what CP asks about it while L2 runs, and exits of L2 dealt with at once. */
#include "nest/active.h"
#include "nest/mode.h"
#include "tests/unit/nest_l2_scene.h"

enum { PLAIN = 0x04006172 | CPU_SECONDARY_CONTROLS, EPTP = FAKE_EPT | 3 << 3 | 6, LIST = 0x12000 };

/* ---- reset ------------------------------------------------------------------------------ */

static void everything_in_use(void)
{
    offer_link();
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16 | PIN_PREEMPTION_TIMER);
    fake_vmx_write(&m, VMCS_PREEMPTION_TIMER, 100);
    fake_vmx_write(&m, VMCS_ENTRY_INTERRUPTION_INFO, 1u << 31 | 3 << 8 | 6);
    enter(EXIT_VMLAUNCH);
    m.nest.memos[0].used = m.nest.memos[NEST_MEMOS - 1].used = 1;
}

static void reset_ends_vmx_operation_and_gives_everything_back(void **state)
{
    (void)state;
    for (unsigned power_up = 0; power_up < 2; power_up++) {
        everything_in_use();
        m.nest.feature_control = 7;
        m.loaded = &m.first;
        nest_reset(&m.nest, power_up);
        assert_false(m.nest.in_guest || m.nest.vmxon);
        assert_null(m.nest.current);
        assert_int_equal(m.nest.vmxon_gpa, 0);
        assert_int_equal(m.regions_held, 0);
        assert_int_equal(m.frames_held, 3); /* CP's own bitmaps */
        assert_null(m.link);
        assert_int_equal(m.nest.timer_deadline, NEST_NO_ADDRESS);
        assert_int_equal(m.nest.event.info, 0);
        assert_int_equal(m.nest.memos[0].used | m.nest.memos[NEST_MEMOS - 1].used, 0);
        assert_int_equal(m.nest.feature_control, power_up ? 5 : 7); /* INIT leaves it */
        m.nest.feature_control = 5;
        fake_vmx_enter_operation(&m);
        fake_vmx_make_vmcs(&m, FAKE_VMCS);
    }
}

/* What was invalidated while vmcs01 ran without its VPID may still be cached under it. */
static void reset_gives_vmcs01_its_tag_back(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH); /* without a VPID for L2, so L1 has none either */
    leave();
    assert_true(m.nest.untagged);
    assert_false(m.first.held.secondary_controls & CPU2_VPID);
    unsigned flushes = m.flushes_vpid;
    nest_reset(&m.nest, false);
    assert_true(m.first.held.secondary_controls & CPU2_VPID);
    assert_int_equal(m.flushes_vpid, flushes + 1);
    assert_false(m.nest.untagged);
    nest_reset(&m.nest, false);
    assert_int_equal(m.flushes_vpid, flushes + 1);
}

static void the_mode_changes_outside_vmx_operation_only(void **state)
{
    (void)state;
    assert_false(nest_set_mode(&m.nest, NEST_OFF));
    assert_int_equal(m.nest.mode, NEST_SHADOW);
    fake_vmx_plain(&m, EXIT_VMXOFF);
    assert_true(nest_set_mode(&m.nest, NEST_TRAP));
    assert_int_equal(m.nest.mode, NEST_TRAP);
}

static void what_cp_writes_of_its_own_every_l2_has_from_its_next_entry_on(void **state)
{
    (void)state;
    nest_base_write(&m.nest, VMCS_INDEX_TSC_OFFSET, m.nest.vmcs01.tsc_offset + 1);
    assert_int_equal(m.nest.vmcs01.tsc_offset, m.base.tsc_offset + 1);
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, PLAIN | CPU_TSC_OFFSETTING);
    fake_vmx_write(&m, VMCS_TSC_OFFSET, 5);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.loaded->held.tsc_offset, m.base.tsc_offset + 6);
    leave();
    nest_base_write(&m.nest, VMCS_INDEX_TSC_OFFSET, m.base.tsc_offset);
    enter(EXIT_VMRESUME);
    assert_int_equal(m.loaded->held.tsc_offset, m.base.tsc_offset + 5);
    nest_base_write(&m.nest, VMCS_INDEX_TSC_OFFSET, m.base.tsc_offset + 100); /* also while it runs */
    assert_true(fake_vmx_load(&m));
    assert_int_equal(m.loaded->held.tsc_offset, m.base.tsc_offset + 105);
}

static void a_vmcs01_without_a_tag_has_none_to_lose(void **state)
{
    (void)state;
    m.nest.vmcs01.vpid = 0;
    enter(EXIT_VMLAUNCH);
    assert_false(m.nest.untagged);
}

static uint16_t tag_of(uint64_t region)
{
    fake_vmx_make_vmcs(&m, region);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VPID);
    fake_vmx_write(&m, VMCS_VPID, 7);
    enter(EXIT_VMLAUNCH);
    uint16_t tag = m.loaded->held.secondary_controls & CPU2_VPID ? m.loaded->held.vpid : 0;
    leave();
    return tag;
}

static void each_virtual_vmcs_has_a_tag_of_its_own_as_far_as_there_are_any(void **state)
{
    (void)state;
    m.nest.policy.vpid_first = 20, m.nest.policy.vpid_count = 2; /* the one begun with has the first */
    assert_int_equal(tag_of(FAKE_VMCS_B), 21);
    assert_int_equal(tag_of(0x4000), 0);
}

/* Else each VMREAD exits. */
static void a_shadow_region_is_for_a_mode_and_hardware_that_have_them(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        bool mode = n & 1, hardware = n & 2;
        stop(NULL);
        fake_vmx_start(&m, mode ? NEST_SHADOW : NEST_TRAP);
        m.hardware.msr[VMX_CPU2] &= hardware ? ~0ull : ~((uint64_t)CPU2_VMCS_SHADOWING << 32);
        fake_vmx_enter_operation(&m);
        fake_vmx_make_vmcs(&m, FAKE_VMCS);
        assert_int_equal(m.link != NULL, mode && hardware);
        assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RIP), 0x4000);
    }
}

static void modes_have_names(void **state)
{
    static const char *const lower[NEST_MODES] = {"off", "trap", "shadow", "memory", "chain"};
    static const char *const upper[NEST_MODES] = {"OFF", "TRAP", "SHADOW", "MEMORY", "CHAIN"};
    enum nest_mode mode = NEST_MODES;
    (void)state;
    for (unsigned i = 0; i < NEST_MODES; i++) {
        assert_string_equal(nest_mode_names[i].lower, lower[i]);
        assert_string_equal(nest_mode_names[i].upper, upper[i]);
        assert_true(nest_mode_parse(lower[i], strlen(lower[i]), &mode));
        assert_int_equal(mode, i);
        assert_false(nest_mode_parse(lower[i], strlen(lower[i]) - 1, &mode));
    }
    assert_false(nest_mode_parse("trap ", 5, &mode));
}

/* SDM "VM-Execution Control Fields": the threshold may not be above what the virtual-APIC page has at the entry */
static void the_tpr_threshold_is_asked_of_the_page(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, PLAIN | CPU_TPR_SHADOW);
    fake_vmx_write(&m, VMCS_VIRTUAL_APIC_ADDRESS, 0x17000);
    fake_vmx_write(&m, VMCS_TPR_THRESHOLD, 5);
    m.storage[0x17080] = 0x4F;
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_SKIP);
    assert_int_equal(fake_vmx_read(&m, VMCS_INSTRUCTION_ERROR), 7);
    m.storage[0x17080] = 0x50;
    enter(EXIT_VMLAUNCH);
    leave();
    m.storage[0x17080] = 0x40; /* at each entry anew */
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_SKIP);
}

/* Page-directory-pointer entries of an L2 with PAE paging: its own fields with EPT, else those in L1's storage. */
static void pdptes_are_asked_of_where_they_are(void **state)
{
    const uint64_t bad = 1 | 2;
    (void)state;
    fake_vmx_write(&m, VMCS_ENTRY_CONTROLS, 0x000011FB | ENTRY_LOAD_EFER);
    fake_vmx_write(&m, VMCS_GUEST_EFER, 0);
    fake_vmx_write(&m, VMCS_GUEST_CS_ACCESS_RIGHTS, 0xC09B);
    fake_vmx_write(&m, VMCS_GUEST_CR3, 0x6000);
    for (unsigned n = 0; n < 8; n++) {
        bool ept = n & 1, field_bad = n & 2, memory_bad = n & 4;
        fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, ept ? CPU2_EPT : 0);
        fake_vmx_write(&m, VMCS_GUEST_PDPTE2, field_bad ? bad : 0);
        memset(m.storage + 0x6000, 0, 32);
        if (memory_bad)
            memcpy(m.storage + 0x6010, &bad, 8);
        bool fails = ept ? field_bad : memory_bad;
        enum nest_result result = fake_vmx_plain(&m, m.nest.current->launched ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        assert_int_equal(result, fails ? NEST_REFLECTED : NEST_ENTERED);
        if (!fails) {
            assert_true(fake_vmx_load(&m));
            leave();
        }
    }
}

/* Some processors mark those in storage accessed as they walk them, a bit that VMX has reserved. */
static void pdptes_that_a_walk_marked_are_as_good_as_before(void **state)
{
    const uint64_t marked = 0x30000 | 1 << 5 | 1;
    (void)state;
    m.nest.policy.marks_pdptes = true;
    fake_vmx_write(&m, VMCS_ENTRY_CONTROLS, 0x000011FB | ENTRY_LOAD_EFER);
    fake_vmx_write(&m, VMCS_GUEST_EFER, 0);
    fake_vmx_write(&m, VMCS_GUEST_CS_ACCESS_RIGHTS, 0xC09B);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, 0);
    memcpy(m.storage + 0x6000, &marked, 8);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(m.loaded->held.guest_pdpte0, 0x30001);
}

static void a_virtual_apic_page_is_pinned_as_long_as_l2_has_it(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_VIRTUAL_APIC_ADDRESS, 0x17000);
    for (unsigned i = 0; i < 5; i++) {
        bool wanted = i % 2;
        fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, PLAIN | (wanted ? CPU_TPR_SHADOW : 0));
        enter(i ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        assert_int_equal(m.pins, wanted);
        leave();
    }
}

/* ---- while L2 runs ------------------------------------------------------------------------- */

static void interrupts_and_nmis_take_l2_out_if_l1_says_so(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 8; n++) {
        struct vmcs *v = &m.nest.current->vmcs12;
        bool acknowledge = !(n & 4);
        v->pin_controls = 0x16 | (n & 1 ? PIN_EXTERNAL_INTERRUPT_EXITING : 0) | (n & 2 ? PIN_NMI_EXITING : 0);
        v->exit_controls = 0x00036DFB | (n & 4 ? EXIT_ACKNOWLEDGE_INTERRUPT : 0);
        assert_int_equal(nest_interrupt_arrives(&m.nest, &acknowledge),
                         n & 1 ? NEST_ARRIVAL_EXIT : NEST_ARRIVAL_DELIVER);
        assert_int_equal(acknowledge, n >> 2);
        assert_int_equal(nest_nmi_arrives(&m.nest, false), n & 2 ? NEST_ARRIVAL_EXIT : NEST_ARRIVAL_DELIVER);
    }
}

static void writes_of_control_registers_keep_each_owners_bits(void **state)
{
    (void)state;
    struct nest_cr cr = nest_cr_write(&m.nest, 4, 0x220); /* of L1: VMXE is CP's to keep, and reads as L1 has it */
    assert_int_equal(cr.real, 0x2220);
    assert_int_equal(cr.shadow, 0x220);
    cr = nest_cr_write(&m.nest, 0, 0x60000011);
    assert_int_equal(cr.real, 0x31);
    assert_int_equal(cr.shadow, 0x60000011);
    fake_vmx_write(&m, VMCS_CR0_MASK, 8);
    fake_vmx_write(&m, VMCS_CR0_SHADOW, 8);
    fake_vmx_write(&m, VMCS_CR4_MASK, 0x2080);
    fake_vmx_write(&m, VMCS_CR4_SHADOW, 0x80);
    enter(EXIT_VMLAUNCH);
    cr = nest_cr_write(&m.nest, 0, 0x80000031);
    assert_int_equal(cr.real, 0x80000031);   /* TS, which L1 keeps, is as L1 gave it ... */
    assert_int_equal(cr.shadow, 0x80000039); /* ... and reads as its shadow has it */
    cr = nest_cr_write(&m.nest, 4, 0x2220);
    assert_int_equal(cr.real, 0x2220);
    assert_int_equal(cr.shadow, 0x2A0 & ~0x2000);
}

static void exits_that_cp_handles_are_counted(void **state)
{
    static const uint8_t reasons[] = {EXIT_EXTERNAL_INTERRUPT, EXIT_PREEMPTION_TIMER, EXIT_HLT, EXIT_RDTSC,
                                      EXIT_PML_FULL};
    (void)state;
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, PLAIN);
    enter(EXIT_VMLAUNCH);
    for (unsigned i = 0; i < sizeof(reasons); i++) {
        const struct exit exit = {.reason = reasons[i]};
        assert_int_equal(fake_vmx_exit(&m, &exit), NEST_CP);
        assert_int_equal(m.nest.counts.handled[reasons[i]], 1);
        assert_int_equal(m.nest.counts.reflected[reasons[i]], 0);
    }
    const struct exit none = {.reason = EXIT_REASONS};
    assert_int_equal(fake_vmx_exit(&m, &none), NEST_CP);
}

/* CP could not go on with it: that is no failure of VMLAUNCH. */
static void l2_that_ran_was_launched(void **state)
{
    const struct exit interrupt = {.reason = EXIT_EXTERNAL_INTERRUPT};
    (void)state;
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(fake_vmx_exit(&m, &interrupt), NEST_CP);
    assert_true(fake_vmx_load(&m));
    assert_int_equal(nest_entry_refused(&m.nest), NEST_REFLECTED);
    enter(EXIT_VMRESUME);
}

static void the_timer_is_over_when_its_time_is(void **state)
{
    const struct exit timer = {.reason = EXIT_PREEMPTION_TIMER};
    (void)state;
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16 | PIN_PREEMPTION_TIMER);
    fake_vmx_write(&m, VMCS_PREEMPTION_TIMER, 100);
    for (uint64_t late = 0; late < 3; late++) {
        m.tsc = 5000;
        enter(late ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        m.tsc += 4000; /* which CP takes for the entry, and L2 has not begun */
        assert_int_equal(fake_vmx_exit(&m, &timer), NEST_CP);
        assert_int_equal(nest_timer_start(&m.nest, m.tsc), m.tsc + 3200);
        m.tsc += 3199 + late;
        assert_int_equal(fake_vmx_exit(&m, &timer), late ? NEST_REFLECTED : NEST_CP);
        if (!late)
            leave();
    }
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16);
    enter(EXIT_VMRESUME);
    m.tsc = ~0ull - 1; /* without one it never is */
    assert_int_equal(fake_vmx_exit(&m, &timer), NEST_CP);
}

static void without_ept_of_l1_a_violation_is_cps(void **state)
{
    const struct exit violation = {.reason = EXIT_EPT_VIOLATION, .qualification = 1, .guest_physical = 0x123456};
    (void)state;
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, 0);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(fake_vmx_exit(&m, &violation), NEST_CP);
    assert_int_equal(m.nest.device_gpa, 0x123456);
}

static void a_violation_without_frames_stops_the_machine(void **state)
{
    const struct exit violation = {.reason = EXIT_EPT_VIOLATION, .qualification = 1, .guest_physical = 0x5000};
    const uint64_t page = 0x9000 | 7 | 6 << 3, tables[] = {FAKE_EPT + 0x1007, FAKE_EPT + 0x2007, FAKE_EPT + 0x3007};
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        memcpy(m.storage + FAKE_EPT + i * 0x1000, &tables[i], 8);
    memcpy(m.storage + FAKE_EPT + 0x3000 + 5 * 8, &page, 8);
    enter(EXIT_VMLAUNCH);
    m.frames_limit = m.frames_held;
    assert_int_equal(fake_vmx_exit(&m, &violation), NEST_NO_FRAMES);
    m.frames_limit = FAKE_FRAMES;
    assert_int_equal(fake_vmx_exit(&m, &violation), NEST_RESUME);
}

/* ---- VM functions ---------------------------------------------------------------------------- */

static void put_pointer(unsigned slot, uint64_t eptp) { memcpy(m.storage + LIST + slot * 8, &eptp, 8); }

static void a_function_is_carried_out_or_exits(void **state)
{
    const struct exit vmfunc = {.reason = EXIT_VMFUNC, .instruction_length = 3};
    const struct {
        uint64_t function, slot, list;
        uint32_t controls;
        bool done;
    } rows[] = {
        {0, 3, LIST, VM_FUNCTION_EPTP_SWITCHING, true},
        {0, 511, LIST, VM_FUNCTION_EPTP_SWITCHING, true},
        {0, 512, LIST, VM_FUNCTION_EPTP_SWITCHING, false},
        {1, 3, LIST, VM_FUNCTION_EPTP_SWITCHING, false},
        {1ull << 32, 1ull << 32 | 3, LIST, VM_FUNCTION_EPTP_SWITCHING, true}, /* of RAX and RCX the low halves */
        {0, 4, LIST, VM_FUNCTION_EPTP_SWITCHING, false},
        {0, 3, FAKE_STORAGE, VM_FUNCTION_EPTP_SWITCHING, false},
        {0, 3, LIST, 0, false},
    };
    (void)state;
    put_pointer(3, EPTP), put_pointer(511, EPTP), put_pointer(512, EPTP), put_pointer(4, EPTP | 5);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VM_FUNCTIONS);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fake_vmx_write(&m, VMCS_VM_FUNCTION_CONTROLS, rows[i].controls);
        fake_vmx_write(&m, VMCS_EPTP_LIST_ADDRESS, rows[i].list);
        fake_vmx_write(&m, VMCS_EPT_POINTER, EPTP | 1 << 6);
        enter(i ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        m.gpr[0] = rows[i].function, m.gpr[1] = rows[i].slot;
        assert_int_equal(fake_vmx_exit(&m, &vmfunc), rows[i].done ? NEST_SKIP : NEST_REFLECTED);
        if (rows[i].done) {
            assert_true(fake_vmx_load(&m));
            assert_int_equal(m.loaded->held.ept_pointer & 1 << 6, 0);
            leave();
        }
        assert_int_equal(fake_vmx_read(&m, VMCS_EPT_POINTER), EPTP | (rows[i].done ? 0 : 1 << 6));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reset_ends_vmx_operation_and_gives_everything_back),
        TEST(reset_gives_vmcs01_its_tag_back),
        TEST(the_mode_changes_outside_vmx_operation_only),
        TEST(what_cp_writes_of_its_own_every_l2_has_from_its_next_entry_on),
        TEST(a_vmcs01_without_a_tag_has_none_to_lose),
        TEST(each_virtual_vmcs_has_a_tag_of_its_own_as_far_as_there_are_any),
        TEST(a_shadow_region_is_for_a_mode_and_hardware_that_have_them),
        TEST(modes_have_names),
        TEST(the_tpr_threshold_is_asked_of_the_page),
        TEST(pdptes_are_asked_of_where_they_are),
        TEST(pdptes_that_a_walk_marked_are_as_good_as_before),
        TEST(a_virtual_apic_page_is_pinned_as_long_as_l2_has_it),
        TEST(interrupts_and_nmis_take_l2_out_if_l1_says_so),
        TEST(writes_of_control_registers_keep_each_owners_bits),
        TEST(exits_that_cp_handles_are_counted),
        TEST(l2_that_ran_was_launched),
        TEST(the_timer_is_over_when_its_time_is),
        TEST(without_ept_of_l1_a_violation_is_cps),
        TEST(a_violation_without_frames_stops_the_machine),
        TEST(a_function_is_carried_out_or_exits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
