/* A frame has slots of one size behind its head; those that are free are a list. */
#include "cms/kernel/slots.h"

#include <stdint.h>

#include "cms/kernel/frame.h"

struct slots_frame {
    struct slots_frame *next, *previous; /* among those of its size with room */
    struct free_slot {
        struct free_slot *next;
    } *free;
    size_t used;
};

static size_t kind_of(size_t bytes) { return (bytes - 1) / SLOTS_UNIT; }

static struct slots_frame *frame_of(void *slot)
{
    return (struct slots_frame *)((uintptr_t)slot & ~(uintptr_t)(FRAME_SIZE - 1));
}

static void open_frame(struct slots *s, size_t kind, struct slots_frame *f)
{
    f->next = s->open[kind];
    f->previous = NULL;
    if (f->next)
        f->next->previous = f;
    s->open[kind] = f;
}

static void close_frame(struct slots *s, size_t kind, struct slots_frame *f)
{
    if (f->previous)
        f->previous->next = f->next;
    else
        s->open[kind] = f->next;
    if (f->next)
        f->next->previous = f->previous;
}

static struct slots_frame *make_frame(struct slots *s, size_t kind)
{
    struct slots_frame *f = cms_frame_take();
    size_t size = (kind + 1) * SLOTS_UNIT;
    if (!f)
        return NULL;
    cms_frame_keep(f);
    s->frames++;
    f->free = NULL;
    f->used = 0;
    for (size_t n = (FRAME_SIZE - sizeof *f) / size; n; n--) {
        struct free_slot *slot = (struct free_slot *)((char *)f + FRAME_SIZE - n * size);
        slot->next = f->free;
        f->free = slot;
    }
    open_frame(s, kind, f);
    return f;
}

void *cms_slots_take(struct slots *s, size_t bytes, bool more)
{
    size_t kind = kind_of(bytes);
    struct slots_frame *f = s->open[kind] ? s->open[kind] : more ? make_frame(s, kind) : NULL;
    if (!f)
        return NULL;
    struct free_slot *slot = f->free;
    f->free = slot->next;
    f->used++;
    if (!f->free)
        close_frame(s, kind, f);
    return slot;
}

void cms_slots_give(struct slots *s, void *memory, size_t bytes)
{
    struct slots_frame *f = frame_of(memory);
    struct free_slot *slot = memory;
    if (!f->free)
        open_frame(s, kind_of(bytes), f);
    slot->next = f->free;
    f->free = slot;
    if (--f->used)
        return;
    close_frame(s, kind_of(bytes), f);
    s->frames--;
    cms_frame_give_kept(f);
}
