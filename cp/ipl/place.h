/* Places what a loader adds to an image, one thing after another above it, below 4 GiB in one range of RAM. What is
 * small is there at once, what is large is noted (cp/ipl/copy.h). */
#pragma once
#include "cp/ipl/copy.h"

struct ipl_placer {
    struct ipl_copies *copies;
    uint64_t at;       /* where the next thing comes */
    const char *error; /* the first; what comes later does nothing */
};

void ipl_place_align(struct ipl_placer *, unsigned to); /* a power of two */
/* Its address in the guest, or 0 after an error. Large data stays until it is copied. */
uint32_t ipl_place(struct ipl_placer *, const void *data, uint64_t bytes);
uint32_t ipl_place_text(struct ipl_placer *, const char *text); /* with its NUL; NULL: "" */
