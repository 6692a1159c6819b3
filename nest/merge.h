/* Merging VMCSs: what runs a guest's guest, from what runs the guest and what the guest wants.
 *
 * vmcs02 is the fold of a list of VMCSs over CP's own, outermost first; today the list has one, vmcs12.  Each row of
 * the field table says how a field comes about: COPY from the inner VMCS, CP from the outer, MERGE by one rule here.
 *  Rules are pure: pages, addresses and what the guest's CPU holds come in the context. */
#pragma once
#include "nest/bits.h"
#include "nest/nest.h"

struct nest_merge_context {
    const struct nest_policy *policy;
    const struct vmx_capability *hardware;
    /* host-physical; already united with the outer's */
    uint64_t msr_bitmap, io_bitmap_a, io_bitmap_b, vmread_bitmap, vmwrite_bitmap;
    uint64_t apic_page;      /* of the inner's virtual-APIC page; NEST_NO_ADDRESS: cannot be had */
    uint64_t link;           /* region the inner's link pointer stands for; NEST_NO_ADDRESS: none */
    /* region that the inner's guest reaches by VMREAD and VMWRITE because CP carries out its VMX (nest/chain.h), and
     * the bitmaps for it; 0: none */
    uint64_t linked, linked_read, linked_write;
    uint64_t eptp;           /* composed */
    uint16_t vpid;           /* 0: none */
    /* what the outer's guest has in its CPU, for state the inner does not load */
    uint64_t pat, efer, debugctl, dr7;
    uint64_t caches;         /* CR0.CD and NW */
    uint64_t pdptes[4];      /* of memory, where the inner has no EPT */
};

#define NEST_CACHES (1ull << 30 | 1ull << 29) /* of CR0 */

/* *out = inner over outer.  @pre out is neither of them */
void nest_merge(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                const struct nest_merge_context *context);
/* The fold: list[0] over base, list[1] over that, ...; one context each. */
void nest_merge_list(struct vmcs *out, const struct vmcs *base, const struct vmcs *const *list,
                     const struct nest_merge_context *contexts, unsigned length);

/* Brings *out up to date after fields of inner changed, adding to *write what became different.
 * `run`: which MERGE rules to run too, since something they look at changed (nest/stale.h).
 * While the inner guest runs its state is its own: then only those of controls.
 * @pre outer's fields of class CP are those *out was made with */
enum nest_rules { NEST_RULES_NONE, NEST_RULES_CONTROLS, NEST_RULES_ALL };
void nest_merge_update(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                       const struct nest_merge_context *context, const struct vmcs_set *changed, enum nest_rules run,
                       struct vmcs_set *write);

typedef void nest_merge_rule(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                             const struct nest_merge_context *context);
/* The rule of a MERGE row, NULL of another. */
nest_merge_rule *nest_merge_rule_of(enum vmcs_index index);

/* nest_rule_member for each MERGE row, in merge_controls.c, merge_address.c and merge_state.c */
#define NEST_RULE_IF_MERGE(...) __VA_ARGS__
#define NEST_RULE_IF_COPY(...)
#define NEST_RULE_IF_CP(...)
#define NEST_RULE_IF_NONE(...)
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    NEST_RULE_IF_##merge(nest_merge_rule nest_rule_##member;)
#include "vmcs-shadow/fields.def"
#undef FIELD

/* Secondary controls that are in force: none while the primary control that activates them is 0. */
static inline uint32_t nest_secondary(const struct vmcs *vmcs)
{
    return vmcs->processor_controls & CPU_SECONDARY_CONTROLS ? vmcs->secondary_controls : 0;
}
