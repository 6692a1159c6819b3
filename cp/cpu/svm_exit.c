/* Owns what is done between an SVM exit and CP: the instruction is fetched where SVM tells too little, the exit is put
 * in VMX terms, and what a VMX processor would not have left the guest for is carried out here. */
#include <string.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/svm_carry.h"
#include "cp/cpu/svm_code.h"
#include "cp/cpu/svm_debug.h"
#include "cp/svm/return.h"
#include "cp/svm/touch.h"
#include "cp/svm/violation.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"

enum { VECTOR_DEBUG = 1, IN_OUT_IMMEDIATE = 0xE4, IO_IMMEDIATE = 1 << 6, IO_STRING = 1 << 4,
       TYPE_SOFTWARE = 4, TYPE_SOFTWARE_EXCEPTION = 6 };
/* what is rare stays out of the page that every exit goes through */
#define APART __attribute__((noinline))
#define FLAG_TRAP (1ull << 8)
#define INFO_VALID (1u << 31)
#define INFO_ERROR (1u << 11)

/* ---- verdicts --------------------------------------------------------------------- */

/* While another event was being delivered: that one counts as first. */
static void first_event(struct vcpu *vcpu)
{
    if (!(vcpu->exit.idt_vectoring_info & INFO_VALID))
        return;
    vcpu->event_info = vcpu->exit.idt_vectoring_info;
    vcpu->event_error = vcpu->exit.idt_vectoring_error;
    vcpu->event_length = vcpu->exit.instruction_length;
}

static bool give_undefined(struct vcpu *vcpu, const struct vmcb *vmcb)
{
    vcpu_queue_exception(vcpu, VECTOR_UD, false, 0);
    return svm_look_again(vcpu, vmcb);
}

static bool wanted(const struct vmcs *image, unsigned vector, uint32_t error)
{
    bool bit = image->exception_bitmap >> vector & 1;
    return vector == VECTOR_PF && (error & image->page_fault_mask) != image->page_fault_match ? !bit : bit;
}

static APART bool exception(struct vcpu *vcpu, struct svm_region *region, bool stepping)
{
    const struct exit *exit = &vcpu->exit;
    unsigned vector = exit->interruption_info & 31;

    if (stepping && vector == VECTOR_DEBUG) {
        vcpu->exit = (struct exit){.reason = EXIT_NMI_WINDOW, .rip = region->state.vmcb->rip};
        return true;
    }
    if (wanted(&region->state.image, vector, exit->interruption_error))
        return true;
    first_event(vcpu);
    if (vector == VECTOR_PF)
        vcpu_queue_page_fault(vcpu, exit->qualification, exit->interruption_error);
    else if (vector == VECTOR_DEBUG)
        vcpu_queue_debug(vcpu, exit->qualification);
    else
        vcpu_queue_exception(vcpu, vector, exit->interruption_info & INFO_ERROR, exit->interruption_error);
    return svm_look_again(vcpu, region->state.vmcb);
}

/* What follows is for a guest's guest: its hypervisor may want to know more about the exit than CP needs. */
static bool is_nested(const struct vcpu *vcpu, const struct svm_region *region)
{
    return region != &((struct svm_vcpu *)vcpu->backend)->first;
}

/* SDM "Exit Qualification for I/O Instructions": whether the port is an immediate; and where a string is in memory. */
static APART void port_report(struct vcpu *vcpu, struct svm_region *region)
{
    struct svm_code code = {.count = 0};
    uint8_t rex;
    bool lock;

    if (!is_nested(vcpu, region))
        return;
    svm_code_fetch(vcpu, region->state.vmcb, &code);
    unsigned n = svm_prefixes(code.bytes, code.count, code.mode, &rex, &lock);
    if (n < code.count && (code.bytes[n] & ~3u) == IN_OUT_IMMEDIATE)
        vcpu->exit.qualification |= IO_IMMEDIATE;
    if (!(vcpu->exit.qualification & IO_STRING))
        return;
    const struct execute_seams seams = svm_seams(vcpu);
    struct svm_touches touches;
    svm_touches_find(&code, &seams, vcpu->exit.rip, &touches);
    region->state.image.guest_linear_address = touches.linear[0];
}

static APART void touch_report(struct vcpu *vcpu, const struct svm_region *region)
{
    const struct vmcb *vmcb = region->state.vmcb;
    const struct execute_seams seams = svm_seams(vcpu);
    struct svm_code code = {.count = 0};

    if (!is_nested(vcpu, region))
        return;
    svm_code_fetch(vcpu, vmcb, &code);
    svm_violation_complete(vcpu, &seams, &code, vmcb->exit_info1 & SVM_NPF_TABLE);
}

static APART bool carry_wbinvd(struct vcpu *vcpu, struct svm_region *region)
{
    op_wbinvd();
    return svm_skip(vcpu, region, vcpu->exit.instruction_length);
}

static APART bool carry_rdtsc(struct vcpu *vcpu, struct svm_region *region)
{
    uint64_t tsc = op_rdtsc() + region->state.vmcb->tsc_offset;

    vcpu->gpr[RAX] = (uint32_t)tsc;
    vcpu->gpr[RDX] = tsc >> 32;
    return svm_skip(vcpu, region, vcpu->exit.instruction_length);
}

/* Completes the exit, or carries out what a VMX processor would not have left the guest for. true: it is for CP. */
static bool carry_out(struct vcpu *vcpu, struct svm_region *region, const struct svm_access *a, uint64_t deadline)
{
    switch (exit_basic(&vcpu->exit)) {
    case EXIT_EXTERNAL_INTERRUPT:
        cpu_interrupt_window();
        if (op_rdtsc() >= deadline)
            vcpu->exit.reason = EXIT_PREEMPTION_TIMER;
        return true;
    case EXIT_IO:
        port_report(vcpu, region);
        return true;
    case EXIT_EPT_VIOLATION:
        touch_report(vcpu, region);
        return true;
    case EXIT_CR_ACCESS:
    case EXIT_INVLPG:
        return svm_carry_access(vcpu, region, a);
    case EXIT_DR_ACCESS:
        return svm_carry_debug(vcpu, region, a);
    case EXIT_RDMSR:
    case EXIT_WRMSR:
        return svm_carry_msr(vcpu, region);
    case EXIT_WBINVD: /* comes with INVD on QEMU, whether it is asked for or not */
        return (region->state.image.secondary_controls & CPU2_WBINVD_EXITING) || carry_wbinvd(vcpu, region);
    case EXIT_RDTSC: /* for the sake of RDTSCP only */
        return (region->state.image.processor_controls & CPU_RDTSC_EXITING) || carry_rdtsc(vcpu, region);
    case EXIT_VMCALL: /* a processor that has VMX has no VMMCALL */
        return region->state.vmcb->exit_code != SVM_EXIT_VMMCALL || svm_own.rewritten ||
               give_undefined(vcpu, region->state.vmcb);
    case EXIT_RDTSCP:
        return (region->state.image.secondary_controls & CPU2_RDTSCP) || give_undefined(vcpu, region->state.vmcb);
    default:
        return true;
    }
}

/* An INT n is no exit. INT3 and INTO are carried out as such, as their gate's DPL counts. */
static APART bool software(struct vcpu *vcpu, struct svm_region *region)
{
    struct vmcs *image = &region->state.image;
    uint32_t info = vcpu->exit.interruption_info, type = info >> 8 & 7;

    if (type != TYPE_SOFTWARE && (image->exception_bitmap >> (info & 31) & 1))
        return true;
    if (type == TYPE_SOFTWARE_EXCEPTION)
        info = INFO_VALID | TYPE_SOFTWARE << 8 | (info & 0xFF);
    image->entry_interruption_info = info;
    image->entry_instruction_length = vcpu->exit.instruction_length;
    svm_event_inject(region);
    return false;
}

/* If the exit cut short a software event that CP had injected, RIP is the address of its instruction again. Returns
 * that instruction's length, or 0. */
static unsigned injected_length(struct svm_region *region)
{
    const struct vmcb *vmcb = region->state.vmcb;
    bool same = region->injected && (uint32_t)vmcb->exit_interrupt_info == region->injected &&
                vmcb->rip == region->injected_rip;

    region->injected = 0;
    return same ? region->injected_length : 0;
}

bool svm_exit_refuses(struct vcpu *vcpu, struct svm_region *region)
{
    const struct vmcb *vmcb = region->state.vmcb;
    struct svm_code code = {.count = 0};

    if (vmcb->exit_code < SVM_EXIT_ERROR)
        return false;
    svm_code_fetch(vcpu, vmcb, &code);
    return svm_exit_refused(vmcb, &code);
}

bool svm_exit_handle(struct vcpu *vcpu, struct svm_region *region, uint64_t deadline)
{
    struct vmcb *vmcb = region->state.vmcb;
    struct svm_code code = {.count = 0};
    struct svm_access access = {0};
    bool stepping = region->stepping;

    region->stepping = false;
    bool loaded = svm_return_look(&region->state); /* TF is the guest's own then */
    if (stepping && !loaded)
        vmcb->rflags &= ~FLAG_TRAP;
    if (svm_exit_wants_code(vmcb))
        svm_code_fetch(vcpu, vmcb, &code);
    enum svm_verdict verdict = svm_exit_translate(&region->state, &code, &vcpu->exit, &access);
    /* SDM "Saving RIP, RSP, RFLAGS, and SSP": 0 where an instruction is the cause; SVM saves what it was */
    if ((verdict == SVM_REPORT && vcpu->exit.instruction_length) || verdict == SVM_SOFTWARE)
        vmcb->rflags &= ~RFLAGS_RF;
    if (vmcb->exit_interrupt_info & VMCB_EVENT_VALID) {
        svm_exit_vectoring(vmcb, &code, injected_length(region), &vcpu->exit);
        vmcb->rip = vcpu->exit.rip;
    }
    switch (verdict) {
    case SVM_EXCEPTION:
        return exception(vcpu, region, stepping);
    case SVM_UNDEFINED:
        return give_undefined(vcpu, vmcb);
    case SVM_SEEN:
        return svm_carry_seen(vcpu, region, &access);
    case SVM_SOFTWARE:
        return software(vcpu, region);
    case SVM_IRET:
        svm_return_begin(&region->state);
        return false;
    default:
        return carry_out(vcpu, region, &access, deadline);
    }
}

