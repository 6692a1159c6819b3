/* Calls that lock files. */
#include "cms/syscall/lock.h"

#include <errno.h>

#include "cms/syscall/user.h"
#include "cms/vfs/caller.h"

/* struct flock */
struct user_lock {
    int16_t type, whence;
    int32_t pad;
    int64_t start, length;
    int32_t process, pad_behind;
};
_Static_assert(sizeof(struct user_lock) == 32, "struct flock of x86-64");

static int64_t size_of(struct file *f)
{
    struct vfs_stat s = {0};
    return f->operations->stat && !f->operations->stat(f, &s) ? s.size : 0;
}

/* The range in bytes, from what it counts from; negative lengths lie before it. */
static int range_of(struct file *f, const struct user_lock *u, struct lock *l)
{
    int64_t start, end = INT64_MAX;
    switch (u->whence) {
    case ABI_SEEK_SET: start = 0; break;
    case ABI_SEEK_CUR: start = (int64_t)f->position; break;
    case ABI_SEEK_END: start = size_of(f); break;
    default: return -EINVAL;
    }
    if (u->start > INT64_MAX - start)
        return -EOVERFLOW;
    start += u->start;
    if (start < 0)
        return -EINVAL;
    if (u->length > 0) {
        if (u->length - 1 > INT64_MAX - start)
            return -EOVERFLOW;
        end = start + u->length - 1;
    } else if (u->length < 0) {
        if (start + u->length < 0)
            return -EINVAL;
        end = start - 1;
        start += u->length;
    }
    l->first = (uint64_t)start;
    l->last = (uint64_t)end;
    return 0;
}

static int lock_in(struct file *f, uint64_t address, bool opening, struct user_lock *u, struct lock *l)
{
    if (copy_in(u, address, sizeof *u))
        return -EFAULT;
    int status = range_of(f, u, l);
    if (status)
        return status;
    if (u->type < LOCK_SHARED || u->type > LOCK_NONE || (opening && u->process))
        return -EINVAL;
    l->kind = opening ? LOCK_OF_OPENING : LOCK_OF_PROCESS;
    l->type = (enum lock_type)u->type;
    l->owner = opening ? (const void *)f : my_files();
    l->process = opening ? -1 : caller_process();
    return 0;
}

int64_t lock_tell(struct file *f, uint64_t address, bool opening)
{
    struct user_lock u;
    struct lock want = {0};
    int status = lock_in(f, address, opening, &u, &want);
    if (status)
        return status;
    if (want.type == LOCK_NONE)
        return -EINVAL;
    const struct lock *l = lock_conflict(f, &want);
    u.type = l ? (int16_t)l->type : LOCK_NONE;
    if (l) {
        u.whence = ABI_SEEK_SET;
        u.start = (int64_t)l->first;
        u.length = l->last == LOCK_TO_END ? 0 : (int64_t)(l->last - l->first + 1);
        u.process = l->process;
    }
    return copy_out(address, &u, sizeof u);
}

static bool may(const struct file *f, enum lock_type type)
{
    uint32_t access = f->flags & ABI_O_ACCMODE;
    return type == LOCK_NONE || access == ABI_O_RDWR ||
           access == (type == LOCK_SHARED ? ABI_O_RDONLY : ABI_O_WRONLY);
}

/* Another thread may have closed the descriptor while this one waited: what was got since would stay for ever. */
static int64_t got(struct file *f, const struct call *c, struct lock *want)
{
    if (files_get(my_files(), (unsigned)c->argument[0]) == f || want->type == LOCK_NONE)
        return 0;
    want->type = LOCK_NONE;
    lock_set(f, want, false);
    return -EBADF;
}

int64_t lock_control(struct file *f, const struct call *c, bool opening, bool wait)
{
    struct user_lock u;
    struct lock want = {0};
    int status = lock_in(f, c->argument[2], opening, &u, &want);
    if (!status && !may(f, want.type))
        status = -EBADF;
    if (!status)
        status = lock_set(f, &want, wait);
    return status || opening ? status : got(f, c, &want);
}

int64_t call_flock(const struct call *c)
{
    enum { SHARED = 1, EXCLUSIVE = 2, NOT_BLOCKING = 4, UNLOCK = 8 };
    uint32_t what = (uint32_t)c->argument[1];
    struct lock want = {.kind = LOCK_OF_WHOLE, .last = LOCK_TO_END, .process = caller_process()};
    switch (what & ~(uint32_t)NOT_BLOCKING) {
    case SHARED: want.type = LOCK_SHARED; break;
    case EXCLUSIVE: want.type = LOCK_EXCLUSIVE; break;
    case UNLOCK: want.type = LOCK_NONE; break;
    default: return -EINVAL;
    }
    struct file *f = user_file(c->argument[0]);
    want.owner = f;
    if (!f)
        return -EBADF;
    int status = f->flags & ABI_O_PATH ? -EBADF : lock_set(f, &want, !(what & NOT_BLOCKING));
    file_let_go(f);
    return status;
}
