#include "tests/unit/dispatch_scene.h"

#include "cp/vcpu/speculation.h"

enum {
    TSC = 0x10,
    APIC_BASE = 0x1B,
    FEATURE_CONTROL = 0x3A,
    TSC_ADJUST = 0x3B,
    MTRRCAP = 0xFE,
    MISC_ENABLE = 0x1A0,
    DEBUGCTL = 0x1D9,
    PAT = 0x277,
    MTRR_DEF_TYPE = 0x2FF,
    TSC_DEADLINE = 0x6E0
};
#define EFER 0xC0000080u

static bool reads(uint32_t msr)
{
    uint64_t value;
    return msr_policy_read(vm, msr, &value) == 0;
}

static bool takes(uint32_t msr, uint64_t value) { return msr_policy_write(vm, msr, value) == 0; }

static uint64_t value_of(uint32_t msr)
{
    uint64_t value = 0;
    assert_int_equal(msr_policy_read(vm, msr, &value), 0);
    return value;
}

static void msrs_of_features_not_offered_are_general_protection(void **state)
{
    static const struct {
        uint32_t first, last;
    } absent[] = {
        {0x0, 0xF},
        {0x11, 0x16},
        {0x34, 0x34},
        {0x4A, 0x4A},
        {0xC1, 0xC8},
        {0xE1, 0xE1},
        {0xE7, 0xE8},
        {0x10C, 0x10C},
        {0x122, 0x122},
        {0x17B, 0x17F},
        {0x186, 0x189},
        {0x19A, 0x19F},
        {0x1C9, 0x1C9},
        {0x1F2, 0x1F3},
        {0x200, 0x26F},
        {0x280, 0x29F},
        {0x309, 0x30C},
        {0x345, 0x345},
        {0x38D, 0x391},
        {0x3F1, 0x3F1},
        {0x400, 0x47F},
        {0x480, 0x4FF},
        {0x500, 0x5FF},
        {0x600, 0x6DF},
        {0x6E1, 0x6E1},
        {0x6A0, 0x6A8},
        {0xC80, 0xC8F},
        {0xD90, 0xD93},
        {0xDA0, 0xDA0},
        {0x40000000, 0x400000F0},
        {0xC0000100, 0xC0010120},
        {0xFFFFFFFF, 0xFFFFFFFF},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof absent / sizeof *absent; i++)
        for (uint32_t msr = absent[i].first;; msr++) {
            assert_false(reads(msr));
            assert_false(takes(msr, 0));
            if (msr == absent[i].last)
                break;
        }
    assert_false(reads(FEATURE_CONTROL)); /* no VMX */
    assert_false(takes(FEATURE_CONTROL, 5));
}

static void constants_are_read_and_never_change(void **state)
{
    (void)state;
    assert_int_equal(value_of(0x17), 0);
    assert_false(takes(0x17, 0));
    assert_int_equal(value_of(MTRRCAP), 0); /* no ranges: 200H and 250H do not exist */
    assert_false(takes(MTRRCAP, 0));
    assert_true(takes(0x8B, 0));
    assert_int_equal(value_of(0x8B), 1ull << 32);
    assert_true(takes(MISC_ENABLE, 0));
    assert_int_equal(value_of(MISC_ENABLE), 0x1801);
}

static void efer_takes_only_offered_bits(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t value = 1ull << bit;
        bool good = value & (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
        set(VMCS_GUEST_EFER, 0);
        assert_int_equal(takes(EFER, value), good);
        assert_int_equal(value_of(EFER), good && value != EFER_LMA ? value : 0); /* LMA is the processor's own */
    }
}

static void efer_lme_does_not_move_while_paging_is_on(void **state)
{
    (void)state;
    set(VMCS_GUEST_CR0, get(VMCS_GUEST_CR0) | CR0_PG);
    assert_false(takes(EFER, EFER_LME));
    assert_true(takes(EFER, EFER_SCE));
    scene_long_mode();
    assert_false(takes(EFER, EFER_NXE));
    assert_int_equal(value_of(EFER), EFER_LME | EFER_LMA | EFER_NXE);
    assert_true(takes(EFER, EFER_LME | EFER_SCE)); /* without LMA: ignored, it stays */
    assert_int_equal(value_of(EFER), EFER_LME | EFER_LMA | EFER_SCE);
}

static void efer_nxe_flushes_translations(void **state)
{
    (void)state;
    assert_true(takes(EFER, EFER_SCE));
    assert_int_equal(linear_flushes, 0);
    assert_true(takes(EFER, EFER_NXE));
    assert_int_equal(linear_flushes, 1);
    assert_true(takes(EFER, 0));
    assert_int_equal(linear_flushes, 2);
}

static struct cpuid_answer without_nx(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_answer a = everything(leaf, subleaf);
    if (leaf == 0x80000001u)
        a.edx &= ~(1u << 20);
    return a;
}

static void efer_nxe_is_refused_without_nx_in_cpuid(void **state)
{
    (void)state;
    cpuid_policy_init(without_nx, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    assert_false(takes(EFER, EFER_NXE));
    assert_true(takes(EFER, EFER_SCE));
}

static struct cpuid_answer amd(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_answer a = everything(leaf, subleaf);
    if (!leaf)
        memcpy(&a.ebx, "Auth", 4), memcpy(&a.edx, "enti", 4), memcpy(&a.ecx, "cAMD", 4);
    return a;
}

static void an_amd_says_that_no_c1e_is_pending(void **state)
{
    (void)state;
    assert_false(reads(0xC0010055));
    cpuid_policy_init(amd, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    assert_int_equal(value_of(0xC0010055), 0);
    assert_false(takes(0xC0010055, 0));
}

static void an_amd_shown_as_one_of_intels_has_intels_msrs(void **state)
{
    (void)state;
    cpuid_policy_init(amd, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    vm->config.nesting = NEST_MEMORY;
    assert_false(reads(0xC0010055));
    assert_true(value_of(0x10A) & 1); /* no Meltdown, and what came after it */
    assert_int_equal(value_of(0x10A), speculation_unaffected);
    vm->config.grants |= 1u << GRANT_HOST_VENDOR;
    assert_int_equal(value_of(0xC0010055), 0);
}

static void each_byte_of_the_pat_is_a_memory_type(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 8; byte++)
        for (unsigned type = 0; type < 256; type++) {
            bool good = type == 0 || type == 1 || (type >= 4 && type <= 7);
            uint64_t value = (0x0606060606060606ull & ~(0xFFull << 8 * byte)) | (uint64_t)type << 8 * byte;
            uint64_t old = value_of(PAT);
            assert_int_equal(takes(PAT, value), good);
            assert_int_equal(value_of(PAT), good ? value : old);
            assert_int_equal(get(VMCS_GUEST_PAT), value_of(PAT));
        }
}

static void the_default_memory_type_is_one_that_exists(void **state)
{
    (void)state;
    assert_int_equal(value_of(MTRR_DEF_TYPE), 0xC06);
    for (unsigned type = 0; type < 256; type++) {
        bool good = type == 0 || type == 1 || (type >= 4 && type <= 6);
        assert_int_equal(takes(MTRR_DEF_TYPE, 0x800 | type), good);
        assert_int_equal(value_of(MTRR_DEF_TYPE) & 0xFF, good ? type : value_of(MTRR_DEF_TYPE) & 0xFF);
    }
    for (unsigned bit = 8; bit < 64; bit++)
        assert_int_equal(takes(MTRR_DEF_TYPE, 1ull << bit), bit == 10 || bit == 11);
}

static void debugctl_keeps_btf_and_drops_lbr(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        assert_int_equal(takes(DEBUGCTL, 1ull << bit), bit <= 1);
    assert_int_equal(value_of(DEBUGCTL), 2);
    assert_true(takes(DEBUGCTL, 1));
    assert_int_equal(value_of(DEBUGCTL), 0);
    assert_true(takes(DEBUGCTL, 3));
    assert_int_equal(value_of(DEBUGCTL), 2);
}

static void the_tsc_runs_on_from_what_was_written(void **state)
{
    (void)state;
    fake_clock_advance(5000);
    assert_int_equal(value_of(TSC), 5000);
    assert_true(takes(TSC, 1000000));
    assert_int_equal(value_of(TSC), 1000000);
    assert_int_equal(vm->vcpu.tsc_offset, 995000);
    assert_int_equal(get(VMCS_TSC_OFFSET), 995000);
    fake_clock_advance(7);
    assert_int_equal(value_of(TSC), 1000007);
    assert_true(takes(TSC, 0)); /* backwards */
    fake_clock_advance(3);
    assert_int_equal(value_of(TSC), 3);
}

static void tsc_adjust_is_what_was_added_to_the_tsc(void **state)
{
    (void)state;
    fake_clock_advance(5000);
    assert_int_equal(value_of(TSC_ADJUST), 0);
    assert_true(takes(TSC, 1000000));
    assert_int_equal(value_of(TSC_ADJUST), 995000);
    assert_true(takes(TSC_ADJUST, 0));
    assert_int_equal(value_of(TSC), 5000);
    assert_int_equal(get(VMCS_TSC_OFFSET), 0);
    assert_true(takes(TSC_ADJUST, (uint64_t)-4000));
    assert_int_equal(value_of(TSC), 1000);
    fake_clock_advance(1);
    assert_int_equal(value_of(TSC), 1001);
    assert_int_equal(value_of(TSC_ADJUST), (uint64_t)-4000);
}

static void writing_the_tsc_moves_the_deadline_of_the_apic_timer(void **state)
{
    enum { X2APIC = 1 << 10, ENABLED = 1 << 11, SVR = 0x80F, LVT_TIMER = 0x832 };

    (void)state;
    assert_true(takes(APIC_BASE, value_of(APIC_BASE) | X2APIC | ENABLED));
    assert_true(takes(SVR, 0x1FF));
    assert_true(takes(LVT_TIMER, 2 << 17 | 0x40));
    assert_true(takes(TSC_DEADLINE, 10000));
    assert_int_equal(value_of(TSC_DEADLINE), 10000);
    assert_int_equal(timer_next(), 10000);
    fake_clock_advance(1000);
    assert_true(takes(TSC, 9000)); /* 8000 later in guest time: 2000 in host time */
    assert_int_equal(timer_next(), 2000);
    fake_clock_advance(999);
    assert_false(machine_interrupt_pending(&vm->machine));
    fake_clock_advance(1);
    assert_true(machine_interrupt_pending(&vm->machine));
    assert_int_equal(machine_interrupt_acknowledge(&vm->machine), 0x40);
    assert_true(takes(TSC_DEADLINE, 20000));
    assert_true(takes(TSC, 30000)); /* jumps past it: due at once */
    fake_clock_advance(0);
    assert_int_equal(value_of(TSC_DEADLINE), 0);
}

static void the_apics_registers_are_msrs_only_in_x2apic_mode(void **state)
{
    (void)state;
    assert_false(reads(0x802));
    assert_true(takes(APIC_BASE, value_of(APIC_BASE) | 1 << 10));
    assert_true(reads(0x802));
    assert_false(takes(0x802, 0));
    assert_false(reads(0x8FF));
    assert_false(takes(APIC_BASE, value_of(APIC_BASE) | 1ull << 40)); /* beyond MAXPHYADDR */
}

static void rdmsr_and_wrmsr_use_edx_eax_and_leave_all_as_it_was_on_a_fault(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    gpr[RCX] = 0xFFFFFFFF00000000 | PAT; /* only ECX counts */
    gpr[RAX] = 0xDEAD000000070106, gpr[RDX] = 0xBEEF000000000405;
    assert_int_equal(exit_wrmsr(vm), EXIT_SKIP);
    assert_int_equal(get(VMCS_GUEST_PAT), 0x0000040500070106);
    assert_int_equal(exit_rdmsr(vm), EXIT_SKIP);
    assert_int_equal(gpr[RAX], 0x00070106);
    assert_int_equal(gpr[RDX], 0x0405);
    gpr[RCX] = 0x3C, gpr[RAX] = 0x1111111122222222, gpr[RDX] = 0x3333333344444444;
    assert_general_protection(exit_rdmsr(vm));
    assert_int_equal(gpr[RAX], 0x1111111122222222);
    assert_int_equal(gpr[RDX], 0x3333333344444444);
    assert_general_protection(exit_wrmsr(vm));
}

static void the_apics_page_must_be_within_the_processors_addresses(void **state)
{
    enum { BITS = 39, ENABLED = 1 << 11 }; /* of the scene's CPUID */

    (void)state;
    assert_int_equal(cpuid_physical_bits(), BITS);
    assert_int_equal(msr_policy_write(vm, 0x1B, 1ull << BITS | ENABLED), -1);
    assert_int_equal(msr_policy_write(vm, 0x1B, 1ull << (BITS - 1) | ENABLED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(msrs_of_features_not_offered_are_general_protection),
        scene_test(constants_are_read_and_never_change),
        scene_test(the_apics_page_must_be_within_the_processors_addresses),
        scene_test(efer_takes_only_offered_bits),
        scene_test(efer_lme_does_not_move_while_paging_is_on),
        scene_test(efer_nxe_flushes_translations),
        scene_test(efer_nxe_is_refused_without_nx_in_cpuid),
        scene_test(an_amd_says_that_no_c1e_is_pending),
        scene_test(each_byte_of_the_pat_is_a_memory_type),
        scene_test(the_default_memory_type_is_one_that_exists),
        scene_test(debugctl_keeps_btf_and_drops_lbr),
        scene_test(the_tsc_runs_on_from_what_was_written),
        scene_test(tsc_adjust_is_what_was_added_to_the_tsc),
        scene_test(an_amd_shown_as_one_of_intels_has_intels_msrs),
        scene_test(writing_the_tsc_moves_the_deadline_of_the_apic_timer),
        scene_test(the_apics_registers_are_msrs_only_in_x2apic_mode),
        scene_test(rdmsr_and_wrmsr_use_edx_eax_and_leave_all_as_it_was_on_a_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
