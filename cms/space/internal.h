/* What an address space is; for this room only. */
#pragma once
#include "cms/kernel/frame.h"
#include "cms/space/space.h"

struct region {
    uint64_t start, end; /* whole pages */
    uint64_t offset;     /* of the object, at start */
    struct space_object *object;
    uint8_t access, denied;
    bool shared, grows_down, no_reserve, no_fork, wipe_on_fork;
};

struct space {
    unsigned users, id, marks;
    uint64_t *top; /* table */
    struct region *region;
    size_t count, capacity;
    uint64_t changes; /* of the regions, so that who slept knows whether to look again */
    uint64_t break_start, break_now, stack_limit;
    uint64_t resident; /* pages */
};

static inline uint64_t page_of(uint64_t address) { return address & ~(uint64_t)(SPACE_PAGE - 1); }
static inline uint64_t page_up(uint64_t bytes) { return page_of(bytes + SPACE_PAGE - 1); }

/* ---- tables (table.c): SDM "4-Level Paging" ---------------------------------------------------------------------- */

enum { ENTRY_PRESENT = 1, ENTRY_WRITE = 2, ENTRY_USER = 4, ENTRY_ACCESSED = 32, ENTRY_DIRTY = 64 };
static const uint64_t ENTRY_FRAME = 0x000ffffffffff000, ENTRY_NO_EXECUTE = 1ull << 63;

static inline void *entry_frame(uint64_t entry) { return cms_at_physical(entry & ENTRY_FRAME); }

uint64_t *table_make(void); /* the top one; NULL: no storage */
void table_free(uint64_t *top);
/* The entry of a page, or NULL: its table is not there, or cannot be. */
uint64_t *table_find(const struct space *, uint64_t address);
uint64_t *table_find_or_make(struct space *, uint64_t address);
/* What there are of pages in the range, in order; false ends it, and is the result. */
typedef bool table_visit(struct space *, uint64_t address, uint64_t *entry, void *context);
bool table_each(struct space *, uint64_t start, uint64_t end, table_visit *, void *context);
/* Gives back the tables around the range that no region needs any more. */
void table_prune(struct space *, uint64_t start, uint64_t end);

/* ---- regions (region.c) ------------------------------------------------------------------------------------------ */

/* The number of the first that ends above address; count: none. */
size_t region_index(const struct space *, uint64_t address);
struct region *region_at(const struct space *, uint64_t address); /* that holds it, or NULL */
bool region_any(const struct space *, uint64_t start, uint64_t end);
bool region_covers(const struct space *, uint64_t start, uint64_t end); /* without a hole */
/* Room for three more: one inserted, and another split at both ends. */
bool region_reserve(struct space *);
void region_insert(struct space *, const struct region *); /* @pre room, and nothing there */
void region_split(struct space *, uint64_t address);       /* @pre room */
void region_merge(struct space *, uint64_t start, uint64_t end);
/* Takes away regions and pages. @pre room */
void region_cut(struct space *, uint64_t start, uint64_t end);
void region_hold(const struct region *);
void region_let_go(const struct region *);
/* Pages of a region leave: a dirty one that others see is told of. */
void region_drop_pages(struct space *, const struct region *, uint64_t start, uint64_t end);
bool region_sync(struct space *, const struct region *, uint64_t start, uint64_t end);
/* Where so much is free, below an address that is not 0, or best anywhere; 0: nowhere. */
uint64_t region_hole(const struct space *, uint64_t length, uint64_t below);
/* One that an address just below it may extend, or NULL. */
struct region *region_grow(struct space *, uint64_t address);
bool region_can_never_be(const struct region *); /* the rule of space.h */

/* ---- anonymous.c ------------------------------------------------------------------------------------------------- */

/* Zeroes that several address spaces share, one user; NULL: no storage. */
struct space_object *anonymous_make(uint64_t bytes);
