#include "cp/dispatch/nested.h"

#include <stddef.h>

#include "cp/cpu/nested.h"
#include "cp/cpu/backend.h"
#include "cp/diagnose.h"
#include "cp/dispatch/cpuid.h"
#include "cp/dispatch/event.h"
#include "cp/dispatch/handlers.h"
#include "cp/dispatch/nested_host.h"
#include "cp/dispatch/registers.h"
#include "cp/dispatch/scheduler.h"
#include "cp/dispatch/timer.h"

/* All that a machine with virtual VMX needs beside its VMCSs. */
struct nested {
    struct nest nest; /* first: vcpu.nest points here */
    struct nest_host host;
    struct vmx_capability offered;
    struct timer halted;      /* armed while L2 waits in HLT and L1 has a timer to take it out */
};

enum { NESTED_PAGES = (sizeof(struct nested) + PAGE_MASK) / PAGE_SIZE };

static enum nest_mode mode_of(enum vm_nested mode)
{
    static const enum nest_mode modes[VM_NESTED_MODES] = {
        [VM_NESTED_OFF] = NEST_OFF, [VM_NESTED_TRAP] = NEST_TRAP,
        [VM_NESTED_SHADOW] = NEST_SHADOW, [VM_NESTED_MEMORY] = NEST_MEMORY,
    };
    return modes[mode];
}

/* Where hardware has no shadow regions a guest's guest exits at every VMREAD, and to go through a shadow VMCS costs its
 * hypervisor more exits yet, unless that one is a page it shares with CP. */
static bool offers_shadowing(const struct vm *vm)
{
    return vm->config.nested >= (cpu_nested->shadow_regions ? VM_NESTED_SHADOW : VM_NESTED_MEMORY);
}

static void create(struct vm *vm, struct nested *nested)
{
    const struct vmx_capability *hardware = cpu_nested->capability();
    struct nest_policy policy = {
        .cr0_ones = CR0_NE, .cr0_zeroes = CR0_CD | CR0_NW,
        .cr4_ones = CR4_VMXE, .cr4_zeroes = ~cpuid_cr4_allowed(vm) & ~CR4_VMXE,
        .physical_bits = (uint8_t)cpuid_physical_bits(),
        .nested_page_tables = cpu_nested->nested_page_tables,
    };
    struct vmcs vmcs01 = {0};

    policy.vpid_first = cpu_nested->vpid_first(&vm->vcpu, &policy.vpid_count);
    capability_offer(&nested->offered, hardware, offers_shadowing(vm));
    cpu_nested->base(&vm->vcpu, &vmcs01);
    nested_host_fill(&nested->host, vm);
    nest_init(&nested->nest, &nested->host, mode_of(vm->config.nested), &policy, hardware, &nested->offered,
              &vmcs01);
}

/* The machine's virtual VMX, made when it is first asked for. NULL: not offered, or no frames for it. */
static struct nest *nest_of(struct vm *vm)
{
    if (vm->vcpu.nest || vm->config.nested == VM_NESTED_OFF || !cpu_nested)
        return vm->vcpu.nest;
    struct nested *nested = frame_alloc_run(&vm->storage.account, NESTED_PAGES);
    if (!nested)
        return NULL;
    vm->vcpu.nest = &nested->nest;
    create(vm, nested);
    return vm->vcpu.nest;
}

int nested_read_msr(struct vm *vm, uint32_t msr, uint64_t *value)
{
    const struct nest *nest = nest_of(vm);
    return nest && nest_is_msr(msr) && nest_rdmsr(nest, msr, value) ? 0 : -1;
}

int nested_write_msr(struct vm *vm, uint32_t msr, uint64_t value)
{
    struct nest *nest = nest_of(vm);
    return nest && nest_is_msr(msr) && nest_wrmsr(nest, msr, value) ? 0 : -1;
}

bool nested_allows_cr(struct vm *vm, unsigned number, uint64_t value)
{
    return !vm->vcpu.nest || nest_allows_cr(vm->vcpu.nest, number, value);
}

struct nest_cr nested_cr(struct vm *vm, unsigned number, uint64_t value)
{
    if (vm->vcpu.nest)
        return nest_cr_write(vm->vcpu.nest, number, value);
    uint64_t real = number == 0 ? (value & ~(CR0_CD | CR0_NW)) | CR0_NE : value | CR4_VMXE;
    return (struct nest_cr){real, value};
}

enum { ACTIVITY_HLT = 1 };

static void timer_of_l1(struct timer *timer)
{
    struct vm *vm = timer->owner;

    if (vm->state != VM_WAITING || !nested_runs(&vm->vcpu))
        return;
    vm->state = VM_RUNNABLE;
    scheduler_add(vm);
}

void nested_halt(struct vm *vm)
{
    struct nested *nested = (struct nested *)vm->vcpu.nest;

    vcpu_write(&vm->vcpu, VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
    timer_cancel(&nested->halted);
    if (nested->nest.timer_deadline == NEST_NO_ADDRESS)
        return;
    nested->halted.owner = vm;
    nested->halted.expire = timer_of_l1;
    timer_arm(&nested->halted, nested->nest.timer_deadline);
}

void nested_destroy(struct vm *vm)
{
    struct nested *nested = (struct nested *)vm->vcpu.nest;

    if (!nested)
        return;
    timer_cancel(&nested->halted);
    cpu_nested->use(&vm->vcpu, NULL);
    nest_destroy(&nested->nest);
    frame_free_run(&vm->storage.account, nested, NESTED_PAGES);
    vm->vcpu.nest = NULL;
}

bool nested_set_mode(struct vm *vm, enum vm_nested mode)
{
    if (vm->vcpu.nest && vm->vcpu.nest->vmxon)
        return false;
    nested_destroy(vm); /* what is offered depends on the mode */
    vm->config.nested = mode;
    vm_masks_write(vm);
    return true;
}

/* What became of a step that nest/ took. True: nothing more to do before the next entry. */
static void settle(struct vm *vm, enum nest_result result)
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
    struct nest *nest = nest_of(vm);

    if (!nest)
        return exit_undefined(vm);
    enum nest_result result = nest_instruction(nest, &vm->vcpu.exit);
    if (result == NEST_SKIP)
        return EXIT_SKIP;
    if (result == NEST_FAULT)
        return instruction_fault(&vm->vcpu);
    settle(vm, result);
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
    if (vcpu->nest && !vm->config.no_diagnose)
        result = nest_enter_page(vcpu->nest, vcpu->gpr[RBX], &error);
    if (result == NEST_SKIP) {
        vcpu->gpr[RAX] = status[error];
        return EXIT_SKIP;
    }
    settle(vm, result);
    return vm->state == VM_STOPPED ? EXIT_STOP : EXIT_RESUME;
}

uint64_t nested_prepare(struct vm *vm)
{
    struct nest_entry entry;

    if (nest_load(vm->vcpu.nest, &entry) == NEST_NO_FRAMES) {
        vm_stop(vm, VM_STOP_NO_FRAMES, 0);
        return 0;
    }
    cpu_nested->use(&vm->vcpu, entry.region);
    if (!vmcs_set_empty(&entry.write))
        cpu_nested->push(&vm->vcpu, entry.image, &entry.write);
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
    settle(vm, result);
}

bool nested_triple_fault(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;

    if (!nested_runs(vcpu))
        return false;
    struct exit exit = {.reason = EXIT_TRIPLE_FAULT, .rip = vcpu->exit.rip};
    vcpu->triple_fault = false;
    vcpu->event_info = 0;
    settle(vm, nest_reflect(vcpu->nest, &exit));
    return true;
}

bool nested_blocks_init(const struct vm *vm)
{
    return nest_blocks_init(vm->vcpu.nest);
}

bool nested_wants_interrupt(struct vm *vm)
{
    bool acknowledge;
    return machine_interrupt_pending(&vm->machine) &&
           nest_interrupt_arrives(vm->vcpu.nest, &acknowledge) == NEST_ARRIVAL_EXIT;
}

/* The event that waited for L2 goes to L1 as IDT-vectoring information. */
static struct exit made_up(struct vcpu *vcpu, uint32_t reason)
{
    struct exit exit = {.reason = reason, .rip = vcpu_read(vcpu, VMCS_GUEST_RIP)};

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
    settle(vm, nest_reflect(vm->vcpu.nest, &exit));
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
    settle(vm, nest_reflect(vm->vcpu.nest, &exit));
    return true;
}

static bool reflect_nmi(struct vm *vm)
{
    if (nest_nmi_arrives(vm->vcpu.nest) != NEST_ARRIVAL_EXIT)
        return false;
    struct exit exit = made_up(&vm->vcpu, EXIT_EXCEPTION_NMI);
    exit.interruption_info = EVENT_VALID | EVENT_NMI | VECTOR_NMI;
    vm->vcpu.nmi_pending = false;
    settle(vm, nest_reflect(vm->vcpu.nest, &exit));
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
    settle(vm, nest_entry_refused(vm->vcpu.nest));
}

bool nested_exit(struct vm *vm)
{
    unsigned reason = exit_basic(&vm->vcpu.exit);
    enum nest_result result = nest_exit(vm->vcpu.nest, &vm->vcpu.exit);

    (result == NEST_REFLECTED ? vm->nested_reflected : vm->nested_handled)[reason < EXIT_REASONS ? reason : 0]++;
    if (result == NEST_CP)
        return false;
    if (result == NEST_RESUME)
        event_requeue(&vm->vcpu);
    settle(vm, result);
    return true;
}

void nested_control(struct vm *vm, enum vmcs_index index, uint64_t value)
{
    if (vm->vcpu.nest)
        nest_base_write(vm->vcpu.nest, index, value);
}

bool nested_translate(struct vcpu *vcpu, uint64_t *at, bool write)
{
    return !nested_runs(vcpu) || nest_translate(vcpu->nest, *at, write ? NEST_WRITE : NEST_READ, at);
}
