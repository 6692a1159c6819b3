/* The hardware's part in virtual VMX: regions for vmcs02 and shadow VMCSs, and moving fields between them and their
 * copies. Regions are opaque to nest/. The backend's: cpu_nested is the one that started. */
#pragma once
#include "cp/vcpu/vcpu.h"
#include "vmcs-shadow/capability.h"

struct cpu_nested {
    const struct vmx_capability *(*capability)(void);
    void (*base)(struct vcpu *, struct vmcs *vmcs01); /* CP's controls and host state, as it runs every guest with */
    void *(*region_alloc)(struct vcpu *, bool shadow);
    void (*region_free)(struct vcpu *, void *region);
    uint64_t (*region_address)(void *region);
    /* What runs next: a vmcs02, or NULL for vmcs01. */
    void (*use)(struct vcpu *, void *region);
    /* to what is in use; leaves the set empty */
    void (*push)(struct vcpu *, const struct vmcs *image, struct vmcs_set *fields);
    void (*guest_pull)(struct vcpu *, void *region, struct vmcs *image, struct vmcs_set *changed, bool closed);
    void (*load_l1)(struct vcpu *, const struct vmcs *state);
    void (*link)(struct vcpu *, void *region, bool closed, const struct vmx_capability *offered);
    void (*shadow_pull)(struct vcpu *, void *region, struct vmcs *copy, struct vmcs_set *changed, bool closed);
    void (*shadow_pull_all)(struct vcpu *, void *region, struct vmcs *copy);
    void (*shadow_push)(struct vcpu *, void *region, const struct vmcs *copy, const struct vmcs_set *fields,
                        bool exit_information);
    void (*flush_ept)(uint64_t eptp);
    void (*flush_vpid)(uint16_t vpid);
    uint16_t (*vpid_first)(struct vcpu *, uint16_t *count);
    /* MSRs that guests own while they run (system calls, KERNEL_GS_BASE, TSC_AUX). false: none of them, or not
     * canonical */
    bool (*free_msr_read)(uint32_t msr, uint64_t *value);
    bool (*free_msr_write)(uint32_t msr, uint64_t value);
    bool shadow_regions;     /* a guest's VMREAD and VMWRITE can reach a region without an exit */
};

extern const struct cpu_nested *cpu_nested;
extern const struct cpu_nested vmx_nested, svm_nested, memory_nested;
