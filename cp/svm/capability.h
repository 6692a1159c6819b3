/* What the SVM backend can do, as the capability MSRs of a processor with VMX. */
#pragma once
#include "vmcs-shadow/capability.h"

/* The processor-based controls that it carries out, by intercepts or itself: cp/svm/control.c accounts for each. */
enum {
    SVM_CPU_CONTROLS = CPU_INTERRUPT_WINDOW_EXITING | CPU_TSC_OFFSETTING | CPU_HLT_EXITING | CPU_INVLPG_EXITING |
                       CPU_MWAIT_EXITING | CPU_RDPMC_EXITING | CPU_RDTSC_EXITING | CPU_CR3_LOAD_EXITING |
                       CPU_CR3_STORE_EXITING | CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING | CPU_TPR_SHADOW |
                       CPU_NMI_WINDOW_EXITING | CPU_MOV_DR_EXITING | CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS |
                       CPU_MSR_BITMAPS | CPU_MONITOR_EXITING | CPU_PAUSE_EXITING | CPU_SECONDARY_CONTROLS,
    SVM_CPU2_CONTROLS = CPU2_EPT | CPU2_DESCRIPTOR_TABLE_EXITING | CPU2_UNRESTRICTED_GUEST | CPU2_WBINVD_EXITING |
                        CPU2_VPID | CPU2_VM_FUNCTIONS | CPU2_VMCS_SHADOWING | CPU2_RDTSCP | CPU2_INVPCID,
};

/* cr4_bits: those that may be 1 in CR4; invpcid: the processor has that instruction, and with it its intercept */
void svm_capability_make(struct vmx_capability *, uint64_t cr4_bits, bool rdtscp, bool invpcid);
