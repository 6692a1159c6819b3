/* The checks of a VM entry: what hardware would refuse is refused with the manual's number, and the refusal
 * names the rule and the field. SDM "VM Entries": "Checks on VMX Controls", "Checks on Host-State Area",
 * "Checking and Loading Guest State".
 *
 * The rules are the rows of check_rules.def, in the manual's order and in sections. Pure functions of what was copied
 * before: nothing that a guest can change in between is fetched here.
 *
 * Every entry is checked, so the usual one is cheap: a section is not run again when no field that it reads has changed
 * since it last passed. Figures are in check.c. */
#pragma once
#include "vmcs-shadow/capability.h"

/* IA32_DEBUGCTL has no other bits. There are no model-specific LBRs, so that LBR may be written and reads as 0: SDM
 * "Last Branch Records". */
enum { NEST_DEBUGCTL_LBR = 1 << 0, NEST_DEBUGCTL_BTF = 1 << 1 };

enum nest_failure_kind {
    NEST_FAILURE_CONTROL, /* VMfailValid 7 */
    NEST_FAILURE_HOST,    /* VMfailValid 8 */
    NEST_FAILURE_GUEST,   /* exit with reason 33 and bit 31, and the qualification */
    NEST_FAILURE_MSR,     /* exit with reason 34 and bit 31; qualification: number of the entry, from 1 */
};

struct nest_failure {
    enum nest_failure_kind kind;
    uint32_t field;          /* encoding of the field that broke the rule */
    const char *rule;        /* the manual's sentence, shortened */
    const char *title;       /* of the section of the manual that has it */
    /* NEST_FAILURE_GUEST: 0, 2 PDPTE, 3 NMI injection with blocking by STI, 4 VMCS link pointer */
    uint64_t qualification;
};

/* All that the checks look at. */
struct nest_check {
    const struct vmcs *vmcs12;
    const struct vmx_capability *offered;
    uint8_t physical_bits;     /* L1's physical-address width, 32 to 52 */
    bool long_mode;            /* L1's IA32_EFER.LMA at the VMX instruction */
    uint64_t current_gpa;      /* the current-VMCS pointer */
    bool link_readable;        /* the link pointer's target is in L1's storage; ... */
    uint32_t link_revision;    /* ... and its first four bytes */
    bool pdptes_readable;      /* the four at guest CR3, where the entry must load them from memory; ... */
    uint64_t pdptes[4];        /* ... or from the VMCS, when EPT is on */
    bool vtpr_readable;        /* the virtual-APIC page is in L1's storage; ... */
    uint8_t vtpr;              /* ... and the byte at 80H of it; wanted if nest_check_wants_vtpr() */
};

enum nest_check_section {
#define SECTION(name, title, kind, qualification) NEST_CHECK_SECTION_##name,
#define RULE(FIELD, text, condition)
#define APPLIES_IF(condition)
#define END
#include "nest/check_rules.def"
    NEST_CHECK_SECTIONS
};
#define NEST_CHECK_ALL ((1u << NEST_CHECK_SECTIONS) - 1)

/* What is remembered of one vmcs12 from entry to entry.  It belongs to the vmcs12 and is forgotten when the vmcs12 is
 * replaced (VMPTRLD of a region, VMCLEAR) or when `offered`, physical_bits, long_mode, or the region
 * the link pointer names changes. */
struct nest_check_memory {
    uint32_t unchecked;        /* bit n: section n has to run */
    uint64_t rflags, cr0;      /* as they were at the last check */
};
static inline void nest_check_forget(struct nest_check_memory *memory)
{
    memory->unchecked = NEST_CHECK_ALL;
}

/* Sections that read a field; of RFLAGS and CR0 only those that read all of it. */
extern const uint32_t nest_check_field_sections[VMCS_FIELDS];
/* A field of the vmcs12 was written. */
static inline void nest_check_touch(struct nest_check_memory *memory, enum vmcs_index index)
{
    memory->unchecked |= nest_check_field_sections[index];
}
void nest_check_touch_set(struct nest_check_memory *memory, const struct vmcs_set *changed);

/* Whether every rule holds; else *failure is the first that does not, and its section stays unchecked. MSR lists apart.
 * @pre every field written since the last call was told to nest_check_touch() */
bool nest_check_entry(struct nest_check_memory *memory, const struct nest_check *check, struct nest_failure *failure);

/* Whether the entry will read this memory, so that it is worth fetching. */
bool nest_check_wants_vtpr(const struct vmcs *vmcs12);
bool nest_check_wants_pdptes(const struct vmcs *vmcs12);

/* The same in three steps and without a memory: every rule of its part. Call in this order; each
 * takes the ones before for granted. */
bool nest_check_controls(const struct nest_check *check, struct nest_failure *failure);
bool nest_check_host(const struct nest_check *check, struct nest_failure *failure);
bool nest_check_guest(const struct nest_check *check, struct nest_failure *failure);

/* One entry of a VM-entry or VM-exit MSR list: whether the manual lets it be loaded or stored (SDM "Loading MSRs",
 * "Saving MSRs"), before WRMSR's or RDMSR's own checks. x2apic: the local APIC is in x2APIC mode. */
bool nest_check_msr_load(uint32_t index, uint32_t reserved, bool x2apic);
bool nest_check_msr_store(uint32_t index, uint32_t reserved, bool x2apic);

/* For tests and documents: the rules of a section. */
struct nest_check_rule {
    uint32_t field;
    const char *text;
};
const struct nest_check_rule *nest_check_rules(enum nest_check_section section, size_t *count);
