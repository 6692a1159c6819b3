/* Owns the table of grants. */
#include "cp/device/grant.h"

#include <stddef.h>

const struct grant machine_grants[GRANTS] = {
#define FLAG(name, property) [GRANT_##name] = {property, NULL},
#define DEVICE(name, property, device) [GRANT_##name] = {property, &device##_granted},
#include "cp/device/grants.def"
};

const struct granted_device *grant_device(const struct machine_config *config, unsigned *at)
{
    for (; *at < GRANTS; ++*at)
        if (machine_granted(config, *at) && machine_grants[*at].device)
            return machine_grants[*at].device;
    return NULL;
}

#define FLAG(name, property)
#define DEVICE(name, property, device) \
    _Static_assert((int)GRANT_##name < (int)GRANTED_DEVICES, "devices come first");
#include "cp/device/grants.def"
