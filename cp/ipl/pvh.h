/* IPL of a kernel by the PVH boot protocol (Xen's docs/misc/pvh): an ELF file whose note of Xen's says where it begins
 * in 32-bit protected mode, EBX leading to information: command line, modules, memory map, ACPI's root pointer.
 * In: image and modules, hostile. Out: storage, as by cp/ipl/multiboot.h. */
#pragma once
#include "cp/ipl/multiboot.h"

bool pvh_is(struct ipl_bytes image, uint64_t bytes);
/* As multiboot_begin(); but a kernel takes the first module for its own, so the image's first, the tree, comes last. */
const char *pvh_begin(struct ipl_copies *, struct guest_storage *, const struct multiboot_image *, struct ipl_entry *);
