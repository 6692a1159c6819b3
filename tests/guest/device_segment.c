/* Question: does an instruction that takes a descriptor do with a selector in a device's register what it does with one
 * in storage? Each form is executed twice, on a register of the local APIC and on storage: general registers, and the
 * table with its accessed and busy bits, must be the same after both. What it refuses is asked of the manual: vector
 * and error code. In 64-bit code; then the same as a guest's guest. */
#include "tests/guest/vmx/vm.h"

#define APIC 0xFEE00000u
enum { INITIAL_COUNT = 0x380 }; /* all of its 32 bits can be written; the timer's interrupt is masked */
enum { VECTOR_NP = 11, VECTOR_SS = 12, VECTOR_GP = 13, ZERO = 0x40, TASK_SWITCHED = 8, LOW_OF_CR0 = 6 };

enum { CODE_64 = 0x08, DATA = 0x10, CODE_AT = 0x18, DATA_AT = 0x20, ABSENT = 0x28, READ_ONLY = 0x30, LEVEL_3 = 0x38,
       LDT = 0x40, TASK = 0x50, ABSENT_CODE = 0x60, LOCAL_DATA = 0x14, OUTSIDE = 0x100, SEGMENTS = 13 };
static const uint64_t fresh[SEGMENTS] = {
    0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF, 0x00CF92000000FFFF, 0x00CF13000000FFFF,
    0x00CF91000000FFFF, 0x00CFF3000000FFFF, 0x000082000000001F, 0, 0x0000890000000067, 0, 0x00CF1B000000FFFF};
static uint64_t table[SEGMENTS];
static uint32_t storage[4] = {0x600D5E61};

struct registers {
    uint64_t a, d, c;
};

#define FORM(name, instruction) \
    static void do_##name(struct registers *r, volatile void *at) \
    { \
        __asm__ volatile(instruction \
                         : "+a"(r->a), "+d"(r->d), "+c"(r->c) \
                         : "D"(at), [data] "i"(DATA) : "rsi", "memory", "cc"); \
    }
#define BACK(segment) "; movl %[data], %%esi; movl %%esi, %%" #segment
#define NULL_BACK(segment) "; xorl %%esi, %%esi; movl %%esi, %%" #segment

FORM(mov_ds, "movw (%%rdi), %%ds; movl %%ds, %%eax" BACK(ds))
FORM(mov_es, "movw (%%rdi), %%es; movl %%es, %%eax" BACK(es))
FORM(mov_ss, "movw (%%rdi), %%ss; movl %%ss, %%eax" BACK(ss))
FORM(mov_fs, "movw (%%rdi), %%fs; movl %%fs:0, %%eax; movl %%fs, %%edx" NULL_BACK(fs))
FORM(lfs, "lfsw (%%rdi), %%ax; movl %%fs:0, %%ecx; movl %%fs, %%edx" NULL_BACK(fs))
FORM(lgs, "lgsw (%%rdi), %%ax; movl %%gs:0, %%ecx; movl %%gs, %%edx" NULL_BACK(gs))
FORM(lss, "lssw (%%rdi), %%ax; movl %%ss, %%edx" BACK(ss))
FORM(local, "movl $0x40, %%esi; lldt %%si; movw (%%rdi), %%ds; movl %%ds, %%eax; xorl %%esi, %%esi; lldt %%si" BACK(ds))
FORM(lldt, "lldt (%%rdi); sldt %%eax; movl $0x14, %%esi; movl %%esi, %%fs; movl %%fs:0, %%ecx" NULL_BACK(fs)
     "; lldt %%si")
FORM(lldt_null, "lldt (%%rdi); sldt %%eax")
FORM(ltr, "ltr (%%rdi); str %%eax")
#define FLAG "; pushf; pop %%rcx; andl $0x40, %%ecx"
FORM(verr, "verr (%%rdi)" FLAG)
FORM(verw, "verw (%%rdi)" FLAG)
FORM(lar, "lar (%%rdi), %%eax" FLAG "; andl $0x00F0FF00, %%eax") /* of the others it is not said */
FORM(lsl, "lsl (%%rdi), %%eax" FLAG)
FORM(lmsw, "lmsw (%%rdi); smsw %%eax; clts")
FORM(movsxd_16, ".byte 0x66, 0x63, 0x07")

/* 32-bit code at offset 0 of a segment of its own, which comes back to RSI. */
extern char landing[];
__asm__(".code32\nlanding: movl %cs, %edx; movl $0x1A2D, %eax; ljmpl $0x08, $landed\n.code64\nlanded: jmp *%rsi");
FORM(jmp, "lea 1f(%%rip), %%rsi; ljmpw *(%%rdi); 1:")
FORM(call, "lea 1f(%%rip), %%rsi; lcallw *(%%rdi); 1: movl (%%rsp), %%ecx; add $4, %%rsp")

static void load_table(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = {sizeof table - 1, (uintptr_t)table};

    __asm__ volatile("lgdt %0" : : "m"(pointer));
}

static void put_base(unsigned selector, const volatile void *base)
{
    uint64_t at = (uintptr_t)base;

    table[selector / 8] |= (at & 0xFFFFFF) << 16 | (at & 0xFF000000) << 32;
}

static void begin(void)
{
    for (unsigned i = 0; i < SEGMENTS; i++)
        table[i] = fresh[i];
    put_base(CODE_AT, landing);
    put_base(DATA_AT, storage);
    put_base(LDT, &table[2]); /* so that the local table has, at 0x10, the segment at storage */
}

static volatile uint32_t *count(void) { return (volatile uint32_t *)(uintptr_t)(APIC + INITIAL_COUNT); }

struct form {
    const char *name;
    void (*run)(struct registers *, volatile void *);
    uint32_t operand;
};

struct run {
    const struct form *form;
    struct registers registers;
    volatile void *at;
    uint64_t after[SEGMENTS];
    unsigned vector, error;
};

static void step(void *p)
{
    struct run *r = p;
    r->form->run(&r->registers, r->at);
}

static void run(struct run *r, const struct form *f, volatile uint32_t *at)
{
    *r = (struct run){.form = f, .registers = {0x1111222233334444, 0x5555666677778888, 0x99}, .at = at};
    begin();
    *at = f->operand;
    r->vector = guest_try(step, r);
    r->error = r->vector == GUEST_NO_TRAP ? 0 : (unsigned)guest_try_error;
    for (unsigned i = 0; i < SEGMENTS; i++)
        r->after[i] = table[i];
}

static const struct form loads[] = {
#define LOAD(name, operand) {#name, do_##name, operand}
    LOAD(mov_ds, DATA), LOAD(mov_es, DATA_AT), LOAD(mov_ss, DATA), LOAD(mov_fs, DATA_AT), LOAD(mov_fs, LEVEL_3),
    {"mov_ds_null", do_mov_ds, 2}, {"mov_ss_null", do_mov_ss, 0}, {"mov_es_code", do_mov_es, CODE_AT},
    {"mov_ss_marks", do_mov_ss, DATA_AT},
    LOAD(lfs, DATA_AT << 16 | 0x1234), LOAD(lgs, DATA_AT << 16 | 0xABCD), LOAD(lss, DATA << 16 | 0x8001),
    LOAD(local, LOCAL_DATA), LOAD(lldt, LDT), LOAD(lldt_null, 0), LOAD(ltr, TASK),
    LOAD(verr, DATA), {"verr_absent", do_verr, ABSENT}, {"verr_null", do_verr, 0}, {"verr_outside", do_verr, OUTSIDE},
    {"verr_system", do_verr, TASK}, LOAD(verw, DATA), {"verw_read_only", do_verw, READ_ONLY},
    {"verw_code", do_verw, CODE_64}, LOAD(lar, CODE_64), {"lar_level", do_lar, DATA | 3}, {"lar_task", do_lar, TASK},
    LOAD(lsl, DATA), {"lsl_task", do_lsl, TASK}, {"lsl_null", do_lsl, 0}, LOAD(movsxd_16, 0x00018765),
    LOAD(jmp, CODE_AT << 16), LOAD(call, CODE_AT << 16),
};

static bool same(const struct run *one, const struct run *other)
{
    for (unsigned i = 0; i < SEGMENTS; i++)
        if (one->after[i] != other->after[i])
            return false;
    return one->vector == other->vector && one->registers.a == other->registers.a &&
           one->registers.d == other->registers.d && one->registers.c == other->registers.c;
}

static void compare(const struct form *f)
{
    static struct run there, here;

    run(&here, f, &storage[1]);
    run(&there, f, count());
    if (same(&there, &here) && here.vector == GUEST_NO_TRAP)
        guest_print("ok %s\n", f->name);
    else
        guest_print("FAIL %s: vector %u and %u, a %llx and %llx, d %llx and %llx, c %llx and %llx\n", f->name,
                    there.vector, here.vector, (unsigned long long)there.registers.a,
                    (unsigned long long)here.registers.a, (unsigned long long)there.registers.d,
                    (unsigned long long)here.registers.d, (unsigned long long)there.registers.c,
                    (unsigned long long)here.registers.c);
}

static const struct refusal {
    struct form form;
    unsigned vector, error;
} refusals[] = {
    {{"ds_absent", do_mov_ds, ABSENT}, VECTOR_NP, ABSENT},
    {{"ds_outside", do_mov_ds, OUTSIDE | 3}, VECTOR_GP, OUTSIDE},
    {{"ds_system", do_mov_ds, TASK}, VECTOR_GP, TASK},
    {{"ds_level", do_mov_ds, DATA | 3}, VECTOR_GP, DATA},
    {{"ds_local", do_mov_ds, LOCAL_DATA}, VECTOR_GP, LOCAL_DATA},
    {{"ss_absent", do_mov_ss, ABSENT}, VECTOR_SS, ABSENT},
    {{"ss_read_only", do_mov_ss, READ_ONLY}, VECTOR_GP, READ_ONLY},
    {{"ss_level", do_mov_ss, LEVEL_3}, VECTOR_GP, LEVEL_3},
    {{"ss_null", do_mov_ss, 3}, VECTOR_GP, 0},
    {{"lss_code", do_lss, CODE_64 << 16}, VECTOR_GP, CODE_64},
    {{"lldt_data", do_lldt, DATA}, VECTOR_GP, DATA},
    {{"ltr_null", do_ltr, 0}, VECTOR_GP, 0},
    {{"ltr_ldt", do_ltr, LDT}, VECTOR_GP, LDT},
    {{"jmp_null", do_jmp, 0}, VECTOR_GP, 0},
    {{"jmp_data", do_jmp, DATA << 16}, VECTOR_GP, DATA},
    {{"jmp_absent", do_jmp, ABSENT_CODE << 16}, VECTOR_NP, ABSENT_CODE},
    {{"call_level", do_call, (uint32_t)(CODE_AT | 3) << 16}, VECTOR_GP, CODE_AT},
};

/* Nothing is changed, but for what an interrupted form leaves of its own. */
static void refuse(const struct refusal *r)
{
    static struct run done;

    run(&done, &r->form, count());
    bool untouched = done.registers.a == 0x1111222233334444;
    begin();
    for (unsigned i = 0; i < SEGMENTS; i++)
        untouched &= done.after[i] == table[i];
    if (done.vector == r->vector && done.error == r->error && untouched)
        guest_print("ok %s\n", r->form.name);
    else
        guest_print("FAIL %s: vector %u, error %x\n", r->form.name, done.vector, done.error);
}

static void all(void *unused)
{
    struct form lmsw = {"lmsw", do_lmsw, TASK_SWITCHED | 1 | (uint32_t)(read_cr0() & LOW_OF_CR0)};

    (void)unused;
    for (unsigned i = 0; i < sizeof loads / sizeof *loads; i++)
        compare(&loads[i]);
    compare(&lmsw);
    for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++)
        refuse(&refusals[i]);
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
    begin();
    load_table();
    all(NULL);
    if (cpuid(1, 0).ecx & 1 << 5)
        as_guest();
    guest_print("end\n");
    return 0;
}
