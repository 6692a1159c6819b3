/* What of a virtual VMCS is derived of what, and what of it is out of date.
 *
 *   entry   what L1 wrote --pull--> vmcs12 --image--> vmcs02 --push--> region in hardware, which L2 runs on
 *                                             ^
 *                    vmcs01, EPT02, the linked region, L1's registers, L1's memory
 *
 *   exit    region --pull--> vmcs02 --save--> vmcs12 --show--> where L1 looks
 *                               `--host state--> l1 --load--> vmcs01, for L1 to go on
 *
 * A bit set means out of date, everywhere. What is copied field by field has a set of fields; what is made as
 * a whole has a bit in `parts`. Whoever changes an input says so by a function below, which knows what is
 * derived of it (the column `derived` of fields.def); whoever needs a thing calls the one function that brings
 * it up to date, and this alone clears:
 *
 *   vmcs12    nest_page_pull(): what L1 notes in a page.  A hardware region is compared instead, nest_active_pull()
 *   vmcs02    nest_image_renew() at an entry, nest_image_follow() while L2 runs
 *   region    the caller of nest_load(), who writes the fields to it
 *   EPT02     with vmcs02: which one it is.  What is in it is dropped at once and made anew as L2 touches it
 *   tag       nest_tag_renew()
 *   guest     vmcs12's guest state: nest_guest_state_save(), nest_guest_state_catch_up()
 *   l1        nest_host_state_load()
 *   shown     nest_show(): the shadow region or the page
 *   checks    nest_check_entry(), which keeps its own set, of sections
 *
 * Unions of bitmaps are kept by what they were made of (nest/bitmap.c): L1's page may change under any of them.
 * On the host build each result is compared with one made from nothing: nest/recompute.h. */
#pragma once
#include "nest/check.h"

enum nest_part {
    NEST_STALE_IMAGE = 1 << 0,    /* vmcs02, every field: it was never made */
    NEST_STALE_RULES = 1 << 1,    /* vmcs02, what rules make */
    NEST_STALE_BASE = 1 << 2,     /* vmcs02, what comes from CP's own VMCS */
    NEST_STALE_EPT = 1 << 3,      /* which EPT02 */
    NEST_STALE_TAG = 1 << 4,      /* what hardware keeps of L2's translations */
    NEST_STALE_GUEST = 1 << 5,    /* vmcs12's guest state where that is no copy of vmcs02's: control registers, MSRs */
    NEST_STALE_COLD = 1 << 6,     /* vmcs02's and vmcs12's cold guest state */
    NEST_STALE_HOST = 1 << 7,     /* l1, all of it */
    NEST_STALE_HOST_REGISTERS = 1 << 8, /* l1, what it takes of L2's control registers and MSRs */
    NEST_STALE_REPORT = 1 << 9,   /* shown: what the exit reports, RIP and RSP */
    NEST_STALE_SHOWN_COLD = 1 << 10, /* shown, of a page that is linked to: cold fields L2 wrote to its region */

    NEST_STALE_VMCS02 = NEST_STALE_IMAGE | NEST_STALE_RULES | NEST_STALE_BASE | NEST_STALE_EPT,
    NEST_STALE_FOLLOWS = NEST_STALE_BASE | NEST_STALE_EPT, /* what vmcs02 must follow while L2 runs */
    NEST_STALE_REGISTERS = NEST_STALE_GUEST | NEST_STALE_HOST_REGISTERS,
    /* as nothing was made yet */
    NEST_STALE_NEW = NEST_STALE_IMAGE | NEST_STALE_TAG | NEST_STALE_REGISTERS | NEST_STALE_HOST,
};

struct nest_stale {
    uint32_t parts;         /* enum nest_part */
    struct vmcs_set vmcs12; /* fields its page names, that vmcs12 does not have yet */
    struct vmcs_set image;  /* fields of vmcs12 that vmcs02 does not have yet: of class IMAGE */
    /* fields of vmcs02, of a page that is linked to of vmcs12, that hardware does not have yet */
    struct vmcs_set region;
    struct vmcs_set shown;  /* fields of vmcs12 that L1 does not see yet */
};

/* Who made a field of vmcs12 another, and so has it already. */
enum nest_writer {
    NEST_BY_L1, /* where it looks */
    NEST_BY_L2, /* in vmcs02 */
    NEST_BY_CP, /* in vmcs12 only */
};

struct nest_vmcs;
/* Fields of vmcs12 became others.  RIP and RSP need not be told of: every entry takes them for written, and L1 is shown
 * them after every exit. */
void nest_written_some(struct nest_vmcs *vmcs, const struct vmcs_set *fields, enum nest_writer writer);
void nest_written_one(struct nest_vmcs *vmcs, enum vmcs_index index, enum nest_writer writer);
static inline void nest_written(struct nest_vmcs *vmcs, const struct vmcs_set *fields, enum nest_writer writer)
{
    if (!vmcs_set_empty(fields))
        nest_written_some(vmcs, fields, writer);
}

/* Fields of vmcs02 became others: hardware has them already, or (NEST_BY_CP) it does not. */
void nest_image_written(struct nest_vmcs *vmcs, const struct vmcs_set *fields, enum nest_writer writer);

/* Which parts are derived of these fields of vmcs12. */
uint32_t nest_parts_of(const struct vmcs_set *fields);
