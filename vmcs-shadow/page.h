/* A virtual VMCS as a page that a guest hypervisor and CP both see: the memory way (docs/nesting.md).
 *
 * The hypervisor reads fields where they lie; it writes one and notes that in `written`.  It enters by one call that
 * carries the page's guest-physical address (cp/diagnose.h), so that VMREAD, VMWRITE, VMPTRLD and VMRESUME never leave
 * it.  CP copies what is noted before it judges it, clears the note, and brings guest state and exit information up to
 * date at an exit, noting in `changed` what it changed.  VMCLEAR of the address lets go of the page.
 *
 * A page that CP does not have yet, or has let go of, is taken as it stands; the notes are judged all the same.
 * A note of a field that is not offered makes the call fail; the notes are as they were then, and nothing was entered.
 *
 * A page whose revision has bit 31 set stands for a shadow VMCS: the link pointer of another page may name it.  What
 * the guest's guest writes to it by VMWRITE is in it, and noted in `changed`, after an exit for a VMX instruction
 * (exit information and the two fields for SMM apart) and after VMCLEAR of its address (all of it); what the hypervisor
 * writes takes effect at the next entry. */
#pragma once
#include "vmcs-shadow/capability.h"

#define VMCS_PAGE_FORM 0x31504D56u /* "VMP1" */
#define VMCS_PAGE_RESUMES (1ull << 63)

/* Of a virtual CPU's virtual VMX, all that is not in its VMCSs. */
struct vmcs_delegation {
    uint64_t state;   /* the VMXON region's address, 0 outside VMX operation, and enum vmcs_delegated */
    uint64_t current; /* the address of the current VMCS or page; all ones: none */
};
enum vmcs_delegated {
    VMCS_DELEGATED = 1 << 0,
    VMCS_DELEGATED_VMXON = 1 << 1,
    VMCS_DELEGATED_MAY_VMXON = 1 << 2, /* IA32_FEATURE_CONTROL allows it */
    VMCS_DELEGATED_PAGE = 1 << 3,      /* the current one was entered by a call */
};

struct vmcs_page {
    /* as IA32_VMX_BASIC tells it, which differs when struct vmcs does; bit 31: to be linked to */
    uint32_t revision;
    uint32_t abort;          /* VMX-abort indicator, written by CP */
    uint32_t form;           /* VMCS_PAGE_FORM */
    uint32_t reserved;
    struct vmcs_set written; /* by the hypervisor since the last entry; CP clears it */
    struct vmcs_set changed; /* by CP; the hypervisor clears it when it likes */
    uint64_t rax, rbx;       /* of its guest at an entry: the call has its arguments in those registers */
    struct vmcs fields;
    /* What its guest does with VMX, by VMX instructions or by calls, is CP's to carry out (nest/chain.h): the
     * hypervisor says so and how things stand, and from then on CP says how they do. 0: the hypervisor does it. */
    struct vmcs_delegation delegation;
    /* Its guest stopped before its time by who carried the entry out, and its preemption timer had so many ticks left:
     * VMCS_PAGE_RESUMES and the ticks. The next to enter it takes them in the field's place, and clears it. */
    uint64_t resumes;
};
_Static_assert(sizeof(struct vmcs_page) <= 4096, "a virtual VMCS is one page");

/* Copies the fields of a set.  @pre no bit of it is beyond VMCS_FIELDS */
void vmcs_copy_set(struct vmcs *to, const struct vmcs *from, const struct vmcs_set *set);

/* The hypervisor's VMWRITE: notes a field that becomes another.  Not for a page that is linked to, where a field may be
 * another already that the page does not show yet: vmcs_page_write_set().  @pre index < VMCS_FIELDS */
static inline void vmcs_page_write(struct vmcs_page *page, enum vmcs_index index, uint64_t value)
{
    if (vmcs_get(&page->fields, index) == value)
        return;
    vmcs_set(&page->fields, index, value);
    vmcs_set_add(&page->written, index);
}

/* The same for each field of a set, from a copy, noted whatever they were. */
void vmcs_page_write_set(struct vmcs_page *page, const struct vmcs *from, const struct vmcs_set *set);

/* A guest's state after an exit it gets, as sync.h has write_l1: each field that becomes another. */
void vmcs_page_write_l1(struct vmcs_page *page, const struct vmcs *state);

/* What an exit reports, RIP and RSP: copied blindly, noted in *noted. */
void vmcs_page_copy_exit(struct vmcs *to, const struct vmcs *from, struct vmcs_set *noted);

/* Takes over into *copy the fields of `which` that are noted in *notes (which loses those notes), adding them to
 * *taken; RIP and RSP always, and in no set, as sync.h has it. */
void vmcs_page_take(struct vmcs *copy, const struct vmcs *fields, struct vmcs_set *notes, const struct vmcs_set *which,
                    struct vmcs_set *taken);
