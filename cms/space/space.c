/* Address spaces come, are forked and go. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/kernel/wait.h"
#include "cms/space/internal.h"
#include "cms/space/processor.h"

enum { IDS = 4096, WORD_BITS = 64 };

static uint64_t ids[IDS / WORD_BITS]; /* in use */

static bool take_id(unsigned *id)
{
    for (unsigned i = 0; i < IDS / WORD_BITS; i++) {
        if (!~ids[i])
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(~ids[i]);
        ids[i] |= 1ull << bit;
        *id = i * WORD_BITS + bit;
        return true;
    }
    return false;
}

static void give_id(unsigned id)
{
    ids[id / WORD_BITS] &= ~(1ull << id % WORD_BITS);
}

void space_forget_all(void)
{
    memset(ids, 0, sizeof ids);
}

struct space *space_make(void)
{
    struct space *s = cms_heap_allocate(sizeof *s);
    if (!s)
        return NULL;
    *s = (struct space){.users = 1, .stack_limit = SPACE_STACK};
    if (!take_id(&s->id)) {
        cms_heap_free(s);
        return NULL;
    }
    if ((s->top = table_make()))
        return s;
    give_id(s->id);
    cms_heap_free(s);
    return NULL;
}

void space_hold(struct space *s)
{
    s->users++;
}

void space_let_go(struct space *s)
{
    if (--s->users)
        return;
    while (s->count) {
        struct region gone = s->region[--s->count];
        region_drop_pages(s, &gone, gone.start, gone.end);
        region_let_go(&gone);
    }
    space_processor_leave(cms_physical(s->top));
    table_free(s->top);
    give_id(s->id);
    cms_heap_free(s->region);
    cms_heap_free(s);
}

uint64_t space_root(const struct space *s)
{
    return cms_physical(s->top);
}

/* ---- fork -------------------------------------------------------------------------------------------------------- */

struct sharing {
    struct space *child;
    bool shared;
};

static bool share_page(struct space *s, uint64_t address, uint64_t *entry, void *context)
{
    const struct sharing *to = context;
    uint64_t *child_entry = table_find_or_make(to->child, address);

    (void)s;
    if (!child_entry || cms_work())
        return false;
    if (!to->shared)
        *entry &= ~(uint64_t)ENTRY_WRITE; /* whoever writes first gets a copy */
    *child_entry = *entry & ~(uint64_t)ENTRY_DIRTY;
    cms_frame_share(entry_frame(*entry));
    to->child->resident++;
    return true;
}

/* A shared page is only written through its entry after page() was told of it, so that it may be so in the child too;
 * but what the child writes is told of as its own. */
static bool share_region(struct space *s, struct space *child, const struct region *r)
{
    if (r->no_fork)
        return true;
    region_hold(r);
    child->region[child->count++] = *r;
    return r->wipe_on_fork || table_each(s, r->start, r->end, share_page, &(struct sharing){child, r->shared});
}

static bool share_all(struct space *s, struct space *child)
{
    child->capacity = s->count + 4;
    if (!(child->region = cms_heap_allocate(child->capacity * sizeof *child->region)))
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (!share_region(s, child, &s->region[i]))
            return false;
    return true;
}

struct space *space_fork(struct space *s)
{
    struct space *child = space_make();
    if (!child)
        return NULL;
    child->break_start = s->break_start;
    child->break_now = s->break_now;
    child->stack_limit = s->stack_limit;
    bool whole = share_all(s, child);
    space_processor_forget_all(cms_physical(s->top));
    if (whole)
        return child;
    space_let_go(child);
    return NULL;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

bool space_region_at(const struct space *s, uint64_t address, struct space_region_facts *facts)
{
    size_t i = region_index(s, address);
    if (i == s->count)
        return false;
    const struct region *r = &s->region[i];
    *facts = (struct space_region_facts){.start = r->start, .end = r->end, .offset = r->offset, .access = r->access,
                                         .shared = r->shared, .grows_down = r->grows_down,
                                         .object = r->object};
    return true;
}

struct space_facts space_facts(const struct space *s)
{
    struct space_facts facts = {.resident = s->resident * SPACE_PAGE};
    for (size_t i = 0; i < s->count; i++)
        facts.mapped += s->region[i].end - s->region[i].start;
    return facts;
}

unsigned space_marks(const struct space *s)
{
    return s->marks;
}

void space_mark(struct space *s, unsigned bits)
{
    s->marks |= bits;
}
