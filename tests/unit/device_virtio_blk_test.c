/* Requests and their ends: what a driver asks of a disk, and what becomes of it when the device is reset or taken
 * away. */
#include <errno.h>

#include "cp/storage/watch.h"
#include "tests/unit/virtio_guest.h"

static void read_comes_back_with_data_status_and_interrupt(void **state)
{
    uint32_t length;
    unsigned n;

    (void)state;
    bring_up(all_features(), 128);
    n = request(IN, 8, DATA, 4096);
    notify();
    assert_int_equal(peek8(STATUSES + n), 0xee);
    assert_int_equal(take_used(NULL), -1);
    assert_false(level[GSI]);
    fake_disk_done_all(&disk);
    assert_true(level[GSI]);
    assert_int_equal(isr(), 1);
    assert_false(level[GSI]);
    assert_int_equal(take_used(&length), n);
    assert_int_equal(length, 4097);
    assert_int_equal(peek8(STATUSES + n), 0);
    assert_data(DATA, 8, 4096);
}

static uint64_t version(uint64_t page)
{
    bool armed;
    return guest_watch(&storage, gpa(page), &armed);
}

static void a_page_that_is_watched_while_a_read_is_under_way_is_seen_to_be_written(void **state)
{
    uint64_t pages[4], again;

    (void)state;
    bring_up(all_features(), 128);
    request(IN, 8, DATA + 4096, 8192);
    notify();
    for (unsigned i = 0; i < 4; i++) /* when the disk has the request already */
        pages[i] = version(DATA + 4096 * i);
    fake_disk_done_all(&disk);
    assert_int_equal(version(DATA), pages[0]);
    assert_int_not_equal(version(DATA + 4096), pages[1]);
    assert_int_not_equal(version(DATA + 8192), pages[2]);
    assert_int_equal(version(DATA + 12288), pages[3]);
    again = version(DATA + 4096);
    request(OUT, 8, DATA + 4096, 4096); /* that reads it only */
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(version(DATA + 4096), again);
}

static void one_that_a_reset_orphaned_is_seen_to_write_too(void **state)
{
    uint64_t before;

    (void)state;
    bring_up(all_features(), 128);
    request(IN, 8, DATA, 4096);
    notify();
    before = version(DATA);
    common_set(20, 1, 0);
    fake_disk_done_all(&disk);
    assert_int_not_equal(version(DATA), before);
}

static void write_reaches_the_medium(void **state)
{
    uint8_t text[1024];

    (void)state;
    memset(text, 0x5a, sizeof text);
    poke(DATA, text, sizeof text);
    bring_up(all_features(), 128);
    request(OUT, 100, DATA, sizeof text);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    assert_memory_equal(disk.medium + 100 * 512, text, sizeof text);
    assert_int_equal(disk.flushes, 0);
}

static void without_flush_a_write_is_through(void **state)
{
    (void)state;
    bring_up(VIRTIO_F_VERSION_1, 128);
    request(OUT, 1, DATA, 512);
    notify();
    fake_disk_done_first(&disk);
    assert_int_equal(peek8(STATUSES), 0xee);
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    assert_int_equal(disk.flushes, 1);
}

static void flush_and_identity(void **state)
{
    unsigned flush, id;
    char serial[20];

    (void)state;
    bring_up(all_features(), 128);
    flush = request(FLUSH, 0, 0, 0);
    id = request(GET_ID, 0, DATA, 20);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(disk.flushes, 1);
    assert_int_equal(peek8(STATUSES + flush), 0);
    assert_int_equal(peek8(STATUSES + id), 0);
    guest_read(&storage, gpa(DATA), serial, sizeof serial);
    assert_string_equal(serial, "0191");
}

static void one_notify_serves_a_batch_with_one_interrupt_for_what_ends_together(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < 20; i++)
        request(IN, i, DATA + 4096 * i, 512);
    notify();
    assert_int_equal(disk.waiting, VIRTIO_BLK_REQUESTS); /* the rest waits in the ring */
    fake_disk_done_all(&disk);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(take_used(NULL), 3 * i);
        assert_data(DATA + 4096 * i, i, 512);
    }
    assert_int_equal(take_used(NULL), -1);
    assert_int_equal(rises, 1);
    assert_in_range(blk.requests, 1, VIRTIO_BLK_REQUESTS);
}

static void suppressed_interrupts_do_not_come(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    poke16(DRIVER, 1);
    request(IN, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(rises, 0);
    assert_int_equal(take_used(NULL), 0);
}

static void event_index_tells_when_to_interrupt_and_when_to_notify(void **state)
{
    (void)state;
    bring_up(offered(), 128);
    poke16(DRIVER + 4 + 2 * 128, 2); /* used_event: after the third */
    for (unsigned i = 0; i < 2; i++)
        request(IN, i, DATA, 512);
    notify();
    assert_int_equal(peek16(DEVICE + 4 + 8 * 128), 2); /* avail_event: tell me when you add another */
    fake_disk_done_all(&disk);
    assert_int_equal(rises, 0);
    request(IN, 2, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(rises, 1);
}

static void ring_indices_wrap(void **state)
{
    (void)state;
    bring_up(all_features(), 4);
    for (unsigned i = 0; i < 70000; i++) {
        free_descriptor = 0;
        request(IN, i % SECTORS, DATA, 512);
        notify();
        fake_disk_done_all(&disk);
        assert_int_equal(take_used(NULL), 0);
    }
    assert_int_equal(status() & 64, 0);
}

static void indirect_tables_are_followed(void **state)
{
    struct descriptor table[3] = {{HEADERS, 16, NEXT, 2}, {STATUSES, 1, WRITE, 0}, {DATA, 1024, NEXT | WRITE, 1}};

    (void)state;
    bring_up(all_features(), 128);
    header(0, IN, 30);
    poke(TABLES, table, sizeof table);
    offer(descriptor(TABLES, sizeof table, INDIRECT));
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(take_used(NULL), 0);
    assert_data(DATA, 30, 1024);
}

static void direct_descriptors_may_end_in_an_indirect_one(void **state)
{
    struct descriptor table[2] = {{DATA, 512, NEXT | WRITE, 1}, {STATUSES, 1, WRITE, 0}};

    (void)state;
    bring_up(all_features(), 128);
    header(0, IN, 31);
    poke(TABLES, table, sizeof table);
    descriptor(HEADERS, 16, NEXT);
    descriptor(TABLES, sizeof table, INDIRECT);
    offer(0);
    notify();
    fake_disk_done_all(&disk);
    assert_data(DATA, 31, 512);
    assert_int_equal(peek8(STATUSES), 0);
}

/* header and status cut to single bytes, data in odd pieces that cross pages within a sector */
static void how_buffers_are_cut_does_not_matter(void **state)
{
    static const uint32_t piece[] = {1, 700, 4099, 511, 8000, 3073};
    uint64_t at = DATA + 4096 - 100;
    uint8_t *copy = malloc(16384), *p = copy;

    (void)state;
    bring_up(all_features(), 128);
    header(0, IN, 50);
    for (unsigned i = 0; i < 16; i++)
        descriptor(HEADERS + i, 1, NEXT);
    for (unsigned i = 0; i < 6; at += piece[i++] + 33)
        descriptor(at, piece[i], NEXT | WRITE);
    descriptor(STATUSES, 1, WRITE);
    offer(0);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    at = DATA + 4096 - 100;
    for (unsigned i = 0; i < 6; p += piece[i], at += piece[i++] + 33)
        guest_read(&storage, gpa(at), p, piece[i]);
    assert_memory_equal(copy, disk.medium + 50 * 512, 16384);
    free(copy);
}

static void unaligned_write_arrives_whole(void **state)
{
    uint8_t *text = malloc(65536);

    (void)state;
    for (unsigned i = 0; i < 65536; i++)
        text[i] = i * 31 >> 3;
    poke(DATA + 77, text, 65536);
    bring_up(all_features(), 128);
    request(OUT, 200, DATA + 77, 65536);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    assert_memory_equal(disk.medium + 200 * 512, text, 65536);
    free(text);
}

static void a_long_aligned_read_goes_in_few_transfers(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 1 << 20);
    notify();
    fake_disk_done_all(&disk);
    assert_data(DATA, 0, 1 << 20);
    assert_in_range(disk.reads, 1, 6); /* 256 pages, 48 segments each at the worst */
}

static void the_longest_chain_announced_is_served(void **state)
{
    uint32_t segments = bus_mmio_read(&bus, structure(4) + 12, 4);

    (void)state;
    assert_int_equal(segments, 128);
    bring_up(all_features(), 256);
    descriptor(header(0, IN, 7), 16, NEXT);
    for (unsigned i = 0; i < segments; i++)
        descriptor(DATA + 8192 * i, 512, NEXT | WRITE);
    descriptor(STATUSES, 1, WRITE);
    offer(0);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
    for (unsigned i = 0; i < segments; i++)
        assert_data(DATA + 8192 * i, 7 + i, 512);
}

static void impossible_requests_fail_alone(void **state)
{
    unsigned beyond, ragged, far, unknown, good;

    (void)state;
    bring_up(all_features(), 128);
    beyond = request(IN, SECTORS - 1, DATA, 1024);
    ragged = request(IN, 0, DATA, 513);
    far = request(OUT, ~0ull, DATA, 512);
    unknown = request(99, 0, DATA, 512);
    good = request(IN, SECTORS - 1, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES + beyond), 1);
    assert_int_equal(peek8(STATUSES + ragged), 1);
    assert_int_equal(peek8(STATUSES + far), 1);
    assert_int_equal(peek8(STATUSES + unknown), 2);
    assert_int_equal(peek8(STATUSES + good), 0);
    assert_int_equal(status() & 64, 0);
}

/* It would go in several transfers: not even the first one that fits is begun. */
static void a_read_over_the_end_reads_nothing(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, SECTORS - 24, DATA + 77, 32768);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 1);
    assert_int_equal(disk.reads, 0);
}

static void a_failing_medium_is_an_error_status(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    disk.fail = true;
    request(IN, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 1);
    assert_int_equal(take_used(NULL), 0);
}

static void a_read_only_disk_says_so_and_refuses_writes(void **state)
{
    tear_down(state);
    attach(true, false);
    assert_int_equal(offered() & 1 << 5, 1 << 5);
    bring_up(all_features(), 128);
    request(OUT, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 1);
    assert_int_equal(disk.writes, 0);
}

static void messages_replace_the_wire(void **state)
{
    unsigned at;
    uint64_t table;

    tear_down(state);
    attach(false, true);
    for (at = config(0x34, 1); config(at, 1) != 0x11;)
        at = config(at + 1, 1);
    table = config(0x14, 4);
    bus_mmio_write(&bus, table + 16, 8, 0xfee00000);
    bus_mmio_write(&bus, table + 24, 8, 0x51);
    config_set(at + 2, 2, 0x8000);
    common_set(20, 1, 0);
    accept(all_features());
    common_set(26, 2, 7);
    assert_int_equal(common(26, 2), 0xffff); /* no such vector */
    common_set(26, 2, 1);
    assert_int_equal(common(26, 2), 1);
    queue_up(128);
    request(IN, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(messages, 1);
    assert_int_equal(rises, 0);
    assert_int_equal(isr(), 0);
}

/* ---- reset and detach with requests in flight ---- */

static void the_guests_reset_waits_for_requests_in_flight(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < 3; i++)
        request(IN, i, DATA, 512);
    notify();
    common_set(20, 1, 0);
    assert_int_not_equal(status(), 0);
    common_set(20, 1, 15);
    common_set(20, 1, 64);
    notify();
    fake_disk_done_first(&disk);
    assert_int_not_equal(status(), 0);
    fake_disk_done_all(&disk);
    assert_int_equal(status(), 0);
    assert_int_equal(peek16(DEVICE + 2), 0); /* nothing was given back */
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(take_used(NULL), 0);
}

static void a_machine_reset_orphans_requests_in_flight(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 512);
    notify();
    pci_reset(&host);
    assert_int_equal(status(), 0);
    assert_int_equal(virtio_blk_in_flight(&blk), 1);
    fake_disk_done_all(&disk);
    assert_int_equal(virtio_blk_in_flight(&blk), 0);
    assert_int_equal(peek16(DEVICE + 2), 0);
    assert_int_equal(rises, 0);
}

static void detach_leaves_orphans_until_they_are_done(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    for (unsigned i = 0; i < 4; i++)
        request(IN, i, DATA, 512);
    notify();
    virtio_blk_detach(&blk);
    assert_int_equal(config(0, 4), 0xffffffff);
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x192, &disk.disk), -EBUSY);
    fake_disk_done_all(&disk);
    assert_int_equal(blk.requests, 0);
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x192, &disk.disk), 0);
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x192, &disk.disk), -EBUSY);
}

static void attach_without_a_frame_is_refused(void **state)
{
    (void)state;
    assert_non_null(guest_pointer(&storage, gpa(0), NULL));
    virtio_blk_detach(&blk);
    storage.account.limit = storage.account.frames;
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x191, &disk.disk), -ENOMEM);
    storage.account.limit = 0;
    assert_int_equal(virtio_blk_attach(&blk, &host, SLOT, &storage, 0x191, &disk.disk), 0);
}

/* SYSTEM CLEAR: the machine is reset and its storage replaced while its disks stay. */
static void storage_may_be_replaced_once_nothing_is_in_flight(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 1, DATA, 512);
    notify();
    pci_reset(&host);
    fake_disk_done_all(&disk);
    assert_int_equal(virtio_blk_in_flight(&blk), 0);
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, blk.requests);
    guest_storage_renew(&storage, RAM);
    bring_up(all_features(), 128);
    request(IN, 2, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_data(DATA, 2, 512);
}

static void out_of_frames_is_an_error_status(void **state)
{
    (void)state;
    bring_up(all_features(), 128);
    request(IN, 0, DATA, 512);
    storage.account.limit = storage.account.frames;
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(read_comes_back_with_data_status_and_interrupt), T(write_reaches_the_medium),
        T(a_page_that_is_watched_while_a_read_is_under_way_is_seen_to_be_written),
        T(one_that_a_reset_orphaned_is_seen_to_write_too),
        T(without_flush_a_write_is_through), T(flush_and_identity),
        T(one_notify_serves_a_batch_with_one_interrupt_for_what_ends_together), T(suppressed_interrupts_do_not_come),
        T(event_index_tells_when_to_interrupt_and_when_to_notify), T(ring_indices_wrap),
        T(indirect_tables_are_followed), T(direct_descriptors_may_end_in_an_indirect_one),
        T(how_buffers_are_cut_does_not_matter), T(unaligned_write_arrives_whole),
        T(a_long_aligned_read_goes_in_few_transfers), T(the_longest_chain_announced_is_served),
        T(impossible_requests_fail_alone), T(a_read_over_the_end_reads_nothing),
        T(a_failing_medium_is_an_error_status), T(a_read_only_disk_says_so_and_refuses_writes),
        T(messages_replace_the_wire), T(the_guests_reset_waits_for_requests_in_flight),
        T(a_machine_reset_orphans_requests_in_flight), T(detach_leaves_orphans_until_they_are_done),
        T(attach_without_a_frame_is_refused), T(storage_may_be_replaced_once_nothing_is_in_flight),
        T(out_of_frames_is_an_error_status),
    };
    return cmocka_run_group_tests(tests, start_storage, NULL);
}
