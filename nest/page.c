/* Pages as virtual VMCSs.  In: L1's storage, every byte of it hostile: what is used is copied first.  Out: vmcs12. */
#include "nest/page.h"

#include "nest/instruction.h"
#include "vmcs-shadow/bitmap.h"
#include "vmcs-shadow/page.h"

enum { WORDS = sizeof(struct vmcs_set) / sizeof(uint64_t) };

static bool is_subset(const struct vmcs_set *set, const struct vmcs_set *of)
{
    uint64_t beyond = 0;
    for (unsigned word = 0; word < WORDS; word++)
        beyond |= set->word[word] & ~of->word[word];
    return !beyond;
}

/* Fields L1 may note: those it is offered. */
static const struct vmcs_set *notable(struct nest *nest)
{
    struct vmcs_set ignored;
    if (vmcs_set_empty(&nest->page_fields))
        vmcs_bitmap_sets(&nest->page_fields, &ignored, nest->offered, nest->offered);
    return &nest->page_fields;
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
    *error = NEST_PAGE_ADDRESS;
    struct vmcs_page *page = host->page ? host->page(host->context, gpa) : NULL;
    if (!page)
        return NULL;
    *error = NEST_PAGE_MALFORMED;
    uint32_t revision = page->revision;
    if (!header_valid(nest, revision, page->form))
        return NULL;
    *error = NEST_PAGE_NO_FRAMES;
    struct nest_vmcs *vmcs = nest_active_new(nest, gpa, keep);
    if (!vmcs)
        return NULL;
    vmcs->page = page;
    vmcs->kind = revision & VMCS_SHADOW_INDICATOR ? NEST_SHADOW_PAGE : NEST_PAGE;
    vmcs->launched = true; /* a page has no launch state */
    vmcs->vmcs12 = page->fields;
    vmcs_set_clear(&page->written);
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
    vmcs->noted = vmcs->page->written;
    vmcs_set_clear(&vmcs->page->written);
    if (is_subset(&vmcs->noted, notable(nest)))
        return true;
    vmcs_set_clear(&vmcs->noted);
    return false;
}

static void take_noted(struct nest_vmcs *vmcs)
{
    vmcs_copy_set(&vmcs->vmcs12, &vmcs->page->fields, &vmcs->noted);
    for (unsigned word = 0; word < WORDS; word++)
        vmcs->changed.word[word] |= vmcs->noted.word[word];
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
    for (unsigned word = 0; word < WORDS; word++)
        page->changed.word[word] |= fields->word[word];
}

/* Of what L2 wrote to the VMCS it is linked to L1 looks at it when it does what L2 asks for. */
void nest_page_show(struct nest *nest, struct nest_vmcs *vmcs, const struct vmcs_set *fields, bool exit_information)
{
    show(vmcs, fields);
    if (!exit_information)
        return;
    vmcs_page_copy_exit(&vmcs->page->fields, &vmcs->vmcs12, &vmcs->page->changed);
    if (vmcs->link && vmcs->link->shadow_region && nest_is_instruction(vmcs->vmcs12.exit_reason & 0xFFFF))
        nest_page_link_pull(nest, vmcs->link, vmcs->link_closed);
}

/* ---- linked to -------------------------------------------------------------------- */

void nest_page_attach(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (vmcs->shadow_region)
        nest_page_link_push(nest, vmcs);
    else
        nest_active_attach(nest, vmcs);
}

void nest_page_link_push(struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct nest_host *host = nest->host;
    vmcs_set_clear(&vmcs->changed);
    if (nest_page_note(nest, vmcs))
        take_noted(vmcs);
    if (!vmcs->shadow_region || vmcs_set_empty(&vmcs->changed))
        return;
    bool exit_information = vmcs_set_meets(&vmcs->changed, &vmcs_set_exit);
    if (exit_information) {
        vmcs_page_copy_exit(&vmcs->vmcs12, &vmcs->page->fields, &vmcs->changed);
        vmcs_set_subtract(&vmcs->changed, &vmcs_set_exit);
    }
    host->shadow_push(host->context, vmcs->shadow_region, &vmcs->vmcs12, &vmcs->changed, exit_information);
    vmcs_set_clear(&vmcs->changed);
}

void nest_page_link_pull(struct nest *nest, struct nest_vmcs *vmcs, bool closed)
{
    const struct nest_host *host = nest->host;
    struct vmcs_set changed = {{0}};
    host->shadow_pull(host->context, vmcs->shadow_region, &vmcs->vmcs12, &changed, closed);
    vmcs_set_add(&changed, VMCS_INDEX_GUEST_RIP); /* these two are compared by nobody */
    vmcs_set_add(&changed, VMCS_INDEX_GUEST_RSP);
    show(vmcs, &changed);
}

void nest_page_refresh(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (!vmcs->shadow_region) {
        if (nest_page_note(nest, vmcs))
            take_noted(vmcs);
        return;
    }
    nest_page_link_pull(nest, vmcs, false);
    nest->host->shadow_pull_all(nest->host->context, vmcs->shadow_region, &vmcs->vmcs12);
}
