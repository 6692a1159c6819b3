/* Working directories. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/vfs/tree.h"

enum { UMASK_AT_FIRST = 022 };

static struct place *make(struct node *directory, uint32_t umask)
{
    struct place *p = cms_heap_allocate(sizeof *p);
    if (p)
        *p = (struct place){directory, umask, 1};
    else
        node_let_go(directory);
    return p;
}

struct place *place_make(void)
{
    tree_look_for_root();
    struct place root = {.directory = vfs_root()};
    struct vfs_from from = {.place = &root, .at = ABI_AT_FDCWD};
    struct spot spot;
    struct node *home = root.directory;
    if (!tree_walk(&from, "/a", WALK_FOLLOW, &spot)) {
        if (spot.node) {
            home = spot.node;
            node_hold(home);
            node_let_go(root.directory);
        }
        spot_leave(&spot);
    }
    return make(home, UMASK_AT_FIRST);
}

struct place *place_copy(const struct place *p)
{
    node_hold(p->directory);
    return make(p->directory, p->umask);
}

void place_hold(struct place *p) { p->users++; }

void place_let_go(struct place *p)
{
    if (--p->users)
        return;
    node_let_go(p->directory);
    cms_heap_free(p);
}

uint32_t place_set_umask(struct place *p, uint32_t umask)
{
    uint32_t old = p->umask;
    p->umask = umask & 0777;
    return old;
}

int place_change(struct place *p, struct files *files, int at, const char *path)
{
    struct vfs_from from = {p, files, at};
    struct spot spot;
    int status = tree_walk(&from, path ? path : "", WALK_FOLLOW | (path ? 0 : WALK_EMPTY), &spot);
    if (status)
        return status;
    status = !spot.node ? -ENOENT : !node_is(spot.node, ABI_S_IFDIR) ? -ENOTDIR : 0;
    if (!status) {
        node_let_go(p->directory);
        p->directory = spot.node;
        spot.node = NULL;
    }
    spot_leave(&spot);
    return status;
}

/* What its parent calls a directory: 0, or -ENOENT: nothing, it was removed. */
static int name_of(struct node *n, struct node *up, struct vfs_entry *e)
{
    struct file *f;
    int found = node_open(up, ABI_O_RDONLY, &f);
    if (found)
        return found;
    while ((found = f->operations->next_entry(f, e)) > 0) {
        struct node *child = NULL;
        bool dots = e->name[0] == '.' && (!e->name[1] || !strcmp(e->name, ".."));
        if (dots || e->type != ABI_S_IFDIR || (e->number != n->number && !n->mount) || tree_child(up, e->name, &child))
            continue;
        node_let_go(child);
        if (child == n)
            break;
    }
    file_let_go(f);
    return found > 0 ? 0 : found ? found : -ENOENT;
}

/* Built from the end of `path` towards its beginning. */
int place_path(const struct place *p, char *path, size_t size)
{
    size_t at = size;
    struct node *n = p->directory, *root = vfs_root();
    struct vfs_entry e;
    int status = 0;
    node_hold(n);
    if (size)
        path[--at] = 0;
    while (!status && n != root) {
        struct node *up = tree_parent(n);
        status = name_of(n, up, &e);
        size_t length = status ? 0 : strlen(e.name);
        if (!status && at < length + 1)
            status = -ERANGE;
        if (!status) {
            at -= length + 1;
            path[at] = '/';
            memcpy(path + at + 1, e.name, length);
        }
        node_let_go(n);
        n = up;
    }
    node_let_go(n);
    node_let_go(root);
    if (!status && size && !path[at]) {
        if (at)
            path[--at] = '/';
        else
            status = -ERANGE;
    }
    if (status || !size)
        return status ? status : -ERANGE;
    memmove(path, path + at, size - at);
    return 0;
}
