#include "cms/syscall/user.h"

#include <errno.h>

enum { LIST_MAX = 1024 };
static const uint64_t TRANSFER_MAX = 0x7ffff000; /* of one call, as Linux has it */

struct file *user_file(uint64_t descriptor)
{
    struct file *f = files_get(my_files(), (unsigned)descriptor);
    if (f)
        file_hold(f);
    return f;
}

static char path_text[2][VFS_PATH_MAX];

const char *user_path(uint64_t address, enum path_buffer which, int *status)
{
    int64_t n = space_copy_string(my_space(), path_text[which], address, VFS_PATH_MAX);
    *status = n < 0 ? (int)n : 0;
    return n < 0 ? NULL : path_text[which];
}

struct vfs_from user_from(uint64_t at)
{
    return (struct vfs_from){.place = my_place(), .files = my_files(), .at = (int32_t)at};
}

/* ---- transfers --------------------------------------------------------------------------------------------------- */

struct range {
    uint64_t address, bytes;
};

/* The list may have become another since it was summed up: then it may be too short. */
static int next_range(struct user_io *u)
{
    struct range r;
    while (!u->room) {
        if (!u->ranges || space_copy_in(u->space, &r, u->next, sizeof r))
            return -EFAULT;
        u->next += sizeof r;
        u->ranges--;
        u->at = r.address;
        u->room = r.bytes;
    }
    return 0;
}

static size_t part_of(const struct user_io *u, size_t bytes) { return bytes < u->room ? bytes : (size_t)u->room; }

static void moved(struct user_io *u, size_t part)
{
    u->at += part;
    u->room -= part;
    u->io.left -= part;
}

static int put(struct io *io, const void *from, size_t bytes)
{
    struct user_io *u = (struct user_io *)io;
    while (bytes) {
        if (next_range(u) || cms_work())
            return -EFAULT;
        size_t part = part_of(u, bytes);
        if (space_copy_out(u->space, u->at, from, part))
            return -EFAULT;
        moved(u, part);
        from = (const char *)from + part;
        bytes -= part;
    }
    return 0;
}

static int take(struct io *io, void *to, size_t bytes)
{
    struct user_io *u = (struct user_io *)io;
    while (bytes) {
        if (next_range(u) || cms_work())
            return -EFAULT;
        size_t part = part_of(u, bytes);
        if (space_copy_in(u->space, to, u->at, part))
            return -EFAULT;
        moved(u, part);
        to = (char *)to + part;
        bytes -= part;
    }
    return 0;
}

void user_io_range(struct user_io *u, uint64_t address, uint64_t bytes)
{
    size_t left = bytes < TRANSFER_MAX ? (size_t)bytes : (size_t)TRANSFER_MAX;
    *u = (struct user_io){.io = {put, take, left}, .space = my_space(), .at = address, .room = left};
}

int user_io_list(struct user_io *u, uint64_t list, uint64_t ranges)
{
    struct range r;
    uint64_t all = 0;
    if (ranges > LIST_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < ranges; i++) {
        if (copy_in(&r, list + i * sizeof r, sizeof r))
            return -EFAULT;
        if (r.bytes > INT64_MAX - all)
            return -EINVAL;
        all += r.bytes;
    }
    *u = (struct user_io){.io = {put, take, all < TRANSFER_MAX ? (size_t)all : (size_t)TRANSFER_MAX},
                          .space = my_space(),
                          .next = list,
                          .ranges = ranges};
    return 0;
}
