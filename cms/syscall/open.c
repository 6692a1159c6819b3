/* Calls that open, close and duplicate descriptors. */
#include <errno.h>

#include "cms/syscall/lock.h"
#include "cms/syscall/user.h"
#include "cms/vfs/pipe.h"

enum { CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4 };

static int64_t open_at(uint64_t at, uint64_t path_address, uint64_t flags, uint64_t mode)
{
    int status;
    struct file *f;
    struct vfs_from from = user_from(at);
    const char *path = user_path(path_address, PATH_FIRST, &status);
    if (path)
        status = vfs_open(&from, path, (uint32_t)flags, (uint32_t)mode, &f);
    return status ? status : files_add(my_files(), f, 0, flags & ABI_O_CLOEXEC);
}

int64_t call_open(const struct call *c)
{
    return open_at((uint64_t)ABI_AT_FDCWD, c->argument[0], c->argument[1], c->argument[2]);
}

int64_t call_openat(const struct call *c)
{
    return open_at(c->argument[0], c->argument[1], c->argument[2], c->argument[3]);
}

int64_t call_creat(const struct call *c)
{
    return open_at((uint64_t)ABI_AT_FDCWD, c->argument[0], ABI_O_WRONLY | ABI_O_CREAT | ABI_O_TRUNC, c->argument[1]);
}

/* Of its restrictions none is known here: who asks for one is told so. */
int64_t call_openat2(const struct call *c)
{
    struct {
        uint64_t flags, mode, resolve;
    } how;
    if (c->argument[3] < sizeof how)
        return -EINVAL;
    if (c->argument[3] > sizeof how)
        return -E2BIG;
    if (copy_in(&how, c->argument[2], sizeof how))
        return -EFAULT;
    if (how.resolve || how.flags > UINT32_MAX || how.mode & ~(uint64_t)ABI_PERMISSIONS)
        return -EINVAL;
    return open_at(c->argument[0], c->argument[1], how.flags, how.mode);
}

int64_t call_close(const struct call *c) { return files_close(my_files(), (unsigned)c->argument[0]); }

int64_t call_close_range(const struct call *c)
{
    uint64_t first = (uint32_t)c->argument[0], last = (uint32_t)c->argument[1];
    if (first > last || c->argument[2] & ~(uint64_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
        return -EINVAL;
    for (uint64_t d = first; d <= last && d < FILES_MAX; d++)
        if (c->argument[2] & CLOSE_RANGE_CLOEXEC)
            files_set_close_on_exec(my_files(), (unsigned)d, true);
        else
            files_close(my_files(), (unsigned)d);
    return 0;
}

/* ---- duplicates -------------------------------------------------------------------------------------------------- */

static int64_t duplicate(uint64_t descriptor, uint64_t least, bool close_on_exec)
{
    struct file *f = user_file(descriptor);
    return f ? files_add(my_files(), f, least < FILES_MAX ? (unsigned)least : FILES_MAX, close_on_exec) : -EBADF;
}

static int64_t duplicate_to(uint64_t descriptor, uint64_t to, bool close_on_exec)
{
    struct file *f = user_file(descriptor);
    return f ? files_put(my_files(), (unsigned)to, f, close_on_exec) : -EBADF;
}

int64_t call_dup(const struct call *c) { return duplicate(c->argument[0], 0, false); }

int64_t call_dup2(const struct call *c)
{
    if ((uint32_t)c->argument[0] == (uint32_t)c->argument[1])
        return files_get(my_files(), (unsigned)c->argument[0]) ? (int64_t)(uint32_t)c->argument[1] : -EBADF;
    return duplicate_to(c->argument[0], c->argument[1], false);
}

int64_t call_dup3(const struct call *c)
{
    if ((uint32_t)c->argument[0] == (uint32_t)c->argument[1] || c->argument[2] & ~(uint64_t)ABI_O_CLOEXEC)
        return -EINVAL;
    return duplicate_to(c->argument[0], c->argument[1], c->argument[2]);
}

/* ---- fcntl ------------------------------------------------------------------------------------------------------- */

enum {
    F_DUPFD,
    F_GETFD,
    F_SETFD,
    F_GETFL,
    F_SETFL,
    F_GETLK,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_GETOWN,
    F_SETSIG,
    F_GETSIG,
    F_SETOWN_EX = 15,
    F_GETOWN_EX,
    F_OFD_GETLK = 36,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_GETLEASE = 1025,
    F_DUPFD_CLOEXEC = 1030,
    F_SETPIPE_SZ = 1031,
    F_GETPIPE_SZ = 1032,
    F_GET_SEALS = 1034
};
enum { FD_CLOEXEC = 1 };
enum { SETTABLE = ABI_O_APPEND | ABI_O_NONBLOCK | ABI_O_ASYNC | ABI_O_DIRECT | ABI_O_NOATIME };

/* struct f_owner_ex. Nobody is sent a signal (O_ASYNC), but libraries make F_GETOWN of it. */
enum { OWNER_THREAD, OWNER_PROCESS, OWNER_GROUP };
struct owner {
    int32_t type, id;
};

static int64_t set_owner(struct file *f, uint64_t address)
{
    struct owner o;
    if (copy_in(&o, address, sizeof o))
        return -EFAULT;
    if (o.type < OWNER_THREAD || o.type > OWNER_GROUP)
        return -EINVAL;
    f->owner_process = o.type == OWNER_GROUP ? -o.id : o.id;
    return 0;
}

static int64_t tell_owner(const struct file *f, uint64_t address)
{
    int32_t id = f->owner_process;
    struct owner o = {id < 0 ? OWNER_GROUP : OWNER_PROCESS, id < 0 ? -id : id};
    return copy_out(address, &o, sizeof o);
}

static int64_t control(struct file *f, const struct call *c)
{
    uint64_t argument = c->argument[2];
    unsigned descriptor = (unsigned)c->argument[0];
    uint32_t command = (uint32_t)c->argument[1];
    int64_t size;
    if (f->flags & ABI_O_PATH && command > F_GETFL)
        return -EBADF;
    switch (command) {
    case F_GETFD: return files_closes_on_exec(my_files(), descriptor) ? FD_CLOEXEC : 0;
    case F_SETFD: files_set_close_on_exec(my_files(), descriptor, argument & FD_CLOEXEC); return 0;
    case F_GETFL: return f->flags;
    case F_SETFL: f->flags = (f->flags & ~(uint32_t)SETTABLE) | ((uint32_t)argument & SETTABLE); return 0;
    case F_GETLK:
    case F_OFD_GETLK: return lock_tell(f, argument, command == F_OFD_GETLK);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_control(f, c, command >= F_OFD_SETLK, command == F_SETLKW || command == F_OFD_SETLKW);
    case F_SETOWN: f->owner_process = (int32_t)argument; return 0;
    case F_GETOWN: return f->owner_process;
    case F_SETOWN_EX: return set_owner(f, argument);
    case F_GETOWN_EX: return tell_owner(f, argument);
    case F_SETSIG: return argument ? -EINVAL : 0;
    case F_GETSIG: return 0;
    case F_GETLEASE: return LOCK_NONE;
    case F_GETPIPE_SZ: return pipe_size(f);
    case F_SETPIPE_SZ:
        size = pipe_size(f);
        return size < 0 ? size : (int32_t)argument < 0 ? -EINVAL : (int32_t)argument > size ? -EPERM : size;
    default: return -EINVAL;
    }
}

int64_t call_fcntl(const struct call *c)
{
    uint32_t command = (uint32_t)c->argument[1];
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        return duplicate(c->argument[0], c->argument[2], command == F_DUPFD_CLOEXEC);
    struct file *f = user_file(c->argument[0]);
    if (!f)
        return -EBADF;
    int64_t result = control(f, c);
    file_let_go(f);
    return result;
}

/* ---- ioctl ------------------------------------------------------------------------------------------------------- */

enum { FIONCLEX = 0x5450, FIOCLEX = 0x5451, FIONBIO = 0x5421, FIOASYNC = 0x5452, FIONREAD = 0x541b };

static int64_t set_flag(struct file *f, uint64_t address, uint32_t flag)
{
    int32_t on;
    if (copy_in(&on, address, sizeof on))
        return -EFAULT;
    f->flags = on ? f->flags | flag : f->flags & ~flag;
    return 0;
}

static int64_t tell_readable(struct file *f, uint64_t address)
{
    struct vfs_stat s = {0};
    int status = f->operations->stat ? f->operations->stat(f, &s) : -ENOTTY;
    int64_t left = s.size - (int64_t)f->position;
    int32_t count = left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int32_t)left;
    return status ? status : copy_out(address, &count, sizeof count);
}

int64_t call_ioctl(const struct call *c)
{
    uint32_t request = (uint32_t)c->argument[1];
    struct file *f = user_file(c->argument[0]);
    int64_t result = 0;
    if (!f)
        return -EBADF;
    if (f->flags & ABI_O_PATH)
        result = -EBADF;
    else if (request == FIOCLEX || request == FIONCLEX)
        files_set_close_on_exec(my_files(), (unsigned)c->argument[0], request == FIOCLEX);
    else if (request == FIONBIO || request == FIOASYNC)
        result = set_flag(f, c->argument[2], request == FIONBIO ? ABI_O_NONBLOCK : ABI_O_ASYNC);
    else if (request == FIONREAD && f->seekable && !f->operations->control)
        result = tell_readable(f, c->argument[2]);
    else
        result = f->operations->control ? f->operations->control(f, my_space(), request, c->argument[2]) : -ENOTTY;
    file_let_go(f);
    return result;
}

/* ---- pipes ------------------------------------------------------------------------------------------------------- */

static int64_t make_pipe(uint64_t address, uint64_t flags)
{
    struct file *end[2];
    int32_t descriptor[2];
    if (flags & ~(uint64_t)(ABI_O_CLOEXEC | ABI_O_NONBLOCK)) /* O_DIRECT: what is written is not kept apart */
        return -EINVAL;
    int status = vfs_pipe(end, (uint32_t)flags);
    if (status)
        return status;
    descriptor[0] = files_add(my_files(), end[0], 0, flags & ABI_O_CLOEXEC);
    descriptor[1] = files_add(my_files(), end[1], 0, flags & ABI_O_CLOEXEC);
    status = descriptor[0] < 0 ? descriptor[0] : descriptor[1] < 0 ? descriptor[1] : 0;
    if (!status)
        status = copy_out(address, descriptor, sizeof descriptor);
    for (int i = 0; i < 2 && status; i++)
        if (descriptor[i] >= 0)
            files_close(my_files(), (unsigned)descriptor[i]);
    return status;
}

int64_t call_pipe(const struct call *c) { return make_pipe(c->argument[0], 0); }
int64_t call_pipe2(const struct call *c) { return make_pipe(c->argument[0], c->argument[1]); }
