#include "cp/vcpu/execute_state.h"

#include "cp/vcpu/context.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/segment.h"
#include "cp/vcpu/vector.h"
#include "cp/vcpu/vm.h"

enum { SS_BIG = 1 << 14 };
#define CR0_AM (1ull << 18)
#define RFLAGS_AC (1ull << 18)

int state_fault(void *context, unsigned vector)
{
    struct vm *vm = context;

    vcpu_queue_exception(&vm->vcpu, vector, vector == VECTOR_GP || vector == VECTOR_AC, 0);
    return STATE_FAULTED;
}

bool state_checks_alignment(void *context)
{
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;

    return (vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_AC) && registers_cpl(vcpu) == 3 &&
           (vcpu_read(vcpu, VMCS_GUEST_CR0) & CR0_AM);
}

/* The processor found it defined when it began it: what CP reads now may be another, where somebody changed it. */
int state_permitted(void *context, enum instruction_class class)
{
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;
    uint64_t cr0 = vcpu_read(vcpu, VMCS_GUEST_CR0);
    const struct vector_mode mode = {
        .protected_mode = (cr0 & CR0_PE) && !(vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_VM), .cr0 = cr0,
        .cr4 = vcpu_read(vcpu, VMCS_GUEST_CR4), .xcr0 = context_xcr0(vcpu)};
    unsigned vector = vector_refused(class, &mode);

    return vector ? state_fault(context, vector) : 0;
}

void state_vector_read(void *context, enum operand kind, unsigned reg, uint8_t value[EXECUTE_VECTOR])
{
    struct vm *vm = context;

    vector_get(context_xstate_get(&vm->vcpu), kind, reg, value);
}

void state_vector_write(void *context, enum operand kind, unsigned reg, const uint8_t value[EXECUTE_VECTOR],
                        unsigned bytes, bool clear)
{
    struct vm *vm = context;

    vector_put(context_xstate_get(&vm->vcpu), cpuid_zmm_offset(), kind, reg, value, bytes, clear);
    context_xstate_put(&vm->vcpu);
}

unsigned state_stack_size(void *context)
{
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;

    if (registers_long_mode(vcpu))
        return 8;
    return vcpu_read(vcpu, VMCS_GUEST_SS_ACCESS_RIGHTS) & SS_BIG ? 4 : 2;
}

bool state_may_jump(void *context, uint64_t rip)
{
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;

    return registers_long_mode(vcpu) ? segment_canonical(rip) : rip <= vcpu_read(vcpu, VMCS_GUEST_CS_LIMIT);
}

void state_jump(void *context, uint64_t rip)
{
    struct exit *exit = &((struct vm *)context)->vcpu.exit;

    exit->rip = rip;
    exit->instruction_length = 0;
}

static uint64_t table_read(struct vcpu *vcpu, enum vmcs_field limit, enum vmcs_field base, uint64_t *to)
{
    *to = vcpu_read(vcpu, base);
    return vcpu_read(vcpu, limit);
}

uint64_t state_system_read(void *context, const struct instruction *in, uint64_t *base)
{
    static const enum vmcs_field selectors[] = {
        VMCS_GUEST_ES_SELECTOR, VMCS_GUEST_CS_SELECTOR, VMCS_GUEST_SS_SELECTOR,
        VMCS_GUEST_DS_SELECTOR, VMCS_GUEST_FS_SELECTOR, VMCS_GUEST_GS_SELECTOR};
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;

    switch (in->operation) {
    case OP_SLDT: return vcpu_read(vcpu, VMCS_GUEST_LDTR_SELECTOR);
    case OP_STR: return vcpu_read(vcpu, VMCS_GUEST_TR_SELECTOR);
    case OP_SMSW: return registers_cr0(vcpu);
    case OP_SGDT: return table_read(vcpu, VMCS_GUEST_GDTR_LIMIT, VMCS_GUEST_GDTR_BASE, base);
    case OP_SIDT: return table_read(vcpu, VMCS_GUEST_IDTR_LIMIT, VMCS_GUEST_IDTR_BASE, base);
    default: return vcpu_read(vcpu, selectors[in->reg]);
    }
}

int state_system_write(void *context, const struct instruction *in, uint16_t limit, uint64_t base)
{
    struct vcpu *vcpu = &((struct vm *)context)->vcpu;
    bool global = in->operation == OP_LGDT;

    if (registers_cpl(vcpu) || !segment_canonical(base))
        return state_fault(context, VECTOR_GP);
    vcpu_write(vcpu, global ? VMCS_GUEST_GDTR_BASE : VMCS_GUEST_IDTR_BASE, base);
    vcpu_write(vcpu, global ? VMCS_GUEST_GDTR_LIMIT : VMCS_GUEST_IDTR_LIMIT, limit);
    return 0;
}
