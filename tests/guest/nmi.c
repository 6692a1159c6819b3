/* Question: does an NMI that comes in the handler of another wait until its IRET is complete? Whatever the IRET meets:
 * a part of its frame lies in a page that was never touched. SDM "Handling Multiple NMIs". Prints the same on a PC as
 * under CP. */
#include "tests/guest/runtime/runtime.h"

enum { VECTOR_NMI = 2, ICR = 0xFEE00300, ICR_HIGH = 0xFEE00310, NMI_TO_SELF = 0x4400, MANY = 20, PAGE = 4096 };
enum { USED = 0x2000000, NEVER_TOUCHED = 0x2801000, FRAME_HEAD = 24 /* RIP, CS and RFLAGS; RSP and SS follow */ };

struct place {
    uint64_t rip, rsp;
};
static volatile unsigned taken, wanted;
static volatile struct place at[MANY];
static volatile uint64_t frame; /* 0: the handler returns as ever */

static void self_nmi(void)
{
    mmio_write(ICR_HIGH, 0);
    mmio_write(ICR, NMI_TO_SELF);
}

extern char nmi_iret[], nmi_target[];
/* Returns by a frame at `from`, of which the stack is the rest, zeros: RSP and SS are 0 at nmi_target. */
void nmi_return(uint64_t from);
__asm__(".text\n"
        "nmi_return:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, %rbx\n"
        "    lea nmi_target(%rip), %rax\n"
        "    mov %rax, (%rdi)\n"
        "    movq $8, 8(%rdi)\n"
        "    movq $2, 16(%rdi)\n"
        "    mov %rdi, %rsp\n"
        "nmi_iret: iretq\n"
        "nmi_target: mov %rbx, %rsp\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n");

static void handle(struct guest_frame *f)
{
    unsigned n = taken++;

    if (n < MANY)
        at[n] = (struct place){f->rip, f->rsp};
    if (n + 1 < wanted)
        self_nmi(); /* waits: they are blocked */
    if (n == 0 && frame)
        nmi_return(frame);
}

static void run(unsigned count, uint64_t from)
{
    taken = 0;
    wanted = count;
    frame = from;
    self_nmi();
    while (taken < count)
        ;
}

static void by_frame(uint64_t page, const char *name)
{
    *(volatile uint8_t *)page = 1; /* of the two pages of the frame the first is there */
    run(2, page + PAGE - FRAME_HEAD);
    guest_check_equal(at[1].rip, (uintptr_t)nmi_target, name);
}

/* what an NMI at nmi_target pushes goes below 0, to the end of the address space */
static uint64_t tables[3][512] __attribute__((aligned(PAGE)));
static uint8_t stack[PAGE] __attribute__((aligned(PAGE)));

static void map_top(void)
{
    uint64_t *top = (uint64_t *)(read_cr3() & ~0xFFFull);

    top[511] = (uintptr_t)tables[0] | 3;
    tables[0][511] = (uintptr_t)tables[1] | 3;
    tables[1][511] = (uintptr_t)tables[2] | 3;
    tables[2][511] = (uintptr_t)stack | 3;
    for (unsigned i = 0; i < PAGE; i++)
        ((volatile uint8_t *)stack)[i] = 0;
}

int guest_main(void)
{
    guest_handle(VECTOR_NMI, handle);
    run(MANY, 0);
    bool nested = false;
    for (unsigned i = 1; i < MANY; i++)
        nested = nested || at[i].rsp != at[0].rsp;
    guest_check(!nested, "twenty do not nest");
    map_top();
    ((volatile uint64_t *)(USED + PAGE))[0] = ((volatile uint64_t *)(USED + PAGE))[1] = 0;
    by_frame(USED, "by a frame in pages used before");
    by_frame(NEVER_TOUCHED, "by a frame into a page never touched");
    guest_print("end\n");
    return (int)guest_failures;
}
