/* MSR lists of a vmcs12, worked off in software.  SDM "VM-Entry MSR-Load Area", "Saving MSRs", "Loading MSRs". */
#pragma once
#include "nest/nest.h"

/* Loads `count` MSRs from the list at gpa.  MSRs that live in a VMCS go to *state (guest-state fields) and *written;
 * the others to the virtual CPU.  0: all loaded; else the number of the entry that failed, from 1. */
uint32_t nest_msr_list_load(struct nest *nest, uint64_t gpa, uint32_t count, struct vmcs *state,
                            struct vmcs_set *written);
/* Stores them; MSRs that live in a VMCS come from *state.  0, or the number of the entry that failed. */
uint32_t nest_msr_list_store(struct nest *nest, uint64_t gpa, uint32_t count, const struct vmcs *state);
