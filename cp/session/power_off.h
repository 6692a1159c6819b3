/* The end of CP that its users ask for. cp/cpu implements it; host tests fake it. */
#pragma once
#include <stdint.h>

/* How CP ends, for who started its machine: told by cp_power_off, when all output is out. By the machine's
 * isa-debug-exit port where the tree has one, else as "VMN-EXIT n" on the emulator's debug console. */
void cp_exit_status(unsigned status);
void cp_exit_port(uint16_t port); /* 0: none */
__attribute__((noreturn)) void cp_power_off(void);
