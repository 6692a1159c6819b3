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

int mini_commit(struct mini_file *m) { return m->dirty && !m->removed ? mini_store(m, &m->name) : 0; }

void mini_give_up(struct mini_file *m)
{
    mini_unload(m);
    mini_promise_nothing(m);
    m->dirty = m->emptied = m->dated = false;
    m->changed = 0;
    m->removed |= m->fresh;
}

static int mini_sync(struct node *n) { return mini_commit(mini_of(n)); }

/* ---- contents -------------------------------------------------------------------------------------------------- */

static bool is_cut_off(const struct mini_file *m) { return !m->removed && !mini_disk(m); }

static int64_t mini_read(struct node *n, struct io *io, uint64_t offset)
{
    int status = is_cut_off(mini_of(n)) ? -EIO : mini_load(mini_of(n));
    return status ? status : pages_read(&mini_of(n)->pages, io, offset);
}

static void changed(struct mini_file *m)
{
    m->dirty = true;
    m->dated = false;
    m->changed = caller_time();
}

/* The newlines of a range within one page, as far as that is in storage. */
static int64_t lines_in(const struct mini_file *m, uint64_t offset, size_t bytes)
{
    const char *at = pages_look(&m->pages, offset / FRAME_SIZE);
    int64_t lines = 0;
    for (size_t i = 0; at && i < bytes; i++)
        lines += at[offset % FRAME_SIZE + i] == '\n';
    return lines;
}

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* What goes into one page. Room is promised before, as if all of it were newlines. */
static int64_t write_piece(struct mini_file *m, struct io *io, uint64_t offset)
{
    size_t room = FRAME_SIZE - offset % FRAME_SIZE, part = io->left < room ? io->left : room, rest = io->left - part;
    int64_t had = lines_in(m, offset, part), n = -EFBIG;
    if (offset < PAGES_SIZE_MAX)
        n = mini_promise(m, larger(m->pages.size, offset + part), m->lines - had + (int64_t)part);
    if (n)
        return n;
    io->left = part;
    n = pages_write(&m->pages, io, offset);
    io->left += rest;
    m->lines += lines_in(m, offset, part) - had;
    mini_promise(m, m->pages.size, m->lines);
    if (n > 0)
        changed(m);
    return n;
}

static int64_t mini_write(struct node *n, struct io *io, uint64_t offset)
{
    struct mini_file *m = mini_of(n);
    int status = is_cut_off(m) ? -EIO : mini_load(m);
    int64_t done = 0, part = 1;
    if (status)
        return status;
    while (io->left && part > 0) {
        size_t left = io->left;
        part = write_piece(m, io, offset + (uint64_t)done);
        done += part > 0 ? part : 0;
        if (part > 0 && (size_t)part < left && (offset + (uint64_t)done) % FRAME_SIZE)
            break; /* the program's own storage ended there */
    }
    return done ? done : part < 0 ? part : 0;
}

static void count_lines(struct mini_file *m)
{
    m->lines = 0;
    for (uint64_t at = 0; at < m->pages.size; at += FRAME_SIZE)
        m->lines += lines_in(m, at, FRAME_SIZE);
}

static int mini_truncate(struct node *n, uint64_t size)
{
    struct mini_file *m = mini_of(n);
    int status = is_cut_off(m) ? -EIO : 0;
    if (!status && (size || m->loaded))
        status = mini_load(m);
    if (!status && size > m->pages.size)
        status = mini_promise(m, size, m->lines);
    if (status)
        return status;
    bool shorter = size < m->pages.size;
    if (!size) {
        mini_unload(m);
        m->loaded = m->emptied = true;
    }
    status = pages_resize(&m->pages, size);
    if (shorter || !size)
        count_lines(m);
    if (!status)
        changed(m);
    int promised = mini_promise(m, m->pages.size, m->lines);
    return status ? status : promised;
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
    int error = mini_commit(m); /* of a mapping, whose file was closed long ago; or once more */
    if (error)
        mini_lost(m, error);
    mini_promise_nothing(m);
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
    if (write) { /* nobody counts the newlines that come */
        status = mini_promise(m, m->pages.size, m->lines + FRAME_SIZE);
        if (status)
            return status;
        m->lines += FRAME_SIZE;
    }
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
