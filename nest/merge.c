/* The fold: applies the field table's merge column and the rules.  In: outer and inner VMCS, context.  Out: an
 * image. */
#include "nest/merge.h"

static nest_merge_rule *const rules[VMCS_FIELDS] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    NEST_RULE_IF_##merge([VMCS_INDEX_##NAME] = nest_rule_##member,)
#include "vmcs-shadow/fields.def"
#undef FIELD
};

nest_merge_rule *nest_merge_rule_of(enum vmcs_index index)
{
    return rules[index];
}

void nest_merge(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                const struct nest_merge_context *context)
{
    *out = (struct vmcs){0};
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    if (VMCS_MERGE_##merge == VMCS_MERGE_COPY) \
        out->member = inner->member; \
    else if (VMCS_MERGE_##merge == VMCS_MERGE_CP) \
        out->member = outer->member; \
    else if (VMCS_MERGE_##merge == VMCS_MERGE_MERGE) \
        rules[VMCS_INDEX_##NAME](out, outer, inner, context);
#include "vmcs-shadow/fields.def"
#undef FIELD
}

void nest_merge_list(struct vmcs *out, const struct vmcs *base, const struct vmcs *const *list,
                     const struct nest_merge_context *contexts, unsigned length)
{
    struct vmcs outer = *base;
    *out = *base;
    for (unsigned i = 0; i < length; i++) {
        nest_merge(out, &outer, list[i], &contexts[i]);
        outer = *out;
    }
}

/* Indices of MERGE rows, made from the table. */
static const uint8_t merged[] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) NEST_RULE_IF_##merge(VMCS_INDEX_##NAME,)
#include "vmcs-shadow/fields.def"
#undef FIELD
};

static void update_copies(struct vmcs *out, const struct vmcs *inner, const struct vmcs_set *changed,
                          struct vmcs_set *write)
{
    for (unsigned word = 0; word < sizeof(changed->word) / sizeof(changed->word[0]); word++) {
        uint64_t bits = changed->word[word] & vmcs_set_copied.word[word];
        if (!bits)
            continue;
        write->word[word] |= bits;
        for (; bits; bits &= bits - 1)
            vmcs_copy(out, inner, word * 64 + (unsigned)__builtin_ctzll(bits));
    }
}

static void update_by_rules(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                            const struct nest_merge_context *context, enum nest_rules run, struct vmcs_set *write)
{
    for (unsigned i = 0; i < sizeof(merged); i++) {
        if (run == NEST_RULES_CONTROLS && VMCS_ENCODING_AREA(vmcs_field_rows[merged[i]].encoding) == VMCS_GUEST)
            continue;
        uint64_t before = vmcs_get(out, merged[i]);
        rules[merged[i]](out, outer, inner, context);
        if (vmcs_get(out, merged[i]) != before)
            vmcs_set_add(write, merged[i]);
    }
}

void nest_merge_update(struct vmcs *out, const struct vmcs *outer, const struct vmcs *inner,
                       const struct nest_merge_context *context, const struct vmcs_set *changed, enum nest_rules run,
                       struct vmcs_set *write)
{
    update_copies(out, inner, changed, write);
    if (run == NEST_RULES_NONE)
        return;
    update_by_rules(out, outer, inner, context, run, write);
}
