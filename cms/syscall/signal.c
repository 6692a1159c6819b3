/* rt_sigaction(2) and the rest of signals. */
#include "cms/process/signal.h"

#include "cms/syscall/syscall.h"
#include "cms/syscall/argument.h"

enum { SET_BYTES = 8 };

int64_t call_rt_sigaction(const struct call *c)
{
    int number = (int)c->argument[0];
    struct signal_action new, old;

    if (c->argument[3] != SET_BYTES || !signal_is_valid(number))
        return -EINVAL;
    if (c->argument[1] && signal_is_in(SIGNALS_UNBLOCKABLE, number))
        return -EINVAL;
    if (c->argument[1] && user_in(&new, c->argument[1], sizeof new))
        return -EFAULT;
    struct process *p = process_current();
    old = p->actions->of[number - 1];
    if (c->argument[1]) {
        new.mask &= ~SIGNALS_UNBLOCKABLE;
        new.flags &= ACTION_KNOWN;
        p->actions->of[number - 1] = new;
        signal_action_changed(p, number);
    }
    return c->argument[2] ? user_out(c->argument[2], &old, sizeof old) : 0;
}

int64_t call_rt_sigprocmask(const struct call *c)
{
    struct thread *t = thread_current();
    signal_set set = 0, old = t->blocked;

    if (c->argument[3] != SET_BYTES)
        return -EINVAL;
    if (c->argument[1]) {
        if (user_in(&set, c->argument[1], sizeof set))
            return -EFAULT;
        switch (c->argument[0]) {
        case SIGNAL_BLOCK: set |= old; break;
        case SIGNAL_UNBLOCK: set = old & ~set; break;
        case SIGNAL_SETMASK: break;
        default: return -EINVAL;
        }
        signal_block(t, set);
    }
    return c->argument[2] ? user_out(c->argument[2], &old, sizeof old) : 0;
}

int64_t call_rt_sigpending(const struct call *c)
{
    struct thread *t = thread_current();
    signal_set set = signal_pending(t) & t->blocked;
    if (c->argument[1] > SET_BYTES)
        return -EINVAL;
    return user_out(c->argument[0], &set, c->argument[1]);
}

/* A frame that is no frame ends the program, as on Linux. */
int64_t call_rt_sigreturn(const struct call *c)
{
    struct thread *t = thread_current();
    (void)c;
    t->in_call = false;
    if (signal_frame_pop(t))
        signal_force(t, &(struct signal_info){.number = SIGNAL_SEGV, .code = CODE_KERNEL});
    t->attention = true;
    return (int64_t)t->frame->rax;
}

static int wait_for_signal(void)
{
    struct wait_queue queue = {NULL};
    int error;
    do
        error = cms_wait(&queue, WAIT_FOR_EVER);
    while (!error);
    return error;
}

int64_t call_pause(const struct call *c)
{
    (void)c;
    return wait_for_signal();
}

int64_t call_rt_sigsuspend(const struct call *c)
{
    signal_set set;
    if (c->argument[1] != SET_BYTES)
        return -EINVAL;
    if (user_in(&set, c->argument[0], sizeof set))
        return -EFAULT;
    signal_block_meanwhile(thread_current(), set);
    return wait_for_signal();
}

static int take_waited(struct thread *t, signal_set set, uint64_t deadline, struct signal_info *info)
{
    struct wait_queue queue = {NULL};
    int number, error = 0;

    t->waited = set;
    while (!(number = signal_take(t, set, info)) && !error)
        error = cms_wait(&queue, deadline);
    t->waited = 0;
    return number ? number : error == -ETIMEDOUT ? -EAGAIN : error;
}

int64_t call_rt_sigtimedwait(const struct call *c)
{
    struct signal_info info;
    signal_set set;
    uint64_t ns = 0;
    int error = 0;

    if (c->argument[3] != SET_BYTES)
        return -EINVAL;
    if (user_in(&set, c->argument[0], sizeof set))
        return -EFAULT;
    if (c->argument[2] && (error = user_timespec_in(c->argument[2], &ns)))
        return error;
    int number = take_waited(thread_current(), set & ~SIGNALS_UNBLOCKABLE,
                             c->argument[2] ? user_deadline(ns) : WAIT_FOR_EVER, &info);
    if (number > 0 && c->argument[1] && user_out(c->argument[1], &info, sizeof info))
        return -EFAULT;
    return number;
}

int64_t call_sigaltstack(const struct call *c)
{
    struct thread *t = thread_current();
    struct signal_stack new, old = t->alternate;
    bool on = signal_on_alternate(t, t->frame->rsp);

    if (c->argument[0] && user_in(&new, c->argument[0], sizeof new))
        return -EFAULT;
    if (on)
        old.flags |= STACK_ON;
    if (c->argument[0]) {
        int error = on ? -EPERM : signal_set_alternate(t, &new);
        if (error)
            return error;
    }
    return c->argument[1] ? user_out(c->argument[1], &old, sizeof old) : 0;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

enum { CMS = 1 };

static struct process *find_process(int id)
{
    struct process *p = process_find(id);
    struct thread *t = p ? NULL : thread_find(id);
    return t ? t->process : p;
}

static int send_to_process(int id, const struct signal_info *info)
{
    struct process *p = find_process(id);
    if (id == CMS)
        return 0; /* which no signal concerns */
    if (!p)
        return -ESRCH;
    return !info->number || signal_send(p, info) ? 0 : -EAGAIN;
}

static int send_to_all(const struct signal_info *info)
{
    unsigned sent = 0;
    for (struct process *p = process_all; p; p = p->next)
        if (p != process_current()) {
            sent++;
            if (info->number)
                signal_send(p, info);
        }
    return sent ? 0 : -ESRCH;
}

static struct signal_info info_of_caller(int number, int code)
{
    return (struct signal_info){.number = number, .code = code, .process = process_current()->id};
}

int64_t call_kill(const struct call *c)
{
    int id = (int)c->argument[0], number = (int)c->argument[1];
    struct signal_info info = info_of_caller(number, CODE_USER);

    if (number && !signal_is_valid(number))
        return -EINVAL;
    if (id > 0)
        return send_to_process(id, &info);
    if (id == -1)
        return send_to_all(&info);
    if (id == INT32_MIN)
        return -ESRCH;
    return signal_send_group(id ? -id : process_current()->group, &info) ? 0 : -ESRCH;
}

static int send_to_thread(int process, int id, const struct signal_info *info)
{
    struct thread *t = id > 0 ? thread_find(id) : NULL;
    if (id <= 0 || (info->number && !signal_is_valid(info->number)))
        return -EINVAL;
    if (!t || (process && t->process->id != process))
        return -ESRCH;
    return !info->number || signal_send_thread(t, info) ? 0 : -EAGAIN;
}

int64_t call_tkill(const struct call *c)
{
    struct signal_info info = info_of_caller((int)c->argument[1], CODE_TKILL);
    return send_to_thread(0, (int)c->argument[0], &info);
}

int64_t call_tgkill(const struct call *c)
{
    struct signal_info info = info_of_caller((int)c->argument[2], CODE_TKILL);
    return (int)c->argument[0] <= 0 ? -EINVAL : send_to_thread((int)c->argument[0], (int)c->argument[1], &info);
}

/* What the program hands in must not look as if the kernel, or kill(2), had sent it to somebody else. */
static int info_from_program(uint64_t from, int number, bool self, struct signal_info *info)
{
    if (user_in(info, from, sizeof *info))
        return -EFAULT;
    if ((info->code >= 0 || info->code == CODE_TKILL) && !self)
        return -EPERM;
    info->number = number;
    return number && !signal_is_valid(number) ? -EINVAL : 0;
}

int64_t call_rt_sigqueueinfo(const struct call *c)
{
    struct signal_info info;
    int id = (int)c->argument[0];
    int error = info_from_program(c->argument[2], (int)c->argument[1], id == process_current()->id, &info);
    return error ? error : send_to_process(id, &info);
}

int64_t call_rt_tgsigqueueinfo(const struct call *c)
{
    struct signal_info info;
    int id = (int)c->argument[0];
    int error = info_from_program(c->argument[3], (int)c->argument[2], id == process_current()->id, &info);
    return error ? error : id <= 0 ? -EINVAL : send_to_thread(id, (int)c->argument[1], &info);
}
