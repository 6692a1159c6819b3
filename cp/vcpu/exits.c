/* Owns the table from exit reason to handler, the short handlers, and what becomes of their answers. */
#include "cp/vcpu/exits.h"

#include <stddef.h>

#include "cp/diagnose.h"
#include "cp/vcpu/controls.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/edge.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/machine_check.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"

enum { BLOCKED_MOV_SS = 2, BLOCKED_STI_OR_MOV_SS = 3 };
enum { PENDING_ENABLED = 1 << 12 };

enum exit_action exit_stopped(struct vm *vm, enum vm_stop why, uint32_t detail)
{
    vm_stop(vm, why, detail);
    return EXIT_STOP;
}

enum exit_action exit_unemulated(struct vm *vm)
{
    return nested_triple_fault(vm) ? EXIT_RESUME : exit_stopped(vm, VM_STOP_EMULATION, vm->vcpu.exit.reason);
}

enum exit_action exit_fault(struct vm *vm, unsigned vector, uint32_t error)
{
    vcpu_queue_exception(&vm->vcpu, vector, true, error);
    return EXIT_INJECT;
}

enum exit_action exit_undefined(struct vm *vm)
{
    vcpu_queue_exception(&vm->vcpu, VECTOR_UD, false, 0);
    return EXIT_INJECT;
}

enum exit_action exit_cpuid(struct vm *vm)
{
    uint64_t *gpr = vm->vcpu.gpr;
    struct cpuid_answer a = cpuid_answer(vm, (uint32_t)gpr[RAX], (uint32_t)gpr[RCX]);

    gpr[RAX] = a.eax;
    gpr[RBX] = a.ebx;
    gpr[RCX] = a.ecx;
    gpr[RDX] = a.edx;
    return EXIT_SKIP;
}

/* With interrupts off only an NMI or INIT can end a HLT in a machine of one CPU: without a device that may send one,
 * the disabled wait of old. A halted L2 is no reason to stop L1, since a timer or an interrupt of L1's may end L2's
 * run. */
enum exit_action exit_hlt(struct vm *vm)
{
    pace_idle(&vm->machine.pace);
    if (event_deliverable(vm) || registers_steps(&vm->vcpu) || nested_steps(&vm->vcpu))
        return EXIT_SKIP;
    if (nested_runs(&vm->vcpu)) {
        nested_halt(vm);
        return EXIT_SKIP;
    }
    if (!(vcpu_read(&vm->vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_IF) && !event_may_come(vm))
        return exit_stopped(vm, VM_STOP_DISABLED_WAIT, 0);
    vm->state = VM_WAITING;
    return EXIT_SKIP;
}

enum exit_action exit_vmcall(struct vm *vm)
{
    if (vm->vcpu.gpr[RAX] == DIAGNOSE_ENTER)
        return nested_enter(vm);
    uint64_t status = vm_diagnose(vm);
    vm->vcpu.gpr[RAX] = status;
    return EXIT_SKIP; /* one that stopped its machine is done too */
}

/* An NMI or machine check is the real machine's, and has been noted already. The other exceptions CP intercepts may
 * recur for ever, one in the delivery of the other. CP only wants its interrupts to come in, which cannot while that
 * goes on. */
enum exit_action exit_exception(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;

    if ((vcpu->exit.interruption_info & EVENT_TYPE) == EVENT_NMI)
        return EXIT_RESUME;
    if ((vcpu->exit.interruption_info & 0xFF) == VECTOR_MC)
        return machine_check_in_guest(vm);
    cpu_look(); /* a trap behind a delivery recurs without being vectored, and is ahead of any interrupt */
    event_return(vcpu);
    return EXIT_INJECT;
}

enum exit_action exit_triple_fault(struct vm *vm)
{
    machine_check_shut_down(vm);
    return EXIT_STOP;
}

/* It may have been asked for when L2 ran last: what is wanted now is looked at before the next entry. */
static enum exit_action window_opened(struct vm *vm)
{
    vm->vcpu.window = true;
    return EXIT_RESUME;
}

uint64_t exits_asynchronous;

static enum exit_action asynchronous(struct vm *vm)
{
    (void)vm;
    exits_asynchronous++;
    return EXIT_RESUME;
}

static enum exit_action skip(struct vm *vm)
{
    (void)vm;
    return EXIT_SKIP;
}

static enum exit_action bad_entry(struct vm *vm)
{
    return exit_stopped(vm, VM_STOP_BAD_ENTRY, vm->vcpu.exit.reason);
}

/* Features CPUID does not offer are undefined instructions; RDPMC without counters is #GP(0). */
static enum exit_action no_counters(struct vm *vm)
{
    return exit_fault(vm, VECTOR_GP, 0);
}

/* One row for each reason. What is UNASKED is an exit that no control of CP's own asks for. A program may cause a
 * PRIVILEGED exit only at privilege level 0. Some processors check that before they exit and some do not: Bochs exits
 * for XSETBV and for calls at any level. So it is checked here for all of them, before any handler. */
#define ROWS \
    HANDLED(EXCEPTION_NMI, exit_exception) \
    HANDLED(EXTERNAL_INTERRUPT, asynchronous) \
    HANDLED(TRIPLE_FAULT, exit_triple_fault) \
    HANDLED(INTERRUPT_WINDOW, window_opened) \
    HANDLED(NMI_WINDOW, window_opened) \
    HANDLED(CPUID, exit_cpuid) \
    HANDLED(GETSEC, exit_undefined) \
    PRIVILEGED(HLT, exit_hlt) \
    PRIVILEGED(INVD, skip) \
    HANDLED(RDPMC, no_counters) \
    PRIVILEGED(VMCALL, exit_vmcall) \
    HANDLED(VMCLEAR, nested_instruction) \
    HANDLED(VMLAUNCH, nested_instruction) \
    HANDLED(VMPTRLD, nested_instruction) \
    HANDLED(VMPTRST, nested_instruction) \
    HANDLED(VMREAD, nested_instruction) \
    HANDLED(VMRESUME, nested_instruction) \
    HANDLED(VMWRITE, nested_instruction) \
    HANDLED(VMXOFF, nested_instruction) \
    HANDLED(VMXON, nested_instruction) \
    PRIVILEGED(CR_ACCESS, exit_cr_access) \
    HANDLED(IO, exit_io) \
    PRIVILEGED(RDMSR, exit_rdmsr) \
    PRIVILEGED(WRMSR, exit_wrmsr) \
    HANDLED(ENTRY_GUEST_STATE, bad_entry) \
    HANDLED(ENTRY_MSR, bad_entry) \
    HANDLED(MWAIT, exit_undefined) \
    HANDLED(MONITOR, exit_undefined) \
    HANDLED(ENTRY_MCE, machine_check_in_guest) \
    HANDLED(EPT_VIOLATION, exit_ept_violation) \
    HANDLED(INVEPT, nested_instruction) \
    HANDLED(PREEMPTION_TIMER, asynchronous) \
    HANDLED(INVVPID, nested_instruction) \
    PRIVILEGED(WBINVD, skip) \
    PRIVILEGED(XSETBV, exit_xsetbv) \
    HANDLED(VMFUNC, nested_instruction) \
    HANDLED(EPT_MISCONFIG, exit_unemulated) /* CP makes no such entry */ \
    HANDLED(INVPCID, exit_unemulated) /* exits with INVLPG only */ \
    UNASKED(INIT) UNASKED(SIPI) UNASKED(TASK_SWITCH) UNASKED(INVLPG) UNASKED(RDTSC) UNASKED(RSM) UNASKED(DR_ACCESS) \
    UNASKED(MTF) UNASKED(PAUSE) UNASKED(TPR) UNASKED(APIC_ACCESS) UNASKED(EOI) UNASKED(GDTR_IDTR) UNASKED(LDTR_TR) \
    UNASKED(RDTSCP) UNASKED(APIC_WRITE) UNASKED(RDRAND) UNASKED(ENCLS) UNASKED(RDSEED) UNASKED(PML_FULL) \
    UNASKED(XSAVES) UNASKED(XRSTORS)

enum {
#define HANDLED(reason, handler) HANDLES_##reason = 1,
#define PRIVILEGED(reason, handler) HANDLED(reason, handler)
#define UNASKED(reason) HANDLES_##reason = 0,
    ROWS
#undef HANDLED
#undef PRIVILEGED
#undef UNASKED
    HANDLES_NONE = 1,
    ASKS_PIN = OWN_PIN, ASKS_CPU = OWN_CPU | OWN_CPU_WINDOWS, ASKS_CPU2 = OWN_CPU2 | OWN_CPU2_WANTED,
    ASKS_EXIT = OWN_EXIT, ASKS_ENTRY = OWN_ENTRY
};
#define EXIT_REASON(NAME, number, text) _Static_assert(HANDLES_##NAME >= 0, #NAME " has no row");
#include "vmcs-shadow/exits.def"
#undef EXIT_REASON
#define CONTROL(word, NAME, bit, offered, merge, exit, exit2) \
    _Static_assert(!(ASKS_##word & word##_##NAME) || (HANDLES_##exit && HANDLES_##exit2), \
                   "CP runs its guests with " #word "_" #NAME ", and does not handle its exits");
#include "vmcs-shadow/controls.def"
#undef CONTROL

#define UNASKED(reason)
static exit_handler *const privileged[EXIT_REASONS] = {
#define HANDLED(reason, handler)
#define PRIVILEGED(reason, handler) [EXIT_##reason] = handler,
    ROWS
#undef HANDLED
#undef PRIVILEGED
};

static enum exit_action at_level_0(struct vm *vm)
{
    return registers_cpl(&vm->vcpu) ? exit_fault(vm, VECTOR_GP, 0) : privileged[exit_basic(&vm->vcpu.exit)](vm);
}

static exit_handler *const handlers[EXIT_REASONS] = {
#define HANDLED(reason, handler) [EXIT_##reason] = handler,
#define PRIVILEGED(reason, handler) [EXIT_##reason] = at_level_0,
    ROWS
#undef HANDLED
#undef PRIVILEGED
};

/* What trapped in a load of SS before comes with what traps now. */
static uint64_t held_back(struct vcpu *vcpu, uint64_t blocked)
{
    uint64_t pending = vcpu_read(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS);

    return (blocked & BLOCKED_MOV_SS) && (pending & PENDING_ENABLED) ? pending & DR6_BREAKPOINTS : 0;
}

/* One #DB for all that traps behind an instruction, or behind an element of a repetition: breakpoints it met, a single
 * step. */
static void trap(struct vcpu *vcpu, uint64_t blocked, uint64_t met)
{
    uint64_t traps = met | held_back(vcpu, blocked) | (registers_steps(vcpu) ? DR6_BS : 0);

    vcpu_write(vcpu, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0); /* an exit leaves none else, but for Bochs */
    if (traps)
        vcpu_queue_debug(vcpu, traps);
}

/* What was blocked by STI and MOV SS, and is no more. */
static inline __attribute__((always_inline)) uint64_t shadow_end(struct vcpu *vcpu)
{
    uint64_t blocked = vcpu_read(vcpu, VMCS_GUEST_INTERRUPTIBILITY);

    if (blocked & BLOCKED_STI_OR_MOV_SS)
        vcpu_write(vcpu, VMCS_GUEST_INTERRUPTIBILITY, blocked & ~(uint64_t)BLOCKED_STI_OR_MOV_SS);
    return blocked;
}

/* Outside 64-bit mode RIP wraps at 4 GiB. An instruction that was completed ends the shadow of STI and MOV SS and
 * clears RF. */
static inline __attribute__((always_inline)) void skip_instruction(struct vcpu *vcpu, uint64_t met)
{
    uint64_t next = vcpu->exit.rip + vcpu->exit.instruction_length;

    if ((next ^ vcpu->exit.rip) >> 32 && !registers_long_mode(vcpu))
        next = (uint32_t)next;
    vcpu_write(vcpu, VMCS_GUEST_RIP, next);
    uint64_t blocked = shadow_end(vcpu);
    uint64_t flags = vcpu_read(vcpu, VMCS_GUEST_RFLAGS);
    if (!(flags & (RFLAGS_TF | RFLAGS_RF)) && !met)
        return;
    vcpu_write(vcpu, VMCS_GUEST_RFLAGS, flags & ~RFLAGS_RF);
    trap(vcpu, blocked, met);
}

void exit_skip(struct vcpu *vcpu)
{
    skip_instruction(vcpu, vcpu->breakpoints_met);
}

enum exit_action exit_done(struct vcpu *vcpu)
{
    if (!vcpu->breakpoints_met)
        return EXIT_SKIP;
    exit_skip(vcpu);
    if (nested_steps(vcpu))
        event_trap_flag(vcpu);
    return EXIT_INJECT;
}

enum exit_action exit_again(struct vcpu *vcpu)
{
    vcpu_write(vcpu, VMCS_GUEST_RFLAGS, vcpu_read(vcpu, VMCS_GUEST_RFLAGS) | RFLAGS_RF);
    trap(vcpu, shadow_end(vcpu), vcpu->breakpoints_met);
    if (nested_steps(vcpu))
        event_trap_flag(vcpu);
    return EXIT_RESUME;
}

static inline __attribute__((always_inline)) enum exit_action dispatch(struct vm *vm)
{
    struct vcpu *vcpu = &vm->vcpu;
    unsigned reason = exit_basic(&vcpu->exit);
    exit_handler *handler = reason < EXIT_REASONS ? handlers[reason] : NULL;

    if (!nested_runs(vcpu)) /* else nested_exit() has counted it */
        vm->exits[reason < EXIT_REASONS ? reason : 0]++;
    event_requeue(vcpu);
    enum exit_action action = handler ? handler(vm) : exit_unemulated(vm);
    if (action == EXIT_SKIP)
        skip_instruction(vcpu, 0);
    return action;
}

/* Called in one place, the run loop, where it is inlined. */
void exit_dispatch(struct vm *vm)
{
    dispatch(vm);
}

void exit_dispatch_stepped(struct vm *vm)
{
    if (dispatch(vm) == EXIT_SKIP && nested_runs(&vm->vcpu))
        event_trap_flag(&vm->vcpu);
}
