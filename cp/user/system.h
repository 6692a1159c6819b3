/* Named systems: software CP keeps images of and can IPL by name (CMS, CP). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/dispatch/vm.h"

enum { SYSTEMS = 8 };

struct system {
    char name[9];
    const void *image; /* stays where it is */
    size_t bytes;
};

/* At boot, once for each. False: table full, name not 1 to 8 characters, or registered already. */
bool system_register(const char *name, const void *image, size_t bytes);
const struct system *system_find(const char *name);
const struct system *system_at(unsigned index); /* NULL: no more */

/* Resets the machine, clears its storage, loads the system by multiboot with the machine's tree as a module, and leaves it
 * ready for vm_begin(). 0, or -ENOENT (no such system), -ENOEXEC, -ENOMEM; *reason then says why in a few words. */
int system_ipl(struct vm *, const char *name, const char *parm, const char **reason);
