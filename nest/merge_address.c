/* Merge rules of the fields that hold addresses or tags.  None comes from the inner VMCS as it is: the context has what
 * stands for it in the machine CP runs on. */
#include "nest/merge.h"

void nest_rule_vpid(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                    const struct nest_merge_context *context)
{
    (void)outer, (void)inner;
    out->vpid = context->vpid;
}

void nest_rule_ept_pointer(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                           const struct nest_merge_context *context)
{
    /* without EPT in the inner VMCS its guest's physical memory is the outer guest's */
    out->ept_pointer = nest_secondary(inner) & CPU2_EPT ? context->eptp : outer->ept_pointer;
}

void nest_rule_vmcs_link_pointer(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                                 const struct nest_merge_context *context)
{
    (void)outer;
    if (context->linked)
        out->vmcs_link_pointer = context->linked;
    else
        out->vmcs_link_pointer = nest_secondary(inner) & CPU2_VMCS_SHADOWING ? context->link : NEST_NO_ADDRESS;
}

void nest_rule_virtual_apic_address(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                                    const struct nest_merge_context *context)
{
    (void)outer;
    bool shadow = (inner->processor_controls & CPU_TPR_SHADOW) && context->apic_page != NEST_NO_ADDRESS;
    out->virtual_apic_address = shadow ? context->apic_page : 0;
}

#define BITMAP_RULE(name, field, member) \
    void nest_rule_##name(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner, \
                          const struct nest_merge_context *context) \
    { \
        (void)outer, (void)inner; \
        out->field = context->member; \
    }
BITMAP_RULE(msr_bitmap, msr_bitmap, msr_bitmap)
BITMAP_RULE(io_bitmap_a, io_bitmap_a, io_bitmap_a)
BITMAP_RULE(io_bitmap_b, io_bitmap_b, io_bitmap_b)

void nest_rule_vmread_bitmap(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                             const struct nest_merge_context *context)
{
    (void)outer, (void)inner;
    out->vmread_bitmap = context->linked ? context->linked_read : context->vmread_bitmap;
}

void nest_rule_vmwrite_bitmap(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                              const struct nest_merge_context *context)
{
    (void)outer, (void)inner;
    out->vmwrite_bitmap = context->linked ? context->linked_write : context->vmwrite_bitmap;
}
