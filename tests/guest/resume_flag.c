/* Question: is RFLAGS.RF what it should be behind what CP does for a guest? An instruction that was carried out clears
 * it, so that a breakpoint on the next one is met; a fault that CP makes has it in the image of RFLAGS it pushes. SDM
 * "Instruction-Breakpoint Exception Condition". Prints the same on a PC as under CP. */
#include "tests/guest/runtime/runtime.h"

enum { VECTOR_DEBUG = 1, VECTOR_UD = 6, VECTOR_GP = 13, DR7_NONE = 0x400, DR7_BOTH = 0x405, DR6_NONE = 0xFFFF0FF0 };
#define FLAG_RESUME (1ull << 16)

static volatile unsigned met, traps, wrong;
static volatile uint64_t faults_rflags;
static volatile unsigned faults_length;

/* Each place has a breakpoint: met in their order, once each, or something is wrong. */
static void breakpoint(struct guest_frame *frame)
{
    uint64_t dr6;

    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    __asm__ volatile("mov %0, %%dr6" : : "r"((uint64_t)DR6_NONE));
    if (!(dr6 & 0xF)) { /* INT1's */
        traps++;
        return;
    }
    wrong += (dr6 & 0xF) != 1u << met;
    met++;
    frame->rflags |= FLAG_RESUME;
}

#define PLACE(name, before, instruction, after) \
    extern char at_##name[], behind_##name[]; \
    void do_##name(void); \
    __asm__(".text\ndo_" #name ": push %rbx\n" before "\nat_" #name ": " instruction "\nbehind_" #name ": nop\n" after \
            "\npop %rbx\nret\n");
PLACE(nop, "", "nop", "")
PLACE(cpuid, "xor %eax, %eax", "cpuid", "")
PLACE(in, "mov $0x3FD, %edx", "in %dx, %al", "")
PLACE(load, "", "mov 0xFEE00020, %eax", "")
PLACE(rdmsr, "mov $0x1B, %ecx", "rdmsr", "")
PLACE(mov_cr4, "mov %cr4, %rax", "mov %rax, %cr4", "")
PLACE(wbinvd, "", "wbinvd", "")
PLACE(smsw, "", "smsw %eax", "")
PLACE(int1, "", ".byte 0xF1", "")

static const struct {
    const char *name;
    void (*run)(void);
    char *at, *behind;
} places[] = {
#define ROW(name) {#name, do_##name, at_##name, behind_##name}
    ROW(nop), ROW(cpuid), ROW(in), ROW(load), ROW(rdmsr), ROW(mov_cr4), ROW(wbinvd), ROW(smsw), ROW(int1),
};

static void note_flags(struct guest_frame *frame)
{
    faults_rflags = frame->rflags;
    frame->rip += faults_length;
}

static void fault(const char *name, uint8_t vector, unsigned length, void (*raise)(void))
{
    guest_handle(vector, note_flags);
    faults_rflags = 0;
    faults_length = length;
    raise();
    guest_check(faults_rflags & FLAG_RESUME, name);
}

static void reserved_in_efer(void) { __asm__ volatile("wrmsr" : : "c"(0xC0000080), "a"(2), "d"(0)); }
static void reserved_in_cr3(void)
{
    __asm__ volatile("mov %%cr3, %%rax; bts $60, %%rax; mov %%rax, %%cr3" : : : "rax", "cc");
}
static void undefined(void) { __asm__ volatile("ud2"); }

int guest_main(void)
{
    guest_handle(VECTOR_DEBUG, breakpoint);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        met = traps = wrong = 0;
        __asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr6; mov %3, %%dr7"
                         : : "r"(places[i].at), "r"(places[i].behind), "r"((uint64_t)DR6_NONE),
                             "r"((uint64_t)DR7_BOTH));
        places[i].run();
        __asm__ volatile("mov %0, %%dr7" : : "r"((uint64_t)DR7_NONE));
        guest_check(met == 2 && !wrong && traps == (places[i].run == do_int1), places[i].name);
    }
    fault("fault of an MSR", VECTOR_GP, 2, reserved_in_efer);
    fault("fault of a control register", VECTOR_GP, 3, reserved_in_cr3);
    fault("fault of the processor's", VECTOR_UD, 2, undefined);
    guest_print("end\n");
    return (int)guest_failures;
}
