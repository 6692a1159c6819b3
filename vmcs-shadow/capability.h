/* VMX capabilities: the 18 capability MSRs as a struct, what CP offers a guest of what it has itself, and which fields
 * of the VMCS that makes exist.  SDM "VMX Capability Reporting Facility". */
#pragma once
#include "vmcs-shadow/control.h"
#include "vmcs-shadow/field.h"

/* What makes a field exist; the last column of fields.def. */
enum vmcs_capability {
    VMCS_CAPABILITY_ALWAYS,
    VMCS_CAPABILITY_MSR_BITMAPS,
    VMCS_CAPABILITY_TPR_SHADOW,
    VMCS_CAPABILITY_SECONDARY_CONTROLS,
    VMCS_CAPABILITY_PREEMPTION_TIMER,
    VMCS_CAPABILITY_EPT,
    VMCS_CAPABILITY_VPID,
    VMCS_CAPABILITY_PAUSE_LOOP_EXITING,
    VMCS_CAPABILITY_VM_FUNCTIONS,
    VMCS_CAPABILITY_EPTP_SWITCHING,
    VMCS_CAPABILITY_VMCS_SHADOWING,
    VMCS_CAPABILITY_TSC_SCALING,
    VMCS_CAPABILITY_PML,
    VMCS_CAPABILITY_PAT,
    VMCS_CAPABILITY_EFER,
    /* no MSR tells of these: processors have them, and we offer them, but KVM has not */
    VMCS_CAPABILITY_CR3_TARGETS,
    VMCS_CAPABILITY_SMM,
    /* from here on CP may use a field itself, but never offers it */
    VMCS_CAPABILITY_NOT_OFFERED,
    VMCS_CAPABILITY_POSTED_INTERRUPTS = VMCS_CAPABILITY_NOT_OFFERED,
    VMCS_CAPABILITY_APIC_ACCESSES,
    VMCS_CAPABILITY_VIRTUAL_INTERRUPT_DELIVERY,
    VMCS_CAPABILITY_ENCLS_EXITING,
    VMCS_CAPABILITY_VIRTUALIZATION_EXCEPTION,
    VMCS_CAPABILITY_XSAVES,
    VMCS_CAPABILITY_SUB_PAGE_PERMISSIONS,
    VMCS_CAPABILITY_TERTIARY_CONTROLS,
    VMCS_CAPABILITY_PERF_GLOBAL_CTRL,
    VMCS_CAPABILITY_BNDCFGS,
    VMCS_CAPABILITY_RTIT_CTL,
    VMCS_CAPABILITY_PKRS,
    VMCS_CAPABILITY_CET,
    VMCS_CAPABILITIES
};

/* The capability MSRs, IA32_VMX_BASIC (480H) to IA32_VMX_VMFUNC (491H), by number - 480H.
 * A control MSR's low half has the bits that must be 1, its high half the bits that may be 1. */
enum vmx_msr {
    VMX_BASIC, VMX_PIN, VMX_CPU, VMX_EXIT, VMX_ENTRY, VMX_MISC, VMX_CR0_FIXED0, VMX_CR0_FIXED1, VMX_CR4_FIXED0,
    VMX_CR4_FIXED1, VMX_VMCS_ENUM, VMX_CPU2, VMX_EPT_VPID_CAP, VMX_TRUE_PIN, VMX_TRUE_CPU, VMX_TRUE_EXIT,
    VMX_TRUE_ENTRY, VMX_VMFUNC, VMX_MSRS
};
#define MSR_VMX_FIRST 0x480u

struct vmx_capability {
    uint64_t msr[VMX_MSRS];
    uint32_t fields;         /* bit n: fields of enum vmcs_capability n exist; follows from msr[] */
};

/* Completes *capability, whose msr[] was read from hardware or computed: fills in .fields. Fields that no
 * MSR tells of are taken to exist. */
void capability_derive_fields(struct vmx_capability *capability);

/* What CP offers a guest, given what CP's own machine offers CP.
 * Offered are only controls for which nest/ has a rule; a bit that must be 1 in hardware must be 1 for the guest.
 * `shadowing`: whether VMCS shadowing and VMWRITE to read-only fields are offered where hardware has them. */
void capability_offer(struct vmx_capability *offered, const struct vmx_capability *hardware, bool shadowing);

/* Revision identifier of the VMCS regions that CP gives its guests meaning to; differs when struct vmcs does. */
uint32_t capability_revision(void);

/* Whether a field of the table exists for who has this capability. */
static inline bool capability_has_field(const struct vmx_capability *capability, enum vmcs_index index)
{
    return capability->fields >> vmcs_field_rows[index].capability & 1;
}
/* Whether a control value keeps both halves of a control MSR: no bit outside may-be-1, every must-be-1 set. */
static inline bool capability_allows(uint64_t control_msr, uint32_t value)
{
    return (value & ~(uint32_t)(control_msr >> 32)) == 0 && (~value & (uint32_t)control_msr) == 0;
}
/* Whether a control bit may be 1. */
static inline bool capability_may_set(uint64_t control_msr, uint32_t bits)
{
    return ((uint32_t)(control_msr >> 32) & bits) == bits;
}
/* Whether a CR0 or CR4 value keeps the bits fixed in VMX operation. */
static inline bool capability_allows_cr(uint64_t fixed0, uint64_t fixed1, uint64_t value)
{
    return (value & fixed0) == fixed0 && (value & ~fixed1) == 0;
}
