/* Owns the free frames. Those never handed out yet are taken from their ranges in order, so that nothing touches a
 * frame before it is used (under another CP that would cost real storage); the others are in runs, listed by length,
 * which are described in their own first and last frames. One bit a frame tells whether it is free: what stands in a
 * frame that is not is its holder's. */
#include "cp/storage/pool.h"

#include <stdbool.h>
#include <stddef.h>

#include "cp/storage/address.h"
#include "cp/storage/frame.h"

enum { RANGES = 32, FEW_WORDS = 16, WORD_BITS = 64, CLASSES = 8 };

struct range {
    uint64_t first, next, end; /* bytes; frames of [next, end) were never handed out */
    uint64_t *is_free;         /* from first; frames of [next, end) count as not */
    uint64_t few[FEW_WORDS];   /* for is_free, if these are enough */
};

struct run {
    struct run *next, *before;
    uint64_t pages;
    struct run *start; /* also in the last frame */
};

static struct range range[RANGES];
static unsigned ranges;
static struct run *runs[CLASSES]; /* [n]: of 2^n frames and more, but fewer than 2^(n+1); the last: all longer ones */

uint64_t pool_add(uint64_t start, uint64_t end)
{
    if (start >= end || ranges == RANGES)
        return 0;
    struct range *r = &range[ranges++];
    uint64_t words = ((end - start) >> PAGE_SHIFT) / WORD_BITS + 1;
    *r = (struct range){.next = start, .end = end, .is_free = r->few};
    if (words > FEW_WORDS) {
        r->is_free = frame_pointer(hpa(start));
        r->next += (words * sizeof *r->is_free + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
        for (uint64_t at = start; at < r->next; at += PAGE_SIZE)
            frame_clear(frame_pointer(hpa(at)));
    }
    r->first = r->next;
    return (r->end - r->first) >> PAGE_SHIFT;
}

/* ---- the bits ---------------------------------------------------------------------------------------------------- */

static struct range *range_of(uint64_t at)
{
    for (struct range *r = range; r < range + ranges; r++)
        if (at >= r->first && at < r->end)
            return r;
    return NULL;
}

static bool is_free(const struct range *r, uint64_t at)
{
    uint64_t frame = (at - r->first) >> PAGE_SHIFT;
    return at >= r->first && at < r->end && r->is_free[frame / WORD_BITS] >> frame % WORD_BITS & 1;
}

static void mark(struct range *r, uint64_t at, uint64_t pages, bool free)
{
    for (uint64_t frame = (at - r->first) >> PAGE_SHIFT, end = frame + pages; frame < end; frame++) {
        uint64_t bit = 1ull << frame % WORD_BITS, *word = &r->is_free[frame / WORD_BITS];
        *word = free ? *word | bit : *word & ~bit;
    }
}

/* ---- the lists --------------------------------------------------------------------------------------------------- */

static unsigned class_of(uint64_t pages)
{
    unsigned class = 0;
    while (class < CLASSES - 1 && pages >> (class + 1))
        class++;
    return class;
}

static struct run *last_frame(struct run *run)
{
    return (struct run *)((char *)run + ((run->pages - 1) << PAGE_SHIFT));
}

static void list(struct run *run, uint64_t pages)
{
    struct run **head = &runs[class_of(pages)];

    *run = (struct run){.next = *head, .pages = pages, .start = run};
    last_frame(run)->start = run;
    if (run->next)
        run->next->before = run;
    *head = run;
}

static void unlist(struct run *run)
{
    if (run->before)
        run->before->next = run->next;
    else
        runs[class_of(run->pages)] = run->next;
    if (run->next)
        run->next->before = run->before;
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

/* Looks first in the lists whose runs are all long enough, the shortest first; then in the one where only some are. */
static struct run *find(uint64_t pages)
{
    unsigned class = class_of(pages), surely = class + ((pages & (pages - 1)) != 0);

    for (unsigned i = surely; i < CLASSES; i++)
        if (runs[i] && runs[i]->pages >= pages)
            return runs[i];
    for (struct run *run = runs[class]; run; run = run->next)
        if (run->pages >= pages)
            return run;
    return NULL;
}

/* The last frames of a run. */
static void *cut(struct run *run, unsigned pages)
{
    uint64_t left = run->pages - pages;
    char *taken = (char *)run + (left << PAGE_SHIFT);

    unlist(run);
    if (left)
        list(run, left);
    mark(range_of((uint64_t)(uintptr_t)taken), (uint64_t)(uintptr_t)taken, pages, false);
    return taken;
}

static void *take_fresh(unsigned pages)
{
    uint64_t bytes = (uint64_t)pages << PAGE_SHIFT;

    for (struct range *r = range; r < range + ranges; r++)
        if (r->end - r->next >= bytes) {
            r->next += bytes;
            return frame_pointer(hpa(r->next - bytes));
        }
    return NULL;
}

void *pool_take(unsigned pages)
{
    struct run *run = find(pages);
    return run ? cut(run, pages) : take_fresh(pages);
}

/* ---- giving back ------------------------------------------------------------------------------------------------- */

void pool_give(void *first, unsigned pages)
{
    uint64_t at = (uint64_t)(uintptr_t)first, count = pages;
    struct range *r = range_of(at);
    struct run *start = first;

    mark(r, at, pages, true);
    if (is_free(r, at + (count << PAGE_SHIFT))) {
        struct run *above = (struct run *)((char *)first + (count << PAGE_SHIFT));
        unlist(above);
        count += above->pages;
    }
    if (is_free(r, at - PAGE_SIZE)) {
        start = ((struct run *)((char *)first - PAGE_SIZE))->start;
        unlist(start);
        count += start->pages;
    }
    list(start, count);
}
