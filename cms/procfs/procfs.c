/* The tree of /proc. A node is made when a path leads to it, and stands for a kind of file and a process. */
#include "cms/procfs/procfs.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/procfs/text.h"
#include "cms/vfs/device.h"
#include "cms/vfs/node.h"
#include "cms/vfs/pipe.h"
#include "lib/format.h"

enum kind { TOP, SELF, SYS, MACHINE_FILE, PROCESS, PROCESS_FILE, EXE, CWD, ROOT, FDS, FD, PIPE, KINDS };
static const uint32_t modes[KINDS] = {
    [TOP] = ABI_S_IFDIR | 0555,          [SELF] = ABI_S_IFLNK | 0777,    [SYS] = ABI_S_IFDIR | 0555,
    [MACHINE_FILE] = ABI_S_IFREG | 0444, [PROCESS] = ABI_S_IFDIR | 0555, [PROCESS_FILE] = ABI_S_IFREG | 0444,
    [EXE] = ABI_S_IFLNK | 0777,          [CWD] = ABI_S_IFLNK | 0777,     [ROOT] = ABI_S_IFLNK | 0777,
    [FDS] = ABI_S_IFDIR | 0555,          [FD] = ABI_S_IFLNK | 0777,
    [PIPE] = ABI_S_IFIFO | 0600, /* where FD leads, if that is one */
};

struct proc_node {
    struct node node;
    struct proc_node *next; /* of those in use */
    enum kind kind;
    int process;
    unsigned index; /* of the file in its table, of the descriptor; of SYS: bytes of the prefix that it stands for */
    const char *prefix;
};

static struct proc_node *in_use;
static const struct node_system proc_system = {.device = 4, .read_only = true};
static const struct node_operations operations;

static struct proc_node *proc_of(struct node *n) { return (struct proc_node *)n; }

static uint64_t number_of(enum kind kind, int process, unsigned index)
{
    return (uint64_t)process << 32 | (uint64_t)kind << 24 | index | 1ull << 62;
}

static int make(enum kind kind, int process, unsigned index, const char *prefix, struct node **node)
{
    struct proc_node *p = in_use;
    while (p && (p->kind != kind || p->process != process || p->index != index || p->prefix != prefix))
        p = p->next;
    if (!p) {
        p = cms_heap_allocate_system(sizeof *p);
        if (!p)
            return -ENOMEM;
        *p = (struct proc_node){.node = {.operations = &operations,
                                         .system = &proc_system,
                                         .mode = modes[kind],
                                         .number = number_of(kind, process, index)},
                                .next = in_use,
                                .kind = kind,
                                .process = process,
                                .index = index,
                                .prefix = prefix};
        in_use = p;
    }
    node_hold(&p->node);
    *node = &p->node;
    return 0;
}

static void forget(struct node *n)
{
    struct proc_node **at = &in_use;
    while (*at != proc_of(n))
        at = &(*at)->next;
    *at = (*at)->next;
    cms_heap_free(proc_of(n));
}

/* ---- names ----------------------------------------------------------------------------------------------------- */

static bool number(const char *text, int *value)
{
    *value = 0;
    for (; *text >= '0' && *text <= '9' && *value < 10000000; text++)
        *value = *value * 10 + (*text - '0');
    return !*text;
}

/* A file of the machine, or a folder that leads to some: what follows the first `prefix` bytes of a row's name. */
static int lookup_machine(const char *from, size_t prefix, const char *name, struct node **child)
{
    size_t length = strlen(name);
    for (unsigned i = 0; i < proc_machine_count; i++) {
        const char *row = proc_machine_files[i].name;
        if (prefix && strncmp(row, from, prefix))
            continue;
        if (!strcmp(row + prefix, name))
            return make(MACHINE_FILE, 0, i, NULL, child);
        if (!strncmp(row + prefix, name, length) && row[prefix + length] == '/')
            return make(SYS, 0, (unsigned)(prefix + length + 1), row, child);
    }
    return -ENOENT;
}

static const struct {
    const char *name;
    enum kind kind;
} process_links[] = {{"exe", EXE}, {"cwd", CWD}, {"root", ROOT}, {"fd", FDS}};
enum { LINKS = sizeof process_links / sizeof *process_links };

static int lookup_process(int process, const char *name, struct node **child)
{
    for (unsigned i = 0; i < LINKS; i++)
        if (!strcmp(process_links[i].name, name))
            return make(process_links[i].kind, process, 0, NULL, child);
    for (unsigned i = 0; i < proc_process_count; i++)
        if (!strcmp(proc_process_files[i].name, name))
            return make(PROCESS_FILE, process, i, NULL, child);
    return -ENOENT;
}

static int lookup_top(const char *name, struct node **child)
{
    int id;
    if (!strcmp(name, "self"))
        return make(SELF, 0, 0, NULL, child);
    if (number(name, &id) && id)
        return process_find(id) ? make(PROCESS, id, 0, NULL, child) : -ENOENT;
    return lookup_machine("", 0, name, child);
}

static int lookup(struct node *n, const char *name, struct node **child)
{
    struct proc_node *p = proc_of(n);
    struct process *process = p->process ? process_find(p->process) : NULL;
    int descriptor;
    if (p->process && !process)
        return -ENOENT;
    switch (p->kind) {
    case TOP: return lookup_top(name, child);
    case SYS: return lookup_machine(p->prefix, p->index, name, child);
    case PROCESS: return lookup_process(p->process, name, child);
    case FDS:
        return number(name, &descriptor) && process->files && files_get(process->files, (unsigned)descriptor)
                   ? make(FD, p->process, (unsigned)descriptor, NULL, child)
                   : -ENOENT;
    default: return -ENOTDIR;
    }
}

static struct node *parent(struct node *n)
{
    struct proc_node *p = proc_of(n);
    struct node *up = NULL;
    if (p->kind != TOP)
        make(p->kind == FDS ? PROCESS : TOP, p->kind == FDS ? p->process : 0, 0, NULL, &up);
    return up;
}

/* ---- listing --------------------------------------------------------------------------------------------------- */

static int put(struct vfs_entry *e, enum kind kind, int process, unsigned index, const char *name)
{
    *e = (struct vfs_entry){.number = number_of(kind, process, index), .type = modes[kind] & ABI_S_IFMT};
    memcpy(e->name, name, strlen(name) + 1);
    return 1;
}

static int put_number(struct vfs_entry *e, enum kind kind, int process, unsigned index, unsigned value)
{
    char name[16];
    format_text(name, sizeof name, "%u", value);
    return put(e, kind, process, index, name);
}

/* Processes have the positions from PROCESSES on that their numbers say. */
static const uint64_t PROCESSES = 1000;

static int entry_top(struct listing *l, struct vfs_entry *e)
{
    while (l->at < proc_machine_count) {
        unsigned row = (unsigned)l->at++;
        if (!strchr(proc_machine_files[row].name, '/'))
            return put(e, MACHINE_FILE, 0, row, proc_machine_files[row].name);
    }
    if (l->at < PROCESSES) {
        l->at = PROCESSES;
        return put(e, SELF, 0, 0, "self");
    }
    const struct process *next = NULL;
    for (const struct process *p = process_all; p; p = p->next)
        if ((uint64_t)p->id + PROCESSES > l->at && (!next || p->id < next->id))
            next = p;
    if (!next)
        return 0;
    l->at = (uint64_t)next->id + PROCESSES;
    return put_number(e, PROCESS, next->id, 0, (unsigned)next->id);
}

static int entry_process(int process, struct listing *l, struct vfs_entry *e)
{
    uint64_t at = l->at++;
    if (at < LINKS)
        return put(e, process_links[at].kind, process, 0, process_links[at].name);
    at -= LINKS;
    return at < proc_process_count ? put(e, PROCESS_FILE, process, (unsigned)at, proc_process_files[at].name) : 0;
}

static int entry_descriptors(const struct process *p, struct listing *l, struct vfs_entry *e)
{
    while (p->files && l->at < FILES_MAX && !files_get(p->files, (unsigned)l->at))
        l->at++;
    if (!p->files || l->at >= FILES_MAX)
        return 0;
    unsigned descriptor = (unsigned)l->at++;
    return put_number(e, FD, p->id, descriptor, descriptor);
}

static int entry(struct node *n, struct listing *l, struct vfs_entry *e)
{
    struct proc_node *p = proc_of(n);
    struct process *process = p->process ? process_find(p->process) : NULL;
    if (p->kind == TOP)
        return entry_top(l, e);
    if (!process)
        return 0;
    return p->kind == PROCESS ? entry_process(p->process, l, e) : p->kind == FDS ? entry_descriptors(process, l, e) : 0;
}

/* ---- links ----------------------------------------------------------------------------------------------------- */

static void write_directory(struct text *t, const struct place *place)
{
    char *path = cms_heap_allocate(VFS_PATH_MAX);
    if (path && !place_path(place, path, VFS_PATH_MAX))
        text_add_bytes(t, path, strlen(path));
    cms_heap_free(path);
}

void proc_file_target(struct text *t, struct file *f)
{
    struct vfs_stat s = {0};
    const struct node *n = f->device_node ? f->device_node : node_of(f);
    if (f->operations->stat)
        f->operations->stat(f, &s);
    uint32_t type = s.mode & ABI_S_IFMT;
    if (f->device_node)
        text_add(t, "/dev/%s", device_name(n));
    else
        text_add(t, "%s:[%lu]", type == ABI_S_IFIFO    ? "pipe"
                                : type == ABI_S_IFSOCK ? "socket"
                                : n                    ? "file"
                                                       : "anon_inode", s.number);
}

static void write_target(struct text *t, const struct proc_node *p)
{
    struct process *process = p->process ? process_find(p->process) : NULL;
    struct file *f = process && p->kind == FD && process->files ? files_get(process->files, p->index) : NULL;
    if (p->kind == SELF)
        text_add(t, "%d", process_current()->id);
    else if (p->kind == ROOT)
        text_add(t, "/");
    else if (p->kind == EXE && process)
        text_add(t, "%s", process->path);
    else if (p->kind == CWD && process && process->place)
        write_directory(t, process->place);
    else if (f)
        proc_file_target(t, f);
}

static struct file *file_of(const struct proc_node *p)
{
    struct process *process = process_find(p->process);
    return process && process->files ? files_get(process->files, p->index) : NULL;
}

/* What a descriptor stands for may have no path. */
static int jump(struct node *n, struct node **to)
{
    struct proc_node *p = proc_of(n);
    struct file *f = p->kind == FD ? file_of(p) : NULL;
    if (!f || f->device_node)
        return -ENOENT;
    *to = node_of(f);
    if (!*to)
        return pipe_size(f) < 0 ? -ENXIO : make(PIPE, p->process, p->index, NULL, to);
    node_hold(*to);
    return 0;
}

static int open_pipe(struct node *n, struct file *f)
{
    struct file *of = file_of(proc_of(n));
    int status = of ? pipe_open_again(of, f) : -ENXIO;
    if (!status)
        node_let_go(n);
    return status;
}

static int64_t target(struct node *n, char *to, size_t size)
{
    struct text t = {0};
    write_target(&t, proc_of(n));
    int64_t length = t.failed ? -ENOMEM : !t.used ? -ENOENT : t.used < size ? (int64_t)t.used : (int64_t)size;
    if (length > 0)
        memcpy(to, t.at, (size_t)length);
    cms_heap_free(t.at);
    return length;
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

struct open_text {
    struct node *node;
    struct text text;
};

static int64_t text_read(struct file *f, struct io *io, uint64_t offset)
{
    struct open_text *o = f->own;
    if (offset >= o->text.used)
        return 0;
    size_t n = o->text.used - offset < io->left ? (size_t)(o->text.used - offset) : io->left;
    return io->put(io, o->text.at + offset, n) ? -EFAULT : (int64_t)n;
}

static int text_stat(struct file *f, struct vfs_stat *s)
{
    node_fill_stat(((struct open_text *)f->own)->node, s);
    return 0;
}

static int text_close(struct file *f)
{
    struct open_text *o = f->own;
    node_let_go(o->node);
    cms_heap_free(o->text.at);
    cms_heap_free(o);
    return 0;
}

static const struct file_operations text_operations = {.read = text_read, .stat = text_stat, .last_close = text_close};

/* What it says is of the moment when it was opened. */
static int open_text(struct node *n, struct file *f)
{
    struct proc_node *p = proc_of(n);
    struct process *process = p->process ? process_find(p->process) : NULL;
    if (p->kind == PIPE)
        return open_pipe(n, f);
    if (!node_is(n, ABI_S_IFREG) || (p->kind == PROCESS_FILE && !process))
        return -ENOENT;
    struct open_text *o = cms_heap_allocate(sizeof *o);
    if (!o)
        return -ENOMEM;
    *o = (struct open_text){.node = n};
    (p->kind == PROCESS_FILE ? proc_process_files : proc_machine_files)[p->index].write(&o->text, process);
    if (o->text.failed) {
        cms_heap_free(o->text.at);
        cms_heap_free(o);
        return -ENOMEM;
    }
    f->operations = &text_operations;
    f->own = o;
    return 0;
}

static void statfs(struct node *n, struct vfs_statfs *s)
{
    (void)n;
    s->type = 0x9fa0;
}

static const struct node_operations operations = {
    .lookup = lookup,
    .parent = parent,
    .entry = entry,
    .statfs = statfs,
    .forget = forget,
    .target = target,
    .jump = jump,
    .open = open_text,
};

static struct node *top(const struct vfs_mount *m)
{
    struct node *n;
    (void)m;
    return make(TOP, 0, 0, NULL, &n) ? NULL : n;
}

void procfs_start(void)
{
    static struct vfs_mount mount = {.name = "proc", .type = "proc", .top = top};
    vfs_mount(&mount);
}
