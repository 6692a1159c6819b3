/* Debug registers that CP loads in a guest's stead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/svm/debug.h"

#define CR4_DE 8ull
#define DR7_GD 0x2000ull
enum { CODE, WRITE, PORT, ACCESS, CODE_AT = 0x103000, CODE_BYTES = 16, TRAP_AT = 0x15d000, TRAP_BYTES = 24 };

static const struct svm_range without[] = {{CODE_AT, CODE_BYTES}, {TRAP_AT, TRAP_BYTES}};
static uint64_t dr[SVM_BREAKPOINTS];

static int fresh(void **context)
{
    (void)context;
    for (unsigned i = 0; i < SVM_BREAKPOINTS; i++)
        dr[i] = 0x400000 + 0x1000 * i;
    return 0;
}

/* DR7 with breakpoint n enabled locally, of this type, on `length` bytes. */
static uint64_t enabled(unsigned n, unsigned type, unsigned length)
{
    unsigned code = length == 8 ? 2 : length - 1;
    return DR7_ALWAYS | 1ull << 2 * n | (uint64_t)(type | code << 2) << (16 + 4 * n);
}

static uint64_t armed(uint64_t dr7)
{
    return svm_debug_armed(dr7, dr, without, sizeof without / sizeof *without);
}

static void what_is_enabled_of_code_is_armed_as_it_is(void **context)
{
    (void)context;
    for (unsigned i = 0; i < SVM_BREAKPOINTS; i++) {
        assert_int_equal(armed(enabled(i, CODE, 1)), enabled(i, CODE, 1));
        assert_int_equal(armed(enabled(i, CODE, 1) ^ 3ull << 2 * i), enabled(i, CODE, 1) ^ 3ull << 2 * i);
    }
    uint64_t all = enabled(0, CODE, 1) | enabled(1, CODE, 1) | enabled(2, CODE, 1) | enabled(3, CODE, 1);
    assert_int_equal(armed(all), all);
}

static void what_is_not_enabled_is_not_armed(void **context)
{
    (void)context;
    assert_int_equal(armed(DR7_ALWAYS), DR7_ALWAYS);
    assert_int_equal(armed(0xFFFF0000 | DR7_ALWAYS), DR7_ALWAYS);
    assert_int_equal(armed(DR7_ALWAYS | 0x300), DR7_ALWAYS);
}

static void data_ports_and_general_detection_are_not_armed(void **context)
{
    static const unsigned types[] = {WRITE, PORT, ACCESS};
    (void)context;
    for (unsigned t = 0; t < sizeof types / sizeof *types; t++)
        for (unsigned length = 1; length <= 8; length *= 2) {
            assert_int_equal(armed(enabled(1, types[t], length)), DR7_ALWAYS);
            assert_int_equal(armed(enabled(1, types[t], length) | enabled(2, CODE, 1)), enabled(2, CODE, 1));
        }
    assert_int_equal(armed(enabled(0, CODE, 1) | DR7_GD), enabled(0, CODE, 1));
}

static void nothing_that_cp_would_meet_is_armed(void **context)
{
    (void)context;
    for (unsigned k = 0; k < sizeof without / sizeof *without; k++) {
        for (unsigned i = 0; i < without[k].bytes; i++) {
            dr[2] = without[k].from + i;
            assert_int_equal(armed(enabled(2, CODE, 1) | enabled(0, CODE, 1)), enabled(0, CODE, 1));
        }
        dr[2] = without[k].from - 1;
        assert_int_equal(armed(enabled(2, CODE, 1)), enabled(2, CODE, 1));
        dr[2] = without[k].from + without[k].bytes;
        assert_int_equal(armed(enabled(2, CODE, 1)), enabled(2, CODE, 1));
    }
}

static void the_ends_of_the_address_space_are_no_trap(void **context)
{
    (void)context;
    dr[0] = ~0ull;
    assert_int_equal(armed(enabled(0, CODE, 1)), enabled(0, CODE, 1));
    dr[0] = 0;
    assert_int_equal(armed(enabled(0, CODE, 1)), enabled(0, CODE, 1));
}

/* ---- MOV ------------------------------------------------------------------------------ */

static unsigned number;
static uint64_t value;

static enum svm_debug_verdict mov(bool to, unsigned reg, uint64_t with, unsigned cpl, uint64_t cr4, uint64_t dr7)
{
    const struct svm_access a = {.kind = to ? SVM_ACCESS_MOV_TO : SVM_ACCESS_MOV_FROM, .debug = true,
                                 .number = (uint8_t)reg};
    value = with;
    return svm_debug_access(&a, cpl, cr4, dr7, &number, &value);
}

static void each_register_is_carried_out(void **context)
{
    (void)context;
    for (unsigned reg = 0; reg < 8; reg++)
        for (int to = 0; to < 2; to++) {
            assert_int_equal(mov(to, reg, DR7_ALWAYS, 0, 0, DR7_ALWAYS), SVM_DEBUG_CARRY);
            assert_int_equal(number, reg == 4 || reg == 5 ? reg + 2 : reg);
        }
}

static void dr4_and_dr5_are_no_registers_with_de_and_none_is_above_7(void **context)
{
    (void)context;
    for (int to = 0; to < 2; to++) {
        assert_int_equal(mov(to, 4, 0, 0, CR4_DE, DR7_ALWAYS), SVM_DEBUG_UNDEFINED);
        assert_int_equal(mov(to, 5, 0, 0, CR4_DE, DR7_ALWAYS), SVM_DEBUG_UNDEFINED);
        assert_int_equal(mov(to, 6, 0, 0, CR4_DE, DR7_ALWAYS), SVM_DEBUG_CARRY);
        for (unsigned reg = 8; reg < 16; reg++)
            assert_int_equal(mov(to, reg, 0, 0, 0, DR7_ALWAYS), SVM_DEBUG_UNDEFINED);
    }
}

static void only_privilege_level_0_may(void **context)
{
    (void)context;
    for (unsigned cpl = 1; cpl < 4; cpl++)
        assert_int_equal(mov(true, 7, DR7_ALWAYS, cpl, 0, DR7_ALWAYS | DR7_GD), SVM_DEBUG_PROTECTION);
}

static void general_detection_comes_before_the_value(void **context)
{
    (void)context;
    for (unsigned reg = 0; reg < 8; reg++)
        for (int to = 0; to < 2; to++)
            assert_int_equal(mov(to, reg, 1ull << 32, 0, 0, DR7_ALWAYS | DR7_GD), SVM_DEBUG_DETECTED);
}

static void dr6_and_dr7_have_32_bits_and_fixed_ones(void **context)
{
    (void)context;
    for (unsigned reg = 4; reg < 8; reg++)
        assert_int_equal(mov(true, reg, 1ull << 32, 0, 0, DR7_ALWAYS), SVM_DEBUG_PROTECTION);
    assert_int_equal(mov(true, 0, ~0ull, 0, 0, DR7_ALWAYS), SVM_DEBUG_CARRY);
    assert_true(value == ~0ull);
    assert_int_equal(mov(true, 7, 0, 0, 0, DR7_ALWAYS), SVM_DEBUG_CARRY);
    assert_int_equal(value, 0x400);
    assert_int_equal(mov(true, 7, 0xFFFFFFFF, 0, 0, DR7_ALWAYS), SVM_DEBUG_CARRY);
    assert_int_equal(value, 0xFFFF27FF);
    assert_int_equal(mov(true, 6, 0, 0, 0, DR7_ALWAYS), SVM_DEBUG_CARRY);
    assert_int_equal(value, 0xFFFF0FF0);
    assert_int_equal(mov(true, 4, 0xFFFFFFFF, 0, 0, DR7_ALWAYS), SVM_DEBUG_CARRY);
    assert_int_equal(value, 0xFFFFEFFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_enabled_of_code_is_armed_as_it_is, fresh),
        cmocka_unit_test_setup(what_is_not_enabled_is_not_armed, fresh),
        cmocka_unit_test_setup(data_ports_and_general_detection_are_not_armed, fresh),
        cmocka_unit_test_setup(nothing_that_cp_would_meet_is_armed, fresh),
        cmocka_unit_test_setup(the_ends_of_the_address_space_are_no_trap, fresh),
        cmocka_unit_test(each_register_is_carried_out),
        cmocka_unit_test(dr4_and_dr5_are_no_registers_with_de_and_none_is_above_7),
        cmocka_unit_test(only_privilege_level_0_may),
        cmocka_unit_test(general_detection_comes_before_the_value),
        cmocka_unit_test(dr6_and_dr7_have_32_bits_and_fixed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
