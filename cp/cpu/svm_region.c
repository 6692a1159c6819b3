/* Owns what stands for a VMCS under SVM: control blocks, the address-space identifiers their translations are kept
 * under, and giving them an event to deliver. */
#include <stddef.h>

#include "cp/cpu/svm.h"
#include "cp/panic.h"
#include "cp/storage/frame.h"

enum { BLOCKED_NMI = 8, EVENT_IS_NMI = 2 };
#define EVENT_VALID_BIT (1u << 31)

_Static_assert(sizeof(struct svm_region) <= PAGE_SIZE, "a region is a frame");

/* ---- address-space identifiers: APM "TLB Control" --------------------------------- */

static struct svm_asids asids;

void svm_asids_drop(void)
{
    svm_asids_void(&asids);
}

void svm_asids_start(unsigned count)
{
    svm_asids_begin(&asids, count);
}

void svm_asid_prepare(struct svm_region *region)
{
    struct vmcb *vmcb = region->state.vmcb;

    vmcb->tlb_control = svm_tag_prepare(&asids, &region->tag, vmcb->nested_cr3) ? VMCB_TLB_FLUSH_ALL : 0;
    vmcb->asid = region->tag.asid;
    CP_ASSERT(vmcb->asid); /* 0 is CP's own */
}

/* ---- regions -------------------------------------------------------------------- */

bool svm_region_begin(struct svm_region *region, struct frame_account *account)
{
    struct vmcb *vmcb = frame_alloc(account);

    if (!vmcb)
        return false;
    region->state.vmcb = vmcb;
    region->state.controls_stale = true;
    vmcb->lbr_virtualization = svm_has_debugctl;
    vmcb->rflags = 2;
    vmcb->efer = SVM_EFER_SVME;
    return true;
}

struct svm_region *svm_region_create(struct frame_account *account)
{
    struct svm_region *region = frame_alloc(account);

    if (region && svm_region_begin(region, account))
        return region;
    frame_free(account, region);
    return NULL;
}

void svm_region_destroy(struct svm_region *region, struct frame_account *account)
{
    if (!region)
        return;
    frame_free(account, region->state.vmcb);
    frame_free(account, region);
}

void svm_region_use(struct svm_vcpu *own, struct svm_region *region)
{
    struct vmcb *from = own->active->state.vmcb, *to = region->state.vmcb;

    if (from != to) {
        to->star = from->star;
        to->lstar = from->lstar;
        to->cstar = from->cstar;
        to->sfmask = from->sfmask;
        to->kernel_gs_base = from->kernel_gs_base;
    }
    own->active = region;
}

/* ---- events ---------------------------------------------------------------------- */

/* An event ends HLT. A software event returns to RIP itself, so RIP is moved past the instruction first. */
void svm_event_inject(struct svm_region *region)
{
    struct vmcs *image = &region->state.image;
    struct vmcb *vmcb = region->state.vmcb;
    uint32_t info = image->entry_interruption_info;

    region->injected = 0;
    if (!(info & EVENT_VALID_BIT))
        return;
    image->guest_activity_state = 0;
    vmcb->interrupt_shadow = 0;
    vmcb->event_injection = svm_event_injection(info, image->entry_exception_error_code);
    if (svm_event_is_software(info)) {
        region->injected_length = image->entry_instruction_length & 15;
        vmcb->rip += region->injected_length;
        vmcb_rip_wrap(vmcb);
        if (svm_has_next_rip)
            vmcb->next_rip = vmcb->rip; /* there it is this that is pushed */
        region->injected = (uint32_t)vmcb->event_injection;
        region->injected_rip = vmcb->rip;
    }
    if ((info >> 8 & 7) == EVENT_IS_NMI) {
        image->guest_interruptibility |= BLOCKED_NMI;
        region->state.controls_stale = true;
    }
    image->entry_interruption_info = 0;
}
