/* What must hold of a vmcs02 whatever L1 wrote, asserted of each before it reaches hardware.
 *
 * The table here says what the result must be, and knows nothing of how the merge comes to it: its own rows, its own
 * idea of which frames are CP's and what for. A row that does not hold is CP's own bug; then that L2 does not run. Of a
 * row, only what changed is asked on the machine; on the host build, in unit tests and fuzzers, everything, at every
 * entry. docs/nesting.md, "What must hold". */
#pragma once
#include "nest/active.h"

struct nest_assertion {
    uint8_t index, with;  /* fields that it is about: asked when either changed; the same twice: one */
    uint8_t invariant;    /* its number in docs/nesting.md */
    const char *rule;
    bool (*holds)(const struct nest *nest, const struct nest_vmcs *vmcs, const struct vmcs *image,
                  enum vmcs_index index);
};

/* The fields that some row is about. */
extern const struct vmcs_set nest_assert_fields;

/* NULL, or the first row that does not hold of `image`, vmcs02 of the virtual VMCS,
 * after the fields of `changed` did. */
const struct nest_assertion *nest_assert(const struct nest *nest, const struct nest_vmcs *vmcs,
                                         const struct vmcs *image, const struct vmcs_set *changed);

/* An event that CP gives L2: is it one that an entry may inject? SDM "Checks on VM-Entry Control Fields" */
bool nest_assert_event(uint32_t info, uint32_t error);

unsigned nest_assertions(const struct nest_assertion **table); /* how many rows, for tests */
