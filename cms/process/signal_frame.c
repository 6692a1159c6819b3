/* The frame that a handler finds on its stack, exactly Linux's, and the way back from it. In both directions the
 * program's storage is only copied, and what comes back is judged: registers that user mode must not have it does not
 * get. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/process/extended.h"
#include "cms/process/signal.h"

enum { RED_ZONE = 128, EXTENDED_ALIGN = 64 };
enum { FLAGS_PROGRAM = 0x50dd5, FLAGS_FIXED = 0x202, FLAG_TRAP = 0x100, FLAG_DIRECTION = 0x400, FLAG_RESUME = 0x10000 };

static size_t extended_bytes(void)
{
    size_t size = user_extended_size();
    return size > EXTENDED_LEGACY ? size + EXTENDED_MAGIC_2_BYTES : size;
}

uint64_t signal_frame_most(void)
{
    return extended_bytes() + EXTENDED_ALIGN + sizeof(struct signal_frame) + 16;
}

bool signal_on_alternate(const struct thread *t, uint64_t rsp)
{
    return !(t->alternate.flags & STACK_DISABLE) && rsp > t->alternate.start &&
           rsp - t->alternate.start <= t->alternate.size;
}

#define GENERAL_REGISTERS(X)                                                                                \
    X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15) X(rdi) X(rsi) X(rbp) X(rbx) X(rdx) X(rax) X(rcx)     \
    X(rsp) X(rip)

static void fill_context(struct signal_context *c, const struct thread *t)
{
    const struct trap_frame *f = t->frame;
#define COPY(name) c->name = f->name;
    GENERAL_REGISTERS(COPY)
#undef COPY
    c->rflags = f->rflags;
    c->cs = USER_CODE;
    c->ss = USER_DATA;
    c->error = f->error;
    c->vector = f->vector;
    c->old_mask = t->keeps_blocked ? t->kept_blocked : t->blocked;
    c->cr2 = t->fault_address;
}

/* ---- there ------------------------------------------------------------------------------------------------------- */

/* The state that is in the processor, on the stack below `sp`; where it went, 0: nowhere. */
static uint64_t push_extended(struct thread *t, uint64_t sp)
{
    size_t size = user_extended_size();
    uint32_t mark = EXTENDED_MAGIC_2;
    struct space *space = t->process->space;
    char legacy[EXTENDED_LEGACY];
    uint64_t at = (sp - extended_bytes()) & ~(uint64_t)(EXTENDED_ALIGN - 1);

    user_extended_save(t->user.extended);
    memcpy(legacy, t->user.extended, sizeof legacy);
    extended_mark(legacy, size, user_extended_features());
    if (space_copy_out(space, at, legacy, sizeof legacy))
        return 0;
    if (size > EXTENDED_LEGACY &&
        (space_copy_out(space, at + EXTENDED_LEGACY, (char *)t->user.extended + EXTENDED_LEGACY,
                        size - EXTENDED_LEGACY) ||
         space_copy_out(space, at + size, &mark, sizeof mark)))
        return 0;
    return at;
}

static uint64_t stack_for(const struct thread *t, const struct signal_action *a)
{
    if (a->flags & ACTION_ONSTACK && !(t->alternate.flags & STACK_DISABLE) && !signal_on_alternate(t, t->frame->rsp))
        return t->alternate.start + t->alternate.size;
    return t->frame->rsp - RED_ZONE;
}

/* A handler on the alternate stack must not write below it. */
static bool overflows(const struct thread *t, uint64_t from, uint64_t at)
{
    return at > from || (signal_on_alternate(t, from) && !signal_on_alternate(t, at));
}

static void enter_handler(struct trap_frame *f, const struct signal_action *a, int number, uint64_t at)
{
    f->rip = a->handler;
    f->rsp = at;
    f->rdi = (uint64_t)number;
    f->rsi = at + offsetof(struct signal_frame, info);
    f->rdx = at + offsetof(struct signal_frame, ucontext);
    f->rax = 0;
    f->rflags &= ~(uint64_t)(FLAG_TRAP | FLAG_DIRECTION | FLAG_RESUME);
}

int signal_frame_push(struct thread *t, const struct signal_info *info, const struct signal_action *a)
{
    uint64_t from = stack_for(t, a), extended = push_extended(t, from);
    uint64_t at = ((extended - sizeof(struct signal_frame)) & ~15ull) - 8;
    struct signal_frame frame = {.restorer = a->restorer, .info = *info};

    if (!extended || !(a->flags & ACTION_RESTORER) || a->handler >= SPACE_TOP || overflows(t, from, at))
        return -EFAULT;
    frame.ucontext.flags = UCONTEXT_SS | UCONTEXT_STRICT_SS |
                           (user_extended_size() > EXTENDED_LEGACY ? UCONTEXT_XSTATE : 0);
    frame.ucontext.stack = t->alternate;
    if (signal_on_alternate(t, t->frame->rsp))
        frame.ucontext.stack.flags |= STACK_ON;
    fill_context(&frame.ucontext.context, t);
    frame.ucontext.context.extended = extended;
    frame.ucontext.mask = frame.ucontext.context.old_mask;
    if (space_copy_out(t->process->space, at, &frame, sizeof frame))
        return -EFAULT;
    if ((uint32_t)t->alternate.flags & STACK_AUTODISARM)
        t->alternate = (struct signal_stack){.flags = STACK_DISABLE};
    enter_handler(t->frame, a, info->number, at);
    return 0;
}

/* ---- and back ---------------------------------------------------------------------------------------------------- */

/* Into `area`: what the program has at `at`, such that the processor takes it. */
static int copy_extended(struct thread *t, uint64_t at, void *area)
{
    size_t size = user_extended_size();
    uint32_t mark = 0;
    struct space *space = t->process->space;

    if (space_copy_in(space, area, at, EXTENDED_LEGACY))
        return -EFAULT;
    if (extended_is_whole(area, size) && !space_copy_in(space, &mark, at + size, sizeof mark) &&
        mark == EXTENDED_MAGIC_2) {
        if (space_copy_in(space, (char *)area + EXTENDED_LEGACY, at + EXTENDED_LEGACY, size - EXTENDED_LEGACY))
            return -EFAULT;
    } else {
        extended_legacy_only(area, size);
    }
    user_extended_tame(area);
    return 0;
}

static int pop_extended(struct thread *t, uint64_t at)
{
    size_t size = user_extended_size();
    void *area = cms_heap_allocate(size);
    int error = 0;

    if (!area)
        return -EFAULT;
    if (at)
        error = copy_extended(t, at, area);
    else
        user_extended_begin(area);
    if (!error) {
        memcpy(t->user.extended, area, size);
        user_extended_restore(t->user.extended);
    }
    cms_heap_free(area);
    return error;
}

int signal_frame_pop(struct thread *t)
{
    struct trap_frame *f = t->frame;
    struct signal_frame frame;
    uint64_t at = f->rsp - sizeof frame.restorer;

    if (space_copy_in(t->process->space, &frame, at, sizeof frame))
        return -EFAULT;
    const struct signal_context *c = &frame.ucontext.context;
    if (c->rip >= SPACE_TOP)
        return -EINVAL;
    int error = pop_extended(t, c->extended);
    if (error)
        return error;
#define COPY(name) f->name = c->name;
    GENERAL_REGISTERS(COPY)
#undef COPY
    f->rflags = (c->rflags & FLAGS_PROGRAM) | FLAGS_FIXED;
    f->cs = USER_CODE;
    f->ss = USER_DATA;
    signal_block(t, frame.ucontext.mask);
    struct signal_stack *s = &frame.ucontext.stack;
    if (!signal_on_alternate(t, f->rsp) && s->flags != STACK_ON)
        signal_set_alternate(t, s);
    return 0;
}

int signal_set_alternate(struct thread *t, const struct signal_stack *s)
{
    uint32_t flags = (uint32_t)s->flags & ~STACK_AUTODISARM;
    if (flags == STACK_DISABLE) {
        t->alternate = (struct signal_stack){.flags = STACK_DISABLE};
        return 0;
    }
    if (flags && flags != STACK_ON)
        return -EINVAL;
    if (s->size < STACK_LEAST)
        return -ENOMEM;
    t->alternate = *s;
    t->alternate.flags &= ~STACK_ON;
    return 0;
}
