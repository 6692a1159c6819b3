/* Pages come: zeroes, a file's, or a copy of what was shared until now. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/wait.h"
#include "cms/space/internal.h"
#include "cms/space/processor.h"

/* The bits of a page that the region's access gives; to be written only if `write` says so. */
static uint64_t bits_of(const struct region *r, bool write)
{
    return ENTRY_PRESENT | ENTRY_ACCESSED | (r->access ? ENTRY_USER : 0) |
           (write ? ENTRY_WRITE | ENTRY_DIRTY : 0) |
           (!(r->access & SPACE_EXECUTE) && space_processor_has_no_execute() ? ENTRY_NO_EXECUTE : 0);
}

static void put(struct space *s, uint64_t address, uint64_t *entry, void *frame, uint64_t bits)
{
    bool was = *entry;
    *entry = cms_physical(frame) | bits;
    if (was)
        space_processor_forget(cms_physical(s->top), address);
    else
        s->resident++;
}

static enum space_fault fault_of(int error)
{
    return error == -ENXIO    ? SPACE_BEYOND_OBJECT
           : error == -ENOMEM ? SPACE_NO_STORAGE
                              : SPACE_OBJECT_FAILED;
}

/* A frame with the contents of `from`, or zeroes. */
static void *copy_of(const void *from)
{
    void *frame = cms_frame_take();
    if (frame && from)
        memcpy(frame, from, SPACE_PAGE);
    else if (frame)
        memset(frame, 0, SPACE_PAGE);
    return frame;
}

static enum space_fault bring_zeroes(struct space *s, const struct region *r, uint64_t address, uint64_t *entry)
{
    void *frame = copy_of(NULL);
    if (!frame)
        return SPACE_NO_STORAGE;
    put(s, address, entry, frame, bits_of(r, r->access & SPACE_WRITE));
    return SPACE_MENDED;
}

/* The object may have slept: what was looked at before is looked at again, from the start if anything has changed. */
static enum space_fault bring_object(struct space *s, const struct region *r, uint64_t address, bool write)
{
    struct region was = *r;
    uint64_t changes = s->changes;
    void *frame, *own;

    region_hold(&was);
    int error = was.object->operations->page(was.object, was.offset + (address - was.start), write && was.shared,
                                             &frame);
    region_let_go(&was);
    if (error)
        return fault_of(error);
    uint64_t *entry = table_find_or_make(s, address);
    if (!entry || changes != s->changes || (*entry && !was.shared)) {
        cms_frame_give(frame);
        return entry ? SPACE_MENDED : SPACE_NO_STORAGE;
    }
    if (write && !was.shared) {
        own = copy_of(frame);
        cms_frame_give(frame);
        if (!own)
            return SPACE_NO_STORAGE;
        frame = own;
    }
    if (*entry)
        cms_frame_give(entry_frame(*entry));
    put(s, address, entry, frame, bits_of(&was, write));
    return SPACE_MENDED;
}

/* A private page that others may see still, this space's own from now on. */
static enum space_fault make_own(struct space *s, const struct region *r, uint64_t address, uint64_t *entry)
{
    void *frame = entry_frame(*entry);
    if (cms_frame_users(frame) > 1) {
        void *own = copy_of(frame);
        if (!own)
            return SPACE_NO_STORAGE;
        cms_frame_give(frame);
        frame = own;
    }
    put(s, address, entry, frame, bits_of(r, true));
    return SPACE_MENDED;
}

static enum space_fault bring(struct space *s, const struct region *r, uint64_t address, bool write)
{
    uint64_t *entry = table_find_or_make(s, address);

    if (!entry)
        return SPACE_NO_STORAGE;
    if (!*entry)
        return r->object ? bring_object(s, r, address, write) : bring_zeroes(s, r, address, entry);
    if (!write) { /* it is there, and was not to be touched before, or is touched by two at once */
        put(s, address, entry, entry_frame(*entry), bits_of(r, false) | (*entry & (ENTRY_WRITE | ENTRY_DIRTY)));
        return SPACE_MENDED;
    }
    if (*entry & ENTRY_WRITE) {
        put(s, address, entry, entry_frame(*entry), bits_of(r, true));
        return SPACE_MENDED;
    }
    return r->shared && r->object ? bring_object(s, r, address, write) : make_own(s, r, address, entry);
}

enum space_fault space_fault(struct space *s, uint64_t address, enum space_access access)
{
    if (address >= SPACE_TOP)
        return SPACE_NOT_MAPPED;
    struct region *r = region_at(s, address);
    if (!r && !(r = region_grow(s, address)))
        return SPACE_NOT_MAPPED;
    bool allowed = access == SPACE_READ ? r->access : r->access & access; /* what may be written or run may be read */
    return allowed ? bring(s, r, page_of(address), access & SPACE_WRITE) : SPACE_FORBIDDEN;
}

/* ---- many at once ------------------------------------------------------------------------------------------------ */

/* The page is there, or comes. A reservation needs none. */
static bool populate_page(struct space *s, const struct region *r, uint64_t address)
{
    const uint64_t *entry = table_find(s, address);
    bool writes = r->access & SPACE_WRITE;
    enum space_fault fault = SPACE_MENDED;

    while (fault == SPACE_MENDED && !(entry && *entry & ENTRY_USER && (!writes || *entry & ENTRY_WRITE))) {
        fault = space_fault(s, address, writes ? SPACE_WRITE : SPACE_READ);
        entry = table_find(s, address);
    }
    return fault == SPACE_MENDED;
}

int space_populate(struct space *s, uint64_t address, uint64_t length)
{
    uint64_t end = page_up(address + length);
    for (uint64_t at = page_of(address); at < end;) {
        const struct region *r = region_at(s, at);
        if (!r)
            return -ENOMEM;
        if (!r->access) {
            at = r->end;
            continue;
        }
        if (cms_work())
            return -EINTR;
        if (!populate_page(s, r, at))
            return -ENOMEM;
        at += SPACE_PAGE;
    }
    return 0;
}

int space_is_resident(struct space *s, uint64_t address)
{
    if (!region_at(s, address))
        return -ENOMEM;
    const uint64_t *entry = table_find(s, address);
    return entry && *entry;
}
