/* Small things that outlive the command, in page frames: they take nothing of the heap, in which they would hold up
 * its end for good, and what they leave is frames again. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { SLOTS_UNIT = 32, SLOTS_BYTES_MAX = 512 };

/* Those of one owner, who counts the frames. All zero: none. */
struct slots {
    struct slots_frame *open[SLOTS_BYTES_MAX / SLOTS_UNIT]; /* by size: frames with room */
    size_t frames;
};

/* 16-byte aligned, not cleared; NULL: there is no frame for it, or `more` does not hold and one would be needed.
 * @pre 0 < bytes <= SLOTS_BYTES_MAX */
void *cms_slots_take(struct slots *, size_t bytes, bool more);
void cms_slots_give(struct slots *, void *, size_t bytes); /* bytes as when it was taken */
