/* Named systems: software CP keeps images of and can IPL by name (CMS, CP). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/ipl/copy.h"
#include "cp/vcpu/vm.h"

struct multiboot_module;

enum { SYSTEMS = 15 }; /* and the tree are the modules of a CP in a machine */

struct system {
    char name[9]; /* "": an initrd, which is no system by itself */
    const char *text, *arguments;
    const void *image; /* stays where it is */
    size_t bytes;
    const struct system *initrd; /* of a Linux kernel; NULL: none */
};

/* At boot, once for each, as the loader gave it: `text` is its name, in letters of any size and cut to eight, and
 * behind a blank the arguments it gets when IPL has no PARM. NAME.INITRD is the initrd of the Linux kernel NAME. NULL,
 * or why it is not offered: its name, one of that name, no room. Text and image stay where they are. */
const char *system_register(const char *text, const void *image, size_t bytes);
void system_name(const char *text, char name[9]); /* how it would be called */
const struct system *system_find(const char *name);
bool system_exists(const char *name); /* one of that name can be IPLed: that one, or one saved by command (nss.h) */
/* It is the device number of a disk of that machine, which can be IPLed where the system FIRMWARE is (rom.h). */
bool system_is_device(struct vm *, const char *name);
const struct system *system_at(unsigned index); /* initrds too; NULL: no more */

/* Begins to load a system: one saved by command if there is one, else an image: begun as its format
 * says (format.h); multiboot and PVH have the machine's device tree as a module ("tree"). CP gets the
 * named systems, too, as modules, to offer in its turn. A name that is no system's may be a disk's device number.
 * 0: system_ipl_go_on() does the rest; -EAGAIN: another machine is being loaded, or the system is still read from the
 * volume; else -ENOENT (no such system) or -ENOEXEC, and *reason says why in a few words. */
int system_ipl(struct vm *, const char *name, const char *parm, const char **reason);

/* The command line that an image gets: its name, and what was given for it; Linux' and PVH's have no name in them, and
 * Linux' names its console if nothing was given. As format_text(). */
size_t system_command_line(char *to, size_t size, struct ipl_bytes image, uint64_t bytes, const char *name,
                           const char *given);

/* The same with an image that has no name, and with modules after the tree. */
int system_ipl_image(struct vm *, struct ipl_bytes image, uint64_t bytes, const char *command_line,
                     const struct multiboot_module *module, unsigned modules, const char **reason);
bool system_ipl_is_busy(void); /* it would answer -EAGAIN */

/* One step: the tree, a machine reset with its storage clear, then the image and its modules a piece at a time.
 * SYSTEM_IPL_MORE, 0: done, the machine is ready for vm_begin(); or an error as above, -ENOMEM, -EBUSY. */
enum { SYSTEM_IPL_MORE = 1 };
int system_ipl_go_on(struct vm *, const char **reason);
void system_ipl_cancel(const struct vm *); /* nothing to do when it is not this one that is being loaded */
