/* The calls about storage: what their flags mean, and what Linux answers to those it does not know. */
#include <errno.h>

#include "cms/kernel/frame.h"
#include "cms/syscall/memory_calls.h"
#include "cms/syscall/user.h"
#include "cms/vfs/node.h"

enum { ACCESS_ALL = SPACE_READ | SPACE_WRITE | SPACE_EXECUTE };

static uint64_t whole_pages(uint64_t bytes) { return (bytes + SPACE_PAGE - 1) & ~(uint64_t)(SPACE_PAGE - 1); }
static bool is_whole(uint64_t address) { return address % SPACE_PAGE == 0; }

/* ---- mmap(2) ----------------------------------------------------------------------------------------------------- */

enum {
    MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_TYPE = 0xf, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
    MAP_32BIT = 0x40, MAP_GROWSDOWN = 0x100, MAP_DENYWRITE = 0x800, MAP_EXECUTABLE = 0x1000, MAP_LOCKED = 0x2000,
    MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000, MAP_NONBLOCK = 0x10000, MAP_STACK = 0x20000,
    MAP_HUGETLB = 0x40000, MAP_FIXED_NOREPLACE = 0x100000,
    MAP_KNOWN = MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE |
                MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB,
};
static const uint64_t LOW_TOP = 1ull << 31; /* MAP_32BIT */

static struct space_map map_of(const struct call *c)
{
    uint64_t flags = c->argument[3];
    return (struct space_map){
        .address = c->argument[0], .length = c->argument[1], .access = c->argument[2] & ACCESS_ALL,
        .below = flags & MAP_32BIT ? LOW_TOP : 0, .offset = flags & MAP_ANONYMOUS ? 0 : c->argument[5],
        .fixed = flags & MAP_FIXED, .fixed_new = flags & MAP_FIXED_NOREPLACE,
        .shared = (flags & MAP_TYPE) != MAP_PRIVATE, .grows_down = flags & MAP_GROWSDOWN,
        .no_reserve = flags & MAP_NORESERVE,
        .populate = flags & MAP_LOCKED || (flags & MAP_POPULATE && !(flags & MAP_NONBLOCK)),
    };
}

static int judge_type(uint64_t flags)
{
    uint64_t type = flags & MAP_TYPE;
    if (type == MAP_SHARED_VALIDATE && !(flags & MAP_ANONYMOUS))
        return flags & ~(uint64_t)MAP_KNOWN & ~(uint64_t)MAP_FIXED_NOREPLACE ? -EOPNOTSUPP : 0;
    if (type != MAP_SHARED && type != MAP_PRIVATE)
        return -EINVAL;
    return type == MAP_SHARED && flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

/* What the file was opened for, the mapping may do. */
static int judge_file(const struct file *f, struct space_map *m)
{
    unsigned opened = f->flags & ABI_O_ACCMODE;
    if (f->flags & ABI_O_PATH)
        return -EBADF;
    if (opened == ABI_O_WRONLY)
        return -EACCES;
    if (m->shared && opened == ABI_O_RDONLY)
        m->denied = SPACE_WRITE;
    if (m->access & m->denied)
        return -EACCES;
    if (!node_file_executes(f))
        m->denied |= SPACE_EXECUTE;
    if (m->access & m->denied)
        return -EPERM;
    return !f->operations->map || m->grows_down ? -ENODEV : 0;
}

static int64_t map_file(struct file *f, struct space_map *m)
{
    int failed = judge_file(f, m);
    if (!failed)
        failed = f->operations->map(f, &m->object);
    if (failed)
        return failed;
    int64_t at = space_map(my_space(), m);
    if (m->object && m->object->operations->let_go)
        m->object->operations->let_go(m->object);
    return at;
}

int64_t call_mmap(const struct call *c)
{
    uint64_t flags = c->argument[3];
    struct space_map m = map_of(c);

    if (!is_whole(c->argument[5]))
        return -EINVAL;
    struct file *f = flags & MAP_ANONYMOUS ? NULL : user_file(c->argument[4]);
    if (!(flags & MAP_ANONYMOUS) && !f)
        return -EBADF;
    int64_t result = judge_type(flags);
    if (!m.length || (!f && flags & MAP_HUGETLB && !result))
        result = m.length ? -ENOMEM : -EINVAL; /* there are no huge pages */
    else if (f && flags & MAP_HUGETLB)
        result = -EINVAL;
    if (!result)
        result = f ? map_file(f, &m) : space_map(my_space(), &m);
    if (f)
        file_let_go(f);
    return result;
}

int64_t call_munmap(const struct call *c)
{
    return space_unmap(my_space(), c->argument[0], c->argument[1]);
}

/* ---- mprotect(2), mremap(2), brk(2) ------------------------------------------------------------------------------ */

enum { PROT_SEM = 8, PROT_GROWSDOWN = 0x01000000, PROT_GROWSUP = 0x02000000 };

/* From where the region that grows down begins. */
static int64_t protect_from_start(uint64_t address, uint64_t length, unsigned access)
{
    struct space_region_facts r;
    if (!space_region_at(my_space(), address, &r) || r.start >= address + length)
        return -ENOMEM;
    return r.grows_down ? space_protect(my_space(), r.start, address + length - r.start, access) : -EINVAL;
}

int64_t call_mprotect(const struct call *c)
{
    uint64_t address = c->argument[0], length = whole_pages(c->argument[1]), access = c->argument[2];
    uint64_t grows = access & (PROT_GROWSDOWN | PROT_GROWSUP);

    access &= ~grows;
    if (grows & PROT_GROWSUP || !is_whole(address)) /* nothing grows up */
        return -EINVAL;
    if (!c->argument[1])
        return 0;
    if (address + length <= address)
        return -ENOMEM;
    if (access & ~(uint64_t)(ACCESS_ALL | PROT_SEM))
        return -EINVAL;
    access &= ACCESS_ALL;
    return grows ? protect_from_start(address, length, (unsigned)access)
                 : space_protect(my_space(), address, length, (unsigned)access);
}

enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 };

int64_t call_mremap(const struct call *c)
{
    uint64_t flags = c->argument[3];
    const struct space_remap m = {.old = c->argument[0], .old_length = c->argument[1], .new_length = c->argument[2],
                                  .new_address = c->argument[4], .may_move = flags & MREMAP_MAYMOVE,
                                  .fixed = flags & MREMAP_FIXED, .leaves_old = flags & MREMAP_DONTUNMAP};

    if (flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
        return -EINVAL;
    if ((m.fixed || m.leaves_old) && !m.may_move)
        return -EINVAL;
    if (m.leaves_old && (!m.old_length || whole_pages(m.old_length) != whole_pages(m.new_length)))
        return -EINVAL;
    return space_remap(my_space(), &m);
}

int64_t call_brk(const struct call *c)
{
    return (int64_t)space_break(my_space(), c->argument[0]);
}

/* ---- madvise(2), msync(2), mincore(2) ---------------------------------------------------------------------------- */

int64_t call_madvise(const struct call *c)
{
    return space_advise(my_space(), c->argument[0], c->argument[1], (int)c->argument[2]);
}

enum { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 };

int64_t call_msync(const struct call *c)
{
    uint64_t address = c->argument[0], length = whole_pages(c->argument[1]), flags = c->argument[2];

    if (flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || !is_whole(address))
        return -EINVAL;
    if (flags & MS_ASYNC && flags & MS_SYNC)
        return -EINVAL;
    if (address + length < address || (c->argument[1] && !length))
        return -ENOMEM;
    return space_sync(my_space(), address, length);
}

int64_t call_mincore(const struct call *c)
{
    enum { AT_ONCE = 256 };
    uint64_t address = c->argument[0], to = c->argument[2], length = c->argument[1];
    uint8_t pages[AT_ONCE];

    if (!is_whole(address))
        return -EINVAL;
    if (length > SPACE_TOP || address > SPACE_TOP - length)
        return -ENOMEM;
    for (uint64_t left = whole_pages(length) / SPACE_PAGE, n; left; left -= n, to += n) {
        n = left < AT_ONCE ? left : AT_ONCE;
        for (uint64_t i = 0; i < n; i++, address += SPACE_PAGE) {
            int resident = space_is_resident(my_space(), address);
            if (resident < 0)
                return resident;
            pages[i] = (uint8_t)resident;
        }
        if (copy_out(to, pages, n))
            return -EFAULT;
        if (cms_work())
            return -EINTR;
    }
    return 0;
}

/* ---- mlock(2): what is in storage stays there anyway ------------------------------------------------------------- */

enum { MLOCK_ONFAULT = 1, MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4 };

static bool is_mapped(uint64_t start, uint64_t end)
{
    struct space_region_facts r;
    for (; start < end; start = r.end)
        if (!space_region_at(my_space(), start, &r) || r.start > start)
            return false;
    return true;
}

/* Widened to whole pages; false: it wraps. */
static bool range_of(const struct call *c, uint64_t *start, uint64_t *end)
{
    uint64_t within = c->argument[0] % SPACE_PAGE;
    *start = c->argument[0] - within;
    *end = *start + whole_pages(c->argument[1] + within);
    return *end >= *start && c->argument[1] + within >= c->argument[1];
}

static int64_t lock(const struct call *c, bool populates)
{
    uint64_t start, end;
    if (!range_of(c, &start, &end))
        return -EINVAL;
    if ((end - start) / SPACE_PAGE > cms_frames_total() || !is_mapped(start, end))
        return -ENOMEM;
    return populates ? space_populate(my_space(), start, end - start) : 0;
}

int64_t call_mlock(const struct call *c)
{
    return lock(c, true);
}

int64_t call_mlock2(const struct call *c)
{
    uint64_t flags = c->argument[2];
    return flags & ~(uint64_t)MLOCK_ONFAULT ? -EINVAL : lock(c, !(flags & MLOCK_ONFAULT));
}

int64_t call_munlock(const struct call *c)
{
    uint64_t start, end;
    if (!range_of(c, &start, &end))
        return -EINVAL;
    return is_mapped(start, end) ? 0 : -ENOMEM;
}

int64_t call_mlockall(const struct call *c)
{
    uint64_t flags = c->argument[0];
    struct space_region_facts r = {0};

    if (!flags || flags & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
        return -EINVAL;
    if (!(flags & MCL_CURRENT) || flags & MCL_ONFAULT)
        return 0;
    if (space_facts(my_space()).mapped / SPACE_PAGE > cms_frames_total())
        return -ENOMEM;
    while (space_region_at(my_space(), r.end, &r))
        space_populate(my_space(), r.start, r.end - r.start); /* as Linux: what does not come is no error */
    return 0;
}

int64_t call_munlockall(const struct call *c)
{
    (void)c;
    return 0;
}

/* ---- membarrier(2): on one processor all threads see storage in the same order ----------------------------------- */

enum {
    BARRIER_QUERY = 0, BARRIER_GLOBAL = 1, BARRIER_GLOBAL_EXPEDITED = 2, BARRIER_REGISTER_GLOBAL_EXPEDITED = 4,
    BARRIER_PRIVATE_EXPEDITED = 8, BARRIER_REGISTER_PRIVATE_EXPEDITED = 16,
    BARRIER_PRIVATE_EXPEDITED_SYNC_CORE = 32, BARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64,
    BARRIER_ALL = 127,
};

int64_t call_membarrier(const struct call *c)
{
    unsigned command = (unsigned)c->argument[0];

    if (c->argument[1])
        return -EINVAL;
    switch (command) {
    case BARRIER_QUERY:
        return BARRIER_ALL;
    case BARRIER_GLOBAL:
    case BARRIER_GLOBAL_EXPEDITED:
        return 0;
    case BARRIER_REGISTER_GLOBAL_EXPEDITED:
    case BARRIER_REGISTER_PRIVATE_EXPEDITED:
    case BARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        space_mark(my_space(), command);
        return 0;
    case BARRIER_PRIVATE_EXPEDITED:
    case BARRIER_PRIVATE_EXPEDITED_SYNC_CORE: /* its registration is the next bit */
        return space_marks(my_space()) & command << 1 ? 0 : -EPERM;
    default:
        return -EINVAL;
    }
}
