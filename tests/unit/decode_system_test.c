/* Instructions with an operand in memory that are about the stack, RIP and tables: what they read, in which order, and
 * what they leave when something faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/decode/arithmetic.h"
#include "cp/decode/execute.h"

enum { AX, CX, DX, BX, SP, BP, SI, DI, FAULT = -14, MEMORY_BYTES = 0x4000, RIP = 0x300, STACK = 0x3000,
       OPERAND = 0x100 };

static struct {
    uint64_t gpr[16], flags, ss_base, jumped, base;
    uint8_t memory[MEMORY_BYTES];
    unsigned reads, writes, width, fault; /* width: of the stack */
    bool aligned; /* operands must be */
    uint64_t not_writable, limit;         /* a page; of RIP */
    uint16_t table_limit;
    uint64_t table_base;
    enum operation table;
    bool refuse;
} cpu;

static uint64_t read_gpr(void *context, unsigned reg) { return (void)context, cpu.gpr[reg]; }
static void write_gpr(void *context, unsigned reg, uint64_t value) { (void)context, cpu.gpr[reg] = value; }
static uint64_t read_flags(void *context) { return (void)context, cpu.flags; }
static void write_flags(void *context, uint64_t flags) { (void)context, cpu.flags = flags; }
static uint64_t segment_base(void *context, enum segment segment)
{
    return (void)context, segment == SEGMENT_SS ? cpu.ss_base : 0;
}
static int fault(void *context, unsigned vector) { return (void)context, cpu.fault = vector, FAULT; }
static unsigned stack_size(void *context) { return (void)context, cpu.width; }
static bool may_jump(void *context, uint64_t rip) { return (void)context, rip <= cpu.limit; }
static void jump(void *context, uint64_t rip) { (void)context, cpu.jumped = rip; }
static int permitted(void *context, enum instruction_class class)
{
    return (void)context, (void)class, cpu.refuse ? FAULT : 0;
}

static int read(void *context, uint64_t linear, unsigned size, void *to)
{
    (void)context;
    assert_true(linear + size <= MEMORY_BYTES);
    memcpy(to, cpu.memory + linear, size);
    cpu.reads++;
    return 0;
}

static int probe(void *context, uint64_t linear, unsigned size, bool write)
{
    (void)context, (void)size;
    return write && cpu.not_writable && linear >> 12 == cpu.not_writable >> 12 ? FAULT : 0;
}

static int write(void *context, uint64_t linear, unsigned size, const void *from)
{
    assert_true(linear + size <= MEMORY_BYTES);
    if (probe(context, linear, size, true))
        return FAULT;
    memcpy(cpu.memory + linear, from, size);
    cpu.writes++;
    return 0;
}

static uint64_t system_read(void *context, const struct instruction *in, uint64_t *base)
{
    (void)context;
    *base = 0x1122334455667788;
    return in->operation == OP_SGDT ? 0xABCD : 0x1230 + in->reg;
}

static int system_write(void *context, const struct instruction *in, uint16_t limit, uint64_t base)
{
    (void)context;
    cpu.table = in->operation, cpu.table_limit = limit, cpu.table_base = base;
    return 0;
}

static bool checks_alignment(void *context) { return (void)context, cpu.aligned; }

static const struct execute_seams seams = {
    .read_gpr = read_gpr, .write_gpr = write_gpr, .read_flags = read_flags, .write_flags = write_flags,
    .segment_base = segment_base, .read = read, .write = write, .probe = probe, .fault = fault, .permitted = permitted,
    .stack_size = stack_size, .may_jump = may_jump, .jump = jump, .system_read = system_read,
    .system_write = system_write, .checks_alignment = checks_alignment,
};

static int start(void **state)
{
    (void)state;
    memset(&cpu, 0, sizeof cpu);
    cpu.width = 8, cpu.limit = 0x2000, cpu.flags = 2;
    cpu.gpr[SP] = STACK, cpu.gpr[BX] = OPERAND;
    return 0;
}

static int run(const char *bytes, size_t count, enum decode_mode mode)
{
    struct instruction in;

    assert_int_equal(instruction_decode((const uint8_t *)bytes, count, mode, &in), DECODE_OK);
    assert_int_equal(in.length, count);
    return instruction_execute(&in, &seams, RIP);
}
#define RUN(bytes, mode) run(bytes, sizeof(bytes) - 1, mode)

static uint64_t at(uint64_t address, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, cpu.memory + address, size);
    return value;
}

static void put(uint64_t address, uint64_t value)
{
    memcpy(cpu.memory + address, &value, sizeof value);
}

static void what_is_pushed_is_as_wide_as_the_mode_says(void **state)
{
    (void)state;
    put(OPERAND, 0x1234567890ABCDEF);
    assert_int_equal(RUN("\xFF\x33", DECODE_64), EXECUTE_DONE); /* push [rbx] */
    assert_int_equal(cpu.gpr[SP], STACK - 8);
    assert_int_equal(at(STACK - 8, 8), 0x1234567890ABCDEF);
    assert_int_equal(RUN("\x66\xFF\x33", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.gpr[SP], STACK - 10);
    assert_int_equal(at(STACK - 10, 2), 0xCDEF);
    cpu.width = 2, cpu.ss_base = 0x1000, cpu.gpr[SP] = 0xABCD0104;
    assert_int_equal(RUN("\xFF\x33", DECODE_32), EXECUTE_DONE); /* a stack of 64 KiB */
    assert_int_equal(cpu.gpr[SP], 0xABCD0100);
    assert_int_equal(at(0x1100, 4), 0x90ABCDEF);
}

static void what_is_popped_goes_to_an_address_made_of_the_new_stack_pointer(void **state)
{
    (void)state;
    put(STACK, 0x1122334455667788);
    assert_int_equal(RUN("\x8F\x44\x24\x10", DECODE_64), EXECUTE_DONE); /* pop [rsp+16] */
    assert_int_equal(cpu.gpr[SP], STACK + 8);
    assert_int_equal(at(STACK + 8 + 16, 8), 0x1122334455667788);
    cpu.not_writable = OPERAND;
    assert_int_equal(RUN("\x8F\x03", DECODE_64), FAULT);
    assert_int_equal(cpu.gpr[SP], STACK + 8);
}

static void a_device_is_not_read_for_a_stack_that_cannot_be_written(void **state)
{
    (void)state;
    cpu.not_writable = STACK - 1;
    assert_int_equal(RUN("\xFF\x33", DECODE_64), FAULT);
    assert_int_equal(RUN("\xFF\x13", DECODE_64), FAULT); /* call [rbx] */
    assert_int_equal(cpu.reads, 0);
    assert_int_equal(cpu.gpr[SP], STACK);
    assert_int_equal(cpu.jumped, 0);
}

static void a_device_is_not_read_for_a_place_that_cannot_be_written(void **state)
{
    static const char *const both[] = {"\x01\x03", "\x87\x03", "\xC1\x23\x01", "\x0F\xA5\x03", "\xF0\x0F\xC7\x0B",
                                      "\xA5"};
    static const unsigned bytes[] = {2, 2, 3, 3, 4, 1};

    (void)state;
    cpu.not_writable = OPERAND;
    cpu.gpr[SI] = 0x2000, cpu.gpr[DI] = OPERAND;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(run(both[i], bytes[i], DECODE_64), FAULT);
    assert_int_equal(cpu.reads, 0);
    assert_int_equal(cpu.gpr[SI], 0x2000);
}

static void a_call_pushes_where_it_comes_back_to_and_jumps(void **state)
{
    (void)state;
    put(OPERAND, 0x1000);
    assert_int_equal(RUN("\xFF\x13", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.jumped, 0x1000);
    assert_int_equal(at(cpu.gpr[SP], 8), RIP + 2);
    cpu.gpr[SP] = STACK;
    assert_int_equal(RUN("\xFF\x23", DECODE_64), EXECUTE_DONE); /* jmp [rbx] */
    assert_int_equal(cpu.gpr[SP], STACK);
    put(OPERAND, 0x2001);
    assert_int_equal(RUN("\xFF\x13", DECODE_64), FAULT);
    assert_int_equal(cpu.fault, 13);
    assert_int_equal(cpu.gpr[SP], STACK);
    assert_int_equal(cpu.writes, 1);
}

static void bounds_are_signed_and_both_allowed(void **state)
{
    static const struct {
        int32_t index, low, high;
        bool fits;
    } cases[] = {{5, 5, 5, true}, {-1, -2, 0, true}, {-3, -2, 0, false}, {1, -2, 0, false}, {0, -1, 1, true}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(OPERAND, (uint32_t)cases[i].low | (uint64_t)(uint32_t)cases[i].high << 32);
        cpu.gpr[AX] = (uint32_t)cases[i].index, cpu.fault = 0;
        assert_int_equal(RUN("\x62\x03", DECODE_32), cases[i].fits ? EXECUTE_DONE : FAULT);
        assert_int_equal(cpu.fault, cases[i].fits ? 0 : 5);
    }
}

static void a_privilege_level_is_only_raised(void **state)
{
    (void)state;
    put(OPERAND, 0x11), cpu.gpr[AX] = 3;
    assert_int_equal(RUN("\x63\x03", DECODE_32), EXECUTE_DONE); /* arpl [ebx],ax */
    assert_int_equal(at(OPERAND, 2), 0x13);
    assert_true(cpu.flags & FLAG_ZF);
    cpu.writes = 0, cpu.gpr[AX] = 2;
    assert_int_equal(RUN("\x63\x03", DECODE_32), EXECUTE_DONE);
    assert_int_equal(cpu.writes, 0);
    assert_false(cpu.flags & FLAG_ZF);
    cpu.refuse = true;
    assert_int_equal(RUN("\x63\x03", DECODE_16), FAULT);
}

static void tables_are_a_limit_and_a_base_of_the_modes_width(void **state)
{
    (void)state;
    assert_int_equal(RUN("\x0F\x01\x03", DECODE_64), EXECUTE_DONE); /* sgdt */
    assert_int_equal(at(OPERAND, 2), 0xABCD);
    assert_int_equal(at(OPERAND + 2, 8), 0x1122334455667788);
    put(OPERAND, 0), put(OPERAND + 4, 0);
    assert_int_equal(RUN("\x0F\x01\x03", DECODE_32), EXECUTE_DONE);
    assert_int_equal(at(OPERAND + 2, 6), 0x55667788);
    put(OPERAND, 0x9988776655443322), put(OPERAND + 8, 0xBBAA);
    assert_int_equal(RUN("\x0F\x01\x1B", DECODE_64), EXECUTE_DONE); /* lidt */
    assert_int_equal(cpu.table, OP_LIDT);
    assert_int_equal(cpu.table_limit, 0x3322);
    assert_int_equal(cpu.table_base, 0xBBAA998877665544);
    assert_int_equal(RUN("\x0F\x01\x13", DECODE_32), EXECUTE_DONE); /* lgdt */
    assert_int_equal(cpu.table_base, 0x77665544);
    assert_int_equal(RUN("\x66\x0F\x01\x13", DECODE_32), EXECUTE_DONE);
    assert_int_equal(cpu.table_base, 0x665544);
    assert_int_equal(RUN("\x8C\x1B", DECODE_64), EXECUTE_DONE); /* mov [rbx],ds */
    assert_int_equal(at(OPERAND, 4), 0x55440000 | (0x1230 + SEGMENT_DS));
}

static void an_operand_that_must_be_aligned_and_is_not_is_a_protection_fault(void **state)
{
    (void)state;
    cpu.gpr[BX] = OPERAND + 8;
    assert_int_equal(RUN("\x48\x0F\xC7\x0B", DECODE_64), FAULT); /* cmpxchg16b */
    assert_int_equal(cpu.fault, 13);
    assert_int_equal(cpu.reads, 0);
    cpu.fault = 0;
    assert_int_equal(RUN("\x0F\xC7\x0B", DECODE_64), EXECUTE_DONE); /* cmpxchg8b */
    assert_int_equal(cpu.fault, 0);
}

static void operands_not_aligned_are_faults_where_that_is_checked_before_anything_is_read(void **state)
{
    static const struct {
        const char *bytes;
        uint8_t count;
        uint64_t si, di, sp;
        bool aligned;
    } cases[] = {
        {"\xA5", 1, 0x104, 0x202, STACK, false}, {"\xA5", 1, 0x102, 0x204, STACK, false},
        {"\xA5", 1, 0x104, 0x204, STACK, true}, {"\xA4", 1, 0x101, 0x203, STACK, true}, /* bytes */
        {"\xFF\x33", 2, 0, 0, STACK + 2, false}, {"\x8F\x03", 2, 0, 0, STACK + 4, false}, /* push, pop [rbx] */
        {"\x66\xFF\x33", 3, 0, 0, STACK + 2, true}, {"\xFF\x13", 2, 0, 0, STACK + 1, false},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned checked = 0; checked < 2; checked++) {
            bool faults = checked && !cases[i].aligned;
            cpu.gpr[SI] = cases[i].si, cpu.gpr[DI] = cases[i].di, cpu.gpr[SP] = cases[i].sp;
            cpu.fault = cpu.reads = cpu.writes = 0, cpu.aligned = checked;
            assert_int_equal(run(cases[i].bytes, cases[i].count, DECODE_64), faults ? FAULT : EXECUTE_DONE);
            assert_int_equal(cpu.fault, faults ? 17 : 0);
            assert_int_equal(!cpu.writes, faults);
        }
}

static void bounds_need_the_alignment_of_one_of_them(void **state)
{
    (void)state;
    cpu.aligned = true, cpu.gpr[BX] = OPERAND + 4;
    assert_int_equal(RUN("\x62\x03", DECODE_32), EXECUTE_DONE);
    cpu.gpr[BX] = OPERAND + 2;
    assert_int_equal(RUN("\x62\x03", DECODE_32), FAULT);
    assert_int_equal(cpu.fault, 17);
}

static void without_their_own_instructions_processors_scan_bits(void **state)
{
    (void)state;
    put(OPERAND, 0x100);
    cpu.gpr[AX] = 0;
    assert_int_equal(RUN("\xF3\x0F\xBD\x03", DECODE_64), EXECUTE_DONE); /* lzcnt, or bsr */
    assert_int_equal(cpu.gpr[AX], 8);
    put(OPERAND, 0);
    assert_int_equal(RUN("\xF3\x0F\xBC\x03", DECODE_64), EXECUTE_DONE); /* tzcnt, or bsf */
    assert_int_equal(cpu.gpr[AX], 8);
    assert_true(cpu.flags & FLAG_ZF);
}

static void what_a_cache_line_holds_is_not_read(void **state)
{
    (void)state;
    assert_int_equal(RUN("\x0F\xAE\x3B", DECODE_64), EXECUTE_DONE);
    assert_int_equal(cpu.reads + cpu.writes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_pushed_is_as_wide_as_the_mode_says, start),
        cmocka_unit_test_setup(what_is_popped_goes_to_an_address_made_of_the_new_stack_pointer, start),
        cmocka_unit_test_setup(a_device_is_not_read_for_a_stack_that_cannot_be_written, start),
        cmocka_unit_test_setup(a_device_is_not_read_for_a_place_that_cannot_be_written, start),
        cmocka_unit_test_setup(a_call_pushes_where_it_comes_back_to_and_jumps, start),
        cmocka_unit_test_setup(bounds_are_signed_and_both_allowed, start),
        cmocka_unit_test_setup(a_privilege_level_is_only_raised, start),
        cmocka_unit_test_setup(tables_are_a_limit_and_a_base_of_the_modes_width, start),
        cmocka_unit_test_setup(an_operand_that_must_be_aligned_and_is_not_is_a_protection_fault, start),
        cmocka_unit_test_setup(operands_not_aligned_are_faults_where_that_is_checked_before_anything_is_read, start),
        cmocka_unit_test_setup(bounds_need_the_alignment_of_one_of_them, start),
        cmocka_unit_test_setup(without_their_own_instructions_processors_scan_bits, start),
        cmocka_unit_test_setup(what_a_cache_line_holds_is_not_read, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
