/* Question: is an instruction that is executed again, or in parts, as CP brings in a page or carries some of it out,
 * one instruction to its debugger: met by a breakpoint once, stepped as often as where all is there, with RF in what a
 * fault in its midst pushes? SDM "Instruction-Breakpoint Exception Condition", "Single-Step Exception Condition".
 * Prints the same on a PC as under CP. */
#include "tests/guest/runtime/runtime.h"

enum { VECTOR_DEBUG = 1, VECTOR_GP = 13, VECTOR_PF = 14, DR7_NONE = 0x400, DR7_BOTH = 0x405, DR6_NONE = 0xFFFF0FF0 };
enum { NEVER_TOUCHED = 0x2400000, STEPPED = 0x2600000, FRESH = 0x2800000, PAGE = 4096, COUNT = 6, EACH = 8 };
#define FLAG_RESUME (1ull << 16)
#define FLAG_TRAP   (1ull << 8)

static volatile unsigned met, wrong, steps, faults;
static volatile uint64_t pushed, left;
static bool stepping;

static void debug(struct guest_frame *frame)
{
    uint64_t dr6;

    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    __asm__ volatile("mov %0, %%dr6" : : "r"((uint64_t)DR6_NONE));
    if (stepping) {
        steps++;
        return;
    }
    wrong += (dr6 & 0xF) != 1u << met || (frame->rflags & FLAG_RESUME);
    met++;
    frame->rflags |= FLAG_RESUME;
}

#define PLACE(name, before, instruction)                                                                               \
    extern char at_##name[], behind_##name[];                                                                          \
    void do_##name(uint64_t count, uint64_t address);                                                                  \
    __asm__(".text\ndo_" #name ": push %rbx\nmov %rdi, %rcx\nmov %rsi, %rdi\n" before "\nat_" #name ": " instruction   \
            "\nbehind_" #name ": nop\npop %rbx\nret\n");
PLACE(outsb, "mov $0x80, %edx", "rep outsb")
PLACE(insb, "mov $0x3FD, %edx", "rep insb")
PLACE(stosb, "", "rep stosb")
PLACE(movsb, "", "rep movsb")
PLACE(lodsb, "", "rep lodsb")
PLACE(scasb, "mov $1, %eax", "repne scasb")
PLACE(none, "xor %ecx, %ecx\nmov $0x80, %edx", "rep outsb")
PLACE(out, "mov $0x80, %edx", "outsb")
PLACE(load, "", "mov (%rdi), %al")
PLACE(store, "", "movb $1, (%rdi)")

static const struct {
    const char *name;
    void (*run)(uint64_t count, uint64_t address);
    char *at, *behind;
    uint64_t count;
} places[] = {
#define ROW(name, count)                                                                                               \
    {                                                                                                                  \
#name, do_##name, at_##name, behind_##name, count                                                              \
    }
    ROW(outsb, COUNT), ROW(insb, COUNT), ROW(stosb, EACH), ROW(movsb, EACH), ROW(lodsb, EACH),
    ROW(scasb, EACH),  ROW(none, 0),     ROW(out, 1),      ROW(load, 1),     ROW(store, 1),
};

enum { PLACES = sizeof places / sizeof *places };

static void load(uint64_t first, uint64_t second, uint64_t dr7)
{
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr6; mov %3, %%dr7"
                     :
                     : "r"(first), "r"(second), "r"((uint64_t)DR6_NONE), "r"(dr7));
}

static unsigned stepped(unsigned place)
{
    stepping = true;
    steps = 0;
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(FLAG_TRAP) : "memory", "cc");
    places[place].run(COUNT, STEPPED + place * PAGE); /* the first time into a page that is not there yet */
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~FLAG_TRAP) : "memory", "cc");
    stepping = false;
    return steps;
}

/* Into pages that are not there yet. Bochs forgets RF where an interrupt of the outer machine comes just then: so there
 * are several tries. */
static void break_at(unsigned place)
{
    static uint64_t fresh = FRESH;

    for (unsigned tries = 0; !tries || (tries < 4 && (met != 2 || wrong)); tries++) {
        met = wrong = 0;
        load((uintptr_t)places[place].at, (uintptr_t)places[place].behind, DR7_BOTH);
        places[place].run(places[place].count, fresh + PAGE - EACH / 2);
        load(0, 0, DR7_NONE);
        fresh += 2 * PAGE;
    }
    guest_check(met == 2 && !wrong, places[place].name);
}

/* Of the large page at NEVER_TOUCHED. */
static uint64_t *entry(void)
{
    uint64_t *table = (uint64_t *)(read_cr3() & ~0xFFFull);

    table = (uint64_t *)(table[0] & ~0xFFFull);
    table = (uint64_t *)(table[0] & ~0xFFFull);
    return table + (NEVER_TOUCHED >> 21);
}

static void absent(struct guest_frame *frame)
{
    faults++;
    pushed = frame->rflags;
    left = frame->rcx;
    *entry() |= 1;
}

static void fault_inside(unsigned place)
{
    *entry() &= ~1ull;
    __asm__ volatile("invlpg %0" : : "m"(*(char *)NEVER_TOUCHED));
    met = wrong = faults = 0;
    load((uintptr_t)places[place].at, (uintptr_t)places[place].behind, DR7_BOTH);
    places[place].run(COUNT, NEVER_TOUCHED - 2);
    load(0, 0, DR7_NONE);
    guest_check(met == 2 && !wrong && faults == 1 && left == COUNT - 2 && (pushed & FLAG_RESUME), places[place].name);
}

int guest_main(void)
{
    guest_handle(VECTOR_DEBUG, debug);
    guest_print("breakpoints\n");
    for (unsigned i = 0; i < PLACES; i++)
        break_at(i);
    guest_print("steps\n");
    for (unsigned i = 0; i < PLACES; i++) {
        unsigned first = stepped(i);
        guest_check_equal(first, stepped(i), places[i].name);
    }
    guest_print("a page that is absent in its midst\n");
    guest_handle(VECTOR_PF, absent);
    fault_inside(1);
    fault_inside(2);
    fault_inside(3);
    guest_print("end\n");
    return (int)guest_failures;
}
