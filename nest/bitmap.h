/* Bitmaps of vmcs02: unions of CP's with L1's, in frames of their own, so that L2 never runs with L1's page itself. */
#pragma once
#include "nest/active.h"

/* Brings the unions a vmcs12 needs up to date and puts their addresses into its context.  Run at each entry L1 asks
 * for: L1 may have written to its bitmaps.  false: no frames.  @pre vmcs->context.link is up to date */
bool nest_bitmap_unite(struct nest *nest, struct nest_vmcs *vmcs);
/* On the host build: that they are what L1's pages and CP's come to (nest/recompute.h). */
void nest_bitmap_recompute(const struct nest *nest, const struct nest_vmcs *vmcs);
/* Whether it uses any, so that nest_bitmap_unite() has something to do. */
bool nest_bitmap_used(const struct vmcs *vmcs12);
