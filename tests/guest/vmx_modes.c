/* Question: where one operand of L2's instruction is a device that L1 gave it, is the other one judged as the mode
 * wants it, in real, virtual-8086, 16-bit, 32-bit and 64-bit code: limits, types, the size of the modes_stack, wrapped
 * offsets, canonical addresses, alignment; and a repetition that ends in its midst, and the permission of ports? SDM
 * "Limit Checking", "Type Checking", "Stack Segment", "String Operations".
 *
 * Not asked: RF in what an exit saves, which Bochs 2.7 and QEMU 7.2 leave 0; parts of the device's registers and more
 * than four bytes of them, as Bochs' APIC takes neither. */
#include "tests/guest/vmx/modes.h"

#include <string.h>

enum { LDR = 0xD0 };
#define RFLAGS_AC (1ull << 18)
#define OUTSIDE (1ull << 47)

/* What is not one of these stays as the mode has it. */
struct segment {
    unsigned which; /* ES to DS; 0 with no rights: none */
    uint32_t base, limit, rights;
};

#define CODE(name, bits, instruction) \
    extern const char code_##name[], code_##name##_end[]; \
    __asm__(".section .rodata\ncode_" #name ": ." bits "\n" instruction "\n.byte 0x0F, 0x01, 0xC1\ncode_" #name \
            "_end: .code64\n.text");
CODE(load16, "code16", "movl (%si), %eax")
CODE(movs16, "code16", "movsl")
CODE(rep_movs16, "code16", "rep movsl")
CODE(rep_movs16_down, "code16", "std; rep movsl; cld")
CODE(push16, "code16", "pushl (%si)")
CODE(pushw16, "code16", "pushw 2(%si)")
CODE(pop16, "code16", "popl (%si)")
CODE(call16, "code16", "callw *2(%si)")
CODE(calll16, "code16", "calll *(%si)")
CODE(bound16, "code16", "boundw %ax, (%si)")
CODE(big16, "code16", "addr32 movl (%esi), %eax")
CODE(big16_movs, "code16", "addr32 movsl")
CODE(ins16, "code16", "insl (%dx), %es:(%di)")
CODE(rep_ins16, "code16", "rep insl (%dx), %es:(%di)")
CODE(outs16, "code16", "outsl %ds:(%si), (%dx)")
CODE(outs16_ss, "code16", "outsl %ss:(%si), (%dx)")
CODE(movs32, "code32", "movsl")
CODE(movs32_ss, "code32", "movsl %ss:(%esi), %es:(%edi)")
CODE(movs32_cs, "code32", "movsl %cs:(%esi), %es:(%edi)")
CODE(rep_movs32, "code32", "rep movsl")
CODE(repne_movs32, "code32", "repne movsl")
CODE(push32, "code32", "pushl (%esi)")
CODE(pop32, "code32", "popl (%esi)")
CODE(pop32_sp, "code32", "popl (%esp)")
CODE(call32, "code32", "calll *(%esi)")
CODE(jmp32, "code32", "jmpl *(%esi)")
CODE(ins32, "code32", "insb (%dx), %es:(%edi)")
CODE(rep_ins32, "code32", "rep insb (%dx), %es:(%edi)")
CODE(rep_outs32, "code32", "rep outsb %ds:(%esi), (%dx)")
CODE(outs32, "code32", "outsb %ds:(%esi), (%dx)")
CODE(in32, "code32", "inb (%dx), %al")
CODE(cmps32, "code32", "cmpsl %es:(%edi), %ds:(%esi)")
CODE(movs64, "code64", "movsl")
CODE(movs64_narrow, "code64", "addr32 movsl")
CODE(rep_movs64, "code64", "rep movsl")
CODE(push64, "code64", "pushw 2(%rsi)")
CODE(pop64, "code64", "popw (%rsi)")
CODE(cmov64, "code64", "cmovcl (%rsi), %eax")
CODE(cmpxchg64, "code64", "lock cmpxchgl %edx, (%rsi)")
CODE(xchg64, "code64", "xchgl %edx, (%rsi)")
CODE(bts64, "code64", "btsl %edx, (%rsi)")
CODE(pushq64, "code64", "pushq (%rsi)")
CODE(jmpq64, "code64", "jmpq *(%rsi)")
CODE(lgdt64, "code64", "lgdt (%rsi)")
CODE(cmpxchg16b64, "code64", "lock cmpxchg16b (%rsi)")
CODE(movups64, "code64", "movups (%rsi), %xmm1")
CODE(outs64, "code64", "outsb %ds:(%rsi), (%dx)")
CODE(rep_outs64, "code64", "rep outsb %ds:(%rsi), (%dx)")

static const struct {
    const char *name;
    enum mode mode;
    const char *code, *end;
    uint64_t si, di, sp, cx, ax, dx;
    struct segment segment;
    uint64_t flags;
} cases[] = {
#define C(title, in_mode, text, from, to, stack_pointer, ...) \
    {.name = title, .mode = in_mode, .code = code_##text, .end = code_##text##_end, .si = from, .di = to, \
     .sp = stack_pointer, __VA_ARGS__}
#define FLAT(offset) (DEVICE_AT + (offset))
    C("load", REAL, load16, LDR, 0, 0x800),
    C("load", V86, load16, LDR, 0, 0x800),
    C("MOVS over the limit", REAL, movs16, LDR, 0xFFFE, 0x800),
    C("MOVS over the limit", V86, movs16, LDR, 0xFFFE, 0x800),
    C("MOVS of storage over the limit", REAL, movs16, 0xFFFD, LDR, 0x800, .segment = {DS, DATA_AT, 0xFFFF, 0x93}),
    C("MOVS at the limit", REAL, movs16, LDR, 0xFFC, 0x800, .segment = {ES, DATA_AT, 0xFFF, 0x93}),
    C("MOVS one over it", REAL, movs16, LDR, 0xFFD, 0x800, .segment = {ES, DATA_AT, 0xFFF, 0x93}),
    C("REP MOVS ends over the limit", REAL, rep_movs16, HOLE_16, 0xFF6, 0x800, .cx = 9,
      .segment = {ES, DATA_AT, 0xFFF, 0x93}),
    C("REP MOVS wraps downwards", REAL, rep_movs16_down, HOLE_16 + 8, 0x2, 0x800, .cx = 9,
      .segment = {ES, DATA_AT, 0xFFFF, 0x93}),
    C("PUSH over the top", REAL, push16, LDR, 0, 2),
    C("PUSH over the top", V86, push16, LDR, 0, 2),
    C("PUSH at the top", REAL, push16, LDR, 0, 0x12340000),
    C("PUSH of a word", V86, pushw16, LDR, 0, 0x12340802),
    C("POP over the top", REAL, pop16, LDR, 0, 0xFFFE),
    C("POP over the top", V86, pop16, LDR, 0, 0xFFFD),
    C("POP", REAL, pop16, LDR, 0, 0x12340800),
    C("CALL", REAL, call16, LDR, 0, 0x12340800),
    C("CALL beyond the limit", REAL, calll16, LDR, 0, 0x12340800),
    C("CALL beyond the limit", V86, calll16, LDR, 0, 0x12340800),
    C("BOUND within", REAL, bound16, LDR, 0, 0x800, .ax = 5),
    C("BOUND", REAL, bound16, LDR, 0, 0x800, .ax = 0xFFFF),
    C("beyond 64 KiB", REAL, big16, APIC + LDR, 0, 0x800),
    C("beyond 64 KiB", BIG_REAL, big16, APIC + LDR, 0, 0x800, .segment = {DS, 0, 0xFFFFFFFF, 0x8093}),
    C("MOVS beyond 64 KiB", BIG_REAL, big16_movs, APIC + LDR, 0x20000, 0x800,
      .segment = {DS, 0, 0xFFFFFFFF, 0x8093}),
    C("INS over the limit", REAL, ins16, 0, 0xFFE, 0x800, .dx = TEST_PORT, .segment = {ES, DATA_AT, 0xFFF, 0x93}),
    C("REP INS ends over the limit", REAL, rep_ins16, 0, 0xFF6, 0x800, .cx = 9, .dx = TEST_PORT,
      .segment = {ES, DATA_AT, 0xFFF, 0x93}),
    C("OUTS over the limit", REAL, outs16, 0xFFE, 0, 0x800, .dx = TEST_PORT, .segment = {DS, DATA_AT, 0xFFF, 0x93}),
    C("OUTS of the stack over the limit", REAL, outs16_ss, 0xFFE, 0, 0x800, .dx = TEST_PORT,
      .segment = {SS, DATA_AT, 0xFFF, 0x93}),
    C("INS over the limit", V86, ins16, 0, 0xFFFE, 0x800, .dx = TEST_PORT),
    C("INS, no port", V86, ins16, 0, 0xFFFE, 0x800, .dx = TEST_PORT + 8),
    C("PUSH at the top", CODE16, push16, LDR, 0, 0x12340000),
    C("PUSH over the top", CODE16, push16, LDR, 0, 0x12340003),
    C("POP", CODE16, pop16, LDR, 0, 0x12340FFC),
    C("POP of what expands down", CODE16, pop16, LDR, 0, 0x12340800, .segment = {SS, STACK_AT, 0x803, 0x97}),
    C("MOVS", CODE32, movs32, FLAT(LDR), DATA_AT, STACK_AT + 0x800),
    C("MOVS to what expands down", CODE32, movs32, FLAT(LDR), DATA_AT, STACK_AT + 0x800,
      .segment = {ES, 0, DATA_AT - 1, 0x4097}),
    C("MOVS to what expands down, below", CODE32, movs32, FLAT(LDR), DATA_AT, STACK_AT + 0x800,
      .segment = {ES, 0, DATA_AT, 0x4097}),
    C("MOVS to what expands down from 64 KiB, above", CODE32, movs32, FLAT(LDR), 0xFFFE, STACK_AT + 0x800,
      .segment = {ES, 0, 0x7FF, 0x97}),
    C("MOVS to what is to be read", CODE32, movs32, FLAT(LDR), DATA_AT, STACK_AT + 0x800,
      .segment = {ES, 0, 0xFFFFFFFF, 0xC091}),
    C("MOVS to nothing", CODE32, movs32, FLAT(LDR), DATA_AT, STACK_AT + 0x800, .segment = {ES, 0, 0, NO_RIGHTS}),
    C("MOVS to a base", CODE32, movs32, FLAT(LDR), 0xFFFFF000, STACK_AT + 0x800,
      .segment = {ES, DATA_AT + 0x1000, 0xFFFFFFFF, 0xC093}),
    C("MOVS of the stack over its limit", CODE32, movs32_ss, STACK_AT + 0xFFD, FLAT(LDR), STACK_AT + 0x800,
      .segment = {SS, 0, STACK_AT + 0xFFF, 0x4093}),
    C("MOVS of what is to be executed", CODE32, movs32_cs, CODE_AT, FLAT(LDR), STACK_AT + 0x800,
      .segment = {CS, 0, 0xFFFFFFFF, 0xC099}),
    C("MOVS of code", CODE32, movs32_cs, CODE_AT, FLAT(LDR), STACK_AT + 0x800),
    C("MOVS to nothing of L1's", CODE32, movs32, FLAT(LDR), ABSENT_AT, STACK_AT + 0x800),
    C("REP MOVS ends where L1 has nothing", CODE32, rep_movs32, HOLE_AT, ABSENT_AT - 8, STACK_AT + 0x800, .cx = 9),
    C("REPNE MOVS", CODE32, repne_movs32, HOLE_AT, DATA_AT, STACK_AT + 0x800, .cx = 3),
    C("CMPS", CODE32, cmps32, FLAT(LDR), DATA_AT, STACK_AT + 0x800),
    C("PUSH over the limit", CODE32, push32, FLAT(LDR), 0, STACK_AT + 0x800,
      .segment = {SS, 0, STACK_AT + 0x7FE, 0x4093}),
    C("PUSH where L1 has nothing", CODE32, push32, FLAT(LDR), 0, ABSENT_AT + 0x1000),
    C("POP over the limit", CODE32, pop32, FLAT(LDR), 0, STACK_AT + 0x800,
      .segment = {SS, 0, STACK_AT + 0x802, 0x4093}),
    C("POP to the stack itself", CODE32, pop32_sp, 0, 0, HOLE_AT),
    C("CALL beyond the limit", CODE32, call32, FLAT(LDR), 0, STACK_AT + 0x800,
      .segment = {CS, 0, 0x59FFFFFF, 0xC09B}),
    C("CALL where the stack ends", CODE32, call32, FLAT(LDR), 0, STACK_AT + 0x800,
      .segment = {SS, 0, STACK_AT + 0x7FE, 0x4093}),
    C("CALL to where L1 has nothing", CODE32, call32, FLAT(LDR), 0, STACK_AT + 0x800),
    C("JMP to where L1 has nothing", CODE32, jmp32, FLAT(LDR), 0, STACK_AT + 0x800),
    C("INS to what is to be read", CODE32, ins32, 0, DATA_AT, STACK_AT + 0x800, .dx = TEST_PORT,
      .segment = {ES, 0, 0xFFFFFFFF, 0xC091}),
    C("REP INS ends where L1 has nothing", CODE32, rep_ins32, 0, ABSENT_AT - 5, STACK_AT + 0x800, .cx = 9,
      .dx = TEST_PORT),
    C("REP OUTS ends where L1 has nothing", CODE32, rep_outs32, ABSENT_AT - 5, 0, STACK_AT + 0x800, .cx = 9,
      .dx = TEST_PORT),
    C("REP OUTS ends over the limit", CODE32, rep_outs32, DATA_AT, 0, STACK_AT + 0x800, .cx = 9, .dx = TEST_PORT,
      .segment = {DS, 0, DATA_AT + 4, 0x4093}),
    C("IN", USER32, in32, 0, 0, STACK_AT + 0x800, .dx = TEST_PORT),
    C("IN, no port", USER32, in32, 0, 0, STACK_AT + 0x800, .dx = TEST_PORT + 8),
    C("OUTS", USER32, outs32, DATA_AT, 0, STACK_AT + 0x800, .dx = TEST_PORT),
    C("OUTS, no port and no storage", USER32, outs32, ABSENT_AT, 0, STACK_AT + 0x800, .dx = TEST_PORT + 8),
    C("INS to what is to be read", USER32, ins32, 0, DATA_AT, STACK_AT + 0x800, .dx = TEST_PORT,
      .segment = {ES, 0, 0xFFFFFFFF, 0xC0F1}),
    C("MOVS not aligned", USER32, movs32, FLAT(LDR), DATA_AT + 2, STACK_AT + 0x800),
    C("MOVS not aligned, checked", USER32, movs32, FLAT(LDR), DATA_AT + 2, STACK_AT + 0x800, .flags = RFLAGS_AC),
    C("PUSH not aligned, checked", USER32, push32, FLAT(LDR), 0, STACK_AT + 0x802, .flags = RFLAGS_AC),
    C("POP not aligned, checked", USER32, pop32, FLAT(LDR), 0, STACK_AT + 0x802, .flags = RFLAGS_AC),
    C("CMPS not aligned, checked", USER32, cmps32, FLAT(LDR), DATA_AT + 1, STACK_AT + 0x800, .flags = RFLAGS_AC),
    C("MOVS aligned, checked", USER32, movs32, FLAT(LDR), DATA_AT + 4, STACK_AT + 0x800, .flags = RFLAGS_AC),
    C("MOVS", CODE64, movs64, FLAT(LDR), DATA_AT, STACK_AT + 0x800),
    C("MOVS by 32 bits", CODE64, movs64_narrow, 1ull << 32 | FLAT(LDR), 3ull << 32 | DATA_AT, STACK_AT + 0x800),
    C("MOVS, not canonical", CODE64, movs64, FLAT(LDR), OUTSIDE, STACK_AT + 0x800),
    C("MOVS over the edge", CODE64, movs64, FLAT(LDR), OUTSIDE - 2, STACK_AT + 0x800),
    C("MOVS of what is not canonical", CODE64, movs64, OUTSIDE, FLAT(LDR), STACK_AT + 0x800),
    C("REP MOVS ends where L1 has nothing", CODE64, rep_movs64, HOLE_AT, ABSENT_AT - 8, STACK_AT + 0x800, .cx = 9),
    C("PUSH of a word", CODE64, push64, FLAT(LDR), 0, STACK_AT + 0x800),
    C("PUSH, not canonical", CODE64, push64, FLAT(LDR), 0, OUTSIDE + 0x800),
    C("PUSH over the edge", CODE64, push64, FLAT(LDR), 0, OUTSIDE + 1),
    C("POP, not canonical", CODE64, pop64, FLAT(LDR), 0, OUTSIDE),
    C("PUSH", CODE64, pushq64, HOLE_AT, 0, STACK_AT + 0x800),
    C("PUSH, not canonical", CODE64, pushq64, HOLE_AT, 0, OUTSIDE + 0x800),
    C("PUSH from over the end of a page", CODE64, pushq64, HOLE_AT + 0xFFC, 0, STACK_AT + 0x800),
    C("PUSH to over the end of a page", CODE64, pushq64, HOLE_AT, 0, ABSENT_AT + 0x1004),
    C("JMP to the last byte", CODE64, jmpq64, HOLE_AT, 0, STACK_AT + 0x800),
    C("LGDT", CODE64, lgdt64, HOLE_AT, 0, STACK_AT + 0x800),
    C("LGDT", USER64, lgdt64, HOLE_AT, 0, STACK_AT + 0x800),
    C("CMPXCHG16B, not aligned", CODE64, cmpxchg16b64, HOLE_AT + 8, 0, STACK_AT + 0x800),
    C("CMPXCHG16B", CODE64, cmpxchg16b64, HOLE_AT, 0, STACK_AT + 0x800),
    C("MOVUPS not aligned, checked", USER64, movups64, HOLE_AT + 4, 0, STACK_AT + 0x800, .flags = RFLAGS_AC),
    C("CMOVC, not so", CODE64, cmov64, FLAT(LDR), 0, STACK_AT + 0x800, .ax = 0x1111222233334444),
    C("CMOVC", CODE64, cmov64, FLAT(LDR), 0, STACK_AT + 0x800, .ax = 0x1111222233334444, .flags = 1),
    C("CMPXCHG, equal", CODE64, cmpxchg64, FLAT(LDR), 0, STACK_AT + 0x800, .ax = 0x111122225A000000,
      .dx = 0x3333444477000000),
    C("CMPXCHG, not equal", CODE64, cmpxchg64, FLAT(LDR), 0, STACK_AT + 0x800, .ax = 0x1111222200000001,
      .dx = 0x3333444477000000),
    C("XCHG", CODE64, xchg64, FLAT(LDR), 0, STACK_AT + 0x800, .dx = 0x3333444477000000),
    C("BTS far before", CODE64, bts64, FLAT(LDR + 0x40), 0, STACK_AT + 0x800, .dx = 0x77770000ull << 32 | 0xFFFFFE18u),
    C("MOVS not aligned, checked", USER64, movs64, FLAT(LDR), DATA_AT + 2, STACK_AT + 0x800, .flags = RFLAGS_AC),
    C("OUTS, not canonical", CODE64, outs64, OUTSIDE, 0, STACK_AT + 0x800, .dx = TEST_PORT),
    C("REP OUTS ends where L1 has nothing", CODE64, rep_outs64, ABSENT_AT - 5, 0, STACK_AT + 0x800, .cx = 9,
      .dx = TEST_PORT),
};

static uint32_t ldr(void) { return *(volatile uint32_t *)(uintptr_t)(APIC + LDR); }

static void run(unsigned i)
{
    static const char *const modes[] = {"real", "big real", "virtual-8086", "16-bit", "32-bit", "32-bit user", "64-bit",
                                        "64-bit user"};
    const struct segment *s = &cases[i].segment;
    struct vm_registers *r = &modes_vm.registers;

    *(volatile uint32_t *)(uintptr_t)(APIC + LDR) = 0x5A000000;
    memset(&modes_data, 0x11, sizeof modes_data);
    memset(&modes_stack, 0x22, sizeof modes_stack);
    memcpy(&modes_code, cases[i].code, (size_t)(cases[i].end - cases[i].code));
    modes_enter(cases[i].mode, cases[i].flags);
    if (s->rights) {
        unsigned which = s->which;
        if (which == DS && cases[i].mode <= CODE16) /* then the device is what is stored to */
            vm_set(VMCS_GUEST_ES_BASE, DEVICE_AT), vm_set(VMCS_GUEST_ES_SELECTOR, DEVICE_AT >> 4);
        uint64_t selector = vm_get((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * which));
        modes_segment(which, s->base, s->limit, s->rights);
        vm_set((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * which), selector);
    }
    *r = (struct vm_registers){.rsi = cases[i].si, .rdi = cases[i].di, .rcx = cases[i].cx, .rax = cases[i].ax,
                               .rdx = cases[i].dx};
    vm_set(VMCS_GUEST_RSP, cases[i].sp);
    vm_run(&modes_vm);
    guest_print("%s, ", modes[cases[i].mode]);
    vm_print_exit(cases[i].name, &modes_vm);
    guest_print("  RIP %llx RAX %llx RCX %llx RDX %llx RSI %llx RDI %llx RSP %llx flags %llx, LDR %x\n",
                (unsigned long long)vm_get(VMCS_GUEST_RIP),
                cases[i].code == code_in32 ? 0 : (unsigned long long)r->rax, (unsigned long long)r->rcx,
                (unsigned long long)r->rdx, (unsigned long long)r->rsi, (unsigned long long)r->rdi,
                (unsigned long long)vm_get(VMCS_GUEST_RSP),
                (unsigned long long)(vm_get(VMCS_GUEST_RFLAGS) & FLAGS_SHOWN), ldr());
}

int guest_main(void)
{
    modes_begin();
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        run(i);
    guest_print("end\n");
    return 0;
}
