/* A virtual CPU in the VMX vocabulary. General registers are here; the rest of its state is in the backend's control
 * block and reached by VMCS field through vcpu_read/vcpu_write, on VMX and SVM alike (and through a struct vmcs in host
 * tests). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/vcpu/clock_page.h"
#include "cp/vcpu/exit.h"
#include "cp/vcpu/xstate.h"
#include "vmcs-shadow/field.h"

struct vm;
struct nest;

/* x86 encoding order; RSP's slot is not kept up to date: use VMCS_GUEST_RSP */
enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, GPRS };

struct vcpu_msrs {
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux;
};

/* An access for a guest's guest that L1's EPT forbids, met by a walk of CP's; as an EPT violation reports it. */
struct vcpu_refusal {
    uint64_t linear, guest_physical, qualification; /* qualification 0: none */
};

struct vcpu {
    uint64_t gpr[GPRS];
    uint64_t cr2;             /* while the processor does not hold it */
    struct exit exit;
    struct vm *vm;
    void *backend;            /* the backend's own part */
    uint64_t dr[4], dr6;
    struct vcpu_msrs msrs;    /* while the CPU does not hold them */
    struct xstate_guest xstate; /* x87 and vector state while the CPU does not hold it */
    uint64_t mtrr_def_type;   /* IA32_MTRR_DEF_TYPE */
    uint64_t spec_ctrl;       /* the SPEC_CTRL it wants: bits beyond CP's own are set while it runs */
    uint64_t reached;         /* where the last linear_translate() ended, for who runs: its guest-physical address */
    uint64_t tsc_offset;      /* guest TSC = host TSC + tsc_offset */
    uint64_t tsc_adjust;      /* IA32_TSC_ADJUST: what the guest added to its TSC since the reset */
    struct clock_page clock_page; /* KVM's clock: cp/vcpu/clock_page.h */
    /* events that wait for entry */
    uint32_t event_info;      /* VM-entry interruption information, 0: none */
    uint32_t event_error;
    uint32_t event_length;
    uint64_t event_payload;   /* of an exception CP made: CR2 of a page fault, DR6's bits of a #DB, else 0 */
    uint8_t breakpoints_met;  /* by the instruction that is carried out: cp/vcpu/breakpoint.h */
    bool event_made;          /* an exception CP made, which L1 may intercept; not one the processor was delivering */
    /* side by side: event_waits() asks for these three at once */
    bool nmi_pending;
    bool triple_fault;        /* the event to queue was one too many */
    bool window;              /* an interrupt-window or NMI-window exit is asked for */
    bool init_pending;        /* an INIT, which VMX operation holds back; `window` is on while it is */
    uint8_t mcg_status;       /* IA32_MCG_STATUS: RIPV, EIPV, MCIP, as its program left them */
    struct nest *nest;        /* virtual VMX, NULL until the guest asks about VMX */
    struct vcpu_refusal refused; /* the last; who wants to know clears it first */
};

/* The EPT violation that the refused access is. @pre refused.qualification is not 0 */
static inline struct exit vcpu_violation(const struct vcpu *vcpu)
{
    const struct vcpu_refusal *refused = &vcpu->refused;

    return (struct exit){.reason = EXIT_EPT_VIOLATION, .rip = vcpu->exit.rip, .guest_linear = refused->linear,
                         .qualification = refused->qualification, .guest_physical = refused->guest_physical};
}

/* Through the backend, whatever the processor holds now. */
uint64_t vcpu_read_any(struct vcpu *, enum vmcs_field);
void vcpu_write_any(struct vcpu *, enum vmcs_field, uint64_t value);

/* The fields of what runs: vmcs01, or vmcs02 while the guest's guest runs. When its VMCS is the processor's current
 * one, which is so in nearly every exit handler, an access is one instruction. */
#ifdef VMN_HOST
static inline uint64_t vcpu_read(struct vcpu *vcpu, enum vmcs_field field) { return vcpu_read_any(vcpu, field); }
static inline void vcpu_write(struct vcpu *vcpu, enum vmcs_field field, uint64_t value)
{
    vcpu_write_any(vcpu, field, value);
}
#else
#include "cp/cpu/vcpu_fast.h"
#endif

/* Queues an exception for the next entry (a second one makes #DF or a triple fault as SDM "Conditions for Generating a
 * Double Fault" says). */
void vcpu_queue_exception(struct vcpu *, unsigned vector, bool has_error, uint32_t error);
void vcpu_queue_page_fault(struct vcpu *, uint64_t linear, uint32_t error);
/* DR6 after a #DB for these conditions, given as in DR6 or in an exit's qualification. The four breakpoints are told of
 * anew, the rest stays until the guest clears it: SDM "Debug Status Register (DR6)". */
static inline uint64_t debug_dr6(uint64_t dr6, uint64_t conditions)
{
    enum { BREAKPOINTS = 0xF, CONDITIONS = 0xE00F }; /* B0 to B3, BD, BS, BT */
    return (dr6 & ~(uint64_t)BREAKPOINTS) | (conditions & CONDITIONS);
}
/* #DB; its conditions, as in DR6, come to DR6 when it is delivered. 0: they are there already. */
void vcpu_queue_debug(struct vcpu *, uint64_t conditions);
