/* Files that no path leads to: eventfd(2), memfd_create(2). */
#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/kernel/wait.h"
#include "cms/syscall/user.h"
#include "cms/tmpfs/tmpfs.h"
#include "cms/vfs/node.h"

enum { SEMAPHORE = 1 };

struct counter {
    uint64_t value;
    bool semaphore;
    struct wait_queue changed; /* one for both, since poll has one for each file */
};

static int64_t counter_read(struct file *f, struct io *io, uint64_t offset)
{
    struct counter *c = f->own;
    (void)offset;
    if (io->left < sizeof c->value)
        return -EINVAL;
    while (!c->value) {
        if (f->flags & ABI_O_NONBLOCK)
            return -EAGAIN;
        int status = cms_wait(&c->changed, WAIT_FOR_EVER);
        if (status)
            return status;
    }
    uint64_t got = c->semaphore ? 1 : c->value;
    if (io->put(io, &got, sizeof got))
        return -EFAULT;
    c->value -= got;
    cms_wake(&c->changed);
    return sizeof got;
}

static int64_t counter_write(struct file *f, struct io *io, uint64_t offset)
{
    struct counter *c = f->own;
    uint64_t more;
    (void)offset;
    if (io->left < sizeof more)
        return -EINVAL;
    if (io->take(io, &more, sizeof more))
        return -EFAULT;
    if (more == UINT64_MAX)
        return -EINVAL;
    while (more >= UINT64_MAX - c->value) {
        if (f->flags & ABI_O_NONBLOCK)
            return -EAGAIN;
        int status = cms_wait(&c->changed, WAIT_FOR_EVER);
        if (status)
            return status;
    }
    c->value += more;
    cms_wake(&c->changed);
    return sizeof more;
}

static unsigned counter_poll(struct file *f, struct wait_queue **queue)
{
    struct counter *c = f->own;
    *queue = &c->changed;
    return (c->value ? ABI_POLLIN | ABI_POLLRDNORM : 0) |
           (c->value < UINT64_MAX - 1 ? ABI_POLLOUT | ABI_POLLWRNORM : 0);
}

static int counter_close(struct file *f)
{
    struct counter *c = f->own;
    cms_wait_end(&c->changed);
    cms_heap_free(f->own);
    return 0;
}

static const struct file_operations counter_operations = {
    .read = counter_read, .write = counter_write, .poll = counter_poll, .last_close = counter_close};

static int64_t make_counter(uint64_t value, uint64_t flags)
{
    if (flags & ~(uint64_t)(SEMAPHORE | ABI_O_NONBLOCK | ABI_O_CLOEXEC))
        return -EINVAL;
    struct counter *c = cms_heap_allocate(sizeof *c);
    struct file *f = c ? file_make(&counter_operations, c, ABI_O_RDWR | (flags & ABI_O_NONBLOCK)) : NULL;
    if (!f) {
        cms_heap_free(c);
        return -ENOMEM;
    }
    *c = (struct counter){.value = (uint32_t)value, .semaphore = flags & SEMAPHORE};
    return files_add(my_files(), f, 0, flags & ABI_O_CLOEXEC);
}

int64_t call_eventfd(const struct call *c) { return make_counter(c->argument[0], 0); }
int64_t call_eventfd2(const struct call *c) { return make_counter(c->argument[0], c->argument[1]); }

int64_t call_memfd_create(const struct call *c)
{
    enum { CLOEXEC = 1, ALLOW_SEALING = 2, NAME_MAX = 249 };
    char name[NAME_MAX + 1];
    struct node *n;
    struct file *f;
    if (c->argument[1] & ~(uint64_t)(CLOEXEC | ALLOW_SEALING))
        return -EINVAL;
    int64_t length = space_copy_string(my_space(), name, c->argument[0], sizeof name);
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    int status = tmpfs_unnamed(&n);
    if (status)
        return status;
    status = node_open(n, ABI_O_RDWR, &f);
    node_let_go(n);
    return status ? status : files_add(my_files(), f, 0, c->argument[1] & CLOEXEC);
}
