#include "cp/terminal/line.h"

#include <stddef.h>
#include <string.h>

uint32_t line_queued(const struct line *l)
{
    return l->head - l->tail;
}

uint32_t line_room(const struct line *l)
{
    return l->driver ? LINE_OUTPUT_BYTES - line_queued(l) : 0;
}

uint32_t line_write(struct line *l, const void *bytes, uint32_t count)
{
    uint32_t taken = count < line_room(l) ? count : line_room(l), at = l->head % LINE_OUTPUT_BYTES;
    uint32_t to_end = LINE_OUTPUT_BYTES - at, first = taken < to_end ? taken : to_end;

    memcpy(l->output + at, bytes, first);
    memcpy(l->output, (const uint8_t *)bytes + first, taken - first);
    l->head += taken;
    if (taken)
        l->driver->send(l);
    return taken;
}

uint32_t line_oldest(const struct line *l, const uint8_t **bytes)
{
    uint32_t at = l->tail % LINE_OUTPUT_BYTES, to_end = LINE_OUTPUT_BYTES - at;

    *bytes = l->output + at;
    return line_queued(l) < to_end ? line_queued(l) : to_end;
}

void line_sent(struct line *l, uint32_t count)
{
    l->tail += count;
}

void line_cut(struct line *l, uint32_t keep)
{
    if (line_queued(l) > keep)
        l->head = l->tail + keep;
}

void line_tell_room(struct line *l, uint32_t before)
{
    if (l->room && before > LINE_OUTPUT_BYTES / 2 && line_queued(l) <= LINE_OUTPUT_BYTES / 2)
        l->room(l);
}

bool line_hang_up(struct line *l)
{
    bool can = l->called && l->driver && l->driver->hang_up;
    if (can)
        l->driver->hang_up(l);
    return can;
}

void line_look(struct line *l)
{
    if (l->driver && l->driver->look && !l->held)
        l->driver->look(l);
}

void line_resume(struct line *l)
{
    if (l->driver && l->driver->resume)
        l->driver->resume(l);
}

void line_drain(struct line *l)
{
    if (l->driver)
        l->driver->drain(l);
}
