/* Reading the directory's tree. In: a blob nobody vouches for. Out: arrays, and every fault by path and reason. */
#include <libfdt.h>
#include <string.h>

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

/* A kind of node. */
struct reader_node {
    const struct property *properties;
    const struct reader_node *(*child)(const char *name); /* NULL: there may be none */
    bool (*begin)(struct directory_reader *, const char *name); /* false: it is not read, which is told */
    void (*properties_end)(struct directory_reader *);
    bool (*end)(struct directory_reader *); /* a step; true: the last */
};

/* ---- properties -------------------------------------------------------------------------------------------------- */

static void tell_at(struct directory_reader *r, const char *name, const char *reason)
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

/* The next string of a list. True: that was the last, or it is bad; *reason says why. */
static bool judge_string(struct directory_reader *r, const struct property *p, struct value v, const char **reason)
{
    const char *at = v.at + r->string;
    *reason = NULL;
    if (!v.bytes || v.at[v.bytes - 1])
        *reason = "is no list of strings";
    else if (strnlen(at, PROPERTY_LONGEST) == PROPERTY_LONGEST)
        *reason = "has a string that is too long";
    else
        *reason = p->each(at);
    if (!*reason && (r->string += (unsigned)strlen(at) + 1) < v.bytes)
        return false;
    r->string = 0;
    return true;
}

/* True: the property is done with. */
static bool take(struct directory_reader *r, struct reader_level *l, const char *name, struct value v)
{
    const struct property *table = l->node->properties, *p = property_find(table, name);
    uint32_t bit = p ? 1u << (p - table) : 0;
    const char *reason = NULL;
    if (!p)
        reason = "is no property known here";
    else if (l->seen & bit)
        reason = "is there twice";
    else if (p->each && !judge_string(r, p, v, &reason))
        return false;
    else if (!p->each && v.bytes > PROPERTY_LONGEST)
        reason = "is too long";
    l->seen |= bit;
    if (!reason)
        reason = p->take(&r->row, v);
    if (reason)
        tell_at(r, name, reason);
    return true;
}

/* libfdt 1.6 adds lengths up beyond the end of an int. */
static bool lies_within(const struct directory_reader *r, const void *value, int bytes)
{
    size_t at = (size_t)((const uint8_t *)value - (const uint8_t *)r->blob);
    return bytes >= 0 && at <= r->bytes && (size_t)bytes <= r->bytes - at;
}

static bool read_property(struct directory_reader *r)
{
    struct reader_level *l = &r->level[r->depth - 1];
    const char *name;
    int bytes;
    const void *value = fdt_getprop_by_offset(r->blob, r->at, &name, &bytes);
    if (!value || !lies_within(r, value, bytes))
        directory_tell(r, r->path, "holds a property that cannot be read");
    else if (l->children)
        tell_at(r, name, "stands behind a node");
    else
        return take(r, l, name, (struct value){value, (unsigned)bytes});
    return true;
}

static void end_properties(struct directory_reader *r, struct reader_level *l)
{
    const struct property *table = l->node->properties;
    if (l->children)
        return;
    l->children = true;
    for (const struct property *p = table; p->name; p++)
        if (p->required && !(l->seen >> (p - table) & 1))
            tell_at(r, p->name, "is missing");
    if (l->node->properties_end)
        l->node->properties_end(r);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

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

static void begin_device(struct directory_reader *r, const char *name, struct row row, uint16_t *vdev)
{
    r->row = row;
    if (!read_vdev(name, vdev))
        directory_tell(r, r->path, "has no device number of 1 to 4 lower-case hexadecimal digits");
}

static bool begin_disk(struct directory_reader *r, const char *name)
{
    struct directory *d = r->directory;
    if (d->disks == DIRECTORY_DISKS) {
        directory_tell(r, r->path, "is one minidisk too many for this CP");
        return false;
    }
    struct directory_disk *disk = &d->disk[d->disks++];
    directory_user(d, r->user)->disks++;
    *disk = (struct directory_disk){.user = r->user, .mode = LINK_MR};
    begin_device(r, name, (struct row){.disk = disk}, &disk->vdev);
    return true;
}

static bool begin_link(struct directory_reader *r, const char *name)
{
    struct directory *d = r->directory;
    if (d->links == DIRECTORY_LINKS) {
        directory_tell(r, r->path, "is one link too many for this CP");
        return false;
    }
    struct directory_link *link = &d->link[d->links++];
    directory_user(d, r->user)->links++;
    *link = (struct directory_link){.user = r->user, .mode = LINK_RR};
    begin_device(r, name, (struct row){.link = link}, &link->vdev);
    return true;
}

/* nic@600 */
static bool begin_nic(struct directory_reader *r, const char *name)
{
    struct user *user = directory_user(r->directory, r->user);
    if (user->machine.nics == MACHINE_NICS) {
        directory_tell(r, r->path, "is one NIC more than the 2 a machine can have");
        return false;
    }
    unsigned nic = user->machine.nics++;
    begin_device(r, name, (struct row){.user = user, .nic = nic}, &user->machine.nic[nic].vdev);
    return true;
}

static bool begin_lan(struct directory_reader *r, const char *name)
{
    struct directory *d = r->directory;
    bool good = directory_name_valid(name, strlen(name)), full = d->lans == DIRECTORY_LANS;
    if (!good || full || directory_find_lan(d, name)) {
        directory_tell(r, r->path, !good  ? "its name is not 1 to 8 characters of A-Z 0-9 @ # $ _ -"
                                   : full ? "is one LAN too many for this CP"
                                          : "is there twice");
        return false;
    }
    struct directory_lan *lan = &d->lan[d->lans++];
    *lan = (struct directory_lan){.number = 0};
    memcpy(lan->name, name, strlen(name) + 1);
    r->row = (struct row){.lan = lan};
    return true;
}

static const char no_storage[] = "is one user more than CP has storage for";

static bool begin_user(struct directory_reader *r, const char *name)
{
    struct directory *d = r->directory;
    bool full = d->users == DIRECTORY_USERS;
    struct user *user = directory_add(d);
    if (!user) {
        directory_tell(r, r->path, full ? "is one user too many for this CP" : no_storage);
        return false;
    }
    r->user = d->users - 1;
    *user = (struct user){.parm = "", .xautolog = "", .machine = {.uarts = 1, .nesting = NEST_MEMORY},
                          .disk = (uint16_t)d->disks, .link = (uint16_t)d->links};
    if (directory_name_valid(name, strlen(name)))
        memcpy(user->id, name, strlen(name) + 1);
    r->row = (struct row){.user = user};
    return true;
}

static void complete_user(struct directory_reader *r)
{
    struct user *user = directory_user(r->directory, r->user);
    if (!*user->id)
        directory_tell(r, r->path, "its name is not 1 to 8 characters of A-Z 0-9 @ # $ _ -");
    if (!user->machine.storage_maximum)
        user->machine.storage_maximum = user->machine.storage_bytes;
    if (user->machine.storage_bytes > user->machine.storage_maximum)
        tell_at(r, "storage", "is more than maximum");
}

static bool begin_area(struct directory_reader *r, const char *name)
{
    unsigned area = 0;
    while (area < AREAS && strcmp(name, directory_area_names[area]))
        area++;
    if (area == AREAS) {
        directory_tell(r, r->path, "is no node known here");
        return false;
    }
    if (r->directory->area[area].blocks)
        directory_tell(r, r->path, "is there twice");
    r->row = (struct row){.area = &r->directory->area[area]};
    return true;
}

static bool begin_users(struct directory_reader *r, const char *name)
{
    (void)name;
    if (r->users)
        directory_tell(r, r->path, "is no node known here");
    return !r->users && (r->users = true);
}

/* ---- pools ------------------------------------------------------------------------------------------------------- */

/* Users who are alike but for the number in their ID, from one entry, as z/VM's POOL. False: there can be none. */
static bool begin_pool(struct directory_reader *r, const struct user *user)
{
    if (strlen(user->id) > POOL_PREFIX) {
        tell_at(r, "pool", "is for a name of 1 to 3 characters, before five digits");
        return false;
    }
    if (user->disks)
        tell_at(r, "pool", "is for users without minidisks of their own");
    for (unsigned i = 0; i < user->machine.nics; i++)
        if (user->nic_has_mac[i])
            tell_at(r, "pool", "is for users whose NICs have no mac, which is one station's");
    r->pool_next = user->pool[0] + 1;
    return true;
}

static void name_member(struct user *user, const char *prefix, uint32_t number)
{
    char name[POOL_PREFIX + 1];
    memcpy(name, prefix, POOL_PREFIX);
    name[POOL_PREFIX] = 0;
    format_text(user->id, sizeof user->id, "%s%05u", name, (unsigned)number);
    directory_machine(user);
}

/* One more member; the first, after which they are named, has the prefix for its ID until it is the last. True: that
 * was all. */
static bool make_member(struct directory_reader *r, struct user *first)
{
    struct directory *d = r->directory;
    if (r->pool_next > first->pool[1]) {
        name_member(first, first->id, first->pool[0]);
        return true;
    }
    bool full = d->users == DIRECTORY_USERS;
    struct user *next = directory_add(d);
    if (!next) {
        tell_at(r, "pool", full ? "has more users than this CP keeps" : "has more users than CP has storage for");
        return true;
    }
    *next = *first;
    next->pooled = true;
    name_member(next, first->id, r->pool_next++);
    return false;
}

/* True: there is nothing more to be done for the entry. */
static bool end_user(struct directory_reader *r)
{
    struct user *user = directory_user(r->directory, r->user);
    bool done = !user->pool[1] || (!r->pool_next && !begin_pool(r, user)) || make_member(r, user);
    if (done) {
        r->pool_next = 0;
        directory_machine(user);
    }
    return done;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

static const struct reader_node *child_of_root(const char *), *child_of_users(const char *),
    *child_of_areas(const char *), *child_of_lans(const char *), *child_of_user(const char *);

static const struct reader_node root_node = {directory_root_properties, child_of_root, NULL, NULL, NULL},
  users_node = {directory_no_properties, child_of_users, begin_users, NULL, NULL},
  areas_node = {directory_no_properties, child_of_areas, NULL, NULL, NULL},
  user_node = {directory_user_properties, child_of_user, begin_user, complete_user, end_user},
  lans_node = {directory_no_properties, child_of_lans, NULL, NULL, NULL},
  lan_node = {directory_lan_properties, NULL, begin_lan, NULL, NULL},
  nic_node = {directory_nic_properties, NULL, begin_nic, NULL, NULL},
  area_node = {directory_area_properties, NULL, begin_area, NULL, NULL},
  disk_node = {directory_disk_properties, NULL, begin_disk, NULL, NULL},
  link_node = {directory_link_properties, NULL, begin_link, NULL, NULL};

static const struct reader_node *child_of_users(const char *name) { return (void)name, &user_node; }
static const struct reader_node *child_of_areas(const char *name) { return (void)name, &area_node; }
static const struct reader_node *child_of_lans(const char *name) { return (void)name, &lan_node; }

static const struct reader_node *child_of_root(const char *name)
{
    return !strcmp(name, "users")   ? &users_node
           : !strcmp(name, "areas") ? &areas_node
           : !strcmp(name, "lans")  ? &lans_node
                                    : NULL;
}

static const struct reader_node *child_of_user(const char *name)
{
    return !strncmp(name, "mdisk@", 6)  ? &disk_node
           : !strncmp(name, "link@", 5) ? &link_node
           : !strncmp(name, "nic@", 4)  ? &nic_node
                                        : NULL;
}

static bool begin_node(struct directory_reader *r)
{
    const char *name = fdt_get_name(r->blob, r->at, NULL);
    struct reader_level *outer = r->depth ? &r->level[r->depth - 1] : NULL;
    if (!name)
        return false;
    if (r->unknown) {
        r->unknown++;
        return true;
    }
    if (!outer) {
        r->row = (struct row){.directory = r->directory};
        r->level[r->depth++] = (struct reader_level){.node = &root_node};
        return true;
    }
    end_properties(r, outer);
    const struct reader_node *node = outer->node->child ? outer->node->child(name) : NULL;
    size_t before = enter(r, name);
    if (!node)
        directory_tell(r, r->path, "is no node known here");
    if (!node || (node->begin && !node->begin(r, name))) {
        leave(r, before);
        r->unknown = 1;
        return true;
    }
    r->level[r->depth++] = (struct reader_level){.node = node, .path_before = before};
    return true;
}

/* True: it is done with. */
static bool end_node(struct directory_reader *r)
{
    if (r->unknown) {
        r->unknown--;
        return true;
    }
    struct reader_level *l = &r->level[r->depth - 1];
    end_properties(r, l);
    if (l->node->end && !l->node->end(r))
        return false;
    leave(r, l->path_before);
    r->depth--;
    return true;
}

static void tell_unsound(struct directory_reader *r, int error)
{
    char reason[80];
    format_text(reason, sizeof reason, "is no sound device tree (%s)", fdt_strerror(error));
    directory_tell(r, "/", reason);
    r->stage = READER_DONE;
}

static void end_tree(struct directory_reader *r)
{
    if (!r->users)
        directory_tell(r, "/users", "is missing");
    r->stage = READER_USERS;
}

/* A tag. Where it has to do with more of what it stands for, it is the next one again. */
static void read_tag(struct directory_reader *r)
{
    int next, inside = r->depth || !r->at;
    uint32_t tag = fdt_next_tag(r->blob, r->at, &next);
    bool done = true;
    if (next <= r->at)
        tell_unsound(r, next < 0 ? next : -FDT_ERR_BADSTRUCTURE);
    else if (tag == FDT_BEGIN_NODE && (!inside || !begin_node(r)))
        tell_unsound(r, -FDT_ERR_BADSTRUCTURE);
    else if ((tag == FDT_PROP || tag == FDT_END_NODE) && !r->depth)
        tell_unsound(r, -FDT_ERR_BADSTRUCTURE);
    else if (tag == FDT_PROP && !r->unknown)
        done = read_property(r);
    else if (tag == FDT_END_NODE)
        done = end_node(r);
    else if (tag == FDT_END)
        r->depth ? tell_unsound(r, -FDT_ERR_BADSTRUCTURE) : end_tree(r);
    if (done)
        r->at = next;
}

/* ---- a little at a time ------------------------------------------------------------------------------------------ */

void directory_read_begin(struct directory_reader *r, struct directory *directory, const void *blob, size_t bytes,
                          uint32_t first_block, uint32_t volume_blocks, directory_fault *fault, void *context)
{
    *r = (struct directory_reader){.directory = directory, .blob = blob, .bytes = bytes, .first_block = first_block,
                                   .volume_blocks = volume_blocks, .fault = fault, .context = context};
    directory_clear(directory);
    memcpy(directory->volid, "VMN001", 7);
    int error = bytes < sizeof(struct fdt_header) ? -FDT_ERR_TRUNCATED : fdt_check_header(blob);
    if (!error && fdt_totalsize(blob) > bytes)
        error = -FDT_ERR_TRUNCATED;
    if (error)
        tell_unsound(r, error);
}

bool directory_read_on(struct directory_reader *r, bool (*over)(void))
{
    while (r->stage != READER_DONE) {
        if (r->stage == READER_TREE)
            read_tag(r);
        else
            directory_check(r);
        if (over && over())
            break;
    }
    return r->stage == READER_DONE;
}

unsigned directory_parse(struct directory *directory, const void *blob, size_t bytes, uint32_t first_block,
                         uint32_t volume_blocks, directory_fault *fault, void *context)
{
    struct directory_reader r;
    directory_read_begin(&r, directory, blob, bytes, first_block, volume_blocks, fault, context);
    while (!directory_read_on(&r, NULL)) {}
    return r.faults;
}
