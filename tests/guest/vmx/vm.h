/* The payloads' hypervisor: enough VMX to run one function of the payload as a guest and look at each exit.
 *
 * L1 is the payload, L2 the function it runs. L2 is in long mode at ring 0 and shares L1's page tables, IDT and GDT, so
 * it can call everything the payload can, guest_try() too. It ends by returning, which VMCALLs.
 *
 * Its VMCS is a region, reached by VMX instructions, or a page shared with CP (vmcs-shadow/page.h), entered by a
 * call. */
#pragma once
#include "tests/guest/runtime/runtime.h"
#include "tests/guest/vmx/instruction.h"
#include "vmcs-shadow/control.h"
#include "vmcs-shadow/exit.h"
#include "vmcs-shadow/page.h"

struct page {
    uint8_t bytes[4096];
} __attribute__((aligned(4096)));

struct vm_registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

struct vm {
    struct vm_registers registers; /* of L2; first, for the assembly */
    struct page *region;
    struct vmcs_page *page;        /* instead of the region; NULL: the region */
    bool launched;
    enum vmx_result entered;       /* how VMLAUNCH, VMRESUME or the call ended; VMX_SUCCEED: `exit` is valid */
    uint64_t status;               /* of the call: enum diagnose_status; 0 after an exit */
    struct exit exit;
};

enum { VM_DONE = 0x600D }; /* RAX when L2 returned */

/* Turns VMX on: CR0, CR4, IA32_FEATURE_CONTROL, VMXON. Ends the payload when there is no VMX. */
void vm_begin(void);
/* IA32_VMX_BASIC's revision identifier, into the first bytes of a region. */
void vm_stamp(struct page *region, uint32_t indicator);
/* The same, and the form, into an empty page to be shared. */
void vm_stamp_page(struct vmcs_page *page, uint32_t indicator);
/* Whether CP offers that pages be shared. */
bool vm_offers_pages(void);

/* Puts the current VMCS, a cleared one of this vm (or its page), into the state described above; every control at its
 * default. */
void vm_prepare(struct vm *vm);
/* Makes vm the one that vm_get() and vm_set() are about: VMPTRLD of its region, or its page. */
void vm_select(const struct vm *vm);
/* VMCLEAR; the next entry is a VMLAUNCH. */
void vm_clear(struct vm *vm);
/* What L2 does next. */
void vm_start(struct vm *vm, void (*body)(void *), void *argument);
/* Enters L2; returns at its exit, or at once when the entry failed. The current VMCS is vm's, or becomes its page. */
void vm_run(struct vm *vm);
/* RIP past the instruction that exited. */
void vm_skip(const struct vm *vm);
bool vm_finished(const struct vm *vm);

/* Fields of the current VMCS, or of the page of the vm prepared or run last; a VMfail ends the payload with the field's
 * name. */
uint64_t vm_get(enum vmcs_field field);
void vm_set(enum vmcs_field field, uint64_t value);
/* Controls, with the bits that must be 1. Secondary controls activate themselves. */
void vm_pin(uint32_t controls);
void vm_cpu(uint32_t controls, uint32_t secondary);
void vm_exit_controls(uint32_t controls);
void vm_entry_controls(uint32_t controls);
/* Whether all these bits may be 1. `msr` is an enum vmx_msr of a control. */
bool vm_offers(uint32_t msr, uint32_t bits);

/* "NAME: EXIT REASON qualification .. length .. ..." with what is defined for that reason. */
void vm_print_exit(const char *name, const struct vm *vm);
/* "NAME: ok", "NAME: VMfailInvalid", "NAME: VMfailValid 12 (...)". */
void vm_print_result(const char *name, enum vmx_result result);
const char *vm_reason_name(uint32_t reason);

/* Runs body to its end from a fresh start and prints each exit on the way, skipping the instruction; at most 16. */
void vm_trace(struct vm *vm, const char *name, void (*body)(void *), void *argument);

/* In enter.S: 0 after an exit, else an enum vmx_result. */
uint64_t vm_enter(struct vm_registers *registers, bool launched);
/* By the call for a page; RAX and RBX of L2 are in it. 0 after an exit, else the call's status. */
uint64_t vm_enter_page(struct vm_registers *registers, const struct vmcs_page *page, natural_t *host_rsp);
extern char vm_exited[], vm_l2_start[];
