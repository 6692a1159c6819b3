/* Question: does an instruction do to a device's register what it does to storage with the same in it? Each form is
 * executed twice, on a register of the local APIC and on storage: registers, flags and what is left there must be the
 * same. What faults must fault. In 64-bit and 32-bit code; then the same as a guest's guest. Registers of the APIC are
 * 32 bits wide, 16 bytes apart. */
#include "tests/guest/vmx/vm.h"

enum { ID = 0x20, VERSION = 0x30, DESTINATION = 0xD0, WRITABLE = 0xFF000000u };
enum { VECTOR_DE = 0, VECTOR_UD = 6, VECTOR_NM = 7, VECTOR_GP = 13, CARRY = 1, ZERO = 0x40, STATUS = 0x8D5,
       CR0_TASK_SWITCHED = 8, CR4_FXSR = 0x200, CR4_OSXSAVE = 1 << 18, NO_CARRY_ELSE = CARRY };
#define APIC 0xFEE00000u

struct registers {
    uint64_t a, d, c, b, flags;
    uint32_t vector[8];
};

static struct registers start;
static uint32_t storage[16] __attribute__((aligned(64)));
static bool with_avx;

#define AROUND "push %[f]; popf; "
#define BEHIND "; pushf; pop %[f]"
#define INTEGER(name, instruction) \
    static void do_##name(struct registers *r, volatile void *at) \
    { \
        __asm__ volatile(AROUND instruction BEHIND \
                         : "+a"(r->a), "+d"(r->d), "+c"(r->c), "+b"(r->b), [f] "+r"(r->flags) \
                         : "D"(at) : "memory", "cc"); \
    }
#define VECTOR(name, instruction) \
    static void do_##name(struct registers *r, volatile void *at) \
    { \
        __asm__ volatile("movups (%0), %%xmm1; " instruction "; movups %%xmm1, (%0)" \
                         : : "S"(r->vector), "D"(at) : "memory"); \
    }
#define WIDE(name, instruction) \
    static void do_##name(struct registers *r, volatile void *at) \
    { \
        __asm__ volatile("vmovups (%0), %%ymm1; " instruction "; vmovups %%ymm1, (%0); vzeroupper" \
                         : : "S"(r->vector), "D"(at) : "memory"); \
    }
#define MMX(name, instruction) \
    static void do_##name(struct registers *r, volatile void *at) \
    { \
        __asm__ volatile("movq (%0), %%mm1; " instruction "; movq %%mm1, (%0); emms" \
                         : : "S"(r->vector), "D"(at) : "memory"); \
    }

/* what reads the version */
INTEGER(mov, "movl (%%rdi), %%eax")
INTEGER(mov_bh, "movb 2(%%rdi), %%bh")
INTEGER(movzx, "movzbl 2(%%rdi), %%eax")
INTEGER(movsx, "movswq (%%rdi), %%rax")
INTEGER(movsxd, "movslq (%%rdi), %%rax")
INTEGER(movbe, "movbe (%%rdi), %%eax")
INTEGER(cmovc, "cmovcl (%%rdi), %%eax")
INTEGER(cmovnc, "cmovncl (%%rdi), %%eax")
INTEGER(test, "testl $0x14, (%%rdi)")
INTEGER(cmp, "cmpl %%edx, (%%rdi)")
INTEGER(adc_to, "adcl (%%rdi), %%eax")
INTEGER(imul, "imull (%%rdi), %%eax")
INTEGER(imul_3, "imull $-7, (%%rdi), %%eax")
INTEGER(mul, "mull (%%rdi)")
INTEGER(div, "xor %%edx, %%edx; divl (%%rdi)")
INTEGER(idiv, "cltd; idivl (%%rdi)")
INTEGER(bt, "btl $4, (%%rdi)")
INTEGER(bsf, "bsfl (%%rdi), %%eax")
INTEGER(bsr, "bsrl (%%rdi), %%eax")
INTEGER(tzcnt, "tzcntl (%%rdi), %%eax")
INTEGER(lzcnt, "lzcntl (%%rdi), %%eax")
INTEGER(popcnt, "popcntl (%%rdi), %%eax")
INTEGER(crc32, "crc32l (%%rdi), %%eax")
INTEGER(adcx, "adcxl (%%rdi), %%eax")
INTEGER(adox, "adoxl (%%rdi), %%eax")
INTEGER(andn, "andnl (%%rdi), %%eax, %%edx")
INTEGER(bextr, "movl $0x0804, %%ebx; bextrl %%ebx, (%%rdi), %%eax")
INTEGER(rorx, "rorxl $5, (%%rdi), %%eax")
INTEGER(sarx, "sarxl %%edx, (%%rdi), %%eax")
INTEGER(pext, "pextl (%%rdi), %%eax, %%edx")
INTEGER(mulx, "mulxl (%%rdi), %%eax, %%ebx")
INTEGER(push, "pushq (%%rdi); popq %%rax; movl %%eax, %%eax")
INTEGER(xlat, "lea -20(%%rdi), %%rbx; movb $20, %%al; xlatb; xor %%ebx, %%ebx")
INTEGER(lods, "mov %%rdi, %%rsi; lodsl")
INTEGER(scas, "movl (%%rdi), %%eax; push %%rdi; scasl; pop %%rdi")
INTEGER(clflush, "clflush (%%rdi)")
VECTOR(movd, "movd (%%rdi), %%xmm1")
VECTOR(movss, "movss (%%rdi), %%xmm1")
MMX(movd_mm, "movd (%%rdi), %%mm1")
WIDE(vmovd, "vmovd (%%rdi), %%xmm1")
WIDE(vmovss, "vmovss (%%rdi), %%xmm1")

/* what reads more than the register: of the rest nothing is said */
INTEGER(cmpxchg16b, "push %%rax; lock cmpxchg16b (%%rdi); movl %%eax, %%ecx; pop %%rax; xor %%edx, %%edx")
VECTOR(movups, "movups (%%rdi), %%xmm1")
VECTOR(movaps, "movaps (%%rdi), %%xmm1")
VECTOR(movdqu, "movdqu (%%rdi), %%xmm1")
VECTOR(lddqu, "lddqu (%%rdi), %%xmm1")
VECTOR(movq, "movq (%%rdi), %%xmm1")
VECTOR(movlps, "movlps (%%rdi), %%xmm1")
MMX(movq_mm, "movq (%%rdi), %%mm1")
WIDE(vmovups, "vmovups (%%rdi), %%ymm1")
WIDE(vmovdqu, "vmovdqu (%%rdi), %%xmm1")

/* what changes the logical destination */
INTEGER(store, "movl %%edx, (%%rdi)")
INTEGER(movnti, "movntil %%edx, (%%rdi)")
INTEGER(store_movbe, "movbe %%eax, (%%rdi)")
INTEGER(add, "addl $0x7F000000, (%%rdi)")
INTEGER(sbb, "sbbl %%edx, (%%rdi)")
INTEGER(neg, "negl (%%rdi)")
INTEGER(inc, "incl (%%rdi)")
INTEGER(shl, "shll $3, (%%rdi)")
INTEGER(rcr, "rcrl $1, (%%rdi)")
INTEGER(sar, "sarl %%cl, (%%rdi)")
INTEGER(shld, "shldl $5, %%edx, (%%rdi)")
INTEGER(shrd, "shrdl %%cl, %%edx, (%%rdi)")
INTEGER(bts, "lock btsl $29, (%%rdi)")
INTEGER(btc_far, "movl $-100, %%edx; btcl %%edx, 16(%%rdi)")
INTEGER(xadd, "lock xaddl %%edx, (%%rdi)")
INTEGER(xchg, "xchgl %%edx, (%%rdi)")
INTEGER(cmpxchg, "movl (%%rdi), %%eax; lock cmpxchgl %%edx, (%%rdi)")
INTEGER(cmpxchg_not, "lock cmpxchgl %%edx, (%%rdi)")
INTEGER(pop, "pushq %%rdx; popq (%%rdi)")
INTEGER(smsw, "smsw (%%rdi)")
INTEGER(stos, "movl %%edx, %%eax; push %%rdi; stosl; pop %%rdi")
VECTOR(movd_to, "movd %%xmm1, (%%rdi)")
VECTOR(movss_to, "movss %%xmm1, (%%rdi)")
VECTOR(movups_to, "movups %%xmm1, (%%rdi)")
VECTOR(movntps_to, "movntps %%xmm1, (%%rdi)")
VECTOR(movhps_to, "movhps %%xmm1, (%%rdi)")
WIDE(vmovdqu_to, "vmovdqu %%xmm1, (%%rdi)")
MMX(movd_mm_to, "movd %%mm1, (%%rdi)")

/* 32-bit and 16-bit code, of segments of their own; the last of 32 bits with a data segment that begins at the APIC, or
 * at the storage, and 16-bit addresses */
enum { CODE_64 = 0x08, DATA = 0x10, CODE_32 = 0x18, DATA_AT = 0x20, CODE_16 = 0x28, SEGMENTS = 6 };
static uint64_t descriptors[SEGMENTS] = {0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF, 0,
                                         0x008F9B000000FFFF};
#define NARROW(name, instruction) NARROW_OF(name, ".code32", CODE_32, instruction)
#define NARROW_OF(name, bits, segment, instruction) \
    static void do_##name(struct registers *r, volatile void *at) \
    { \
        uint64_t base = (uintptr_t)at; \
        descriptors[DATA_AT / 8] = 0x00CF93000000FFFF | (base & 0xFFFFFF) << 16 | (base & 0xFF000000) << 32; \
        __asm__ volatile("push %[f]; popf; movl $1f, %%esi; push %[code]; push %%rsi; lretq; " bits "\n1: " \
                         instruction "; ljmpl %[back], $2f; .code64\n2: pushf; pop %[f]" \
                         : "+a"(r->a), "+d"(r->d), "+c"(r->c), "+b"(r->b), [f] "+r"(r->flags) \
                         : "D"(at), [code] "i"(segment), [back] "i"(CODE_64), [at] "i"(DATA_AT), [data] "i"(DATA) \
                         : "rsi", "memory", "cc"); \
    }
NARROW(mov_32, "movl (%%edi), %%eax")
NARROW(push_32, "pushl (%%edi); popl %%eax")
NARROW(bt_32, "btl $16, (%%edi)")
NARROW(inc_32, "incl (%%edi)")
NARROW(arpl, "arpl %%bx, (%%edi)")
NARROW(pop_32, "pushl %%edx; popl (%%edi)")
NARROW(mov_16, "movl %[at], %%esi; movl %%esi, %%ds; xor %%esi, %%esi; xor %%ebx, %%ebx; "
               "addr16 movl (%%bx,%%si), %%eax; movl %[data], %%esi; movl %%esi, %%ds")
NARROW(xadd_16, "movl %[at], %%esi; movl %%esi, %%ds; movl $0x12, %%esi; xor %%ebx, %%ebx; "
                "addr16 lock xaddl %%edx, -0x12(%%bx,%%si); movl %[data], %%esi; movl %%esi, %%ds")
#define NARROW_16(name, instruction) NARROW_OF(name, ".code16", CODE_16, instruction)
NARROW_16(mov_in_16, "movw (%%edi), %%ax")
NARROW_16(mul_in_16, "mull (%%edi)")
NARROW_16(stos_in_16, "addr32 stosl; leal -4(%%edi), %%edi")
NARROW_16(shl_in_16, "shll $4, (%%edi)")

enum kind { READS, READS_WIDE, CHANGES };
static const struct form {
    const char *name;
    void (*run)(struct registers *, volatile void *);
    enum kind kind;
    bool avx;
    unsigned undefined; /* flags */
} forms[] = {
#define R(name, undefined) {#name, do_##name, READS, false, undefined}
#define C(name, undefined) {#name, do_##name, CHANGES, false, undefined}
#define W(name) {#name, do_##name, READS_WIDE, false, STATUS}
    R(mov, 0), R(mov_bh, 0), R(movzx, 0), R(movsx, 0), R(movsxd, 0), R(movbe, 0), R(cmovc, 0), R(cmovnc, 0),
    R(test, 0x10), R(cmp, 0), R(adc_to, 0), R(imul, 0xD4), R(imul_3, 0xD4), R(mul, 0xD4), R(div, STATUS),
    R(idiv, STATUS), R(bt, 0x894), R(bsf, 0x895), R(bsr, 0x895), R(tzcnt, 0x894), R(lzcnt, 0x894), R(popcnt, 0),
    R(crc32, 0), R(adcx, 0), R(adox, 0), R(andn, 0x14), R(bextr, 0x94), R(rorx, 0), R(sarx, 0), R(pext, 0),
    R(mulx, 0),
    R(push, 0), R(xlat, STATUS), R(lods, 0), R(scas, 0), R(clflush, 0), R(movd, 0), R(movss, 0), R(movd_mm, 0),
    {"vmovd", do_vmovd, READS, true, 0}, {"vmovss", do_vmovss, READS, true, 0},
    W(cmpxchg16b), W(movups), W(movaps), W(movdqu), W(lddqu), W(movq), W(movlps), W(movq_mm),
    {"vmovups", do_vmovups, READS_WIDE, true, 0}, {"vmovdqu", do_vmovdqu, READS_WIDE, true, 0},
    C(store, 0), C(movnti, 0), C(store_movbe, 0), C(add, 0), C(sbb, 0), C(neg, 0), C(inc, 0), C(shl, 0x810),
    C(rcr, 0), C(sar, 0x810), C(shld, 0x810), C(shrd, 0x810), C(bts, 0x894), C(btc_far, 0x894), C(xadd, 0),
    C(xchg, 0),
    C(cmpxchg, 0), C(cmpxchg_not, 0), C(pop, 0), C(smsw, 0), C(stos, 0), C(movd_to, 0), C(movss_to, 0), C(movups_to, 0),
    R(mov_32, 0), R(push_32, 0), R(bt_32, 0x894), C(inc_32, 0), C(arpl, 0), C(pop_32, 0), R(mov_16, 0x0),
    C(xadd_16, 0),
    R(mov_in_16, 0), R(mul_in_16, 0xD4), C(stos_in_16, 0), C(shl_in_16, 0x810),
    C(movntps_to, 0), C(movhps_to, 0), {"vmovdqu_to", do_vmovdqu_to, CHANGES, true, 0}, C(movd_mm_to, 0),
};

static volatile uint32_t *apic(uint32_t offset) { return (volatile uint32_t *)(uintptr_t)(APIC + offset); }

static bool same(const struct form *f, const struct registers *one, const struct registers *other)
{
    if (f->kind == READS_WIDE && one->vector[0] != start.vector[0]) /* the first four bytes are the register */
        return one->vector[0] == other->vector[0];
    if (f->kind == READS_WIDE)
        return (uint32_t)one->c == (uint32_t)other->c;
    for (unsigned i = 0; i < 8; i++)
        if (one->vector[i] != other->vector[i])
            return false;
    return one->a == other->a && one->d == other->d && one->c == other->c && one->b == other->b &&
           !((one->flags ^ other->flags) & STATUS & ~f->undefined);
}

/* Storage holds what the register does, and what lies around. */
static void execute(const struct form *f)
{
    uint32_t offset = f->kind == CHANGES ? DESTINATION : VERSION, left;
    struct registers there = start, here = start;

    for (unsigned i = 0; i < 16; i++)
        storage[i] = 0;
    *apic(DESTINATION) = 0x5A000000;
    storage[4] = *apic(offset);
    f->run(&here, &storage[4]);
    f->run(&there, apic(offset));
    left = f->kind == CHANGES ? storage[4] & WRITABLE : *apic(VERSION);
    if (same(f, &there, &here) && (*apic(offset) & (f->kind == CHANGES ? WRITABLE : ~0u)) == left)
        guest_print("ok %s\n", f->name);
    else
        guest_print("FAIL %s: a %llx and %llx, flags %llx and %llx, vector %x and %x, left %x and %x\n", f->name,
                    (unsigned long long)there.a, (unsigned long long)here.a, (unsigned long long)there.flags,
                    (unsigned long long)here.flags, there.vector[0], here.vector[0], *apic(offset), left);
}

static void divides_by_nothing(void *unused)
{
    (void)unused;
    __asm__ volatile("divl (%0)" : : "D"(apic(DESTINATION)), "a"(1), "d"(0));
}
static void too_great(void *unused)
{
    (void)unused;
    __asm__ volatile("divl (%0)" : : "D"(apic(VERSION)), "a"(1), "d"(-1));
}
static void not_aligned(void *unused)
{
    (void)unused;
    __asm__ volatile("movaps (%0), %%xmm1" : : "D"(apic(VERSION + 4)));
}
static void pair_not_aligned(void *unused)
{
    (void)unused;
    __asm__ volatile("cmpxchg16b (%0)" : : "D"(apic(DESTINATION + 8)), "a"(0), "d"(0), "b"(0), "c"(0) : "memory");
}
static void moves(void *unused)
{
    (void)unused;
    __asm__ volatile("movups (%0), %%xmm1" : : "D"(apic(VERSION)));
}
static void locks(void *unused)
{
    (void)unused;
    __asm__ volatile(".byte 0xF0; movl (%0), %%eax" : : "D"(apic(VERSION)) : "rax");
}

static void faults(void)
{
    *apic(DESTINATION) = 0;
    guest_check_equal(guest_try(divides_by_nothing, NULL), VECTOR_DE, "divide_by_0");
    guest_check_equal(guest_try(too_great, NULL), VECTOR_DE, "divide_too_great");
    guest_check_equal(guest_try(not_aligned, NULL), VECTOR_GP, "movaps_not_aligned");
    guest_check_equal(guest_try(pair_not_aligned, NULL), VECTOR_GP, "cmpxchg16b_not_aligned");
    guest_check_equal(guest_try(locks, NULL), VECTOR_UD, "lock_mov");
    write_cr0(read_cr0() | CR0_TASK_SWITCHED);
    guest_check_equal(guest_try(moves, NULL), VECTOR_NM, "task_switched");
    write_cr4(read_cr4() & ~(uint64_t)CR4_FXSR);
    guest_check_equal(guest_try(moves, NULL), VECTOR_UD, "no_fxsr");
    write_cr0(read_cr0() & ~(uint64_t)CR0_TASK_SWITCHED);
}

static void enable(void)
{
    write_cr4(read_cr4() | CR4_FXSR);
    with_avx = cpuid(1, 0).ecx >> 28 & 1;
    if (!with_avx)
        return;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    __asm__ volatile("xsetbv" : : "c"(0), "a"(7), "d"(0));
}

static void all(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++)
        if (with_avx || !forms[i].avx)
            execute(&forms[i]);
    faults();
    write_cr4(read_cr4() | CR4_FXSR);
}

static void load_segments(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) table = {sizeof descriptors - 1, (uintptr_t)descriptors};

    __asm__ volatile("lgdt %0" : : "m"(table));
}

static void as_guest(void)
{
    static struct page region;
    static struct vm vm = {.region = &region};

    vm_begin();
    vm_prepare(&vm);
    vm_start(&vm, all, NULL);
    vm_run(&vm);
    if (!vm_finished(&vm))
        vm_print_exit("L2", &vm);
}

int guest_main(void)
{
    enable();
    load_segments();
    start = (struct registers){.a = 0x9ABCDEF0, .d = 0xC1A5000C, .c = 0x7, .b = 0x5557, .flags = 0x2 | CARRY};
    for (unsigned i = 0; i < 8; i++)
        start.vector[i] = 0xA1B2C300 + i;
    all(NULL);
    if (cpuid(1, 0).ecx & 1 << 5)
        as_guest();
    guest_print("end\n");
    return 0;
}
