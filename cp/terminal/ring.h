/* A queue of bytes in memory the caller gives. One side puts, the other takes; head and tail run free. */
#pragma once
#include <stdint.h>
#include <string.h>

struct ring {
    uint8_t *bytes;
    uint32_t size; /* a power of two */
    uint32_t head, tail;
};

static inline uint32_t ring_used(const struct ring *r) { return r->head - r->tail; }
static inline uint32_t ring_room(const struct ring *r) { return r->size - ring_used(r); }

static inline void ring_put(struct ring *r, uint8_t byte) /* @pre there is room */
{
    r->bytes[r->head++ & (r->size - 1)] = byte;
}

static inline void ring_put_run(struct ring *r, const uint8_t *bytes, uint32_t count) /* @pre there is room */
{
    uint32_t at = r->head & (r->size - 1), straight = r->size - at, first = count < straight ? count : straight;
    memcpy(r->bytes + at, bytes, first);
    memcpy(r->bytes, bytes + first, count - first);
    r->head += count;
}

static inline uint8_t ring_peek(const struct ring *r) /* @pre it is not empty */
{
    return r->bytes[r->tail & (r->size - 1)];
}

static inline uint8_t ring_at(const struct ring *r, uint32_t at) /* @pre so many are in it, and one more */
{
    return r->bytes[(r->tail + at) & (r->size - 1)];
}

/* The bytes that can be taken in one piece: take them with tail += count. */
static inline uint32_t ring_piece(const struct ring *r, const uint8_t **piece)
{
    uint32_t at = r->tail & (r->size - 1), used = ring_used(r), straight = r->size - at;
    *piece = r->bytes + at;
    return used < straight ? used : straight;
}
