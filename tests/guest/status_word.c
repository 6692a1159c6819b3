/* Question: does SMSW or LMSW with an operand in memory fault as a store or load of that word does, where segmentation,
 * alignment or paging has something against it, and change nothing then? In 64-bit and 32-bit code, in ring 0 and 3.
 * Prints the same on a PC as under CP. SDM "Memory-Management Registers", "Limit Checking", "Canonical Addressing". */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { VECTOR_SS = 12, VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_AC = 17, VECTOR_END = 0x60, NONE = GUEST_NO_TRAP };
enum { CODE_64 = 0x08, DATA = 0x10, CODE_32 = 0x18, SHORT = 0x20, READ_ONLY = 0x28, USER_CODE = 0x30, USER_DATA = 0x38,
       TASK = 0x40, SEGMENTS = 10 };
enum { SHORT_LIMIT = 0xFFF, PATTERN = 0x5A5A, AC_FLAG = 1 << 18, ALIGNMENT_MASK = 1 << 18, USER = 4, NOTHING = 0x100 };
#define NOT_CANONICAL 0x8000000000000000ull

static uint64_t table[SEGMENTS] = {0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF, 0x0040930000000FFF,
                                   0x00CF91000000FFFF, 0x00AFFB000000FFFF, 0x00CFF3000000FFFF};
static struct __attribute__((packed)) {
    uint32_t reserved;
    uint64_t rsp0;
    uint8_t rest[92];
} task;
static uint8_t page[4096] __attribute__((aligned(4096))), stack_0[4096] __attribute__((aligned(16))),
    stack_3[4096] __attribute__((aligned(16)));
static volatile unsigned vector, error;

/* Ends what runs in ring 3 or 32-bit code, wherever it is. */
extern const char word_landing[];
void word_go(uint64_t rip, uint64_t cs, uint64_t flags, uint64_t at, uint64_t ss, uint64_t rsp);
__asm__(".text\n"
        "word_go: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, word_rsp(%rip); mov %rcx, %rax; mov %rcx, %rbp\n"
        "push %r8; push %r9; push %rdx; push %rsi; push %rdi; iretq\n"
        "word_landing: mov word_rsp(%rip), %rsp; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n"
        ".lcomm word_rsp, 8\n");

static void note(struct guest_frame *frame)
{
    vector = frame->vector == VECTOR_END ? NONE : (unsigned)frame->vector;
    error = vector == NONE ? 0 : (unsigned)frame->error;
    frame->rip = (uintptr_t)word_landing;
    frame->cs = CODE_64;
    frame->ss = DATA;
    frame->rflags = 2;
}

#define PLACE(name, bits, text) \
    extern const char name[]; \
    __asm__(".text\n" bits "\n" #name ": " text "; int $0x60; .code64");
PLACE(smsw_64, ".code64", "smsw (%rax)")
PLACE(smsw_stack, ".code64", "smsw (%rbp)")
PLACE(lmsw_64, ".code64", "lmsw (%rax)")
PLACE(lmsw_stack, ".code64", "lmsw (%rbp)")
PLACE(smsw_32, ".code32", "mov $0x20, %ecx; mov %ecx, %es; smsw %es:(%eax)")
PLACE(lmsw_32, ".code32", "mov $0x20, %ecx; mov %ecx, %es; lmsw %es:(%eax)")
PLACE(smsw_code, ".code32", "smsw %cs:(%eax)")
PLACE(smsw_read_only, ".code32", "mov $0x28, %ecx; mov %ecx, %es; smsw %es:(%eax)")
PLACE(lmsw_read_only, ".code32", "mov $0x28, %ecx; mov %ecx, %es; lmsw %es:(%eax)")
PLACE(smsw_null, ".code32", "xor %ecx, %ecx; mov %ecx, %es; smsw %es:(%eax)")
PLACE(lmsw_null, ".code32", "xor %ecx, %ecx; mov %ecx, %es; lmsw %es:(%eax)")

static const struct {
    const char *name, *rip;
    uint16_t cs;
    bool aligns, in_page; /* RFLAGS.AC; `at` is an offset in the page */
    uint64_t at;
    unsigned vector, error;
} tries[] = {
    {"SMSW where it may", smsw_64, CODE_64, false, true, 8, NONE, 0},
    {"LMSW where it may", lmsw_64, CODE_64, false, true, 8, NONE, 0},
    {"SMSW, not canonical", smsw_64, CODE_64, false, false, NOT_CANONICAL, VECTOR_GP, 0},
    {"SMSW, not canonical, by RBP", smsw_stack, CODE_64, false, false, NOT_CANONICAL, VECTOR_SS, 0},
    {"SMSW, half of it canonical", smsw_64, CODE_64, false, false, 0x00007FFFFFFFFFFF, VECTOR_GP, 0},
    {"LMSW, not canonical", lmsw_64, CODE_64, false, false, NOT_CANONICAL, VECTOR_GP, 0},
    {"LMSW, not canonical, by RBP", lmsw_stack, CODE_64, false, false, NOT_CANONICAL, VECTOR_SS, 0},
    {"SMSW at the end of a segment", smsw_32, CODE_32, false, false, SHORT_LIMIT - 1, NONE, 0},
    {"SMSW beyond the limit", smsw_32, CODE_32, false, false, SHORT_LIMIT, VECTOR_GP, 0},
    {"LMSW beyond the limit", lmsw_32, CODE_32, false, false, SHORT_LIMIT, VECTOR_GP, 0},
    {"SMSW to a code segment", smsw_code, CODE_32, false, true, 8, VECTOR_GP, 0},
    {"SMSW to a read-only segment", smsw_read_only, CODE_32, false, true, 8, VECTOR_GP, 0},
    {"LMSW from a read-only segment", lmsw_read_only, CODE_32, false, true, 8, NONE, 0},
    {"SMSW to a null segment", smsw_null, CODE_32, false, true, 8, VECTOR_GP, 0},
    {"LMSW from a null segment", lmsw_null, CODE_32, false, true, 8, VECTOR_GP, 0},
    {"SMSW in ring 3", smsw_64, USER_CODE, true, true, 8, NONE, 0},
    {"SMSW in ring 3, not aligned", smsw_64, USER_CODE, true, true, 9, VECTOR_AC, 0},
    {"SMSW in ring 3, not aligned, unchecked", smsw_64, USER_CODE, false, true, 9, NONE, 0},
    {"SMSW in ring 3, not canonical", smsw_64, USER_CODE, true, false, NOT_CANONICAL + 1, VECTOR_GP, 0},
    {"LMSW in ring 3, not aligned", lmsw_64, USER_CODE, true, true, 9, VECTOR_GP, 0},
};

/* All that is mapped is ring 3's too; the segments, and the stack of ring 0. */
static void prepare(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof table - 1, (uintptr_t)table}, interrupts = {0, 0};
    uint64_t at = (uintptr_t)&task, *top = (uint64_t *)(uintptr_t)(read_cr3() & ~0xFFFull), *next;

    table[SHORT / 8] |= (uint64_t)((uintptr_t)page & 0xFFFFFF) << 16;
    table[TASK / 8] = 0x0000890000000067 | (at & 0xFFFFFF) << 16 | (at & 0xFF000000) << 32;
    task.rsp0 = (uintptr_t)(stack_0 + sizeof stack_0);
    __asm__ volatile("lgdt %1; ltr %w2; sidt %0" : "+m"(interrupts) : "m"(pointer), "r"(TASK));
    ((uint8_t *)(uintptr_t)interrupts.base)[VECTOR_END * 16 + 5] |= 3 << 5; /* ring 3 may */
    top[0] |= USER;
    next = (uint64_t *)(uintptr_t)(top[0] & ~0xFFFull);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t *directory = (uint64_t *)(uintptr_t)(next[i] & ~0xFFFull);
        next[i] |= USER;
        for (unsigned j = 0; j < 512; j++)
            directory[j] |= USER;
    }
    write_cr3(read_cr3());
    write_cr0(read_cr0() | ALIGNMENT_MASK);
}

static bool untouched(void)
{
    const volatile uint16_t *words = (const volatile uint16_t *)page, *low = (const volatile uint16_t *)0;

    __asm__("" : "+r"(low)); /* not NULL to the compiler */
    for (unsigned i = 0; i < sizeof page / 2; i++)
        if (words[i] != PATTERN)
            return false;
    return low[0] == PATTERN;
}

int guest_main(void)
{
    volatile uint16_t *low = (volatile uint16_t *)0;

    __asm__("" : "+r"(low));
    prepare();
    guest_handle(VECTOR_SS, note);
    guest_handle(VECTOR_GP, note);
    guest_handle(VECTOR_PF, note);
    guest_handle(VECTOR_AC, note);
    guest_handle(VECTOR_END, note);
    for (unsigned i = 0; i < sizeof tries / sizeof *tries; i++) {
        bool user = tries[i].cs == USER_CODE;
        uint64_t at = tries[i].at + (tries[i].in_page ? (uintptr_t)page : 0);

        memset(page, PATTERN & 0xFF, sizeof page);
        *low = PATTERN;
        vector = NOTHING;
        word_go((uintptr_t)tries[i].rip, tries[i].cs | (user ? 3 : 0), 2 | (tries[i].aligns ? AC_FLAG : 0), at,
                user ? USER_DATA | 3 : DATA, (uintptr_t)(user ? stack_3 + sizeof stack_3 : stack_0 + 2048));
        bool right = vector == tries[i].vector && error == tries[i].error &&
                     (vector == NONE || untouched());
        guest_print("%s %s\n", right ? "ok" : "FAIL", tries[i].name);
        if (!right) {
            guest_print("  vector %u error %x, %s\n", vector, error, untouched() ? "nothing stored" : "stored");
            guest_failures++;
        }
    }
    guest_print("end\n");
    return (int)guest_failures;
}
