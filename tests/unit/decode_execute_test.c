/* What one processor state cannot show of the instructions CP carries out: addresses, repetitions, and who is asked
 * before what. decode_native_test asks the processor what they compute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/decode/arithmetic.h"
#include "cp/decode/execute.h"

enum { AX, CX, DX, BX, SP, BP, SI, DI, FAULT = -14 };
enum { MEMORY_BYTES = 4096 };

static struct {
    uint64_t gpr[16], flags, base[6];
    uint8_t memory[MEMORY_BYTES];
    uint64_t last_address;
    unsigned reads, writes, fail_read_at, fail_write_at; /* 1: the first one */
    unsigned checks, fail_check_at, fail_probe; /* the same; the last: any */
    struct {
        enum segment segment;
        uint64_t offset, linear;
        unsigned size;
        bool write;
    } checked; /* last */
    uint16_t port;
    uint64_t port_value;
    unsigned port_accesses;
} cpu;

static uint64_t read_gpr(void *context, unsigned reg) { (void)context; return cpu.gpr[reg]; }
static void write_gpr(void *context, unsigned reg, uint64_t value) { (void)context; cpu.gpr[reg] = value; }
static uint64_t read_flags(void *context) { (void)context; return cpu.flags; }
static void write_flags(void *context, uint64_t flags) { (void)context; cpu.flags = flags; }
static uint64_t segment_base(void *context, enum segment segment) { (void)context; return cpu.base[segment]; }

static int read(void *context, uint64_t linear, unsigned size, void *value)
{
    (void)context;
    cpu.last_address = linear;
    if (++cpu.reads == cpu.fail_read_at)
        return FAULT;
    assert_true(linear + size <= MEMORY_BYTES);
    memcpy(value, cpu.memory + linear, size);
    return 0;
}

static int write(void *context, uint64_t linear, unsigned size, const void *value)
{
    (void)context;
    cpu.last_address = linear;
    if (++cpu.writes == cpu.fail_write_at)
        return FAULT;
    assert_true(linear + size <= MEMORY_BYTES);
    memcpy(cpu.memory + linear, value, size);
    return 0;
}

static int check(void *context, enum segment segment, uint64_t offset, uint64_t linear, unsigned size, bool store)
{
    (void)context;
    cpu.checked.segment = segment, cpu.checked.offset = offset, cpu.checked.linear = linear;
    cpu.checked.size = size, cpu.checked.write = store;
    return ++cpu.checks == cpu.fail_check_at ? FAULT : 0;
}

static int probe(void *context, uint64_t linear, unsigned size, bool store)
{
    (void)context, (void)size;
    cpu.last_address = linear;
    return cpu.fail_probe && store ? FAULT : 0;
}

static int port_read(void *context, uint16_t port, unsigned size, uint64_t *value)
{
    (void)context, (void)size;
    cpu.port = port;
    *value = cpu.port_value + cpu.port_accesses++;
    return 0;
}

static int port_write(void *context, uint16_t port, unsigned size, uint64_t value)
{
    (void)context, (void)size;
    cpu.port = port;
    cpu.port_value = value;
    cpu.port_accesses++;
    return 0;
}

static const struct execute_seams seams = {
    .read_gpr = read_gpr, .write_gpr = write_gpr, .read_flags = read_flags, .write_flags = write_flags,
    .segment_base = segment_base, .check = check, .read = read, .write = write, .probe = probe, .port_read = port_read,
    .port_write = port_write,
};

static int run(const char *bytes, size_t count, enum decode_mode mode, uint64_t rip)
{
    struct instruction in;

    assert_int_equal(instruction_decode((const uint8_t *)bytes, count, mode, &in), DECODE_OK);
    assert_int_equal(in.length, count);
    return instruction_execute(&in, &seams, rip);
}
#define RUN(bytes, mode) run(bytes, sizeof(bytes) - 1, mode, 0)

static int clear(void **state)
{
    (void)state;
    memset(&cpu, 0, sizeof cpu);
    cpu.flags = 2;
    return 0;
}

static void addresses_follow_base_index_displacement_and_segment(void **state)
{
    (void)state;
    cpu.gpr[BX] = 0x10, cpu.gpr[SI] = 0x20, cpu.base[SEGMENT_FS] = 0x100, cpu.base[SEGMENT_DS] = 0x200;
    RUN("\x8b\x44\xb3\x04", DECODE_64); /* mov eax,[rbx+rsi*4+4] */
    assert_int_equal(cpu.last_address, 0x94);
    RUN("\x64\x8b\x03", DECODE_64); /* mov eax,fs:[rbx] */
    assert_int_equal(cpu.last_address, 0x110);
    RUN("\x8b\x03", DECODE_32); /* mov eax,[ebx] */
    assert_int_equal(cpu.last_address, 0x210);
    run("\x8b\x05\x10\x00\x00\x00", 6, DECODE_64, 0x300); /* mov eax,[rip+16] */
    assert_int_equal(cpu.last_address, 0x316);
    cpu.gpr[BX] = UINT64_C(0xffffffff00000004);
    RUN("\x67\x8b\x43\xff", DECODE_64); /* mov eax,[ebx-1] */
    assert_int_equal(cpu.last_address, 3);
    cpu.gpr[BX] = 0xfff8;
    RUN("\x8b\x40\x10", DECODE_16); /* mov ax,[bx+si+16]: wraps at 64 KiB */
    assert_int_equal(cpu.last_address, 0x228);
    cpu.base[SEGMENT_DS] = 0xfffffff0, cpu.gpr[BX] = 0x20;
    RUN("\x8b\x03", DECODE_32); /* linear addresses wrap at 4 GiB */
    assert_int_equal(cpu.last_address, 0x10);
    RUN("\xa1\x40\x00\x00\x00\x00\x00\x00\x00", DECODE_64); /* mov eax,[moffs] */
    assert_int_equal(cpu.last_address, 0x40);
}

static void repeated_moves_count_down_and_keep_their_direction(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        cpu.memory[i] = i;
    cpu.gpr[SI] = 0, cpu.gpr[DI] = 100, cpu.gpr[CX] = 10;
    assert_int_equal(RUN("\xf3\xa5", DECODE_64), EXECUTE_DONE);
    assert_memory_equal(cpu.memory, cpu.memory + 100, 40);
    assert_int_equal(cpu.gpr[CX], 0);
    assert_int_equal(cpu.gpr[SI], 40);
    assert_int_equal(cpu.gpr[DI], 140);
    cpu.flags |= FLAG_DF;
    cpu.gpr[SI] = 14, cpu.gpr[DI] = 214, cpu.gpr[CX] = 15;
    assert_int_equal(RUN("\xf3\xa4", DECODE_64), EXECUTE_DONE);
    assert_memory_equal(cpu.memory, cpu.memory + 200, 15);
    assert_int_equal(cpu.gpr[SI], UINT64_MAX);
    assert_int_equal(cpu.gpr[DI], 199);
}

static void a_long_repetition_comes_in_pieces(void **state)
{
    unsigned again = 0;

    (void)state;
    cpu.gpr[AX] = 0x41, cpu.gpr[DI] = 0, cpu.gpr[CX] = 1000;
    while (RUN("\xf3\xaa", DECODE_64) == EXECUTE_AGAIN)
        again++;
    assert_int_equal(again, 1000 / EXECUTE_REPEATS);
    assert_int_equal(cpu.gpr[CX], 0);
    assert_int_equal(cpu.gpr[DI], 1000);
    assert_int_equal(cpu.memory[999], 0x41);
    assert_int_equal(cpu.memory[1000], 0);
    cpu.gpr[CX] = 0;
    cpu.writes = 0;
    assert_int_equal(RUN("\xf3\xaa", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.writes, 0);
}

static void string_registers_are_as_wide_as_addresses(void **state)
{
    (void)state;
    cpu.gpr[DI] = UINT64_C(0xabcd0000ffff), cpu.gpr[CX] = UINT64_C(0xffff0001), cpu.base[SEGMENT_ES] = 0;
    cpu.gpr[AX] = 7;
    cpu.gpr[DI] = UINT64_C(0xabcd00000fff);
    assert_int_equal(RUN("\xf3\xaa", DECODE_16), EXECUTE_DONE);
    assert_int_equal(cpu.gpr[DI], UINT64_C(0xabcd00001000));
    assert_int_equal(cpu.gpr[CX], UINT64_C(0xffff0000));
    cpu.gpr[DI] = UINT64_C(0xabcd00000010);
    assert_int_equal(RUN("\x67\xaa", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.gpr[DI], 0x11);
}

static void comparisons_end_a_repetition(void **state)
{
    (void)state;
    memcpy(cpu.memory, "abcdef", 6);
    memcpy(cpu.memory + 100, "abcxef", 6);
    cpu.gpr[SI] = 0, cpu.gpr[DI] = 100, cpu.gpr[CX] = 6;
    assert_int_equal(RUN("\xf3\xa6", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.gpr[CX], 2);
    assert_false(cpu.flags & FLAG_ZF);
    assert_true(cpu.flags & FLAG_CF); /* 'd' is below 'x' */
    cpu.gpr[DI] = 0, cpu.gpr[CX] = 6, cpu.gpr[AX] = 'e';
    assert_int_equal(RUN("\xf2\xae", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.gpr[DI], 5);
    assert_true(cpu.flags & FLAG_ZF);
}

static void port_strings_move_between_port_and_memory(void **state)
{
    (void)state;
    cpu.gpr[DX] = 0x1f0, cpu.gpr[DI] = 10, cpu.gpr[CX] = 3, cpu.port_value = 0x2000;
    assert_int_equal(RUN("\xf3\x66\x6d", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.port, 0x1f0);
    assert_memory_equal(cpu.memory + 10, "\x00\x20\x01\x20\x02\x20", 6);
    cpu.gpr[SI] = 12;
    assert_int_equal(RUN("\x6f", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.port_value, 0x20022001);
    assert_int_equal(cpu.gpr[SI], 16);
}

static void a_fault_leaves_the_instruction_not_begun(void **state)
{
    (void)state;
    cpu.gpr[AX] = 5, cpu.gpr[BX] = 64, cpu.memory[64] = 1;
    cpu.fail_write_at = 1;
    assert_int_equal(RUN("\x01\x03", DECODE_64), FAULT); /* add [rbx],eax */
    assert_int_equal(cpu.memory[64], 1);
    assert_int_equal(cpu.flags, 2);
    cpu.reads = cpu.writes = 0;
    assert_int_equal(RUN("\x87\x03", DECODE_64), FAULT); /* xchg [rbx],eax */
    assert_int_equal(cpu.gpr[AX], 5);
    cpu.fail_read_at = 1, cpu.reads = 0;
    assert_int_equal(RUN("\x8b\x03", DECODE_64), FAULT);
    assert_int_equal(cpu.gpr[AX], 5);
    /* the fourth element of a repetition: three are done */
    cpu.fail_read_at = 0, cpu.fail_write_at = 4, cpu.writes = 0;
    cpu.gpr[SI] = 0, cpu.gpr[DI] = 200, cpu.gpr[CX] = 9;
    assert_int_equal(RUN("\xf3\xa4", DECODE_64), FAULT);
    assert_int_equal(cpu.gpr[CX], 6);
    assert_int_equal(cpu.gpr[SI], 3);
    assert_int_equal(cpu.gpr[DI], 203);
}

static void the_segment_is_asked_with_the_offset_and_what_is_done_to_it(void **state)
{
    static const struct {
        const char *bytes;
        unsigned count, checks;
        enum segment segment;
        bool write;
    } asks[] = {
        {"\x8b\x03", 2, 1, SEGMENT_DS, false},    {"\x89\x03", 2, 1, SEGMENT_DS, true},
        {"\x36\x8b\x03", 3, 1, SEGMENT_SS, false}, {"\x39\x03", 2, 1, SEGMENT_DS, false}, /* CMP writes nothing */
        {"\xab", 1, 1, SEGMENT_ES, true},         {"\x64\xad", 2, 1, SEGMENT_FS, false},
    };

    (void)state;
    cpu.gpr[BX] = cpu.gpr[SI] = cpu.gpr[DI] = 0x10;
    for (unsigned i = 0; i < 6; i++)
        cpu.base[i] = 0x100 * i;
    for (unsigned i = 0; i < sizeof asks / sizeof *asks; i++) {
        cpu.checks = 0, cpu.gpr[SI] = cpu.gpr[DI] = 0x10;
        assert_int_equal(run(asks[i].bytes, asks[i].count, DECODE_32, 0), EXECUTE_DONE);
        assert_int_equal(cpu.checks, asks[i].checks);
        assert_int_equal(cpu.checked.segment, asks[i].segment);
        assert_int_equal(cpu.checked.offset, 0x10);
        assert_int_equal(cpu.checked.linear, 0x10 + 0x100 * asks[i].segment);
        assert_int_equal(cpu.checked.size, 4);
        assert_int_equal(cpu.checked.write, asks[i].write);
    }
}

static void what_is_modified_must_be_writable_before_it_is_read(void **state)
{
    static const char *const modify[] = {"\x01\x03", "\x87\x03", "\xff\x03"}; /* ADD, XCHG, INC */

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        cpu.checks = 0, cpu.fail_check_at = 1;
        assert_int_equal(run(modify[i], 2, DECODE_32, 0), FAULT);
        assert_true(cpu.checked.write);
        assert_int_equal(cpu.reads, 0);
    }
}

static void a_port_is_not_read_for_a_place_that_cannot_be_written(void **state)
{
    (void)state;
    cpu.gpr[DI] = 10;
    cpu.fail_check_at = 1;
    assert_int_equal(RUN("\x6d", DECODE_32), FAULT);
    cpu.fail_check_at = 0, cpu.fail_probe = true;
    assert_int_equal(RUN("\x6d", DECODE_32), FAULT);
    assert_int_equal(cpu.last_address, 10);
    assert_int_equal(cpu.port_accesses, 0);
    assert_int_equal(cpu.gpr[DI], 10);
}

static void vmx_instructions_are_not_carried_out_here(void **state)
{
    (void)state;
    assert_int_equal(RUN("\x0f\x01\xc1", DECODE_64), EXECUTE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(addresses_follow_base_index_displacement_and_segment, clear),
        cmocka_unit_test_setup(repeated_moves_count_down_and_keep_their_direction, clear),
        cmocka_unit_test_setup(a_long_repetition_comes_in_pieces, clear),
        cmocka_unit_test_setup(string_registers_are_as_wide_as_addresses, clear),
        cmocka_unit_test_setup(comparisons_end_a_repetition, clear),
        cmocka_unit_test_setup(port_strings_move_between_port_and_memory, clear),
        cmocka_unit_test_setup(a_fault_leaves_the_instruction_not_begun, clear),
        cmocka_unit_test_setup(the_segment_is_asked_with_the_offset_and_what_is_done_to_it, clear),
        cmocka_unit_test_setup(what_is_modified_must_be_writable_before_it_is_read, clear),
        cmocka_unit_test_setup(a_port_is_not_read_for_a_place_that_cannot_be_written, clear),
        cmocka_unit_test_setup(vmx_instructions_are_not_carried_out_here, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
