/* Page tables: four levels, each a frame of 512 entries. */
#include <string.h>

#include "cms/space/internal.h"
#include "cms/space/processor.h"

enum { LEVELS = 4, INDEX_BITS = 9, ENTRIES = 1 << INDEX_BITS };
static const uint64_t TABLE_ENTRY = ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_ACCESSED;

/* Level 1 is of pages, 4 the top. */
static unsigned shift_of(unsigned level)
{
    return FRAME_SHIFT + INDEX_BITS * (level - 1);
}

static unsigned index_of(uint64_t address, unsigned level)
{
    return address >> shift_of(level) & (ENTRIES - 1);
}

static uint64_t *make(void)
{
    uint64_t *table = cms_frame_take();
    if (table)
        memset(table, 0, FRAME_SIZE);
    return table;
}

uint64_t *table_make(void)
{
    uint64_t *top = make();
    if (top)
        space_processor_kernel_half(top + ENTRIES / 2);
    return top;
}

static void free_below(uint64_t *table, unsigned level)
{
    if (level > 1)
        for (unsigned i = 0; i < (level == LEVELS ? ENTRIES / 2 : ENTRIES); i++)
            if (table[i])
                free_below(entry_frame(table[i]), level - 1);
    cms_frame_give(table);
}

void table_free(uint64_t *top)
{
    free_below(top, LEVELS);
}

uint64_t *table_find(const struct space *s, uint64_t address)
{
    uint64_t *table = s->top;
    for (unsigned level = LEVELS; level > 1; level--) {
        uint64_t entry = table[index_of(address, level)];
        if (!entry)
            return NULL;
        table = entry_frame(entry);
    }
    return table + index_of(address, 1);
}

uint64_t *table_find_or_make(struct space *s, uint64_t address)
{
    uint64_t *table = s->top;
    for (unsigned level = LEVELS; level > 1; level--) {
        uint64_t *entry = table + index_of(address, level);
        if (!*entry) {
            uint64_t *below = make();
            if (!below)
                return NULL;
            *entry = cms_physical(below) | TABLE_ENTRY;
        }
        table = entry_frame(*entry);
    }
    return table + index_of(address, 1);
}

struct visiting {
    struct space *space;
    table_visit *visit;
    void *context;
};

/* What of a range lies in an entry of a table. */
struct part {
    uint64_t start, end;   /* of the range */
    uint64_t low, high;    /* of the entry */
};

static struct part part_of(uint64_t start, uint64_t end, unsigned level, unsigned index)
{
    uint64_t span = 1ull << shift_of(level), low = (start & ~(span * ENTRIES - 1)) + index * span;
    return (struct part){low > start ? low : start, low + span < end ? low + span : end, low, low + span};
}

/* One more than the last entry that the range reaches, of the table it begins in. */
static unsigned entries_to(uint64_t start, uint64_t end, unsigned level)
{
    bool beyond = start >> shift_of(level) >> INDEX_BITS != (end - 1) >> shift_of(level) >> INDEX_BITS;
    return beyond ? ENTRIES : index_of(end - 1, level) + 1;
}

static bool each(const struct visiting *v, uint64_t *table, unsigned level, uint64_t start, uint64_t end)
{
    for (unsigned i = index_of(start, level), last = entries_to(start, end, level); i < last; i++) {
        if (!table[i])
            continue;
        struct part p = part_of(start, end, level, i);
        if (level == 1 ? !v->visit(v->space, p.low, table + i, v->context)
                       : !each(v, entry_frame(table[i]), level - 1, p.start, p.end))
            return false;
    }
    return true;
}

bool table_each(struct space *s, uint64_t start, uint64_t end, table_visit *visit, void *context)
{
    const struct visiting v = {s, visit, context};
    return start >= end || each(&v, s->top, LEVELS, start, end);
}

/* Of each level: what lies in entries that no region touches. */
static void prune(struct space *s, uint64_t *table, unsigned level, uint64_t start, uint64_t end)
{
    for (unsigned i = index_of(start, level), last = entries_to(start, end, level); i < last; i++) {
        if (!table[i])
            continue;
        struct part p = part_of(start, end, level, i);
        if (!region_any(s, p.low, p.high)) {
            free_below(entry_frame(table[i]), level - 1);
            table[i] = 0;
        } else if (level > 2) {
            prune(s, entry_frame(table[i]), level - 1, p.start, p.end);
        }
    }
}

void table_prune(struct space *s, uint64_t start, uint64_t end)
{
    prune(s, s->top, LEVELS, start, end);
}
