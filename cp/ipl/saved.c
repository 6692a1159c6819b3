/* Owns the table of saved systems. */
#include "cp/ipl/saved.h"

#include <string.h>

static struct saved table[SAVED];

struct saved *saved_find(const char *name)
{
    for (struct saved *s = table; s < table + SAVED; s++)
        if (*s->name && !strcmp(s->name, name))
            return s;
    return NULL;
}

struct saved *saved_next(struct saved *at)
{
    for (at = at ? at + 1 : table; at < table + SAVED; at++)
        if (*at->name && at->ready)
            return at;
    return NULL;
}

/* What it had is mapped by nobody, and all of it is given back. */
static bool is_free(const struct saved *s)
{
    return !*s->name && !s->storage.sharers && !s->storage.account.frames;
}

struct saved *saved_create(const char *name, enum frame_rank rank)
{
    for (struct saved *s = table; s < table + SAVED; s++) {
        if (!is_free(s))
            continue;
        *s = (struct saved){.name = ""};
        memcpy(s->name, name, strlen(name) + 1);
        guest_storage_init(&s->storage, GUEST_HOLE_START, 0);
        s->storage.account.rank = rank;
    s->storage.account.common = true;
        return s;
    }
    return NULL;
}

void saved_purge(struct saved *s)
{
    *s->name = 0;
    s->ready = false;
    share_dismiss(&s->storage);
}
