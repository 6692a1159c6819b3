/* REP OUTS of bytes, which a caller may offer to do in runs: what a run does to the registers, where it ends, and who
 * is asked for the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/decode/arithmetic.h"
#include "cp/decode/execute.h"

enum { AX, CX, DX, BX, SP, BP, SI, DI, REGISTERS = 16, FAULT = -14, MEMORY_BYTES = 4096, PORT = 0x3F8 };

static uint64_t gpr[REGISTERS], flags, base;
static uint8_t memory[MEMORY_BYTES], port_had[256];
static unsigned had, runs, singles; /* bytes the port had; in how many runs; how many by themselves */
static unsigned run_most;           /* bytes that are had at one go */
static bool fails;                  /* the next byte that is asked for by itself */
static uint64_t asked;              /* its address */

static uint64_t read_gpr(void *context, unsigned reg) { return (void)context, gpr[reg]; }
static void write_gpr(void *context, unsigned reg, uint64_t value) { (void)context, gpr[reg] = value; }
static uint64_t read_flags(void *context) { return (void)context, flags; }
static uint64_t segment_base(void *context, enum segment segment) { return (void)context, (void)segment, base; }

static int read(void *context, uint64_t linear, unsigned size, void *value)
{
    (void)context;
    asked = linear;
    if (fails)
        return FAULT;
    assert_true(size == 1 && linear < MEMORY_BYTES);
    memcpy(value, memory + linear, 1);
    return 0;
}

static int port_write(void *context, uint16_t port, unsigned size, uint64_t value)
{
    (void)context;
    assert_true(port == PORT && size == 1);
    port_had[had++] = (uint8_t)value;
    singles++;
    return 0;
}

static unsigned read_run(void *context, enum segment segment, uint64_t offset, uint64_t linear, uint8_t *bytes,
                         unsigned most)
{
    unsigned count = most < run_most ? most : run_most;
    (void)context, (void)segment, (void)offset;
    assert_true(most && most <= EXECUTE_RUN && linear + count <= MEMORY_BYTES);
    memcpy(bytes, memory + linear, count);
    return count;
}

static void port_write_run(void *context, uint16_t port, const uint8_t *bytes, unsigned count)
{
    (void)context;
    assert_int_equal(port, PORT);
    memcpy(port_had + had, bytes, count);
    had += count;
    runs++;
}

static int outs(enum decode_mode mode, uint64_t from, uint64_t count)
{
    static const struct execute_seams seams = {
        .read_gpr = read_gpr, .write_gpr = write_gpr, .read_flags = read_flags, .segment_base = segment_base,
        .read = read, .port_write = port_write, .read_run = read_run, .port_write_run = port_write_run};
    struct instruction in;

    assert_int_equal(instruction_decode((const uint8_t *)"\xF3\x6E", 2, mode, &in), DECODE_OK); /* REP OUTSB */
    gpr[SI] = from, gpr[CX] = count, gpr[DX] = PORT;
    had = runs = singles = 0;
    return instruction_execute(&in, &seams, 0);
}

static int begin(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMORY_BYTES; i++)
        memory[i] = (uint8_t)(i * 7);
    flags = base = 0;
    run_most = EXECUTE_RUN;
    fails = false;
    return 0;
}

static void a_run_is_handed_over_and_counted_as_a_whole(void **state)
{
    (void)state;
    assert_int_equal(outs(DECODE_64, 10, 16), EXECUTE_DONE);
    assert_true(runs == 1 && !singles && had == 16);
    assert_memory_equal(port_had, memory + 10, 16);
    assert_int_equal(gpr[SI], 26);
    assert_int_equal(gpr[CX], 0);
    assert_int_equal(outs(DECODE_64, 10, 0), EXECUTE_DONE);
    assert_int_equal(had, 0);
}

static void one_longer_than_a_run_goes_on_at_the_same_rip(void **state)
{
    (void)state;
    assert_int_equal(outs(DECODE_64, 10, 100), EXECUTE_AGAIN);
    assert_true(runs == 1 && had == EXECUTE_RUN);
    assert_int_equal(gpr[SI], 10 + EXECUTE_RUN);
    assert_int_equal(gpr[CX], 100 - EXECUTE_RUN);
}

static void what_a_run_leaves_comes_byte_by_byte(void **state)
{
    (void)state;
    for (run_most = 0; run_most < 6; run_most++) {
        assert_int_equal(outs(DECODE_64, 10, 5), EXECUTE_DONE);
        assert_true(had == 5 && singles == 5 - (run_most < 5 ? run_most : 5));
        assert_memory_equal(port_had, memory + 10, 5);
        assert_int_equal(gpr[SI], 15);
    }
}

static void a_fault_behind_a_run_leaves_the_run_done(void **state)
{
    (void)state;
    run_most = 3;
    fails = true;
    assert_int_equal(outs(DECODE_64, 10, 5), FAULT);
    assert_true(runs == 1 && had == 3);
    assert_int_equal(asked, 13);
    assert_int_equal(gpr[SI], 13);
    assert_int_equal(gpr[CX], 2);
}

static void a_run_ends_where_si_wraps(void **state)
{
    (void)state;
    base = (uint64_t)-0xFF00;
    fails = true;
    assert_int_equal(outs(DECODE_16, 0xFFFE, 4), FAULT);
    assert_int_equal(had, 2);
    assert_int_equal(gpr[SI], 0);
    assert_int_equal(asked, 0xFFFF0100);
}

static void there_is_no_run_downwards_or_stepped(void **state)
{
    (void)state;
    flags = FLAG_DF;
    assert_int_equal(outs(DECODE_64, 100, 2), EXECUTE_DONE);
    assert_true(!runs && had == 2 && gpr[SI] == 98);
    flags = FLAG_TF;
    assert_int_equal(outs(DECODE_64, 100, 2), EXECUTE_AGAIN);
    assert_true(!runs && had == 1);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_handed_over_and_counted_as_a_whole),
        TEST(one_longer_than_a_run_goes_on_at_the_same_rip),
        TEST(what_a_run_leaves_comes_byte_by_byte),
        TEST(a_fault_behind_a_run_leaves_the_run_done),
        TEST(a_run_ends_where_si_wraps),
        TEST(there_is_no_run_downwards_or_stepped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
