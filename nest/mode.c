/* Owns the names of the modes of virtual VMX. */
#include "nest/mode.h"

#include <string.h>

const struct nest_mode_name nest_mode_names[NEST_MODES] = {
    [NEST_OFF] = {"off", "OFF"},
    [NEST_TRAP] = {"trap", "TRAP"},
    [NEST_SHADOW] = {"shadow", "SHADOW"},
    [NEST_MEMORY] = {"memory", "MEMORY"},
    [NEST_CHAIN] = {"chain", "CHAIN"},
};

bool nest_mode_parse(const char *text, size_t length, enum nest_mode *mode)
{
    for (unsigned i = 0; i < NEST_MODES; i++)
        if (strlen(nest_mode_names[i].lower) == length && !memcmp(text, nest_mode_names[i].lower, length)) {
            *mode = i;
            return true;
        }
    return false;
}
