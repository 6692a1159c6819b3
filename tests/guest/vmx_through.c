/* Question: what L2 is let do to the interrupt controller and its priority, by CR8 and MSRs that do not exit, does it
 * do to that of its hypervisor, and to no other? SDM "CR8 Load Exiting", "MSR Bitmaps": without the controls it is the
 * processor's own, and L1's processor has L1's. */
#include "tests/guest/vmx/vm.h"

enum { MSR_BASE = 0x1B, EXTD = 1 << 10, X2_ID = 0x802, X2_TPR = 0x808, X2_EOI = 0x80B, X2_SVR = 0x80F, X2_ISR2 = 0x812,
       X2_IRR2 = 0x822, X2_ICR = 0x830, X2_SELF = 0x83F, VECTOR = 0x51, VECTOR_BIT = 1 << (VECTOR & 31),
       TO_SELF = 1 << 18 };

static struct page region, bitmap;
static struct vm vm = {.region = &region};
static volatile unsigned came;
static volatile uint64_t seen[4];

static void note(struct guest_frame *frame)
{
    (void)frame;
    came++;
    wrmsr(X2_EOI, 0);
}

static void reads(void *unused)
{
    (void)unused;
    seen[0] = read_cr8(), seen[1] = rdmsr(X2_TPR), seen[2] = rdmsr(X2_ID), seen[3] = rdmsr(MSR_BASE);
}
static void writes_cr8(void *value) { write_cr8((uintptr_t)value); }
static void writes_tpr(void *value) { wrmsr(X2_TPR, (uintptr_t)value); }
static void asks(void *msr) { wrmsr((uint32_t)(uintptr_t)msr, msr == (void *)X2_SELF ? VECTOR : TO_SELF | VECTOR); }
static void takes(void *unused)
{
    (void)unused;
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}
static void refused(void *msr) { seen[0] = guest_try_write_msr((uint32_t)(uintptr_t)msr, ~0ull); }

static void run(const char *name, void (*body)(void *), uintptr_t argument)
{
    vm_start(&vm, body, (void *)argument);
    vm_run(&vm);
    if (!vm_finished(&vm))
        vm_print_exit(name, &vm);
}

int guest_main(void)
{
    outb(0x21, 0xFF), outb(0xA1, 0xFF);
    guest_handle(VECTOR, note);
    if (!(cpuid(1, 0).ecx & 1 << 21)) {
        guest_print("no x2APIC\n");
        return 1;
    }
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) | EXTD);
    wrmsr(X2_SVR, 0x1FF);
    vm_begin();
    vm_prepare(&vm);
    vm_cpu(CPU_MSR_BITMAPS, 0);
    vm_set(VMCS_MSR_BITMAP, (uintptr_t)&bitmap);
    write_cr8(3);
    run("reads", reads, 0);
    guest_check_equal(seen[0], 3, "L2 reads L1's CR8");
    guest_check_equal(seen[1], 0x30, "and its TPR");
    guest_check_equal(seen[2], rdmsr(X2_ID), "its number");
    guest_check_equal(seen[3], rdmsr(MSR_BASE), "its base");
    run("CR8", writes_cr8, 7);
    guest_check_equal(read_cr8(), 7, "what L2 writes to CR8 L1 reads there");
    guest_check_equal(rdmsr(X2_TPR), 0x70, "and in its TPR");
    run("TPR", writes_tpr, 0x4F);
    guest_check_equal(read_cr8(), 4, "what L2 writes to TPR L1 reads in CR8");
    guest_check_equal(rdmsr(X2_TPR), 0x4F, "and in its TPR");
    run("SELF IPI", asks, X2_SELF);
    guest_check_equal(rdmsr(X2_IRR2) & VECTOR_BIT, VECTOR_BIT, "an interrupt L2 asks for waits in L1's IRR");
    guest_check_equal(came, 0, "while interrupts are off");
    takes(NULL);
    guest_check_equal(came, 1, "and comes to L1");
    run("ICR", asks, X2_ICR);
    takes(NULL);
    guest_check_equal(came, 2, "by the ICR too");
    run("SELF IPI", asks, X2_SELF);
    run("STI", takes, 0);
    guest_check_equal(came, 3, "L2 may take it");
    guest_check_equal(rdmsr(X2_ISR2) | rdmsr(X2_IRR2), 0, "and end it");
    run("priority", writes_cr8, 5);
    wrmsr(X2_SELF, VECTOR);
    run("STI", takes, 0);
    guest_check_equal(came, 3, "not while its priority is lower than what L2 wrote");
    write_cr8(0);
    takes(NULL);
    guest_check_equal(came, 4, "but then");
    run("reserved", refused, X2_TPR);
    guest_check_equal(seen[0], 13, "reserved bits are refused L2 as L1");
    run("beyond", refused, 0x8FF);
    guest_check_equal(seen[0], 13, "and what is no register");
    guest_print("end\n");
    return (int)guest_failures;
}
