/* What all kinds of files have in common: users, positions, the rules of O_APPEND and of what may be read. */
#include "cms/vfs/file.h"

#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/lock.h"

struct file *file_make(const struct file_operations *operations, void *own, uint32_t flags)
{
    struct file *f = cms_heap_allocate(sizeof *f);
    if (f)
        *f = (struct file){.operations = operations, .own = own, .users = 1, .flags = flags & ~(uint32_t)ABI_O_OPENING};
    return f;
}

void file_hold(struct file *f) { f->users++; }

void file_watch(struct file *f, struct file_watch *w)
{
    w->file = f;
    w->next = f->watches;
    f->watches = w;
}

void file_watch_ends(struct file_watch *w)
{
    struct file_watch **at = &w->file->watches;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

int file_let_go(struct file *f)
{
    if (--f->users)
        return 0;
    for (struct file_watch *w; (w = f->watches);) {
        f->watches = w->next;
        w->gone(w);
    }
    lock_file_closed(f);
    int status = f->operations->last_close ? f->operations->last_close(f) : 0;
    cms_heap_free(f);
    return status;
}

static bool may(const struct file *f, unsigned other)
{
    return !(f->flags & ABI_O_PATH) && (f->flags & ABI_O_ACCMODE) != other;
}

int64_t file_read_at(struct file *f, struct io *io, uint64_t offset)
{
    if (!may(f, ABI_O_WRONLY))
        return -EBADF;
    if (!f->operations->read)
        return f->operations->next_entry ? -EISDIR : -EINVAL;
    file_hold(f);
    int64_t n = f->operations->read(f, io, offset);
    file_let_go(f);
    return n;
}

/* With O_APPEND all writes go to the end, pwrite's too: so does Linux. */
static uint64_t append_at(struct file *f, uint64_t offset, bool wanted)
{
    struct vfs_stat s = {0};
    bool appends = (wanted || f->flags & ABI_O_APPEND) && f->seekable && f->operations->stat &&
                   !f->operations->stat(f, &s);
    return appends ? (uint64_t)s.size : offset;
}

static int64_t write_at(struct file *f, struct io *io, uint64_t offset, bool append)
{
    if (!may(f, ABI_O_RDONLY))
        return -EBADF;
    if (!f->operations->write)
        return -EINVAL;
    if (f->seekable && offset > INT64_MAX - io->left)
        return -EINVAL;
    offset = append_at(f, offset, append);
    file_hold(f);
    int64_t n = f->operations->write(f, io, offset);
    file_let_go(f);
    return n;
}

int64_t file_read(struct file *f, struct io *io)
{
    file_hold(f);
    int64_t n = file_read_at(f, io, f->position);
    if (n > 0 && f->seekable)
        f->position += (uint64_t)n;
    file_let_go(f);
    return n;
}

int64_t file_write_at(struct file *f, struct io *io, uint64_t offset) { return write_at(f, io, offset, false); }

static int64_t write_on(struct file *f, struct io *io, bool append)
{
    file_hold(f);
    f->position = append_at(f, f->position, append);
    int64_t n = write_at(f, io, f->position, append);
    if (n > 0 && f->seekable)
        f->position += (uint64_t)n;
    file_let_go(f);
    return n;
}

int64_t file_write(struct file *f, struct io *io) { return write_on(f, io, false); }

int64_t file_append(struct file *f, struct io *io, bool moves)
{
    return moves ? write_on(f, io, true) : write_at(f, io, 0, true);
}
