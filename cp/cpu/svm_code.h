/* The bytes of the instruction a guest was at, for processors that tell neither them nor where it ends. */
#pragma once
#include "cp/cpu/svm.h"

/* Fills code->count, 0 when they cannot be read. */
void svm_code_fetch(struct vcpu *, const struct vmcb *, struct svm_code *code);
