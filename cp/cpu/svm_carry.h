/* Parts of the SVM backend between svm_exit.c and svm_carry.c: what is done within the guest's own instruction. Each
 * answers true: vcpu->exit is for CP; false: it is done, enter again. */
#pragma once
#include "cp/cpu/svm.h"
#include "cp/decode/execute.h"

bool svm_carry_seen(struct vcpu *, struct svm_region *, const struct svm_access *);   /* SVM_SEEN */
bool svm_carry_access(struct vcpu *, struct svm_region *, const struct svm_access *); /* EXIT_CR_ACCESS, EXIT_INVLPG */
bool svm_carry_msr(struct vcpu *, struct svm_region *);                               /* EXIT_RDMSR, EXIT_WRMSR */

/* past an instruction that is done; with its trap if stepped */
bool svm_skip(struct vcpu *, struct svm_region *, unsigned length);
bool svm_look_again(struct vcpu *, const struct vmcb *);         /* true */

/* The general register of an access. */
uint64_t svm_operand_get(struct vcpu *, const struct svm_access *);
void svm_operand_set(struct vcpu *, const struct svm_access *, uint64_t value);

uint64_t svm_segment_base(void *vcpu, enum segment);
struct execute_seams svm_seams(struct vcpu *); /* registers and segment bases, nothing else */
