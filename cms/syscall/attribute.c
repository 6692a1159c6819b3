/* Calls that ask for, or change, what a file is: stat and its family, modes, owners, times, sizes. */
#include <errno.h>
#include <string.h>

#include "cms/syscall/attribute.h"
#include "cms/vfs/caller.h"
#include "cms/vfs/node.h"

static const uint64_t HERE = (uint64_t)ABI_AT_FDCWD;
enum { NANOSECONDS = 1000000000, MICROSECOND = 1000 };

/* An open file is asked itself where the path is empty: it may have no name, or never had one. */
int attribute_stat(uint64_t at, uint64_t address, unsigned flags, struct vfs_stat *s)
{
    int status;
    char first = 0;
    struct vfs_from from = user_from(at);
    bool itself = flags & ABI_AT_EMPTY_PATH && (!address || (!copy_in(&first, address, 1) && !first));
    if (itself && (int32_t)at != ABI_AT_FDCWD) {
        struct file *f = files_get(my_files(), (unsigned)at);
        if (!f)
            return -EBADF;
        *s = (struct vfs_stat){.mode = ABI_S_IFREG | 0600, .links = 1, .block_size = 4096};
        return f->operations->stat ? f->operations->stat(f, s) : 0;
    }
    const char *path = itself ? "" : user_path(address, PATH_FIRST, &status);
    return path ? vfs_stat(&from, path, flags, s) : status;
}

static int64_t stat_call(uint64_t at, uint64_t address, uint64_t flags, uint64_t to)
{
    enum { NO_AUTOMOUNT = 0x800 };
    struct vfs_stat s;
    int status = attribute_stat(at, address, (unsigned)flags & ~(unsigned)NO_AUTOMOUNT, &s);
    return status ? status : copy_out(to, &s, sizeof s);
}

int64_t call_stat(const struct call *c) { return stat_call(HERE, c->argument[0], 0, c->argument[1]); }

int64_t call_lstat(const struct call *c)
{
    return stat_call(HERE, c->argument[0], ABI_AT_SYMLINK_NOFOLLOW, c->argument[1]);
}

int64_t call_fstat(const struct call *c)
{
    return (int32_t)c->argument[0] < 0 ? -EBADF : stat_call(c->argument[0], 0, ABI_AT_EMPTY_PATH, c->argument[1]);
}

int64_t call_newfstatat(const struct call *c)
{
    return stat_call(c->argument[0], c->argument[1], c->argument[3], c->argument[2]);
}

struct statx_time {
    int64_t s;
    uint32_t ns, pad;
};
struct statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, pad;
    uint64_t number, size, blocks, attributes_mask;
    struct statx_time read, born, status, changed;
    uint32_t node_major, node_minor, major, minor;
    uint64_t spare[14];
};
_Static_assert(sizeof(struct statx) == 256, "struct statx");

static uint32_t major_of(uint64_t device) { return (uint32_t)(device >> 8 & 0xfff); }
static uint32_t minor_of(uint64_t device) { return (uint32_t)((device & 0xff) | (device >> 12 & ~0xffull)); }

int64_t call_statx(const struct call *c)
{
    enum { BASIC = 0x7ff, SYNC_FLAGS = 0x6000, NO_AUTOMOUNT = 0x800 };
    struct vfs_stat s;
    unsigned flags = (unsigned)c->argument[2] & ~(unsigned)(SYNC_FLAGS | NO_AUTOMOUNT);
    int status = attribute_stat(c->argument[0], c->argument[1], flags, &s);
    if (status)
        return status;
    struct statx x = {
        .mask = BASIC,
        .block_size = (uint32_t)s.block_size,
        .links = (uint32_t)s.links,
        .user = s.user,
        .group = s.group,
        .mode = (uint16_t)s.mode,
        .number = s.number,
        .size = (uint64_t)s.size,
        .blocks = (uint64_t)s.blocks,
        .read = {s.access_s, (uint32_t)s.access_ns, 0},
        .status = {s.status_s, (uint32_t)s.status_ns, 0},
        .changed = {s.change_s, (uint32_t)s.change_ns, 0},
        .node_major = major_of(s.device_number),
        .node_minor = minor_of(s.device_number),
        .major = major_of(s.device),
        .minor = minor_of(s.device),
    };
    return copy_out(c->argument[4], &x, sizeof x);
}

/* ---- what may be done -------------------------------------------------------------------------------------------- */

static int64_t access_at(uint64_t at, uint64_t address, uint64_t mode, uint64_t flags)
{
    int status;
    struct vfs_from from = user_from(at);
    const char *path = user_path(address, PATH_FIRST, &status);
    return path ? vfs_access(&from, path, (unsigned)mode, (unsigned)flags) : status;
}

int64_t call_access(const struct call *c) { return access_at(HERE, c->argument[0], c->argument[1], 0); }
int64_t call_faccessat(const struct call *c) { return access_at(c->argument[0], c->argument[1], c->argument[2], 0); }

int64_t call_faccessat2(const struct call *c)
{
    return access_at(c->argument[0], c->argument[1], c->argument[2], c->argument[3]);
}

static int64_t change_mode(uint64_t at, uint64_t address, uint64_t mode)
{
    int status;
    struct vfs_from from = user_from(at);
    const char *path = user_path(address, PATH_FIRST, &status);
    return path ? vfs_change_mode(&from, path, (uint32_t)mode) : status;
}

int64_t call_chmod(const struct call *c) { return change_mode(HERE, c->argument[0], c->argument[1]); }
int64_t call_fchmodat(const struct call *c) { return change_mode(c->argument[0], c->argument[1], c->argument[2]); }

int64_t call_fchmod(const struct call *c)
{
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    struct node *n = node_of(f);
    int64_t status = f->flags & ABI_O_PATH ? -EBADF : 0;
    if (!status && n && n->system && n->system->read_only)
        status = -EROFS;
    else if (!status && n && n->operations->set_mode)
        status = n->operations->set_mode(n, (uint32_t)c->argument[1] & ABI_PERMISSIONS);
    file_let_go(f);
    return status;
}

/* Every file is its only user's, so that whatever owner is asked for, it changes nothing; but it must be there. */
static int64_t own(uint64_t at, uint64_t address, uint64_t flags)
{
    struct vfs_stat s;
    return attribute_stat(at, address, (unsigned)flags, &s);
}

int64_t call_chown(const struct call *c) { return own(HERE, c->argument[0], 0); }
int64_t call_lchown(const struct call *c) { return own(HERE, c->argument[0], ABI_AT_SYMLINK_NOFOLLOW); }
int64_t call_fchown(const struct call *c) { return own((uint32_t)c->argument[0], 0, ABI_AT_EMPTY_PATH); }
int64_t call_fchownat(const struct call *c) { return own(c->argument[0], c->argument[1], c->argument[4]); }

/* ---- times ------------------------------------------------------------------------------------------------------- */

struct two_longs {
    int64_t s, part;
};

static int64_t set_times(uint64_t at, uint64_t address, const int64_t ns[2], unsigned flags)
{
    int status;
    struct vfs_from from = user_from(at);
    if (!address && (int32_t)at == ABI_AT_FDCWD)
        return -EFAULT;
    if (!address && flags)
        return -EINVAL;
    if (!address) { /* the descriptor's own */
        struct file *f = files_get(my_files(), (unsigned)at);
        struct node *n = f ? node_of(f) : NULL;
        return !f ? -EBADF : n && n->operations->set_times ? n->operations->set_times(n, ns) : 0;
    }
    const char *path = user_path(address, PATH_FIRST, &status);
    return path ? vfs_set_times(&from, path, ns, flags) : status;
}

/* Two times in seconds and a part, of which one nanosecond has `unit`; no address: now. */
static int get_times(uint64_t address, int64_t unit, int64_t ns[2])
{
    enum { UTIME_NOW = 0x3fffffff, UTIME_OMIT = 0x3ffffffe };
    struct two_longs t[2];
    ns[0] = ns[1] = caller_time();
    if (!address)
        return 0;
    if (copy_in(t, address, sizeof t))
        return -EFAULT;
    for (int i = 0; i < 2; i++) {
        if (unit == 1 && t[i].part == UTIME_NOW)
            continue;
        if (unit == 1 && t[i].part == UTIME_OMIT) {
            ns[i] = NODE_TIME_LEAVE;
            continue;
        }
        if (t[i].part < 0 || t[i].part >= NANOSECONDS / unit || __builtin_mul_overflow(t[i].s, NANOSECONDS, &ns[i]) ||
            __builtin_add_overflow(ns[i], t[i].part * unit, &ns[i]))
            return -EINVAL;
    }
    return 0;
}

static int64_t times_call(uint64_t at, uint64_t path, uint64_t times, int64_t unit, unsigned flags)
{
    int64_t ns[2];
    int status = get_times(times, unit, ns);
    if (status || (ns[0] == NODE_TIME_LEAVE && ns[1] == NODE_TIME_LEAVE)) /* nothing to do, to whatever it is */
        return status;
    return set_times(at, path, ns, flags);
}

int64_t call_utimensat(const struct call *c)
{
    return times_call(c->argument[0], c->argument[1], c->argument[2], 1, (unsigned)c->argument[3]);
}

int64_t call_utimes(const struct call *c)
{
    return c->argument[0] ? times_call(HERE, c->argument[0], c->argument[1], MICROSECOND, 0) : -EFAULT;
}

int64_t call_futimesat(const struct call *c)
{
    return times_call(c->argument[0], c->argument[1], c->argument[2], MICROSECOND, 0);
}

int64_t call_utime(const struct call *c)
{
    int64_t s[2], ns[2] = {caller_time(), caller_time()};
    if (c->argument[1]) {
        if (copy_in(s, c->argument[1], sizeof s))
            return -EFAULT;
        for (int i = 0; i < 2; i++)
            if (__builtin_mul_overflow(s[i], NANOSECONDS, &ns[i]))
                return -EINVAL;
    }
    return c->argument[0] ? set_times(HERE, c->argument[0], ns, 0) : -EFAULT;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

int64_t call_truncate(const struct call *c)
{
    int status;
    struct vfs_from from = user_from(HERE);
    if ((int64_t)c->argument[1] < 0)
        return -EINVAL;
    const char *path = user_path(c->argument[0], PATH_FIRST, &status);
    return path ? vfs_truncate(&from, path, c->argument[1]) : status;
}

static bool may_resize(const struct file *f)
{
    return (f->flags & ABI_O_ACCMODE) != ABI_O_RDONLY && !(f->flags & ABI_O_PATH);
}

int64_t call_ftruncate(const struct call *c)
{
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    int64_t status = -EINVAL;
    if (f->flags & ABI_O_PATH)
        status = -EBADF;
    else if ((int64_t)c->argument[1] >= 0 && may_resize(f) && f->operations->truncate)
        status = f->operations->truncate(f, c->argument[1]);
    file_let_go(f);
    return status;
}

int64_t call_fallocate(const struct call *c)
{
    struct vfs_stat s = {0};
    int64_t offset = (int64_t)c->argument[2], length = (int64_t)c->argument[3], end;
    struct file *f = user_file(c->argument[0]);
    int64_t status = 0;
    if (!f)
        return -EBADF;
    if (offset < 0 || length <= 0)
        status = -EINVAL;
    else if (__builtin_add_overflow(offset, length, &end))
        status = -EFBIG;
    else if (!may_resize(f))
        status = -EBADF;
    else if (!f->operations->truncate || !f->operations->stat)
        status = f->seekable ? -EOPNOTSUPP : -ESPIPE;
    else if (c->argument[1] & ~1ull) /* holes, and what else is asked for beside more room */
        status = -EOPNOTSUPP;
    else if (!(c->argument[1] & 1) && !f->operations->stat(f, &s) && s.size < end)
        status = f->operations->truncate(f, (uint64_t)end);
    file_let_go(f);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

int64_t call_statfs(const struct call *c)
{
    int status;
    struct vfs_statfs s;
    struct vfs_from from = user_from(HERE);
    const char *path = user_path(c->argument[0], PATH_FIRST, &status);
    if (path)
        status = vfs_statfs(&from, path, &s);
    return status ? status : copy_out(c->argument[1], &s, sizeof s);
}

int64_t call_fstatfs(const struct call *c)
{
    struct vfs_statfs s;
    struct file *f = files_get(my_files(), (unsigned)c->argument[0]);
    if (!f)
        return -EBADF;
    struct node *n = node_of(f);
    s = (struct vfs_statfs){.type = 0x50495045, .block_size = 4096, .fragment_size = 4096, .name_max = VFS_NAME_MAX};
    if (n && n->operations->statfs)
        n->operations->statfs(n, &s);
    return copy_out(c->argument[1], &s, sizeof s);
}

static int64_t sync_file(uint64_t descriptor)
{
    struct file *f = user_file(descriptor);
    if (!f)
        return -EBADF;
    int64_t status = f->flags & ABI_O_PATH ? -EBADF
                     : f->operations->sync ? f->operations->sync(f) : f->seekable ? 0 : -EINVAL;
    file_let_go(f);
    return status;
}

int64_t call_fsync(const struct call *c) { return sync_file(c->argument[0]); }
int64_t call_fdatasync(const struct call *c) { return sync_file(c->argument[0]); }
int64_t call_sync_file_range(const struct call *c) { return sync_file(c->argument[0]); }

int64_t call_syncfs(const struct call *c)
{
    return files_get(my_files(), (unsigned)c->argument[0]) ? vfs_sync() : -EBADF;
}

int64_t call_sync(const struct call *c)
{
    (void)c;
    vfs_sync();
    return 0;
}

/* Advice is heard and not needed. */
int64_t call_fadvise64(const struct call *c)
{
    struct file *f = files_get(my_files(), (unsigned)c->argument[0]);
    return !f ? -EBADF : !f->seekable ? -ESPIPE : c->argument[3] > 5 ? -EINVAL : 0;
}
