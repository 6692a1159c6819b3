#include "cp/ipl/copy.h"

const char ipl_copy_no_frames[] = "CP has no page frames left for the image";

bool ipl_copy_note(struct ipl_copies *copies, uint64_t at, const void *data, uint64_t bytes, uint64_t memory)
{
    if (!memory)
        return true;
    if (copies->count == IPL_COPIES)
        return false;
    copies->copy[copies->count++] = (struct ipl_copy){data, at, bytes, memory};
    return true;
}

/* The next part of a piece: data, or the zeros after it. */
static enum guest_access move_part(struct guest_storage *storage, struct ipl_copy *c)
{
    uint64_t left = c->bytes ? c->bytes : c->memory, part = left < IPL_COPY_BYTES ? left : IPL_COPY_BYTES;
    enum guest_access access =
        c->bytes ? guest_write(storage, gpa(c->at), c->data, part) : guest_fill(storage, gpa(c->at), 0, part);

    c->data += c->bytes ? part : 0;
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
