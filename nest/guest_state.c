/* L2's state into vmcs12 at an exit.  In: vmcs02's guest state and which of it changed.  Out: vmcs12, and what of it L1 must be
 * shown anew.  SDM "Saving Guest State". */
#include "nest/reflect.h"

/* A register of which L1, CP and L2 each own bits, as L1's vmcs12 has it: L2's own bits from the real one, L1's as they were
 * (L2 could not change them), CP's from what L2 believes they are. */
static uint64_t unmerge(uint64_t real, uint64_t shadow02, uint64_t mask02, uint64_t mask12, uint64_t vmcs12)
{
    return (real & ~mask02) | (vmcs12 & mask12) | (shadow02 & mask02 & ~mask12);
}

static void put(struct nest_vmcs *vmcs, enum vmcs_index index, uint64_t value, struct vmcs_set *push)
{
    if (vmcs_get(&vmcs->vmcs12, index) == value)
        return;
    vmcs_set(&vmcs->vmcs12, index, value);
    vmcs_set_add(push, index);
}

/* Fields whose merge is a copy come back as they are. */
static void save_copies(struct nest_vmcs *vmcs, const struct vmcs_set *pulled, struct vmcs_set *push)
{
    for (unsigned word = 0; word < sizeof(pulled->word) / sizeof(pulled->word[0]); word++)
        for (uint64_t bits = pulled->word[word]; bits; bits &= bits - 1) {
            enum vmcs_index index = word * 64 + (unsigned)__builtin_ctzll(bits);
            if (vmcs_field_rows[index].merge == VMCS_MERGE_COPY)
                put(vmcs, index, vmcs_get(&vmcs->vmcs02, index), push);
            else
                vmcs->rules_due = true; /* vmcs02 no longer is what the rule made */
        }
}

static void save_control_registers(const struct nest *nest, struct nest_vmcs *vmcs, struct vmcs_set *push)
{
    const struct nest_host *host = nest->host;
    struct vmcs *vmcs12 = &vmcs->vmcs12;
    const struct vmcs *vmcs02 = &vmcs->vmcs02;
    /* the shadows are in hardware's VMCS: CP writes them as it emulates L2's MOV to CR0 and CR4 */
    uint64_t cr0_shadow = host->get(host->context, VMCS_CR0_SHADOW);
    uint64_t cr4_shadow = host->get(host->context, VMCS_CR4_SHADOW);
    put(vmcs, VMCS_INDEX_GUEST_CR0,
        unmerge(vmcs02->guest_cr0, cr0_shadow, vmcs02->cr0_mask, vmcs12->cr0_mask, vmcs12->guest_cr0), push);
    put(vmcs, VMCS_INDEX_GUEST_CR4,
        unmerge(vmcs02->guest_cr4, cr4_shadow, vmcs02->cr4_mask, vmcs12->cr4_mask, vmcs12->guest_cr4), push);
    if (cr0_shadow != vmcs02->cr0_shadow || cr4_shadow != vmcs02->cr4_shadow) {
        vmcs->vmcs02.cr0_shadow = cr0_shadow;
        vmcs->vmcs02.cr4_shadow = cr4_shadow;
        vmcs->rules_due = true;
    }
}

static void save_on_request(struct nest_vmcs *vmcs, struct vmcs_set *push)
{
    const struct vmcs *vmcs02 = &vmcs->vmcs02;
    uint32_t controls = vmcs->vmcs12.exit_controls;
    if (controls & EXIT_SAVE_DEBUG_CONTROLS) {
        put(vmcs, VMCS_INDEX_GUEST_DR7, vmcs02->guest_dr7, push);
        put(vmcs, VMCS_INDEX_GUEST_DEBUGCTL, vmcs02->guest_debugctl, push);
    }
    if (controls & EXIT_SAVE_PAT)
        put(vmcs, VMCS_INDEX_GUEST_PAT, vmcs02->guest_pat, push);
    if (controls & EXIT_SAVE_EFER)
        put(vmcs, VMCS_INDEX_GUEST_EFER, vmcs02->guest_efer, push);
}

static void save_pdptes(struct nest_vmcs *vmcs, struct vmcs_set *push)
{
    const struct vmcs *vmcs02 = &vmcs->vmcs02;
    if (!(nest_secondary(&vmcs->vmcs12) & CPU2_EPT) || (vmcs02->guest_efer & EFER_LMA) ||
        !(vmcs02->guest_cr4 & CR4_PAE) || !(vmcs02->guest_cr0 & CR0_PG))
        return;
    put(vmcs, VMCS_INDEX_GUEST_PDPTE0, vmcs02->guest_pdpte0, push);
    put(vmcs, VMCS_INDEX_GUEST_PDPTE1, vmcs02->guest_pdpte1, push);
    put(vmcs, VMCS_INDEX_GUEST_PDPTE2, vmcs02->guest_pdpte2, push);
    put(vmcs, VMCS_INDEX_GUEST_PDPTE3, vmcs02->guest_pdpte3, push);
}

/* Where the guest may change its mode by itself, the entry control follows.  Hardware did the same to vmcs02. */
static void save_mode(const struct nest *nest, struct nest_vmcs *vmcs, struct vmcs_set *push)
{
    uint32_t mode = vmcs->vmcs02.guest_efer & EFER_LMA ? ENTRY_LONG_MODE : 0;
    if (!(nest->offered->msr[VMX_MISC] & VMX_MISC_SAVES_LONG_MODE))
        return;
    put(vmcs, VMCS_INDEX_ENTRY_CONTROLS, (vmcs->vmcs12.entry_controls & ~(uint32_t)ENTRY_LONG_MODE) | mode, push);
    vmcs->vmcs02.entry_controls = (vmcs->vmcs02.entry_controls & ~(uint32_t)ENTRY_LONG_MODE) | mode;
}

static void save_timer(const struct nest *nest, struct nest_vmcs *vmcs, struct vmcs_set *push)
{
    if (!(vmcs->vmcs12.exit_controls & EXIT_SAVE_PREEMPTION_TIMER))
        return;
    uint64_t now = nest->host->tsc(nest->host->context);
    uint64_t left = nest->timer_deadline > now ? nest->timer_deadline - now : 0;
    left >>= nest->offered->msr[VMX_MISC] & VMX_MISC_TIMER_RATE;
    put(vmcs, VMCS_INDEX_PREEMPTION_TIMER, left, push);
}

void nest_guest_state_save(const struct nest *nest, struct nest_vmcs *vmcs, const struct vmcs_set *pulled,
                           struct vmcs_set *push)
{
    save_copies(vmcs, pulled, push);
    save_control_registers(nest, vmcs, push);
    save_on_request(vmcs, push);
    save_pdptes(vmcs, push);
    save_mode(nest, vmcs, push);
    save_timer(nest, vmcs, push);
}
