/* One page frame of CP's for each LAN. */
#include "cp/network/table.h"

#include <stddef.h>
#include <string.h>

#include "lib/format.h"

_Static_assert(sizeof(struct lan) <= PAGE_SIZE, "a LAN is one page frame");

static struct lan *first;
static unsigned count;

struct lan *lan_next(struct lan *at) { return at ? at->next : first; }

struct lan *lan_find(const char *owner, const char *name)
{
    struct lan *lan = first;

    while (lan && (strcmp(lan->owner, owner) || strcmp(lan->name, name)))
        lan = lan->next;
    return lan;
}

unsigned lan_count(const char *owner)
{
    unsigned n = 0;

    for (struct lan *lan = first; lan; lan = lan->next)
        n += !strcmp(lan->owner, owner);
    return n;
}

struct lan *lan_define(const char *owner, const char *name)
{
    struct lan *lan = count < LANS ? frame_alloc(&frame_cp_account) : NULL;

    if (!lan)
        return NULL;
    format_text(lan->owner, sizeof lan->owner, "%s", owner);
    format_text(lan->name, sizeof lan->name, "%s", name);
    struct lan **at = &first;
    while (*at)
        at = &(*at)->next;
    *at = lan;
    count++;
    return lan;
}

void lan_end(struct lan *lan)
{
    while (lan->port)
        lan_leave(lan->port);
    for (struct lan **at = &first; *at; at = &(*at)->next)
        if (*at == lan) {
            *at = lan->next;
            break;
        }
    count--;
    frame_free(&frame_cp_account, lan);
}
