/* Merge rules of guest state: control registers, where L1, CP and L2 each own bits, and what an entry loads only on
 * request. */
#include "nest/check.h"
#include "nest/merge.h"

#define RULE(name) \
    void nest_rule_##name(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner, \
                          const struct nest_merge_context *context)
#define UNUSED() ((void)outer, (void)inner, (void)context)

enum { EFER_LME = 1 << 8, EFER_LMA = 1 << 10 };
#define CR0_PG (1ull << 31)

RULE(cr0_mask)
{
    UNUSED();
    out->cr0_mask = outer->cr0_mask | inner->cr0_mask;
}

RULE(cr4_mask)
{
    UNUSED();
    out->cr4_mask = outer->cr4_mask | inner->cr4_mask;
}

/* What L2 reads in a bit it does not own: L1's shadow where L1 owns it, else the value L1 gave it, though CP may
 * hold another. */
RULE(cr0_shadow)
{
    UNUSED();
    uint64_t cr0 = (inner->guest_cr0 & ~NEST_CACHES) | context->caches;
    out->cr0_shadow = (inner->cr0_shadow & inner->cr0_mask) | (cr0 & ~inner->cr0_mask);
}

RULE(cr4_shadow)
{
    UNUSED();
    out->cr4_shadow = (inner->cr4_shadow & inner->cr4_mask) | (inner->guest_cr4 & ~inner->cr4_mask);
}

RULE(guest_cr0)
{
    UNUSED();
    out->guest_cr0 = (inner->guest_cr0 | context->policy->cr0_ones) & ~context->policy->cr0_zeroes;
}

RULE(guest_cr4)
{
    UNUSED();
    out->guest_cr4 = (inner->guest_cr4 | context->policy->cr4_ones) & ~context->policy->cr4_zeroes;
}

RULE(guest_dr7)
{
    UNUSED();
    out->guest_dr7 = inner->entry_controls & ENTRY_LOAD_DEBUG_CONTROLS ? inner->guest_dr7 : context->dr7;
}

RULE(guest_debugctl)
{
    UNUSED();
    out->guest_debugctl = inner->entry_controls & ENTRY_LOAD_DEBUG_CONTROLS ? inner->guest_debugctl & NEST_DEBUGCTL_BTF
                                                                            : context->debugctl;
}

RULE(guest_pat)
{
    UNUSED();
    out->guest_pat = inner->entry_controls & ENTRY_LOAD_PAT ? inner->guest_pat : context->pat;
}

/* Not loaded, EFER keeps L1's value but for LMA and, with paging, LME.  SDM "Loading Guest Control Registers, Debug
 * Registers, and MSRs" */
RULE(guest_efer)
{
    UNUSED();
    if (inner->entry_controls & ENTRY_LOAD_EFER) {
        out->guest_efer = inner->guest_efer;
        return;
    }
    bool long_mode = inner->entry_controls & ENTRY_LONG_MODE;
    uint64_t efer = context->efer & ~(uint64_t)EFER_LMA;
    if (inner->guest_cr0 & CR0_PG)
        efer &= ~(uint64_t)EFER_LME;
    out->guest_efer = efer | (long_mode ? EFER_LMA | EFER_LME : 0);
}

#define PDPTE_RULE(n) \
    RULE(guest_pdpte##n) \
    { \
        UNUSED(); \
        out->guest_pdpte##n = nest_secondary(inner) & CPU2_EPT ? inner->guest_pdpte##n : context->pdptes[n]; \
    }
PDPTE_RULE(0)
PDPTE_RULE(1)
PDPTE_RULE(2)
PDPTE_RULE(3)
