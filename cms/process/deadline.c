#include "cms/process/deadline.h"

#include <stddef.h>

static struct deadline *first;

void deadline_cancel(struct deadline *d)
{
    if (!d->at)
        return;
    d->at = 0;
    for (struct deadline **at = &first; *at; at = &(*at)->next)
        if (*at == d) {
            *at = d->next;
            return;
        }
}

void deadline_set(struct deadline *d, uint64_t time)
{
    struct deadline **at = &first;

    deadline_cancel(d);
    d->at = time ? time : 1;
    while (*at && (*at)->at <= d->at)
        at = &(*at)->next;
    d->next = *at;
    *at = d;
}

uint64_t deadline_first(void)
{
    return first ? first->at : 0;
}

void deadline_run(uint64_t now)
{
    while (first && first->at <= now) {
        struct deadline *d = first;
        deadline_cancel(d);
        d->due(d);
    }
}

void deadline_forget_all(void)
{
    first = NULL;
}
