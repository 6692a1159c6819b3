/* L1's state after an exit, from the host-state area of vmcs12.  In: vmcs12 (checked at entry) and what L2 leaves
 * behind. Out: guest-state fields for vmcs01.  SDM "Loading Host State". */
#include "nest/enter.h"
#include "nest/recompute.h"
#include "nest/reflect.h"

enum { RIGHTS_UNUSABLE = 1 << 16, RIGHTS_DATA = 0xC093, RIGHTS_CODE32 = 0xC09B, RIGHTS_CODE64 = 0xA09B,
       RIGHTS_TSS = 0x8B };
enum { DR7_INITIAL = 0x400, RFLAGS_INITIAL = 2, TSS_LIMIT = 0x67, TABLE_LIMIT = 0xFFFF };

static uint32_t data_rights(uint16_t selector)
{
    return selector ? RIGHTS_DATA : RIGHTS_UNUSABLE;
}

static void load_segments(struct vmcs *state, const struct vmcs *vmcs12, bool long_mode)
{
#define DATA_SEGMENT(name, base) \
    do { \
        state->guest_##name##_selector = vmcs12->host_##name##_selector; \
        state->guest_##name##_base = (base); \
        state->guest_##name##_limit = 0xFFFFFFFF; \
        state->guest_##name##_access_rights = data_rights(vmcs12->host_##name##_selector); \
    } while (0)
    DATA_SEGMENT(cs, 0);
    state->guest_cs_access_rights = long_mode ? RIGHTS_CODE64 : RIGHTS_CODE32;
    DATA_SEGMENT(ss, 0);
    DATA_SEGMENT(ds, 0);
    DATA_SEGMENT(es, 0);
    DATA_SEGMENT(fs, vmcs12->host_fs_base);
    DATA_SEGMENT(gs, vmcs12->host_gs_base);
#undef DATA_SEGMENT
    state->guest_tr_selector = vmcs12->host_tr_selector;
    state->guest_tr_base = vmcs12->host_tr_base;
    state->guest_tr_limit = TSS_LIMIT;
    state->guest_tr_access_rights = RIGHTS_TSS;
    state->guest_ldtr_selector = 0;
    state->guest_ldtr_base = 0;
    state->guest_ldtr_limit = 0;
    state->guest_ldtr_access_rights = RIGHTS_UNUSABLE;
    state->guest_gdtr_base = vmcs12->host_gdtr_base;
    state->guest_gdtr_limit = TABLE_LIMIT;
    state->guest_idtr_base = vmcs12->host_idtr_base;
    state->guest_idtr_limit = TABLE_LIMIT;
}

static uint64_t efer_after(const struct vmcs *vmcs12, const struct vmcs *was, bool long_mode)
{
    if (vmcs12->exit_controls & EXIT_LOAD_EFER)
        return vmcs12->host_efer;
    uint64_t efer = was->guest_efer & ~(uint64_t)(EFER_LMA | EFER_LME);
    return long_mode ? efer | EFER_LMA | EFER_LME : efer;
}

/* CR0 as L1 sees it: cache bits and ET are not loaded.  CR4: PAE and PCIDE follow the mode.  What L1 believes of them
 * is in vmcs01's shadows; CP's forced bits are in the real ones. */
static void load_control_registers(const struct nest *nest, struct vmcs *state, const struct vmcs *vmcs12,
                                   const struct vmcs *was, bool long_mode)
{
    const struct nest_policy *policy = &nest->policy;
    const uint64_t kept = CR0_ET | 0x1FF8FFC0ull | 0xFFFFFFFF00000000ull;
    state->cr0_shadow = (vmcs12->host_cr0 & ~(kept | NEST_CACHES)) | (was->guest_cr0 & kept) | nest->caches;
    state->cr4_shadow = long_mode ? vmcs12->host_cr4 | CR4_PAE : vmcs12->host_cr4 & ~(uint64_t)CR4_PCIDE;
    state->guest_cr0 = (state->cr0_shadow | policy->cr0_ones) & ~policy->cr0_zeroes;
    state->guest_cr4 = (state->cr4_shadow | policy->cr4_ones) & ~policy->cr4_zeroes;
    state->guest_cr3 = vmcs12->host_cr3;
}

static uint32_t load_pdptes(const struct nest *nest, struct vmcs *state, bool long_mode)
{
    uint64_t pdptes[4], reserved = ~((1ull << nest->policy.physical_bits) - 1) | 0x1E6;
    if (long_mode || !(state->cr4_shadow & CR4_PAE) || !(state->cr0_shadow & CR0_PG))
        return 0;
    if (!nest_read_pdptes(nest, state->guest_cr3, pdptes))
        return VMX_ABORT_PDPTE;
    for (unsigned i = 0; i < 4; i++)
        if ((pdptes[i] & 1) && (pdptes[i] & reserved))
            return VMX_ABORT_PDPTE;
    state->guest_pdpte0 = pdptes[0];
    state->guest_pdpte1 = pdptes[1];
    state->guest_pdpte2 = pdptes[2];
    state->guest_pdpte3 = pdptes[3];
    return 0;
}

/* All that does not depend on what L2 leaves behind. */
static void load_constant(struct vmcs *state, const struct vmcs *vmcs12, bool long_mode)
{
    *state = (struct vmcs){.guest_dr7 = DR7_INITIAL, .guest_rflags = RFLAGS_INITIAL};
    load_segments(state, vmcs12, long_mode);
    state->guest_sysenter_cs = vmcs12->host_sysenter_cs;
    state->guest_sysenter_esp = vmcs12->host_sysenter_esp;
    state->guest_sysenter_eip = vmcs12->host_sysenter_eip;
    state->guest_rsp = vmcs12->host_rsp;
    state->guest_rip = vmcs12->host_rip;
}

static void load_registers(const struct nest *nest, struct vmcs *state, const struct vmcs *vmcs12,
                           const struct vmcs *was, bool long_mode)
{
    load_control_registers(nest, state, vmcs12, was, long_mode);
    state->guest_efer = efer_after(vmcs12, was, long_mode);
    state->guest_pat = vmcs12->exit_controls & EXIT_LOAD_PAT ? vmcs12->host_pat : was->guest_pat;
}

/* What is kept from exit to exit. */
static void renew(const struct nest *nest, struct nest_vmcs *vmcs, const struct vmcs *was, bool long_mode)
{
    if (vmcs->stale.parts & NEST_STALE_HOST)
        load_constant(&vmcs->l1, &vmcs->vmcs12, long_mode);
    load_registers(nest, &vmcs->l1, &vmcs->vmcs12, was, long_mode);
    vmcs->stale.parts &= ~(uint32_t)(NEST_STALE_HOST | NEST_STALE_HOST_REGISTERS);
}

static void recompute(const struct nest *nest, const struct nest_vmcs *vmcs, const struct vmcs *was, bool long_mode)
{
    struct vmcs made;
    struct vmcs_set all = vmcs_set_guest;
    load_constant(&made, &vmcs->vmcs12, long_mode);
    load_registers(nest, &made, &vmcs->vmcs12, was, long_mode);
    vmcs_set_remove(&all, VMCS_INDEX_GUEST_INTERRUPTIBILITY); /* made at each exit */
    for (enum vmcs_index i = VMCS_INDEX_GUEST_PDPTE0; i <= VMCS_INDEX_GUEST_PDPTE3; i++)
        vmcs_set_remove(&all, i);
    nest_must("L1's state is not said to be made",
              !(vmcs->stale.parts & (NEST_STALE_HOST | NEST_STALE_HOST_REGISTERS)));
    nest_must_equal("L1's state after an exit", &vmcs->l1, &made, &all);
}

uint32_t nest_host_state_load(struct nest *nest, struct nest_vmcs *vmcs, const struct vmcs *was, bool nmis_blocked)
{
    const struct vmcs *vmcs12 = &vmcs->vmcs12;
    struct vmcs *state = &vmcs->l1;
    bool long_mode = vmcs12->exit_controls & EXIT_HOST_LONG_MODE;
    if (vmcs->stale.parts & (NEST_STALE_HOST | NEST_STALE_HOST_REGISTERS))
        renew(nest, vmcs, was, long_mode);
    if (NEST_RECOMPUTES)
        recompute(nest, vmcs, was, long_mode);
    nest->long_mode = long_mode;
    state->guest_interruptibility = nmis_blocked ? BLOCKING_BY_NMI : 0;
    return load_pdptes(nest, state, long_mode);
}
