/* Question: is what holds back an event or a trap of L2 where it is entered (the shadow of STI and of a
 * load of SS, debug exceptions that are pending, general detection), and are its debug exceptions and
 * registers whose they should be? */
#include "tests/guest/vmx/vm.h"

enum { VECTOR_DB = 1, BY_STI = 1, BY_MOV_SS = 2, PENDING_B0 = 1 << 0, PENDING_ENABLED = 1 << 12, PENDING_BS = 1 << 14 };
enum { RFLAGS_IF = 0x202, RFLAGS_NONE = 2, RFLAGS_TF = 0x102, RFLAGS_RF = 1 << 16, DB = 1 << VECTOR_DB };
enum { VECTOR_INTERRUPT = 0x60, EVENT_EXCEPTION = 3 << 8, TIMES = 20 };
#define EVENT_VALID 0x80000000u
#define DR6_NONE 0xFFFF0FF0ull
#define DR7_NONE 0x400ull
#define DR7_GD 0x2000ull

static struct page region;
static struct vm vm = {.region = &region};

/* ---- what L2's own handler got ------------------------------------------------------ */

static volatile struct {
    unsigned count;
    uint64_t rip, dr6, dr7;
} got;

static void note(struct guest_frame *frame)
{
    got.dr7 = read_dr7(); /* first, as it may be what general detection is for */
    got.dr6 = read_dr6();
    got.count++;
    got.rip = frame->rip;
    write_dr6(DR6_NONE);
    write_dr7(DR7_NONE);
    frame->rflags = (frame->rflags | RFLAGS_RF) & ~0x100ull;
}

/* ---- what L2 does: RCX counts its instructions --------------------------------------- */

static void l2_count(void *unused)
{
    (void)unused;
    __asm__ volatile("xor %%ecx, %%ecx; inc %%ecx; inc %%ecx; inc %%ecx" : : : "rcx", "cc", "memory");
}

static void l2_ss(void *unused)
{
    (void)unused;
    __asm__ volatile("mov %%ss, %%eax; xor %%ecx, %%ecx; pushf; orl $0x100, (%%rsp); popf\n"
                     "mov %%eax, %%ss; cpuid; nop; nop"
                     : : : "rax", "rbx", "rcx", "rdx", "cc", "memory");
}

static void l2_nothing(void *unused) { (void)unused; }

static volatile uint64_t watched;
static void l2_write(void *unused)
{
    (void)unused;
    watched = 1;
    __asm__ volatile("nop");
}

static void l2_read_dr0(void *unused)
{
    (void)unused;
    (void)read_dr0();
}

static void l2_registers(void *unused)
{
    (void)unused;
    write_dr6(DR6_NONE | 2);
    write_dr0(0x1357);
}

/* ---- entries ------------------------------------------------------------------------- */

static void prepare(void (*body)(void *), uint64_t rflags, uint64_t blocking, uint64_t pending, uint32_t bitmap)
{
    vm_prepare(&vm);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS);
    vm_exit_controls(EXIT_SAVE_DEBUG_CONTROLS);
    vm_pin(PIN_NMI_EXITING | PIN_VIRTUAL_NMIS);
    vm_start(&vm, body, NULL);
    vm.registers.rcx = 0x77;
    vm_set(VMCS_GUEST_DR7, DR7_NONE);
    vm_set(VMCS_GUEST_RFLAGS, rflags);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, blocking);
    vm_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, pending);
    vm_set(VMCS_EXCEPTION_BITMAP, bitmap);
    write_dr6(DR6_NONE);
    got.count = 0;
    got.dr6 = got.dr7 = 0;
}

static void enter(const char *name)
{
    vm_run(&vm);
    vm_print_exit(name, &vm);
    guest_print("  RCX %#llx blocking %#llx pending %#llx", (unsigned long long)vm.registers.rcx,
                (unsigned long long)vm_get(VMCS_GUEST_INTERRUPTIBILITY),
                (unsigned long long)vm_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS));
    guest_print(" DR6 %#llx DR7 %#llx", (unsigned long long)read_dr6(), (unsigned long long)vm_get(VMCS_GUEST_DR7));
    if (got.count)
        guest_print(", L2 got %u with DR6 %#llx DR7 %#llx", got.count, (unsigned long long)got.dr6,
                    (unsigned long long)got.dr7);
    guest_print("\n");
}

static void windows(void)
{
    prepare(l2_count, RFLAGS_IF, BY_STI, 0, 0);
    vm_cpu(CPU_INTERRUPT_WINDOW_EXITING, 0);
    enter("interrupt window behind STI");
    prepare(l2_count, RFLAGS_IF, BY_MOV_SS, 0, 0);
    vm_cpu(CPU_INTERRUPT_WINDOW_EXITING, 0);
    enter("interrupt window behind MOV SS");
    prepare(l2_count, RFLAGS_NONE, BY_MOV_SS, 0, 0);
    vm_cpu(CPU_NMI_WINDOW_EXITING, 0);
    enter("NMI window behind MOV SS");
}

/* Where the handler of an event begins. */
static uint64_t gate(unsigned vector)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idt;
    __asm__ volatile("sidt %0" : "=m"(idt));
    const uint64_t *entry = (const uint64_t *)(uintptr_t)(idt.base + vector * 16ull);
    return (entry[0] & 0xFFFF) | (entry[0] >> 32 & 0xFFFF0000) | entry[1] << 32;
}

/* Entered with an event and with what is to end L2 behind it: that is before the handler's first instruction, each
 * time and not by chance. */
static void behind_an_event(const char *name, uint32_t event, uint32_t processor, uint32_t pin)
{
    unsigned right = 0;
    for (unsigned n = 0; n < TIMES; n++) {
        prepare(l2_count, RFLAGS_IF, 0, 0, 0);
        vm_cpu(processor, 0);
        vm_pin(PIN_NMI_EXITING | PIN_VIRTUAL_NMIS | pin);
        vm_set(VMCS_PREEMPTION_TIMER, 0);
        vm_set(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_VALID | event);
        vm_run(&vm);
        right += vm_get(VMCS_GUEST_RIP) == gate(event & 0xFF);
    }
    vm_print_exit(name, &vm);
    guest_check_equal(right, TIMES, "is before the handler");
}

static void ends_behind_an_event(void)
{
    behind_an_event("NMI window behind an interrupt", VECTOR_INTERRUPT, CPU_NMI_WINDOW_EXITING, 0);
    behind_an_event("NMI window behind an exception", EVENT_EXCEPTION | 6, CPU_NMI_WINDOW_EXITING, 0);
    behind_an_event("timer behind an interrupt", VECTOR_INTERRUPT, 0, PIN_PREEMPTION_TIMER);
    behind_an_event("timer behind an exception", EVENT_EXCEPTION | 6, 0, PIN_PREEMPTION_TIMER);
    behind_an_event("timer before an NMI window", VECTOR_INTERRUPT, CPU_NMI_WINDOW_EXITING, PIN_PREEMPTION_TIMER);
}

/* SDM "VMX-Preemption Timer": debug-trap exceptions come before it. */
static void timer_and_pending(void)
{
    prepare(l2_count, RFLAGS_NONE, 0, PENDING_B0 | PENDING_ENABLED, DB);
    vm_pin(PIN_PREEMPTION_TIMER);
    vm_set(VMCS_PREEMPTION_TIMER, 0);
    enter("a breakpoint pending, and no time");
    enter("behind it");
    prepare(l2_count, RFLAGS_NONE, 0, PENDING_B0 | PENDING_ENABLED, 0);
    vm_pin(PIN_PREEMPTION_TIMER);
    vm_set(VMCS_PREEMPTION_TIMER, 0);
    enter("a breakpoint pending for L2, and no time");
    guest_check_equal(vm_get(VMCS_GUEST_RIP), gate(VECTOR_DB), "is before the handler");
}

static void pending(void)
{
    prepare(l2_count, RFLAGS_NONE, 0, PENDING_B0 | PENDING_ENABLED, DB);
    enter("a breakpoint pending");
    prepare(l2_count, RFLAGS_NONE, 0, PENDING_B0, DB);
    enter("one that is not enabled");
    prepare(l2_count, RFLAGS_TF, 0, PENDING_BS, DB);
    enter("a step pending");
    prepare(l2_count, RFLAGS_NONE, 0, PENDING_B0 | PENDING_ENABLED, 0);
    enter("a breakpoint pending, for L2");
    prepare(l2_count, RFLAGS_TF | RFLAGS_IF, BY_STI, PENDING_BS, DB);
    enter("a step pending, behind STI");
    prepare(l2_count, RFLAGS_TF, BY_MOV_SS, PENDING_BS, DB);
    enter("a step pending, behind MOV SS");
    prepare(l2_ss, RFLAGS_NONE, 0, 0, DB);
    enter("a stepped load of SS, and CPUID");
    enter("entered again as it was left");
    vm_skip(&vm);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, 0);
    enter("and behind it");
}

static void breakpoints(void)
{
    prepare(l2_nothing, RFLAGS_NONE, 0, 0, DB);
    write_dr0((uint64_t)(uintptr_t)l2_nothing);
    vm_set(VMCS_GUEST_DR7, DR7_NONE | 1);
    enter("code breakpoint");
    guest_check_equal(vm_get(VMCS_GUEST_RIP), (uint64_t)(uintptr_t)l2_nothing, "is before its instruction");
    vm_set(VMCS_GUEST_RFLAGS, vm_get(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
    enter("passed with RF");
    prepare(l2_nothing, RFLAGS_NONE, 0, 0, 0);
    vm_set(VMCS_GUEST_DR7, DR7_NONE | 1);
    enter("code breakpoint, for L2");
    prepare(l2_write, RFLAGS_NONE, 0, 0, DB);
    write_dr0((uint64_t)(uintptr_t)&watched);
    vm_set(VMCS_GUEST_DR7, DR7_NONE | 1 | 0x9 << 16);
    enter("data breakpoint");
    prepare(l2_write, RFLAGS_NONE, 0, 0, 0);
    vm_set(VMCS_GUEST_DR7, DR7_NONE | 1 | 0x9 << 16);
    enter("data breakpoint, for L2");
    prepare(l2_write, RFLAGS_NONE, 0, 0, DB);
    watched = 2;
    enter("none that is not enabled, whatever L1 had");
    write_dr7(DR7_NONE | 2 | 0x9 << 16);
    watched = 3;
    guest_print("L1's own: %u\n", got.count);
    prepare(l2_write, RFLAGS_NONE, 0, 0, DB);
    write_dr7(DR7_NONE | 2 | 0x9 << 16);
    enter("L1's do not count in L2");
    guest_check_equal(read_dr7(), DR7_NONE, "an exit leaves L1 none");
    watched = 4;
    guest_check_equal(got.count, 0, "and none is met");
}

static void registers(void)
{
    prepare(l2_read_dr0, RFLAGS_NONE, 0, 0, DB);
    vm_set(VMCS_GUEST_DR7, DR7_NONE | DR7_GD);
    enter("general detection");
    prepare(l2_read_dr0, RFLAGS_NONE, 0, 0, 0);
    vm_set(VMCS_GUEST_DR7, DR7_NONE | DR7_GD);
    enter("general detection, for L2");
    prepare(l2_registers, RFLAGS_NONE, 0, 0, DB);
    enter("DR0 and DR6 are shared");
    guest_check_equal(read_dr0(), 0x1357, "DR0 is L2's");
    write_dr6(DR6_NONE);
}

int guest_main(void)
{
    vm_begin();
    outb(0x21, 0xFF), outb(0xA1, 0xFF);
    guest_handle(VECTOR_DB, note);
    windows();
    ends_behind_an_event();
    pending();
    timer_and_pending();
    breakpoints();
    registers();
    guest_print("end\n");
    return (int)guest_failures;
}
