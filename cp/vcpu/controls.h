/* The VMX controls that CP runs its guests with, whatever the hardware: those it cannot do without, those it takes
 * where they are there, and those that come and go. */
#pragma once
#include "vmcs-shadow/control.h"

enum {
    OWN_PIN = PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS | PIN_PREEMPTION_TIMER,
    OWN_CPU = CPU_TSC_OFFSETTING | CPU_HLT_EXITING | CPU_MWAIT_EXITING | CPU_MONITOR_EXITING | CPU_RDPMC_EXITING |
              CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING | CPU_UNCONDITIONAL_IO_EXITING | CPU_MSR_BITMAPS |
              CPU_SECONDARY_CONTROLS,
    OWN_CPU_WINDOWS = CPU_INTERRUPT_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING, /* while an event waits */
    OWN_CPU2 = CPU2_EPT | CPU2_UNRESTRICTED_GUEST,
    OWN_CPU2_WANTED = CPU2_RDTSCP | CPU2_VPID | CPU2_INVPCID,
    OWN_EXIT = EXIT_HOST_LONG_MODE | EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT |
               EXIT_SAVE_DEBUG_CONTROLS,
    OWN_ENTRY = ENTRY_LOAD_EFER | ENTRY_LOAD_PAT | ENTRY_LOAD_DEBUG_CONTROLS,
};
_Static_assert(!((OWN_CPU2 | OWN_CPU2_WANTED) & CPU2_MERGE_NEVER),
               "CP runs its guests with a control that theirs lose");
_Static_assert(!(CPU2_OFFERED & CPU2_MERGE_BOTH & ~(OWN_CPU2 | OWN_CPU2_WANTED)),
               "a guest is offered for its guests what it has not itself");
