/* Question: is what kernels under test expect of the machine there, as QEMU's pc-testdev has it? Bytes that keep what
 * is stored, by IN and OUT and their string forms; interrupts that are held; memory that is a device's. */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { WORD = 0xE0, RENEW = 0xE4, BYTE = 0xE8, IRQ = 0x2000, MEMORY = 0xFF000000, LINES = 16, VECTOR_BASE = 0x20,
       ISA = 5 };

static volatile unsigned interrupts;

static void on_interrupt(struct guest_frame *frame)
{
    (void)frame;
    interrupts++;
    outb(0x20, 0x20);
}

static void bytes(void)
{
    static const char text[] = "abcdefgh";
    char last[4] = {0};
    const void *from = text;
    void *to = last;
    uint64_t count = sizeof(text) - 1;

    outl(WORD, 0x44332211);
    guest_check_equal(inl(WORD), 0x44332211, "four bytes");
    guest_check_equal(inb(WORD + 2), 0x33, "one of them");
    outb(WORD + 1, 0xAA);
    guest_check_equal(inl(WORD), 0x4433AA11, "changed alone");
    guest_check_equal(inb(BYTE), 0x11, "by bytes");
    __asm__ volatile("cld; rep outsb" : "+S"(from), "+c"(count) : "d"((uint16_t)WORD) : "memory");
    count = sizeof(last);
    __asm__ volatile("cld; rep insb" : "+D"(to), "+c"(count) : "d"((uint16_t)WORD) : "memory");
    guest_check(!memcmp(last, "hhhh", sizeof(last)), "strings");
}

static void page(void)
{
    static volatile uint64_t words[512] __attribute__((aligned(4096)));

    words[7] = 0x1234;
    outl(RENEW, (uint32_t)(uintptr_t)words);
    guest_check_equal(words[7], 0x1234, "a page translated anew");
}

static void interrupt(void)
{
    guest_handle(VECTOR_BASE + ISA, on_interrupt);
    outb(0x20, 0x11), outb(0x21, VECTOR_BASE), outb(0x21, 4), outb(0x21, 1), outb(0x21, (uint8_t)~(1 << ISA));
    outb(IRQ + ISA, 1);
    interrupts_on(), (void)rdtsc(), interrupts_off();
    guest_check_equal(interrupts, 1, "held, an interrupt is one");
    outb(IRQ + ISA, 0), outb(IRQ + ISA, 1);
    interrupts_on(), (void)rdtsc(), interrupts_off();
    guest_check_equal(interrupts, 2, "and held again another");
    outb(IRQ + ISA, 0);
}

static void memory(void)
{
    volatile uint64_t *wide = (volatile uint64_t *)(uintptr_t)(MEMORY + 0x1000);

    *wide = 0x8877665544332211;
    guest_check_equal(*wide, 0x8877665544332211, "memory of a device");
    guest_check_equal(*(volatile uint16_t *)(uintptr_t)(MEMORY + 0x1002), 0x4433, "parts of it");
    __asm__ volatile("lock addl $1, (%0)" : : "r"(wide) : "memory", "cc");
    guest_check_equal(*wide, 0x8877665544332212, "read, changed, written");
    __asm__ volatile("smsw (%0)" : : "r"(wide) : "memory");
    guest_check_equal(*wide, 0x8877665544330000 | (read_cr0() & 0xFFFF), "CR0's low half stored there");
}

int guest_main(void)
{
    bytes();
    page();
    interrupt();
    memory();
    guest_print("end\n");
    return (int)guest_failures;
}
