/* The table of processes: their numbers, parents, groups and sessions. */
#include "cms/process/process.h"

#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/process/thread.h"

enum { ID_FIRST = 2, ID_LAST = PROCESS_ID_LAST }; /* 1 is CMS */

struct process *process_all;
static unsigned process_count;
static int last_id = ID_FIRST - 1;

struct space *process_space(struct process *p) { return p->space; }
struct files *process_files(struct process *p) { return p->files; }
struct place *process_place(struct process *p) { return p->place; }

struct process *process_find(int id)
{
    struct process *p = process_all;
    while (p && p->id != id)
        p = p->next;
    return p;
}

struct thread *thread_find(int id)
{
    for (struct process *p = process_all; p; p = p->next)
        for (struct thread *t = p->threads; t; t = t->sibling)
            if (t->id == id)
                return t;
    return NULL;
}

bool process_group_exists(int group, int session)
{
    for (const struct process *p = process_all; p; p = p->next)
        if (p->group == group && (!session || p->session == session))
            return true;
    return false;
}

static bool is_used(int id)
{
    for (const struct process *p = process_all; p; p = p->next)
        if (p->id == id || p->group == id || p->session == id)
            return true;
    return thread_find(id);
}

int process_new_id(void)
{
    for (int tries = ID_FIRST; tries <= ID_LAST; tries++) {
        last_id = last_id == ID_LAST ? ID_FIRST : last_id + 1;
        if (!is_used(last_id))
            return last_id;
    }
    return -EAGAIN;
}

static void set_limits(struct process *p)
{
    for (unsigned i = 0; i < LIMITS; i++)
        p->limit[i] = (struct limit){LIMIT_NONE, LIMIT_NONE};
    p->limit[LIMIT_STACK] = (struct limit){8 << 20, LIMIT_NONE};
    p->limit[LIMIT_CORE].now = 0; /* none is written */
    p->limit[LIMIT_NICE] = p->limit[LIMIT_REAL_TIME] = (struct limit){0, 0};
    p->limit[LIMIT_PROCESSES] = (struct limit){PROCESS_MAX, PROCESS_MAX};
    p->limit[LIMIT_FILES] = (struct limit){FILES_MAX, FILES_MAX};
    p->limit[LIMIT_SIGNALS] = (struct limit){SIGNALS_QUEUED_MAX, SIGNALS_QUEUED_MAX};
}

/* Behind the older ones: who waits for any of them hears of the oldest first. */
void process_adopt(struct process *parent, struct process *p)
{
    struct process **at = &parent->first_child;
    while (*at)
        at = &(*at)->sibling;
    *at = p;
    p->parent = parent;
}

struct process *process_make(struct process *parent)
{
    int id = process_count < PROCESS_MAX ? process_new_id() : -EAGAIN;
    struct process *p = id > 0 ? cms_heap_allocate(sizeof *p) : NULL;

    if (!p)
        return NULL;
    *p = (struct process){.id = id, .group = id, .session = id, .exit_signal = SIGNAL_CHLD,
                          .started = cms_wait_now(), .next = process_all};
    set_limits(p);
    if (parent) {
        p->group = parent->group;
        p->session = parent->session;
        p->level = parent->level;
        p->set = parent->set;
        p->set.reaps_orphans = false;
        memcpy(p->limit, parent->limit, sizeof p->limit);
        p->counts = p->limit[LIMIT_CPU].now != LIMIT_NONE;
        memcpy(p->path, parent->path, sizeof p->path);
        p->stack_begin = parent->stack_begin;
        process_adopt(parent, p);
    }
    process_all = p;
    process_count++;
    return p;
}

void process_free(struct process *p)
{
    struct process **at = &process_all;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    if (p->parent) {
        for (at = &p->parent->first_child; *at != p;)
            at = &(*at)->sibling;
        *at = p->sibling;
    }
    signal_queue_drop(&p->pending, ~0ull);
    cms_heap_free(p->timers);
    cms_heap_free(p);
    process_count--;
}

void process_vfork_over(struct process *p)
{
    if (p->vforked)
        cms_wake(&p->vforked->queue);
    p->vforked = NULL;
}

void process_forget_all(void)
{
    thread_forget_all();
    process_all = NULL;
    process_count = 0;
}
