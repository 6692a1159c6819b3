/* What hardware gives virtual VMX: VMCS regions for vmcs02 and shadow VMCSs, the moving of fields between regions and
 * their copies, and the forgetting of translations. A backend implements it for its processor; nest/ calls it and knows
 * neither what a region is nor what a virtual CPU is beyond its name. */
#pragma once
#include "vmcs-shadow/capability.h"

struct vcpu; /* the backend's own; nest/ hands it on */

struct nest_hardware {
    /* One that was VMCLEARed, with its revision (and shadow indicator: only where the capability has "VMCS shadowing").
     * NULL: no frame for it, or too many are held. */
    void *(*region_alloc)(struct vcpu *, bool shadow);
    void (*region_free)(struct vcpu *, void *region); /* VMCLEARs it first */
    uint64_t (*region_address)(void *region);         /* for a link pointer in vmcs02 */

    /* vmcs_sync_pull_guest() from this vmcs02, _hot() if `closed`; what was in use stays in use. */
    void (*guest_pull)(struct vcpu *, void *region, struct vmcs *image, struct vmcs_set *changed, bool closed);
    /* Brings the region L1 runs on into use (NULL: vmcs01) and writes the state of L1 after an exit to it, shadows of
     * CR0 and CR4 too: vmcs_sync_write_l1(). Without a state: the first only. */
    void (*load_l1)(struct vcpu *, void *region, const struct vmcs *state);

    /* Makes `region` what L1's VMREAD and VMWRITE reach: link pointer, "VMCS shadowing" and the bitmaps of vmcs01,
     * which is in use; those of vmcs_bitmap_close() if `closed`. NULL: they exit. NULL itself, and those of shadow
     * regions below: there are none, they always exit. */
    void (*link)(struct vcpu *, void *region, bool closed, const struct vmx_capability *offered);
    /* The VMREAD and VMWRITE bitmaps link() uses. false: no frames */
    bool (*field_bitmaps)(const struct vmx_capability *offered, bool closed, uint64_t *read, uint64_t *write);
    /* Before VMRESUME of L1: vmcs_sync_pull_written() from the shadow region, _hot() if `closed`; vmcs01 is in use
     * before and after. */
    void (*shadow_pull)(struct vcpu *, void *region, struct vmcs *copy, struct vmcs_set *changed, bool closed);
    /* Before a VMCLEAR: vmcs_sync_pull_all(). */
    void (*shadow_pull_all)(struct vcpu *, void *region, struct vmcs *copy);
    /* vmcs_sync_push() to the shadow region, and vmcs_sync_push_exit() if `exit_information`. */
    void (*shadow_push)(struct vcpu *, void *region, const struct vmcs *copy, const struct vmcs_set *fields,
                        bool exit_information);

    void (*flush_ept)(struct vcpu *, uint64_t eptp);  /* INVEPT, single context */
    void (*flush_vpid)(struct vcpu *, uint16_t vpid); /* INVVPID, single context */
};
