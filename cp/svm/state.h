/* The state of a guest, by VMCS field, kept in a VMCB: a field that the VMCB has is kept there, in its form; the
 * others, CP's controls and what SVM does not know, are in a struct vmcs beside it. Pure: no instruction is executed
 * here. */
#pragma once
#include <stdbool.h>

#include "cp/svm/vmcb.h"
#include "vmcs-shadow/field.h"

struct svm_state {
    struct vmcb *vmcb;
    struct vmcs image;
    bool controls_stale; /* a field was written that svm_control_apply() reads */
    /* an IRET that will unblock NMIs is under way, at this RIP: cp/svm/return.h */
    bool returning;
    uint64_t returning_rip;
};

/* What the intercepts need to know: physical addresses, and */
struct svm_maps {
    uint64_t io;            /* every port */
    uint64_t msr_some;      /* what `bitmap` lets pass, passes */
    uint64_t msr_all;       /* every MSR */
    uint64_t bitmap;        /* the bitmap in VMX's form that msr_some was made from */
    bool rdtscp_as_rdtsc;   /* RDTSCP exits where RDTSC does, and by no intercept of its own */
    uint16_t debug_writes;  /* debug registers whose loading CP carries out; 0: the processor does it, DR7.GD too */
};

/* @pre index < VMCS_FIELDS */
uint64_t svm_field_read(const struct svm_state *, enum vmcs_index);
void svm_field_write(struct svm_state *, enum vmcs_index, uint64_t value);

/* The VMCB's intercepts, nested CR3 and permission maps, from the controls. */
void svm_control_apply(struct svm_state *, const struct svm_maps *);

/* CR0 and CR4 as the guest reads them: SDM "Guest/Host Masks and Read Shadows for CR0 and CR4". */
uint64_t svm_cr0_seen(const struct svm_state *);
uint64_t svm_cr4_seen(const struct svm_state *);

/* The MSR permission map (8 KiB) that exits where a bitmap of VMX's form (4 KiB) does. */
void svm_msr_map_build(uint8_t *map, const uint8_t *bitmap);
/* Does this access exit by the bitmap of VMX's form (4 KiB)? */
bool svm_msr_exits(const uint8_t *bitmap, uint32_t msr, bool write);

/* VMCS "VM-entry interruption information" to EVENTINJ. Software interrupts and exceptions
 * want RIP after their instruction. */
uint64_t svm_event_injection(uint32_t info, uint32_t error);
bool svm_event_is_software(uint32_t info);
