/* Owns the names of the modes of virtual VMX. */
#include "nest/mode.h"

const struct nest_mode_name nest_mode_names[NEST_MODES] = {
    [NEST_OFF] = {"off", "OFF"},
    [NEST_TRAP] = {"trap", "TRAP"},
    [NEST_SHADOW] = {"shadow", "SHADOW"},
    [NEST_MEMORY] = {"memory", "MEMORY"},
};
