/* IPL of a multiboot 1 image ("Multiboot Specification version 0.6.96") into a virtual machine's storage.
 * In: the image, and its modules in CP's memory (every byte of which may be hostile), the machine's storage. Out: the
 * storage filled, and the state the CPU starts in: 32-bit protected mode, paging off, flat segments (code and data,
 * base 0, limit 4 GiB), interrupts off, A20 on.
 *
 * An image is ELF32 or ELF64 (i386 or x86-64, executable, entry below 4 GiB), or anything with the header's address
 * fields. A header that wants a video mode is obeyed but for that: the information's flags tell the kernel that there
 * is none. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/ipl/copy.h"
#include "cp/ipl/entry.h"

enum { MULTIBOOT_MODULES = 16, MULTIBOOT_TEXT = 4096 /* longest command line or module text, NUL included */ };

struct multiboot_module {
    const void *data;
    uint64_t bytes;
    const char *text; /* its command line; by custom its first word is its name. NULL: "" */
};

struct multiboot_image {
    struct ipl_bytes data;
    uint64_t bytes;
    const char *command_line; /* NULL: "" */
    const struct multiboot_module *module;
    unsigned modules;
};

bool multiboot_is(struct ipl_bytes image, uint64_t bytes); /* it has a header */
/* NULL, or what of command line and modules is too much. */
const char *multiboot_check_texts(const struct multiboot_image *);

/* NULL when all that is left is to copy what is noted, else why not (one line without a full stop); then the storage
 * may be partly written. Image and large modules must stay until they are copied. Modules come at the first page above
 * the image, each page-aligned, then the information. */
const char *multiboot_begin(struct ipl_copies *, struct guest_storage *, const struct multiboot_image *,
                            struct ipl_entry *);

/* The two parts of it. The image alone: *end, a page's beginning, is above it. */
const char *multiboot_load(struct ipl_copies *, struct guest_storage *, const struct multiboot_image *,
                           struct ipl_entry *, uint64_t *end);
/* Modules and information, from `at` on. */
const char *multiboot_inform(struct ipl_copies *, struct guest_storage *, const struct multiboot_image *, uint64_t at,
                             struct ipl_entry *);
