/* What segments allow: SDM "Limit Checking", "Type Checking". */
#include "cp/vcpu/segment.h"
#include "tests/unit/dispatch_scene.h"

enum { DATA_READ_ONLY = 0x91, DATA = 0x93, DATA_DOWN = 0x97, CODE_EXECUTE_ONLY = 0x99, CODE = 0x9B, BIG = 1 << 14,
       GRANULAR = 1 << 15, UNUSABLE = 1 << 16, ALLOWED = -1 };

static int verdict(enum segment segment, uint64_t offset, unsigned size, bool write)
{
    bool allowed = segment_allows(&vm->vcpu, segment, offset, segment_base(&vm->vcpu, segment) + offset, size, write);
    int exception = taken_exception();
    assert_int_equal(allowed, exception == ALLOWED);
    return exception;
}

static void ds(uint32_t rights, uint32_t limit)
{
    set(VMCS_GUEST_DS_ACCESS_RIGHTS, rights);
    set(VMCS_GUEST_DS_LIMIT, limit);
}

static void the_last_byte_must_be_within_the_limit(void **state)
{
    (void)state;
    ds(DATA | BIG, 0x5FFF);
    assert_int_equal(verdict(SEGMENT_DS, 0, 8, true), ALLOWED);
    for (unsigned size = 1; size <= 8; size *= 2) {
        assert_int_equal(verdict(SEGMENT_DS, 0x6000 - size, size, false), ALLOWED);
        assert_int_equal(verdict(SEGMENT_DS, 0x6001 - size, size, false), VECTOR_GP);
        assert_int_equal(verdict(SEGMENT_DS, 0xFFFFFFFF, size, true), VECTOR_GP);
    }
    ds(DATA | BIG | GRANULAR, 0xFFFFFFFF);
    assert_int_equal(verdict(SEGMENT_DS, 0xFFFFFFFC, 4, true), ALLOWED);
    assert_int_equal(verdict(SEGMENT_DS, 0xFFFFFFFD, 4, true), VECTOR_GP);
}

static void a_segment_that_expands_down_begins_behind_its_limit(void **state)
{
    static const struct {
        uint32_t rights, top;
    } kinds[] = {{DATA_DOWN, 0xFFFF}, {DATA_DOWN | BIG, 0xFFFFFFFF}};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        ds(kinds[i].rights, 0x0FFF);
        assert_int_equal(verdict(SEGMENT_DS, 0x0FFF, 1, false), VECTOR_GP);
        assert_int_equal(verdict(SEGMENT_DS, 0x0FFE, 4, false), VECTOR_GP);
        assert_int_equal(verdict(SEGMENT_DS, 0x1000, 4, true), ALLOWED);
        assert_int_equal(verdict(SEGMENT_DS, kinds[i].top, 1, true), ALLOWED);
        assert_int_equal(verdict(SEGMENT_DS, kinds[i].top, 2, true), VECTOR_GP);
    }
}

static void the_type_says_what_may_be_done(void **state)
{
    static const struct {
        uint32_t rights;
        int read, write;
    } types[] = {
        {DATA, ALLOWED, ALLOWED},   {DATA_READ_ONLY, ALLOWED, VECTOR_GP}, {CODE_EXECUTE_ONLY, VECTOR_GP, VECTOR_GP},
        {CODE, ALLOWED, VECTOR_GP}, {UNUSABLE | DATA, VECTOR_GP, VECTOR_GP},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        ds(types[i].rights | BIG, 0xFFFF);
        assert_int_equal(verdict(SEGMENT_DS, 0x100, 4, false), types[i].read);
        assert_int_equal(verdict(SEGMENT_DS, 0x100, 4, true), types[i].write);
    }
}

static void real_mode_has_limits_but_no_types(void **state)
{
    (void)state;
    set(VMCS_GUEST_CS_ACCESS_RIGHTS, CODE);
    set(VMCS_GUEST_CS_LIMIT, 0xFFFF);
    assert_int_equal(verdict(SEGMENT_CS, 0x100, 2, true), VECTOR_GP);
    set(VMCS_GUEST_CR0, CR0_ET | CR0_NE);
    assert_int_equal(verdict(SEGMENT_CS, 0x100, 2, true), ALLOWED);
    assert_int_equal(verdict(SEGMENT_CS, 0xFFFF, 2, true), VECTOR_GP);
    set(VMCS_GUEST_CR0, CR0_PE | CR0_ET | CR0_NE);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_VM);
    assert_int_equal(verdict(SEGMENT_CS, 0x100, 2, true), ALLOWED);
}

static void the_stack_segment_has_a_fault_of_its_own(void **state)
{
    (void)state;
    set(VMCS_GUEST_SS_LIMIT, 0xFF);
    assert_false(segment_allows(&vm->vcpu, SEGMENT_SS, 0x100, 0x100, 1, false));
    assert_int_equal(vm->vcpu.event_error, 0);
    assert_int_equal(taken_exception(), VECTOR_SS);
}

static void in_64_bit_mode_only_the_linear_address_counts(void **state)
{
    static const uint64_t good[] = {0, 0x00007FFFFFFFFFF8, 0xFFFF800000000000, 0xFFFFFFFFFFFFFFF8},
                          bad[] = {0x00007FFFFFFFFFF9, 0x0000800000000000, 0xFFFF7FFFFFFFFFFF, 0x1000000000000000};

    (void)state;
    scene_long_mode();
    ds(UNUSABLE, 0);
    set(VMCS_GUEST_DS_BASE, 0x1234);
    set(VMCS_GUEST_FS_BASE, 0x5000);
    assert_int_equal(segment_base(&vm->vcpu, SEGMENT_DS), 0);
    assert_int_equal(segment_base(&vm->vcpu, SEGMENT_FS), 0x5000);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(verdict(SEGMENT_DS, good[i], 8, true), ALLOWED);
        assert_int_equal(verdict(SEGMENT_DS, bad[i], 8, true), VECTOR_GP);
        assert_int_equal(verdict(SEGMENT_SS, bad[i], 8, true), VECTOR_SS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(the_last_byte_must_be_within_the_limit),
        scene_test(a_segment_that_expands_down_begins_behind_its_limit),
        scene_test(the_type_says_what_may_be_done),
        scene_test(real_mode_has_limits_but_no_types),
        scene_test(the_stack_segment_has_a_fault_of_its_own),
        scene_test(in_64_bit_mode_only_the_linear_address_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
