/* What tests of a machine's storage share: a pool of frames, and 1 MiB of storage that each test starts with, empty. */
#pragma once
#include <stdlib.h>

#include "cp/storage/guest.h"

enum { FRAMES = 128, MIB = 1 << 20 };

static struct guest_storage storage;

static inline int start(void **state)
{
    static void *pool;
    (void)state;
    if (!pool) {
        pool = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_add(frame_address(pool), FRAMES * PAGE_SIZE);
    }
    guest_storage_init(&storage, MIB, 0);
    return 0;
}
