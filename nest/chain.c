/* What guests' guests do with VMX, carried out: entering, leaving, stopping. In: calls, VMX instructions, exits. Out:
 * what nest_enter_page(), nest_instruction() and nest_exit() give, or NEST_OUTER. */
#include "nest/chain.h"

#include "nest/chain_host.h"
#include "nest/delegation.h"
#include "nest/enter.h"
#include "nest/page.h"
#include "nest/reflect.h"

enum { RAX = 0, RBX = 3, CALL_BYTES = 3 };
enum { EVENT_VALID = 1u << 31, EVENT_TYPE_SHIFT = 8, TYPE_NMI = 2, VECTOR_DEBUG = 1, VECTOR_ALIGNMENT = 17,
       VECTOR_MACHINE_CHECK = 18 };
/* Of a guest whose entries are carried out here its owner may have these exceptions, and does not see those of the
 * guest's guests. */
enum { KEPT_EXCEPTIONS = 1 << VECTOR_DEBUG | 1 << VECTOR_ALIGNMENT | 1 << VECTOR_MACHINE_CHECK };

/* ---- entering ------------------------------------------------------------------------ */

bool nest_chain_delegates(const struct nest *root)
{
    const struct vmcs_page *page = root->innermost->current->page;
    return page && root->mode >= NEST_CHAIN && (page->delegation.state & VMCS_DELEGATED);
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

/* For the guest that runs to do something with VMX here. NULL: its owner is to carry it out */
static struct nest_chain *begin(struct nest *root, bool enters)
{
    struct nest *outer = root->innermost;
    root->chain_walks = NEST_CHAIN_WALKS;
    root->chain_missed = false;
    struct nest_chain *chain = enters && !lets_run(outer) ? NULL : nest_chain_current(outer);
    if (chain)
        nest_caches_follow(chain->nest, outer->caches);
    return chain;
}

static enum nest_result end(struct nest *root, struct nest_chain *chain, enum nest_result result)
{
    if (result == NEST_ENTERED)
        root->event = chain->nest->event;
    nest_chain_tell(chain);
    return result;
}

/* What is not carried out here is the owner's, with all that was held here. */
static enum nest_result decline(struct nest *outer, unsigned reason)
{
    nest_chain_yield(outer, reason);
    return NEST_OUTER;
}

enum nest_result nest_chain_enter(struct nest *root, uint64_t gpa, enum nest_page_error *error)
{
    struct nest *outer = root->innermost;
    struct nest_chain *chain = begin(root, true);
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
    nest_let_go(nest);
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
        return (exit->interruption_info >> EVENT_TYPE_SHIFT & 7) == TYPE_NMI ||
               (vector < 32 && KEPT_EXCEPTIONS >> vector & 1);
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
    root->chain_missed = false;
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
