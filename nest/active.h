/* The active virtual VMCSs of one virtual CPU.
 *
 * Owns each one's copies and frames.  While a virtual VMCS is active its contents are here (and, in shadow mode, in
 * its hardware shadow region, which then is the truth for the fields L1 may write); the region in L1's storage is
 * written when it is cleared or makes room for another. */
#pragma once
#include "nest/merge.h"
#include "nest/stale.h"

/* Image of a virtual VMCS in L1's storage. */
struct nest_region {
    uint32_t revision; /* bit 31: shadow VMCS */
    uint32_t abort;    /* VMX-abort indicator */
    uint32_t launched; /* kept when one makes room; 0 after VMCLEAR */
    uint32_t reserved;
    struct vmcs fields;
    uint64_t resumes;  /* as of struct vmcs_page */
};
_Static_assert(sizeof(struct nest_region) <= 4096, "a VMCS region is one page");

enum nest_frame {
    NEST_FRAME_MSR_BITMAP, NEST_FRAME_IO_A, NEST_FRAME_IO_B, NEST_FRAME_VMREAD, NEST_FRAME_VMWRITE, NEST_FRAMES
};

struct nest_union {
    uint64_t inner, version; /* L1's page, and its version then */
    uint64_t outer;          /* CP's page */
};

/* What L1 can do with it: enter it by VMX instructions or by a call, or only link to it. A shadow one is of the kind
 * one above that of those that may link to it. */
enum nest_kind { NEST_REGION, NEST_SHADOW_REGION, NEST_PAGE, NEST_SHADOW_PAGE };

struct nest_vmcs {
    uint64_t gpa;
    enum nest_kind kind;
    struct vmcs_page *page;          /* of the last two kinds: L1 and CP share it (nest/page.h); else NULL */
    bool launched;
    bool launching;                  /* VMLAUNCH, and nothing of L2 has run yet */
    struct nest_stale stale;         /* what of the following is out of date */
    struct nest_check_memory checks;
    struct nest_merge_context context; /* of the last merge */
    uint64_t used;
    struct vmcs vmcs12;
    struct vmcs vmcs02;              /* an image of what region02 holds */
    bool closed;                     /* its shadow region gives L1 the hot fields only */
    uint16_t quiet, patience;        /* entries without a cold change; closed after so many */
    struct vmcs l1;                  /* guest-state fields for vmcs01 after an exit, made of the host-state area */
    void *shadow_region, *region02;
    void *frames[NEST_FRAMES];       /* merged bitmaps */
    struct nest_union unions[NEST_FRAMES]; /* what they were made of */
    uint64_t pinned_apic;            /* guest-physical page pinned for hardware; NEST_NO_ADDRESS: none */
    uint64_t apic_page;              /* where it is */
    struct nest_ept *ept;            /* EPT02 it was last entered with; NULL: EPT01 */
    struct nest_chain *chain;        /* what its guest enters by pages, if that is CP's; NULL: nothing (nest/chain.h) */
    uint64_t resumes;                /* L2 was stopped before its time: VMCS_PAGE_RESUMES, and ticks of its timer */
    uint64_t made;                   /* how often vmcs02's controls, or what they point to, became others */
    struct nest_vmcs *link;          /* active virtual VMCS its link pointer names; NULL: none */
    bool link_closed;                /* its bitmaps let L2 write hot fields only */
    uint16_t vpid02;                 /* 0: none */
};
_Static_assert(sizeof(struct nest_vmcs) <= 4096, "a virtual VMCS is one frame");

/* The active virtual VMCS at gpa, or NULL. */
struct nest_vmcs *nest_active_find(const struct nest *nest, uint64_t gpa);
/* The same, made active from L1's storage if it is not.  NULL: no frames, or gpa is no storage (*no_frames says which,
 * and is left alone else).  Never evicts `keep`, nor the current one. */
struct nest_vmcs *nest_active_get(struct nest *nest, uint64_t gpa, const struct nest_vmcs *keep, bool *no_frames);
/* A fresh one in the table, with nothing in it.  NULL: no frames, or all are kept. */
struct nest_vmcs *nest_active_new(struct nest *nest, uint64_t gpa, const struct nest_vmcs *keep);
/* The fields L1 is offered: what it may write to a virtual VMCS, and is shown of one. */
const struct vmcs_set *nest_active_fields(struct nest *nest);
/* A hardware shadow region, with nothing in it; NULL: the mode, hardware or storage has none. */
void *nest_active_shadow_region(struct nest *nest);
/* Says to all that may link to it that it came, goes, or has a region now. */
void nest_active_link_changes(struct nest *nest, const struct nest_vmcs *vmcs);
/* Writes it back to L1's storage and lets it go.  The current one becomes none if it is this. */
void nest_active_clear(struct nest *nest, struct nest_vmcs *vmcs, bool launched);
/* Lets all go, written back or not. */
void nest_active_drop_all(struct nest *nest);

/* Makes it current (NULL: none), with its shadow region linked to vmcs01.  @pre vmcs01 is loaded */
void nest_active_select(struct nest *nest, struct nest_vmcs *vmcs);

/* At an entry: brings vmcs12 up to date with what L1 wrote to the shadow region, and closes that when nothing cold was
 * written for some time.  @pre vmcs01 is loaded */
void nest_active_pull(struct nest *nest, struct nest_vmcs *vmcs);
/* L1 wants a cold field: the region is opened, with L2's cold state in it. */
void nest_active_open(struct nest *nest, struct nest_vmcs *vmcs);
/* Sets a field of vmcs12 (VMWRITE, VM-instruction error), and shows it to L1. */
void nest_active_set(struct nest *nest, struct nest_vmcs *vmcs, enum vmcs_index index, uint64_t value);
