/* Question: does a timer that is faster than its handler leave the program time to go on? A fixed computation runs
 * while a timer interrupts as often as it can. Prints for each timer how many ticks came, and which part of the time,
 * in percent, the computation had. */
#include "tests/guest/runtime/runtime.h"

enum { APIC = 0xFEE00000, EOI = 0xB0, SVR = 0xF0, LVT_TIMER = 0x320, INITIAL = 0x380, DIVIDE = 0x3E0 };
enum { MASKED = 1 << 16, PERIODIC = 1 << 17, DEADLINE = 1 << 18, BY_ONE = 0xB, MSR_DEADLINE = 0x6E0 };
enum { VECTOR_PIT = 0x20, VECTOR_RTC = 0x28, VECTOR_TIMER = 0x40, VECTOR_EARLY = 0x41, VECTOR_AGAIN = 0x42 };
enum { STEPS = 100000, LEAST_MS = 10, PIT_CLOCKS_1_US = 1, PIT_CLOCKS_30_US = 36, RTC_8192_HZ = 3 };
enum { LEAF_CLOCK = 0x40000002 /* EAX: kHz of the TSC */ };

static volatile unsigned ticks;
static unsigned steps = STEPS; /* of the computation */
static uint64_t alone;         /* TSC ticks of it without a timer */

static uint64_t compute(void)
{
    uint64_t begun = rdtsc(), sum = 1;

    for (unsigned i = 0; i < steps; i++)
        __asm__ volatile("imul %0, %0; inc %0" : "+r"(sum));
    return rdtsc() - begun;
}

static void on_apic(struct guest_frame *frame)
{
    (void)frame;
    ticks++;
    mmio_write(APIC + EOI, 0);
}

/* ends the interrupt first, as Linux does, and then asks devices, each of which is an exit */
static void on_early(struct guest_frame *frame)
{
    (void)frame;
    mmio_write(APIC + EOI, 0);
    for (unsigned i = 0; i < 8; i++)
        (void)inb(0x61);
    ticks++;
}

static void on_deadline(struct guest_frame *frame)
{
    (void)frame;
    ticks++;
    wrmsr(MSR_DEADLINE, rdtsc() + 1);
    mmio_write(APIC + EOI, 0);
}

static void on_pic(struct guest_frame *frame)
{
    ticks++;
    if (frame->vector == VECTOR_RTC) {
        outb(0x70, 0x0C), (void)inb(0x71);
        outb(0xA0, 0x20);
    }
    outb(0x20, 0x20);
}

static void pic_start(uint16_t unmasked)
{
    outb(0x20, 0x11), outb(0x21, 0x20), outb(0x21, 0x04), outb(0x21, 0x01), outb(0x21, (uint8_t)~unmasked);
    outb(0xA0, 0x11), outb(0xA1, 0x28), outb(0xA1, 0x02), outb(0xA1, 0x01), outb(0xA1, (uint8_t)(~unmasked >> 8));
}

static void during(const char *name)
{
    ticks = 0;
    interrupts_on();
    uint64_t took = compute();
    interrupts_off();
    guest_print("%s: %u ticks, %u percent\n", name, ticks, (unsigned)(alone * 100 / took));
}

static void apic_periodic(uint8_t vector, unsigned ns, const char *name)
{
    mmio_write(APIC + LVT_TIMER, PERIODIC | vector);
    mmio_write(APIC + DIVIDE, BY_ONE);
    mmio_write(APIC + INITIAL, ns);
    during(name);
    mmio_write(APIC + INITIAL, 0);
    mmio_write(APIC + LVT_TIMER, MASKED);
}

static void apic_deadline(void)
{
    mmio_write(APIC + LVT_TIMER, DEADLINE | VECTOR_AGAIN);
    wrmsr(MSR_DEADLINE, rdtsc() + 1);
    during("deadline again");
    mmio_write(APIC + LVT_TIMER, MASKED);
}

static void pit(uint16_t irqs, uint16_t clocks, const char *name)
{
    pic_start(irqs);
    outb(0x43, 0x34);
    outb(0x40, (uint8_t)clocks), outb(0x40, clocks >> 8);
    during(name);
    outb(0x43, 0x30);
    pic_start(0);
}

static void rtc(void)
{
    pic_start(1 << 2 | 1 << 8);
    outb(0x70, 0x0A), outb(0x71, 0x20 | RTC_8192_HZ);
    outb(0x70, 0x0B), outb(0x71, 0x42);
    outb(0x70, 0x0C), (void)inb(0x71);
    during("RTC 8192 Hz");
    outb(0x70, 0x0B), outb(0x71, 0x02);
    pic_start(0);
}

int guest_main(void)
{
    guest_handle(VECTOR_PIT, on_pic), guest_handle(VECTOR_RTC, on_pic);
    guest_handle(VECTOR_TIMER, on_apic), guest_handle(VECTOR_EARLY, on_early), guest_handle(VECTOR_AGAIN, on_deadline);
    pic_start(0);
    mmio_write(APIC + SVR, 0x1FF);
    uint64_t least = (uint64_t)cpuid(LEAF_CLOCK, 0).eax * LEAST_MS;
    compute();
    while ((alone = compute()) < least)
        steps *= 2;
    apic_periodic(VECTOR_TIMER, 1000000, "APIC 1 ms");
    apic_periodic(VECTOR_TIMER, 30000, "APIC 30 us");
    apic_periodic(VECTOR_TIMER, 1000, "APIC 1 us");
    apic_periodic(VECTOR_EARLY, 30000, "EOI first 30 us");
    apic_deadline();
    pit(1, PIT_CLOCKS_30_US, "PIT 30 us");
    pit(1, PIT_CLOCKS_1_US, "PIT 1 us");
    pit(0, PIT_CLOCKS_1_US, "PIT 1 us, masked");
    rtc();
    guest_print("end\n");
    return 0;
}
