/* Bits of the VMX controls and of the VMX capability MSRs, under the manual's names.
 * SDM "VM-Execution Control Fields", "VM-Exit Control Fields", "VM-Entry Control Fields", "VMX Capability
 * Reporting". */
#pragma once

enum pin_control {
    PIN_EXTERNAL_INTERRUPT_EXITING = 1u << 0,
    PIN_NMI_EXITING = 1u << 3,
    PIN_VIRTUAL_NMIS = 1u << 5,
    PIN_PREEMPTION_TIMER = 1u << 6,
    PIN_POSTED_INTERRUPTS = 1u << 7,
};

enum processor_control {
    CPU_INTERRUPT_WINDOW_EXITING = 1u << 2,
    CPU_TSC_OFFSETTING = 1u << 3,
    CPU_HLT_EXITING = 1u << 7,
    CPU_INVLPG_EXITING = 1u << 9,
    CPU_MWAIT_EXITING = 1u << 10,
    CPU_RDPMC_EXITING = 1u << 11,
    CPU_RDTSC_EXITING = 1u << 12,
    CPU_CR3_LOAD_EXITING = 1u << 15,
    CPU_CR3_STORE_EXITING = 1u << 16,
    CPU_TERTIARY_CONTROLS = 1u << 17,
    CPU_CR8_LOAD_EXITING = 1u << 19,
    CPU_CR8_STORE_EXITING = 1u << 20,
    CPU_TPR_SHADOW = 1u << 21,
    CPU_NMI_WINDOW_EXITING = 1u << 22,
    CPU_MOV_DR_EXITING = 1u << 23,
    CPU_UNCONDITIONAL_IO_EXITING = 1u << 24,
    CPU_IO_BITMAPS = 1u << 25,
    CPU_MONITOR_TRAP_FLAG = 1u << 27,
    CPU_MSR_BITMAPS = 1u << 28,
    CPU_MONITOR_EXITING = 1u << 29,
    CPU_PAUSE_EXITING = 1u << 30,
    CPU_SECONDARY_CONTROLS = 1u << 31,
};

enum secondary_control {
    CPU2_APIC_ACCESSES = 1u << 0,
    CPU2_EPT = 1u << 1,
    CPU2_DESCRIPTOR_TABLE_EXITING = 1u << 2,
    CPU2_RDTSCP = 1u << 3,
    CPU2_X2APIC_MODE = 1u << 4,
    CPU2_VPID = 1u << 5,
    CPU2_WBINVD_EXITING = 1u << 6,
    CPU2_UNRESTRICTED_GUEST = 1u << 7,
    CPU2_APIC_REGISTERS = 1u << 8,
    CPU2_VIRTUAL_INTERRUPT_DELIVERY = 1u << 9,
    CPU2_PAUSE_LOOP_EXITING = 1u << 10,
    CPU2_RDRAND_EXITING = 1u << 11,
    CPU2_INVPCID = 1u << 12,
    CPU2_VM_FUNCTIONS = 1u << 13,
    CPU2_VMCS_SHADOWING = 1u << 14,
    CPU2_ENCLS_EXITING = 1u << 15,
    CPU2_RDSEED_EXITING = 1u << 16,
    CPU2_PML = 1u << 17,
    CPU2_VIRTUALIZATION_EXCEPTION = 1u << 18,
    CPU2_CONCEAL_FROM_PT = 1u << 19,
    CPU2_XSAVES = 1u << 20,
    CPU2_MODE_BASED_EXECUTE = 1u << 22,
    CPU2_SUB_PAGE_PERMISSIONS = 1u << 23,
    CPU2_TSC_SCALING = 1u << 25,
};

enum exit_control {
    EXIT_SAVE_DEBUG_CONTROLS = 1u << 2,
    EXIT_HOST_LONG_MODE = 1u << 9,
    EXIT_LOAD_PERF_GLOBAL_CTRL = 1u << 12,
    EXIT_ACKNOWLEDGE_INTERRUPT = 1u << 15,
    EXIT_SAVE_PAT = 1u << 18,
    EXIT_LOAD_PAT = 1u << 19,
    EXIT_SAVE_EFER = 1u << 20,
    EXIT_LOAD_EFER = 1u << 21,
    EXIT_SAVE_PREEMPTION_TIMER = 1u << 22,
    EXIT_CLEAR_BNDCFGS = 1u << 23,
    EXIT_CLEAR_RTIT_CTL = 1u << 25,
    EXIT_LOAD_CET = 1u << 28,
    EXIT_LOAD_PKRS = 1u << 29,
};

enum entry_control {
    ENTRY_LOAD_DEBUG_CONTROLS = 1u << 2,
    ENTRY_LONG_MODE = 1u << 9,
    ENTRY_TO_SMM = 1u << 10,
    ENTRY_DEACTIVATE_DUAL_MONITOR = 1u << 11,
    ENTRY_LOAD_PERF_GLOBAL_CTRL = 1u << 13,
    ENTRY_LOAD_PAT = 1u << 14,
    ENTRY_LOAD_EFER = 1u << 15,
    ENTRY_LOAD_BNDCFGS = 1u << 16,
    ENTRY_LOAD_RTIT_CTL = 1u << 18,
    ENTRY_LOAD_CET = 1u << 20,
    ENTRY_LOAD_PKRS = 1u << 22,
};

/* IA32_VMX_EPT_VPID_CAP */
#define EPT_CAP_EXECUTE_ONLY (1ull << 0)
#define EPT_CAP_FOUR_LEVELS (1ull << 6)
#define EPT_CAP_UNCACHEABLE (1ull << 8)
#define EPT_CAP_WRITE_BACK (1ull << 14)
#define EPT_CAP_2M_PAGES (1ull << 16)
#define EPT_CAP_1G_PAGES (1ull << 17)
#define EPT_CAP_INVEPT (1ull << 20)
#define EPT_CAP_ACCESSED_DIRTY (1ull << 21)
#define EPT_CAP_INVEPT_SINGLE (1ull << 25)
#define EPT_CAP_INVEPT_ALL (1ull << 26)
#define VPID_CAP_INVVPID (1ull << 32)
#define VPID_CAP_ADDRESS (1ull << 40)
#define VPID_CAP_SINGLE (1ull << 41)
#define VPID_CAP_ALL (1ull << 42)
#define VPID_CAP_SINGLE_BUT_GLOBALS (1ull << 43)

/* IA32_VMX_BASIC */
#define VMX_BASIC_REVISION_MASK 0x7FFFFFFFull
#define VMX_BASIC_REGION_SIZE(size) ((unsigned long long)(size) << 32)
#define VMX_BASIC_WRITE_BACK (6ull << 50)
#define VMX_BASIC_INS_OUTS (1ull << 54)
#define VMX_BASIC_TRUE_CONTROLS (1ull << 55)

/* IA32_VMX_MISC */
#define VMX_MISC_TIMER_RATE 0x1Full
#define VMX_MISC_SAVES_LONG_MODE (1ull << 5)
#define VMX_MISC_ACTIVITY_HLT (1ull << 6)
#define VMX_MISC_CR3_TARGETS(count) ((unsigned long long)(count) << 16)
#define VMX_MISC_MSR_LIST(units) ((unsigned long long)(units) << 25)
#define VMX_MISC_VMWRITE_ANY (1ull << 29)
#define VMX_MISC_ZERO_LENGTH_INJECTION (1ull << 30)

#define VM_FUNCTION_EPTP_SWITCHING (1ull << 0)

/* bit 31 of a region's revision identifier: a shadow VMCS, which no entry may use */
#define VMCS_SHADOW_INDICATOR 0x80000000u

/* Bit 5 of PAE's four top entries is reserved, and no guest sets it; but the walks of QEMU's nested paging do, so that where those
 * are the second level it is taken for 0. */
#define PDPTE_ACCESSED (1ull << 5)
