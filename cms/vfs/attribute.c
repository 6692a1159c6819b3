/* What is asked of a file by its path, and changed of it, without opening it. */
#include <errno.h>

#include "cms/vfs/tree.h"

static int find(const struct vfs_from *from, const char *path, unsigned at_flags, unsigned known, struct spot *s)
{
    unsigned walk =
        (at_flags & ABI_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (at_flags & ABI_AT_EMPTY_PATH ? WALK_EMPTY : 0);
    if (at_flags & ~known)
        return -EINVAL;
    int status = tree_walk(from, path, walk, s);
    if (!status && !s->node) {
        spot_leave(s);
        status = -ENOENT;
    }
    return status;
}

int vfs_stat(const struct vfs_from *from, const char *path, unsigned at_flags, struct vfs_stat *stat)
{
    struct spot s;
    int status = find(from, path, at_flags, ABI_AT_SYMLINK_NOFOLLOW | ABI_AT_EMPTY_PATH, &s);
    if (status)
        return status;
    node_fill_stat(s.node, stat);
    spot_leave(&s);
    return 0;
}

/* Who asks is root, as a CMS user is of the own machine: only x bits and read-only file systems say no. */
int vfs_access(const struct vfs_from *from, const char *path, unsigned mode, unsigned at_flags)
{
    struct spot s;
    if (mode & ~7u)
        return -EINVAL;
    int status = find(from, path, at_flags, ABI_AT_SYMLINK_NOFOLLOW | ABI_AT_EMPTY_PATH | ABI_AT_EACCESS, &s);
    if (status)
        return status;
    bool device = node_is(s.node, ABI_S_IFCHR);
    if (mode & ABI_W_OK && !device && s.node->system && s.node->system->read_only)
        status = -EROFS;
    else if (mode & ABI_X_OK && !node_is(s.node, ABI_S_IFDIR) && (!(s.node->mode & 0111) || !node_executes(s.node)))
        status = -EACCES;
    spot_leave(&s);
    return status;
}

int64_t vfs_readlink(const struct vfs_from *from, const char *path, char *to, size_t size)
{
    struct spot s;
    int64_t status = find(from, path, ABI_AT_SYMLINK_NOFOLLOW | ABI_AT_EMPTY_PATH, ~0u, &s);
    if (status)
        return status;
    if (!size)
        status = -EINVAL;
    else if (node_is(s.node, ABI_S_IFLNK) && s.node->operations->target)
        status = s.node->operations->target(s.node, to, size);
    else
        status = *path ? -EINVAL : -ENOENT;
    spot_leave(&s);
    return status;
}

static int find_to_change(const struct vfs_from *from, const char *path, unsigned at_flags, struct spot *s)
{
    int status = find(from, path, at_flags, ABI_AT_SYMLINK_NOFOLLOW | ABI_AT_EMPTY_PATH, s);
    if (!status && s->node->system && s->node->system->read_only) {
        spot_leave(s);
        status = -EROFS;
    }
    return status;
}

int vfs_change_mode(const struct vfs_from *from, const char *path, uint32_t mode)
{
    struct spot s;
    int status = find_to_change(from, path, ABI_AT_EMPTY_PATH, &s);
    if (status)
        return status;
    if (s.node->operations->set_mode)
        status = s.node->operations->set_mode(s.node, mode & ABI_PERMISSIONS);
    spot_leave(&s);
    return status;
}

int vfs_set_times(const struct vfs_from *from, const char *path, const int64_t ns[2], unsigned at_flags)
{
    struct spot s;
    int status = find_to_change(from, path, at_flags, &s);
    if (status)
        return status;
    if (s.node->operations->set_times)
        status = s.node->operations->set_times(s.node, ns);
    spot_leave(&s);
    return status;
}

int vfs_truncate(const struct vfs_from *from, const char *path, uint64_t size)
{
    struct spot s;
    int status = find_to_change(from, path, 0, &s);
    if (status)
        return status;
    const struct node_operations *o = s.node->operations;
    if (node_is(s.node, ABI_S_IFDIR))
        status = -EISDIR;
    else if (!node_is(s.node, ABI_S_IFREG) || !o->truncate)
        status = -EINVAL;
    else
        status = o->truncate(s.node, size);
    if (!status && o->closed) /* as if it had been opened for that */
        status = o->closed(s.node);
    spot_leave(&s);
    return status;
}

int vfs_statfs(const struct vfs_from *from, const char *path, struct vfs_statfs *facts)
{
    struct spot s;
    int status = find(from, path, ABI_AT_EMPTY_PATH, ABI_AT_EMPTY_PATH, &s);
    if (status)
        return status;
    *facts = (struct vfs_statfs){
        .block_size = FRAME_SIZE_OF_STAT, .fragment_size = FRAME_SIZE_OF_STAT, .name_max = VFS_NAME_MAX};
    facts->flags = ABI_ST_VALID | (s.node->system && s.node->system->read_only ? ABI_ST_RDONLY : 0);
    if (s.node->operations->statfs)
        s.node->operations->statfs(s.node, facts);
    spot_leave(&s);
    return 0;
}

static struct vfs_syncer *syncers;

void vfs_on_sync(struct vfs_syncer *s)
{
    s->next = syncers;
    syncers = s;
}

int vfs_sync(void)
{
    int status = 0;
    for (struct vfs_syncer *s = syncers; s; s = s->next) {
        int one = s->sync();
        status = status ? status : one;
    }
    return status;
}
