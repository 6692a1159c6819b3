#include "cp/ipl/copy.h"

#include <string.h>

const char ipl_copy_no_frames[] = "CP has no page frames left for the image";

struct ipl_bytes ipl_bytes_from(struct ipl_bytes bytes, uint64_t offset)
{
    bytes.data = bytes.storage ? NULL : bytes.data + offset;
    bytes.at += offset;
    return bytes;
}

const uint8_t *ipl_bytes_look(struct ipl_bytes from, size_t bytes, uint8_t *copy)
{
    if (!from.storage)
        return from.data;
    return ipl_bytes_get(from, 0, copy, bytes) ? copy : NULL;
}

bool ipl_bytes_get(struct ipl_bytes from, uint64_t offset, void *to, size_t bytes)
{
    from = ipl_bytes_from(from, offset);
    if (from.storage)
        return guest_read(from.storage, gpa(from.at), to, bytes) == GUEST_OK;
    memcpy(to, from.data, bytes);
    return true;
}

bool ipl_copy_note(struct ipl_copies *copies, uint64_t at, struct ipl_bytes data, uint64_t bytes, uint64_t memory)
{
    if (!memory)
        return true;
    if (copies->count == IPL_COPIES)
        return false;
    copies->copy[copies->count++] = (struct ipl_copy){data, at, bytes, memory};
    return true;
}

static enum guest_access move_data(struct guest_storage *storage, const struct ipl_copy *c, uint64_t bytes)
{
    static uint8_t between[IPL_COPY_BYTES]; /* one step at a time */
    if (!c->data.storage)
        return guest_write(storage, gpa(c->at), c->data.data, bytes);
    enum guest_access access = guest_read(c->data.storage, gpa(c->data.at), between, bytes);
    return access == GUEST_OK ? guest_write(storage, gpa(c->at), between, bytes) : access;
}

/* The next part of a piece: data, or the zeros after it. */
static enum guest_access move_part(struct guest_storage *storage, struct ipl_copy *c)
{
    uint64_t left = c->bytes ? c->bytes : c->memory, part = left < IPL_COPY_BYTES ? left : IPL_COPY_BYTES;
    enum guest_access access = c->bytes ? move_data(storage, c, part) : guest_fill(storage, gpa(c->at), 0, part);

    c->data = ipl_bytes_from(c->data, c->bytes ? part : 0);
    c->bytes -= c->bytes ? part : 0;
    c->memory -= part;
    c->at += part;
    return access;
}

bool ipl_copy_go_on(struct ipl_copies *copies, const char **why)
{
    if (copies->next == copies->count)
        return false;
    struct ipl_copy *c = &copies->copy[copies->next];
    if (move_part(copies->storage, c) != GUEST_OK) {
        *why = ipl_copy_no_frames;
        return false;
    }
    copies->next += !c->memory;
    return copies->next < copies->count;
}
