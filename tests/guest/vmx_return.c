/* Question: is what an IRET loads that ends the blocking of NMIs, TF and RF among it, L2's from then on, whoever waits
 * for the end of that blocking: the NMIs' window, or only who runs L2? L2 is entered with an event whose handler
 * returns at once, NMIs blocked. SDM "Handling Multiple NMIs", "NMI-Window Exiting", "Single-Step Exception
 * Condition", "IRET" (RF).
 *
 * Not asked: a breakpoint at the same place, which Bochs 2.7 meets before the window. */
#include "tests/guest/vmx/vm.h"

enum { VECTOR_DB = 1, VECTOR_UD = 6, TF = 0x100, IF = 0x200, RF = 0x10000, ALWAYS = 2, NMI = 8, EXITS = 4 };
enum { UNDEFINED = 0x80000306u, ENABLE_0 = 1 };
#define DR7_NONE 0x400ull
#define DR6_NONE 0xFFFF0FF0ull

struct way {
    const char *name;
    uint32_t flags, controls;
    bool breakpoint; /* on the first instruction */
};

static struct page region;
static struct vm vm = {.region = &region};
static unsigned traps, undefined;
static uint64_t trapped_at, met;

static void note_undefined(struct guest_frame *frame)
{
    (void)frame;
    undefined++;
}

static void note_trap(struct guest_frame *frame)
{
    if (!traps++)
        trapped_at = frame->rip - (uintptr_t)vm_l2_start, met = read_dr6() & 0xE00F;
    write_dr6(DR6_NONE);
    frame->rflags = (frame->rflags & ~(uint64_t)TF) | RF;
}

static void l2(void *unused) { (void)unused; }

static void run(const struct way *way)
{
    traps = undefined = 0;
    write_dr6(DR6_NONE);
    write_dr0((uintptr_t)vm_l2_start);
    vm_prepare(&vm);
    vm_start(&vm, l2, NULL);
    vm_set(VMCS_GUEST_RFLAGS, ALWAYS | way->flags);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, NMI);
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, UNDEFINED);
    vm_set(VMCS_GUEST_DR7, DR7_NONE | (way->breakpoint ? ENABLE_0 : 0));
    vm_pin(PIN_NMI_EXITING | PIN_VIRTUAL_NMIS);
    vm_cpu(way->controls, 0);
    vm_entry_controls(ENTRY_LONG_MODE | ENTRY_LOAD_DEBUG_CONTROLS);
    for (unsigned n = 0; n < EXITS; n++) {
        vm_run(&vm);
        uint64_t flags = vm_get(VMCS_GUEST_RFLAGS);
        vm_print_exit(way->name, &vm);
        if (vm_finished(&vm))
            break;
        guest_print("  %s, TF %u, RF %u, NMIs %sblocked\n",
                    vm.exit.rip == (uintptr_t)vm_l2_start ? "at the beginning" : "elsewhere", !!(flags & TF),
                    !!(flags & RF), vm_get(VMCS_GUEST_INTERRUPTIBILITY) & NMI ? "" : "not ");
        vm_cpu(0, 0);
    }
    guest_print("  undefined %u, traps %u", undefined, traps);
    if (traps)
        guest_print(", the first %llu on, DR6 %#llx", (unsigned long long)trapped_at, (unsigned long long)met);
    guest_print(", DR6 then %#llx\n", (unsigned long long)read_dr6() & 0xE00F);
    write_dr7(DR7_NONE);
}

int guest_main(void)
{
    static const struct way ways[] = {
        {"plain, NMIs' window", 0, CPU_NMI_WINDOW_EXITING, false},
        {"TF", TF, 0, false},
        {"TF, NMIs' window", TF, CPU_NMI_WINDOW_EXITING, false},
        {"TF, both windows", TF | IF, CPU_NMI_WINDOW_EXITING | CPU_INTERRUPT_WINDOW_EXITING, false},
        {"RF, interrupts' window", RF | IF, CPU_INTERRUPT_WINDOW_EXITING, false},
        {"RF, NMIs' window", RF, CPU_NMI_WINDOW_EXITING, false},
        {"RF at a breakpoint", RF, 0, true},
        {"RF at a breakpoint, NMIs' window", RF, CPU_NMI_WINDOW_EXITING, true},
    };

    outb(0x21, 0xFF), outb(0xA1, 0xFF);
    guest_handle(VECTOR_UD, note_undefined);
    guest_handle(VECTOR_DB, note_trap);
    vm_begin();
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
        run(&ways[i]);
    guest_print("end\n");
    return 0;
}
