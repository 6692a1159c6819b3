/* The driver's side of a virtqueue: chains go out whole and come back in any order, and a device's answer is believed
 * only as far as it can be true. The test is the device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/virtio/queue.h"

enum { SIZE = 8 };
enum { NEXT = 1, WRITES = 2 };

static uint8_t memory[VIRTQ_BYTES(SIZE)] __attribute__((aligned(16)));
static uint8_t data[4][100];
static struct virtq queue;

static int setup(void **state)
{
    (void)state;
    memset(memory, 0, sizeof memory);
    virtq_init(&queue, SIZE, memory);
    return 0;
}

/* What the device does: writes a used entry and moves its index. */
static void give_back(uint32_t id, uint32_t bytes)
{
    uint16_t at = queue.used[1];
    uint32_t *entry = (uint32_t *)(void *)(queue.used + 2) + 2 * (at % SIZE);

    entry[0] = id;
    entry[1] = bytes;
    queue.used[1] = (uint16_t)(at + 1);
}

static int offer(unsigned pieces)
{
    const struct virtq_piece piece[4] = {{data[0], 10, false}, {data[1], 20, true}, {data[2], 30, true},
                                         {data[3], 40, true}};

    return virtq_offer(&queue, piece, pieces);
}

static void rings_lie_in_the_memory_given_and_are_aligned(void **state)
{
    (void)state;
    for (unsigned size = 2; size <= VIRTQ_MOST; size *= 2) {
        static uint8_t any[VIRTQ_BYTES(VIRTQ_MOST)] __attribute__((aligned(16)));
        const uint8_t *end = any + VIRTQ_BYTES(size);
        struct virtq q;

        memset(any, 0, sizeof any);
        virtq_init(&q, (uint16_t)size, any);
        assert_int_equal((uintptr_t)q.descriptor % 16, 0);
        assert_int_equal((uintptr_t)q.available % 2, 0);
        assert_int_equal((uintptr_t)q.used % 4, 0);
        assert_true((uint8_t *)(q.descriptor + size) <= (uint8_t *)q.slot);
        assert_true((uint8_t *)(q.slot + size) <= (uint8_t *)q.available);
        assert_true((uint8_t *)(q.available + 3 + size) <= (uint8_t *)q.used);
        assert_true((uint8_t *)(q.used + 3) + 8 * size <= end);
    }
}

static void a_chain_is_what_the_device_reads(void **state)
{
    int head = offer(3);
    const struct virtq_descriptor *d = &queue.descriptor[head];

    (void)state;
    assert_int_equal(queue.available[1], 0);
    assert_true(virtq_publish(&queue));
    assert_int_equal(queue.available[1], 1);
    assert_int_equal(queue.available[2], head);
    assert_int_equal(d->address, (uintptr_t)data[0]);
    assert_int_equal(d->bytes, 10);
    assert_int_equal(d->flags, NEXT);
    d = &queue.descriptor[d->next];
    assert_int_equal(d->flags, NEXT | WRITES);
    d = &queue.descriptor[d->next];
    assert_int_equal(d->address, (uintptr_t)data[2]);
    assert_int_equal(d->flags, WRITES);
}

static void the_device_may_ask_not_to_be_told(void **state)
{
    (void)state;
    offer(1);
    queue.used[0] = 1;
    assert_false(virtq_publish(&queue));
    queue.used[0] = 0;
    assert_true(virtq_publish(&queue));
}

static void chains_come_back_in_any_order_and_serve_again(void **state)
{
    uint16_t chain;
    uint32_t bytes;

    (void)state;
    for (unsigned round = 0; round < 100000; round++) { /* the indices wrap */
        int first = offer(3), second = offer(4);

        assert_true(first >= 0 && second >= 0);
        assert_int_equal(offer(2), -1);
        virtq_publish(&queue);
        assert_false(virtq_take(&queue, &chain, &bytes));
        give_back((uint32_t)second, 90);
        assert_true(virtq_take(&queue, &chain, &bytes));
        assert_int_equal(chain, second);
        assert_int_equal(bytes, 90);
        give_back((uint32_t)first, 0);
        assert_true(virtq_take(&queue, &chain, &bytes));
        assert_int_equal(chain, first);
        assert_false(virtq_take(&queue, &chain, &bytes));
        assert_int_equal(queue.free_count, SIZE);
    }
    assert_false(queue.broken);
}

/* ---- a device that lies -------------------------------------------------------------------------- */

static void assert_broken(void)
{
    uint16_t chain;
    uint32_t bytes;

    assert_false(virtq_take(&queue, &chain, &bytes));
    assert_true(queue.broken);
    give_back(0, 0);
    assert_false(virtq_take(&queue, &chain, &bytes));
}

static void a_number_beyond_the_queue_breaks_it(void **state)
{
    (void)state;
    offer(1);
    give_back(SIZE, 0);
    assert_broken();
}

static void a_chain_it_never_had_breaks_it(void **state)
{
    (void)state;
    give_back((uint32_t)(offer(1) + 1), 0);
    assert_broken();
}

static void the_middle_of_a_chain_breaks_it(void **state)
{
    (void)state;
    give_back(queue.descriptor[offer(3)].next, 0);
    assert_broken();
}

static void a_chain_given_back_twice_breaks_it(void **state)
{
    uint16_t chain;
    uint32_t bytes;
    int head = offer(1);

    (void)state;
    offer(1);
    give_back((uint32_t)head, 0);
    assert_true(virtq_take(&queue, &chain, &bytes));
    give_back((uint32_t)head, 0);
    assert_broken();
}

static void more_bytes_than_it_may_write_break_it(void **state)
{
    (void)state;
    give_back((uint32_t)offer(3), 51);
    assert_broken();
}

static void an_index_ahead_of_what_it_has_breaks_it(void **state)
{
    (void)state;
    give_back((uint32_t)offer(1), 0);
    queue.used[1] = 5;
    assert_broken();
}

static void descriptors_it_scribbled_over_lead_nowhere(void **state)
{
    uint16_t chain;
    uint32_t bytes;
    int head = offer(3);

    (void)state;
    memset(queue.descriptor, 0xFF, SIZE * sizeof *queue.descriptor);
    give_back((uint32_t)head, 50);
    assert_true(virtq_take(&queue, &chain, &bytes));
    assert_int_equal(queue.free_count, SIZE);
    assert_true(offer(4) >= 0 && offer(4) >= 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rings_lie_in_the_memory_given_and_are_aligned),
        TEST(a_chain_is_what_the_device_reads),
        TEST(the_device_may_ask_not_to_be_told),
        TEST(chains_come_back_in_any_order_and_serve_again),
        TEST(a_number_beyond_the_queue_breaks_it),
        TEST(a_chain_it_never_had_breaks_it),
        TEST(the_middle_of_a_chain_breaks_it),
        TEST(a_chain_given_back_twice_breaks_it),
        TEST(more_bytes_than_it_may_write_break_it),
        TEST(an_index_ahead_of_what_it_has_breaks_it),
        TEST(descriptors_it_scribbled_over_lead_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
