/* A VM exit in the VMX vocabulary: the reasons, and one exit captured once, whatever the hardware. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* SDM Appendix "VMX Basic Exit Reasons" */
enum exit_reason {
    EXIT_EXCEPTION_NMI = 0, EXIT_EXTERNAL_INTERRUPT = 1, EXIT_TRIPLE_FAULT = 2, EXIT_INIT = 3, EXIT_SIPI = 4,
    EXIT_INTERRUPT_WINDOW = 7, EXIT_NMI_WINDOW = 8, EXIT_TASK_SWITCH = 9, EXIT_CPUID = 10, EXIT_GETSEC = 11,
    EXIT_HLT = 12, EXIT_INVD = 13, EXIT_INVLPG = 14, EXIT_RDPMC = 15, EXIT_RDTSC = 16, EXIT_RSM = 17, EXIT_VMCALL = 18,
    EXIT_VMCLEAR = 19, EXIT_VMLAUNCH = 20, EXIT_VMPTRLD = 21, EXIT_VMPTRST = 22, EXIT_VMREAD = 23, EXIT_VMRESUME = 24,
    EXIT_VMWRITE = 25, EXIT_VMXOFF = 26, EXIT_VMXON = 27, EXIT_CR_ACCESS = 28, EXIT_DR_ACCESS = 29, EXIT_IO = 30,
    EXIT_RDMSR = 31, EXIT_WRMSR = 32, EXIT_ENTRY_GUEST_STATE = 33, EXIT_ENTRY_MSR = 34, EXIT_MWAIT = 36, EXIT_MTF = 37,
    EXIT_MONITOR = 39, EXIT_PAUSE = 40, EXIT_ENTRY_MCE = 41, EXIT_TPR = 43, EXIT_APIC_ACCESS = 44, EXIT_EOI = 45,
    EXIT_GDTR_IDTR = 46, EXIT_LDTR_TR = 47, EXIT_EPT_VIOLATION = 48, EXIT_EPT_MISCONFIG = 49, EXIT_INVEPT = 50,
    EXIT_RDTSCP = 51, EXIT_PREEMPTION_TIMER = 52, EXIT_INVVPID = 53, EXIT_WBINVD = 54, EXIT_XSETBV = 55,
    EXIT_APIC_WRITE = 56, EXIT_RDRAND = 57, EXIT_INVPCID = 58, EXIT_VMFUNC = 59, EXIT_ENCLS = 60, EXIT_RDSEED = 61,
    EXIT_PML_FULL = 62, EXIT_XSAVES = 63, EXIT_XRSTORS = 64, EXIT_REASONS
};
enum { EXIT_ENTRY_FAILED = 1u << 31 };

struct exit {
    uint32_t reason; /* all 32 bits; exit_basic() is the table's index */
    uint32_t instruction_length;
    uint64_t qualification;
    uint64_t rip;
    uint32_t instruction_info;
    uint32_t interruption_info, interruption_error; /* valid for EXIT_EXCEPTION_NMI and acknowledged interrupts */
    uint32_t idt_vectoring_info, idt_vectoring_error;
    uint64_t guest_linear, guest_physical; /* valid for EPT exits */
};

const char *exit_reason_name(unsigned basic_reason); /* "EPT VIOLATION"; "RESERVED" for a number without one */

static inline unsigned exit_basic(const struct exit *e) { return e->reason & 0xffff; }
