/* Any bytes, in any mode: the decoder reads only what it was given, describes only what the executor understands, and
 * the executor does a bounded number of accesses. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cp/decode/descriptor.h"
#include "cp/decode/execute.h"

enum { FAULT = -14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t gpr[16], flags;
static unsigned accesses, fail_at, checks, refuse_at;

static uint64_t read_gpr(void *context, unsigned reg)
{
    (void)context;
    assert(reg < 16);
    return gpr[reg];
}

static void write_gpr(void *context, unsigned reg, uint64_t value)
{
    (void)context;
    assert(reg < 16);
    gpr[reg] = value;
}

static uint64_t read_flags(void *context) { (void)context; return flags; }
static void write_flags(void *context, uint64_t value) { (void)context; flags = value; }
static uint64_t segment_base(void *context, enum segment segment) { (void)context; return segment * 0x1000; }

static int read(void *context, uint64_t linear, unsigned size, void *to)
{
    uint8_t *bytes = to;

    (void)context;
    assert(size && size <= EXECUTE_VECTOR);
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)((linear + i) * 0x9E3779B97F4A7C15 >> 56);
    return ++accesses == fail_at ? FAULT : 0;
}

static volatile uint8_t sink;

static int write(void *context, uint64_t linear, unsigned size, const void *from)
{
    (void)context, (void)linear;
    assert(size && size <= EXECUTE_VECTOR);
    for (unsigned i = 0; i < size; i++)
        sink = ((const uint8_t *)from)[i];
    return ++accesses == fail_at ? FAULT : 0;
}

static int check(void *context, enum segment segment, uint64_t offset, uint64_t linear, unsigned size, bool store)
{
    (void)context, (void)offset, (void)linear, (void)size, (void)store;
    assert(segment <= SEGMENT_GS);
    return ++checks == refuse_at ? FAULT : 0;
}

static int probe(void *context, uint64_t linear, unsigned size, bool store)
{
    (void)context, (void)linear, (void)size, (void)store;
    return 0;
}

static int port_read(void *context, uint16_t port, unsigned size, uint64_t *value)
{
    *value = 0;
    return read(context, port, size, value);
}

static int port_write(void *context, uint16_t port, unsigned size, uint64_t value)
{
    return write(context, port, size, &value);
}

static int fault(void *context, unsigned vector)
{
    (void)context;
    assert(vector == 0 || vector == 5 || vector == 13);
    return FAULT;
}

static int permitted(void *context, enum instruction_class class)
{
    (void)context;
    assert(class != INSTRUCTION_INTEGER);
    return 0;
}

static void vector_read(void *context, enum operand kind, unsigned reg, uint8_t value[EXECUTE_VECTOR])
{
    (void)context;
    assert(kind == OPERAND_MMX ? reg < 8 : reg < 16);
    memset(value, (int)reg, EXECUTE_VECTOR);
}

static void vector_write(void *context, enum operand kind, unsigned reg, const uint8_t value[EXECUTE_VECTOR],
                         unsigned bytes, bool clear)
{
    (void)context, (void)clear;
    assert(kind == OPERAND_MMX ? reg < 8 && bytes == 8 : reg < 16 && (bytes == 16 || bytes == 32));
    write(NULL, 0, bytes, value);
    accesses--;
}

static unsigned stack_size(void *context) { (void)context; return 4; }
static bool may_jump(void *context, uint64_t rip) { (void)context; return rip & 1; }
static void jump(void *context, uint64_t rip) { (void)context; assert(rip & 1); }

static uint64_t system_read(void *context, const struct instruction *in, uint64_t *base)
{
    (void)context;
    assert(in->operation != OP_MOV_SEGMENT || in->reg <= SEGMENT_GS);
    *base = 0;
    return 0;
}

static int system_write(void *context, const struct instruction *in, uint16_t limit, uint64_t base)
{
    (void)context, (void)in, (void)limit, (void)base;
    return 0;
}

static int load_segment(void *context, enum segment segment, uint16_t selector)
{
    (void)context;
    assert(segment <= SEGMENT_GS && segment != SEGMENT_CS);
    return selector & 1 ? FAULT : 0;
}

static int load_system(void *context, const struct instruction *in, uint16_t value, uint64_t linear)
{
    (void)context, (void)in, (void)linear;
    return value & 1 ? FAULT : 0;
}

static int look(void *context, const struct instruction *in, uint16_t selector, bool *shown, uint64_t *value)
{
    (void)context, (void)in;
    *value = 1, *shown = selector & 2;
    return selector & 1 ? FAULT : 0;
}

static int find_code(void *context, uint16_t selector, struct segment_value *code, uint16_t *from)
{
    (void)context;
    *code = (struct segment_value){.selector = selector};
    *from = 0;
    return selector & 1 ? FAULT : selector & 2 ? EXECUTE_UNKNOWN : 0;
}

static bool may_enter(void *context, const struct segment_value *code, uint64_t rip)
{
    (void)context, (void)code;
    return rip & 1;
}

static int enter(void *context, const struct segment_value *code, uint64_t rip)
{
    (void)context;
    assert((rip & 1) && !(code->selector & 3));
    return 0;
}

static const struct execute_seams seams = {
    .read_gpr = read_gpr, .write_gpr = write_gpr, .read_flags = read_flags, .write_flags = write_flags,
    .segment_base = segment_base, .check = check, .read = read, .write = write, .probe = probe, .port_read = port_read,
    .port_write = port_write, .fault = fault, .permitted = permitted, .vector_read = vector_read,
    .vector_write = vector_write, .stack_size = stack_size, .may_jump = may_jump, .jump = jump,
    .system_read = system_read, .system_write = system_write, .load_segment = load_segment,
    .load_system = load_system, .look = look, .find_code = find_code, .may_enter = may_enter, .enter = enter,
};

static void execute(const struct instruction *in)
{
    int result = instruction_execute(in, &seams, 0x1000);

    assert(accesses <= 2 * EXECUTE_REPEATS);
    assert(result == EXECUTE_DONE || result == EXECUTE_AGAIN || result == FAULT ||
           (result == EXECUTE_UNKNOWN &&
            (in->operation >= OP_VMCALL || in->operation == OP_CALL_FAR || in->operation == OP_JMP_FAR)));
    assert(result != EXECUTE_AGAIN || in->repeat || in->repeat_not_equal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum decode_mode modes[] = {DECODE_16, DECODE_32, DECODE_64};
    struct instruction in;
    uint8_t *bytes;

    if (size < 2)
        return -1;
    accesses = checks = 0;
    fail_at = data[0] >> 2;
    refuse_at = data[1];
    for (unsigned i = 0; i < 16; i++)
        gpr[i] = data[1] * UINT64_C(0x0101010101010101) << i;
    bytes = malloc(size - 2); /* of its own, so that a read beyond it is seen */
    memcpy(bytes, data + 2, size - 2);
    if (instruction_decode(bytes, size - 2, modes[data[0] % 3], &in) == DECODE_OK) {
        assert(in.length >= 1 && in.length <= INSTRUCTION_MAX_BYTES && in.length <= size - 2);
        execute(&in);
    }
    free(bytes);
    return 0;
}
