/* Changes of directories: who may have which name. */
#include <errno.h>
#include <string.h>

#include "cms/vfs/tree.h"

static bool is_read_only(const struct node *n) { return n->system && n->system->read_only; }

/* For what makes something new: the spot must have a name, nobody must have it. */
static int begin_new(const struct vfs_from *from, const char *path, bool directory, struct spot *s)
{
    int status = tree_walk(from, path, 0, s);
    if (status)
        return status;
    if (s->node)
        status = -EEXIST;
    else if (s->slash && !directory)
        status = -ENOENT;
    else if (is_read_only(s->parent))
        status = -EROFS;
    if (status)
        spot_leave(s);
    return status;
}

int vfs_make_directory(const struct vfs_from *from, const char *path, uint32_t mode)
{
    struct spot s;
    struct node *child;
    int status = begin_new(from, path, true, &s);
    if (status)
        return status;
    mode = ABI_S_IFDIR | (mode & 01777 & ~from->place->umask);
    status = s.parent->operations->create ? s.parent->operations->create(s.parent, s.last, mode, &child) : -EPERM;
    if (!status)
        node_let_go(child);
    spot_leave(&s);
    return status;
}

int vfs_symlink(const char *target, const struct vfs_from *from, const char *path)
{
    struct spot s;
    if (!*target)
        return -ENOENT;
    if (strnlen(target, VFS_PATH_MAX) == VFS_PATH_MAX)
        return -ENAMETOOLONG;
    int status = begin_new(from, path, false, &s);
    if (status)
        return status;
    status = s.parent->operations->symlink ? s.parent->operations->symlink(s.parent, s.last, target) : -EPERM;
    spot_leave(&s);
    return status;
}

/* A file whose last name was removed gets no other, but where it was made without one. */
static bool is_gone(struct node *n)
{
    struct vfs_stat s;
    node_fill_stat(n, &s);
    return !s.links && !n->takes_name;
}

int vfs_link(const struct vfs_from *from, const char *path, const struct vfs_from *to, const char *new_path,
             unsigned flags)
{
    struct spot old, s;
    unsigned walk = (flags & ABI_AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) | (flags & ABI_AT_EMPTY_PATH ? WALK_EMPTY : 0);
    if (flags & ~(unsigned)(ABI_AT_SYMLINK_FOLLOW | ABI_AT_EMPTY_PATH))
        return -EINVAL;
    int status = tree_walk(from, path, walk, &old);
    if (status)
        return status;
    status = old.node ? begin_new(to, new_path, false, &s) : -ENOENT;
    if (!status) {
        if (node_is(old.node, ABI_S_IFDIR))
            status = -EPERM;
        else if (old.node->system != s.parent->system)
            status = -EXDEV;
        else if (is_gone(old.node))
            status = -ENOENT;
        else
            status = s.parent->operations->link ? s.parent->operations->link(s.parent, s.last, old.node) : -EPERM;
        spot_leave(&s);
    }
    spot_leave(&old);
    return status;
}

/* Why what stands there cannot be taken from its directory. */
static int judge_removal(const struct spot *s)
{
    if (!s->node)
        return -ENOENT;
    if (!s->parent || s->node->mount)
        return -EBUSY;
    return is_read_only(s->parent) ? -EROFS : 0;
}

/* What rmdir(2) says of . and of .. at a path's end; 0: it ends in a name. */
static int judge_dots(const char *path)
{
    size_t n = strlen(path), dots = 0;
    while (n && path[n - 1] == '/')
        n--;
    while (n && path[n - 1] == '.')
        n--, dots++;
    if (n && path[n - 1] != '/')
        return 0;
    return dots == 1 ? -EINVAL : dots == 2 ? -ENOTEMPTY : 0;
}

int vfs_unlink(const struct vfs_from *from, const char *path, bool directory)
{
    struct spot s;
    int status = tree_walk(from, path, 0, &s);
    if (status)
        return status;
    if (s.node && directory && !node_is(s.node, ABI_S_IFDIR))
        status = -ENOTDIR;
    else if (s.node && !directory && node_is(s.node, ABI_S_IFDIR))
        status = -EISDIR;
    else if (directory && s.node && judge_dots(path))
        status = judge_dots(path);
    else
        status = judge_removal(&s);
    if (!status)
        status = s.parent->operations->remove ? s.parent->operations->remove(s.parent, s.last, s.node) : -EPERM;
    spot_leave(&s);
    return status;
}

/* Is `n` the directory `above`, or within it? */
static bool is_within(struct node *n, const struct node *above)
{
    struct node *root = vfs_root();
    node_hold(n);
    for (unsigned depth = 0; n != above && n != root && depth < VFS_PATH_MAX; depth++) { /* as deep as a path can be */
        struct node *up = tree_parent(n);
        node_let_go(n);
        n = up;
    }
    bool within = n == above;
    node_let_go(n);
    node_let_go(root);
    return within;
}

static int judge_rename(const struct spot *old, const struct spot *s, unsigned flags)
{
    bool directory = node_is(old->node, ABI_S_IFDIR);
    if (!s->parent || (s->node && s->node->mount))
        return s->node && flags & ABI_RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (s->node && flags & ABI_RENAME_NOREPLACE)
        return -EEXIST;
    if (s->parent->system != old->parent->system)
        return -EXDEV;
    if ((s->slash || old->slash) && !directory)
        return -ENOTDIR;
    if (is_read_only(s->parent))
        return -EROFS;
    if (s->node && s->node != old->node && directory != node_is(s->node, ABI_S_IFDIR))
        return directory ? -ENOTDIR : -EISDIR;
    return directory && is_within(s->parent, old->node) ? -EINVAL : 0;
}

/* RENAME_EXCHANGE: both are there, of whatever type. */
static int judge_exchange(const struct spot *old, const struct spot *s)
{
    if (!s->node)
        return -ENOENT;
    if (!s->parent || s->node->mount)
        return -EBUSY;
    if (s->parent->system != old->parent->system)
        return -EXDEV;
    if ((s->slash && !node_is(s->node, ABI_S_IFDIR)) || (old->slash && !node_is(old->node, ABI_S_IFDIR)))
        return -ENOTDIR;
    if (is_read_only(s->parent))
        return -EROFS;
    return is_within(s->parent, old->node) || is_within(old->parent, s->node) ? -EINVAL : 0;
}

static int exchange(const struct spot *old, const struct spot *s)
{
    int status = judge_exchange(old, s);
    if (status || s->node == old->node)
        return status;
    const struct node_operations *o = old->parent->operations;
    return o->exchange ? o->exchange(old->parent, old->last, s->parent, s->last) : -EINVAL;
}

int vfs_rename(const struct vfs_from *from, const char *path, const struct vfs_from *to, const char *new_path,
               unsigned flags)
{
    struct spot old, s;
    if (flags > ABI_RENAME_EXCHANGE) /* one of them, or none */
        return -EINVAL;
    int status = tree_walk(from, path, 0, &old);
    if (status)
        return status;
    status = judge_removal(&old);
    if (!status)
        status = tree_walk(to, new_path, 0, &s);
    if (status) {
        spot_leave(&old);
        return status;
    }
    const struct node_operations *o = old.parent->operations;
    status = flags & ABI_RENAME_EXCHANGE ? exchange(&old, &s) : judge_rename(&old, &s, flags);
    if (!status && !(flags & ABI_RENAME_EXCHANGE) && (s.node != old.node || strcmp(old.last, s.last)))
        status = o->rename
                     ? o->rename(old.parent, old.last, old.node, s.parent, s.last, s.node == old.node ? NULL : s.node)
                     : -EPERM;
    spot_leave(&s);
    spot_leave(&old);
    return status;
}
