/* An end is the reader of one pipe and the writer of another. */
#include "cms/vfs/pair.h"

#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/caller.h"
#include "cms/vfs/pipe.h"
#include "cms/vfs/vfs.h"

struct pair_end {
    struct file *in, *out; /* NULL: shut */
    uint64_t number;
};

static struct pair_end *end_of(const struct file *f) { return f->own; }

/* Whether an end waits is said of it, not of what it is made of. */
static struct file *as(struct file *part, const struct file *f)
{
    part->flags = (part->flags & ~(uint32_t)ABI_O_NONBLOCK) | (f->flags & ABI_O_NONBLOCK);
    return part;
}

static int64_t pair_read(struct file *f, struct io *io, uint64_t offset)
{
    struct pair_end *e = end_of(f);
    int64_t n = e->in ? file_read_at(as(e->in, f), io, offset) : 0;
    return n == -EAGAIN && !e->in ? 0 : n; /* it was shut meanwhile */
}

static int64_t pair_write(struct file *f, struct io *io, uint64_t offset)
{
    struct pair_end *e = end_of(f);
    int64_t n = e->out ? file_write_at(as(e->out, f), io, offset) : -EAGAIN;
    if (e->out || n != -EAGAIN)
        return n;
    caller_signal(ABI_SIGPIPE);
    return -EPIPE;
}

/* At an end of file a read does not wait, and so it is told; and so is a write that would fail. */
static unsigned pair_poll(struct file *f, struct wait_queue **queue)
{
    struct pair_end *e = end_of(f);
    const unsigned all_read = ABI_POLLIN | ABI_POLLRDNORM | ABI_POLLRDHUP;
    struct wait_queue *other = NULL;
    unsigned in = e->in ? e->in->operations->poll(e->in, queue) : ABI_POLLHUP;
    unsigned out = e->out ? e->out->operations->poll(e->out, &other) : ABI_POLLERR;
    if (!e->in)
        *queue = other;
    bool no_more = in & ABI_POLLHUP, broken = out & ABI_POLLERR;
    return (in & ~(unsigned)ABI_POLLHUP) | (no_more ? all_read : 0) | (no_more && broken ? ABI_POLLHUP : 0) |
           (broken ? ABI_POLLOUT | ABI_POLLWRNORM : out);
}

static struct wait_queue *pair_poll_also(struct file *f)
{
    struct wait_queue *queue = NULL;
    struct pair_end *e = end_of(f);
    if (e->in && e->out)
        e->out->operations->poll(e->out, &queue);
    return queue;
}

static int pair_stat(struct file *f, struct vfs_stat *s)
{
    *s = (struct vfs_stat){.device = 9, .number = end_of(f)->number, .links = 1, .mode = ABI_S_IFSOCK | 0777,
                           .block_size = 4096};
    return 0;
}

static int64_t pair_control(struct file *f, struct space *space, unsigned request, uint64_t argument)
{
    struct pair_end *e = end_of(f);
    return e->in ? e->in->operations->control(e->in, space, request, argument) : -ENOTTY;
}

/* Who waits there for the other end waits no more. */
static void shut(struct file **part)
{
    struct file *f = *part;
    struct wait_queue *queue;
    *part = NULL;
    if (!f)
        return;
    f->flags |= ABI_O_NONBLOCK;
    f->operations->poll(f, &queue);
    cms_wake(queue);
    file_let_go(f);
}

static int pair_close(struct file *f)
{
    struct pair_end *e = end_of(f);
    shut(&e->in);
    shut(&e->out);
    cms_heap_free(e);
    return 0;
}

static const struct file_operations operations = {
    .read = pair_read, .write = pair_write, .control = pair_control, .poll = pair_poll, .poll_also = pair_poll_also,
    .stat = pair_stat, .last_close = pair_close};

static struct file *make_end(struct file *in, struct file *out, uint32_t flags)
{
    static uint64_t last;
    struct pair_end *e = in && out ? cms_heap_allocate(sizeof *e) : NULL;
    struct file *f = e ? file_make(&operations, e, ABI_O_RDWR | (flags & ABI_O_NONBLOCK)) : NULL;
    if (f) {
        *e = (struct pair_end){in, out, ++last};
        return f;
    }
    cms_heap_free(e);
    shut(&in);
    shut(&out);
    return NULL;
}

int vfs_pair(struct file *ends[2], uint32_t flags)
{
    struct file *there[2] = {NULL}, *back[2] = {NULL};
    int status = vfs_pipe(there, 0);
    if (!status)
        status = vfs_pipe(back, 0);
    ends[0] = make_end(back[0], there[1], flags);
    ends[1] = make_end(there[0], back[1], flags);
    for (int i = 0; i < 2 && (!ends[0] || !ends[1]); i++) {
        shut(&ends[i]);
        status = -ENOMEM;
    }
    return status;
}

bool pair_is_end(const struct file *f) { return f->operations == &operations; }

void pair_shut(struct file *f, bool reading, bool writing)
{
    struct pair_end *e = end_of(f);
    if (reading)
        shut(&e->in);
    if (writing)
        shut(&e->out);
}

bool pair_is_broken(const struct file *f)
{
    struct wait_queue *queue;
    struct pair_end *e = end_of(f);
    return !e->out || e->out->operations->poll(e->out, &queue) & ABI_POLLERR;
}
