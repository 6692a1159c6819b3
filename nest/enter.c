/* VMLAUNCH and VMRESUME: conditions, checks, merge; then L2 runs.
 * In: vmcs12 as L1 left it.  Out: an up-to-date image of vmcs02, or the failure the manual asks for. */
#include "nest/enter.h"
#include "nest/assert.h"
#include "nest/bitmap.h"
#include "nest/chain.h"
#include "nest/ept.h"
#include "nest/instruction.h"
#include "nest/msr_list.h"
#include "nest/page.h"
#include "nest/recompute.h"
#include "nest/reflect.h"

#include "vmcs-shadow/page.h"

#include <string.h>

enum { RAX = 0, RBX = 3 };
enum { BLOCKING_BY_MOV_SS = 2, WAIT_FOR_SIPI = 3, EVENT_VALID = 1u << 31 };

/* ---- checks ------------------------------------------------------------------ */

static void fetch_memory(const struct nest *nest, const struct vmcs *vmcs12, struct nest_check *check)
{
    const struct nest_host *host = nest->host;
    if (vmcs12->vmcs_link_pointer != NEST_NO_ADDRESS)
        check->link_readable = host->read(host->context, vmcs12->vmcs_link_pointer, &check->link_revision,
                                          sizeof(check->link_revision));
    if (nest_check_wants_vtpr(vmcs12))
        check->vtpr_readable = host->read(host->context, vmcs12->virtual_apic_address + 0x80, &check->vtpr, 1);
    if (!nest_check_wants_pdptes(vmcs12))
        return;
    if (nest_secondary(vmcs12) & CPU2_EPT) {
        const uint64_t own[4] = {vmcs12->guest_pdpte0, vmcs12->guest_pdpte1, vmcs12->guest_pdpte2,
                                 vmcs12->guest_pdpte3};
        memcpy(check->pdptes, own, sizeof(own));
        check->pdptes_readable = true;
    } else {
        check->pdptes_readable = nest_read_pdptes(nest, vmcs12->guest_cr3, check->pdptes);
    }
}

/* Nothing that a check looks at changed but where L2 goes on, which hardware checks as it enters
 * vmcs02: the commonest entry of all. */
static bool only_moved(const struct nest_vmcs *vmcs)
{
    return !vmcs->checks.unchecked && vmcs->region02 && !nest_check_wants_vtpr(&vmcs->vmcs12) &&
           !nest_check_wants_pdptes(&vmcs->vmcs12);
}

/* Rules about guest state are left out: what L2 came to by running is not asked again. */
static void recompute_checks(const struct nest_check *check)
{
    struct nest_failure failure = {0};
    bool passed = nest_check_controls(check, &failure) && nest_check_host(check, &failure);
    nest_must(passed ? "checks" : failure.rule, passed);
}

static bool passes(struct nest *nest, struct nest_vmcs *vmcs, struct nest_failure *failure)
{
    struct nest_check check;
    if (only_moved(vmcs))
        return true;
    check.vmcs12 = &vmcs->vmcs12;
    check.offered = nest->offered;
    check.physical_bits = nest->policy.physical_bits;
    check.current_gpa = vmcs->gpa;
    check.link_readable = check.pdptes_readable = check.vtpr_readable = false;
    check.long_mode = nest->long_mode;
    fetch_memory(nest, &vmcs->vmcs12, &check);
    if (nest_check_wants_pdptes(&vmcs->vmcs12))
        vmcs->stale.parts |= NEST_STALE_RULES; /* they may be in memory, and other ones now */
    nest_check_touch(&vmcs->checks, VMCS_INDEX_GUEST_RIP); /* always taken for changed */
    if (nest_check_entry(&vmcs->checks, &check, failure)) {
        if (NEST_RECOMPUTES)
            recompute_checks(&check);
        return true;
    }
    nest_trace(nest, failure->rule, failure->field);
    return false;
}

static enum nest_result refuse(struct nest *nest, const struct nest_failure *failure)
{
    switch (failure->kind) {
    case NEST_FAILURE_CONTROL:
        return nest_fail(nest, VM_ERROR_CONTROLS);
    case NEST_FAILURE_HOST:
        return nest_fail(nest, VM_ERROR_HOST_STATE);
    case NEST_FAILURE_GUEST:
        return nest_reflect_entry_failure(nest, EXIT_ENTRY_GUEST_STATE, failure->qualification);
    default:
        return nest_reflect_entry_failure(nest, EXIT_ENTRY_MSR, failure->qualification);
    }
}

/* ---- L2 runs ------------------------------------------------------------------ */

/* It counts down at the TSC's rate shifted right. */
static void load_timer(struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct vmcs *vmcs12 = &vmcs->vmcs12;
    uint32_t ticks = vmcs12->preemption_timer;
    uint64_t *resumes = vmcs->page ? &vmcs->page->resumes : &vmcs->resumes;
    if (*resumes) {
        if (*resumes & VMCS_PAGE_RESUMES)
            ticks = (uint32_t)*resumes;
        *resumes = 0;
    }
    nest->timer_deadline = NEST_NO_TIMER;
    if (!(vmcs12->pin_controls & PIN_PREEMPTION_TIMER))
        return;
    nest->timer_deadline = NEST_TIMER_FRESH;
    nest->timer_ticks = (uint64_t)ticks << (nest->offered->msr[VMX_MISC] & VMX_MISC_TIMER_RATE);
}

/* An L1 that enters without VPIDs counts on its own translations being flushed at each entry and exit.  Hardware does
 * that by itself when vmcs01 is without, too: so it stays until L1 leaves VMX operation. */
static void untag(struct nest *nest, const struct vmcs *vmcs12)
{
    const struct nest_host *host = nest->host;
    if (nest->untagged || !nest->vmcs01.vpid || (nest_secondary(vmcs12) & CPU2_VPID))
        return;
    uint64_t controls = host->get(host->context, VMCS_SECONDARY_CONTROLS);
    host->set(host->context, VMCS_SECONDARY_CONTROLS, controls & ~(uint64_t)CPU2_VPID);
    nest->untagged = true;
}

/* L2's translations are under a tag of their own; what L1 invalidated of them goes before they are used again. */
static void tag_renew(struct nest *nest, struct nest_vmcs *vmcs)
{
    if (!(vmcs->stale.parts & NEST_STALE_TAG) || !vmcs->context.vpid)
        return;
    nest->hardware->flush_vpid(nest->cpu, vmcs->context.vpid);
    vmcs->stale.parts &= ~(uint32_t)NEST_STALE_TAG;
}

/* 0, or the number of the entry that failed. */
static uint32_t load_msrs(struct nest *nest, struct nest_vmcs *vmcs)
{
    struct vmcs_set loaded = {{0}};
    uint32_t failed = nest_msr_list_load(nest, vmcs->vmcs12.entry_msr_load_address, vmcs->vmcs12.entry_msr_load_count,
                                         &vmcs->vmcs02, &loaded);
    nest_image_written(vmcs, &loaded, NEST_BY_CP);
    return failed;
}

static enum nest_result run(struct nest *nest, struct nest_vmcs *vmcs)
{
    const struct vmcs *vmcs12 = &vmcs->vmcs12;
    if (!nest_image_renew(nest, vmcs))
        return NEST_NO_FRAMES;
    if (nest_chain_missed(nest))
        return NEST_OUTER;
    uint32_t failed = vmcs12->entry_msr_load_count ? load_msrs(nest, vmcs) : 0;
    if (failed) {
        nest_trace(nest, "an entry of the VM-entry MSR-load list cannot be loaded", VMCS_ENTRY_MSR_LOAD_COUNT);
        return nest_reflect_entry_failure(nest, EXIT_ENTRY_MSR, failed);
    }
    if (NEST_RECOMPUTES)
        nest_image_recompute_guest(nest, vmcs);
    tag_renew(nest, vmcs);
    untag(nest, vmcs12);
    load_timer(nest, vmcs);
    nest->event = (struct nest_event){0};
    if (vmcs12->entry_interruption_info & EVENT_VALID)
        nest->event = (struct nest_event){vmcs12->entry_interruption_info, vmcs12->entry_exception_error_code,
                                          vmcs12->entry_instruction_length};
    vmcs->launching = !vmcs->launched;
    vmcs->launched = true;
    nest_runs(nest);
    nest->by_page = vmcs->page;
    return NEST_ENTERED;
}

/* What L1 wrote, and what of its state L2 starts with.  The latter is asked for while vmcs01 still is the loaded one,
 * by what the entry loaded last time. */
static void pull(struct nest *nest, struct nest_vmcs *vmcs)
{
    uint32_t loaded = vmcs->vmcs12.entry_controls;
    nest_context_inherit(nest, vmcs);
    if (vmcs->page)
        nest_page_pull(nest, vmcs);
    else
        nest_active_pull(nest, vmcs);
    if (loaded & ~vmcs->vmcs12.entry_controls)
        nest_context_inherit(nest, vmcs);
}

/* In a chain: nothing that asks for more of L1 than its storage, nor for translations to go at each entry and exit, and
 * no exit that could be a VMX abort. */
static bool carries(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    const struct vmcs *vmcs12 = &vmcs->vmcs12;
    uint32_t secondary = nest_secondary(vmcs12);
    return !vmcs12->exit_msr_store_count && !vmcs12->exit_msr_load_count && !vmcs12->entry_msr_load_count &&
           (vmcs12->exit_controls & EXIT_HOST_LONG_MODE) && !vmcs12->guest_activity_state &&
           !(vmcs12->processor_controls & CPU_MONITOR_TRAP_FLAG) &&
           !(secondary & (CPU2_VM_FUNCTIONS | CPU2_PML | CPU2_VMCS_SHADOWING)) &&
           ((secondary & CPU2_VPID) || !nest->vmcs01.vpid);
}

static enum nest_result enter(struct nest *nest, enum nest_kind kind, bool launch)
{
    struct nest_vmcs *vmcs = nest->current;
    struct nest_failure failure;
    if (!vmcs || vmcs->kind != kind)
        return nest_fail_invalid(nest);
    if (nest->host->get(nest->host->context, VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_BY_MOV_SS)
        return nest_fail(nest, VM_ERROR_MOV_SS);
    if (launch == vmcs->launched)
        return nest_fail(nest, launch ? VM_ERROR_VMLAUNCH_NOT_CLEAR : VM_ERROR_VMRESUME_NOT_LAUNCHED);
    pull(nest, vmcs);
    if (nest->chain && !carries(nest, vmcs))
        return NEST_OUTER;
    if (!passes(nest, vmcs, &failure))
        return nest_chain_missed(nest) ? NEST_OUTER : refuse(nest, &failure);
    return run(nest, vmcs);
}

enum nest_result nest_vmlaunch(struct nest *nest, const struct nest_instruction *i)
{
    (void)i;
    return enter(nest, NEST_REGION, true);
}

enum nest_result nest_vmresume(struct nest *nest, const struct nest_instruction *i)
{
    (void)i;
    return enter(nest, NEST_REGION, false);
}

/* ---- the memory way -------------------------------------------------------------- */

/* The page at gpa as current virtual VMCS, with what L1 notes in it judged.  false: *error. */
static bool select_page(struct nest *nest, uint64_t gpa, enum nest_page_error *error)
{
    *error = NEST_PAGE_NOT_OFFERED;
    if (nest->mode < NEST_MEMORY || !nest->vmxon)
        return false;
    *error = NEST_PAGE_NO_FRAMES;
    if (nest->is_delegated && !nest_chain_own(nest))
        return false;
    struct nest_vmcs *vmcs = nest->current;
    if (!vmcs || !vmcs->page || vmcs->gpa != gpa)
        vmcs = nest_page_get(nest, gpa, NULL, error);
    if (!vmcs)
        return false;
    *error = NEST_PAGE_MALFORMED;
    if (vmcs->kind != NEST_PAGE || !nest_page_note(nest, vmcs))
        return false;
    nest_active_select(nest, vmcs);
    return true;
}

enum nest_result nest_enter_page(struct nest *nest, uint64_t gpa, enum nest_page_error *error)
{
    if (!select_page(nest, gpa, error))
        return NEST_SKIP;
    nest->counts.instructions[EXIT_VMRESUME]++;
    *error = NEST_PAGE_FAILED;
    enum nest_result result = enter(nest, NEST_PAGE, false);
    if (result == NEST_ENTERED || result == NEST_REFLECTED) {
        nest->host->gpr[RAX] = nest->current->page->rax;
        nest->host->gpr[RBX] = nest->current->page->rbx;
    }
    return result;
}

bool nest_entered_by_page(const struct nest *nest)
{
    return nest->current && nest->current->page;
}

/* On the host each entry is asked for everything. */
static bool must_assert(const struct vmcs_set *write)
{
#ifdef VMN_HOST
    (void)write;
    return true;
#else
    return __builtin_expect(vmcs_set_meets(write, &nest_assert_fields), 0);
#endif
}

static __attribute__((noinline)) bool is_sound(struct nest *nest, const struct nest_vmcs *vmcs)
{
    const struct nest_assertion *broken = nest_assert(nest, vmcs, &vmcs->vmcs02, &vmcs->stale.region);
    if (!broken)
        return true;
    nest->unsound = (enum vmcs_index)broken->index;
    nest_trace(nest, broken->rule, vmcs_field_rows[broken->index].encoding);
    return false;
}

enum nest_result nest_load(struct nest *root, struct nest_entry *entry)
{
    struct nest *nest = root->innermost;
    struct nest_vmcs *vmcs = nest->current;
    if (nest != root && !nest_chain_follow(root))
        return NEST_NO_FRAMES;
    if (!nest_image_follow(nest, vmcs))
        return NEST_NO_FRAMES;
    if (must_assert(&vmcs->stale.region)) {
        if (vmcs->vmcs02.guest_activity_state == WAIT_FOR_SIPI)
            return NEST_WAITS;
        if (!is_sound(nest, vmcs)) {
            root->unsound = nest->unsound;
            return NEST_UNSOUND;
        }
    }
    entry->region = vmcs->region02;
    entry->image = &vmcs->vmcs02;
    entry->write = &vmcs->stale.region;
    entry->deadline = nest_deadline(root);
    return NEST_RESUME;
}
