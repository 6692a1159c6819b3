/* Owns what is done between an SVM exit and CP: the instruction is fetched where SVM tells too little, the exit is put in VMX terms,
 * and what a VMX processor would not have left the guest for is carried out here. */
#include <string.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/svm.h"
#include "cp/decode/execute.h"
#include "cp/dispatch/handlers.h"
#include "cp/dispatch/linear.h"
#include "cp/dispatch/registers.h"
#include "cp/storage/frame.h"
#include "cp/storage/guest.h"

enum { VECTOR_DEBUG = 1, BLOCKED_NMI = 8, MSR_TSC_AUX = 0xC0000103u };
#define FLAG_TRAP (1ull << 8)
#define DR6_STEP (1ull << 14)
#define INFO_VALID (1u << 31)
#define INFO_ERROR (1u << 11)

/* ---- what the guest executed ------------------------------------------------------ */

static uint64_t segment_base(void *context, enum segment segment)
{
    static const enum vmcs_field base[] = {VMCS_GUEST_ES_BASE, VMCS_GUEST_CS_BASE, VMCS_GUEST_SS_BASE,
                                           VMCS_GUEST_DS_BASE, VMCS_GUEST_FS_BASE, VMCS_GUEST_GS_BASE};
    return registers_long_mode(context) && segment < SEGMENT_FS ? 0 : vcpu_read(context, base[segment]);
}

static uint64_t gpr_get(void *context, unsigned reg)
{
    return reg == RSP ? vcpu_read(context, VMCS_GUEST_RSP) : ((struct vcpu *)context)->gpr[reg];
}

static void gpr_set(struct vcpu *vcpu, unsigned reg, uint64_t value, unsigned size)
{
    if (size == 2)
        value = (gpr_get(vcpu, reg) & ~0xFFFFull) | (value & 0xFFFF);
    if (size == 4)
        value = (uint32_t)value;
    if (reg == RSP)
        vcpu_write(vcpu, VMCS_GUEST_RSP, value);
    else
        vcpu->gpr[reg] = value;
}

static void code_fetch(struct vcpu *vcpu, const struct vmcb *vmcb, struct svm_code *code)
{
    uint64_t at = segment_base(vcpu, SEGMENT_CS) + vmcb->rip, where;
    size_t first = PAGE_SIZE - (at & PAGE_MASK);
    uint32_t error;

    if (first > INSTRUCTION_MAX_BYTES)
        first = INSTRUCTION_MAX_BYTES;
    code->mode = (enum decode_mode)registers_code_size(vcpu);
    if (linear_read(vcpu, at, code->bytes, first, LINEAR_FETCH, &where, &error))
        return;
    code->count = first;
    if (first < INSTRUCTION_MAX_BYTES &&
        !linear_read(vcpu, at + first, code->bytes + first, INSTRUCTION_MAX_BYTES - first, LINEAR_FETCH, &where, &error))
        code->count = INSTRUCTION_MAX_BYTES;
}

static uint64_t operand_address(struct vcpu *vcpu, const struct svm_access *a)
{
    const struct execute_seams seams = {.context = vcpu, .read_gpr = gpr_get, .segment_base = segment_base};
    return instruction_address(&a->operand, &seams, vcpu->exit.rip);
}

/* ---- verdicts --------------------------------------------------------------------- */

/* For the run loop there was an exit of no meaning: it looks at the events that wait, and enters again. */
static bool look_again(struct vcpu *vcpu, const struct vmcb *vmcb)
{
    vcpu->exit = (struct exit){.reason = EXIT_EXTERNAL_INTERRUPT, .rip = vmcb->rip};
    return true;
}

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
    return look_again(vcpu, vmcb);
}

static bool wanted(const struct vmcs *image, unsigned vector, uint32_t error)
{
    bool bit = image->exception_bitmap >> vector & 1;
    return vector == VECTOR_PF && (error & image->page_fault_mask) != image->page_fault_match ? !bit : bit;
}

static bool stepped(struct vcpu *vcpu, struct svm_region *region)
{
    struct vmcb *vmcb = region->state.vmcb;

    op_write_dr6(vmcb->dr6 & ~DR6_STEP);
    vmcb->rflags &= ~FLAG_TRAP;
    vcpu->exit = (struct exit){.reason = EXIT_NMI_WINDOW, .rip = vmcb->rip};
    return true;
}

static bool exception(struct vcpu *vcpu, struct svm_region *region, bool stepping)
{
    const struct exit *exit = &vcpu->exit;
    unsigned vector = exit->interruption_info & 31;

    if (stepping && vector == VECTOR_DEBUG)
        return stepped(vcpu, region);
    if (wanted(&region->state.image, vector, exit->interruption_error))
        return true;
    first_event(vcpu);
    if (vector == VECTOR_PF)
        vcpu_queue_page_fault(vcpu, exit->qualification, exit->interruption_error);
    else
        vcpu_queue_exception(vcpu, vector, exit->interruption_info & INFO_ERROR, exit->interruption_error);
    return look_again(vcpu, region->state.vmcb);
}

static void skip(struct svm_region *region, unsigned length)
{
    region->state.vmcb->rip += length;
    region->state.vmcb->interrupt_shadow = 0;
}

/* MOV from CR0 or CR4, SMSW: what the read shadow says. */
static bool seen(struct vcpu *vcpu, struct svm_region *region, const struct svm_access *a)
{
    uint64_t value = a->number == 4 ? svm_cr4_seen(&region->state) : svm_cr0_seen(&region->state), where = 0;
    uint32_t error = 0;

    if (!a->memory) {
        gpr_set(vcpu, a->reg, value, a->size);
    } else if (linear_write(vcpu, operand_address(vcpu, a), &value, sizeof(uint16_t), &where, &error)) {
        vcpu_queue_page_fault(vcpu, where, error);
        return look_again(vcpu, region->state.vmcb);
    }
    skip(region, a->length);
    return false;
}

/* Sources that VMX reports by value. */
static bool access_complete(struct vcpu *vcpu, const struct vmcb *vmcb, const struct svm_access *a)
{
    uint64_t source = gpr_get(vcpu, a->reg), where = 0;
    uint32_t error = 0;

    if (a->kind == SVM_ACCESS_INVLPG)
        vcpu->exit.qualification = operand_address(vcpu, a);
    if (a->kind != SVM_ACCESS_LMSW)
        return true;
    if (a->memory && linear_read(vcpu, operand_address(vcpu, a), &source, sizeof(uint16_t), LINEAR_READ, &where, &error)) {
        vcpu_queue_page_fault(vcpu, where, error);
        return look_again(vcpu, vmcb);
    }
    vcpu->exit.qualification |= (source & 0xFFFF) << 16 | (uint64_t)a->memory << 6;
    return true;
}

/* An MSR that the merged bitmap lets a guest's guest have, where the map catches all. */
static bool msr_passes(struct vcpu *vcpu, struct svm_region *region)
{
    const struct vmcs *image = &region->state.image;
    uint32_t msr = (uint32_t)vcpu->gpr[RCX];
    bool write = exit_basic(&vcpu->exit) == EXIT_WRMSR;

    return image->msr_bitmap != svm_maps.bitmap && (image->processor_controls & CPU_MSR_BITMAPS) && svm_is_free_msr(msr) &&
           !svm_msr_exits(frame_pointer(hpa(image->msr_bitmap)), msr, write);
}

static bool msr_access(struct vcpu *vcpu, struct svm_region *region)
{
    uint32_t msr = (uint32_t)vcpu->gpr[RCX];
    uint64_t value = vcpu->gpr[RDX] << 32 | (uint32_t)vcpu->gpr[RAX];

    if (!msr_passes(vcpu, region))
        return true;
    if (exit_basic(&vcpu->exit) == EXIT_WRMSR) {
        if (!svm_free_msr_write(region, msr, value)) {
            vcpu_queue_exception(vcpu, VECTOR_GP, true, 0);
            return look_again(vcpu, region->state.vmcb);
        }
    } else {
        svm_free_msr_read(region, msr, &value);
        vcpu->gpr[RAX] = (uint32_t)value;
        vcpu->gpr[RDX] = value >> 32;
    }
    skip(region, vcpu->exit.instruction_length);
    return false;
}

static bool report(struct vcpu *vcpu, struct svm_region *region, const struct svm_access *a, uint64_t deadline)
{
    switch (exit_basic(&vcpu->exit)) {
    case EXIT_EXTERNAL_INTERRUPT:
        cpu_interrupt_window();
        if (op_rdtsc() >= deadline)
            vcpu->exit.reason = EXIT_PREEMPTION_TIMER;
        return true;
    case EXIT_CR_ACCESS:
    case EXIT_INVLPG:
        return access_complete(vcpu, region->state.vmcb, a);
    case EXIT_RDMSR:
    case EXIT_WRMSR:
        return msr_access(vcpu, region);
    case EXIT_WBINVD: /* comes with INVD on QEMU, whether it is asked for or not */
        if (!(region->state.image.secondary_controls & CPU2_WBINVD_EXITING))
            return op_wbinvd(), skip(region, vcpu->exit.instruction_length), false;
        return true;
    case EXIT_RDTSCP: /* only where it does not exist */
        return (region->state.image.processor_controls & CPU_RDTSC_EXITING) || give_undefined(vcpu, region->state.vmcb);
    default:
        return true;
    }
}

static bool unblocked(struct svm_region *region)
{
    region->state.image.guest_interruptibility &= ~(uint32_t)BLOCKED_NMI;
    region->state.controls_stale = true;
    return false;
}

/* A software event that CP gave and that did not arrive: RIP is its instruction's again. */
static unsigned injected_length(struct svm_region *region)
{
    const struct vmcb *vmcb = region->state.vmcb;
    bool same = region->injected && (uint32_t)vmcb->exit_interrupt_info == region->injected && vmcb->rip == region->injected_rip;

    region->injected = 0;
    return same ? region->injected_length : 0;
}

bool svm_exit_settle(struct vcpu *vcpu, struct svm_region *region, uint64_t deadline)
{
    struct vmcb *vmcb = region->state.vmcb;
    struct svm_code code = {.count = 0};
    struct svm_access access = {0};
    bool stepping = region->stepping;

    region->stepping = false;
    if (stepping)
        vmcb->rflags &= ~FLAG_TRAP;
    if (svm_exit_wants_code(vmcb))
        code_fetch(vcpu, vmcb, &code);
    enum svm_verdict verdict = svm_exit_translate(&region->state, &code, &vcpu->exit, &access);
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
        return seen(vcpu, region, &access);
    case SVM_IRET:
        return unblocked(region);
    default:
        return report(vcpu, region, &access, deadline);
    }
}

/* ---- MSRs that are the guest's own ---------------------------------------------------- */

static uint64_t *msr_home(struct vmcb *vmcb, uint32_t msr)
{
    switch (msr) {
    case 0x174: return &vmcb->sysenter_cs;
    case 0x175: return &vmcb->sysenter_esp;
    case 0x176: return &vmcb->sysenter_eip;
    case 0xC0000081u: return &vmcb->star;
    case 0xC0000082u: return &vmcb->lstar;
    case 0xC0000083u: return &vmcb->cstar;
    case 0xC0000084u: return &vmcb->sfmask;
    case 0xC0000100u: return &vmcb->fs.base;
    case 0xC0000101u: return &vmcb->gs.base;
    case 0xC0000102u: return &vmcb->kernel_gs_base;
    default: return NULL;
    }
}

bool svm_is_free_msr(uint32_t msr)
{
    return (msr >= 0x174 && msr <= 0x176) || (msr >= 0xC0000081u && msr <= 0xC0000084u) ||
           (msr >= 0xC0000100u && msr <= MSR_TSC_AUX);
}

bool svm_free_msr_read(const struct svm_region *region, uint32_t msr, uint64_t *value)
{
    if (!svm_is_free_msr(msr))
        return false;
    *value = msr == MSR_TSC_AUX ? op_rdmsr(msr) : *msr_home(region->state.vmcb, msr);
    return true;
}

static bool value_allowed(uint32_t msr, uint64_t value)
{
    if (msr == 0x174 || msr == 0xC0000084u || msr == MSR_TSC_AUX)
        return !(value >> 32);
    return msr == 0xC0000081u || (uint64_t)((int64_t)(value << 16) >> 16) == value;
}

bool svm_free_msr_write(struct svm_region *region, uint32_t msr, uint64_t value)
{
    if (!svm_is_free_msr(msr) || !value_allowed(msr, value))
        return false;
    if (msr == MSR_TSC_AUX)
        op_wrmsr(msr, value);
    else
        *msr_home(region->state.vmcb, msr) = value;
    return true;
}
