/* Links. In: who wants which minidisk how. Out: a disk on the machine, or who is in the way. */
#include "cp/minidisk/link.h"

#include <errno.h>
#include <string.h>

#include "cp/directory/load.h"
#include "cp/storage/frame.h"
#include "lib/format.h"

struct disk *link_volume;

/* The first rows are there, more are made a frame at a time, when they are wanted, and stay. */
enum { ROWS_A_FRAME = PAGE_SIZE / sizeof(struct link) };
static struct link few[ROWS_A_FRAME], *first;
static unsigned rows;

struct link *link_next(struct link *at)
{
    for (at = at ? at->next : first; at; at = at->next)
        if (at->user)
            return at;
    return NULL;
}

struct link *link_find(const struct user *user, unsigned vdev)
{
    for (struct link *l = NULL; (l = link_next(l));)
        if (l->user == user && l->vdev == vdev)
            return l;
    return NULL;
}

static bool share_blocks(struct directory_range a, const struct directory_disk *b)
{
    return a.start < b->start + b->blocks && b->start < a.start + a.blocks;
}

struct link_others link_others(const struct directory_disk *disk, const struct user *but)
{
    struct link_others others = {0};
    for (struct link *l = NULL; (l = link_next(l));) {
        if (l->user == but || l->view != SNAPSHOT_LIVE || !share_blocks(l->extent, disk))
            continue;
        if (l->write)
            others.writers++, others.writer = l->user->id;
        else
            others.readers++, others.reader = l->user->id;
    }
    return others;
}

static struct link *make_rows(void)
{
    struct link *made = !rows ? few : rows + ROWS_A_FRAME <= LINKS ? frame_alloc(&frame_cp_account) : NULL;
    for (unsigned i = 0; made && i < ROWS_A_FRAME; i++, rows++) {
        made[i].next = first;
        first = &made[i];
    }
    return made ? first : NULL;
}

static struct link *free_row(void)
{
    struct link *l = first;
    while (l && l->user)
        l = l->next;
    return l ? l : make_rows();
}

static void close_snapshots(struct link *l)
{
    if (l->minidisk.snapshots)
        snapshot_close(l->minidisk.snapshots, l->view);
    l->minidisk.snapshots = NULL;
}

static void end(struct link *l)
{
    close_snapshots(l);
    l->user = NULL;
}

/* What is written to the minidisk is copied before, under whatever name. False: there is no storage. */
static bool open_snapshots(struct link *l)
{
    struct directory_disk disk = {.vdev = l->owner_vdev, .start = l->extent.start, .blocks = l->extent.blocks,
                                  .snapshots = l->snapshots};
    l->minidisk.view = l->view;
    return !disk.snapshots.blocks ||
           (l->minidisk.snapshots = snapshot_open(link_volume, &disk, l->owner, l->view)) != NULL;
}

static enum link_result attach(struct link *l, struct machine *machine, unsigned vdev, bool write)
{
    char name[16];
    format_text(name, sizeof name, "%04X", vdev);
    if (!link_volume || !minidisk_init(&l->minidisk, link_volume, name, l->extent.start, l->extent.blocks, !write))
        return LINK_NO_VOLUME;
    l->minidisk.user = &machine->disk_user;
    if (!open_snapshots(l))
        return LINK_NO_ROOM;
    int failed = machine_attach_disk(machine, vdev, &l->minidisk.disk);
    if (failed)
        close_snapshots(l);
    return !failed ? LINK_OK : failed == -EEXIST ? LINK_VDEV_IN_USE : LINK_NO_ROOM;
}

static enum link_result enter(const struct user *user, struct machine *machine, const struct directory_disk *disk,
                              unsigned vdev, bool write, uint32_t view)
{
    struct link *l = free_row();
    if (link_find(user, vdev))
        return LINK_VDEV_IN_USE;
    if (!l)
        return LINK_NO_ROOM;
    memcpy(l->owner, directory_user(&directory, disk->user)->id, sizeof l->owner);
    l->owner_vdev = disk->vdev;
    l->extent = (struct directory_range){disk->start, disk->blocks};
    l->snapshots = disk->snapshots;
    l->view = view;
    enum link_result result = attach(l, machine, vdev, write);
    if (result != LINK_OK)
        return result;
    l->user = user;
    l->vdev = vdev;
    l->write = write && !link_volume->read_only;
    return LINK_OK;
}

enum link_result link_make(const struct user *user, struct machine *machine, const struct directory_disk *disk,
                           unsigned vdev, enum link_mode mode)
{
    bool write;
    if (link_find(user, vdev))
        return LINK_VDEV_IN_USE;
    enum link_result decided = link_decide(mode, link_others(disk, NULL), &write);
    if (decided == LINK_REFUSED)
        return decided;
    enum link_result result = enter(user, machine, disk, vdev, write, SNAPSHOT_LIVE);
    return result == LINK_OK ? decided : result;
}

enum link_result link_make_view(const struct user *user, struct machine *machine, const struct directory_disk *disk,
                                unsigned vdev, uint32_t view)
{
    return enter(user, machine, disk, vdev, view & SNAPSHOT_DRAFT, view);
}

bool link_detach(const struct user *user, struct machine *machine, unsigned vdev)
{
    struct link *l = link_find(user, vdev);
    if (!l)
        return false;
    machine_detach_disk(machine, vdev);
    end(l);
    return true;
}

void link_forget(const struct user *user)
{
    for (struct link *l = NULL; (l = link_next(l));)
        if (l->user == user)
            end(l);
}
