/* Rings that do not end by themselves: however they are refilled, each call serves a part of them, and what goes on
 * goes on from the event loop. */
#include "tests/unit/virtio_guest.h"

#include "cp/time/work.h"
#include "tests/unit/fake/clock.h"

enum { RING = 256, LAPS = 40, OVER = DRIVER - 2046 /* element 255 of the used ring lies over the driver's index */ };

static uint16_t taken(void) { return blk.virtio.queue[0].next_available; }

static int begin(void **state)
{
    int failed = set_up(state);
    fake_clock_reset(1000000000);
    work_slice();
    return failed;
}

/* Chain h asks for the identity into so many bytes that, written as its length, they are
 * the next index and the next head. */
static void identity(unsigned h)
{
    const uint64_t header_at = HEADERS, two = TABLES + 32 * h;
    const struct descriptor parts[2] = {
        {header_at, 16, NEXT, 1}, {DATA, ((RING * (h + 2) + 1) & 0xFFFF) | (h + 1) % LAPS << 16, WRITE, 0}};
    const struct descriptor head = {two, sizeof parts, INDIRECT, 0};
    poke(two, parts, sizeof parts);
    poke(DESC + 16 * h, &head, sizeof head);
}

/* As the driver of a malicious guest leaves it: one read is under way, and the used ring is a request behind. */
static void lay_ring_over_ring(void)
{
    header(0, GET_ID, 0);
    header(1, IN, 0);
    bring_up(all_features(), RING);
    common_set(20, 1, 0);
    accept(all_features());
    common_set(24, 2, RING);
    common_set(32, 8, DESC);
    common_set(40, 8, DRIVER);
    common_set(48, 8, OVER);
    common_set(28, 2, 1);
    common_set(20, 1, 15);
    for (unsigned h = 0; h < LAPS; h++)
        identity(h);
    for (unsigned n = 1; n < RING; n++)
        poke16(DRIVER + 4 + 2 * n, 7);
    const struct descriptor read[3] = {
        {HEADERS + 16, 16, NEXT, 1}, {DATA, 4096, NEXT | WRITE, 2}, {STATUSES, 1, WRITE, 0}};
    const struct descriptor indirect = {TABLES - 64, sizeof read, INDIRECT, 0};
    poke(TABLES - 64, read, sizeof read);
    poke(DESC + 16 * 60, &indirect, sizeof indirect);
    poke16(DRIVER + 4, 60);
    poke16(DRIVER + 2, 1);
    notify();
    poke16(DRIVER + 2, RING + 1);
    poke16(DRIVER + 4, 0);
}

static void a_ring_that_fills_itself_is_served_a_ring_at_a_time(void **state)
{
    unsigned steps = 0;
    (void)state;
    lay_ring_over_ring();
    assert_int_equal(taken(), 1);
    uint16_t before = taken();
    notify();
    assert_true((uint16_t)(taken() - before) <= RING);
    for (; work_waits() && steps < 1000; steps++) {
        before = taken();
        work_run();
        assert_true((uint16_t)(taken() - before) <= RING);
    }
    assert_true(steps >= LAPS - 2);
    common_set(20, 1, 0);
    fake_disk_done_all(&disk);
    assert_false(work_waits());
}

static void a_slice_ends_in_the_middle_of_a_ring(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < 20; i++)
        request(GET_ID, 0, DATA, 20);
    work_slice();
    fake_clock_tick = WORK_SLICE / 5;
    notify();
    assert_in_range(taken(), 1, 10);
    for (unsigned steps = 0; work_waits(); steps++) {
        assert_true(steps < 20);
        work_run();
    }
    assert_int_equal(taken(), 20);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(take_used(NULL), 3 * i);
}

static void a_reset_forgets_what_there_was_no_time_for(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < 20; i++)
        request(GET_ID, 0, DATA, 20);
    fake_clock_tick = WORK_SLICE / 5;
    work_slice();
    notify();
    assert_true(work_waits());
    common_set(20, 1, 0);
    assert_false(work_waits());
    assert_int_equal(status(), 0);
}

static void a_transfer_of_megabytes_is_many_small_ones(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 2 << 20);
    notify();
    unsigned transfers = 0;
    for (; disk.waiting; transfers++)
        fake_disk_done_first(&disk);
    assert_true(transfers >= (2 << 20) / 4096 / 64);
    assert_int_equal(peek8(STATUSES), 0);
    assert_data(DATA, 0, 1 << 20);
}

#undef T
#define T(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_ring_that_fills_itself_is_served_a_ring_at_a_time), T(a_slice_ends_in_the_middle_of_a_ring),
        T(a_reset_forgets_what_there_was_no_time_for), T(a_transfer_of_megabytes_is_many_small_ones),
    };
    return cmocka_run_group_tests(tests, start_storage, NULL);
}
