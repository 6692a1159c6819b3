/* The merge context of a vmcs12: every address and tag in it replaced by what stands for it in the machine CP runs on.
 * In: vmcs12 and L1's storage.  Out: struct nest_merge_context, with frames and pins owned by the virtual VMCS. */
#include "nest/bitmap.h"
#include "nest/enter.h"
#include "nest/ept.h"
#include "nest/page.h"
#include "nest/recompute.h"

bool nest_read_pdptes(const struct nest *nest, uint64_t cr3, uint64_t pdptes[4])
{
    if (!nest->host->read(nest->host->context, cr3 & 0xFFFFFFE0u, pdptes, 4 * sizeof(pdptes[0])))
        return false;
    for (unsigned i = 0; i < 4 && nest->policy.marks_pdptes; i++)
        pdptes[i] &= ~PDPTE_ACCESSED;
    return true;
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

/* The active virtual VMCS at an address that L1 links to, of the same kind as the one
 * that names it. false: no frames. */
static bool link_target(struct nest *nest, const struct nest_vmcs *vmcs, struct nest_vmcs **target)
{
    enum nest_page_error error = NEST_PAGE_ADDRESS;
    uint64_t gpa = vmcs->vmcs12.vmcs_link_pointer;
    bool no_frames = false;
    *target = vmcs->page ? nest_page_get(nest, gpa, vmcs, &error) : nest_active_get(nest, gpa, vmcs, &no_frames);
    if (*target && (*target)->kind != vmcs->kind + 1)
        *target = NULL;
    if (*target && vmcs->page)
        nest_page_attach(nest, *target);
    return !no_frames && (*target || error != NEST_PAGE_NO_FRAMES);
}

/* The region that stands for the VMCS L1's link pointer names; it becomes active with this. */
static bool link_region(struct nest *nest, struct nest_vmcs *vmcs, uint64_t *link)
{
    *link = NEST_NO_ADDRESS;
    vmcs->link = NULL;
    if (!(nest_secondary(&vmcs->vmcs12) & CPU2_VMCS_SHADOWING) || vmcs->vmcs12.vmcs_link_pointer == NEST_NO_ADDRESS)
        return true;
    if (!link_target(nest, vmcs, &vmcs->link))
        return false;
    if (vmcs->link && vmcs->link->shadow_region)
        *link = nest->hardware->region_address(vmcs->link->shadow_region);
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

/* State of L1 that L2 starts with because the entry does not load it. */
void nest_context_inherit(const struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct nest_host *host = nest->host;
    struct nest_merge_context *context = &vmcs->context;
    uint32_t loads = vmcs->vmcs12.entry_controls;
    uint64_t differs = 0;
#define TAKE(member, FIELD) \
    do { \
        uint64_t now = host->get(host->context, FIELD); \
        differs |= now ^ context->member; \
        context->member = now; \
    } while (0)
    if (!(loads & ENTRY_LOAD_PAT))
        TAKE(pat, VMCS_GUEST_PAT);
    if (!(loads & ENTRY_LOAD_EFER))
        TAKE(efer, VMCS_GUEST_EFER);
    if (!(loads & ENTRY_LOAD_DEBUG_CONTROLS)) {
        TAKE(debugctl, VMCS_GUEST_DEBUGCTL);
        TAKE(dr7, VMCS_GUEST_DR7);
    }
#undef TAKE
    if (differs)
        vmcs->stale.parts |= NEST_STALE_RULES;
}

bool nest_context_make(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct nest_merge_context *context = &vmcs->context;
    *context = (struct nest_merge_context){
        .policy = &nest->policy, .hardware = nest->capability, .pat = context->pat, .efer = context->efer,
        .debugctl = context->debugctl, .dr7 = context->dr7, /* nest_context_inherit() saw to those four */
        .caches = nest->caches, .linked = context->linked, .linked_read = context->linked_read,
        .linked_write = context->linked_write};
    /* without VPIDs hardware flushes at each entry and exit, as L1 expects of its own */
    if (nest_secondary(&vmcs->vmcs12) & CPU2_VPID)
        context->vpid = vmcs->vpid02;
    if (!link_region(nest, vmcs, &context->link))
        return false;
    context->apic_page = apic_page(nest, vmcs);
    if (!(nest_secondary(&vmcs->vmcs12) & CPU2_EPT))
        nest_read_pdptes(nest, vmcs->vmcs12.guest_cr3, context->pdptes);
    /* EPT02 last: where frames run out the others take it away, and so does a page of a bitmap that L2 can write */
    return nest_bitmap_unite(nest, vmcs) && ept02(nest, vmcs, &context->eptp);
}

bool nest_context_renew_ept(struct nest *nest, struct nest_vmcs *vmcs)
{
    return ept02(nest, vmcs, &vmcs->context.eptp);
}

/* ---- made again, to be compared ------------------------------------------------------ */

static uint64_t ept_again(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    if (!(nest_secondary(&vmcs->vmcs12) & CPU2_EPT))
        return nest->vmcs01.ept_pointer;
    const struct nest_ept *ept = nest_ept_find(nest, vmcs->vmcs12.ept_pointer);
    return ept ? nest_ept_pointer(ept) : NEST_NO_ADDRESS;
}

static void link_recompute(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    const struct nest_vmcs *link = nest_active_find(nest, vmcs->vmcs12.vmcs_link_pointer);
    uint64_t region = NEST_NO_ADDRESS;
    if (link && (!(nest_secondary(&vmcs->vmcs12) & CPU2_VMCS_SHADOWING) || link->kind != vmcs->kind + 1))
        link = NULL;
    if (link && link->shadow_region)
        region = nest->hardware->region_address(link->shadow_region);
    nest_must("link", vmcs->link == link);
    nest_must("linked region", vmcs->context.link == region);
}

static uint64_t apic_page_again(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    const struct nest_host *host = nest->host;
    if (!(vmcs->vmcs12.processor_controls & CPU_TPR_SHADOW))
        return NEST_NO_ADDRESS;
    uint64_t page = host->pin(host->context, vmcs->vmcs12.virtual_apic_address);
    if (page != NEST_NO_ADDRESS)
        host->unpin(host->context, vmcs->vmcs12.virtual_apic_address);
    return page;
}

static void inherited_again(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    static struct nest_vmcs again;
    again = *vmcs;
    again.stale.parts = 0;
    nest_context_inherit(nest, &again);
    nest_must("L1's registers in vmcs02", !again.stale.parts);
}

static void pdptes_again(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    uint64_t pdptes[4];
    if (!nest_check_wants_pdptes(&vmcs->vmcs12) || (nest_secondary(&vmcs->vmcs12) & CPU2_EPT) ||
        !nest_read_pdptes(nest, vmcs->vmcs12.guest_cr3, pdptes))
        return;
    for (unsigned i = 0; i < 4; i++)
        nest_must("PAE entries", pdptes[i] == vmcs->context.pdptes[i]);
}

void nest_context_recompute(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    const struct nest_merge_context *context = &vmcs->context;
    nest_must("CR0.CD and NW", context->caches == nest->caches);
    nest_must("VPID", context->vpid == (nest_secondary(&vmcs->vmcs12) & CPU2_VPID ? vmcs->vpid02 : 0));
    nest_must("EPT02", context->eptp == ept_again(nest, vmcs));
    link_recompute(nest, vmcs);
    nest_must("virtual-APIC page", context->apic_page == apic_page_again(nest, vmcs));
    inherited_again(nest, vmcs);
    pdptes_again(nest, vmcs);
    nest_bitmap_recompute(nest, vmcs);
}
