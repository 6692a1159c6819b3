/* Question: does a program's breakpoint on data or on a port trap behind an instruction that CP carries out, as one #DB
 * with all that the instruction met, and a single step with it? Prints the same on a PC as under CP. SDM "Debug
 * Registers", "Breakpoint Field Recognition", "Data Memory and I/O Breakpoint Exception Conditions". */
#include "tests/guest/runtime/runtime.h"

#include <string.h>

enum { VECTOR_DB = 1, VECTOR_PF = 14, WRITE = 1, PORT = 2, ACCESS = 3, LINE = 0x3FD, DELAY = 0x80 };
enum { DEVICE = 0xFEE00080 /* the APIC's task priority */, HOLE = 0xD0000000 };
#define DR6_NONE 0xFFFF0FF0ull
#define DR6_STEP (1ull << 14)
#define DR7_NONE 0x400ull
#define RFLAGS_TF 0x100ull
#define CR4_DE 8ull

/* What the handler got: how often, where the first time, with what left of a repetition, and all conditions. */
static volatile struct {
    unsigned count;
    uint64_t rip, rcx, rflags, dr6;
} got;

static void note(struct guest_frame *frame)
{
    if (!got.count++)
        got.rip = frame->rip, got.rcx = frame->rcx, got.rflags = frame->rflags;
    got.dr6 |= read_dr6();
    write_dr6(DR6_NONE);
    frame->rflags &= ~RFLAGS_TF;
}

static uint8_t buffer[64] __attribute__((aligned(64)));
static uint64_t enables;

static uint64_t on(unsigned n, unsigned type, unsigned bytes)
{
    static const uint8_t code[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    return 2ull << 2 * n | (uint64_t)(type | code[bytes] << 2) << (16 + 4 * n);
}

static void arm(uint64_t dr0, uint64_t dr7)
{
    got.count = 0, got.dr6 = 0;
    write_dr0(dr0);
    enables = DR7_NONE | dr7;
}

/* Each is one instruction, with RDI, RSI, DX and RCX as given, and says where it begins and ends. */
typedef void body(void *di, uintptr_t si, uint64_t dx, uint64_t cx);
#define BODY(name, before, instruction) \
    body name; \
    extern const char name##_at[], name##_end[]; \
    __asm__(".text\n" #name ": mov $0, %eax\n" before "\n" #name "_at: " instruction "\n" #name "_end: nop\n ret\n")
BODY(in_byte, "", "in %dx, %al");
BODY(in_word, "", "in %dx, %ax");
BODY(out_byte, "", "out %al, %dx");
BODY(in_step, "pushfq; orl $0x100, (%rsp); popfq", "in %dx, %al");
BODY(in_ss, "", "mov (%rdi), %ss; in %dx, %al");
BODY(rep_ss, "", "mov (%rdi), %ss; rep insb");
BODY(in_ss_step, "pushfq; orl $0x100, (%rsp); popfq", "mov (%rdi), %ss; in %dx, %al");
BODY(ins, "", "insb");
BODY(rep_ins, "", "rep insb");
BODY(rep_outs, "", "rep outsb");
BODY(load, "", "mov (%rsi), %eax");
BODY(store, "", "mov %eax, (%rsi)");
BODY(change, "", "orl %eax, (%rsi)");
BODY(copy, "", "movsl");
BODY(rep_copy, "", "rep movsl");
BODY(load_step, "pushfq; orl $0x100, (%rsp); popfq", "mov (%rsi), %eax");
BODY(store_status, "", "smsw (%rdi)");
BODY(load_status, "", "lmsw (%rdi)");

static void run(const char *name, body *b, uintptr_t si, uint64_t dx, uint64_t cx, unsigned count, uint64_t dr6)
{
    write_dr6(DR6_NONE);
    write_dr7(enables);
    b(buffer, si, dx, cx);
    write_dr7(DR7_NONE);
    if (got.count == count && (got.dr6 & (DR6_STEP | 0xF)) == dr6)
        guest_print("ok %s\n", name);
    else
        guest_print("FAIL %s: %u, DR6 %llx\n", name, got.count, (unsigned long long)(got.dr6 & (DR6_STEP | 0xF)));
}

static void behind(const char *name, const char *end)
{
    guest_print("%s %s: behind\n", got.rip == (uintptr_t)end ? "ok" : "FAIL", name);
}

static void amidst(const char *name, const char *at, uint64_t left)
{
    guest_print("%s %s: in its midst\n", got.rip == (uintptr_t)at && got.rcx == left ? "ok" : "FAIL", name);
    guest_print("%s %s: with RF\n", got.rflags >> 16 & 1 ? "ok" : "FAIL", name);
}

static void ports(void)
{
    arm(LINE, on(0, PORT, 1));
    run("IN", in_byte, 0, LINE, 0, 1, 1);
    behind("IN", in_byte_end);
    arm(DELAY, on(0, PORT, 1));
    run("OUT", out_byte, 0, DELAY, 0, 1, 1);
    arm(LINE, on(0, PORT, 1));
    run("the port before", in_byte, 0, LINE - 1, 0, 0, 0);
    arm(LINE, on(0, PORT, 1));
    run("two ports, the second", in_word, 0, LINE - 1, 0, 1, 1);
    arm(LINE, on(0, PORT, 4));
    run("within four ports", in_byte, 0, LINE - 1, 0, 1, 1);
    arm(LINE, on(0, PORT, 4));
    run("beside the four", in_byte, 0, LINE - 2, 0, 0, 0);
    write_dr3(LINE), arm(LINE, on(0, PORT, 1) | on(3, PORT, 2));
    run("two breakpoints", in_byte, 0, LINE, 0, 1, 9);
    arm(LINE, on(0, PORT, 1));
    run("IN with a step", in_step, 0, LINE, 0, 1, DR6_STEP | 1);
    behind("IN with a step", in_step_end);
    write_dr3(0), arm(LINE, on(0, PORT, 1) & ~3ull);
    run("one that is not enabled", in_byte, 0, LINE, 0, 0, 0);
    arm(LINE, on(0, PORT, 1));
    write_cr4(read_cr4() & ~CR4_DE);
    run("without CR4.DE", in_byte, 0, LINE, 0, 0, 0);
    write_cr4(read_cr4() | CR4_DE);
}

/* What a load of SS meets comes with what the instruction behind it meets. */
static void shadow(void)
{
    *(uint16_t *)(void *)buffer = 0;
    __asm__("mov %%ss, %0" : "=m"(*(uint16_t *)(void *)buffer));
    write_dr1((uintptr_t)buffer), arm(LINE, on(0, PORT, 1) | on(1, ACCESS, 2));
    run("a load of SS, then IN", in_ss, 0, LINE, 0, 1, 3);
    behind("a load of SS, then IN", in_ss_end);
    write_dr1((uintptr_t)buffer + 1), arm(0, on(1, ACCESS, 1));
    run("a load of SS, then REP INS", rep_ss, 0, LINE, 3, 2, 2);
    __asm__("mov %%ss, %0" : "=m"(*(uint16_t *)(void *)buffer));
    write_dr1((uintptr_t)buffer), arm(0, on(1, ACCESS, 2));
    run("the same with a step", in_ss_step, 0, LINE, 0, 1, DR6_STEP | 2);
}

static void strings(void)
{
    arm((uintptr_t)buffer, on(0, WRITE, 4));
    run("INS to a watched word", ins, 0, LINE, 0, 1, 1);
    write_dr2(LINE), arm((uintptr_t)buffer, on(0, WRITE, 1) | on(2, PORT, 1));
    run("and from a watched port", ins, 0, LINE, 0, 1, 5);
    write_dr2(0), arm((uintptr_t)buffer + 2, on(0, WRITE, 1));
    run("REP INS", rep_ins, 0, LINE, 4, 1, 1);
    amidst("REP INS", rep_ins_at, 1);
    arm((uintptr_t)buffer + 3, on(0, WRITE, 1));
    run("the last of it", rep_ins, 0, LINE, 4, 1, 1);
    behind("the last of it", rep_ins_end);
    arm((uintptr_t)buffer + 8, on(0, ACCESS, 8));
    run("REP OUTS from eight watched bytes", rep_outs, (uintptr_t)buffer, DELAY, 30, 8, 1);
    arm((uintptr_t)buffer + 8, on(0, WRITE, 8));
    run("watched for stores", rep_outs, (uintptr_t)buffer, DELAY, 30, 0, 0);
    arm(DELAY, on(0, PORT, 1));
    run("REP OUTS to a watched port", rep_outs, (uintptr_t)buffer, DELAY, 3, 3, 1);
    arm(DELAY, on(0, PORT, 1));
    run("none of it left", rep_outs, (uintptr_t)buffer, DELAY, 0, 0, 0);
}

static void device(void)
{
    arm(DEVICE, on(0, ACCESS, 4));
    run("a load", load, DEVICE, 0, 0, 1, 1);
    behind("a load", load_end);
    arm(DEVICE, on(0, WRITE, 4));
    run("one watched for stores", load, DEVICE, 0, 0, 0, 0);
    arm(DEVICE, on(0, WRITE, 4));
    run("a store", store, DEVICE, 0, 0, 1, 1);
    arm(DEVICE + 2, on(0, WRITE, 1));
    run("to a watched byte", store, DEVICE, 0, 0, 1, 1);
    arm(DEVICE + 4, on(0, WRITE, 4));
    run("beside one", store, DEVICE, 0, 0, 0, 0);
    arm(DEVICE, on(0, WRITE, 8));
    run("a load and store", change, DEVICE, 0, 0, 1, 1);
    arm(DEVICE, on(0, ACCESS, 1));
    run("a load with a step", load_step, DEVICE, 0, 0, 1, DR6_STEP | 1);
    write_dr1((uintptr_t)buffer), arm(DEVICE, on(0, ACCESS, 4) | on(1, WRITE, 1));
    run("MOVS", copy, DEVICE, 0, 0, 1, 3);
    write_dr1(0), arm((uintptr_t)buffer + 4, on(0, WRITE, 1));
    run("REP MOVS", rep_copy, HOLE, 0, 3, 1, 1);
    amidst("REP MOVS", rep_copy_at, 1);
}

/* From a device to a page that is not there: the instruction is not complete. */
static void absent(struct guest_frame *frame)
{
    frame->rip = (uintptr_t)copy_end;
}

static void faults(void)
{
    guest_handle(VECTOR_PF, absent);
    arm(DEVICE, on(0, ACCESS, 4));
    write_dr7(enables);
    copy((void *)(1ull << 46), DEVICE, 0, 0);
    write_dr7(DR7_NONE);
    guest_check(got.count == 0, "none of an instruction that faults");
}

static void status_words(void)
{
    arm((uintptr_t)buffer + 1, on(0, WRITE, 1));
    run("SMSW", store_status, 0, 0, 0, 1, 1);
    arm((uintptr_t)buffer, on(0, ACCESS, 1));
    run("LMSW", load_status, 0, 0, 0, 1, 1);
}

int guest_main(void)
{
    guest_handle(VECTOR_DB, note);
    write_cr4(read_cr4() | CR4_DE);
    ports();
    shadow();
    strings();
    device();
    faults();
    status_words();
    guest_print("end\n");
    return 0;
}
