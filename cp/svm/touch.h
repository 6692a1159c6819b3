/* The linear address behind a nested page fault, which VMX tells and SVM does not. */
#pragma once
#include "cp/cpu/vcpu.h"
#include "cp/decode/execute.h"
#include "cp/svm/exit.h"

enum { SVM_TOUCHES = 16 };

/* What an instruction may touch in memory, likelier first: a superset. Addresses are exact but for the second page of an operand
 * that crosses, which begins that page. */
struct svm_touches {
    uint64_t linear[SVM_TOUCHES];
    unsigned count;
    bool modifies; /* its memory operand is read and written */
};

void svm_touches_find(const struct svm_code *, const struct execute_seams *, uint64_t rip, struct svm_touches *);

/* Completes an EPT violation of what runs: guest-linear address, bits 7 and 8 of the qualification, and bit 1 where the processor
 * reported the reading half of a read-modify-write. What is found is proven by a walk of the guest's tables; if nothing is,
 * bit 7 stays 0. `table`: the access was to an entry of the guest's page tables. @pre exit.reason is EXIT_EPT_VIOLATION */
void svm_touch_complete(struct vcpu *, const struct execute_seams *, const struct svm_code *, bool table);
