/* What the system says of itself, and arch_prctl(2). */
#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/random.h"
#include "cms/process/release.h"
#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"

enum { NAME_BYTES = 65 };

int64_t call_uname(const struct call *c)
{
    static const char names[6][NAME_BYTES] = {"Linux", LINUX_NODE, LINUX_RELEASE, LINUX_VERSION, "x86_64", "(none)"};
    return user_out(c->argument[0], names, sizeof names);
}

struct user_sysinfo {
    int64_t uptime;
    uint64_t loads[3], total, free, shared, buffers, swap_total, swap_free;
    uint16_t processes, pad;
    uint64_t high_total, high_free;
    uint32_t unit;
};
_Static_assert(sizeof(struct user_sysinfo) == 112, "struct sysinfo");

int64_t call_sysinfo(const struct call *c)
{
    unsigned ready, threads;
    thread_count(&ready, &threads);
    struct user_sysinfo s = {.uptime = (int64_t)(cms_wait_now() / USER_NS), .processes = (uint16_t)threads, .unit = 1,
                             .free = cms_frames_left() * (uint64_t)FRAME_SIZE};
    s.total = s.free + cms_frames_in_use() * (uint64_t)FRAME_SIZE + cms_heap_in_use();
    return user_out(c->argument[0], &s, sizeof s);
}

int64_t call_getrandom(const struct call *c)
{
    enum { KNOWN = 1 | 2 | 4, MOST = 33554431, PART = 256 };
    uint64_t bytes = c->argument[1] < MOST ? c->argument[1] : MOST, done = 0;
    char part[PART];

    if (c->argument[2] & ~(uint64_t)KNOWN)
        return -EINVAL;
    while (done < bytes) {
        size_t n = bytes - done < PART ? (size_t)(bytes - done) : PART;
        cms_random_fill(part, n);
        if (user_out(c->argument[0] + done, part, n))
            return -EFAULT;
        done += n;
        if (cms_work() || (done % SPACE_PAGE == 0 && cms_wait_is_over()))
            break;
    }
    return (int64_t)done;
}

int64_t call_arch_prctl(const struct call *c)
{
    enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };
    struct thread *t = thread_current();
    int what = (int)c->argument[0];
    uint64_t value = c->argument[1];

    user_state_note(&t->user);
    switch (what) {
    case SET_GS:
    case SET_FS:
        if (value >= SPACE_TOP)
            return -EPERM;
        *(what == SET_FS ? &t->user.fs_base : &t->user.gs_base) = value;
        user_state_load(&t->user);
        return 0;
    case GET_FS:
        return user_out(value, &t->user.fs_base, sizeof value);
    case GET_GS:
        return user_out(value, &t->user.gs_base, sizeof value);
    default:
        return -EINVAL;
    }
}
