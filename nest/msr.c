/* IA32_FEATURE_CONTROL and the capability MSRs as L1 sees them.  SDM "VMX Capability Reporting Facility". */
#include "nest/active.h"
#include "nest/merge.h"

#define CR0_PE_AND_PG 0x80000001ull
enum { MSR_FEATURE_CONTROL = 0x3A, FEATURE_LOCK = 1 << 0, FEATURE_VMX_IN_SMX = 1 << 1, FEATURE_VMX = 1 << 2 };

bool nest_is_msr(uint32_t msr)
{
    return msr == MSR_FEATURE_CONTROL || msr - MSR_VMX_FIRST < VMX_MSRS;
}

/* The last ones exist only with what they describe. */
static bool exists(const struct nest *nest, unsigned number)
{
    const uint64_t *msr = nest->offered->msr;
    switch (number) {
    case VMX_CPU2:
        return capability_may_set(msr[VMX_TRUE_CPU], CPU_SECONDARY_CONTROLS);
    case VMX_EPT_VPID_CAP:
        return msr[VMX_CPU2] >> 32 & (CPU2_EPT | CPU2_VPID);
    case VMX_VMFUNC:
        return msr[VMX_CPU2] >> 32 & CPU2_VM_FUNCTIONS;
    default:
        return true;
    }
}

bool nest_rdmsr(const struct nest *nest, uint32_t msr, uint64_t *value)
{
    if (nest->mode == NEST_OFF)
        return false;
    if (msr == MSR_FEATURE_CONTROL) {
        *value = nest->feature_control;
        return true;
    }
    unsigned number = msr - MSR_VMX_FIRST;
    if (number >= VMX_MSRS || !exists(nest, number))
        return false;
    *value = nest->offered->msr[number];
    return true;
}

bool nest_wrmsr(struct nest *nest, uint32_t msr, uint64_t value)
{
    if (nest->mode == NEST_OFF || msr != MSR_FEATURE_CONTROL || (nest->feature_control & FEATURE_LOCK))
        return false;
    if (value & ~(uint64_t)(FEATURE_LOCK | FEATURE_VMX_IN_SMX | FEATURE_VMX))
        return false;
    nest->feature_control = value;
    return true;
}

bool nest_allows_cr(const struct nest *nest, unsigned number, uint64_t value)
{
    const uint64_t *msr = nest->offered->msr;
    uint64_t free = 0;
    if (!nest->vmxon)
        return true;
    if (nest->in_guest) {
        const struct vmcs *vmcs12 = &nest->current->vmcs12;
        uint64_t kept = number == 0 ? vmcs12->cr0_mask : vmcs12->cr4_mask;
        value = (value & ~kept) | ((number == 0 ? vmcs12->guest_cr0 : vmcs12->guest_cr4) & kept);
        if (nest_secondary(vmcs12) & CPU2_UNRESTRICTED_GUEST)
            free = CR0_PE_AND_PG;
    }
    return number == 0 ? capability_allows_cr(msr[VMX_CR0_FIXED0] & ~free, msr[VMX_CR0_FIXED1], value)
                       : capability_allows_cr(msr[VMX_CR4_FIXED0], msr[VMX_CR4_FIXED1], value);
}
