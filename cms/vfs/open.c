/* open(2): what its flags mean for what a path leads to. */
#include <errno.h>
#include <string.h>

#include "cms/vfs/tree.h"

static bool writes(uint32_t flags) { return (flags & ABI_O_ACCMODE) != ABI_O_RDONLY; }

static int judge_node(const struct node *n, uint32_t flags)
{
    if (node_is(n, ABI_S_IFLNK))
        return flags & ABI_O_PATH ? 0 : -ELOOP;
    if (flags & ABI_O_PATH)
        return 0;
    if (node_is(n, ABI_S_IFDIR) && (writes(flags) || flags & ABI_O_CREAT))
        return -EISDIR;
    if (node_is(n, ABI_S_IFSOCK))
        return -ENXIO;
    if ((writes(flags) || flags & ABI_O_TRUNC) && node_is(n, ABI_S_IFREG) && n->system && n->system->read_only)
        return -EROFS;
    return 0;
}

static int open_there(struct node *n, uint32_t flags, struct file **file)
{
    if (flags & ABI_O_DIRECTORY && !node_is(n, ABI_S_IFDIR))
        return -ENOTDIR;
    int status = judge_node(n, flags);
    if (!status && flags & ABI_O_TRUNC && !(flags & ABI_O_PATH) && node_is(n, ABI_S_IFREG) && n->operations->truncate)
        status = n->operations->truncate(n, 0);
    return status ? status : node_open(n, flags, file);
}

static int create(const struct vfs_from *from, struct spot *s, uint32_t flags, uint32_t mode, struct file **file)
{
    struct node *child;
    if (s->slash)
        return -EISDIR;
    if (s->parent->system && s->parent->system->read_only)
        return -EROFS;
    if (!s->parent->operations->create)
        return -EACCES;
    mode = ABI_S_IFREG | (mode & ABI_PERMISSIONS & ~from->place->umask);
    int status = s->parent->operations->create(s->parent, s->last, mode, &child);
    if (status)
        return status;
    status = node_open(child, flags, file);
    node_let_go(child);
    return status;
}

/* A file without a name: made under one, opened, and the name is taken away. */
static int open_unnamed(struct node *directory, uint32_t flags, uint32_t mode, struct file **file)
{
    static const char name[] = ".tmpfile-being-made";
    struct node *child;
    if (!writes(flags))
        return -EINVAL;
    if (!node_is(directory, ABI_S_IFDIR))
        return -ENOTDIR;
    if (directory->system && directory->system->read_only)
        return -EROFS;
    if (!directory->operations->create || !directory->operations->remove)
        return -EOPNOTSUPP;
    int status = directory->operations->create(directory, name, ABI_S_IFREG | (mode & 0777), &child);
    if (status)
        return status;
    status = node_open(child, flags & ~(uint32_t)(ABI_O_TMPFILE | ABI_O_DIRECTORY), file);
    directory->operations->remove(directory, name, child);
    child->takes_name = !(flags & ABI_O_EXCL);
    node_let_go(child);
    return status;
}

int vfs_open(const struct vfs_from *from, const char *path, uint32_t flags, uint32_t mode, struct file **file)
{
    struct spot s;
    bool exclusive = (flags & (ABI_O_CREAT | ABI_O_EXCL)) == (ABI_O_CREAT | ABI_O_EXCL);
    *file = NULL;
    if ((flags & ABI_O_ACCMODE) == ABI_O_ACCMODE)
        return -EINVAL;
    if (flags & ABI_O_PATH)
        flags &= ABI_O_PATH | ABI_O_DIRECTORY | ABI_O_NOFOLLOW | ABI_O_CLOEXEC;
    if (flags & ABI_O_CREAT && flags & ABI_O_DIRECTORY)
        return -EINVAL;
    int status = tree_walk(from, path, flags & ABI_O_NOFOLLOW || exclusive ? 0 : WALK_FOLLOW, &s);
    if (status)
        return status;
    if (!s.node)
        status = flags & ABI_O_CREAT ? create(from, &s, flags, mode, file) : -ENOENT;
    else if (flags & ABI_O_TMPFILE)
        status = open_unnamed(s.node, flags, mode & ~from->place->umask, file);
    else
        status = exclusive ? -EEXIST : open_there(s.node, flags, file);
    spot_leave(&s);
    return status;
}
