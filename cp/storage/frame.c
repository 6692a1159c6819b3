/* Owns the page frames of the machine CP runs on. Ranges come in at boot; frames never handed out yet are taken from the ranges
 * in order, so that nothing touches a frame before it is used (under another CP that would cost real storage), freed ones
 * from a list threaded through the frames themselves. */
#include "cp/storage/frame.h"

#include <string.h>

enum { RANGES = 32 };

struct range {
    uint64_t next, end; /* frames [next, end) were never handed out */
};

struct free_frame {
    struct free_frame *next;
};

struct frame_account frame_cp_account;

static struct range range[RANGES];
static unsigned ranges;
static struct free_frame *freed;
static uint64_t total, available;

void frame_add(hpa_t start, uint64_t bytes)
{
    uint64_t first = (start.a + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
    uint64_t end = (start.a + bytes) & ~(uint64_t)PAGE_MASK;

    if (first >= end || ranges == RANGES)
        return;
    range[ranges++] = (struct range){first, end};
    total += (end - first) >> PAGE_SHIFT;
    available += (end - first) >> PAGE_SHIFT;
}

static void *take_fresh(unsigned pages)
{
    uint64_t bytes = (uint64_t)pages << PAGE_SHIFT;

    for (struct range *r = range; r < range + ranges; r++) {
        if (r->end - r->next < bytes)
            continue;
        void *frame = frame_pointer(hpa(r->next));
        r->next += bytes;
        return frame;
    }
    return NULL;
}

static bool within_limit(const struct frame_account *account, unsigned pages)
{
    return !account->limit || account->frames + pages <= account->limit;
}

static void charge(struct frame_account *account, unsigned pages)
{
    account->frames += pages;
    available -= pages;
}

void *frame_alloc_dirty(struct frame_account *account)
{
    if (!within_limit(account, 1))
        return NULL;
    void *frame = freed;
    if (frame)
        freed = freed->next;
    else if (!(frame = take_fresh(1)))
        return NULL;
    charge(account, 1);
    return frame;
}

void *frame_alloc(struct frame_account *account)
{
    void *frame = frame_alloc_dirty(account);
    if (frame)
        frame_clear(frame);
    return frame;
}

void frame_free(struct frame_account *account, void *frame)
{
    if (!frame)
        return;
    struct free_frame *f = frame;
    f->next = freed;
    freed = f;
    account->frames--;
    available++;
}

void *frame_alloc_run(struct frame_account *account, unsigned pages)
{
    if (!within_limit(account, pages))
        return NULL;
    void *first = take_fresh(pages);
    if (!first)
        return NULL;
    charge(account, pages);
    for (unsigned i = 0; i < pages; i++)
        frame_clear((char *)first + ((uint64_t)i << PAGE_SHIFT));
    return first;
}

void frame_free_run(struct frame_account *account, void *first, unsigned pages)
{
    if (!first)
        return;
    for (unsigned i = 0; i < pages; i++)
        frame_free(account, (char *)first + ((uint64_t)i << PAGE_SHIFT));
}

uint64_t frame_total(void) { return total; }
uint64_t frame_available(void) { return available; }
