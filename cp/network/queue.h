/* Ethernet frames that wait for whoever reads them: a bounded queue in page frames of the reader's account, so that who
 * never reads loses what is for them, and nobody else anything. Storage comes with the first frames and is kept. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/network/offload.h"
#include "cp/storage/frame.h"

/* A frame takes slots one after another, of which the first begins with a head. */
enum { FRAME_QUEUE = 128, FRAME_QUEUE_A_PAGE = 2, FRAME_QUEUE_SLOT = PAGE_SIZE / FRAME_QUEUE_A_PAGE };

struct frame_queue {
    struct frame_account *account;
    uint8_t *page[FRAME_QUEUE / FRAME_QUEUE_A_PAGE]; /* NULL: not needed yet */
    uint16_t first, used; /* slots */
    uint16_t count;       /* frames */
    uint32_t at;          /* of the frame being put: how much of it is there */
};

/* Puts a frame of so many bytes: begin, the pieces of it, end. False: the queue has no room for it, or there is no
 * storage, and nothing is put. */
bool frame_queue_begin(struct frame_queue *, uint32_t bytes, const struct offload *);
void frame_queue_add(struct frame_queue *, const void *piece, uint32_t bytes);
/* A byte of it that was added. */
void frame_queue_poke(struct frame_queue *, uint32_t offset, uint8_t value);
void frame_queue_end(struct frame_queue *);

/* The one that waits longest; NULL: none. What is returned is all of it, if that is ETHERNET_ROOM at most. */
const uint8_t *frame_queue_first(const struct frame_queue *, unsigned *bytes);
const struct offload *frame_queue_offload(const struct frame_queue *); /* of that one. @pre there is one */
/* Its bytes from `offset` on that lie together: *run of them. @pre offset is within it */
const uint8_t *frame_queue_piece(const struct frame_queue *, uint32_t offset, uint32_t *run);
void frame_queue_drop(struct frame_queue *); /* that one. @pre there is one */
void frame_queue_clear(struct frame_queue *);
void frame_queue_free(struct frame_queue *); /* its storage too */
