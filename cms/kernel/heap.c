/* A first-fit heap over one range: blocks lie side by side, each knows its size and its neighbour's.
 * Free neighbours are merged when a block is freed.  The range's untouched end is never written, so that memory CMS
 * does not need is not made present by it. */
#include "cms/kernel/heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cms/kernel/frame.h"

enum { ALIGN = 16, OWNER_FREE = 0, OWNER_COMMAND = 1, OWNER_SYSTEM = 2 };

struct block {
    size_t size;          /* with this header */
    uint32_t owner;
    uint32_t previous;    /* size of the block before in units of ALIGN, 0: this is the first */
};

_Static_assert(sizeof(struct block) == ALIGN, "what follows the header is aligned");

static char *start, *top, *end; /* blocks fill [start, top); [top, end) has never been used */
static uint32_t last_units;     /* size of the block that ends at top */
static size_t in_use;

void cms_heap_start(void *memory, size_t size)
{
    uintptr_t at = ((uintptr_t)memory + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
    start = top = (char *)at;
    end = (char *)(((uintptr_t)memory + size) & ~(uintptr_t)(ALIGN - 1));
    if (end < start)
        end = start;
    last_units = 0;
    in_use = 0;
    cms_frames_start();
}

size_t cms_heap_untouched(void)
{
    return (size_t)(end - top);
}

char *cms_heap_end(void)
{
    return end;
}

char *cms_heap_lower_end(size_t bytes)
{
    return cms_heap_untouched() < bytes ? NULL : (end -= bytes);
}

void cms_heap_raise_end(size_t bytes)
{
    end += bytes;
}

static struct block *next_of(struct block *b)
{
    char *next = (char *)b + b->size;
    return next < top ? (struct block *)next : NULL;
}

static struct block *previous_of(struct block *b)
{
    return b->previous ? (struct block *)((char *)b - (size_t)b->previous * ALIGN) : NULL;
}

static void set_size(struct block *b, size_t size)
{
    b->size = size;
    struct block *next = next_of(b);
    if (next)
        next->previous = (uint32_t)(size / ALIGN);
    else
        last_units = (uint32_t)(size / ALIGN);
}

static void split(struct block *b, size_t size)
{
    if (b->size - size < 2 * ALIGN)
        return;
    struct block *rest = (struct block *)((char *)b + size);
    *rest = (struct block){.owner = OWNER_FREE, .previous = (uint32_t)(size / ALIGN)};
    size_t left = b->size - size;
    b->size = size;
    set_size(rest, left);
}

static struct block *extend(size_t size)
{
    if (cms_heap_untouched() < size && !cms_frames_make_room(size))
        return NULL;
    struct block *b = (struct block *)top;
    *b = (struct block){.size = size, .previous = last_units};
    top += size;
    last_units = (uint32_t)(size / ALIGN);
    return b;
}

/* NULL: where blocks stand, there is none so large. Who only grows does not go through all there are each time. */
static struct block *find(size_t size)
{
    struct block *b = (size_t)(top - start) - in_use >= size ? (struct block *)start : NULL;
    while (b && (b->owner != OWNER_FREE || b->size < size))
        b = next_of(b);
    return b;
}

static struct block *take(size_t size, uint32_t owner)
{
    struct block *b = find(size);
    if (b)
        split(b, size);
    else if (!(b = extend(size)))
        return NULL;
    b->owner = owner;
    in_use += b->size;
    return b;
}

static void *allocate(size_t size, uint32_t owner)
{
    if (!size || size > SIZE_MAX / 2 || size > (size_t)UINT32_MAX * ALIGN)
        return NULL;
    struct block *b = take((size + sizeof *b + ALIGN - 1) & ~(size_t)(ALIGN - 1), owner);
    return b ? b + 1 : NULL;
}

void *cms_heap_allocate(size_t size)
{
    return allocate(size, OWNER_COMMAND);
}

void *cms_heap_allocate_system(size_t size)
{
    return allocate(size, OWNER_SYSTEM);
}

static struct block *merge_next(struct block *b)
{
    struct block *next = next_of(b);
    if (next && next->owner == OWNER_FREE)
        set_size(b, b->size + next->size);
    return b;
}

/* A free block at the top goes back to the untouched end, so that the next one starts afresh. */
static void give_back(struct block *b)
{
    b->owner = OWNER_FREE;
    merge_next(b);
    struct block *previous = previous_of(b);
    if (previous && previous->owner == OWNER_FREE)
        b = merge_next(previous);
    if (!next_of(b)) {
        last_units = b->previous;
        top = (char *)b;
    }
}

void cms_heap_free(void *memory)
{
    if (!memory)
        return;
    struct block *b = (struct block *)memory - 1;
    in_use -= b->size;
    give_back(b);
}

void *cms_heap_resize(void *memory, size_t size)
{
    if (!memory)
        return cms_heap_allocate(size);
    struct block *b = (struct block *)memory - 1;
    void *copy = allocate(size, b->owner);
    if (!copy)
        return NULL;
    size_t had = b->size - sizeof *b;
    memcpy(copy, memory, had < size ? had : size);
    cms_heap_free(memory);
    return copy;
}

void cms_heap_free_commands(void)
{
    struct block *b = start < top ? (struct block *)start : NULL;
    while (b) {
        struct block *next = next_of(b);
        if (b->owner == OWNER_COMMAND) {
            struct block *previous = previous_of(b);
            cms_heap_free(b + 1);
            b = previous && previous->owner == OWNER_FREE ? previous : b;
            next = (char *)b < top ? next_of(b) : NULL;
        }
        b = next;
    }
    cms_frames_free_commands();
}

size_t cms_heap_in_use(void)
{
    return in_use;
}
