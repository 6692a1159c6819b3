/* What the SVM backend can do, as the capability MSRs of a processor with VMX. */
#pragma once
#include "vmcs-shadow/capability.h"

/* cr4_bits: those that may be 1 in CR4; invpcid: the processor has that instruction, and with it its intercept */
void svm_capability_make(struct vmx_capability *, uint64_t cr4_bits, bool rdtscp, bool invpcid);
