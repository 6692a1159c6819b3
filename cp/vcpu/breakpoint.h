/* Breakpoints of the running guest on data and on ports, where CP makes the access in its stead and the processor
 * sees none. Those on instructions are the processor's. SDM "Debug Registers", "Breakpoint Field Recognition". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/vcpu/vcpu.h"

enum { BREAKPOINTS = 4 };
enum breakpoint_access { BREAKPOINT_READ = 1, BREAKPOINT_WRITE = 2, BREAKPOINT_PORT = 4 };

struct breakpoints {
    uint64_t address[BREAKPOINTS];
    uint64_t dr7;
    bool extensions; /* CR4.DE: there are breakpoints on ports */
};

/* Bits B0 to B3 of DR6 for an access to `bytes` from `at` on, all in one page or among the ports: of every breakpoint
 * it meets, if one of them is enabled; else 0. */
unsigned breakpoints_met(const struct breakpoints *, enum breakpoint_access, uint64_t at, unsigned bytes);

/* Is any of the guest's on data or on a port enabled? A repetition then stops behind each of its elements. */
bool breakpoints_watch(struct vcpu *);

/* An instruction that CP carries out makes an access; what it meets is gathered in vcpu->breakpoints_met, which whoever
 * begins with an instruction clears. Outside 64-bit mode addresses wrap at 4 GiB. */
void breakpoint_note(struct vcpu *, enum breakpoint_access, uint64_t at, unsigned bytes);
