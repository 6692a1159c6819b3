/* Calls that move bytes between files: sendfile(2), copy_file_range(2), splice(2), tee(2). */
#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/syscall/user.h"
#include "cms/vfs/node.h"
#include "cms/vfs/pipe.h"

enum { PIECE = 4096 };

/* What a call moves, and between what; the offsets are what the program has at these addresses, 0: the file's own
 * position counts. */
struct move {
    struct file *from, *to;
    uint64_t from_address, to_address, from_at, to_at, bytes;
};

static int64_t move_piece(struct move *m, char *piece, size_t bytes)
{
    struct io_buffer io;
    io_buffer_begin(&io, piece, bytes);
    int64_t n = m->from_address ? file_read_at(m->from, &io.io, m->from_at) : file_read(m->from, &io.io);
    if (n <= 0)
        return n;
    io_buffer_begin(&io, piece, (size_t)n);
    int64_t written = m->to_address ? file_write_at(m->to, &io.io, m->to_at) : file_write(m->to, &io.io);
    if (m->from_address && written > 0)
        m->from_at += (uint64_t)written;
    else if (!m->from_address && m->from->seekable && written < n) /* what was not written is read again */
        m->from->position -= (uint64_t)(n - (written > 0 ? written : 0));
    if (m->to_address && written > 0)
        m->to_at += (uint64_t)written;
    return written;
}

static int64_t move(struct move *m)
{
    char *piece = cms_heap_allocate(PIECE);
    int64_t done = 0, n = 1;
    if (!piece)
        return -ENOMEM;
    while (n > 0 && (uint64_t)done < m->bytes) {
        uint64_t left = m->bytes - (uint64_t)done;
        n = cms_work();
        if (!n)
            n = move_piece(m, piece, left < PIECE ? (size_t)left : PIECE);
        if (n > 0)
            done += n;
    }
    cms_heap_free(piece);
    return done || n > 0 ? done : n;
}

/* ---- what all of them look at ------------------------------------------------------------------------------------ */

static bool opened_to(const struct file *f, unsigned not)
{
    return !(f->flags & ABI_O_PATH) && (f->flags & ABI_O_ACCMODE) != not;
}

static int begin(struct move *m, uint64_t from, uint64_t from_address, uint64_t to, uint64_t to_address)
{
    *m = (struct move){.from = user_file(from), .to = user_file(to), .from_address = from_address,
                       .to_address = to_address};
    if (!m->from || !m->to)
        return -EBADF;
    if (from_address && copy_in(&m->from_at, from_address, sizeof m->from_at))
        return -EFAULT;
    return to_address && copy_in(&m->to_at, to_address, sizeof m->to_at) ? -EFAULT : 0;
}

static bool may(const struct move *m) { return opened_to(m->from, ABI_O_WRONLY) && opened_to(m->to, ABI_O_RDONLY); }

static int64_t finish(struct move *m, int64_t n)
{
    if (n > 0 && m->from_address && copy_out(m->from_address, &m->from_at, sizeof m->from_at))
        n = -EFAULT;
    if (n > 0 && m->to_address && copy_out(m->to_address, &m->to_at, sizeof m->to_at))
        n = -EFAULT;
    if (m->from)
        file_let_go(m->from);
    if (m->to)
        file_let_go(m->to);
    return n;
}

static bool is_directory(const struct file *f) { return f->operations->next_entry; }
static bool is_pipe(const struct file *f) { return pipe_size(f) >= 0; }
static bool appends(const struct file *f) { return f->flags & ABI_O_APPEND; }

/* ---- sendfile ---------------------------------------------------------------------------------------------------- */

static int judge_sending(const struct move *m)
{
    if (!may(m))
        return -EBADF;
    if (m->from_address && !m->from->seekable)
        return -ESPIPE;
    if ((int64_t)m->from_at < 0 || (int64_t)m->bytes < 0)
        return -EINVAL;
    return is_pipe(m->from) || is_directory(m->from) || (appends(m->to) && m->to->seekable) ? -EINVAL : 0;
}

int64_t call_sendfile(const struct call *c)
{
    struct move m;
    int64_t n = begin(&m, c->argument[1], c->argument[2], c->argument[0], 0);
    m.bytes = c->argument[3];
    if (!n)
        n = judge_sending(&m);
    if (m.bytes > INT32_MAX)
        m.bytes = INT32_MAX;
    return finish(&m, n ? n : move(&m));
}

/* ---- copy_file_range --------------------------------------------------------------------------------------------- */

static uint64_t size_of(struct file *f)
{
    struct vfs_stat s = {0};
    return f->operations->stat && !f->operations->stat(f, &s) ? (uint64_t)s.size : 0;
}

static bool are_same(const struct file *f, const struct file *g) { return node_of(f) && node_of(f) == node_of(g); }

/* A range cannot be copied to where it is itself. */
static int judge_copy(struct move *m)
{
    if (is_directory(m->from) || is_directory(m->to))
        return -EISDIR;
    if (!m->from->seekable || !m->to->seekable)
        return -EINVAL;
    if (!may(m) || appends(m->to))
        return -EBADF;
    uint64_t from = m->from_address ? m->from_at : m->from->position, size = size_of(m->from);
    uint64_t to = m->to_address ? m->to_at : m->to->position;
    if (from + m->bytes < from || to + m->bytes < to)
        return -EOVERFLOW;
    if ((int64_t)from < 0 || (int64_t)to < 0)
        return -EINVAL;
    if (m->bytes > INT32_MAX)
        m->bytes = INT32_MAX;
    uint64_t there = from < size ? size - from : 0, moved = there < m->bytes ? there : m->bytes;
    return are_same(m->from, m->to) && to + moved > from && to < from + moved ? -EINVAL : 0;
}

int64_t call_copy_file_range(const struct call *c)
{
    struct move m;
    int64_t n = begin(&m, c->argument[0], c->argument[1], c->argument[2], c->argument[3]);
    m.bytes = c->argument[4];
    if (!n && c->argument[5])
        n = -EINVAL;
    if (!n)
        n = judge_copy(&m);
    return finish(&m, n ? n : move(&m));
}

/* ---- splice, tee ------------------------------------------------------------------------------------------------- */

enum { SPLICE_NONBLOCK = 2, SPLICE_KNOWN = 15 };

static int judge_splice(const struct move *m)
{
    bool from = is_pipe(m->from), to = is_pipe(m->to);
    if (!may(m))
        return -EBADF;
    if ((from && m->from_address) || (to && m->to_address))
        return -ESPIPE;
    if ((!from && !to) || (from && to && pipe_is_same(m->from, m->to)))
        return -EINVAL;
    if ((m->from_address && !m->from->seekable) || (m->to_address && !m->to->seekable) || (!to && appends(m->to)))
        return -EINVAL;
    if (!to && !m->to->seekable && m->to->flags & ABI_O_NONBLOCK) /* what it does not take would be lost */
        return -EINVAL;
    return is_directory(m->from) || (int64_t)m->from_at < 0 || (int64_t)m->to_at < 0 ? -EINVAL : 0;
}

/* Waits until what is a pipe has bytes, and room. 1: so it is, and `bytes` are no more than what moves without a wait;
 * 0: there will be none. */
static int ready(struct move *m, bool waits)
{
    for (;;) {
        int status = is_pipe(m->from) ? pipe_await_bytes(m->from, waits, &m->bytes) : 1;
        if (status <= 0)
            return status;
        status = is_pipe(m->to) ? pipe_await_room(m->to, waits, &m->bytes) : 1;
        if (status)
            return status;
    } /* it was waited for room, and others may have read meanwhile */
}

int64_t call_splice(const struct call *c)
{
    struct move m;
    bool waits = !(c->argument[5] & SPLICE_NONBLOCK);
    if (c->argument[5] & ~(uint64_t)SPLICE_KNOWN)
        return -EINVAL;
    if (!c->argument[4])
        return 0;
    int64_t n = begin(&m, c->argument[0], c->argument[1], c->argument[2], c->argument[3]);
    m.bytes = c->argument[4] < INT32_MAX ? c->argument[4] : INT32_MAX;
    if (!n)
        n = judge_splice(&m);
    if (!n)
        n = ready(&m, waits);
    return finish(&m, n > 0 ? move(&m) : n);
}

int64_t call_tee(const struct call *c)
{
    struct move m;
    if (c->argument[3] & ~(uint64_t)SPLICE_KNOWN)
        return -EINVAL;
    if (!c->argument[2])
        return 0;
    int64_t n = begin(&m, c->argument[0], 0, c->argument[1], 0);
    m.bytes = c->argument[2] < INT32_MAX ? c->argument[2] : INT32_MAX;
    if (!n && !may(&m))
        n = -EBADF;
    if (!n && (!is_pipe(m.from) || !is_pipe(m.to) || pipe_is_same(m.from, m.to)))
        n = -EINVAL;
    if (!n)
        n = ready(&m, !(c->argument[3] & SPLICE_NONBLOCK));
    return finish(&m, n > 0 ? pipe_copy(m.from, m.to, m.bytes) : n);
}

/* What is read ahead is read when it is wanted. */
int64_t call_readahead(const struct call *c)
{
    struct file *f = files_get(my_files(), (unsigned)c->argument[0]);
    return !f || !opened_to(f, ABI_O_WRONLY) ? -EBADF : f->seekable ? 0 : -EINVAL;
}
