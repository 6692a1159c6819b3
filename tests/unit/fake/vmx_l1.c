/* L1 on the fake machine: its VMX instructions as its processor would execute them, and
 * a VMCS that passes all checks. */
#include "tests/unit/fake/vmx_machine.h"

#include <string.h>

enum { ADDRESS_64 = 2 << 7, SEGMENT_DS = 3 << 15, NO_INDEX = 1 << 22, NO_BASE = 1 << 27, REGISTER = 1 << 10 };

static enum nest_result instruct(struct fake_vmx *m, const struct exit *exit)
{
    return m->instruct ? m->instruct(m, exit) : nest_instruction(&m->nest, exit);
}

static void put(struct fake_vmx *m, uint64_t at, const void *from, size_t bytes)
{
    if (!m->host.write(m->host.context, at, from, bytes))
        fake_vmx_complain(m, "L1 has no storage where its own operands are");
}

enum nest_result fake_vmx_memory(struct fake_vmx *m, enum exit_reason reason, uint64_t at, unsigned register2)
{
    struct exit exit = {.reason = reason, .instruction_length = 4, .qualification = at,
                        .instruction_info = ADDRESS_64 | SEGMENT_DS | NO_INDEX | NO_BASE | register2 << 28};
    return instruct(m, &exit);
}

enum nest_result fake_vmx_plain(struct fake_vmx *m, enum exit_reason reason)
{
    struct exit exit = {.reason = reason, .instruction_length = 3};
    return instruct(m, &exit);
}

enum nest_result fake_vmx_pointer(struct fake_vmx *m, enum exit_reason reason, uint64_t address)
{
    put(m, 0x800, &address, sizeof(address));
    return fake_vmx_memory(m, reason, 0x800, 0);
}

static enum nest_result field_instruction(struct fake_vmx *m, enum exit_reason reason, enum vmcs_field field)
{
    struct exit exit = {.reason = reason, .instruction_length = 3,
                        .instruction_info = REGISTER | 2u << 28 | 3u << 3}; /* field in RDX, value in RBX */
    m->host.gpr[2] = field;
    return instruct(m, &exit);
}

static const uint8_t *bitmap(const struct fake_vmx *m, bool write)
{
    if (m->closed)
        return m->closed_bitmaps[write];
    return (const uint8_t *)(uintptr_t)(write ? m->base.vmwrite_bitmap : m->base.vmread_bitmap);
}

uint64_t fake_vmx_read(struct fake_vmx *m, enum vmcs_field field)
{
    if (m->link && !vmcs_bitmap_exits(bitmap(m, false), field))
        return vmcs_field_read(m->link->active ? &m->link->held : &m->link->memory, field, true);
    field_instruction(m, EXIT_VMREAD, field);
    return m->host.gpr[3];
}

void fake_vmx_write(struct fake_vmx *m, enum vmcs_field field, uint64_t value)
{
    if (m->link && !vmcs_bitmap_exits(bitmap(m, true), field)) {
        vmcs_field_write(m->link->active ? &m->link->held : &m->link->memory, field, value, true);
        return;
    }
    m->host.gpr[3] = value;
    field_instruction(m, EXIT_VMWRITE, field);
}

enum fake_verdict fake_vmx_verdict(const struct fake_vmx *m)
{
    uint64_t flags = m->loaded->held.guest_rflags;
    return flags & 1 ? FAKE_FAILED_INVALID : flags & 0x40 ? FAKE_FAILED_VALID : FAKE_SUCCEEDED;
}

static void put_revision(struct fake_vmx *m, uint64_t at)
{
    uint32_t revision = (uint32_t)(m->offered.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK);
    put(m, at, &revision, sizeof(revision));
}

void fake_vmx_enter_operation(struct fake_vmx *m)
{
    put_revision(m, FAKE_VMXON);
    fake_vmx_pointer(m, EXIT_VMXON, FAKE_VMXON);
}

static void write_segments(struct fake_vmx *m)
{
    for (unsigned i = 0; i < 6; i++) {
        fake_vmx_write(m, VMCS_GUEST_ES_SELECTOR + 2 * i, i == 1 ? 8 : 16);
        fake_vmx_write(m, VMCS_GUEST_ES_LIMIT + 2 * i, 0xFFFFFFFF);
        fake_vmx_write(m, VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i, i == 1 ? 0xA09B : 0xC093);
    }
    fake_vmx_write(m, VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x10000);
    fake_vmx_write(m, VMCS_GUEST_TR_SELECTOR, 24);
    fake_vmx_write(m, VMCS_GUEST_TR_LIMIT, 0x67);
    fake_vmx_write(m, VMCS_GUEST_TR_ACCESS_RIGHTS, 0x8B);
}

void fake_vmx_make_vmcs(struct fake_vmx *m, uint64_t region)
{
    static const struct {
        enum vmcs_field field;
        uint64_t value;
    } fields[] = {
        {VMCS_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING},
        {VMCS_PROCESSOR_CONTROLS, 0x04006172 | CPU_HLT_EXITING | CPU_SECONDARY_CONTROLS},
        {VMCS_SECONDARY_CONTROLS, CPU2_EPT},
        {VMCS_EPT_POINTER, FAKE_EPT | 3 << 3 | 6},
        {VMCS_EXIT_CONTROLS, 0x00036DFB | EXIT_HOST_LONG_MODE | EXIT_LOAD_EFER | EXIT_SAVE_EFER | EXIT_LOAD_PAT |
                             EXIT_SAVE_PAT | EXIT_SAVE_DEBUG_CONTROLS},
        {VMCS_ENTRY_CONTROLS, 0x000011FB | ENTRY_LONG_MODE | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT |
                              ENTRY_LOAD_DEBUG_CONTROLS},
        {VMCS_VMCS_LINK_POINTER, ~0ull}, {VMCS_GUEST_CR0, 0x80000031}, {VMCS_GUEST_CR4, 0x2020},
        {VMCS_GUEST_CR3, 0x6000}, {VMCS_GUEST_EFER, 0xD00}, {VMCS_GUEST_PAT, 0x0007040600070406},
        {VMCS_GUEST_DR7, 0x400}, {VMCS_GUEST_RFLAGS, 2}, {VMCS_GUEST_RIP, 0x4000}, {VMCS_GUEST_RSP, 0x4800},
        {VMCS_GUEST_GDTR_LIMIT, 0xFFFF}, {VMCS_GUEST_IDTR_LIMIT, 0xFFFF}, {VMCS_HOST_CR0, 0x80000031},
        {VMCS_HOST_CR4, 0x2020}, {VMCS_HOST_CR3, 0x5000}, {VMCS_HOST_EFER, 0xD00},
        {VMCS_HOST_PAT, 0x0007040600070406}, {VMCS_HOST_RIP, 0x8100}, {VMCS_HOST_RSP, 0x8800},
        {VMCS_HOST_CS_SELECTOR, 8}, {VMCS_HOST_SS_SELECTOR, 16}, {VMCS_HOST_TR_SELECTOR, 24},
    };
    static const uint8_t zeroes[4096];
    fake_vmx_pointer(m, EXIT_VMCLEAR, region);
    put(m, region, zeroes, sizeof(zeroes));
    put_revision(m, region);
    fake_vmx_pointer(m, EXIT_VMPTRLD, region);
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        fake_vmx_write(m, fields[i].field, fields[i].value);
    write_segments(m);
}
