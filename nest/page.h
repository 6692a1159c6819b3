/* Virtual VMCSs that are pages L1 and CP both see (vmcs-shadow/page.h): taking over what L1 wrote, showing it what an
 * exit changed, and keeping a page in step with the hardware region that stands for it while L2 is linked to it. */
#pragma once
#include "nest/active.h"

/* The page at gpa as an active virtual VMCS; makes it one, evicting neither `keep` nor the current one.
 * NULL: *error is NEST_PAGE_ADDRESS, _MALFORMED or _NO_FRAMES. */
struct nest_vmcs *nest_page_get(struct nest *nest, uint64_t gpa, const struct nest_vmcs *keep,
                                enum nest_page_error *error);
/* Takes over which fields L1 notes to have written since the last time.  false: one is not offered; all notes stay. */
bool nest_page_note(struct nest *nest, struct nest_vmcs *vmcs);
/* Takes those over into vmcs12, and what L1 wrote to the page it links to into the region for that. */
void nest_page_pull(struct nest *nest, struct nest_vmcs *vmcs);
/* nest_show() for a page; after an exit in the page it links to also. */
void nest_page_show(struct nest *nest, struct nest_vmcs *vmcs);
/* Brings vmcs12 up to date for a VMREAD or VMWRITE that CP carries out. */
void nest_page_refresh(struct nest *nest, struct nest_vmcs *vmcs);

/* A page that is the link of a vmcs02: a hardware region for it, if hardware has such, with its contents. */
void nest_page_attach(struct nest *nest, struct nest_vmcs *vmcs);
/* Before L2 runs: the region follows what L1 wrote to the page. */
void nest_page_link_push(struct nest *nest, struct nest_vmcs *vmcs);
/* Before the region goes: all L2 wrote to it into the page. */
void nest_page_write_back(struct nest *nest, struct nest_vmcs *vmcs);

/* Brings up to date what L1 sees of vmcs12, in the shadow region or in the page. */
static inline void nest_show(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct nest_stale *stale = &vmcs->stale;
    if (vmcs->shadow_region)
        nest->hardware->shadow_push(nest->cpu, vmcs->shadow_region, &vmcs->vmcs12, &stale->shown,
                                stale->parts & NEST_STALE_REPORT);
    if (vmcs->page)
        nest_page_show(nest, vmcs);
    vmcs_set_clear(&stale->shown);
    stale->parts &= ~(uint32_t)NEST_STALE_REPORT;
}
