/* IPL of a Linux kernel ("The Linux/x86 Boot Protocol" of the kernel's documentation, version 2.10 or later) into a
 * virtual machine's storage, by its 32-bit entry. In: a bzImage, its initrd and command line (every byte of
 * which may be hostile), the machine's storage. Out: the storage filled, and the state the CPU starts in:
 * that of multiboot, with ESI leading to the boot parameters.
 *
 * The kernel knows its storage by the memory map (cp/ipl/map.h), its machine by ACPI (cp/ipl/firmware.h) and, where it
 * was built to read one, by the device tree. It lies at 1 MiB, whatever address it prefers: it moves itself. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/ipl/copy.h"
#include "cp/ipl/entry.h"

struct linux_image {
    struct ipl_bytes data;
    uint64_t bytes;
    const char *command_line; /* NULL: "" */
    const void *initrd, *tree; /* NULL: none */
    uint64_t initrd_bytes, tree_bytes;
};

/* Is it a Linux kernel, of any protocol? Else another loader may know it. */
bool linux_is(struct ipl_bytes image, uint64_t bytes);

/* As multiboot_begin(). The image and its initrd must stay until they are copied. */
const char *linux_begin(struct ipl_copies *, struct guest_storage *, const struct linux_image *, struct ipl_entry *);
