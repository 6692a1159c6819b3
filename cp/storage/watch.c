/* Owns the watched pages of a machine's storage: a small table beside the second-level page table. A place in it
 * that is needed for another page gives the old one its right to write back. */
#include "cp/storage/watch.h"

#include "cp/storage/second_level.h"

static uint64_t page_of(gpa_t at)
{
    return at.a & ~(uint64_t)PAGE_MASK;
}

static struct guest_watch *find(struct guest_storage *storage, uint64_t page)
{
    for (unsigned i = 0; i < storage->watching; i++)
        if (storage->watches[i].page == page)
            return &storage->watches[i];
    return NULL;
}

static struct guest_watch *place(struct guest_storage *storage)
{
    if (storage->watching < GUEST_WATCHES)
        return &storage->watches[storage->watching++];
    struct guest_watch *watch = &storage->watches[storage->watch_next++ % GUEST_WATCHES];
    *watch->entry |= LEAF_WRITE;
    return watch;
}

uint64_t guest_watch(struct guest_storage *storage, gpa_t at, bool *armed)
{
    uint64_t page = page_of(at);
    struct guest_watch *watch = find(storage, page);

    *armed = false;
    if (!watch) {
        uint64_t *entry = guest_private(storage, at, NULL) ? guest_entry(storage, at) : NULL;
        if (!entry)
            return 0;
        watch = place(storage);
        *watch = (struct guest_watch){.page = page, .entry = entry};
    } else if (!(*watch->entry & LEAF_WRITE)) {
        return watch->number;
    }
    *watch->entry &= ~(uint64_t)LEAF_WRITE;
    *armed = true;
    return watch->number = ++storage->watch_number;
}

void guest_written(struct guest_storage *storage, gpa_t at, size_t bytes)
{
    for (unsigned i = 0; i < storage->watching; i++)
        if (storage->watches[i].page + PAGE_SIZE > at.a && storage->watches[i].page < at.a + bytes)
            *storage->watches[i].entry |= LEAF_WRITE;
}

void guest_lend(struct guest_storage *storage, gpa_t at)
{
    *guest_entry(storage, at) |= LEAF_LENT;
}

bool guest_take_back(struct guest_storage *storage, gpa_t at)
{
    uint64_t *entry = guest_entry(storage, at);
    bool was_lent = entry && *entry & LEAF_LENT;

    if (was_lent)
        *entry &= ~LEAF_LENT;
    return was_lent;
}

bool guest_is_watched(const struct guest_storage *storage, gpa_t at)
{
    for (unsigned i = 0; i < storage->watching; i++)
        if (storage->watches[i].page == page_of(at))
            return !(*storage->watches[i].entry & LEAF_WRITE);
    return false;
}
