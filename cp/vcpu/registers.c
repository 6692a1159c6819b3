#include "cp/vcpu/registers.h"

#include <string.h>

#include "vmcs-shadow/control.h"

uint64_t registers_cr4_own = CR4_VMXE;

struct field_value {
    enum vmcs_field field;
    uint64_t value;
};

enum { RIGHTS_CODE = 0x9B, RIGHTS_DATA = 0x93, RIGHTS_LDT = 0x82, RIGHTS_TSS = 0x8B, FLAT = 0xC000, UNUSABLE = 1 << 16,
       DX_RESET = 0x600 };

#define DATA_SEGMENT(S, limit, rights, selector) \
    {VMCS_GUEST_##S##_SELECTOR, selector}, {VMCS_GUEST_##S##_BASE, 0}, {VMCS_GUEST_##S##_LIMIT, limit}, \
    {VMCS_GUEST_##S##_ACCESS_RIGHTS, rights}
#define DATA_SEGMENTS(limit, rights, selector) \
    DATA_SEGMENT(SS, limit, rights, selector), DATA_SEGMENT(DS, limit, rights, selector), \
    DATA_SEGMENT(ES, limit, rights, selector), DATA_SEGMENT(FS, limit, rights, selector), \
    DATA_SEGMENT(GS, limit, rights, selector)

/* RESET and INIT alike */
static const struct field_value init_values[] = {
    {VMCS_GUEST_CS_SELECTOR, 0xF000}, {VMCS_GUEST_CS_BASE, 0xFFFF0000}, {VMCS_GUEST_CS_LIMIT, 0xFFFF},
    {VMCS_GUEST_CS_ACCESS_RIGHTS, RIGHTS_CODE},
    DATA_SEGMENTS(0xFFFF, RIGHTS_DATA, 0),
    {VMCS_GUEST_LDTR_SELECTOR, 0}, {VMCS_GUEST_LDTR_BASE, 0}, {VMCS_GUEST_LDTR_LIMIT, 0xFFFF},
    {VMCS_GUEST_LDTR_ACCESS_RIGHTS, RIGHTS_LDT},
    {VMCS_GUEST_TR_SELECTOR, 0}, {VMCS_GUEST_TR_BASE, 0}, {VMCS_GUEST_TR_LIMIT, 0xFFFF},
    {VMCS_GUEST_TR_ACCESS_RIGHTS, RIGHTS_TSS},
    {VMCS_GUEST_GDTR_BASE, 0}, {VMCS_GUEST_GDTR_LIMIT, 0xFFFF},
    {VMCS_GUEST_IDTR_BASE, 0}, {VMCS_GUEST_IDTR_LIMIT, 0xFFFF},
    {VMCS_GUEST_CR3, 0}, {VMCS_CR4_SHADOW, 0},
    {VMCS_GUEST_CR0, CR0_ET | CR0_NE}, {VMCS_GUEST_EFER, 0},
    {VMCS_GUEST_DR7, 0x400}, {VMCS_GUEST_RIP, 0xFFF0}, {VMCS_GUEST_RSP, 0}, {VMCS_GUEST_RFLAGS, 2},
    {VMCS_GUEST_INTERRUPTIBILITY, 0}, {VMCS_GUEST_ACTIVITY_STATE, 0}, {VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0},
    {VMCS_ENTRY_INTERRUPTION_INFO, 0},
};

/* what INIT leaves */
static const struct field_value reset_values[] = {
    {VMCS_CR0_SHADOW, CR0_CD | CR0_NW | CR0_ET},
    {VMCS_GUEST_DEBUGCTL, 0}, {VMCS_GUEST_PAT, 0x0007040600070406},
    {VMCS_GUEST_SYSENTER_CS, 0}, {VMCS_GUEST_SYSENTER_ESP, 0}, {VMCS_GUEST_SYSENTER_EIP, 0},
};

static const struct field_value flat_values[] = {
    {VMCS_GUEST_CS_SELECTOR, 8}, {VMCS_GUEST_CS_BASE, 0}, {VMCS_GUEST_CS_LIMIT, 0xFFFFFFFF},
    {VMCS_GUEST_CS_ACCESS_RIGHTS, RIGHTS_CODE | FLAT},
    DATA_SEGMENTS(0xFFFFFFFF, RIGHTS_DATA | FLAT, 16),
    {VMCS_GUEST_CR0, CR0_PE | CR0_ET | CR0_NE}, {VMCS_CR0_SHADOW, CR0_PE | CR0_ET},
};

static void write_all(struct vcpu *vcpu, const struct field_value *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        vcpu_write(vcpu, values[i].field, values[i].value);
}

void registers_init(struct vcpu *vcpu)
{
    uint64_t caches = vcpu_read(vcpu, VMCS_CR0_SHADOW) & (CR0_CD | CR0_NW);

    memset(vcpu->gpr, 0, sizeof vcpu->gpr);
    vcpu->gpr[RDX] = DX_RESET;
    vcpu->event_info = 0;
    vcpu->event_made = vcpu->nmi_pending = vcpu->init_pending = vcpu->triple_fault = false;
    write_all(vcpu, init_values, sizeof init_values / sizeof *init_values);
    vcpu_write(vcpu, VMCS_CR0_SHADOW, CR0_ET | caches);
    vcpu_write(vcpu, VMCS_GUEST_CR4, registers_cr4_own);
    uint32_t entry = (uint32_t)vcpu_read(vcpu, VMCS_ENTRY_CONTROLS);
    vcpu_write(vcpu, VMCS_ENTRY_CONTROLS, entry & ~(uint32_t)ENTRY_LONG_MODE);
}

void registers_reset(struct vcpu *vcpu)
{
    registers_init(vcpu);
    write_all(vcpu, reset_values, sizeof reset_values / sizeof *reset_values);
}

void registers_start_flat(struct vcpu *vcpu, uint32_t eip, uint32_t eax, uint32_t ebx)
{
    registers_reset(vcpu);
    write_all(vcpu, flat_values, sizeof flat_values / sizeof *flat_values);
    vcpu->gpr[RDX] = 0;
    vcpu->gpr[RAX] = eax;
    vcpu->gpr[RBX] = ebx;
    vcpu_write(vcpu, VMCS_GUEST_RIP, eip);
}

static uint64_t as_seen(struct vcpu *vcpu, enum vmcs_field value, enum vmcs_field mask, enum vmcs_field shadow)
{
    uint64_t hidden = vcpu_read(vcpu, mask);
    return (vcpu_read(vcpu, value) & ~hidden) | (vcpu_read(vcpu, shadow) & hidden);
}

uint64_t registers_cr0(struct vcpu *vcpu)
{
    return as_seen(vcpu, VMCS_GUEST_CR0, VMCS_CR0_MASK, VMCS_CR0_SHADOW);
}

uint64_t registers_cr4(struct vcpu *vcpu)
{
    return as_seen(vcpu, VMCS_GUEST_CR4, VMCS_CR4_MASK, VMCS_CR4_SHADOW);
}

unsigned registers_cpl(struct vcpu *vcpu)
{
    return vcpu_read(vcpu, VMCS_GUEST_SS_ACCESS_RIGHTS) >> 5 & 3;
}

bool registers_long_mode(struct vcpu *vcpu)
{
    return (vcpu_read(vcpu, VMCS_GUEST_EFER) & EFER_LMA) && (vcpu_read(vcpu, VMCS_GUEST_CS_ACCESS_RIGHTS) >> 13 & 1);
}

bool registers_steps(struct vcpu *vcpu)
{
    return (vcpu_read(vcpu, VMCS_GUEST_RFLAGS) & RFLAGS_TF) && !(vcpu_read(vcpu, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);
}

unsigned registers_code_size(struct vcpu *vcpu)
{
    if (registers_long_mode(vcpu))
        return 8;
    return vcpu_read(vcpu, VMCS_GUEST_CS_ACCESS_RIGHTS) >> 14 & 1 ? 4 : 2;
}
