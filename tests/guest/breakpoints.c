/* Question: do a program's breakpoints stop it where they should, whoever carries out the loading of
 * its debug registers, and do the registers read as they were loaded? Prints the same on a PC as
 * under CP. SDM "Debug Registers". */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { VECTOR_DEBUG = 1, VECTOR_UD = 6, VECTOR_GP = 13 };
enum { EXECUTE, WRITE, ACCESS = 3 };
enum { FRESH = 0x2000000, PAGE_BYTES = 4096, COPIES = 32 };
#define DR6_NONE 0xFFFF0FF0ull
#define DR6_BD 0x2000ull
#define DR7_NONE 0x400ull
#define DR7_GD 0x2000ull
#define RFLAGS_RF (1ull << 16)
#define CR4_DE 8ull

static volatile unsigned hits;
static volatile uint64_t hit_at, hit_dr6, hit_dr7;
static volatile uint8_t data[64] __attribute__((aligned(64)));
static volatile uint64_t *const words = (volatile uint64_t *)data;

static void note(struct guest_frame *frame)
{
    hits++;
    hit_at = frame->rip;
    hit_dr6 = read_dr6();
    hit_dr7 = read_dr7();
    write_dr6(DR6_NONE);
    frame->rflags |= RFLAGS_RF;
}

static void fresh(void)
{
    hits = 0;
    hit_at = hit_dr6 = 0;
    write_dr6(DR6_NONE);
}

/* Breakpoint n on `length` (1, 2, 4, 8) bytes. */
static uint64_t enable(unsigned n, unsigned type, unsigned length)
{
    unsigned code = length == 8 ? 2 : length - 1;
    return DR7_NONE | 2ull << 2 * n | (uint64_t)(type | code << 2) << (16 + 4 * n);
}

/* ---- code ---------------------------------------------------------------------------- */

extern const char break_first[], break_second[], break_sti[];
uint64_t break_run(uint64_t times);
__asm__(".text\n"
        ".globl break_run, break_first, break_second, break_sti\n"
        "break_run: xor %eax, %eax\n"
        "1: nop\n"
        "break_first: inc %rax\n"
        "push %rax; push %rbx; push %rcx; push %rdx; xor %eax, %eax; cpuid; pop %rdx; pop %rcx; pop %rbx; pop %rax\n"
        "break_second: dec %rdi\n"
        "jnz 1b\n"
        "sti\n"
        "break_sti: nop\n"
        "cli\n"
        "ret\n");

static void code(void)
{
    fresh();
    write_dr0((uintptr_t)break_first);
    write_dr7(enable(0, EXECUTE, 1));
    uint64_t counted = break_run(20);
    write_dr7(DR7_NONE);
    guest_check_equal(hits, 20, "each time a code breakpoint is passed it stops");
    guest_check(hit_at == (uintptr_t)break_first && (hit_dr6 & 0xF) == 1, "before the instruction, with B0");
    guest_check_equal(counted, 20, "and the instruction is done once");
    fresh();
    write_dr3((uintptr_t)break_second), write_dr0((uintptr_t)break_first);
    write_dr7(enable(0, EXECUTE, 1) | enable(3, EXECUTE, 1));
    (void)break_run(5);
    write_dr7(enable(3, EXECUTE, 1));
    (void)break_run(5);
    write_dr7(DR7_NONE);
    guest_check_equal(hits, 15, "two of them, then one");
    guest_check(hit_at == (uintptr_t)break_second && (hit_dr6 & 0xF) == 8, "which is the other");
    (void)break_run(5);
    guest_check_equal(hits, 15, "none when DR7 enables none");
    fresh();
    write_dr0((uintptr_t)break_sti);
    write_dr7(enable(0, EXECUTE, 1));
    (void)break_run(1);
    write_dr7(DR7_NONE);
    guest_check_equal(hits, 1, "and behind STI");
}

/* ---- data ----------------------------------------------------------------------------- */

static void stores(void)
{
    for (unsigned i = 0; i < 8; i++) {
        words[i] = i;
        (void)cpuid(0, 0); /* an exit between */
    }
}

static void watch(void)
{
    fresh();
    write_dr1((uintptr_t)&words[3]);
    write_dr7(enable(1, WRITE, 8));
    stores();
    guest_check_equal(hits, 1, "a write to a watched word");
    guest_check_equal(hit_dr6 & 0xF, 2, "B1");
    (void)words[3];
    guest_check_equal(hits, 1, "a read of it is none");
    write_dr1((uintptr_t)&words[5]);
    stores();
    guest_check_equal(hits, 2, "another word, by DR1 alone");
    write_dr7(enable(1, ACCESS, 8));
    (void)words[5];
    guest_check_equal(hits, 3, "reads, by DR7 alone");
    write_dr2((uintptr_t)data + 2);
    write_dr7(enable(2, WRITE, 2));
    data[1] = data[4] = 1;
    guest_check_equal(hits, 3, "bytes beside two watched ones");
    data[3] = 1;
    guest_check_equal(hits, 4, "and one of them");
    write_dr7(enable(2, EXECUTE, 1));
    data[3] = 1;
    write_dr7(DR7_NONE);
    data[3] = 1;
    guest_check_equal(hits, 4, "none when it is watched no more");
}

/* From a watched word to pages that CP has not given yet: the hit is there when the exit comes. */
static void copies(void)
{
    volatile char *to = (volatile char *)FRESH;

    fresh();
    write_dr0((uintptr_t)data);
    write_dr7(enable(0, ACCESS, 8));
    for (unsigned i = 0; i < COPIES; i++, to += PAGE_BYTES) {
        const volatile void *from = data;
        volatile void *at = to;
        __asm__ volatile("movsq" : "+S"(from), "+D"(at) : : "memory");
    }
    write_dr7(DR7_NONE);
    /* Bochs tells of the exit's and the copy's */
    guest_check(hits >= COPIES, "copies of a watched word to where nothing was");
    guest_check_equal(hit_dr6 & 0xF, 1, "B0 with the last");
}

/* ---- the registers ------------------------------------------------------------------------- */

static void load_dr4(void *value) { write_dr4((uintptr_t)value); }
static void load_dr6(void *value) { write_dr6((uintptr_t)value); }
static void load_dr7(void *value) { write_dr7((uintptr_t)value); }
static void store_dr5(void *unused) { (void)unused, (void)read_dr5(); }
static void *above(void) { return (void *)(uintptr_t)(1ull << 32 | DR7_NONE); }

static void registers(void)
{
    write_dr0(~0ull), write_dr1(0x123456789ABCDEF0), write_dr2(2), write_dr3(3);
    guest_check(read_dr0() == ~0ull && read_dr1() == 0x123456789ABCDEF0 && read_dr2() == 2 && read_dr3() == 3,
                "DR0 to DR3");
    write_dr6(0);
    guest_check_equal(read_dr6() & 0xFFFFull, 0x0FF0, "DR6 of 0");
    write_dr6(0xE00F);
    guest_check_equal(read_dr6() & 0xFFFFull, 0xEFFF, "and of its conditions");
    write_dr6(DR6_NONE);
    write_dr7(0);
    guest_check_equal(read_dr7(), DR7_NONE, "DR7 of 0");
    write_cr4(read_cr4() & ~CR4_DE);
    write_dr5(DR7_NONE | 0x100);
    guest_check_equal(read_dr7(), DR7_NONE | 0x100, "DR5 is DR7");
    guest_check_equal(read_dr4() & 0xFFFFull, 0x0FF0, "DR4 is DR6");
    write_dr7(DR7_NONE);
    write_cr4(read_cr4() | CR4_DE);
    guest_check_equal(guest_try(load_dr4, NULL), VECTOR_UD, "not with CR4.DE: DR4");
    guest_check_equal(guest_try(store_dr5, NULL), VECTOR_UD, "not with CR4.DE: DR5");
    write_cr4(read_cr4() & ~CR4_DE);
    guest_check_equal(guest_try(load_dr7, above()), VECTOR_GP, "32 bits of DR7");
    guest_check_equal(guest_try(load_dr6, above()), VECTOR_GP, "32 bits of DR6");
    guest_check_equal(read_dr7(), DR7_NONE, "which stays");
}

/* "code" in the command line: where the processor has none on data, they read as loaded, and that is all. */
static void unwatched(void)
{
    fresh();
    write_dr1((uintptr_t)&words[3]);
    write_dr7(enable(1, ACCESS, 8));
    stores();
    guest_check_equal(read_dr7(), enable(1, ACCESS, 8), "a data breakpoint is enabled");
    guest_check_equal(hits, 0, "and does not fire");
    write_dr7(DR7_NONE);
}

static bool code_only(void)
{
    const struct multiboot_information *information = guest_multiboot();
    return (information->flags & 4) && strstr((const char *)(uintptr_t)information->command_line, "code");
}

int guest_main(void)
{
    outb(0x21, 0xFF), outb(0xA1, 0xFF); /* no interrupt behind STI */
    guest_handle(VECTOR_DEBUG, note);
    code();
    if (code_only()) {
        unwatched();
    } else {
        watch();
        copies();
    }
    registers();
    guest_print("end\n");
    return (int)guest_failures;
}
