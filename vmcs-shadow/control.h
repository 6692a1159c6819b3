/* Bits of the VMX controls (controls.def has them all) and of the VMX capability MSRs, under the manual's names.
 * SDM "VMX Capability Reporting Facility". */
#pragma once

/* word_NAME of each row of controls.def: PIN_NMI_EXITING, CPU_HLT_EXITING, CPU2_EPT, EXIT_SAVE_PAT, ENTRY_LOAD_PAT */
enum vmx_control {
#define CONTROL(word, NAME, bit, offered, merge, exit, exit2) word##_##NAME = 1u << (bit),
#include "vmcs-shadow/controls.def"
#undef CONTROL
};

/* Sets of them: PIN_OFFERED, what a guest may have where hardware does; PIN_MERGE_EITHER, what is in that merge class;
 * and so for each word and class. */
enum vmx_control_set {
#define CONTROL_CLASS_EITHER 0
#define CONTROL_CLASS_BOTH 1
#define CONTROL_CLASS_INNER 2
#define CONTROL_CLASS_OUTER 3
#define CONTROL_CLASS_ALWAYS 4
#define CONTROL_CLASS_RULE 5
#define CONTROL_CLASS_NEVER 6
#define CONTROL_OFFERED_NO 0
#define CONTROL_OFFERED_YES 1
#define IN_CLASS(merge, class) (CONTROL_CLASS_##merge == CONTROL_CLASS_##class)
#define SET(word) word##_OFFERED
#define IN_SET(offered, merge) CONTROL_OFFERED_##offered
#include "vmcs-shadow/control_sets.def"
#define SET(word) word##_MERGE_EITHER
#define IN_SET(offered, merge) IN_CLASS(merge, EITHER)
#include "vmcs-shadow/control_sets.def"
#define SET(word) word##_MERGE_BOTH
#define IN_SET(offered, merge) IN_CLASS(merge, BOTH)
#include "vmcs-shadow/control_sets.def"
#define SET(word) word##_MERGE_INNER
#define IN_SET(offered, merge) IN_CLASS(merge, INNER)
#include "vmcs-shadow/control_sets.def"
#define SET(word) word##_MERGE_OUTER
#define IN_SET(offered, merge) IN_CLASS(merge, OUTER)
#include "vmcs-shadow/control_sets.def"
#define SET(word) word##_MERGE_ALWAYS
#define IN_SET(offered, merge) IN_CLASS(merge, ALWAYS)
#include "vmcs-shadow/control_sets.def"
#define SET(word) word##_MERGE_RULE
#define IN_SET(offered, merge) IN_CLASS(merge, RULE)
#include "vmcs-shadow/control_sets.def"
#define SET(word) word##_MERGE_NEVER
#define IN_SET(offered, merge) IN_CLASS(merge, NEVER)
#include "vmcs-shadow/control_sets.def"
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
#define VMX_MISC_ACTIVITY_WAIT_FOR_SIPI (1ull << 8)
#define VMX_MISC_CR3_TARGETS(count) ((unsigned long long)(count) << 16)
#define VMX_MISC_MSR_LIST(units) ((unsigned long long)(units) << 25)
#define VMX_MISC_VMWRITE_ANY (1ull << 29)
#define VMX_MISC_ZERO_LENGTH_INJECTION (1ull << 30)

#define VM_FUNCTION_EPTP_SWITCHING (1ull << 0)

/* bit 31 of a region's revision identifier: a shadow VMCS, which no entry may use */
#define VMCS_SHADOW_INDICATOR 0x80000000u

/* Bit 5 of PAE's four top entries is reserved, and no guest sets it; but the walks of QEMU's nested paging do, so that
 * where those are the second level it is taken for 0. */
#define PDPTE_ACCESSED (1ull << 5)
