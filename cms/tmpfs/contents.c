/* What files in storage hold, and what is asked of them. */
#include <errno.h>

#include "cms/tmpfs/node.h"
#include "cms/vfs/caller.h"

static int64_t tmp_read(struct node *n, struct io *io, uint64_t offset)
{
    return pages_read(&tmp_of(n)->pages, io, offset);
}

static void changed(struct tmp_node *t) { t->times[1] = t->times[2] = caller_time(); }

static int64_t tmp_write(struct node *n, struct io *io, uint64_t offset)
{
    changed(tmp_of(n));
    return pages_write(&tmp_of(n)->pages, io, offset);
}

static int tmp_truncate(struct node *n, uint64_t size)
{
    changed(tmp_of(n));
    return pages_resize(&tmp_of(n)->pages, size);
}

enum { SECOND = 1000000000 };

static void tmp_stat(struct node *n, struct vfs_stat *s)
{
    struct tmp_node *t = tmp_of(n);
    s->size = (int64_t)t->pages.size;
    s->blocks = (int64_t)t->pages.count * (FRAME_SIZE / 512);
    s->links = !node_is(n, ABI_S_IFDIR) ? t->links : t->removed ? 0 : 2;
    s->access_s = t->times[0] / SECOND, s->access_ns = t->times[0] % SECOND;
    s->change_s = t->times[1] / SECOND, s->change_ns = t->times[1] % SECOND;
    s->status_s = t->times[2] / SECOND, s->status_ns = t->times[2] % SECOND;
}

static int tmp_set_mode(struct node *n, uint32_t mode)
{
    n->mode = (n->mode & ABI_S_IFMT) | mode;
    tmp_of(n)->times[2] = caller_time();
    return 0;
}

static int tmp_set_times(struct node *n, const int64_t ns[2])
{
    for (int i = 0; i < 2; i++)
        if (ns[i] != NODE_TIME_LEAVE)
            tmp_of(n)->times[i] = ns[i];
    tmp_of(n)->times[2] = caller_time();
    return 0;
}

static void tmp_statfs(struct node *n, struct vfs_statfs *s)
{
    size_t left = pages_budget_left(&tmpfs_budget);
    (void)n;
    s->type = 0x01021994;
    s->blocks = tmpfs_budget.limit;
    s->free = s->available = left < cms_frames_left() ? left : cms_frames_left();
    s->files = s->files_free = tmpfs_budget.limit;
}

/* ---- mappings -------------------------------------------------------------------------------------------------- */

static struct tmp_node *of_object(struct space_object *o)
{
    return (struct tmp_node *)((char *)o - offsetof(struct tmp_node, object));
}

static int object_page(struct space_object *o, uint64_t offset, bool write, void **frame)
{
    struct tmp_node *t = of_object(o);
    (void)write;
    if (offset >= t->pages.size)
        return -ENXIO;
    int status = pages_frame(&t->pages, offset / FRAME_SIZE, frame);
    if (!status)
        cms_frame_share(*frame);
    return status;
}

static void object_hold(struct space_object *o) { node_hold(&of_object(o)->node); }

static void object_let_go(struct space_object *o) { node_let_go(&of_object(o)->node); }

const struct space_object_operations tmp_object_operations = {
    .page = object_page, .hold = object_hold, .let_go = object_let_go};

static int tmp_map(struct node *n, struct space_object **object)
{
    if (!node_is(n, ABI_S_IFREG))
        return -ENODEV;
    node_hold(n);
    *object = &tmp_of(n)->object;
    return 0;
}

const struct node_operations tmp_operations = {
    .lookup = tmp_lookup,
    .parent = tmp_parent,
    .entry = tmp_entry,
    .create = tmp_create,
    .symlink = tmp_symlink,
    .link = tmp_link,
    .remove = tmp_remove,
    .rename = tmp_rename,
    .exchange = tmp_exchange,
    .stat = tmp_stat,
    .set_mode = tmp_set_mode,
    .set_times = tmp_set_times,
    .statfs = tmp_statfs,
    .forget = tmp_forget,
    .target = tmp_target,
    .read = tmp_read,
    .write = tmp_write,
    .truncate = tmp_truncate,
    .map = tmp_map,
};
