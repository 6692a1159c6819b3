/* Devices that only some machines have: a row of cp/device/grants.def each, and one of
 * these structs beside the device. */
#pragma once
#include "cp/device/machine_config.h"
#include "cp/device/node.h"

struct machine; /* cp/device/machine.h */

enum {
    /* bytes of state in struct machine; a device that needs more takes frames of the storage's account */
    GRANTED_STATE = 256,
    GRANTED_NODES = 2,
};

/* Their rows stand before those without a device, which have no state. */
enum {
    GRANTED_DEVICES = 0
#define FLAG(name, property)
#define DEVICE(name, property, device) +1
#include "cp/device/grants.def"
};

struct granted_device {
    struct device_node node[GRANTED_NODES]; /* of the machine's device tree; the last ones may be empty */
    /* Claims its place on the machine's bus. `state` is zeroed, aligned for any struct, and the device's own. */
    void (*init)(struct machine *, void *state);
    void (*reset)(void *state); /* as after power on. NULL: nothing to do */
    void (*free)(void *state);  /* cancels timers. NULL: nothing to do */
};

#define FLAG(name, property)
#define DEVICE(name, property, device) extern const struct granted_device device##_granted;
#include "cp/device/grants.def"

struct grant {
    const char *property;                /* in the directory */
    const struct granted_device *device; /* NULL: none */
};
extern const struct grant machine_grants[GRANTS];

/* The first device from row *at on that is granted; *at becomes its row. NULL: no more. */
const struct granted_device *grant_device(const struct machine_config *, unsigned *at);
