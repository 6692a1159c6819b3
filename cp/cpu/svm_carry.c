/* Owns what a VMX processor carries out within the guest and SVM leaves to its host: reads of CR0 and CR4
 * under their masks, the TPR shadow, CR3-target values, MSRs that a guest's guest may have; and what of
 * an access VMX reports by value. */
#include "cp/cpu/svm_carry.h"

#include "cp/cpu/ops.h"
#include "cp/cpu/vmx.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/breakpoint.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/execute_state.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/linear.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/segment.h"

enum { VTPR = 0x80, TPR_MOST = 15, CR3_TARGETS = 4, MSR_TSC_AUX = 0xC0000103u };
#define CR3_NO_FLUSH (1ull << 63)

/* ---- operands ---------------------------------------------------------------------- */

uint64_t svm_segment_base(void *context, enum segment segment)
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

uint64_t svm_operand_get(struct vcpu *vcpu, const struct svm_access *a)
{
    uint64_t value = gpr_get(vcpu, a->reg);
    return a->size == 8 ? value : (uint32_t)value;
}

void svm_operand_set(struct vcpu *vcpu, const struct svm_access *a, uint64_t value)
{
    gpr_set(vcpu, a->reg, value, a->size);
}

struct execute_seams svm_seams(struct vcpu *vcpu)
{
    return (struct execute_seams){.context = vcpu, .read_gpr = gpr_get, .segment_base = svm_segment_base};
}

static uint64_t operand_address(struct vcpu *vcpu, const struct svm_access *a)
{
    const struct execute_seams seams = svm_seams(vcpu);
    return instruction_address(&a->operand, &seams, vcpu->exit.rip);
}

/* For the run loop there was an exit of no meaning: it looks at the events that wait, and enters again. */
bool svm_look_again(struct vcpu *vcpu, const struct vmcb *vmcb)
{
    vcpu->exit = (struct exit){.reason = EXIT_EXTERNAL_INTERRUPT, .rip = vmcb->rip};
    return true;
}

static bool protection(struct vcpu *vcpu, struct svm_region *region)
{
    vcpu_queue_exception(vcpu, VECTOR_GP, true, 0);
    return svm_look_again(vcpu, region->state.vmcb);
}

/* An operand that linear_read() or linear_write() did not reach, with its result. Where no storage is, or L1 lets L2
 * have none, a processor meets a violation, and what becomes of that is said where all of them are handled. */
static bool unreached(struct vcpu *vcpu, struct svm_region *region, int result, uint64_t linear, uint32_t error,
                      bool write)
{
    enum { READ = 1, WRITE = 2, LINEAR_VALID = 1 << 7, FINAL = 1 << 8 };
    const struct vcpu_refusal *refused = &vcpu->refused;

    if (result == -1) {
        vcpu_queue_page_fault(vcpu, linear, error);
        return svm_look_again(vcpu, region->state.vmcb);
    }
    vcpu->exit = (struct exit){.reason = EXIT_EPT_VIOLATION, .rip = region->state.vmcb->rip};
    if (refused->qualification) {
        vcpu->exit.guest_linear = refused->linear;
        vcpu->exit.guest_physical = refused->guest_physical;
        vcpu->exit.qualification = refused->qualification;
    } else {
        vcpu->exit.guest_linear = linear;
        vcpu->exit.guest_physical = linear_end(vcpu, linear);
        vcpu->exit.qualification = (write ? WRITE : READ) | LINEAR_VALID | FINAL;
    }
    return true;
}

static void advance(struct svm_region *region, unsigned length)
{
    region->state.vmcb->rip += length;
    vmcb_rip_wrap(region->state.vmcb);
    region->state.vmcb->interrupt_shadow = 0;
    region->state.vmcb->rflags &= ~RFLAGS_RF;
}

static bool skip(struct vcpu *vcpu, struct svm_region *region, unsigned length, uint64_t traps)
{
    advance(region, length);
    if ((region->state.vmcb->rflags & RFLAGS_TF) && registers_steps(vcpu))
        traps |= DR6_BS;
    if (!traps)
        return false;
    vcpu_queue_debug(vcpu, traps);
    return svm_look_again(vcpu, region->state.vmcb);
}

bool svm_skip(struct vcpu *vcpu, struct svm_region *region, unsigned length)
{
    return skip(vcpu, region, length, 0);
}

/* SMSW and LMSW exit before the processor has looked at their operand in memory: what segmentation and alignment have
 * against it is said here. */
static bool word_reachable(struct vcpu *vcpu, const struct svm_access *a, bool write)
{
    const struct execute_seams seams = svm_seams(vcpu);
    uint64_t offset = instruction_offset(&a->operand, &seams, vcpu->exit.rip), linear = operand_address(vcpu, a);

    if (!segment_allows(vcpu, a->operand.segment, offset, linear, sizeof(uint16_t), write))
        return false;
    if (!(linear % sizeof(uint16_t)) || !state_checks_alignment(vcpu->vm))
        return true;
    vcpu_queue_exception(vcpu, VECTOR_AC, true, 0);
    return false;
}

/* ---- control registers --------------------------------------------------------------- */

/* MOV from CR0 or CR4, SMSW: what the read shadow says. */
__attribute__((noinline)) bool svm_carry_seen(struct vcpu *vcpu, struct svm_region *region, const struct svm_access *a)
{
    uint64_t value = a->number == 4 ? svm_cr4_seen(&region->state) : svm_cr0_seen(&region->state), where = 0;
    uint32_t error = 0;

    if (!a->memory) {
        gpr_set(vcpu, a->reg, value, a->size);
        return svm_skip(vcpu, region, a->length);
    }
    if (!word_reachable(vcpu, a, true))
        return svm_look_again(vcpu, region->state.vmcb);
    vcpu->refused.qualification = 0;
    int result = linear_write(vcpu, operand_address(vcpu, a), &value, sizeof(uint16_t), &where, &error);
    if (result)
        return unreached(vcpu, region, result, where, error, true);
    vcpu->breakpoints_met = 0;
    breakpoint_note(vcpu, BREAKPOINT_WRITE, operand_address(vcpu, a), sizeof(uint16_t));
    return skip(vcpu, region, a->length, vcpu->breakpoints_met);
}

/* SDM "TPR Virtualization": the guest's TPR is in the virtual-APIC page, and one that falls below the threshold is an
 * exit after the instruction, with whose single step pending ("Saving Non-Register State"). */
static bool tpr_access(struct vcpu *vcpu, struct svm_region *region, const struct svm_access *a)
{
    struct vmcs *image = &region->state.image;
    uint32_t *vtpr = (uint32_t *)(void *)((uint8_t *)frame_pointer(hpa(image->virtual_apic_address)) + VTPR);
    uint64_t value = a->kind == SVM_ACCESS_MOV_TO ? gpr_get(vcpu, a->reg) : *vtpr >> 4 & TPR_MOST;

    if (value > TPR_MOST)
        return protection(vcpu, region);
    if (a->kind != SVM_ACCESS_MOV_TO) {
        gpr_set(vcpu, a->reg, value, a->size);
        return svm_skip(vcpu, region, a->length);
    }
    *vtpr = (uint32_t)value << 4;
    if (value >= (image->tpr_threshold & TPR_MOST))
        return svm_skip(vcpu, region, a->length);
    advance(region, a->length);
    if (registers_steps(vcpu))
        image->guest_pending_debug_exceptions |= DR6_BS;
    vcpu->exit = (struct exit){.reason = EXIT_TPR, .rip = region->state.vmcb->rip};
    return true;
}

static bool is_tpr_access(const struct vmcs *image, const struct svm_access *a)
{
    uint32_t exiting = a->kind == SVM_ACCESS_MOV_TO ? CPU_CR8_LOAD_EXITING : CPU_CR8_STORE_EXITING;
    return a->number == 8 && !a->debug && (image->processor_controls & CPU_TPR_SHADOW) &&
           !(image->processor_controls & exiting);
}

static bool is_target(const struct vmcs *image, uint64_t value)
{
    const uint64_t targets[CR3_TARGETS] = {image->cr3_target_0, image->cr3_target_1, image->cr3_target_2,
                                           image->cr3_target_3};

    for (unsigned i = 0; i < image->cr3_target_count && i < CR3_TARGETS; i++)
        if (targets[i] == value)
            return true;
    return false;
}

/* A value that is no exit. Bits beyond the processor's are #GP; in IA-32e mode bit 63
 * with CR4.PCIDE keeps translations. */
static bool cr3_load(struct vcpu *vcpu, struct svm_region *region, const struct svm_access *a, uint64_t value)
{
    struct vmcb *vmcb = region->state.vmcb;

    if (vmcb->cr4 & CR4_PCIDE)
        value &= ~CR3_NO_FLUSH;
    if (value >> cpuid_physical_bits())
        return protection(vcpu, region);
    vmcb->cr3 = value;
    svm_tag_void(&region->tag);
    return svm_skip(vcpu, region, a->length);
}

/* Sources that VMX reports by value. */
static bool source_report(struct vcpu *vcpu, struct svm_region *region, const struct svm_access *a)
{
    uint64_t source = gpr_get(vcpu, a->reg), where = 0;
    uint32_t error = 0;
    int result = 0;

    if (a->kind == SVM_ACCESS_INVLPG)
        vcpu->exit.qualification = operand_address(vcpu, a);
    if (a->kind != SVM_ACCESS_LMSW)
        return true;
    if (a->memory && !word_reachable(vcpu, a, false))
        return svm_look_again(vcpu, region->state.vmcb);
    if (a->memory)
        region->state.image.guest_linear_address = operand_address(vcpu, a);
    vcpu->refused.qualification = 0;
    if (a->memory)
        result = linear_read(vcpu, operand_address(vcpu, a), &source, sizeof(uint16_t), LINEAR_READ, &where, &error);
    if (result)
        return unreached(vcpu, region, result, where, error, false);
    vcpu->exit.qualification |= (source & 0xFFFF) << 16 | (uint64_t)a->memory << 6;
    return true;
}

__attribute__((noinline)) bool svm_carry_access(struct vcpu *vcpu, struct svm_region *region,
                                                const struct svm_access *a)
{
    const struct vmcs *image = &region->state.image;
    bool loads_cr3 = a->kind == SVM_ACCESS_MOV_TO && !a->debug && a->number == 3;
    uint64_t value = loads_cr3 ? gpr_get(vcpu, a->reg) : 0;

    if (loads_cr3 && !registers_long_mode(vcpu))
        value = (uint32_t)value;
    if (loads_cr3 && is_target(image, value))
        return cr3_load(vcpu, region, a, value);
    return is_tpr_access(image, a) ? tpr_access(vcpu, region, a) : source_report(vcpu, region, a);
}

/* ---- MSRs ------------------------------------------------------------------------------ */

/* An MSR that the merged bitmap lets a guest's guest have, where the map catches all. */
static bool msr_passes(struct vcpu *vcpu, struct svm_region *region)
{
    const struct vmcs *image = &region->state.image;
    uint32_t msr = (uint32_t)vcpu->gpr[RCX];
    bool write = exit_basic(&vcpu->exit) == EXIT_WRMSR;

    return image->msr_bitmap != svm_maps.bitmap && (image->processor_controls & CPU_MSR_BITMAPS) &&
           svm_is_free_msr(msr) && !svm_msr_exits(frame_pointer(hpa(image->msr_bitmap)), msr, write);
}

__attribute__((noinline)) bool svm_carry_msr(struct vcpu *vcpu, struct svm_region *region)
{
    uint32_t msr = (uint32_t)vcpu->gpr[RCX];
    uint64_t value = vcpu->gpr[RDX] << 32 | (uint32_t)vcpu->gpr[RAX];

    if (!msr_passes(vcpu, region))
        return true;
    if (exit_basic(&vcpu->exit) == EXIT_WRMSR) {
        if (!svm_free_msr_write(region, msr, value))
            return protection(vcpu, region);
    } else {
        svm_free_msr_read(region, msr, &value);
        vcpu->gpr[RAX] = (uint32_t)value;
        vcpu->gpr[RDX] = value >> 32;
    }
    return svm_skip(vcpu, region, vcpu->exit.instruction_length);
}

static uint64_t *msr_home(struct vmcb *vmcb, uint32_t msr)
{
    switch (msr) {
#define FREE_MSR(NAME, number, value, home, member) \
    case number: \
        return &vmcb->member;
#include "cp/cpu/free_msrs.def"
#undef FREE_MSR
    default:
        return NULL;
    }
}

bool svm_is_free_msr(uint32_t msr)
{
    switch (msr) {
#define FREE_MSR(NAME, number, value, home, member) case number:
#include "cp/cpu/free_msrs.def"
#undef FREE_MSR
        return true;
    case MSR_TSC_AUX:
        return vmx_has_tsc_aux();
    default:
        return false;
    }
}

bool svm_free_msr_read(const struct svm_region *region, uint32_t msr, uint64_t *value)
{
    if (!svm_is_free_msr(msr))
        return false;
    *value = msr == MSR_TSC_AUX ? op_rdmsr(msr) : *msr_home(region->state.vmcb, msr);
    return true;
}

bool svm_free_msr_write(struct svm_region *region, uint32_t msr, uint64_t value)
{
    if (!svm_is_free_msr(msr) || !vmx_free_msr_valid(msr, value))
        return false;
    if (msr == MSR_TSC_AUX)
        op_wrmsr(msr, value);
    else
        *msr_home(region->state.vmcb, msr) = value;
    return true;
}
