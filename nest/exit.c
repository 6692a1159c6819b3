/* An exit of L2: routed, and what is neither CP's as for any guest nor L1's is done here: EPT02, VM functions, and
 * VMREAD and VMWRITE that L1 let through but hardware did not. */
#include "nest/chain.h"
#include "nest/enter.h"
#include "nest/ept.h"
#include "nest/instruction.h"
#include "nest/recompute.h"
#include "nest/reflect.h"
#include "nest/route.h"

enum { RAX = 0, RCX = 1, EPTP_LIST_ENTRIES = 512, UNBLOCKED_BY_IRET = 1 << 12 };

static enum nest_result reflect_ept(struct nest *nest, const struct exit *exit, enum exit_reason reason,
                                    uint64_t qualification)
{
    struct exit seen = *exit;
    seen.reason = reason;
    seen.qualification = qualification;
    return nest_reflect(nest, &seen);
}

static enum nest_result ept_violation(struct nest *nest, const struct exit *exit)
{
    uint64_t qualification;
    if (!(nest_secondary(&nest->current->vmcs12) & CPU2_EPT)) {
        nest->device_gpa = exit->guest_physical;
        return NEST_CP; /* EPT01 itself: as for L1 */
    }
    switch (nest_ept_violation(nest, exit, &qualification, &nest->device_gpa)) {
    case NEST_EPT_FILLED:
        return NEST_RESUME;
    case NEST_EPT_VIOLATES:
        return reflect_ept(nest, exit, EXIT_EPT_VIOLATION, qualification);
    case NEST_EPT_LOG_FULL:
        return reflect_ept(nest, exit, EXIT_PML_FULL, exit->qualification & UNBLOCKED_BY_IRET);
    case NEST_EPT_MISCONFIGURED:
        return reflect_ept(nest, exit, EXIT_EPT_MISCONFIG, 0);
    case NEST_EPT_DEVICE:
        return NEST_CP;
    default:
        return NEST_NO_FRAMES;
    }
}

/* SDM "EPTP Switching": leaf 0 with an entry of the list that an entry would accept; everything else exits to L1. */
static enum nest_result vm_function(struct nest *nest, const struct exit *exit)
{
    const struct nest_host *host = nest->host;
    struct nest_vmcs *vmcs = nest->current;
    uint32_t function = (uint32_t)host->gpr[RAX], slot = (uint32_t)host->gpr[RCX];
    uint64_t eptp;
    if (function != 0 || !(vmcs->vmcs12.vm_function_controls & VM_FUNCTION_EPTP_SWITCHING) ||
        slot >= EPTP_LIST_ENTRIES ||
        !host->read(host->context, vmcs->vmcs12.eptp_list_address + slot * 8, &eptp, sizeof(eptp)) ||
        !nest_ept_pointer_valid(nest, eptp))
        return nest_reflect(nest, exit);
    vmcs->vmcs12.ept_pointer = eptp;
    nest_written_one(vmcs, VMCS_INDEX_EPT_POINTER, NEST_BY_CP); /* L1 is shown it after its exit */
    return NEST_SKIP;
}

static enum nest_result for_cp(struct nest *nest, const struct exit *exit)
{
    switch (exit->reason & 0xFFFF) {
    case EXIT_VMREAD:
    case EXIT_VMWRITE:
        return nest_instruction_linked(nest, exit); /* L1 lets its guest reach the field, CP's bitmaps do not */
    default:
        return NEST_CP;
    }
}

static bool timer_expired(const struct nest *nest, const struct exit *exit)
{
    return (exit->reason & 0xFFFF) == EXIT_PREEMPTION_TIMER &&
           nest_timer_expired(nest, nest->host->tsc(nest->host->context));
}

static inline __attribute__((always_inline)) enum nest_result exit_of(struct nest *nest, const struct exit *exit)
{
    if (NEST_RECOMPUTES)
        nest_image_recompute_region(nest, nest->current);
    unsigned reason = exit->reason & 0xFFFF;
    if (nest->current->chain && nest_is_instruction(reason))
        nest_chain_yield(nest, reason);
    if (exit->reason & EXIT_ENTRY_FAILED)
        return nest_reflect(nest, exit);
    if (nest_route_is_innermost(reason))
        return nest_reflect(nest, exit);
    nest->current->launching = false;
    if (reason == EXIT_EPT_VIOLATION || reason == EXIT_EPT_MISCONFIG)
        return ept_violation(nest, exit);
    const struct vmcs *list[] = {&nest->current->vmcs12};
    struct nest_route_state state = {.host = nest->host, .timer_expired = timer_expired(nest, exit)};
    bool is_l1s = nest_route(&state, &nest->vmcs01, list, 1, exit) >= 0;
    if (nest_chain_missed(nest))
        return NEST_OUTER;
    if (is_l1s)
        return reason == EXIT_VMFUNC ? vm_function(nest, exit) : nest_reflect(nest, exit);
    if (reason < EXIT_REASONS)
        nest->counts.handled[reason]++;
    return for_cp(nest, exit);
}

enum nest_result nest_exit_of(struct nest *nest, const struct exit *exit)
{
    return exit_of(nest, exit);
}

enum nest_result nest_exit(struct nest *root, const struct exit *exit)
{
    if (__builtin_expect(root->innermost != root, 0))
        return nest_chain_exit(root->innermost, exit);
    return exit_of(root, exit);
}
