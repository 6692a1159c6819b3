/* Reading and writing at a place of a file, and which place that is. */
#include <errno.h>

#include "cms/syscall/user.h"
#include "cms/vfs/pipe.h"

enum direction { READ, WRITE };
enum { RWF_APPEND = 0x10, RWF_KNOWN = 0x17 }; /* not RWF_NOWAIT: it cannot be told what would wait */
static const int64_t AT_POSITION = -1;

/* A call's transfer, at `offset` or the file's own position. */
static int64_t transfer(struct file *f, struct user_io *u, enum direction direction, int64_t offset)
{
    if (offset == AT_POSITION)
        return direction == READ ? file_read(f, &u->io) : file_write(f, &u->io);
    if (offset < 0)
        return -EINVAL;
    if (!f->seekable && !f->operations->seek)
        return -ESPIPE;
    return direction == READ ? file_read_at(f, &u->io, (uint64_t)offset) : file_write_at(f, &u->io, (uint64_t)offset);
}

static int64_t one(const struct call *c, enum direction direction, bool at)
{
    struct user_io u;
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    user_io_range(&u, c->argument[1], c->argument[2]);
    int64_t n = at && (int64_t)c->argument[3] < 0
                    ? -EINVAL
                    : transfer(f, &u, direction, at ? (int64_t)c->argument[3] : AT_POSITION);
    file_let_go(f);
    return n;
}

static int64_t many(const struct call *c, enum direction direction, int64_t offset)
{
    struct user_io u;
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    int64_t n = user_io_list(&u, c->argument[1], c->argument[2]);
    if (!n)
        n = transfer(f, &u, direction, offset);
    file_let_go(f);
    return n;
}

/* preadv and the like have the offset in two halves, the first of which is all of it here. */
static int64_t many_at(const struct call *c, enum direction direction)
{
    int64_t offset = (int64_t)c->argument[3];
    return offset < 0 ? -EINVAL : many(c, direction, offset);
}

/* RWF_APPEND is O_APPEND for one call; at an offset the position stays. */
static int64_t append(const struct call *c)
{
    struct user_io u;
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    int64_t n = user_io_list(&u, c->argument[1], c->argument[2]);
    if (!n && (int64_t)c->argument[3] < AT_POSITION)
        n = -EINVAL;
    if (!n)
        n = file_append(f, &u.io, (int64_t)c->argument[3] == AT_POSITION);
    file_let_go(f);
    return n;
}

static int64_t many_at_2(const struct call *c, enum direction direction)
{
    if (c->argument[5] & ~(uint64_t)RWF_KNOWN)
        return -EOPNOTSUPP;
    if (c->argument[5] & RWF_APPEND && direction == WRITE)
        return append(c);
    return (int64_t)c->argument[3] == AT_POSITION ? many(c, direction, AT_POSITION) : many_at(c, direction);
}

/* To a pipe, or from one. */
int64_t call_vmsplice(const struct call *c)
{
    enum { NONBLOCK = 2, KNOWN = 15 };
    uint64_t bytes = INT32_MAX;
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    bool reads = (f->flags & ABI_O_ACCMODE) == ABI_O_RDONLY, waits = !(c->argument[3] & NONBLOCK);
    int64_t n = c->argument[3] & ~(uint64_t)KNOWN ? -EINVAL : pipe_size(f) < 0 ? -EBADF : 1;
    if (n > 0 && !waits && c->argument[2])
        n = reads ? pipe_await_bytes(f, false, &bytes) : pipe_await_room(f, false, &bytes);
    file_let_go(f);
    return n > 0 ? many(c, reads ? READ : WRITE, AT_POSITION) : n;
}

int64_t call_read(const struct call *c) { return one(c, READ, false); }
int64_t call_write(const struct call *c) { return one(c, WRITE, false); }
int64_t call_pread64(const struct call *c) { return one(c, READ, true); }
int64_t call_pwrite64(const struct call *c) { return one(c, WRITE, true); }
int64_t call_readv(const struct call *c) { return many(c, READ, AT_POSITION); }
int64_t call_writev(const struct call *c) { return many(c, WRITE, AT_POSITION); }
int64_t call_preadv(const struct call *c) { return many_at(c, READ); }
int64_t call_pwritev(const struct call *c) { return many_at(c, WRITE); }
int64_t call_preadv2(const struct call *c) { return many_at_2(c, READ); }
int64_t call_pwritev2(const struct call *c) { return many_at_2(c, WRITE); }

/* ---- position ---------------------------------------------------------------------------------------------------- */

static int64_t size_of(struct file *f)
{
    struct vfs_stat s = {0};
    int status = f->operations->stat ? f->operations->stat(f, &s) : 0;
    return status ? status : s.size;
}

/* A file is one piece of data, and a hole behind it. */
static int64_t seek_data(int64_t size, int64_t offset, int whence)
{
    if (offset < 0 || offset >= size)
        return -ENXIO;
    return whence == ABI_SEEK_DATA ? offset : size;
}

static int64_t seek(struct file *f, int64_t offset, uint64_t whence)
{
    int64_t base = 0, to;
    if (f->flags & ABI_O_PATH)
        return -EBADF;
    if (f->operations->seek)
        return f->operations->seek(f, offset, (int)whence);
    if (!f->seekable)
        return -ESPIPE;
    if (whence == ABI_SEEK_CUR)
        base = (int64_t)f->position;
    else if (whence != ABI_SEEK_SET)
        base = size_of(f);
    if (base < 0)
        return base;
    if (whence == ABI_SEEK_DATA || whence == ABI_SEEK_HOLE)
        to = seek_data(base, offset, (int)whence);
    else if (whence > ABI_SEEK_END || __builtin_add_overflow(base, offset, &to))
        return -EINVAL;
    else if (to < 0)
        return -EINVAL;
    if (to >= 0)
        f->position = (uint64_t)to;
    return to;
}

int64_t call_lseek(const struct call *c)
{
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    int64_t at = seek(f, (int64_t)c->argument[1], (uint32_t)c->argument[2]);
    file_let_go(f);
    return at;
}
