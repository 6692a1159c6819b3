/* How things stand with a virtual VMX, as its guest's page has it: what goes to the CP below, and what comes back. */
#include "nest/delegation.h"

#include "nest/chain.h"
#include "nest/ept.h"
#include "nest/instruction.h"
#include "nest/page.h"

bool nest_standing_same(const struct vmcs_delegation *a, const struct vmcs_delegation *b)
{
    return a->state == b->state && a->current == b->current;
}

static uint64_t may_vmxon(const struct nest *nest)
{
    const uint64_t may = FEATURE_LOCK | FEATURE_VMX;
    return (nest->feature_control & may) == may ? VMCS_DELEGATED_MAY_VMXON : 0;
}

struct vmcs_delegation nest_standing(const struct nest *nest)
{
    struct vmcs_delegation d = {.state = VMCS_DELEGATED, .current = NEST_NO_ADDRESS};
    if (nest->vmxon)
        d.state |= VMCS_DELEGATED_VMXON | nest->vmxon_gpa;
    d.state |= may_vmxon(nest);
    if (!nest->current)
        return d;
    d.current = nest->current->gpa;
    if (nest->current->page)
        d.state |= VMCS_DELEGATED_PAGE;
    return d;
}

static void stand_in_operation(struct nest *nest, const struct vmcs_delegation *d)
{
    nest->vmxon = d->state & VMCS_DELEGATED_VMXON;
    nest->vmxon_gpa = nest->vmxon ? d->state & EPT_ADDRESS : 0;
}

bool nest_stand(struct nest *nest, const struct vmcs_delegation *d)
{
    enum nest_page_error error = NEST_PAGE_ADDRESS;
    bool no_frames = false;
    stand_in_operation(nest, d);
    if (!nest->vmxon || d->current == NEST_NO_ADDRESS || !nest_region_address_valid(nest, d->current))
        return true;
    struct nest_vmcs *vmcs = d->state & VMCS_DELEGATED_PAGE ? nest_page_get(nest, d->current, NULL, &error)
                                                            : nest_active_get(nest, d->current, NULL, &no_frames);
    nest_active_select(nest, vmcs);
    return !no_frames && error != NEST_PAGE_NO_FRAMES;
}

void nest_delegate(struct nest *nest, struct vmcs_delegation *delegation)
{
    if (nest->mode < NEST_CHAIN) {
        delegation->state = 0;
        return;
    }
    if (!nest->is_delegated) {
        nest->delegation = nest_standing(nest);
        nest_let_go(nest);
        nest_ept_free_all(nest);
        nest->is_delegated = true;
    }
    *delegation = nest->delegation; /* its MSR is this nest's all the while */
    delegation->state = (delegation->state & ~(uint64_t)VMCS_DELEGATED_MAY_VMXON) | may_vmxon(nest);
}

void nest_delegated(struct nest *nest, const struct vmcs_delegation *delegation)
{
    if (nest_standing_same(delegation, &nest->delegation))
        return;
    nest->delegation = *delegation;
    stand_in_operation(nest, delegation);
}

bool nest_chain_own(struct nest *nest)
{
    nest->is_delegated = false;
    nest->long_mode = nest_code_mode(nest).long_mode;
    return nest_stand(nest, &nest->delegation);
}
