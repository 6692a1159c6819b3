/* Owns a virtual machine's storage: which guest-physical addresses are RAM, the frames behind them, and the
 * second-level page table that maps them. The table's entries are common to EPT and NPT but for the leaf's attribute
 * bits, which the CPU's backend sets once (SDM "EPT Translation Mechanism", APM "Nested Paging"). */
#include "cp/storage/guest.h"

#include <string.h>

#include "cp/storage/grave.h"
#include "cp/storage/second_level.h"
#include "cp/storage/share.h"
#include "cp/storage/watch.h"

enum { LEVELS = 4, INDEX_BITS = 9, ENTRIES = 512, LEAVES_SHIFT = PAGE_SHIFT + INDEX_BITS, TRIM_MOST = 16 };

#define TABLE_BITS 7ull /* EPT: read, write, execute; NPT: present, writable, user */
#define ADDRESS_BITS 0x000ffffffffff000ull
#define FOUR_GIB (1ull << 32)

uint64_t second_level_leaf_bits = 7;

static uint64_t generations;

void guest_storage_init(struct guest_storage *storage, uint64_t bytes, uint64_t frame_limit)
{
    *storage = (struct guest_storage){
        .bytes = bytes & ~(uint64_t)PAGE_MASK, .account = {.limit = frame_limit}, .generation = ++generations};
}

void guest_storage_renew(struct guest_storage *storage, uint64_t bytes)
{
    uint64_t *root = storage->root, frames = storage->resident + storage->tables;
    struct guest_storage old = *storage;

    guest_storage_init(storage, bytes, 0);
    storage->account = old.account;
    storage->shrink = old.shrink;
    storage->moved = old.moved;
    storage->sharers = old.sharers;
    if (root)
        grave_storage(&storage->account, root, frames);
    if (old.shares)
        share_end(old.shares);
}

/* Nothing was ever put there, so the few tables that lead to nothing serve again. */
static bool is_pristine(const struct guest_storage *storage)
{
    return storage->root && !storage->resident && !storage->shared && storage->tables <= LEVELS;
}

void guest_storage_clear(struct guest_storage *storage, uint64_t bytes)
{
    if (is_pristine(storage))
        storage->bytes = bytes & ~(uint64_t)PAGE_MASK, storage->rom = 0;
    else
        guest_storage_renew(storage, bytes);
}

void guest_storage_free(struct guest_storage *storage)
{
    guest_storage_renew(storage, storage->bytes);
    while (grave_yield(&storage->account)) {}
}

/* The last entry in use of a table above the leaves that leads to a table of leaves; NULL: none below. */
static uint64_t *last_leaves(uint64_t *table, unsigned level)
{
    for (unsigned i = ENTRIES; i--;) {
        uint64_t *found = !table[i]    ? NULL
                          : level == 1 ? &table[i]
                                       : last_leaves(frame_pointer(hpa(table[i] & ADDRESS_BITS)), level - 1);
        if (found)
            return found;
    }
    return NULL;
}

/* A table of leaves and the pages it maps. */
static void free_leaves(struct guest_storage *storage, uint64_t *table)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (table[i] & LEAF_SHARED) {
            storage->shared--;
        } else if (table[i]) {
            frame_free(&storage->account, frame_pointer(hpa(table[i] & ADDRESS_BITS)));
            storage->resident--;
        }
    frame_free(&storage->account, table);
    storage->tables--;
}

bool guest_storage_trim(struct guest_storage *storage, unsigned tables, void (*flush)(void *context), void *context)
{
    void *out[TRIM_MOST];
    unsigned n = 0;

    storage->watching = 0;
    storage->leaves = NULL;
    storage->generation = ++generations;
    for (uint64_t *entry;
         storage->root && n < tables && n < TRIM_MOST && (entry = last_leaves(storage->root, LEVELS - 1));) {
        out[n++] = frame_pointer(hpa(*entry & ADDRESS_BITS));
        *entry = 0;
    }
    if (n)
        flush(context);
    for (unsigned i = 0; i < n; i++)
        free_leaves(storage, out[i]);
    return n == tables || n == TRIM_MOST;
}

bool guest_is_ram(const struct guest_storage *storage, gpa_t at)
{
    uint64_t low = storage->bytes < GUEST_HOLE_START ? storage->bytes : GUEST_HOLE_START;
    uint64_t high = storage->bytes - low;

    return at.a < low || (at.a >= FOUR_GIB && at.a - FOUR_GIB < high) ||
           (at.a < FOUR_GIB && FOUR_GIB - at.a <= storage->rom);
}

static unsigned index_at(uint64_t address, unsigned level)
{
    return (address >> (PAGE_SHIFT + INDEX_BITS * level)) & (ENTRIES - 1);
}

static void *take(struct guest_storage *storage, void *(*alloc)(struct frame_account *))
{
    void *frame = alloc(&storage->account);
    return frame || !storage->shrink || !storage->shrink(storage) ? frame : alloc(&storage->account);
}

static void *table_make(struct guest_storage *storage)
{
    void *table = take(storage, frame_alloc);

    storage->tables += table != NULL;
    return table;
}

/* The leaf's entry for `at`, tables made on the way; NULL: no frames left. */
static uint64_t *leaf_entry(struct guest_storage *storage, uint64_t at)
{
    if (storage->leaves && storage->leaves_at == at >> LEAVES_SHIFT)
        return &storage->leaves[index_at(at, 0)];
    if (!storage->root && !(storage->root = table_make(storage)))
        return NULL;
    uint64_t *table = storage->root;
    for (unsigned level = LEVELS - 1; level; level--) {
        uint64_t *entry = &table[index_at(at, level)];
        if (!*entry) {
            void *below = table_make(storage);
            if (!below)
                return NULL;
            *entry = frame_address(below).a | TABLE_BITS;
        }
        table = frame_pointer(hpa(*entry & ADDRESS_BITS));
    }
    storage->leaves = table; /* tables stay until the storage goes */
    storage->leaves_at = at >> LEAVES_SHIFT;
    return &table[index_at(at, 0)];
}

const uint64_t *guest_leaves(const struct guest_storage *storage, gpa_t at)
{
    const uint64_t *table = storage->root;

    for (unsigned level = LEVELS - 1; table && level; level--) {
        uint64_t entry = table[index_at(at.a, level)];
        table = entry ? frame_pointer(hpa(entry & ADDRESS_BITS)) : NULL;
    }
    return table;
}

uint64_t *guest_entry(struct guest_storage *storage, gpa_t at)
{
    return leaf_entry(storage, at.a);
}

static bool map(struct guest_storage *storage, uint64_t *entry, void *frame)
{
    if (!frame)
        return false;
    *entry = frame_address(frame).a | second_level_leaf_bits;
    storage->resident++;
    return true;
}

static bool bring_in(struct guest_storage *storage, uint64_t *entry)
{
    return map(storage, entry, take(storage, frame_alloc));
}

static unsigned pages_near(const struct guest_storage *storage)
{
    enum { MOST = 16, PART = 128 };
    unsigned pages = 1;

    while (pages < MOST && storage->resident >= 2 * PART * pages)
        pages *= 2;
    return pages;
}

void guest_bring_in_near(struct guest_storage *storage, gpa_t at)
{
    uint64_t bytes = (uint64_t)pages_near(storage) * PAGE_SIZE, first = at.a & ~(bytes - 1);
    uint64_t *leaves = bytes > PAGE_SIZE && guest_is_ram(storage, at) ? leaf_entry(storage, at.a) : NULL;

    for (uint64_t page = first; leaves && page < first + bytes; page += PAGE_SIZE) {
        uint64_t *entry = &storage->leaves[index_at(page, 0)];
        if (!*entry && guest_is_ram(storage, gpa(page)) && !map(storage, entry, frame_alloc_early(&storage->account)))
            return;
    }
}

static bool copy_shared(struct guest_storage *storage, uint64_t *entry)
{
    void *frame = take(storage, frame_alloc_dirty);

    if (!frame)
        return false;
    memcpy(frame, frame_pointer(hpa(*entry & ADDRESS_BITS)), PAGE_SIZE);
    *entry = frame_address(frame).a | second_level_leaf_bits;
    storage->resident++;
    storage->shared--;
    storage->generation = ++generations;
    storage->moved(storage);
    return true;
}

static void *pointer(struct guest_storage *storage, gpa_t at, bool private, enum guest_access *why)
{
    enum guest_access ignored;

    if (!why)
        why = &ignored;
    *why = GUEST_NOT_RAM;
    if (!guest_is_ram(storage, at))
        return NULL;
    *why = GUEST_NO_FRAMES;
    uint64_t *entry = leaf_entry(storage, at.a);
    if (!entry)
        return NULL;
    if (*entry ? private && *entry & LEAF_SHARED && !copy_shared(storage, entry) : !bring_in(storage, entry))
        return NULL;
    *why = GUEST_OK;
    return (char *)frame_pointer(hpa(*entry & ADDRESS_BITS)) + (at.a & PAGE_MASK);
}

const void *guest_pointer(struct guest_storage *storage, gpa_t at, enum guest_access *why)
{
    return pointer(storage, at, false, why);
}

void *guest_private(struct guest_storage *storage, gpa_t at, enum guest_access *why)
{
    return pointer(storage, at, true, why);
}

enum guest_access guest_bring_in(struct guest_storage *storage, gpa_t at)
{
    enum guest_access why;

    pointer(storage, at, false, &why);
    return why;
}

enum guest_access guest_bring_in_private(struct guest_storage *storage, gpa_t at)
{
    enum guest_access why;

    pointer(storage, at, true, &why);
    return why;
}

/* How much of [at, at+bytes) lies in one page with its beginning. */
static size_t piece_of(gpa_t at, size_t bytes)
{
    size_t n = PAGE_SIZE - (at.a & PAGE_MASK);
    return n < bytes ? n : bytes;
}

/* Calls for each piece of [at, at+bytes) that lies in one page. */
static enum guest_access each_piece(struct guest_storage *storage, gpa_t at, size_t bytes, bool private,
                                    void (*piece)(void *page, size_t n, void *context), void *context)
{
    while (bytes) {
        size_t n = piece_of(at, bytes);
        enum guest_access why;
        void *page = pointer(storage, at, private, &why);
        if (!page)
            return why;
        piece(page, n, context);
        at.a += n;
        bytes -= n;
    }
    return GUEST_OK;
}

static void copy_out(void *page, size_t n, void *context)
{
    char **to = context;
    memcpy(*to, page, n);
    *to += n;
}

static void copy_in(void *page, size_t n, void *context)
{
    const char **from = context;
    memcpy(page, *from, n);
    *from += n;
}

/* RAM with nothing in it yet. */
static bool is_untouched(struct guest_storage *storage, gpa_t at)
{
    const uint64_t *leaves = guest_leaves(storage, at);
    return guest_is_ram(storage, at) && (!leaves || !leaves[index_at(at.a, 0)]);
}

static void fill(void *page, size_t n, void *context)
{
    memset(page, *(uint8_t *)context, n);
}

enum guest_access guest_read(struct guest_storage *storage, gpa_t from, void *to, size_t bytes)
{
    if ((from.a & PAGE_MASK) + bytes <= PAGE_SIZE) { /* nearly always */
        enum guest_access why;
        const void *at = guest_pointer(storage, from, &why);
        if (at)
            memcpy(to, at, bytes);
        return why;
    }
    return each_piece(storage, from, bytes, false, copy_out, &to);
}

enum guest_access guest_write(struct guest_storage *storage, gpa_t to, const void *from, size_t bytes)
{
    guest_written(storage, to, bytes);
    return each_piece(storage, to, bytes, true, copy_in, &from);
}

enum guest_access guest_fill(struct guest_storage *storage, gpa_t to, uint8_t value, size_t bytes)
{
    guest_written(storage, to, bytes);
    while (bytes) {
        size_t n = piece_of(to, bytes);
        enum guest_access why = GUEST_OK;
        if (value || !is_untouched(storage, to))
            why = each_piece(storage, to, n, true, fill, &value);
        if (why)
            return why;
        to.a += n;
        bytes -= n;
    }
    return GUEST_OK;
}
