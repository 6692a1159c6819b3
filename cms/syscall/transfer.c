/* Reading and writing, and what moves bytes between files. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/syscall/user.h"

enum direction { READ, WRITE };
enum { PIECE = 4096, RWF_KNOWN = 0x1f };
static const int64_t AT_POSITION = -1;

/* A call's transfer, at `offset` or the file's own position. */
static int64_t transfer(struct file *f, struct user_io *u, enum direction direction, int64_t offset)
{
    if (offset == AT_POSITION)
        return direction == READ ? file_read(f, &u->io) : file_write(f, &u->io);
    if (offset < 0)
        return -EINVAL;
    if (!f->seekable)
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

static int64_t many_at_2(const struct call *c, enum direction direction)
{
    if (c->argument[5] & ~(uint64_t)RWF_KNOWN)
        return -EOPNOTSUPP;
    return (int64_t)c->argument[3] == AT_POSITION ? many(c, direction, AT_POSITION) : many_at(c, direction);
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
        return whence > ABI_SEEK_END ? -EINVAL : -EOVERFLOW;
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

/* ---- between files ----------------------------------------------------------------------------------------------- */

static int64_t move_piece(struct file *from, uint64_t *from_at, struct file *to, uint64_t *to_at, char *piece,
                          size_t bytes)
{
    struct io_buffer io;
    io_buffer_begin(&io, piece, bytes);
    int64_t n = from_at ? file_read_at(from, &io.io, *from_at) : file_read(from, &io.io);
    if (n <= 0)
        return n;
    io_buffer_begin(&io, piece, (size_t)n);
    int64_t written = to_at ? file_write_at(to, &io.io, *to_at) : file_write(to, &io.io);
    if (from_at && written > 0)
        *from_at += (uint64_t)written;
    else if (from->seekable && written < n) /* what was not written is read again */
        from->position -= (uint64_t)(n - (written > 0 ? written : 0));
    if (to_at && written > 0)
        *to_at += (uint64_t)written;
    return written;
}

static int64_t move(struct file *from, uint64_t *from_at, struct file *to, uint64_t *to_at, uint64_t bytes)
{
    char *piece = cms_heap_allocate(PIECE);
    int64_t done = 0, n = 1;
    if (!piece)
        return -ENOMEM;
    while (n > 0 && (uint64_t)done < bytes) {
        uint64_t left = bytes - (uint64_t)done;
        n = cms_work();
        if (!n)
            n = move_piece(from, from_at, to, to_at, piece, left < PIECE ? (size_t)left : PIECE);
        if (n > 0)
            done += n;
    }
    cms_heap_free(piece);
    return done ? done : n;
}

/* An offset that the caller may have given by its address; false: there is none, and the position counts. */
static int get_offset(uint64_t address, uint64_t *offset)
{
    int status = address ? copy_in(offset, address, sizeof *offset) : 0;
    return status ? status : address && (int64_t)*offset < 0 ? -EINVAL : 0;
}

static int64_t move_call(uint64_t from_descriptor, uint64_t from_address, uint64_t to_descriptor, uint64_t to_address,
                         uint64_t bytes)
{
    uint64_t from_at = 0, to_at = 0;
    struct file *from = user_file(from_descriptor), *to = user_file(to_descriptor);
    int64_t n = from && to ? get_offset(from_address, &from_at) : -EBADF;
    if (!n)
        n = get_offset(to_address, &to_at);
    if (!n)
        n = move(from, from_address ? &from_at : NULL, to, to_address ? &to_at : NULL,
                 bytes < INT32_MAX ? bytes : INT32_MAX);
    if (n > 0 && from_address && copy_out(from_address, &from_at, sizeof from_at))
        n = -EFAULT;
    if (n > 0 && to_address && copy_out(to_address, &to_at, sizeof to_at))
        n = -EFAULT;
    if (from)
        file_let_go(from);
    if (to)
        file_let_go(to);
    return n;
}

int64_t call_sendfile(const struct call *c)
{
    return move_call(c->argument[1], c->argument[2], c->argument[0], 0, c->argument[3]);
}

int64_t call_copy_file_range(const struct call *c)
{
    struct file *from = files_get(my_files(), (unsigned)c->argument[0]);
    struct file *to = files_get(my_files(), (unsigned)c->argument[2]);
    if (c->argument[5] || (from && !from->seekable) || (to && !to->seekable))
        return -EINVAL;
    return move_call(c->argument[0], c->argument[1], c->argument[2], c->argument[3], c->argument[4]);
}
