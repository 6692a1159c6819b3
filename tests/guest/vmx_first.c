/* Question: of several things that wait as L2 is entered, which comes first, and where is L2 then? An external
 * interrupt for L1, windows, the preemption timer, a debug exception that is pending, an event that is injected; L2
 * running, in the shadow of STI or MOV SS, or (on the command line: halted) in the activity state HLT. SDM "Priority
 * Among Concurrent Events", "Other Causes of VM Exits", "NMI-Window Exiting", "VMX-Preemption Timer", "Event
 * Injection", "Architectural State Before a VM Exit".
 *
 * Halted is not for bare Bochs 2.7: it ends HLT for no window, and forgets the state at an exit. */
#include <string.h>

#include "tests/guest/vmx/vm.h"

enum { VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_UD = 6, VECTOR_L1 = 0x51, VECTOR_L2 = 0x61, EXITS = 8 };
enum { IF = 0x202, TF = 0x100, NO_IF = 2, STI = 1, MOV_SS = 2, NMI = 8, ON = 0, HALTED = 1 };
enum { STEP = 0x4000, BREAKPOINT = 0x1001 };
enum { INTERRUPT = 0x80000000u | VECTOR_L2, AN_NMI = 0x80000202u, UNDEFINED = 0x80000306u };
enum { EXTERNAL = 1, LATER = 2, TIMER = 8, WINDOW = 16, NMI_WINDOW = 32, ACKNOWLEDGE = 64 };
enum { LATER_TICKS = 5000000 };
#define APIC 0xFEE00000ull

struct wait {
    const char *name;
    unsigned waits; /* of the last enum; EXTERNAL: an interrupt for L1, LATER: one that comes in some milliseconds */
    uint32_t flags, blocked, pending, injected;
};

static struct page region;
static struct vm vm = {.region = &region};
static volatile unsigned handled[256];

static const struct wait running[] = {
    {"an interrupt", EXTERNAL, IF, 0, 0, 0},
    {"an interrupt, acknowledged", EXTERNAL | ACKNOWLEDGE, IF, 0, 0, 0},
    {"an interrupt, behind STI", EXTERNAL, IF, STI, 0, 0},
    {"an interrupt, behind MOV SS", EXTERNAL, IF, MOV_SS, 0, 0},
    {"an interrupt and its window", EXTERNAL | WINDOW, IF, 0, 0, 0},
    {"an interrupt and its window, behind STI", EXTERNAL | WINDOW, IF, STI, 0, 0},
    {"an interrupt and the NMIs' window", EXTERNAL | NMI_WINDOW, IF, 0, 0, 0},
    {"both windows", WINDOW | NMI_WINDOW, IF, 0, 0, 0},
    {"both windows, behind STI", WINDOW | NMI_WINDOW, IF, STI, 0, 0},
    {"the timer and both windows", TIMER | WINDOW | NMI_WINDOW, IF, 0, 0, 0},
    {"the timer and an interrupt", TIMER | EXTERNAL, IF, 0, 0, 0},
    {"a step and an interrupt", EXTERNAL, IF | TF, 0, STEP, 0},
    {"a breakpoint and an interrupt", EXTERNAL, IF, 0, BREAKPOINT, 0},
    {"a breakpoint and an interrupt, behind MOV SS", EXTERNAL, IF, MOV_SS, BREAKPOINT, 0},
    {"a breakpoint and both windows", WINDOW | NMI_WINDOW, IF, 0, BREAKPOINT, 0},
    {"an interrupt for L2 and one for L1", EXTERNAL, IF, 0, 0, INTERRUPT},
    {"an interrupt for L2 and its window", WINDOW, IF, 0, 0, INTERRUPT},
    {"an interrupt for L2 and the NMIs' window", NMI_WINDOW, IF, 0, 0, INTERRUPT},
    {"an NMI for L2 and the NMIs' window", NMI_WINDOW, IF, 0, 0, AN_NMI},
    {"an NMI for L2 and both windows", NMI_WINDOW | WINDOW, IF, 0, 0, AN_NMI},
    {"an NMI for L2 and an interrupt", EXTERNAL, IF, 0, 0, AN_NMI},
    {"#UD for L2, and all", EXTERNAL | WINDOW | NMI_WINDOW | TIMER, IF, 0, 0, UNDEFINED},
    {"#UD for L2, behind STI, and windows", WINDOW | NMI_WINDOW, IF, STI, 0, UNDEFINED},
    {"#UD for L2, behind STI, and an interrupt", EXTERNAL, IF, STI, 0, UNDEFINED},
    {"a step for L2 and an event", EXTERNAL, IF | TF, 0, STEP, INTERRUPT},
    {"an interrupt, NMIs blocked", EXTERNAL | NMI_WINDOW, IF, NMI, 0, 0}, /* the last: Bochs does not unblock them */
};

static const struct wait halted[] = {
    {"an interrupt", EXTERNAL, IF, 0, 0, 0},
    {"an interrupt, interrupts off", EXTERNAL, NO_IF, 0, 0, 0},
    {"an interrupt that comes later", LATER, IF, 0, 0, 0},
    {"one with interrupts off", LATER, NO_IF, 0, 0, 0},
    {"an interrupt and its window", EXTERNAL | WINDOW, IF, 0, 0, 0},
    {"both windows", WINDOW | NMI_WINDOW, IF, 0, 0, 0},
    {"the timer", TIMER, NO_IF, 0, 0, 0},
    {"the timer and an interrupt", TIMER | EXTERNAL, IF, 0, 0, 0},
    {"a breakpoint", 0, IF, 0, BREAKPOINT, 0},
    {"a breakpoint and an interrupt", EXTERNAL, IF, 0, BREAKPOINT, 0},
    {"an interrupt for L2", 0, IF, 0, 0, INTERRUPT},
    {"an interrupt for L2 and its window", WINDOW, IF, 0, 0, INTERRUPT},
    {"an NMI for L2, both windows and an interrupt", NMI_WINDOW | WINDOW | EXTERNAL, IF, 0, 0, AN_NMI},
};

static void handle(struct guest_frame *frame)
{
    handled[frame->vector]++;
    if (frame->vector == VECTOR_DB)
        write_dr6(0xFFFF0FF0), frame->rflags &= ~(uint64_t)TF;
    if (frame->vector == VECTOR_L1)
        mmio_write(APIC + 0xB0, 0);
}

static void l2(void *unused)
{
    (void)unused;
    __asm__ volatile("nop; nop; nop");
}

/* Where L2 is: at the beginning, behind its first instruction, or in a handler that has not begun. */
static const char *place(void)
{
    uint64_t on = vm_get(VMCS_GUEST_RIP) - (uintptr_t)vm_l2_start;

    return !on ? "at the beginning" : on == 1 ? "one on" : on < 32 ? "in its code" : "in a handler";
}

static void print_handled(void)
{
    for (unsigned v = 0; v < 256; v++)
        if (handled[v])
            guest_print(", had %u of vector %u", handled[v], v), handled[v] = 0;
}

static void print_field(const char *name, uint64_t value)
{
    if (value)
        guest_print(", %s %#llx", name, (unsigned long long)value);
}

static void controls(unsigned waits)
{
    vm_pin((waits & (EXTERNAL | LATER) ? PIN_EXTERNAL_INTERRUPT_EXITING : 0) | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS |
           (waits & TIMER ? PIN_PREEMPTION_TIMER : 0));
    vm_cpu((waits & WINDOW ? CPU_INTERRUPT_WINDOW_EXITING : 0) | (waits & NMI_WINDOW ? CPU_NMI_WINDOW_EXITING : 0), 0);
    vm_exit_controls(waits & ACKNOWLEDGE ? EXIT_ACKNOWLEDGE_INTERRUPT : 0);
    if (waits & TIMER)
        vm_set(VMCS_PREEMPTION_TIMER, 0);
}

/* What still waits when L1 has dealt with an exit. */
static unsigned behind(uint32_t reason, unsigned waits)
{
    switch (reason) {
    case EXIT_EXTERNAL_INTERRUPT:
        if (waits & ACKNOWLEDGE)
            mmio_write(APIC + 0xB0, 0);
        else
            __asm__ volatile("sti; nop; nop; cli" : : : "memory");
        return waits & ~(unsigned)(EXTERNAL | LATER | ACKNOWLEDGE);
    case EXIT_INTERRUPT_WINDOW: return waits & ~(unsigned)WINDOW;
    case EXIT_NMI_WINDOW: return waits & ~(unsigned)NMI_WINDOW;
    case EXIT_PREEMPTION_TIMER: return waits & ~(unsigned)TIMER;
    default: return 0;
    }
}

static void report(const char *name)
{
    guest_print("%s: %s %s", name, vm_reason_name(vm.exit.reason), place());
    print_field("information", vm.exit.interruption_info);
    print_field("vectoring", vm.exit.idt_vectoring_info);
    print_field("blocked", vm_get(VMCS_GUEST_INTERRUPTIBILITY));
    print_field("activity", vm_get(VMCS_GUEST_ACTIVITY_STATE));
    print_field("pending", vm_get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS));
    print_handled();
    guest_print("\n");
}

static void request(unsigned waits)
{
    if (waits & EXTERNAL)
        mmio_write(APIC + 0x300, 1 << 18 | VECTOR_L1);
    if (waits & LATER)
        mmio_write(APIC + 0x3E0, 0xB), mmio_write(APIC + 0x320, VECTOR_L1), mmio_write(APIC + 0x380, LATER_TICKS);
}

/* L2 stays halted until it has nothing more to wait for. */
static void run(const struct wait *of, uint32_t activity)
{
    unsigned waits = of->waits;

    vm_prepare(&vm);
    vm_start(&vm, l2, NULL);
    vm_set(VMCS_GUEST_RFLAGS, of->flags);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, of->blocked);
    vm_set(VMCS_GUEST_ACTIVITY_STATE, activity);
    vm_set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, of->pending);
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, of->injected);
    request(waits);
    for (unsigned n = 0; n < EXITS; n++) {
        controls(waits);
        vm_run(&vm);
        if (vm.entered != VMX_SUCCEED || vm.exit.reason & EXIT_ENTRY_FAILED) {
            vm_print_exit(of->name, &vm);
            break;
        }
        report(of->name);
        if (vm_finished(&vm))
            break;
        waits = behind(vm.exit.reason, waits);
        if (!waits)
            vm_set(VMCS_GUEST_ACTIVITY_STATE, ON);
    }
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
    print_handled();
}

int guest_main(void)
{
    static const uint8_t vectors[] = {VECTOR_DB, VECTOR_NMI, VECTOR_UD, VECTOR_L1, VECTOR_L2};
    const struct multiboot_information *information = guest_multiboot();
    bool halts = information->flags & 4 && strstr((const char *)(uintptr_t)information->command_line, "halted");

    outb(0x21, 0xFF), outb(0xA1, 0xFF);
    mmio_write(APIC + 0xF0, 0x1FF);
    for (unsigned i = 0; i < sizeof vectors; i++)
        guest_handle(vectors[i], handle);
    vm_begin();
    for (unsigned i = 0; halts && i < sizeof halted / sizeof *halted; i++)
        run(&halted[i], HALTED);
    for (unsigned i = 0; !halts && i < sizeof running / sizeof *running; i++)
        run(&running[i], ON);
    guest_print("end\n");
    return 0;
}
