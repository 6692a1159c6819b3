/* Fuzzes the checks of a VM entry with changes to a vmcs12 that passes.  They never crash; sections say what the whole
 * says; and what they let pass is a state a processor can be in, judged here by other words than the rules'. */
#include <stdlib.h>

#include "tests/unit/nest_check_base.h"

#define MUST(condition)       \
    do {                      \
        if (!(condition))     \
            abort();          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct change {
    uint8_t field, width;
    uint16_t value;
};

/* 16 bits of the input become a value near an edge of any width. */
static uint64_t widen(const struct change *change)
{
    switch (change->width & 3) {
    case 0:
        return change->value;
    case 1:
        return 1ull << (change->value & 63);
    case 2:
        return (uint64_t)(int64_t)(int16_t)change->value << (change->width >> 2);
    default:
        return 0x80000000u | change->value;
    }
}

static bool sign_extended(uint64_t address)
{
    return address >> 47 == 0 || address >> 47 == 0x1FFFF;
}

static void assert_mode(const struct vmcs *v)
{
    bool protected = v->guest_cr0 & 1, paging = v->guest_cr0 >> 31 & 1, long_mode = v->entry_controls >> 9 & 1;
    bool vm86 = v->guest_rflags >> 17 & 1, code64 = long_mode && v->guest_cs_access_rights >> 13 & 1;
    MUST(v->guest_cr0 >> 32 == 0 && (v->guest_cr0 & 0x20));
    MUST(protected || !paging);
    MUST(!long_mode || (paging && v->guest_cr4 >> 5 & 1));
    MUST(!vm86 || (protected && !long_mode));
    MUST(v->guest_cr4 >> 13 & 1);
    MUST(code64 ? v->guest_rip >> 48 == 0 || v->guest_rip >> 48 == 0xFFFF : v->guest_rip >> 32 == 0);
    MUST(!(code64 && v->guest_cs_access_rights >> 14 & 1));
    MUST((v->guest_rflags & 0x802A) == 2 && v->guest_rflags >> 22 == 0);
    MUST(v->guest_cr3 >> BASE_PHYSICAL_BITS == 0);
}

static void assert_privilege(const struct vmcs *v)
{
    unsigned cs = v->guest_cs_access_rights, ss = v->guest_ss_access_rights, cpl = ss >> 5 & 3;
    if (v->guest_rflags >> 17 & 1) {
        MUST(cs == 0xF3 && cpl == 3);
        return;
    }
    MUST(!(v->guest_cr0 & 1) ? cpl == 0 : true);
    MUST((cs & 0x90) == 0x90);
    MUST(cs & 8 ? (cs & 4 ? (cs >> 5 & 3) <= cpl : (cs >> 5 & 3) == cpl) : cpl == 0 && (cs >> 5 & 3) == 0);
    MUST(v->guest_activity_state == 0 || (v->guest_interruptibility & 3) == 0);
    MUST(v->guest_activity_state != 1 || cpl == 0);
}

static void assert_system(const struct vmcs *v)
{
    MUST((v->guest_tr_access_rights & 0x10097) == 0x83);
    MUST(sign_extended(v->guest_tr_base) && sign_extended(v->guest_gdtr_base) && sign_extended(v->guest_idtr_base));
    MUST(v->guest_gdtr_limit <= 0xFFFF && v->guest_idtr_limit <= 0xFFFF);
    MUST(v->vmcs_link_pointer == ~0ull || (v->vmcs_link_pointer & 0xFFF) == 0);
}

static void assert_host(const struct vmcs *v)
{
    MUST((v->host_cr0 & 0x80000021) == 0x80000021 && (v->host_cr4 & 0x2020) == 0x2020);
    MUST(v->exit_controls >> 9 & 1);
    MUST(sign_extended(v->host_rip) && sign_extended(v->host_tr_base) && sign_extended(v->host_gdtr_base));
    MUST(v->host_cs_selector && v->host_tr_selector && !((v->host_cs_selector | v->host_tr_selector) & 7));
}

static void assert_controls(const struct vmcs *v, const struct vmx_capability *capability)
{
    uint32_t secondary = v->processor_controls >> 31 ? v->secondary_controls : 0, info = v->entry_interruption_info;
    bool ept = secondary >> 1 & 1;
    MUST((v->pin_controls & ~(capability->msr[VMX_TRUE_PIN] >> 32)) == 0);
    MUST((secondary & ~(capability->msr[VMX_CPU2] >> 32)) == 0);
    MUST(ept || !(secondary >> 7 & 1));
    MUST(!ept || (v->ept_pointer & 0xFF8) == 0x18);
    MUST(!(secondary >> 5 & 1) || v->vpid);
    MUST(!(v->processor_controls >> 25 & 1) || !((v->io_bitmap_a | v->io_bitmap_b) & 0xFFF));
    MUST(!(info >> 31) || (info & 0x7FFFF000) == 0);
    MUST(!(info >> 31 && (info >> 8 & 7) == 0) || (v->guest_rflags >> 9 & 1 && !(v->guest_interruptibility & 3)));
    MUST(v->entry_msr_load_count == 0 ||
         (v->entry_msr_load_address + 16ull * v->entry_msr_load_count - 1) >> BASE_PHYSICAL_BITS == 0);
}

static void enter(struct nest_check_memory *memory, const struct vmcs *v, const struct vmx_capability *capability)
{
    struct nest_check check;
    struct nest_failure some = {0}, all = {0};
    base_check(&check, v, capability);
    bool passes = nest_check_controls(&check, &all) && nest_check_host(&check, &all) && nest_check_guest(&check, &all);
    MUST(nest_check_entry(memory, &check, &some) == passes);
    MUST(some.rule == all.rule && some.field == all.field);
    if (!passes)
        return;
    assert_mode(v);
    assert_privilege(v);
    assert_system(v);
    assert_host(v);
    assert_controls(v, capability);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vmx_capability capability;
    struct vmcs v;
    struct nest_check_memory memory = {0};
    if (size == 0)
        return 0;
    base_capability(&capability);
    base_vmcs(&v, data[0] % BASES);
    nest_check_forget(&memory);
    enter(&memory, &v, &capability);
    for (size_t at = 1; at + sizeof(struct change) <= size; at += sizeof(struct change)) {
        struct change change;
        memcpy(&change, data + at, sizeof(change));
        enum vmcs_index index = change.field % VMCS_FIELDS;
        vmcs_set(&v, index, change.width & 0x80 ? vmcs_get(&v, index) ^ widen(&change) : widen(&change));
        nest_check_touch(&memory, index);
        if (change.width & 0x40)
            enter(&memory, &v, &capability);
    }
    enter(&memory, &v, &capability);
    return 0;
}
