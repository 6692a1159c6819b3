#include "cms/procfs/text.h"

#include <stdarg.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { ROOM = 1024 };

static bool has_room(struct text *t, size_t more)
{
    if (t->failed || t->room - t->used > more)
        return !t->failed;
    size_t room = (t->used + more + ROOM) * 2;
    char *at = cms_heap_resize(t->at, room);
    t->failed = !at;
    if (!at)
        return false;
    t->at = at;
    t->room = room;
    return true;
}

void text_add_bytes(struct text *t, const char *bytes, size_t count)
{
    if (!has_room(t, count))
        return;
    memcpy(t->at + t->used, bytes, count);
    t->used += count;
}

void text_add(struct text *t, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    size_t n = format_text_v(line, sizeof line, format, arguments);
    va_end(arguments);
    text_add_bytes(t, line, n < sizeof line ? n : sizeof line - 1);
}
