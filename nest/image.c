/* vmcs02 brought up to date. In: what of it is out of date, vmcs12, CP's own VMCS, L1's storage. Out: the image, and
 * which of its fields hardware does not have yet. */
#include "nest/bitmap.h"
#include "nest/enter.h"
#include "nest/recompute.h"

/* Fields that vmcs02 has and that are written as the image says. */
static void everything(const struct nest *nest, struct vmcs_set *set)
{
    vmcs_set_clear(set);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (vmcs_field_rows[i].merge != VMCS_MERGE_NONE && capability_has_field(nest->capability, i))
            vmcs_set_add(set, i);
}

static bool has_region(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (!vmcs->region02)
        vmcs->region02 = nest->hardware->region_alloc(nest->cpu, false);
    return vmcs->region02;
}

/* From nothing, or what rules make of what is there.  false: no frames. */
static bool make(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct nest_stale *stale = &vmcs->stale;
    if (!has_region(nest, vmcs) || !nest_context_make(nest, vmcs))
        return false;
    if (stale->parts & NEST_STALE_IMAGE) {
        nest_merge(&vmcs->vmcs02, &nest->vmcs01, &vmcs->vmcs12, &vmcs->context);
        everything(nest, &stale->region);
    } else {
        nest_merge_update(&vmcs->vmcs02, &nest->vmcs01, &vmcs->vmcs12, &vmcs->context, &stale->image, NEST_RULES_ALL,
                          &stale->region);
    }
    stale->parts = (stale->parts & ~(uint32_t)NEST_STALE_VMCS02) | NEST_STALE_REGISTERS;
    vmcs->made++;
    return true;
}

static bool copy(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct nest_stale *stale = &vmcs->stale;
    if (nest_bitmap_used(&vmcs->vmcs12) && !nest_bitmap_unite(nest, vmcs))
        return false;
    if (stale->parts & NEST_STALE_VMCS02) /* uniting them took EPT02 away */
        return make(nest, vmcs);
    if (!vmcs_set_empty(&stale->image))
        nest_merge_update(&vmcs->vmcs02, &nest->vmcs01, &vmcs->vmcs12, &vmcs->context, &stale->image, NEST_RULES_NONE,
                          &stale->region);
    return true;
}

/* No set tells of these: nearly every entry changes them. */
static void copy_place(struct nest_vmcs *vmcs)
{
    vmcs->vmcs02.guest_rip = vmcs->vmcs12.guest_rip;
    vmcs->vmcs02.guest_rsp = vmcs->vmcs12.guest_rsp;
    vmcs_set_add(&vmcs->stale.region, VMCS_INDEX_GUEST_RIP);
    vmcs_set_add(&vmcs->stale.region, VMCS_INDEX_GUEST_RSP);
}

static void recompute(const struct nest *nest, const struct nest_vmcs *vmcs, const struct vmcs_set *fields)
{
    struct vmcs made;
    nest_merge(&made, &nest->vmcs01, &vmcs->vmcs12, &vmcs->context);
    nest_must_equal("vmcs02", &vmcs->vmcs02, &made, fields);
}

static void recompute_all(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    struct vmcs_set fields;
    nest_must("vmcs02 is not said to be made", !(vmcs->stale.parts & NEST_STALE_VMCS02));
    everything(nest, &fields);
    nest_context_recompute(nest, vmcs);
    recompute(nest, vmcs, &fields);
}

/* What the region has of guest state, where that is not what the image says, is written to it yet. */
void nest_image_recompute_guest(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    struct vmcs_set differ = {{0}};
    struct vmcs held = vmcs->vmcs02;
    nest->hardware->guest_pull(nest->cpu, vmcs->region02, &held, &differ, vmcs->stale.parts & NEST_STALE_COLD);
    nest_must_be_within("guest state in hardware", &differ, &vmcs->stale.region);
}

/* All but guest state, which is L2's own while it runs. */
static void controls(const struct nest *nest, struct vmcs_set *fields)
{
    everything(nest, fields);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (VMCS_ENCODING_AREA(vmcs_field_rows[i].encoding) == VMCS_GUEST)
            vmcs_set_remove(fields, i);
}

static void recompute_controls(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    struct vmcs_set fields;
    nest_must("vmcs02 is not said to be made", !(vmcs->stale.parts & NEST_STALE_FOLLOWS));
    controls(nest, &fields);
    recompute(nest, vmcs, &fields);
}

/* CP writes to the region itself what L2's own MOV to a control register comes to. */
void nest_image_recompute_region(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    struct vmcs_set fields;
    struct vmcs held = vmcs->vmcs02;
    controls(nest, &fields);
    vmcs_set_remove(&fields, VMCS_INDEX_CR0_SHADOW);
    vmcs_set_remove(&fields, VMCS_INDEX_CR4_SHADOW);
    vmcs_set_remove(&fields, VMCS_INDEX_ENTRY_CONTROLS);
    vmcs_set_subtract(&fields, &vmcs->stale.region); /* of what a guest's guest links to: for the next entry */
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (vmcs_set_has(&fields, i))
            vmcs_set(&held, i, nest->host->get(nest->host->context, vmcs_field_rows[i].encoding));
    nest_must_equal("vmcs02 in hardware", &held, &vmcs->vmcs02, &fields);
}

/* A list of MSRs may write CP's own VMCS hundreds of times between two entries: every vmcs02 is told of it once. */
static void tell_of_base(struct nest *nest)
{
    if (__builtin_expect(!nest->base_written, 1))
        return;
    nest->base_written = false;
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i])
            nest->active[i]->stale.parts |= NEST_STALE_BASE;
}

bool nest_image_renew(struct nest *nest, struct nest_vmcs *vmcs)
{
    tell_of_base(nest);
    if (!(vmcs->stale.parts & NEST_STALE_VMCS02 ? make(nest, vmcs) : copy(nest, vmcs)))
        return false;
    copy_place(vmcs);
    vmcs_set_clear(&vmcs->stale.image);
    if (NEST_RECOMPUTES)
        recompute_all(nest, vmcs);
    return true;
}

static bool follow(struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct vmcs_set none = {{0}};
    struct nest_stale *stale = &vmcs->stale;
    if ((stale->parts & NEST_STALE_EPT) && !nest_context_renew_ept(nest, vmcs))
        return false;
    nest_merge_update(&vmcs->vmcs02, &nest->vmcs01, &vmcs->vmcs12, &vmcs->context, &none, NEST_RULES_CONTROLS,
                      &stale->region);
    stale->parts = (stale->parts & ~(uint32_t)NEST_STALE_FOLLOWS) | NEST_STALE_REGISTERS;
    vmcs->made++;
    return true;
}

bool nest_image_follow(struct nest *nest, struct nest_vmcs *vmcs)
{
    tell_of_base(nest);
    if (__builtin_expect(vmcs->stale.parts & NEST_STALE_FOLLOWS, 0) && !follow(nest, vmcs))
        return false;
    if (NEST_RECOMPUTES)
        recompute_controls(nest, vmcs);
    return true;
}
