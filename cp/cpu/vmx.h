/* The VMX backend's own part of a virtual CPU. */
#pragma once
#include "cp/cpu/cpu.h"
#include "cp/cpu/vcpu.h"
#include "cp/storage/address.h"

struct vmx_region { /* one hardware VMCS */
    void *page;
    bool launched;
    uint64_t host_rsp; /* as last written to it */
};

enum {
    VMX_REGIONS = 2 * 16, /* a vmcs02 and a shadow VMCS for each virtual VMCS that is active */
    VMX_VPIDS = 16,       /* of one virtual CPU: the first for vmcs01, the others for what runs beneath it */
};

struct vmx_vcpu {
    struct vmx_region first;   /* vmcs01: runs the guest itself */
    struct vmx_region *active; /* what vcpu_read/vcpu_write and enter use: first, or a vmcs02 */
    struct vmx_region nested[VMX_REGIONS]; /* page NULL: free */
    bool shadowing;            /* vmcs01 links to a shadow VMCS */
    uint16_t vpid;
};

const char *vmx_start(void); /* cpu_backend.start */
/* The controls CP asks for, made legal for this processor: NULL, or what is missing. */
const char *vmx_controls_choose(const struct vmx_capability *);
struct vmx_controls {
    uint32_t pin, cpu, cpu2, exit, entry;
};
extern struct vmx_controls vmx_controls;
extern void *vmx_msr_bitmap; /* the MSRs every guest may touch without an exit */
int vmx_msr_bitmap_create(void); /* 0 or -ENOMEM */

void vmx_region_load(struct vmx_region *); /* makes it current */
int vmx_region_create(struct vmx_region *, uint32_t indicator); /* VMCS_SHADOW_INDICATOR, or 0; 0 or -ENOMEM */
void vmx_region_destroy(struct vmx_region *);
void vmx_write(enum vmcs_field, uint64_t); /* to the current VMCS; a failure is our own bug */
void vmx_host_state_write(void);           /* host-state area of the current VMCS */
void vmx_exit_capture(struct exit *);

/* Enters with the current VMCS. 0, or the flags' verdict: 1 VMfailInvalid, 2 VMfailValid. */
int vmx_enter(uint64_t *gpr, bool launched, uint64_t *host_rsp);
extern char vmx_exit_point[];
