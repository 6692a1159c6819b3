/* What VMX tells of an EPT violation and SVM does not of a nested page fault. */
#pragma once
#include "cp/decode/execute.h"
#include "cp/svm/exit.h"
#include "cp/vcpu/vcpu.h"

/* Completes an EPT violation of what runs: the guest-linear address, bits 7 and 8 of the qualification, and bit 1 where
 * the processor reported only the read of a read-modify-write. An address found is confirmed by a walk of the guest's
 * tables; if none is found, bit 7 stays 0. `table`: the access was to an entry of the guest's page tables. @pre
 * exit.reason is EXIT_EPT_VIOLATION */
void svm_violation_complete(struct vcpu *, const struct execute_seams *, const struct svm_code *, bool table);
