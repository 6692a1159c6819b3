/* Question: is LOCK an undefined opcode, of a program and of its guest, on each instruction that a processor leaves to
 * who runs the guest, and on stores to devices; and is CR0 with it CR8 where CPUID says so? SDM "LOCK-Assert LOCK#
 * Signal Prefix"; APM "MOV CRn". */
#include "tests/guest/vmx/vm.h"

enum { VECTOR_UD = 6, LINE = 0x3FD, ECX_ALT_MOV_CR8 = 1 << 4, TASK_PRIORITY = 9 };
#define DEVICE 0xFEE00080ull

static struct page region, msrs;
static struct vm vm = {.region = &region};
static uint64_t memory[8];

/* RAX and RDI, RCX, RDX as what is locked wants them. */
#define LOCKED(name, bytes, rax, rcx, rdx, rdi) \
    static void name(void *unused) \
    { \
        (void)unused; \
        __asm__ volatile("push %%rbx; .byte 0xF0, " bytes "; pop %%rbx" \
                         : : "a"((uint64_t)(rax)), "c"((uint64_t)(rcx)), "d"((uint64_t)(rdx)), "D"((uint64_t)(rdi)) \
                         : "memory", "cc"); \
    }
#define BUFFER ((uintptr_t)memory)
LOCKED(cpuid_, "0x0F, 0xA2", 0, 0, 0, 0)
LOCKED(rdmsr_, "0x0F, 0x32", 0, 0x1B, 0, 0)
LOCKED(wrmsr_, "0x0F, 0x30", 0, 0x1D9, 0, 0)
LOCKED(in, "0xEC", 0, 0, LINE, 0)
LOCKED(out, "0xE6, 0x80", 0, 0, 0, 0)
LOCKED(ins, "0x6C", 0, 0, LINE, BUFFER)
LOCKED(rep_ins, "0xF3, 0x6C", 0, 1, LINE, BUFFER)
LOCKED(wbinvd, "0x0F, 0x09", 0, 0, 0, 0)
LOCKED(vmcall, "0x0F, 0x01, 0xC1", 0xFFFF, 0, 0, 0)
LOCKED(vmresume, "0x0F, 0x01, 0xC3", 0, 0, 0, 0)
LOCKED(vmptrst, "0x0F, 0xC7, 0x3F", 0, 0, 0, BUFFER)
LOCKED(vmread, "0x0F, 0x78, 0xC0", 0x681E, 0, 0, 0)
LOCKED(vmwrite, "0x0F, 0x79, 0xC0", 0x681E, 0, 0, 0)
LOCKED(invept, "0x66, 0x0F, 0x38, 0x80, 0x0F", 0, 2, 0, BUFFER)
LOCKED(mov_to_cr4, "0x0F, 0x22, 0xE0", read_cr4(), 0, 0, 0)
LOCKED(mov_to_cr8, "0x44, 0x0F, 0x22, 0xC0", 0, 0, 0, 0)
LOCKED(mov_from_cr8, "0x44, 0x0F, 0x20, 0xC0", 0, 0, 0, 0)
LOCKED(mov_to_dr7, "0x0F, 0x23, 0xF8", 0x400, 0, 0, 0)
LOCKED(store, "0x89, 0x07", 0, 0, 0, DEVICE)
LOCKED(load, "0x8B, 0x07", 0, 0, 0, DEVICE)
LOCKED(immediate, "0xC7, 0x07, 0, 0, 0, 0", 0, 0, 0, DEVICE)
LOCKED(compare, "0x39, 0x07", 0, 0, 0, DEVICE)
LOCKED(add_to_register, "0x03, 0x07", 0, 0, 0, DEVICE)
LOCKED(stos, "0xAB", 0, 0, 0, DEVICE)
LOCKED(add_to_memory, "0x01, 0x07", 0, 0, 0, DEVICE) /* which may have it */
LOCKED(exchange, "0x87, 0x07", 0, 0, 0, DEVICE)

static const struct {
    const char *name;
    void (*try)(void *);
} instructions[] = {
    {"CPUID", cpuid_}, {"RDMSR", rdmsr_}, {"WRMSR", wrmsr_}, {"IN", in}, {"OUT", out}, {"INS", ins},
    {"REP INS", rep_ins}, {"WBINVD", wbinvd}, {"VMCALL", vmcall}, {"VMRESUME", vmresume}, {"VMPTRST", vmptrst},
    {"VMREAD", vmread}, {"VMWRITE", vmwrite}, {"INVEPT", invept}, {"MOV to CR4", mov_to_cr4},
    {"MOV to CR8", mov_to_cr8}, {"MOV from CR8", mov_from_cr8}, {"MOV to DR7", mov_to_dr7}, {"store", store},
    {"load", load}, {"store of an immediate", immediate}, {"CMP", compare}, {"ADD to a register", add_to_register},
    {"STOS", stos}, {"ADD to memory", add_to_memory}, {"XCHG", exchange},
};
enum { INSTRUCTIONS = sizeof instructions / sizeof *instructions };

static uint8_t vectors[2][INSTRUCTIONS];
static volatile bool as_cpuid_says[2];

static void write_it(void *unused)
{
    (void)unused;
    __asm__ volatile("mov %0, %%rax; .byte 0xF0, 0x0F, 0x22, 0xC0" : : "i"(TASK_PRIORITY) : "rax", "memory");
}

static volatile uint64_t read;
static void read_it(void *unused)
{
    uint64_t v;
    (void)unused;
    __asm__ volatile(".byte 0xF0, 0x0F, 0x20, 0xC0" : "=a"(v) : : "memory");
    read = v;
}

static bool is_as_cpuid_says(bool has)
{
    write_cr8(0);
    uint8_t to = guest_try(write_it, NULL);
    uint64_t cr8 = read_cr8();
    uint8_t from = guest_try(read_it, NULL);
    write_cr8(0);
    return has ? to == GUEST_NO_TRAP && cr8 == TASK_PRIORITY && from == GUEST_NO_TRAP && read == TASK_PRIORITY
               : to == VECTOR_UD && from == VECTOR_UD;
}

static bool has_alt_mov_cr8;

static void all(void *level)
{
    unsigned l = (uintptr_t)level;

    for (unsigned i = 0; i < INSTRUCTIONS; i++)
        vectors[l][i] = guest_try(instructions[i].try, NULL);
    as_cpuid_says[l] = is_as_cpuid_says(has_alt_mov_cr8);
}

int guest_main(void)
{
    has_alt_mov_cr8 = cpuid(0x80000001, 0).ecx & ECX_ALT_MOV_CR8;
    vm_begin();
    vm_prepare(&vm);
    vm_cpu(CPU_MSR_BITMAPS, 0);
    vm_set(VMCS_MSR_BITMAP, (uintptr_t)&msrs);
    all((void *)0);
    vm_start(&vm, all, (void *)1);
    vm_run(&vm);
    vm_print_exit("L2", &vm);
    for (unsigned i = 0; i < INSTRUCTIONS; i++)
        guest_print("%s %d %d\n", instructions[i].name, vectors[0][i], vectors[1][i]);
    guest_print("CR0 as CPUID says: %d %d\n", as_cpuid_says[0], as_cpuid_says[1]);
    guest_print("end\n");
    return 0;
}
