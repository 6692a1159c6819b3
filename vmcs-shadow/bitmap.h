/* The VMREAD and VMWRITE bitmaps that decide which accesses of a guest hypervisor reach its hardware shadow region.
 * SDM "VM-Execution Controls for VMCS Shadowing": bit n of a bitmap is for the field with encoding n (bits 14:0);
 * 1 means exit. */
#pragma once
#include "vmcs-shadow/capability.h"

#define VMCS_BITMAP_BYTES 4096u

/* Fields that may be reached without an exit: in the table as shadowable, offered to the guest, there in hardware. */
void vmcs_bitmap_sets(struct vmcs_set *readable, struct vmcs_set *writable, const struct vmx_capability *offered,
                      const struct vmx_capability *hardware);

/* The same for a region that is closed: the hypervisor that writes a cold field, or reads one that its guest may
 * have changed, exits; then the region is opened for a while.  So a round trip need not look at what is not in use. */
void vmcs_bitmap_close(struct vmcs_set *readable, struct vmcs_set *writable);

/* Fills a bitmap of VMCS_BITMAP_BYTES so that just the fields of `set` (and their high halves) do not exit. */
void vmcs_bitmap_build(uint8_t *bitmap, const struct vmcs_set *set);

/* Whether a VMWRITE bitmap makes every cold field exit. */
bool vmcs_bitmap_is_closed(const uint8_t *writes);

/* Whether an access to `encoding` exits; encodings beyond 15 bits always do. */
bool vmcs_bitmap_exits(const uint8_t *bitmap, uint64_t encoding);
