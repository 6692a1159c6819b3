/* Question: does L2 go on beneath a preemption timer, however short, that L1 sets anew at each entry? Not where it is
 * 0: SDM "VMX-Preemption Timer", "Special Features of VM Entry". */
#include "tests/guest/vmx/vm.h"

enum { ENTRIES = 40, PATIENCE = 4000 /* entries: an emulator whose clock is its host's may be kept from most */ };

static struct page region;
static struct vm vm = {.region = &region};

static void l2(void *unused)
{
    (void)unused;
    for (;;)
        __asm__ volatile("inc %%rcx" : : : "rcx", "cc");
}

int guest_main(void)
{
    static const uint32_t ticks[] = {0, 2, 10, 100, 300, 1000, 10000};

    vm_begin();
    for (unsigned i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        unsigned timers = 0, went_on = 0;
        vm_prepare(&vm);
        vm_start(&vm, l2, NULL);
        vm_pin(PIN_PREEMPTION_TIMER);
        unsigned n = 0;
        for (; n < ENTRIES || (ticks[i] && n < PATIENCE && went_on < 2); n++) {
            uint64_t rip = vm_get(VMCS_GUEST_RIP), rcx = vm.registers.rcx;
            vm_set(VMCS_PREEMPTION_TIMER, ticks[i]);
            vm_run(&vm);
            timers += vm.entered == VMX_SUCCEED && vm.exit.reason == EXIT_PREEMPTION_TIMER;
            went_on += vm_get(VMCS_GUEST_RIP) != rip || vm.registers.rcx != rcx;
        }
        guest_print("%u: the timer ended %s entries, L2 %s\n", ticks[i], timers == n ? "all" : "some",
                    went_on > 1 ? "went on" : "stood");
    }
    guest_print("end\n");
    return 0;
}
