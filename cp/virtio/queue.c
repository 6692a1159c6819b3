#include "cp/virtio/queue.h"

#include <stddef.h>

enum { CHAIN_NEXT = 1, CHAIN_DEVICE_WRITES = 2, USED_NO_NOTIFY = 1, AVAILABLE_NO_INTERRUPT = 1 };
enum { FLAGS, INDEX, RING };        /* of available[] and used[] */
enum { USED_CHAIN, USED_BYTES };    /* words of an entry */

static uint32_t *used_entry(const struct virtq *q, uint16_t at)
{
    return (uint32_t *)(void *)(q->used + RING) + 2 * (at % q->size);
}

void virtq_init(struct virtq *q, uint16_t size, void *memory)
{
    uint8_t *at = memory;

    *q = (struct virtq){.size = size, .free_count = size};
    q->descriptor = memory;
    at += 16u * size;
    q->slot = (struct virtq_slot *)(void *)at;
    at += 8u * size;
    q->available = (uint16_t *)(void *)at;
    at += (6u + 2u * size + 3u) & ~3u;
    q->used = (uint16_t *)(void *)at;
    for (uint16_t i = 0; i < size; i++)
        q->slot[i].next = (uint16_t)(i + 1);
}

static uint16_t take_free(struct virtq *q)
{
    uint16_t n = q->free_head;

    q->free_head = q->slot[n].next;
    q->free_count--;
    return n;
}

static void describe(struct virtq *q, uint16_t n, const struct virtq_piece *piece, bool more)
{
    q->descriptor[n] = (struct virtq_descriptor){
        .address = (uint64_t)(uintptr_t)piece->data,
        .bytes = piece->bytes,
        .flags = (uint16_t)((more ? CHAIN_NEXT : 0) | (piece->device_writes ? CHAIN_DEVICE_WRITES : 0)),
        .next = more ? q->free_head : 0,
    };
}

int virtq_offer(struct virtq *q, const struct virtq_piece *piece, unsigned pieces)
{
    uint16_t head = q->free_head;
    uint32_t writable = 0;

    if (pieces > q->free_count)
        return -1;
    for (unsigned i = 0; i < pieces; i++) {
        describe(q, take_free(q), &piece[i], i + 1 < pieces);
        writable += piece[i].device_writes ? piece[i].bytes : 0;
    }
    q->slot[head].pieces = (uint16_t)pieces;
    q->slot[head].writable = writable;
    q->available[RING + q->offered % q->size] = head;
    q->offered++;
    q->chains++;
    return head;
}

bool virtq_publish(struct virtq *q)
{
    __atomic_store_n(&q->available[INDEX], q->offered, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the device sees the index before we ask whether it wants to be told */
    return !(__atomic_load_n(&q->used[FLAGS], __ATOMIC_RELAXED) & USED_NO_NOTIFY);
}

void virtq_quiet(struct virtq *q, bool quiet)
{
    __atomic_store_n(&q->available[FLAGS], quiet ? AVAILABLE_NO_INTERRUPT : 0, __ATOMIC_RELEASE);
}

static void free_chain(struct virtq *q, uint16_t head)
{
    uint16_t last = head;

    for (unsigned i = 1; i < q->slot[head].pieces; i++)
        last = q->slot[last].next;
    q->free_count = (uint16_t)(q->free_count + q->slot[head].pieces);
    q->slot[head].pieces = 0;
    q->slot[last].next = q->free_head;
    q->free_head = head;
    q->chains--;
}

bool virtq_take(struct virtq *q, uint16_t *chain, uint32_t *bytes)
{
    uint16_t ahead = (uint16_t)(__atomic_load_n(&q->used[INDEX], __ATOMIC_ACQUIRE) - q->taken);

    if (q->broken || !ahead)
        return false;
    uint32_t head = __atomic_load_n(&used_entry(q, q->taken)[USED_CHAIN], __ATOMIC_RELAXED);
    uint32_t written = __atomic_load_n(&used_entry(q, q->taken)[USED_BYTES], __ATOMIC_RELAXED);

    if (ahead > q->chains || head >= q->size || !q->slot[head].pieces || written > q->slot[head].writable) {
        q->broken = true;
        return false;
    }
    q->taken++;
    free_chain(q, (uint16_t)head);
    *chain = (uint16_t)head;
    *bytes = written;
    return true;
}
