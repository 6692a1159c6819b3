/* Reads a virtual CPU into a struct cpu_state and back. What comes back is judged as a guest's own writes to these
 * registers are: whatever loading it would fault in CP is refused here. */
#include "cp/vcpu/cpu_state.h"

#include <string.h>

#include "cp/storage/address.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/context.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/event.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/segment.h"
#include "cp/vcpu/vm.h"
#include "vmcs-shadow/control.h"

#define SEGMENT(S) \
    VMCS_GUEST_##S##_SELECTOR, VMCS_GUEST_##S##_BASE, VMCS_GUEST_##S##_LIMIT, VMCS_GUEST_##S##_ACCESS_RIGHTS

static const enum vmcs_field fields[] = {
    SEGMENT(ES), SEGMENT(CS), SEGMENT(SS), SEGMENT(DS), SEGMENT(FS), SEGMENT(GS), SEGMENT(LDTR), SEGMENT(TR),
    VMCS_GUEST_GDTR_BASE, VMCS_GUEST_GDTR_LIMIT, VMCS_GUEST_IDTR_BASE, VMCS_GUEST_IDTR_LIMIT,
    VMCS_GUEST_CR3, VMCS_GUEST_EFER, VMCS_GUEST_PAT, VMCS_GUEST_DR7, VMCS_GUEST_RIP, VMCS_GUEST_RSP,
    VMCS_GUEST_RFLAGS, VMCS_GUEST_INTERRUPTIBILITY,
    VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_ESP, VMCS_GUEST_SYSENTER_EIP,
    VMCS_GUEST_PDPTE0, VMCS_GUEST_PDPTE1, VMCS_GUEST_PDPTE2, VMCS_GUEST_PDPTE3,
    VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, /* 0 in what was saved before it was kept */
};
enum { FIELDS = sizeof fields / sizeof *fields, MXCSR_BITS = 0xFFFF, XSTATE_RESERVED = XSTATE_HEADER + 8,
       SHADOWS = 0xF /* of STI, MOV SS, SMI, NMI */, HOLD_TRAPS = 3 /* STI, MOV SS */,
       BREAKPOINTS_MET = 0xF, BREAKPOINT_ENABLED = 1 << 12 };
_Static_assert((int)FIELDS <= (int)CPU_STATE_FIELDS, "the form on disk has room");

#define CR0_KNOWN 0xE005003Full
#define EFER_KNOWN (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define RFLAGS_KNOWN 0x3F7FD5ull
#define RFLAGS_ONE 2ull

static uint64_t pending_of(uint64_t met)
{
    return (met & (BREAKPOINTS_MET | DR6_BS)) | (met & BREAKPOINTS_MET ? BREAKPOINT_ENABLED : 0);
}

/* A single step that is queued, with breakpoints met by the same instruction: it can as well be pending. 0: none is. */
static uint64_t step_queued(const struct vcpu *v)
{
    bool debug = v->event_info == (EVENT_VALID | EVENT_HARDWARE_EXCEPTION | VECTOR_DB) && v->event_made;
    return debug && (v->event_payload & DR6_BS) && !(v->event_payload & ~(BREAKPOINTS_MET | DR6_BS))
               ? pending_of(v->event_payload)
               : 0;
}

static const char *why_not_now(struct vm *vm)
{
    const struct vcpu *v = &vm->vcpu;

    if (nested_runs(v) || (registers_cr4(&vm->vcpu) & CR4_VMXE))
        return "the machine runs virtual machines of its own";
    if ((v->event_info >> 31 && !step_queued(v)) || v->nmi_pending || v->init_pending)
        return "an event is on its way to its program";
    return NULL;
}

const char *cpu_state_get(struct vm *vm, struct cpu_state *s)
{
    struct vcpu *v = &vm->vcpu;
    const char *why = why_not_now(vm);

    if (why)
        return why;
    memset(s, 0, sizeof *s);
    context_get(v);
    for (unsigned i = 0; i < FIELDS; i++)
        s->field[i] = vcpu_read(v, fields[i]) |
                      (fields[i] == VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS ? step_queued(v) : 0);
    memcpy(s->gpr, v->gpr, sizeof s->gpr);
    s->gpr[RSP] = 0; /* a field */
    s->cr0 = registers_cr0(v);
    s->cr4 = registers_cr4(v);
    s->cr2 = v->cr2;
    memcpy(s->dr, v->dr, sizeof s->dr);
    s->dr6 = v->dr6;
    s->msrs = v->msrs;
    s->xcr0 = v->xstate.xcr0;
    s->used = v->xstate.used;
    s->tsc = clock_now() + v->tsc_offset;
    memcpy(s->xstate, v->xstate.area, sizeof s->xstate);
    return NULL;
}

static uint64_t field_of(const struct cpu_state *s, enum vmcs_field field)
{
    for (unsigned i = 0; i < FIELDS; i++)
        if (fields[i] == field)
            return s->field[i];
    return 0;
}

static const char *judge(struct vm *vm, const struct cpu_state *s)
{
    uint64_t efer = field_of(s, VMCS_GUEST_EFER);
    bool long_mode = (efer & EFER_LME) && (s->cr0 & CR0_PG);

    if (s->cr4 & ~cpuid_cr4_allowed(vm))
        return "it was saved on a processor that has what this one lacks (CR4)";
    if (!cpuid_xcr0_valid(s->xcr0) && s->xcr0 != 1)
        return "it was saved on a processor that has what this one lacks (XCR0)";
    if (s->cr0 & ~CR0_KNOWN || efer & ~EFER_KNOWN || long_mode != !!(efer & EFER_LMA) || s->cr4 & CR4_VMXE)
        return "its control registers are no state of a processor";
    if (s->dr6 >> 32 || field_of(s, VMCS_GUEST_DR7) >> 32 || s->msrs.sfmask >> 32 || s->msrs.tsc_aux >> 32 ||
        !segment_canonical(s->msrs.lstar) || !segment_canonical(s->msrs.cstar) ||
        !segment_canonical(s->msrs.kernel_gs_base))
        return "its registers are no state of a processor";
    return NULL;
}

/* Only what XRSTOR takes: no component that this processor has not, and no bit of the header that must be 0. */
static void put_xstate(struct vcpu *v, const struct cpu_state *s)
{
    uint64_t offered = context_xcr0_supported() | XSTATE_LEGACY, header;
    uint32_t mxcsr;

    memcpy(v->xstate.area, s->xstate, sizeof s->xstate);
    memcpy(&header, s->xstate + XSTATE_HEADER, sizeof header);
    memcpy(&mxcsr, s->xstate + XSTATE_MXCSR, sizeof mxcsr);
    header &= offered & XSTATE_KNOWN;
    mxcsr &= MXCSR_BITS;
    memcpy((uint8_t *)v->xstate.area + XSTATE_HEADER, &header, sizeof header);
    memcpy((uint8_t *)v->xstate.area + XSTATE_MXCSR, &mxcsr, sizeof mxcsr);
    memset((uint8_t *)v->xstate.area + XSTATE_RESERVED, 0, 56);
    v->xstate.xcr0 = s->xcr0;
    v->xstate.used = (s->used & offered & XSTATE_KNOWN) | s->xcr0;
}

/* What is pending, as an entry wants it: without the trap flag's step, or with it, where a shadow holds traps back and
 * DEBUGCTL is as after a reset (SDM "Checks on Guest Non-Register State"). */
static uint64_t pending_in(const struct cpu_state *s)
{
    uint64_t pending = pending_of(field_of(s, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS));
    if (!(field_of(s, VMCS_GUEST_INTERRUPTIBILITY) & HOLD_TRAPS))
        return pending;
    return (pending & ~DR6_BS) | (field_of(s, VMCS_GUEST_RFLAGS) & RFLAGS_TF ? DR6_BS : 0);
}

static void put_fields(struct vm *vm, const struct cpu_state *s)
{
    struct vcpu *v = &vm->vcpu;
    struct nest_cr cr0 = nested_cr(vm, 0, s->cr0), cr4 = nested_cr(vm, 4, s->cr4);
    uint64_t entry = vcpu_read(v, VMCS_ENTRY_CONTROLS) & ~(uint64_t)ENTRY_LONG_MODE;

    for (unsigned i = 0; i < FIELDS; i++)
        vcpu_write(v, fields[i], s->field[i]);
    vcpu_write(v, VMCS_GUEST_RFLAGS, (field_of(s, VMCS_GUEST_RFLAGS) & RFLAGS_KNOWN) | RFLAGS_ONE);
    vcpu_write(v, VMCS_GUEST_INTERRUPTIBILITY, field_of(s, VMCS_GUEST_INTERRUPTIBILITY) & SHADOWS);
    vcpu_write(v, VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, pending_in(s));
    vcpu_write(v, VMCS_ENTRY_CONTROLS, field_of(s, VMCS_GUEST_EFER) & EFER_LMA ? entry | ENTRY_LONG_MODE : entry);
    vcpu_write(v, VMCS_GUEST_CR0, cr0.real);
    vcpu_write(v, VMCS_CR0_SHADOW, cr0.shadow);
    vcpu_write(v, VMCS_GUEST_CR4, cr4.real);
    vcpu_write(v, VMCS_CR4_SHADOW, cr4.shadow);
    v->tsc_offset = s->tsc - clock_now();
    vcpu_write(v, VMCS_TSC_OFFSET, v->tsc_offset);
}

const char *cpu_state_put(struct vm *vm, const struct cpu_state *s)
{
    struct vcpu *v = &vm->vcpu;
    const char *why = judge(vm, s);

    if (why)
        return why;
    context_forget(v);
    put_fields(vm, s);
    memcpy(v->gpr, s->gpr, sizeof v->gpr);
    v->cr2 = s->cr2;
    memcpy(v->dr, s->dr, sizeof v->dr);
    v->dr6 = s->dr6;
    v->msrs = s->msrs;
    put_xstate(v, s);
    context_put(v);
    cpu_backend->flush_linear(v);
    machine_tsc_moved(&vm->machine);
    return NULL;
}
