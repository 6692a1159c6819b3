/* What a descriptor is refused for: one rule of the manual a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cp/decode/descriptor.h"

enum { NP = 11, SS = 12, GP = 13, GATE = DESCRIPTOR_GATE };
enum { DATA = 0x93, READ_ONLY = 0x91, DOWN = 0x97, CODE = 0x9B, EXECUTE_ONLY = 0x99, CONFORMING = 0x9F,
       CONFORMING_ONLY = 0x9D, LDT = 0x82, TSS = 0x89, BUSY = 0x8B, TSS_16 = 0x81, CALL_GATE = 0x8C, TASK_GATE = 0x85,
       INTERRUPT_GATE = 0x8E, L = 0x2000, D = 0x4000, ABSENT = 0x80 };
#define LEVEL(n) ((n) << 5)

static struct descriptor of(uint32_t rights)
{
    return (struct descriptor){(uint64_t)rights << 40 | 0xFFFF, 0};
}

static void a_data_segment_wants_a_type_a_level_and_to_be_present(void **state)
{
    static const struct {
        uint32_t rights;
        unsigned rpl, cpl, vector;
    } rules[] = {
        {DATA, 0, 0, 0}, {READ_ONLY, 0, 0, 0}, {DOWN, 0, 0, 0}, {CODE, 0, 0, 0}, {EXECUTE_ONLY, 0, 0, GP},
        {CONFORMING_ONLY, 0, 0, GP}, {LDT, 0, 0, GP}, {TSS, 0, 0, GP}, {CALL_GATE, 0, 0, GP},
        {DATA, 3, 0, GP}, {DATA, 0, 3, GP}, {CODE, 3, 0, GP}, {CODE, 0, 3, GP},
        {DATA | LEVEL(3), 3, 0, 0}, {DATA | LEVEL(3), 0, 3, 0}, {DATA | LEVEL(2), 3, 2, GP}, {DATA | LEVEL(2), 2, 2, 0},
        {CONFORMING, 3, 3, 0}, {CONFORMING, 0, 3, 0}, {CONFORMING, 3, 0, 0},
        {DATA ^ ABSENT, 0, 0, NP}, {CODE ^ ABSENT, 0, 0, NP}, {DATA ^ ABSENT, 3, 0, GP},
        {EXECUTE_ONLY ^ ABSENT, 0, 0, GP},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
        for (enum segment s = SEGMENT_ES; s <= SEGMENT_GS; s++)
            if (s != SEGMENT_CS && s != SEGMENT_SS)
                assert_int_equal(descriptor_refused_data(s, (uint16_t)(0x10 | rules[i].rpl), of(rules[i].rights),
                                                         (struct descriptor_mode){rules[i].cpl, false}),
                                 rules[i].vector);
}

static void a_stack_is_writable_and_of_the_very_level(void **state)
{
    static const struct {
        uint32_t rights;
        unsigned rpl, cpl, vector;
    } rules[] = {
        {DATA, 0, 0, 0}, {DOWN, 0, 0, 0}, {READ_ONLY, 0, 0, GP}, {CODE, 0, 0, GP}, {CONFORMING, 0, 0, GP},
        {LDT, 0, 0, GP},
        {BUSY, 0, 0, GP}, {DATA, 3, 0, GP}, {DATA, 3, 3, GP}, {DATA | LEVEL(3), 3, 3, 0}, {DATA | LEVEL(3), 0, 3, GP},
        {DATA | LEVEL(3), 3, 0, GP}, {DATA | LEVEL(3), 0, 0, GP}, {DATA ^ ABSENT, 0, 0, SS}, {DATA ^ ABSENT, 3, 0, GP},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
        assert_int_equal(descriptor_refused_data(SEGMENT_SS, (uint16_t)(0x10 | rules[i].rpl), of(rules[i].rights),
                                                 (struct descriptor_mode){rules[i].cpl, false}),
                         rules[i].vector);
}

static void code_is_entered_at_its_own_level_or_conforms(void **state)
{
    static const struct {
        uint32_t rights;
        unsigned rpl, cpl, vector, ia32e;
    } rules[] = {
        {CODE, 0, 0, 0, 0}, {EXECUTE_ONLY, 0, 0, 0, 0}, {DATA, 0, 0, GP, GP}, {CODE, 3, 0, GP, GP},
        {CODE, 0, 3, GP, GP},
        {CODE | LEVEL(3), 3, 3, 0, 0}, {CODE | LEVEL(3), 0, 3, 0, 0}, {CODE | LEVEL(3), 0, 0, GP, GP},
        {CONFORMING, 3, 3, 0, 0}, {CONFORMING, 3, 0, 0, 0}, {CONFORMING | LEVEL(3), 0, 0, GP, GP},
        {CODE ^ ABSENT, 0, 0, NP, NP}, {CODE ^ ABSENT, 3, 0, GP, GP}, {CONFORMING ^ ABSENT, 3, 3, NP, NP},
        {CODE | L, 0, 0, 0, 0}, {CODE | D, 0, 0, 0, 0}, {CODE | L | D, 0, 0, 0, GP},
        {CALL_GATE, 0, 0, GATE, GATE}, {TASK_GATE, 0, 0, GATE, GP}, {TSS, 0, 0, GATE, GP}, {TSS_16, 0, 0, GATE, GP},
        {BUSY, 0, 0, GP, GP}, {LDT, 0, 0, GP, GP}, {INTERRUPT_GATE, 0, 0, GP, GP},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
        for (unsigned ia32e = 0; ia32e < 2; ia32e++)
            assert_int_equal(descriptor_refused_code((uint16_t)(8 | rules[i].rpl), of(rules[i].rights),
                                                     (struct descriptor_mode){rules[i].cpl, ia32e}),
                             ia32e ? rules[i].ia32e : rules[i].vector);
}

static void tables_and_tasks_have_types_of_their_own(void **state)
{
    struct descriptor high = of(TSS);

    (void)state;
    assert_int_equal(descriptor_refused_system(false, of(LDT), false), 0);
    assert_int_equal(descriptor_refused_system(false, of(TSS), false), GP);
    assert_int_equal(descriptor_refused_system(false, of(DATA), false), GP);
    assert_int_equal(descriptor_refused_system(false, of(LDT ^ ABSENT), false), NP);
    assert_int_equal(descriptor_refused_system(true, of(TSS), false), 0);
    assert_int_equal(descriptor_refused_system(true, of(TSS_16), false), 0);
    assert_int_equal(descriptor_refused_system(true, of(TSS_16), true), GP);
    assert_int_equal(descriptor_refused_system(true, of(BUSY), false), GP);
    assert_int_equal(descriptor_refused_system(true, of(LDT), false), GP);
    assert_int_equal(descriptor_refused_system(true, of(TSS ^ ABSENT), true), NP);
    high.high = 0xFFFF8000;
    assert_int_equal(descriptor_refused_system(true, high, true), 0);
    high.high = 0x00008000; /* not canonical */
    assert_int_equal(descriptor_refused_system(true, high, true), GP);
    high.high = 0xFFFF8000 | 1ull << 40; /* its upper half has a type */
    assert_int_equal(descriptor_refused_system(true, high, true), GP);
}

/* Bit n of `shown`: type n, of a system segment or (16 and up) of code or data. */
static void only_what_the_manual_lists_is_shown(void **state)
{
    static const struct {
        enum operation operation;
        uint32_t shown, ia32e;
    } rules[] = {
        {OP_LAR, 0xFFFF1A3E, 0xFFFF1A04}, {OP_LSL, 0xFFFF0A0E, 0xFFFF0A04}, {OP_VERR, 0xCCFF0000, 0xCCFF0000},
        {OP_VERW, 0x00CC0000, 0x00CC0000},
    };
    uint64_t value;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned type = 0; type < 32; type++)
            for (unsigned ia32e = 0; ia32e < 2; ia32e++)
                assert_int_equal(descriptor_shown(rules[i].operation, 8, of(type), (struct descriptor_mode){0, ia32e},
                                                  &value),
                                 (ia32e ? rules[i].ia32e : rules[i].shown) >> type & 1);
}

static void a_look_is_for_those_who_may_use_it(void **state)
{
    uint64_t value;

    (void)state;
    assert_false(descriptor_shown(OP_VERR, 0x13, of(DATA), (struct descriptor_mode){0, true}, &value));
    assert_false(descriptor_shown(OP_LAR, 0x10, of(TSS), (struct descriptor_mode){3, true}, &value));
    assert_true(descriptor_shown(OP_LSL, 0x13, of(CONFORMING), (struct descriptor_mode){3, true}, &value));
    assert_true(descriptor_shown(OP_LAR, 8, of(CODE | L | 0x8000), (struct descriptor_mode){0, true}, &value));
    assert_int_equal(value, 0x00A09B00);
    assert_true(descriptor_shown(OP_LSL, 8, of(DATA | 0x8000), (struct descriptor_mode){0, true}, &value));
    assert_int_equal(value, 0x0FFFFFFF);
}

static void a_segment_is_made_of_all_parts_of_its_descriptor(void **state)
{
    struct segment_value s = descriptor_segment(0x1B, (struct descriptor){0x12C5FA345678ABCD, 0x9ABCDEF0}, false);

    (void)state;
    assert_int_equal(s.selector, 0x1B);
    assert_int_equal(s.base, 0x12345678);
    assert_int_equal(s.limit, 0x5ABCDFFF);
    assert_int_equal(s.rights, 0xC0FA);
    assert_int_equal(descriptor_segment(0, (struct descriptor){0x12C5FA345678ABCD, 0x9ABCDEF0}, true).base,
                     0x9ABCDEF012345678);
    assert_int_equal(descriptor_segment(0, (struct descriptor){0x1245FA345678ABCD, 0}, false).limit, 0x5ABCD);
}

static void the_whole_descriptor_lies_within_its_table(void **state)
{
    struct descriptor_tables t = {.global = 0x1000, .local = 0x2000, .global_limit = 0x17, .local_limit = 0xE};
    uint64_t at;

    (void)state;
    assert_true(descriptor_find(&t, 0x13, 8, &at));
    assert_int_equal(at, 0x1010);
    assert_false(descriptor_find(&t, 0x18, 8, &at));
    assert_true(descriptor_find(&t, 0x08, 16, &at));
    assert_false(descriptor_find(&t, 0x10, 16, &at));
    assert_false(descriptor_find(&t, 0x04, 8, &at)); /* no local table */
    t.has_local = true;
    assert_true(descriptor_find(&t, 0x07, 8, &at));
    assert_int_equal(at, 0x2000);
    assert_false(descriptor_find(&t, 0x0C, 8, &at)); /* its last byte is outside */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_data_segment_wants_a_type_a_level_and_to_be_present),
        cmocka_unit_test(a_stack_is_writable_and_of_the_very_level),
        cmocka_unit_test(code_is_entered_at_its_own_level_or_conforms),
        cmocka_unit_test(tables_and_tasks_have_types_of_their_own),
        cmocka_unit_test(only_what_the_manual_lists_is_shown),
        cmocka_unit_test(a_look_is_for_those_who_may_use_it),
        cmocka_unit_test(a_segment_is_made_of_all_parts_of_its_descriptor),
        cmocka_unit_test(the_whole_descriptor_lies_within_its_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
