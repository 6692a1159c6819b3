/* Nodes, and the open files that stand for one. */
#include "cms/vfs/node.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/vfs/caller.h"
#include "cms/vfs/tree.h"

void node_hold(struct node *n) { n->users++; }

void node_let_go(struct node *n)
{
    if (n && !--n->users && n->operations->forget)
        n->operations->forget(n);
}

void node_fill_stat(struct node *n, struct vfs_stat *s)
{
    *s = (struct vfs_stat){.device = n->system ? n->system->device : 0,
                           .number = n->number,
                           .links = node_is(n, ABI_S_IFDIR) ? 2 : 1,
                           .mode = n->mode,
                           .device_number = n->device_number,
                           .block_size = FRAME_SIZE_OF_STAT};
    if (n->operations->stat)
        n->operations->stat(n, s);
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static int64_t regular_read(struct file *f, struct io *io, uint64_t offset)
{
    struct node *n = f->own;
    return n->operations->read ? n->operations->read(n, io, offset) : -EINVAL;
}

static int64_t regular_write(struct file *f, struct io *io, uint64_t offset)
{
    struct node *n = f->own;
    return n->operations->write ? n->operations->write(n, io, offset) : -EINVAL;
}

static int regular_stat(struct file *f, struct vfs_stat *s)
{
    node_fill_stat(f->own, s);
    return 0;
}

static int regular_truncate(struct file *f, uint64_t size)
{
    struct node *n = f->own;
    return n->operations->truncate ? n->operations->truncate(n, size) : -EINVAL;
}

static int regular_sync(struct file *f)
{
    struct node *n = f->own;
    return n->operations->sync ? n->operations->sync(n) : 0;
}

static int regular_map(struct file *f, struct space_object **object)
{
    struct node *n = f->own;
    return n->operations->map ? n->operations->map(n, object) : -ENODEV;
}

static int regular_close(struct file *f)
{
    struct node *n = f->own;
    bool wrote = (f->flags & ABI_O_ACCMODE) != ABI_O_RDONLY && !(f->flags & ABI_O_PATH);
    int status = wrote && n->operations->closed ? n->operations->closed(n) : 0;
    node_let_go(n);
    return status;
}

static const struct file_operations regular = {
    .read = regular_read,
    .write = regular_write,
    .stat = regular_stat,
    .truncate = regular_truncate,
    .sync = regular_sync,
    .map = regular_map,
    .last_close = regular_close,
};

bool node_executes_image_only;

bool node_executes(const struct node *n)
{
    return !node_executes_image_only || !node_is(n, ABI_S_IFREG) || (n->system && n->system->image);
}

bool node_file_executes(const struct file *f) { return f->operations != &regular || node_executes(f->own); }

/* ---- directories ----------------------------------------------------------------------------------------------- */

/* Positions in a listing: . and .., then what the file system has (its own `at` and 2), then what is mounted. */
struct directory {
    struct node *node;
    struct listing listing;
};

static const uint64_t MOUNTED = 1ull << 62;

static int dots(struct node *n, uint64_t position, struct vfs_entry *e)
{
    struct node *to = position ? tree_parent(n) : n;
    *e = (struct vfs_entry){.number = to->number, .type = ABI_S_IFDIR, .next = position + 1};
    memcpy(e->name, "..", position + 1);
    if (position)
        node_let_go(to);
    return 1;
}

static int own_entry(struct directory *d, struct vfs_entry *e)
{
    int found;
    do {
        found = d->node->operations->entry ? d->node->operations->entry(d->node, &d->listing, e) : 0;
    } while (found > 0 && tree_is_mounted(d->node, e->name));
    if (found > 0)
        e->next = d->listing.at + 2;
    return found;
}

static int next_entry(struct file *f, struct vfs_entry *e)
{
    struct directory *d = f->own;
    struct vfs_stat s;
    int found = 0;
    node_fill_stat(d->node, &s);
    if (!s.links) /* it was removed */
        return -ENOENT;
    if (f->position < 2) {
        found = dots(d->node, f->position, e);
    } else if (f->position < MOUNTED) {
        d->listing.at = f->position - 2;
        found = own_entry(d, e);
        if (!found)
            f->position = MOUNTED;
    }
    if (!found)
        found = tree_mounted_entry(d->node, f->position - MOUNTED, e);
    if (found > 0 && f->position >= MOUNTED)
        e->next += MOUNTED;
    if (found > 0)
        f->position = e->next;
    return found;
}

static int64_t directory_seek(struct file *f, int64_t offset, int whence)
{
    if (whence == ABI_SEEK_CUR)
        offset += (int64_t)f->position;
    else if (whence != ABI_SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    return (int64_t)(f->position = (uint64_t)offset);
}

static int directory_stat(struct file *f, struct vfs_stat *s)
{
    node_fill_stat(((struct directory *)f->own)->node, s);
    return 0;
}

static int directory_sync(struct file *f)
{
    struct node *n = ((struct directory *)f->own)->node;
    return n->operations->sync ? n->operations->sync(n) : 0;
}

static int directory_close(struct file *f)
{
    struct directory *d = f->own;
    node_let_go(d->node);
    cms_heap_free(d->listing.kept);
    cms_heap_free(d);
    return 0;
}

static const struct file_operations directory = {
    .seek = directory_seek,
    .stat = directory_stat,
    .sync = directory_sync,
    .next_entry = next_entry,
    .last_close = directory_close,
};

static int open_directory(struct node *n, uint32_t flags, struct file **file)
{
    struct directory *d = cms_heap_allocate(sizeof *d);
    *file = d ? file_make(&directory, d, flags) : NULL;
    if (!*file) {
        cms_heap_free(d);
        return -ENOMEM;
    }
    *d = (struct directory){.node = n};
    node_hold(n);
    return 0;
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

/* O_PATH: it is only a place. */
static const struct file_operations place_only = {
    .stat = regular_stat,
    .last_close = regular_close,
};

int node_open(struct node *n, uint32_t flags, struct file **file)
{
    if (node_is(n, ABI_S_IFDIR))
        return open_directory(n, flags, file);
    *file = file_make(flags & ABI_O_PATH ? &place_only : &regular, n, flags);
    if (!*file)
        return -ENOMEM;
    (*file)->seekable = node_is(n, ABI_S_IFREG) && !(flags & ABI_O_PATH);
    node_hold(n);
    int status = !(flags & ABI_O_PATH) && n->operations->open ? n->operations->open(n, *file) : 0;
    if (status) { /* the node's as yet: nobody wrote */
        (*file)->flags = ABI_O_PATH;
        (*file)->operations = &place_only;
        (*file)->own = n;
        file_let_go(*file);
        *file = NULL;
    }
    return status;
}

struct node *node_of(const struct file *f)
{
    if (f->operations == &directory)
        return ((struct directory *)f->own)->node;
    return f->operations == &regular || f->operations == &place_only ? f->own : NULL;
}
