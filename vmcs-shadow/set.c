/* Sets of fields that follow from the field table, as constants. */
#include "vmcs-shadow/sync.h"

_Static_assert(sizeof(struct vmcs_set) == 3 * sizeof(uint64_t), "set_words.def makes three words");

#define IN_SET(NAME, encoding, merge, capability) (VMCS_MERGE_##merge == VMCS_MERGE_COPY)
const struct vmcs_set vmcs_set_copied = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, capability) (VMCS_MERGE_##merge == VMCS_MERGE_MERGE)
const struct vmcs_set vmcs_set_merged = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, capability) \
    (VMCS_ENCODING_AREA(encoding) == VMCS_HOST || (encoding) == VMCS_EXIT_CONTROLS)
const struct vmcs_set vmcs_set_host = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, capability) \
    (VMCS_ENCODING_AREA(encoding) != VMCS_EXIT_INFORMATION && !VMCS_SYNC_IS_HOT(encoding))
const struct vmcs_set vmcs_set_cold = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, capability) \
    (VMCS_ENCODING_AREA(encoding) == VMCS_GUEST && !VMCS_SYNC_IS_HOT(encoding) && \
     (encoding) != VMCS_VMCS_LINK_POINTER)
const struct vmcs_set vmcs_set_cold_guest = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, capability) VMCS_SYNC_IS_WRITTEN(encoding, capability)
const struct vmcs_set vmcs_set_written = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, capability) \
    (VMCS_SYNC_IS_GUEST(encoding, merge, capability) || VMCS_SYNC_IS_CR_SHADOW(encoding))
const struct vmcs_set vmcs_set_guest = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, capability) (VMCS_SYNC_IS_EXIT(encoding) || VMCS_SYNC_IS_PLACE(encoding))
const struct vmcs_set vmcs_set_exit = {{
#include "vmcs-shadow/set_words.def"
}};
