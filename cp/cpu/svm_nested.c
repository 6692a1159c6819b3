/* Owns what nest/ needs of a processor where that has SVM: a vmcs02 is a region like any other, and there is nothing
 * that a guest's VMREAD could reach without an exit. */
#include <stddef.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/svm.h"
#include "cp/nested/hardware.h"
#include "cp/storage/guest.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"

static struct svm_state *syncing; /* what the copying below acts on */

#define VMCS_SYNC_READ(encoding) svm_field_read(syncing, vmcs_field_find(encoding))
#define VMCS_SYNC_WRITE(encoding, value) svm_field_write(syncing, vmcs_field_find(encoding), value)
#include "vmcs-shadow/sync.h"

static const struct vmx_capability *capability(void)
{
    return &svm_capability;
}

static void base(struct vcpu *vcpu, struct vmcs *vmcs01)
{
    struct svm_vcpu *own = vcpu->backend;

    for (unsigned index = 0; index < VMCS_FIELDS; index++)
        if (capability_has_field(&svm_capability, index))
            vmcs_set(vmcs01, index, svm_field_read(&own->first.state, index));
}

static void *region_alloc(struct vcpu *vcpu, bool shadow)
{
    struct svm_vcpu *own = vcpu->backend;

    for (unsigned i = 0; i < SVM_REGIONS && !shadow; i++)
        if (!own->nested[i])
            return own->nested[i] = svm_region_create(&vcpu->vm->storage.account);
    return NULL;
}

static void region_free(struct vcpu *vcpu, void *region)
{
    struct svm_vcpu *own = vcpu->backend;

    if (own->active == region)
        svm_region_use(own, &own->first);
    for (unsigned i = 0; i < SVM_REGIONS; i++)
        if (own->nested[i] == region)
            own->nested[i] = NULL;
    svm_region_destroy(region, &vcpu->vm->storage.account);
}

static uint64_t region_address(void *region)
{
    (void)region;
    return ~0ull; /* no hardware follows a link pointer */
}

static bool is_tagged(const struct svm_region *region)
{
    return region->state.image.secondary_controls & CPU2_VPID;
}

/* Without a VPID no translation survives an entry or an exit: SDM "Operations that Invalidate Cached Mappings". */
static void use(struct vcpu *vcpu, void *region)
{
    struct svm_vcpu *own = vcpu->backend;
    struct svm_region *next = region ? region : &own->first;

    if (next != own->active && !is_tagged(next))
        svm_tag_void(&next->tag);
    svm_region_use(own, next);
}

static void push(struct vcpu *vcpu, const struct vmcs *image, struct vmcs_set *fields)
{
    struct svm_region *region = ((struct svm_vcpu *)vcpu->backend)->active;

    syncing = &region->state;
    vmcs_sync_push(image, fields);
    if (vmcs_set_has(fields, VMCS_INDEX_SECONDARY_CONTROLS) && !is_tagged(region))
        svm_tag_void(&region->tag);
    vmcs_set_clear(fields);
}

/* Nested paging reads the four top entries of PAE paging from storage at each walk, so those are what VMX would have
 * saved. */
static void pdptes_refresh(struct vcpu *vcpu, struct svm_state *s)
{
    const struct vmcb *vmcb = s->vmcb;
    uint64_t at = vmcb->cr3 & 0xFFFFFFE0u, entry[4];

    if (!(vmcb->cr0 & CR0_PG) || !(vmcb->cr4 & CR4_PAE) || (s->image.guest_efer & EFER_LMA))
        return;
    if (!nested_translate(vcpu, &at, false) || guest_read(&vcpu->vm->storage, gpa(at), entry, sizeof entry) != GUEST_OK)
        return;
    s->image.guest_pdpte0 = entry[0] & ~PDPTE_ACCESSED;
    s->image.guest_pdpte1 = entry[1] & ~PDPTE_ACCESSED;
    s->image.guest_pdpte2 = entry[2] & ~PDPTE_ACCESSED;
    s->image.guest_pdpte3 = entry[3] & ~PDPTE_ACCESSED;
}

static void guest_pull(struct vcpu *vcpu, void *region, struct vmcs *image, struct vmcs_set *changed, bool closed)
{
    syncing = &((struct svm_region *)region)->state;
    pdptes_refresh(vcpu, syncing);
    if (closed)
        vmcs_sync_pull_guest_hot(image, changed, svm_capability.fields);
    else
        vmcs_sync_pull_guest(image, changed, svm_capability.fields);
}

static void load_l1(struct vcpu *vcpu, void *region, const struct vmcs *state)
{
    use(vcpu, region);
    syncing = &((struct svm_vcpu *)vcpu->backend)->active->state;
    if (state)
        vmcs_sync_write_l1(state, svm_capability.fields);
}

static void flush_ept(struct vcpu *vcpu, uint64_t eptp)
{
    (void)vcpu, (void)eptp;
    svm_asids_drop();
}

/* The holder is who runs. */
static struct svm_region *running(void)
{
    return ((struct svm_vcpu *)cpu_this.holder->backend)->active;
}

/* A VPID names one of a virtual CPU's regions; the processor knows only ASIDs. The VPID of an L2 is flushed when that
 * L2 is entered next. The first VPID is flushed at a reset, possibly of a machine that is not running. */
static void flush_vpid(struct vcpu *vcpu, uint16_t vpid)
{
    struct svm_vcpu *own = vpid != SVM_VPID_FIRST ? vcpu->backend : NULL;

    for (unsigned i = 0; i < SVM_REGIONS && own; i++)
        if (own->nested[i] && own->nested[i]->state.image.vpid == vpid) {
            svm_tag_void(&own->nested[i]->tag);
            return;
        }
    svm_asids_drop();
}

static uint16_t vpid_first(struct vcpu *vcpu, uint16_t *count)
{
    (void)vcpu;
    *count = SVM_REGIONS;
    return SVM_VPID_FIRST + 1;
}

static bool free_msr_read(uint32_t msr, uint64_t *value)
{
    return cpu_this.holder && svm_free_msr_read(running(), msr, value);
}

static bool free_msr_write(uint32_t msr, uint64_t value)
{
    return cpu_this.holder && svm_free_msr_write(running(), msr, value);
}

const struct cpu_nested svm_nested = { /* no shadow regions */
    .hardware = {.region_alloc = region_alloc, .region_free = region_free, .region_address = region_address,
                 .guest_pull = guest_pull, .load_l1 = load_l1, .flush_ept = flush_ept, .flush_vpid = flush_vpid},
    .capability = capability, .base = base, .use = use, .push = push, .vpid_first = vpid_first,
    .free_msr_read = free_msr_read, .free_msr_write = free_msr_write,
};
