/* The table of active virtual VMCSs: look-up, loading from and writing back to L1's storage, hardware regions.
 * In: guest-physical addresses of VMCS regions.  Out: struct nest_vmcs, with its copies valid. */
#include "nest/active.h"
#include "nest/chain.h"
#include "nest/ept.h"
#include "nest/page.h"
#include "nest/reflect.h"
#include "vmcs-shadow/bitmap.h"

#include <string.h>

enum { PATIENCE_LEAST = 16, PATIENCE_MOST = 1024 };

struct nest_vmcs *nest_active_find(const struct nest *nest, uint64_t gpa)
{
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i] && nest->active[i]->gpa == gpa)
            return nest->active[i];
    return NULL;
}

static bool is_linked(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    for (unsigned i = 0; i < NEST_ACTIVE; i++)
        if (nest->active[i] && nest->active[i]->link == vmcs)
            return true;
    return false;
}

/* What a link pointer stands for comes, goes or has a region now: as good as another pointer. */
void nest_active_link_changes(struct nest *nest, const struct nest_vmcs *vmcs)
{
    for (unsigned i = 0; i < nest->active_top; i++) {
        struct nest_vmcs *other = nest->active[i];
        if (other && (other->link == vmcs || other->vmcs12.vmcs_link_pointer == vmcs->gpa))
            nest_written_one(other, VMCS_INDEX_VMCS_LINK_POINTER, NEST_BY_L1);
    }
}

/* Nobody's link may go on naming a region that is freed. */
static void unlink_all(struct nest *nest, const struct nest_vmcs *vmcs)
{
    nest_active_link_changes(nest, vmcs);
    for (unsigned i = 0; i < NEST_ACTIVE; i++)
        if (nest->active[i] && nest->active[i]->link == vmcs)
            nest->active[i]->link = NULL;
}

static void release(struct nest *nest, unsigned slot)
{
    const struct nest_host *host = nest->host;
    struct nest_vmcs *vmcs = nest->active[slot];
    nest_chain_destroy(vmcs);
    unlink_all(nest, vmcs);
    nest->active[slot] = NULL;
    if (nest->current == vmcs)
        nest_active_select(nest, NULL);
    if (vmcs->shadow_region)
        nest->hardware->region_free(nest->cpu, vmcs->shadow_region);
    if (vmcs->region02)
        nest->hardware->region_free(nest->cpu, vmcs->region02);
    if (vmcs->pinned_apic != NEST_NO_ADDRESS)
        host->unpin(host->context, vmcs->pinned_apic);
    for (unsigned i = 0; i < NEST_FRAMES; i++)
        if (vmcs->frames[i])
            host->frame_free(host->context, vmcs->frames[i]);
    host->frame_free(host->context, vmcs);
}

/* A free slot, the least recently used one making room if it must; NEST_ACTIVE if all are kept. */
static unsigned slot_find(struct nest *nest, const struct nest_vmcs *keep)
{
    unsigned victim = NEST_ACTIVE;
    for (unsigned i = 0; i < NEST_ACTIVE; i++) {
        struct nest_vmcs *vmcs = nest->active[i];
        if (!vmcs)
            return i;
        if (vmcs == nest->current || vmcs == keep || is_linked(nest, vmcs))
            continue;
        if (victim == NEST_ACTIVE || vmcs->used < nest->active[victim]->used)
            victim = i;
    }
    if (victim < NEST_ACTIVE)
        nest_active_clear(nest, nest->active[victim], nest->active[victim]->launched);
    return victim;
}

static bool load(struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct nest_host *host = nest->host;
    struct nest_region region;
    if (!host->read(host->context, vmcs->gpa, &region, sizeof(region)))
        return false;
    vmcs->launched = region.launched == 1;
    vmcs->resumes = region.resumes;
    vmcs->kind = region.revision & VMCS_SHADOW_INDICATOR ? NEST_SHADOW_REGION : NEST_REGION;
    vmcs->vmcs12 = region.fields;
    return true;
}

const struct vmcs_set *nest_active_fields(struct nest *nest)
{
    struct vmcs_set ignored;
    if (vmcs_set_empty(&nest->fields))
        vmcs_bitmap_sets(&nest->fields, &ignored, nest->offered, nest->offered);
    return &nest->fields;
}

/* A lack of frames is no error: VMREAD then exits. */
void *nest_active_shadow_region(struct nest *nest)
{
    if (nest->mode < NEST_SHADOW || !capability_may_set(nest->capability->msr[VMX_CPU2], CPU2_VMCS_SHADOWING))
        return NULL;
    return nest->hardware->region_alloc(nest->cpu, true);
}

struct nest_vmcs *nest_active_new(struct nest *nest, uint64_t gpa, const struct nest_vmcs *keep)
{
    unsigned slot = slot_find(nest, keep);
    struct nest_vmcs *vmcs = slot < NEST_ACTIVE ? nest_frame(nest) : NULL;
    if (!vmcs)
        return NULL;
    vmcs->gpa = gpa;
    vmcs->pinned_apic = NEST_NO_ADDRESS;
    vmcs->vpid02 = slot < nest->policy.vpid_count ? (uint16_t)(nest->policy.vpid_first + slot) : 0;
    vmcs->stale.parts = NEST_STALE_NEW;
    vmcs->patience = PATIENCE_LEAST;
    nest_check_forget(&vmcs->checks);
    vmcs->used = ++nest->use_clock;
    nest->active[slot] = vmcs;
    if (nest->active_top <= slot)
        nest->active_top = slot + 1;
    nest_active_link_changes(nest, vmcs);
    return vmcs;
}

static void release_this(struct nest *nest, const struct nest_vmcs *vmcs)
{
    for (unsigned i = 0; i < NEST_ACTIVE; i++)
        if (nest->active[i] == vmcs)
            release(nest, i);
}

struct nest_vmcs *nest_active_get(struct nest *nest, uint64_t gpa, const struct nest_vmcs *keep, bool *no_frames)
{
    struct nest_vmcs *vmcs = nest_active_find(nest, gpa);
    if (vmcs) {
        vmcs->used = ++nest->use_clock;
        return vmcs;
    }
    vmcs = nest_active_new(nest, gpa, keep);
    *no_frames = !vmcs;
    if (!vmcs)
        return NULL;
    if (!load(nest, vmcs)) {
        release_this(nest, vmcs);
        return NULL;
    }
    vmcs->shadow_region = nest_active_shadow_region(nest);
    vmcs->stale.shown = *nest_active_fields(nest);
    nest_show(nest, vmcs);
    return vmcs;
}

static void write_back(struct nest *nest, struct nest_vmcs *vmcs, bool launched)
{
    const struct nest_host *host = nest->host;
    struct nest_region region = {.launched = launched, .resumes = vmcs->resumes};
    if (vmcs->page) {
        nest_page_write_back(nest, vmcs);
        return;
    }
    if (vmcs->shadow_region)
        nest->hardware->shadow_pull_all(nest->cpu, vmcs->shadow_region, &vmcs->vmcs12);
    region.fields = vmcs->vmcs12;
    /* revision and abort indicator are L1's to write and stay as they are */
    host->write(host->context, vmcs->gpa + offsetof(struct nest_region, launched), &region.launched,
                sizeof(region) - offsetof(struct nest_region, launched));
}

void nest_active_clear(struct nest *nest, struct nest_vmcs *vmcs, bool launched)
{
    nest_chain_let_go(vmcs);
    nest_active_open(nest, vmcs);
    write_back(nest, vmcs, launched);
    release_this(nest, vmcs);
}

void nest_active_drop_all(struct nest *nest)
{
    for (unsigned i = 0; i < NEST_ACTIVE; i++)
        if (nest->active[i])
            release(nest, i);
}

static void link(struct nest *nest, const struct nest_vmcs *vmcs)
{
    void *region = vmcs ? vmcs->shadow_region : NULL;
    bool closed = vmcs && vmcs->closed;
    if (nest->chain)
        nest_chain_link(nest, region, closed);
    else
        nest->hardware->link(nest->cpu, region, closed, nest->offered);
}

void nest_active_select(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (nest->current == vmcs)
        return;
    bool linked = (nest->current && nest->current->shadow_region) || (vmcs && vmcs->shadow_region);
    nest->current = vmcs;
    if (linked && nest->hardware->link)
        link(nest, vmcs);
}

static void relink(struct nest *nest, struct nest_vmcs *vmcs, bool closed)
{
    vmcs->closed = closed;
    vmcs->quiet = 0;
    if (nest->current == vmcs)
        link(nest, vmcs);
}

void nest_active_pull(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (!vmcs->shadow_region)
        return;
    struct vmcs_set changed = {{0}};
    nest->hardware->shadow_pull(nest->cpu, vmcs->shadow_region, &vmcs->vmcs12, &changed, vmcs->closed);
    nest_written(vmcs, &changed, NEST_BY_L1);
    if (vmcs->closed)
        return;
    vmcs->quiet = vmcs_set_meets(&changed, &vmcs_set_cold) ? 0 : vmcs->quiet + 1;
    if (vmcs->quiet >= vmcs->patience)
        relink(nest, vmcs, true);
}

void nest_active_open(struct nest *nest, struct nest_vmcs *vmcs)
{
    nest_guest_state_catch_up(nest, vmcs);
    if (!vmcs->closed)
        return;
    if (vmcs->patience < PATIENCE_MOST)
        vmcs->patience *= 2;
    relink(nest, vmcs, false);
}

void nest_active_set(struct nest *nest, struct nest_vmcs *vmcs, enum vmcs_index index, uint64_t value)
{
    vmcs_set(&vmcs->vmcs12, index, value);
    nest_written_one(vmcs, index, NEST_BY_CP);
    nest_show(nest, vmcs);
}
