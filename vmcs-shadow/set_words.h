/* The words of a constant struct vmcs_set: whoever includes this defines IN_SET(NAME, encoding, merge, capability)
 * before, a constant condition on a row of the field table, which ends with it. */
#define FIELD(NAME, member, encoding, type, shadow, merge, capability) \
    | (IN_SET(NAME, encoding, merge, capability) && VMCS_INDEX_##NAME / 64 == WORD \
           ? 1ull << VMCS_INDEX_##NAME % 64 : 0)
#define WORD 0
    0
#include "vmcs-shadow/fields.def"
    ,
#undef WORD
#define WORD 1
    0
#include "vmcs-shadow/fields.def"
    ,
#undef WORD
#define WORD 2
    0
#include "vmcs-shadow/fields.def"
#undef WORD
#undef FIELD
#undef IN_SET
