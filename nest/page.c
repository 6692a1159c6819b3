/* Pages as virtual VMCSs.  In: L1's storage, every byte of it hostile: what is used is copied first.  Out: vmcs12. */
#include "nest/page.h"

#include "nest/instruction.h"
#include "nest/recompute.h"
#include "vmcs-shadow/page.h"

enum { WORDS = sizeof(struct vmcs_set) / sizeof(uint64_t) };

static bool is_subset(const struct vmcs_set *set, const struct vmcs_set *of)
{
    uint64_t beyond = 0;
    for (unsigned word = 0; word < WORDS; word++)
        beyond |= set->word[word] & ~of->word[word];
    return !beyond;
}

static bool header_valid(const struct nest *nest, uint32_t revision, uint32_t form)
{
    uint32_t own = (uint32_t)(nest->offered->msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK);
    return (revision & VMX_BASIC_REVISION_MASK) == own && form == VMCS_PAGE_FORM;
}

static struct nest_vmcs *activate(struct nest *nest, uint64_t gpa, const struct nest_vmcs *keep,
                                  enum nest_page_error *error)
{
    const struct nest_host *host = nest->host;
    struct vmcs_page *page = host->page ? host->page(host->context, gpa) : NULL;
    if (!page)
        return NULL;
    *error = NEST_PAGE_MALFORMED;
    uint32_t revision = page->revision;
    if (!header_valid(nest, revision, page->form))
        return NULL;
    struct nest_vmcs *vmcs = nest_active_new(nest, gpa, keep);
    if (!vmcs) {
        *error = NEST_PAGE_NO_FRAMES;
        return NULL;
    }
    vmcs->page = page;
    vmcs->kind = revision & VMCS_SHADOW_INDICATOR ? NEST_SHADOW_PAGE : NEST_PAGE;
    vmcs->launched = true; /* a page has no launch state */
    vmcs->vmcs12 = page->fields;
    return vmcs;
}

struct nest_vmcs *nest_page_get(struct nest *nest, uint64_t gpa, const struct nest_vmcs *keep,
                                enum nest_page_error *error)
{
    struct nest_vmcs *vmcs = nest_active_find(nest, gpa);
    *error = NEST_PAGE_ADDRESS;
    if (!nest_region_address_valid(nest, gpa) || gpa == nest->vmxon_gpa || (vmcs && !vmcs->page))
        return NULL;
    if (!vmcs)
        return activate(nest, gpa, keep, error);
    vmcs->used = ++nest->use_clock;
    return vmcs;
}

bool nest_page_note(struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct vmcs_set written = vmcs->page->written;
    if (!is_subset(&written, nest_active_fields(nest)))
        return false;
    vmcs_set_clear(&vmcs->page->written);
    vmcs_set_unite(&vmcs->stale.vmcs12, &written);
    return true;
}

static void take_noted(struct nest_vmcs *vmcs)
{
    struct nest_stale *stale = &vmcs->stale;
    vmcs_copy_set(&vmcs->vmcs12, &vmcs->page->fields, &stale->vmcs12);
    if (vmcs->kind == NEST_SHADOW_PAGE) { /* it is not entered: nothing is made of it but the region */
        vmcs_set_unite(&stale->region, &stale->vmcs12);
    } else {
        vmcs_set_remove(&stale->vmcs12, VMCS_INDEX_GUEST_RIP);
        vmcs_set_remove(&stale->vmcs12, VMCS_INDEX_GUEST_RSP);
        nest_written(vmcs, &stale->vmcs12, NEST_BY_L1);
    }
    vmcs_set_clear(&stale->vmcs12);
}

void nest_page_pull(struct nest *nest, struct nest_vmcs *vmcs)
{
    take_noted(vmcs);
    if (vmcs->link)
        nest_page_link_push(nest, vmcs->link);
}

static void show(struct nest_vmcs *vmcs, const struct vmcs_set *fields)
{
    struct vmcs_page *page = vmcs->page;
    vmcs_copy_set(&page->fields, &vmcs->vmcs12, fields);
    vmcs_set_unite(&page->changed, fields);
}

/* The page follows what L2 wrote to the region, of the cold fields only if it may have written such. */
static void link_pull(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct vmcs_set changed = {{0}};
    nest->hardware->shadow_pull(nest->cpu, vmcs->shadow_region, &vmcs->vmcs12, &changed,
                      !(vmcs->stale.parts & NEST_STALE_SHOWN_COLD));
    vmcs->stale.parts &= ~(uint32_t)NEST_STALE_SHOWN_COLD;
    vmcs_set_add(&changed, VMCS_INDEX_GUEST_RIP); /* these two are compared by nobody */
    vmcs_set_add(&changed, VMCS_INDEX_GUEST_RSP);
    show(vmcs, &changed);
    nest_must("cold fields are not said to be shown", !(vmcs->stale.parts & NEST_STALE_SHOWN_COLD));
}

/* L1 looks at what L2 wrote to the linked VMCS when L2 exits for a VMX instruction, and only then. */
static void show_link(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct nest_vmcs *link = vmcs->link;
    if (!link || !link->shadow_region)
        return;
    if (!vmcs->link_closed)
        link->stale.parts |= NEST_STALE_SHOWN_COLD;
    if (nest_is_instruction(vmcs->vmcs12.exit_reason & 0xFFFF))
        link_pull(nest, link);
}

void nest_page_show(struct nest *nest, struct nest_vmcs *vmcs)
{
    show(vmcs, &vmcs->stale.shown);
    if (!(vmcs->stale.parts & NEST_STALE_REPORT))
        return;
    vmcs_page_copy_exit(&vmcs->page->fields, &vmcs->vmcs12, &vmcs->page->changed);
    show_link(nest, vmcs);
}

/* ---- linked to -------------------------------------------------------------------- */

void nest_page_attach(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (!vmcs->shadow_region) {
        vmcs->shadow_region = nest_active_shadow_region(nest);
        vmcs->stale.region = *nest_active_fields(nest);
        nest_active_link_changes(nest, vmcs);
    }
    nest_page_link_push(nest, vmcs);
}

void nest_page_link_push(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct vmcs_set *fields = &vmcs->stale.region;
    if (nest_page_note(nest, vmcs))
        take_noted(vmcs);
    if (!vmcs->shadow_region || vmcs_set_empty(fields))
        return;
    bool exit_information = is_subset(&vmcs_set_exit, fields); /* all at once costs least */
    if (exit_information)
        vmcs_set_subtract(fields, &vmcs_set_exit);
    nest->hardware->shadow_push(nest->cpu, vmcs->shadow_region, &vmcs->vmcs12, fields, exit_information);
    vmcs_set_clear(fields);
}

void nest_page_refresh(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (!vmcs->shadow_region) {
        if (nest_page_note(nest, vmcs))
            take_noted(vmcs);
        return;
    }
    nest_page_link_push(nest, vmcs); /* L1 wrote to the page after L2 wrote to the region */
    vmcs->stale.parts |= NEST_STALE_SHOWN_COLD; /* whatever L2 may write */
    link_pull(nest, vmcs);
    nest->hardware->shadow_pull_all(nest->cpu, vmcs->shadow_region, &vmcs->vmcs12);
}

void nest_page_write_back(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (!vmcs->shadow_region)
        return;
    nest_page_refresh(nest, vmcs); /* which may find more than a pull: the region may be a page, of a CP below */
    show(vmcs, nest_active_fields(nest));
}
