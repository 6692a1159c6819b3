#include "cp/ipl/place.h"

#include <string.h>

#include "cp/ipl/map.h"

static const char no_room[] = "The storage has no room for the image's modules and boot information";

void ipl_place_align(struct ipl_placer *p, unsigned to) { p->at = (p->at + to - 1) & ~(uint64_t)(to - 1); }

static void put(struct ipl_placer *p, uint64_t at, const void *data, uint64_t bytes)
{
    if (bytes > IPL_COPY_BYTES ? !ipl_copy_note(p->copies, at, (struct ipl_bytes){.data = data}, bytes, bytes)
                               : guest_write(p->copies->storage, gpa(at), data, bytes) != GUEST_OK)
        p->error = ipl_copy_no_frames;
}

uint32_t ipl_place(struct ipl_placer *p, const void *data, uint64_t bytes)
{
    uint64_t at = p->at;

    if (p->error)
        return 0;
    if (at >> 32 || !ipl_map_usable(p->copies->storage->bytes, at, bytes))
        p->error = no_room;
    else
        put(p, at, data, bytes);
    p->at += bytes;
    return p->error ? 0 : (uint32_t)at;
}

uint32_t ipl_place_text(struct ipl_placer *p, const char *text)
{
    return ipl_place(p, text ? text : "", text ? strlen(text) + 1 : 1);
}
