/* Pipes: pipe(7). A ring of frames that come as they are needed; both ends are open files over it. */
#include "cms/vfs/pipe.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cms/vfs/caller.h"
#include "cms/vfs/node.h"
#include "cms/vfs/vfs.h"

enum { PIPE_FRAMES = 16, PIPE_SIZE = PIPE_FRAMES * FRAME_SIZE, PIPE_BUF = 4096 };

struct pipe {
    unsigned readers, writers; /* open files of each end */
    uint64_t number;
    uint64_t head, tail; /* free-running: written at head, read at tail */
    void *frame[PIPE_FRAMES];
    struct wait_queue to_read, to_write;
};

static size_t used(const struct pipe *p) { return (size_t)(p->head - p->tail); }

/* The bytes at a position that follow one another in one frame. */
static char *place(struct pipe *p, uint64_t at, size_t *bytes)
{
    size_t offset = at % FRAME_SIZE;
    if (*bytes > FRAME_SIZE - offset)
        *bytes = FRAME_SIZE - offset;
    return (char *)p->frame[at / FRAME_SIZE % PIPE_FRAMES] + offset;
}

static void drop_frame(struct pipe *p, uint64_t at)
{
    void **frame = &p->frame[at / FRAME_SIZE % PIPE_FRAMES];
    if (*frame)
        cms_frame_give(*frame);
    *frame = NULL;
}

/* Once all is read, the next byte is written at the beginning of a frame, and none is kept. */
static void settle(struct pipe *p)
{
    if (used(p))
        return;
    drop_frame(p, p->tail);
    p->head = p->tail = 0;
}

static int64_t take_out(struct pipe *p, struct io *io)
{
    int64_t done = 0;
    while (io->left && used(p)) {
        size_t part = used(p) < io->left ? used(p) : io->left;
        const char *from = place(p, p->tail, &part);
        if (io->put(io, from, part))
            return done ? done : -EFAULT;
        p->tail += part;
        done += (int64_t)part;
        if (p->tail % FRAME_SIZE == 0)
            drop_frame(p, p->tail - 1);
    }
    settle(p);
    return done;
}

static int64_t pipe_read(struct file *f, struct io *io, uint64_t offset)
{
    struct pipe *p = f->own;
    (void)offset;
    while (io->left && !used(p)) {
        if (!p->writers)
            return 0;
        if (f->flags & ABI_O_NONBLOCK)
            return -EAGAIN;
        int status = cms_wait(&p->to_read, WAIT_FOR_EVER);
        if (status)
            return status;
    }
    int64_t n = take_out(p, io);
    if (n > 0)
        cms_wake(&p->to_write);
    return n;
}

static int64_t put_in(struct pipe *p, struct io *io)
{
    int64_t done = 0;
    while (io->left && used(p) < PIPE_SIZE) {
        void **frame = &p->frame[p->head / FRAME_SIZE % PIPE_FRAMES];
        if (p->head % FRAME_SIZE == 0 && used(p) > PIPE_SIZE - FRAME_SIZE)
            break; /* the frame's old bytes are not all read yet */
        if (!*frame && !(*frame = cms_frame_take()))
            return done ? done : -ENOMEM;
        size_t part = PIPE_SIZE - used(p) < io->left ? PIPE_SIZE - used(p) : io->left;
        char *to = place(p, p->head, &part);
        if (io->take(io, to, part))
            return done ? done : -EFAULT;
        p->head += part;
        done += (int64_t)part;
    }
    return done;
}

/* What is left of the oldest frame is no room: its old bytes are not all read yet. */
static size_t room(const struct pipe *p) { return PIPE_SIZE - (p->head - p->tail / FRAME_SIZE * FRAME_SIZE); }
static bool has_room(const struct pipe *p, size_t bytes) { return room(p) >= bytes; }

static int64_t broken(int64_t done)
{
    if (done)
        return done;
    caller_signal(ABI_SIGPIPE);
    return -EPIPE;
}

/* Up to PIPE_BUF bytes go in together or not at all. */
static int64_t pipe_write(struct file *f, struct io *io, uint64_t offset)
{
    struct pipe *p = f->own;
    int64_t done = 0;
    size_t together = io->left <= PIPE_BUF ? io->left : 1;
    (void)offset;
    while (io->left) {
        if (!p->readers)
            return broken(done);
        int64_t n = has_room(p, together) ? put_in(p, io) : 0;
        if (n < 0)
            return done ? done : n;
        if (n)
            cms_wake(&p->to_read);
        done += n;
        if (!io->left)
            break;
        if (f->flags & ABI_O_NONBLOCK)
            return done ? done : -EAGAIN;
        if (has_room(p, together) && n)
            continue;
        int status = cms_wait(&p->to_write, WAIT_FOR_EVER);
        if (status)
            return done ? done : status;
    }
    return done;
}

static unsigned poll_to_read(struct file *f, struct wait_queue **queue)
{
    struct pipe *p = f->own;
    *queue = &p->to_read;
    return (used(p) ? ABI_POLLIN | ABI_POLLRDNORM : 0) | (p->writers ? 0 : ABI_POLLHUP);
}

static unsigned poll_to_write(struct file *f, struct wait_queue **queue)
{
    struct pipe *p = f->own;
    *queue = &p->to_write;
    return (has_room(p, PIPE_BUF) ? ABI_POLLOUT | ABI_POLLWRNORM : 0) | (p->readers ? 0 : ABI_POLLERR);
}

static int pipe_stat(struct file *f, struct vfs_stat *s)
{
    struct pipe *p = f->own;
    *s = (struct vfs_stat){
        .device = 8, .number = p->number, .links = 1, .mode = ABI_S_IFIFO | 0600, .block_size = FRAME_SIZE};
    return 0;
}

enum { FIONREAD = 0x541b };

static int64_t pipe_control(struct file *f, struct space *space, unsigned request, uint64_t argument)
{
    int32_t bytes = (int32_t)used(f->own);
    return request == FIONREAD ? space_copy_out(space, argument, &bytes, sizeof bytes) : -ENOTTY;
}

static int close_end(struct pipe *p, unsigned *users)
{
    --*users;
    cms_wake(&p->to_read);
    cms_wake(&p->to_write);
    if (p->readers || p->writers)
        return 0;
    cms_wait_end(&p->to_read);
    cms_wait_end(&p->to_write);
    for (unsigned i = 0; i < PIPE_FRAMES; i++)
        if (p->frame[i])
            cms_frame_give(p->frame[i]);
    cms_heap_free(p);
    return 0;
}

static int close_reader(struct file *f)
{
    struct pipe *p = f->own;
    return close_end(p, &p->readers);
}

static int close_writer(struct file *f)
{
    struct pipe *p = f->own;
    return close_end(p, &p->writers);
}

static const struct file_operations reader = {
    .read = pipe_read, .control = pipe_control, .poll = poll_to_read, .stat = pipe_stat, .last_close = close_reader};
static const struct file_operations writer = {
    .write = pipe_write, .control = pipe_control, .poll = poll_to_write, .stat = pipe_stat, .last_close = close_writer};

int vfs_pipe(struct file *ends[2], uint32_t flags)
{
    static uint64_t last;
    struct pipe *p = cms_heap_allocate(sizeof *p);
    flags &= ABI_O_NONBLOCK;
    ends[0] = p ? file_make(&reader, p, ABI_O_RDONLY | flags) : NULL;
    ends[1] = ends[0] ? file_make(&writer, p, ABI_O_WRONLY | flags) : NULL;
    if (!ends[1]) {
        cms_heap_free(ends[0]);
        cms_heap_free(p);
        return -ENOMEM;
    }
    *p = (struct pipe){.readers = 1, .writers = 1, .number = ++last};
    return 0;
}

int64_t pipe_size(const struct file *f)
{
    return f->operations == &reader || f->operations == &writer ? PIPE_SIZE : -EBADF;
}

int pipe_open_again(const struct file *of, struct file *f)
{
    struct pipe *p = of->own;
    unsigned wanted = f->flags & ABI_O_ACCMODE;
    if ((of->operations != &reader && of->operations != &writer) || wanted == ABI_O_RDWR)
        return -ENXIO;
    f->operations = wanted == ABI_O_RDONLY ? &reader : &writer;
    f->own = p;
    f->seekable = false;
    ++*(wanted == ABI_O_RDONLY ? &p->readers : &p->writers);
    return 0;
}

/* ---- splice(2) and its family ------------------------------------------------------------------------------------ */

bool pipe_is_same(const struct file *f, const struct file *g) { return f->own == g->own; }

int pipe_await_bytes(struct file *f, bool waits, uint64_t *bytes)
{
    struct pipe *p = f->own;
    while (!used(p)) {
        if (!p->writers)
            return 0;
        if (!waits || f->flags & ABI_O_NONBLOCK)
            return -EAGAIN;
        int status = cms_wait(&p->to_read, WAIT_FOR_EVER);
        if (status)
            return status;
    }
    *bytes = *bytes < used(p) ? *bytes : used(p);
    return 1;
}

int pipe_await_room(struct file *f, bool waits, uint64_t *bytes)
{
    struct pipe *p = f->own;
    bool waited = false;
    while (p->readers && !has_room(p, 1)) {
        if (!waits || f->flags & ABI_O_NONBLOCK)
            return -EAGAIN;
        int status = cms_wait(&p->to_write, WAIT_FOR_EVER);
        if (status)
            return status;
        waited = true;
    }
    if (!p->readers)
        return (int)broken(0);
    *bytes = *bytes < room(p) ? *bytes : room(p);
    return !waited;
}

int64_t pipe_copy(struct file *from, struct file *to, uint64_t bytes)
{
    struct pipe *p = from->own, *q = to->own;
    int64_t done = 0;
    while ((uint64_t)done < bytes) {
        struct io_buffer io;
        size_t part = (size_t)(bytes - (uint64_t)done);
        char *at = place(p, p->tail + (uint64_t)done, &part);
        io_buffer_begin(&io, at, part);
        int64_t n = put_in(q, &io.io);
        if (n <= 0) {
            done = done ? done : n;
            break;
        }
        done += n;
    }
    if (done > 0)
        cms_wake(&q->to_read);
    return done;
}
