/* Question: what does a kernel pay here for its xAPIC, in ticks of the TSC: an EOI, the task priority, the command
 * register, and an interrupt of its timer with all that belongs to it? The last is what a program that counts loses by
 * a thousand ticks, a thousandth of it. */
#include "tests/guest/runtime/measure.h"

enum { APIC = 0xFEE00000, TPR = 0x80, EOI = 0xB0, SVR = 0xF0, ICR = 0x300, LVT_TIMER = 0x320, INITIAL = 0x380,
       CURRENT = 0x390, DIVIDE = 0x3E0 };
enum { ENABLED = 0x1FF, MASKED = 1 << 16, PERIODIC = 1 << 17, BY_ONE = 0xB, TO_OTHERS = 3 << 18 };
enum { VECTOR = 0x40, TICKS = 1000, COUNT = 1000000, LOOP = 3 /* instructions */ };

volatile uint32_t ticks; /* for on_tick */

/* As the shortest handler of a kernel's would be. */
void on_tick(void);
__asm__("on_tick: push %rax; incl ticks(%rip); mov $0xFEE000B0, %eax; movl $0, (%rax); pop %rax; iretq"); /* EOI */

struct gate {
    uint16_t low, selector, type;
    uint16_t middle;
    uint32_t high, reserved;
};

struct __attribute__((packed)) table {
    uint16_t limit;
    uint64_t base;
};

/* The runtime's own handlers save and report: 60 instructions that would be counted too. */
static void take_ticks(void)
{
    struct table idt;
    uint64_t at = (uint64_t)(uintptr_t)on_tick;

    __asm__ volatile("sidt %0" : "=m"(idt));
    struct gate *gate = (struct gate *)(uintptr_t)idt.base + VECTOR;
    gate->low = (uint16_t)at, gate->middle = (uint16_t)(at >> 16), gate->high = (uint32_t)(at >> 32);
}

static uint64_t lost_by_ticks(void)
{
    uint64_t turns = 0, begun, took;

    take_ticks();
    mmio_write(APIC + LVT_TIMER, PERIODIC | VECTOR);
    mmio_write(APIC + DIVIDE, BY_ONE);
    mmio_write(APIC + INITIAL, COUNT);
    begun = rdtsc();
    interrupts_on();
    __asm__ volatile("1: inc %0; cmpl %1, ticks(%%rip); jb 1b" : "+r"(turns) : "i"(TICKS) : "memory", "cc");
    interrupts_off();
    took = rdtsc() - begun;
    mmio_write(APIC + INITIAL, 0);
    mmio_write(APIC + LVT_TIMER, MASKED);
    return took - turns * LOOP;
}

static void masked_pics(void) { outb(0x21, 0xFF), outb(0xA1, 0xFF); }

int guest_main(void)
{
    masked_pics();
    mmio_write(APIC + SVR, ENABLED);
    measure_begin();
    MEASURE("eoi", mmio_write(APIC + EOI, 0));
    MEASURE("tpr_write", mmio_write(APIC + TPR, 0x20));
    MEASURE("tpr_read", (void)mmio_read(APIC + TPR));
    mmio_write(APIC + TPR, 0);
    MEASURE("icr_write", mmio_write(APIC + ICR, TO_OTHERS | VECTOR));
    MEASURE("icr_read", (void)mmio_read(APIC + ICR));
    MEASURE("count_read", (void)mmio_read(APIC + CURRENT));
    measure_samples[0] = lost_by_ticks() / TICKS;
    measure_report("tick", measure_samples, 1);
    guest_print("end\n");
    return 0;
}
