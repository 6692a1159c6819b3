/* The SVM backend's own part of a virtual CPU. */
#pragma once
#include "cp/storage/frame.h"
#include "cp/svm/asid.h"
#include "cp/svm/exit.h"
#include "cp/svm/state.h"
#include "cp/vcpu/vcpu.h"
#include "vmcs-shadow/capability.h"

struct svm_region { /* what stands for one VMCS; a frame */
    struct svm_state state;
    struct svm_tag tag;
    uint64_t injected, injected_rip; /* the software event given to the last entry, 0: none, and RIP then */
    unsigned injected_length;
    bool stepping;             /* one instruction, until an NMI may come */
};

enum {
    SVM_REGIONS = 16,   /* a vmcs02 for each virtual VMCS that is active */
    SVM_VPID_FIRST = 1, /* vmcs01's; the others follow */
};

/* Where the last instruction that was looked at lay, and what led there. */
struct svm_code_page {
    uint64_t page, cr0, cr3, cr4;
    unsigned used; /* entries; 0: nothing is kept */
    const uint64_t *entry[4];
    uint64_t value[4];
    const uint8_t *bytes; /* of the page */
};

struct svm_vcpu { /* a frame */
    struct svm_region first, *active; /* vmcs01; what vcpu_read/vcpu_write and enter use */
    struct svm_region *nested[SVM_REGIONS];
    struct svm_code_page code; /* of vmcs01's guest */
};

const char *svm_start(void); /* cpu_backend.start */
extern struct svm_maps svm_maps;
extern bool svm_has_next_rip; /* the processor keeps vmcb.next_rip */
extern bool svm_has_debugctl; /* and loads vmcb.debugctl: BTF is its own to honour */
extern struct vmx_capability svm_capability; /* what CP's guests' VMX stands on */

struct svm_region *svm_region_create(struct frame_account *);        /* NULL: no frames */
bool svm_region_begin(struct svm_region *, struct frame_account *);  /* zeroed storage becomes one; false: no frames */
void svm_region_destroy(struct svm_region *, struct frame_account *);
/* Exchanges what the VMCB has and the VMCS has not: the MSRs of system calls. */
void svm_region_use(struct svm_vcpu *, struct svm_region *);
void svm_asids_drop(void); /* no translation made until now is used again */
void svm_asids_start(unsigned count);
/* before it runs: its ASID, a fresh one if the translations under its own are void */
void svm_asid_prepare(struct svm_region *);

/* MSRs that guests own while they run, in the VMCB; false: none of them. */
bool svm_free_msr_read(const struct svm_region *, uint32_t msr, uint64_t *value);
/* false: none of them, or no value for it */
bool svm_free_msr_write(struct svm_region *, uint32_t msr, uint64_t value);
bool svm_is_free_msr(uint32_t msr);

/* Consumes the image's VM-entry interruption information. */
void svm_event_inject(struct svm_region *);

/* Did VMRUN refuse to run it? */
bool svm_exit_refuses(struct vcpu *, struct svm_region *);
/* The exit of what ran, in VMX terms. true: vcpu->exit is for CP; false: it was dealt with here, enter again. */
bool svm_exit_handle(struct vcpu *, struct svm_region *, uint64_t deadline);

/* Bits of CP's own CR0 and CR4 that follow the guest's, because a change of them at each entry and exit
 * costs the processor all its translations: CP's pages are the supervisor's, writable and not global, so
 * that CP does not depend on them. */
struct svm_own {
    uint64_t cr0, cr4; /* now */
    uint64_t cr0_follows, cr4_follows;
    uint64_t entry_ticks; /* an entry takes no more, in TSC ticks */
    bool stuffs_returns; /* speculation.at_exit; here, since every entry looks at this page */
    bool software; /* this is QEMU's processor, whose VMRUN neither casts a shadow nor arms breakpoints */
    bool rewritten; /* whoever is below may have written VMMCALL over a guest's VMCALL, as KVM does */
};
extern struct svm_own svm_own;

/* CLGI, VMLOAD, VMRUN, VMSAVE, VMLOAD of the host's, STGI. RAX and RSP are the VMCB's. `armed`: as svm_armed says. */
void svm_run(uint64_t *gpr, uint64_t vmcb, uint64_t host, bool armed);
/* Fills the return stack buffer first thing after the exit. @pre svm_own.software is not set */
void svm_run_stuffing(uint64_t *gpr, uint64_t vmcb, uint64_t host);
struct svm_armed { /* the assembly knows where they are */
    uint64_t dr7, vmcb;
    bool shadow;
};
extern struct svm_armed svm_armed;
extern const char svm_window[], svm_window_end[]; /* the code that runs with DR7 so */
extern uint64_t svm_host; /* VMCB with what VMSAVE keeps of CP */
