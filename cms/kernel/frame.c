/* Frames are numbered from the heap's far end downwards. Of each the table there says how many users it has; those that
 * have none are in a list whose links they hold themselves. What was never a frame is the heap's untouched end; the
 * lowest frames go back to it when they are free and the heap needs them. */
#include "cms/kernel/frame.h"

#include "cms/kernel/heap.h"

enum { RESERVE_SHARE = 32 };
static const uint32_t KEPT = 1u << 31;

struct unused {
    struct unused *next, *previous;
};

static uint32_t *users; /* of each frame, and KEPT; NULL: none was ever taken */
static char *base;      /* end of frame 0 */
static size_t made;     /* frames below base, in use or not */
static size_t reserve;  /* bytes of the untouched end that never become frames, so that commands and files go on */
static size_t in_use;
static size_t passing;  /* users that are a command's, over all frames */
static struct unused *unused;
static size_t unused_count;
static struct frame_cache *caches;

static size_t number_of(const void *frame)
{
    return (size_t)(base - (const char *)frame) / FRAME_SIZE - 1;
}

static char *frame_of(size_t number)
{
    return base - (number + 1) * FRAME_SIZE;
}

void cms_frames_start(void)
{
    users = NULL;
    base = NULL;
    made = in_use = passing = unused_count = reserve = 0;
    unused = NULL;
    caches = NULL;
}

/* ---- the list of those nobody uses --------------------------------------------------------------------------- */

static void put_unused(char *frame)
{
    struct unused *u = (struct unused *)frame;
    *u = (struct unused){unused, NULL};
    if (unused)
        unused->previous = u;
    unused = u;
    unused_count++;
}

static void take_unused(struct unused *u)
{
    if (u->previous)
        u->previous->next = u->next;
    else
        unused = u->next;
    if (u->next)
        u->next->previous = u->previous;
    unused_count--;
}

/* ---- taking and giving --------------------------------------------------------------------------------------- */

/* The table has room for all that the untouched end could become. */
static bool make_table(void)
{
    size_t bytes = cms_heap_untouched() / FRAME_SIZE * sizeof *users;
    uintptr_t end = (uintptr_t)cms_heap_end(), at = (end - bytes) & ~(uintptr_t)(FRAME_SIZE - 1);
    char *table = bytes && end - at <= cms_heap_untouched() ? cms_heap_lower_end(end - at) : NULL;

    if (!table)
        return false;
    base = table;
    reserve = cms_heap_untouched() / RESERVE_SHARE;
    users = (uint32_t *)table;
    return true;
}

/* Bytes of the untouched end that may become frames. */
static size_t spare(void)
{
    size_t untouched = cms_heap_untouched(), kept_back = users ? reserve : untouched / RESERVE_SHARE;
    return untouched > kept_back ? untouched - kept_back : 0;
}

static char *make_frame(void)
{
    if ((!users && !make_table()) || spare() < FRAME_SIZE)
        return NULL;
    char *frame = cms_heap_lower_end(FRAME_SIZE);
    if (frame)
        made++;
    return frame;
}

static char *find_frame(void)
{
    char *frame = (char *)unused;
    if (!frame)
        return make_frame();
    take_unused(unused);
    return frame;
}

static bool caches_give_up(void)
{
    for (struct frame_cache *c = caches; c; c = c->next)
        if (c->give_up(c))
            return true;
    return false;
}

void *cms_frame_take(void)
{
    char *frame = find_frame();
    while (!frame && caches_give_up())
        frame = find_frame();
    if (!frame)
        return NULL;
    users[number_of(frame)] = 1;
    in_use++;
    passing++;
    return frame;
}

void cms_frame_share(void *frame)
{
    users[number_of(frame)]++;
    passing++;
}

void cms_frame_give(void *frame)
{
    uint32_t *u = &users[number_of(frame)];
    passing--;
    if (--*u)
        return;
    in_use--;
    put_unused(frame);
}

void cms_frame_keep(void *frame)
{
    users[number_of(frame)] |= KEPT;
    passing--;
}

void cms_frame_give_kept(void *frame)
{
    users[number_of(frame)] &= ~KEPT;
    passing++;
    cms_frame_give(frame);
}

unsigned cms_frame_users(const void *frame)
{
    return users[number_of(frame)] & ~KEPT;
}

size_t cms_frames_in_use(void)
{
    return in_use;
}

size_t cms_frames_left(void)
{
    return unused_count + spare() / FRAME_SIZE;
}

size_t cms_frames_total(void)
{
    return in_use + cms_frames_left();
}

void cms_frame_cache_add(struct frame_cache *cache)
{
    cache->next = caches;
    caches = cache;
}

/* ---- for the heap -------------------------------------------------------------------------------------------- */

void cms_frames_free_commands(void)
{
    for (size_t i = 0; passing && i < made; i++) {
        uint32_t u = users[i] & ~KEPT, kept = users[i] != u;
        passing -= u - kept;
        if (!u || kept) {
            users[i] = kept ? KEPT | 1 : 0;
            continue;
        }
        users[i] = 0;
        in_use--;
        put_unused(frame_of(i));
    }
}

/* The lowest frame, if it is free, is the heap's again. */
static bool lowest_goes(void)
{
    if (!made || users[made - 1])
        return false;
    take_unused((struct unused *)frame_of(--made));
    cms_heap_raise_end(FRAME_SIZE);
    return true;
}

bool cms_frames_make_room(size_t bytes)
{
    while (cms_heap_untouched() < bytes)
        if (!lowest_goes() && !caches_give_up())
            return false;
    return true;
}
