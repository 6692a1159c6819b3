/* vcpu_read and vcpu_write for the processor: see cp/vcpu/vcpu.h, which includes this. */
#pragma once
#include "cp/cpu/vmx_ops.h"
#include "vmcs-shadow/field.h"

struct vcpu;
uint64_t vcpu_read_any(struct vcpu *, enum vmcs_field);
void vcpu_write_any(struct vcpu *, enum vmcs_field, uint64_t value);

/* Whose active VMCS is current; NULL: nobody's, or the processor has no VMX. Set by the VMX backend. */
extern struct vcpu *vcpu_current;

static inline uint64_t vcpu_read(struct vcpu *vcpu, enum vmcs_field field)
{
    return __builtin_expect(vcpu == vcpu_current, 1) ? op_vmread(field) : vcpu_read_any(vcpu, field);
}

static inline void vcpu_write(struct vcpu *vcpu, enum vmcs_field field, uint64_t value)
{
    if (__builtin_expect(vcpu != vcpu_current, 0) || !op_vmwrite(field, value))
        vcpu_write_any(vcpu, field, value);
}
