/* What is done to files of minidisks. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/heap.h"
#include "cms/minidisk/file.h"
#include "cms/vfs/caller.h"

enum { SECOND = 1000000000 };

int64_t mini_date_to_ns(const struct edf_date *d)
{
    struct clock_date date = {d->year, d->month, d->day, d->hour, d->minute, d->second, 0};
    if (d->year < 1970 || d->month < 1 || d->month > 12 || d->day < 1)
        return 0;
    return (int64_t)cms_clock_join(&date) * SECOND;
}

struct edf_date mini_date_of_ns(int64_t ns)
{
    static const int64_t last = 4102444799; /* of 2099 */
    int64_t s = ns < 0 ? 0 : ns / SECOND > last ? last : ns / SECOND;
    struct clock_date d = cms_clock_split((uint64_t)s);
    return (struct edf_date){(uint16_t)d.year, (uint8_t)d.month,  (uint8_t)d.day,
                             (uint8_t)d.hour,  (uint8_t)d.minute, (uint8_t)d.second};
}

/* ---- to the disk ----------------------------------------------------------------------------------------------- */

/* Nothing of what was changed is kept: the disk has the old file, or none. */
static void give_up_changes(struct mini_file *m)
{
    mini_unload(m);
    m->dirty = m->full = m->emptied = m->dated = false;
    m->changed = 0;
    m->removed |= m->fresh;
}

int mini_commit(struct mini_file *m)
{
    if (!m->dirty || m->removed)
        return 0;
    int status = m->full ? -ENOSPC : mini_store(m, &m->name);
    if (status)
        give_up_changes(m);
    return status;
}

static int mini_sync(struct node *n) { return mini_commit(mini_of(n)); }

/* ---- contents -------------------------------------------------------------------------------------------------- */

static int64_t mini_read(struct node *n, struct io *io, uint64_t offset)
{
    int status = mini_load(mini_of(n));
    return status ? status : pages_read(&mini_of(n)->pages, io, offset);
}

static void changed(struct mini_file *m)
{
    m->dirty = true;
    m->dated = false;
    m->changed = caller_time();
}

static int64_t mini_write(struct node *n, struct io *io, uint64_t offset)
{
    struct mini_file *m = mini_of(n);
    int status = m->full ? -ENOSPC : mini_load(m);
    if (status)
        return status;
    uint64_t end = offset + io->left, size = end > m->pages.size ? end : m->pages.size;
    if (end >= offset && io->left && !m->removed && !mini_has_room(m, size)) {
        m->full = m->dirty = true;
        return -ENOSPC;
    }
    changed(m);
    return pages_write(&m->pages, io, offset);
}

static int mini_truncate(struct node *n, uint64_t size)
{
    struct mini_file *m = mini_of(n);
    int status = 0;
    if (size || m->loaded)
        status = mini_load(m);
    if (status)
        return status;
    if (size > m->pages.size && !m->removed && !mini_has_room(m, size))
        return -ENOSPC;
    if (!size) {
        mini_unload(m);
        m->loaded = m->emptied = true;
        m->full = false;
    }
    changed(m);
    return pages_resize(&m->pages, size);
}

/* ---- facts ----------------------------------------------------------------------------------------------------- */

static void mini_stat(struct node *n, struct vfs_stat *s)
{
    struct mini_file *m = mini_of(n);
    uint64_t size = 0;
    int64_t ns = m->changed ? m->changed : mini_date_to_ns(&m->facts.date);
    mini_size(m, &size);
    s->size = (int64_t)size;
    s->blocks = (int64_t)((size + 511) / 512);
    s->links = !m->removed;
    s->access_s = s->change_s = s->status_s = ns / SECOND;
    s->access_ns = s->change_ns = s->status_ns = ns % SECOND;
}

static int mini_set_mode(struct node *n, uint32_t mode)
{
    struct mini_file *m = mini_of(n);
    bool program = mode & 0111, was = m->facts.mode_number == '2';
    struct edf_disk *disk = mini_disk(m);
    n->mode = (n->mode & ABI_S_IFMT) | (mode & 0777);
    if (program == was)
        return 0;
    m->facts.mode_number = program ? '2' : '1';
    if (m->fresh || m->removed)
        return 0;
    return disk ? mini_errno(edf_set_mode_number(disk, m->name.name, m->name.type, m->facts.mode_number)) : -EIO;
}

static int mini_set_times(struct node *n, const int64_t ns[2])
{
    struct mini_file *m = mini_of(n);
    struct edf_disk *disk = mini_disk(m);
    if (ns[1] == NODE_TIME_LEAVE)
        return 0;
    m->changed = ns[1];
    m->dated = true;
    if (m->dirty || m->fresh || m->removed)
        return 0; /* the commit sees to it */
    struct edf_date date = mini_date_of_ns(ns[1]);
    return disk ? mini_errno(edf_set_date(disk, m->name.name, m->name.type, &date)) : -EIO;
}

static void mini_forget(struct node *n)
{
    struct mini_file *m = mini_of(n);
    mini_commit(m); /* of a mapping, whose file was closed long ago */
    mini_unload(m);
    mini_unlist(m);
    cms_heap_free(m);
}

/* ---- mappings -------------------------------------------------------------------------------------------------- */

static struct mini_file *of_object(struct space_object *o)
{
    return (struct mini_file *)((char *)o - offsetof(struct mini_file, object));
}

static int object_page(struct space_object *o, uint64_t offset, bool write, void **frame)
{
    struct mini_file *m = of_object(o);
    int status = mini_load(m);
    if (status)
        return status;
    if (offset >= m->pages.size)
        return -ENXIO;
    status = pages_frame(&m->pages, offset / FRAME_SIZE, frame);
    if (status)
        return status;
    if (write)
        changed(m);
    cms_frame_share(*frame);
    return 0;
}

static void object_written(struct space_object *o, uint64_t offset, void *frame)
{
    (void)offset, (void)frame;
    changed(of_object(o));
}

static void object_hold(struct space_object *o) { node_hold(&of_object(o)->node); }

static void object_let_go(struct space_object *o) { node_let_go(&of_object(o)->node); }

const struct space_object_operations mini_object_operations = {
    .page = object_page, .written = object_written, .hold = object_hold, .let_go = object_let_go};

static int mini_map(struct node *n, struct space_object **object)
{
    node_hold(n);
    *object = &mini_of(n)->object;
    return 0;
}

const struct node_operations mini_operations = {
    .stat = mini_stat,
    .set_mode = mini_set_mode,
    .set_times = mini_set_times,
    .forget = mini_forget,
    .read = mini_read,
    .write = mini_write,
    .truncate = mini_truncate,
    .sync = mini_sync,
    .closed = mini_sync,
    .map = mini_map,
};
