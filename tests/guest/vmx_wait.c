/* Question: is wait-for-SIPI an activity state that an entry takes, and refuses together with what cannot be in it?
 * With "enter" on the command line L2 is entered so, with all that ends a halt under way. SDM "Checks on Guest
 * Non-Register State". In a machine of one processor nobody ever sends that SIPI. */
#include "tests/guest/vmx/vm.h"

#include <string.h>

#include "vmcs-shadow/capability.h"

enum { FS_BASE = 0xC0000100, SPURIOUS = 0xFEE000F0, ENABLED = 0x1FF, ICR = 0xFEE00300, TO_SELF = 0x40051,
       WAIT_FOR_SIPI = 3, INTERRUPT = 0x80000030, NMI = 0x80000202, DEBUG = 0x80000301, MACHINE_CHECK = 0x80000312 };

static struct page region, list;
static struct vm vm = {.region = &region};

static void l2_runs(void *unused)
{
    (void)unused;
    guest_print("L2 RUNS\n");
}

static void enters(const char *name, uint32_t event, uint32_t blocking, uint32_t listed)
{
    vm_clear(&vm);
    vm_prepare(&vm);
    vm_start(&vm, l2_runs, NULL);
    vm_set(VMCS_GUEST_ACTIVITY_STATE, WAIT_FOR_SIPI);
    vm_set(VMCS_GUEST_RFLAGS, 0x202);
    vm_set(VMCS_ENTRY_INTERRUPTION_INFO, event);
    vm_set(VMCS_GUEST_INTERRUPTIBILITY, blocking);
    vm_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, (uint64_t)(uintptr_t)&list);
    vm_set(VMCS_ENTRY_MSR_LOAD_COUNT, listed);
    vm_run(&vm);
    vm_print_exit(name, &vm);
}

/* An interrupt and the preemption timer are due. */
static void waits(void)
{
    mmio_write(SPURIOUS, ENABLED);
    mmio_write(ICR, TO_SELF);
    vm_clear(&vm);
    vm_prepare(&vm);
    vm_start(&vm, l2_runs, NULL);
    vm_set(VMCS_PIN_CONTROLS,
           vm_get(VMCS_PIN_CONTROLS) | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING | PIN_PREEMPTION_TIMER);
    vm_set(VMCS_PREEMPTION_TIMER, 0);
    vm_set(VMCS_GUEST_ACTIVITY_STATE, WAIT_FOR_SIPI);
    guest_print("L2 waits\n");
    vm_run(&vm);
    vm_print_exit("WAS ENDED", &vm);
}

int guest_main(void)
{
    const struct multiboot_information *information = guest_multiboot();
    const uint64_t not_loadable[2] = {FS_BASE, 0};

    memcpy(&list, &not_loadable, sizeof(not_loadable));
    vm_begin();
    bool offered = rdmsr(MSR_VMX_FIRST + VMX_MISC) & VMX_MISC_ACTIVITY_WAIT_FOR_SIPI;
    guest_print("wait-for-SIPI: %soffered\n", offered ? "" : "not ");
    if (information->flags & 4 && strstr((const char *)(uintptr_t)information->command_line, "enter")) {
        waits();
        return 1;
    }
    enters("with an interrupt", INTERRUPT, 0, 0);
    enters("with an NMI", NMI, 0, 0);
    enters("with a debug exception", DEBUG, 0, 0);
    enters("with a machine check", MACHINE_CHECK, 0, 0);
    enters("blocked by STI", 0, 1, 0);
    enters("blocked by MOV SS", 0, 2, 0);
    enters("with a list that cannot be loaded", 0, 0, 1);
    guest_print("end\n");
    return 0;
}
