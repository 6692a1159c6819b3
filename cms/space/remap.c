/* mremap: a range becomes shorter, longer, or goes elsewhere with its pages. */
#include <errno.h>

#include "cms/space/internal.h"
#include "cms/space/processor.h"

struct moving {
    uint64_t from, to;
};

/* @pre the table there exists */
static bool move_page(struct space *s, uint64_t address, uint64_t *entry, void *context)
{
    const struct moving *m = context;
    *table_find(s, m->to + (address - m->from)) = *entry;
    *entry = 0;
    return true;
}

static bool make_table_for(struct space *s, uint64_t address, uint64_t *entry, void *context)
{
    const struct moving *m = context;
    (void)entry;
    return table_find_or_make(s, m->to + (address - m->from));
}

/* Where the pages go there are tables first, so that nothing can fail half way. */
static int64_t move(struct space *s, const struct space_remap *m, uint64_t to)
{
    uint64_t carried = m->old_length < m->new_length ? m->old_length : m->new_length;
    struct region r = *region_at(s, m->old);
    struct moving moving = {m->old, to};

    r.offset += r.object ? m->old - r.start : 0;
    r.start = to;
    r.end = to + m->new_length;
    if (region_can_never_be(&r) || !region_reserve(s))
        return -ENOMEM;
    if (region_any(s, to, r.end)) {
        region_cut(s, to, r.end);
        if (!region_reserve(s))
            return -ENOMEM;
    }
    if (!table_each(s, m->old, m->old + carried, make_table_for, &moving)) {
        table_prune(s, to, r.end);
        return -ENOMEM;
    }
    region_hold(&r);
    region_insert(s, &r);
    table_each(s, m->old, m->old + carried, move_page, &moving);
    if (!m->leaves_old)
        region_cut(s, m->old, m->old + m->old_length);
    region_merge(s, to, r.end);
    space_processor_forget_all(cms_physical(s->top));
    return (int64_t)to;
}

/* A second mapping of a shared one's object: what a length of zero asks for. */
static int64_t twice(struct space *s, const struct space_remap *m)
{
    struct region r = *region_at(s, m->old);
    struct space_map map = {.address = m->fixed ? m->new_address : 0, .length = m->new_length, .access = r.access,
                            .denied = r.denied, .fixed = m->fixed, .shared = true, .object = r.object,
                            .offset = r.offset + (m->old - r.start)};
    return r.shared && m->may_move ? space_map(s, &map) : -EINVAL;
}

static bool may_grow_here(const struct space *s, const struct region *r, const struct space_remap *m)
{
    return r->end == m->old + m->old_length && m->new_length <= SPACE_TOP - m->old &&
           !region_any(s, r->end, m->old + m->new_length);
}

static int64_t grow_here(struct space *s, struct region *r, const struct space_remap *m)
{
    struct region wanted = *r;
    wanted.end = m->old + m->new_length;
    if (region_can_never_be(&wanted))
        return -ENOMEM;
    *r = wanted;
    s->changes++;
    region_merge(s, wanted.start, wanted.end);
    return (int64_t)m->old;
}

static int64_t anywhere(struct space *s, const struct space_remap *m)
{
    uint64_t to = m->may_move && m->new_length <= SPACE_TOP ? region_hole(s, m->new_length, 0) : 0;
    return to ? move(s, m, to) : -ENOMEM;
}

/* Where it is, or where there is room. */
static int64_t resize(struct space *s, struct region *r, const struct space_remap *m)
{
    if (m->new_length > m->old_length)
        return may_grow_here(s, r, m) ? grow_here(s, r, m) : anywhere(s, m);
    int failed = m->new_length < m->old_length
                     ? space_unmap(s, m->old + m->new_length, m->old_length - m->new_length)
                     : 0;
    return failed ? failed : (int64_t)m->old;
}

static int judge_fixed(const struct space_remap *m)
{
    if (m->new_address % SPACE_PAGE || m->new_length > SPACE_TOP || m->new_address > SPACE_TOP - m->new_length)
        return -EINVAL;
    if (m->old < m->new_address + m->new_length && m->new_address < m->old + m->old_length)
        return -EINVAL;
    return m->new_address < SPACE_LOWEST ? -EPERM : 0;
}

int64_t space_remap(struct space *s, const struct space_remap *asked)
{
    struct space_remap m = *asked;
    m.old_length = page_up(m.old_length);
    m.new_length = page_up(m.new_length);
    if (m.old % SPACE_PAGE || !m.new_length)
        return -EINVAL;
    int wrong = m.fixed ? judge_fixed(&m) : 0;
    if (wrong)
        return wrong;
    struct region *r = m.old < SPACE_TOP ? region_at(s, m.old) : NULL;
    if (!r || m.old_length > r->end - m.old) /* one region, and all of it there */
        return -EFAULT;
    if (!m.old_length)
        return twice(s, &m);
    if (m.fixed)
        return move(s, &m, m.new_address);
    return m.leaves_old ? anywhere(s, &m) : resize(s, r, &m);
}
