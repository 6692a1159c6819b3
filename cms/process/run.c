/* The command level's side: it begins a command's first process, lets threads run, and does what they ask of it. */
#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/kernel/sleep.h"
#include "cms/process/end.h"
#include "cms/process/exec.h"
#include "cms/process/futex.h"
#include "cms/tty/tty.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/lock.h"

/* A command's first process. */
struct process_running {
    struct process *first;
    struct process_running *outer;
    struct tty_kept kept; /* the terminal's settings before it */
};

static struct level_work *works;
static struct process_running *innermost;
static struct tty_kept before_programs; /* the terminal's settings, also for after an abend */

bool process_is_first(const struct process *p)
{
    for (const struct process_running *r = innermost; r; r = r->outer)
        if (r->first == p)
            return true;
    return false;
}

/* ---- what threads ask -------------------------------------------------------------------------------------------- */

void process_post(struct level_work *w)
{
    struct level_work **at = &works;
    while (*at)
        at = &(*at)->next;
    w->next = NULL;
    *at = w;
    thread_command_wanted = true;
}

bool process_take_back(struct level_work *w)
{
    struct level_work **at = &works;
    while (*at && *at != w)
        at = &(*at)->next;
    if (!*at)
        return false;
    *at = w->next;
    thread_command_wanted = works;
    return true;
}

static void serve(void)
{
    struct level_work *w = works;
    works = w->next;
    thread_command_wanted = works;
    w->run(w);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static bool level_is_over(unsigned level)
{
    for (const struct process *p = process_all; p; p = p->next)
        if (p->level == level && p->thread_count)
            return false;
    return true;
}

static bool has_ended(const struct process *p)
{
    return p->zombie && !p->thread_count;
}

/* Until something that was waited for may have come: the processor sleeps only while `done` has not. */
static void step(bool (*done)(void *context), void *context)
{
    unsigned ready, all;

    thread_time_passed();
    thread_command_wanted = works; /* a first process that ended has been seen */
    thread_run_all();
    if (works) {
        serve();
        return;
    }
    if (process_is_over() || done(context))
        return;
    thread_time_passed();
    thread_count(&ready, &all);
    if (!ready)
        cms_sleep(false);
}

void process_lend(bool (*done)(void *context), void *context)
{
    while (!done(context))
        step(done, context);
}

bool process_has_ended(const struct process_running *r) { return has_ended(r->first); }

static bool first_has_ended(void *context) { return process_has_ended(context); }

static bool all_have_ended(void *context)
{
    const struct process_running *r = context;
    return level_is_over(r->first->level);
}

static void kill_all_of(struct process_running *r)
{
    for (struct process *p = process_all; p; p = p->next)
        if (p->level == r->first->level && !p->zombie)
            end_process(p, SIGNAL_KILL);
    process_lend(all_have_ended, r);
}

bool process_is_over(void)
{
    return innermost && has_ended(innermost->first) && level_is_over(innermost->first->level);
}

static int put_terminal(struct files *files)
{
    for (unsigned i = 0; i < 3; i++) {
        struct file *f = tty_open();
        int error = f ? files_add(files, f, i, false) : -ENOMEM;
        if (error < 0)
            return error;
    }
    return 0;
}

static int fill(struct process *p, struct files *files)
{
    p->actions = cms_heap_allocate(sizeof *p->actions);
    if (!p->actions)
        return -ENOMEM;
    *p->actions = (struct signal_actions){.users = 1};
    p->place = place_make();
    p->files = files ? files_copy(files) : files_make();
    if (!p->place || !p->files)
        return -ENOMEM;
    return files ? 0 : put_terminal(p->files);
}

static int copy_strings(struct exec_strings *s, const char *const arguments[], const char *const environment[])
{
    int error = 0;
    for (; !error && *arguments; arguments++, s->arguments++)
        error = exec_add(s, *arguments);
    for (; !error && *environment; environment++, s->environment++)
        error = exec_add(s, *environment);
    return error;
}

static struct process *begin(unsigned level, struct files *files, int *error)
{
    struct process *p = process_make(NULL);
    *error = -ENOMEM;
    if (!p)
        return NULL;
    p->level = level;
    *error = fill(p, files);
    return p;
}

static void give_back(struct process *p)
{
    if (p->threads)
        thread_unmake(p->threads);
    end_give_up(p);
    cms_heap_free(p->actions);
    process_free(p);
}

static int load(struct process *p, const char *path, const char *const arguments[], const char *const environment[])
{
    struct exec_strings strings = {0};
    struct thread *t = thread_make(p);
    if (!t)
        return -ENOMEM;
    t->id = p->id;
    thread_pretend(t);
    int error = copy_strings(&strings, arguments, environment);
    if (!error)
        error = exec_program(t, ABI_AT_FDCWD, path, 0, &strings);
    thread_pretend(NULL);
    exec_free(&strings);
    return error;
}

int process_begin(const char *path, const char *const arguments[], const char *const environment[], struct files *files,
                  struct process_running **running)
{
    unsigned level = innermost ? innermost->first->level + 1 : 1;
    struct process_running *r = cms_heap_allocate(sizeof *r);
    int error;

    if (!r)
        return -ENOMEM;
    *r = (struct process_running){.outer = innermost};
    user_start();
    r->first = begin(level, files, &error);
    if (!error)
        error = load(r->first, path, arguments, environment);
    if (error) {
        if (r->first)
            give_back(r->first);
        cms_heap_free(r);
        return error;
    }
    tty_begin(innermost ? &r->kept : &before_programs, r->first->session, r->first->group);
    innermost = r;
    thread_make_ready(r->first->threads);
    *running = r;
    return 0;
}

void process_finish(struct process_running *r, struct process_end *end)
{
    kill_all_of(r);
    tty_end(r->outer ? &r->kept : &before_programs);
    *end = (struct process_end){r->first->status, r->first->end_registers, r->first->end_address};
    innermost = r->outer;
    process_free(r->first);
    cms_heap_free(r);
    if (vfs_sync)
        vfs_sync();
}

int process_run(const char *path, const char *const arguments[], const char *const environment[], struct files *files,
                struct process_end *end)
{
    struct process_running *r;
    int error = process_begin(path, arguments, environment, files, &r);
    if (error)
        return error;
    process_lend(first_has_ended, r);
    process_finish(r, end);
    return 0;
}

void process_halt(void)
{
    for (struct process *p = process_all; p; p = p->next)
        end_process(p, SIGNAL_KILL);
}

void process_recover(void)
{
    works = NULL;
    if (innermost)
        tty_end(&before_programs);
    innermost = NULL;
    futex_forget_all();
    lock_forget_all();
    process_forget_all();
    space_forget_all();
}
