/* The walk of an extended page table, entry by entry, each copied before it is judged.
 * In: EPTP and address, both a guest's.  Out: a mapping, a violation with its rights, or a misconfiguration. */
#include "nest/ept_walk.h"

enum { LEVELS = 4, MEMORY_TYPE_SHIFT = 3 };

static unsigned shift_of(unsigned level)
{
    return 12 + 9 * (level - 1);
}

static bool is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (level < LEVELS && (entry & EPT_LARGE));
}

/* SDM "EPT Misconfigurations" */
bool ept_entry_valid(const struct ept_memory *memory, uint64_t entry, unsigned level)
{
    unsigned rights = entry & 7, type = entry >> MEMORY_TYPE_SHIFT & 7;
    uint64_t reserved = ~((1ull << memory->physical_bits) - 1) & EPT_ADDRESS;
    if ((rights & (EPT_READ | EPT_WRITE)) == EPT_WRITE || (rights == EPT_EXECUTE && !memory->execute_only))
        return false;
    if (!is_leaf(entry, level))
        reserved |= level == LEVELS ? 0xF8 : 0x78;
    else if (type == 2 || type == 3 || type == 7)
        return false;
    else
        reserved |= ((1ull << shift_of(level)) - 1) & EPT_ADDRESS;
    return (entry & reserved) == 0;
}

/* The entries a walk used, so that flags are set only when it came to an end. */
struct path {
    uint64_t gpa[LEVELS], entry[LEVELS];
    unsigned used;
};

static bool flag(const struct ept_memory *memory, const struct path *path, bool write)
{
    for (unsigned i = 0; i < path->used; i++) {
        uint64_t entry = path->entry[i] | EPT_ACCESSED;
        if (write && i == path->used - 1)
            entry |= EPT_DIRTY;
        if (entry != path->entry[i] && !memory->write(memory->context, path->gpa[i], &entry, sizeof(entry)))
            return false;
    }
    return true;
}

static bool is_flagged(const struct path *path, bool write)
{
    uint64_t all = path->entry[path->used - 1] | (write ? 0 : EPT_DIRTY);
    for (unsigned i = 0; i < path->used; i++)
        all &= path->entry[i] | EPT_DIRTY;
    return (all & EPT_ACCESSED) && (all & EPT_DIRTY);
}

static void log_page(const struct ept_memory *memory, uint64_t gpa2)
{
    const uint64_t page = gpa2 & EPT_ADDRESS;
    memory->write(memory->context, memory->log->address + memory->log->index * sizeof(page), &page, sizeof(page));
    memory->log->index--;
}

static enum ept_status mark(const struct ept_memory *memory, const struct path *path, uint64_t gpa2, bool write)
{
    bool becomes_dirty = write && !(path->entry[path->used - 1] & EPT_DIRTY);
    if (memory->log && memory->log->index >= EPT_LOG_ENTRIES && !is_flagged(path, write))
        return EPT_LOG_FULL;
    if (!flag(memory, path, write))
        return EPT_UNREADABLE;
    if (memory->log && becomes_dirty)
        log_page(memory, gpa2);
    return EPT_MAPPED;
}

static enum ept_status arrive(const struct ept_memory *memory, const struct path *path, bool flags, uint64_t gpa2,
                              unsigned access, struct ept_mapping *mapping)
{
    if (access & ~(unsigned)mapping->rights)
        return EPT_VIOLATION;
    enum ept_status marked = flags ? mark(memory, path, gpa2, access & EPT_WRITE) : EPT_MAPPED;
    if (marked != EPT_MAPPED)
        return marked;
    mapping->dirty = !flags || (access & EPT_WRITE) || (path->entry[path->used - 1] & EPT_DIRTY);
    return EPT_MAPPED;
}

enum ept_status ept_walk(const struct ept_memory *memory, uint64_t eptp, uint64_t gpa2, unsigned access,
                         struct ept_mapping *mapping)
{
    struct path path = {.used = 0};
    uint64_t table = eptp & EPT_ADDRESS;
    *mapping = (struct ept_mapping){.rights = EPT_READ | EPT_WRITE | EPT_EXECUTE};
    if (gpa2 >> 48) {
        mapping->rights = 0;
        return EPT_VIOLATION;
    }
    for (unsigned level = LEVELS;; level--) {
        uint64_t at = table + (gpa2 >> shift_of(level) & 511) * 8, entry;
        if (!memory->read(memory->context, at, &entry, sizeof(entry)))
            return EPT_UNREADABLE;
        mapping->rights &= entry & 7;
        if (!(entry & 7))
            return EPT_VIOLATION;
        if (!ept_entry_valid(memory, entry, level))
            return EPT_MISCONFIGURATION;
        path.gpa[path.used] = at;
        path.entry[path.used++] = entry;
        if (is_leaf(entry, level)) {
            uint64_t within = (1ull << shift_of(level)) - 1;
            mapping->gpa = (entry & EPT_ADDRESS & ~within) | (gpa2 & within);
            mapping->bytes = within + 1;
            mapping->leaf_gpa = at;
            return arrive(memory, &path, eptp & EPTP_ACCESSED_DIRTY, gpa2, access, mapping);
        }
        table = entry & EPT_ADDRESS;
    }
}
