/* Tables of descriptors. They grow by what is used; a descriptor's number is its place. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/vfs/file.h"
#include "cms/vfs/lock.h"

enum { GROWTH = 16 };

struct files {
    unsigned users, room, limit;
    struct descriptor {
        struct file *file; /* NULL: free */
        bool close_on_exec;
    } * at;
};

struct files *files_make(void)
{
    struct files *t = cms_heap_allocate(sizeof *t);
    if (t)
        *t = (struct files){.users = 1, .limit = FILES_MAX};
    return t;
}

/* For descriptors 0 to `least`. */
static int grow(struct files *t, unsigned least)
{
    if (least < t->room)
        return 0;
    unsigned room = (least / GROWTH + 1) * GROWTH;
    struct descriptor *at = cms_heap_allocate(room * sizeof *at);
    if (!at)
        return -ENOMEM;
    if (t->room)
        memcpy(at, t->at, t->room * sizeof *at);
    memset(at + t->room, 0, (room - t->room) * sizeof *at);
    cms_heap_free(t->at);
    t->at = at;
    t->room = room;
    return 0;
}

struct files *files_copy(const struct files *from)
{
    struct files *t = files_make();
    if (!t)
        return NULL;
    if (from->room && grow(t, from->room - 1)) {
        cms_heap_free(t);
        return NULL;
    }
    t->limit = from->limit;
    for (unsigned i = 0; i < from->room; i++) {
        t->at[i] = from->at[i];
        if (t->at[i].file)
            file_hold(t->at[i].file);
    }
    return t;
}

void files_set_limit(struct files *t, unsigned limit)
{
    t->limit = limit < FILES_MAX ? limit : FILES_MAX;
}

void files_hold(struct files *t) { t->users++; }

void files_let_go(struct files *t)
{
    if (--t->users)
        return;
    for (unsigned i = 0; i < t->room; i++)
        files_close(t, i);
    cms_heap_free(t->at);
    cms_heap_free(t);
}

void files_close_on_exec(struct files *t)
{
    for (unsigned i = 0; i < t->room; i++)
        if (t->at[i].file && t->at[i].close_on_exec)
            files_close(t, i);
}

static int put(struct files *t, unsigned descriptor, struct file *file, bool close_on_exec)
{
    int status = grow(t, descriptor);
    if (status) {
        file_let_go(file);
        return status;
    }
    t->at[descriptor] = (struct descriptor){file, close_on_exec};
    return (int)descriptor;
}

int files_add(struct files *t, struct file *file, unsigned least, bool close_on_exec)
{
    unsigned i = least;
    while (i < t->room && t->at[i].file)
        i++;
    if (i < t->limit)
        return put(t, i, file, close_on_exec);
    file_let_go(file);
    return least < t->limit ? -EMFILE : -EINVAL;
}

int files_put(struct files *t, unsigned descriptor, struct file *file, bool close_on_exec)
{
    if (descriptor >= t->limit) {
        file_let_go(file);
        return -EBADF;
    }
    files_close(t, descriptor);
    return put(t, descriptor, file, close_on_exec);
}

struct file *files_get(struct files *t, unsigned descriptor)
{
    return descriptor < t->room ? t->at[descriptor].file : NULL;
}

int files_close(struct files *t, unsigned descriptor)
{
    struct file *file = files_get(t, descriptor);
    if (!file)
        return -EBADF;
    t->at[descriptor] = (struct descriptor){0}; /* first: what the close does may sleep */
    lock_descriptor_closed(file, t);
    return file_let_go(file);
}

bool files_closes_on_exec(const struct files *t, unsigned descriptor)
{
    return descriptor < t->room && t->at[descriptor].close_on_exec;
}

void files_set_close_on_exec(struct files *t, unsigned descriptor, bool on)
{
    if (descriptor < t->room)
        t->at[descriptor].close_on_exec = on;
}
