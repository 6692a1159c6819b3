/* The new program is built up beside the old one, in an address space of its own; only then is the old one given up. */
#include "cms/process/exec.h"

#include <errno.h>
#include <string.h>

#include "cms/elf/elf_script.h"
#include "cms/elf/elf_stack.h"
#include "cms/kernel/heap.h"
#include "cms/process/end.h"
#include "cms/process/futex.h"
#include "cms/process/load.h"
#include "cms/process/signal.h"
#include "cms/process/timer.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/caller.h"

static const uint64_t PROGRAM_BASE = 0x555555554000; /* where Linux puts relocatable ones */
enum { STACK_BEGIN = 128 << 10, STACK_MARGIN = 64 << 10, PAGE = 4096 };

struct exec {
    struct vfs_from from;
    char path[VFS_PATH_MAX];      /* as it was named; of a script its interpreter */
    struct load_file program, interpreter;
    struct space *space;
    uint64_t entry, stack;        /* where it begins */
};

/* ---- scripts ----------------------------------------------------------------------------------------------------- */

/* argv[0] gives way to: interpreter, its argument, the script. */
static int put_before(struct exec_strings *s, const struct elf_script *script, const char *path)
{
    size_t first = s->arguments ? strlen(s->bytes) + 1 : 0, interpreter = strlen(script->interpreter) + 1;
    size_t argument = *script->argument ? strlen(script->argument) + 1 : 0, name = strlen(path) + 1;
    size_t added = interpreter + argument + name;
    int error;

    if (!exec_room(s, added, &error))
        return error;
    memmove(s->bytes + added, s->bytes + first, s->used - first);
    memcpy(s->bytes, script->interpreter, interpreter);
    memcpy(s->bytes + interpreter, script->argument, argument);
    memcpy(s->bytes + interpreter + argument, path, name);
    s->used += added - first;
    s->arguments += (argument ? 3u : 2u) - (s->arguments ? 1u : 0u);
    return 0;
}

/* Opens the program, or the interpreter of the script that it is. */
static int open_program(struct exec *e, const char *path, unsigned at_flags, struct exec_strings *strings)
{
    struct elf_script script;

    if (strlen(path) >= sizeof e->path)
        return -ENAMETOOLONG;
    strcpy(e->path, path);
    for (int nested = 0;; nested++) {
        int error = load_open(&e->from, e->path, at_flags, &e->program);
        if (error || elf_script_judge(e->program.first, e->program.first_bytes, &script))
            return error;
        load_close(&e->program);
        if (nested == ELF_SCRIPTS_NESTED)
            return -ELOOP;
        error = put_before(strings, &script, e->path);
        if (error)
            return error;
        strcpy(e->path, script.interpreter);
        e->from.at = ABI_AT_FDCWD;
        at_flags = 0;
    }
}

static int open_interpreter(struct exec *e)
{
    char path[ELF_INTERPRETER_MAX];
    struct vfs_from from = e->from;
    int error = load_interpreter(&e->program, path);

    if (error || !*path)
        return error;
    from.at = ABI_AT_FDCWD;
    error = load_open(&from, path, 0, &e->interpreter);
    if (error)
        return error;
    struct load_file *f = &e->interpreter;
    error = elf_judge(f->first, f->first_bytes, f->size, &f->image);
    return error ? -ELIBBAD : 0;
}

/* ---- the new address space --------------------------------------------------------------------------------------- */

static int fill_stack(struct exec *e, struct elf_stack *s, bool executes)
{
    uint64_t top = SPACE_TOP & ~15ull;
    size_t bytes = elf_stack_bytes(s);
    uint64_t length = (bytes + STACK_MARGIN + PAGE - 1) & ~(uint64_t)(PAGE - 1);

    if (length < STACK_BEGIN)
        length = STACK_BEGIN;
    struct space_map m = {.address = SPACE_TOP - length, .length = length, .fixed = true, .grows_down = true,
                          .access = SPACE_READ | SPACE_WRITE | (executes ? SPACE_EXECUTE : 0)};
    int64_t at = space_map(e->space, &m);
    if (at < 0)
        return (int)at;
    void *image = cms_heap_allocate(bytes);
    if (!image)
        return -ENOMEM;
    e->stack = elf_stack_fill(s, top, image);
    int error = space_copy_out(e->space, e->stack, image, bytes);
    cms_heap_free(image);
    return error ? -ENOMEM : 0;
}

static int build_stack(struct exec *e, const struct exec_strings *strings, uint64_t bias, uint64_t interpreter_base)
{
    uint64_t random[ELF_RANDOM_BYTES / 8] = {caller_random(), caller_random()};
    const struct elf_image *i = &e->program.image;
    struct elf_stack s = {
        .strings = strings->bytes, .string_bytes = strings->used, .argument_count = strings->arguments,
        .environment_count = strings->environment, .path = e->path, .random = (const uint8_t *)random,
        .headers_address = i->headers_address ? i->headers_address + bias : 0, .header_count = i->header_count,
        .interpreter_base = interpreter_base, .entry = i->entry + bias, .hardware = user_hardware(),
        .least_signal_stack = signal_frame_most(),
    };
    return fill_stack(e, &s, i->stack_executes);
}

static int build_space(struct exec *e, const struct exec_strings *strings)
{
    uint64_t bias, interpreter_bias = 0;
    const struct elf_image *i = &e->program.image;

    if (!(e->space = space_make()))
        return -ENOMEM;
    int error = load_map(&e->program, e->space, PROGRAM_BASE, &bias);
    if (error)
        return error;
    space_set_break(e->space, i->high + bias);
    e->entry = i->entry + bias;
    if (e->interpreter.file) {
        error = load_map(&e->interpreter, e->space, 0, &interpreter_bias);
        e->entry = e->interpreter.image.entry + interpreter_bias;
    }
    if (!error && e->entry >= SPACE_TOP)
        error = -EINVAL;
    return error ? error
                 : build_stack(e, strings, bias, e->interpreter.file ? interpreter_bias + e->interpreter.image.low : 0);
}

/* ---- the point of no return -------------------------------------------------------------------------------------- */

static int own_actions(struct process *p)
{
    struct signal_actions *own = p->actions;
    if (own->users == 1)
        return 0;
    if (!(own = cms_heap_allocate(sizeof *own)))
        return -ENOMEM;
    *own = *p->actions;
    own->users = 1;
    p->actions->users--;
    p->actions = own;
    return 0;
}

static int own_files(struct process *p)
{
    struct files *own = p->shares_files ? files_copy(p->files) : p->files;
    if (!own)
        return -ENOMEM;
    if (own != p->files)
        files_let_go(p->files);
    p->files = own;
    p->shares_files = false;
    return 0;
}

static void reset_actions(struct process *p)
{
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        p->actions->of[i] = (struct signal_action){.handler = p->actions->of[i].handler == SIGNAL_IGNORE};
}

static void reset_thread(struct thread *t)
{
    t->id = t->process->id;
    t->alternate = (struct signal_stack){.flags = STACK_DISABLE};
    t->clear_child_id = t->robust_list = 0;
    t->resume = NULL;
    t->keeps_blocked = false;
    t->user.fs_base = t->user.gs_base = 0;
    user_extended_begin(t->user.extended);
}

static void set_names(struct thread *t, const char *path)
{
    struct process *p = t->process;
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t n = strlen(base), used = 0;

    memset(t->name, 0, sizeof t->name);
    memcpy(t->name, base, n < sizeof t->name ? n : sizeof t->name - 1);
    if (*path != '/' && !place_path(p->place, p->path, sizeof p->path)) {
        used = strlen(p->path);
        if (used > 1 && used < sizeof p->path - 1)
            p->path[used++] = '/';
    }
    n = strlen(path);
    if (used + n >= sizeof p->path)
        n = sizeof p->path - 1 - used;
    memcpy(p->path + used, path, n);
    p->path[used + n] = 0;
}

static void replace(struct thread *t, struct exec *e)
{
    struct process *p = t->process;
    struct space *old = p->space;

    if (old)
        futex_thread_ends(t);
    timer_delete_all(p);
    files_close_on_exec(p->files);
    reset_actions(p);
    reset_thread(t);
    set_names(t, e->path);
    p->space = e->space;
    space_set_stack_limit(p->space, p->limit[LIMIT_STACK].now);
    e->space = NULL;
    t->user.root = space_root(p->space);
    if (!thread_is_command_level())
        user_state_switch(NULL, &t->user);
    if (old)
        space_let_go(old);
    p->executed = true;
    p->set.not_dumpable = false;
    p->set.keeps_capabilities = false;
    process_vfork_over(p);
    t->process->stack_begin = e->stack;
    *t->frame = (struct trap_frame){.rip = e->entry, .rsp = e->stack, .cs = USER_CODE, .ss = USER_DATA,
                                    .rflags = 0x202};
}

static int prepare(struct thread *t, struct exec *e, const char *path, unsigned at_flags,
                   struct exec_strings *strings)
{
    int error = open_program(e, path, at_flags, strings);
    struct load_file *f = &e->program;
    if (!error)
        error = elf_judge(f->first, f->first_bytes, f->size, &f->image);
    if (!error)
        error = open_interpreter(e);
    if (!error)
        error = build_space(e, strings);
    if (!error)
        error = own_actions(t->process);
    if (!error)
        error = own_files(t->process);
    if (!error && !thread_is_command_level() && !end_other_threads(t))
        error = -EINTR;
    return error;
}

int exec_program(struct thread *t, int at, const char *path, unsigned at_flags, struct exec_strings *strings)
{
    struct process *p = t->process;
    struct exec *e = cms_heap_allocate(sizeof *e);
    if (!e)
        return -ENOMEM;
    e->program.file = e->interpreter.file = NULL;
    e->from = (struct vfs_from){p->place, p->files, at};
    e->space = NULL;
    int error = prepare(t, e, path, at_flags, strings);
    if (!error)
        replace(t, e);
    load_close(&e->program);
    load_close(&e->interpreter);
    if (e->space)
        space_let_go(e->space);
    cms_heap_free(e);
    return error;
}
