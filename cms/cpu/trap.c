/* The IDT and what is behind it. */
#include "cms/cpu/trap.h"

#include <stddef.h>

#include "cms/cpu/cpu.h"
#include "cms/cpu/user_trap.h"

enum { ENTRY_SIZE = 16, GATE_INTERRUPT = 0x8e, GATE_OF_PROGRAMS = 0xee, CODE_SELECTOR = 0x08 };
enum { VECTOR_DEBUG = 1, VECTOR_NMI = 2, VECTOR_BREAKPOINT = 3, VECTOR_OVERFLOW = 4, VECTOR_DOUBLE_FAULT = 8,
       VECTOR_MACHINE_CHECK = 18 };
/* Stacks of the TSS: of an abend, and of what may come when RSP is still, or again, a program's. */
enum { ABEND_STACK = 1, ANY_TIME_STACK = 2 };

struct gate {
    uint16_t offset0, selector;
    uint8_t ist, type;
    uint16_t offset1;
    uint32_t offset2, reserved;
};

extern const char trap_entries[], cpu_wait_halt[];
void trap_take(struct trap_frame *frame);

static struct gate idt[TRAP_COUNT];
static struct {
    void (*run)(void *context);
    void *context;
} irq_handler[16];
static bool in_interrupt;
static void (*abend_handler)(const struct trap_frame *frame);

static uint8_t stack_of(size_t vector)
{
    if (vector == VECTOR_DOUBLE_FAULT)
        return ABEND_STACK;
    return vector == VECTOR_DEBUG || vector == VECTOR_NMI || vector == VECTOR_MACHINE_CHECK ? ANY_TIME_STACK : 0;
}

static uint8_t type_of(size_t vector)
{
    return vector == VECTOR_BREAKPOINT || vector == VECTOR_OVERFLOW ? GATE_OF_PROGRAMS : GATE_INTERRUPT;
}

void trap_start(void)
{
    for (size_t i = 0; i < TRAP_COUNT; i++) {
        uint64_t at = (uintptr_t)trap_entries + i * ENTRY_SIZE;
        idt[i] = (struct gate){.offset0 = (uint16_t)at, .selector = CODE_SELECTOR, .type = type_of(i),
                               .ist = stack_of(i), .offset1 = (uint16_t)(at >> 16),
                               .offset2 = (uint32_t)(at >> 32)};
    }
    struct cpu_table table = {sizeof idt - 1, (uintptr_t)idt};
    cpu_load_idt(&table);
}

void trap_set_irq(unsigned irq, void (*handler)(void *context), void *context)
{
    irq_handler[irq].run = handler;
    irq_handler[irq].context = context;
}

bool trap_in_interrupt(void)
{
    return in_interrupt;
}

void trap_set_abend(void (*handler)(const struct trap_frame *frame))
{
    abend_handler = handler;
}

/* An interrupt came between the STI and the HLT of cpu_wait(): what was waited for may be done, and
 * nothing else may come to end a sleep. */
static void wake(struct trap_frame *frame)
{
    enum { HLT_BYTES = 1 };
    if (frame->rip == (uintptr_t)cpu_wait_halt)
        frame->rip += HLT_BYTES;
}

void trap_take(struct trap_frame *frame)
{
    if (frame->vector < TRAP_IRQ_BASE && trap_is_user(frame)) {
        user_take_exception(frame);
        return;
    }
    if (frame->vector < TRAP_IRQ_BASE) {
        if (abend_handler)
            abend_handler(frame);
        cpu_stop();
    }
    wake(frame);
    unsigned irq = (unsigned)frame->vector - TRAP_IRQ_BASE;
    in_interrupt = true;
    if (irq_handler[irq].run)
        irq_handler[irq].run(irq_handler[irq].context);
    in_interrupt = false;
    if (trap_is_user(frame))
        user_take_interrupt(frame);
}
