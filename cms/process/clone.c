#include "cms/process/clone.h"

#include <errno.h>

#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cms/process/signal.h"

static const uint64_t KNOWN = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PTRACE | CLONE_VFORK |
                              CLONE_PARENT | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                              CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_UNTRACED | CLONE_CHILD_SETTID |
                              (uint32_t)CLONE_IO | 0x100000000ull;

static int judge(const struct clone_wanted *w)
{
    uint64_t f = w->flags;
    if (f & ~KNOWN || w->exit_signal < 0 || w->exit_signal > SIGNAL_LAST)
        return -EINVAL;
    if ((f & CLONE_THREAD && !(f & CLONE_SIGHAND)) || (f & CLONE_SIGHAND && !(f & CLONE_VM)))
        return -EINVAL;
    if (f & CLONE_SIGHAND && f & CLONE_CLEAR_SIGHAND)
        return -EINVAL;
    if (w->stack >= SPACE_TOP || (f & CLONE_SETTLS && w->tls >= SPACE_TOP))
        return f & CLONE_SETTLS && w->tls >= SPACE_TOP ? -EPERM : -EINVAL;
    return 0;
}

static struct signal_actions *copy_actions(struct signal_actions *from, uint64_t flags)
{
    if (flags & CLONE_SIGHAND) {
        from->users++;
        return from;
    }
    struct signal_actions *to = cms_heap_allocate(sizeof *to);
    if (!to)
        return NULL;
    *to = *from;
    to->users = 1;
    for (unsigned i = 0; flags & CLONE_CLEAR_SIGHAND && i < SIGNAL_COUNT; i++)
        if (to->of[i].handler != SIGNAL_IGNORE)
            to->of[i] = (struct signal_action){0};
    return to;
}

static void share_or_copy(struct process *to, struct process *from, uint64_t flags)
{
    to->actions = copy_actions(from->actions, flags);
    if (flags & CLONE_VM)
        space_hold(to->space = from->space);
    else
        to->space = space_fork(from->space);
    if (flags & CLONE_FILES) {
        files_hold(to->files = from->files);
        to->shares_files = from->shares_files = true;
    } else {
        to->files = files_copy(from->files);
    }
    if (flags & CLONE_FS)
        place_hold(to->place = from->place);
    else
        to->place = place_copy(from->place);
}

static void undo(struct process *p)
{
    if (p->space)
        space_let_go(p->space);
    if (p->files)
        files_let_go(p->files);
    if (p->place)
        place_let_go(p->place);
    if (p->actions && !--p->actions->users)
        cms_heap_free(p->actions);
    process_free(p);
}

static struct process *make_process(const struct clone_wanted *w)
{
    struct process *self = process_current();
    struct process *p = process_make(w->flags & CLONE_PARENT ? self->parent : self);
    if (!p)
        return NULL;
    if (!p->parent) { /* a sibling of the command's first */
        p->group = self->group;
        p->session = self->session;
        p->level = self->level;
    }
    p->exit_signal = w->flags & CLONE_PARENT ? self->exit_signal : w->exit_signal;
    share_or_copy(p, self, w->flags);
    if (p->space && p->files && p->place && p->actions)
        return p;
    undo(p);
    return NULL;
}

static void copy_thread(struct thread *to, struct thread *from, const struct clone_wanted *w)
{
    user_extended_save(from->user.extended);
    user_state_note(&from->user);
    user_extended_copy(to->user.extended, from->user.extended);
    to->user.fs_base = w->flags & CLONE_SETTLS ? w->tls : from->user.fs_base;
    to->user.gs_base = from->user.gs_base;
    to->start = *from->frame;
    to->start.rax = 0;
    if (w->stack)
        to->start.rsp = w->stack;
    to->blocked = from->keeps_blocked ? from->kept_blocked : from->blocked;
    if (!(w->flags & CLONE_VM) || w->flags & CLONE_VFORK)
        to->alternate = from->alternate;
    for (unsigned i = 0; i < THREAD_NAME; i++)
        to->name[i] = from->name[i];
    if (w->flags & CLONE_CHILD_CLEARTID)
        to->clear_child_id = w->child_id;
}

/* What cannot be told is not: as Linux. */
static void tell_ids(const struct thread *t, const struct clone_wanted *w)
{
    if (w->flags & CLONE_PARENT_SETTID)
        space_copy_out(process_space(process_current()), w->parent_id, &t->id, sizeof t->id);
    if (w->flags & CLONE_CHILD_SETTID)
        space_copy_out(process_space(t->process), w->child_id, &t->id, sizeof t->id);
}

/* The child has a space of its own, or is no more; or this one is killed. The child may be gone without a trace by
 * then, so what is waited in is here. */
static void wait_for_vfork(struct process *child, int id, struct vfork_wait *wait)
{
    while (process_find(id) == child && child->vforked == wait)
        if (thread_wait_deaf(&wait->queue) && process_find(id) == child && child->vforked == wait) {
            child->vforked = NULL;
            return;
        }
}

int clone_make(const struct clone_wanted *w)
{
    struct process *self = process_current(), *p = self;
    struct vfork_wait wait = {{NULL}};
    bool threads = w->flags & CLONE_THREAD;
    int id = 0, error = judge(w);

    if (error)
        return error;
    if (threads && (id = process_new_id()) < 0)
        return id;
    if (!threads && !(p = make_process(w)))
        return cms_frames_left() ? -EAGAIN : -ENOMEM;
    struct thread *t = thread_make(p);
    if (!t) {
        if (!threads)
            undo(p);
        return -EAGAIN;
    }
    t->id = id = threads ? id : p->id;
    copy_thread(t, thread_current(), w);
    tell_ids(t, w);
    if (w->flags & CLONE_VFORK && !threads)
        p->vforked = &wait;
    if (self->ending && threads) {
        thread_unmake(t);
        return -EINTR;
    }
    thread_make_ready(t);
    if (p->vforked == &wait)
        wait_for_vfork(p, id, &wait);
    return id;
}
