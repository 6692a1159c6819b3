/* Calls that change what paths lead to. */
#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/syscall/user.h"

static const uint64_t HERE = (uint64_t)ABI_AT_FDCWD;

static int64_t make_directory(uint64_t at, uint64_t address, uint64_t mode)
{
    int status;
    struct vfs_from from = user_from(at);
    const char *path = user_path(address, PATH_FIRST, &status);
    return path ? vfs_make_directory(&from, path, (uint32_t)mode) : status;
}

static int64_t unlink_at(uint64_t at, uint64_t address, uint64_t flags)
{
    int status;
    struct vfs_from from = user_from(at);
    if (flags & ~(uint64_t)ABI_AT_REMOVEDIR)
        return -EINVAL;
    const char *path = user_path(address, PATH_FIRST, &status);
    return path ? vfs_unlink(&from, path, flags & ABI_AT_REMOVEDIR) : status;
}

typedef int of_two_paths(const struct vfs_from *, const char *, const struct vfs_from *, const char *, unsigned flags);

static int64_t both_at(of_two_paths *act, uint64_t at, uint64_t address, uint64_t new_at, uint64_t new_address,
                       uint64_t flags)
{
    int status;
    struct vfs_from from = user_from(at), to = user_from(new_at);
    const char *path = user_path(address, PATH_FIRST, &status);
    const char *new_path = path ? user_path(new_address, PATH_SECOND, &status) : NULL;
    return new_path ? act(&from, path, &to, new_path, (unsigned)flags) : status;
}

static int64_t rename_at(uint64_t at, uint64_t address, uint64_t new_at, uint64_t new_address, uint64_t flags)
{
    return both_at(vfs_rename, at, address, new_at, new_address, flags);
}

static int64_t link_at(uint64_t at, uint64_t address, uint64_t new_at, uint64_t new_address, uint64_t flags)
{
    return both_at(vfs_link, at, address, new_at, new_address, flags);
}

static int64_t symlink_at(uint64_t target_address, uint64_t at, uint64_t address)
{
    int status;
    struct vfs_from from = user_from(at);
    const char *target = user_path(target_address, PATH_FIRST, &status);
    const char *path = target ? user_path(address, PATH_SECOND, &status) : NULL;
    return path ? vfs_symlink(target, &from, path) : status;
}

static int64_t readlink_at(uint64_t at, uint64_t address, uint64_t to, uint64_t size)
{
    int status;
    struct vfs_from from = user_from(at);
    const char *path = user_path(address, PATH_FIRST, &status);
    if (!path)
        return status;
    if ((int64_t)size <= 0)
        return -EINVAL;
    size = size < VFS_PATH_MAX ? size : VFS_PATH_MAX;
    char *text = cms_heap_allocate(VFS_PATH_MAX);
    int64_t n = text ? vfs_readlink(&from, path, text, size) : -ENOMEM;
    if (n > 0 && copy_out(to, text, (size_t)n))
        n = -EFAULT;
    cms_heap_free(text);
    return n;
}

/* Only what open makes too: no devices, no named pipes. */
static int64_t make_node(uint64_t at, uint64_t address, uint64_t mode)
{
    int status;
    struct file *f;
    struct vfs_from from = user_from(at);
    uint32_t type = (uint32_t)mode & ABI_S_IFMT;
    if (type && type != ABI_S_IFREG)
        return -EPERM;
    const char *path = user_path(address, PATH_FIRST, &status);
    if (path)
        status = vfs_open(&from, path, ABI_O_WRONLY | ABI_O_CREAT | ABI_O_EXCL, (uint32_t)mode & ABI_PERMISSIONS, &f);
    return status ? status : file_let_go(f);
}

int64_t call_mkdir(const struct call *c) { return make_directory(HERE, c->argument[0], c->argument[1]); }
int64_t call_mkdirat(const struct call *c) { return make_directory(c->argument[0], c->argument[1], c->argument[2]); }
int64_t call_rmdir(const struct call *c) { return unlink_at(HERE, c->argument[0], ABI_AT_REMOVEDIR); }
int64_t call_unlink(const struct call *c) { return unlink_at(HERE, c->argument[0], 0); }
int64_t call_unlinkat(const struct call *c) { return unlink_at(c->argument[0], c->argument[1], c->argument[2]); }
int64_t call_rename(const struct call *c) { return rename_at(HERE, c->argument[0], HERE, c->argument[1], 0); }
int64_t call_link(const struct call *c) { return link_at(HERE, c->argument[0], HERE, c->argument[1], 0); }
int64_t call_symlink(const struct call *c) { return symlink_at(c->argument[0], HERE, c->argument[1]); }
int64_t call_symlinkat(const struct call *c) { return symlink_at(c->argument[0], c->argument[1], c->argument[2]); }
int64_t call_mknod(const struct call *c) { return make_node(HERE, c->argument[0], c->argument[1]); }
int64_t call_mknodat(const struct call *c) { return make_node(c->argument[0], c->argument[1], c->argument[2]); }

int64_t call_readlink(const struct call *c)
{
    return readlink_at(HERE, c->argument[0], c->argument[1], c->argument[2]);
}

int64_t call_readlinkat(const struct call *c)
{
    return readlink_at(c->argument[0], c->argument[1], c->argument[2], c->argument[3]);
}

int64_t call_renameat(const struct call *c)
{
    return rename_at(c->argument[0], c->argument[1], c->argument[2], c->argument[3], 0);
}

int64_t call_renameat2(const struct call *c)
{
    return rename_at(c->argument[0], c->argument[1], c->argument[2], c->argument[3], c->argument[4]);
}

int64_t call_linkat(const struct call *c)
{
    return link_at(c->argument[0], c->argument[1], c->argument[2], c->argument[3], c->argument[4]);
}

/* ---- the working directory --------------------------------------------------------------------------------------- */

int64_t call_chdir(const struct call *c)
{
    int status;
    const char *path = user_path(c->argument[0], PATH_FIRST, &status);
    return path ? place_change(my_place(), my_files(), ABI_AT_FDCWD, path) : status;
}

int64_t call_fchdir(const struct call *c)
{
    return (int32_t)c->argument[0] < 0 ? -EBADF : place_change(my_place(), my_files(), (int32_t)c->argument[0], NULL);
}

int64_t call_getcwd(const struct call *c)
{
    uint64_t size = c->argument[1] < VFS_PATH_MAX ? c->argument[1] : VFS_PATH_MAX;
    char *path = cms_heap_allocate(VFS_PATH_MAX);
    int64_t length = 0;
    if (!path)
        return -ENOMEM;
    int status = place_path(my_place(), path, size);
    if (!status) {
        while (path[length++])
            ;
        status = copy_out(c->argument[0], path, (size_t)length);
    }
    cms_heap_free(path);
    return status ? status : length;
}

int64_t call_umask(const struct call *c) { return place_set_umask(my_place(), (uint32_t)c->argument[0]); }

int64_t call_chroot(const struct call *c) { return (void)c, -EPERM; }
