/* Instructions with an operand in memory that are about the stack, RIP, segments and tables. None of these loads a
 * segment: that takes a descriptor too. */
#include <string.h>

#include "cp/decode/execution.h"

enum { LIMIT_BYTES = 2 };

static struct place stack_place(const struct execution *x, uint64_t pointer)
{
    return execution_place(x, SEGMENT_SS, pointer, x->seams->stack_size(x->seams->context));
}

static void set_stack_pointer(const struct execution *x, uint64_t pointer)
{
    execution_write_register(x, GPR_SP, false, x->seams->stack_size(x->seams->context), pointer);
}

/* What faults is found out before a device gives what it gives once. */
static int load_to_push(const struct execution *x, struct place from, struct place to, uint64_t *value)
{
    int error = execution_probe(x, from, false);

    if (!error)
        error = execution_probe(x, to, true);
    return error ? error : execution_load(x, from, value);
}

int execute_push(struct execution *x)
{
    uint64_t value = 0, pointer = execution_gpr(x, GPR_SP) - x->in->size;
    struct place to = stack_place(x, pointer);
    int error = load_to_push(x, execution_memory_place(x), to, &value);

    if (!error)
        error = execution_store(x, to, value);
    if (!error)
        set_stack_pointer(x, pointer);
    return error;
}

int execute_pop(struct execution *x)
{
    uint64_t value = 0, pointer = execution_gpr(x, GPR_SP);
    int error = execution_load(x, stack_place(x, pointer), &value);

    if (!error)
        error = execution_store(x, execution_memory_place(x), value);
    if (!error)
        set_stack_pointer(x, pointer + x->in->size);
    return error;
}

/* CALL and JMP: the target is judged before RIP is pushed. */
int execute_near(struct execution *x)
{
    const struct execute_seams *s = x->seams;
    uint64_t target = 0, pointer = execution_gpr(x, GPR_SP) - x->in->size;
    struct place to = stack_place(x, pointer);
    bool call = x->in->operation == OP_CALL;
    int error = call ? load_to_push(x, execution_memory_place(x), to, &target)
                     : execution_load(x, execution_memory_place(x), &target);

    if (!error && !s->may_jump(s->context, target))
        error = s->fault(s->context, FAULT_GP);
    if (!error && call)
        error = execution_store(x, to, execution_cut(x->rip + x->in->length, x->in->size));
    if (error)
        return error;
    if (call)
        set_stack_pointer(x, pointer);
    s->jump(s->context, target);
    return 0;
}

/* Two signed bounds. */
int execute_bound(struct execution *x)
{
    unsigned half = x->in->size / 2;
    uint64_t both = 0;
    int error = execution_load(x, execution_memory_place(x), &both);

    if (error)
        return error;
    int64_t index = (int64_t)execution_sign_extend(execution_operand_register(x), half);
    int64_t low = (int64_t)execution_sign_extend(both, half);
    int64_t high = (int64_t)execution_sign_extend(both >> 8 * half, half);
    return index < low || index > high ? x->seams->fault(x->seams->context, FAULT_BR) : 0;
}

/* Stored only if it is raised. */
int execute_arpl(struct execution *x)
{
    enum { RPL = 3 };
    struct place at = execution_memory_place(x);
    uint64_t selector = 0, other = execution_operand_register(x);
    int error = execution_load_to_modify(x, at, &selector);

    bool raise = (selector & RPL) < (other & RPL);
    if (!error && raise)
        error = execution_store(x, at, (selector & ~(uint64_t)RPL) | (other & RPL));
    if (error)
        return error;
    x->flags = raise ? x->flags | FLAG_ZF : x->flags & ~(uint64_t)FLAG_ZF;
    execution_commit_flags(x);
    return 0;
}

int execute_system_store(struct execution *x)
{
    uint64_t base, value = x->seams->system_read(x->seams->context, x->in, &base);

    return execution_store(x, execution_memory_place(x), execution_cut(value, x->in->size));
}

int execute_table_store(struct execution *x)
{
    uint8_t bytes[LIMIT_BYTES + sizeof(uint64_t)];
    uint64_t base = 0, limit = x->seams->system_read(x->seams->context, x->in, &base);

    memcpy(bytes, &limit, LIMIT_BYTES);
    memcpy(bytes + LIMIT_BYTES, &base, sizeof base);
    return execution_store_bytes(x, execution_memory_place(x), bytes);
}

/* With 16-bit operands, outside 64-bit mode, bases have 24 bits. */
int execute_table_load(struct execution *x)
{
    enum { BASE_24 = 0xFFFFFF };
    uint8_t bytes[LIMIT_BYTES + sizeof(uint64_t)] = {0};
    uint16_t limit;
    uint64_t base;
    int error = execution_load_bytes(x, execution_memory_place(x), bytes);

    if (error)
        return error;
    memcpy(&limit, bytes, sizeof limit);
    memcpy(&base, bytes + LIMIT_BYTES, sizeof base);
    if (x->in->mode != DECODE_64 && x->in->register_size == 2)
        base &= BASE_24;
    return x->seams->system_write(x->seams->context, x->in, limit, base);
}
