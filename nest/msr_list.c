/* MSR-load and MSR-store lists.  In: a list in L1's storage, copied entry by entry before it is judged.  Out: MSRs
 * of the virtual CPU, guest-state fields, or L1's storage. */
#include "nest/msr_list.h"
#include "nest/check.h"

enum { MSR_APIC_BASE = 0x1B, APIC_BASE_X2APIC = 1 << 10 };
enum { LIST_MOST = 512 }; /* as IA32_VMX_MISC recommends: a longer list ends there as if in error */

struct entry {
    uint32_t index, reserved;
    uint64_t data;
};

/* Some entries of a list, copied together: a list may have hundreds. */
enum { SOME = 64 };
struct some {
    uint64_t gpa;
    uint32_t count, first, there; /* of the list; those that are copied */
    struct entry entry[SOME];
};

/* What cannot be read together is read alone: the list may end where storage does.  NULL: it cannot be read, or is too
 * far. */
static struct entry *entry_at(struct nest *nest, struct some *some, uint32_t i)
{
    const struct nest_host *host = nest->host;
    uint32_t left = some->count - i;
    if (i >= LIST_MOST)
        return NULL;
    if (i - some->first < some->there)
        return &some->entry[i - some->first];
    some->first = i;
    for (some->there = left < SOME ? left : SOME; some->there; some->there = some->there > 1)
        if (host->read(host->context, some->gpa + i * sizeof(struct entry), some->entry,
                       some->there * sizeof(struct entry)))
            return some->entry;
    return NULL;
}

/* MSRs that are fields of a VMCS, so that they belong to whose VMCS is loaded. */
static enum vmcs_index field_of(uint32_t msr)
{
    switch (msr) {
    case 0x174: return VMCS_INDEX_GUEST_SYSENTER_CS;
    case 0x175: return VMCS_INDEX_GUEST_SYSENTER_ESP;
    case 0x176: return VMCS_INDEX_GUEST_SYSENTER_EIP;
    case 0x1D9: return VMCS_INDEX_GUEST_DEBUGCTL;
    case 0x277: return VMCS_INDEX_GUEST_PAT;
    case 0xC0000080: return VMCS_INDEX_GUEST_EFER;
    case 0xC0000100: return VMCS_INDEX_GUEST_FS_BASE;
    case 0xC0000101: return VMCS_INDEX_GUEST_GS_BASE;
    default: return VMCS_INDEX_NONE;
    }
}

static bool x2apic(const struct nest *nest)
{
    uint64_t base;
    return nest->host->rdmsr(nest->host->context, MSR_APIC_BASE, &base) && (base & APIC_BASE_X2APIC);
}

static bool pat_valid(uint64_t pat)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = pat >> 8 * i & 0xFF;
        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    return true;
}

/* What WRMSR would refuse of the values that go to a field; EFER's mode bits follow the entry and cannot be changed
 * by a list. */
static bool field_takes(const struct vmcs *state, enum vmcs_index index, uint64_t value)
{
    const uint64_t efer_known = 1 << 0 | 1 << 8 | 1 << 10 | 1 << 11, efer_mode = 1 << 8 | 1 << 10;
    switch (index) {
    case VMCS_INDEX_GUEST_PAT:
        return pat_valid(value);
    case VMCS_INDEX_GUEST_EFER:
        return !(value & ~efer_known) && !((value ^ state->guest_efer) & efer_mode);
    case VMCS_INDEX_GUEST_SYSENTER_CS:
        return value >> 32 == 0;
    case VMCS_INDEX_GUEST_DEBUGCTL:
        return !(value & ~(uint64_t)(NEST_DEBUGCTL_LBR | NEST_DEBUGCTL_BTF)); /* as for WRMSR */
    default:
        return (uint64_t)((int64_t)(value << 16) >> 16) == value;
    }
}

static bool load_one(struct nest *nest, const struct entry *entry, bool in_x2apic, struct vmcs *state,
                     struct vmcs_set *written)
{
    enum vmcs_index index = field_of(entry->index);
    if (!nest_check_msr_load(entry->index, entry->reserved, in_x2apic))
        return false;
    if (index == VMCS_INDEX_NONE)
        return nest->host->wrmsr(nest->host->context, entry->index, entry->data);
    if (!field_takes(state, index, entry->data))
        return false;
    vmcs_set(state, index, index == VMCS_INDEX_GUEST_DEBUGCTL ? entry->data & NEST_DEBUGCTL_BTF : entry->data);
    vmcs_set_add(written, index);
    return true;
}

uint32_t nest_msr_list_load(struct nest *nest, uint64_t gpa, uint32_t count, struct vmcs *state,
                            struct vmcs_set *written)
{
    bool in_x2apic = count && x2apic(nest);
    struct some some = {.gpa = gpa, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        struct entry *entry = entry_at(nest, &some, i);
        if (!entry || !load_one(nest, entry, in_x2apic, state, written))
            return i + 1;
    }
    return 0;
}

static bool store_one(struct nest *nest, struct entry *entry, bool in_x2apic, const struct vmcs *state)
{
    enum vmcs_index index = field_of(entry->index);
    if (!nest_check_msr_store(entry->index, entry->reserved, in_x2apic))
        return false;
    if (index == VMCS_INDEX_NONE)
        return nest->host->rdmsr(nest->host->context, entry->index, &entry->data);
    entry->data = vmcs_get(state, index);
    return true;
}

uint32_t nest_msr_list_store(struct nest *nest, uint64_t gpa, uint32_t count, const struct vmcs *state)
{
    const struct nest_host *host = nest->host;
    bool in_x2apic = count && x2apic(nest);
    struct some some = {.gpa = gpa, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        struct entry *entry = entry_at(nest, &some, i);
        bool stored = entry && store_one(nest, entry, in_x2apic, state);
        uint32_t done = i - some.first + stored;
        if ((!stored || done == some.there) && done &&
            !host->write(host->context, gpa + some.first * sizeof(*entry), some.entry, done * sizeof(*entry)))
            return i + 1;
        if (!stored)
            return i + 1;
    }
    return 0;
}
