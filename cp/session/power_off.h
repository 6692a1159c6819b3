/* The end of CP that its users ask for. cp/cpu implements it; host tests fake it. */
#pragma once
#include <stdint.h>

enum {
    CP_EXIT_MACHINE_MAX = 124, /* with one machine alone: what it wrote to its debug-exit port; more counts as this */
    CP_EXIT_OTHER = 125,       /* it ended in another way, or it or CP could not be started */
    CP_EXIT_OTHER_BELOW = 0x100 | CP_EXIT_OTHER, /* how a CP tells that to the CP whose debug-exit port it writes */
};

/* How CP ends, for who started its machine: told by cp_power_off, when all output is out. By the machine's
 * isa-debug-exit port where the tree has one, else as "VMN-EXIT n" on the emulator's debug console. */
void cp_exit_status(unsigned status);
void cp_exit_port(uint16_t port); /* 0: none */
__attribute__((noreturn)) void cp_power_off(void);
