/* Processes and threads: fork(2), clone(2), execve(2), _exit(2), wait4(2), waitid(2). */
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/process/clone.h"
#include "cms/process/end.h"
#include "cms/process/exec.h"
#include "cms/syscall/resource.h"
#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"
#include "cms/vfs/abi.h"

/* ---- beginning --------------------------------------------------------------------------------------------------- */

int64_t call_fork(const struct call *c)
{
    (void)c;
    return clone_make(&(struct clone_wanted){.exit_signal = SIGNAL_CHLD});
}

int64_t call_vfork(const struct call *c)
{
    (void)c;
    return clone_make(&(struct clone_wanted){.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGNAL_CHLD});
}

int64_t call_clone(const struct call *c)
{
    enum { SIGNAL = 0xff };
    uint64_t flags = c->argument[0] & UINT32_MAX;
    return clone_make(&(struct clone_wanted){.flags = flags & ~(uint64_t)SIGNAL, .exit_signal = (int)(flags & SIGNAL),
                                             .stack = c->argument[1], .parent_id = c->argument[2],
                                             .child_id = c->argument[3], .tls = c->argument[4]});
}

/* struct clone_args; what a longer one has more must be zero */
struct user_clone {
    uint64_t flags, pidfd, child_id, parent_id, exit_signal, stack, stack_size, tls, ids, id_count, cgroup;
};
enum { CLONE_ARGS_LEAST = 64, CLONE_ARGS_MOST = 4096 };

static int clone_args_in(uint64_t from, uint64_t size, struct user_clone *args)
{
    *args = (struct user_clone){0};
    if (size < CLONE_ARGS_LEAST)
        return -EINVAL;
    if (size > CLONE_ARGS_MOST)
        return -E2BIG;
    if (user_in(args, from, size < sizeof *args ? size : sizeof *args))
        return -EFAULT;
    for (uint64_t at = sizeof *args; at < size; at++) {
        char more;
        if (user_in(&more, from + at, 1))
            return -EFAULT;
        if (more)
            return -E2BIG;
    }
    return 0;
}

int64_t call_clone3(const struct call *c)
{
    struct user_clone a;
    int error = clone_args_in(c->argument[0], c->argument[1], &a);

    if (error)
        return error;
    if (a.exit_signal > SIGNAL_LAST || !a.stack != !a.stack_size || a.id_count || a.stack + a.stack_size < a.stack)
        return -EINVAL;
    if (a.flags & (CLONE_THREAD | CLONE_PARENT) && a.exit_signal)
        return -EINVAL;
    return clone_make(&(struct clone_wanted){.flags = a.flags, .exit_signal = (int)a.exit_signal,
                                             .stack = a.stack + a.stack_size, .parent_id = a.parent_id,
                                             .child_id = a.child_id, .tls = a.tls});
}

/* What is shared with others by clone(2) becomes its own. Storage and signals cannot. */
int64_t call_unshare(const struct call *c)
{
    struct process *p = process_current();
    uint64_t what = c->argument[0] & UINT32_MAX;
    if (what & ~(uint64_t)(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM))
        return -EINVAL;
    if (p->thread_count > 1 && what & (CLONE_FILES | CLONE_FS)) /* they have them in common */
        return -EINVAL;
    struct files *files = what & CLONE_FILES ? files_copy(p->files) : NULL;
    struct place *place = what & CLONE_FS ? place_copy(p->place) : NULL;
    bool failed = (what & CLONE_FILES && !files) || (what & CLONE_FS && !place);
    if (!failed && files) {
        struct files *old = p->files;
        p->files = files;
        files = old;
        p->shares_files = false;
    }
    if (!failed && place) {
        struct place *old = p->place;
        p->place = place;
        place = old;
    }
    if (files)
        files_let_go(files);
    if (place)
        place_let_go(place);
    return failed ? -ENOMEM : 0;
}

/* ---- a new program ----------------------------------------------------------------------------------------------- */

static int add_string(struct exec_strings *s, struct space *space, uint64_t from)
{
    size_t size = 256;
    for (;; size *= 4) {
        int error;
        if (size > EXEC_STRING_MAX)
            size = EXEC_STRING_MAX;
        char *to = exec_room(s, size, &error);
        if (!to)
            return error;
        int64_t length = space_copy_string(space, to, from, size);
        if (length >= 0) {
            s->used += (size_t)length + 1;
            return 0;
        }
        if (length != -ENAMETOOLONG)
            return (int)length;
        if (size == EXEC_STRING_MAX)
            return -E2BIG;
    }
}

/* A NULL list is an empty one, as on Linux. */
static int add_strings(struct exec_strings *s, uint64_t list, unsigned *count)
{
    struct space *space = process_space(process_current());
    for (uint64_t at; list; list += sizeof at, ++*count) {
        if (user_in(&at, list, sizeof at))
            return -EFAULT;
        if (!at)
            return 0;
        int error = add_string(s, space, at);
        if (error)
            return error;
    }
    return 0;
}

static int64_t execute(int at, uint64_t path_at, uint64_t arguments, uint64_t environment, unsigned at_flags)
{
    struct exec_strings strings = {0};
    char *path = cms_heap_allocate(VFS_PATH_MAX);
    int error = -ENOMEM;

    if (path) {
        int64_t length = space_copy_string(process_space(process_current()), path, path_at, VFS_PATH_MAX);
        error = length < 0 ? (int)length : !length && !(at_flags & ABI_AT_EMPTY_PATH) ? -ENOENT : 0;
    }
    if (!error)
        error = add_strings(&strings, arguments, &strings.arguments);
    if (!error && !strings.arguments) { /* a program has a name at least */
        error = exec_add(&strings, "");
        strings.arguments = 1;
    }
    if (!error)
        error = add_strings(&strings, environment, &strings.environment);
    if (!error)
        error = exec_program(thread_current(), at, path, at_flags, &strings);
    exec_free(&strings);
    cms_heap_free(path);
    return error;
}

int64_t call_execve(const struct call *c)
{
    return execute(ABI_AT_FDCWD, c->argument[0], c->argument[1], c->argument[2], 0);
}

int64_t call_execveat(const struct call *c)
{
    unsigned flags = (unsigned)c->argument[4];
    if (flags & ~(unsigned)(ABI_AT_EMPTY_PATH | ABI_AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return execute((int)c->argument[0], c->argument[1], c->argument[2], c->argument[3], flags);
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

int64_t call_exit(const struct call *c)
{
    thread_current()->status = end_status_exited((int)c->argument[0]);
    end_thread();
}

int64_t call_exit_group(const struct call *c)
{
    end_process(process_current(), end_status_exited((int)c->argument[0]));
    end_thread();
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

int64_t call_wait4(const struct call *c)
{
    const uint32_t known = WAIT_NOHANG | WAIT_STOPPED | WAIT_CONTINUED | WAIT_THREAD_ONLY | WAIT_ALL | WAIT_CLONE;
    int id = (int)c->argument[0];
    uint32_t options = (uint32_t)c->argument[2];
    struct end_wanted w = {.options = options | WAIT_EXITED};
    struct end_told told;

    if (options & ~known)
        return -EINVAL;
    if (id == INT32_MIN)
        return -ESRCH;
    if (id > 0)
        w.process = id;
    else if (id != -1)
        w.group = id ? -id : process_current()->group;
    int found = end_wait(&w, &told);
    if (found <= 0)
        return found;
    int32_t status = told.status;
    if (c->argument[1] && user_out(c->argument[1], &status, sizeof status))
        return -EFAULT;
    if (c->argument[3] && resource_usage_out(c->argument[3], told.times))
        return -EFAULT;
    return told.process;
}

enum { ID_ALL, ID_PROCESS, ID_GROUP };

static int who(const struct call *c, struct end_wanted *w)
{
    int id = (int)c->argument[1];
    switch (c->argument[0]) {
    case ID_ALL:
        return 0;
    case ID_PROCESS:
        w->process = id;
        return id > 0 ? 0 : -EINVAL;
    case ID_GROUP:
        w->group = id ? id : process_current()->group;
        return id >= 0 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

static struct signal_info info_of(const struct end_told *told)
{
    enum { STOPPED = 0x7f, CONTINUED = 0xffff };
    struct signal_info info = {.number = SIGNAL_CHLD, .process = told->process};
    int status = told->status;
    if (status == CONTINUED) {
        info.code = CODE_CHILD_CONTINUED;
        info.status = SIGNAL_CONT;
    } else if ((status & 0xff) == STOPPED) {
        info.code = CODE_CHILD_STOPPED;
        info.status = status >> 8;
    } else if (status & 0x7f) {
        info.code = status & END_CORE ? CODE_CHILD_DUMPED : CODE_CHILD_KILLED;
        info.status = status & 0x7f;
    } else {
        info.code = CODE_CHILD_EXITED;
        info.status = status >> 8 & 0xff;
    }
    return info;
}

int64_t call_waitid(const struct call *c)
{
    const uint32_t known = WAIT_NOHANG | WAIT_STOPPED | WAIT_EXITED | WAIT_CONTINUED | WAIT_NOWAIT | WAIT_THREAD_ONLY |
                           WAIT_ALL | WAIT_CLONE;
    uint32_t options = (uint32_t)c->argument[3];
    struct end_wanted w = {.options = options};
    struct end_told told;
    struct signal_info info = {0};

    if (options & ~known || !(options & (WAIT_EXITED | WAIT_STOPPED | WAIT_CONTINUED)))
        return -EINVAL;
    int found = who(c, &w);
    if (!found)
        found = end_wait(&w, &told);
    if (found < 0)
        return found;
    if (found)
        info = info_of(&told);
    enum { WRITTEN = 32 }; /* up to what waitid fills in */
    if (c->argument[2] && user_out(c->argument[2], &info, WRITTEN))
        return -EFAULT;
    return found && c->argument[4] ? resource_usage_out(c->argument[4], told.times) : 0;
}
