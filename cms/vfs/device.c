/* /dev: a directory of the devices that rooms bring, and those that need nothing but storage. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/frame.h"
#include "cms/vfs/caller.h"
#include "cms/vfs/device.h"
#include "cms/vfs/tree.h"

static struct device *devices;
static uint64_t registered = 1; /* numbers of nodes: 1 is the directory's */

static int lookup(struct node *, const char *, struct node **);
static int entry(struct node *, struct listing *, struct vfs_entry *);

static const struct node_system dev = {.device = 5, .read_only = true};
static const struct node_operations directory_operations = {.lookup = lookup, .entry = entry};
static struct node directory = {
    .operations = &directory_operations, .system = &dev, .number = 1, .mode = ABI_S_IFDIR | 0755, .users = 1};

static struct node *top(const struct vfs_mount *m)
{
    (void)m;
    node_hold(&directory);
    return &directory;
}

struct node *device_directory(void) { return top(NULL); }

/* What /dev/fd and the like are on Linux. */
static const struct {
    const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};
enum { LINKS = sizeof links / sizeof *links };

static int64_t link_target(struct node *n, char *to, size_t size)
{
    const char *target = links[n->device_number].target;
    size_t length = strlen(target) < size ? strlen(target) : size;
    memcpy(to, target, length);
    return (int64_t)length;
}

static const struct node_operations link_operations = {.target = link_target};
static struct node link_nodes[LINKS];

static int lookup(struct node *d, const char *name, struct node **child)
{
    (void)d;
    *child = NULL;
    for (struct device *i = devices; i && !*child; i = i->next)
        if (!strcmp(i->name, name))
            *child = &i->node;
    for (unsigned i = 0; i < LINKS && !*child; i++) {
        if (strcmp(links[i].name, name))
            continue;
        if (!link_nodes[i].users)
            link_nodes[i] = (struct node){.operations = &link_operations,
                                          .system = &dev,
                                          .number = 1000 + i,
                                          .device_number = i,
                                          .mode = ABI_S_IFLNK | 0777,
                                          .users = 1};
        *child = &link_nodes[i];
    }
    if (!*child)
        return -ENOENT;
    node_hold(*child);
    return 0;
}

static int entry(struct node *d, struct listing *l, struct vfs_entry *e)
{
    uint64_t at = l->at++;
    struct device *i = devices;
    (void)d;
    for (; i && at; at--)
        i = i->next;
    if (!i && at >= LINKS)
        return 0;
    const char *name = i ? i->name : links[at].name;
    *e = (struct vfs_entry){.number = i ? i->node.number : 1000 + at, .type = i ? ABI_S_IFCHR : ABI_S_IFLNK};
    memcpy(e->name, name, strlen(name) + 1);
    return 1;
}

static int open_device(struct node *n, struct file *f)
{
    struct device *d = (struct device *)((char *)n - offsetof(struct device, node));
    f->operations = d->operations;
    f->own = NULL;
    f->device_node = n;
    return d->open ? d->open(f) : 0; /* a device stays: its node needs no user for each file */
}

static const struct node_operations device_operations = {.open = open_device};

const char *device_name(const struct node *n)
{
    return ((const struct device *)((const char *)n - offsetof(struct device, node)))->name;
}

void vfs_device(struct device *d)
{
    struct device **end = &devices;
    while (*end)
        end = &(*end)->next;
    d->next = NULL;
    d->node = (struct node){.operations = &device_operations,
                            .system = &dev,
                            .number = ++registered,
                            .device_number = abi_device_number(d->major, d->minor),
                            .mode = ABI_S_IFCHR | 0666,
                            .users = 1};
    *end = d;
}

/* ---- those that need nothing ----------------------------------------------------------------------------------- */

static int64_t nothing_read(struct file *f, struct io *io, uint64_t offset)
{
    (void)f, (void)io, (void)offset;
    return 0;
}

static int64_t nothing_write(struct file *f, struct io *io, uint64_t offset)
{
    int64_t bytes = (int64_t)io->left;
    (void)f, (void)offset;
    io->left = 0;
    return bytes;
}

static int64_t nothing_seek(struct file *f, int64_t offset, int whence)
{
    (void)f, (void)offset, (void)whence;
    return 0;
}

/* Behind each page a signal that has come ends the read: urandom(4). */
static bool goes_on(const struct io *io, size_t all)
{
    bool any = io->left < all, page = (all - io->left) % FRAME_SIZE == 0;
    return io->left && !(any && page && cms_wait_is_over());
}

static int64_t put_repeated(struct io *io, const void *from, size_t size)
{
    size_t all = io->left;
    while (goes_on(io, all))
        if (io->put(io, from, io->left < size ? io->left : size))
            return io->left < all ? (int64_t)(all - io->left) : -EFAULT;
    return (int64_t)(all - io->left);
}

static int64_t zero_read(struct file *f, struct io *io, uint64_t offset)
{
    static const char zeroes[512];
    (void)f, (void)offset;
    return put_repeated(io, zeroes, sizeof zeroes);
}

static int64_t full_write(struct file *f, struct io *io, uint64_t offset)
{
    (void)f, (void)offset;
    return io->left ? -ENOSPC : 0;
}

static int64_t random_read(struct file *f, struct io *io, uint64_t offset)
{
    size_t all = io->left;
    (void)f, (void)offset;
    while (goes_on(io, all)) {
        uint64_t bits = caller_random();
        if (io->put(io, &bits, io->left < sizeof bits ? io->left : sizeof bits))
            return io->left < all ? (int64_t)(all - io->left) : -EFAULT;
    }
    return (int64_t)(all - io->left);
}

/* A mapping of /dev/zero: pages of zeroes; shared ones are of whoever maps them together by a fork. */
static int zero_page(struct space_object *o, uint64_t offset, bool write, void **frame)
{
    (void)o, (void)offset, (void)write;
    *frame = cms_frame_take();
    if (!*frame)
        return -ENOMEM;
    memset(*frame, 0, FRAME_SIZE);
    return 0;
}

static void zero_user(struct space_object *o) { (void)o; }

static const struct space_object_operations zero_object_operations = {
    .page = zero_page, .hold = zero_user, .let_go = zero_user};
static struct space_object zero_object = {&zero_object_operations};

static int zero_map(struct file *f, struct space_object **object)
{
    (void)f;
    *object = &zero_object;
    return 0;
}

static const struct file_operations null_operations = {nothing_read, nothing_write, .seek = nothing_seek,
                                                       .stat = device_stat};
static const struct file_operations zero_operations = {zero_read, nothing_write, .seek = nothing_seek,
                                                       .stat = device_stat, .map = zero_map};
static const struct file_operations full_operations = {zero_read, full_write, .seek = nothing_seek,
                                                       .stat = device_stat};
static const struct file_operations random_operations = {random_read, nothing_write, .seek = nothing_seek,
                                                         .stat = device_stat};

int device_stat(struct file *f, struct vfs_stat *s)
{
    node_fill_stat(f->device_node, s);
    return 0;
}

void device_start(void)
{
    static struct vfs_mount mount = {.name = "dev", .type = "devtmpfs", .top = top};
    static struct device simple[] = {
        {.name = "null", .major = 1, .minor = 3, .operations = &null_operations},
        {.name = "zero", .major = 1, .minor = 5, .operations = &zero_operations},
        {.name = "full", .major = 1, .minor = 7, .operations = &full_operations},
        {.name = "random", .major = 1, .minor = 8, .operations = &random_operations},
        {.name = "urandom", .major = 1, .minor = 9, .operations = &random_operations},
    };
    vfs_mount(&mount);
    for (unsigned i = 0; i < sizeof simple / sizeof *simple; i++)
        vfs_device(&simple[i]);
}
