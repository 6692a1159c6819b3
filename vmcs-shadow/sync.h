/* Copying between struct vmcs and a VMCS that hardware holds, unrolled from the field table.
 *
 * A backend instantiates it: it defines VMCS_SYNC_READ(encoding) and VMCS_SYNC_WRITE(encoding, value), which act on the
 * current VMCS, and then includes this header.  Without them only the sets below are defined.
 *
 * Which way what flows:
 *   pull_written   L1 executed VMRESUME: shadow region -> vmcs12, every field a hypervisor writes (controls, guest,
 * host)   pull_guest     L2 left: vmcs02 -> image, guest state L2 can have changed by itself
 *   push_exit      L2's exit goes to L1: exit information, RIP and RSP -> shadow region, without comparing
 *   push           any set of fields -> the current VMCS
 *   write_l1       L1's state after an exit -> vmcs01, every guest-state field an exit loads
 *   pull_all       VMCLEAR, eviction: everything, exit information too
 *
 * The pulls have a form for hot fields only, for a region that is closed.
 *
 * Cost model, in instructions beside the VMPTRLD that makes a region current: a pull that compares costs 4 a field when
 * nothing changed (load encoding, VMREAD, compare, branch) and some 3 more for a field that did; 2 more where the
 * field exists only with a capability.  A blind write costs 2 to 3 a field.  push by set costs some 20 a field, so
 * it is for a handful. Of a round trip: pull_written 123 fields (hot 21), pull_guest 58 (hot 13), push_exit 12,
 * write_l1 58 (54 in long mode), and 0 to 10 by set. */
#pragma once
#include "vmcs-shadow/capability.h"

/* Constant for each row, so that a compiler drops the fields that are not in the set. */
#define VMCS_SYNC_OFFERABLE(capability) (VMCS_CAPABILITY_##capability < VMCS_CAPABILITY_NOT_OFFERED)
#define VMCS_SYNC_IS_WRITTEN(encoding, capability) \
    (VMCS_ENCODING_AREA(encoding) != VMCS_EXIT_INFORMATION && VMCS_SYNC_OFFERABLE(capability) && \
     (encoding) != VMCS_EXECUTIVE_VMCS_POINTER && (encoding) != VMCS_GUEST_SMBASE)
#define VMCS_SYNC_IS_GUEST(encoding, merge, capability) \
    (VMCS_ENCODING_AREA(encoding) == VMCS_GUEST && VMCS_MERGE_##merge != VMCS_MERGE_NONE && \
     VMCS_SYNC_OFFERABLE(capability) && (encoding) != VMCS_VMCS_LINK_POINTER && (encoding) != VMCS_PREEMPTION_TIMER)
#define VMCS_SYNC_IS_EXIT(encoding) \
    (VMCS_ENCODING_AREA(encoding) == VMCS_EXIT_INFORMATION && (encoding) != VMCS_INSTRUCTION_ERROR && \
     !((encoding) >= VMCS_IO_RCX && (encoding) <= VMCS_IO_RIP))

/* Whether a field with this capability exists, `fields` being vmx_capability.fields of the hardware. */
#define VMCS_SYNC_EXISTS(capability, fields) \
    (VMCS_CAPABILITY_##capability == VMCS_CAPABILITY_ALWAYS || ((fields) >> VMCS_CAPABILITY_##capability & 1))

/* Fields that change at nearly every exit; the others are cold.  While a region is closed (bitmap.h), a cold field
 * is neither read nor written by its hypervisor without an exit, so only the hot ones need to be copied. */
#define VMCS_SYNC_IS_HOT(e) \
    ((e) == VMCS_GUEST_RIP || (e) == VMCS_GUEST_RSP || (e) == VMCS_GUEST_RFLAGS || (e) == VMCS_GUEST_CR0 || \
     (e) == VMCS_GUEST_CR3 || (e) == VMCS_GUEST_CR4 || (e) == VMCS_GUEST_EFER || (e) == VMCS_GUEST_PAT || \
     (e) == VMCS_GUEST_INTERRUPTIBILITY || (e) == VMCS_GUEST_ACTIVITY_STATE || \
     (e) == VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS || (e) == VMCS_ENTRY_INTERRUPTION_INFO || \
     (e) == VMCS_ENTRY_EXCEPTION_ERROR_CODE || (e) == VMCS_ENTRY_INSTRUCTION_LENGTH || \
     (e) == VMCS_PROCESSOR_CONTROLS || (e) == VMCS_ENTRY_CONTROLS || (e) == VMCS_CR0_SHADOW || \
     (e) == VMCS_CR4_SHADOW || (e) == VMCS_PREEMPTION_TIMER || (e) == VMCS_TPR_THRESHOLD || (e) == VMCS_HOST_RSP)

/* What differs at nearly every exit: copied without comparing, and in no set of changed fields. */
#define VMCS_SYNC_IS_PLACE(e) ((e) == VMCS_GUEST_RIP || (e) == VMCS_GUEST_RSP)
/* L2's own view of its control registers, which CP writes to vmcs02 as it emulates a MOV: pulled with guest state. */
#define VMCS_SYNC_IS_CR_SHADOW(e) ((e) == VMCS_CR0_SHADOW || (e) == VMCS_CR4_SHADOW)
#define VMCS_SYNC_IS_PDPTE(e) ((e) >= VMCS_GUEST_PDPTE0 && (e) <= VMCS_GUEST_PDPTE3)

#if defined(VMCS_SYNC_READ) && defined(VMCS_SYNC_WRITE)

#define VMCS_SYNC_COMPARE(NAME, member, encoding, type) \
    do { \
        type now = (type)VMCS_SYNC_READ(encoding); \
        if (VMCS_SYNC_IS_PLACE(encoding)) { \
            copy->member = now; \
        } else if (__builtin_expect(now != copy->member, 0)) { \
            copy->member = now; \
            vmcs_set_add(changed, VMCS_INDEX_##NAME); \
        } \
    } while (0)

static inline void vmcs_sync_pull_written(struct vmcs *copy, struct vmcs_set *changed, uint32_t fields)
{
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if (VMCS_SYNC_IS_WRITTEN(encoding, capability) && VMCS_SYNC_EXISTS(capability, fields)) \
        VMCS_SYNC_COMPARE(NAME, member, encoding, type);
#include "vmcs-shadow/fields.def"
#undef FIELD
}

static inline void vmcs_sync_pull_guest(struct vmcs *copy, struct vmcs_set *changed, uint32_t fields)
{
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if ((VMCS_SYNC_IS_GUEST(encoding, merge, capability) || VMCS_SYNC_IS_CR_SHADOW(encoding)) && \
        VMCS_SYNC_EXISTS(capability, fields)) \
        VMCS_SYNC_COMPARE(NAME, member, encoding, type);
#include "vmcs-shadow/fields.def"
#undef FIELD
}

static inline void vmcs_sync_pull_written_hot(struct vmcs *copy, struct vmcs_set *changed, uint32_t fields)
{
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if (VMCS_SYNC_IS_HOT(encoding) && VMCS_SYNC_EXISTS(capability, fields)) \
        VMCS_SYNC_COMPARE(NAME, member, encoding, type);
#include "vmcs-shadow/fields.def"
#undef FIELD
}

static inline void vmcs_sync_pull_guest_hot(struct vmcs *copy, struct vmcs_set *changed, uint32_t fields)
{
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if (((VMCS_SYNC_IS_GUEST(encoding, merge, capability) && VMCS_SYNC_IS_HOT(encoding)) || \
         VMCS_SYNC_IS_CR_SHADOW(encoding)) && VMCS_SYNC_EXISTS(capability, fields)) \
        VMCS_SYNC_COMPARE(NAME, member, encoding, type);
#include "vmcs-shadow/fields.def"
#undef FIELD
}

static inline void vmcs_sync_pull_all(struct vmcs *copy, uint32_t fields)
{
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if (VMCS_SHADOW_##shadow != VMCS_SHADOW_NO && VMCS_SYNC_EXISTS(capability, fields)) \
        copy->member = (type)VMCS_SYNC_READ(encoding);
#include "vmcs-shadow/fields.def"
#undef FIELD
}

static inline void vmcs_sync_push_exit(const struct vmcs *copy, uint32_t fields)
{
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if ((VMCS_SYNC_IS_EXIT(encoding) || VMCS_SYNC_IS_PLACE(encoding)) && VMCS_SYNC_EXISTS(capability, fields)) \
        VMCS_SYNC_WRITE(encoding, copy->member);
#include "vmcs-shadow/fields.def"
#undef FIELD
}

/* PDPTEs are used with PAE paging only. */
static inline void vmcs_sync_write_l1(const struct vmcs *state, uint32_t fields)
{
    const bool pdptes = !(state->guest_efer & 1 << 10); /* LMA */
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if (((VMCS_SYNC_IS_GUEST(encoding, merge, capability) && (!VMCS_SYNC_IS_PDPTE(encoding) || pdptes)) || \
         VMCS_SYNC_IS_CR_SHADOW(encoding)) && VMCS_SYNC_EXISTS(capability, fields)) \
        VMCS_SYNC_WRITE(encoding, state->member);
#include "vmcs-shadow/fields.def"
#undef FIELD
}

/* @pre the fields of the set exist in hardware, or VMCS_SYNC_WRITE bears it */
static inline void vmcs_sync_push(const struct vmcs *copy, const struct vmcs_set *set)
{
    for (unsigned word = 0; word < sizeof(set->word) / sizeof(set->word[0]); word++)
        for (uint64_t bits = set->word[word]; bits; bits &= bits - 1) {
            enum vmcs_index index = word * 64 + (unsigned)__builtin_ctzll(bits);
            VMCS_SYNC_WRITE(vmcs_field_rows[index].encoding, vmcs_get(copy, index));
        }
}

/* As vmcs_sync_push, but only fields that exist: for a set that was not made from the same hardware's capabilities. */
static inline void vmcs_sync_push_existing(const struct vmcs *copy, const struct vmcs_set *set, uint32_t fields)
{
    for (unsigned index = 0; index < VMCS_FIELDS; index++)
        if (vmcs_set_has(set, index) && (fields >> vmcs_field_rows[index].capability & 1))
            VMCS_SYNC_WRITE(vmcs_field_rows[index].encoding, vmcs_get(copy, index));
}
#endif
