/* Page frames: 4 KiB of storage each, taken from the far end of what the heap may grow into. A frame has users (address
 * spaces, caches); the last one gives it back. Frames that caches keep are given up before anybody is refused one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_SIZE = 4096, FRAME_SHIFT = 12 };

/* One frame with one user, not cleared; NULL: there is none, even after every cache gave up what it could. */
void *cms_frame_take(void);
void cms_frame_share(void *frame); /* one user more */
void cms_frame_give(void *frame);  /* one user less */
unsigned cms_frame_users(const void *frame);
size_t cms_frames_in_use(void);
size_t cms_frames_left(void);

/* A cache: gives up at least one frame if it can, and says whether it did. */
struct frame_cache {
    bool (*give_up)(struct frame_cache *);
    struct frame_cache *next;
};
void cms_frame_cache_add(struct frame_cache *);

/* Where a frame, or anything in the heap or the image, is for devices, CP and page tables; and back. */
uint64_t cms_physical(const void *);
void *cms_at_physical(uint64_t);
