#include "cp/vcpu/event.h"

#include "cp/vcpu/clock_page.h"
#include "cp/vcpu/controls.h"
#include "cp/vcpu/edge.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"
#include "nest/assert.h"

enum { BLOCKED_STI = 1, BLOCKED_MOV_SS = 2, BLOCKED_NMI = 8 };

/* SDM "Interrupt 8 - Double Fault Exception (#DF)": which exceptions while delivering which make a double fault. */
static bool contributory(unsigned vector)
{
    return vector == 0 || (vector >= VECTOR_TS && vector <= VECTOR_GP);
}

static bool doubles(unsigned first, unsigned second)
{
    return (contributory(first) && contributory(second)) ||
           (first == VECTOR_PF && (contributory(second) || second == VECTOR_PF));
}

/* An exception takes the place of an interrupt or NMI whose delivery was cut short; the instruction of a software
 * event is executed again, but these two nobody would send again: they come after the exception. Not while L2 runs:
 * there the event may be L1's. */
static void give_back(struct vcpu *vcpu, uint32_t waiting)
{
    if (nested_runs(vcpu))
        return;
    if ((waiting & EVENT_TYPE) == EVENT_EXTERNAL)
        machine_interrupt_give_back(&vcpu->vm->machine, (uint8_t)waiting);
    else if ((waiting & EVENT_TYPE) == EVENT_NMI)
        vcpu->nmi_pending = true;
}

static void queue(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error, uint64_t payload)
{
    uint32_t waiting = vcpu->event_info;

    if (vector != VECTOR_DB) /* SDM "Instruction-Breakpoint Exception Condition": a fault's image of RFLAGS has it */
        vcpu_write(vcpu, VMCS_GUEST_RFLAGS, vcpu_read(vcpu, VMCS_GUEST_RFLAGS) | RFLAGS_RF);
    if (waiting & EVENT_VALID)
        give_back(vcpu, waiting);
    if ((waiting & EVENT_VALID) && (waiting & EVENT_TYPE) == EVENT_HARDWARE_EXCEPTION) {
        unsigned first = waiting & 0xFF;
        if (first == VECTOR_DF) {
            vcpu->triple_fault = true;
            return;
        }
        if (doubles(first, vector))
            vector = VECTOR_DF, has_error = true, error = 0, payload = 0;
    }
    if (has_error && !(vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_PE))
        has_error = false; /* real mode pushes none */
    vcpu->event_info = EVENT_VALID | EVENT_HARDWARE_EXCEPTION | (has_error ? EVENT_ERROR : 0) | vector;
    vcpu->event_error = error;
    vcpu->event_payload = payload;
    vcpu->event_made = true;
}

void vcpu_queue_exception(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error)
{
    queue(vcpu, vector, has_error, error, 0);
}

void vcpu_queue_page_fault(struct vcpu *vcpu, uint64_t linear, uint32_t error)
{
    queue(vcpu, VECTOR_PF, true, error, linear);
}

void vcpu_queue_debug(struct vcpu *vcpu, uint64_t conditions)
{
    queue(vcpu, VECTOR_DB, false, 0, conditions);
}

void event_requeue_cut(struct vcpu *vcpu)
{
    const struct exit *exit = &vcpu->exit;

    vcpu->event_info = exit->idt_vectoring_info & ~(1u << 12);
    vcpu->event_error = exit->idt_vectoring_error;
    vcpu->event_length = exit->instruction_length;
    if ((vcpu->event_info & EVENT_TYPE) == EVENT_NMI) /* its delivery set blocking, which it must find clear again */
        vcpu_write(vcpu, VMCS_GUEST_INTERRUPTIBILITY,
                   vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & ~(uint64_t)BLOCKED_NMI);
}

void event_violation_resolved(struct vcpu *vcpu)
{
    enum { UNBLOCKED_BY_IRET = 1 << 12 };
    const struct exit *exit = &vcpu->exit;

    if (vcpu_read(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) &&
        !(vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKED_STI | BLOCKED_MOV_SS))) /* an entry wants it there */
        vcpu_write(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
    if (exit->idt_vectoring_info & EVENT_VALID)
        return;
    uint64_t flags = vcpu_read(vcpu, VMCS_GUEST_RFLAGS);
    if (!(flags & RFLAGS_RF))
        vcpu_write(vcpu, VMCS_GUEST_RFLAGS, flags | RFLAGS_RF);
    if (exit->qualification & UNBLOCKED_BY_IRET)
        vcpu_write(vcpu, VMCS_GUEST_INTERRUPTIBILITY, vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) | BLOCKED_NMI);
}

void event_trap_flag(struct vcpu *vcpu)
{
    enum { BREAKPOINTS = 0xF, ENABLED_BREAKPOINT = 1 << 12 };

    if (vcpu->event_made) {
        uint64_t met = vcpu->event_payload & (DR6_BS | BREAKPOINTS);
        vcpu_write(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, met | (met & BREAKPOINTS ? ENABLED_BREAKPOINT : 0));
        vcpu->event_made = false;
    }
    vcpu->event_info = EVENT_VALID | EVENT_OTHER;
}

/* INT1 is an instruction, whose #DB comes behind it and leaves DR6 alone. */
static void int1(struct vcpu *vcpu)
{
    vcpu->event_info = EVENT_VALID | EVENT_PRIVILEGED | VECTOR_DB;
    vcpu->event_length = vcpu->exit.instruction_length;
    vcpu->event_made = false;
    vcpu_write(vcpu, VMCS_GUEST_DR7, vcpu_read(vcpu, VMCS_GUEST_DR7) & ~DR7_GD);
}

/* The exit of a #DB has taken what was pending of debug exceptions, and an entry with TF in the shadow
 * of STI or MOV SS wants a step pending: SDM "Checks on Guest Non-Register State". The handler is not
 * in that shadow, so it ends here. */
void event_return(struct vcpu *vcpu)
{
    const struct exit *exit = &vcpu->exit;
    unsigned vector = exit->interruption_info & 0xFF;

    if (vector != VECTOR_DB) {
        vcpu_queue_exception(vcpu, vector, exit->interruption_info & EVENT_ERROR, exit->interruption_error);
        return;
    }
    uint64_t blocked = vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY);
    vcpu_write(vcpu, VMCS_GUEST_INTERRUPTIBILITY, blocked & ~(uint64_t)(BLOCKED_STI | BLOCKED_MOV_SS));
    if ((exit->interruption_info & EVENT_TYPE) == EVENT_PRIVILEGED)
        int1(vcpu);
    else
        vcpu_queue_debug(vcpu, exit->qualification);
}

/* SDM "Event Injection": what the processor's own exceptions change beside the stack, injected ones do not. */
static void payload_deliver(struct vcpu *vcpu)
{
    unsigned vector = vcpu->event_info & 0xFF;

    if (vector == VECTOR_PF)
        cpu_cr2_set(vcpu, vcpu->event_payload);
    if (vector != VECTOR_DB)
        return;
    cpu_dr6_report(vcpu, vcpu->event_payload);
    vcpu_write(vcpu, VMCS_GUEST_DR7, vcpu_read(vcpu, VMCS_GUEST_DR7) & ~DR7_GD);
    vcpu_write(vcpu, VMCS_GUEST_DEBUGCTL, vcpu_read(vcpu, VMCS_GUEST_DEBUGCTL) & ~DEBUGCTL_BTF);
}

static void hand_over(struct vcpu *vcpu)
{
    if (vcpu->event_made)
        payload_deliver(vcpu);
    vcpu->event_made = false;
    vcpu_write(vcpu, VMCS_ENTRY_INTERRUPTION_INFO, vcpu->event_info);
    if (vcpu->event_info & EVENT_ERROR)
        vcpu_write(vcpu, VMCS_ENTRY_EXCEPTION_ERROR_CODE, vcpu->event_error);
    if ((vcpu->event_info & EVENT_TYPE) >= EVENT_SOFTWARE_INTERRUPT)
        vcpu_write(vcpu, VMCS_ENTRY_INSTRUCTION_LENGTH, vcpu->event_length);
    vcpu->event_info = 0;
}

/* While L2 runs the window is one more of CP's controls that the merge adds to L1's; vmcs01 has its own. What L2 is
 * entered with was made before, so it is made again. False: that stopped the machine. */
static bool window_set(struct vm *vm, uint32_t wanted)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (nested_runs(vcpu)) {
        uint32_t base = vcpu->nest->vmcs01.processor_controls;
        vcpu->window |= wanted != 0; /* look again before the next entry */
        if ((base & OWN_CPU_WINDOWS) == wanted)
            return true;
        nested_control(vm, VMCS_INDEX_PROCESSOR_CONTROLS, (base & ~(uint32_t)OWN_CPU_WINDOWS) | wanted);
        nested_prepare(vm);
        return vm->state != VM_STOPPED;
    }
    if (!wanted && !vcpu->window)
        return true;
    uint64_t controls = vcpu_read(vcpu, VMCS_PROCESSOR_CONTROLS);
    uint64_t changed = (controls & ~(uint64_t)OWN_CPU_WINDOWS) | wanted;
    if (changed != controls)
        vcpu_write(vcpu, VMCS_PROCESSOR_CONTROLS, changed);
    vcpu->window = wanted != 0;
    return true;
}

static bool interrupt_open(struct vcpu *vcpu)
{
    return (vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
           !(vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKED_STI | BLOCKED_MOV_SS));
}

static bool nmi_open(struct vcpu *vcpu)
{
    return !(vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKED_NMI | BLOCKED_MOV_SS | BLOCKED_STI));
}

/* NMI before interrupt, as the processor ranks them. */
static void take_next(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (vcpu->nmi_pending && nmi_open(vcpu)) {
        vcpu->nmi_pending = false;
        vcpu->event_info = EVENT_VALID | EVENT_NMI | VECTOR_NMI;
    } else if (machine_interrupt_pending(&vm->machine) && interrupt_open(vcpu)) {
        int vector = machine_interrupt_acknowledge(&vm->machine);
        if (vector >= 0)
            vcpu->event_info = EVENT_VALID | EVENT_EXTERNAL | (uint32_t)vector;
    }
}

/* It waits while VMX operation is not left. True: the CPU goes on. */
static bool init_take(struct vm *vm)
{
    if (!nested_blocks_init(vm))
        vm_init(vm);
    return vm->state != VM_STOPPED;
}

/* The handler of a tick is done when the CPU would take the next interrupt. */
static void pace_follow(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (nested_runs(vcpu) && nested_takes_interrupts(vm))
        pace_done(&vm->machine.pace);
    else if (!vcpu->event_info && interrupt_open(vcpu))
        pace_done(&vm->machine.pace);
}

/* Where the shadow of STI or MOV SS over L2 ends. With interrupts off and NMIs blocked no window says. */
static uint32_t shadow_window(struct vcpu *vcpu)
{
    if (vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_IF)
        return CPU_INTERRUPT_WINDOW_EXITING;
    return vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_NMI ? 0 : CPU_NMI_WINDOW_EXITING;
}

static bool waits(const struct vm *vm)
{
    return vm->vcpu.nmi_pending || machine_interrupt_pending(&vm->machine);
}

/* Windows for what waits, and one for the end of a shadow. */
static uint32_t windows_wanted(struct vm *vm, enum nested_next next)
{
    uint32_t windows = vm->machine.pace.measures ? CPU_INTERRUPT_WINDOW_EXITING : 0;

    if (next == NESTED_LEAVE)
        return windows;
    if (next == NESTED_SHADOW)
        windows |= shadow_window(&vm->vcpu);
    return windows | (vm->vcpu.nmi_pending ? CPU_NMI_WINDOW_EXITING : 0) |
           (machine_interrupt_pending(&vm->machine) ? CPU_INTERRUPT_WINDOW_EXITING : 0);
}

static enum nested_next for_l2(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (vcpu->event_made)
        nested_exception(vm);
    else if ((vcpu->event_info & EVENT_TYPE) == EVENT_OTHER)
        nested_trap_flag(vm);
    return nested_runs(vcpu) ? nested_next(vm) : NESTED_GOES_ON;
}

enum event_entry event_prepare(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;
    enum nested_next next = NESTED_GOES_ON;

    clock_page_follow(vm);
    if (vcpu->triple_fault && !nested_triple_fault(vm))
        return EVENT_SHUT_DOWN;
    if (vcpu->init_pending && !nested_runs(vcpu) && !init_take(vm))
        return EVENT_SHUT_DOWN;
    if (machine_nmi_take(&vm->machine))
        vcpu->nmi_pending = true;
    if (vm->machine.pace.measures)
        pace_follow(vm);
    if (nested_runs(vcpu)) {
        next = for_l2(vm);
        if (vm->state == VM_STOPPED)
            return EVENT_SHUT_DOWN;
    }
    if (!vcpu->event_info && waits(vm) && next != NESTED_LEAVE)
        take_next(vm);
    if (vcpu->event_info) {
        if (nested_runs(vcpu) && !nest_assert_event(vcpu->event_info, vcpu->event_error)) {
            vm_unsound(vm, VMCS_ENTRY_INTERRUPTION_INFO);
            return EVENT_SHUT_DOWN;
        }
        hand_over(vcpu);
    } else if (next == NESTED_HALTED) {
        nested_wait(vm);
        return EVENT_WAITS;
    }
    bool goes_on = window_set(vm, windows_wanted(vm, next));
    vcpu->window |= vcpu->init_pending;
    if (!goes_on)
        return EVENT_SHUT_DOWN;
    return next == NESTED_LEAVE ? EVENT_LEAVE : EVENT_ENTER;
}

bool event_deliverable(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;
    if (machine_nmi_take(&vm->machine))
        vcpu->nmi_pending = true;
    if (vcpu->init_pending && !nested_blocks_init(vm))
        return true;
    bool nmi = vcpu->nmi_pending && (!(vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_NMI) ||
                                     (nested_runs(vcpu) && nested_takes_nmis(vm)));
    return nmi || (machine_interrupt_pending(&vm->machine) &&
                   ((nested_runs(vcpu) && nested_takes_interrupts(vm)) ||
                    (vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_IF)));
}

bool event_may_come(struct vm *vm)
{
    bool nmi_blocked = vcpu_read(&vm->vcpu, VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_NMI;
    return machine_may_send(&vm->machine, LAPIC_INIT) || (!nmi_blocked && machine_may_send(&vm->machine, LAPIC_NMI));
}
