/* What Linux on x86-64 fixes of files: flags, modes and the structures system calls hand out. The names are Linux's,
 * with ABI_ before them, so that sources for the host can include its headers too. */
#pragma once
#include <stdint.h>

enum {
    ABI_AT_FDCWD = -100,
    ABI_AT_SYMLINK_NOFOLLOW = 0x100,
    ABI_AT_REMOVEDIR = 0x200,
    ABI_AT_EACCESS = 0x200,
    ABI_AT_SYMLINK_FOLLOW = 0x400,
    ABI_AT_EMPTY_PATH = 0x1000,
};

enum {
    ABI_O_RDONLY = 0,
    ABI_O_WRONLY = 1,
    ABI_O_RDWR = 2,
    ABI_O_ACCMODE = 3,
    ABI_O_CREAT = 0x40,
    ABI_O_EXCL = 0x80,
    ABI_O_NOCTTY = 0x100,
    ABI_O_TRUNC = 0x200,
    ABI_O_APPEND = 0x400,
    ABI_O_NONBLOCK = 0x800,
    ABI_O_ASYNC = 0x2000,
    ABI_O_DIRECT = 0x4000,
    ABI_O_DIRECTORY = 0x10000,
    ABI_O_NOFOLLOW = 0x20000,
    ABI_O_NOATIME = 0x40000,
    ABI_O_CLOEXEC = 0x80000,
    ABI_O_PATH = 0x200000,
    ABI_O_TMPFILE = 0x400000,                                                              /* with ABI_O_DIRECTORY */
    ABI_O_OPENING = ABI_O_CREAT | ABI_O_EXCL | ABI_O_NOCTTY | ABI_O_TRUNC | ABI_O_CLOEXEC, /* F_GETFL has them not */
};

enum {
    ABI_S_IFMT = 0170000,
    ABI_S_IFIFO = 0010000,
    ABI_S_IFCHR = 0020000,
    ABI_S_IFDIR = 0040000,
    ABI_S_IFREG = 0100000,
    ABI_S_IFLNK = 0120000,
    ABI_S_IFSOCK = 0140000,
    ABI_PERMISSIONS = 07777,
};

enum { ABI_F_OK = 0, ABI_X_OK = 1, ABI_W_OK = 2, ABI_R_OK = 4 };
enum { ABI_SEEK_SET, ABI_SEEK_CUR, ABI_SEEK_END, ABI_SEEK_DATA, ABI_SEEK_HOLE };
enum { ABI_RENAME_NOREPLACE = 1, ABI_RENAME_EXCHANGE = 2 };
enum {
    ABI_POLLIN = 1,
    ABI_POLLPRI = 2,
    ABI_POLLOUT = 4,
    ABI_POLLERR = 8,
    ABI_POLLHUP = 0x10,
    ABI_POLLNVAL = 0x20,
    ABI_POLLRDNORM = 0x40,
    ABI_POLLWRNORM = 0x100,
    ABI_POLLRDHUP = 0x2000
};
enum {
    ABI_SIGHUP = 1,
    ABI_SIGINT = 2,
    ABI_SIGQUIT = 3,
    ABI_SIGPIPE = 13,
    ABI_SIGTSTP = 20,
    ABI_SIGTTIN = 21,
    ABI_SIGTTOU = 22,
    ABI_SIGWINCH = 28,
    ABI_SIGCONT = 18
};

/* As a file system fills it in: struct stat. */
struct vfs_stat {
    uint64_t device, number, links;
    uint32_t mode, user, group, pad;
    uint64_t device_number;
    int64_t size, block_size, blocks;                                      /* blocks: of 512 bytes */
    int64_t access_s, access_ns, change_s, change_ns, status_s, status_ns; /* atime, mtime, ctime */
    int64_t unused[3];
};
_Static_assert(sizeof(struct vfs_stat) == 144, "struct stat of x86-64");

/* struct statfs */
struct vfs_statfs {
    int64_t type, block_size;
    uint64_t blocks, free, available, files, files_free;
    int32_t id[2];
    int64_t name_max, fragment_size, flags, spare[4];
};
_Static_assert(sizeof(struct vfs_statfs) == 120, "struct statfs of x86-64");

enum { ABI_ST_RDONLY = 1, ABI_ST_VALID = 0x20 };

static inline uint64_t abi_device_number(unsigned major, unsigned minor)
{
    return (minor & 0xff) | (uint64_t)major << 8 | (uint64_t)(minor & ~0xffu) << 12;
}
