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

/* `end` is of the range, or 0: beyond the last entry of this table. */
static bool each(const struct visiting *v, uint64_t *table, unsigned level, uint64_t start, uint64_t end)
{
    uint64_t span = 1ull << shift_of(level);
    uint64_t first = start & ~(span * ENTRIES - 1);
    for (unsigned i = index_of(start, level); i < ENTRIES && first + i * span < end; i++) {
        uint64_t at = first + i * span, from = at > start ? at : start;
        if (!table[i])
            continue;
        if (level == 1 ? !v->visit(v->space, at, table + i, v->context)
                       : !each(v, entry_frame(table[i]), level - 1, from, at + span < end ? at + span : end))
            return false;
    }
    return true;
}

bool table_each(struct space *s, uint64_t start, uint64_t end, table_visit *visit, void *context)
{
    const struct visiting v = {s, visit, context};
    return start >= end || each(&v, s->top, LEVELS, start, end);
}

/* Of each level: what lies in spans of its entries that no region touches. */
static void prune(struct space *s, uint64_t *table, unsigned level, uint64_t start, uint64_t end)
{
    uint64_t span = 1ull << shift_of(level);
    uint64_t first = start & ~(span * ENTRIES - 1);
    for (unsigned i = index_of(start, level); i < ENTRIES && first + i * span < end; i++) {
        uint64_t at = first + i * span, from = at > start ? at : start;
        if (!table[i])
            continue;
        if (!region_any(s, at, at + span)) {
            free_below(entry_frame(table[i]), level - 1);
            table[i] = 0;
        } else if (level > 2) {
            prune(s, entry_frame(table[i]), level - 1, from, at + span < end ? at + span : end);
        }
    }
}

void table_prune(struct space *s, uint64_t start, uint64_t end)
{
    prune(s, s->top, LEVELS, start, end);
}
