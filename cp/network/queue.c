/* A ring of slots, two a page. An empty queue begins anew at its first slot, so that little traffic takes one page. */
#include "cp/network/queue.h"

#include <stddef.h>

static uint8_t *slot(const struct frame_queue *q, unsigned n)
{
    uint8_t *page = q->page[n / FRAME_QUEUE_A_PAGE];

    return page ? page + n % FRAME_QUEUE_A_PAGE * FRAME_QUEUE_SLOT : NULL;
}

static unsigned behind_last(const struct frame_queue *q)
{
    return (unsigned)(q->first + q->count) % FRAME_QUEUE;
}

uint8_t *frame_queue_room(struct frame_queue *q)
{
    unsigned n = behind_last(q);
    uint8_t **page = &q->page[n / FRAME_QUEUE_A_PAGE];

    if (q->count == FRAME_QUEUE)
        return NULL;
    if (!*page)
        *page = frame_alloc_dirty(q->account);
    return slot(q, n);
}

void frame_queue_put(struct frame_queue *q, unsigned bytes)
{
    q->bytes[behind_last(q)] = (uint16_t)bytes;
    q->count++;
}

const uint8_t *frame_queue_first(const struct frame_queue *q, unsigned *bytes)
{
    *bytes = q->bytes[q->first];
    return q->count ? slot(q, q->first) : NULL;
}

void frame_queue_drop(struct frame_queue *q)
{
    q->count--;
    q->first = q->count ? (uint16_t)((q->first + 1u) % FRAME_QUEUE) : 0;
}

void frame_queue_clear(struct frame_queue *q) { q->first = q->count = 0; }

void frame_queue_free(struct frame_queue *q)
{
    frame_queue_clear(q);
    for (unsigned i = 0; i < FRAME_QUEUE / FRAME_QUEUE_A_PAGE; i++) {
        frame_free(q->account, q->page[i]);
        q->page[i] = NULL;
    }
}
