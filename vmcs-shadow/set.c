/* Sets of fields that follow from the field table, as constants. */
#include "vmcs-shadow/sync.h"

_Static_assert(sizeof(struct vmcs_set) == 3 * sizeof(uint64_t), "set_words.def makes three words");

#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_MERGE_##merge == VMCS_MERGE_COPY)
const struct vmcs_set vmcs_set_copied = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_MERGE_##merge == VMCS_MERGE_MERGE)
const struct vmcs_set vmcs_set_merged = {{
#include "vmcs-shadow/set_words.def"
}};

const struct vmcs_set vmcs_set_derived[VMCS_DERIVED_CLASSES] = {
#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived == VMCS_DERIVED_NOTHING)
    [VMCS_DERIVED_NOTHING] = {{
#include "vmcs-shadow/set_words.def"
    }},
#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived == VMCS_DERIVED_PLACE)
    [VMCS_DERIVED_PLACE] = {{
#include "vmcs-shadow/set_words.def"
    }},
#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived == VMCS_DERIVED_IMAGE)
    [VMCS_DERIVED_IMAGE] = {{
#include "vmcs-shadow/set_words.def"
    }},
#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived == VMCS_DERIVED_RULES)
    [VMCS_DERIVED_RULES] = {{
#include "vmcs-shadow/set_words.def"
    }},
#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived == VMCS_DERIVED_EPT)
    [VMCS_DERIVED_EPT] = {{
#include "vmcs-shadow/set_words.def"
    }},
#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived == VMCS_DERIVED_TAG)
    [VMCS_DERIVED_TAG] = {{
#include "vmcs-shadow/set_words.def"
    }},
#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived == VMCS_DERIVED_HOST)
    [VMCS_DERIVED_HOST] = {{
#include "vmcs-shadow/set_words.def"
    }},
#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived == VMCS_DERIVED_EXIT)
    [VMCS_DERIVED_EXIT] = {{
#include "vmcs-shadow/set_words.def"
    }},
};

#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_DERIVED_##derived >= VMCS_DERIVED_RULES)
const struct vmcs_set vmcs_set_whole = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, derived, capability) \
    (VMCS_ENCODING_AREA(encoding) != VMCS_EXIT_INFORMATION && !VMCS_SYNC_IS_HOT(encoding))
const struct vmcs_set vmcs_set_cold = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, derived, capability) \
    (VMCS_ENCODING_AREA(encoding) == VMCS_GUEST && !VMCS_SYNC_IS_HOT(encoding) && \
     (encoding) != VMCS_VMCS_LINK_POINTER)
const struct vmcs_set vmcs_set_cold_guest = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, derived, capability) VMCS_SYNC_IS_WRITTEN(encoding, capability)
const struct vmcs_set vmcs_set_written = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, derived, capability) \
    (VMCS_SYNC_IS_GUEST(encoding, merge, capability) || VMCS_SYNC_IS_CR_SHADOW(encoding))
const struct vmcs_set vmcs_set_guest = {{
#include "vmcs-shadow/set_words.def"
}};

#define IN_SET(NAME, encoding, merge, derived, capability) (VMCS_SYNC_IS_EXIT(encoding) || VMCS_SYNC_IS_PLACE(encoding))
const struct vmcs_set vmcs_set_exit = {{
#include "vmcs-shadow/set_words.def"
}};
