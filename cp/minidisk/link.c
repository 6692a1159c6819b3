/* Links. In: who wants which minidisk how. Out: a disk on the machine, or who is in the way. */
#include "cp/minidisk/link.h"

#include <errno.h>
#include <string.h>

#include "cp/directory/load.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "lib/format.h"

struct disk *link_volume;

static struct link table[LINKS];
static struct link *top = table; /* no row from here on was ever used */

unsigned *link_failures(const struct user *user)
{
    static unsigned failures[DIRECTORY_USERS];
    return &failures[user - directory.user];
}

struct link *link_next(struct link *at)
{
    for (at = at ? at + 1 : table; at < top; at++)
        if (at->session)
            return at;
    return NULL;
}

struct link *link_find(const struct session *s, unsigned vdev)
{
    for (struct link *l = NULL; (l = link_next(l));)
        if (l->session == s && l->vdev == vdev)
            return l;
    return NULL;
}

static bool share_blocks(const struct directory_disk *a, const struct directory_disk *b)
{
    return a->start < b->start + b->blocks && b->start < a->start + a->blocks;
}

struct link_others link_others(const struct directory_disk *disk, const struct session *but)
{
    struct link_others others = {0};
    for (struct link *l = NULL; (l = link_next(l));) {
        if (l->session == but || !share_blocks(l->disk, disk))
            continue;
        if (l->write)
            others.writers++, others.writer = l->session->user->id;
        else
            others.readers++, others.reader = l->session->user->id;
    }
    return others;
}

static struct link *free_row(void)
{
    struct link *l = table;
    while (l < top && l->session)
        l++;
    if (l == table + LINKS)
        return NULL;
    top += l == top;
    return l;
}

static enum link_result attach(struct link *l, struct session *s, unsigned vdev, bool write)
{
    char name[16];
    format_text(name, sizeof name, "%04X", vdev);
    if (!link_volume || !minidisk_init(&l->minidisk, link_volume, name, l->disk->start, l->disk->blocks, !write))
        return LINK_NO_VOLUME;
    l->minidisk.user = &s->disk_user;
    int failed = machine_attach_disk(&s->vm->machine, vdev, &l->minidisk.disk);
    return !failed ? LINK_OK : failed == -EEXIST ? LINK_VDEV_IN_USE : LINK_NO_ROOM;
}

enum link_result link_make(struct session *s, const struct directory_disk *disk, unsigned vdev, enum link_mode mode)
{
    bool write;
    struct link *l = free_row();
    if (link_find(s, vdev))
        return LINK_VDEV_IN_USE;
    if (!l)
        return LINK_NO_ROOM;
    enum link_result decided = link_decide(mode, link_others(disk, NULL), &write);
    if (decided == LINK_REFUSED)
        return decided;
    l->disk = disk;
    enum link_result result = attach(l, s, vdev, write);
    if (result != LINK_OK)
        return result;
    l->session = s;
    l->vdev = vdev;
    l->write = write && !link_volume->read_only;
    return decided;
}

bool link_detach(struct session *s, unsigned vdev)
{
    struct link *l = link_find(s, vdev);
    if (!l)
        return false;
    machine_detach_disk(&s->vm->machine, vdev);
    l->session = NULL;
    return true;
}

void link_forget(struct session *s)
{
    for (struct link *l = NULL; (l = link_next(l));)
        if (l->session == s)
            l->session = NULL;
}

static void count_text(char out[24], unsigned count, const char *one)
{
    if (count == 1)
        format_text(out, 24, "%s", one);
    else
        format_text(out, 24, "%u users", count);
}

unsigned link_tell_forced(struct response *r, const struct directory_disk *disk, const struct session *s, unsigned vdev)
{
    struct link_others others = link_others(disk, s);
    char number[5], who[24];
    format_text(number, sizeof number, "%04X", vdev);
    count_text(who, others.writers ? others.writers : others.readers, others.writers ? others.writer : others.reader);
    return response_error(r, "LNM", others.writers ? 101 : 102, number, who);
}

unsigned link_tell_refused(struct response *r, const struct directory_disk *disk)
{
    struct link_others others = link_others(disk, NULL);
    char number[5], who[24];
    format_text(number, sizeof number, "%04X", disk->vdev);
    count_text(who, others.writers ? others.writers : others.readers, others.writers ? others.writer : others.reader);
    return response_error(r, "LNM", others.writers ? 104 : 103, directory.user[disk->user].id, number, who);
}
