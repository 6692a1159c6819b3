/* What an IPL still has to copy into a machine's storage: its large pieces, judged and noted by the loaders, and copied
 * some at a time in the order they were noted. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/storage/guest.h"

/* Bytes of an image: in CP's memory, or in the storage of a machine that stands still until they are loaded. */
struct ipl_bytes {
    const uint8_t *data;
    struct guest_storage *storage; /* NULL: they are at `data` */
    uint64_t at;                   /* there */
};
struct ipl_bytes ipl_bytes_from(struct ipl_bytes, uint64_t offset);
/* Where they lie, or, of a machine's storage, the copy that was made of them. NULL: they cannot be read. */
const uint8_t *ipl_bytes_look(struct ipl_bytes, size_t bytes, uint8_t *copy);
/* False: they cannot be read. */
bool ipl_bytes_get(struct ipl_bytes, uint64_t offset, void *to, size_t bytes);

enum { IPL_COPIES = 96, IPL_COPY_BYTES = 16384 /* one step's */ };

struct ipl_copies {
    struct guest_storage *storage;
    unsigned count, next;
    struct ipl_copy {
        struct ipl_bytes data; /* stay until they are copied */
        uint64_t at, bytes, memory; /* zeros from bytes up to memory */
    } copy[IPL_COPIES];
};

extern const char ipl_copy_no_frames[];

/* False: too many. @pre bytes <= memory */
bool ipl_copy_note(struct ipl_copies *, uint64_t at, struct ipl_bytes, uint64_t bytes, uint64_t memory);
/* One step. True: there is more. *why is left alone, or says why no more will be done. */
bool ipl_copy_go_on(struct ipl_copies *, const char **why);
