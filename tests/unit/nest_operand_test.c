/* Operands of VMX instructions: every addressing form, segments, and the faults on the way to memory. */
#include "tests/unit/nest_instruction_base.h"

enum { ADDRESS_16 = 0, ADDRESS_32 = 1 << 7, ADDRESS_64 = 2 << 7, NO_INDEX = 1 << 22, NO_BASE = 1 << 27 };
#define SEGMENT(n) ((uint32_t)(n) << 15)
#define INDEX(n, scale) ((uint32_t)(n) << 18 | (scale))
#define BASE(n) ((uint32_t)(n) << 23)

/* Where VMPTRST stores: the operand's linear address, or the fault's vector. */
static uint64_t stored_at(uint32_t information, uint64_t displacement)
{
    struct exit exit = {.reason = EXIT_VMPTRST, .instruction_info = information, .qualification = displacement};
    memset(m.storage, 0, 0x20000);
    if (nest_instruction(&m.nest, &exit) == NEST_FAULT)
        return m.nest.fault.vector;
    for (uint64_t at = 0; at < 0x20000; at++)
        if (m.storage[at] == 0xFF)
            return at;
    return 0;
}

static void every_addressing_form_is_computed(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    for (unsigned i = 0; i < 16; i++)
        m.gpr[i] = 0x1000 + i * 0x100;
    m.first.held.guest_rsp = 0x2000;
    m.first.held.guest_fs_base = 0x8000;
    m.first.held.guest_ds_base = 0x4000; /* no base in 64-bit mode */
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, 0x1230), 0x1230);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | BASE(3), (uint64_t)-0x10), 0x12F0);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(2) | NO_INDEX | BASE(4), 8), 0x2008);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | INDEX(1, 3) | BASE(0), 4), 0x1000 + 0x1100 * 8 + 4);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(4) | NO_INDEX | BASE(15), 0), 0x8000 + 0x1F00);
    m.gpr[0] = 0xFFFFFFFF00001000;
    assert_int_equal(stored_at(ADDRESS_32 | SEGMENT(3) | NO_INDEX | BASE(0), 0x20), 0x1020);
    m.gpr[0] = 0xFFFF1000;
    assert_int_equal(stored_at(ADDRESS_16 | SEGMENT(3) | NO_INDEX | BASE(0), 0x30), 0x1030);
}

static void a_non_canonical_operand_faults_by_its_segment(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, 1ull << 47), 13);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(2) | NO_INDEX | NO_BASE, 1ull << 47), 12);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, (1ull << 47) - 4), 13);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(7) | NO_INDEX | NO_BASE, 0), 6);
}

static void protected_mode_segments_are_checked(void **state)
{
    struct vmcs *v = &m.first.held;
    const uint32_t at_ds = ADDRESS_32 | SEGMENT(3) | NO_INDEX | NO_BASE;
    (void)state;
    fake_vmx_enter_operation(&m);
    v->guest_efer = 0;
    m.nest.long_mode = false;
    v->guest_cs_access_rights = 0xC09B;
    v->guest_ds_base = 0x4000;
    assert_int_equal(stored_at(at_ds, 0x100), 0x4100);
    v->guest_ds_limit = 0x107;
    assert_int_equal(stored_at(at_ds, 0x100), 0x4100);
    assert_int_equal(stored_at(at_ds, 0x101), 13);
    v->guest_ds_access_rights = 0xC097; /* expand-down: beyond the limit */
    assert_int_equal(stored_at(at_ds, 0x100), 13);
    assert_int_equal(stored_at(at_ds, 0x108), 0x4108);
    v->guest_ds_access_rights = 0xC091; /* read-only */
    v->guest_ds_limit = 0xFFFFFFFF;
    assert_int_equal(stored_at(at_ds, 0x100), 13);
    v->guest_ds_access_rights = 0xC09B; /* code */
    assert_int_equal(stored_at(at_ds, 0x100), 13);
    v->guest_ds_access_rights = 1 << 16;
    assert_int_equal(stored_at(at_ds, 0x100), 13);
    v->guest_ss_access_rights |= 1 << 16;
    assert_int_equal(stored_at(ADDRESS_32 | SEGMENT(2) | NO_INDEX | NO_BASE, 0x100), 12);
}

static void a_page_fault_names_the_page_that_faults(void **state)
{
    uint64_t before = 0, after;
    (void)state;
    fake_vmx_enter_operation(&m);
    m.fault_linear = 0x2000;
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, 0x2010), 14);
    assert_int_equal(m.nest.fault.cr2, 0x2010);
    assert_int_equal(m.nest.fault.error, 2);
    memcpy(m.storage + 0x1FFC, &before, 4);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, 0x1FFC), 14);
    assert_int_equal(m.nest.fault.cr2, 0x2000);
    memcpy(&after, m.storage + 0x1FFC, 4);
    assert_int_equal((uint32_t)after, (uint32_t)before); /* nothing was stored of it */
}

static void vmread_takes_memory_and_vmwrite_gives_it(void **state)
{
    (void)state;
    uint64_t value = 0x1122334455667788;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    memcpy(m.storage + 0x900, &value, 8);
    m.gpr[5] = VMCS_TSC_OFFSET;
    assert_success(fake_vmx_memory(&m, EXIT_VMWRITE, 0x900, 5));
    assert_success(fake_vmx_memory(&m, EXIT_VMREAD, 0x1FFC, 5));
    memcpy(&value, m.storage + 0x1FFC, 8);
    assert_int_equal(value, 0x1122334455667788);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_addressing_form_is_computed),
        TEST(a_non_canonical_operand_faults_by_its_segment),
        TEST(protected_mode_segments_are_checked),
        TEST(a_page_fault_names_the_page_that_faults),
        TEST(vmread_takes_memory_and_vmwrite_gives_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
