/* L2's state into vmcs12 at an exit.  In: vmcs02's guest state and which of it changed.  Out: vmcs12, and what of it
 * L1 must be shown anew.  SDM "Saving Guest State". */
#include "nest/page.h"
#include "nest/recompute.h"
#include "nest/reflect.h"
#include "vmcs-shadow/page.h"

/* A register of which L1, CP and L2 each own bits, as L1's vmcs12 has it: L2's own bits from the real one, L1's as
 * they were (L2 could not change them), CP's from what L2 believes they are. */
static uint64_t unmerge(uint64_t real, uint64_t shadow02, uint64_t mask02, uint64_t mask12, uint64_t vmcs12)
{
    return (real & ~mask02) | (vmcs12 & mask12) | (shadow02 & mask02 & ~mask12);
}

/* A field of vmcs12 takes a value; L1 is shown it only if it is another. */
#define PUT(MEMBER_INDEX, member, value) \
    do { \
        if (vmcs->vmcs12.member != (value)) { \
            vmcs->vmcs12.member = (value); \
            nest_written_one(vmcs, VMCS_INDEX_##MEMBER_INDEX, NEST_BY_L2); \
        } \
    } while (0)

/* Fields whose merge is a copy come back as they are: what hardware changed is what L1 does not have yet. */
static void save_copies(struct nest_vmcs *vmcs, const struct vmcs_set *pulled)
{
    struct vmcs_set copied;
    if (vmcs_set_empty(pulled))
        return;
    nest_image_written(vmcs, pulled, NEST_BY_L2);
    for (unsigned word = 0; word < sizeof(pulled->word) / sizeof(pulled->word[0]); word++)
        copied.word[word] = pulled->word[word] & vmcs_set_copied.word[word];
    vmcs_copy_set(&vmcs->vmcs12, &vmcs->vmcs02, &copied);
    nest_written(vmcs, &copied, NEST_BY_L2);
}

static void save_control_registers(const struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct vmcs *vmcs12 = &vmcs->vmcs12, *vmcs02 = &vmcs->vmcs02;
    /* the shadows were pulled: CP writes them as it emulates L2's MOV to CR0 and CR4 */
    uint64_t cr0 = unmerge(vmcs02->guest_cr0, vmcs02->cr0_shadow, vmcs02->cr0_mask, vmcs12->cr0_mask,
                           vmcs12->guest_cr0);
    uint64_t cr4 = unmerge(vmcs02->guest_cr4, vmcs02->cr4_shadow, vmcs02->cr4_mask, vmcs12->cr4_mask,
                           vmcs12->guest_cr4);
    PUT(GUEST_CR0, guest_cr0, (cr0 & ~NEST_CACHES) | nest->caches);
    PUT(GUEST_CR4, guest_cr4, cr4);
}

static void save_on_request(struct nest_vmcs *vmcs)
{
    const struct vmcs *vmcs02 = &vmcs->vmcs02;
    uint32_t controls = vmcs->vmcs12.exit_controls;
    if (controls & EXIT_SAVE_DEBUG_CONTROLS) {
        PUT(GUEST_DR7, guest_dr7, vmcs02->guest_dr7);
        PUT(GUEST_DEBUGCTL, guest_debugctl, vmcs02->guest_debugctl);
    }
    if (controls & EXIT_SAVE_PAT)
        PUT(GUEST_PAT, guest_pat, vmcs02->guest_pat);
    if (controls & EXIT_SAVE_EFER)
        PUT(GUEST_EFER, guest_efer, vmcs02->guest_efer);
}

/* What the entry's MSR-load list may have put there, which hardware did not change, so
 * that it is not among the pulled. */
static void save_listed(struct nest_vmcs *vmcs)
{
    const struct vmcs *vmcs02 = &vmcs->vmcs02;
    PUT(GUEST_SYSENTER_CS, guest_sysenter_cs, vmcs02->guest_sysenter_cs);
    PUT(GUEST_SYSENTER_ESP, guest_sysenter_esp, vmcs02->guest_sysenter_esp);
    PUT(GUEST_SYSENTER_EIP, guest_sysenter_eip, vmcs02->guest_sysenter_eip);
}

static void save_pdptes(struct nest_vmcs *vmcs)
{
    const struct vmcs *vmcs02 = &vmcs->vmcs02;
    if ((vmcs02->guest_efer & EFER_LMA) || !(vmcs02->guest_cr4 & CR4_PAE) || !(vmcs02->guest_cr0 & CR0_PG) ||
        !(nest_secondary(&vmcs->vmcs12) & CPU2_EPT))
        return;
    PUT(GUEST_PDPTE0, guest_pdpte0, vmcs02->guest_pdpte0);
    PUT(GUEST_PDPTE1, guest_pdpte1, vmcs02->guest_pdpte1);
    PUT(GUEST_PDPTE2, guest_pdpte2, vmcs02->guest_pdpte2);
    PUT(GUEST_PDPTE3, guest_pdpte3, vmcs02->guest_pdpte3);
}

/* Where the guest may change its mode by itself, the entry control follows.  Hardware did the same to vmcs02. */
static void save_mode(const struct nest *nest, struct nest_vmcs *vmcs)
{
    uint32_t mode = vmcs->vmcs02.guest_efer & EFER_LMA ? ENTRY_LONG_MODE : 0;
    if (!(nest->offered->msr[VMX_MISC] & VMX_MISC_SAVES_LONG_MODE))
        return;
    PUT(ENTRY_CONTROLS, entry_controls, (vmcs->vmcs12.entry_controls & ~(uint32_t)ENTRY_LONG_MODE) | mode);
    vmcs->vmcs02.entry_controls = (vmcs->vmcs02.entry_controls & ~(uint32_t)ENTRY_LONG_MODE) | mode;
}

static void save_registers(const struct nest *nest, struct nest_vmcs *vmcs)
{
    save_control_registers(nest, vmcs);
    save_on_request(vmcs);
    save_listed(vmcs);
    save_pdptes(vmcs);
    save_mode(nest, vmcs);
    vmcs->stale.parts &= ~(uint32_t)NEST_STALE_GUEST;
}

static void save_timer(const struct nest *nest, struct nest_vmcs *vmcs)
{
    if (!(vmcs->vmcs12.exit_controls & EXIT_SAVE_PREEMPTION_TIMER))
        return;
    uint64_t now = nest->host->tsc(nest->host->context), left = 0;
    if (nest->timer_deadline == NEST_TIMER_FRESH)
        left = nest->timer_ticks;
    else if (nest->timer_deadline > now)
        left = nest->timer_deadline - now;
    left >>= nest->offered->msr[VMX_MISC] & VMX_MISC_TIMER_RATE;
    PUT(PREEMPTION_TIMER, preemption_timer, (uint32_t)left);
}

static void recompute(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    static struct nest_vmcs again;
    again = *vmcs;
    save_registers(nest, &again);
    vmcs_copy_set(&again.vmcs12, &vmcs->vmcs02, &vmcs_set_copied);
    struct vmcs_set all = vmcs_set_guest;
    vmcs_set_add(&all, VMCS_INDEX_ENTRY_CONTROLS);
    nest_must("what was saved is not said to be so", !(vmcs->stale.parts & NEST_STALE_GUEST));
    nest_must_equal("guest state in vmcs12", &vmcs->vmcs12, &again.vmcs12, &all);
}

static inline __attribute__((always_inline)) void save(const struct nest *nest, struct nest_vmcs *vmcs, bool cold)
{
    struct vmcs_set pulled = {{0}};
    nest->hardware->guest_pull(nest->cpu, vmcs->region02, &vmcs->vmcs02, &pulled, !cold);
    vmcs->stale.parts = cold ? vmcs->stale.parts & ~(uint32_t)NEST_STALE_COLD : vmcs->stale.parts | NEST_STALE_COLD;
    vmcs->vmcs12.guest_rip = vmcs->vmcs02.guest_rip;
    vmcs->vmcs12.guest_rsp = vmcs->vmcs02.guest_rsp;
    save_copies(vmcs, &pulled);
    if (vmcs->stale.parts & NEST_STALE_GUEST)
        save_registers(nest, vmcs);
    save_timer(nest, vmcs);
    if (NEST_RECOMPUTES)
        recompute(nest, vmcs);
}

void nest_guest_state_save(const struct nest *nest, struct nest_vmcs *vmcs, bool cold)
{
    save(nest, vmcs, cold);
}

void nest_guest_state_stop(const struct nest *nest, struct nest_vmcs *vmcs)
{
    save(nest, vmcs, true);
}

void nest_guest_state_catch_up(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct vmcs_set pulled = {{0}};
    if (!(vmcs->stale.parts & NEST_STALE_COLD))
        return;
    nest->hardware->guest_pull(nest->cpu, vmcs->region02, &vmcs->vmcs02, &pulled, false);
    save_copies(vmcs, &pulled);
    save_on_request(vmcs);
    save_pdptes(vmcs);
    vmcs->stale.parts &= ~(uint32_t)NEST_STALE_COLD;
    nest_show(nest, vmcs);
    nest_must("cold state is not said to be there", !(vmcs->stale.parts & NEST_STALE_COLD));
}
