/* Groups and sessions, and what the files ask of who calls them. */
#include "cms/process/group.h"

#include <errno.h>

#include "cms/kernel/clock.h"
#include "cms/kernel/random.h"
#include "cms/process/signal.h"
#include "cms/vfs/caller.h"

static struct process *self(void)
{
    struct thread *t = thread_current();
    return t ? t->process : NULL;
}

int caller_process(void) { return self() ? self()->id : 0; }
int caller_group(void) { return self() ? self()->group : 0; }
int caller_session(void) { return self() ? self()->session : 0; }
bool caller_leads_session(void) { return self() && self()->id == self()->session; }
void caller_halt(void) { process_halt(); }
uint64_t caller_random(void) { return cms_random(); }

int64_t caller_time(void)
{
    return (int64_t)cms_clock_wall();
}

bool caller_ignores_or_blocks(int number)
{
    const struct thread *t = thread_current();
    return t && (signal_is_in(t->blocked, number) ||
                 t->process->actions->of[number - 1].handler == SIGNAL_IGNORE);
}

void caller_signal(int number)
{
    if (thread_current())
        signal_send_thread(thread_current(), &(struct signal_info){.number = number, .code = CODE_USER,
                                                                   .process = caller_process()});
}

void caller_signal_group(int group, int number)
{
    signal_send_group(group, &(struct signal_info){.number = number, .code = CODE_KERNEL});
}

int caller_session_of_group(int group)
{
    const struct process *p = process_all;
    while (p && p->group != group)
        p = p->next;
    return p ? p->session : 0;
}

/* Nobody outside it, but of its session, is the parent of one in it. */
bool caller_group_is_orphaned(int group)
{
    for (const struct process *p = process_all; p; p = p->next)
        if (p->group == group && !p->zombie && p->parent && p->parent->group != group &&
            p->parent->session == p->session)
            return false;
    return true;
}

int group_set(int id, int group)
{
    struct process *caller = process_current(), *p = id ? process_find(id) : caller;

    if (group < 0)
        return -EINVAL;
    if (!p || (p != caller && p->parent != caller)) /* one that has ended is there until it is waited for */
        return -ESRCH;
    if (p != caller && p->executed)
        return -EACCES;
    if (p->session != caller->session || p->id == p->session)
        return -EPERM;
    if (!group)
        group = p->id;
    if (group != p->id && !process_group_exists(group, p->session))
        return -EPERM;
    p->group = group;
    return 0;
}

int group_new_session(void)
{
    struct process *p = process_current();
    if (process_group_exists(p->id, 0))
        return -EPERM;
    return p->session = p->group = p->id;
}
