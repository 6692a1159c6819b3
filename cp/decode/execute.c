/* The meaning of each operation. Values travel as 64 bits, cut to the operand's size where it matters. */
#include "cp/decode/execute.h"

#include "cp/decode/arithmetic.h"

enum { GPR_AX = 0, GPR_CX = 1, GPR_DX = 2, GPR_SI = 6, GPR_DI = 7 };

struct execution {
    const struct instruction *in;
    const struct execute_seams *seams;
    uint64_t rip;
    uint64_t flags;
};

static uint64_t cut(uint64_t value, unsigned size)
{
    return size >= 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
    uint64_t sign = UINT64_C(1) << (8 * size - 1);

    return (cut(value, size) ^ sign) - sign;
}

static uint64_t read_register(const struct execution *x, unsigned reg, bool high, unsigned size)
{
    return cut(x->seams->read_gpr(x->seams->context, reg) >> (high ? 8 : 0), size);
}

/* A 32-bit result clears the upper half, a smaller one leaves the rest alone. */
static void write_register(const struct execution *x, unsigned reg, bool high, unsigned size, uint64_t value)
{
    uint64_t mask = size >= 4 ? UINT64_MAX : cut(UINT64_MAX, size) << (high ? 8 : 0);
    uint64_t placed = cut(value, size) << (high ? 8 : 0);

    if (size < 4)
        placed |= x->seams->read_gpr(x->seams->context, reg) & ~mask;
    x->seams->write_gpr(x->seams->context, reg, placed);
}

static uint64_t operand_register(const struct execution *x)
{
    return read_register(x, x->in->reg, x->in->reg_high, x->in->register_size);
}

static void set_operand_register(const struct execution *x, uint64_t value)
{
    write_register(x, x->in->reg, x->in->reg_high, x->in->register_size, value);
}

struct place { /* of a memory operand */
    enum segment segment;
    uint64_t offset, linear;
};

static struct place place(const struct execution *x, enum segment segment, uint64_t offset)
{
    bool flat = x->in->mode == DECODE_64;
    uint64_t base = flat && segment < SEGMENT_FS ? 0 : x->seams->segment_base(x->seams->context, segment);

    offset = cut(offset, x->in->address_size);
    return (struct place){segment, offset, cut(base + offset, flat ? 8 : 4)};
}

static uint64_t gpr(const struct execution *x, unsigned reg)
{
    return reg == NO_REGISTER ? 0 : x->seams->read_gpr(x->seams->context, reg);
}

static uint64_t memory_offset(const struct execution *x)
{
    const struct instruction *in = x->in;
    uint64_t base = in->base == BASE_RIP ? x->rip + in->length : gpr(x, in->base);

    return base + gpr(x, in->index) * in->scale + (uint64_t)in->displacement;
}

/* BT and its like with a register reach any bit around their operand. */
static uint64_t bit_offset(const struct execution *x)
{
    const struct instruction *in = x->in;
    int64_t bit;

    if (in->operation < OP_BT || in->operation > OP_BTC || in->source != OPERAND_REGISTER)
        return 0;
    bit = (int64_t)sign_extend(operand_register(x), in->size);
    return (uint64_t)(bit >> (in->size == 8 ? 6 : in->size == 4 ? 5 : 4)) * in->size;
}

static struct place memory_place(const struct execution *x)
{
    return place(x, x->in->segment, memory_offset(x) + bit_offset(x));
}

static int check(const struct execution *x, struct place at, bool write)
{
    const struct execute_seams *s = x->seams;

    return s->check ? s->check(s->context, at.segment, at.offset, at.linear, x->in->size, write) : 0;
}

static int load(const struct execution *x, struct place at, uint64_t *value)
{
    int error = check(x, at, false);

    if (!error)
        error = x->seams->read(x->seams->context, at.linear, x->in->size, value);
    *value = cut(*value, x->in->size);
    return error;
}

/* Of what is written afterwards. */
static int load_to_modify(const struct execution *x, struct place at, uint64_t *value)
{
    int error = check(x, at, true);

    return error ? error : load(x, at, value);
}

static int store(const struct execution *x, struct place at, uint64_t value)
{
    int error = check(x, at, true);

    return error ? error : x->seams->write(x->seams->context, at.linear, x->in->size, cut(value, x->in->size));
}

static uint64_t source_value(const struct execution *x)
{
    switch (x->in->source) {
    case OPERAND_REGISTER: return operand_register(x);
    case OPERAND_IMMEDIATE: return cut(x->in->immediate, x->in->size);
    case OPERAND_ONE: return 1;
    default: return 0;
    }
}

static void commit_flags(const struct execution *x)
{
    x->seams->write_flags(x->seams->context, x->flags);
}

static int move(struct execution *x)
{
    uint64_t value = 0;
    int error;

    if (x->in->destination == OPERAND_MEMORY)
        return store(x, memory_place(x), source_value(x));
    error = load(x, memory_place(x), &value);
    if (!error)
        set_operand_register(x, x->in->operation == OP_MOVSX ? sign_extend(value, x->in->size) : value);
    return error;
}

/* Arithmetic and logic with a register as the destination. */
static int modify_register(struct execution *x)
{
    uint64_t value = 0, result;
    int error = load(x, memory_place(x), &value);

    if (error)
        return error;
    result = arithmetic(x->in->operation, x->in->size, operand_register(x), value, &x->flags);
    if (x->in->operation != OP_CMP && x->in->operation != OP_TEST)
        set_operand_register(x, result);
    commit_flags(x);
    return 0;
}

static int modify_memory(struct execution *x)
{
    struct place at = memory_place(x);
    uint64_t value = 0, result;
    int error = arithmetic_writes(x->in->operation) ? load_to_modify(x, at, &value) : load(x, at, &value);

    if (error)
        return error;
    result = arithmetic(x->in->operation, x->in->size, value, source_value(x), &x->flags);
    if (arithmetic_writes(x->in->operation))
        error = store(x, at, result);
    if (!error)
        commit_flags(x);
    return error;
}

static int modify(struct execution *x)
{
    return x->in->destination == OPERAND_REGISTER ? modify_register(x) : modify_memory(x);
}

/* XCHG and XADD: the register gets what memory held. */
static int exchange(struct execution *x)
{
    struct place at = memory_place(x);
    uint64_t value = 0, put = operand_register(x);
    int error = load_to_modify(x, at, &value);

    if (!error && x->in->operation == OP_XADD)
        put = arithmetic(OP_ADD, x->in->size, value, put, &x->flags);
    if (!error)
        error = store(x, at, put);
    if (error)
        return error;
    set_operand_register(x, value);
    commit_flags(x);
    return 0;
}

/* The processor stores in either case. */
static int compare_exchange(struct execution *x)
{
    struct place at = memory_place(x);
    uint64_t value = 0, expected = read_register(x, GPR_AX, false, x->in->size);
    int error = load_to_modify(x, at, &value);

    if (!error)
        error = store(x, at, value == expected ? operand_register(x) : value);
    if (error)
        return error;
    arithmetic(OP_CMP, x->in->size, expected, value, &x->flags);
    if (value != expected)
        write_register(x, GPR_AX, false, x->in->size, value);
    commit_flags(x);
    return 0;
}

static struct place source_string(const struct execution *x)
{
    return place(x, x->in->segment, gpr(x, GPR_SI));
}

static struct place destination_string(const struct execution *x)
{
    return place(x, SEGMENT_ES, gpr(x, GPR_DI));
}

static int string_movs(struct execution *x)
{
    uint64_t value = 0;
    int error = load(x, source_string(x), &value);

    return error ? error : store(x, destination_string(x), value);
}

static int string_stos(struct execution *x)
{
    return store(x, destination_string(x), gpr(x, GPR_AX));
}

static int string_lods(struct execution *x)
{
    uint64_t value = 0;
    int error = load(x, source_string(x), &value);

    if (!error)
        write_register(x, GPR_AX, false, x->in->size, value);
    return error;
}

static int string_cmps(struct execution *x)
{
    uint64_t left = 0, right = 0;
    int error = load(x, source_string(x), &left);

    if (!error)
        error = load(x, destination_string(x), &right);
    if (!error)
        arithmetic(OP_CMP, x->in->size, left, right, &x->flags);
    return error;
}

static int string_scas(struct execution *x)
{
    uint64_t value = 0;
    int error = load(x, destination_string(x), &value);

    if (!error)
        arithmetic(OP_CMP, x->in->size, read_register(x, GPR_AX, false, x->in->size), value, &x->flags);
    return error;
}

static int string_ins(struct execution *x)
{
    struct place to = destination_string(x);
    uint64_t value = 0;
    int error = check(x, to, true);

    if (!error)
        error = x->seams->probe(x->seams->context, to.linear, x->in->size);
    if (!error)
        error = x->seams->port_read(x->seams->context, gpr(x, GPR_DX), x->in->size, &value);
    return error ? error : store(x, to, value);
}

static int string_outs(struct execution *x)
{
    uint64_t value = 0;
    int error = load(x, source_string(x), &value);

    return error ? error : x->seams->port_write(x->seams->context, gpr(x, GPR_DX), x->in->size, value);
}

enum { USES_SI = 1, USES_DI = 2, COMPARES = 4 };

static const struct {
    int (*step)(struct execution *);
    uint8_t uses;
} strings[OPERATIONS] = {
    [OP_MOVS] = {string_movs, USES_SI | USES_DI},
    [OP_STOS] = {string_stos, USES_DI},
    [OP_LODS] = {string_lods, USES_SI},
    [OP_CMPS] = {string_cmps, USES_SI | USES_DI | COMPARES},
    [OP_SCAS] = {string_scas, USES_DI | COMPARES},
    [OP_INS] = {string_ins, USES_DI},
    [OP_OUTS] = {string_outs, USES_SI},
};

static void advance(const struct execution *x, unsigned reg)
{
    uint64_t step = x->flags & FLAG_DF ? -(uint64_t)x->in->size : x->in->size;

    write_register(x, reg, false, x->in->address_size, gpr(x, reg) + step);
}

static int string_element(struct execution *x)
{
    unsigned uses = strings[x->in->operation].uses;
    int error = strings[x->in->operation].step(x);

    if (error)
        return error;
    if (uses & USES_SI)
        advance(x, GPR_SI);
    if (uses & USES_DI)
        advance(x, GPR_DI);
    if (uses & COMPARES)
        commit_flags(x);
    return 0;
}

/* REP OUTS of bytes upwards, as far as they can be read at one go. How many were done. */
static unsigned string_run(struct execution *x, uint64_t left)
{
    const struct execute_seams *s = x->seams;
    uint8_t bytes[EXECUTE_RUN];

    if (!left || x->in->operation != OP_OUTS || x->in->size != 1 || x->flags & (FLAG_DF | FLAG_TF) || !s->read_run)
        return 0;
    struct place from = source_string(x);
    uint64_t most = left < EXECUTE_RUN ? left : EXECUTE_RUN, to_wrap = cut(-from.offset, x->in->address_size);
    if (to_wrap && to_wrap < most)
        most = to_wrap;
    unsigned count = s->read_run(s->context, from.segment, from.offset, from.linear, bytes, (unsigned)most);
    if (!count)
        return 0;
    s->port_write_run(s->context, gpr(x, GPR_DX), bytes, count);
    write_register(x, GPR_SI, false, x->in->address_size, gpr(x, GPR_SI) + count);
    write_register(x, GPR_CX, false, x->in->address_size, left - count);
    return count;
}

/* Does a comparison end the repetition? */
static bool string_ends(const struct execution *x)
{
    bool equal = x->flags & FLAG_ZF;

    return (strings[x->in->operation].uses & COMPARES) && equal != x->in->repeat;
}

static int string(struct execution *x)
{
    unsigned size = x->in->address_size, limit = x->flags & FLAG_TF ? 1 : EXECUTE_REPEATS;
    uint64_t left;

    if (!x->in->repeat && !x->in->repeat_not_equal)
        return string_element(x);
    left = read_register(x, GPR_CX, false, size);
    unsigned run = string_run(x, left);
    left -= run;
    for (unsigned done = run; left; done++) {
        int error;

        if (done >= limit)
            return EXECUTE_AGAIN;
        error = string_element(x);
        if (error)
            return error;
        write_register(x, GPR_CX, false, size, --left);
        if (string_ends(x))
            break;
    }
    return EXECUTE_DONE;
}

static int (*const operations[OPERATIONS])(struct execution *) = {
    [OP_MOV] = move, [OP_MOVZX] = move, [OP_MOVSX] = move, [OP_XCHG] = exchange, [OP_XADD] = exchange,
    [OP_ADD ... OP_XOR] = modify, [OP_CMP ... OP_NEG] = modify, [OP_BT ... OP_BTC] = modify,
    [OP_CMPXCHG] = compare_exchange, [OP_MOVS ... OP_OUTS] = string,
};

uint64_t instruction_address(const struct instruction *in, const struct execute_seams *seams, uint64_t rip)
{
    const struct execution x = {.in = in, .seams = seams, .rip = rip};

    if (!strings[in->operation].step)
        return memory_place(&x).linear;
    return (strings[in->operation].uses & USES_SI ? source_string(&x) : destination_string(&x)).linear;
}

int instruction_execute(const struct instruction *in, const struct execute_seams *seams, uint64_t rip)
{
    struct execution x = {.in = in, .seams = seams, .rip = rip};

    if (in->operation >= OPERATIONS || !operations[in->operation])
        return EXECUTE_UNKNOWN;
    x.flags = seams->read_flags(seams->context);
    return operations[in->operation](&x);
}
