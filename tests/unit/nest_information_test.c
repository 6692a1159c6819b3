/* What an exit tells L1: which information field each kind of exit writes, and which it leaves as it was. */
#include "nest/active.h"
#include "nest/reflect.h"
#include "tests/unit/nest_l2_scene.h"

enum { VALID = 1u << 31, HAS_ERROR = 1 << 11, HARDWARE = 3 << 8, OLD = 0x0BAD };

/* An exit with something in every member. */
static struct exit full(enum exit_reason reason)
{
    return (struct exit){.reason = reason,
                         .qualification = 0x1111,
                         .instruction_length = 7,
                         .instruction_info = 0x2222,
                         .interruption_info = VALID | HARDWARE | 13 | HAS_ERROR,
                         .interruption_error = 0x3333,
                         .guest_physical = 0x4444,
                         .guest_linear = 0x5555};
}

static const struct vmcs *after(const struct exit *exit)
{
    struct vmcs *v = &m.nest.current->vmcs12;
    if (!m.nest.in_guest)
        enter(m.nest.current->launched ? EXIT_VMRESUME : EXIT_VMLAUNCH);
    v->exit_interruption_error_code = v->idt_vectoring_error_code = v->guest_physical_address =
        v->guest_linear_address = OLD;
    m.loaded->held.guest_linear_address = 0x6666;
    m.loaded->held.exit_instruction_info = 0x7777;
    uint64_t before = m.nest.counts.reflected[exit->reason & 0xFFFF];
    assert_int_equal(nest_reflect(&m.nest, exit), NEST_REFLECTED);
    assert_int_equal(m.nest.counts.reflected[exit->reason & 0xFFFF], before + 1);
    return v;
}

static void each_exit_has_reason_qualification_length_and_information(void **state)
{
    (void)state;
    for (unsigned reason = 0; reason < EXIT_REASONS; reason++) {
        const struct exit exit = full(reason);
        const struct vmcs *v = after(&exit);
        bool event = reason == EXIT_EXCEPTION_NMI || reason == EXIT_EXTERNAL_INTERRUPT;
        bool memory = reason == EXIT_EPT_VIOLATION || reason == EXIT_EPT_MISCONFIG;
        bool string = reason == EXIT_IO; /* bit 4 of the qualification is set */
        assert_int_equal(v->exit_reason, reason);
        assert_int_equal(v->exit_qualification, 0x1111);
        assert_int_equal(v->exit_instruction_length, 7);
        assert_int_equal(v->exit_interruption_info, event ? exit.interruption_info : 0);
        assert_int_equal(v->exit_interruption_error_code, event ? 0x3333 : OLD);
        assert_int_equal(v->idt_vectoring_info, 0);
        assert_int_equal(v->idt_vectoring_error_code, OLD);
        assert_int_equal(v->guest_physical_address, memory ? 0x4444 : OLD);
        assert_int_equal(v->guest_linear_address, memory ? 0x5555 : string ? 0x6666 : OLD);
        assert_int_equal(v->exit_instruction_info, string ? 0x7777 : 0x2222);
    }
}

static void an_error_code_is_told_only_where_there_is_one(void **state)
{
    struct exit exit = full(EXIT_EXCEPTION_NMI);
    (void)state;
    exit.interruption_info &= ~(uint32_t)HAS_ERROR;
    assert_int_equal(after(&exit)->exit_interruption_error_code, OLD);
    assert_int_equal(m.nest.current->vmcs12.exit_interruption_info, exit.interruption_info);
}

static void in_real_mode_no_event_has_an_error_code(void **state)
{
    struct exit exit = full(EXIT_EXCEPTION_NMI);
    (void)state;
    exit.idt_vectoring_info = VALID | HARDWARE | 13 | HAS_ERROR;
    enter(EXIT_VMLAUNCH);
    m.loaded->held.guest_cr0 &= ~(uint64_t)1;
    const struct vmcs *v = after(&exit);
    assert_int_equal(v->exit_interruption_info, VALID | HARDWARE | 13);
    assert_int_equal(v->exit_interruption_error_code, OLD);
    assert_int_equal(v->idt_vectoring_info, VALID | HARDWARE | 13);
    assert_int_equal(v->idt_vectoring_error_code, OLD);
}

static void an_event_whose_delivery_was_cut_short_is_told(void **state)
{
    struct exit exit = full(EXIT_TASK_SWITCH);
    (void)state;
    exit.idt_vectoring_info = VALID | HARDWARE | 14 | HAS_ERROR, exit.idt_vectoring_error = 0x8888;
    assert_int_equal(after(&exit)->idt_vectoring_info, exit.idt_vectoring_info);
    assert_int_equal(m.nest.current->vmcs12.idt_vectoring_error_code, 0x8888);
    exit.idt_vectoring_info = VALID | HARDWARE | 6;
    assert_int_equal(after(&exit)->idt_vectoring_info, exit.idt_vectoring_info);
    assert_int_equal(m.nest.current->vmcs12.idt_vectoring_error_code, OLD);
    exit.idt_vectoring_info = HARDWARE | 14 | HAS_ERROR; /* not valid: none */
    assert_int_equal(after(&exit)->idt_vectoring_info, 0);
    assert_int_equal(m.nest.current->vmcs12.idt_vectoring_error_code, OLD);
}

/* SDM "Information for VM Exits Due to Instruction Execution": INS, OUTS, and LMSW of memory have a linear address */
static void operands_in_memory_have_a_linear_address(void **state)
{
    struct exit exit = full(EXIT_IO);
    (void)state;
    exit.qualification = 0x80 << 16;
    assert_int_equal(after(&exit)->guest_linear_address, OLD);
    assert_int_equal(m.nest.current->vmcs12.exit_instruction_info, 0x2222);
    for (unsigned type = 0; type < 4; type++)
        for (unsigned memory = 0; memory < 2; memory++) {
            exit = full(EXIT_CR_ACCESS);
            exit.qualification = type << 4 | memory << 6;
            assert_int_equal(after(&exit)->guest_linear_address, type == 3 && memory ? 0x6666 : OLD);
            assert_int_equal(m.nest.current->vmcs12.exit_instruction_info, 0x2222);
        }
    exit = full(EXIT_DR_ACCESS);
    exit.qualification = 3 << 4 | 1 << 6; /* what would be an LMSW */
    assert_int_equal(after(&exit)->guest_linear_address, OLD);
}

static void only_an_nmi_that_exits_blocks_nmis(void **state)
{
    static const struct {
        enum exit_reason reason;
        uint32_t type;
        bool blocks;
    } rows[] = {{EXIT_EXCEPTION_NMI, 2, true},
                {EXIT_EXCEPTION_NMI, 3, false},
                {EXIT_EXTERNAL_INTERRUPT, 2, false},
                {EXIT_EXTERNAL_INTERRUPT, 0, false}};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct exit exit = full(rows[i].reason);
        exit.interruption_info = VALID | rows[i].type << 8 | 2;
        after(&exit);
        assert_int_equal(m.first.held.guest_interruptibility, rows[i].blocks ? 8 : 0);
    }
}

static void an_event_that_was_injected_is_no_longer_valid(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_ENTRY_INTERRUPTION_INFO, VALID | HARDWARE | 6);
    enter(EXIT_VMLAUNCH);
    leave();
    assert_int_equal(fake_vmx_read(&m, VMCS_ENTRY_INTERRUPTION_INFO), HARDWARE | 6);
}

/* ---- entries that fail ------------------------------------------------------------------- */

/* SDM "VM-Entry Failures During or After Loading Guest State": L1 is as after an exit, with
 * what it had of what is not loaded */
static void a_failed_entry_leaves_l1_what_its_host_state_does_not_load(void **state)
{
    (void)state;
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS, 0x00036DFB | EXIT_HOST_LONG_MODE);
    fake_vmx_write(&m, VMCS_GUEST_CR4, 0x2000); /* long mode without PAE */
    m.first.held.guest_efer = 0xD01;
    m.first.held.guest_pat = 0x0606060606060606;
    nest_cr_write(&m.nest, 0, 0x80000031 | 1 << 30); /* CD, which no exit changes */
    m.first.held.guest_interruptibility = 8;
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16 | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS); /* there is no L2 to own them */
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_REFLECTED);
    assert_int_equal(fake_vmx_read(&m, VMCS_EXIT_REASON), EXIT_ENTRY_FAILED | EXIT_ENTRY_GUEST_STATE);
    assert_int_equal(m.first.held.guest_efer, 0xD01);
    assert_int_equal(m.first.held.guest_pat, 0x0606060606060606);
    assert_int_equal(m.first.held.cr0_shadow, 0x80000031 | 1 << 30);
    assert_int_equal(m.first.held.guest_interruptibility, 8);
    assert_int_equal(m.nest.counts.reflected[EXIT_ENTRY_GUEST_STATE], 1);
    fake_vmx_write(&m, VMCS_GUEST_CR4, 0x2020);
    fake_vmx_write(&m, VMCS_EXIT_CONTROLS, 0x00036DFB | EXIT_HOST_LONG_MODE | EXIT_LOAD_EFER | EXIT_LOAD_PAT);
    enter(EXIT_VMLAUNCH); /* it was not launched by the one that failed */
    leave();
    assert_int_equal(m.first.held.guest_efer, 0xD00);
    assert_int_equal(m.first.held.guest_interruptibility, 0);
}

static void a_failed_vmresume_leaves_it_launched(void **state)
{
    (void)state;
    enter(EXIT_VMLAUNCH);
    leave();
    fake_vmx_write(&m, VMCS_GUEST_CR4, 0x2000);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_REFLECTED);
    fake_vmx_write(&m, VMCS_GUEST_CR4, 0x2020);
    enter(EXIT_VMRESUME);
    leave();
}

static void a_failed_entry_without_vpids_drops_what_l1_translated(void **state)
{
    (void)state;
    for (unsigned vpids = 0; vpids < 2; vpids++) {
        unsigned flushes = m.flushes_vpid;
        m.nest.vmcs01.vpid = 1;
        fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | (vpids ? CPU2_VPID : 0));
        fake_vmx_write(&m, VMCS_VPID, vpids);
        fake_vmx_write(&m, VMCS_GUEST_RFLAGS, 0);
        assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_REFLECTED);
        assert_int_equal(m.flushes_vpid, flushes + !vpids);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_exit_has_reason_qualification_length_and_information),
        TEST(an_error_code_is_told_only_where_there_is_one),
        TEST(in_real_mode_no_event_has_an_error_code),
        TEST(an_event_whose_delivery_was_cut_short_is_told),
        TEST(operands_in_memory_have_a_linear_address),
        TEST(only_an_nmi_that_exits_blocks_nmis),
        TEST(an_event_that_was_injected_is_no_longer_valid),
        TEST(a_failed_entry_leaves_l1_what_its_host_state_does_not_load),
        TEST(a_failed_vmresume_leaves_it_launched),
        TEST(a_failed_entry_without_vpids_drops_what_l1_translated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
