/* The state of a virtual CPU as it is kept apart from it, on disk too: what a program finds in registers. Not kept: its
 * local APIC, MTRRs, IA32_DEBUGCTL, IA32_SPEC_CTRL, IA32_TSC_ADJUST, machine-check banks and the MSRs of KVM's clock,
 * which are as after a reset. What the last made CP store is right as long as the TSC is not written.
 * In: a virtual CPU that is stopped. Out: struct cpu_state, and from one that may be damaged or made up, on a processor
 * that may be another, a virtual CPU again, or why not. */
#pragma once
#include <stdint.h>

#include "cp/vcpu/vcpu.h"

enum { CPU_STATE_FIELDS = 56, CPU_STATE_XSTATE = 2816 /* bytes: XSAVE's standard form of XSTATE_KNOWN */ };

struct cpu_state {
    uint64_t field[CPU_STATE_FIELDS]; /* of the VMCS, as the table in cpu_state.c has them */
    uint64_t gpr[GPRS];
    uint64_t cr0, cr4;                /* as its program sees them */
    uint64_t cr2, dr[4], dr6;
    struct vcpu_msrs msrs;
    uint64_t xcr0, used;              /* as in struct xstate_guest */
    uint64_t tsc;
    uint8_t xstate[CPU_STATE_XSTATE];
};

/* NULL, or why its state cannot be told by this alone: it waits for an event, or is in VMX operation. */
const char *cpu_state_get(struct vm *, struct cpu_state *);
/* NULL, or why this processor cannot go on with it; then nothing was changed. What is told of segments and of paging
 * that no processor takes shows at the first entry, as VM_STOP_BAD_ENTRY. @pre the CPU was reset */
const char *cpu_state_put(struct vm *, const struct cpu_state *);
