/* epoll(7): a file that is a list of files. Level-triggered ones are told as often as they are ready; edge-triggered
 * ones when they are ready and were not when last looked at, which is told too often rather than too seldom. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/syscall/poll.h"

enum { CONTROL_ADD = 1, CONTROL_DELETE, CONTROL_MODIFY, DEPTH_MAX = 4, EVENTS_MAX = 4096 };
static const uint32_t EDGE = 1u << 31, ONE_SHOT = 1u << 30, WAKE_UP = 1u << 29, EXCLUSIVE = 1u << 28;

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

struct watch {
    struct watch *next;
    struct epoll *epoll;
    struct file_watch file; /* it does not keep it open */
    unsigned descriptor;
    struct epoll_event event;
    unsigned seen;
    uint64_t wakes; /* of its queue then */
    bool disarmed;
};

struct epoll {
    struct watch *watches, **last;
    struct wait_queue changed;
    unsigned depth;  /* below so many others it was put at most: what keeps circles out, and recursion short */
    uint64_t look;   /* when it was last looked at for another one, and what it had: once is enough, */
    unsigned events; /* or lists of lists of the same would take for ever */
};

static uint64_t look;
static bool looking;

static unsigned ready_of(struct epoll *, struct poll_queues *, struct epoll_event *, unsigned most, bool nested);

unsigned epoll_look(struct epoll *p, struct poll_queues *q)
{
    struct epoll_event e;
    bool outermost = !looking;
    if (outermost)
        look++;
    else if (p->look == look)
        return p->events;
    looking = true;
    poll_note(&p->changed, q);
    p->events = ready_of(p, q, &e, 1, true) ? ABI_POLLIN | ABI_POLLRDNORM : 0;
    p->look = look;
    if (outermost)
        looking = false;
    return p->events;
}

static unsigned epoll_poll(struct file *f, struct wait_queue **queue)
{
    struct poll_queues q = {0};
    struct epoll *p = f->own;
    *queue = &p->changed;
    return epoll_look(p, &q);
}

static int epoll_close(struct file *f)
{
    struct epoll *p = f->own;
    for (struct watch *w = p->watches; w;) {
        struct watch *next = w->next;
        file_watch_ends(&w->file);
        cms_heap_free(w);
        w = next;
    }
    cms_wait_end(&p->changed);
    cms_heap_free(p);
    return 0;
}

static const struct file_operations epoll_operations = {.poll = epoll_poll, .last_close = epoll_close};

struct epoll *epoll_of(const struct file *f) { return f->operations == &epoll_operations ? f->own : NULL; }

static void drop(struct epoll *p, struct watch **at)
{
    struct watch *w = *at;
    *at = w->next;
    if (p->last == &w->next)
        p->last = at;
    cms_heap_free(w);
}

static void gone(struct file_watch *f)
{
    struct watch *w = (struct watch *)((char *)f - offsetof(struct watch, file));
    struct watch **at = &w->epoll->watches;
    while (*at != w)
        at = &(*at)->next;
    drop(w->epoll, at);
}

/* Those that were told of come behind all others, or few that are always ready would be all that is ever told of. */
static void put_last(struct epoll *p, struct watch *told, struct watch **told_last)
{
    if (!told)
        return;
    for (p->last = &p->watches; *p->last; p->last = &(*p->last)->next)
        ;
    *p->last = told;
    p->last = told_last;
}

static unsigned ready_of(struct epoll *p, struct poll_queues *q, struct epoll_event *to, unsigned most, bool nested)
{
    unsigned n = 0;
    struct watch *told = NULL, **told_last = &told, **at = &p->watches;
    while (*at && n < most) {
        struct watch *w = *at, **before = at;
        at = &w->next;
        if (w->disarmed)
            continue;
        unsigned events = poll_file(w->file.file, q) & (w->event.events | ABI_POLLERR | ABI_POLLHUP);
        bool same = w->event.events & EDGE && w->wakes == q->wakes; /* nothing came since */
        unsigned fresh = same ? events & ~w->seen : events;
        if (!nested)
            w->seen = events, w->wakes = q->wakes;
        if (!fresh)
            continue;
        to[n++] = (struct epoll_event){events, w->event.data};
        if (nested)
            continue;
        w->disarmed = w->event.events & ONE_SHOT;
        *before = w->next;
        at = before;
        *told_last = w;
        told_last = &w->next;
    }
    *told_last = NULL;
    put_last(p, told, told_last);
    return n;
}

static int64_t make(bool close_on_exec)
{
    struct epoll *p = cms_heap_allocate(sizeof *p);
    struct file *f = p ? file_make(&epoll_operations, p, ABI_O_RDWR) : NULL;
    if (!f) {
        cms_heap_free(p);
        return -ENOMEM;
    }
    *p = (struct epoll){.last = &p->watches};
    return files_add(my_files(), f, 0, close_on_exec);
}

int64_t call_epoll_create(const struct call *c) { return (int32_t)c->argument[0] > 0 ? make(false) : -EINVAL; }

int64_t call_epoll_create1(const struct call *c)
{
    return c->argument[0] & ~(uint64_t)ABI_O_CLOEXEC ? -EINVAL : make(c->argument[0]);
}

static struct watch **find(struct epoll *p, unsigned descriptor, const struct file *f)
{
    struct watch **at = &p->watches;
    while (*at && ((*at)->descriptor != descriptor || (*at)->file.file != f))
        at = &(*at)->next;
    return at;
}

/* Puts an epoll below `top`, which is at depth - 1. False: it has `top` below itself, or they would be too deep.
 * Each is deeper than all that have it, also after a failure. */
static bool sink(struct epoll *p, const struct epoll *top, unsigned depth)
{
    if (p == top || depth > DEPTH_MAX)
        return false;
    if (p->depth >= depth)
        return true; /* what is below it is deeper still, and `top` is not */
    unsigned before = p->depth;
    p->depth = depth;
    for (struct watch *w = p->watches; w; w = w->next) {
        struct epoll *below = epoll_of(w->file.file);
        if (below && !sink(below, top, depth + 1)) {
            p->depth = before;
            return false;
        }
    }
    return true;
}

static int64_t add(struct epoll *p, struct file *f, unsigned descriptor, const struct epoll_event *e)
{
    struct epoll *below = epoll_of(f);
    if (below && !sink(below, p, p->depth + 1))
        return -ELOOP;
    struct watch *w = cms_heap_allocate(sizeof *w);
    if (!w)
        return -ENOMEM;
    *w = (struct watch){.epoll = p, .file.gone = gone, .descriptor = descriptor, .event = *e};
    file_watch(f, &w->file);
    *p->last = w;
    p->last = &w->next;
    return 0;
}

static int64_t control(struct epoll *p, struct file *f, const struct call *c)
{
    struct epoll_event e = {0};
    unsigned what = (unsigned)c->argument[1], descriptor = (unsigned)c->argument[2];
    if (what != CONTROL_DELETE && copy_in(&e, c->argument[3], sizeof e))
        return -EFAULT;
    e.events &= ~WAKE_UP;
    struct watch **at = find(p, descriptor, f);
    if (what == CONTROL_ADD)
        return *at ? -EEXIST : add(p, f, descriptor, &e);
    if (what != CONTROL_DELETE && what != CONTROL_MODIFY)
        return -EINVAL;
    if (!*at)
        return -ENOENT;
    if (what == CONTROL_MODIFY && (e.events | (*at)->event.events) & EXCLUSIVE)
        return -EINVAL;
    if (what == CONTROL_DELETE) {
        file_watch_ends(&(*at)->file);
        drop(p, at);
        return 0;
    }
    (*at)->event = e;
    (*at)->seen = 0;
    (*at)->disarmed = false;
    return 0;
}

int64_t call_epoll_ctl(const struct call *c)
{
    struct file *own = user_file(c->argument[0]), *f = user_file(c->argument[2]);
    int64_t status;
    if (!own || !f)
        status = -EBADF;
    else if (own->operations != &epoll_operations || own == f)
        status = -EINVAL;
    else if (!f->operations->poll)
        status = -EPERM;
    else
        status = control(own->own, f, c);
    if (!status)
        cms_wake(&((struct epoll *)own->own)->changed);
    if (own)
        file_let_go(own);
    if (f)
        file_let_go(f);
    return status;
}

static int64_t wait_for(struct epoll *p, struct epoll_event *e, unsigned most, bool forever, uint64_t deadline)
{
    struct poll_queues q = {0};
    for (;;) {
        q.queue[q.count++] = &p->changed;
        look++;
        looking = true;
        unsigned n = ready_of(p, &q, e, most, false);
        looking = false;
        if (n || (!forever && cms_wait_now() >= deadline))
            return n;
        int status = poll_wait(&q, forever ? WAIT_FOR_EVER : deadline);
        if (status && status != -ETIMEDOUT)
            return status;
    }
}

static int64_t wait_call(const struct call *c, bool forever, uint64_t deadline)
{
    int32_t most = (int32_t)c->argument[2];
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    int64_t n = f->operations != &epoll_operations || most <= 0 ? -EINVAL : 0;
    most = most < EVENTS_MAX ? most : EVENTS_MAX;
    struct epoll_event *e = n ? NULL : cms_heap_allocate((size_t)most * sizeof *e);
    if (!n)
        n = e ? wait_for(f->own, e, (unsigned)most, forever, deadline) : -ENOMEM;
    if (n > 0 && copy_out(c->argument[1], e, (size_t)n * sizeof *e))
        n = -EFAULT;
    cms_heap_free(e);
    file_let_go(f);
    return n;
}

int64_t call_epoll_wait(const struct call *c)
{
    int32_t ms = (int32_t)c->argument[3];
    return wait_call(c, ms < 0, ms < 0 ? 0 : poll_deadline(0, (int64_t)ms * 1000000));
}

int64_t call_epoll_pwait(const struct call *c)
{
    int status = poll_block(c->argument[4], c->argument[5]);
    return status ? status : call_epoll_wait(c);
}

int64_t call_epoll_pwait2(const struct call *c)
{
    bool forever;
    uint64_t deadline;
    int status = poll_time(c->argument[3], &forever, &deadline);
    if (!status)
        status = poll_block(c->argument[4], c->argument[5]);
    return status ? status : wait_call(c, forever, deadline);
}
