/* Events on their way into a guest: exceptions, NMIs, external interrupts; one waits at a time in vcpu->event_info, in
 * the form of the VM-entry interruption-information field. SDM "Event Injection", "Interrupt-Window Exiting and
 * Virtual-Interrupt Delivery". */
#pragma once
#include "cp/vcpu/vm.h"

enum { EVENT_VALID = 1u << 31, EVENT_ERROR = 1 << 11, EVENT_TYPE = 7 << 8, EVENT_EXTERNAL = 0 << 8, EVENT_NMI = 2 << 8,
       EVENT_HARDWARE_EXCEPTION = 3 << 8, EVENT_SOFTWARE_INTERRUPT = 4 << 8, EVENT_PRIVILEGED = 5 << 8,
       EVENT_SOFTWARE_EXCEPTION = 6 << 8, EVENT_OTHER = 7 << 8 /* a pending MTF VM exit of L2 */ };

/* An event whose delivery the last exit cut short waits again. */
void event_requeue_cut(struct vcpu *); /* @pre there was one */
static inline void event_requeue(struct vcpu *vcpu)
{
    if (vcpu->exit.idt_vectoring_info & EVENT_VALID)
        event_requeue_cut(vcpu);
}
/* The instruction of an EPT violation is executed once more, or in its place, as if there had been no exit: in an IRET
 * NMIs stay blocked until it is complete (SDM "Information About NMI Unblocking Due to IRET"), the step of TF is not
 * pending before it, and a breakpoint on it was met before (SDM "Saving RIP, RSP, RFLAGS, and SSP"; Bochs leaves both
 * otherwise). @pre the exit is an EPT violation */
void event_violation_resolved(struct vcpu *);
/* Gives the guest the exception of this exit, which it would have had without CP. @pre an event that the exit cut short
 * was requeued */
void event_return(struct vcpu *);
/* CP carried out an instruction of L2's, or an element of a repetition, behind which L1 wants an exit: it comes before
 * the #DB of a step. SDM "Monitor Trap Flag" */
void event_trap_flag(struct vcpu *);
/* Does anything need event_prepare before the next entry? The usual answer, no, costs a few instructions. */
static inline bool event_waits(const struct vm *vm)
{
    const struct vcpu *vcpu = &vm->vcpu;
    return vcpu->event_info || vcpu->nmi_pending || vcpu->triple_fault || vcpu->window ||
           vm->machine.pending || vm->machine.nmi;
}
/* Before an entry: hands over what waits, or asks for a window. */
enum event_entry {
    EVENT_SHUT_DOWN, /* no entry: the guest triple-faulted, or its machine is stopped already */
    EVENT_WAITS,     /* none either: a guest's guest is halted, and the machine waits */
    EVENT_ENTER,
    EVENT_LEAVE      /* enter, and leave before an instruction: a guest's guest has something delivered first, then its
                        hypervisor has something */
};
enum event_entry event_prepare(struct vm *);
/* Would an interrupt or NMI be taken at once? For HLT. */
bool event_deliverable(struct vm *);
/* May one ever end a HLT with interrupts off: an NMI, unless they are blocked, or an INIT? Not of a guest's guest. */
bool event_may_come(struct vm *);
