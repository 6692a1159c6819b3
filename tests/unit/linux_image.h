/* A kernel's file of boot protocol 2.15, small, and its loading all at once. */
#pragma once
#include <string.h>

#include "cp/ipl/linux.h"

enum { LINUX_SECTORS = 3, LINUX_SETUP = (LINUX_SECTORS + 1) * 512, LINUX_KERNEL = 20000,
       LINUX_FILE = LINUX_SETUP + LINUX_KERNEL, LINUX_PREFERRED = 0x400000, LINUX_MEMORY = 0x200000,
       LINUX_INITRD_LAST = 0x7FFFFFFF, LINUX_LINE = 255 };

static inline void linux_set(uint8_t *file, unsigned at, uint64_t value, unsigned bytes)
{
    memcpy(file + at, &value, bytes);
}

static inline void linux_file(uint8_t file[LINUX_FILE])
{
    for (unsigned i = 0; i < LINUX_FILE; i++)
        file[i] = (uint8_t)(i % 251);
    file[0x1F1] = LINUX_SECTORS;
    linux_set(file, 0x1F4, LINUX_KERNEL / 16, 4);
    linux_set(file, 0x1FE, 0xAA55, 2);
    file[0x201] = 0x6A;
    memcpy(file + 0x202, "HdrS", 4);
    linux_set(file, 0x206, 0x20F, 2);
    file[0x211] = 1;
    linux_set(file, 0x22C, LINUX_INITRD_LAST, 4);
    linux_set(file, 0x238, LINUX_LINE, 4);
    linux_set(file, 0x250, 0, 8);
    linux_set(file, 0x258, LINUX_PREFERRED, 8);
    linux_set(file, 0x260, LINUX_MEMORY, 4);
}

static inline const char *linux_whole(struct guest_storage *storage, const struct linux_image *image,
                                      struct ipl_entry *entry)
{
    struct ipl_copies copies;
    const char *error = linux_begin(&copies, storage, image, entry);

    while (!error && ipl_copy_go_on(&copies, &error)) {}
    return error;
}
