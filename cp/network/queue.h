/* Ethernet frames that wait for whoever reads them: a bounded queue in page frames of the reader's account, so that who
 * never reads loses what is for them, and nobody else anything. Storage comes with the first frames and is kept. */
#pragma once
#include <stdint.h>

#include "cp/storage/frame.h"

enum {
    ETHERNET_HEADER = 14,
    ETHERNET_MOST = 1514, /* a frame without a tag and without the check sequence, which nobody here carries */
    ETHERNET_TAG = 4,     /* of IEEE 802.1Q */
    ETHERNET_ROOM = ETHERNET_MOST + ETHERNET_TAG,
};

enum { FRAME_QUEUE = 64, FRAME_QUEUE_A_PAGE = 2, FRAME_QUEUE_SLOT = PAGE_SIZE / FRAME_QUEUE_A_PAGE };
_Static_assert((int)ETHERNET_ROOM <= (int)FRAME_QUEUE_SLOT, "a frame fits into a slot");

struct frame_queue {
    struct frame_account *account;
    uint8_t *page[FRAME_QUEUE / FRAME_QUEUE_A_PAGE]; /* NULL: not needed yet */
    uint16_t bytes[FRAME_QUEUE];
    uint16_t first, count;
};

/* Where the next frame goes, ETHERNET_ROOM bytes; NULL: the queue is full, or there is no storage. */
uint8_t *frame_queue_room(struct frame_queue *);
void frame_queue_put(struct frame_queue *, unsigned bytes); /* it is there now */
/* The one that waits longest; NULL: none. */
const uint8_t *frame_queue_first(const struct frame_queue *, unsigned *bytes);
void frame_queue_drop(struct frame_queue *); /* that one. @pre there is one */
void frame_queue_clear(struct frame_queue *);
void frame_queue_free(struct frame_queue *); /* its storage too */
