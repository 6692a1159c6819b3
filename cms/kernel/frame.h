/* Page frames: 4 KiB of storage each, taken from the far end of what the heap may grow into. A frame has users (address
 * spaces, caches); the last one gives it back. Frames that caches keep are given up before anybody is refused one. A
 * little storage never becomes frames: with all of them taken, commands and the file system still have some. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_SIZE = 4096, FRAME_SHIFT = 12 };

/* One frame with one user, not cleared; NULL: there is none, even after every cache gave up what it could. */
void *cms_frame_take(void);
void cms_frame_share(void *frame); /* one user more */
void cms_frame_give(void *frame);  /* one user less */
/* One of the frame's users is a cache, or a file in storage, that outlives the command: what ends or abends takes away
 * all users but that one. It ends with a cms_frame_give() after cms_frame_give_up(). */
void cms_frame_keep(void *frame);
void cms_frame_give_kept(void *frame); /* that user goes */
unsigned cms_frame_users(const void *frame); /* with the one that keeps it */
size_t cms_frames_in_use(void);
size_t cms_frames_left(void);  /* without giving up what caches keep */
size_t cms_frames_total(void); /* in use and left: more there can never be, and the heap needs some of it */

/* A cache: gives up at least one frame if it can, and says whether it did. */
struct frame_cache {
    bool (*give_up)(struct frame_cache *);
    struct frame_cache *next;
};
/* Stays until the heap is started anew. */
void cms_frame_cache_add(struct frame_cache *);

/* For the heap, when it starts anew, when a command ended (every frame that nobody keeps is given back, whatever its
 * users), and when it needs `bytes` more that were frames. */
void cms_frames_start(void);
void cms_frames_free_commands(void);
bool cms_frames_make_room(size_t bytes);

/* Where a frame, or anything in the heap or the image, is for devices, CP and page tables; and back. The image lies
 * KERNEL_IMAGE bytes above where it is in storage, and everything, devices too, KERNEL_DIRECT above
 * (cms/boot/multiboot.S maps them so); on the host a pointer is its own physical address. */
#ifdef VMN_HOST
static const uint64_t KERNEL_DIRECT = 0, KERNEL_IMAGE = UINT64_MAX;
#else
static const uint64_t KERNEL_DIRECT = 0xffff800000000000, KERNEL_IMAGE = 0xffffffff80000000;
#endif
static const uint64_t KERNEL_DIRECT_BYTES = 1ull << 39; /* what is mapped there at most */

static inline uint64_t cms_physical(const void *p)
{
    uint64_t at = (uintptr_t)p;
    return at - (at >= KERNEL_IMAGE ? KERNEL_IMAGE : KERNEL_DIRECT);
}

static inline void *cms_at_physical(uint64_t at)
{
    return (void *)(uintptr_t)(KERNEL_DIRECT + at);
}
