/* Reading the directory's tree. In: a blob nobody vouches for. Out: arrays, and every fault by path and reason. */
#include <libfdt.h>
#include <string.h>

#include "cp/directory/property.h"
#include "cp/directory/reader.h"
#include "lib/format.h"

void directory_tell(struct directory_reader *r, const char *path, const char *reason)
{
    char printable[sizeof r->path];
    size_t i = 0;
    for (; path[i] && i < sizeof printable - 1; i++)
        printable[i] = path[i] >= 0x20 && path[i] < 0x7f ? path[i] : '?';
    printable[i] = 0;
    r->faults++;
    r->fault(r->context, printable, reason);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static void tell_property(struct directory_reader *r, const char *name, const char *reason)
{
    char path[sizeof r->path];
    format_text(path, sizeof path, "%s/%s", r->path, name);
    directory_tell(r, path, reason);
}

static const struct property *property_find(const struct property *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

static void read_properties(struct directory_reader *r, int node, const struct property *table, struct row *row)
{
    int at;
    fdt_for_each_property_offset(at, r->blob, node)
    {
        const char *name;
        int bytes;
        const void *value = fdt_getprop_by_offset(r->blob, at, &name, &bytes);
        if (!value) {
            directory_tell(r, r->path, "holds a property that cannot be read");
            return;
        }
        const struct property *p = property_find(table, name);
        const char *reason = p ? p->take(row, (struct value){value, bytes}) : "is no property known here";
        if (reason)
            tell_property(r, name, reason);
    }
    for (const struct property *p = table; p->name; p++)
        if (p->required && !fdt_getprop(r->blob, node, p->name, NULL))
            tell_property(r, p->name, "is missing");
}

static size_t enter(struct directory_reader *r, const char *name)
{
    size_t before = r->path_length, room = sizeof r->path - before;
    size_t length = format_text(r->path + before, room, "/%s", name);
    r->path_length += length < room ? length : room - 1;
    return before;
}

static void leave(struct directory_reader *r, size_t before)
{
    r->path_length = before;
    r->path[before] = 0;
}

static void refuse_children(struct directory_reader *r, int node)
{
    int child;
    fdt_for_each_subnode(child, r->blob, node)
    {
        const char *name = fdt_get_name(r->blob, child, NULL);
        tell_property(r, name ? name : "?", "is no node known here");
    }
}

/* mdisk@191: the unit address is the virtual device number in hexadecimal. */
static bool read_vdev(const char *name, uint16_t *vdev)
{
    const char *at = strchr(name, '@');
    unsigned digits = 0, value = 0;
    for (at = at ? at + 1 : ""; *at; at++, digits++) {
        int digit = *at >= '0' && *at <= '9' ? *at - '0' : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10 : -1;
        if (digit < 0 || digits == 4)
            return false;
        value = value << 4 | digit;
    }
    *vdev = value;
    return digits > 0;
}

static void read_disk(struct directory_reader *r, int node, const char *name, unsigned user)
{
    struct directory *d = r->directory;
    if (d->disks == DIRECTORY_DISKS) {
        directory_tell(r, r->path, "is one minidisk too many for this CP");
        return;
    }
    struct directory_disk *disk = &d->disk[d->disks++];
    *disk = (struct directory_disk){.user = user, .mode = LINK_MR};
    if (!read_vdev(name, &disk->vdev))
        directory_tell(r, r->path, "has no device number of 1 to 4 lower-case hexadecimal digits");
    read_properties(r, node, directory_disk_properties, &(struct row){.disk = disk});
    refuse_children(r, node);
}

static void read_link(struct directory_reader *r, int node, const char *name, unsigned user)
{
    struct directory *d = r->directory;
    if (d->links == DIRECTORY_LINKS) {
        directory_tell(r, r->path, "is one link too many for this CP");
        return;
    }
    struct directory_link *link = &d->link[d->links++];
    *link = (struct directory_link){.user = user, .mode = LINK_RR};
    if (!read_vdev(name, &link->vdev))
        directory_tell(r, r->path, "has no device number of 1 to 4 lower-case hexadecimal digits");
    read_properties(r, node, directory_link_properties, &(struct row){.link = link});
    refuse_children(r, node);
}

static void read_devices(struct directory_reader *r, int node, unsigned user)
{
    int child;
    fdt_for_each_subnode(child, r->blob, node)
    {
        const char *name = fdt_get_name(r->blob, child, NULL);
        size_t before = enter(r, name ? name : "?");
        if (name && !strncmp(name, "mdisk@", 6))
            read_disk(r, child, name, user);
        else if (name && !strncmp(name, "link@", 5))
            read_link(r, child, name, user);
        else
            directory_tell(r, r->path, "is no node known here");
        leave(r, before);
    }
}

/* The same devices for another user. */
static bool copy_links(struct directory *d, unsigned from, unsigned links, unsigned user)
{
    for (unsigned i = 0; i < links; i++) {
        if (d->links == DIRECTORY_LINKS)
            return false;
        d->link[d->links] = d->link[from + i];
        d->link[d->links++].user = user;
    }
    return true;
}

/* z/VM's POOL: users who are alike but for the number in their ID, from one entry. */
static void read_pool(struct directory_reader *r, unsigned index)
{
    struct directory *d = r->directory;
    struct user *user = &d->user[index];
    char prefix[POOL_PREFIX + 1];
    unsigned links = 0;
    if (strlen(user->id) > POOL_PREFIX) {
        tell_property(r, "pool", "is for a name of 1 to 3 characters, before five digits");
        return;
    }
    memcpy(prefix, user->id, sizeof prefix);
    if (d->disks && d->disk[d->disks - 1].user == index)
        tell_property(r, "pool", "is for users without minidisks of their own");
    while (links < d->links && d->link[d->links - links - 1].user == index)
        links++;
    unsigned from = d->links - links;
    for (uint32_t number = user->pool[0]; number <= user->pool[1]; number++) {
        bool first = number == user->pool[0];
        struct user *next = first ? user : d->users < DIRECTORY_USERS ? &d->user[d->users++] : NULL;
        if (!next || (!first && !copy_links(d, from, links, next - d->user))) {
            tell_property(r, "pool", next ? "has more links than this CP keeps" : "has more users than this CP keeps");
            return;
        }
        *next = *user;
        next->pooled = !first;
        format_text(next->id, sizeof next->id, "%s%05u", prefix, (unsigned)number);
        directory_machine(next);
    }
}

static void read_user(struct directory_reader *r, int node, const char *name)
{
    struct directory *d = r->directory;
    if (d->users == DIRECTORY_USERS) {
        directory_tell(r, r->path, "is one user too many for this CP");
        return;
    }
    unsigned index = d->users++;
    struct user *user = &d->user[index];
    *user = (struct user){.parm = "", .xautolog = "", .machine = {.uarts = 1, .nesting = NEST_MEMORY}};
    if (directory_name_valid(name, strlen(name)))
        memcpy(user->id, name, strlen(name) + 1);
    read_properties(r, node, directory_user_properties, &(struct row){.user = user});
    if (!*user->id)
        directory_tell(r, r->path, "its name is not 1 to 8 characters of A-Z 0-9 @ # $ _ -");
    if (!user->machine.storage_maximum)
        user->machine.storage_maximum = user->machine.storage_bytes;
    if (user->machine.storage_bytes > user->machine.storage_maximum)
        tell_property(r, "storage", "is more than maximum");
    directory_machine(user);
    read_devices(r, node, index);
    if (user->pool[1])
        read_pool(r, index);
}

static void read_area(struct directory_reader *r, int node, const char *name)
{
    unsigned area = 0;
    while (area < AREAS && strcmp(name, directory_area_names[area]))
        area++;
    if (area == AREAS) {
        directory_tell(r, r->path, "is no node known here");
        return;
    }
    if (r->directory->area[area].blocks)
        directory_tell(r, r->path, "is there twice");
    read_properties(r, node, directory_area_properties, &(struct row){.area = &r->directory->area[area]});
    refuse_children(r, node);
}

/* A node without properties, and what is in it. */
static void read_nodes(struct directory_reader *r, int parent,
                       void (*read)(struct directory_reader *, int node, const char *name))
{
    int node;
    read_properties(r, parent, directory_no_properties, &(struct row){0});
    fdt_for_each_subnode(node, r->blob, parent)
    {
        const char *name = fdt_get_name(r->blob, node, NULL);
        size_t before = enter(r, name ? name : "?");
        read(r, node, name ? name : "?");
        leave(r, before);
    }
}

static void read_root(struct directory_reader *r)
{
    int node;
    bool found = false;
    read_properties(r, 0, directory_root_properties, &(struct row){.directory = r->directory});
    fdt_for_each_subnode(node, r->blob, 0)
    {
        const char *name = fdt_get_name(r->blob, node, NULL);
        size_t before = enter(r, name ? name : "?");
        if (name && !strcmp(name, "users") && !found) {
            found = true;
            read_nodes(r, node, read_user);
        } else if (name && !strcmp(name, "areas")) {
            read_nodes(r, node, read_area);
        } else {
            directory_tell(r, r->path, "is no node known here");
        }
        leave(r, before);
    }
    if (!found)
        directory_tell(r, "/users", "is missing");
}

unsigned directory_parse(struct directory *directory, const void *blob, size_t bytes, uint32_t first_block,
                         uint32_t volume_blocks, directory_fault *fault, void *context)
{
    struct directory_reader r = {.directory = directory,
                                 .blob = blob,
                                 .first_block = first_block,
                                 .volume_blocks = volume_blocks,
                                 .fault = fault,
                                 .context = context};
    directory_clear(directory);
    memcpy(directory->volid, "VMN001", 7);
    int error = fdt_check_full(blob, bytes);
    if (error) {
        char reason[80];
        format_text(reason, sizeof reason, "is no sound device tree (%s)", fdt_strerror(error));
        directory_tell(&r, "/", reason);
        return r.faults;
    }
    read_root(&r);
    directory_check(&r);
    return r.faults;
}
