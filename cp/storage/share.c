#include "cp/storage/share.h"

#include "cp/storage/second_level.h"

enum { ENTRIES = SHARE_STEP / PAGE_SIZE };

void share_begin(struct guest_storage *to, struct guest_storage *from)
{
    to->shares = from;
    from->sharers++;
}

enum guest_access share_map(struct guest_storage *to, gpa_t at)
{
    gpa_t first = gpa(at.a & ~(uint64_t)(SHARE_STEP - 1));
    const uint64_t *from = guest_leaves(to->shares, first);

    for (unsigned i = 0; from && i < ENTRIES; i++) {
        gpa_t page = gpa(first.a + (uint64_t)i * PAGE_SIZE);
        if (!from[i])
            continue;
        if (!guest_is_ram(to, page))
            return GUEST_NOT_RAM;
        uint64_t *entry = guest_entry(to, page);
        if (!entry)
            return GUEST_NO_FRAMES;
        *entry = (from[i] & ~(uint64_t)LEAF_WRITE) | LEAF_SHARED;
        to->shared++;
    }
    return GUEST_OK;
}

static void go_if_unused(struct guest_storage *from)
{
    if (from->dismissed && !from->sharers)
        guest_storage_renew(from, from->bytes);
}

void share_end(struct guest_storage *from)
{
    from->sharers--;
    go_if_unused(from);
}

void share_dismiss(struct guest_storage *from)
{
    from->dismissed = true;
    go_if_unused(from);
}
