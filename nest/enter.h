/* Entering L2: what VMLAUNCH and VMRESUME do after their own conditions, and keeping vmcs02 in step. */
#pragma once
#include "nest/active.h"

/* nest_exit() of one nest, whatever others there are. */
enum nest_result nest_exit_of(struct nest *nest, const struct exit *exit);
/* CR0.CD and NW, which the nest's L1 brings with it. */
void nest_caches_follow(struct nest *nest, uint64_t caches);

/* Everything the merge needs of one vmcs12: pages pinned, EPT02 and the link found, bitmaps united.  false: no frames.
 * @pre vmcs01 is loaded */
bool nest_context_make(struct nest *nest, struct nest_vmcs *vmcs);
/* EPT02 alone, after it was evicted while L2 runs. */
bool nest_context_renew_ept(struct nest *nest, struct nest_vmcs *vmcs);
/* On the host build: that it is what it was made for (nest/recompute.h). */
void nest_context_recompute(const struct nest *nest, const struct nest_vmcs *vmcs);
/* Takes over the state of L1 that the entry does not load.  @pre vmcs01 is loaded */
void nest_context_inherit(const struct nest *nest, struct nest_vmcs *vmcs);

/* vmcs02 brought up to date for an entry.  false: no frames, and what was out of date is.  @pre vmcs01 is loaded */
bool nest_image_renew(struct nest *nest, struct nest_vmcs *vmcs);
/* The same while L2 runs: what CP changed of its own, and EPT02. */
bool nest_image_follow(struct nest *nest, struct nest_vmcs *vmcs);
/* On the host build: that L2 begins with the guest state the image has; that it ran with the controls the image has
 * (nest/recompute.h).  @pre vmcs02 is loaded */
void nest_image_recompute_guest(const struct nest *nest, const struct nest_vmcs *vmcs);
void nest_image_recompute_region(const struct nest *nest, const struct nest_vmcs *vmcs);

/* The four PDPTEs at CR3 in L1's storage.  false: they are not in storage. */
bool nest_read_pdptes(const struct nest *nest, uint64_t cr3, uint64_t pdptes[4]);
