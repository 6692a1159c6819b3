/* Question: where does a program go on behind an instruction that CP carries out, if that was the last one before the
 * edge of what may be an address? At the end of the lower half of the canonical addresses the next fetch is #GP, at an
 * address that is not canonical; at the end of 4 GiB outside 64-bit mode it is at 0. Prints the same on a PC as under
 * CP. SDM "Canonical Addressing", "Instruction Pointer".
 *
 * Not asked: MOV to CR3 and CLTS, behind which QEMU 7.2 goes on beyond 4 GiB by itself. */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { VECTOR_GP = 13, VECTOR_MARK = 0x60, FRAME = 0x2000000, LARGE = 0x200000, APIC_VERSION = 0xFEE00030,
       CODE32 = 0x18 };
enum { MAP = 0x83 }; /* a page of 2 MiB, writable */
#define HALF_END 0x0000800000000000ull
#define LOW_END 0x0000000100000000ull

static const struct instruction {
    uint64_t rax, rcx, rdx, rsi; /* first, for the assembly */
    const char *name;
    uint32_t result; /* in EAX, where it is looked at */
    uint8_t length, bytes[3];
} instructions[] = {
    {0x77, 0, 0, 0, "NOP", 0x77, 1, {0x90}},
    {0x40000000 - 1, 0, 0, 0, "CPUID", 0, 2, {0x0F, 0xA2}},
    {0, 0x10, 0, 0, "RDMSR", 0, 2, {0x0F, 0x32}},
    {0x00070406, 0x277, 0x00070406, 0, "WRMSR", 0, 2, {0x0F, 0x30}},
    {0, 0, 0x3FD, 0, "IN", 0, 1, {0xEC}},
    {0x55, 0, 0x80, 0, "OUT", 0x55, 1, {0xEE}},
    {0x66, 0, 0, 0, "WBINVD", 0x66, 2, {0x0F, 0x09}},
    {0, 0, 0, APIC_VERSION, "a read of the APIC", 0, 2, {0x8B, 0x06}},
    {0x400, 0, 0, 0, "MOV to DR7", 0x400, 3, {0x0F, 0x23, 0xF8}},
};
enum { INSTRUCTIONS = sizeof instructions / sizeof *instructions };

static struct {
    uint64_t vector, rip, cs, rax, error;
} came;

extern const char edge_landing[];
uint64_t edge_go(const struct instruction *, uint64_t rip, uint64_t cs);
__asm__(".text\n"
        "edge_go: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, edge_rsp(%rip)\n"
        "mov %rdx, %r8; mov %rsi, %r9\n"
        "mov (%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rsi\n"
        "push %r8; push %r9; lretq\n"
        ".globl edge_landing\n"
        "edge_landing: mov edge_rsp(%rip), %rsp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"
        ".lcomm edge_rsp, 8\n");

static void note(struct guest_frame *frame)
{
    came.vector = frame->vector, came.rip = frame->rip, came.cs = frame->cs, came.rax = frame->rax,
    came.error = frame->error;
    frame->rip = (uintptr_t)edge_landing;
    frame->cs = 8;
}

static uint64_t descriptors[] = {0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF};
static uint64_t pointers[512] __attribute__((aligned(4096))), directory[512] __attribute__((aligned(4096)));

static void map(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } gdtr = {sizeof descriptors - 1, (uintptr_t)descriptors};
    uint64_t *top = (uint64_t *)(uintptr_t)(read_cr3() & ~0xFFFull), *low;

    __asm__ volatile("lgdt %0" : : "m"(gdtr));
    top[255] = (uintptr_t)pointers | 3;
    pointers[511] = (uintptr_t)directory | 3;
    directory[511] = FRAME | MAP;
    low = (uint64_t *)(uintptr_t)(top[0] & ~0xFFFull);
    low = (uint64_t *)(uintptr_t)(low[3] & ~0xFFFull);
    low[511] = FRAME | MAP;
    write_cr3(read_cr3());
}

static void try(const struct instruction *i, uint64_t end, uint64_t cs, uint64_t rip, uint64_t vector,
                const char *where)
{
        memcpy((void *)(uintptr_t)(FRAME + LARGE - i->length), i->bytes, i->length);
    memset(&came, 0, sizeof came);
    (void)edge_go(i, end - i->length, cs);
    bool right = came.vector == vector && came.rip == rip && came.cs == cs && (!i->result || came.rax == i->result);
    guest_print("%s %s %s\n", right ? "ok" : "FAIL", i->name, where);
    if (!right) {
        guest_print("  vector %llu at %llx:%llx, error %llx, RAX %llx\n", (unsigned long long)came.vector,
                    (unsigned long long)came.cs, (unsigned long long)came.rip, (unsigned long long)came.error,
                    (unsigned long long)came.rax);
        guest_failures++;
    }
}

int guest_main(void)
{
    static const uint8_t mark[] = {0xCD, VECTOR_MARK};

    map();
    memcpy((void *)(uintptr_t)(FRAME + LARGE), mark, sizeof mark);
    __asm__ volatile("" : : : "memory");
    volatile uint8_t *zero = (volatile uint8_t *)0;
    __asm__("" : "+r"(zero)); /* not NULL to the compiler */
    zero[0] = mark[0], zero[1] = mark[1];
    guest_handle(VECTOR_GP, note);
    guest_handle(VECTOR_MARK, note);
    for (unsigned i = 0; i < INSTRUCTIONS; i++)
        try(&instructions[i], HALF_END, 8, HALF_END, VECTOR_GP, "before what is not canonical");
    for (unsigned i = 0; i < INSTRUCTIONS; i++)
        try(&instructions[i], LOW_END, CODE32, sizeof mark, VECTOR_MARK, "before 4 GiB");
    guest_print("end\n");
    return (int)guest_failures;
}
