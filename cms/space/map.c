/* What programs ask: mmap, munmap, mprotect, brk, madvise, msync. */
#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/space/internal.h"
#include "cms/space/processor.h"

/* 0, or what is wrong with a range that the caller names: whole pages, and where programs may be. */
static int judge(uint64_t address, uint64_t length)
{
    if (address % SPACE_PAGE)
        return -EINVAL;
    return length > SPACE_TOP || address > SPACE_TOP - page_up(length) ? -ENOMEM : 0;
}

/* ---- mmap -------------------------------------------------------------------------------------------------------- */

static int64_t place_fixed(const struct space *s, const struct space_map *m, uint64_t length)
{
    int wrong = judge(m->address, length);
    if (!wrong && m->address < SPACE_LOWEST)
        wrong = -EPERM;
    if (!wrong && m->fixed_new && region_any(s, m->address, m->address + length))
        wrong = -EEXIST;
    return wrong ? wrong : (int64_t)m->address;
}

/* What is wished for if it is free, else anywhere. */
static int64_t place(const struct space *s, const struct space_map *m, uint64_t length)
{
    uint64_t wish = page_of(m->address);
    if (m->fixed || m->fixed_new)
        return place_fixed(s, m, length);
    if (wish >= SPACE_LOWEST && !judge(wish, length) && !region_any(s, wish, wish + length))
        return (int64_t)wish;
    wish = region_hole(s, length, m->below);
    return wish ? (int64_t)wish : -ENOMEM;
}

static int judge_map(const struct space_map *m, uint64_t length)
{
    if (!length)
        return m->length ? -ENOMEM : -EINVAL;
    if (length > SPACE_TOP)
        return -ENOMEM;
    if (m->offset % SPACE_PAGE)
        return -EINVAL;
    return m->object && m->offset + length < m->offset ? -EOVERFLOW : 0;
}

/* Puts the region where it is to be, instead of whatever is there. Takes over one user of its object. */
static void put(struct space *s, const struct region *r)
{
    if (region_any(s, r->start, r->end))
        region_cut(s, r->start, r->end);
    region_insert(s, r);
    region_merge(s, r->start, r->end);
}

int64_t space_map(struct space *s, const struct space_map *m)
{
    uint64_t length = page_up(m->length);
    int wrong = judge_map(m, length);
    int64_t at = wrong ? wrong : place(s, m, length);

    if (at < 0)
        return at;
    struct region r = {.start = (uint64_t)at, .end = (uint64_t)at + length, .offset = m->object ? m->offset : 0,
                       .object = m->object, .access = (uint8_t)m->access, .denied = (uint8_t)m->denied,
                       .shared = m->shared, .grows_down = m->grows_down, .no_reserve = m->no_reserve};
    if (region_can_never_be(&r) || !region_reserve(s))
        return -ENOMEM;
    if (m->shared && !m->object && !(r.object = anonymous_make(length)))
        return -ENOMEM;
    if (m->object)
        region_hold(&r);
    put(s, &r);
    if (m->populate)
        space_populate(s, r.start, length); /* what does not come now comes when it is touched, or not */
    return at;
}

/* Whether cutting the range out makes regions more. */
static bool splits(const struct space *s, uint64_t start, uint64_t end)
{
    const struct region *first = region_at(s, start), *last = region_at(s, end);
    return (first && first->start < start) || (last && last->start < end);
}

int space_unmap(struct space *s, uint64_t address, uint64_t length)
{
    if (judge(address, length) || !length)
        return -EINVAL;
    if (!region_any(s, address, address + page_up(length)))
        return 0;
    if (splits(s, address, address + page_up(length)) && !region_reserve(s))
        return -ENOMEM;
    region_cut(s, address, address + page_up(length));
    return 0;
}

/* ---- mprotect ---------------------------------------------------------------------------------------------------- */

/* Takes from the page what the region does not give; what it gives comes at the next touch. */
static bool restrict_page(struct space *s, uint64_t address, uint64_t *entry, void *context)
{
    const struct region *r = context;
    uint64_t was = *entry;

    if (!r->access)
        *entry &= ~(uint64_t)ENTRY_USER;
    if (!(r->access & SPACE_WRITE))
        *entry &= ~(uint64_t)ENTRY_WRITE;
    if (!(r->access & SPACE_EXECUTE) && space_processor_has_no_execute())
        *entry |= ENTRY_NO_EXECUTE;
    if (*entry != was)
        space_processor_forget(cms_physical(s->top), address);
    return true;
}

static int protect_region(struct space *s, struct region *r, unsigned access)
{
    struct region wanted = *r;
    wanted.access = (uint8_t)access;
    if (access & r->denied)
        return -EACCES;
    if (region_can_never_be(&wanted))
        return -ENOMEM;
    if (wanted.access != r->access) {
        s->changes++;
        *r = wanted;
        table_each(s, r->start, r->end, restrict_page, &wanted);
    }
    return 0;
}

int space_protect(struct space *s, uint64_t address, uint64_t length, unsigned access)
{
    uint64_t end = address + page_up(length), at = address;
    int wrong = judge(address, length);

    if (wrong || !length)
        return wrong;
    if (!region_at(s, address) || !region_reserve(s))
        return -ENOMEM;
    region_split(s, address);
    region_split(s, end);
    while (!wrong && at < end) { /* up to what is wrong, as Linux does it */
        struct region *r = region_at(s, at);
        wrong = r ? protect_region(s, r, access) : -ENOMEM;
        at = r ? r->end : end;
    }
    region_merge(s, address, end);
    return wrong;
}

/* ---- brk --------------------------------------------------------------------------------------------------------- */

void space_set_stack_limit(struct space *s, uint64_t bytes)
{
    s->stack_limit = bytes;
}

void space_set_break(struct space *s, uint64_t start)
{
    s->break_start = s->break_now = start;
}

uint64_t space_break(struct space *s, uint64_t wanted)
{
    uint64_t had = page_up(s->break_now), to = page_up(wanted);

    if (wanted < s->break_start || wanted > SPACE_TOP)
        return s->break_now;
    if (to > had) {
        struct space_map more = {.address = had, .length = to - had, .access = SPACE_READ | SPACE_WRITE,
                                 .fixed_new = true};
        if (space_map(s, &more) < 0)
            return s->break_now;
    } else if (to < had && space_unmap(s, to, had - to)) {
        return s->break_now;
    }
    return s->break_now = wanted;
}

/* ---- madvise, msync ---------------------------------------------------------------------------------------------- */

enum { /* of MADV_ */
    NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE = 8, REMOVE, DONTFORK, DOFORK, HUGEPAGE = 14, NOHUGEPAGE,
    DONTDUMP, DODUMP, WIPEONFORK, KEEPONFORK, COLD, PAGEOUT, POPULATE_READ, POPULATE_WRITE,
};

static int drop_pages(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
    struct region copy = *r;
    region_drop_pages(s, &copy, start, end);
    return 0;
}

static int drop_private(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
    return r->object ? -EINVAL : drop_pages(s, r, start, end);
}

static int no_fork(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
    (void)s, (void)start, (void)end;
    r->no_fork = true;
    return 0;
}

static int fork_again(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
    (void)s, (void)start, (void)end;
    r->no_fork = false;
    return 0;
}

static int wipe_on_fork(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
    (void)s, (void)start, (void)end;
    if (r->object)
        return -EINVAL;
    r->wipe_on_fork = true;
    return 0;
}

static int keep_on_fork(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
    (void)s, (void)start, (void)end;
    r->wipe_on_fork = false;
    return 0;
}

static int nothing(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
    (void)s, (void)r, (void)start, (void)end;
    return 0;
}

/* Per region; `splits`: it is of the region, so that the range becomes regions of its own. Advice that has no row is
 * -EINVAL. */
static const struct advice {
    int (*run)(struct space *, struct region *, uint64_t start, uint64_t end);
    bool splits;
} advices[] = {
    [NORMAL] = {nothing, false}, [RANDOM] = {nothing, false}, [SEQUENTIAL] = {nothing, false},
    [WILLNEED] = {nothing, false}, [DONTNEED] = {drop_pages, false}, [FREE] = {drop_private, false},
    [DONTFORK] = {no_fork, true}, [DOFORK] = {fork_again, true}, [HUGEPAGE] = {nothing, false},
    [NOHUGEPAGE] = {nothing, false}, [DONTDUMP] = {nothing, false}, [DODUMP] = {nothing, false},
    [WIPEONFORK] = {wipe_on_fork, true}, [KEEPONFORK] = {keep_on_fork, true}, [COLD] = {nothing, false},
    [PAGEOUT] = {nothing, false},
};

static int judge_range(uint64_t address, uint64_t length)
{
    bool wraps = (length && !page_up(length)) || address + page_up(length) < address;
    return wraps ? -EINVAL : judge(address, length);
}

/* What is mapped of the range; holes are -ENOMEM, in the end. */
static int advise(struct space *s, uint64_t address, uint64_t end, const struct advice *advice)
{
    int wrong = 0;
    for (uint64_t at = address; at < end;) {
        size_t i = region_index(s, at);
        if (i == s->count || s->region[i].start >= end)
            return -ENOMEM;
        struct region *r = &s->region[i];
        if (r->start > at)
            wrong = -ENOMEM;
        uint64_t from = r->start > at ? r->start : at, to = r->end < end ? r->end : end;
        int failed = advice->run(s, r, from, to);
        if (failed)
            return failed;
        at = to;
    }
    return wrong;
}

int space_advise(struct space *s, uint64_t address, uint64_t length, int kind)
{
    int wrong = judge_range(address, length);
    bool populates = kind == POPULATE_READ || kind == POPULATE_WRITE;
    bool known = kind >= 0 && (size_t)kind < sizeof advices / sizeof *advices && advices[kind].run;

    if (wrong || (!known && !populates))
        return wrong ? wrong : -EINVAL;
    uint64_t end = address + page_up(length);
    if (populates)
        return space_populate(s, address, length);
    if (!length)
        return 0;
    if (advices[kind].splits) {
        if (!region_reserve(s))
            return -ENOMEM;
        region_split(s, address);
        region_split(s, end);
    }
    wrong = advise(s, address, end, &advices[kind]);
    if (advices[kind].splits)
        region_merge(s, address, end);
    return wrong;
}

static int sync_region(struct space *s, struct region *r, uint64_t start, uint64_t end)
{
    region_sync(s, r, start, end);
    return 0;
}

int space_sync(struct space *s, uint64_t address, uint64_t length)
{
    static const struct advice sync = {sync_region, false};
    int wrong = judge(address, length);
    return wrong || !length ? wrong : advise(s, address, address + page_up(length), &sync);
}
