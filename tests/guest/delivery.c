/* Question: does an event arrive as it is when the stack its frame is pushed to lies in a page that CP has not given
 * yet? Its delivery ends in an exit and is made again: RIP behind a software interrupt and at a fault, the error code,
 * CR2 and DR6 must be what they were, and each comes once. Prints the same on a PC as under CP (Bochs itself sends no
 * NMI). SDM "Information for VM Exits During Event Delivery". */
#include "tests/guest/runtime/runtime.h"

enum { FRESH = 0x2400000, PAGE_BYTES = 4096, SVR = 0xFEE000F0, APIC_EOI = 0xFEE000B0, ICR = 0xFEE00300,
       TO_SELF = 1 << 18, NMI = 4 << 8, VECTOR_SELF = 0x51, TF = 1 << 8 };
#define ABSENT 0x5000000000ull

static struct {
    unsigned times;
    uint64_t vector, error, rip, flags, cr2, dr6, rsp;
} came;

extern const char delivery_landing[], delivery_end[];
static uint64_t page = FRESH;

static void note(struct guest_frame *frame)
{
    uint64_t dr6;

    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    if (!came.times++) {
        came.vector = frame->vector, came.error = frame->error, came.rip = frame->rip, came.flags = frame->rflags;
        came.cr2 = read_cr2(), came.dr6 = dr6, came.rsp = frame->rsp;
    }
    if (frame->vector == VECTOR_SELF)
        mmio_write(APIC_EOI, 0);
    __asm__ volatile("mov %0, %%dr6" : : "r"(0xFFFF0FF0ull));
    frame->rip = (uintptr_t)delivery_landing;
    frame->rflags = 2;
}

/* On a stack that ends in `stack`: the code at `begin`, which does not come back. */
void delivery_go(const void *begin, uint64_t stack);
__asm__(".text\n"
        "delivery_go: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, delivery_rsp(%rip)\n"
        "mov %rsi, %rsp; xor %eax, %eax; mov $0xFEE00300, %edx; movabs $0x5000000000, %rcx\n"
        "jmp *%rdi\n"
        ".globl delivery_landing\n"
        "delivery_landing: mov delivery_rsp(%rip), %rsp\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"
        ".lcomm delivery_rsp, 8\n"
        "do_int: int $0x60\ndo_int_end: hlt\n"
        "do_int3: int3\ndo_int3_end: hlt\n"
        "do_int3_long: .byte 0xCD, 3\ndo_int3_long_end: hlt\n"
        "do_int1: .byte 0xF1\ndo_int1_end: hlt\n"
        "do_ud: ud2\n"
        "do_gp_selector: mov $0x1234, %eax; do_gp_selector_at: mov %eax, %ds\n"
        "do_pf: mov (%rcx), %eax\n"
        "do_pf_write: cpuid; movabs $0x5000000000, %rcx; do_pf_write_at: movb $1, 8(%rcx)\n"
        "do_pf_fetch: jmp *%rcx\n"
        "do_de: div %eax\n"
        "do_self: movl $0x40051, (%rdx); sti; nop; do_self_end: hlt\n"
        "do_nmi: movl $0x40400, (%rdx); do_nmi_end: hlt\n");
#define PLACES(X) \
    X(do_int) X(do_int_end) X(do_int3) X(do_int3_end) X(do_int3_long) X(do_int3_long_end) X(do_int1) X(do_int1_end) \
    X(do_ud) X(do_gp_selector) X(do_gp_selector_at) X(do_pf) X(do_pf_write) X(do_pf_write_at) X(do_pf_fetch) X(do_de) \
    X(do_self) X(do_self_end) X(do_nmi) X(do_nmi_end)
#define DECLARE(name) extern const char name[];
PLACES(DECLARE)

static const struct {
    const char *name, *begin, *at; /* NULL: at ABSENT */
    uint64_t vector, error, cr2, dr6;
} cases[] = {
    {"INT n", do_int, do_int_end, 0x60, 0, 0, 0}, {"INT3", do_int3, do_int3_end, 3, 0, 0, 0},
    {"INT 3", do_int3_long, do_int3_long_end, 3, 0, 0, 0}, {"INT1", do_int1, do_int1_end, 1, 0, 0, 0},
    {"#UD", do_ud, do_ud, 6, 0, 0, 0}, {"#GP of a selector", do_gp_selector, do_gp_selector_at, 13, 0x1234, 0, 0},
    {"#PF", do_pf, do_pf, 14, 0, ABSENT, 0}, {"#PF of a write", do_pf_write, do_pf_write_at, 14, 2, ABSENT + 8, 0},
    {"#PF of a fetch", do_pf_fetch, NULL, 14, 0, ABSENT, 0}, {"#DE", do_de, do_de, 0, 0, 0, 0},
    {"an interrupt", do_self, do_self_end, VECTOR_SELF, 0, 0, 0}, {"an NMI", do_nmi, do_nmi_end, 2, 0, 0, 0},
};

int guest_main(void)
{
    outb(0x21, 0xFF), outb(0xA1, 0xFF);
    mmio_write(SVR, 0x1FF);
    for (unsigned v = 0; v < 256; v++)
        guest_handle((uint8_t)v, note);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned split = 0; split < 2; split++) { /* the frame in a new page; in two of them */
            uint64_t stack = page + PAGE_BYTES + (split ? 16 : 0x800);

            page += 3 * PAGE_BYTES;
            came.times = 0;
            write_cr2(0x77);
            delivery_go(cases[i].begin, stack);
            uint64_t at = cases[i].at ? (uint64_t)(uintptr_t)cases[i].at : ABSENT;
            bool right = came.times == 1 && came.vector == cases[i].vector && came.error == cases[i].error &&
                         came.rip == at && came.cr2 == (cases[i].cr2 ? cases[i].cr2 : 0x77) && came.rsp == stack &&
                         !(came.flags & TF) && (came.dr6 & 0xE00F) == cases[i].dr6;
            guest_print("%s %s%s\n", right ? "ok" : "FAIL", cases[i].name, split ? " across two pages" : "");
            if (!right)
                guest_print("  %u times vector %llu error %#llx at %+lld CR2 %#llx DR6 %#llx RSP %+lld\n", came.times,
                            (unsigned long long)came.vector, (unsigned long long)came.error, (long long)(came.rip - at),
                            (unsigned long long)came.cr2, (unsigned long long)came.dr6, (long long)(came.rsp - stack));
            guest_failures += !right;
        }
    guest_print("end\n");
    return (int)guest_failures;
}
