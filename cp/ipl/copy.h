/* What an IPL still has to copy into a machine's storage: its large pieces, judged and noted by the loaders, and copied
 * some at a time in the order they were noted. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/storage/guest.h"

enum { IPL_COPIES = 96, IPL_COPY_BYTES = 16384 /* one step's */ };

struct ipl_copies {
    struct guest_storage *storage;
    unsigned count, next;
    struct ipl_copy {
        const uint8_t *data; /* stays until it is copied */
        uint64_t at, bytes, memory; /* zeros from bytes up to memory */
    } copy[IPL_COPIES];
};

extern const char ipl_copy_no_frames[];

/* False: too many. @pre bytes <= memory */
bool ipl_copy_note(struct ipl_copies *, uint64_t at, const void *data, uint64_t bytes, uint64_t memory);
/* One step. True: there is more. *why is left alone, or says why no more will be done. */
bool ipl_copy_go_on(struct ipl_copies *, const char **why);
