/* Operands of VMX instructions: every addressing form, segments, and the faults on the way to memory. */
#include "tests/unit/nest_instruction_base.h"

enum { ADDRESS_16 = 0, ADDRESS_32 = 1 << 7, ADDRESS_64 = 2 << 7, NO_INDEX = 1 << 22, NO_BASE = 1 << 27 };
#define SEGMENT(n)      ((uint32_t)(n) << 15)
#define INDEX(n, scale) ((uint32_t)(n) << 18 | (scale))
#define BASE(n)         ((uint32_t)(n) << 23)

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

static void an_index_is_scaled_and_every_register_serves(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    m.first.held.guest_rsp = 0x1800;
    for (unsigned scale = 0; scale < 4; scale++)
        for (unsigned i = 0; i < 16; i++) {
            for (unsigned r = 0; r < 16; r++)
                m.gpr[r] = 0x1000 + r * 0x40;
            uint64_t value = i == 4 ? 0x1800 : m.gpr[i];
            /* other bits of the information say nothing of it: a register operand's numbers */
            assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | INDEX(i, scale) | NO_BASE | 5 << 3, 0x10),
                             (value << scale) + 0x10);
            assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | BASE(i), 0x10), value + 0x10);
        }
}

static void canonical_is_what_the_paging_levels_make_it(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    for (unsigned five = 0; five < 2; five++) {
        const uint64_t top = five ? 1ull << 56 : 1ull << 47;
        m.first.held.guest_cr4 = five ? m.first.held.guest_cr4 | 1 << 12 : m.first.held.guest_cr4 & ~(1ull << 12);
        assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, top - 8),
                         0); /* allowed: no storage there */
        assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, top - 7), 13);
        assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, top), 13);
        assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, -top), 0);
        assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, -top - 1), 13);
    }
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(6) | NO_INDEX | NO_BASE, 0x1000), 6);
    m.first.held.guest_gs_base = 0x8000;
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(5) | NO_INDEX | NO_BASE, 0x10), 0x8010);
}

/* VMPTRLD reads: what may be executed must be readable too, and a limit is the last byte. */
static enum nest_result loads(uint64_t offset)
{
    struct exit exit = {.reason = EXIT_VMPTRLD,
                        .instruction_info = ADDRESS_32 | SEGMENT(3) | NO_INDEX | NO_BASE,
                        .qualification = offset};
    return nest_instruction(&m.nest, &exit);
}

static void reads_follow_the_type_and_the_limit_of_a_segment(void **state)
{
    struct vmcs *v = &m.first.held;
    (void)state;
    fake_vmx_enter_operation(&m);
    v->guest_efer = 0;
    m.nest.long_mode = false;
    v->guest_cs_access_rights = 0xC09B;
    v->guest_ds_access_rights = 0xC09B;
    assert_success((loads(0x900), fake_vmx_pointer(&m, EXIT_VMCLEAR, 0x9000))); /* readable code: no fault */
    assert_int_equal(loads(0x900), NEST_SKIP);
    v->guest_ds_access_rights = 0xC099; /* code that is executed only */
    assert_fault(loads(0x900), 13);
    v->guest_ds_access_rights = 0xC091; /* read-only data */
    assert_int_equal(loads(0x900), NEST_SKIP);
    v->guest_ds_access_rights = 0xC095; /* expand-down: limit + 1 is the first, 4 GiB - 1 or 64 KiB - 1 the last */
    v->guest_ds_limit = 0x1000;
    assert_fault(loads(0x1000), 13);
    assert_int_equal(loads(0x1001), NEST_SKIP);
    assert_int_equal(loads(0xFFFFFFF8), NEST_SKIP);
    assert_fault(loads(0xFFFFFFF9), 13);
    v->guest_ds_access_rights = 0x8095;
    assert_int_equal(loads(0xFFF8), NEST_SKIP);
    assert_fault(loads(0xFFF9), 13);
    assert_fault(loads(0x10000), 13);
    assert_fault(loads(0x1000), 13);
}

/* Memory that is not there reads as ones, page by page. */
static void an_operand_that_is_no_storage_is_ones(void **state)
{
    const uint64_t value = 0x1122334455667788;
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    m.gpr[5] = VMCS_TSC_OFFSET;
    memcpy(m.storage + FAKE_STORAGE - 3, &value, 3);
    assert_success(fake_vmx_memory(&m, EXIT_VMWRITE, FAKE_STORAGE - 3, 5));
    assert_int_equal(fake_vmx_read(&m, VMCS_TSC_OFFSET), 0xFFFFFFFFFF667788);
    assert_success(fake_vmx_memory(&m, EXIT_VMWRITE, FAKE_STORAGE + 0x800, 5));
    assert_int_equal(fake_vmx_read(&m, VMCS_TSC_OFFSET), ~0ull);
    for (uint64_t at = 0x1FF0; at <= 0x2000; at++) { /* however it lies over the end of a page */
        memcpy(m.storage + at, &value, 8);
        assert_success(fake_vmx_memory(&m, EXIT_VMWRITE, at, 5));
        assert_int_equal(fake_vmx_read(&m, VMCS_TSC_OFFSET), value);
        memset(m.storage + 0x1F00, 0, 0x200);
        assert_success(fake_vmx_memory(&m, EXIT_VMREAD, at, 5));
        assert_memory_equal(m.storage + at, &value, 8);
        for (uint64_t other = 0x1F00; other < 0x2100; other++)
            assert_true(m.storage[other] == 0 || (other >= at && other < at + 8));
        m.gpr[5] = VMCS_TSC_OFFSET;
    }
}

/* To a register that is RSP, and of 32 bits outside 64-bit mode. */
static void vmread_to_a_register(void **state)
{
    struct exit exit = {.reason = EXIT_VMREAD, .instruction_info = 1 << 10 | 4 << 3 | 2u << 28};
    (void)state;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_TSC_OFFSET, 0x1122334455667788);
    m.gpr[2] = VMCS_TSC_OFFSET;
    assert_success(nest_instruction(&m.nest, &exit));
    assert_int_equal(m.first.held.guest_rsp, 0x1122334455667788);
    exit.instruction_info = 1 << 10 | 3 << 3 | 2u << 28;
    m.gpr[3] = ~0ull;
    m.first.held.guest_efer &= ~0x400ull;
    m.nest.long_mode = false;
    assert_success(nest_instruction(&m.nest, &exit));
    assert_int_equal(m.gpr[3], 0x55667788);
}

static const void *viewed;
static uint64_t viewed_at;

static const void *view(void *context, uint64_t linear, unsigned bytes)
{
    (void)context;
    assert_int_equal(bytes, 8);
    viewed_at = linear;
    return viewed;
}

/* Where CP knows at once where the bytes lie: only of segments without a base, in 64-bit mode. */
static void a_view_is_asked_for_where_linear_addresses_are_offsets(void **state)
{
    const uint64_t region = 0x9000;
    (void)state;
    m.host.view = view;
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    for (unsigned segment = 0; segment < 6; segment++)
        for (unsigned has = 0; has < 2; has++) {
            struct exit exit = {.reason = EXIT_VMCLEAR,
                                .instruction_info = ADDRESS_64 | SEGMENT(segment) | NO_INDEX | NO_BASE,
                                .qualification = 0x2345};
            viewed = has ? &region : NULL;
            viewed_at = 0;
            assert_success(nest_instruction(&m.nest, &exit));
            assert_int_equal(viewed_at, segment < 4 ? 0x2345 : 0);
        }
    viewed = &region; /* and it is what counts: not that which is in storage */
    const uint64_t wrong = 0x9001;
    memcpy(m.storage + 0x2345, &wrong, 8);
    struct exit exit = {.reason = EXIT_VMCLEAR,
                        .instruction_info = ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE,
                        .qualification = 0x2345};
    assert_success(nest_instruction(&m.nest, &exit));
}

static void an_operand_that_ends_with_its_page_asks_for_no_other(void **state)
{
    (void)state;
    fake_vmx_enter_operation(&m);
    m.fault_linear = 0x2000;
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, 0x1FF8), 0x1FF8);
    assert_int_equal(stored_at(ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE, 0x1FF9), 14);
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

static struct {
    unsigned count, bytes;
    uint64_t linear;
    enum nest_access access;
} touched;

static void note_touched(void *context, uint64_t linear, unsigned bytes, enum nest_access access)
{
    (void)context;
    touched.count++, touched.linear = linear, touched.bytes = bytes, touched.access = access;
}

static void what_an_instruction_reads_and_writes_is_told_of(void **state)
{
    const uint32_t plain = ADDRESS_64 | SEGMENT(3) | NO_INDEX | NO_BASE;

    (void)state;
    fake_vmx_enter_operation(&m);
    m.host.touched = note_touched;
    touched.count = 0;
    assert_int_equal(stored_at(plain, 0x1FFC), 0x1FFC);
    assert_true(touched.count == 1 && touched.linear == 0x1FFC && touched.bytes == 8 && touched.access == NEST_WRITE);
    m.gpr[1] = 2;
    struct exit exit = {.reason = EXIT_INVEPT, .instruction_info = plain | 1u << 28, .qualification = 0x3000};
    assert_int_equal(nest_instruction(&m.nest, &exit), NEST_SKIP);
    assert_true(touched.count == 2 && touched.linear == 0x3000 && touched.bytes == 16 && touched.access == NEST_READ);
    m.fault_linear = 0x5000;
    exit = (struct exit){.reason = EXIT_VMPTRST, .instruction_info = plain, .qualification = 0x4FFC};
    assert_int_equal(nest_instruction(&m.nest, &exit), NEST_FAULT);
    assert_int_equal(touched.count, 2);
    static const uint64_t region = 0x3000;
    m.host.view = view, viewed = &region;
    exit = (struct exit){.reason = EXIT_VMCLEAR, .instruction_info = plain, .qualification = 0x2000};
    assert_int_equal(nest_instruction(&m.nest, &exit), NEST_SKIP);
    assert_true(touched.count == 3 && touched.linear == 0x2000 && touched.bytes == 8 && touched.access == NEST_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_addressing_form_is_computed),
        TEST(a_non_canonical_operand_faults_by_its_segment),
        TEST(protected_mode_segments_are_checked),
        TEST(a_page_fault_names_the_page_that_faults),
        TEST(an_index_is_scaled_and_every_register_serves),
        TEST(canonical_is_what_the_paging_levels_make_it),
        TEST(reads_follow_the_type_and_the_limit_of_a_segment),
        TEST(an_operand_that_is_no_storage_is_ones),
        TEST(vmread_to_a_register),
        TEST(a_view_is_asked_for_where_linear_addresses_are_offsets),
        TEST(an_operand_that_ends_with_its_page_asks_for_no_other),
        TEST(vmread_takes_memory_and_vmwrite_gives_it),
        TEST(what_an_instruction_reads_and_writes_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
