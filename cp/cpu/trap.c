/* Owns CP's descriptor tables and what happens when an exception or interrupt reaches CP itself. An interrupt is only
 * noted (struct cpu): the event loop does the work. An exception is a fault of CP's own and ends it, but for those that
 * something other than CP's code may cause: these are counted, and their cause is taken away. */
#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/panic.h"

enum { VECTOR_DEBUG = 1, VECTOR_NMI = 2, VECTOR_DOUBLE_FAULT = 8, VECTOR_ALIGNMENT = 17, VECTOR_MACHINE_CHECK = 18,
       EXCEPTIONS = 32, GATE_INTERRUPT = 0x8E, IST_FAULT = 1, IST_MACHINE_CHECK = 2, SELECTOR_CODE = 8,
       SELECTOR_TSS = 24 };
enum { RFLAGS_TF = 1 << 8, RFLAGS_RF = 1 << 16, RFLAGS_AC = 1 << 18, DR6_CONDITIONS = 0xE00F };

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct trap_frame {
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

void trap_exception(uint64_t vector, struct trap_frame *frame);
void trap_interrupt(uint64_t vector);

struct cpu cpu_this;
struct cpu_events cpu_events;
uint32_t trap_survived[EXCEPTIONS];

static struct gate idt[256];
static uint8_t fault_stack[8192] __attribute__((aligned(16))), machine_check_stack[8192] __attribute__((aligned(16)));

uint64_t cpu_idt_address(void)
{
    return (uint64_t)idt;
}

/* A second #DB cannot come before CP has completed an instruction: trap_entry.S has disarmed all breakpoints, and there
 * is no single-step. DR6 is the guest's, except for the bits this #DB has set. */
static void debug_end(struct trap_frame *frame)
{
    op_write_dr6(op_read_dr6() & ~(uint64_t)DR6_CONDITIONS);
    frame->rflags = (frame->rflags & ~(uint64_t)RFLAGS_TF) | RFLAGS_RF;
}

static void alignment_end(struct trap_frame *frame)
{
    frame->rflags &= ~(uint64_t)RFLAGS_AC;
}

static void nothing(struct trap_frame *frame)
{
    (void)frame;
}

static void machine_check(struct trap_frame *frame)
{
    (void)frame;
    cpu_machine_check_trap(); /* comes back if CP may go on */
}

static void (*const survived[EXCEPTIONS])(struct trap_frame *) = {
    [VECTOR_DEBUG] = debug_end, [VECTOR_NMI] = nothing, [VECTOR_ALIGNMENT] = alignment_end,
    [VECTOR_MACHINE_CHECK] = machine_check,
};

void trap_exception(uint64_t vector, struct trap_frame *frame)
{
    if (survived[vector]) {
        trap_survived[vector]++;
        survived[vector](frame);
        return;
    }
    panic("exception %lu error %lx at %lx, CR2 %lx, RSP %lx", vector, frame->error, frame->rip, op_read_cr2(),
          frame->rsp);
}

void trap_interrupt(uint64_t vector)
{
    if (vector == VECTOR_SPURIOUS)
        return;
    if (vector == VECTOR_TIMER)
        apic_timer_fired();
    cpu_this.interrupts[vector / 64] |= 1ull << (vector % 64);
    cpu_events.pending = true;
    if (cpu_this.level[vector / 64] & 1ull << (vector % 64))
        cpu_this.unacknowledged++; /* it would come again at once */
    else
        apic_eoi();
}

void cpu_interrupts_served(void)
{
    for (; cpu_this.unacknowledged; cpu_this.unacknowledged--)
        apic_eoi();
}

/* @pre interrupts are off */
void cpu_interrupts_take(uint64_t came[4])
{
    cpu_events.pending = false;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++)
        came[i] = cpu_this.interrupts[i], cpu_this.interrupts[i] = 0;
}

bool cpu_interrupt_take(unsigned vector)
{
    uint64_t bit = 1ull << (vector % 64);
    bool came = cpu_this.interrupts[vector / 64] & bit;

    cpu_this.interrupts[vector / 64] &= ~bit;
    return came;
}

void cpu_interrupt_window(void)
{
    op_interrupt_window();
}

/* A double fault has a stack of its own, since CP's stack may be its cause. An NMI has none: a #DB in its handler would
 * end in an IRET, and the next NMI would begin at the top of that stack again and overwrite the frame of the first.
 * CP's own stack is usable at every instruction. */
static void gate_set(unsigned vector)
{
    uint64_t at = (uint64_t)trap_stubs + 16 * vector;
    uint8_t stack = vector == VECTOR_DOUBLE_FAULT ? IST_FAULT : vector == VECTOR_MACHINE_CHECK ? IST_MACHINE_CHECK : 0;

    idt[vector] = (struct gate){(uint16_t)at, SELECTOR_CODE, stack, GATE_INTERRUPT,
                                (uint16_t)(at >> 16), (uint32_t)(at >> 32), 0};
}

void cpu_tables_load(void)
{
    uint64_t tss = (uint64_t)&cpu_this.tss;
    uint64_t limit = sizeof cpu_this.tss - 1;

    cpu_this.tss.ist[0] = (uint64_t)fault_stack + sizeof fault_stack;
    cpu_this.tss.ist[1] = (uint64_t)machine_check_stack + sizeof machine_check_stack;
    cpu_this.tss.io_map = sizeof cpu_this.tss;
    cpu_this.gdt[1] = 0x00AF9B000000FFFF;
    cpu_this.gdt[2] = 0x00CF93000000FFFF;
    cpu_this.gdt[3] = limit | (tss & 0xFFFFFF) << 16 | 0x89ull << 40 | (tss >> 24 & 0xFF) << 56;
    cpu_this.gdt[4] = tss >> 32;
    for (unsigned vector = 0; vector < 256; vector++)
        gate_set(vector);
    op_lgdt(&(struct op_table_pointer){sizeof cpu_this.gdt - 1, (uint64_t)cpu_this.gdt});
    op_lidt(&(struct op_table_pointer){sizeof idt - 1, (uint64_t)idt});
    op_ltr(SELECTOR_TSS);
}
