/* The meaning of the integer operations, and which rows of the table the others have. Values travel as 64 bits, cut to
 * the operand's size where it matters. */
#include "cp/decode/bits.h"
#include "cp/decode/execution.h"

static uint64_t operand_value(const struct execution *x, enum operand operand)
{
    const struct instruction *in = x->in;

    switch (operand) {
    case OPERAND_REGISTER: return execution_operand_register(x);
    case OPERAND_IMMEDIATE: return execution_cut(in->immediate, in->size);
    case OPERAND_ONE: return 1;
    case OPERAND_CL: return execution_read_register(x, GPR_CX, false, 1);
    case OPERAND_VVVV: return execution_read_register(x, in->vvvv, false, in->register_size);
    default: return 0;
    }
}

static int move(struct execution *x)
{
    uint64_t value = 0;
    int error;

    if (x->in->destination == OPERAND_MEMORY)
        return execution_store(x, execution_memory_place(x), operand_value(x, x->in->source));
    error = execution_load(x, execution_memory_place(x), &value);
    if (!error)
        execution_set_operand_register(
            x, x->in->operation == OP_MOVSX ? execution_sign_extend(value, x->in->size) : value);
    return error;
}

static uint64_t reversed(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

static int move_reversed(struct execution *x)
{
    uint64_t value = 0;
    int error;

    if (x->in->destination == OPERAND_MEMORY)
        return execution_store(x, execution_memory_place(x), reversed(execution_operand_register(x), x->in->size));
    error = execution_load(x, execution_memory_place(x), &value);
    if (!error)
        execution_set_operand_register(x, reversed(value, x->in->size));
    return error;
}

/* SDM "EFLAGS Condition Codes": the last bit turns the condition round. */
static bool condition_holds(const struct execution *x)
{
    bool carry = x->flags & FLAG_CF, zero = x->flags & FLAG_ZF, less = !(x->flags & FLAG_SF) != !(x->flags & FLAG_OF);
    const bool conditions[8] = {x->flags & FLAG_OF, carry, zero, carry || zero,
                                x->flags & FLAG_SF, x->flags & FLAG_PF, less, less || zero};

    return conditions[x->in->condition >> 1] != (x->in->condition & 1);
}

/* Memory is read and the register's upper half cleared, whatever the condition. */
static int move_if(struct execution *x)
{
    uint64_t value = 0;
    int error = execution_load(x, execution_memory_place(x), &value);

    if (!error)
        execution_set_operand_register(x, condition_holds(x) ? value : execution_operand_register(x));
    return error;
}

static int set_if(struct execution *x)
{
    return execution_store(x, execution_memory_place(x), condition_holds(x));
}

static uint64_t compute(struct execution *x, uint64_t left, uint64_t right)
{
    uint64_t (*by)(enum operation, unsigned, uint64_t, uint64_t, uint64_t *) =
        bits_has(x->in->operation) ? bits : arithmetic;

    return by(x->in->operation, x->in->size, left, right, &x->flags);
}

/* Arithmetic and logic with a register as the destination. */
static int modify_register(struct execution *x)
{
    uint64_t value = 0, result;
    int error = execution_load(x, execution_memory_place(x), &value);

    if (error)
        return error;
    result = compute(x, execution_operand_register(x), value);
    if (arithmetic_writes(x->in->operation))
        execution_set_operand_register(x, result);
    execution_commit_flags(x);
    return 0;
}

static int modify_memory(struct execution *x)
{
    bool writes = arithmetic_writes(x->in->operation);
    struct place at = execution_memory_place(x);
    uint64_t value = 0, result;
    int error = writes ? execution_load_to_modify(x, at, &value) : execution_load(x, at, &value);

    if (error)
        return error;
    result = compute(x, value, operand_value(x, x->in->source));
    if (writes)
        error = execution_store(x, at, result);
    if (!error)
        execution_commit_flags(x);
    return error;
}

static int modify(struct execution *x)
{
    return x->in->destination == OPERAND_REGISTER ? modify_register(x) : modify_memory(x);
}

static int shift_double(struct execution *x)
{
    struct place at = execution_memory_place(x);
    unsigned count = (unsigned)operand_value(x, x->in->third) & 0xff;
    uint64_t value = 0, result;
    int error = execution_load_to_modify(x, at, &value);

    if (error)
        return error;
    result = bits_shift_double(x->in->operation == OP_SHLD, x->in->size, value, execution_operand_register(x), count,
                               &x->flags);
    error = execution_store(x, at, result);
    if (!error)
        execution_commit_flags(x);
    return error;
}

/* Processors without TZCNT and LZCNT take them for BSF and BSR. */
static enum operation counting(const struct execution *x)
{
    enum operation operation = x->in->operation;

    if (operation == OP_TZCNT && !x->seams->has_tzcnt)
        return OP_BSF;
    return operation == OP_LZCNT && !x->seams->has_lzcnt ? OP_BSR : operation;
}

/* Of an operand and a register, or what else is named, into a register. */
static int combine(struct execution *x)
{
    const struct instruction *in = x->in;
    uint64_t value = 0, left = in->third ? operand_value(x, in->third) : execution_operand_register(x), result;
    int error = execution_load(x, execution_memory_place(x), &value);

    if (error)
        return error;
    result = bits(counting(x), in->size, left, value, &x->flags);
    if (in->destination == OPERAND_VVVV)
        execution_write_register(x, in->vvvv, false, in->register_size, result);
    else
        execution_set_operand_register(x, result);
    execution_commit_flags(x);
    return 0;
}

/* The high half wins where both go to one register. */
static int multiply_apart(struct execution *x)
{
    uint64_t value = 0, none = 0;
    int error = execution_load(x, execution_memory_place(x), &value);

    if (error)
        return error;
    struct wide product = bits_multiply(false, x->in->size, execution_gpr(x, GPR_DX), value, &none);
    execution_write_register(x, x->in->vvvv, false, x->in->size, product.low);
    execution_set_operand_register(x, product.high);
    return 0;
}

/* RDX:RAX; of bytes AH:AL */
static struct wide accumulator(const struct execution *x)
{
    bool byte = x->in->size == 1;

    return (struct wide){execution_read_register(x, GPR_AX, false, x->in->size),
                         execution_read_register(x, byte ? GPR_AX : GPR_DX, byte, x->in->size)};
}

static void set_accumulator(const struct execution *x, struct wide value)
{
    bool byte = x->in->size == 1;

    execution_write_register(x, GPR_AX, false, x->in->size, value.low);
    execution_write_register(x, byte ? GPR_AX : GPR_DX, byte, x->in->size, value.high);
}

static int multiply(struct execution *x)
{
    uint64_t value = 0;
    int error = execution_load(x, execution_memory_place(x), &value);

    if (error)
        return error;
    set_accumulator(x, bits_multiply(x->in->operation == OP_IMUL_WIDE, x->in->size, accumulator(x).low, value,
                                     &x->flags));
    execution_commit_flags(x);
    return 0;
}

static int divide(struct execution *x)
{
    struct wide result;
    uint64_t value = 0;
    int error = execution_load(x, execution_memory_place(x), &value);

    if (error)
        return error;
    if (!bits_divide(x->in->operation == OP_IDIV, x->in->size, accumulator(x), value, &result))
        return x->seams->fault(x->seams->context, FAULT_DE);
    set_accumulator(x, result);
    return 0;
}

/* XCHG and XADD: the register gets what memory held. */
static int exchange(struct execution *x)
{
    struct place at = execution_memory_place(x);
    uint64_t value = 0, put = execution_operand_register(x);
    int error = execution_load_to_modify(x, at, &value);

    if (!error && x->in->operation == OP_XADD)
        put = arithmetic(OP_ADD, x->in->size, value, put, &x->flags);
    if (!error)
        error = execution_store(x, at, put);
    if (error)
        return error;
    execution_set_operand_register(x, value);
    execution_commit_flags(x);
    return 0;
}

/* The processor stores in either case. */
static int compare_exchange(struct execution *x)
{
    struct place at = execution_memory_place(x);
    uint64_t value = 0, expected = execution_read_register(x, GPR_AX, false, x->in->size);
    int error = execution_load_to_modify(x, at, &value);

    if (!error)
        error = execution_store(x, at, value == expected ? execution_operand_register(x) : value);
    if (error)
        return error;
    arithmetic(OP_CMP, x->in->size, expected, value, &x->flags);
    if (value != expected)
        execution_write_register(x, GPR_AX, false, x->in->size, value);
    execution_commit_flags(x);
    return 0;
}

/* CMPXCHG8B and CMPXCHG16B: RDX:RAX is compared, RCX:RBX stored. */
static int compare_exchange_pair(struct execution *x)
{
    struct place at = execution_memory_place(x);
    unsigned half = x->in->size / 2;
    uint8_t held[16] = {0}, put[16];
    uint64_t low = 0, high = 0, b = execution_gpr(x, GPR_BX), c = execution_gpr(x, GPR_CX);
    int error = execution_probe(x, at, true);

    if (!error)
        error = execution_load_bytes(x, at, held);
    if (error)
        return error;
    __builtin_memcpy(&low, held, half);
    __builtin_memcpy(&high, held + half, half);
    bool equal = low == execution_read_register(x, GPR_AX, false, half) &&
                 high == execution_read_register(x, GPR_DX, false, half);
    __builtin_memcpy(put, &b, half);
    __builtin_memcpy(put + half, &c, half);
    error = execution_store_bytes(x, at, equal ? put : held);
    if (error)
        return error;
    x->flags = equal ? x->flags | FLAG_ZF : x->flags & ~(uint64_t)FLAG_ZF;
    execution_commit_flags(x);
    if (equal)
        return 0;
    execution_write_register(x, GPR_AX, false, half, low);
    execution_write_register(x, GPR_DX, false, half, high);
    return 0;
}

static int cache_line(struct execution *x)
{
    return execution_probe(x, execution_memory_place(x), false);
}

static int (*const operations[OPERATIONS])(struct execution *) = {
    [OP_MOV] = move, [OP_MOVZX] = move, [OP_MOVSX] = move, [OP_XLAT] = move, [OP_MOVBE] = move_reversed,
    [OP_CMOV] = move_if, [OP_SET] = set_if, [OP_XCHG] = exchange, [OP_XADD] = exchange,
    [OP_ADD ... OP_XOR] = modify, [OP_CMP ... OP_NEG] = modify, [OP_BT ... OP_BTC] = modify,
    [OP_ROL ... OP_SAR] = modify, [OP_SHLD ... OP_SHRD] = shift_double,
    [OP_ADCX ... OP_SHRX] = combine, [OP_MULX] = multiply_apart, [OP_MUL ... OP_IMUL_WIDE] = multiply,
    [OP_DIV ... OP_IDIV] = divide, [OP_CMPXCHG] = compare_exchange, [OP_CMPXCHG_PAIR] = compare_exchange_pair,
    [OP_PUSH] = execute_push, [OP_POP] = execute_pop, [OP_CALL ... OP_JMP] = execute_near,
    [OP_BOUND] = execute_bound, [OP_ARPL] = execute_arpl, [OP_CACHE_LINE] = cache_line,
    [OP_SLDT ... OP_STR] = execute_system_store, [OP_SMSW ... OP_MOV_SEGMENT] = execute_system_store,
    [OP_LLDT ... OP_LTR] = execute_system_load, [OP_VERR ... OP_LSL] = execute_look,
    [OP_LMSW] = execute_system_load, [OP_LOAD_SEGMENT] = execute_segment_load,
    [OP_LES ... OP_LGS] = execute_far_load, [OP_CALL_FAR ... OP_JMP_FAR] = execute_far,
    [OP_SGDT ... OP_SIDT] = execute_table_store, [OP_LGDT ... OP_LIDT] = execute_table_load,
    [OP_VECTOR_MOVE ... OP_VECTOR_HIGH] = execute_vector, [OP_MOVS ... OP_OUTS] = execute_string,
};

enum instruction_class instruction_class(const struct instruction *in)
{
    bool vector = in->operation >= OP_VECTOR_MOVE && in->operation <= OP_VECTOR_HIGH;

    if (in->vex)
        return vector ? INSTRUCTION_AVX : INSTRUCTION_VEX;
    if (in->operation == OP_ARPL || (in->operation >= OP_SLDT && in->operation <= OP_LSL))
        return INSTRUCTION_PROTECTED;
    if (!vector)
        return INSTRUCTION_INTEGER;
    return in->destination == OPERAND_MMX || in->source == OPERAND_MMX ? INSTRUCTION_MMX : INSTRUCTION_SSE;
}

static struct place operand_place(const struct instruction *in, const struct execute_seams *seams, uint64_t rip)
{
    const struct execution x = {.in = in, .seams = seams, .rip = rip};

    return execute_is_string(in->operation) ? execute_string_place(&x) : execution_memory_place(&x);
}

uint64_t instruction_address(const struct instruction *in, const struct execute_seams *seams, uint64_t rip)
{
    return operand_place(in, seams, rip).linear;
}

uint64_t instruction_offset(const struct instruction *in, const struct execute_seams *seams, uint64_t rip)
{
    return operand_place(in, seams, rip).offset;
}

int instruction_execute(const struct instruction *in, const struct execute_seams *seams, uint64_t rip)
{
    struct execution x = {.in = in, .seams = seams, .rip = rip};
    int error = 0;

    if (in->operation >= OPERATIONS || !operations[in->operation])
        return EXECUTE_UNKNOWN;
    if (instruction_class(in) != INSTRUCTION_INTEGER)
        error = seams->permitted(seams->context, instruction_class(in));
    if (error)
        return error;
    x.flags = seams->read_flags(seams->context);
    return operations[in->operation](&x);
}
