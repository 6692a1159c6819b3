/* Question: does the instruction behind STI or a load of SS run before an interrupt that waits comes in, whatever CP
 * does meanwhile? The instruction touches a page that CP has not given yet, or sleeps. Prints the same on a PC as under
 * CP. SDM "STI", "Masking Exceptions and Interrupts When Switching Stacks". */
#include "tests/guest/runtime/runtime.h"

enum { VECTOR_PIT = 0x20, VECTOR_SELF = 0x51 };
enum { APIC = 0xFEE00000, SVR = 0xF0, EOI = 0xB0, ICR = 0x300, ICR_TO_SELF = 1 << 18 };
enum { PIT_TICKS = 1193, SLEEPS = 1000, TOUCHES = 64, FRESH = 0x2000000, PAGE_BYTES = 4096 };

extern const char shadow_hlt[], shadow_hlt_end[], shadow_ss[], shadow_ss_end[];
static volatile unsigned at_hlt, behind_hlt, at_ss;
static volatile uint64_t came_at;
static volatile unsigned came;

/* ---- the PIT, again and again ------------------------------------------------------- */

static void tick(struct guest_frame *frame)
{
    uint64_t rip = frame->rip;

    at_hlt += rip == (uintptr_t)shadow_hlt;
    behind_hlt += rip == (uintptr_t)shadow_hlt_end;
    at_ss += rip == (uintptr_t)shadow_ss;
    outb(0x20, 0x20);
}

static void pit_begin(void)
{
    static const uint8_t master[] = {0x11, VECTOR_PIT, 4, 1, 0xFF}, slave[] = {0x11, VECTOR_PIT + 8, 2, 1, 0xFF};

    for (unsigned i = 0; i < sizeof master; i++) {
        outb(i ? 0x21 : 0x20, master[i]);
        outb(i ? 0xA1 : 0xA0, slave[i]);
    }
    outb(0x43, 0x34);
    outb(0x40, PIT_TICKS & 0xFF), outb(0x40, PIT_TICKS >> 8);
}

static void sleep_once(void)
{
    __asm__ volatile(".globl shadow_hlt, shadow_hlt_end\n"
                     "sti\nshadow_hlt: hlt\nshadow_hlt_end: cli" : : : "memory");
}

static void load_stack_once(void)
{
    __asm__ volatile(".globl shadow_ss, shadow_ss_end\n"
                     "mov %%ss, %%eax\nsti\nnop\nmov %%eax, %%ss\nshadow_ss: nop\nshadow_ss_end: cli"
                     : : : "rax", "memory");
}

static void ticks(void)
{
    guest_handle(VECTOR_PIT, tick);
    outb(0x21, 0xFE);
    for (unsigned i = 0; i < SLEEPS; i++) {
        for (volatile unsigned spin = 0; spin < i * 7 % 400; spin++)
            ;
        sleep_once();
        load_stack_once();
    }
    outb(0x21, 0xFF);
    guest_check(behind_hlt > SLEEPS / 2, "HLT sleeps");
    guest_check_equal(at_hlt, 0, "ticks between STI and HLT");
    guest_check_equal(at_ss, 0, "ticks between MOV SS and the next instruction");
}

/* ---- an interrupt that waits, and a page that is not there ------------------------------ */

static void note(struct guest_frame *frame)
{
    if (!came++)
        came_at = frame->rip;
    if (frame->vector == VECTOR_SELF)
        mmio_write(APIC + EOI, 0);
}

extern const char shadow_touch[], shadow_touched[], shadow_copy[], shadow_copied[];

static void touch(volatile void *page)
{
    __asm__ volatile(".globl shadow_touch, shadow_touched\n"
                     "sti\nshadow_touch: movb (%0), %%al\nshadow_touched: nop\ncli" : : "r"(page) : "rax", "memory");
}

static void copy(volatile void *page)
{
    volatile void *from = page, *to = (volatile char *)page + PAGE_BYTES;

    __asm__ volatile(".globl shadow_copy, shadow_copied\n"
                     "sti\nshadow_copy: movsb\nshadow_copied: nop\ncli" : "+S"(from), "+D"(to) : : "memory");
}

static void touches(void)
{
    unsigned early = 0, late = 0, early_copy = 0;
    volatile char *page = (volatile char *)FRESH;

    guest_handle(VECTOR_SELF, note);
    mmio_write(APIC + SVR, 0x1FF);
    for (unsigned i = 0; i < TOUCHES; i++, page += PAGE_BYTES) {
        came = 0;
        mmio_write(APIC + ICR, ICR_TO_SELF | VECTOR_SELF);
        touch(page);
        early += came && came_at == (uintptr_t)shadow_touch;
        late += came == 1 && came_at == (uintptr_t)shadow_touched;
    }
    for (unsigned i = 0; i < TOUCHES; i++, page += 2 * PAGE_BYTES) {
        came = 0;
        mmio_write(APIC + ICR, ICR_TO_SELF | VECTOR_SELF);
        copy(page);
        early_copy += came_at != (uintptr_t)shadow_copied;
    }
    guest_check_equal(early, 0, "interrupts between STI and an instruction that exits");
    guest_check_equal(late, TOUCHES, "interrupts right behind it");
    guest_check_equal(early_copy, 0, "the same with two pages");
}

int guest_main(void)
{
    pit_begin();
    touches();
    ticks();
    guest_print("end\n");
    return (int)guest_failures;
}
