/* Nests of a chain: made where a page delegates, kept in step with what is below them, let go and dropped. In: pages
 * that guests run on, and invalidations. Out: a nest whose L1 is the guest that runs. */
#include "nest/chain.h"

#include "nest/chain_host.h"
#include "nest/delegation.h"
#include "nest/enter.h"
#include "nest/ept.h"
#include "nest/instruction.h"

enum { DEPTH_MOST = 9, VPIDS_EACH = 2 };

static unsigned depth_of(const struct nest *nest)
{
    unsigned depth = 0;
    for (; nest->chain; nest = nest->outer)
        depth++;
    return depth;
}

/* Each depth has tags of its own behind the root's, while there are some. */
static void tags_give(struct nest_policy *policy, const struct nest *root, unsigned depth)
{
    unsigned first = NEST_ACTIVE + (depth - 1) * VPIDS_EACH;
    bool are_left = first + VPIDS_EACH <= root->policy.vpid_count;
    policy->vpid_first = (uint16_t)(root->policy.vpid_first + first);
    policy->vpid_count = are_left ? VPIDS_EACH : 0;
}

/* What vmcs01 is to it: without the region that its L1 reaches by VMREAD, which is nothing to its L2. */
static void base_take(struct nest_chain *chain)
{
    struct vmcs *base = &chain->nest->vmcs01;
    *base = chain->of->vmcs02;
    base->secondary_controls &= ~(uint32_t)CPU2_VMCS_SHADOWING;
    base->vmcs_link_pointer = NEST_NO_ADDRESS;
    base->vmread_bitmap = base->vmwrite_bitmap = 0;
    chain->made = chain->of->made;
}

static void make(struct nest_chain *chain)
{
    const struct nest *root = chain->outer->root;
    struct nest_setup setup = {
        .host = &chain->host, .hardware = root->hardware, .cpu = root->cpu, .mode = root->mode,
        .policy = root->policy, .capability = root->capability, .offered = &chain->offered,
        .vmcs01 = &chain->of->vmcs02,
    };
    nest_chain_host_fill(chain);
    nest_chain_places_forget(chain);
    capability_offer(&chain->offered, chain->outer->offered, true);
    tags_give(&setup.policy, root, depth_of(chain->outer) + 1);
    nest_init(chain->nest, &setup);
    chain->nest->chain = chain;
    chain->nest->outer = chain->outer;
    chain->nest->root = chain->outer->root;
    chain->nest->l1_region = chain->of->region02;
    base_take(chain);
    chain->eptp = chain->of->vmcs12.ept_pointer;
}

/* NULL: no frames, or too deep */
static struct nest_chain *create(struct nest *outer, const struct vmcs_delegation *state)
{
    const struct nest_host *host = outer->host;
    if (depth_of(outer) == DEPTH_MOST)
        return NULL;
    struct nest_chain *chain = nest_frame(outer);
    struct nest *nest = chain ? nest_frame(outer) : NULL;
    if (!nest) {
        if (chain)
            host->frame_free(host->context, chain);
        return NULL;
    }
    chain->nest = nest;
    chain->outer = outer;
    chain->of = outer->current;
    make(chain);
    outer->current->chain = chain;
    chain->state = *state;
    nest->long_mode = nest_code_mode(nest).long_mode;
    nest->feature_control = state->state & VMCS_DELEGATED_MAY_VMXON ? FEATURE_LOCK | FEATURE_VMX : FEATURE_LOCK;
    if (nest_stand(nest, state))
        return chain;
    nest_chain_destroy(outer->current);
    return NULL;
}

void nest_chain_destroy(struct nest_vmcs *vmcs)
{
    struct nest_chain *chain = vmcs->chain;
    if (!chain)
        return;
    const struct nest_host *host = chain->outer->host;
    nest_destroy(chain->nest);
    host->frame_free(host->context, chain->nest);
    host->frame_free(host->context, chain);
    vmcs->chain = NULL;
}

void nest_let_go(struct nest *nest)
{
    if (nest->chain)
        nest->chain->is_let_go = true;
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i])
            nest_active_clear(nest, nest->active[i], nest->active[i]->launched);
}

void nest_chain_let_go(struct nest_vmcs *vmcs)
{
    if (vmcs->chain)
        nest_let_go(vmcs->chain->nest);
}

static void forget(struct nest_chain *chain)
{
    nest_let_go(chain->nest);
    nest_ept_flush_all(chain->nest);
    nest_chain_places_forget(chain);
}

void nest_chain_yield(struct nest *nest, unsigned basic_reason)
{
    struct nest_chain *chain = nest->current->chain;
    if (!chain)
        return;
    nest_let_go(chain->nest);
    if (basic_reason == EXIT_INVEPT || basic_reason == EXIT_VMXOFF || basic_reason == EXIT_VMXON)
        nest_chain_destroy(nest->current);
}

void nest_chain_forget(struct nest *nest, uint64_t eptp)
{
    for (unsigned i = 0; i < nest->active_top; i++) {
        struct nest_vmcs *vmcs = nest->active[i];
        if (vmcs && vmcs->chain && (eptp == NEST_NO_ADDRESS || !((vmcs->chain->eptp ^ eptp) & EPT_ADDRESS)))
            forget(vmcs->chain);
    }
}

void nest_chain_ept_flush(struct nest *nest)
{
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i] && nest->active[i]->chain)
            nest_ept01_changed(nest->active[i]->chain->nest, 0, 0); /* and of those above that one */
}

bool nest_chain_shrink(struct nest *nest)
{
    bool any = false;
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i] && nest->active[i]->chain)
            any |= nest_shrink(nest->active[i]->chain->nest);
    return any;
}

void nest_chain_tell(struct nest_chain *chain)
{
    struct vmcs_delegation now = nest_standing(chain->nest);
    if (__builtin_expect(nest_standing_same(&now, &chain->state), 1))
        return;
    chain->state = chain->of->page->delegation = now;
}

void nest_chain_link(struct nest *nest, void *region, bool closed)
{
    static const enum vmcs_index fields[] = {VMCS_INDEX_SECONDARY_CONTROLS, VMCS_INDEX_VMREAD_BITMAP,
                                             VMCS_INDEX_VMWRITE_BITMAP, VMCS_INDEX_VMCS_LINK_POINTER};
    const struct nest_hardware *hardware = nest->hardware;
    struct nest_vmcs *of = nest->chain->of;
    struct nest_merge_context *context = &of->context;
    bool is_on = region && hardware->field_bitmaps(nest->offered, closed, &context->linked_read,
                                                   &context->linked_write);
    context->linked = is_on ? hardware->region_address(region) : 0;
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        uint64_t before = vmcs_get(&of->vmcs02, fields[i]);
        nest_merge_rule_of(fields[i])(&of->vmcs02, &nest->outer->vmcs01, &of->vmcs12, context);
        if (vmcs_get(&of->vmcs02, fields[i]) != before)
            vmcs_set_add(&of->stale.region, fields[i]);
    }
}

/* What is CP's own for this nest is what its L1 runs with: it may have become another. */
static void base_follow(struct nest_chain *chain)
{
    struct nest *nest = chain->nest;
    if (__builtin_expect(chain->made == chain->of->made, 1))
        return;
    base_take(chain);
    nest->base_written = true;
    for (unsigned i = 0; i < nest->active_top; i++)
        for (unsigned frame = 0; nest->active[i] && frame < NEST_FRAMES; frame++)
            nest->active[i]->unions[frame].version = 0;
}

bool nest_chain_follow(struct nest *root)
{
    for (struct nest *nest = root; nest != root->innermost; nest = nest->current->chain->nest) {
        if (!nest_image_follow(nest, nest->current))
            return false;
        base_follow(nest->current->chain);
    }
    return true;
}

struct nest_chain *nest_chain_current(struct nest *outer)
{
    struct nest_vmcs *of = outer->current;
    const struct vmcs_delegation state = of->page->delegation;
    if (of->chain && !nest_standing_same(&of->chain->state, &state))
        nest_chain_destroy(of);
    if (!of->chain)
        return create(outer, &state);
    if (of->chain->eptp != of->vmcs12.ept_pointer) {
        forget(of->chain);
        of->chain->eptp = of->vmcs12.ept_pointer;
    }
    base_follow(of->chain);
    if (of->chain->is_let_go && !nest_stand(of->chain->nest, &state))
        return NULL;
    of->chain->is_let_go = false;
    return of->chain;
}
