/* The sequences that tests/guest/oracle executes: Zydis says whether each instruction is one, and ends where the next
 * begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/guest/oracle/sequence.h"
#include "tests/unit/zydis_mode.h"

enum { SEQUENCES = 2000 };
static struct sequence sequence, again;
static const struct oracle_host all_as_told;

static unsigned end_of(unsigned n)
{
    return n + 1 < sequence.instructions ? sequence.instruction[n + 1] : sequence.bytes;
}

static struct oracle_place place_of(unsigned number) { return (struct oracle_place){number & 1, number & 2}; }

static void every_instruction_is_one_of_its_length(void **state)
{
    ZydisDecoder decoder;
    (void)state;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    for (unsigned number = 0; number < SEQUENCES; number++) {
        sequence_make(&sequence, 7, number, all_as_told, place_of(number));
        assert_true(sequence.bytes <= MOST_CODE && sequence.instructions <= MOST_INSTRUCTIONS);
        for (unsigned n = 0; n < sequence.instructions; n++) {
            ZydisDecodedInstruction in;
            ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
            const uint8_t *code = sequence.code + sequence.instruction[n];
            unsigned bytes = end_of(n) - sequence.instruction[n];
            ZyanStatus status = ZydisDecoderDecodeFull(&decoder, code, bytes, &in, operands);
            bool undefined = code[0] == 0xCE || code[0] == 0xF0; /* INTO; LOCK where it may not be */
            assert_true(undefined || (ZYAN_SUCCESS(status) && in.length == bytes));
        }
    }
}

static void a_seed_and_a_number_make_the_same_sequence_always(void **state)
{
    (void)state;
    for (unsigned number = 0; number < 50; number++) {
        sequence_make(&sequence, 3, number, all_as_told, place_of(number));
        sequence_make(&again, 3, number, all_as_told, place_of(number));
        assert_int_equal(sequence.bytes, again.bytes);
        assert_memory_equal(sequence.code, again.code, sequence.bytes);
        assert_memory_equal(sequence.registers, again.registers, sizeof sequence.registers);
    }
}

static void every_row_is_taken(void **state)
{
    bool taken[256] = {false};
    (void)state;
    for (unsigned number = 0; number < SEQUENCES; number++) {
        sequence_make(&sequence, 5, number, all_as_told, place_of(number));
        for (unsigned n = 0; n < sequence.units; n++)
            taken[sequence.unit[n].row - oracle_rows] = true;
    }
    for (unsigned n = 0; n < oracle_row_count; n++)
        assert_true(taken[n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_is_one_of_its_length),
        cmocka_unit_test(a_seed_and_a_number_make_the_same_sequence_always),
        cmocka_unit_test(every_row_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
