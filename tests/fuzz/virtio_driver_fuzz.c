/* A device that answers CP's own drivers with anything: used rings and control messages are the fuzzer's. Whatever it
 * says, the driver's books stay right: no chain is out twice, no descriptor is lost, and nothing outside is touched. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cp/virtio/console.h"
#include "cp/virtio/queue.h"

enum { SIZE = 8 };

static uint8_t memory[VIRTQ_BYTES(SIZE)] __attribute__((aligned(16)));
static uint8_t buffer[SIZE][16];

static void check_books(const struct virtq *q, const bool *out)
{
    unsigned pieces = q->free_count, chains = 0;

    for (unsigned i = 0; i < SIZE; i++) {
        pieces += q->slot[i].pieces;
        chains += q->slot[i].pieces != 0;
        if ((q->slot[i].pieces != 0) != out[i])
            abort();
    }
    if (pieces != SIZE || chains != q->chains)
        abort();
}

static void offer(struct virtq *q, bool *out, unsigned pieces)
{
    const struct virtq_piece piece[3] = {{buffer[0], 16, false}, {buffer[1], 16, true}, {buffer[2], 16, true}};
    int head = virtq_offer(q, piece, pieces);

    if (head < 0)
        return;
    if (out[head])
        abort();
    out[head] = true;
}

static void take(struct virtq *q, bool *out)
{
    uint16_t chain;
    uint32_t bytes;

    while (virtq_take(q, &chain, &bytes)) {
        if (chain >= SIZE || !out[chain] || bytes > 32)
            abort();
        out[chain] = false;
    }
}

static void queue_answers(const uint8_t *data, size_t size)
{
    struct virtq q;
    bool out[SIZE] = {false};

    memset(memory, 0, sizeof memory);
    virtq_init(&q, SIZE, memory);
    for (; size >= 4; data += 4, size -= 4) {
        uint32_t *entry = (uint32_t *)(void *)(q.used + 2) + 2 * (data[1] % SIZE);

        switch (data[0] % 5) {
        case 0: offer(&q, out, 1 + data[1] % 3); break;
        case 1: entry[0] = data[2] % (SIZE + 1), entry[1] = data[3] % 40; break;
        case 2: q.used[1] = (uint16_t)(q.used[1] + data[1] % 3); break;
        case 3: memcpy(&q.descriptor[data[1] % SIZE], data, 4); break; /* it scribbles over what it should only read */
        default: take(&q, out); break;
        }
        check_books(&q, out);
    }
}

static void control_messages(const uint8_t *data, size_t size)
{
    struct console_control control;
    struct console_message m;
    uint32_t port = 0;

    console_control_begin(&control, size ? data[0] : 0);
    for (; size > 8; data += 8, size -= 8) {
        if (console_control_hear(&control, data, data[7] % 10 < 8 ? data[7] % 10 : 8, &port) != CONSOLE_WRONG &&
            port >= control.ports)
            abort();
        if (data[6] & 1 && control.ports)
            console_control_open(&control, data[5] % control.ports);
        if (data[6] & 2 && console_control_say(&control, &m) && m.port >= CONSOLE_PORTS)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    queue_answers(data, size);
    control_messages(data, size);
    return 0;
}
