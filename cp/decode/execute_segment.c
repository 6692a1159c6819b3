/* Instructions with an operand in memory that take a descriptor: loads of segment registers, far CALL and JMP, and
 * what looks at a descriptor. Which descriptors they take: cp/decode/descriptor.h. */
#include <string.h>

#include "cp/decode/descriptor.h"
#include "cp/decode/execution.h"

enum { SELECTOR_BYTES = 2 };

int execute_segment_load(struct execution *x)
{
    uint64_t selector = 0;
    int error = execution_load(x, execution_memory_place(x), &selector);

    return error ? error : x->seams->load_segment(x->seams->context, x->in->reg, (uint16_t)selector);
}

/* The offset comes first, the selector behind it. */
static int load_far(const struct execution *x, uint16_t *selector, uint64_t *offset)
{
    uint8_t bytes[sizeof(uint64_t) + SELECTOR_BYTES] = {0};
    unsigned size = x->in->size - SELECTOR_BYTES;
    int error = execution_load_bytes(x, execution_memory_place(x), bytes);

    memcpy(selector, bytes + size, sizeof *selector);
    *offset = 0;
    memcpy(offset, bytes, size);
    return error;
}

int execute_far_load(struct execution *x)
{
    static const uint8_t segments[] = {SEGMENT_ES, SEGMENT_DS, SEGMENT_SS, SEGMENT_FS, SEGMENT_GS};
    enum segment segment = (enum segment)segments[x->in->operation - OP_LES];
    uint16_t selector;
    uint64_t offset;
    int error = load_far(x, &selector, &offset);

    if (!error)
        error = x->seams->load_segment(x->seams->context, segment, selector);
    if (!error)
        execution_set_operand_register(x, offset);
    return error;
}

int execute_system_load(struct execution *x)
{
    struct place at = execution_memory_place(x);
    uint64_t selector = 0;
    int error = execution_load(x, at, &selector);

    return error ? error : x->seams->load_system(x->seams->context, x->in, (uint16_t)selector, at.linear);
}

int execute_look(struct execution *x)
{
    uint64_t selector = 0, value = 0;
    bool shown = false;
    int error = execution_load(x, execution_memory_place(x), &selector);

    if (!error)
        error = x->seams->look(x->seams->context, x->in, (uint16_t)selector, &shown, &value);
    if (error)
        return error;
    x->flags = shown ? x->flags | FLAG_ZF : x->flags & ~(uint64_t)FLAG_ZF;
    execution_commit_flags(x);
    if (shown && x->in->destination == OPERAND_REGISTER)
        execution_set_operand_register(x, value);
    return 0;
}

/* What a far CALL pushes: CS, and below it where it comes back to. */
struct frame {
    struct instruction part; /* as wide as each is */
    struct execution execution;
    struct place code, rip;
    uint64_t pointer;
};

static void frame_make(const struct execution *x, struct frame *f)
{
    unsigned size = x->in->size - SELECTOR_BYTES, stack = x->seams->stack_size(x->seams->context);

    f->pointer = execution_gpr(x, GPR_SP) - 2 * size;
    f->part = (struct instruction){.mode = x->in->mode, .size = (uint8_t)size};
    f->execution = *x;
    f->execution.in = &f->part;
    f->code = execution_place(x, SEGMENT_SS, f->pointer + size, stack);
    f->rip = execution_place(x, SEGMENT_SS, f->pointer, stack);
}

static int frame_probe(const struct frame *f)
{
    int error = execution_probe(&f->execution, f->code, true);

    return error ? error : execution_probe(&f->execution, f->rip, true);
}

static int frame_push(const struct execution *x, const struct frame *f, uint16_t code)
{
    int error = execution_store(&f->execution, f->code, code);

    if (!error)
        error = execution_store(&f->execution, f->rip,
                                execution_cut(x->rip + x->in->length, x->in->size - SELECTOR_BYTES));
    if (!error)
        execution_write_register(x, GPR_SP, false, x->seams->stack_size(x->seams->context), f->pointer);
    return error;
}

/* The code segment is judged, then the stack, then the offset in that segment; nothing is changed before all are
 * found good. */
int execute_far(struct execution *x)
{
    const struct execute_seams *s = x->seams;
    bool call = x->in->operation == OP_CALL_FAR;
    struct segment_value code;
    struct frame frame;
    uint16_t selector, from = 0;
    uint64_t offset;
    int error = load_far(x, &selector, &offset);

    if (!error)
        error = s->find_code(s->context, selector, &code, &from);
    if (!error && call) {
        frame_make(x, &frame);
        error = frame_probe(&frame);
    }
    if (!error && !s->may_enter(s->context, &code, offset))
        error = s->fault(s->context, FAULT_GP);
    if (!error && call)
        error = frame_push(x, &frame, from);
    return error ? error : s->enter(s->context, &code, offset);
}
