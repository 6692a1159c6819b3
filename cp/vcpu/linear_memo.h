/* Translations of a guest hypervisor's operands, reused while every page-table entry they went through is unchanged. A
 * processor's translation cache may do the same; this one need not be told of INVLPG. */
#pragma once
#include "cp/vcpu/vm.h"
#include "nest/nest.h"

/* As linear_translate() for L1 at privilege level 0. @pre L1 runs, and is in 64-bit mode or what is kept is not used */
bool linear_memo_find(struct vm *, uint64_t linear, enum nest_access, uint64_t *to);
/* The same to read `bytes` there; NULL: not known. @pre L1 runs 64-bit code */
const void *linear_memo_view(struct vm *, uint64_t linear, unsigned bytes);
void linear_memo_keep(struct vm *, uint64_t linear, enum nest_access, uint64_t to);
