/* Registers and the memory operand of an instruction under way. */
#include "cp/decode/execution.h"

uint64_t execution_cut(uint64_t value, unsigned size)
{
    return size >= 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

uint64_t execution_sign_extend(uint64_t value, unsigned size)
{
    uint64_t sign = UINT64_C(1) << (8 * size - 1);

    return (execution_cut(value, size) ^ sign) - sign;
}

uint64_t execution_gpr(const struct execution *x, unsigned reg)
{
    return reg == NO_REGISTER ? 0 : x->seams->read_gpr(x->seams->context, reg);
}

uint64_t execution_read_register(const struct execution *x, unsigned reg, bool high, unsigned size)
{
    return execution_cut(execution_gpr(x, reg) >> (high ? 8 : 0), size);
}

void execution_write_register(const struct execution *x, unsigned reg, bool high, unsigned size, uint64_t value)
{
    uint64_t mask = size >= 4 ? UINT64_MAX : execution_cut(UINT64_MAX, size) << (high ? 8 : 0);
    uint64_t placed = execution_cut(value, size) << (high ? 8 : 0);

    if (size < 4)
        placed |= execution_gpr(x, reg) & ~mask;
    x->seams->write_gpr(x->seams->context, reg, placed);
}

uint64_t execution_operand_register(const struct execution *x)
{
    return execution_read_register(x, x->in->reg, x->in->reg_high, x->in->register_size);
}

void execution_set_operand_register(const struct execution *x, uint64_t value)
{
    execution_write_register(x, x->in->reg, x->in->reg_high, x->in->register_size, value);
}

void execution_commit_flags(const struct execution *x)
{
    x->seams->write_flags(x->seams->context, x->flags);
}

/* ---- the memory operand ------------------------------------------------------------------------------ */

struct place execution_place(const struct execution *x, enum segment segment, uint64_t offset, unsigned address_size)
{
    bool flat = x->in->mode == DECODE_64;
    uint64_t base = flat && segment < SEGMENT_FS ? 0 : x->seams->segment_base(x->seams->context, segment);

    offset = execution_cut(offset, address_size);
    return (struct place){segment, offset, execution_cut(base + offset, flat ? 8 : 4)};
}

/* POP's base is the stack pointer behind what it takes. */
static uint64_t memory_offset(const struct execution *x)
{
    const struct instruction *in = x->in;
    uint64_t base = in->base == BASE_RIP ? x->rip + in->length : execution_gpr(x, in->base);

    if (in->operation == OP_POP && in->base == GPR_SP)
        base += in->size;
    return base + execution_gpr(x, in->index) * in->scale + (uint64_t)in->displacement;
}

/* BT and its like with a register reach any bit around their operand; XLAT adds AL. */
static uint64_t further_offset(const struct execution *x)
{
    const struct instruction *in = x->in;
    int64_t bit;

    if (in->operation == OP_XLAT)
        return execution_read_register(x, GPR_AX, false, 1);
    if (in->operation < OP_BT || in->operation > OP_BTC || in->source != OPERAND_REGISTER)
        return 0;
    bit = (int64_t)execution_sign_extend(execution_operand_register(x), in->size);
    return (uint64_t)(bit >> (in->size == 8 ? 6 : in->size == 4 ? 5 : 4)) * in->size;
}

struct place execution_memory_place(const struct execution *x)
{
    return execution_place(x, x->in->segment, memory_offset(x) + further_offset(x), x->in->address_size);
}

/* SDM "Alignment Requirements by Data Type", of integers: those that are wider, or no integer, are the one operand the
 * instruction has, which the processor found aligned before it met a device there. BOUND's are two. */
static bool misaligned(const struct execution *x, struct place at)
{
    unsigned size = x->in->operation == OP_BOUND ? x->in->size / 2 : x->in->size;

    return size <= sizeof(uint64_t) && !(size & (size - 1)) && at.linear % size;
}

int execution_check(const struct execution *x, struct place at, bool write)
{
    const struct execute_seams *s = x->seams;
    int error = s->check ? s->check(s->context, at.segment, at.offset, at.linear, x->in->size, write) : 0;

    if (error)
        return error;
    if (x->in->aligned && at.linear % x->in->size)
        return s->fault(s->context, FAULT_GP);
    if (s->checks_alignment && misaligned(x, at) && s->checks_alignment(s->context))
        return s->fault(s->context, FAULT_AC);
    return 0;
}

int execution_probe(const struct execution *x, struct place at, bool write)
{
    int error = execution_check(x, at, write);

    return error || !x->seams->probe ? error : x->seams->probe(x->seams->context, at.linear, x->in->size, write);
}

int execution_load_bytes(const struct execution *x, struct place at, void *to)
{
    int error = execution_check(x, at, false);

    return error ? error : x->seams->read(x->seams->context, at.linear, x->in->size, to);
}

int execution_store_bytes(const struct execution *x, struct place at, const void *from)
{
    int error = execution_check(x, at, true);

    return error ? error : x->seams->write(x->seams->context, at.linear, x->in->size, from);
}

int execution_load(const struct execution *x, struct place at, uint64_t *value)
{
    *value = 0;
    return execution_load_bytes(x, at, value);
}

int execution_load_to_modify(const struct execution *x, struct place at, uint64_t *value)
{
    int error = execution_probe(x, at, true);

    return error ? error : execution_load(x, at, value);
}

int execution_store(const struct execution *x, struct place at, uint64_t value)
{
    return execution_store_bytes(x, at, &value);
}
