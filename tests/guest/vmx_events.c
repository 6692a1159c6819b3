/* Question: are events injected, held back by windows, reported when they interrupt a delivery, and brought to whom
 * they belong, each once?
 *
 * Each part counts what L2's own handlers got: they are the payload's, since L2 shares its IDT. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

enum {
    RFLAGS_IF = 0x202,
    VECTOR = 0x40,
    TIMER_VECTOR = 0x30,
    PIC_MASTER = 0x20,
    PIC_SLAVE = 0xA0,
    PIT = 0x40,
    PIT_TICKS = 2000,
    /* enough however many CPs there are beneath; 20 ms or so where the TSC is the real one */
    TSC_TO_REACH_HLT = 64000000,
};

static struct page region;
static struct vm vm = {.region = &region};

/* ---- what the handlers got ----------------------------------------------------------- */

static struct {
    unsigned count;
    uint64_t vector, error, rip;
} got;

static void note(struct guest_frame *frame)
{
    got.count++;
    got.vector = frame->vector;
    got.error = frame->error;
    got.rip = frame->rip;
}

static void end_of_interrupt(struct guest_frame *frame)
{
    note(frame);
    outb(PIC_MASTER, 0x20);
}

static void print_got(const char *name)
{
    guest_print("%s: %u events", name, got.count);
    if (got.count)
        guest_print(", the last: vector %llu error %#llx", (unsigned long long)got.vector,
                    (unsigned long long)got.error);
    guest_print("\n");
    memset(&got, 0, sizeof(got));
}

static void l2_nothing(void *unused) { (void)unused; }

static void run(const char *name)
{
    vm_run(&vm);
    vm_print_exit(name, &vm);
}

/* Both PICs away from the exceptions' vectors, every line masked: whatever the loader left pending stays there. */
static void pic_begin(void)
{
    static const uint8_t master[] = {0x11, TIMER_VECTOR, 4, 1}, slave[] = {0x11, TIMER_VECTOR + 8, 2, 1};
    for (unsigned i = 0; i < 4; i++) {
        outb((uint16_t)(PIC_MASTER + (i > 0)), master[i]);
        outb((uint16_t)(PIC_SLAVE + (i > 0)), slave[i]);
    }
    outb(PIC_SLAVE + 1, 0xFF);
    outb(PIC_MASTER + 1, 0xFF);
}

/* ---- injection -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t info, error, length;
    uint8_t vector;
} injections[] = {
    {"interrupt", 0x80000000u | VECTOR, 0, 0, VECTOR},
    {"interrupt 255", 0x800000FFu, 0, 0, 255},
    {"NMI", 0x80000202u, 0, 0, 2},
    {"#UD", 0x80000306u, 0, 0, 6},
    {"#GP", 0x80000B0Du, 0x1238, 0, 13},
    {"#PF", 0x80000B0Eu, 0x6, 0, 14},
    {"INT 64", 0x80000400u | VECTOR, 0, 2, VECTOR},
    {"INT1", 0x80000501u, 0, 1, 1},
    {"INT3", 0x80000603u, 0, 1, 3},
    {"INTO", 0x80000604u, 0, 1, 4},
};

static void injection(void)
{
    for (unsigned i = 0; i < sizeof(injections) / sizeof(*injections); i++) {
        guest_handle(injections[i].vector, note);
        vm_prepare(&vm);
        vm_start(&vm, l2_nothing, NULL);
        vm_set(VMCS_GUEST_RFLAGS, RFLAGS_IF);
        vm_set(VMCS_ENTRY_INTERRUPTION_INFO, injections[i].info);
        vm_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, injections[i].error);
        vm_set(VMCS_ENTRY_INSTRUCTION_LENGTH, injections[i].length);
        if (injections[i].length) /* such an event goes on after its instruction */
            vm_set(VMCS_GUEST_RIP, vm_get(VMCS_GUEST_RIP) - injections[i].length);
        run(injections[i].name);
        uint64_t behind = got.rip - (uint64_t)(uintptr_t)vm_l2_start;
        print_got(injections[i].name);
        guest_check_equal(behind, 0, "it interrupted where it should");
        guest_check_equal(vm_get(VMCS_ENTRY_INTERRUPTION_INFO) >> 31, 0, "the exit took the valid bit");
        guest_handle(injections[i].vector, NULL);
    }
}

/* ---- windows ------------------------------------------------------------------------------- */

static void l2_sti(void *unused)
{
    (void)unused;
    __asm__ volatile("xor %%ecx, %%ecx; sti; inc %%ecx; inc %%ecx; inc %%ecx; cli" : : : "rcx", "cc", "memory");
}

static void l2_count(void *unused)
{
    (void)unused;
    __asm__ volatile("xor %%ecx, %%ecx; inc %%ecx; inc %%ecx; inc %%ecx" : : : "rcx", "cc", "memory");
}

static void l2_iret(void *unused)
{
    (void)unused;
    __asm__ volatile("xor %%ecx, %%ecx\n"
                     "mov %%rsp, %%rax\n"
                     "push $0x10; push %%rax; pushf; push $8; lea 1f(%%rip), %%rax; push %%rax\n"
                     "inc %%ecx\n"
                     "iretq\n"
                     "1: inc %%ecx; inc %%ecx" : : : "rax", "rcx", "cc", "memory");
}

static void window(const char *name, void (*body)(void *), uint64_t rflags, uint64_t blocking)
{
    vm_start(&vm, body, NULL);
    vm.registers.rcx = 0x77;
    vm_set(VMCS_GUEST_RFLAGS, rflags);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, blocking);
    run(name);
    guest_print("  RCX %#llx, blocking %#llx\n", (unsigned long long)vm.registers.rcx,
                (unsigned long long)vm_get(VMCS_GUEST_INTERRUPTIBILITY));
}

static void windows(void)
{
    vm_prepare(&vm);
    vm_cpu(CPU_INTERRUPT_WINDOW_EXITING, 0);
    window("interrupt window, IF 1", l2_count, RFLAGS_IF, 0);
    window("interrupt window, IF 0", l2_count, 2, 0);
    window("interrupt window, STI", l2_sti, 2, 0);
    vm_pin(PIN_NMI_EXITING | PIN_VIRTUAL_NMIS);
    vm_cpu(CPU_NMI_WINDOW_EXITING, 0);
    window("NMI window", l2_count, 2, 0);
    window("NMI window, blocked", l2_count, 2, 8);
    window("NMI window, blocked until IRET", l2_iret, 2, 8);
    vm_cpu(0, 0);
    vm_pin(0);
}

/* ---- what an exit saves of blocking ------------------------------------------------------------ */

static void l2_sti_cpuid(void *unused)
{
    (void)unused;
    __asm__ volatile("sti; cpuid; cli" : : "a"(0) : "rbx", "rcx", "rdx", "memory");
}

static void l2_ss_cpuid(void *unused)
{
    (void)unused;
    __asm__ volatile("mov %%ss, %%ecx; mov %%ecx, %%ss; cpuid" : : "a"(0) : "rbx", "rcx", "rdx", "memory");
}

static void l2_trap_flag(void *unused)
{
    (void)unused;
    __asm__ volatile("pushf; orl $0x100, (%%rsp); popf; nop; nop" : : : "cc", "memory");
}

static void blocking(void)
{
    vm_prepare(&vm);
    vm_start(&vm, l2_sti_cpuid, NULL);
    run("CPUID after STI");
    guest_print("  blocking %#llx\n", (unsigned long long)vm_get(VMCS_GUEST_INTERRUPTIBILITY));
    vm_start(&vm, l2_ss_cpuid, NULL);
    run("CPUID after MOV SS");
    guest_print("  blocking %#llx\n", (unsigned long long)vm_get(VMCS_GUEST_INTERRUPTIBILITY));
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << 1);
    vm_start(&vm, l2_trap_flag, NULL);
    run("single step");
    vm_set(VMCS_EXCEPTION_BITMAP, 0);
}

/* ---- events during the delivery of events --------------------------------------------------------- */

static void l2_int(void *unused)
{
    (void)unused;
    __asm__ volatile("int $0x40" : : : "memory");
}
static void l2_ud(void *unused)
{
    (void)unused;
    __asm__ volatile("ud2" : : : "memory");
}
static void l2_int3(void *unused)
{
    (void)unused;
    __asm__ volatile("int3" : : : "memory");
}
static void l2_page_fault(void *unused)
{
    (void)unused;
    __asm__ volatile("mov (%%rax), %%rax" : : "a"(0x123456789ull) : "memory");
}

static const struct {
    const char *name;
    void (*body)(void *);
    uint32_t info, error, bitmap, idt_limit;
} vectoring[] = {
    {"#GP in INT 64", l2_int, 0, 0, 1 << 13, 0x1FF},
    {"#GP in #UD", l2_ud, 0, 0, 1 << 13, 0x5F},
    {"#GP in INT3", l2_int3, 0, 0, 1 << 13, 0x2F},
    {"#DF after #GP in #PF", l2_page_fault, 0, 0, 1 << 8, 0xCF},
    {"#GP in an injected interrupt", l2_nothing, 0x80000000u | VECTOR, 0, 1 << 13, 0x1FF},
    {"#GP in an injected NMI", l2_nothing, 0x80000202u, 0, 1 << 13, 0x1F},
    {"#GP in an injected #SS", l2_nothing, 0x80000B0Cu, 0x18, 1 << 13, 0xBF},
    {"triple fault in an injected interrupt", l2_nothing, 0x80000000u | VECTOR, 0, 0, 0},
};

static void deliveries(void)
{
    for (unsigned i = 0; i < sizeof(vectoring) / sizeof(*vectoring); i++) {
        vm_prepare(&vm);
        vm_start(&vm, vectoring[i].body, NULL);
        vm_set(VMCS_GUEST_RFLAGS, RFLAGS_IF);
        vm_set(VMCS_EXCEPTION_BITMAP, vectoring[i].bitmap);
        vm_set(VMCS_GUEST_IDTR_LIMIT, vectoring[i].idt_limit);
        vm_set(VMCS_ENTRY_INTERRUPTION_INFO, vectoring[i].info);
        vm_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, vectoring[i].error);
        run(vectoring[i].name);
    }
    /* the hypervisor mends what was in the way and injects again what was being delivered */
    guest_handle(VECTOR, note);
    vm_prepare(&vm);
    vm_start(&vm, l2_int, NULL);
    uint64_t limit = vm_get(VMCS_GUEST_IDTR_LIMIT);
    vm_set(VMCS_EXCEPTION_BITMAP, 1 << 13);
    vm_set(VMCS_GUEST_IDTR_LIMIT, 0x1FF);
    run("INT 64, first");
    guest_print("  instruction length %u\n", vm.exit.instruction_length);
    vm_set(VMCS_GUEST_IDTR_LIMIT, limit);
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, vm.exit.idt_vectoring_info);
    vm_set(VMCS_ENTRY_INSTRUCTION_LENGTH, vm.exit.instruction_length);
    run("INT 64, again");
    print_got("INT 64, again");
    guest_handle(VECTOR, NULL);
}

/* ---- interrupts from outside -------------------------------------------------------------------------- */

/* One interrupt, soon: mode 0 counts down once. */
static void timer_start(void)
{
    outb(PIT + 3, 0x30);
    outb(PIC_MASTER + 1, 0xFE);
    outb(PIT, PIT_TICKS & 0xFF);
    outb(PIT, PIT_TICKS >> 8);
}

static void timer_stop(void)
{
    outb(PIC_MASTER + 1, 0xFF);
}

static volatile bool stop;

static void stop_spinning(struct guest_frame *frame)
{
    end_of_interrupt(frame);
    stop = true;
}

static void l2_spin(void *unused)
{
    (void)unused;
    while (!stop)
        __asm__ volatile("pause");
}

/* Where time passes by itself the interrupt may come before the HLT. */
static void l2_halt(void *unused)
{
    (void)unused;
    interrupts_off();
    while (!stop)
        wait_interrupt();
}

static void l2_halt_for_good(void *unused)
{
    (void)unused;
    __asm__ volatile("hlt" : : : "memory");
}

static void outside(const char *name, void (*body)(void *), uint32_t pin, uint32_t exit_controls)
{
    stop = false;
    memset(&got, 0, sizeof(got));
    vm_prepare(&vm);
    vm_pin(pin);
    vm_exit_controls(exit_controls);
    vm_start(&vm, body, NULL);
    vm_set(VMCS_GUEST_RFLAGS, RFLAGS_IF);
    timer_start();
    run(name);
}

static void from_outside(void)
{
    guest_handle(TIMER_VECTOR, stop_spinning);
    outside("interrupt for L1", l2_spin, PIN_EXTERNAL_INTERRUPT_EXITING, 0);
    print_got("  before STI");
    interrupts_on();
    __asm__ volatile("nop");
    interrupts_off();
    print_got("  after STI");
    vm_run(&vm); /* what remains of L2 sees that its loop is over */
    vm_print_exit("  L2 goes on", &vm);
    outside("interrupt for L1, acknowledged", l2_spin, PIN_EXTERNAL_INTERRUPT_EXITING, EXIT_ACKNOWLEDGE_INTERRUPT);
    interrupts_on();
    __asm__ volatile("nop");
    interrupts_off();
    print_got("  after STI");
    outb(PIC_MASTER, 0x20);
    outside("interrupt for L2", l2_spin, 0, 0);
    print_got("  by L2");
    outside("HLT of L2 ends for L1", l2_halt, PIN_EXTERNAL_INTERRUPT_EXITING, EXIT_ACKNOWLEDGE_INTERRUPT);
    outb(PIC_MASTER, 0x20);
    outside("HLT of L2 ends for L2", l2_halt, 0, 0);
    print_got("  by L2");
    timer_stop();
}

/* L2 entered halted, with an event to wake it. */
static void halted(void)
{
    guest_handle(VECTOR, note);
    vm_prepare(&vm);
    vm_start(&vm, l2_nothing, NULL);
    vm_set(VMCS_GUEST_RFLAGS, RFLAGS_IF);
    vm_set(VMCS_GUEST_ACTIVITY_STATE, 1);
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, 0x80000000u | VECTOR);
    run("halted, interrupt injected");
    print_got("halted, interrupt injected");
    vm_start(&vm, l2_nothing, NULL);
    vm_set(VMCS_GUEST_ACTIVITY_STATE, 1);
    vm_pin(PIN_PREEMPTION_TIMER);
    vm_set(VMCS_PREEMPTION_TIMER, 1000);
    run("halted, nothing but the preemption timer");
    guest_print("  activity state %llu\n", (unsigned long long)vm_get(VMCS_GUEST_ACTIVITY_STATE));
    guest_handle(VECTOR, NULL);
    /* a guest that halts for good is still its hypervisor's to end */
    vm_start(&vm, l2_halt_for_good, NULL);
    vm_set(VMCS_PREEMPTION_TIMER, TSC_TO_REACH_HLT >> (rdmsr(MSR_VMX_FIRST + VMX_MISC) & VMX_MISC_TIMER_RATE));
    run("HLT with interrupts off, and the preemption timer");
    guest_print("  activity state %llu\n", (unsigned long long)vm_get(VMCS_GUEST_ACTIVITY_STATE));
}

int guest_main(void)
{
    vm_begin();
    pic_begin();
    injection();
    windows();
    blocking();
    deliveries();
    from_outside();
    halted();
    guest_print("end\n");
    return (int)guest_failures;
}
