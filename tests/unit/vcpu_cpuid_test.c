#include "tests/unit/dispatch_scene.h"

#include "cp/diagnose.h"

static struct cpuid_answer ask(uint32_t leaf, uint32_t subleaf) { return cpuid_answer(vm, leaf, subleaf); }
static void same(struct cpuid_answer a, struct cpuid_answer b) { assert_memory_equal(&a, &b, sizeof a); }

static struct cpuid_answer nothing(uint32_t leaf, uint32_t subleaf)
{
    (void)leaf, (void)subleaf;
    return (struct cpuid_answer){0};
}

static void features_without_their_machinery_are_hidden_from_a_processor_that_has_them(void **state)
{
    struct cpuid_answer one = ask(1, 0), seven = ask(7, 0), extended = ask(0x80000001u, 0);

    (void)state;
    static const unsigned hidden_1c[] = {2, 3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 16, 18, 27};
    static const unsigned hidden_1d[] = {10, 18, 20, 21, 22, 28, 29, 30, 31};
    static const unsigned hidden_7b[] = {2, 4, 6, 11, 12, 14, 15, 22, 25, 26, 27};
    static const unsigned hidden_7c[] = {0, 2, 3, 4, 5, 7, 13, 16, 17, 23, 24, 25, 27, 28, 29, 30, 31};
    for (unsigned i = 0; i < sizeof hidden_1c / sizeof *hidden_1c; i++)
        assert_false(one.ecx >> hidden_1c[i] & 1);
    for (unsigned i = 0; i < sizeof hidden_1d / sizeof *hidden_1d; i++)
        assert_false(one.edx >> hidden_1d[i] & 1);
    for (unsigned i = 0; i < sizeof hidden_7b / sizeof *hidden_7b; i++)
        assert_false(seven.ebx >> hidden_7b[i] & 1);
    for (unsigned i = 0; i < sizeof hidden_7c / sizeof *hidden_7c; i++)
        assert_false(seven.ecx >> hidden_7c[i] & 1);
    assert_int_equal(seven.eax, 0); /* no further subleaf */
    assert_int_equal(seven.edx, 0xBC000400); /* speculation controls CP knows; no AMX, no CET */
    assert_int_equal(ask(0x80000008u, 0).ebx, 0x4500D000);
    assert_int_equal(extended.ecx, 0x131);
    assert_int_equal(extended.edx, 0x2C100800);
    assert_int_equal(ask(0x80000007u, 0).edx, 0x100);
}

static void a_machine_always_has_its_own_devices_and_one_processor(void **state)
{
    struct cpuid_answer one = ask(1, 0);

    (void)state;
    assert_true(one.ecx >> 31 & 1); /* a hypervisor is there */
    assert_true(one.ecx >> 21 & 1); /* x2APIC */
    assert_true(one.ecx >> 24 & 1); /* TSC deadline */
    assert_true(one.edx >> 9 & 1);  /* APIC */
    assert_int_equal(one.ebx >> 16 & 0xFF, 1);
    assert_int_equal(one.ebx >> 24, 0);
    assert_int_equal(ask(4, 0).eax >> 14, 0); /* nobody shares its caches */
    assert_int_equal(ask(0xB, 0).ebx, 1);
    assert_int_equal(ask(0xB, 1).ecx, 0x201);
}

static void the_time_leaves_tell_the_clocks_that_run(void **state)
{
    struct cpuid_answer a = ask(0x15, 0);

    (void)state;
    assert_int_equal((uint64_t)a.ecx * a.ebx / a.eax, SCENE_HZ);
    assert_int_equal(a.ecx, LAPIC_TIMER_HZ);
    assert_int_equal(ask(DIAGNOSE_LEAF_CLOCK, 0).eax, SCENE_HZ / 1000);
    struct cpuid_answer name = ask(DIAGNOSE_LEAF_SIGNATURE, 0);
    assert_memory_equal(&name.ebx, DIAGNOSE_SIGNATURE, 4);
    assert_memory_equal(&name.ecx, DIAGNOSE_SIGNATURE + 4, 4);
    assert_memory_equal(&name.edx, DIAGNOSE_SIGNATURE + 8, 4);
}

/* Linux computes ECX / 1000 * EBX / EAX so, and takes the TSC to be as fast as that says. */
static void the_rate_of_the_tsc_can_be_computed_in_32_bits(void **state)
{
    static const uint64_t rates[] = {100000000,  999999999,  1000000007, 1686000000, 2095078000, 2593906000, 2899999999,
                                     3312002000, 3792871234, 4008000001, 5199999999, 6000000000, 99999999999};

    (void)state;
    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
        cpuid_policy_init(everything, CPU2_ALL, SCENE_XCR0, rates[i]);
        struct cpuid_answer a = ask(0x15, 0);
        uint32_t khz = a.ecx / 1000 * a.ebx / a.eax;
        uint64_t off = khz > rates[i] / 1000 ? khz - rates[i] / 1000 : rates[i] / 1000 - khz;
        assert_int_equal(a.ecx, LAPIC_TIMER_HZ);
        assert_in_range(off, 0, 1 + rates[i] / 1000 / 8500); /* where fractions with such numerators are scarcest */
    }
    cpuid_policy_init(everything, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
}

static void linear_addresses_have_48_bits_as_long_as_cr4_has_no_la57(void **state)
{
    struct cpuid_answer seven = ask(7, 0), a = ask(0x80000008u, 0);

    (void)state;
    assert_false(seven.ecx >> 16 & 1);
    assert_int_equal(everything(0x80000008u, 0).eax >> 8 & 0xFF, 57);
    assert_int_equal(a.eax >> 8, 48);
}

static void the_tsc_can_be_adjusted_and_never_changes_its_rate(void **state)
{
    (void)state;
    assert_true(ask(7, 0).ebx >> 1 & 1);
    cpuid_policy_init(nothing, CPU2_ALL, SCENE_XCR0, SCENE_HZ); /* CP keeps both promises, whatever the processor */
    assert_true(ask(7, 0).ebx >> 1 & 1);
    assert_int_equal(ask(0x80000007u, 0).edx, 0x100);
}

static void linux_finds_kvms_clock_behind_cps_own_leaves(void **state)
{
    struct cpuid_answer name = ask(0x40000100, 0);

    (void)state;
    assert_int_equal(ask(DIAGNOSE_LEAF_SIGNATURE, 0).eax, DIAGNOSE_LEAF_CLOCK);
    assert_memory_equal(&name.ebx, "KVMK", 4);
    assert_memory_equal(&name.ecx, "VMKV", 4);
    assert_memory_equal(&name.edx, "M\0\0\0", 4);
    assert_int_equal(name.eax, 0x40000101);
    assert_int_equal(ask(0x40000101, 0).eax, 1 << 1 | 1 << 3 | 1 << 24);
    vm->config.grants |= 1u << GRANT_NO_KVM_CLOCK;
    same(ask(0x40000100, 0), (struct cpuid_answer){0});
    same(ask(0x40000101, 0), (struct cpuid_answer){0});
}

/* So that a CP above looks at no bit that the processor beneath both sets by itself. */
static void guests_are_told_of_walks_that_mark_the_top_entries_of_pae(void **state)
{
    (void)state;
    for (unsigned marks = 0; marks < 2; marks++) {
        cpuid_marks_pdptes = marks;
        cpuid_policy_init(everything, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
        assert_int_equal(!!(ask(DIAGNOSE_LEAF_ASSISTS, 0).ebx & DIAGNOSE_MARKED_PDPTES), marks);
    }
    cpuid_marks_pdptes = false;
    cpuid_policy_init(everything, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
}

static void osxsave_follows_cr4_and_apic_follows_its_base(void **state)
{
    (void)state;
    assert_false(ask(1, 0).ecx >> 27 & 1);
    set(VMCS_GUEST_CR4, get(VMCS_GUEST_CR4) | CR4_OSXSAVE);
    assert_true(ask(1, 0).ecx >> 27 & 1);
    set(VMCS_GUEST_CR4, get(VMCS_GUEST_CR4) & ~CR4_OSXSAVE);
    assert_false(ask(1, 0).ecx >> 27 & 1);
    assert_int_equal(msr_policy_write(vm, 0x1B, LAPIC_DEFAULT_BASE | 1 << 8), 0);
    assert_false(ask(1, 0).edx >> 9 & 1);
    assert_int_equal(msr_policy_write(vm, 0x1B, LAPIC_DEFAULT_BASE | 1 << 8 | 1 << 11), 0);
    assert_true(ask(1, 0).edx >> 9 & 1);
}

static void vmx_is_offered_only_to_a_machine_that_may_nest(void **state)
{
    (void)state;
    assert_false(ask(1, 0).ecx >> 5 & 1);
    assert_false(cpuid_cr4_allowed(vm) & CR4_VMXE);
    vm->config.nesting = NEST_TRAP;
    assert_true(ask(1, 0).ecx >> 5 & 1);
    assert_true(cpuid_cr4_allowed(vm) & CR4_VMXE);
    vm->config.nesting = NEST_OFF;
}

/* A Zen of 2019, as far as it matters here: no leaf 2 and 4, caches in 8000001D. */
static struct cpuid_answer zen(uint32_t leaf, uint32_t subleaf)
{
    static const struct cpuid_answer cache[4] = {{0x4121, 0x1C0003F, 63, 0}, {0x4122, 0x1C0003F, 63, 0},
                                                 {0x4143, 0x1C0003F, 1023, 2}, {0xFFC163, 0x3C0003F, 16383, 1}};
    struct cpuid_answer a = everything(leaf, subleaf);
    switch (leaf) {
    case 0: return (struct cpuid_answer){16, 0x68747541, 0x444D4163, 0x69746E65};
    case 1: a.eax = 0x00870F10; return a;
    case 2: case 4: return (struct cpuid_answer){0};
    case 7: a.edx = 0; return a;
    case 0x80000000u: return (struct cpuid_answer){0x80000020u, 0x68747541, 0x444D4163, 0x69746E65};
    case 0x80000008u: a.ebx = 1 << 12 | 1 << 14 | 1 << 15 | 1 << 24; return a;
    case 0x8000001Du: return subleaf < 4 ? cache[subleaf] : (struct cpuid_answer){0};
    default: return a;
    }
}

static void assert_vendor(uint32_t leaf, const char *text)
{
    struct cpuid_answer a = ask(leaf, 0);
    assert_memory_equal(&a.ebx, text, 4);
    assert_memory_equal(&a.edx, text + 4, 4);
    assert_memory_equal(&a.ecx, text + 8, 4);
}

static void an_amd_that_offers_vmx_is_shown_as_one_of_intels(void **state)
{
    (void)state;
    cpuid_policy_init(zen, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    vm->config.nesting = NEST_MEMORY;
    assert_vendor(0, "GenuineIntel");
    assert_int_equal(ask(0, 0).eax, 0x16);
    assert_int_equal(ask(1, 0).eax, 0x806F8); /* family 6, model 143 */
    assert_true(ask(1, 0).ecx >> 5 & 1);
    assert_int_equal(ask(2, 0).eax & 0xFF, 1); /* glibc relies on it */
    assert_int_equal(ask(2, 0).eax >> 8 & 0xFF, 0xFF);
    same(ask(4, 0), (struct cpuid_answer){0x0121, 0x1C0003F, 63, 0}); /* nobody shares its caches */
    same(ask(4, 3), (struct cpuid_answer){0x0163, 0x3C0003F, 16383, 1});
    assert_int_equal(ask(7, 0).edx, 1u << 31 | 1 << 29 | 1 << 27 | 1 << 26);
    assert_true(ask(0x80000001u, 0).ecx >> 4 & 1); /* LOCK MOV CR0 is CR8 there all the same */
    same(ask(0x80000005u, 0), (struct cpuid_answer){0});
    same(ask(0x80000006u, 0), (struct cpuid_answer){0, 0, ~0u, 0});
    assert_true(cpuid_as_intel(vm));
    assert_false(cpuid_shows_amd(vm));
}

static void the_host_s_vendor_stays_where_no_vmx_is_offered_or_the_directory_says_so(void **state)
{
    (void)state;
    cpuid_policy_init(zen, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        vm->config.nesting = keeps ? NEST_TRAP : NEST_OFF;
        vm->config.grants |= keeps << GRANT_HOST_VENDOR;
        assert_vendor(0, "AuthenticAMD");
        assert_int_equal(ask(1, 0).eax, 0x00870F10);
        assert_int_equal(ask(7, 0).edx, 0);
        same(ask(4, 0), (struct cpuid_answer){0});
        assert_true(ask(0x80000001u, 0).ecx >> 4 & 1);
        assert_true(cpuid_shows_amd(vm));
    }
}

static void an_intel_is_shown_as_it_is(void **state)
{
    (void)state;
    cpuid_policy_init(everything, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    vm->config.nesting = NEST_MEMORY;
    assert_int_equal(ask(1, 0).eax, ~0u);
    assert_false(cpuid_as_intel(vm) || cpuid_shows_amd(vm));
}

static void a_leaf_beyond_the_highest_answers_as_the_highest_basic_one(void **state)
{
    static const uint32_t beyond[] = {0x17,       0x1F,       0x24,        0x100,       0x3FFFFFFF,
                                      0x40000200, 0x7FFFFFFF, 0x80000009u, 0xC0000000u, ~0u};
    struct cpuid_answer last = ask(0x16, 0);

    (void)state;
    assert_int_equal(ask(0, 0).eax, 0x16);
    assert_int_equal(ask(0x80000000u, 0).eax, 0x80000008u);
    assert_int_not_equal(last.eax, 0);
    for (unsigned i = 0; i < sizeof beyond / sizeof *beyond; i++)
        for (uint32_t sub = 0; sub < 3; sub++)
            same(ask(beyond[i], sub), last);
}

static void leaves_within_the_range_that_are_not_offered_are_zero(void **state)
{
    static const uint32_t absent[] = {3,   5,    6,    8,    9,    0xA,  0xC,        0xE,
                                      0xF, 0x10, 0x11, 0x12, 0x13, 0x14, 0x40000003,
                                      0x400000FF, 0x40000102, 0x400001FF};

    (void)state;
    for (unsigned i = 0; i < sizeof absent / sizeof *absent; i++)
        for (uint32_t sub = 0; sub < 3; sub++)
            same(ask(absent[i], sub), (struct cpuid_answer){0});
}

static void a_subleaf_counts_only_where_the_leaf_has_them(void **state)
{
    (void)state;
    for (uint32_t sub = 1; sub < 40; sub++) {
        same(ask(1, sub), ask(1, 0));
        same(ask(0x80000001u, sub), ask(0x80000001u, 0));
        same(ask(0x16, sub), ask(0x16, 0));
        same(ask(7, sub), (struct cpuid_answer){0});
        if (sub >= 4)
            same(ask(4, sub), (struct cpuid_answer){0});
        if (sub >= 10)
            same(ask(0xD, sub), (struct cpuid_answer){0});
        if (sub >= 2)
            same(ask(0xB, sub), (struct cpuid_answer){0, 0, sub, 0});
    }
    same(ask(0xB, 0x1FE), (struct cpuid_answer){0, 0, 0xFE, 0}); /* ECX[7:0] is the subleaf given */
}

static void the_state_components_are_those_xcr0_may_have(void **state)
{
    (void)state;
    assert_int_equal(ask(0xD, 0).eax, SCENE_XCR0);
    assert_int_equal(ask(0xD, 0).edx, 0);
    assert_int_equal(ask(0xD, 0).ecx, 2688);
    assert_int_equal(ask(0xD, 1).eax, 7); /* no XSAVES: no supervisor state */
    assert_int_equal(ask(0xD, 1).ecx, 0);
    for (uint32_t i = 2; i < 10; i++)
        assert_int_equal(ask(0xD, i).eax != 0, SCENE_XCR0 >> i & 1);
    cpuid_policy_init(everything, CPU2_ALL, 3, SCENE_HZ);
    assert_int_equal(ask(0xD, 0).ecx, 576);
    assert_int_equal(ask(0xD, 2).eax, 0);
}

static void the_area_sizes_follow_xcr0(void **state)
{
    static const struct {
        uint64_t xcr0;
        uint32_t standard, compact;
    } sizes[] = {{1, 576, 576}, {3, 576, 576}, {7, 832, 832}, {0xE7, 2688, 832 + 64 + 512 + 1024}};

    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        vm->vcpu.xstate.xcr0 = sizes[i].xcr0;
        assert_int_equal(ask(0xD, 0).ebx, sizes[i].standard);
        assert_int_equal(ask(0xD, 1).ebx, sizes[i].compact);
    }
}

/* Only components 0, 1, 2 and an aligned 6 behind an unaligned 5 of odd size. */
static struct cpuid_answer odd_sizes(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_answer a = everything(leaf, subleaf);
    if (leaf == 0xD && subleaf == 5)
        a.eax = 72;
    return a;
}

static void an_aligned_component_starts_at_64_bytes_in_the_compact_form(void **state)
{
    (void)state;
    cpuid_policy_init(odd_sizes, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    vm->vcpu.xstate.xcr0 = 0xE7;
    assert_int_equal(ask(0xD, 1).ebx, 832 + 128 + 512 + 1024);
}

static void instructions_that_need_a_control_of_vmx_go_with_it(void **state)
{
    (void)state;
    assert_true(ask(7, 0).ebx >> 10 & 1);
    assert_true(ask(0x80000001u, 0).edx >> 27 & 1);
    cpuid_policy_init(everything, CPU2_RDTSCP, SCENE_XCR0, SCENE_HZ);
    assert_false(ask(7, 0).ebx >> 10 & 1);
    assert_true(ask(0x80000001u, 0).edx >> 27 & 1);
    cpuid_policy_init(everything, CPU2_INVPCID, SCENE_XCR0, SCENE_HZ);
    assert_true(ask(7, 0).ebx >> 10 & 1);
    assert_false(ask(0x80000001u, 0).edx >> 27 & 1);
    assert_false(ask(7, 0).ecx >> 22 & 1); /* RDPID reads the same MSR */
}

/* CR4 bits by the CPUID bit that offers each: register EBX 1, ECX 2, EDX 3. SDM "Control Registers". */
static const struct {
    unsigned bit;
    uint32_t leaf;
    unsigned reg, at;
} cr4_offers[] = {
    {0, 1, 3, 1},   {1, 1, 3, 1},  {2, 1, 3, 4},  {3, 1, 3, 2},   {4, 1, 3, 3},   {5, 1, 3, 6},
    {6, 1, 3, 7},   {7, 1, 3, 13}, {9, 1, 3, 24}, {10, 1, 3, 25}, {11, 7, 2, 2},  {12, 7, 2, 16},
    {13, 1, 2, 5},  {14, 1, 2, 6}, {16, 7, 1, 0}, {17, 1, 2, 17}, {18, 1, 2, 26}, {20, 7, 1, 7},
    {21, 7, 1, 20}, {22, 7, 2, 3}, {23, 7, 2, 7}, {24, 7, 2, 31},
};

static bool offered(uint32_t leaf, unsigned reg, unsigned bit)
{
    struct cpuid_answer a = ask(leaf, 0);
    return (&a.eax)[reg] >> bit & 1;
}

static void cr4_agrees(void)
{
    uint64_t known = 0, allowed = cpuid_cr4_allowed(vm);

    for (unsigned i = 0; i < sizeof cr4_offers / sizeof *cr4_offers; i++) {
        known |= 1ull << cr4_offers[i].bit;
        assert_int_equal(allowed >> cr4_offers[i].bit & 1,
                         offered(cr4_offers[i].leaf, cr4_offers[i].reg, cr4_offers[i].at));
    }
    assert_int_equal(allowed & ~known, 0); /* PCE, and what nobody knows */
}

static struct cpuid_answer a_small_one(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_answer a = everything(leaf, subleaf);
    if (leaf == 1)
        a.ecx &= ~(1u << 17);
    if (leaf == 7)
        a.ebx &= ~(1u | 1u << 7 | 1u << 20);
    if (leaf == 0x80000001u)
        a.edx &= ~(1u << 20);
    return a;
}

static void cr4_xcr0_and_efer_take_what_cpuid_offers_and_no_more(void **state)
{
    (void)state;
    cr4_agrees();
    assert_int_equal(cpuid_xcr0_allowed(), ask(0xD, 0).eax);
    assert_int_equal(cpuid_efer_allowed(), EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
    cpuid_policy_init(a_small_one, CPU2_ALL, 0, SCENE_HZ);
    cr4_agrees();
    assert_false(cpuid_cr4_allowed(vm) & (CR4_OSXSAVE | CR4_PCIDE | CR4_SMEP | CR4_SMAP));
    assert_int_equal(cpuid_xcr0_allowed(), 0);
    assert_int_equal(cpuid_efer_allowed(), EFER_SCE | EFER_LME | EFER_LMA);
    assert_int_equal(cpuid_physical_bits(), 39);
    vm->config.nesting = NEST_SHADOW;
    cr4_agrees();
    vm->config.nesting = NEST_OFF;
}

static void the_exit_answers_in_the_four_registers_with_upper_halves_clear(void **state)
{
    struct cpuid_answer one = ask(1, 0);

    (void)state;
    vm->vcpu.gpr[RAX] = 0xFFFFFFFF00000001;
    vm->vcpu.gpr[RCX] = 0xFFFFFFFF00000000;
    vm->vcpu.gpr[RBX] = vm->vcpu.gpr[RDX] = ~0ull;
    assert_int_equal(exit_cpuid(vm), EXIT_SKIP);
    assert_int_equal(vm->vcpu.gpr[RAX], one.eax);
    assert_int_equal(vm->vcpu.gpr[RBX], one.ebx);
    assert_int_equal(vm->vcpu.gpr[RCX], one.ecx);
    assert_int_equal(vm->vcpu.gpr[RDX], one.edx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(features_without_their_machinery_are_hidden_from_a_processor_that_has_them),
        scene_test(a_machine_always_has_its_own_devices_and_one_processor),
        scene_test(the_time_leaves_tell_the_clocks_that_run),
        scene_test(the_rate_of_the_tsc_can_be_computed_in_32_bits),
        scene_test(linear_addresses_have_48_bits_as_long_as_cr4_has_no_la57),
        scene_test(the_tsc_can_be_adjusted_and_never_changes_its_rate),
        scene_test(linux_finds_kvms_clock_behind_cps_own_leaves),
        scene_test(an_amd_that_offers_vmx_is_shown_as_one_of_intels),
        scene_test(the_host_s_vendor_stays_where_no_vmx_is_offered_or_the_directory_says_so),
        scene_test(an_intel_is_shown_as_it_is),
        scene_test(guests_are_told_of_walks_that_mark_the_top_entries_of_pae),
        scene_test(osxsave_follows_cr4_and_apic_follows_its_base),
        scene_test(vmx_is_offered_only_to_a_machine_that_may_nest),
        scene_test(a_leaf_beyond_the_highest_answers_as_the_highest_basic_one),
        scene_test(leaves_within_the_range_that_are_not_offered_are_zero),
        scene_test(a_subleaf_counts_only_where_the_leaf_has_them),
        scene_test(the_state_components_are_those_xcr0_may_have),
        scene_test(the_area_sizes_follow_xcr0),
        scene_test(an_aligned_component_starts_at_64_bytes_in_the_compact_form),
        scene_test(instructions_that_need_a_control_of_vmx_go_with_it),
        scene_test(cr4_xcr0_and_efer_take_what_cpuid_offers_and_no_more),
        scene_test(the_exit_answers_in_the_four_registers_with_upper_halves_clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
