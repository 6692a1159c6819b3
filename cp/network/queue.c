/* A ring of slots, two a page. An empty queue begins anew at its first slot, so that little traffic takes one page. */
#include "cp/network/queue.h"

#include <stddef.h>
#include <string.h>

struct head {
    uint32_t bytes;
    struct offload offload;
};
enum { HEAD = 16 };
_Static_assert(sizeof(struct head) <= HEAD && ETHERNET_ROOM + HEAD <= (int)FRAME_QUEUE_SLOT,
               "a frame without offloads is one slot");

static uint8_t *slot(const struct frame_queue *q, unsigned n)
{
    n %= FRAME_QUEUE;
    return q->page[n / FRAME_QUEUE_A_PAGE] + n % FRAME_QUEUE_A_PAGE * FRAME_QUEUE_SLOT;
}

static unsigned slots_of(uint32_t bytes) { return (HEAD + bytes + FRAME_QUEUE_SLOT - 1) / FRAME_QUEUE_SLOT; }

/* Where the byte lies of a frame that begins in slot n, and how many are together with it. */
static uint8_t *place(const struct frame_queue *q, unsigned n, uint32_t offset, uint32_t *run)
{
    uint32_t at = HEAD + offset;

    *run = FRAME_QUEUE_SLOT - at % FRAME_QUEUE_SLOT;
    return slot(q, n + at / FRAME_QUEUE_SLOT) + at % FRAME_QUEUE_SLOT;
}

static bool is_there(struct frame_queue *q, unsigned n)
{
    uint8_t **page = &q->page[n % FRAME_QUEUE / FRAME_QUEUE_A_PAGE];

    if (!*page)
        *page = frame_alloc_dirty(q->account);
    return *page;
}

bool frame_queue_begin(struct frame_queue *q, uint32_t bytes, const struct offload *offload)
{
    unsigned n = (unsigned)q->first + q->used, slots = slots_of(bytes);

    if (slots > (unsigned)FRAME_QUEUE - q->used)
        return false;
    for (unsigned i = 0; i < slots; i++)
        if (!is_there(q, n + i))
            return false;
    *(struct head *)(void *)slot(q, n) = (struct head){.bytes = bytes, .offload = *offload};
    q->at = 0;
    return true;
}

void frame_queue_add(struct frame_queue *q, const void *piece, uint32_t bytes)
{
    const uint8_t *from = piece;

    while (bytes) {
        uint32_t run;
        uint8_t *to = place(q, (unsigned)q->first + q->used, q->at, &run);
        if (run > bytes)
            run = bytes;
        memcpy(to, from, run);
        from += run;
        bytes -= run;
        q->at += run;
    }
}

void frame_queue_poke(struct frame_queue *q, uint32_t offset, uint8_t value)
{
    uint32_t run;

    *place(q, (unsigned)q->first + q->used, offset, &run) = value;
}

void frame_queue_end(struct frame_queue *q)
{
    q->used = (uint16_t)(q->used + slots_of(q->at));
    q->count++;
}

static const struct head *head_of(const struct frame_queue *q)
{
    return (const struct head *)(const void *)slot(q, q->first);
}

const uint8_t *frame_queue_first(const struct frame_queue *q, unsigned *bytes)
{
    *bytes = q->count ? head_of(q)->bytes : 0;
    return q->count ? slot(q, q->first) + HEAD : NULL;
}

const struct offload *frame_queue_offload(const struct frame_queue *q) { return &head_of(q)->offload; }

const uint8_t *frame_queue_piece(const struct frame_queue *q, uint32_t offset, uint32_t *run)
{
    const uint8_t *at = place(q, q->first, offset, run);

    if (*run > head_of(q)->bytes - offset)
        *run = head_of(q)->bytes - offset;
    return at;
}

void frame_queue_drop(struct frame_queue *q)
{
    unsigned slots = slots_of(head_of(q)->bytes);

    q->used = (uint16_t)(q->used - slots);
    q->count--;
    q->first = q->count ? (uint16_t)((q->first + slots) % FRAME_QUEUE) : 0;
}

void frame_queue_clear(struct frame_queue *q) { q->first = q->used = q->count = 0; }

void frame_queue_free(struct frame_queue *q)
{
    frame_queue_clear(q);
    for (unsigned i = 0; i < FRAME_QUEUE / FRAME_QUEUE_A_PAGE; i++) {
        frame_free(q->account, q->page[i]);
        q->page[i] = NULL;
    }
}
