/* Owns what SVM, or QEMU's form of it, does not do for a guest that debugs: arming its breakpoints, loading its debug
 * registers, debug exceptions that are pending as it is entered. */
#include "cp/cpu/svm_debug.h"

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/svm_carry.h"
#include "cp/storage/frame.h"
#include "cp/svm/debug.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"
#include "vmcs-shadow/control.h"

enum { BLOCKED_MOV_SS = 2, VECTOR_DEBUG = 1, TYPE_EXCEPTION = 3, DR7_NUMBER = 7 };
#define DR7_ENABLES 0xFFull
#define PENDING_ENABLED (1ull << 12)
#define INFO_VALID (1u << 31)

struct svm_armed svm_armed = {.dr7 = DR7_ALWAYS};

static void dr_write(unsigned number, uint64_t value)
{
    switch (number) {
    case 0: op_write_dr0(value); return;
    case 1: op_write_dr1(value); return;
    case 2: op_write_dr2(value); return;
    case 3: op_write_dr3(value); return;
    default: op_write_dr6(value); return;
    }
}

/* The code CP executes while the guest's breakpoints are armed, and the path of a #DB up to where it disarms them. */
static uint64_t breakpoints(const struct vmcb *vmcb)
{
    const struct svm_range window[] = {
        {(uintptr_t)svm_window, (uintptr_t)(svm_window_end - svm_window)},
        {(uintptr_t)trap_stubs + VECTOR_DEBUG * TRAP_STUB_BYTES, TRAP_STUB_BYTES},
        {(uintptr_t)trap_debug, (uintptr_t)(trap_debug_end - trap_debug)},
    };
    const uint64_t dr[] = {op_read_dr0(), op_read_dr1(), op_read_dr2(), op_read_dr3()};

    return svm_debug_armed(vmcb->dr7, dr, window, sizeof window / sizeof *window);
}

bool svm_debug_arm(const struct vmcb *vmcb)
{
    svm_armed.shadow = vmcb->interrupt_shadow & 1;
    svm_armed.dr7 = vmcb->dr7 & DR7_ENABLES ? breakpoints(vmcb) : DR7_ALWAYS;
    svm_armed.vmcb = frame_address(vmcb).a;
    return svm_armed.shadow || svm_armed.dr7 != DR7_ALWAYS;
}

/* If the guest can load DR6 without an exit, its value before the exception is not known. */
void svm_debug_load_dr6(const struct vmcb *vmcb)
{
    bool is_exit = vmcb->exit_code == SVM_EXIT_EXCEPTION + VECTOR_DEBUG;

    if (!is_exit || !svm_own.software)
        op_write_dr6(is_exit ? vmcb->dr6 & ~(uint64_t)SVM_DEBUG_CONDITIONS : vmcb->dr6);
}

/* SDM "Pending Debug Exceptions" and "Delivery of Pending Debug Exceptions after VM Entry": none survives an event that
 * is injected, a load of SS holds them back, and a step behind that comes of TF. */
bool svm_debug_pending(struct vcpu *vcpu, struct svm_region *region, bool over)
{
    struct vmcs *image = &region->state.image;
    uint64_t pending = image->guest_pending_debug_exceptions, conditions = pending & SVM_DEBUG_CONDITIONS;
    bool injects = region->state.vmcb->event_injection & VMCB_EVENT_VALID;

    if (!injects && (svm_field_read(&region->state, VMCS_INDEX_GUEST_INTERRUPTIBILITY) & BLOCKED_MOV_SS)) {
        image->guest_pending_debug_exceptions &= over ? ~0ull : ~DR6_BS;
        return false;
    }
    image->guest_pending_debug_exceptions = 0;
    if (injects || !(pending & (PENDING_ENABLED | DR6_BS)))
        return false;
    image->guest_activity_state = 0;
    region->state.vmcb->interrupt_shadow = 0;
    if (!(image->exception_bitmap >> VECTOR_DEBUG & 1)) {
        vcpu_queue_debug(vcpu, conditions);
        return svm_look_again(vcpu, region->state.vmcb);
    }
    vcpu->exit = (struct exit){.reason = EXIT_EXCEPTION_NMI,
                               .rip = region->state.vmcb->rip,
                               .qualification = conditions,
                               .interruption_info = INFO_VALID | TYPE_EXCEPTION << 8 | VECTOR_DEBUG};
    return true;
}

static bool refuse(struct vcpu *vcpu, struct svm_region *region, enum svm_debug_verdict why)
{
    if (why == SVM_DEBUG_DETECTED)
        vcpu_queue_debug(vcpu, DR6_BD);
    else
        vcpu_queue_exception(vcpu, why == SVM_DEBUG_UNDEFINED ? VECTOR_UD : VECTOR_GP, why == SVM_DEBUG_PROTECTION, 0);
    return svm_look_again(vcpu, region->state.vmcb);
}

bool svm_carry_debug(struct vcpu *vcpu, struct svm_region *region, const struct svm_access *a)
{
    struct svm_state *state = &region->state;
    bool to = a->kind == SVM_ACCESS_MOV_TO;
    uint64_t value = to ? svm_operand_get(vcpu, a) : 0;
    unsigned number;

    if (state->image.processor_controls & CPU_MOV_DR_EXITING)
        return true;
    enum svm_debug_verdict verdict =
        svm_debug_access(a, state->vmcb->cpl & 3, state->vmcb->cr4, state->vmcb->dr7, &number, &value);
    if (verdict != SVM_DEBUG_CARRY)
        return refuse(vcpu, region, verdict);
    if (!to)
        svm_operand_set(vcpu, a, number == DR7_NUMBER ? state->vmcb->dr7 : op_read_dr(number));
    else if (number == DR7_NUMBER)
        svm_field_write(state, VMCS_INDEX_GUEST_DR7, value);
    else
        dr_write(number, value);
    return svm_skip(vcpu, region, a->length);
}
