#include "cms/process/end.h"

#include <errno.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/heap.h"
#include "cms/process/futex.h"
#include "cms/process/signal.h"
#include "cms/process/timer.h"
#include "cms/vfs/caller.h"

/* ---- what parents hear ------------------------------------------------------------------------------------------- */

static void tell_parent(struct process *p, int number, int code, int status)
{
    struct times t = process_times(p);
    if (!p->parent || !number)
        return;
    signal_send(p->parent, &(struct signal_info){.number = number, .code = code, .process = p->id, .status = status,
                                                 .user_time = (int64_t)(cms_ticks_ns(t.user) / TIMER_TICK),
                                                 .system_time = (int64_t)(cms_ticks_ns(t.system) / TIMER_TICK)});
}

static bool reaps_itself(const struct process *parent)
{
    const struct signal_action *a = &parent->actions->of[SIGNAL_CHLD - 1];
    return a->handler == SIGNAL_IGNORE || a->flags & ACTION_NOCLDWAIT;
}

static void add_times(struct times *to, const struct times *from)
{
    to->user += from->user;
    to->system += from->system;
}

static void reap(struct process *p)
{
    if (p->parent) {
        add_times(&p->parent->children, &p->gone);
        add_times(&p->parent->children, &p->children);
    }
    process_free(p);
}

/* A process that has no parent but CMS goes when it ends, unless process_run() waits for it. */
static void tell_end(struct process *p)
{
    int signal = p->status & 0x7f;
    struct process *parent = p->parent;
    if (!parent) {
        if (!process_is_first(p))
            reap(p);
        return;
    }
    tell_parent(p, p->exit_signal, !signal ? CODE_CHILD_EXITED : p->status & END_CORE ? CODE_CHILD_DUMPED
                : CODE_CHILD_KILLED, signal ? signal : p->status >> 8 & 0xff);
    cms_wake(&parent->child_changed);
    if (p->exit_signal == SIGNAL_CHLD && reaps_itself(parent))
        reap(p);
}

/* ---- the end of a process ---------------------------------------------------------------------------------------- */

/* PR_SET_CHILD_SUBREAPER: the nearest that asked for it; NULL: CMS. */
static struct process *reaper_of(const struct process *p)
{
    struct process *reaper = p->parent;
    while (reaper && (!reaper->set.reaps_orphans || reaper->ending))
        reaper = reaper->parent;
    return reaper;
}

static void leave_child(struct process *child, struct process *reaper)
{
    if (reaper) {
        process_adopt(reaper, child);
        child->exit_signal = SIGNAL_CHLD;
    }
    if (child->zombie && !child->thread_count && (reaper || !process_is_first(child)))
        tell_end(child);
}

static void leave_children(struct process *p)
{
    struct process *reaper = reaper_of(p);
    for (struct process *child = p->first_child, *next; child; child = next) {
        next = child->sibling;
        child->parent = NULL;
        child->sibling = NULL;
        if (child->death_signal)
            signal_send(child, &(struct signal_info){.number = child->death_signal, .process = p->id});
        leave_child(child, reaper);
    }
    p->first_child = NULL;
}

static bool group_has_stopped(int group)
{
    for (const struct process *p = process_all; p; p = p->next)
        if (p->group == group && p->stopped && !p->zombie)
            return true;
    return false;
}

/* POSIX, _Exit(): stopped processes of a group that nobody is left to continue. */
static void free_orphans(int group)
{
    if (!group_has_stopped(group) || !caller_group_is_orphaned(group))
        return;
    signal_send_group(group, &(struct signal_info){.number = SIGNAL_HUP, .code = CODE_KERNEL});
    signal_send_group(group, &(struct signal_info){.number = SIGNAL_CONT, .code = CODE_KERNEL});
}

static void free_orphaned_groups(struct process *p)
{
    int group = p->group;
    for (struct process *child = p->first_child, *next; child; child = next) {
        next = child->sibling;
        if (child->group != group && child->session == p->session)
            free_orphans(child->group);
    }
    free_orphans(group);
}

void end_give_up(struct process *p)
{
    struct thread *t = thread_current();
    struct files *files = p->files;
    struct space *space = p->space;
    struct place *place = p->place;

    p->files = NULL;
    p->place = NULL;
    if (files)
        files_let_go(files);
    if (place)
        place_let_go(place);
    if (t && t->process == p) {
        t->user.root = 0;
        user_state_load(&t->user);
    }
    p->space = NULL;
    if (space)
        space_let_go(space);
}

static void end_last(struct process *p)
{
    timer_end(p);
    end_give_up(p);
    p->zombie = true;
    p->stopped = false;
    free_orphaned_groups(p);
    leave_children(p);
    if (!--p->actions->users)
        cms_heap_free(p->actions);
    p->actions = NULL;
    process_vfork_over(p);
}

static void unlink_thread(struct thread *t)
{
    struct thread **at = &t->process->threads;
    while (*at != t)
        at = &(*at)->sibling;
    *at = t->sibling;
    t->process->thread_count--;
}

/* The process' files may need to sleep to be closed, and must then not be called off: nothing can come to a thread that
 * ends but its end. */
void end_thread(void)
{
    struct thread *t = thread_current();
    struct process *p = t->process;

    t->hears = HEARS_NOTHING;
    t->dying = true; /* and nobody sends it anything */
    futex_thread_ends(t);
    signal_queue_drop(&t->pending, ~0ull);
    bool last = p->thread_count == 1;
    if (t->id == p->id && !p->ending)
        p->status = t->status;
    if (last) {
        p->ending = true;
        end_last(p);
    }
    thread_account_system(t);
    add_times(&p->gone, &(struct times){t->user_ticks, t->system_ticks});
    unlink_thread(t);
    if (last && process_is_first(p))
        thread_command_wanted = true; /* to end the others of its command, which may never give way by themselves */
    if (last)
        tell_end(p);
    else
        cms_wake(&p->thread_ended);
    thread_leave();
}

void end_process(struct process *p, int status)
{
    if (p->ending)
        return;
    p->ending = true;
    p->status = status;
    p->told_stopped = p->told_continued = false;
    for (struct thread *t = p->threads; t; t = t->sibling) {
        t->dying = true;
        thread_attend(t, true);
    }
}

static void kill_others(struct thread *self)
{
    for (struct thread *t = self->process->threads; t; t = t->sibling)
        if (t != self) {
            t->dying = true;
            thread_attend(t, true);
        }
}

bool end_other_threads(struct thread *self)
{
    kill_others(self);
    while (self->process->thread_count > 1 && !self->dying)
        thread_wait_deaf(&self->process->thread_ended);
    return !self->dying;
}

/* ---- job control ------------------------------------------------------------------------------------------------- */

static bool wants_stops(const struct process *parent)
{
    return !(parent->actions->of[SIGNAL_CHLD - 1].flags & ACTION_NOCLDSTOP);
}

void stop_process(struct process *p, int signal)
{
    p->stopped = p->told_stopped = true;
    p->told_continued = false;
    p->stop_signal = signal;
    for (struct thread *t = p->threads; t; t = t->sibling)
        t->attention = true;
    if (!p->parent)
        return;
    cms_wake(&p->parent->child_changed);
    if (wants_stops(p->parent))
        tell_parent(p, SIGNAL_CHLD, CODE_CHILD_STOPPED, signal);
}

void end_stop(struct process *p)
{
    if (!p->stopped)
        return;
    p->stopped = p->told_stopped = false;
    p->told_continued = true;
    cms_wake(&p->continued);
    if (!p->parent)
        return;
    cms_wake(&p->parent->child_changed);
    if (wants_stops(p->parent))
        tell_parent(p, SIGNAL_CHLD, CODE_CHILD_CONTINUED, SIGNAL_CONT);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct process *p, const struct end_wanted *w)
{
    bool clone = p->exit_signal != SIGNAL_CHLD;
    if ((w->process && p->id != w->process) || (w->group && p->group != w->group))
        return false;
    return w->options & WAIT_ALL || clone == !!(w->options & WAIT_CLONE);
}

enum { STATUS_STOPPED = 0x7f, STATUS_CONTINUED = 0xffff };

static bool tells(struct process *p, uint32_t options, struct end_told *told)
{
    bool *said = NULL;
    if (p->zombie && !p->thread_count && options & WAIT_EXITED) {
        told->status = p->status;
    } else if (p->told_stopped && options & WAIT_STOPPED) {
        told->status = p->stop_signal << 8 | STATUS_STOPPED;
        said = &p->told_stopped;
    } else if (p->told_continued && options & WAIT_CONTINUED) {
        told->status = STATUS_CONTINUED;
        said = &p->told_continued;
    } else {
        return false;
    }
    told->process = p->id;
    told->times = process_times(p);
    add_times(&told->times, &p->children);
    if (options & WAIT_NOWAIT)
        return true;
    if (said)
        *said = false;
    else
        reap(p);
    return true;
}

static int look(struct process *parent, const struct end_wanted *w, struct end_told *told)
{
    bool any = false;
    for (struct process *p = parent->first_child, *next; p; p = next) {
        next = p->sibling;
        if (!is_wanted(p, w))
            continue;
        any = true;
        if (tells(p, w->options, told))
            return 1;
    }
    return any ? 0 : -ECHILD;
}

int end_wait(const struct end_wanted *w, struct end_told *told)
{
    struct process *self = process_current();
    for (;;) {
        int found = look(self, w, told);
        if (found || w->options & WAIT_NOHANG)
            return found;
        int error = cms_wait(&self->child_changed, WAIT_FOR_EVER);
        if (error)
            return error;
    }
}
