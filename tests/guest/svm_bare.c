/* Question: what does an exit and back cost a guest of the least SVM hypervisor there can be, on the bare processor, in
 * ticks of the TSC? It is the floor of what `costs` measures in a guest of CP where the processor has SVM.
 *
 * The guest is this payload again, in a VMCB with nested paging: it measures its own CPUID as `costs` does. The
 * hypervisor does what none can leave out: it exchanges the general registers and what VMLOAD and VMSAVE carry, looks
 * at the exit code, executes the CPUID, and puts RIP past it. "svm_exit" is the same without VMLOAD and VMSAVE. Any
 * other exit ends the guest. */
#include "tests/guest/runtime/measure.h"

#include <string.h>

#include "cp/svm/vmcb.h"

enum { MSR_EFER = 0xC0000080u, MSR_HOST_SAVE = 0xC0010117u, FEATURES_ECX_SVM = 1 << 2, CPUID_BYTES = 2, CODE = 8,
       DATA = 16, RIGHTS_CODE64 = 0xA9B, RIGHTS_DATA = 0xC93, STACK_BYTES = 16384, PAGES_1G = 4 };
enum { NPT_TABLE = 7, NPT_LARGE = 0x87 };

struct page {
    uint8_t bytes[4096];
} __attribute__((aligned(4096)));

struct svm_registers { /* RAX and RSP are the VMCB's */
    uint64_t rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

static struct page guest_block, host_block, host_save, npt_top, npt_pointers, npt_directories[PAGES_1G];
static struct vmcb *const vmcb = (struct vmcb *)(void *)&guest_block;
static struct svm_registers registers;
static uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));
static bool full; /* with VMLOAD and VMSAVE */

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

/* One run of the guest: in with its registers, out with them. The processor's flag GIF
 * is 0 on the way, as it must be. */
void svm_bare_run(struct svm_registers *, uint64_t vmcb, uint64_t host, bool full);

#define EXCHANGE(op) \
    op(0, rbx) op(8, rcx) op(16, rdx) op(24, rsi) op(40, rbp) op(48, r8) op(56, r9) op(64, r10) op(72, r11) \
    op(80, r12) op(88, r13) op(96, r14) op(104, r15)
#define LOAD(at, name) "mov " #at "(%rdi), %" #name "\n"
#define STORE(at, name) "mov %" #name ", " #at "(%rdi)\n"
__asm__(".text\n.global svm_bare_run\nsvm_bare_run:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "push %rcx; push %rdx; push %rdi\n"
        "mov %rsi, %rax\n"
        "clgi\n"
        "test %ecx, %ecx; jz 1f; vmload %rax; 1:\n"
        EXCHANGE(LOAD) "mov 32(%rdi), %rdi\n"
        "vmrun %rax\n"
        "xchg %rdi, (%rsp)\n"
        EXCHANGE(STORE) "pop %rbx; mov %rbx, 32(%rdi)\n"
        "pop %rdx; pop %rcx\n"
        "test %ecx, %ecx; jz 2f; vmsave %rax; mov %rdx, %rax; vmload %rax; 2:\n"
        "stgi\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n");

/* ---- the hypervisor ----------------------------------------------------------------- */

/* 4 GiB one to one by 2 MiB pages. */
static void build_npt(void)
{
    uint64_t *top = (uint64_t *)(void *)&npt_top, *pointers = (uint64_t *)(void *)&npt_pointers;
    uint64_t *directories = (uint64_t *)(void *)npt_directories;

    top[0] = address(&npt_pointers) | NPT_TABLE;
    for (unsigned n = 0; n < PAGES_1G; n++)
        pointers[n] = address(&npt_directories[n]) | NPT_TABLE;
    for (uint64_t n = 0; n < PAGES_1G * 512; n++)
        directories[n] = n << 21 | NPT_LARGE;
}

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void prepare(void (*body)(void))
{
    const struct vmcb_segment data = {DATA, RIGHTS_DATA, ~0u, 0};
    struct table_register gdt, idt;

    __asm__ volatile("sgdt %0; sidt %1" : "=m"(gdt), "=m"(idt));
    memset(vmcb, 0, sizeof(*vmcb));
    vmcb->intercepts = VMCB_INTR | VMCB_NMI | VMCB_CPUID | VMCB_HLT | VMCB_SHUTDOWN;
    vmcb->intercepts2 = 1; /* VMRUN: must be */
    vmcb->asid = 1;
    vmcb->nested_paging = 1;
    vmcb->nested_cr3 = address(&npt_top);
    vmcb->es = vmcb->ss = vmcb->ds = vmcb->fs = vmcb->gs = data;
    vmcb->cs = (struct vmcb_segment){CODE, RIGHTS_CODE64, ~0u, 0};
    vmcb->gdtr = (struct vmcb_segment){.limit = gdt.limit, .base = gdt.base};
    vmcb->idtr = (struct vmcb_segment){.limit = idt.limit, .base = idt.base};
    vmcb->efer = rdmsr(MSR_EFER);
    vmcb->cr0 = read_cr0();
    vmcb->cr3 = read_cr3();
    vmcb->cr4 = read_cr4();
    vmcb->dr6 = 0xFFFF0FF0;
    vmcb->dr7 = 0x400;
    vmcb->rflags = 2;
    vmcb->pat = 0x0007040600070406ull;
    vmcb->rip = address((const void *)(uintptr_t)body);
    vmcb->rsp = address(stack + STACK_BYTES - 8);
}

static void cpuid_carry_out(void)
{
    struct guest_cpuid value = cpuid((uint32_t)vmcb->rax, (uint32_t)registers.rcx);

    vmcb->rax = value.eax;
    registers.rbx = value.ebx;
    registers.rcx = value.ecx;
    registers.rdx = value.edx;
    vmcb->rip += CPUID_BYTES;
}

static uint64_t run(void (*body)(void))
{
    prepare(body);
    do {
        svm_bare_run(&registers, address(vmcb), address(&host_block), full);
        if (vmcb->exit_code == SVM_EXIT_CPUID)
            cpuid_carry_out();
    } while (vmcb->exit_code == SVM_EXIT_CPUID);
    return vmcb->exit_code;
}

/* ---- its guest ------------------------------------------------------------------------- */

static void guest(void)
{
    uint32_t eax, ebx, ecx, edx;

    MEASURE(full ? "svm_exit_and_back" : "svm_exit",
            __asm__ volatile("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(0), "c"(0)));
    for (;;)
        __asm__ volatile("hlt");
}

int guest_main(void)
{
    if (!(cpuid(0x80000001u, 0).ecx & FEATURES_ECX_SVM)) {
        guest_print("no SVM here\n");
        return 2;
    }
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | SVM_EFER_SVME);
    wrmsr(MSR_HOST_SAVE, address(&host_save));
    __asm__ volatile("vmsave %%rax" : : "a"(address(&host_block)) : "memory");
    build_npt();
    measure_begin();
    for (unsigned i = 0; i < 2; i++) {
        full = !i;
        uint64_t code = run(guest);
        guest_check_equal(code, SVM_EXIT_HLT, full ? "the guest ended" : "and again");
    }
    guest_print("end\n");
    return (int)guest_failures;
}
