/* Vector registers in an XSAVE area, against the processor that runs the test; and when instructions that use them are
 * defined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>

#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/vector.h"
#include "cp/vcpu/xstate.h"

enum { AREA = 2816, ZMM = 1152, ST = 32, ST_BYTES = 16, FSW = 2, FTW = 4, XMM = 160, YMM = 576, VECTOR_NM = 7 };

static uint8_t area[AREA] __attribute__((aligned(64)));

static uint64_t *header(void) { return (uint64_t *)(void *)(area + XSTATE_HEADER); }

static int nothing(void **state)
{
    (void)state;
    memset(area, 0, sizeof area);
    return 0;
}

typedef void native(uint8_t *before, uint8_t *after, const uint8_t *value);

/* FNINIT; FLDPI `depth` times; FXSAVE before; MOVQ MM3, value; FXSAVE after; EMMS; RET */
static native *native_make(uint8_t *code, unsigned depth)
{
    static const uint8_t begin[] = {0xDB, 0xE3}, load[] = {0xD9, 0xEB};
    static const uint8_t end[] = {0x0F, 0xAE, 0x07, 0x0F, 0x6F, 0x1A, 0x0F, 0xAE, 0x06, 0x0F, 0x77, 0xC3};
    unsigned at = sizeof begin;

    memcpy(code, begin, sizeof begin);
    for (unsigned i = 0; i < depth; i++, at += sizeof load)
        memcpy(code + at, load, sizeof load);
    memcpy(code + at, end, sizeof end);
    return (native *)(uintptr_t)code;
}

/* Each x87 stack depth: the processor executes MOVQ on what FXSAVE then shows, CP on what it showed before. */
static void an_mmx_register_is_written_as_the_processor_does(void **state)
{
    static uint8_t before[512] __attribute__((aligned(16))), after[512] __attribute__((aligned(16)));
    uint8_t value[EXECUTE_VECTOR] = {1, 2, 3, 4, 5, 6, 7, 0x88};

    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_ptr_not_equal(code, MAP_FAILED);
    for (unsigned depth = 0; depth < 8; depth++) {
        native_make(code, depth)(before, after, value);
        memcpy(area, before, sizeof before);
        *header() = 7;
        vector_put(area, ZMM, OPERAND_MMX, 3, value, 8, false);
        assert_memory_equal(area + ST, after + ST, 8 * ST_BYTES);
        assert_int_equal(area[FSW + 1], after[FSW + 1]);
        assert_int_equal(area[FTW], after[FTW]);
        uint8_t found[EXECUTE_VECTOR];
        vector_get(area, OPERAND_MMX, 3, found);
        assert_memory_equal(found, value, 8);
    }
    munmap(code, 4096);
}

static void mmx_registers_are_read_whatever_the_stack_top(void **state)
{
    (void)state;
    *header() = 1;
    for (unsigned i = 0; i < 8; i++)
        area[ST + ST_BYTES * i] = (uint8_t)(i + 1);
    area[FSW + 1] = 5 << 3; /* ST(0) is register 5 */
    uint8_t found[EXECUTE_VECTOR];
    vector_get(area, OPERAND_MMX, 5, found);
    assert_int_equal(found[0], 1);
    vector_get(area, OPERAND_MMX, 4, found);
    assert_int_equal(found[0], 8);
}

static void what_is_initial_reads_as_zero_and_is_zero_beside_what_is_written(void **state)
{
    uint8_t value[EXECUTE_VECTOR];

    (void)state;
    memset(area, 0xA5, sizeof area); /* what an area may hold of a component that its header does not name */
    *header() = 0;
    vector_get(area, OPERAND_XMM, 3, value);
    for (unsigned i = 0; i < EXECUTE_VECTOR; i++)
        assert_int_equal(value[i], 0);
    memset(value, 0x11, sizeof value);
    vector_put(area, ZMM, OPERAND_XMM, 3, value, 32, true);
    assert_int_equal(*header(), 6);
    for (unsigned reg = 0; reg < 16; reg++) {
        uint8_t found[EXECUTE_VECTOR], wanted[EXECUTE_VECTOR] = {0};
        vector_get(area, OPERAND_XMM, reg, found);
        assert_memory_equal(found, reg == 3 ? value : wanted, EXECUTE_VECTOR);
    }
    vector_put(area, ZMM, OPERAND_MMX, 0, value, 8, false);
    assert_int_equal(area[0] | area[1] << 8, 0x37F);
}

static void sse_leaves_the_upper_part_and_vex_clears_it_up_to_zmm(void **state)
{
    uint8_t value[EXECUTE_VECTOR] = {1};

    (void)state;
    memset(area, 0x5A, sizeof area);
    *header() = 1 << 6 | 7;
    vector_put(area, ZMM, OPERAND_XMM, 2, value, 16, false);
    assert_int_equal(area[XMM + 32], 1);
    assert_int_equal(area[YMM + 32], 0x5A);
    assert_int_equal(area[ZMM + 64], 0x5A);
    vector_put(area, ZMM, OPERAND_XMM, 2, value, 16, true);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(area[YMM + 32 + i], 0);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(area[ZMM + 64 + i], 0);
    assert_int_equal(area[YMM + 48] & area[YMM + 31] & area[ZMM + 63] & area[ZMM + 96], 0x5A);
    vector_put(area, ZMM, OPERAND_XMM, 1, value, 32, true);
    assert_int_equal(area[ZMM + 32] | area[YMM + 16], 0);
    assert_int_equal(area[XMM + 16], 1);
}

static void an_instruction_is_refused_as_the_processor_would(void **state)
{
    static const struct {
        enum instruction_class class;
        bool protected_mode;
        uint64_t cr0, cr4, xcr0;
        unsigned vector;
    } cases[] = {
        {INSTRUCTION_INTEGER, false, CR0_TS | CR0_EM, 0, 0, 0},
        {INSTRUCTION_MMX, false, 0, 0, 1, 0},
        {INSTRUCTION_MMX, true, CR0_TS, 0, 1, VECTOR_NM},
        {INSTRUCTION_MMX, true, CR0_TS | CR0_EM, 0, 1, VECTOR_UD},
        {INSTRUCTION_SSE, false, 0, CR4_OSFXSR, 1, 0},
        {INSTRUCTION_SSE, true, CR0_TS, 0, 3, VECTOR_UD},
        {INSTRUCTION_SSE, true, CR0_TS, CR4_OSFXSR, 3, VECTOR_NM},
        {INSTRUCTION_SSE, true, CR0_EM, CR4_OSFXSR, 3, VECTOR_UD},
        {INSTRUCTION_AVX, true, CR0_EM, CR4_OSXSAVE, 7, 0},
        {INSTRUCTION_AVX, true, CR0_TS, CR4_OSXSAVE, 7, VECTOR_NM},
        {INSTRUCTION_AVX, true, CR0_TS, CR4_OSXSAVE, 3, VECTOR_UD},
        {INSTRUCTION_AVX, true, 0, CR4_OSFXSR, 7, VECTOR_UD},
        {INSTRUCTION_AVX, false, 0, CR4_OSXSAVE, 7, VECTOR_UD},
        {INSTRUCTION_VEX, true, CR0_TS | CR0_EM, 0, 1, 0},
        {INSTRUCTION_VEX, false, 0, CR4_OSXSAVE, 7, VECTOR_UD},
        {INSTRUCTION_PROTECTED, true, CR0_TS, 0, 1, 0},
        {INSTRUCTION_PROTECTED, false, 0, 0, 1, VECTOR_UD},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct vector_mode mode = {cases[i].protected_mode, cases[i].cr0, cases[i].cr4, cases[i].xcr0};
        if (vector_refused(cases[i].class, &mode) != cases[i].vector)
            fail_msg("case %u: %u", i, vector_refused(cases[i].class, &mode));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_mmx_register_is_written_as_the_processor_does, nothing),
        cmocka_unit_test_setup(mmx_registers_are_read_whatever_the_stack_top, nothing),
        cmocka_unit_test_setup(what_is_initial_reads_as_zero_and_is_zero_beside_what_is_written, nothing),
        cmocka_unit_test_setup(sse_leaves_the_upper_part_and_vex_clears_it_up_to_zmm, nothing),
        cmocka_unit_test(an_instruction_is_refused_as_the_processor_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
