/* Checks on VM entry, rule by rule in the manual's order.  Pure functions of what was copied before: nothing a guest can change
 * in between is fetched here.  SDM "VM Entries": "Checks on VMX Controls", "Checks on Host-State Area",
 * "Checking and Loading Guest State". */
#pragma once
#include "vmcs-shadow/capability.h"

enum nest_failure_kind {
    NEST_FAILURE_CONTROL, /* VMfailValid 7 */
    NEST_FAILURE_HOST,    /* VMfailValid 8 */
    NEST_FAILURE_GUEST,   /* exit with reason 33 and bit 31, and the qualification */
    NEST_FAILURE_MSR,     /* exit with reason 34 and bit 31; qualification: number of the entry, from 1 */
};

struct nest_failure {
    enum nest_failure_kind kind;
    uint32_t field;          /* encoding of the field that broke the rule */
    const char *rule;        /* the rule, in a few words, for people */
    uint64_t qualification;  /* NEST_FAILURE_GUEST: 0, 2 PDPTE, 3 NMI injection with blocking by STI, 4 VMCS link pointer */
};

/* All that the checks look at. */
struct nest_check {
    const struct vmcs *vmcs12;
    const struct vmx_capability *offered;
    uint8_t physical_bits;
    bool long_mode;            /* L1's IA32_EFER.LMA at the VMX instruction */
    uint64_t current_gpa;      /* the current-VMCS pointer */
    bool link_readable;        /* the link pointer's target is in L1's storage; ... */
    uint32_t link_revision;    /* ... and its first four bytes */
    bool pdptes_readable;      /* the four at guest CR3, where the entry must load them from memory; ... */
    uint64_t pdptes[4];        /* ... or from the VMCS, when EPT is on */
};

/* true: every rule holds; else *failure is the first that does not.  Call in this order; each takes the ones before for granted. */
bool nest_check_controls(const struct nest_check *check, struct nest_failure *failure);
bool nest_check_host(const struct nest_check *check, struct nest_failure *failure);
bool nest_check_guest(const struct nest_check *check, struct nest_failure *failure);

/* One entry of a VM-entry or VM-exit MSR-load list: whether the manual lets it be loaded (SDM "Loading MSRs"), before WRMSR's
 * own checks. */
bool nest_check_msr_load(uint32_t index, uint32_t reserved, bool x2apic);
bool nest_check_msr_store(uint32_t index, uint32_t reserved, bool x2apic);

/* Groups of checks that a change of a field makes necessary again; for entries after the first. */
enum nest_check_group { NEST_CHECK_CONTROLS = 1, NEST_CHECK_HOST = 2, NEST_CHECK_GUEST = 4 };
/* The groups that look at any of these fields. RIP, RFLAGS, interruptibility and the entry interruption fields are in two groups. */
unsigned nest_check_groups(const struct vmcs_set *changed);
