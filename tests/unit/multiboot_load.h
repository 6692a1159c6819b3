/* Loading by multiboot all at once, where CP copies a piece in each turn of its event loop. */
#pragma once
#include "cp/ipl/multiboot.h"

static inline const char *multiboot_whole(struct guest_storage *storage, const struct multiboot_image *image,
                                         struct ipl_entry *entry)
{
    struct ipl_copies copies;
    const char *error = multiboot_begin(&copies, storage, image, entry);

    while (!error && ipl_copy_go_on(&copies, &error)) {}
    return error;
}
