/* The backend for a CP whose machine is given by another CP that offers the memory way (vmcs-shadow/page.h):
 * VMX all the same, but a VMCS is a page, read and written as storage, and entered by one call. VMXON,
 * VMCLEAR, INVEPT and INVVPID stay. */
#pragma once
#include "cp/cpu/vmx.h"
#include "vmcs-shadow/page.h"

struct memory_region { /* one VMCS */
    struct vmcs_page *page;
    struct vmcs_set touched; /* fields CP wrote as it handled exits of what runs, since they were last pulled */
};

struct memory_vcpu {
    struct memory_region first, *active; /* vmcs01; what vcpu_read/vcpu_write and enter use */
    struct memory_region nested[VMX_REGIONS]; /* page NULL: free */
    uint16_t vpid;
};

/* indicator: VMCS_SHADOW_INDICATOR, or 0; 0 or -ENOMEM */
int memory_region_create(struct memory_region *, struct frame_account *, uint32_t indicator);
void memory_region_destroy(struct memory_region *, struct frame_account *);
/* The CP below lets go of it, all it knows of it being in the page then. */
void memory_region_clear(struct memory_region *);
void memory_host_state_write(struct memory_region *);

extern bool memory_delegates; /* the CP below carries out what guests enter by page: DIAGNOSE_ASSIST_DELEGATE */

uint64_t memory_switch(uint64_t *gpr, uint64_t page);
extern char memory_exit_point[], memory_host_stack[];
