/* What only shows when the whole directory is read. In: its arrays. Out: faults; and each link's minidisk, found. */
#include <string.h>

#include "cp/directory/reader.h"
#include "cp/network/table.h"
#include "lib/format.h"

static void tell_device(struct directory_reader *r, unsigned user, const char *kind, unsigned vdev, const char *reason)
{
    char path[64];
    format_text(path, sizeof path, "/users/%s/%s@%x", directory_user(r->directory, user)->id, kind, vdev);
    directory_tell(r, path, reason);
}

static void check_user(struct directory_reader *r, unsigned index)
{
    const struct user *user = directory_user(r->directory, index);
    char path[32];
    r->operator|= user->classes & CLASS('A');
    if (!*user->id || directory_enter(r->directory, index)) /* without an ID: told already */
        return;
    format_text(path, sizeof path, "/users/%s", user->id);
    directory_tell(r, path, "is there twice");
}

/* One number, one device; and no more of them than a machine has room for. */
static void check_devices(struct directory_reader *r, unsigned index)
{
    const struct directory *d = r->directory;
    const struct user *user = directory_user(d, index);
    uint16_t seen[DIRECTORY_USER_DISKS];
    for (unsigned count = 0; count < (unsigned)user->disks + user->links; count++) {
        bool link = count >= user->disks;
        uint16_t vdev = link ? d->link[user->link + count - user->disks].vdev : d->disk[user->disk + count].vdev;
        for (unsigned j = 0; j < count; j++)
            if (seen[j] == vdev)
                tell_device(r, index, link ? "link" : "mdisk", vdev, "this device number is there twice");
        if (count == DIRECTORY_USER_DISKS) {
            tell_device(r, index, link ? "link" : "mdisk", vdev, "is more than the 16 disks a machine can have");
            return;
        }
        seen[count] = vdev;
    }
}

/* A NIC has a number that none of the disks has, and the LANs it names are there as far as the directory has them. */
static void check_nic(struct directory_reader *r, unsigned index, unsigned nic)
{
    const struct directory *d = r->directory;
    const struct user *user = directory_user(d, index);
    unsigned vdev = user->machine.nic[nic].vdev;
    bool twice = nic && user->machine.nic[0].vdev == vdev;
    for (unsigned i = 0; i < user->disks; i++)
        twice |= d->disk[user->disk + i].vdev == vdev;
    for (unsigned i = 0; i < user->links; i++)
        twice |= d->link[user->link + i].vdev == vdev;
    if (twice)
        tell_device(r, index, "nic", vdev, "this device number is there twice");
    char owner[DIRECTORY_NAME + 1], name[DIRECTORY_NAME + 1];
    const char *at = user->nic_lans[nic], *end = at + user->nic_lans_bytes[nic];
    for (; at < end; at += strlen(at) + 1)
        if (directory_lan_name(at, owner, name) && !strcmp(owner, LAN_SYSTEM) && !directory_find_lan(d, name))
            tell_device(r, index, "nic", vdev, "is for a LAN of the system's that is not in the directory");
}

static bool apart(struct directory_range a, struct directory_range b)
{
    return (uint64_t)a.start + a.blocks <= b.start || (uint64_t)b.start + b.blocks <= a.start;
}

static void check_place(struct directory_reader *r, const char *path, struct directory_range range)
{
    if (range.blocks && range.start < r->first_block)
        directory_tell(r, path, "its extent begins in CP's own part of the volume");
    if (range.blocks && (uint64_t)range.start + range.blocks > r->volume_blocks)
        directory_tell(r, path, "its extent ends beyond the volume");
}

static void tell_overlap(struct directory_reader *r, const char *path, const char *other)
{
    char reason[64];
    format_text(reason, sizeof reason, "its extent overlaps %s", other);
    directory_tell(r, path, reason);
}

/* No minidisk may reach an area, whatever it declares: what is there is CP's. */
static void check_areas(struct directory_reader *r, const char *path, struct directory_range range, unsigned areas)
{
    for (unsigned i = 0; i < areas; i++) {
        char other[32];
        format_text(other, sizeof other, "/areas/%s", directory_area_names[i]);
        if (range.blocks && r->directory->area[i].blocks && !apart(range, r->directory->area[i]))
            tell_overlap(r, path, other);
    }
}

static struct directory_range range_of(const struct directory_disk *disk)
{
    return (struct directory_range){disk->start, disk->blocks};
}

static void check_area(struct directory_reader *r, unsigned area)
{
    char path[32];
    format_text(path, sizeof path, "/areas/%s", directory_area_names[area]);
    check_place(r, path, r->directory->area[area]);
    check_areas(r, path, r->directory->area[area], area);
}

/* What is written by another name would not be copied before. */
static bool kept(const struct directory_disk *a, const struct directory_disk *b)
{
    return a->snapshots.blocks || b->snapshots.blocks;
}

/* An area for snapshots is nobody else's. */
static void check_snapshots(struct directory_reader *r, const char *path, unsigned disk)
{
    const struct directory_disk *a = &r->directory->disk[disk];
    char at[80];
    if (!a->snapshots.blocks)
        return;
    format_text(at, sizeof at, "%s/snapshots", path);
    check_place(r, at, a->snapshots);
    check_areas(r, at, a->snapshots, AREAS);
    if (!apart(a->snapshots, range_of(a)))
        tell_overlap(r, at, "the minidisk's own");
    if (a->blocks > DIRECTORY_SNAPSHOT_DISK)
        directory_tell(r, at, "is for minidisks of up to 524288 blocks");
}

static void check_against_snapshots(struct directory_reader *r, const char *path, const struct directory_disk *a,
                                    const struct directory_disk *b)
{
    char other[48];
    const char *id = directory_user(r->directory, b->user)->id;
    bool clash = a->snapshots.blocks && (!apart(a->snapshots, range_of(b)) || !apart(a->snapshots, b->snapshots));
    format_text(other, sizeof other, "%s's mdisk@%x or its snapshots", id, b->vdev);
    if (clash || (b->snapshots.blocks && !apart(range_of(a), b->snapshots)))
        tell_overlap(r, path, other);
}

static void check_disk(struct directory_reader *r, unsigned disk)
{
    const struct directory *d = r->directory;
    const struct directory_disk *a = &d->disk[disk];
    char path[64], other[32];
    format_text(path, sizeof path, "/users/%s/mdisk@%x", directory_user(d, a->user)->id, a->vdev);
    check_place(r, path, range_of(a));
    check_areas(r, path, range_of(a), AREAS);
    check_snapshots(r, path, disk);
    for (unsigned i = 0; i < disk; i++) {
        const struct directory_disk *b = &d->disk[i];
        check_against_snapshots(r, path, a, b);
        if (apart(range_of(a), range_of(b)) || (a->overlap && !kept(a, b)) || (b->overlap && !kept(a, b)))
            continue;
        format_text(other, sizeof other, "%s's mdisk@%x", directory_user(d, b->user)->id, b->vdev);
        tell_overlap(r, path, other);
    }
}

static void check_link(struct directory_reader *r, unsigned index)
{
    struct directory *d = r->directory;
    struct directory_link *link = &d->link[index];
    const struct user *owner = link->owner ? directory_find(d, link->owner) : NULL;
    const struct directory_disk *disk = owner ? directory_find_disk(d, owner, link->owner_vdev) : NULL;
    if (!link->owner)
        return; /* told already */
    if (!owner)
        tell_device(r, link->user, "link", link->vdev, "links to a user who is not in the directory");
    else if (!disk)
        tell_device(r, link->user, "link", link->vdev, "links to a minidisk its user does not have");
    else
        link->disk = disk - d->disk;
}

static void check_extent(struct directory_reader *r, unsigned index)
{
    if (index < AREAS)
        check_area(r, index);
    else
        check_disk(r, index - AREAS);
}

static void check_user_devices(struct directory_reader *r, unsigned user)
{
    if (!directory_user(r->directory, user)->pooled) /* whose first has the same */
        check_devices(r, user);
    for (unsigned i = 0; i < directory_user(r->directory, user)->machine.nics; i++)
        if (!directory_user(r->directory, user)->pooled)
            check_nic(r, user, i);
}

/* One NIC of the real machine is one LAN's. */
static void check_lan(struct directory_reader *r, unsigned index)
{
    const struct directory_lan *lan = &r->directory->lan[index];
    char path[32];
    format_text(path, sizeof path, "/lans/%s", lan->name);
    for (unsigned i = 0; i < index; i++)
        if (lan->uplink && r->directory->lan[i].uplink && r->directory->lan[i].number == lan->number)
            directory_tell(r, path, "has the uplink of another LAN");
}

void directory_check(struct directory_reader *r)
{
    const struct directory *d = r->directory;
    const struct {
        void (*check)(struct directory_reader *, unsigned index);
        unsigned count;
    } stages[] = {
        [READER_USERS] = {check_user, d->users},
        [READER_DEVICES] = {check_user_devices, d->users},
        [READER_EXTENTS] = {check_extent, AREAS + d->disks},
        [READER_LINKS] = {check_link, d->links},
        [READER_LANS] = {check_lan, d->lans},
    };
    if (r->index < stages[r->stage].count) {
        stages[r->stage].check(r, r->index++);
        return;
    }
    if (r->stage == READER_USERS && !r->operator)
        directory_tell(r, "/users", "has nobody of class A, who could shut the system down");
    r->stage++;
    r->index = 0;
}
