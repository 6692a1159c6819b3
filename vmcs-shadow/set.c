/* Sets of fields that follow from the field table, as constants. */
#include "vmcs-shadow/sync.h"

_Static_assert(sizeof(struct vmcs_set) == 3 * sizeof(uint64_t), "the sets below list three words");

/* each word is the sum of its rows' bits */
#define FIELD(NAME, member, encoding, type, shadow, merge, capability) \
    | (IN_SET(NAME, encoding, VMCS_MERGE_##merge) && VMCS_INDEX_##NAME / 64 == WORD \
           ? 1ull << VMCS_INDEX_##NAME % 64 : 0)

const struct vmcs_set vmcs_set_copied = {{
#define IN_SET(NAME, encoding, merge) ((merge) == VMCS_MERGE_COPY)
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
#undef IN_SET
}};

const struct vmcs_set vmcs_set_merged = {{
#define IN_SET(NAME, encoding, merge) ((merge) == VMCS_MERGE_MERGE)
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
#undef IN_SET
}};

const struct vmcs_set vmcs_set_host = {{
#define IN_SET(NAME, encoding, merge) (VMCS_ENCODING_AREA(encoding) == VMCS_HOST || (encoding) == VMCS_EXIT_CONTROLS)
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
#undef IN_SET
}};

const struct vmcs_set vmcs_set_cold = {{
#define IN_SET(NAME, encoding, merge) \
    (VMCS_ENCODING_AREA(encoding) != VMCS_EXIT_INFORMATION && !VMCS_SYNC_IS_HOT(encoding))
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
#undef IN_SET
}};

const struct vmcs_set vmcs_set_cold_guest = {{
#define IN_SET(NAME, encoding, merge) \
    (VMCS_ENCODING_AREA(encoding) == VMCS_GUEST && !VMCS_SYNC_IS_HOT(encoding) && \
     (encoding) != VMCS_VMCS_LINK_POINTER)
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
#undef IN_SET
}};
