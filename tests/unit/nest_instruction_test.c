/* VMX instructions of L1: every verdict, error number and fault, in the manual's order. */
#include "tests/unit/nest_instruction_base.h"

static void put_revision(uint64_t at, uint32_t bits)
{
    uint32_t revision = (uint32_t)m.offered.msr[VMX_BASIC] | bits;
    memcpy(m.storage + at, &revision, sizeof(revision));
}

static const uint8_t others[] = {EXIT_VMXOFF, EXIT_VMCLEAR, EXIT_VMPTRLD, EXIT_VMPTRST, EXIT_VMREAD, EXIT_VMWRITE,
                                 EXIT_VMLAUNCH, EXIT_VMRESUME, EXIT_INVEPT, EXIT_INVVPID, EXIT_VMCALL};

static void outside_vmx_operation_all_but_vmxon_are_undefined(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(others); i++)
        assert_fault(fake_vmx_plain(&m, others[i]), 6);
}

static void beyond_privilege_level_0_is_a_general_protection_fault(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    m.first.held.guest_ss_access_rights |= 3 << 5;
    for (unsigned i = 0; i < sizeof(others); i++)
        assert_fault(fake_vmx_plain(&m, others[i]), 13);
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 13);
}

static void vmxon_checks_mode_control_registers_and_feature_control(void **state)
{
    (void)state;
    put_revision(FAKE_VMXON, 0);
    m.first.held.cr4_shadow &= ~0x2000ull;
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 6);
    m.first.held.cr4_shadow |= 0x2000;
    m.first.held.guest_cr0 &= ~0x80000000ull;
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 13);
    m.first.held.guest_cr0 |= 0x80000000;
    m.first.held.cr0_shadow &= ~0x20ull;
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 13);
    m.first.held.cr0_shadow |= 0x20;
    m.nest.feature_control = 1;
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 13);
    m.nest.feature_control = 4;
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 13);
    m.nest.feature_control = 5;
    assert_success(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON));
    assert_true(m.nest.vmxon);
}

static void vmxon_refuses_bad_regions_without_an_error_number(void **state)
{
    (void)state;
    put_revision(FAKE_VMXON, 0);
    assert_invalid(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON + 8));
    assert_invalid(fake_vmx_pointer(&m, EXIT_VMXON, 1ull << 40 | FAKE_VMXON));
    assert_invalid(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_STORAGE));
    put_revision(FAKE_VMXON, VMCS_SHADOW_INDICATOR);
    assert_invalid(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON));
    m.storage[FAKE_VMXON] ^= 1;
    put_revision(FAKE_VMXON, 0);
    m.storage[FAKE_VMXON] ^= 1;
    assert_invalid(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON));
    assert_false(m.nest.vmxon);
}

static void vmxon_in_vmx_operation_is_error_15(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    assert_invalid(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON));
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    assert_error(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 15);
}

static void vmclear_and_vmptrld_refuse_with_their_numbers(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    assert_error(fake_vmx_pointer(&m, EXIT_VMCLEAR, 0x4001), 2);
    assert_error(fake_vmx_pointer(&m, EXIT_VMCLEAR, 1ull << 40), 2);
    assert_error(fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMXON), 3);
    assert_error(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4001), 9);
    assert_error(fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMXON), 10);
    assert_error(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4000), 11);
    put_revision(0x4000, VMCS_SHADOW_INDICATOR); /* shadowing is not offered in trap mode */
    assert_error(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4000), 11);
    assert_error(fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_STORAGE), 11);
    assert_success(fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_STORAGE));
    assert_ptr_equal(m.nest.current, nest_active_find(&m.nest, FAKE_VMCS));
}

static void vmptrst_stores_the_current_pointer_or_ones(void **state)
{
    uint64_t pointer;
    (void)state;
    fake_vmx_enter_operation(&m);
    assert_success(fake_vmx_memory(&m, EXIT_VMPTRST, 0x900, 0));
    memcpy(&pointer, m.storage + 0x900, 8);
    assert_int_equal(pointer, ~0ull);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    assert_success(fake_vmx_memory(&m, EXIT_VMPTRST, 0x900, 0));
    memcpy(&pointer, m.storage + 0x900, 8);
    assert_int_equal(pointer, FAKE_VMCS);
    fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMCS);
    assert_null(m.nest.current);
}

enum { REGISTER = 1 << 10 };

static enum nest_result field(enum exit_reason reason, uint64_t encoding)
{
    struct exit exit = {.reason = reason, .instruction_info = REGISTER | 2u << 28 | 3u << 3};
    m.gpr[2] = encoding;
    return nest_instruction(&m.nest, &exit);
}

static void vmread_and_vmwrite_refuse_with_their_numbers(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    assert_invalid(field(EXIT_VMREAD, VMCS_GUEST_RIP));
    assert_invalid(field(EXIT_VMWRITE, VMCS_GUEST_RIP));
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    assert_error(field(EXIT_VMREAD, 0x6FFE), 12);
    assert_error(field(EXIT_VMREAD, 1ull << 32 | VMCS_GUEST_RIP), 12);
    assert_error(field(EXIT_VMREAD, VMCS_GUEST_RIP + 1), 12);
    assert_error(field(EXIT_VMREAD, VMCS_APIC_ACCESS_ADDRESS), 12); /* in the table, but not offered */
    assert_error(field(EXIT_VMWRITE, 0x6FFE), 12);
    assert_error(field(EXIT_VMWRITE, VMCS_EXIT_REASON), 13); /* no VMWRITE to any field in trap mode */
}

static void each_offered_field_reads_back_what_was_written(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        uint32_t encoding = vmcs_field_rows[i].encoding;
        if (!capability_has_field(&m.offered, i) || VMCS_ENCODING_AREA(encoding) == VMCS_EXIT_INFORMATION)
            continue;
        m.gpr[3] = 0xA5A5A5A5A5A5A5A5;
        assert_success(field(EXIT_VMWRITE, encoding));
        m.gpr[3] = 0;
        assert_success(field(EXIT_VMREAD, encoding));
        unsigned bits = vmcs_field_rows[i].bytes * 8;
        assert_int_equal(m.gpr[3], bits == 64 ? 0xA5A5A5A5A5A5A5A5 : 0xA5A5A5A5A5A5A5A5 & ((1ull << bits) - 1));
    }
}

static void contents_survive_vmclear_vmptrld_and_making_room(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    for (unsigned i = 0; i < NEST_ACTIVE + 5; i++) {
        uint64_t region = 0x100000 + i * 0x1000;
        put_revision(region, 0);
        assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, region));
        fake_vmx_write(&m, VMCS_GUEST_RIP, 0x9000 + i);
        if (i == 3)
            assert_success(fake_vmx_pointer(&m, EXIT_VMCLEAR, region));
    }
    for (unsigned i = 0; i < NEST_ACTIVE + 5; i++) {
        assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x100000 + i * 0x1000));
        assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RIP), 0x9000 + i);
    }
}

static void launch_state_decides_between_vmlaunch_and_vmresume(void **state)
{
    const struct exit cpuid = {.reason = EXIT_CPUID};
    (void)state;
    fake_vmx_enter_operation(&m);
    assert_invalid(fake_vmx_plain(&m, EXIT_VMLAUNCH));
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    assert_error(fake_vmx_plain(&m, EXIT_VMRESUME), 5);
    m.first.held.guest_interruptibility = 2;
    assert_error(fake_vmx_plain(&m, EXIT_VMLAUNCH), 26);
    m.first.held.guest_interruptibility = 0;
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    fake_vmx_load(&m);
    fake_vmx_exit(&m, &cpuid);
    assert_error(fake_vmx_plain(&m, EXIT_VMLAUNCH), 4);
    fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMCS);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS);
    assert_error(fake_vmx_plain(&m, EXIT_VMRESUME), 5);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
}

static void bad_controls_are_error_7_and_bad_host_state_error_8(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0);
    assert_error(fake_vmx_plain(&m, EXIT_VMLAUNCH), 7);
    assert_non_null(m.traced);
    fake_vmx_write(&m, VMCS_PIN_CONTROLS, 0x16);
    fake_vmx_write(&m, VMCS_HOST_CR0, 0);
    assert_error(fake_vmx_plain(&m, EXIT_VMLAUNCH), 8);
}

static void a_shadow_vmcs_cannot_be_entered(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    put_revision(0x4000, VMCS_SHADOW_INDICATOR);
    assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4000));
    assert_invalid(fake_vmx_plain(&m, EXIT_VMLAUNCH));
}

static enum nest_result invalidate(enum exit_reason reason, uint64_t type, uint64_t first, uint64_t second)
{
    uint64_t descriptor[2] = {first, second};
    memcpy(m.storage + 0x900, descriptor, sizeof(descriptor));
    m.gpr[6] = type;
    return fake_vmx_memory(&m, reason, 0x900, 6);
}

static void invept_and_invvpid_refuse_bad_operands_with_error_28(void **state)
{
    const uint64_t eptp = FAKE_EPT | 3 << 3 | 6;
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    assert_error(invalidate(EXIT_INVEPT, 0, eptp, 0), 28);
    assert_error(invalidate(EXIT_INVEPT, 3, eptp, 0), 28);
    assert_error(invalidate(EXIT_INVEPT, 1ull << 32 | 1, eptp, 0), 28);
    assert_error(invalidate(EXIT_INVEPT, 1, eptp | 5, 0), 28);
    assert_error(invalidate(EXIT_INVEPT, 1, eptp, 1), 28);
    assert_success(invalidate(EXIT_INVEPT, 1, eptp, 0));
    assert_success(invalidate(EXIT_INVEPT, 2, 0, 0));
    assert_error(invalidate(EXIT_INVVPID, 4, 1, 0), 28);
    assert_error(invalidate(EXIT_INVVPID, 1, 0, 0), 28);
    assert_error(invalidate(EXIT_INVVPID, 1, 0x10001, 0), 28);
    assert_error(invalidate(EXIT_INVVPID, 0, 1, 1ull << 60), 28);
    assert_success(invalidate(EXIT_INVVPID, 0, 1, 0x1000));
    assert_success(invalidate(EXIT_INVVPID, 1, 1, 1ull << 60));
    assert_success(invalidate(EXIT_INVVPID, 2, 0, 0));
    assert_success(invalidate(EXIT_INVVPID, 3, 1, 0));
}

static void invvpid_flushes_l2_before_it_runs_again(void **state)
{
    const struct exit cpuid = {.reason = EXIT_CPUID};
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VPID);
    fake_vmx_write(&m, VMCS_VPID, 7);
    fake_vmx_plain(&m, EXIT_VMLAUNCH);
    fake_vmx_load(&m);
    fake_vmx_exit(&m, &cpuid);
    fake_vmx_plain(&m, EXIT_VMRESUME);
    fake_vmx_load(&m);
    fake_vmx_exit(&m, &cpuid);
    unsigned flushes = m.flushes_vpid;
    invalidate(EXIT_INVVPID, 1, 8, 0);
    fake_vmx_plain(&m, EXIT_VMRESUME);
    assert_int_equal(m.flushes_vpid, flushes);
    fake_vmx_load(&m);
    fake_vmx_exit(&m, &cpuid);
    invalidate(EXIT_INVVPID, 1, 7, 0);
    fake_vmx_plain(&m, EXIT_VMRESUME);
    assert_int_equal(m.flushes_vpid, flushes + 1);
}

static void vmcall_in_root_is_error_1_and_vmfunc_undefined(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    assert_error(fake_vmx_plain(&m, EXIT_VMCALL), 1);
    assert_fault(fake_vmx_plain(&m, EXIT_VMFUNC), 6);
}

static void vmxoff_leaves_and_keeps_what_was_written(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_GUEST_RIP, 0x1234567);
    assert_success(fake_vmx_plain(&m, EXIT_VMXOFF));
    assert_false(m.nest.vmxon);
    assert_int_equal(m.regions_held, 0);
    fake_vmx_enter_operation(&m);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RIP), 0x1234567);
}

static void msrs_are_those_offered_and_feature_control_locks(void **state)
{
    uint64_t value;
    (void)state;
    for (uint32_t msr = 0x480; msr <= 0x491; msr++) {
        assert_true(nest_is_msr(msr));
        assert_true(nest_rdmsr(&m.nest, msr, &value));
        assert_int_equal(value, m.offered.msr[msr - 0x480]);
        assert_false(nest_wrmsr(&m.nest, msr, value));
    }
    assert_false(nest_rdmsr(&m.nest, 0x492, &value));
    assert_false(nest_is_msr(0x492));
    assert_true(nest_rdmsr(&m.nest, 0x3A, &value));
    assert_int_equal(value, 5);
    assert_false(nest_wrmsr(&m.nest, 0x3A, 5));
    m.nest.feature_control = 0;
    assert_false(nest_wrmsr(&m.nest, 0x3A, 1 << 20));
    assert_true(nest_wrmsr(&m.nest, 0x3A, 1));
    assert_false(nest_wrmsr(&m.nest, 0x3A, 5));
}

static void without_virtual_vmx_nothing_of_it_exists(void **state)
{
    uint64_t value;
    (void)state;
    assert_true(nest_set_mode(&m.nest, NEST_OFF));
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 6);
    assert_false(nest_rdmsr(&m.nest, 0x480, &value));
    assert_true(nest_set_mode(&m.nest, NEST_TRAP));
    fake_vmx_enter_operation(&m);
    assert_false(nest_set_mode(&m.nest, NEST_OFF));
}

static void vmx_operation_fixes_bits_of_cr0_and_cr4(void **state)
{
    (void)state;
    assert_true(nest_allows_cr(&m.nest, 0, 0x10));
    fake_vmx_enter_operation(&m);
    assert_false(nest_allows_cr(&m.nest, 0, 0x10));
    assert_true(nest_allows_cr(&m.nest, 0, 0x80000031));
    assert_false(nest_allows_cr(&m.nest, 4, 0x20));
    assert_true(nest_blocks_init(&m.nest));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outside_vmx_operation_all_but_vmxon_are_undefined),
        TEST(beyond_privilege_level_0_is_a_general_protection_fault),
        TEST(vmxon_checks_mode_control_registers_and_feature_control),
        TEST(vmxon_refuses_bad_regions_without_an_error_number),
        TEST(vmxon_in_vmx_operation_is_error_15),
        TEST(vmclear_and_vmptrld_refuse_with_their_numbers),
        TEST(vmptrst_stores_the_current_pointer_or_ones),
        TEST(vmread_and_vmwrite_refuse_with_their_numbers),
        TEST(each_offered_field_reads_back_what_was_written),
        TEST(contents_survive_vmclear_vmptrld_and_making_room),
        cmocka_unit_test_setup_teardown(contents_survive_vmclear_vmptrld_and_making_room, start_shadow, stop),
        TEST(launch_state_decides_between_vmlaunch_and_vmresume),
        TEST(bad_controls_are_error_7_and_bad_host_state_error_8),
        cmocka_unit_test_setup_teardown(a_shadow_vmcs_cannot_be_entered, start_shadow, stop),
        TEST(invept_and_invvpid_refuse_bad_operands_with_error_28),
        TEST(invvpid_flushes_l2_before_it_runs_again),
        TEST(vmcall_in_root_is_error_1_and_vmfunc_undefined),
        TEST(vmxoff_leaves_and_keeps_what_was_written),
        cmocka_unit_test_setup_teardown(vmxoff_leaves_and_keeps_what_was_written, start_shadow, stop),
        TEST(msrs_are_those_offered_and_feature_control_locks),
        TEST(without_virtual_vmx_nothing_of_it_exists),
        TEST(vmx_operation_fixes_bits_of_cr0_and_cr4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
