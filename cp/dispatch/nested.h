/* Virtual VMX in the run loop: the seam between cp/ and nest/. */
#pragma once
#include "cp/dispatch/exit.h"
#include "cp/dispatch/vm.h"

/* IA32_FEATURE_CONTROL and the VMX capability MSRs; 0, or -1: #GP(0) */
int nested_read_msr(struct vm *, uint32_t msr, uint64_t *value);
int nested_write_msr(struct vm *, uint32_t msr, uint64_t value);
/* May the guest set CR4 and CR0 so (VMX operation fixes bits of both)? */
bool nested_allows_cr(struct vm *, uint64_t cr0, uint64_t cr4);
void nested_reset(struct vm *); /* reset, logoff: leaves VMX operation and gives back all it held */
/* Exits of the VMX instructions. */
enum exit_action nested_instruction(struct vm *);
