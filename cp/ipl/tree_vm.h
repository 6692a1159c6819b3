/* The machine CP gives, as a tree: what does not depend on the user is said here, in the terms of the devices
 * themselves. */
#pragma once
#include "cp/device/machine_config.h"
#include "cp/ipl/tree.h"

/* Fills `config` for tree_build(). tsc_hz: of the virtual CPU; bootargs may be NULL, and must live until then. */
void tree_vm_config(struct tree_config *config, const struct machine_config *, uint64_t tsc_hz, const char *bootargs);

enum { TREE_VM_BYTES = 16384, TREE_VM_BOOTARGS = 256, TREE_VMS = 4 };

struct tree_vm {
    /* for which it was made */
    uint64_t storage_bytes, tsc_hz;
    unsigned uarts;
    uint32_t grants;
    char bootargs[TREE_VM_BOOTARGS];
    size_t bytes; /* 0: it could not be described, as the fault says */
    _Alignas(8) uint8_t tree[TREE_VM_BYTES];
};

/* The tree of that machine. The last ones that were made are kept, since most machines are like others and making one
 * takes as long as all else of an IPL; it stays as it is until TREE_VMS others were asked for.
 * @pre bootargs, with its NUL, is not longer than that */
const struct tree_vm *tree_vm_of(const struct machine_config *, uint64_t tsc_hz, const char *bootargs,
                                 struct tree_fault *fault);
