/* Unions of MSR, I/O, VMREAD and VMWRITE bitmaps.  In: addresses in vmcs12 and CP's pages.  Out: frames for vmcs02.
 * A page of L1 that cannot be read counts as all ones: what is not known to be let through exits. */
#include "nest/bitmap.h"
#include "nest/bits.h"
#include "nest/ept.h"
#include "nest/recompute.h"
#include "vmcs-shadow/bitmap.h"

#include <string.h>

struct source {
    enum nest_frame frame;
    uint64_t inner_gpa;
    uint64_t outer;      /* CP's page; 0: it has none, and wants nothing */
    bool remade;         /* out: the union is another one than before */
};

/* The address of the union, 0: no frames.  L1's page is copied, then CP's ones are added; nothing is read twice. */
static uint64_t unite(struct nest *nest, struct nest_vmcs *vmcs, struct source *source)
{
    const struct nest_host *host = nest->host;
    void **frame = &vmcs->frames[source->frame];
    struct nest_union *made_of = &vmcs->unions[source->frame];
    uint64_t version = host->version ? host->version(host->context, source->inner_gpa) : 0;
    if (*frame && version && made_of->version == version && made_of->inner == source->inner_gpa &&
        made_of->outer == source->outer)
        return (uint64_t)(uintptr_t)*frame;
    if (!*frame)
        *frame = nest_frame(nest);
    if (!*frame)
        return 0;
    if (!host->read(host->context, source->inner_gpa, *frame, sizeof(uint64_t) * NEST_BITMAP_WORDS))
        memset(*frame, 0xFF, sizeof(uint64_t) * NEST_BITMAP_WORDS);
    if (source->outer)
        nest_bits_unite(*frame, (const uint64_t *)(uintptr_t)source->outer);
    *made_of = (struct nest_union){.inner = source->inner_gpa, .version = version, .outer = source->outer};
    source->remade = true;
    vmcs->made++;
    return (uint64_t)(uintptr_t)*frame;
}

static bool unite_io(struct nest *nest, struct nest_vmcs *vmcs, struct nest_merge_context *context)
{
    const struct vmcs *inner = &vmcs->vmcs12, *outer = &nest->vmcs01;
    enum nest_io outer_mode = nest_io_mode(outer->processor_controls);
    context->io_bitmap_a = outer->io_bitmap_a;
    context->io_bitmap_b = outer->io_bitmap_b;
    if (nest_io_mode(inner->processor_controls) != NEST_IO_BITMAPS || outer_mode == NEST_IO_ALL)
        return true;
    bool both = outer_mode == NEST_IO_BITMAPS;
    struct source a = {NEST_FRAME_IO_A, inner->io_bitmap_a, both ? outer->io_bitmap_a : 0, false};
    struct source b = {NEST_FRAME_IO_B, inner->io_bitmap_b, both ? outer->io_bitmap_b : 0, false};
    context->io_bitmap_a = unite(nest, vmcs, &a);
    context->io_bitmap_b = unite(nest, vmcs, &b);
    return context->io_bitmap_a && context->io_bitmap_b;
}

static bool unite_msr(struct nest *nest, struct nest_vmcs *vmcs, struct nest_merge_context *context)
{
    const struct vmcs *inner = &vmcs->vmcs12, *outer = &nest->vmcs01;
    context->msr_bitmap = outer->msr_bitmap;
    if (!(inner->processor_controls & outer->processor_controls & CPU_MSR_BITMAPS))
        return true;
    struct source source = {NEST_FRAME_MSR_BITMAP, inner->msr_bitmap, outer->msr_bitmap, false};
    context->msr_bitmap = unite(nest, vmcs, &source);
    return context->msr_bitmap != 0;
}

/* What CP lets through of VMREAD and VMWRITE: made when first needed. */
static bool own_bitmaps(struct nest *nest)
{
    struct vmcs_set sets[2];
    if (nest->field_bitmaps[0] && nest->field_bitmaps[1])
        return true;
    vmcs_bitmap_sets(&sets[0], &sets[1], nest->offered, nest->capability);
    for (unsigned i = 0; i < 2; i++) {
        if (!nest->field_bitmaps[i])
            nest->field_bitmaps[i] = nest_frame(nest);
        if (!nest->field_bitmaps[i])
            return false;
        vmcs_bitmap_build(nest->field_bitmaps[i], &sets[i]);
    }
    return true;
}

static bool unite_shadowing(struct nest *nest, struct nest_vmcs *vmcs, struct nest_merge_context *context)
{
    const struct vmcs *inner = &vmcs->vmcs12;
    if (!(nest_secondary(inner) & CPU2_VMCS_SHADOWING) || context->link == NEST_NO_ADDRESS)
        return true;
    if (!own_bitmaps(nest))
        return false;
    struct source read = {NEST_FRAME_VMREAD, inner->vmread_bitmap, (uint64_t)(uintptr_t)nest->field_bitmaps[0], false};
    struct source write = {NEST_FRAME_VMWRITE, inner->vmwrite_bitmap, (uint64_t)(uintptr_t)nest->field_bitmaps[1],
                           false};
    context->vmread_bitmap = unite(nest, vmcs, &read);
    context->vmwrite_bitmap = unite(nest, vmcs, &write);
    if (write.remade)
        vmcs->link_closed = vmcs_bitmap_is_closed((const uint8_t *)(uintptr_t)context->vmwrite_bitmap);
    return context->vmread_bitmap && context->vmwrite_bitmap;
}

bool nest_bitmap_unite(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct nest_merge_context *context = &vmcs->context;
    return unite_io(nest, vmcs, context) && unite_msr(nest, vmcs, context) && unite_shadowing(nest, vmcs, context);
}

bool nest_bitmap_used(const struct vmcs *vmcs12)
{
    return (vmcs12->processor_controls & (CPU_MSR_BITMAPS | CPU_IO_BITMAPS)) ||
           (nest_secondary(vmcs12) & CPU2_VMCS_SHADOWING);
}

/* In halves, which nobody counts as a page that is read. */
static void again(const struct nest *nest, const struct nest_vmcs *vmcs, enum nest_frame which, uint64_t inner,
                  uint64_t outer)
{
    enum { HALF = NEST_BITMAP_WORDS / 2 };
    static uint64_t page[NEST_BITMAP_WORDS];
    const struct nest_host *host = nest->host;
    bool is_read = host->read(host->context, inner, page, sizeof(page) / 2) &&
                   host->read(host->context, inner + sizeof(page) / 2, page + HALF, sizeof(page) / 2);
    if (!is_read)
        memset(page, 0xFF, sizeof(page));
    if (outer)
        nest_bits_unite(page, (const uint64_t *)(uintptr_t)outer);
    nest_must("union of bitmaps", !memcmp(page, vmcs->frames[which], sizeof(page)));
}

void nest_bitmap_recompute(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    const struct vmcs *inner = &vmcs->vmcs12, *outer = &nest->vmcs01;
    enum nest_io outer_io = nest_io_mode(outer->processor_controls);
    if (inner->processor_controls & outer->processor_controls & CPU_MSR_BITMAPS)
        again(nest, vmcs, NEST_FRAME_MSR_BITMAP, inner->msr_bitmap, outer->msr_bitmap);
    if (nest_io_mode(inner->processor_controls) == NEST_IO_BITMAPS && outer_io != NEST_IO_ALL) {
        again(nest, vmcs, NEST_FRAME_IO_A, inner->io_bitmap_a, outer_io == NEST_IO_BITMAPS ? outer->io_bitmap_a : 0);
        again(nest, vmcs, NEST_FRAME_IO_B, inner->io_bitmap_b, outer_io == NEST_IO_BITMAPS ? outer->io_bitmap_b : 0);
    }
    if (!(nest_secondary(inner) & CPU2_VMCS_SHADOWING) || vmcs->context.link == NEST_NO_ADDRESS)
        return;
    again(nest, vmcs, NEST_FRAME_VMREAD, inner->vmread_bitmap, (uint64_t)(uintptr_t)nest->field_bitmaps[0]);
    again(nest, vmcs, NEST_FRAME_VMWRITE, inner->vmwrite_bitmap, (uint64_t)(uintptr_t)nest->field_bitmaps[1]);
    nest_must("what is said of the VMWRITE bitmap",
              vmcs->link_closed == vmcs_bitmap_is_closed(vmcs->frames[NEST_FRAME_VMWRITE]));
}
