/* Shared storage without a file: an object whose pages are zero until somebody touches them. */
#include <errno.h>
#include <string.h>

#include "cms/kernel/heap.h"
#include "cms/space/internal.h"

enum { PER_BLOCK = SPACE_PAGE / sizeof(void *) };

struct anonymous {
    struct space_object object;
    unsigned users;
    uint64_t pages;
    void **block[]; /* frames that hold PER_BLOCK addresses of frames each; NULL: none touched there yet */
};

static void **block_of(struct anonymous *a, uint64_t page)
{
    void ***block = &a->block[page / PER_BLOCK];
    if (!*block && (*block = cms_frame_take()))
        memset(*block, 0, SPACE_PAGE);
    return *block;
}

static int page(struct space_object *object, uint64_t offset, bool write, void **frame)
{
    struct anonymous *a = (struct anonymous *)object;
    uint64_t number = offset / SPACE_PAGE;
    (void)write;
    if (number >= a->pages)
        return -ENXIO;
    void **block = block_of(a, number), **at = block ? block + number % PER_BLOCK : NULL;
    if (!at)
        return -ENOMEM;
    if (!*at) {
        if (!(*at = cms_frame_take()))
            return -ENOMEM;
        memset(*at, 0, SPACE_PAGE);
    }
    cms_frame_share(*at);
    *frame = *at;
    return 0;
}

static void hold(struct space_object *object)
{
    ((struct anonymous *)object)->users++;
}

static void free_block(void **block)
{
    for (unsigned i = 0; i < PER_BLOCK; i++)
        if (block[i])
            cms_frame_give(block[i]);
    cms_frame_give(block);
}

static void let_go(struct space_object *object)
{
    struct anonymous *a = (struct anonymous *)object;
    if (--a->users)
        return;
    for (uint64_t i = 0; i * PER_BLOCK < a->pages; i++)
        if (a->block[i])
            free_block(a->block[i]);
    cms_heap_free(a);
}

static const struct space_object_operations operations = {.page = page, .hold = hold, .let_go = let_go};

struct space_object *anonymous_make(uint64_t bytes)
{
    uint64_t pages = bytes / SPACE_PAGE, size = (pages + PER_BLOCK - 1) / PER_BLOCK * sizeof(void **);
    struct anonymous *a = cms_heap_allocate(sizeof *a + size);
    if (!a)
        return NULL;
    memset(a, 0, sizeof *a + size);
    a->object.operations = &operations;
    a->users = 1;
    a->pages = pages;
    return &a->object;
}
