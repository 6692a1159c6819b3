/* Debug registers and debug exceptions under SVM. Parts of the backend, between svm_vcpu.c and svm_exit.c. */
#pragma once
#include "cp/cpu/svm.h"

/* On QEMU in software: fills svm_armed with what VMRUN does not do there. false: nothing. */
bool svm_debug_arm(const struct vmcb *);

/* Loads the processor's DR6, which holds the guest's, with what the exit says it is. A #DB that is an exit has not
 * changed it. */
void svm_debug_load_dr6(const struct vmcb *);

/* The VMCS' pending debug exceptions, as no VMCB has them. true: vcpu->exit is for CP, nothing ran. `over`: without an
 * event to inject nothing will run, so that what is held back stays as it is. @pre that event, if any, is in the
 * VMCB */
bool svm_debug_pending(struct vcpu *, struct svm_region *, bool over);

/* As in svm_carry.h: a MOV to or from a debug register. */
bool svm_carry_debug(struct vcpu *, struct svm_region *, const struct svm_access *);
