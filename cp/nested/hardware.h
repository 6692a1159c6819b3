/* The hardware's part in virtual VMX: what nest/ calls, and what CP does around it. The backend's: cpu_nested is the
 * one that started. */
#pragma once
#include "cp/vcpu/vcpu.h"
#include "nest/hardware.h"

struct cpu_nested {
    struct nest_hardware hardware;
    const struct vmx_capability *(*capability)(void);
    void (*base)(struct vcpu *, struct vmcs *vmcs01); /* CP's controls and host state, as it runs every guest with */
    /* What runs next: a vmcs02, or NULL for vmcs01. */
    void (*use)(struct vcpu *, void *region);
    /* to what is in use; leaves the set empty */
    void (*push)(struct vcpu *, const struct vmcs *image, struct vmcs_set *fields);
    uint16_t (*vpid_first)(struct vcpu *, uint16_t *count);
    /* MSRs that guests own while they run (system calls, KERNEL_GS_BASE, TSC_AUX). false: none of them, or not
     * canonical */
    bool (*free_msr_read)(uint32_t msr, uint64_t *value);
    bool (*free_msr_write)(uint32_t msr, uint64_t value);
};

extern const struct cpu_nested *cpu_nested;
extern const struct cpu_nested vmx_nested, svm_nested, memory_nested;
