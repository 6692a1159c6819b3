/* Making, running and stopping the nests of a chain. In: calls and exits of guests' guests, pages of their storage.
 * Out: what nest_enter_page() and nest_exit() give, or NEST_OUTER. */
#include "nest/chain.h"

#include "nest/chain_host.h"
#include "nest/enter.h"
#include "nest/ept.h"
#include "nest/page.h"
#include "nest/reflect.h"
#include "vmcs-shadow/page.h"

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

static void make(struct nest_chain *chain, uint64_t delegates)
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
    chain->nest->vmxon = true;
    chain->nest->vmxon_gpa = delegates & ~(uint64_t)VMCS_PAGE_DELEGATES;
    chain->nest->long_mode = true;
    chain->delegates = delegates;
    chain->eptp = chain->of->vmcs12.ept_pointer;
    chain->made = chain->of->made;
}

/* NULL: no frames, or too deep */
static struct nest_chain *create(struct nest *outer, uint64_t delegates)
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
    make(chain, delegates);
    return outer->current->chain = chain;
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

/* Every page it entered is its L1's alone again. */
static void let_go(struct nest *nest)
{
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i])
            nest_active_clear(nest, nest->active[i], nest->active[i]->launched);
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
    if (basic_reason == EXIT_VMCALL || basic_reason == EXIT_VMCLEAR || basic_reason == EXIT_INVVPID)
        let_go(chain->nest);
    else
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
            nest_ept_flush_all(nest->active[i]->chain->nest);
}

bool nest_chain_shrink(struct nest *nest)
{
    bool any = false;
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i] && nest->active[i]->chain)
            any |= nest_shrink(nest->active[i]->chain->nest);
    return any;
}

static bool holds_pages_only(const struct nest *nest)
{
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i] && !nest->active[i]->page)
            return false;
    return true;
}

uint64_t nest_delegate(struct nest *nest)
{
    if (nest->mode < NEST_CHAIN || !nest->vmxon || nest->in_guest || !holds_pages_only(nest))
        return 0;
    let_go(nest);
    return nest->vmxon_gpa | VMCS_PAGE_DELEGATES;
}

/* ---- entering ------------------------------------------------------------------------ */

bool nest_chain_delegates(const struct nest *root)
{
    const struct nest *nest = root->innermost;
    const struct vmcs *vmcs12 = &nest->current->vmcs12;
    const uint32_t never = CPU_INTERRUPT_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING | CPU_MONITOR_TRAP_FLAG;
    return root->mode >= NEST_CHAIN && nest->current->page && (nest->current->page->delegates & VMCS_PAGE_DELEGATES) &&
           !(vmcs12->processor_controls & never) && !(nest_secondary(vmcs12) & CPU2_PML) &&
           !(vmcs12->exception_bitmap & ~(uint32_t)KEPT_EXCEPTIONS);
}

/* What is CP's own for this nest is what its L1 runs with: it may have become another. */
static void base_follow(struct nest_chain *chain)
{
    struct nest *nest = chain->nest;
    if (__builtin_expect(chain->made == chain->of->made, 1))
        return;
    chain->made = chain->of->made;
    nest->vmcs01 = chain->of->vmcs02;
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
    uint64_t delegates = of->page->delegates;
    if (of->chain && of->chain->delegates != delegates)
        nest_chain_destroy(of);
    if (!of->chain)
        return create(outer, delegates);
    if (of->chain->eptp != of->vmcs12.ept_pointer) {
        forget(of->chain);
        of->chain->eptp = of->vmcs12.ept_pointer;
    }
    base_follow(of->chain);
    return of->chain;
}

enum nest_result nest_chain_enter(struct nest *root, uint64_t gpa, enum nest_page_error *error)
{
    struct nest *outer = root->innermost;
    root->chain_walks = NEST_CHAIN_WALKS;
    struct nest_chain *chain = current_chain(outer);
    if (!chain)
        return NEST_OUTER;
    chain->call_rax = root->host->gpr[RAX];
    nest_caches_follow(chain->nest, outer->caches);
    enum nest_result result = nest_enter_page(chain->nest, gpa, error);
    if (result == NEST_ENTERED)
        root->event = chain->nest->event;
    if (result == NEST_ENTERED || result == NEST_REFLECTED || (result == NEST_SKIP && *error == NEST_PAGE_FAILED))
        return result;
    let_go(chain->nest);
    return NEST_OUTER;
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
    if (nest->timer_deadline == NEST_NO_TIMER)
        return;
    if (nest->timer_deadline != NEST_TIMER_FRESH)
        left = nest->timer_deadline > now ? nest->timer_deadline - now : 0;
    vmcs->page->resumes = VMCS_PAGE_RESUMES | left >> (nest->offered->msr[VMX_MISC] & VMX_MISC_TIMER_RATE);
}

/* The innermost stops: it is in its page, as if it were to be entered, and its L1 is about to do that. */
static void stop(struct nest *nest, const struct nest_event *event)
{
    struct nest_vmcs *vmcs = nest->current;
    uint64_t *gpr = nest->host->gpr;
    nest_guest_state_save(nest, vmcs, true);
    note_event(vmcs, event);
    note_timer(nest, vmcs);
    nest_show(nest, vmcs);
    vmcs->page->fields.guest_rip = vmcs->vmcs12.guest_rip;
    vmcs->page->fields.guest_rsp = vmcs->vmcs12.guest_rsp;
    vmcs->page->rax = gpr[RAX];
    vmcs->page->rbx = gpr[RBX];
    gpr[RAX] = nest->chain->call_rax;
    gpr[RBX] = vmcs->gpa;
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
    let_go(nest);
    struct exit call = {.reason = EXIT_VMCALL, .instruction_length = CALL_BYTES};
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
    root->chain_walks = NEST_CHAIN_WALKS;
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
