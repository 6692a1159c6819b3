/* See history.h. */
#include "cms/console/history.h"

#include <string.h>

const char *cms_history_line(const struct history *h, size_t back)
{
    size_t at = h->used;
    for (; back; back--) {
        if (!at)
            return NULL;
        for (at--; at && h->lines[at - 1]; at--)
            ;
    }
    return h->lines + at;
}

void cms_history_add(struct history *h, const char *line)
{
    size_t size = strnlen(line, LINE_TEXT_MAX) + 1;
    const char *newest = cms_history_line(h, 1);

    if (size == 1 || (newest && !strcmp(newest, line)))
        return;
    while (h->used + size > HISTORY_BYTES) {
        size_t oldest = strlen(h->lines) + 1;
        memmove(h->lines, h->lines + oldest, h->used - oldest);
        h->used -= oldest;
    }
    memcpy(h->lines + h->used, line, size - 1);
    h->lines[h->used + size - 1] = 0;
    h->used += size;
}
