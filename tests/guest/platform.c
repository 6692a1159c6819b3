/* Question: do the interrupt controllers and the clocks do for a kernel what those of a PC do? It uses each the way
 * kernels do, and reaches their registers by every kind of instruction that CP must decode. Prints the same on a PC as
 * under CP. */
#include "tests/guest/runtime/runtime.h"

enum { APIC = 0xFEE00000, IOAPIC = 0xFEC00000, MSR_BASE = 0x1B, MSR_DEADLINE = 0x6E0, EN = 1 << 11, EXTD = 1 << 10 };
enum { VERSION = 0x30, TPR = 0x80, EOI = 0xB0, SVR = 0xF0, IRR = 0x200, ESR = 0x280, ICR = 0x300, LVT_TIMER = 0x320,
       LVT_LINT0 = 0x350, LVT_ERROR = 0x370, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3E0 };
enum { MASKED = 1 << 16, PERIODIC = 1 << 17, DEADLINE = 1 << 18, TO_SELF = 1 << 18 };
enum { VECTOR_NMI = 2, VECTOR_PIT = 0x20, VECTOR_UART = 0x24, VECTOR_RTC = 0x28 };
enum { VECTOR_TIMER = 0x40, VECTOR_LOW = 0x51, VECTOR_HIGH = 0x61 };

enum { OFFERS_X2APIC = 1 << 21, OFFERS_DEADLINE = 1 << 24 }; /* CPUID.01H:ECX */

static volatile unsigned count[256];
static bool x2apic;

static void count_pic(struct guest_frame *frame)
{
    count[frame->vector]++;
    if (frame->vector == VECTOR_RTC) {
        outb(0x70, 0x0C), (void)inb(0x71);
        outb(0xA0, 0x20);
    }
    if (frame->vector == VECTOR_UART)
        (void)inb(0x3FA);
    outb(0x20, 0x20);
}

static void count_apic(struct guest_frame *frame)
{
    count[frame->vector]++;
    if (x2apic)
        wrmsr(0x80B, 0);
    else
        mmio_write(APIC + EOI, 0);
}

static void count_only(struct guest_frame *frame) { count[frame->vector]++; }

/* the APIC's answer when TPR rose after it had asked for the CPU: no EOI, as nothing is in service */
static void ignore(struct guest_frame *frame) { (void)frame; }

static void pic_start(uint16_t unmasked)
{
    outb(0x20, 0x11), outb(0x21, 0x20), outb(0x21, 0x04), outb(0x21, 0x01), outb(0x21, (uint8_t)~unmasked);
    outb(0xA0, 0x11), outb(0xA1, 0x28), outb(0xA1, 0x02), outb(0xA1, 0x01), outb(0xA1, (uint8_t)(~unmasked >> 8));
}

static void pit_start(uint8_t control, uint16_t clocks)
{
    outb(0x43, control);
    outb(0x40, (uint8_t)clocks), outb(0x40, clocks >> 8);
}

/* interrupts off again afterwards; each HLT ends with at least one */
static void wait_for(uint8_t vector, unsigned times)
{
    unsigned end = count[vector] + times;

    while (count[vector] < end)
        wait_interrupt();
}

/* TSC ticks that channel 2 takes for so many of its clocks, behind its gate */
static uint64_t measure(uint16_t clocks)
{
    uint8_t port_b = inb(0x61) & 0xFC;

    outb(0x61, port_b | 1);
    outb(0x43, 0xB0);
    outb(0x42, (uint8_t)clocks), outb(0x42, clocks >> 8);
    uint64_t start = rdtsc();
    while (!(inb(0x61) & 0x20))
        ;
    uint64_t took = rdtsc() - start;
    outb(0x61, port_b);
    return took;
}

static void try_legacy(void)
{
    guest_handle(VECTOR_PIT, count_pic), guest_handle(VECTOR_RTC, count_pic), guest_handle(VECTOR_UART, count_pic);
    pic_start(1 << 0 | 1 << 2);
    pit_start(0x34, 11932);
    wait_for(VECTOR_PIT, 5);
    guest_check(true, "pit_rate");
    pit_start(0x30, 11932);
    wait_for(VECTOR_PIT, 1);
    unsigned before = count[VECTOR_PIT];
    (void)measure(60000);
    interrupts_on(), interrupts_off();
    guest_check_equal(count[VECTOR_PIT] - before, 0, "pit_once");
    uint64_t one = measure(10000), three = measure(30000);
    guest_check(three > one * 5 / 2 && three < one * 7 / 2, "pit_gate");
    pic_start(1 << 2 | 1 << 8);
    outb(0x70, 0x0B);
    outb(0x71, 0x12);
    outb(0x70, 0x0C), (void)inb(0x71);
    wait_for(VECTOR_RTC, 2);
    guest_check(true, "rtc_update");
    outb(0x70, 0x0B), outb(0x71, 0x02);
    pic_start(1 << 4);
    outb(0x3FC, 0x08), outb(0x3F9, 0x02);
    wait_for(VECTOR_UART, 1);
    outb(0x3F9, 0);
    guest_check(true, "uart_by_pic");
    pic_start(0);
}

static void try_xapic(void)
{
    for (unsigned v = VECTOR_TIMER; v <= VECTOR_HIGH; v++)
        guest_handle((uint8_t)v, count_apic);
    guest_handle(0xFF, ignore);
    guest_check(mmio_read(APIC + VERSION) >> 16 >= 5 && (mmio_read(APIC + VERSION) & 0xF0) == 0x10, "apic_version");
    mmio_write(APIC + SVR, 0x1FF);
    mmio_write(APIC + TPR, 0);
    mmio_write(APIC + ICR, TO_SELF | VECTOR_HIGH), mmio_write(APIC + ICR, TO_SELF | VECTOR_LOW);
    guest_check_equal(mmio_read(APIC + IRR + 0x30) >> 1 & 1, 1, "self_ipi_waits");
    write_cr8(6);
    interrupts_on(), (void)rdtsc(), interrupts_off();
    guest_check_equal(count[VECTOR_HIGH] + count[VECTOR_LOW], 0, "cr8_holds_back");
    guest_check_equal(mmio_read(APIC + TPR), 0x60, "cr8_is_tpr");
    write_cr8(5);
    interrupts_on(), (void)rdtsc(), interrupts_off();
    guest_check_equal(count[VECTOR_HIGH] << 4 | count[VECTOR_LOW], 0x10, "higher_class_alone");
    write_cr8(0);
    interrupts_on(), (void)rdtsc(), interrupts_off();
    guest_check_equal(count[VECTOR_LOW], 1, "then_the_lower");
}

static void try_timer(void)
{
    mmio_write(APIC + DIVIDE, 3);
    mmio_write(APIC + LVT_TIMER, VECTOR_TIMER);
    mmio_write(APIC + INITIAL, 100000);
    uint32_t first = mmio_read(APIC + CURRENT);
    guest_check(first && first <= 100000 && mmio_read(APIC + CURRENT) <= first, "apic_counts_down");
    wait_for(VECTOR_TIMER, 1);
    guest_check_equal(mmio_read(APIC + CURRENT), 0, "apic_one_shot");
    mmio_write(APIC + LVT_TIMER, PERIODIC | VECTOR_TIMER);
    mmio_write(APIC + INITIAL, 100000);
    wait_for(VECTOR_TIMER, 5);
    guest_check(mmio_read(APIC + CURRENT), "apic_periodic");
    mmio_write(APIC + INITIAL, 0);
    mmio_write(APIC + LVT_TIMER, MASKED);
}

/* SDM "APIC Timer": at 0 it stays there, in the other mode too; one that counts goes on */
static void try_timer_modes(void)
{
    mmio_write(APIC + LVT_TIMER, MASKED);
    mmio_write(APIC + INITIAL, 1000);
    while (mmio_read(APIC + CURRENT))
        ;
    mmio_write(APIC + LVT_TIMER, MASKED | PERIODIC);
    bool stays = true;
    for (unsigned i = 0; i < 100; i++)
        stays = stays && !mmio_read(APIC + CURRENT);
    guest_check(stays, "apic_run_out_stays_so");
    mmio_write(APIC + INITIAL, UINT32_MAX);
    mmio_write(APIC + LVT_TIMER, MASKED);
    guest_check(mmio_read(APIC + CURRENT), "apic_periodic_made_one_shot");
    mmio_write(APIC + INITIAL, 0);
}

static void try_deadline(void)
{
    mmio_write(APIC + LVT_TIMER, DEADLINE | VECTOR_TIMER);
    uint64_t deadline = rdtsc() + 1000000;
    wrmsr(MSR_DEADLINE, deadline);
    wait_for(VECTOR_TIMER, 1);
    guest_check(rdtsc() >= deadline, "deadline_not_early");
    guest_check_equal(rdmsr(MSR_DEADLINE), 0, "deadline_clears_itself");
    mmio_write(APIC + LVT_TIMER, MASKED);
}

static void ioapic_write(uint32_t reg, uint32_t value)
{
    mmio_write(IOAPIC, reg);
    mmio_write(IOAPIC + 0x10, value);
}

static void try_ioapic(void)
{
    mmio_write(APIC + LVT_LINT0, MASKED);
    ioapic_write(0x11 + 2 * 2, 0), ioapic_write(0x10 + 2 * 2, VECTOR_LOW);
    pit_start(0x34, 11932);
    wait_for(VECTOR_LOW, 3);
    guest_check(true, "pit_by_ioapic");
    ioapic_write(0x10 + 2 * 2, MASKED);
    pit_start(0x30, 1);
    ioapic_write(0x11 + 2 * 4, 0), ioapic_write(0x10 + 2 * 4, VECTOR_HIGH);
    outb(0x3F9, 0x02);
    wait_for(VECTOR_HIGH, 1);
    outb(0x3F9, 0);
    ioapic_write(0x10 + 2 * 4, MASKED);
    guest_check(true, "uart_by_ioapic");
}

/* SDM "HLT": an NMI ends it, whatever RFLAGS.IF */
static void try_halt(void)
{
    guest_handle(VECTOR_NMI, count_only);
    ioapic_write(0x10 + 2 * 2, 0x400); /* the PIT's pin as an NMI */
    pit_start(0x34, 11932);
    __asm__ volatile("cli; hlt" : : : "memory");
    ioapic_write(0x10 + 2 * 2, MASKED);
    pit_start(0x30, 1);
    guest_check(count[VECTOR_NMI], "an_nmi_ends_hlt");
}

/* PC16550D, "Line Status Register", bit 1: what nobody read makes way. In loopback, as nobody types here. */
static void try_overrun(void)
{
    outb(0x3FA, 0), outb(0x3FC, 0x10);
    (void)inb(0x3F8), (void)inb(0x3FD);
    for (char byte = 'A'; byte <= 'B'; byte++) {
        outb(0x3F8, (uint8_t)byte);
        while (!(inb(0x3FD) & 0x40))
            ;
        for (unsigned i = 0; i < 1000; i++)
            (void)inb(0x80);
    }
    uint8_t status = inb(0x3FD), byte = inb(0x3F8);
    outb(0x3FC, 3), outb(0x3FA, 7);
    guest_check_equal(byte, 'B', "uart_keeps_the_newer");
    guest_check(status & 1, "uart_has_it");
}

/* A register that holds what is written, by every form of access. LVT error: vector 0-7, mask 16. */
static void try_instructions(void)
{
    volatile uint32_t *lvt = (volatile uint32_t *)(uintptr_t)(APIC + LVT_ERROR);
    uint32_t value = 0x10055, old, wide;
    uint64_t big;
    uint8_t byte, carry;

    __asm__ volatile("movl $0x10031, %0" : "=m"(*lvt));
    guest_check_equal(*lvt, 0x10031, "mov_immediate");
    __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*lvt));
    guest_check_equal((uint64_t)value << 32 | *lvt, 0x1003100010055, "xchg");
    __asm__ volatile("orl $0x0A, %0" : "+m"(*lvt));
    guest_check_equal(*lvt, 0x1005F, "or_immediate");
    __asm__ volatile("andl %1, %0" : "+m"(*lvt) : "r"(0x100F0));
    guest_check_equal(*lvt, 0x10050, "and_register");
    __asm__ volatile("xorl %1, %0; addl $1, %0; subl $2, %0; incl %0" : "+m"(*lvt) : "r"(0x0F));
    guest_check_equal(*lvt, 0x1005F, "xor_add_sub_inc");
    __asm__ volatile("btsl $7, %1; setc %0" : "=q"(carry), "+m"(*lvt));
    guest_check_equal((uint64_t)carry << 32 | *lvt, 0x100DF, "bts");
    __asm__ volatile("testl $0x20, %1; setz %0" : "=q"(carry) : "m"(*lvt));
    guest_check_equal(carry, 1, "test");
    __asm__ volatile("cmpl %1, %2; setb %0" : "=q"(carry) : "r"(0x100E0), "m"(*lvt));
    guest_check_equal(carry, 1, "cmp");
    __asm__ volatile("movb (%1), %%ah; movb %%ah, %0" : "=c"(byte) : "d"(lvt) : "rax", "memory");
    guest_check_equal(byte, 0xDF, "mov_to_ah");
    __asm__ volatile("movzwl %2, %0; movsbq %3, %1"
                     : "=r"(wide), "=r"(big)
                     : "m"(*(volatile uint16_t *)lvt), "m"(*(volatile uint8_t *)lvt));
    guest_check_equal(wide + big, 0xBE, "movzx_movsx");
    old = 0x10042;
    uint32_t *from = &old;
    volatile uint32_t *to = lvt;
    uint64_t times = 1;
    __asm__ volatile("cld; rep movsl" : "+S"(from), "+D"(to), "+c"(times) : : "memory");
    guest_check_equal(*lvt, 0x10042, "rep_movs");
    to = lvt;
    __asm__ volatile("stosl" : "+D"(to) : "a"(0x10043) : "memory");
    guest_check_equal(*lvt + (to - lvt), 0x10044, "stos");
    to = lvt;
    __asm__ volatile("lodsl" : "=a"(value), "+S"(to) : : "memory");
    guest_check_equal(value, 0x10043, "lods");
}

static void try_x2apic(void)
{
    static const struct { uint32_t msr; uint64_t value; const char *name; } faults[] = {
        {0x802, 0, "x2_id_is_read_only"}, {0x80A, 0, "x2_ppr_is_read_only"}, {0x80D, 0, "x2_ldr_is_read_only"},
        {0x80B, 1, "x2_eoi_takes_zero"}, {0x808, 0x100, "x2_tpr_reserved"}, {0x832, 1 << 19, "x2_lvt_reserved"},
        {0x83F, 0x100, "x2_self_ipi_reserved"}, {0x80E, 0, "x2_no_dfr"}, {0x839, 0, "x2_current_count_is_read_only"},
    };
    uint64_t base = rdmsr(MSR_BASE), value;

    guest_check_equal(guest_try_read_msr(0x803, &value), 13, "x2_msrs_need_x2apic");
    wrmsr(MSR_BASE, base | EXTD);
    x2apic = true;
    guest_check_equal(guest_try_write_msr(MSR_BASE, base), 13, "x2_not_back_to_xapic");
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
        guest_check_equal(guest_try_write_msr(faults[i].msr, faults[i].value), 13, faults[i].name);
    guest_check_equal(guest_try_read_msr(0x80B, &value), 13, "x2_eoi_is_write_only");
    wrmsr(0x80F, 0x1FF);
    unsigned before = count[VECTOR_HIGH];
    wrmsr(0x83F, VECTOR_HIGH);
    wrmsr(0x830, TO_SELF | VECTOR_LOW);
    interrupts_on(), (void)rdtsc(), interrupts_off();
    guest_check_equal(count[VECTOR_HIGH] - before, 1, "x2_self_ipi");
    wrmsr(0x83E, 3), wrmsr(0x832, VECTOR_TIMER), wrmsr(0x838, 50000);
    wait_for(VECTOR_TIMER, 1);
    guest_check_equal(rdmsr(0x839), 0, "x2_timer");
}

/* From x2APIC mode the only way is off. */
static void try_disable(void)
{
    uint64_t base = rdmsr(MSR_BASE) & ~(uint64_t)(EN | EXTD);

    wrmsr(MSR_BASE, base);
    guest_check(!(cpuid(1, 0).edx & 1 << 9), "disabled_in_cpuid");
    guest_check_equal(guest_try_write_msr(MSR_BASE, base | EN | EXTD), 13, "not_straight_to_x2apic");
    guest_check_equal(guest_try_write_msr(MSR_BASE, base | EN | 1 << 9), 13, "base_reserved_bit");
    wrmsr(MSR_BASE, base | EN);
    x2apic = false;
    guest_check(cpuid(1, 0).edx & 1 << 9, "enabled_in_cpuid");
    mmio_write(APIC + SVR, 0x1FF);
    unsigned before = count[VECTOR_HIGH];
    mmio_write(APIC + ICR, TO_SELF | VECTOR_HIGH);
    interrupts_on(), (void)rdtsc(), interrupts_off();
    guest_check_equal(count[VECTOR_HIGH] - before, 1, "enabled_again_it_works");
}

int guest_main(void)
{
    try_legacy();
    try_xapic();
    try_timer();
    try_timer_modes();
    if (cpuid(1, 0).ecx & OFFERS_DEADLINE)
        try_deadline();
    try_ioapic();
    try_halt();
    try_overrun();
    try_instructions();
    if (cpuid(1, 0).ecx & OFFERS_X2APIC)
        try_x2apic();
    try_disable();
    guest_print("end\n");
    return (int)guest_failures;
}
