/* Moves between memory and MMX, XMM and YMM registers. SDM "Programming with Intel Streaming SIMD Extensions",
 * "Programming with Intel AVX". */
#include <string.h>

#include "cp/decode/execution.h"

enum { HALF = 8, XMM = 16 };

static enum operand kind(const struct instruction *in)
{
    return in->destination == OPERAND_MMX || in->source == OPERAND_MMX ? OPERAND_MMX : OPERAND_XMM;
}

static unsigned first_byte(const struct instruction *in)
{
    return in->operation == OP_VECTOR_HIGH ? HALF : 0;
}

/* An MMX register that was read is written again, since every MMX instruction makes x87's state MMX's. */
static int from_register(struct execution *x)
{
    const struct execute_seams *s = x->seams;
    uint8_t value[EXECUTE_VECTOR] = {0};

    s->vector_read(s->context, kind(x->in), x->in->reg, value);
    int error = execution_store_bytes(x, execution_memory_place(x), value + first_byte(x->in));
    if (!error && kind(x->in) == OPERAND_MMX)
        s->vector_write(s->context, OPERAND_MMX, x->in->reg, value, HALF, false);
    return error;
}

/* What is shorter than the register is extended with zeroes; a half leaves the other, or takes it from VEX.vvvv. */
static int to_register(struct execution *x)
{
    const struct instruction *in = x->in;
    uint8_t value[EXECUTE_VECTOR] = {0}, loaded[EXECUTE_VECTOR];
    int error = execution_load_bytes(x, execution_memory_place(x), loaded);

    if (error)
        return error;
    if (in->operation != OP_VECTOR_MOVE)
        x->seams->vector_read(x->seams->context, OPERAND_XMM, in->third == OPERAND_VVVV ? in->vvvv : in->reg, value);
    memcpy(value + first_byte(in), loaded, in->size);
    unsigned bytes = kind(in) == OPERAND_MMX ? HALF : in->size > XMM ? in->size : XMM;
    x->seams->vector_write(x->seams->context, kind(in), in->reg, value, bytes, in->vex);
    return 0;
}

int execute_vector(struct execution *x)
{
    return x->in->destination == OPERAND_MEMORY ? from_register(x) : to_register(x);
}
