/* What is out of date once an input changed.  In: fields that became others.  Out: bits of struct nest_stale. */
#include "nest/active.h"

enum { WORDS = sizeof(struct vmcs_set) / sizeof(uint64_t) };

static const uint16_t parts_of_class[VMCS_DERIVED_CLASSES] = {
    [VMCS_DERIVED_RULES] = NEST_STALE_RULES, [VMCS_DERIVED_EPT] = NEST_STALE_EPT,
    [VMCS_DERIVED_TAG] = NEST_STALE_RULES | NEST_STALE_TAG, [VMCS_DERIVED_HOST] = NEST_STALE_HOST,
    [VMCS_DERIVED_EXIT] = NEST_STALE_HOST | NEST_STALE_GUEST,
};

uint32_t nest_parts_of(const struct vmcs_set *fields)
{
    uint32_t parts = 0;
    for (unsigned word = 0; word < WORDS; word++)
        for (uint64_t bits = fields->word[word] & vmcs_set_whole.word[word]; bits; bits &= bits - 1)
            parts |= parts_of_class[vmcs_field_rows[word * 64 + (unsigned)__builtin_ctzll(bits)].derived];
    return parts;
}

static void unite_common(struct vmcs_set *set, const struct vmcs_set *a, const struct vmcs_set *b)
{
    for (unsigned word = 0; word < WORDS; word++)
        set->word[word] |= a->word[word] & b->word[word];
}

void nest_written_some(struct nest_vmcs *vmcs, const struct vmcs_set *fields, enum nest_writer writer)
{
    struct nest_stale *stale = &vmcs->stale;
    stale->parts |= nest_parts_of(fields);
    if (writer != NEST_BY_L1)
        vmcs_set_unite(&stale->shown, fields);
    if (writer == NEST_BY_L2)
        return;
    unite_common(&stale->image, fields, &vmcs_set_derived[VMCS_DERIVED_IMAGE]);
    nest_check_touch_set(&vmcs->checks, fields);
}

/* the same of a set of one, without walks through words of sets: each VMWRITE that exits comes by */
void nest_written_one(struct nest_vmcs *vmcs, enum vmcs_index index, enum nest_writer writer)
{
    struct nest_stale *stale = &vmcs->stale;
    stale->parts |= parts_of_class[vmcs_field_rows[index].derived];
    if (writer != NEST_BY_L1)
        vmcs_set_add(&stale->shown, index);
    if (writer == NEST_BY_L2)
        return;
    if (vmcs_set_has(&vmcs_set_derived[VMCS_DERIVED_IMAGE], index))
        vmcs_set_add(&stale->image, index);
    nest_check_touch(&vmcs->checks, index);
}

void nest_image_written(struct nest_vmcs *vmcs, const struct vmcs_set *fields, enum nest_writer writer)
{
    struct nest_stale *stale = &vmcs->stale;
    if (vmcs_set_meets(fields, &vmcs_set_merged))
        stale->parts |= NEST_STALE_RULES | NEST_STALE_REGISTERS;
    if (writer == NEST_BY_L2)
        return;
    stale->parts |= NEST_STALE_GUEST; /* copies too: hardware, which will have them, changes nothing */
    vmcs_set_unite(&stale->region, fields);
    unite_common(&stale->image, fields, &vmcs_set_derived[VMCS_DERIVED_IMAGE]);
}
