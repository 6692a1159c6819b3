/* Making, running and stopping the nests of a chain. In: calls and exits of guests' guests, pages of their storage.
 * Out: what nest_enter_page() and nest_exit() give, or NEST_OUTER. */
#include "nest/chain.h"

#include "nest/chain_host.h"
#include "nest/enter.h"
#include "nest/ept.h"
#include "nest/instruction.h"
#include "nest/page.h"
#include "nest/reflect.h"

enum { FEATURE_LOCK = 1 << 0, FEATURE_VMX = 1 << 2 }; /* IA32_FEATURE_CONTROL */
enum { RAX = 0, RBX = 3, DEPTH_MOST = 9, VPIDS_EACH = 2, CALL_BYTES = 3 };
enum { EVENT_VALID = 1u << 31, EVENT_TYPE_SHIFT = 8, TYPE_NMI = 2, VECTOR_DEBUG = 1, VECTOR_ALIGNMENT = 17,
       VECTOR_MACHINE_CHECK = 18 };
/* Of a guest whose entries are carried out here its owner may have these exceptions, and does not see those of the
 * guest's guests. */
enum { KEPT_EXCEPTIONS = 1 << VECTOR_DEBUG | 1 << VECTOR_ALIGNMENT | 1 << VECTOR_MACHINE_CHECK };

/* ---- life --------------------------------------------------------------------------- */

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

static bool same(const struct vmcs_delegation *a, const struct vmcs_delegation *b)
{
    return a->state == b->state && a->current == b->current;
}

/* How things stand with a virtual VMX. */
static struct vmcs_delegation standing(const struct nest *nest)
{
    const uint64_t may = FEATURE_LOCK | FEATURE_VMX;
    struct vmcs_delegation d = {.state = VMCS_DELEGATED, .current = NEST_NO_ADDRESS};
    if (nest->vmxon)
        d.state |= VMCS_DELEGATED_VMXON | nest->vmxon_gpa;
    if ((nest->feature_control & may) == may)
        d.state |= VMCS_DELEGATED_MAY_VMXON;
    if (!nest->current)
        return d;
    d.current = nest->current->gpa;
    if (nest->current->page)
        d.state |= VMCS_DELEGATED_PAGE;
    return d;
}

/* All of it is a guest's. false: no frames for the current VMCS */
static bool stand(struct nest *nest, const struct vmcs_delegation *d)
{
    enum nest_page_error error = NEST_PAGE_ADDRESS;
    bool no_frames = false;
    nest->vmxon = d->state & VMCS_DELEGATED_VMXON;
    nest->vmxon_gpa = nest->vmxon ? d->state & EPT_ADDRESS : 0;
    if (!nest->vmxon || d->current == NEST_NO_ADDRESS || !nest_region_address_valid(nest, d->current))
        return true;
    struct nest_vmcs *vmcs = d->state & VMCS_DELEGATED_PAGE ? nest_page_get(nest, d->current, NULL, &error)
                                                            : nest_active_get(nest, d->current, NULL, &no_frames);
    nest_active_select(nest, vmcs);
    return !no_frames && error != NEST_PAGE_NO_FRAMES;
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
    if (stand(nest, state))
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

/* Every VMCS and page is its L1's alone again. */
static void let_go(struct nest *nest)
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
        let_go(vmcs->chain->nest);
}

static void forget(struct nest_chain *chain)
{
    let_go(chain->nest);
    nest_ept_flush_all(chain->nest);
    nest_chain_places_forget(chain);
}

void nest_chain_yield(struct nest *nest, unsigned basic_reason)
{
    struct nest_chain *chain = nest->current->chain;
    if (!chain)
        return;
    let_go(chain->nest);
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

void nest_delegate(struct nest *nest, struct vmcs_delegation *delegation)
{
    if (nest->mode < NEST_CHAIN) {
        delegation->state = 0;
        return;
    }
    if (!nest->is_delegated) {
        nest->delegation = standing(nest);
        let_go(nest);
        nest_ept_free_all(nest);
        nest->is_delegated = true;
    }
    *delegation = nest->delegation;
}

void nest_delegated(struct nest *nest, const struct vmcs_delegation *delegation)
{
    if (same(delegation, &nest->delegation))
        return;
    nest->delegation = *delegation;
    nest->vmxon = delegation->state & VMCS_DELEGATED_VMXON;
    nest->vmxon_gpa = nest->vmxon ? delegation->state & EPT_ADDRESS : 0;
}

bool nest_chain_own(struct nest *nest)
{
    nest->is_delegated = false;
    nest->long_mode = nest_code_mode(nest).long_mode;
    return stand(nest, &nest->delegation);
}

/* How things stand is told to the owner whenever it is another. */
static void tell(struct nest_chain *chain)
{
    struct vmcs_delegation now = standing(chain->nest);
    if (__builtin_expect(same(&now, &chain->state), 1))
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

/* ---- entering ------------------------------------------------------------------------ */

bool nest_chain_delegates(const struct nest *root)
{
    const struct vmcs_page *page = root->innermost->current->page;
    return root->mode >= NEST_CHAIN && (page->delegation.state & VMCS_DELEGATED);
}

/* Whether the owner lets its guest run guests of its own: while it waits for a window, or steps it, it wants to see
 * each entry. */
static bool lets_run(const struct nest *nest)
{
    const struct vmcs *vmcs12 = &nest->current->vmcs12;
    const uint32_t never = CPU_INTERRUPT_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING | CPU_MONITOR_TRAP_FLAG;
    return !(vmcs12->processor_controls & never) && !(nest_secondary(vmcs12) & CPU2_PML) &&
           !(vmcs12->exception_bitmap & ~(uint32_t)KEPT_EXCEPTIONS);
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

/* The chain above the guest that runs, as its owner has it now. NULL: no frames */
static struct nest_chain *current_chain(struct nest *outer)
{
    struct nest_vmcs *of = outer->current;
    const struct vmcs_delegation state = of->page->delegation;
    if (of->chain && !same(&of->chain->state, &state))
        nest_chain_destroy(of);
    if (!of->chain)
        return create(outer, &state);
    if (of->chain->eptp != of->vmcs12.ept_pointer) {
        forget(of->chain);
        of->chain->eptp = of->vmcs12.ept_pointer;
    }
    base_follow(of->chain);
    if (of->chain->is_let_go && !stand(of->chain->nest, &state))
        return NULL;
    of->chain->is_let_go = false;
    return of->chain;
}

static void begin(struct nest *root)
{
    root->chain_walks = NEST_CHAIN_WALKS;
    root->chain_missed = false;
}

enum nest_result nest_chain_enter(struct nest *root, uint64_t gpa, enum nest_page_error *error)
{
    struct nest *outer = root->innermost;
    begin(root);
    struct nest_chain *chain = current_chain(outer);
    if (!chain)
        return decline(outer, EXIT_VMCALL);
    chain->call = EXIT_VMCALL;
    chain->call_rax = root->host->gpr[RAX];
    enum nest_result result = nest_enter_page(chain->nest, gpa, error);
    if (result == NEST_ENTERED || result == NEST_REFLECTED || (result == NEST_SKIP && *error == NEST_PAGE_FAILED))
        return end(root, chain, result);
    return decline(outer, EXIT_VMCALL);
}

enum nest_result nest_chain_instruction(struct nest *root, const struct exit *exit)
{
    struct nest *outer = root->innermost;
    unsigned reason = exit->reason & 0xFFFF;
    struct nest_chain *chain = begin(root, reason == EXIT_VMLAUNCH || reason == EXIT_VMRESUME);
    if (!chain)
        return decline(outer, reason);
    chain->call = reason;
    enum nest_result result = nest_instruction_above(chain->nest, exit);
    switch (result) {
    case NEST_ENTERED:
    case NEST_REFLECTED:
        return end(root, chain, result);
    case NEST_SKIP:
    case NEST_FAULT:
        root->fault = chain->nest->fault;
        return root->chain_missed ? decline(outer, reason) : end(root, chain, result);
    default:
        return decline(outer, reason);
    }
}

void nest_chain_runs(struct nest *nest)
{
    nest->root->innermost = nest;
}

void nest_chain_left(struct nest *nest)
{
    nest->root->innermost = nest->outer;
    nest_caches_follow(nest->outer, nest->caches);
}

uint64_t nest_chain_deadline(const struct nest *root)
{
    uint64_t earliest = root->timer_deadline;
    for (const struct nest *nest = root->innermost; nest != root; nest = nest->outer)
        if (nest->timer_deadline < earliest)
            earliest = nest->timer_deadline;
    return earliest;
}

/* ---- leaving ------------------------------------------------------------------------- */

static void note_event(struct nest_vmcs *vmcs, const struct nest_event *event)
{
    struct vmcs *vmcs12 = &vmcs->vmcs12;
    if (!event && !(vmcs12->entry_interruption_info & EVENT_VALID))
        return;
    vmcs12->entry_interruption_info = event ? event->info : vmcs12->entry_interruption_info & ~EVENT_VALID;
    nest_written_one(vmcs, VMCS_INDEX_ENTRY_INTERRUPTION_INFO, NEST_BY_CP);
    if (!event)
        return;
    vmcs12->entry_exception_error_code = event->error;
    nest_written_one(vmcs, VMCS_INDEX_ENTRY_EXCEPTION_ERROR_CODE, NEST_BY_CP);
    vmcs12->entry_instruction_length = event->length;
    nest_written_one(vmcs, VMCS_INDEX_ENTRY_INSTRUCTION_LENGTH, NEST_BY_CP);
}

static void note_timer(struct nest *nest, struct nest_vmcs *vmcs)
{
    uint64_t now = nest->host->tsc(nest->host->context), left = nest->timer_ticks;
    uint64_t *resumes = vmcs->page ? &vmcs->page->resumes : &vmcs->resumes;
    if (nest->timer_deadline == NEST_NO_TIMER)
        return;
    if (nest->timer_deadline != NEST_TIMER_FRESH)
        left = nest->timer_deadline > now ? nest->timer_deadline - now : 0;
    *resumes = VMCS_PAGE_RESUMES | left >> (nest->offered->msr[VMX_MISC] & VMX_MISC_TIMER_RATE);
}

/* The registers of the innermost are in its page, and those of a call in their place. */
static void note_registers(const struct nest *nest, struct nest_vmcs *vmcs)
{
    uint64_t *gpr = nest->host->gpr;
    vmcs->page->rax = gpr[RAX];
    vmcs->page->rbx = gpr[RBX];
    gpr[RAX] = nest->chain->call_rax;
    gpr[RBX] = vmcs->gpa;
}

/* The innermost stops: it is in its page or VMCS, as if it were to be entered, and its L1 is about to do that. */
static void stop(struct nest *nest, const struct nest_event *event)
{
    struct nest_vmcs *vmcs = nest->current;
    nest_guest_state_stop(nest, vmcs);
    note_event(vmcs, event);
    note_timer(nest, vmcs);
    vmcs_set_add(&vmcs->stale.shown, VMCS_INDEX_GUEST_RIP);
    vmcs_set_add(&vmcs->stale.shown, VMCS_INDEX_GUEST_RSP);
    nest_show(nest, vmcs);
    if (vmcs->page)
        note_registers(nest, vmcs);
    if (nest->chain->call == EXIT_VMLAUNCH)
        vmcs->launched = false;
    nest_left(nest);
    nest->hardware->load_l1(nest->cpu, nest->l1_region, NULL);
}

void nest_chain_stop(struct nest *root)
{
    while (root->innermost != root)
        stop(root->innermost, NULL);
}

enum nest_result nest_chain_return(struct nest *root, const struct nest_event *event)
{
    struct nest *nest = root->innermost, *outer = nest->outer;
    stop(nest, event->info & EVENT_VALID ? event : NULL);
    unsigned reason = nest->chain->call;
    let_go(nest);
    struct exit call = {.reason = reason, .instruction_length = CALL_BYTES};
    call.rip = root->host->get(root->host->context, VMCS_GUEST_RIP);
    return nest_reflect(outer, &call);
}

/* What happens to the real machine, or is the same to every CP in the chain. */
static bool is_cps(const struct exit *exit)
{
    unsigned vector = exit->interruption_info & 0xFF;
    switch (exit->reason & 0xFFFF) {
    case EXIT_EXTERNAL_INTERRUPT:
    case EXIT_PREEMPTION_TIMER:
    case EXIT_INTERRUPT_WINDOW:
    case EXIT_NMI_WINDOW:
    case EXIT_ENTRY_MCE:
        return true;
    case EXIT_EXCEPTION_NMI:
        return (exit->interruption_info >> EVENT_TYPE_SHIFT & 7) == TYPE_NMI || (vector < 32 && KEPT_EXCEPTIONS >> vector & 1);
    default:
        return false;
    }
}

/* The outermost whose timer for its guest has run out; NULL: none */
static struct nest *timed_out(struct nest *root)
{
    uint64_t now = root->host->tsc(root->host->context);
    for (struct nest *nest = root; nest != root->innermost; nest = nest->current->chain->nest)
        if (nest_timer_expired(nest, now))
            return nest;
    return NULL;
}

enum nest_result nest_chain_exit(struct nest *nest, const struct exit *exit)
{
    struct nest *root = nest->root;
    struct nest *owner = (exit->reason & 0xFFFF) == EXIT_PREEMPTION_TIMER ? timed_out(root) : NULL;
    begin(root);
    if (owner) {
        while (root->innermost != owner)
            stop(root->innermost, NULL);
        return nest_exit_of(owner, exit);
    }
    enum nest_result result = nest_exit_of(nest, exit);
    if (result == NEST_CP)
        return is_cps(exit) ? NEST_CP : NEST_OUTER;
    return result == NEST_NO_FRAMES ? NEST_OUTER : result;
}
