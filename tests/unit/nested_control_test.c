/* What a guest's guest writes to CR4: L1's mask and shadow come first, then what CP lets a machine have. SDM
 * "Guest/Host Masks and Read Shadows for CR0 and CR4". */
#include "tests/unit/nested_scene.h"

enum { UMIP = 1 << 11 };

static const struct exit to_cr4 = {.reason = EXIT_CR_ACCESS, .instruction_length = 3, .qualification = 4};
static const struct exit wbinvd = {.reason = EXIT_WBINVD, .instruction_length = 2};

static int begin(void **state)
{
    (void)state;
    l1_ready(NEST_SHADOW);
    assert_false(cpuid_cr4_allowed(vm) & UMIP);
    vm->vcpu.gpr[RAX] = vmread(VMCS_GUEST_CR4) | UMIP;
    return 0;
}

/* As KVM emulates UMIP for its guest on a processor that has none: CP would refuse the bit. */
static void a_bit_that_l1_keeps_is_l1s_before_cp_judges_it(void **state)
{
    (void)state;
    vmwrite(VMCS_CR4_MASK, UMIP);
    vmwrite(VMCS_CR4_SHADOW, 0);
    PLAY(IN_L1(launch), IN_L2(to_cr4), IN_L1(wbinvd));
    assert_int_equal(entered[2].info, 0);
    set(VMCS_GUEST_RIP, L1_HOST_RIP);
    assert_l1_has(EXIT_CR_ACCESS);
    assert_int_equal(vmread(VMCS_EXIT_QUALIFICATION), 4);
}

static void one_that_l1_shows_as_it_is_written_is_no_change_of_cps(void **state)
{
    (void)state;
    vmwrite(VMCS_CR4_MASK, UMIP);
    vmwrite(VMCS_CR4_SHADOW, UMIP);
    PLAY(IN_L1(launch), IN_L2(to_cr4), IN_L2(cpuid));
    assert_int_equal(entered[2].info, 0);
    assert_int_equal(entered[2].rip, L2_RIP + 3);
    assert_l1_has(EXIT_CPUID);
    assert_false(vmread(VMCS_GUEST_CR4) & UMIP);
}

static void one_that_nobody_keeps_and_cp_does_not_offer_is_l2s_fault(void **state)
{
    (void)state;
    vmwrite(VMCS_CR4_MASK, 0);
    PLAY(IN_L1(launch), IN_L2(to_cr4), IN_L2(cpuid));
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    assert_int_equal(entered[2].rip, L2_RIP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, nested_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bit_that_l1_keeps_is_l1s_before_cp_judges_it),
        TEST(one_that_l1_shows_as_it_is_written_is_no_change_of_cps),
        TEST(one_that_nobody_keeps_and_cp_does_not_offer_is_l2s_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
