/* Moving fields between a shared page and a private copy.  In: sets of fields.  Out: copies and notes; no state. */
#include "vmcs-shadow/page.h"

#include "vmcs-shadow/sync.h"

enum { WORDS = sizeof(struct vmcs_set) / sizeof(uint64_t) };

void vmcs_copy_set(struct vmcs *to, const struct vmcs *from, const struct vmcs_set *set)
{
    for (unsigned word = 0; word < WORDS; word++)
        for (uint64_t bits = set->word[word]; bits; bits &= bits - 1)
            vmcs_copy(to, from, word * 64 + (unsigned)__builtin_ctzll(bits));
}

void vmcs_page_write_set(struct vmcs_page *page, const struct vmcs *from, const struct vmcs_set *set)
{
    vmcs_copy_set(&page->fields, from, set);
    vmcs_set_unite(&page->written, set);
}

void vmcs_page_write_l1(struct vmcs_page *page, const struct vmcs *state)
{
    const bool pdptes = !(state->guest_efer & 1 << 10); /* LMA */
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if (((VMCS_SYNC_IS_GUEST(encoding, merge, capability) && (!VMCS_SYNC_IS_PDPTE(encoding) || pdptes)) || \
         VMCS_SYNC_IS_CR_SHADOW(encoding)) && page->fields.member != state->member) { \
        page->fields.member = state->member; \
        vmcs_set_add(&page->written, VMCS_INDEX_##NAME); \
    }
#include "vmcs-shadow/fields.def"
#undef FIELD
}

void vmcs_page_copy_exit(struct vmcs *to, const struct vmcs *from, struct vmcs_set *noted)
{
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if (VMCS_SYNC_IS_EXIT(encoding) || VMCS_SYNC_IS_PLACE(encoding)) \
        to->member = from->member;
#include "vmcs-shadow/fields.def"
#undef FIELD
    vmcs_set_unite(noted, &vmcs_set_exit);
}

void vmcs_page_take(struct vmcs *copy, const struct vmcs *fields, struct vmcs_set *notes, const struct vmcs_set *which,
                    struct vmcs_set *taken)
{
    struct vmcs_set now;
    for (unsigned word = 0; word < WORDS; word++) {
        now.word[word] = notes->word[word] & which->word[word];
        notes->word[word] ^= now.word[word];
    }
    copy->guest_rip = fields->guest_rip;
    copy->guest_rsp = fields->guest_rsp;
    vmcs_set_remove(&now, VMCS_INDEX_GUEST_RIP);
    vmcs_set_remove(&now, VMCS_INDEX_GUEST_RSP);
    vmcs_copy_set(copy, fields, &now);
    vmcs_set_unite(taken, &now);
}
