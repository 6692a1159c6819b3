/* The machine CP gives, as a tree: what does not depend on the user is said here, in the terms of the devices
 * themselves. */
#pragma once
#include "cp/ipl/tree.h"

struct tree_vm {
    uint64_t storage_bytes; /* as in struct guest_storage */
    uint64_t tsc_hz;        /* of the virtual CPU */
    unsigned uarts;         /* 1-4 */
    bool debug_exit;
    const char *bootargs;   /* NULL: "" */
};

/* Fills `config` for tree_build(); the strings must live until then. */
void tree_vm_config(struct tree_config *config, const struct tree_vm *);
