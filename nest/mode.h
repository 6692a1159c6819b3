/* The virtual VMX a machine is offered, each mode with all that is before it: docs/nesting.md, "Modes". */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum nest_mode {
    NEST_OFF,    /* none: every VMX instruction is #UD */
    NEST_TRAP,   /* VMREAD and VMWRITE exit */
    NEST_SHADOW, /* VMREAD and VMWRITE reach a hardware shadow region, where hardware has such */
    NEST_MEMORY, /* the same, and L1 may use pages as virtual VMCSs: nest_enter_page() */
    NEST_CHAIN,  /* the same, and L1 may leave to CP what its own guests enter so: nest/chain.h */
    NEST_MODES,
};

/* As a directory or a command line writes them, and as commands do. */
extern const struct nest_mode_name {
    const char *lower, *upper;
} nest_mode_names[NEST_MODES];

/* False: it is none of the lower-case names. */
bool nest_mode_parse(const char *text, size_t length, enum nest_mode *mode);
