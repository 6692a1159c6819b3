#include "cms/vfs/pages.h"

#include <errno.h>
#include <string.h>

static int take(struct pages *p, void **frame)
{
    if (p->budget && !pages_budget_left(p->budget))
        return -ENOSPC;
    *frame = cms_frame_take();
    return *frame ? 0 : p->budget ? -ENOSPC : -ENOMEM;
}

/* A frame that was taken is the file's, whatever becomes of the command. */
static void count_in(struct pages *p, void *frame)
{
    cms_frame_keep(frame);
    p->count++;
    if (p->budget)
        p->budget->used++;
}

static void give(struct pages *p, void **frame)
{
    if (!*frame)
        return;
    cms_frame_give_kept(*frame);
    *frame = NULL;
    p->count--;
    if (p->budget)
        p->budget->used--;
}

static int take_table(struct pages *p, void **frame)
{
    int status = take(p, frame);
    if (status)
        return status;
    memset(*frame, 0, FRAME_SIZE);
    count_in(p, *frame);
    return 0;
}

/* Where the pointer to a page is; NULL: there is no table for it. */
static void **look(const struct pages *p, uint64_t index)
{
    if (index < PAGES_DIRECT)
        return (void **)&p->direct[index];
    void **leaf = p->table ? p->table[index / PAGES_IN_FRAME] : NULL;
    return leaf ? &leaf[index % PAGES_IN_FRAME] : NULL;
}

static int place(struct pages *p, uint64_t index, void ***at)
{
    int status = 0;
    if (index >= PAGES_DIRECT && !p->table)
        status = take_table(p, (void **)&p->table);
    if (!status && index >= PAGES_DIRECT && !p->table[index / PAGES_IN_FRAME])
        status = take_table(p, (void **)&p->table[index / PAGES_IN_FRAME]);
    *at = status ? NULL : look(p, index);
    return status;
}

void *pages_look(const struct pages *p, uint64_t index)
{
    void **at = look(p, index);
    return at ? *at : NULL;
}

int pages_frame(struct pages *p, uint64_t index, void **frame)
{
    void **at;
    if (index >= PAGES_SIZE_MAX / FRAME_SIZE)
        return -EFBIG;
    int status = place(p, index, &at);
    if (status || *at) {
        *frame = status ? NULL : *at;
        return status;
    }
    if (p->fetch) {
        status = p->fetch(p, index, frame);
    } else {
        status = take(p, frame);
        if (!status)
            memset(*frame, 0, FRAME_SIZE);
    }
    if (status)
        return status;
    *at = *frame;
    count_in(p, *frame);
    return 0;
}

static size_t part_of(uint64_t offset, uint64_t left)
{
    size_t room = FRAME_SIZE - offset % FRAME_SIZE;
    return left < room ? (size_t)left : room;
}

static const char zeroes[FRAME_SIZE];

int64_t pages_read(struct pages *p, struct io *io, uint64_t offset)
{
    int64_t done = 0;
    while (io->left && offset < p->size) {
        uint64_t left = p->size - offset < io->left ? p->size - offset : io->left;
        size_t part = part_of(offset, left);
        void *frame = pages_look(p, offset / FRAME_SIZE);
        int status = !frame && p->fetch ? pages_frame(p, offset / FRAME_SIZE, &frame) : 0;
        if (!status)
            status = io->put(io, (frame ? (const char *)frame : zeroes) + offset % FRAME_SIZE, part);
        if (status)
            return done ? done : status;
        offset += part;
        done += (int64_t)part;
    }
    return done;
}

int64_t pages_write(struct pages *p, struct io *io, uint64_t offset)
{
    int64_t done = 0;
    if (io->left && offset >= PAGES_SIZE_MAX)
        return -EFBIG;
    while (io->left && offset < PAGES_SIZE_MAX) {
        size_t part = part_of(offset, io->left);
        void *frame;
        int status = pages_frame(p, offset / FRAME_SIZE, &frame);
        if (!status)
            status = io->take(io, (char *)frame + offset % FRAME_SIZE, part);
        if (status)
            return done ? done : status;
        offset += part;
        done += (int64_t)part;
        if (offset > p->size)
            p->size = offset;
    }
    return done;
}

static void give_from(struct pages *p, uint64_t first)
{
    for (uint64_t i = first; i < PAGES_DIRECT; i++)
        give(p, &p->direct[i]);
    for (uint64_t t = 0; p->table && t < PAGES_IN_FRAME; t++) {
        void **leaf = p->table[t];
        if (!leaf || (t + 1) * PAGES_IN_FRAME <= first)
            continue;
        for (uint64_t i = 0; i < PAGES_IN_FRAME; i++)
            if (t * PAGES_IN_FRAME + i >= first)
                give(p, &leaf[i]);
        if (t * PAGES_IN_FRAME >= first)
            give(p, (void **)&p->table[t]);
    }
    if (first <= PAGES_DIRECT && p->table)
        give(p, (void **)&p->table);
}

/* What lies behind the end is zero, so that a file that grows again shows zeroes there. */
int pages_resize(struct pages *p, uint64_t size)
{
    if (size > PAGES_SIZE_MAX)
        return -EFBIG;
    if (size < p->size) {
        void *last = NULL;
        if (size % FRAME_SIZE) {
            last = pages_look(p, size / FRAME_SIZE);
            if (!last && p->fetch) {
                int status = pages_frame(p, size / FRAME_SIZE, &last);
                if (status)
                    return status;
            }
        }
        if (last)
            memset((char *)last + size % FRAME_SIZE, 0, FRAME_SIZE - size % FRAME_SIZE);
        give_from(p, (size + FRAME_SIZE - 1) / FRAME_SIZE);
    }
    p->size = size;
    return 0;
}

void pages_free(struct pages *p)
{
    give_from(p, 0);
    p->size = 0;
}
