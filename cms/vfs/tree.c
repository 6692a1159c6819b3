/* What is mounted where, and the way up. */
#include "cms/vfs/tree.h"

#include <errno.h>
#include <string.h>

static struct vfs_mount *mounts;
static struct node *(*root_top)(void);
static struct node *root; /* this room has a user of it */

/* Stands in where there is no root image. */
static const struct node_operations nothing = {0};
static struct node empty = {.operations = &nothing, .mode = ABI_S_IFDIR | 0755, .number = 1, .users = 1};

void vfs_mount(struct vfs_mount *m)
{
    struct vfs_mount **end = &mounts;
    while (*end)
        end = &(*end)->next;
    m->next = NULL;
    *end = m;
}

struct vfs_mount *vfs_mounts(void) { return mounts; }

void vfs_set_root(struct node *(*top)(void))
{
    node_let_go(root);
    root = NULL;
    root_top = top;
}

/* Looking for a disk costs an exit: it is done when a program begins, not for every path. */
void tree_look_for_root(void)
{
    struct node *top = root_top ? root_top() : NULL;
    if (!top)
        return;
    node_let_go(root);
    root = top;
}

static struct node *root_now(void) { return root ? root : &empty; }

struct node *vfs_root(void)
{
    struct node *n = root_now();
    node_hold(n);
    return n;
}

static bool is_below(const struct vfs_mount *m, const struct node *directory)
{
    if (!m->below)
        return directory == root_now();
    struct node *below = m->below();
    node_let_go(below);
    return directory == below;
}

static struct node *top_of(const struct vfs_mount *m)
{
    struct node *n = m->top(m);
    if (n)
        n->mount = m;
    return n;
}

static const struct vfs_mount *mount_of(struct node *directory, const char *name)
{
    const struct vfs_mount *m = mounts;
    while (m && (strcmp(m->name, name) || !is_below(m, directory)))
        m = m->next;
    return m;
}

bool tree_is_mounted(struct node *directory, const char *name)
{
    const struct vfs_mount *m = mount_of(directory, name);
    struct node *top = m ? m->top(m) : NULL;
    node_let_go(top);
    return top;
}

int tree_mounted_entry(struct node *directory, uint64_t at, struct vfs_entry *e)
{
    uint64_t i = 0;
    for (const struct vfs_mount *m = mounts; m; m = m->next, i++) {
        struct node *top = i >= at && is_below(m, directory) ? m->top(m) : NULL;
        if (!top)
            continue;
        *e = (struct vfs_entry){.number = top->number, .type = top->mode & ABI_S_IFMT, .next = i + 1};
        memcpy(e->name, m->name, strlen(m->name) + 1);
        node_let_go(top);
        return 1;
    }
    return 0;
}

struct node *tree_parent(struct node *n)
{
    struct node *up = NULL;
    if (n->mount && n != root_now())
        up = n->mount->below ? n->mount->below() : vfs_root();
    else if (n != root_now() && n->operations->parent)
        up = n->operations->parent(n);
    if (!up)
        up = n == root_now() || !n->operations->parent ? (node_hold(n), n) : vfs_root();
    return up;
}

int tree_child(struct node *directory, const char *name, struct node **child)
{
    const struct vfs_mount *m = mount_of(directory, name);
    *child = m ? top_of(m) : NULL;
    if (*child)
        return 0;
    return directory->operations->lookup ? directory->operations->lookup(directory, name, child) : -ENOENT;
}
