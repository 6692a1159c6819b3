/* What a program writes while a command's output is captured (PIPE CMS ls): lines, for whoever has captured it.
 *
 * A thread must not run what is behind the capture, so the bytes wait here until the command level takes them. */
#include "cms/program/capture.h"

#include <errno.h>
#include <string.h>

#include "cms/console/output.h"
#include "cms/kernel/heap.h"
#include "cms/process/process.h"
#include "cms/tty/tty.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/vfs.h"

enum { ROOM = 16384 };

struct capture {
    struct level_work work; /* first */
    struct output_sink sink;
    unsigned users; /* files, and the command level */
    bool posted, delivering, over;
    size_t used;
    struct wait_queue writers;
    char bytes[ROOM], line[ROOM];
};

static void let_go(struct capture *c)
{
    if (!--c->users)
        cms_heap_free(c);
}

static void deliver_line(struct capture *c, size_t length, size_t taken)
{
    memcpy(c->line, c->bytes, length);
    c->used -= taken;
    memmove(c->bytes, c->bytes + taken, c->used);
    cms_wake(&c->writers);
    struct output_sink before = cms_redirect(c->sink);
    cms_line(c->line, length);
    cms_redirect(before);
}

/* Whole lines; a full buffer without an end of line counts as one. What a line sets off may bring us here again. */
static void deliver(struct capture *c)
{
    const char *end;
    if (c->delivering)
        return;
    c->delivering = true;
    while ((end = memchr(c->bytes, '\n', c->used)) || c->used == ROOM) {
        size_t length = end ? (size_t)(end - c->bytes) : ROOM;
        deliver_line(c, length, end ? length + 1 : ROOM);
    }
    c->delivering = false;
}

static void work(struct level_work *w)
{
    struct capture *c = (struct capture *)w;
    c->posted = false;
    deliver(c);
}

static int64_t write_capture(struct file *f, struct io *io, uint64_t offset)
{
    struct capture *c = f->own;
    int64_t done = 0;
    (void)offset;
    while (io->left) {
        if (c->used == ROOM && !c->over) {
            int error = f->flags & ABI_O_NONBLOCK ? -EAGAIN : cms_wait(&c->writers, WAIT_FOR_EVER);
            if (error)
                return done ? done : error;
            continue;
        }
        size_t part = io->left < ROOM - c->used ? io->left : ROOM - c->used;
        if (c->over || io->take(io, c->bytes + c->used, part))
            return done ? done : c->over ? -EIO : -EFAULT;
        c->used += part;
        done += (int64_t)part;
        if (!c->posted)
            process_post(&c->work);
        c->posted = true;
    }
    return done;
}

static unsigned poll_capture(struct file *f, struct wait_queue **queue)
{
    struct capture *c = f->own;
    *queue = &c->writers;
    return c->used < ROOM ? ABI_POLLOUT | ABI_POLLWRNORM : 0;
}

static int stat_capture(struct file *f, struct vfs_stat *s)
{
    (void)f;
    *s = (struct vfs_stat){.mode = ABI_S_IFIFO | 0600, .links = 1, .block_size = ROOM};
    return 0;
}

static int close_capture(struct file *f)
{
    let_go(f->own);
    return 0;
}

static const struct file_operations operations = {
    .write = write_capture, .poll = poll_capture, .stat = stat_capture, .last_close = close_capture};

static bool begin(struct program_capture *p, struct output_sink sink)
{
    struct file *in = tty_open();
    struct capture *c = p->capture = in ? cms_heap_allocate(sizeof *c) : NULL;
    if (!c)
        return in ? (file_let_go(in), false) : false;
    *c = (struct capture){.work.run = work, .sink = sink, .users = 1};
    bool done = files_add(p->files, in, 0, false) == 0;
    struct file *out = done ? file_make(&operations, c, ABI_O_WRONLY) : NULL;
    if (!out)
        return false;
    c->users++;
    file_hold(out);
    done = files_add(p->files, out, 1, false) == 1;
    return files_add(p->files, out, 2, false) == 2 && done;
}

bool program_capture_begin(struct program_capture *p)
{
    *p = (struct program_capture){0};
    struct output_sink sink = cms_redirect((struct output_sink){0});
    cms_redirect(sink);
    if (!sink.line || sink.shows)
        return true;
    p->files = files_make();
    if (p->files && begin(p, sink))
        return true;
    program_capture_end(p);
    return false;
}

void program_capture_end(struct program_capture *p)
{
    struct capture *c = p->capture;
    if (p->files)
        files_let_go(p->files);
    if (!c)
        return;
    process_take_back(&c->work);
    deliver(c);
    if (c->used)
        deliver_line(c, c->used, c->used);
    c->over = true;
    cms_wake(&c->writers);
    let_go(c);
}
