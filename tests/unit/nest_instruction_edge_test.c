/* VMX instructions of L1 where little decides: operands that fault, what is not offered, bits
 * CP hides, regions made inactive. */
#include "tests/unit/nest_instruction_base.h"

enum { MEMORY_DS = 2 << 7 | 3 << 15 | 1 << 22 | 1 << 27 };

static void put_revision(uint64_t at, uint32_t bits)
{
    uint32_t revision = (uint32_t)m.offered.msr[VMX_BASIC] | bits;
    memcpy(m.storage + at, &revision, sizeof(revision));
}

static void these_are_instructions_and_no_others(void **state)
{
    static const uint8_t all[] = {EXIT_VMCLEAR, EXIT_VMLAUNCH, EXIT_VMPTRLD, EXIT_VMPTRST, EXIT_VMREAD,  EXIT_VMRESUME,
                                  EXIT_VMWRITE, EXIT_VMXOFF,   EXIT_VMXON,   EXIT_INVEPT,  EXIT_INVVPID, EXIT_VMFUNC};
    (void)state;
    fake_vmx_enter_operation(&m);
    for (unsigned reason = 0; reason < EXIT_REASONS + 8; reason++) {
        bool is = memchr(all, (int)reason, sizeof(all)) != NULL;
        assert_int_equal(nest_is_instruction(reason), is);
        if (!is && reason != EXIT_VMCALL)
            assert_fault(fake_vmx_plain(&m, reason), 6);
    }
}

static void an_operand_that_faults_is_a_page_fault_and_nothing_else(void **state)
{
    static const uint8_t reasons[] = {EXIT_VMXON,  EXIT_VMCLEAR, EXIT_VMPTRLD, EXIT_VMPTRST,
                                      EXIT_INVEPT, EXIT_INVVPID, EXIT_VMREAD,  EXIT_VMWRITE};
    (void)state;
    put_revision(FAKE_VMXON, 0);
    m.fault_linear = 0x7000;
    for (unsigned i = 0; i < sizeof(reasons); i++) {
        if (i == 1) {
            m.fault_linear = ~0ull;
            fake_vmx_enter_operation(&m);
            fake_vmx_make_vmcs(&m, FAKE_VMCS);
            m.fault_linear = 0x7000;
        }
        m.gpr[6] = reasons[i] == EXIT_VMREAD || reasons[i] == EXIT_VMWRITE ? VMCS_GUEST_RIP : 2;
        assert_fault(fake_vmx_memory(&m, reasons[i], 0x7100, 6), 14);
        assert_int_equal(m.nest.fault.cr2, 0x7100);
        assert_int_equal(m.nest.fault.error, reasons[i] == EXIT_VMPTRST || reasons[i] == EXIT_VMREAD ? 2 : 0);
        assert_int_equal(m.nest.vmxon, i > 0);
    }
    assert_int_equal(m.nest.current->gpa, FAKE_VMCS);
    m.fault_linear = ~0ull;
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_RIP), 0x4000);
}

static void each_failure_is_traced_by_its_number(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    m.traced = NULL;
    assert_invalid(fake_vmx_plain(&m, EXIT_VMLAUNCH));
    assert_memory_equal(m.traced, "VMfailInvalid", 13);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    const struct {
        enum exit_reason reason;
        uint64_t address;
        const char *traced;
    } rows[] = {
        {EXIT_VMCALL, 0, "VMfail 1:"},        {EXIT_VMCLEAR, 1, "VMfail 2:"}, {EXIT_VMCLEAR, FAKE_VMXON, "VMfail 3:"},
        {EXIT_VMRESUME, 0, "VMfail 5:"},      {EXIT_VMPTRLD, 1, "VMfail 9:"}, {EXIT_VMPTRLD, FAKE_VMXON, "VMfail 10:"},
        {EXIT_VMPTRLD, 0x9000, "VMfail 11:"}, {EXIT_VMREAD, 0, "VMfail 12:"}, {EXIT_VMXON, 0, "VMfail 15:"},
        {EXIT_INVEPT, 0, "VMfail 28:"},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        m.traced = NULL;
        m.gpr[0] = 0x7FFE; /* no field, no kind of INVEPT */
        fake_vmx_pointer(&m, rows[i].reason, rows[i].address);
        assert_non_null(m.traced);
        assert_memory_equal(m.traced, rows[i].traced, strlen(rows[i].traced));
    }
    m.gpr[6] = VMCS_EXIT_REASON;
    fake_vmx_memory(&m, EXIT_VMWRITE, 0x900, 6);
    assert_memory_equal(m.traced, "VMfail 13:", 10);
    m.first.held.guest_interruptibility = 2;
    fake_vmx_plain(&m, EXIT_VMLAUNCH);
    assert_memory_equal(m.traced, "VMfail 26:", 10);
    m.first.held.guest_interruptibility = 0;
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
    fake_vmx_exit(&m, &(struct exit){.reason = EXIT_CPUID});
    fake_vmx_plain(&m, EXIT_VMLAUNCH);
    assert_memory_equal(m.traced, "VMfail 4:", 9);
}

/* Where the processor has SVM nobody has asked yet. */
static void vmx_instructions_exist_in_protected_and_64_bit_mode(void **state)
{
    const struct vmcs before = m.first.held;
    (void)state;
    fake_vmx_enter_operation(&m);
    m.nest.policy.nested_page_tables = true;
    for (unsigned n = 0; n < 16; n++) {
        struct vmcs *l1 = &m.first.held;
        bool protected_mode = n & 1, v86 = n & 2, long_mode = n & 4, code64 = n & 8;
        *l1 = before;
        l1->guest_cr0 = protected_mode ? l1->guest_cr0 | 1 : l1->guest_cr0 & ~1ull;
        l1->guest_rflags |= v86 ? 1 << 17 : 0;
        l1->guest_efer = long_mode ? l1->guest_efer | 0x400 : l1->guest_efer & ~0x400ull;
        l1->guest_cs_access_rights =
            code64 ? l1->guest_cs_access_rights | 1 << 13 : l1->guest_cs_access_rights & ~(1u << 13);
        bool is = protected_mode && !v86 && (!long_mode || code64);
        if (is)
            assert_invalid(fake_vmx_plain(&m, EXIT_VMLAUNCH));
        else
            assert_fault(fake_vmx_plain(&m, EXIT_VMLAUNCH), 6);
    }
    m.first.held = before;
    m.nest.policy.nested_page_tables = false;
}

static void vmxon_is_undefined_without_vmxe_whatever_the_privilege(void **state)
{
    (void)state;
    put_revision(FAKE_VMXON, 0);
    m.first.held.guest_ss_access_rights |= 3 << 5;
    m.first.held.cr4_shadow &= ~0x2000ull;
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 6);
    m.first.held.cr4_shadow |= 0x2000;
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 13);
}

/* CR0 and CR4 count as L1 reads them: of bits CP keeps, what is in the shadow. */
static void vmxon_asks_of_the_registers_l1_sees(void **state)
{
    (void)state;
    put_revision(FAKE_VMXON, 0);
    m.first.held.cr4_mask |= 1 << 23;
    m.first.held.cr4_shadow |= 1 << 23; /* not among those VMX operation allows */
    assert_fault(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON), 13);
    m.first.held.cr4_mask &= ~(1ull << 23);
    assert_success(fake_vmx_pointer(&m, EXIT_VMXON, FAKE_VMXON));
}

static enum nest_result invalidate(enum exit_reason reason, uint64_t type, uint64_t first, uint64_t second)
{
    uint64_t descriptor[2] = {first, second};
    memcpy(m.storage + 0x900, descriptor, sizeof(descriptor));
    m.gpr[6] = type;
    return fake_vmx_memory(&m, reason, 0x900, 6);
}

static void invvpid_takes_an_address_that_l1s_paging_can_have(void **state)
{
    static const struct {
        uint64_t address;
        bool four, five;
    } rows[] = {
        {0x00007FFFFFFFF000, true, true},   {0x0000800000000000, false, true},
        {0xFFFF800000000000, true, true},   {0xFFFF7FFFFFFFF000, false, true},
        {0x00FFFFFFFFFFF000, false, true},  {0x0100000000000000, false, false},
        {0xFF00000000000000, false, true},  {0xFEFFFFFFFFFFF000, false, false},
        {0x8000000000000000, false, false}, {0, true, true},
    };
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        bool five = i % 2;
        m.first.held.guest_cr4 = five ? m.first.held.guest_cr4 | 1 << 12 : m.first.held.guest_cr4 & ~(1ull << 12);
        if (five ? rows[i / 2].five : rows[i / 2].four)
            assert_success(invalidate(EXIT_INVVPID, 0, 1, rows[i / 2].address));
        else
            assert_error(invalidate(EXIT_INVVPID, 0, 1, rows[i / 2].address), 28);
    }
}

static void invept_and_invvpid_are_undefined_where_they_are_not_offered(void **state)
{
    static const struct {
        enum exit_reason reason;
        uint32_t control;
        uint64_t capability;
    } rows[] = {{EXIT_INVEPT, CPU2_EPT, EPT_CAP_INVEPT}, {EXIT_INVVPID, CPU2_VPID, VPID_CAP_INVVPID}};
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    for (unsigned i = 0; i < 2; i++) {
        const struct vmx_capability offered = m.offered;
        assert_success(invalidate(rows[i].reason, 2, 0, 0));
        m.offered.msr[VMX_CPU2] &= ~((uint64_t)rows[i].control << 32);
        assert_fault(invalidate(rows[i].reason, 2, 0, 0), 6);
        m.offered = offered;
        m.offered.msr[VMX_EPT_VPID_CAP] &= ~rows[i].capability;
        assert_fault(invalidate(rows[i].reason, 2, 0, 0), 6);
        m.offered = offered;
    }
}

static void vmptrld_tells_a_region_that_is_no_storage_to_its_end_from_a_lack_of_frames(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    put_revision(0x9000, 0);
    unsigned held = m.frames_held;
    m.frames_limit = held;
    assert_int_equal(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x9000), NEST_NO_FRAMES);
    m.frames_limit = FAKE_FRAMES;
    m.device_from = 0x9010;
    assert_error(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x9000), 11);
    assert_int_equal(m.frames_held, held);
    assert_int_equal(m.nest.current->gpa, FAKE_VMCS);
    m.device_from = FAKE_STORAGE;
    assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x9000));
}

/* Not even if it was used before all others, as its own links were. */
static void the_current_one_does_not_make_room_for_one_that_cannot_be_loaded(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    for (unsigned i = 0; i < NEST_ACTIVE; i++) {
        put_revision(0x100000 + i * 0x1000, 0);
        assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x100000 + i * 0x1000));
    }
    m.nest.current->used = 0;
    put_revision(0x9000, 0);
    m.device_from = 0x9010;
    assert_error(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x9000), 11);
    m.device_from = FAKE_STORAGE;
    assert_int_equal(m.nest.current->gpa, 0x100000 + (NEST_ACTIVE - 1) * 0x1000);
}

static void make_room(void)
{
    for (unsigned i = 0; i < NEST_ACTIVE; i++) {
        put_revision(0x100000 + i * 0x1000, 0);
        assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x100000 + i * 0x1000));
    }
    assert_null(nest_active_find(&m.nest, FAKE_VMCS));
}

/* A launched one that made room for others is launched in storage; VMCLEAR is all that ends that. */
static void vmclear_of_a_region_that_made_room_makes_it_clear(void **state)
{
    uint32_t word;
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
    fake_vmx_exit(&m, &(struct exit){.reason = EXIT_CPUID});
    make_room();
    memcpy(&word, m.storage + FAKE_VMCS + offsetof(struct nest_region, launched), 4);
    assert_int_equal(word, 1);
    assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS));
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
    fake_vmx_exit(&m, &(struct exit){.reason = EXIT_CPUID});
    make_room();
    assert_success(fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMCS));
    memcpy(&word, m.storage + FAKE_VMCS + offsetof(struct nest_region, launched), 4);
    assert_int_equal(word, 0);
    assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS));
    assert_error(fake_vmx_plain(&m, EXIT_VMRESUME), 5);
    word = 0x50415645; /* of something that is no region: nothing of it is touched */
    memcpy(m.storage + 0xA000 + offsetof(struct nest_region, launched), &word, 4);
    assert_success(fake_vmx_pointer(&m, EXIT_VMCLEAR, 0xA000));
    assert_memory_equal(m.storage + 0xA000 + offsetof(struct nest_region, launched), &word, 4);
}

/* L1 may keep something of its own in what is left of the page. */
static void vmclear_writes_no_more_than_a_region(void **state)
{
    const uint32_t past = sizeof(struct nest_region);
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    memset(m.storage + FAKE_VMCS + past, 0x5A, 4096 - past);
    assert_success(fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMCS));
    for (uint32_t i = past; i < 4096; i++)
        assert_int_equal(m.storage[FAKE_VMCS + i], 0x5A);
}

static void the_one_vmptrld_took_up_again_does_not_make_room(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    for (unsigned i = 0; i <= NEST_ACTIVE; i++) {
        put_revision(0x100000 + i * 0x1000, 0);
        assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x100000 + i * 0x1000));
        assert_success(fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x100000)); /* the first, again and again */
    }
    assert_non_null(nest_active_find(&m.nest, 0x100000));
    assert_null(nest_active_find(&m.nest, 0x101000));
    assert_int_equal(m.nest.current->gpa, 0x100000);
}

/* ---- MSRs and control registers ------------------------------------------------------- */

static void capability_msrs_exist_with_what_they_describe(void **state)
{
    const struct {
        uint32_t msr;
        enum vmx_msr by;
        uint32_t control;
        bool exists;
    } rows[] = {
        {0x48B, VMX_TRUE_CPU, 0, true},
        {0x48B, VMX_TRUE_CPU, CPU_SECONDARY_CONTROLS, false},
        {0x48C, VMX_CPU2, CPU2_EPT, true},
        {0x48C, VMX_CPU2, CPU2_VPID, true},
        {0x48C, VMX_CPU2, CPU2_EPT | CPU2_VPID, false},
        {0x491, VMX_CPU2, CPU2_EPT, true},
        {0x491, VMX_CPU2, CPU2_VM_FUNCTIONS, false},
        {0x48D, VMX_CPU2, ~0u, true},
    };
    uint64_t value;
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vmx_capability offered = m.offered;
        m.offered.msr[rows[i].by] &= ~((uint64_t)rows[i].control << 32);
        if (nest_rdmsr(&m.nest, rows[i].msr, &value) != rows[i].exists)
            fail_msg("%u", i);
        m.offered = offered;
    }
    assert_false(nest_rdmsr(&m.nest, 0x47F, &value));
    m.nest.feature_control = 0;
    assert_false(nest_wrmsr(&m.nest, 0x480, 0));
    assert_false(nest_wrmsr(&m.nest, 0x3B, 0));
    assert_true(nest_wrmsr(&m.nest, 0x3A, 7));
    assert_int_equal(m.nest.feature_control, 7);
    assert_true(nest_set_mode(&m.nest, NEST_OFF));
    m.nest.feature_control = 0;
    assert_false(nest_wrmsr(&m.nest, 0x3A, 0));
    assert_false(nest_rdmsr(&m.nest, 0x3A, &value));
}

/* L2 writes what it sees; of bits that L1 keeps the real ones count, and those are as L1 wrote them. */
static void l2_may_set_control_registers_as_vmx_operation_allows(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_CR0_MASK, 0x20);
    fake_vmx_write(&m, VMCS_CR4_MASK, 0x2000);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(nest_allows_cr(&m.nest, 0, 0x80000031));
    assert_true(nest_allows_cr(&m.nest, 0, 0x80000011));  /* NE is L1's */
    assert_false(nest_allows_cr(&m.nest, 0, 0x00000031)); /* paging is not */
    assert_false(nest_allows_cr(&m.nest, 0, 0x80000030));
    assert_true(nest_allows_cr(&m.nest, 4, 0x20)); /* and so is VMXE */
    assert_false(nest_allows_cr(&m.nest, 4, 1 << 23));
    m.nest.current->vmcs12.cr0_mask = m.nest.current->vmcs12.cr4_mask = 0;
    assert_false(nest_allows_cr(&m.nest, 0, 0x80000011));
    assert_false(nest_allows_cr(&m.nest, 4, 0x20));
    m.nest.current->vmcs12.secondary_controls |= CPU2_UNRESTRICTED_GUEST;
    assert_true(nest_allows_cr(&m.nest, 0, 0x30)); /* neither paging nor protection, if it need have none */
    assert_false(nest_allows_cr(&m.nest, 0, 0x10));
    m.nest.current->vmcs12.processor_controls &= ~(uint32_t)CPU_SECONDARY_CONTROLS;
    assert_false(nest_allows_cr(&m.nest, 0, 0x30));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(these_are_instructions_and_no_others),
        TEST(an_operand_that_faults_is_a_page_fault_and_nothing_else),
        TEST(each_failure_is_traced_by_its_number),
        TEST(vmx_instructions_exist_in_protected_and_64_bit_mode),
        TEST(vmxon_is_undefined_without_vmxe_whatever_the_privilege),
        TEST(vmxon_asks_of_the_registers_l1_sees),
        TEST(invvpid_takes_an_address_that_l1s_paging_can_have),
        TEST(invept_and_invvpid_are_undefined_where_they_are_not_offered),
        TEST(vmptrld_tells_a_region_that_is_no_storage_to_its_end_from_a_lack_of_frames),
        TEST(the_current_one_does_not_make_room_for_one_that_cannot_be_loaded),
        TEST(vmclear_of_a_region_that_made_room_makes_it_clear),
        TEST(vmclear_writes_no_more_than_a_region),
        TEST(the_one_vmptrld_took_up_again_does_not_make_room),
        TEST(capability_msrs_exist_with_what_they_describe),
        TEST(l2_may_set_control_registers_as_vmx_operation_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
