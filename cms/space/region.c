/* Regions: what may be where, in the order of addresses, none overlapping another. */
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/space/internal.h"
#include "cms/space/processor.h"

enum { FIRST_CAPACITY = 16, MORE = 3, FORGET_SINGLY = 16 };
/* Mappings are put below this, so that the stack has room above; and as far from what grows down as Linux has it. */
static const uint64_t MAPPINGS_TOP = (1ull << SPACE_TOP_BITS) - (128 << 20), GUARD = 1 << 20;

size_t region_index(const struct space *s, uint64_t address)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->region[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct region *region_at(const struct space *s, uint64_t address)
{
    size_t i = region_index(s, address);
    return i < s->count && s->region[i].start <= address ? &s->region[i] : NULL;
}

bool region_any(const struct space *s, uint64_t start, uint64_t end)
{
    size_t i = region_index(s, start);
    return i < s->count && s->region[i].start < end;
}

bool region_covers(const struct space *s, uint64_t start, uint64_t end)
{
    for (size_t i = region_index(s, start); start < end; i++) {
        if (i == s->count || s->region[i].start > start)
            return false;
        start = s->region[i].end;
    }
    return true;
}

void region_hold(const struct region *r)
{
    if (r->object && r->object->operations->hold)
        r->object->operations->hold(r->object);
}

void region_let_go(const struct region *r)
{
    if (r->object && r->object->operations->let_go)
        r->object->operations->let_go(r->object);
}

/* ---- the list ---------------------------------------------------------------------------------------------------- */

bool region_reserve(struct space *s)
{
    if (s->count + MORE <= s->capacity)
        return true;
    size_t capacity = s->capacity ? s->capacity * 2 : FIRST_CAPACITY;
    if (s->count + MORE > SPACE_REGIONS_MAX)
        return false;
    struct region *more = cms_heap_resize(s->region, capacity * sizeof *more);
    if (!more)
        return false;
    s->region = more;
    s->capacity = capacity;
    return true;
}

static void open_at(struct space *s, size_t i)
{
    memmove(s->region + i + 1, s->region + i, (s->count++ - i) * sizeof *s->region);
    s->changes++;
}

static void close_at(struct space *s, size_t i, size_t how_many)
{
    s->count -= how_many;
    memmove(s->region + i, s->region + i + how_many, (s->count - i) * sizeof *s->region);
    s->changes++;
}

void region_insert(struct space *s, const struct region *new)
{
    size_t i = region_index(s, new->start);
    open_at(s, i);
    s->region[i] = *new;
}

void region_split(struct space *s, uint64_t address)
{
    size_t i = region_index(s, address);
    if (i == s->count || s->region[i].start >= address)
        return;
    open_at(s, i);
    struct region *low = &s->region[i], *high = low + 1;
    *low = *high;
    high->offset += address - low->start;
    low->end = high->start = address;
    region_hold(high);
}

static bool continues(const struct region *a, const struct region *b)
{
    return a->end == b->start && a->object == b->object && a->access == b->access && a->denied == b->denied &&
           a->shared == b->shared && a->grows_down == b->grows_down && a->no_reserve == b->no_reserve &&
           a->no_fork == b->no_fork && a->wipe_on_fork == b->wipe_on_fork &&
           (!a->object || a->offset + (a->end - a->start) == b->offset);
}

void region_merge(struct space *s, uint64_t start, uint64_t end)
{
    size_t i = region_index(s, start ? start - 1 : 0);
    while (i + 1 < s->count && s->region[i].end <= end) {
        struct region next = s->region[i + 1];
        if (!continues(&s->region[i], &next)) {
            i++;
            continue;
        }
        s->region[i].end = next.end;
        close_at(s, i + 1, 1);
        region_let_go(&next);
    }
}

/* ---- their pages ------------------------------------------------------------------------------------------------- */

struct dropping {
    const struct region *region;
    size_t count;
};

static void tell_written(const struct region *r, uint64_t address, uint64_t entry)
{
    if (r->shared && r->object && entry & ENTRY_DIRTY && r->object->operations->written)
        r->object->operations->written(r->object, r->offset + (address - r->start), entry_frame(entry));
}

static bool drop(struct space *s, uint64_t address, uint64_t *entry, void *context)
{
    struct dropping *d = context;
    tell_written(d->region, address, *entry);
    cms_frame_give(entry_frame(*entry));
    *entry = 0;
    s->resident--;
    if (d->count++ < FORGET_SINGLY)
        space_processor_forget(cms_physical(s->top), address);
    return true;
}

void region_drop_pages(struct space *s, const struct region *r, uint64_t start, uint64_t end)
{
    struct dropping d = {r, 0};
    table_each(s, start, end, drop, &d);
    if (d.count > FORGET_SINGLY)
        space_processor_forget_all(cms_physical(s->top));
}

static bool sync(struct space *s, uint64_t address, uint64_t *entry, void *context)
{
    tell_written(context, address, *entry);
    if (*entry & ENTRY_DIRTY) {
        *entry &= ~(uint64_t)(ENTRY_DIRTY | ENTRY_WRITE); /* the next write is told of again */
        space_processor_forget(cms_physical(s->top), address);
    }
    return true;
}

bool region_sync(struct space *s, const struct region *r, uint64_t start, uint64_t end)
{
    struct region copy = *r;
    return !copy.shared || !copy.object || table_each(s, start, end, sync, &copy);
}

void region_cut(struct space *s, uint64_t start, uint64_t end)
{
    region_split(s, start);
    region_split(s, end);
    size_t first = region_index(s, start), many = 0;
    for (; first + many < s->count && s->region[first + many].start < end; many++) {
        struct region *r = &s->region[first + many];
        region_drop_pages(s, r, r->start, r->end);
    }
    while (many--) { /* one by one: an object that goes may look at the rest */
        struct region gone = s->region[first];
        close_at(s, first, 1);
        region_let_go(&gone);
    }
    table_prune(s, start, end);
    space_processor_forget(cms_physical(s->top), start); /* what the processor knows of tables goes too */
}

/* ---- where there is room ----------------------------------------------------------------------------------------- */

/* What must stay free below a region. */
static uint64_t low_of(const struct region *r)
{
    return r->grows_down ? r->start - (r->start > GUARD ? GUARD : r->start) : r->start;
}

/* The highest one that ends at `top` or below. */
static uint64_t hole_below(const struct space *s, uint64_t length, uint64_t top)
{
    size_t i = region_index(s, top);
    if (i < s->count && low_of(&s->region[i]) < top)
        top = low_of(&s->region[i]);
    for (;; i--) {
        uint64_t bottom = i && s->region[i - 1].end > SPACE_LOWEST ? s->region[i - 1].end : SPACE_LOWEST;
        if (top > bottom && top - bottom >= length)
            return top - length;
        if (!i)
            return 0;
        if (low_of(&s->region[i - 1]) < top)
            top = low_of(&s->region[i - 1]);
    }
}

static uint64_t hole_above(const struct space *s, uint64_t length, uint64_t bottom)
{
    for (size_t i = region_index(s, bottom); i <= s->count; i++) {
        uint64_t from = i && s->region[i - 1].end > bottom ? s->region[i - 1].end : bottom;
        uint64_t to = i < s->count ? low_of(&s->region[i]) : SPACE_TOP;
        if (to > from && to - from >= length)
            return from;
    }
    return 0;
}

uint64_t region_hole(const struct space *s, uint64_t length, uint64_t below)
{
    uint64_t at = hole_below(s, length, below ? below : MAPPINGS_TOP);
    return at || below ? at : hole_above(s, length, MAPPINGS_TOP);
}

struct region *region_grow(struct space *s, uint64_t address)
{
    size_t i = region_index(s, address);
    uint64_t to = page_of(address);
    if (i == s->count)
        return NULL;
    struct region *r = &s->region[i];
    if (!r->grows_down || to < SPACE_LOWEST || r->end - to > s->stack_limit)
        return NULL;
    if (i && r[-1].access && !r[-1].grows_down && to - r[-1].end < GUARD)
        return NULL;
    r->offset -= r->object ? r->start - to : 0;
    r->start = to;
    s->changes++;
    return r;
}

bool region_can_never_be(const struct region *r)
{
    return !r->shared && r->access & SPACE_WRITE && !r->no_reserve &&
           (r->end - r->start) / SPACE_PAGE > cms_frames_total();
}
