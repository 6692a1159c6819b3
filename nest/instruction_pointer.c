/* VMX instructions whose operand is the address of a region: VMXON VMXOFF VMCLEAR VMPTRLD VMPTRST. */
#include "nest/instruction.h"

enum { CR4_VMXE = 1 << 13 };

static bool load_address(struct nest *nest, const struct nest_instruction *i, uint64_t *gpa)
{
    return nest_operand_load(nest, &i->exit, gpa, sizeof(*gpa));
}

/* What is not storage reads as ones, which is nobody's revision. */
static uint32_t revision_at(const struct nest *nest, uint64_t gpa)
{
    uint32_t revision;
    return nest->host->read(nest->host->context, gpa, &revision, sizeof(revision)) ? revision : ~0u;
}

static uint32_t own_revision(const struct nest *nest)
{
    return (uint32_t)(nest->offered->msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK);
}

/* A control register as L1 sees it: CP may own bits of the real one. */
static uint64_t seen(const struct nest *nest, enum vmcs_field real, enum vmcs_field mask, enum vmcs_field shadow)
{
    const struct nest_host *host = nest->host;
    uint64_t owned = host->get(host->context, mask);
    return (host->get(host->context, real) & ~owned) | (host->get(host->context, shadow) & owned);
}

static uint64_t seen_cr0(const struct nest *nest)
{
    return seen(nest, VMCS_GUEST_CR0, VMCS_CR0_MASK, VMCS_CR0_SHADOW);
}

static uint64_t seen_cr4(const struct nest *nest)
{
    return seen(nest, VMCS_GUEST_CR4, VMCS_CR4_MASK, VMCS_CR4_SHADOW);
}

static bool may_vmxon(const struct nest *nest, unsigned cpl)
{
    const uint64_t *msr = nest->offered->msr;
    uint64_t wanted = FEATURE_LOCK | FEATURE_VMX;
    return cpl == 0 && capability_allows_cr(msr[VMX_CR0_FIXED0], msr[VMX_CR0_FIXED1], seen_cr0(nest)) &&
           capability_allows_cr(msr[VMX_CR4_FIXED0], msr[VMX_CR4_FIXED1], seen_cr4(nest)) &&
           (nest->feature_control & wanted) == wanted;
}

enum nest_result nest_vmxon(struct nest *nest, const struct nest_instruction *i)
{
    uint64_t gpa;
    if (nest->vmxon)
        return nest_fail(nest, VM_ERROR_VMXON_IN_ROOT);
    if (!(seen_cr4(nest) & CR4_VMXE))
        return nest_raise_ud(nest);
    if (!may_vmxon(nest, nest_code_mode(nest).cpl))
        return nest_raise_gp(nest);
    if (!load_address(nest, i, &gpa))
        return NEST_FAULT;
    if (!nest_region_address_valid(nest, gpa) || revision_at(nest, gpa) != own_revision(nest))
        return nest_fail_invalid(nest);
    nest->vmxon = true;
    nest->long_mode = nest_code_mode(nest).long_mode;
    nest->caches = seen_cr0(nest) & NEST_CACHES;
    nest->vmxon_gpa = gpa;
    return nest_succeed(nest);
}

enum nest_result nest_vmxoff(struct nest *nest, const struct nest_instruction *i)
{
    (void)i;
    for (unsigned slot = 0; slot < NEST_ACTIVE; slot++)
        if (nest->active[slot])
            nest_active_clear(nest, nest->active[slot], nest->active[slot]->launched);
    nest_reset(nest, false);
    return nest_succeed(nest);
}

/* Only 1 stands for launched: what else is there may be a page's form. */
static void unlaunch_at(const struct nest *nest, uint64_t gpa)
{
    const struct nest_host *host = nest->host;
    const uint32_t clear = 0;
    uint32_t launched;
    if (host->read(host->context, gpa, &launched, sizeof(launched)) && launched == 1)
        host->write(host->context, gpa, &clear, sizeof(clear));
}

enum nest_result nest_vmclear(struct nest *nest, const struct nest_instruction *i)
{
    uint64_t gpa;
    if (!load_address(nest, i, &gpa))
        return NEST_FAULT;
    if (!nest_region_address_valid(nest, gpa))
        return nest_fail(nest, VM_ERROR_VMCLEAR_ADDRESS);
    if (gpa == nest->vmxon_gpa)
        return nest_fail(nest, VM_ERROR_VMCLEAR_VMXON);
    struct nest_vmcs *vmcs = nest_active_find(nest, gpa);
    if (vmcs)
        nest_active_clear(nest, vmcs, false);
    else
        unlaunch_at(nest, gpa + offsetof(struct nest_region, launched));
    return nest_succeed(nest);
}

enum nest_result nest_vmptrld(struct nest *nest, const struct nest_instruction *i)
{
    uint64_t gpa;
    bool no_frames;
    if (!load_address(nest, i, &gpa))
        return NEST_FAULT;
    if (!nest_region_address_valid(nest, gpa))
        return nest_fail(nest, VM_ERROR_VMPTRLD_ADDRESS);
    if (gpa == nest->vmxon_gpa)
        return nest_fail(nest, VM_ERROR_VMPTRLD_VMXON);
    struct nest_vmcs *active = nest_active_find(nest, gpa);
    if (active) { /* its revision was seen to, and what an active region holds is not software's to change */
        active->used = ++nest->use_clock;
        nest_active_select(nest, active);
        return nest_succeed(nest);
    }
    uint32_t revision = revision_at(nest, gpa);
    bool shadow = revision & VMCS_SHADOW_INDICATOR;
    if ((revision & VMX_BASIC_REVISION_MASK) != own_revision(nest) ||
        (shadow && !capability_may_set(nest->offered->msr[VMX_CPU2], CPU2_VMCS_SHADOWING)))
        return nest_fail(nest, VM_ERROR_VMPTRLD_REVISION);
    struct nest_vmcs *vmcs = nest_active_get(nest, gpa, NULL, &no_frames);
    if (!vmcs)
        return no_frames ? NEST_NO_FRAMES : nest_fail(nest, VM_ERROR_VMPTRLD_REVISION);
    nest_active_select(nest, vmcs);
    return nest_succeed(nest);
}

enum nest_result nest_vmptrst(struct nest *nest, const struct nest_instruction *i)
{
    uint64_t gpa = nest->current ? nest->current->gpa : ~0ull;
    if (!nest_operand_store(nest, &i->exit, &gpa, sizeof(gpa)))
        return NEST_FAULT;
    return nest_succeed(nest);
}
