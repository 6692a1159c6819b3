/* The VMX backend's own part of a virtual CPU. */
#pragma once
#include "cp/cpu/cpu.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/vcpu.h"

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

/* The VMX-preemption timer's value for a deadline. */
static inline uint32_t vmx_timer_ticks(uint64_t deadline, uint64_t now)
{
    uint64_t ticks = deadline > now ? deadline - now : 0;

    ticks >>= cpu_this.vmx.msr[VMX_MISC] & VMX_MISC_TIMER_RATE;
    return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

/* What CP writes into a VMCS; the fields written are added to *set. For all VMCSs, with what is loaded at an exit; and
 * for those in which a guest of the machine itself runs. @pre the guest's storage has its root */
void vmx_host_state(struct vmcs *image, struct vmcs_set *set, const void *exit_point);
void vmx_own_controls(struct vmcs *image, struct vmcs_set *set, const struct vcpu *, uint16_t vpid);
struct guest_storage;
uint64_t vmx_eptp(const struct guest_storage *);

void vmx_flush_ept(uint64_t eptp);    /* INVEPT; INVVPID, where there are VPIDs: single context */
void vmx_flush_vpid(uint16_t vpid);
void vmx_nested_flush_ept(struct vcpu *, uint64_t eptp); /* the same, as in struct nest_hardware */
void vmx_nested_flush_vpid(struct vcpu *, uint16_t vpid);
uint16_t vmx_vpid_next(void);         /* the first of VMX_VPIDS for a new virtual CPU */
/* cpu_nested.vpid_first, of a virtual CPU with this one */
uint16_t vmx_vpids_of_guests(uint16_t vpid, uint16_t *count);
/* VMREAD and VMWRITE bitmaps (vmcs-shadow/bitmap.h) by address. false: no frames */
bool vmx_field_bitmaps(const struct vmx_capability *offered, bool closed, uint64_t *read, uint64_t *write);
bool vmx_has_tsc_aux(void); /* IA32_TSC_AUX comes and goes with RDTSCP and RDPID */
bool vmx_free_msr_valid(uint32_t msr, uint64_t value);  /* does WRMSR of a free MSR (cp/cpu/free_msrs.def) take it? */
bool vmx_free_msr_read(uint32_t msr, uint64_t *value);  /* as in struct cpu_nested */
bool vmx_free_msr_write(uint32_t msr, uint64_t value);

void vmx_region_load(struct vmx_region *); /* makes it current */
/* indicator: VMCS_SHADOW_INDICATOR, or 0; 0 or -ENOMEM */
int vmx_region_create(struct vmx_region *, struct frame_account *, uint32_t indicator);
void vmx_region_destroy(struct vmx_region *, struct frame_account *);
void vmx_write(enum vmcs_field, uint64_t); /* to the current VMCS; a failure is our own bug */
void vmx_host_state_write(void);           /* host-state area of the current VMCS */
void vmx_exit_capture(struct exit *);

/* Enters with the current VMCS. 0, or the flags' verdict: 1 VMfailInvalid, 2 VMfailValid. */
int vmx_enter(uint64_t *gpr, bool launched, uint64_t *host_rsp);
extern char vmx_exit_point[], vmx_exit_point_stuffing[]; /* as speculation.at_exit has it */
