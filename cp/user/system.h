/* Named systems: software CP keeps images of and can IPL by name (CMS, CP). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/dispatch/vm.h"

struct multiboot_module;

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

/* Resets the machine, clears its storage, loads the system by multiboot with the machine's device tree as a module
 * ("tree"), and leaves it ready for vm_begin(). CP gets the named systems, too, as modules, to offer in its turn. 0, or
 * -ENOENT (no such system), -ENOEXEC, -ENOMEM; *reason then says why in a few words. */
int system_ipl(struct vm *, const char *name, const char *parm, const char **reason);

/* The same with an image that has no name, and with modules after the tree. */
int system_ipl_image(struct vm *, const void *image, size_t bytes, const char *command_line,
                     const struct multiboot_module *module, unsigned modules, const char **reason);
