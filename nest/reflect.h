/* Giving L1 an exit: L2's state into vmcs12, the exit information, L1's host state into vmcs01. */
#pragma once
#include "nest/active.h"

/* An entry that failed after the checks on controls and host state: L1 sees an exit with bit 31 set, L2's state is
 * not saved. `reason`: EXIT_ENTRY_GUEST_STATE or EXIT_ENTRY_MSR.  @pre vmcs01 is loaded, or vmcs02 of which nothing
 * ran */
enum nest_result nest_reflect_entry_failure(struct nest *nest, enum exit_reason reason, uint64_t qualification);

/* L1's state after an exit, as guest-state fields of vmcs01, in vmcs->l1.  SDM "Loading Host State".  Kept from exit to
 * exit, but for what is out of date.  `was`: L2's registers at the exit, for what is not loaded.
 * `nmis_blocked`: from then on. 0, or the number of a VMX abort. */
uint32_t nest_host_state_load(struct nest *nest, struct nest_vmcs *vmcs, const struct vmcs *was, bool nmis_blocked);

/* After L2 ran: its guest state from hardware to vmcs02 and vmcs12. SDM "Saving Guest
 * State". Not `cold`: hot fields only */
void nest_guest_state_save(const struct nest *nest, struct nest_vmcs *vmcs, bool cold);
/* All of it, where L2 is stopped before its time: apart from the above, which is in the way of every exit. */
void nest_guest_state_stop(const struct nest *nest, struct nest_vmcs *vmcs);

/* The cold part, if that was left out: into vmcs12, and where L1 looks.  @pre L2 does not run */
void nest_guest_state_catch_up(struct nest *nest, struct nest_vmcs *vmcs);

/* RIP of the loaded VMCS past an instruction that is done: at 4 GiB it wraps outside 64-bit mode. */
void nest_skip(const struct nest *nest, uint64_t length);

enum nest_abort { VMX_ABORT_STORE_MSR = 1, VMX_ABORT_PDPTE = 2, VMX_ABORT_VMCS = 3, VMX_ABORT_LOAD_MSR = 4 };
enum { CR0_PE = 1 << 0, CR0_ET = 1 << 4, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, CR4_PAE = 1 << 5, CR4_PCIDE = 1 << 17,
       RIGHTS_LONG = 1 << 13, BLOCKING_BY_NMI = 8 };
#define CR0_PG (1ull << 31)
