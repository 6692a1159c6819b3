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
static int64_t move(struct space *s, uint64_t old, uint64_t old_length, uint64_t new_length, uint64_t to)
{
    uint64_t carried = old_length < new_length ? old_length : new_length;
    struct region r = *region_at(s, old);
    struct moving m = {old, to};

    r.offset += r.object ? old - r.start : 0;
    r.start = to;
    r.end = to + new_length;
    if (region_can_never_be(&r) || !region_reserve(s))
        return -ENOMEM;
    if (region_any(s, to, to + new_length)) {
        region_cut(s, to, to + new_length);
        if (!region_reserve(s))
            return -ENOMEM;
    }
    if (!table_each(s, old, old + carried, make_table_for, &m)) {
        table_prune(s, to, to + new_length);
        return -ENOMEM;
    }
    region_hold(&r);
    region_insert(s, &r);
    table_each(s, old, old + carried, move_page, &m);
    region_cut(s, old, old + old_length);
    region_merge(s, to, to + new_length);
    space_processor_forget_all(cms_physical(s->top));
    return (int64_t)to;
}

/* A second mapping of a shared one's object: what a length of zero asks for. */
static int64_t twice(struct space *s, uint64_t old, uint64_t new_length, bool may_move, bool fixed, uint64_t address)
{
    struct region r = *region_at(s, old);
    if (!r.shared || !(may_move || fixed))
        return -EINVAL;
    return space_map(s, &(struct space_map){.address = fixed ? address : 0, .length = new_length, .access = r.access,
                                            .denied = r.denied, .fixed = fixed, .shared = true, .object = r.object,
                                            .offset = r.offset + (old - r.start)});
}

static bool may_grow_here(const struct space *s, const struct region *r, uint64_t old, uint64_t old_length,
                          uint64_t new_length)
{
    return r->end == old + old_length && new_length <= SPACE_TOP - old &&
           !region_any(s, old + old_length, old + new_length);
}

static int64_t grow_here(struct space *s, struct region *r, uint64_t old, uint64_t new_length)
{
    struct region wanted = *r;
    wanted.end = old + new_length;
    if (region_can_never_be(&wanted))
        return -ENOMEM;
    *r = wanted;
    s->changes++;
    region_merge(s, wanted.start, wanted.end);
    return (int64_t)old;
}

static int judge_fixed(uint64_t old, uint64_t old_length, uint64_t new_length, uint64_t address)
{
    if (address % SPACE_PAGE || new_length > SPACE_TOP || address > SPACE_TOP - new_length)
        return -EINVAL;
    if (old < address + new_length && address < old + old_length)
        return -EINVAL;
    return address < SPACE_LOWEST ? -EPERM : 0;
}

int64_t space_remap(struct space *s, uint64_t old, uint64_t old_length, uint64_t new_length, bool may_move, bool fixed,
                    uint64_t address)
{
    old_length = page_up(old_length);
    new_length = page_up(new_length);
    if (old % SPACE_PAGE || !new_length)
        return -EINVAL;
    int wrong = fixed ? judge_fixed(old, old_length, new_length, address) : 0;
    if (wrong)
        return wrong;
    struct region *r = old < SPACE_TOP ? region_at(s, old) : NULL;
    if (!r || old_length > r->end - old) /* one region, and all of it there */
        return -EFAULT;
    if (!old_length)
        return twice(s, old, new_length, may_move, fixed, address);
    if (fixed)
        return move(s, old, old_length, new_length, address);
    if (new_length <= old_length) {
        wrong = new_length < old_length ? space_unmap(s, old + new_length, old_length - new_length) : 0;
        return wrong ? wrong : (int64_t)old;
    }
    if (may_grow_here(s, r, old, old_length, new_length))
        return grow_here(s, r, old, new_length);
    uint64_t to = may_move && new_length <= SPACE_TOP ? region_hole(s, new_length) : 0;
    return to ? move(s, old, old_length, new_length, to) : -ENOMEM;
}
