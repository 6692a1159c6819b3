/* Whose exit it is, by reason and by everything a VMCS can ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/route.h"
#include "tests/unit/fake/vmx_machine.h"

static struct fake_vmx m;
static struct vmcs inner;

static int start(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_TRAP);
    memset(&inner, 0, sizeof(inner));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_vmx_stop(&m);
    return m.complaint != NULL;
}

static bool l1_gets(const struct exit *exit)
{
    const struct vmcs *list[] = {&inner};
    struct nest_route_state state = {.host = &m.host};
    return nest_route(&state, &m.base, list, 1, exit) == 0;
}

static bool l1_gets_reason(enum exit_reason reason, uint64_t qualification)
{
    struct exit exit = {.reason = reason, .qualification = qualification};
    return l1_gets(&exit);
}

static void instructions_that_always_exit_are_always_l1s(void **state)
{
    static const uint8_t always[] = {EXIT_TRIPLE_FAULT, EXIT_TASK_SWITCH, EXIT_CPUID,    EXIT_GETSEC,  EXIT_INVD,
                                     EXIT_VMCALL,       EXIT_VMCLEAR,     EXIT_VMLAUNCH, EXIT_VMPTRLD, EXIT_VMPTRST,
                                     EXIT_VMREAD,       EXIT_VMRESUME,    EXIT_VMWRITE,  EXIT_VMXOFF,  EXIT_VMXON,
                                     EXIT_INVEPT,       EXIT_INVVPID,     EXIT_XSETBV};
    (void)state;
    for (unsigned i = 0; i < sizeof(always); i++)
        assert_true(l1_gets_reason(always[i], 0));
}

static void intercepts_are_l1s_only_if_its_controls_say_so(void **state)
{
    static const struct {
        uint8_t reason;
        uint32_t primary, secondary;
    } rows[] = {
        {EXIT_INTERRUPT_WINDOW, CPU_INTERRUPT_WINDOW_EXITING, 0},
        {EXIT_NMI_WINDOW, CPU_NMI_WINDOW_EXITING, 0},
        {EXIT_HLT, CPU_HLT_EXITING, 0},
        {EXIT_INVLPG, CPU_INVLPG_EXITING, 0},
        {EXIT_RDPMC, CPU_RDPMC_EXITING, 0},
        {EXIT_RDTSC, CPU_RDTSC_EXITING, 0},
        {EXIT_RDTSCP, CPU_RDTSC_EXITING, 0},
        {EXIT_DR_ACCESS, CPU_MOV_DR_EXITING, 0},
        {EXIT_MWAIT, CPU_MWAIT_EXITING, 0},
        {EXIT_MTF, CPU_MONITOR_TRAP_FLAG, 0},
        {EXIT_MONITOR, CPU_MONITOR_EXITING, 0},
        {EXIT_PAUSE, CPU_PAUSE_EXITING, 0},
        {EXIT_PAUSE, 0, CPU2_PAUSE_LOOP_EXITING},
        {EXIT_TPR, CPU_TPR_SHADOW, 0},
        {EXIT_GDTR_IDTR, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
        {EXIT_LDTR_TR, 0, CPU2_DESCRIPTOR_TABLE_EXITING},
        {EXIT_WBINVD, 0, CPU2_WBINVD_EXITING},
        {EXIT_RDRAND, 0, CPU2_RDRAND_EXITING},
        {EXIT_RDSEED, 0, CPU2_RDSEED_EXITING},
        {EXIT_VMFUNC, 0, CPU2_VM_FUNCTIONS},
        {EXIT_INVPCID, CPU_INVLPG_EXITING, CPU2_INVPCID},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        inner.processor_controls = inner.secondary_controls = 0;
        assert_false(l1_gets_reason(rows[i].reason, 0));
        inner.processor_controls = rows[i].primary | CPU_SECONDARY_CONTROLS;
        inner.secondary_controls = rows[i].secondary;
        assert_true(l1_gets_reason(rows[i].reason, 0));
        if (rows[i].secondary) {
            inner.processor_controls &= ~(uint32_t)CPU_SECONDARY_CONTROLS; /* then they are not in force */
            assert_false(l1_gets_reason(rows[i].reason, 0));
        }
        inner.processor_controls = ~rows[i].primary & ~(uint32_t)CPU_SECONDARY_CONTROLS;
        if (!rows[i].secondary)
            assert_false(l1_gets_reason(rows[i].reason, 0));
    }
}

static void what_is_the_machines_is_cps(void **state)
{
    (void)state;
    memset(&inner, 0xFF, sizeof(inner));
    assert_false(l1_gets_reason(EXIT_EXTERNAL_INTERRUPT, 0));
    assert_false(l1_gets_reason(EXIT_INIT, 0));
    assert_false(l1_gets_reason(EXIT_ENTRY_MCE, 0));
    struct exit nmi = {.reason = EXIT_EXCEPTION_NMI, .interruption_info = 0x80000202};
    struct exit machine_check = {.reason = EXIT_EXCEPTION_NMI, .interruption_info = 0x80000312};
    assert_false(l1_gets(&nmi));
    assert_false(l1_gets(&machine_check));
    assert_false(l1_gets_reason(EXIT_REASONS, 0));
    assert_false(l1_gets_reason(0xFFFF, 0));
}

static bool l1_gets_exception(unsigned vector, uint32_t error)
{
    struct exit exit = {
        .reason = EXIT_EXCEPTION_NMI, .interruption_info = 0x80000300 | vector, .interruption_error = error};
    return l1_gets(&exit);
}

static void exceptions_follow_the_bitmap_and_page_faults_mask_and_match(void **state)
{
    (void)state;
    inner.exception_bitmap = 1 << 6;
    assert_true(l1_gets_exception(6, 0));
    assert_false(l1_gets_exception(13, 0));
    assert_false(l1_gets_exception(14, 2));
    inner.exception_bitmap = 1 << 14;
    inner.page_fault_mask = 1;
    inner.page_fault_match = 1;
    assert_true(l1_gets_exception(14, 3));
    assert_false(l1_gets_exception(14, 2));
    inner.exception_bitmap = 0;
    assert_false(l1_gets_exception(14, 3));
    assert_true(l1_gets_exception(14, 2));
    inner.exception_bitmap = ~0u;
    inner.page_fault_match = 0;
    for (unsigned vector = 0; vector < 64; vector++)
        if (vector != 14 && vector != 18) /* machine checks are CP's */
            assert_int_equal(l1_gets_exception(vector, 1), vector < 32);
}

#define TO_CR(cr, reg)   ((cr) | 0 << 4 | (uint64_t)(reg) << 8)
#define FROM_CR(cr, reg) ((cr) | 1 << 4 | (uint64_t)(reg) << 8)
#define CLTS             (2 << 4)
#define LMSW(source)     (3 << 4 | (uint64_t)(source) << 16)

static void cr0_and_cr4_writes_are_l1s_if_they_change_a_bit_it_keeps(void **state)
{
    (void)state;
    inner.cr0_mask = 1 << 3 | 1 << 0;
    inner.cr0_shadow = 1;
    m.gpr[7] = 0x80000021;
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(0, 7)));
    m.gpr[7] |= 8;
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(0, 7)));
    inner.cr4_mask = 0x2000;
    m.first.held.guest_rsp = 0x2000;
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(4, 4))); /* RSP */
    inner.cr4_shadow = 0x2000;
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(4, 4)));
}

static void clts_and_lmsw_follow_mask_and_shadow(void **state)
{
    (void)state;
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, CLTS));
    inner.cr0_mask = 8;
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, CLTS));
    inner.cr0_shadow = 8;
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, CLTS));
    inner.cr0_mask = 0xF;
    inner.cr0_shadow = 1;
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, LMSW(0))); /* cannot clear PE */
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, LMSW(8)));
    inner.cr0_shadow = 0;
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, LMSW(1)));
    inner.cr0_mask = 0x80000000;
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, LMSW(0xFFFF)));
    inner.cr0_mask = ~0ull;
    for (unsigned bit = 0; bit < 16; bit++) { /* PE, MP, EM and TS are all that it can change */
        inner.cr0_shadow = 0;
        assert_int_equal(l1_gets_reason(EXIT_CR_ACCESS, LMSW(1 << bit)), bit < 4);
        inner.cr0_shadow = 1 << bit;
        assert_int_equal(l1_gets_reason(EXIT_CR_ACCESS, LMSW(0)), bit > 0 && bit < 4);
    }
}

static void cr3_targets_pass_and_cr8_and_stores_follow_controls(void **state)
{
    (void)state;
    m.gpr[0] = 0x5000;
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(3, 0)));
    inner.processor_controls = CPU_CR3_LOAD_EXITING;
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(3, 0)));
    inner.cr3_target_2 = 0x5000;
    inner.cr3_target_count = 2;
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(3, 0)));
    inner.cr3_target_count = 3;
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(3, 0)));
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, FROM_CR(3, 0)));
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(8, 0)));
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, FROM_CR(8, 0)));
    inner.processor_controls = CPU_CR3_STORE_EXITING | CPU_CR8_LOAD_EXITING;
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, FROM_CR(3, 0)));
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(8, 0)));
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, FROM_CR(8, 0)));
    inner.processor_controls = CPU_CR8_STORE_EXITING;
    assert_true(l1_gets_reason(EXIT_CR_ACCESS, FROM_CR(8, 0)));
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, FROM_CR(3, 0)));
    assert_false(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(8, 0)));
}

static void each_cr3_target_passes_when_it_counts(void **state)
{
    static const enum vmcs_index targets[] = {VMCS_INDEX_CR3_TARGET_0, VMCS_INDEX_CR3_TARGET_1, VMCS_INDEX_CR3_TARGET_2,
                                              VMCS_INDEX_CR3_TARGET_3};
    (void)state;
    inner.processor_controls = CPU_CR3_LOAD_EXITING;
    for (unsigned i = 0; i < 4; i++)
        vmcs_set(&inner, targets[i], 0x1000 * (i + 1));
    for (inner.cr3_target_count = 0; inner.cr3_target_count < 6; inner.cr3_target_count++)
        for (unsigned i = 0; i < 5; i++) {
            m.gpr[9] = 0x1000 * (i + 1);
            assert_int_equal(l1_gets_reason(EXIT_CR_ACCESS, TO_CR(3, 9)), i >= inner.cr3_target_count || i >= 4);
        }
}

static void set_bit(uint64_t page, uint32_t bit) { m.storage[page + bit / 8] |= (uint8_t)(1 << bit % 8); }

#define PORT(port, bytes) ((uint64_t)(port) << 16 | ((bytes)-1))

static void ports_follow_both_bitmaps_byte_by_byte(void **state)
{
    (void)state;
    assert_false(l1_gets_reason(EXIT_IO, PORT(0x80, 1)));
    inner.processor_controls = CPU_UNCONDITIONAL_IO_EXITING;
    assert_true(l1_gets_reason(EXIT_IO, PORT(0x80, 1)));
    inner.processor_controls |= CPU_IO_BITMAPS; /* then the other one does not count */
    inner.io_bitmap_a = 0x10000;
    inner.io_bitmap_b = 0x11000;
    set_bit(0x10000, 0x83);
    set_bit(0x11000, 0x8001 & 0x7FFF);
    assert_false(l1_gets_reason(EXIT_IO, PORT(0x82, 1)));
    assert_true(l1_gets_reason(EXIT_IO, PORT(0x83, 1)));
    assert_true(l1_gets_reason(EXIT_IO, PORT(0x82, 2)));
    assert_true(l1_gets_reason(EXIT_IO, PORT(0x80, 4)));
    assert_false(l1_gets_reason(EXIT_IO, PORT(0x84, 4)));
    set_bit(0x10000, 0x7500);
    assert_true(l1_gets_reason(EXIT_IO, PORT(0x7500, 1)));
    assert_false(l1_gets_reason(EXIT_IO, PORT(0xF500, 1)));
    assert_true(l1_gets_reason(EXIT_IO, PORT(0x7FFE, 4))); /* into the second bitmap */
    assert_true(l1_gets_reason(EXIT_IO, PORT(0xFFFE, 4))); /* around the end */
    assert_true(l1_gets_reason(EXIT_IO, PORT(0xFFFF, 2)));
    assert_false(l1_gets_reason(EXIT_IO, PORT(0xFFFF, 1)));
    assert_false(l1_gets_reason(EXIT_IO, PORT(0xFFFC, 4)));
    set_bit(0x11000, 0);
    assert_true(l1_gets_reason(EXIT_IO, PORT(0x8000, 1)));
    assert_false(l1_gets_reason(EXIT_IO, PORT(0x0000, 1)));
    inner.io_bitmap_a = FAKE_STORAGE;
    assert_true(l1_gets_reason(EXIT_IO, PORT(0x10, 1)));
    assert_false(l1_gets_reason(EXIT_IO, PORT(0xF500, 1)));
}

static void msrs_follow_the_bitmap_of_four_parts(void **state)
{
    static const struct {
        uint32_t msr, part;
        uint8_t reason;
    } rows[] = {{0x10, 0, EXIT_RDMSR},
                {0xC0000080, 1024, EXIT_RDMSR},
                {0x1FFF, 2048, EXIT_WRMSR},
                {0xC0001FFF, 3072, EXIT_WRMSR}};
    (void)state;
    inner.msr_bitmap = 0x10000;
    m.gpr[1] = 0x10;
    assert_true(l1_gets_reason(EXIT_RDMSR, 0)); /* without a bitmap all exit */
    inner.processor_controls = CPU_MSR_BITMAPS;
    for (unsigned i = 0; i < 4; i++) {
        m.gpr[1] = 0xABCD00000000 | rows[i].msr;
        assert_false(l1_gets_reason(rows[i].reason, 0));
        set_bit(0x10000 + rows[i].part, rows[i].msr & 0x1FFF);
        assert_true(l1_gets_reason(rows[i].reason, 0));
        assert_false(l1_gets_reason(rows[i].reason == EXIT_RDMSR ? EXIT_WRMSR : EXIT_RDMSR, 0));
    }
    m.gpr[1] = 0x2000;
    assert_true(l1_gets_reason(EXIT_RDMSR, 0));
    m.gpr[1] = 0xC0002000;
    assert_true(l1_gets_reason(EXIT_WRMSR, 0));
    m.gpr[1] = 0xBFFFFFFF;
    assert_true(l1_gets_reason(EXIT_WRMSR, 0));
}

static void vmread_and_vmwrite_follow_l1s_shadow_bitmaps(void **state)
{
    struct exit exit = {.reason = EXIT_VMREAD, .instruction_info = 2u << 28};
    (void)state;
    inner.processor_controls = CPU_SECONDARY_CONTROLS;
    inner.secondary_controls = CPU2_VMCS_SHADOWING;
    inner.vmread_bitmap = 0x10000;
    inner.vmwrite_bitmap = 0x11000;
    m.gpr[2] = VMCS_GUEST_RIP;
    assert_false(l1_gets(&exit));
    set_bit(0x10000, VMCS_GUEST_RIP);
    assert_true(l1_gets(&exit));
    exit.reason = EXIT_VMWRITE;
    assert_false(l1_gets(&exit));
    set_bit(0x11000, VMCS_GUEST_RIP);
    assert_true(l1_gets(&exit));
    m.gpr[2] = VMCS_GUEST_RSP;
    assert_false(l1_gets(&exit));
    inner.processor_controls = 0; /* then there is no shadowing */
    assert_true(l1_gets(&exit));
    inner.processor_controls = CPU_SECONDARY_CONTROLS;
    for (unsigned bit = 15; bit < 64; bit++) { /* no bitmap has a bit for it */
        m.gpr[2] = 1ull << bit | VMCS_GUEST_RSP;
        assert_true(l1_gets(&exit));
    }
    m.gpr[2] = 0x7FFF;
    assert_false(l1_gets(&exit));
}

static void invpcid_exits_as_invlpg_does_where_l2_has_it(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        inner.processor_controls = CPU_SECONDARY_CONTROLS | (n & 1 ? CPU_INVLPG_EXITING : 0);
        inner.secondary_controls = n & 2 ? CPU2_INVPCID : 0;
        assert_int_equal(l1_gets_reason(EXIT_INVPCID, 0), n == 3);
    }
}

static void of_a_chain_the_innermost_that_asked_gets_the_exit(void **state)
{
    struct vmcs middle = {.processor_controls = CPU_HLT_EXITING | CPU_RDTSC_EXITING};
    const struct vmcs *list[] = {&middle, &inner};
    struct nest_route_state route = {.host = &m.host};
    struct exit hlt = {.reason = EXIT_HLT}, rdtsc = {.reason = EXIT_RDTSC}, rdpmc = {.reason = EXIT_RDPMC};
    (void)state;
    inner.processor_controls = CPU_RDTSC_EXITING;
    assert_int_equal(nest_route(&route, &m.base, list, 2, &hlt), 0);
    assert_int_equal(nest_route(&route, &m.base, list, 2, &rdtsc), 1);
    assert_int_equal(nest_route(&route, &m.base, list, 2, &rdpmc), -1);
    assert_int_equal(nest_route(&route, &m.base, list, 0, &hlt), -1);
}

/* ---- the table of controls (vmcs-shadow/controls.def) and the routing, seen by what comes out ---- */

enum word { WORD_PIN, WORD_CPU, WORD_CPU2, WORD_EXIT, WORD_ENTRY };
enum { OFFERED_NO, OFFERED_YES, EXIT_NONE = EXIT_REASONS };

static const struct control {
    enum word word;
    const char *name;
    uint32_t bit;
    bool offered;
    unsigned exits[2];
} controls[] = {
#define CONTROL(w, NAME, b, o, m, e, e2) {WORD_##w, #w "_" #NAME, 1u << (b), OFFERED_##o, {EXIT_##e, EXIT_##e2}},
#include "vmcs-shadow/controls.def"
#undef CONTROL
};
enum { CONTROLS = sizeof controls / sizeof *controls };

/* What an exit of this reason may be about, a bit each that says whether a VMCS with these controls wants it. */
static unsigned wanted(unsigned reason, const struct control *one, const struct control *other)
{
    static const uint64_t qualifications[] = {PORT(0x80, 1), TO_CR(3, 0), FROM_CR(3, 0), TO_CR(8, 0), FROM_CR(8, 0)};
    const struct nest_route_state state = {.host = &m.host, .timer_expired = true, .virtual_nmi = true};
    const struct control *both[] = {one, other};
    unsigned answers = 0;
    struct vmcs v = {.io_bitmap_a = 0x10000,
                     .io_bitmap_b = 0x11000,
                     .msr_bitmap = 0x12000,
                     .vmread_bitmap = 0x13000,
                     .vmwrite_bitmap = 0x14000};
    for (unsigned i = 0; i < 2; i++) {
        v.pin_controls |= both[i] && both[i]->word == WORD_PIN ? both[i]->bit : 0;
        v.processor_controls |= both[i] && both[i]->word == WORD_CPU ? both[i]->bit : 0;
        v.secondary_controls |= both[i] && both[i]->word == WORD_CPU2 ? both[i]->bit : 0;
    }
    v.processor_controls |= v.secondary_controls ? CPU_SECONDARY_CONTROLS : 0;
    for (unsigned i = 0; i < sizeof qualifications / sizeof *qualifications; i++) {
        struct exit exit = {.reason = reason, .qualification = qualifications[i], .interruption_info = 0x80000202};
        answers |= (unsigned)nest_inner_wants(&state, &v, &exit) << i;
    }
    return answers;
}

/* Whether the control makes a difference, alone or beside another. */
static bool matters(unsigned reason, const struct control *control)
{
    if (wanted(reason, control, NULL) != wanted(reason, NULL, NULL))
        return true;
    for (unsigned i = 0; i < CONTROLS; i++)
        if (wanted(reason, control, &controls[i]) != wanted(reason, NULL, &controls[i]))
            return true;
    return false;
}

static void a_control_matters_to_its_exits_and_to_no_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONTROLS; i++)
        for (unsigned reason = 0; reason < EXIT_REASONS; reason++) {
            const struct control *c = &controls[i];
            bool named = c->offered && (c->exits[0] == reason || c->exits[1] == reason);
            if (reason == EXIT_EPT_VIOLATION || reason == EXIT_EPT_MISCONFIG || reason == EXIT_PML_FULL)
                named = false; /* EPT12 says whose it is, before routing */
            if (matters(reason, c) != named)
                fail_msg("%s %s to %s", c->name, named ? "does not matter" : "matters", exit_reason_name(reason));
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(instructions_that_always_exit_are_always_l1s),
        TEST(intercepts_are_l1s_only_if_its_controls_say_so),
        TEST(what_is_the_machines_is_cps),
        TEST(exceptions_follow_the_bitmap_and_page_faults_mask_and_match),
        TEST(cr0_and_cr4_writes_are_l1s_if_they_change_a_bit_it_keeps),
        TEST(clts_and_lmsw_follow_mask_and_shadow),
        TEST(cr3_targets_pass_and_cr8_and_stores_follow_controls),
        TEST(each_cr3_target_passes_when_it_counts),
        TEST(ports_follow_both_bitmaps_byte_by_byte),
        TEST(msrs_follow_the_bitmap_of_four_parts),
        TEST(vmread_and_vmwrite_follow_l1s_shadow_bitmaps),
        TEST(a_control_matters_to_its_exits_and_to_no_other),
        TEST(invpcid_exits_as_invlpg_does_where_l2_has_it),
        TEST(of_a_chain_the_innermost_that_asked_gets_the_exit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
