/* The payloads' runtime: the serial line, the exit status, and what happens on a trap. boot.S comes before it, the
 * payload's guest_main() after it. Text goes out on port 3F8 by polling; nothing here uses interrupts. */
#include "tests/guest/runtime/runtime.h"

#include <stdarg.h>

#include "lib/format.h"

enum {
    UART = 0x3F8,
    UART_FIFO = UART + 2,
    UART_LCR = UART + 3,
    UART_LSR = UART + 5,
    LSR_DATA = 1 << 0,
    LSR_THRE = 1 << 5,
    LCR_8N1 = 3,
    LCR_DLAB = 1 << 7,
    DEBUG_EXIT = 0xF4,
    DEBUG_CONSOLE = 0xE9,
    ACPI_PM1_CONTROL = 0xB004, /* Bochs', and a machine of CP's */
    QEMU_PM1_CONTROL = 0x604,
    ACPI_SLEEP_NOW = 0x2000,
};

uint32_t guest_failures;
uint64_t guest_try_error, guest_try_address;
extern uint64_t guest_try_stack;
extern char guest_try_landing[];
static guest_handler *handlers[256];

void guest_start(void);
void guest_trap(struct guest_frame *);

static void uart_init(void)
{
    outb(UART_LCR, LCR_DLAB | LCR_8N1);
    outb(UART, 1); /* 115200 baud */
    outb(UART + 1, 0);
    outb(UART_LCR, LCR_8N1); /* a UART left at five bits drops the top three of every byte */
    outb(UART + 1, 0);
    outb(UART_FIFO, 0x07);
    outb(UART + 4, 0x0B);
}

void guest_put(char c)
{
    if (c == '\n')
        guest_put('\r');
    while (!(inb(UART_LSR) & LSR_THRE))
        ;
    outb(UART, (uint8_t)c);
}

int guest_get_ready(void)
{
    return inb(UART_LSR) & LSR_DATA ? inb(UART) : -1;
}

int guest_get(void)
{
    int c;
    while ((c = guest_get_ready()) < 0)
        ;
    return c;
}

void guest_print(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    format_text_v(text, sizeof text, format, args);
    va_end(args);
    for (const char *p = text; *p; p++)
        guest_put(*p);
}

void guest_check(bool held, const char *name)
{
    guest_print("%s %s\n", held ? "ok" : "FAIL", name);
    guest_failures += !held;
}

void guest_check_equal(uint64_t found, uint64_t expected, const char *name)
{
    if (found == expected) {
        guest_check(true, name);
        return;
    }
    guest_print("FAIL %s: found %#llx, expected %#llx\n", name, (unsigned long long)found,
                (unsigned long long)expected);
    guest_failures++;
}

void guest_exit(uint32_t status)
{
    while (!(inb(UART_LSR) & 1 << 6)) /* the last byte has left the line */
        ;
    outl(DEBUG_EXIT, status);
    char text[32];
    format_text(text, sizeof text, "\nVMN-EXIT %u\n", status);
    for (const char *p = text; *p; p++)
        outb(DEBUG_CONSOLE, (uint8_t)*p);
    outw(ACPI_PM1_CONTROL, ACPI_SLEEP_NOW);
    outw(QEMU_PM1_CONTROL, ACPI_SLEEP_NOW);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void guest_handle(uint8_t vector, guest_handler *handler)
{
    handlers[vector] = handler;
}

static void report(const struct guest_frame *f)
{
    guest_print("\nTRAP %llu error %llx at %llx:%llx rflags %llx rsp %llx cr2 %llx\n", (unsigned long long)f->vector,
                (unsigned long long)f->error, (unsigned long long)f->cs, (unsigned long long)f->rip,
                (unsigned long long)f->rflags, (unsigned long long)f->rsp, (unsigned long long)read_cr2());
    const uint64_t *r = &f->rax;
    static const char names[15][4] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
                                      "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    for (unsigned i = 0; i < 15; i++)
        guest_print("%3s %016llx%s", names[i], (unsigned long long)r[i], i % 4 == 3 || i == 14 ? "\n" : "  ");
}

void guest_trap(struct guest_frame *f)
{
    if (handlers[f->vector]) {
        handlers[f->vector](f);
        return;
    }
    if (f->vector < 32 && guest_try_stack) {
        guest_try_error = f->error;
        guest_try_address = read_cr2();
        f->rax = f->vector;
        f->rsp = guest_try_stack;
        f->rip = (uint64_t)(uintptr_t)guest_try_landing;
        return;
    }
    report(f);
    guest_exit(0x80 + (uint32_t)f->vector);
}

struct msr_access {
    uint32_t msr;
    uint64_t value;
};

static void read_step(void *p)
{
    struct msr_access *a = p;
    a->value = rdmsr(a->msr);
}

static void write_step(void *p)
{
    struct msr_access *a = p;
    wrmsr(a->msr, a->value);
}

uint8_t guest_try_read_msr(uint32_t msr, uint64_t *value)
{
    struct msr_access a = {msr, 0};
    uint8_t vector = guest_try(read_step, &a);
    *value = a.value;
    return vector;
}

uint8_t guest_try_write_msr(uint32_t msr, uint64_t value)
{
    struct msr_access a = {msr, value};
    return guest_try(write_step, &a);
}

void guest_start(void)
{
    uart_init();
    guest_exit((uint32_t)guest_main());
}
