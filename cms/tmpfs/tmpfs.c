/* Directories and nodes of files in storage. A name's entry has a user of its node; a directory is freed when it has
 * neither a name nor a user. */
#include "cms/tmpfs/tmpfs.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/slots.h"
#include "cms/tmpfs/node.h"
#include "cms/vfs/caller.h"
#include "cms/vfs/device.h"
#include "cms/vfs/vfs.h"

static const struct node_system storage = {.device = 20};
static uint64_t last_number;
struct pages_budget tmpfs_budget;

/* Nodes and names outlive whoever makes them: without the budget one program could take all there is, for good. */
static struct slots slots;

static void *take(size_t bytes)
{
    if (!tmpfs_budget.limit)
        tmpfs_budget.limit = cms_frames_total() / 2;
    size_t frames = slots.frames;
    void *p = cms_slots_take(&slots, bytes, pages_budget_left(&tmpfs_budget));
    tmpfs_budget.used += slots.frames - frames;
    return p;
}

static void give(void *p, size_t bytes)
{
    size_t frames = slots.frames;
    cms_slots_give(&slots, p, bytes);
    tmpfs_budget.used -= frames - slots.frames;
}

_Static_assert(sizeof(struct tmp_node) <= SLOTS_BYTES_MAX &&
               sizeof(struct tmp_entry) + VFS_NAME_MAX + 1 <= SLOTS_BYTES_MAX, "they have slots");

static size_t entry_bytes(const char *name) { return sizeof(struct tmp_entry) + strlen(name) + 1; }

struct tmp_node *tmp_make(uint32_t mode, const struct node_system *system)
{
    struct tmp_node *t = take(sizeof *t);
    if (!t)
        return NULL;
    *t = (struct tmp_node){.node = {.operations = &tmp_operations,
                                    .system = system ? system : &storage,
                                    .users = 1,
                                    .mode = mode,
                                    .number = ++last_number},
                           .links = 1};
    t->times[0] = t->times[1] = t->times[2] = caller_time();
    t->pages.budget = &tmpfs_budget;
    t->object.operations = &tmp_object_operations;
    return t;
}

struct node *tmpfs_directory(const struct node_system *system, uint32_t mode)
{
    struct tmp_node *t = tmp_make(ABI_S_IFDIR | mode, system);
    return t ? &t->node : NULL;
}

bool tmpfs_is(const struct node *n) { return n->operations == &tmp_operations; }

int tmpfs_unnamed(struct node **n)
{
    struct tmp_node *t = tmp_make(ABI_S_IFREG | 0777, NULL);
    *n = t ? &t->node : NULL;
    if (t)
        t->links = 0;
    return t ? 0 : -ENOMEM;
}

static void changed(struct tmp_node *directory) { directory->times[1] = directory->times[2] = caller_time(); }

static struct tmp_entry *find(struct tmp_node *d, const char *name)
{
    struct tmp_entry *e = d->entries;
    while (e && strcmp(e->name, name))
        e = e->next;
    return e;
}

int tmp_lookup(struct node *n, const char *name, struct node **child)
{
    struct tmp_entry *e = find(tmp_of(n), name);
    if (!e)
        return -ENOENT;
    *child = &e->node->node;
    node_hold(*child);
    return 0;
}

struct node *tmp_parent(struct node *n)
{
    struct tmp_node *up = tmp_of(n)->parent;
    if (up)
        node_hold(&up->node);
    return up ? &up->node : NULL;
}

int tmp_entry(struct node *n, struct listing *l, struct vfs_entry *out)
{
    struct tmp_entry *e = tmp_of(n)->entries;
    while (e && e->serial <= l->at)
        e = e->next;
    if (!e)
        return 0;
    l->at = e->serial;
    *out = (struct vfs_entry){.number = e->node->node.number, .type = e->node->node.mode & ABI_S_IFMT};
    memcpy(out->name, e->name, strlen(e->name) + 1);
    return 1;
}

/* The name has a user of `t` of its own. At the end, so that listings under way stay true. */
static int add(struct tmp_node *d, const char *name, struct tmp_node *t)
{
    struct tmp_entry **end = &d->entries;
    if (d->removed)
        return -ENOENT;
    struct tmp_entry *e = take(entry_bytes(name));
    if (!e)
        return -ENOSPC;
    *e = (struct tmp_entry){.node = t, .serial = ++d->last_serial};
    memcpy(e->name, name, strlen(name) + 1);
    while (*end)
        end = &(*end)->next;
    *end = e;
    node_hold(&t->node);
    if (node_is(&t->node, ABI_S_IFDIR))
        t->parent = d;
    changed(d);
    return 0;
}

static void drop(struct tmp_node *d, const char *name)
{
    struct tmp_entry **at = &d->entries;
    while (strcmp((*at)->name, name))
        at = &(*at)->next;
    struct tmp_entry *e = *at;
    *at = e->next;
    changed(d);
    node_let_go(&e->node->node);
    give(e, entry_bytes(e->name));
}

static int make_named(struct tmp_node *d, const char *name, uint32_t mode, struct tmp_node **made)
{
    struct tmp_node *t = tmp_make(mode, d->node.system);
    *made = t;
    if (!t)
        return -ENOSPC;
    int status = add(d, name, t);
    if (status)
        node_let_go(&t->node);
    return status;
}

int tmp_create(struct node *n, const char *name, uint32_t mode, struct node **child)
{
    struct tmp_node *t;
    int status = make_named(tmp_of(n), name, mode, &t);
    *child = status ? NULL : &t->node;
    return status;
}

int tmp_symlink(struct node *n, const char *name, const char *target)
{
    struct tmp_node *t;
    struct io_buffer io;
    int status = make_named(tmp_of(n), name, ABI_S_IFLNK | 0777, &t);
    if (status)
        return status;
    io_buffer_begin(&io, (char *)target, strlen(target));
    int64_t written = pages_write(&t->pages, &io.io, 0);
    if (written < 0)
        drop(tmp_of(n), name);
    node_let_go(&t->node);
    return written < 0 ? (int)written : 0;
}

int64_t tmp_target(struct node *n, char *to, size_t size)
{
    struct io_buffer io;
    io_buffer_begin(&io, to, size);
    return pages_read(&tmp_of(n)->pages, &io.io, 0);
}

int tmp_link(struct node *n, const char *name, struct node *file)
{
    int status = add(tmp_of(n), name, tmp_of(file));
    if (!status) {
        tmp_of(file)->links++;
        tmp_of(file)->times[2] = caller_time();
    }
    return status;
}

/* A directory that has no name any more takes none. Who is in it still comes to where it was by .. */
static int unname(struct tmp_node *d, const char *name, struct tmp_node *t)
{
    bool directory = node_is(&t->node, ABI_S_IFDIR);
    if (directory && t->entries)
        return -ENOTEMPTY;
    t->removed = directory;
    if (directory)
        node_hold(&d->node);
    t->links--;
    t->times[2] = caller_time();
    drop(d, name);
    return 0;
}

int tmp_remove(struct node *n, const char *name, struct node *child) { return unname(tmp_of(n), name, tmp_of(child)); }

int tmp_rename(struct node *n, const char *name, struct node *child, struct node *to, const char *new_name,
               struct node *old)
{
    struct tmp_node *t = tmp_of(child);
    if (old && node_is(old, ABI_S_IFDIR) && tmp_of(old)->entries)
        return -ENOTEMPTY;
    struct tmp_entry *taken = find(tmp_of(to), new_name);
    if (taken && taken->node == t) /* two names of one file: nothing is done */
        return 0;
    int status = add(tmp_of(to), new_name, t); /* behind the old entry of that name, which goes next */
    if (status)
        return status;
    if (old)
        unname(tmp_of(to), new_name, tmp_of(old));
    drop(tmp_of(n), name);
    t->times[2] = caller_time();
    return 0;
}

static void put_in(struct tmp_node *d, struct tmp_entry *e, struct tmp_node *t)
{
    e->node = t;
    if (node_is(&t->node, ABI_S_IFDIR))
        t->parent = d;
    changed(d);
    t->times[2] = caller_time();
}

int tmp_exchange(struct node *n, const char *name, struct node *other, const char *other_name)
{
    struct tmp_entry *e = find(tmp_of(n), name), *f = find(tmp_of(other), other_name);
    struct tmp_node *first = e->node;
    put_in(tmp_of(n), e, f->node);
    put_in(tmp_of(other), f, first);
    return 0;
}

/* What it was in may have been held by it alone, and so on; they may be many. */
void tmp_forget(struct node *n)
{
    struct tmp_node *t = tmp_of(n);
    do {
        struct tmp_node *was_in = t->removed ? t->parent : NULL;
        pages_free(&t->pages);
        give(t, sizeof *t);
        t = was_in;
    } while (t && !--t->node.users);
}

/* ---- mounts ---------------------------------------------------------------------------------------------------- */

/* Made when a path first leads there. */
static struct node *tops[8];

static struct node *top(const struct vfs_mount *m)
{
    if (!tops[m->letter])
        tops[m->letter] = tmpfs_directory(NULL, m->letter < 2 ? 01777 : 0755);
    if (tops[m->letter])
        node_hold(tops[m->letter]);
    return tops[m->letter];
}

void tmpfs_reset(void)
{
    memset(tops, 0, sizeof tops);
    tmpfs_budget = (struct pages_budget){0};
    slots = (struct slots){0};
}

void tmpfs_start(void)
{
    static struct vfs_mount mounts[] = {
        {.name = "tmp", .letter = 0},  {.name = "shm", .below = device_directory, .letter = 1},
        {.name = "run", .letter = 2},  {.name = "var", .letter = 3},
        {.name = "home", .letter = 4}, {.name = "root", .letter = 5},
    };
    for (unsigned i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        mounts[i].type = "tmpfs";
        mounts[i].top = top;
        vfs_mount(&mounts[i]);
    }
}
