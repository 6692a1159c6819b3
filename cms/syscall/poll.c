/* poll, select and their families: looking at many files, and waiting for any of them. */
#include "cms/syscall/poll.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/process/signal.h"
#include "cms/process/thread.h"

enum { NANOSECONDS = 1000000000, MILLISECOND = 1000000, MICROSECOND = 1000, SET_MAX = 1024 };
static const uint64_t AGAIN = 20000000; /* queues beyond those that can be waited for are looked at this often */

void poll_note(struct wait_queue *queue, struct poll_queues *q)
{
    if (q->count < WAIT_QUEUES_MAX)
        q->queue[q->count++] = queue;
    else
        q->more = true;
}

unsigned poll_file(struct file *f, struct poll_queues *q)
{
    struct wait_queue *queue = NULL;
    struct epoll *list = epoll_of(f);
    if (list)
        return epoll_look(list, q);
    if (!f->operations->poll)
        return ABI_POLLIN | ABI_POLLOUT | ABI_POLLRDNORM | ABI_POLLWRNORM;
    unsigned events = f->operations->poll(f, &queue);
    q->wakes = queue ? queue->wakes : 0;
    if (queue)
        poll_note(queue, q);
    queue = f->operations->poll_also ? f->operations->poll_also(f) : NULL;
    if (queue) {
        q->wakes += queue->wakes;
        poll_note(queue, q);
    }
    return events;
}

int poll_wait(struct poll_queues *q, uint64_t deadline)
{
    uint64_t until = deadline;
    if (q->more) {
        uint64_t soon = cms_wait_now() + AGAIN;
        until = deadline == WAIT_FOR_EVER || soon < deadline ? soon : deadline;
    }
    thread_current()->interrupted = INTERRUPTED_NO_HANDLER;
    int status = cms_wait_any(q->queue, q->count, until);
    if (status == -ETIMEDOUT && until != deadline)
        status = 0;
    q->count = 0;
    q->more = false;
    return status;
}

uint64_t poll_deadline(int64_t s, int64_t ns)
{
    uint64_t now = cms_wait_now();
    if (s > INT64_MAX / NANOSECONDS / 2)
        return WAIT_FOR_EVER;
    return now + (uint64_t)s * NANOSECONDS + (uint64_t)ns;
}

/* A signal mask for the time of the wait. */
static int block(uint64_t address, uint64_t size)
{
    signal_set set;
    if (!address)
        return 0;
    if (size != sizeof set)
        return -EINVAL;
    if (copy_in(&set, address, sizeof set))
        return -EFAULT;
    signal_block_meanwhile(thread_current(), set);
    return 0;
}

int poll_block(uint64_t mask, uint64_t size) { return block(mask, size); }

/* ---- poll ------------------------------------------------------------------------------------------------------ */

struct poll_entry {
    int32_t descriptor;
    int16_t wanted, got;
};

static int look(struct poll_entry *e, uint64_t count, struct poll_queues *q)
{
    int ready = 0;
    for (uint64_t i = 0; i < count; i++) {
        e[i].got = 0;
        if (e[i].descriptor < 0)
            continue;
        struct file *f = user_file((uint64_t)e[i].descriptor);
        unsigned events = f ? poll_file(f, q) : ABI_POLLNVAL;
        if (f)
            file_let_go(f);
        e[i].got = (int16_t)(events & ((uint16_t)e[i].wanted | ABI_POLLERR | ABI_POLLHUP | ABI_POLLNVAL));
        ready += e[i].got != 0;
    }
    return ready;
}

static int64_t poll(uint64_t address, uint64_t count, bool forever, uint64_t deadline)
{
    struct poll_queues q = {0};
    int64_t ready = 0;
    if (count > FILES_MAX)
        return -EINVAL;
    struct poll_entry *e = cms_heap_allocate((size_t)(count + 1) * sizeof *e);
    if (!e)
        return -ENOMEM;
    if (copy_in(e, address, (size_t)count * sizeof *e))
        ready = -EFAULT;
    while (!ready) {
        ready = look(e, count, &q);
        if (ready || (!forever && cms_wait_now() >= deadline))
            break;
        int status = poll_wait(&q, forever ? WAIT_FOR_EVER : deadline);
        if (status && status != -ETIMEDOUT)
            ready = status;
    }
    if (ready >= 0 && copy_out(address, e, (size_t)count * sizeof *e))
        ready = -EFAULT;
    cms_heap_free(e);
    return ready;
}

int64_t call_poll(const struct call *c)
{
    int32_t ms = (int32_t)c->argument[2];
    return poll(c->argument[0], (uint32_t)c->argument[1], ms < 0,
                ms < 0 ? 0 : poll_deadline(0, (int64_t)ms * MILLISECOND));
}

/* The time in a struct timespec or timeval at `address`, of whose second half one is `unit` nanoseconds; none: for
 * ever. */
static int get_time(uint64_t address, int64_t unit, bool *forever, uint64_t *deadline)
{
    struct {
        int64_t s, part;
    } t;
    *forever = !address;
    *deadline = 0;
    if (!address)
        return 0;
    if (copy_in(&t, address, sizeof t))
        return -EFAULT;
    if (t.s < 0 || t.part < 0 || t.part >= NANOSECONDS / unit)
        return -EINVAL;
    *deadline = poll_deadline(t.s, t.part * unit);
    *forever = *deadline == WAIT_FOR_EVER;
    return 0;
}

/* Linux writes what is left of the time back. */
static void put_time(uint64_t address, int64_t unit, uint64_t deadline)
{
    uint64_t now = cms_wait_now(), left = deadline > now ? deadline - now : 0;
    int64_t t[2] = {(int64_t)(left / NANOSECONDS), (int64_t)(left % NANOSECONDS) / unit};
    if (address && deadline)
        copy_out(address, t, sizeof t);
}

int64_t call_ppoll(const struct call *c)
{
    bool forever;
    uint64_t deadline;
    int status = get_time(c->argument[2], 1, &forever, &deadline);
    if (!status)
        status = block(c->argument[3], c->argument[4]);
    if (status)
        return status;
    int64_t ready = poll(c->argument[0], (uint32_t)c->argument[1], forever, deadline);
    put_time(c->argument[2], 1, deadline);
    return ready;
}

int poll_time(uint64_t address, bool *forever, uint64_t *deadline) { return get_time(address, 1, forever, deadline); }

/* ---- select ---------------------------------------------------------------------------------------------------- */

enum { SETS = 3, WORDS = SET_MAX / 64 };
struct sets {
    uint64_t wanted[SETS][WORDS], got[SETS][WORDS];
};
static const unsigned events_of[SETS] = {
    ABI_POLLIN | ABI_POLLRDNORM | ABI_POLLHUP | ABI_POLLERR,
    ABI_POLLOUT | ABI_POLLWRNORM | ABI_POLLERR,
    ABI_POLLPRI,
};

static bool wants(const struct sets *s, unsigned set, unsigned descriptor)
{
    return s->wanted[set][descriptor / 64] >> descriptor % 64 & 1;
}

static int look_at_sets(struct sets *s, unsigned count, struct poll_queues *q)
{
    int ready = 0;
    memset(s->got, 0, sizeof s->got);
    for (unsigned d = 0; d < count; d++) {
        if (!wants(s, 0, d) && !wants(s, 1, d) && !wants(s, 2, d))
            continue;
        struct file *f = user_file(d);
        if (!f)
            return -EBADF;
        unsigned events = poll_file(f, q);
        file_let_go(f);
        for (unsigned set = 0; set < SETS; set++)
            if (wants(s, set, d) && events & events_of[set]) {
                s->got[set][d / 64] |= 1ull << d % 64;
                ready++;
            }
    }
    return ready;
}

static int get_sets(struct sets *s, unsigned count, const uint64_t address[SETS])
{
    memset(s, 0, sizeof *s);
    for (unsigned set = 0; set < SETS; set++)
        if (address[set] && copy_in(s->wanted[set], address[set], (count + 63) / 64 * 8))
            return -EFAULT;
    return 0;
}

static int put_sets(const struct sets *s, unsigned count, const uint64_t address[SETS])
{
    for (unsigned set = 0; set < SETS; set++)
        if (address[set] && copy_out(address[set], s->got[set], (count + 63) / 64 * 8))
            return -EFAULT;
    return 0;
}

static int64_t select_files(struct sets *s, unsigned count, bool forever, uint64_t deadline)
{
    struct poll_queues q = {0};
    for (;;) {
        int ready = look_at_sets(s, count, &q);
        if (ready || (!forever && cms_wait_now() >= deadline))
            return ready;
        int status = poll_wait(&q, forever ? WAIT_FOR_EVER : deadline);
        if (status && status != -ETIMEDOUT)
            return status;
    }
}

static int64_t select_call(const struct call *c, int64_t unit)
{
    bool forever;
    uint64_t deadline;
    unsigned count = (uint32_t)c->argument[0] < SET_MAX ? (unsigned)c->argument[0] : SET_MAX;
    int64_t ready = (int32_t)c->argument[0] < 0 ? -EINVAL : get_time(c->argument[4], unit, &forever, &deadline);
    if (ready)
        return ready;
    struct sets *s = cms_heap_allocate(sizeof *s);
    if (!s)
        return -ENOMEM;
    ready = get_sets(s, count, &c->argument[1]);
    if (!ready)
        ready = select_files(s, count, forever, deadline);
    if (ready >= 0 && put_sets(s, count, &c->argument[1]))
        ready = -EFAULT;
    cms_heap_free(s);
    put_time(c->argument[4], unit, deadline);
    return ready;
}

int64_t call_select(const struct call *c) { return select_call(c, MICROSECOND); }

int64_t call_pselect6(const struct call *c)
{
    struct {
        uint64_t mask, size;
    } m = {0, 0};
    int status = c->argument[5] ? copy_in(&m, c->argument[5], sizeof m) : 0;
    if (!status)
        status = block(m.mask, m.size);
    return status ? status : select_call(c, 1);
}
