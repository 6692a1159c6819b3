/* The string operations, repeated and not; those between ports and memory among them. */
#include "cp/decode/execution.h"

static struct place source_string(const struct execution *x)
{
    return execution_place(x, x->in->segment, execution_gpr(x, GPR_SI), x->in->address_size);
}

static struct place destination_string(const struct execution *x)
{
    return execution_place(x, SEGMENT_ES, execution_gpr(x, GPR_DI), x->in->address_size);
}

static int string_movs(struct execution *x)
{
    uint64_t value = 0;
    struct place from = source_string(x), to = destination_string(x);
    int error = execution_probe(x, from, false);

    if (!error)
        error = execution_probe(x, to, true); /* before a device gives what it gives once */
    if (!error)
        error = execution_load(x, from, &value);
    return error ? error : execution_store(x, to, value);
}

static int string_stos(struct execution *x)
{
    return execution_store(x, destination_string(x), execution_gpr(x, GPR_AX));
}

static int string_lods(struct execution *x)
{
    uint64_t value = 0;
    int error = execution_load(x, source_string(x), &value);

    if (!error)
        execution_write_register(x, GPR_AX, false, x->in->size, value);
    return error;
}

static int string_cmps(struct execution *x)
{
    uint64_t left = 0, right = 0;
    int error = execution_load(x, source_string(x), &left);

    if (!error)
        error = execution_load(x, destination_string(x), &right);
    if (!error)
        arithmetic(OP_CMP, x->in->size, left, right, &x->flags);
    return error;
}

static int string_scas(struct execution *x)
{
    uint64_t value = 0;
    int error = execution_load(x, destination_string(x), &value);

    if (!error)
        arithmetic(OP_CMP, x->in->size, execution_read_register(x, GPR_AX, false, x->in->size), value, &x->flags);
    return error;
}

static int string_ins(struct execution *x)
{
    struct place to = destination_string(x);
    uint64_t value = 0;
    int error = execution_probe(x, to, true);

    if (!error)
        error = x->seams->port_read(x->seams->context, execution_gpr(x, GPR_DX), x->in->size, &value);
    return error ? error : execution_store(x, to, value);
}

static int string_outs(struct execution *x)
{
    uint64_t value = 0;
    int error = execution_load(x, source_string(x), &value);

    return error ? error : x->seams->port_write(x->seams->context, execution_gpr(x, GPR_DX), x->in->size, value);
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

    execution_write_register(x, reg, false, x->in->address_size, execution_gpr(x, reg) + step);
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
        execution_commit_flags(x);
    return 0;
}

static bool single(const struct execution *x)
{
    return (x->flags & FLAG_TF) || x->seams->single;
}

/* REP OUTS of bytes upwards, as far as they can be read at one go. How many were done. */
static unsigned string_run(struct execution *x, uint64_t left)
{
    const struct execute_seams *s = x->seams;
    uint8_t bytes[EXECUTE_RUN];

    if (!left || x->in->operation != OP_OUTS || x->in->size != 1 || x->flags & FLAG_DF || single(x) || !s->read_run)
        return 0;
    struct place from = source_string(x);
    uint64_t most = left < EXECUTE_RUN ? left : EXECUTE_RUN, to_wrap = execution_cut(-from.offset, x->in->address_size);
    if (to_wrap && to_wrap < most)
        most = to_wrap;
    unsigned count = s->read_run(s->context, from.segment, from.offset, from.linear, bytes, (unsigned)most);
    if (!count)
        return 0;
    s->port_write_run(s->context, execution_gpr(x, GPR_DX), bytes, count);
    execution_write_register(x, GPR_SI, false, x->in->address_size, execution_gpr(x, GPR_SI) + count);
    execution_write_register(x, GPR_CX, false, x->in->address_size, left - count);
    return count;
}

/* Does a comparison end the repetition? */
static bool string_ends(const struct execution *x)
{
    bool equal = x->flags & FLAG_ZF;

    return (strings[x->in->operation].uses & COMPARES) && equal != x->in->repeat;
}

int execute_string(struct execution *x)
{
    unsigned size = x->in->address_size, limit = single(x) ? 1 : EXECUTE_REPEATS;
    uint64_t left;

    if (!x->in->repeat && !x->in->repeat_not_equal)
        return string_element(x);
    left = execution_read_register(x, GPR_CX, false, size);
    unsigned run = string_run(x, left);
    left -= run;
    for (unsigned done = run; left; done++) {
        int error;

        if (done >= limit)
            return EXECUTE_AGAIN;
        error = string_element(x);
        if (error)
            return error;
        execution_write_register(x, GPR_CX, false, size, --left);
        if (string_ends(x))
            break;
    }
    return EXECUTE_DONE;
}

bool execute_is_string(enum operation operation)
{
    return strings[operation].step;
}

struct place execute_string_place(const struct execution *x)
{
    return strings[x->in->operation].uses & USES_SI ? source_string(x) : destination_string(x);
}
