/* What pure code asks of the processor and the machine CP runs on. cp/cpu implements it; host tests fake it. */
#pragma once
#include <stdint.h>

struct vcpu;

void cpu_cr2_set(struct vcpu *, uint64_t value); /* the guest's CR2, wherever it is now */
void cp_debug_write(const char *text);           /* CP's debug port */
__attribute__((noreturn)) void cp_power_off(void);
