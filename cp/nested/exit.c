/* Virtual VMX in the run loop, between exit and entry: instructions and calls of L1, what nest/ made of an exit of L2,
 * and what CP makes up for L1: interrupts, NMIs, INIT, windows, exceptions, a triple fault. */
#include "cp/vcpu/nested.h"

#include "cp/diagnose.h"
#include "cp/nested/hardware.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/exits.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"
#include "nest/chain.h"

/* What CP has left to do for a step that nest/ took. */
static void conclude(struct vm *vm, enum nest_result result)
{
    struct vcpu *vcpu = &vm->vcpu;

    switch (result) {
    case NEST_REFLECTED: /* what runs now is in use */
        break;
    case NEST_ENTERED:
        vcpu->event_info = vcpu->nest->event.info;
        vcpu->event_error = vcpu->nest->event.error;
        vcpu->event_length = vcpu->nest->event.length;
        vcpu->window |= nest_is_inactive(vcpu->nest); /* looked at before it is entered */
        break;
    case NEST_NO_FRAMES:
        cpu_nested->use(vcpu, NULL);
        vm_stop(vm, VM_STOP_NO_FRAMES, 0);
        break;
    case NEST_ABORT:
        cpu_nested->use(vcpu, NULL);
        vm_stop(vm, VM_STOP_VMX_ABORT, vcpu->nest->abort_reason);
        break;
    default:
        break;
    }
}

static enum exit_action instruction_fault(struct vcpu *vcpu)
{
    const struct nest_fault *fault = &vcpu->nest->fault;

    if (fault->vector == VECTOR_PF)
        vcpu_queue_page_fault(vcpu, fault->cr2, fault->error);
    else
        vcpu_queue_exception(vcpu, fault->vector, fault->has_error, fault->error);
    return EXIT_INJECT;
}

enum exit_action nested_instruction(struct vm *vm)
{
    struct nest *nest = nested_of(vm);

    if (!nest)
        return exit_undefined(vm);
    vm->vcpu.breakpoints_met = 0;
    enum nest_result result = nest_instruction(nest, &vm->vcpu.exit);
    if (result == NEST_SKIP)
        return exit_done(&vm->vcpu);
    if (result == NEST_FAULT)
        return instruction_fault(&vm->vcpu);
    conclude(vm, result);
    return vm->state == VM_STOPPED ? EXIT_STOP : EXIT_RESUME;
}

enum exit_action nested_enter(struct vm *vm)
{
    static const enum diagnose_status status[] = {
        [NEST_PAGE_NOT_OFFERED] = DIAGNOSE_NOT_OFFERED, [NEST_PAGE_ADDRESS] = DIAGNOSE_BAD_ADDRESS,
        [NEST_PAGE_MALFORMED] = DIAGNOSE_BAD_PAGE, [NEST_PAGE_NO_FRAMES] = DIAGNOSE_BUSY,
        [NEST_PAGE_FAILED] = DIAGNOSE_ENTRY_FAILED,
    };
    struct vcpu *vcpu = &vm->vcpu;
    enum nest_page_error error = NEST_PAGE_NOT_OFFERED;
    enum nest_result result = NEST_SKIP;

    vm->nested_calls++;
    if (vcpu->nest && !machine_granted(&vm->config, GRANT_NO_DIAGNOSE))
        result = nest_enter_page(vcpu->nest, vcpu->gpr[RBX], &error);
    if (result == NEST_SKIP) {
        vcpu->gpr[RAX] = status[error];
        return EXIT_SKIP;
    }
    conclude(vm, result);
    return vm->state == VM_STOPPED ? EXIT_STOP : EXIT_RESUME;
}

static void not_loaded(struct vm *vm, enum nest_result result)
{
    if (result == NEST_NO_FRAMES)
        vm_stop(vm, VM_STOP_NO_FRAMES, 0);
    else if (result == NEST_WAITS)
        vm_stop(vm, VM_STOP_DISABLED_WAIT, 0);
    else
        vm_unsound(vm, vmcs_field_rows[vm->vcpu.nest->unsound].encoding);
}

uint64_t nested_prepare(struct vm *vm)
{
    struct nest_entry entry;
    enum nest_result result = nest_load(vm->vcpu.nest, &entry);

    if (result != NEST_RESUME) {
        not_loaded(vm, result);
        return 0;
    }
    cpu_nested->use(&vm->vcpu, entry.region);
    if (!vmcs_set_empty(entry.write))
        cpu_nested->push(&vm->vcpu, entry.image, entry.write);
    return entry.deadline;
}

/* What L2 does with VMX, where who runs it leaves that to CP. False: that one has the exit. */
static bool delegated(struct vm *vm, unsigned reason)
{
    struct vcpu *vcpu = &vm->vcpu;
    struct nest *nest = vcpu->nest;
    enum nest_page_error error;

    if (!nest_chain_delegates(nest) || (reason == EXIT_VMCALL && registers_cpl(vcpu) != 0)) {
        nest_chain_yield(nest->innermost, reason);
        return false;
    }
    enum nest_result result = reason == EXIT_VMCALL ? nest_chain_enter(nest, vcpu->gpr[RBX], &error)
                                                    : nest_chain_instruction(nest, &vcpu->exit);
    if (result == NEST_OUTER)
        return false;
    vm->nested_handled[reason]++;
    if (result == NEST_SKIP) {
        if (reason == EXIT_VMCALL)
            vcpu->gpr[RAX] = DIAGNOSE_ENTRY_FAILED;
        exit_skip(vcpu);
    }
    if (result == NEST_FAULT)
        instruction_fault(vcpu);
    conclude(vm, result);
    return true;
}

static bool is_vmx(const struct vcpu *vcpu, unsigned reason)
{
    return reason == EXIT_VMCALL ? vcpu->gpr[RAX] == DIAGNOSE_ENTER : nest_is_instruction(reason);
}

/* Who owns the innermost has it back, at the call that entered it, with what was on its way to it. */
static void return_to_owner(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (exit_basic(&vcpu->exit) == EXIT_EPT_VIOLATION)
        event_violation_resolved(vcpu);
    event_requeue(vcpu);
    struct nest_event event = {vcpu->event_info, vcpu->event_error, vcpu->event_length};
    vcpu->event_info = 0;
    conclude(vm, nest_chain_return(vcpu->nest, &event));
}

void nested_exception(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;
    struct exit exit = vcpu->exit;

    exit.reason = EXIT_EXCEPTION_NMI;
    exit.qualification = vcpu->event_payload;
    exit.interruption_info = vcpu->event_info;
    exit.interruption_error = vcpu->event_error;
    exit.instruction_length = 0;
    enum nest_result result = nest_exit(vcpu->nest, &exit);
    if (result == NEST_CP || result == NEST_OUTER || result == NEST_RESUME)
        return;
    vcpu->event_info = 0;
    vcpu->event_made = false;
    conclude(vm, result);
}

bool nested_triple_fault(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (!nested_runs(vcpu))
        return false;
    struct exit exit = {.reason = EXIT_TRIPLE_FAULT, .rip = vcpu->exit.rip};
    vcpu->triple_fault = false;
    vcpu->event_info = 0;
    conclude(vm, nest_reflect(vcpu->nest->innermost, &exit));
    return true;
}

bool nested_blocks_init(const struct vm *vm)
{
    return nest_blocks_init(vm->vcpu.nest);
}

bool nested_takes_interrupts(const struct vm *vm)
{
    bool acknowledge;
    return nest_interrupt_arrives(vm->vcpu.nest, &acknowledge) == NEST_ARRIVAL_EXIT;
}

bool nested_takes_nmis(const struct vm *vm)
{
    return nest_nmi_arrives(vm->vcpu.nest, true) == NEST_ARRIVAL_EXIT;
}

/* An exit that the processor would make where L2 stands, and no event is on its way to L2. */
static void reflect(struct vm *vm, struct exit *exit)
{
    exit->rip = vcpu_read(&vm->vcpu, VMCS_GUEST_RIP);
    conclude(vm, nest_reflect(vm->vcpu.nest, exit));
}

void nested_trap_flag(struct vm *vm)
{
    struct exit exit = {.reason = EXIT_MTF};

    vm->vcpu.event_info = vm->vcpu.event_length = 0;
    reflect(vm, &exit);
}

enum { BLOCKED_STI_OR_MOV_SS = 3, BLOCKED_MOV_SS = 2, BLOCKED_NMI = 8, NOTHING = EXIT_REASONS };
enum { PENDING_BREAKPOINT = 1 << 12, PENDING_STEP = 1 << 14 };

/* SDM "Priority Among Concurrent Events"; where windows and the timer have their places: "Interrupt-Window Exiting and
 * Virtual-Interrupt Delivery", "NMI-Window Exiting", "VMX-Preemption Timer". What L1 leaves to L2 ends the search. */
static unsigned exit_due(const struct vm *vm, uint64_t blocked, bool interrupts_on)
{
    const struct nest *nest = vm->vcpu.nest;
    uint32_t windows = nest_windows(nest);
    bool nmis_blocked = blocked & BLOCKED_NMI;

    if (nest_timer_expired(nest, clock_now()))
        return EXIT_PREEMPTION_TIMER;
    if ((windows & CPU_NMI_WINDOW_EXITING) && !nmis_blocked)
        return EXIT_NMI_WINDOW;
    if (vm->vcpu.nmi_pending && nest_nmi_arrives(nest, nmis_blocked) == NEST_ARRIVAL_EXIT)
        return EXIT_EXCEPTION_NMI;
    if (vm->vcpu.nmi_pending && !nmis_blocked)
        return NOTHING;
    if ((windows & CPU_INTERRUPT_WINDOW_EXITING) && interrupts_on)
        return EXIT_INTERRUPT_WINDOW;
    return machine_interrupt_pending(&vm->machine) && nested_takes_interrupts(vm) ? EXIT_EXTERNAL_INTERRUPT : NOTHING;
}

static void reflect_due(struct vm *vm, enum exit_reason reason)
{
    struct exit exit = {.reason = reason};
    bool acknowledge = false;

    if (reason == EXIT_EXCEPTION_NMI) {
        exit.interruption_info = EVENT_VALID | EVENT_NMI | VECTOR_NMI;
        vm->vcpu.nmi_pending = false;
    } else if (reason == EXIT_INIT) {
        vm->vcpu.init_pending = false;
    } else if (reason == EXIT_EXTERNAL_INTERRUPT) {
        nest_interrupt_arrives(vm->vcpu.nest, &acknowledge);
        int vector = acknowledge ? machine_interrupt_acknowledge(&vm->machine) : -1;
        if (vector >= 0)
            exit.interruption_info = EVENT_VALID | EVENT_EXTERNAL | (uint32_t)vector;
    }
    reflect(vm, &exit);
}

/* What L2 has delivered before its next instruction, in the place of which an INIT can come, and else nothing. */
static bool traps(struct vcpu *vcpu, uint64_t blocked)
{
    return !(blocked & BLOCKED_MOV_SS) &&
           (vcpu_read(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS) & (PENDING_BREAKPOINT | PENDING_STEP));
}

/* What is for the machine's own guest finds that one's guest running, and no guest of guests. */
static bool chain_left(struct vcpu *vcpu)
{
    if (vcpu->nest->innermost == vcpu->nest)
        return true;
    if (vcpu->event_info)
        return false;
    nest_chain_stop(vcpu->nest);
    return true;
}

enum nested_next nested_next(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;
    bool halted = vcpu_read(vcpu, VMCS_GUEST_ACTIVITY_STATE) == ACTIVITY_HLT;

    if (halted)
        pace_idle(&vm->machine.pace);
    bool waiting = vcpu->nmi_pending || vcpu->init_pending || machine_interrupt_pending(&vm->machine);
    if (!waiting && !halted)
        return NESTED_GOES_ON;
    if (!chain_left(vcpu))
        return waiting ? NESTED_LEAVE : NESTED_GOES_ON;
    uint64_t blocked = vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY);
    if (vcpu->event_info || (!vcpu->init_pending && traps(vcpu, blocked)))
        return waiting ? NESTED_LEAVE : NESTED_GOES_ON;
    if (vcpu->init_pending) {
        reflect_due(vm, EXIT_INIT);
        return NESTED_GOES_ON;
    }
    bool interrupts_on = vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_IF;
    if ((blocked & BLOCKED_STI_OR_MOV_SS) && (interrupts_on || !(blocked & BLOCKED_NMI)))
        return NESTED_SHADOW;
    unsigned due = exit_due(vm, blocked, interrupts_on);
    if (due == NOTHING)
        return halted ? NESTED_HALTED : NESTED_GOES_ON;
    reflect_due(vm, due);
    return NESTED_GOES_ON;
}

void nested_refused(struct vm *vm)
{
    if (nest_entered_by_page(vm->vcpu.nest))
        vm->vcpu.gpr[RAX] = DIAGNOSE_ENTRY_FAILED;
    conclude(vm, nest_entry_refused(vm->vcpu.nest));
}

bool nested_exit(struct vm *vm)
{
    unsigned reason = exit_basic(&vm->vcpu.exit);
    vm->vcpu.breakpoints_met = 0;
    if (nest_chain_may_delegate(vm->vcpu.nest) && is_vmx(&vm->vcpu, reason) && delegated(vm, reason))
        return true;
    enum nest_result result = nest_exit(vm->vcpu.nest, &vm->vcpu.exit);

    (result == NEST_REFLECTED ? vm->nested_reflected : vm->nested_handled)[reason < EXIT_REASONS ? reason : 0]++;
    if (result == NEST_CP) {
        if (!nest_steps(vm->vcpu.nest))
            return false;
        exit_dispatch_stepped(vm);
        return true;
    }
    if (result == NEST_OUTER) {
        return_to_owner(vm);
        return true;
    }
    if (result == NEST_FORBIDDEN) {
        vm->vcpu.exit = vcpu_violation(&vm->vcpu);
        return nested_exit(vm);
    }
    if (result == NEST_SKIP) {
        exit_skip(&vm->vcpu);
        if (nest_steps(vm->vcpu.nest))
            event_trap_flag(&vm->vcpu);
    }
    if (result == NEST_RESUME && reason == EXIT_EPT_VIOLATION)
        event_violation_resolved(&vm->vcpu);
    if (result == NEST_RESUME || result == NEST_FAULT)
        event_requeue(&vm->vcpu);
    if (result == NEST_FAULT)
        instruction_fault(&vm->vcpu);
    conclude(vm, result);
    return true;
}
