/* Entering L2: what VMLAUNCH and VMRESUME do after their own conditions, and keeping vmcs02 in step. */
#pragma once
#include "nest/active.h"

/* Everything the merge needs of one vmcs12: pages pinned, EPT02 and the link found, bitmaps united.  false: no frames.
 * @pre vmcs01 is loaded */
bool nest_context_make(struct nest *nest, struct nest_vmcs *vmcs);
/* EPT02 alone, after it was evicted while L2 runs. */
bool nest_context_renew_ept(struct nest *nest, struct nest_vmcs *vmcs);
/* Takes over the state of L1 that the entry does not load.  true: it is not what it was at the last merge.
 * @pre vmcs01 is loaded */
bool nest_context_inherit(const struct nest *nest, struct nest_vmcs *vmcs);

/* The four PDPTEs at CR3 in L1's storage.  false: they are not in storage. */
bool nest_read_pdptes(const struct nest *nest, uint64_t cr3, uint64_t pdptes[4]);
