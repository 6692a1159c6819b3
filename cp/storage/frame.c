/* Owns the page frames of the machine CP runs on. Ranges come in at boot; frames never handed out yet are taken from the ranges
 * in order, so that nothing touches a frame before it is used (under another CP that would cost real storage), freed ones
 * from lists threaded through the frames themselves. A run that comes back stays a run for the next that wants as many: LOGON
 * wants the same few lengths every time, and there is no joining of single frames. */
#include "cp/storage/frame.h"

#include <string.h>

enum { RANGES = 32 };

struct range {
    uint64_t next, end; /* frames [next, end) were never handed out */
};

struct free_frame {
    struct free_frame *next;
};

struct free_run {
    struct free_run *next;
    uint64_t pages;
};

struct frame_account frame_cp_account;

static struct range range[RANGES];
static unsigned ranges;
static struct free_frame *freed;
static struct free_run *freed_runs;
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

/* The first freed run of exactly `pages`, or of more. */
static struct free_run **find_run(unsigned pages, bool exactly)
{
    for (struct free_run **at = &freed_runs; *at; at = &(*at)->next)
        if (exactly ? (*at)->pages == pages : (*at)->pages > pages)
            return at;
    return NULL;
}

/* The last `pages` of a freed run; what is left of it stays a run. */
static void *take_from_run(struct free_run **at, unsigned pages)
{
    struct free_run *run = *at;

    run->pages -= pages;
    if (!run->pages)
        *at = run->next;
    return (char *)run + (run->pages << PAGE_SHIFT);
}

static void *take_run(unsigned pages)
{
    struct free_run **at = find_run(pages, true);
    void *first = at ? NULL : take_fresh(pages);

    if (first)
        return first;
    if (!at)
        at = find_run(pages, false);
    return at ? take_from_run(at, pages) : NULL;
}

static void *take_frame(void)
{
    struct free_frame *frame = freed;

    if (!frame)
        return take_run(1);
    freed = frame->next;
    return frame;
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
    void *frame = within_limit(account, 1) ? take_frame() : NULL;
    if (frame)
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
    void *first = pages ? take_run(pages) : NULL;
    if (!first)
        return NULL;
    charge(account, pages);
    for (unsigned i = 0; i < pages; i++)
        frame_clear((char *)first + ((uint64_t)i << PAGE_SHIFT));
    return first;
}

void frame_free_run(struct frame_account *account, void *first, unsigned pages)
{
    struct free_run *run = first;

    if (!run)
        return;
    *run = (struct free_run){freed_runs, pages};
    freed_runs = run;
    account->frames -= pages;
    available += pages;
}

uint64_t frame_total(void) { return total; }
uint64_t frame_available(void) { return available; }
