/* Registers beyond the VMCS that guests use freely: SSE and AVX state, XCR0, CR2, debug registers, system-call MSRs. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* From here on the processor holds vcpu's (another's are saved first). */
void context_load(struct vcpu *);
void context_forget(struct vcpu *); /* it is going away: nothing to save */
/* All of them are in *vcpu now, whoever holds the processor, its system-call MSRs too; what stands there now is what
 * they are. @pre of the second: the processor does not hold vcpu's, and loading them faults nowhere */
void context_get(struct vcpu *);
void context_put(struct vcpu *);
int context_create(struct vcpu *);  /* 0 or -ENOMEM; as after power-up */
/* What SDM "Processor State After Reset" says of these registers. INIT leaves XCR0, vector and x87 state and the
 * MSRs. */
void context_reset(struct vcpu *);
void context_init(struct vcpu *);
void context_destroy(struct vcpu *);
/* The guest writes XCR0. @pre the value was checked */
void context_set_xcr0(struct vcpu *, uint64_t value);
uint64_t context_xcr0(struct vcpu *); /* the guest's now */
uint64_t context_xcr0_supported(void); /* what guests are offered; 0: no XSAVE */
bool context_xsetbv_is_unseen(void); /* a guest's XSETBV need not leave it, at any depth */
/* The guest's x87 and vector state as it is now, XSAVE's standard form; context_xstate_put() makes what was changed in
 * it the guest's. */
void *context_xstate_get(struct vcpu *);
void context_xstate_put(struct vcpu *);
