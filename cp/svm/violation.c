/* Owns finding out by which linear address a guest came to a guest-physical one. In: the instruction at RIP, or the
 * event that was being delivered, and the state. All that either may touch is listed, and the address is the first of
 * the list whose translation meets the guest-physical one. */
#include "cp/svm/violation.h"

#include "cp/storage/address.h"
#include "cp/svm/touch.h"
#include "cp/vcpu/linear.h"
#include "cp/vcpu/registers.h"

enum { EXIT_READ = 1, EXIT_WRITE = 2, EXIT_FETCH = 4, EXIT_LINEAR_VALID = 1 << 7, EXIT_FINAL = 1 << 8 };
enum { OPERAND_LAST = 1 }; /* place in the list */
#define EVENT_ON_ITS_WAY (1u << 31)

/* The gate of an event on its way, and descriptors that it, or a load of a segment, reads. */
static void tables(struct vcpu *vcpu, struct svm_touches *t)
{
    uint32_t event = vcpu->exit.idt_vectoring_info;
    unsigned gate = vcpu_read(vcpu, VMCS_GUEST_EFER) & EFER_LMA ? 16 : vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_PE ? 8 : 4;

    if (event & EVENT_ON_ITS_WAY)
        svm_touches_add(t, vcpu_read(vcpu, VMCS_GUEST_IDTR_BASE) + (event & 0xFF) * gate);
    svm_touches_add(t, vcpu_read(vcpu, VMCS_GUEST_GDTR_BASE));
    svm_touches_add(t, vcpu_read(vcpu, VMCS_GUEST_TR_BASE));
    svm_touches_add(t, vcpu_read(vcpu, VMCS_GUEST_LDTR_BASE));
}

static bool take(struct vcpu *vcpu, uint64_t linear, bool table)
{
    struct exit *exit = &vcpu->exit;

    if (linear_part(vcpu, linear, exit->guest_physical) != (table ? LINEAR_TABLE : LINEAR_PAGE))
        return false;
    exit->guest_linear = table ? linear : (linear & ~(uint64_t)PAGE_MASK) | (exit->guest_physical & PAGE_MASK);
    exit->qualification |= EXIT_LINEAR_VALID | (table ? 0 : EXIT_FINAL);
    return true;
}

/* The place in the list of the one that was taken, or SVM_TOUCHES. */
static unsigned take_any(struct vcpu *vcpu, const struct svm_touches *t, bool table)
{
    for (unsigned i = 0; i < t->count; i++)
        if (take(vcpu, t->linear[i], table))
            return i;
    return SVM_TOUCHES;
}

static bool take_code(struct vcpu *vcpu, const struct execute_seams *seams, bool table)
{
    uint64_t at = seams->segment_base(seams->context, SEGMENT_CS) + vcpu->exit.rip;
    return take(vcpu, at, table) || take(vcpu, (at | PAGE_MASK) + 1, table);
}

static bool take_data(struct vcpu *vcpu, const struct execute_seams *seams, const struct svm_code *code, bool table)
{
    struct svm_touches t;

    svm_touches_find(code, seams, vcpu->exit.rip, &t);
    unsigned taken = take_any(vcpu, &t, table);
    if (t.modifies && !table && taken <= OPERAND_LAST)
        vcpu->exit.qualification = (vcpu->exit.qualification & ~(uint64_t)EXIT_READ) | EXIT_WRITE;
    return taken < SVM_TOUCHES;
}

static bool take_delivery(struct vcpu *vcpu, const struct execute_seams *seams, bool table)
{
    struct svm_touches t = {.count = 0};

    tables(vcpu, &t);
    svm_touches_stack(seams, &t);
    return take_any(vcpu, &t, table) < SVM_TOUCHES;
}

void svm_violation_complete(struct vcpu *vcpu, const struct execute_seams *seams, const struct svm_code *code,
                            bool table)
{
    bool delivering = vcpu->exit.idt_vectoring_info & EVENT_ON_ITS_WAY;

    if (vcpu->exit.qualification & EXIT_FETCH)
        take_code(vcpu, seams, false);
    else if (delivering)
        take_delivery(vcpu, seams, table);
    else if ((table && take_code(vcpu, seams, true)) || take_data(vcpu, seams, code, table))
        return;
    else
        take_delivery(vcpu, seams, table);
}
