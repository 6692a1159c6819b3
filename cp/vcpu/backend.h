/* The seam between CP and the processor's virtualization, VMX or SVM. A backend keeps a control block per virtual CPU,
 * loads state described by VMCS fields into it, enters, and describes every exit in VMX terms. It decides nothing. */
#pragma once
#include "cp/vcpu/vcpu.h"

#define CPU_UNSOUND (~0u)

struct cpu_backend {
    const char *name;
    /* Turns virtualization on for this CPU. NULL, or one line naming what is missing. */
    const char *(*start)(void);
    int (*create)(struct vcpu *);    /* 0 or -ENOMEM; control block with CP's own fields, guest state undefined */
    void (*destroy)(struct vcpu *);
    /* Enters the guest and comes back with vcpu->exit, at the latest when the TSC is at `deadline`; `now` is what it
     * was just now. false: the processor refused the control block, or the backend itself did (the exit's reason is
     * CPU_UNSOUND, its qualification says which check); nothing ran. */
    bool (*enter)(struct vcpu *, uint64_t deadline, uint64_t now);
    uint64_t (*read)(struct vcpu *, enum vmcs_field);
    void (*write)(struct vcpu *, enum vmcs_field, uint64_t value);
    /* The guest's storage map lost or changed entries: nothing stale may be used after this. */
    void (*flush_storage)(struct vcpu *);
    /* The guest's own paging changed in a way that its cached translations do not survive. */
    void (*flush_linear)(struct vcpu *);
    void (*park)(struct vcpu *);     /* its control block leaves the processor, all state back in memory */
    bool nested_page_tables;         /* the second level has the form of ordinary paging, not of EPT */
    bool keeps_system_call_msrs;     /* STAR to KERNEL_GS_BASE are in the control block, not in the processor */
};

extern const struct cpu_backend *cpu_backend;
extern const struct cpu_backend cpu_vmx, cpu_svm, cpu_memory;
