/* Reflecting an exit to L1.  In: an exit of L2 (hardware's, or one CP made up), vmcs02 loaded.  Out: vmcs12 and its
 * shadow region as hardware would have left them, vmcs01 loaded with L1 at its host RIP; or a VMX abort. */
#include "nest/reflect.h"
#include "nest/chain.h"
#include "nest/enter.h"
#include "nest/instruction.h"
#include "nest/msr_list.h"
#include "nest/page.h"
#include "nest/recompute.h"

enum { EVENT_VALID = 1u << 31, EVENT_TYPE_SHIFT = 8, EVENT_TYPE_NMI = 2, EVENT_HAS_ERROR = 1 << 11 };
enum { RBX = 3 };
enum { IO_STRING = 1 << 4, CR_TYPE_SHIFT = 4, CR_TYPE_LMSW = 3, CR_LMSW_MEMORY = 1 << 6 };

static bool by_nmi(const struct exit *exit)
{
    return (exit->reason & 0xFFFF) == EXIT_EXCEPTION_NMI &&
           (exit->interruption_info >> EVENT_TYPE_SHIFT & 7) == EVENT_TYPE_NMI;
}

/* With virtual NMIs the bit was L2's own affair. */
static bool blocks_nmis(const struct nest_vmcs *vmcs, const struct exit *exit)
{
    return by_nmi(exit) || (!(vmcs->vmcs12.pin_controls & PIN_VIRTUAL_NMIS) &&
                            (vmcs->vmcs02.guest_interruptibility & BLOCKING_BY_NMI));
}

/* Linear address and instruction information of exits that have them but are not captured for each. */
static void save_operand_information(const struct nest *nest, struct vmcs *vmcs12, const struct exit *exit)
{
    const struct nest_host *host = nest->host;
    bool string = (exit->reason & 0xFFFF) == EXIT_IO && (exit->qualification & IO_STRING);
    bool lmsw = (exit->reason & 0xFFFF) == EXIT_CR_ACCESS && (exit->qualification & CR_LMSW_MEMORY) &&
                (exit->qualification >> CR_TYPE_SHIFT & 3) == CR_TYPE_LMSW;
    if (string || lmsw)
        vmcs12->guest_linear_address = host->get(host->context, VMCS_GUEST_LINEAR_ADDRESS);
    vmcs12->exit_instruction_info = string ? (uint32_t)host->get(host->context, VMCS_EXIT_INSTRUCTION_INFO)
                                           : exit->instruction_info;
}

/* In real-address mode no exception has an error code, SDM "Information for VM Exits Due to Vectored Events": Bochs 2.7
 * says otherwise, and refuses to inject what it says. */
static uint32_t event_of(const struct nest *nest, uint32_t info)
{
    bool none = (info & EVENT_HAS_ERROR) && !(nest->host->get(nest->host->context, VMCS_GUEST_CR0) & CR0_PE);
    return none ? info & ~(uint32_t)EVENT_HAS_ERROR : info;
}

/* SDM "Recording VM-Exit Information and Updating VM-entry Control Fields" */
static void save_information(const struct nest *nest, struct nest_vmcs *vmcs, const struct exit *exit)
{
    struct vmcs *vmcs12 = &vmcs->vmcs12;
    unsigned basic = exit->reason & 0xFFFF;
    vmcs12->exit_reason = exit->reason;
    vmcs12->exit_qualification = exit->qualification;
    vmcs12->exit_instruction_length = exit->instruction_length;
    bool event = basic == EXIT_EXCEPTION_NMI || basic == EXIT_EXTERNAL_INTERRUPT;
    vmcs12->exit_interruption_info = event ? event_of(nest, exit->interruption_info) : 0;
    if (vmcs12->exit_interruption_info & EVENT_HAS_ERROR)
        vmcs12->exit_interruption_error_code = exit->interruption_error;
    vmcs12->idt_vectoring_info =
        exit->idt_vectoring_info & EVENT_VALID ? event_of(nest, exit->idt_vectoring_info) : 0;
    if (vmcs12->idt_vectoring_info & EVENT_HAS_ERROR)
        vmcs12->idt_vectoring_error_code = exit->idt_vectoring_error;
    if (basic == EXIT_EPT_VIOLATION || basic == EXIT_EPT_MISCONFIG) {
        vmcs12->guest_physical_address = exit->guest_physical;
        vmcs12->guest_linear_address = exit->guest_linear;
    }
    save_operand_information(nest, vmcs12, exit);
    vmcs->stale.parts |= NEST_STALE_REPORT;
    if (vmcs12->entry_interruption_info & EVENT_VALID) {
        vmcs12->entry_interruption_info &= ~EVENT_VALID;
        nest_written_one(vmcs, VMCS_INDEX_ENTRY_INTERRUPTION_INFO, NEST_BY_L2);
    }
}

static enum nest_result abort_vmx(struct nest *nest, uint32_t reason)
{
    const struct nest_host *host = nest->host;
    host->write(host->context, nest->current->gpa + offsetof(struct nest_region, abort), &reason, sizeof(reason));
    nest->abort_reason = reason;
    return NEST_ABORT;
}

/* L1 does not run, so nothing but CP wrote to the region. */
static void recompute_shown(const struct nest *nest, const struct nest_vmcs *vmcs, bool report)
{
    struct vmcs seen = vmcs->vmcs12;
    struct vmcs_set differ = {{0}};
    const struct vmcs_set none = {{0}};
    if (!vmcs->shadow_region)
        return;
    nest->hardware->shadow_pull(nest->cpu, vmcs->shadow_region, &seen, &differ, vmcs->closed);
    nest_must_be_within("what L1 is shown", &differ, &none);
    nest->hardware->shadow_pull_all(nest->cpu, vmcs->shadow_region, &seen);
    if (report)
        nest_must_equal("what L1 is told of an exit", &seen, &vmcs->vmcs12, &vmcs_set_exit);
}

static enum nest_result load_l1(struct nest *nest, const struct vmcs *was, bool nmis_blocked)
{
    struct nest_vmcs *vmcs = nest->current;
    const struct vmcs *vmcs12 = &vmcs->vmcs12;
    struct vmcs_set written = {{0}};
    uint32_t abort = nest_host_state_load(nest, vmcs, was, nmis_blocked);
    if (!abort && vmcs12->exit_msr_load_count) {
        vmcs->stale.parts |= NEST_STALE_HOST; /* the list may write over it */
        if (nest_msr_list_load(nest, vmcs12->exit_msr_load_address, vmcs12->exit_msr_load_count, &vmcs->l1, &written))
            abort = VMX_ABORT_LOAD_MSR;
    }
    nest_left(nest);
    nest->hardware->load_l1(nest->cpu, nest->l1_region, &vmcs->l1);
    return abort ? abort_vmx(nest, abort) : NEST_REFLECTED;
}

enum nest_result nest_reflect(struct nest *nest, const struct exit *exit)
{
    struct nest_vmcs *vmcs = nest->current;

    if (exit->reason & EXIT_ENTRY_FAILED)
        return nest_reflect_entry_failure(nest, exit->reason & 0xFFFF, exit->qualification);
    if ((exit->reason & 0xFFFF) < EXIT_REASONS)
        nest->counts.reflected[exit->reason & 0xFFFF]++;
    vmcs->launching = false;
    /* lists may store cold ones, and have loaded such */
    nest_guest_state_save(nest, vmcs, !vmcs->closed || vmcs->vmcs12.exit_msr_store_count ||
                                          vmcs->vmcs12.entry_msr_load_count);
    save_information(nest, vmcs, exit);
    uint32_t failed = !vmcs->vmcs12.exit_msr_store_count
                          ? 0
                          : nest_msr_list_store(nest, vmcs->vmcs12.exit_msr_store_address,
                                                vmcs->vmcs12.exit_msr_store_count, &vmcs->vmcs02);
    nest_show(nest, vmcs);
    if (NEST_RECOMPUTES)
        recompute_shown(nest, vmcs, true);
    enum nest_result result = load_l1(nest, &vmcs->vmcs02, blocks_nmis(vmcs, exit));
    return failed ? abort_vmx(nest, VMX_ABORT_STORE_MSR) : result;
}

/* An entry that failed leaves the launch state as it was. */
static void unlaunch(struct nest_vmcs *vmcs)
{
    if (vmcs->launching)
        vmcs->launched = false;
    vmcs->launching = false;
}

/* Hardware did not take vmcs02, though L2 may have run before: what it holds of L2's state is told to nobody. Then
 * vmcs01 is loaded, as L1 left it. */
static void take_back(struct nest *nest, struct nest_vmcs *vmcs)
{
    nest_guest_state_catch_up(nest, vmcs);
    vmcs->stale.parts |= NEST_STALE_IMAGE;
    nest_left(nest);
    nest->hardware->load_l1(nest->cpu, nest->l1_region, NULL);
}

/* L1's translations go at an exit to an L1 that uses no VPIDs, and so they do where L2 never ran: vmcs01 may be tagged
 * yet, and its CR3 is another now. */
static void flush_l1(const struct nest *nest, const struct nest_vmcs *vmcs)
{
    if (nest->vmcs01.vpid && !(nest_secondary(&vmcs->vmcs12) & CPU2_VPID))
        nest->hardware->flush_vpid(nest->cpu, nest->vmcs01.vpid);
}

/* SDM "VM-Entry Failures During or After Loading Guest State": reason, qualification and nothing else is recorded, and
 * NMIs are blocked as they were. */
enum nest_result nest_reflect_entry_failure(struct nest *nest, enum exit_reason reason, uint64_t qualification)
{
    const struct nest_host *host = nest->host;
    struct nest_vmcs *vmcs = nest->current;
    if (reason < EXIT_REASONS)
        nest->counts.reflected[reason]++;
    unlaunch(vmcs);
    if (nest->in_guest)
        take_back(nest, vmcs);
    struct vmcs was = {.guest_efer = host->get(host->context, VMCS_GUEST_EFER)};
    was.guest_pat = host->get(host->context, VMCS_GUEST_PAT);
    was.guest_cr0 = host->get(host->context, VMCS_GUEST_CR0);
    bool blocked = host->get(host->context, VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_BY_NMI;
    vmcs->vmcs12.exit_reason = reason | EXIT_ENTRY_FAILED;
    vmcs->vmcs12.exit_qualification = qualification;
    nest_written_one(vmcs, VMCS_INDEX_EXIT_REASON, NEST_BY_CP);
    nest_written_one(vmcs, VMCS_INDEX_EXIT_QUALIFICATION, NEST_BY_CP);
    nest_show(nest, vmcs);
    vmcs->stale.parts |= NEST_STALE_HOST_REGISTERS; /* L1's own are no L2's ... */
    enum nest_result result = load_l1(nest, &was, blocked);
    flush_l1(nest, vmcs);
    vmcs->stale.parts |= NEST_STALE_HOST_REGISTERS; /* ... nor are L2's these */
    return result;
}

void nest_skip(const struct nest *nest, uint64_t length)
{
    const struct nest_host *host = nest->host;
    uint64_t rip = host->get(host->context, VMCS_GUEST_RIP), next = rip + length;
    if ((next ^ rip) >> 32 && !((host->get(host->context, VMCS_GUEST_EFER) & EFER_LMA) &&
                                (host->get(host->context, VMCS_GUEST_CS_ACCESS_RIGHTS) & RIGHTS_LONG)))
        next = (uint32_t)next;
    host->set(host->context, VMCS_GUEST_RIP, next);
}

enum nest_result nest_entry_refused(struct nest *root)
{
    struct nest *nest = root->innermost;
    const struct nest_host *host = nest->host;
    unlaunch(nest->current);
    take_back(nest, nest->current);
    nest_fail(nest, VM_ERROR_CONTROLS);
    if (nest->current->page)
        host->gpr[RBX] = nest->current->gpa; /* as the call had it */
    nest_skip(nest, host->get(host->context, VMCS_EXIT_INSTRUCTION_LENGTH));
    return NEST_REFLECTED;
}
