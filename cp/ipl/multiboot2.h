/* IPL of a multiboot 2 image ("Multiboot2 Specification version 2.0") for i386, without EFI. As cp/ipl/multiboot.h, but
 * information is tags: command line, modules, loader's name, memory map, copies of ACPI's root pointer, where the image
 * was loaded. There is no framebuffer; an image that may not be without what its header asks for is refused. */
#pragma once
#include "cp/ipl/multiboot.h"

bool multiboot2_is(struct ipl_bytes image, uint64_t bytes); /* it has a header for this machine */
/* As multiboot_begin(); but kernels (Xen) take the first module for their own, so the image's first, the tree, comes
 * last. */
const char *multiboot2_begin(struct ipl_copies *, struct guest_storage *, const struct multiboot_image *,
                             struct ipl_entry *);
