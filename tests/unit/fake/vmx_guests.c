/* L1 and L2 on the fake machine: instructions and memory accesses as its processor would execute them. */
#include "tests/unit/fake/vmx_machine.h"

#include <string.h>

/* ---- L1's instructions ------------------------------------------------------------------------- */

enum { ADDRESS_64 = 2 << 7, SEGMENT_DS = 3 << 15, NO_INDEX = 1 << 22, NO_BASE = 1 << 27, REGISTER = 1 << 10 };

enum nest_result fake_vmx_memory(struct fake_vmx *m, enum exit_reason reason, uint64_t at, unsigned register2)
{
    struct exit exit = {.reason = reason, .instruction_length = 4, .qualification = at,
                        .instruction_info = ADDRESS_64 | SEGMENT_DS | NO_INDEX | NO_BASE | register2 << 28};
    return nest_instruction(&m->nest, &exit);
}

enum nest_result fake_vmx_plain(struct fake_vmx *m, enum exit_reason reason)
{
    struct exit exit = {.reason = reason, .instruction_length = 3};
    return nest_instruction(&m->nest, &exit);
}

enum nest_result fake_vmx_pointer(struct fake_vmx *m, enum exit_reason reason, uint64_t address)
{
    memcpy(m->storage + 0x800, &address, sizeof(address));
    return fake_vmx_memory(m, reason, 0x800, 0);
}

static enum nest_result field_instruction(struct fake_vmx *m, enum exit_reason reason, enum vmcs_field field)
{
    struct exit exit = {.reason = reason, .instruction_length = 3,
                        .instruction_info = REGISTER | 2u << 28 | 3u << 3}; /* field in RDX, value in RBX */
    m->gpr[2] = field;
    return nest_instruction(&m->nest, &exit);
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
    return m->gpr[3];
}

void fake_vmx_write(struct fake_vmx *m, enum vmcs_field field, uint64_t value)
{
    if (m->link && !vmcs_bitmap_exits(bitmap(m, true), field)) {
        vmcs_field_write(m->link->active ? &m->link->held : &m->link->memory, field, value, true);
        return;
    }
    m->gpr[3] = value;
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
    memcpy(m->storage + at, &revision, sizeof(revision));
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
    fake_vmx_pointer(m, EXIT_VMCLEAR, region);
    memset(m->storage + region, 0, 4096);
    put_revision(m, region);
    fake_vmx_pointer(m, EXIT_VMPTRLD, region);
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        fake_vmx_write(m, fields[i].field, fields[i].value);
    write_segments(m);
}

/* ---- L2 ------------------------------------------------------------------------------------------ */

enum nest_result fake_vmx_exit(struct fake_vmx *m, const struct exit *exit)
{
    m->loaded->held.entry_interruption_info &= 0x7FFFFFFF;
    return nest_exit(&m->nest, exit);
}

/* The processor's walk of EPT02: a table entry holds an address, which is a pointer here. */
static bool walk(const struct fake_vmx *m, uint64_t eptp, uint64_t gpa2, uint64_t *hpa, unsigned *rights)
{
    const uint64_t *table = (const uint64_t *)(uintptr_t)(eptp & EPT_TABLE_MASK);
    (void)m;
    *rights = 7;
    for (unsigned shift = 39;; shift -= 9) {
        uint64_t entry = table[gpa2 >> shift & 511];
        *rights &= entry & 7;
        if (!(entry & 7))
            return false;
        if (shift == 12 || (entry & 0x80)) {
            uint64_t within = (1ull << shift) - 1;
            *hpa = (entry & EPT_TABLE_MASK & ~within) | (gpa2 & within);
            return true;
        }
        table = (const uint64_t *)(uintptr_t)(entry & EPT_TABLE_MASK);
    }
}

bool fake_vmx_touch(struct fake_vmx *m, uint64_t gpa2, unsigned access, uint64_t *hpa)
{
    uint64_t eptp = m->loaded->held.ept_pointer;
    unsigned rights;
    for (unsigned i = 0; i < FAKE_CACHED; i++) {
        struct fake_cached *c = &m->cached[i];
        if (!c->valid || c->eptp != eptp || c->page != gpa2 >> 12)
            continue;
        if ((c->rights & access) == access) {
            *hpa = c->hpa | (gpa2 & 4095);
            return true;
        }
        c->valid = false; /* a violation drops what it was about */
    }
    if (!walk(m, eptp, gpa2, hpa, &rights) || (rights & access) != access)
        return false;
    m->cached[m->cached_next++ % FAKE_CACHED] =
        (struct fake_cached){.valid = true, .eptp = eptp, .page = gpa2 >> 12, .hpa = *hpa & ~4095ull, .rights = rights};
    return true;
}
