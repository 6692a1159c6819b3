/* Requests of a disk by calls, without its ring: their data, their ends, and what is refused. */
#include <errno.h>

#include "tests/unit/virtio_guest.h"

enum { PENDING = 1 };
static int ended;
static unsigned ends;

static void call_done(void *context, int error)
{
    assert_ptr_equal(context, &ended);
    ended = error;
    ends++;
}

static int begin(void **state)
{
    attach(false, false);
    blk.call_done = call_done;
    blk.call_context = &ended;
    ended = PENDING;
    ends = 0;
    return (void)state, 0;
}

static int call(enum disk_op op, uint64_t sector, uint64_t at, uint64_t bytes)
{
    return virtio_blk_call(&blk, op, sector, gpa(at), bytes);
}

static void a_read_needs_no_ring_and_tells_its_end_once(void **state)
{
    (void)state;
    assert_int_equal(call(DISK_READ, 8, DATA, 4096), 0);
    assert_int_equal(virtio_blk_in_flight(&blk), 1);
    assert_int_equal(ends, 0);
    fake_disk_done_all(&disk);
    assert_int_equal(ended, 0);
    assert_int_equal(ends, 1);
    assert_data(DATA, 8, 4096);
    assert_int_equal(virtio_blk_in_flight(&blk), 0);
    assert_int_equal(rises, 0);
}

static void a_long_one_that_lies_askew_comes_whole(void **state)
{
    (void)state;
    assert_int_equal(call(DISK_READ, 3, DATA + 77, 200 * 512), 0);
    fake_disk_done_all(&disk);
    assert_int_equal(ended, 0);
    assert_int_equal(ends, 1);
    assert_data(DATA + 77, 3, 200 * 512);
}

static void a_write_is_on_the_medium_and_a_flush_goes_down_to_it(void **state)
{
    uint8_t text[1024];

    (void)state;
    memset(text, 0x5a, sizeof text);
    poke(DATA + 9, text, sizeof text);
    assert_int_equal(call(DISK_WRITE, 100, DATA + 9, sizeof text), 0);
    fake_disk_done_all(&disk);
    assert_memory_equal(disk.medium + 100 * 512, text, sizeof text);
    assert_int_equal(disk.flushes, 0);
    assert_int_equal(call(DISK_FLUSH, UINT64_MAX, UINT64_MAX, UINT64_MAX), 0);
    fake_disk_done_all(&disk);
    assert_int_equal(disk.flushes, 1);
    assert_int_equal(ends, 2);
}

static void what_is_beyond_the_disk_or_no_sectors_is_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        uint64_t sector, bytes;
    } bad[] = {{0, 0}, {0, 511}, {SECTORS, 512}, {SECTORS - 1, 1024}, {UINT64_MAX, 512}, {0, 1ull << 32},
               {UINT64_MAX - 1, 1024}};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(call(DISK_READ, bad[i].sector, DATA, bad[i].bytes), -EINVAL);
    assert_int_equal(call(DISK_READ, 0, RAM, 512), -EIO); /* no storage there: who calls looks before */
    assert_int_equal(ends, 0);
    assert_int_equal(disk.reads, 0);
    assert_int_equal(virtio_blk_in_flight(&blk), 0);
    assert_int_equal(call(DISK_READ, SECTORS - 1, DATA, 512), 0); /* its request is to be had again */
    fake_disk_done_all(&disk);
    assert_int_equal(ended, 0);
}

static void a_disk_to_be_read_only_is_not_written(void **state)
{
    (void)state;
    tear_down(state);
    attach(true, false);
    blk.call_done = call_done;
    blk.call_context = &ended;
    assert_int_equal(call(DISK_WRITE, 0, DATA, 512), -EROFS);
    assert_int_equal(call(DISK_READ, 0, DATA, 512), 0);
    fake_disk_done_all(&disk);
    assert_int_equal(ended, 0);
}

static void a_failing_medium_is_an_error(void **state)
{
    (void)state;
    disk.fail = true;
    assert_int_equal(call(DISK_READ, 0, DATA, 512), 0);
    fake_disk_done_all(&disk);
    assert_int_equal(ended, -EIO);
    assert_int_equal(ends, 1);
}

static void who_loses_the_disk_meanwhile_hears_of_it_when_nothing_is_written_any_more(void **state)
{
    (void)state;
    assert_int_equal(call(DISK_READ, 0, DATA, 4096), 0);
    virtio_blk_detach(&blk);
    assert_int_equal(ends, 0); /* it still writes into the guest's storage */
    fake_disk_done_all(&disk);
    assert_int_equal(ended, -ENODEV);
    assert_int_equal(ends, 1);
    assert_int_equal(blk.requests, 0);
}

static void a_ring_that_has_every_request_leaves_none_for_a_call(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < VIRTIO_BLK_REQUESTS; i++)
        request(IN, i, DATA + 4096 * i, 512);
    notify();
    assert_int_equal(call(DISK_READ, 50, DATA + 0x20000, 512), -EBUSY);
    fake_disk_done_first(&disk);
    assert_int_equal(call(DISK_READ, 50, DATA + 0x20000, 512), 0);
    assert_int_equal(request(IN, 60, DATA + 0x21000, 512), 3 * VIRTIO_BLK_REQUESTS);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(ended, 0);
    assert_int_equal(ends, 1);
    assert_data(DATA + 0x20000, 50, 512);
    assert_data(DATA + 0x21000, 60, 512); /* the call's request served the ring then */
}

int main(void)
{
#define C(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)
    const struct CMUnitTest tests[] = {
        C(a_read_needs_no_ring_and_tells_its_end_once), C(a_long_one_that_lies_askew_comes_whole),
        C(a_write_is_on_the_medium_and_a_flush_goes_down_to_it),
        C(what_is_beyond_the_disk_or_no_sectors_is_refused_at_once), C(a_disk_to_be_read_only_is_not_written),
        C(a_failing_medium_is_an_error),
        C(who_loses_the_disk_meanwhile_hears_of_it_when_nothing_is_written_any_more),
        C(a_ring_that_has_every_request_leaves_none_for_a_call),
    };
    return cmocka_run_group_tests(tests, start_storage, NULL);
}
