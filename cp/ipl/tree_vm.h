/* The machine CP gives, as a tree: what does not depend on the user is said here, in the terms of the devices
 * themselves. */
#pragma once
#include "cp/device/machine_config.h"
#include "cp/ipl/tree.h"

/* Fills `config` for tree_build(). tsc_hz: of the virtual CPU; bootargs may be NULL, and must live until then. */
void tree_vm_config(struct tree_config *config, const struct machine_config *, uint64_t tsc_hz, const char *bootargs);
