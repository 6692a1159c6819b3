/* The merge context of a vmcs12: every address and tag in it replaced by what stands for it in the machine CP runs on.
 * In: vmcs12 and L1's storage.  Out: struct nest_merge_context, with frames and pins owned by the virtual VMCS. */
#include "nest/bitmap.h"
#include "nest/enter.h"
#include "nest/ept.h"

bool nest_read_pdptes(const struct nest *nest, uint64_t cr3, uint64_t pdptes[4])
{
    return nest->host->read(nest->host->context, cr3 & 0xFFFFFFE0u, pdptes, 4 * sizeof(pdptes[0]));
}

/* Hardware writes to the virtual-APIC page, so it must stay where it is until hardware is told of another. */
static uint64_t apic_page(struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct nest_host *host = nest->host;
    bool wanted = vmcs->vmcs12.processor_controls & CPU_TPR_SHADOW;
    uint64_t gpa = wanted ? vmcs->vmcs12.virtual_apic_address : NEST_NO_ADDRESS;
    if (gpa == vmcs->pinned_apic)
        return wanted ? vmcs->apic_page : NEST_NO_ADDRESS;
    if (vmcs->pinned_apic != NEST_NO_ADDRESS)
        host->unpin(host->context, vmcs->pinned_apic);
    vmcs->pinned_apic = NEST_NO_ADDRESS;
    if (!wanted)
        return NEST_NO_ADDRESS;
    vmcs->apic_page = host->pin(host->context, gpa);
    if (vmcs->apic_page != NEST_NO_ADDRESS)
        vmcs->pinned_apic = gpa;
    return vmcs->apic_page;
}

/* The region that stands for the VMCS L1's link pointer names; it becomes active with this. */
static bool link_region(struct nest *nest, struct nest_vmcs *vmcs, uint64_t *link)
{
    const struct nest_host *host = nest->host;
    bool no_frames = false;
    *link = NEST_NO_ADDRESS;
    vmcs->link = NULL;
    if (!(nest_secondary(&vmcs->vmcs12) & CPU2_VMCS_SHADOWING) || vmcs->vmcs12.vmcs_link_pointer == NEST_NO_ADDRESS)
        return true;
    struct nest_vmcs *target = nest_active_get(nest, vmcs->vmcs12.vmcs_link_pointer, vmcs, &no_frames);
    if (no_frames)
        return false;
    if (target && target->shadow_region && target != vmcs) {
        vmcs->link = target;
        *link = host->region_address(host->context, target->shadow_region);
    }
    return true;
}

static bool ept02(struct nest *nest, struct nest_vmcs *vmcs, uint64_t *eptp)
{
    *eptp = nest->vmcs01.ept_pointer;
    vmcs->ept = NULL;
    if (!(nest_secondary(&vmcs->vmcs12) & CPU2_EPT))
        return true;
    vmcs->ept = nest_ept_get(nest, vmcs->vmcs12.ept_pointer);
    if (vmcs->ept)
        *eptp = nest_ept_pointer(vmcs->ept);
    return vmcs->ept;
}

static void inherit(const struct nest *nest, struct nest_merge_context *context)
{
    const struct nest_host *host = nest->host;
    context->pat = host->get(host->context, VMCS_GUEST_PAT);
    context->efer = host->get(host->context, VMCS_GUEST_EFER);
    context->debugctl = host->get(host->context, VMCS_GUEST_DEBUGCTL);
    context->dr7 = host->get(host->context, VMCS_GUEST_DR7);
}

/* Whether an entry takes over state of L1 that it would else load: then L1's may be another than last time. */
bool nest_context_inherits(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    const uint32_t loads = ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER;
    uint32_t offered = (uint32_t)(nest->offered->msr[VMX_TRUE_ENTRY] >> 32);
    return (vmcs->vmcs12.entry_controls & loads & offered) != (loads & offered);
}

bool nest_context_make(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct nest_merge_context *context = &vmcs->context;
    *context = (struct nest_merge_context){.policy = &nest->policy, .hardware = nest->hardware, .vpid = vmcs->vpid02};
    if (!link_region(nest, vmcs, &context->link) || !ept02(nest, vmcs, &context->eptp))
        return false;
    context->apic_page = apic_page(nest, vmcs);
    if (nest_context_inherits(nest, vmcs))
        inherit(nest, context);
    if (!(nest_secondary(&vmcs->vmcs12) & CPU2_EPT))
        nest_read_pdptes(nest, vmcs->vmcs12.guest_cr3, context->pdptes);
    return nest_bitmap_unite(nest, vmcs);
}

bool nest_context_renew_ept(struct nest *nest, struct nest_vmcs *vmcs)
{
    return ept02(nest, vmcs, &vmcs->context.eptp);
}
