/* Question: does an interrupt that waits come at the boundary where it should, whoever carries out the instruction
 * there: behind the one that follows STI, not before it; right behind what lowers the priority, ends an interrupt,
 * writes the ICR, or loads RFLAGS; and what does a fault in the shadow of STI, or a trap with it? SDM "Masking Maskable
 * Hardware Interrupts", STI, "Task and Processor Priorities". Prints the same on a PC as under CP. */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { VECTOR_DB = 1, VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_WAITING = 0x51, VECTOR_OTHER = 0x61 };
enum { EOI = 0xB0, SVR = 0xF0, ICR = 0x300, TPR = 0x80, TO_SELF = 1 << 18 };
#define APIC 0xFEE00000ull
#define FLAG_TF 0x100ull
#define FLAG_IF 0x200ull

static char record[256];
static const char *base;

/* Each event as its letter and where it was, from the label. */
static void note(char letter, uint64_t rip)
{
    size_t n = strlen(record);
    int64_t at = (int64_t)(rip - (uintptr_t)base);

    if (n + 6 > sizeof record)
        return;
    record[n++] = ' ', record[n++] = letter;
    if (at < 0 || at > 99) {
        record[n++] = '?';
    } else {
        if (at >= 10)
            record[n++] = (char)('0' + at / 10);
        record[n++] = (char)('0' + at % 10);
    }
    record[n] = 0;
}

static void interrupt(struct guest_frame *frame)
{
    note(frame->vector == VECTOR_WAITING ? 'i' : 'o', frame->rip);
    mmio_write(APIC + EOI, 0);
}

static void step(struct guest_frame *frame)
{
    note(read_dr6() & 0x4000 ? 's' : 'b', frame->rip);
    write_dr6(0xFFFF0FF0);
}

/* What faults is two bytes long; its handler goes on behind it. */
static void fault(struct guest_frame *frame)
{
    note(frame->vector == VECTOR_UD ? 'u' : frame->vector == VECTOR_GP ? 'g' : 'p', frame->rip);
    frame->rip += 2;
}

static void send(uint8_t vector) { mmio_write(APIC + ICR, TO_SELF | vector); }

/* `text` runs with interrupts off, RDX = 3FDH (a UART), RSI the APIC's TPR, RCX = 1BH, RAX = 0; what it met is printed,
 * and what came late. */
#define RUN(name, before, text) \
    do { \
        extern const char at_##name[]; \
        base = at_##name; \
        record[0] = 0; \
        before; \
        uint64_t a = 0, b, c = 0x1B, d = 0x3FD, s = APIC + TPR, t = (uintptr_t)bytes; \
        __asm__ volatile("lea -256(%%rsp), %%rsp\n.globl at_" #name "\nat_" #name ":\n" text \
                         "\ncli\nlea 256(%%rsp), %%rsp" \
                         : "+a"(a), "=b"(b), "+c"(c), "+d"(d), "+S"(s), "+D"(t) : : "memory", "cc"); \
        guest_print("%s:%s\n", #name, record); \
        drain(); \
    } while (0)

static uint8_t bytes[64];

static void drain(void)
{
    record[0] = 0;
    write_cr8(0);
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    if (record[0])
        guest_print("  left:%s\n", record);
}

static void waits(void) { send(VECTOR_WAITING); }
static void two(void) { send(VECTOR_OTHER), send(VECTOR_WAITING); }
static void nothing(void) { }
static void low(void) { write_cr8(6), send(VECTOR_WAITING); }

static void behind_sti(void)
{
    RUN(sti_nop, waits(), "sti; nop; nop; nop");
    RUN(sti_cpuid, waits(), "sti; cpuid; nop; nop");
    RUN(sti_in, waits(), "sti; in %%dx, %%al; nop; nop");
    RUN(sti_load, waits(), "sti; mov (%%rsi), %%eax; nop; nop");
    RUN(sti_store, waits(), "sti; mov %%eax, (%%rsi); nop; nop");
    RUN(sti_rdmsr, waits(), "sti; rdmsr; nop; nop");
    RUN(sti_cr3, waits(), "mov %%cr3, %%rax; sti; mov %%rax, %%cr3; nop; nop");
    RUN(sti_cr0, waits(), "mov %%cr0, %%rax; sti; mov %%rax, %%cr0; nop; nop");
    RUN(sti_wbinvd, waits(), "sti; wbinvd; nop; nop");
    RUN(sti_sti, waits(), "sti; sti; nop; nop");
    RUN(sti_cli, waits(), "sti; cli; nop; nop");
    RUN(sti_cpuid_cli, waits(), "sti; cpuid; cli; nop; nop");
    RUN(sti_hlt, waits(), "sti; hlt; nop; nop");
    RUN(sti_load_cli, waits(), "sti; mov (%%rsi), %%eax; cli; nop");
    RUN(sti_dr7, waits(), "mov %%dr7, %%rax; sti; mov %%rax, %%dr7; nop; nop");
    RUN(sti_insb, waits(), "sti; insb; nop; nop");
    RUN(sti_two, two(), "sti; cpuid; nop; nop");
}

static void at_once(void)
{
    RUN(popf_nop, waits(), "pushf; orl $0x200, (%%rsp); popf; nop; nop");
    RUN(cr8_lower, low(), "sti; nop; nop; xor %%eax, %%eax; mov %%rax, %%cr8; nop; nop");
    RUN(tpr_lower, low(), "sti; nop; nop; xor %%eax, %%eax; mov %%eax, (%%rsi); nop; nop");
    RUN(icr, nothing(), "sti; nop; nop; mov $0x40051, %%eax; mov %%eax, 0x280(%%rsi); nop; nop; nop");
    RUN(icr_sti, nothing(), "mov $0x40051, %%eax; mov %%eax, 0x280(%%rsi); sti; mov %%eax, 0x280(%%rsi); nop; nop");
    RUN(iret, waits(), "mov %%ss, %%eax; mov %%rsp, %%rcx; push %%rax; push %%rcx; pushf; orl $0x200, (%%rsp); "
                       "mov %%cs, %%eax; push %%rax; lea 1f(%%rip), %%rax; push %%rax; iretq; 1: cpuid; nop; nop");
    RUN(mov_ss_popf, waits(), "mov %%ss, %%eax; pushf; orl $0x200, (%%rsp); mov %%eax, %%ss; popf; nop; nop");
}

static void with_faults(void)
{
    RUN(sti_ud, waits(), "sti; ud2; nop; nop");
    RUN(sti_gp, waits(), "mov $0xC0000080, %%ecx; mov $2, %%eax; xor %%edx, %%edx; sti; wrmsr; nop; nop");
    RUN(sti_pf, waits(), "mov $0x7F0000000000, %%rdi; sti; mov (%%rdi), %%eax; nop; nop");
}

static void with_steps(void)
{
#define STEP "pushf; orl $0x300, (%%rsp); popf; "
#define OVER "pushf; andl $~0x100, (%%rsp); popf; nop"
    RUN(step_waits, waits(), STEP "nop; nop; " OVER);
    RUN(step_cpuid, nothing(), STEP "cpuid; nop; " OVER);
    RUN(step_ud, nothing(), STEP "ud2; cpuid; " OVER);
    RUN(step_sti_cpuid, waits(), "pushf; orl $0x100, (%%rsp); popf; sti; cpuid; nop; " OVER);
    RUN(step_icr, nothing(), STEP "mov $0x40051, %%eax; mov %%eax, 0x280(%%rsi); nop; " OVER);
    RUN(step_mov_ss_cpuid, nothing(), "mov %%ss, %%ebx; xor %%eax, %%eax; " STEP "mov %%ebx, %%ss; cpuid; nop; " OVER);
    RUN(step_mov_ss_load, nothing(), "mov %%ss, %%eax; " STEP "mov %%eax, %%ss; mov (%%rsi), %%eax; nop; " OVER);
    RUN(step_mov_ss_in, nothing(), "mov %%ss, %%eax; " STEP "mov %%eax, %%ss; in %%dx, %%al; nop; " OVER);
    RUN(step_mov_ss_ud, nothing(), "mov %%ss, %%eax; " STEP "mov %%eax, %%ss; ud2; nop; " OVER);
    RUN(step_insb, nothing(), "mov $3, %%ecx; " STEP "rep insb; nop; " OVER);
    RUN(step_insb_waits, waits(), "mov $3, %%ecx; " STEP "rep insb; nop; " OVER);
    RUN(step_int3, nothing(), STEP "int3; nop; " OVER);
    RUN(step_int1, nothing(), STEP ".byte 0xF1; nop; " OVER);
}

static void software(struct guest_frame *frame) { note('3', frame->rip); }

int guest_main(void)
{
    outb(0x21, 0xFF), outb(0xA1, 0xFF);
    mmio_write(APIC + SVR, 0x1FF);
    guest_handle(VECTOR_WAITING, interrupt), guest_handle(VECTOR_OTHER, interrupt);
    guest_handle(VECTOR_DB, step), guest_handle(3, software);
    guest_handle(VECTOR_UD, fault), guest_handle(VECTOR_GP, fault), guest_handle(VECTOR_PF, fault);
    behind_sti();
    at_once();
    with_faults();
    with_steps();
    guest_print("end\n");
    return 0;
}
