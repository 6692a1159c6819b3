/* Virtual VMX in the run loop, between exit and entry: instructions and calls of L1, what nest/ made of an exit of L2,
 * and what CP makes up for L1: interrupts, NMIs, INIT, exceptions, a triple fault. */
#include "cp/vcpu/nested.h"

#include "cp/diagnose.h"
#include "cp/nested/hardware.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/exits.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"

/* What CP has left to do for a step that nest/ took. */
static void conclude(struct vm *vm, enum nest_result result)
{
    struct vcpu *vcpu = &vm->vcpu;

    switch (result) {
    case NEST_REFLECTED:
        cpu_nested->use(vcpu, NULL);
        break;
    case NEST_ENTERED:
        vcpu->event_info = vcpu->nest->event.info;
        vcpu->event_error = vcpu->nest->event.error;
        vcpu->event_length = vcpu->nest->event.length;
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
    if (result == NEST_CP || result == NEST_RESUME)
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
    conclude(vm, nest_reflect(vcpu->nest, &exit));
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

/* The event that waited for L2 goes to L1 as IDT-vectoring information; a trap flag's exit is no such event. */
static struct exit made_up(struct vcpu *vcpu, uint32_t reason)
{
    struct exit exit = {.reason = reason, .rip = vcpu_read(vcpu, VMCS_GUEST_RIP)};

    if ((vcpu->event_info & EVENT_TYPE) == EVENT_OTHER)
        vcpu->event_info = vcpu->event_length = 0;
    exit.idt_vectoring_info = vcpu->event_info;
    exit.idt_vectoring_error = vcpu->event_error;
    exit.instruction_length = vcpu->event_length;
    vcpu->event_info = 0;
    return exit;
}

void nested_init(struct vm *vm)
{
    struct exit exit = made_up(&vm->vcpu, EXIT_INIT);

    vm->vcpu.init_pending = false;
    conclude(vm, nest_reflect(vm->vcpu.nest, &exit));
}

void nested_trap_flag(struct vm *vm)
{
    struct exit exit = made_up(&vm->vcpu, EXIT_MTF);

    conclude(vm, nest_reflect(vm->vcpu.nest, &exit));
}

static bool reflect_interrupt(struct vm *vm)
{
    bool acknowledge = false;

    if (nest_interrupt_arrives(vm->vcpu.nest, &acknowledge) != NEST_ARRIVAL_EXIT)
        return false;
    struct exit exit = made_up(&vm->vcpu, EXIT_EXTERNAL_INTERRUPT);
    if (acknowledge) {
        int vector = machine_interrupt_acknowledge(&vm->machine);
        if (vector >= 0)
            exit.interruption_info = EVENT_VALID | EVENT_EXTERNAL | (uint32_t)vector;
    }
    conclude(vm, nest_reflect(vm->vcpu.nest, &exit));
    return true;
}

static bool reflect_nmi(struct vm *vm)
{
    if (nest_nmi_arrives(vm->vcpu.nest) != NEST_ARRIVAL_EXIT)
        return false;
    struct exit exit = made_up(&vm->vcpu, EXIT_EXCEPTION_NMI);
    exit.interruption_info = EVENT_VALID | EVENT_NMI | VECTOR_NMI;
    vm->vcpu.nmi_pending = false;
    conclude(vm, nest_reflect(vm->vcpu.nest, &exit));
    return true;
}

void nested_interrupt(struct vm *vm)
{
    if (vm->vcpu.nmi_pending && reflect_nmi(vm))
        return;
    if (machine_interrupt_pending(&vm->machine))
        reflect_interrupt(vm);
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
    enum nest_result result = nest_exit(vm->vcpu.nest, &vm->vcpu.exit);

    (result == NEST_REFLECTED ? vm->nested_reflected : vm->nested_handled)[reason < EXIT_REASONS ? reason : 0]++;
    if (result == NEST_CP) {
        if (!nest_steps(vm->vcpu.nest))
            return false;
        exit_dispatch_stepped(vm);
        return true;
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
