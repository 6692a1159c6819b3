#include "cms/process/fault.h"

#include "cms/process/end.h"
#include "cms/process/extended.h"
#include "cms/process/signal.h"

enum { PAGE_FAULT = 14, FAULT_WRITE = 2, FAULT_FETCH = 16, X87 = 16, SSE = 19 };

struct meaning {
    int signal, code;
    bool at_instruction; /* si_addr is RIP */
};

static struct meaning meaning_of(unsigned vector)
{
    static const struct meaning meanings[] = {
        [0] = {SIGNAL_FPE, CODE_FPE_DIVIDE, true},
        [1] = {SIGNAL_TRAP, CODE_TRAP_TRACE, true},
        [3] = {SIGNAL_TRAP, CODE_KERNEL, false},
        [4] = {SIGNAL_SEGV, CODE_KERNEL, false},
        [5] = {SIGNAL_SEGV, CODE_KERNEL, false},
        [6] = {SIGNAL_ILL, CODE_ILL_OPERAND, true},
        [11] = {SIGNAL_BUS, CODE_KERNEL, false},
        [12] = {SIGNAL_BUS, CODE_KERNEL, false},
        [16] = {SIGNAL_FPE, 0, true},
        [17] = {SIGNAL_BUS, CODE_BUS_ALIGNMENT, false},
        [19] = {SIGNAL_FPE, 0, true},
    };
    if (vector < sizeof meanings / sizeof *meanings && meanings[vector].signal)
        return meanings[vector];
    return (struct meaning){SIGNAL_SEGV, CODE_KERNEL, false};
}

static int float_code(struct thread *t, unsigned vector)
{
    user_extended_save(t->user.extended);
    return extended_float_code(t->user.extended, vector == SSE);
}

static void take_exception(struct thread *t)
{
    unsigned vector = (unsigned)t->frame->vector;
    struct meaning m = meaning_of(vector);
    if (vector == X87 || vector == SSE)
        m.code = float_code(t, vector);
    signal_force(t, &(struct signal_info){.number = m.signal, .code = m.code,
                                          .address = m.at_instruction ? t->frame->rip : 0});
}

static void take_page_fault(struct thread *t, uint64_t address)
{
    static const struct meaning meanings[] = {
        [SPACE_NOT_MAPPED] = {SIGNAL_SEGV, CODE_SEGV_MAPPING, false},
        [SPACE_FORBIDDEN] = {SIGNAL_SEGV, CODE_SEGV_ACCESS, false},
        [SPACE_BEYOND_OBJECT] = {SIGNAL_BUS, CODE_BUS_ADDRESS, false},
        [SPACE_NO_STORAGE] = {SIGNAL_KILL, 0, false},
        [SPACE_OBJECT_FAILED] = {SIGNAL_BUS, CODE_BUS_ADDRESS, false},
    };
    uint64_t error = t->frame->error;
    enum space_access access = error & FAULT_FETCH ? SPACE_EXECUTE : error & FAULT_WRITE ? SPACE_WRITE : SPACE_READ;
    enum space_fault found = space_fault(t->process->space, address, access);

    if (found == SPACE_MENDED)
        return;
    t->fault_address = address;
    const struct meaning *m = &meanings[found];
    if (m->signal == SIGNAL_KILL) {
        t->process->end_registers = *t->frame;
        end_process(t->process, SIGNAL_KILL);
        return;
    }
    signal_force(t, &(struct signal_info){.number = m->signal, .code = m->code, .address = address});
}

void fault_exception(struct trap_frame *frame)
{
    struct thread *t = thread_current();

    t->frame = frame;
    thread_account_user(t);
    if (frame->vector == PAGE_FAULT) {
        t->process->faults++;
        take_page_fault(t, user_fault_address());
    } else {
        take_exception(t);
    }
    if (t->attention)
        thread_before_program();
    thread_account_system(t);
}

void fault_interrupted(struct trap_frame *frame)
{
    struct thread *t = thread_current();

    t->frame = frame;
    thread_account_user(t);
    thread_time_passed();
    if (t->attention)
        thread_before_program();
    thread_account_system(t);
}
