/* Which file has which locks, and who waits for them. A file is known by its node, or by what its kind has for it,
 * which stays as long as somebody has it open, and so as long as there are locks. */
#include "cms/vfs/lock.h"

#include <errno.h>

#include "cms/kernel/heap.h"
#include "cms/vfs/node.h"

enum { CHAIN_MAX = 10 }; /* of who waits for whom: longer ones are not looked for, as in Linux */

struct locked {
    struct locked *next;
    const void *what;
    struct lock *list;
    struct wait_queue given_up;
    unsigned waiters;
};

static struct locked *all;

/* On the stack of who waits. */
struct lock_waiter {
    struct lock_waiter *next;
    const struct locked *where;
    const struct lock *want;
};

static struct lock_waiter *waiters;

static const void *what_of(const struct file *f)
{
    const struct node *n = f->device_node ? f->device_node : node_of(f);
    return n ? (const void *)n : f->own ? f->own : f;
}

static struct locked **find(const void *what)
{
    struct locked **at = &all;
    while (*at && (*at)->what != what)
        at = &(*at)->next;
    return at;
}

static struct locked *find_or_make(const void *what)
{
    struct locked **at = find(what);
    if (*at || !(*at = cms_heap_allocate(sizeof **at)))
        return *at;
    **at = (struct locked){.what = what};
    return *at;
}

static void settle(struct locked *l)
{
    if (l->list || l->waiters)
        return;
    *find(l->what) = l->next;
    cms_heap_free(l);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static const struct lock_waiter *waits(const void *owner)
{
    const struct lock_waiter *w = waiters;
    while (w && (w->want->kind != LOCK_OF_PROCESS || w->want->owner != owner))
        w = w->next;
    return w;
}

static bool would_deadlock(const struct lock *blocker, const void *owner)
{
    const struct lock_waiter *w;
    for (unsigned i = 0; blocker && blocker->kind == LOCK_OF_PROCESS && i < CHAIN_MAX; i++) {
        if (blocker->owner == owner)
            return true;
        if (!(w = waits(blocker->owner)))
            return false;
        blocker = lock_list_conflict(w->where->list, w->want);
    }
    return false;
}

static int sleep_for(struct locked *l, const struct lock *want)
{
    struct lock_waiter self = {waiters, l, want}, **at = &waiters;
    waiters = &self;
    l->waiters++;
    int status = cms_wait(&l->given_up, WAIT_FOR_EVER);
    l->waiters--;
    while (*at != &self)
        at = &(*at)->next;
    *at = self.next;
    return status;
}

static int get(struct locked *l, const struct lock *want, bool wait)
{
    const struct lock *blocker;
    while ((blocker = lock_list_conflict(l->list, want))) {
        if (!wait)
            return -EAGAIN;
        if (want->kind == LOCK_OF_PROCESS && would_deadlock(blocker, want->owner))
            return -EDEADLK;
        int status = sleep_for(l, want);
        if (status)
            return status;
    }
    return lock_list_set(&l->list, want);
}

/* ---- what others ask --------------------------------------------------------------------------------------------- */

/* What is left to do; false: it has just that. */
static bool give_back_first(struct locked *l, const struct lock *want)
{
    const struct lock *has = lock_list_of(l->list, want->kind, want->owner);
    if (has && has->type == want->type)
        return false;
    if (lock_list_drop(&l->list, want->kind, want->owner))
        cms_wake(&l->given_up);
    return want->type != LOCK_NONE;
}

int lock_set(struct file *f, const struct lock *want, bool wait)
{
    struct locked *l = want->type == LOCK_NONE ? *find(what_of(f)) : find_or_make(what_of(f));
    if (!l)
        return want->type == LOCK_NONE ? 0 : -ENOLCK;
    int status = want->kind != LOCK_OF_WHOLE || give_back_first(l, want) ? get(l, want, wait) : 0;
    if (!status && want->kind != LOCK_OF_PROCESS)
        f->locked = true;
    if (!status && want->type != LOCK_EXCLUSIVE)
        cms_wake(&l->given_up);
    settle(l);
    return status;
}

const struct lock *lock_conflict(const struct file *f, const struct lock *want)
{
    const struct locked *l = *find(what_of(f));
    return l ? lock_list_conflict(l->list, want) : NULL;
}

static void drop(const struct file *f, enum lock_kind kind, const void *owner)
{
    struct locked *l = *find(what_of(f));
    if (!l || !lock_list_drop(&l->list, kind, owner))
        return;
    cms_wake(&l->given_up);
    settle(l);
}

void lock_descriptor_closed(const struct file *f, const struct files *files)
{
    if (all)
        drop(f, LOCK_OF_PROCESS, files);
}

void lock_file_closed(const struct file *f)
{
    if (!f->locked)
        return;
    drop(f, LOCK_OF_OPENING, f);
    drop(f, LOCK_OF_WHOLE, f);
}

void lock_forget_all(void)
{
    all = NULL;
    waiters = NULL;
    lock_list_forget();
}
