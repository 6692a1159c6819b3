/* The predicates that check_rules.def is written in: each says something of a value, of v, the vmcs12, or of c, all
 * that the checks look at. None has a state or an effect. */
#pragma once
#include "nest/check.h"

#define IMPLIES(a, b) (!(a) || (b))
#define BITS(value, high, low) ((uint64_t)(value) >> (low) & ((2ull << ((high) - (low))) - 1))
#define BIT(value, n) ((uint64_t)(value) >> (n) & 1)

enum {
    RFLAGS_FIXED_1 = 1 << 1,
    RFLAGS_TF = 1 << 8,
    RFLAGS_IF = 1 << 9,
    RFLAGS_VM = 1 << 17,
    CR0_PE = 1 << 0,
    CR4_PAE = 1 << 5,
    CR4_PCIDE = 1 << 17,
    EFER_LME = 1 << 8,
    EFER_LMA = 1 << 10,
    BLOCKED_BY_STI = 1 << 0,
    BLOCKED_BY_MOV_SS = 1 << 1,
    BLOCKED_BY_SMI = 1 << 2,
    BLOCKED_BY_NMI = 1 << 3,
    PENDING_BS = 1 << 14,
    ACTIVE = 0,
    HLT = 1,
    SHUTDOWN = 2,
    WAIT_FOR_SIPI = 3,
};
#define CR0_PG (1ull << 31)
#define CR0_NOT_LOADED (3ull << 29) /* NW and CD: neither entry nor exit changes them, so nothing is asked of them */
#define RFLAGS_RESERVED 0xFFFFFFFFFFC08028ull
#define PENDING_RESERVED 0xFFFFFFFFFFFFAFF0ull
#define LINK_NONE UINT64_MAX
#define EFER_DEFINED 0xD01ull       /* SCE, LME, LMA, NXE */
#define DEBUGCTL_DEFINED ((uint64_t)NEST_DEBUGCTL_LBR | NEST_DEBUGCTL_BTF)

/* ---- addresses ------------------------------------------------------------------- */

static inline bool page_aligned(uint64_t address) { return (address & 0xFFF) == 0; }
static inline bool within(const struct nest_check *c, uint64_t address) { return address >> c->physical_bits == 0; }
static inline unsigned linear_bits(const struct nest_check *c)
{
    return BIT(c->offered->msr[VMX_CR4_FIXED1], 12) ? 57 : 48; /* CR4.LA57 */
}
static inline bool canonical(const struct nest_check *c, uint64_t address)
{
    unsigned unused = 64 - linear_bits(c);
    return (uint64_t)((int64_t)(address << unused) >> unused) == address;
}
static inline uint64_t last_byte(uint64_t address, uint32_t entries) { return address + entries * 16ull - 1; }

/* ---- controls -------------------------------------------------------------------- */

static inline uint64_t control_msr(const struct nest_check *c, enum vmx_msr msr, enum vmx_msr true_msr)
{
    const uint64_t *msrs = c->offered->msr;
    return msrs[msrs[VMX_BASIC] & VMX_BASIC_TRUE_CONTROLS ? true_msr : msr];
}
static inline uint32_t pin(const struct vmcs *v, uint32_t control) { return v->pin_controls & control; }
static inline uint32_t cpu(const struct vmcs *v, uint32_t control) { return v->processor_controls & control; }
static inline uint32_t cpu2(const struct vmcs *v, uint32_t control)
{
    return cpu(v, CPU_SECONDARY_CONTROLS) ? v->secondary_controls & control : 0;
}
static inline uint32_t exit_control(const struct vmcs *v, uint32_t control) { return v->exit_controls & control; }
static inline uint32_t entry_control(const struct vmcs *v, uint32_t control) { return v->entry_controls & control; }
static inline bool eptp_switching(const struct vmcs *v)
{
    return cpu2(v, CPU2_VM_FUNCTIONS) && v->vm_function_controls & VM_FUNCTION_EPTP_SWITCHING;
}
static inline bool ept_memory_type(const struct nest_check *c, uint64_t eptp)
{
    uint64_t offered = c->offered->msr[VMX_EPT_VPID_CAP];
    return (BITS(eptp, 2, 0) == 0 && offered & EPT_CAP_UNCACHEABLE) ||
           (BITS(eptp, 2, 0) == 6 && offered & EPT_CAP_WRITE_BACK);
}
static inline uint64_t cr3_targets(const struct nest_check *c) { return BITS(c->offered->msr[VMX_MISC], 24, 16); }

/* The virtual task priority is in memory, which the guest may write at any time. */
static inline bool wants_vtpr(const struct vmcs *v)
{
    return cpu(v, CPU_TPR_SHADOW) && v->tpr_threshold && !cpu2(v, CPU2_APIC_ACCESSES | CPU2_VIRTUAL_INTERRUPT_DELIVERY);
}

/* ---- event injection --------------------------------------------------------------- */

enum event_type {
    EVENT_INTERRUPT,
    EVENT_RESERVED,
    EVENT_NMI,
    EVENT_EXCEPTION,
    EVENT_SOFTWARE_INTERRUPT,
    EVENT_PRIVILEGED_SOFTWARE_EXCEPTION,
    EVENT_SOFTWARE_EXCEPTION,
    EVENT_OTHER,
};
enum { EVENT_MTF = 0, VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_MC = 18, VECTOR_LAST_EXCEPTION = 31 };

static inline bool injects(const struct vmcs *v) { return BIT(v->entry_interruption_info, 31); }
static inline unsigned event_type(const struct vmcs *v) { return (unsigned)BITS(v->entry_interruption_info, 10, 8); }
static inline unsigned event_vector(const struct vmcs *v) { return (unsigned)BITS(v->entry_interruption_info, 7, 0); }
static inline bool injects_type(const struct vmcs *v, enum event_type type)
{
    return injects(v) && event_type(v) == type;
}
static inline bool vector_fits_type(const struct vmcs *v)
{
    switch (event_type(v)) {
    case EVENT_NMI:
        return event_vector(v) == VECTOR_NMI;
    case EVENT_EXCEPTION:
        return event_vector(v) <= VECTOR_LAST_EXCEPTION;
    case EVENT_OTHER:
        return event_vector(v) == EVENT_MTF;
    default:
        return true;
    }
}
/* #DF #TS #NP #SS #GP #PF #AC, and #CP where CR4.CET can be set */
static inline bool pushes_error_code(const struct vmcs *v, const struct nest_check *c)
{
    uint32_t vectors = 1u << 8 | 0x1Fu << 10 | 1u << 17 | (uint32_t)BIT(c->offered->msr[VMX_CR4_FIXED1], 23) << 21;
    bool protected_mode = !cpu2(v, CPU2_UNRESTRICTED_GUEST) || v->guest_cr0 & CR0_PE;
    return protected_mode && event_type(v) == EVENT_EXCEPTION && event_vector(v) < 32 && BIT(vectors, event_vector(v));
}
static inline bool is_software_event(const struct vmcs *v)
{
    return event_type(v) >= EVENT_SOFTWARE_INTERRUPT && event_type(v) <= EVENT_SOFTWARE_EXCEPTION;
}
static inline bool event_enters_state(const struct vmcs *v)
{
    bool machine_check = event_type(v) == EVENT_EXCEPTION && event_vector(v) == VECTOR_MC;
    switch (v->guest_activity_state) {
    case HLT:
        return event_type(v) == EVENT_INTERRUPT || event_type(v) == EVENT_NMI || machine_check ||
               event_type(v) == EVENT_OTHER || (event_type(v) == EVENT_EXCEPTION && event_vector(v) == VECTOR_DB);
    case SHUTDOWN:
        return event_type(v) == EVENT_NMI || machine_check;
    case WAIT_FOR_SIPI:
        return false;
    default:
        return true;
    }
}

/* ---- registers ------------------------------------------------------------------------ */

static inline bool long_guest(const struct vmcs *v) { return entry_control(v, ENTRY_LONG_MODE); }
static inline bool unrestricted(const struct vmcs *v) { return cpu2(v, CPU2_UNRESTRICTED_GUEST); }
static inline bool virtual_8086(const struct vmcs *v) { return v->guest_rflags & RFLAGS_VM; }
static inline bool cr0_supported(const struct nest_check *c, uint64_t cr0, uint64_t not_asked)
{
    const uint64_t *msr = c->offered->msr;
    return capability_allows_cr(msr[VMX_CR0_FIXED0] & ~(not_asked | CR0_NOT_LOADED),
                                msr[VMX_CR0_FIXED1] | CR0_NOT_LOADED, cr0);
}
static inline bool cr4_supported(const struct nest_check *c, uint64_t cr4)
{
    return capability_allows_cr(c->offered->msr[VMX_CR4_FIXED0], c->offered->msr[VMX_CR4_FIXED1], cr4);
}
/* Each byte is 0, 1, 4, 5, 6 or 7. */
static inline bool pat_valid(uint64_t pat)
{
    const uint64_t each = 0x0101010101010101ull;
    return !(pat & 0xF8 * each) && !((pat >> 1 & ~(pat >> 2)) & each);
}
static inline bool activity_supported(const struct nest_check *c, uint32_t activity)
{
    return activity == ACTIVE || (activity <= WAIT_FOR_SIPI && BIT(c->offered->msr[VMX_MISC], 5 + activity));
}

/* ---- segments -------------------------------------------------------------------------- */

static inline bool usable(uint32_t rights) { return !BIT(rights, 16); }
static inline unsigned type(uint32_t rights) { return rights & 0xF; }
static inline unsigned dpl(uint32_t rights) { return rights >> 5 & 3; }
static inline unsigned rpl(uint16_t selector) { return selector & 3; }
static inline bool code(uint32_t rights) { return rights & 8; }
static inline bool granularity_may_be_1(uint32_t rights, uint32_t limit)
{
    return !BIT(rights, 15) || BITS(limit, 11, 0) == 0xFFF;
}
static inline bool granularity_may_be_0(uint32_t rights, uint32_t limit)
{
    return BIT(rights, 15) || BITS(limit, 31, 20) == 0;
}
enum { TYPE_DATA = 3, TYPE_TSS_16 = 3, TYPE_TSS = 11, TYPE_LDT = 2, RIGHTS_VIRTUAL_8086 = 0xF3 };

static inline bool cs_type_allowed(const struct vmcs *v)
{
    unsigned t = type(v->guest_cs_access_rights);
    return (t & 9) == 9 || (t == TYPE_DATA && unrestricted(v));
}
static inline bool data_type_allowed(uint32_t rights) { return (rights & 1) && IMPLIES(code(rights), rights & 2); }
static inline bool data_dpl_asked(const struct vmcs *v, uint32_t rights)
{
    return !unrestricted(v) && usable(rights) && type(rights) <= 11;
}

/* ---- PAE paging ---------------------------------------------------------------------------- */

static inline bool pae_paging(const struct vmcs *v)
{
    return !long_guest(v) && v->guest_cr0 & CR0_PG && v->guest_cr4 & CR4_PAE;
}
/* Where there is no memory a processor reads ones, and ones break the rule. */
static inline bool pdpte_valid(const struct nest_check *c, unsigned n)
{
    uint64_t pdpte = c->pdptes_readable ? c->pdptes[n] : ~0ull;
    return IMPLIES(pdpte & 1, BITS(pdpte, 2, 1) == 0 && BITS(pdpte, 8, 5) == 0 && within(c, pdpte));
}
