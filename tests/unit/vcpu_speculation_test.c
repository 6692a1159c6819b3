#include "tests/unit/dispatch_scene.h"

#include "cp/vcpu/speculation.h"
#include "tests/unit/fake/speculation.h"

#define BIT(n) (1ull << (n))
enum { BARRIER = SPECULATION_BARRIER, L1D = SPECULATION_L1D, BUFFERS = SPECULATION_BUFFERS,
       RETURNS = SPECULATION_RETURNS, RESTRICT = SPECULATION_RESTRICT };

/* CPUID 7 EDX, as microcode of 2018 and after has it */
#define MD_CLEAR  BIT(10)
#define SPEC_CTRL BIT(26)
#define STIBP     BIT(27)
#define FLUSH     BIT(28)
#define CAP       BIT(29)
#define SSBD      BIT(31)
#define INTEL     (SPEC_CTRL | STIBP | SSBD)
#define RTM       BIT(11)

/* IA32_ARCH_CAPABILITIES */
#define RDCL_NO     BIT(0)
#define IBRS_ALL    BIT(1)
#define SKIP_L1DFL  BIT(3)
#define MDS_NO      BIT(5)
#define TAA_NO      BIT(8)
#define STALE_NO    (BIT(13) | BIT(14) | BIT(15))
#define FB_CLEAR    BIT(17)
#define RRSBA       BIT(19)
#define BHI_NO      BIT(20)
#define PBRSB_NO    BIT(24)
#define RFDS_NO     BIT(27)
#define RFDS_CLEAR  BIT(28)

/* CPUID 80000008 EBX, 80000021 */
#define IBPB        BIT(12)
#define AMD_IBRS    BIT(14)
#define IBRS_STAYS  BIT(16)
#define AUTOMATIC   BIT(8)
#define VERW_CLEAR  BIT(5)
#define TSA_NO      (BIT(1) | BIT(2))

static const struct processor {
    const char *name;
    uint64_t facts[SPECULATION_FACTS]; /* 7 EBX, 7 EDX, 7.2 EDX, 80000008 EBX, 80000021 EAX, ECX, capabilities */
    uint8_t at_switch, at_entry, at_exit;
    uint64_t own;
} processors[] = {
    {"one that says nothing, as emulators", {0}, 0, 0, 0, 0},
    {"an emulator that offers RTM, and what else is no concern of this", {RTM | 0xF1BF27A9, 0x10, 0, 0x200, 0x41, 0, 0},
     0, 0, 0, 0},
    {"Haswell with microcode", {RTM, INTEL | MD_CLEAR | FLUSH, 0, 0, 0, 0, 0},
     BARRIER, L1D | BUFFERS, RETURNS | RESTRICT, 1},
    {"Skylake, whose hypervisor flushes for it", {RTM, INTEL | MD_CLEAR | FLUSH | CAP, 0, 0, 0, 0, SKIP_L1DFL},
     BARRIER, BUFFERS, RETURNS | RESTRICT, 1},
    {"Cascade Lake with TSX", {RTM, INTEL | MD_CLEAR | FLUSH | CAP, 0, 0, 0, 0,
                               RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO},
     BARRIER, BUFFERS, RETURNS, 1},
    {"Cascade Lake with TSX switched off", {0, INTEL | MD_CLEAR | FLUSH | CAP, 0, 0, 0, 0,
                                            RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | PBRSB_NO},
     BARRIER, 0, 0, 1},
    {"Ice Lake", {0, INTEL | MD_CLEAR | FLUSH | CAP, 0x14, 0, 0, 0,
                  RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | TAA_NO | FB_CLEAR | RRSBA},
     BARRIER, BUFFERS, RETURNS, 0x441},
    {"Sapphire Rapids", {RTM, INTEL | MD_CLEAR | FLUSH | CAP, 0x14, 0, 0, 0,
                         RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | TAA_NO | STALE_NO | FB_CLEAR |
                             RRSBA | PBRSB_NO | RFDS_NO},
     BARRIER, 0, 0, 0x441},
    {"the same, immune to branch history", {0, INTEL | CAP, 0x14, 0, 0, 0,
                                            RDCL_NO | IBRS_ALL | MDS_NO | TAA_NO | PBRSB_NO | BHI_NO},
     BARRIER, 0, 0, 1},
    {"Gracemont", {0, INTEL | MD_CLEAR | FLUSH | CAP, 0, 0, 0, 0,
                   RDCL_NO | IBRS_ALL | SKIP_L1DFL | MDS_NO | TAA_NO | STALE_NO | PBRSB_NO | RFDS_CLEAR},
     BARRIER, BUFFERS, 0, 1},
    {"Zen 1", {0, 0, 0, IBPB, 0, 0, 0}, BARRIER, 0, RETURNS, 0},
    {"Zen 2", {0, 0, 0, IBPB | AMD_IBRS, 0, 0, 0}, BARRIER, 0, RETURNS | RESTRICT, 1},
    {"Zen 3", {0, 0, 0, IBPB | AMD_IBRS | IBRS_STAYS, VERW_CLEAR, 0, 0}, BARRIER, BUFFERS, RETURNS, 1},
    {"Zen 4", {0, 0, 0, IBPB | AMD_IBRS, AUTOMATIC | VERW_CLEAR, BIT(1), 0}, BARRIER, BUFFERS, 0, 0},
    {"Zen 5", {0, 0, 0, IBPB | AMD_IBRS, AUTOMATIC | VERW_CLEAR, TSA_NO, 0}, BARRIER, 0, 0, 0},
};
enum { PROCESSORS = sizeof processors / sizeof *processors };
#define EACH(p) for (const struct processor *p = processors; p < processors + PROCESSORS; p++)

static void what_is_done_follows_from_what_the_processor_says(void **state)
{
    (void)state;
    EACH(p) {
        struct speculation_plan plan = speculation_decide(p->facts);
        print_message("%s\n", p->name);
        assert_int_equal(plan.at_switch, p->at_switch);
        assert_int_equal(plan.at_entry, p->at_entry);
        assert_int_equal(plan.at_exit, p->at_exit);
        assert_int_equal(plan.own, p->own);
    }
}

/* An order the processor did not offer would be #GP in CP. */
static void nothing_is_done_that_the_processor_cannot(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t facts[SPECULATION_FACTS];
        for (unsigned f = 0; f < SPECULATION_FACTS; f++)
            facts[f] = ((uint64_t)rand() << 31 ^ (uint64_t)rand()) & ((uint64_t)rand() << 31 ^ (uint64_t)rand());
        struct speculation_plan plan = speculation_decide(facts);
        bool intel = facts[FACT_STRUCTURED_EDX] & SPEC_CTRL, amd = facts[FACT_EXTENDED_EBX] & AMD_IBRS;
        bool restricts = plan.own & SPEC_CTRL_IBRS || plan.at_exit & RESTRICT;

        assert_true(!(plan.at_switch & BARRIER) || intel || facts[FACT_EXTENDED_EBX] & IBPB);
        assert_true(!(plan.at_entry & L1D) || facts[FACT_STRUCTURED_EDX] & FLUSH);
        assert_true(!restricts || intel || amd);
        assert_true(!(plan.own & SPEC_CTRL_RRSBA_DIS_S) || facts[FACT_CONTROL_EDX] & BIT(2));
        assert_true(!(plan.own & SPEC_CTRL_BHI_DIS_S) || facts[FACT_CONTROL_EDX] & BIT(4));
        assert_true(!plan.automatic || facts[FACT_SECURITY_EAX] & AUTOMATIC);
        assert_false(plan.at_switch & ~BARRIER || plan.at_entry & ~(L1D | BUFFERS) ||
                     plan.at_exit & ~(RETURNS | RESTRICT));
    }
}

static void orders_forget(void) { fake_ordered = 0; }

static void assert_orders(const struct fake_order *wanted, unsigned count)
{
    assert_int_equal(fake_ordered, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(fake_orders[i].msr, wanted[i].msr);
        assert_int_equal(fake_orders[i].value, wanted[i].value);
    }
    orders_forget();
}
#define ORDERS(...) \
    assert_orders((const struct fake_order[]){__VA_ARGS__}, \
                  sizeof((const struct fake_order[]){__VA_ARGS__}) / sizeof(struct fake_order))
#define NO_ORDERS() assert_orders(NULL, 0)

static int begin(void **state)
{
    scene_begin(state);
    speculation = (struct speculation_plan){0};
    orders_forget();
    return 0;
}

static int end(void **state)
{
    speculation = (struct speculation_plan){0};
    return scene_end(state);
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void a_processor_that_asks_for_nothing_gets_nothing(void **state)
{
    (void)state;
    assert_false(speculation_guards());
    speculation_switch();
    speculation_enter(0);
    speculation_leave(0);
    NO_ORDERS();
}

static void orders_come_in_the_order_that_leaves_nothing_behind(void **state)
{
    (void)state;
    speculation = speculation_decide(processors[2].facts); /* Haswell: all there is */
    assert_true(speculation_guards());
    speculation_switch();
    ORDERS({MSR_PRED_CMD, 1});
    speculation_enter(0);
    ORDERS({MSR_FLUSH_CMD, 1}, {FAKE_VERW, 0}); /* buffers last: an MSR is written before */
    speculation_leave(0);
    ORDERS({MSR_SPEC_CTRL, 1});
    speculation_enter(SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD);
    ORDERS({MSR_SPEC_CTRL, 7}, {MSR_FLUSH_CMD, 1}, {FAKE_VERW, 0});
    speculation_leave(SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD);
    ORDERS({MSR_SPEC_CTRL, 1});
}

static void a_guests_spec_ctrl_is_its_own_and_costs_only_who_uses_it(void **state)
{
    (void)state;
    EACH(p) {
        speculation = speculation_decide(p->facts);
        if (!speculation.has_control)
            continue;
        assert_true(speculation_guards());
        bool anew = speculation.at_exit & RESTRICT;
        speculation.at_entry = 0;
        for (uint64_t wanted = 0; wanted < 8; wanted++) {
            bool differs = wanted & ~speculation.own;
            speculation_enter(wanted);
            if (differs)
                ORDERS({MSR_SPEC_CTRL, wanted | speculation.own}); /* never less than CP's */
            else
                NO_ORDERS();
            speculation_leave(wanted);
            if (differs || anew)
                ORDERS({MSR_SPEC_CTRL, speculation.own});
            else
                NO_ORDERS();
        }
    }
}

static void guests_are_told_what_the_processor_is_immune_to(void **state)
{
    uint64_t facts[SPECULATION_FACTS] = {[FACT_STRUCTURED_EDX] = INTEL | FLUSH | CAP, [FACT_CAPABILITIES] = ~0ull};

    (void)state;
    /* neither TSX_CTRL, MCU_OPT_CTRL, package, energy, overclocking and fill-buffer
     * controls, nor what is not defined yet */
    assert_int_equal(speculation_decide(facts).guest_capabilities, 0x1D1AE17B);
    facts[FACT_CAPABILITIES] = 0;
    /* CP flushes before every entry, a guest's guest's too */
    assert_int_equal(speculation_decide(facts).guest_capabilities, SKIP_L1DFL);
}

/* ---- what a guest is offered: CPUID and MSRs --------------------------------------------------------------------- */

static struct cpuid_answer offered;
static struct cpuid_answer some(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_answer a = everything(leaf, subleaf);
    if (leaf == 7)
        a.edx = offered.edx;
    if (leaf == 0x80000008u)
        a.ebx = offered.ebx;
    return a;
}

static bool takes(uint32_t msr, uint64_t value) { return msr_policy_write(vm, msr, value) == 0; }
static bool reads(uint32_t msr)
{
    uint64_t value;
    return msr_policy_read(vm, msr, &value) == 0;
}

static void each_msr_is_there_as_cpuid_says_and_takes_only_its_bits(void **state)
{
    static const struct {
        struct cpuid_answer has;
        uint64_t control, predict, flush;
        bool capabilities;
    } cases[] = {
        {{0}, 0, 0, 0, false},
        {{.edx = SPEC_CTRL}, 1, 1, 0, false},
        {{.edx = (uint32_t)(INTEL | FLUSH | CAP)}, 7, 1, 1, true},
        {{.edx = (uint32_t)FLUSH}, 0, 0, 1, false},
        {{.ebx = (uint32_t)IBPB}, 0, 1, 0, false},
        {{.ebx = (uint32_t)(IBPB | AMD_IBRS | BIT(15) | BIT(24))}, 7, 1, 0, false},
        {{.ebx = (uint32_t)BIT(24)}, 4, 0, 0, false},
        {{.ebx = (uint32_t)BIT(25)}, 0, 0, 0, false}, /* VIRT_SPEC_CTRL is not handed on */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        offered = cases[i].has;
        cpuid_policy_init(some, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
        for (unsigned bit = 0; bit < 64; bit++) {
            assert_int_equal(takes(MSR_SPEC_CTRL, BIT(bit)), cases[i].control >> bit & 1);
            assert_int_equal(takes(MSR_PRED_CMD, BIT(bit)), cases[i].predict >> bit & 1);
            assert_int_equal(takes(MSR_FLUSH_CMD, BIT(bit)), cases[i].flush >> bit & 1);
        }
        assert_int_equal(takes(MSR_SPEC_CTRL, 0), cases[i].control != 0);
        assert_int_equal(reads(MSR_SPEC_CTRL), cases[i].control != 0);
        assert_int_equal(reads(MSR_ARCH_CAPABILITIES), cases[i].capabilities);
        assert_false(takes(MSR_ARCH_CAPABILITIES, 0));
        assert_false(reads(MSR_PRED_CMD) || reads(MSR_FLUSH_CMD)); /* commands */
    }
}

static void a_guests_commands_are_carried_out_and_its_control_is_kept_until_reset(void **state)
{
    uint64_t value;

    (void)state;
    assert_true(takes(MSR_PRED_CMD, 0));
    NO_ORDERS();
    assert_true(takes(MSR_PRED_CMD, 1));
    assert_true(takes(MSR_FLUSH_CMD, 1));
    ORDERS({MSR_PRED_CMD, 1}, {MSR_FLUSH_CMD, 1});
    assert_true(takes(MSR_SPEC_CTRL, 5));
    NO_ORDERS(); /* CP does not run with it */
    assert_int_equal(msr_policy_read(vm, MSR_SPEC_CTRL, &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(vm->vcpu.spec_ctrl, 5);
    vm_reset(vm);
    assert_int_equal(vm->vcpu.spec_ctrl, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_done_follows_from_what_the_processor_says),
        TEST(nothing_is_done_that_the_processor_cannot),
        TEST(a_processor_that_asks_for_nothing_gets_nothing),
        TEST(orders_come_in_the_order_that_leaves_nothing_behind),
        TEST(a_guests_spec_ctrl_is_its_own_and_costs_only_who_uses_it),
        TEST(guests_are_told_what_the_processor_is_immune_to),
        TEST(each_msr_is_there_as_cpuid_says_and_takes_only_its_bits),
        TEST(a_guests_commands_are_carried_out_and_its_control_is_kept_until_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
