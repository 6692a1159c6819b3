/* mmap(2) and the rest of storage: requests in the registers, handed to the address space. */
#include "cms/syscall/argument.h"
#include "cms/syscall/syscall.h"
#include "cms/vfs/abi.h"

#define CALL(number, name, ...) int64_t call_##name(const struct call *);
#include "cms/syscall/memory_calls.def"
#undef CALL

enum { PAGE = 4096, ACCESS = SPACE_READ | SPACE_WRITE | SPACE_EXECUTE };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_TYPE = 15, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
       MAP_GROWSDOWN = 0x100, MAP_POPULATE = 0x8000, MAP_FIXED_NOREPLACE = 0x100000 };

static struct space *self(void)
{
    return process_space(process_current());
}

static int find_object(uint64_t descriptor, bool shared, unsigned access, struct space_object **object)
{
    struct file *f = files_get(process_files(process_current()), (unsigned)descriptor);
    if (!f)
        return -EBADF;
    unsigned way = f->flags & ABI_O_ACCMODE;
    if (way == ABI_O_WRONLY || (shared && access & SPACE_WRITE && way != ABI_O_RDWR))
        return -EACCES;
    return f->operations->map ? f->operations->map(f, object) : -ENODEV;
}

int64_t call_mmap(const struct call *c)
{
    unsigned flags = (unsigned)c->argument[3], type = flags & MAP_TYPE;
    struct space_map m = {
        .address = c->argument[0], .length = c->argument[1], .access = (unsigned)c->argument[2] & ACCESS,
        .fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE), .fixed_new = flags & MAP_FIXED_NOREPLACE,
        .shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE, .grows_down = flags & MAP_GROWSDOWN,
        .populate = flags & MAP_POPULATE, .offset = c->argument[5],
    };
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (c->argument[5] % PAGE)
        return -EINVAL;
    if (flags & MAP_ANONYMOUS)
        m.offset = 0;
    else {
        int error = find_object(c->argument[4], m.shared, m.access, &m.object);
        if (error)
            return error;
    }
    int64_t at = space_map(self(), &m);
    if (m.object)
        m.object->operations->let_go(m.object);
    return at;
}

int64_t call_munmap(const struct call *c) { return space_unmap(self(), c->argument[0], c->argument[1]); }
int64_t call_brk(const struct call *c) { return (int64_t)space_break(self(), c->argument[0]); }

int64_t call_mprotect(const struct call *c)
{
    if (c->argument[2] & ~(uint64_t)ACCESS)
        return -EINVAL;
    return space_protect(self(), c->argument[0], c->argument[1], (unsigned)c->argument[2]);
}

int64_t call_mremap(const struct call *c)
{
    enum { MAY_MOVE = 1, FIXED = 2 };
    uint64_t flags = c->argument[3];
    if (flags & ~(uint64_t)(MAY_MOVE | FIXED) || (flags & FIXED && !(flags & MAY_MOVE)))
        return -EINVAL;
    return space_remap(self(), c->argument[0], c->argument[1], c->argument[2], flags & MAY_MOVE, flags & FIXED,
                       c->argument[4]);
}

int64_t call_madvise(const struct call *c)
{
    return space_advise(self(), c->argument[0], c->argument[1], (int)c->argument[2]);
}

int64_t call_msync(const struct call *c)
{
    enum { ASYNC = 1, INVALIDATE = 2, SYNC = 4 };
    uint64_t flags = c->argument[2];
    if (flags & ~(uint64_t)(ASYNC | INVALIDATE | SYNC) || (flags & (ASYNC | SYNC)) == (ASYNC | SYNC))
        return -EINVAL;
    return space_sync(self(), c->argument[0], c->argument[1]);
}

/* Nothing is ever paged out. */
int64_t call_mlock(const struct call *c) { (void)c; return 0; }
int64_t call_munlock(const struct call *c) { (void)c; return 0; }
int64_t call_mlockall(const struct call *c) { (void)c; return 0; }
int64_t call_munlockall(const struct call *c) { (void)c; return 0; }
