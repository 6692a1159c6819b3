/* The transport, and rings no driver should make. */
#include "tests/unit/virtio_guest.h"

static void is_a_modern_block_device(void **state)
{
    (void)state;
    assert_int_equal(config(0, 4), 0x10421af4);
    assert_int_equal(config(8, 1), 1);
    assert_int_equal(common(18, 2), 1);
    assert_int_equal(common(24, 2), 256);
    assert_int_equal(offered(), 1ull << 32 | 1 << 29 | 1 << 28 | 1 << 9 | 1 << 6 | 1 << 2);
    assert_int_equal(bus_mmio_read(&bus, structure(4), 8), SECTORS);
    assert_int_equal(bus_mmio_read(&bus, structure(4) + 20, 4), 512);
    assert_int_equal(bus_mmio_read(&bus, structure(4) + 60, 8), 0);
    assert_int_equal(status(), 0);
}

static void unknown_features_or_legacy_are_refused(void **state)
{
    (void)state;
    common_set(20, 1, 0);
    accept(1ull << 32 | 1ull << 40);
    assert_int_equal(status() & 8, 0);
    common_set(20, 1, 0);
    accept(1ull << 28);
    assert_int_equal(status() & 8, 0);
    common_set(20, 1, 0);
    accept(1ull << 32);
    assert_int_equal(status() & 8, 8);
    accept(1ull << 32 | 1ull << 9); /* too late */
    common_set(8, 4, 0);
    assert_int_equal(common(12, 4), 0);
}

static void queue_registers_hold_until_enabled(void **state)
{
    (void)state;
    common_set(22, 2, 0);
    common_set(24, 2, 96); /* no power of two */
    assert_int_equal(common(24, 2), 256);
    common_set(24, 2, 512);
    assert_int_equal(common(24, 2), 256);
    common_set(24, 2, 16);
    common_set(32, 8, 0x123450);
    assert_int_equal(common(32, 4), 0x123450);
    common_set(28, 2, 1);
    common_set(24, 2, 32);
    common_set(32, 8, 0);
    assert_int_equal(common(24, 2), 16);
    assert_int_equal(common(32, 8), 0x123450);
    common_set(22, 2, 1);
    assert_int_equal(common(24, 2), 0);
    common_set(24, 2, 16);
    common_set(20, 1, 0);
    assert_int_equal(common(24, 2), 256);
}

static void notify_before_driver_ok_does_nothing(void **state)
{
    (void)state;
    bring_up(all_features(), 16);
    common_set(20, 1, 0);
    request(IN, 0, DATA, 512);
    notify();
    assert_int_equal(disk.waiting, 0);
}

static void configuration_window_reaches_the_registers(void **state)
{
    unsigned window = capability(5), at = structure(1) - structure(1) % 0x4000;

    (void)state;
    config_set(window + 8, 4, structure(1) - at + 20);
    config_set(window + 12, 4, 1);
    config_set(window + 16, 1, 3);
    assert_int_equal(status(), 3);
    assert_int_equal(config(window + 16, 1), 3);
    config_set(window + 8, 4, structure(4) - at);
    config_set(window + 12, 4, 4);
    assert_int_equal(config(window + 16, 4), SECTORS);
    config_set(window + 8, 4, 0xfffffffc); /* far outside */
    config(window + 16, 4);
    config_set(window + 16, 4, 0);
    config_set(window + 12, 4, 3);
    config_set(window + 8, 4, 0x3fff);
    config(window + 16, 4);
    config_set(window + 12, 4, 4);
    config(window + 16, 4);
    config_set(window + 16, 4, 1);
    assert_int_equal(status(), 3);
}

/* ---- broken rings ---- */

static void assert_broken(void)
{
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(status() & 64, 64);
    assert_int_equal(isr() & 2, 2);
    assert_int_equal(disk.reads + disk.writes, 0);
    bring_up(all_features(), 128); /* and its driver can bring it back */
    request(IN, 5, DATA, 512);
    notify();
    fake_disk_done_all(&disk);
    assert_int_equal(peek8(STATUSES), 0);
}

#define BROKEN(name, ...)                            \
    static void name(void **state)                   \
    {                                                \
        (void)state;                                 \
        bring_up(all_features(), 128);               \
        header(0, IN, 0);                            \
        __VA_ARGS__                                  \
        assert_broken();                             \
    }

/* whatever would be served if the one fault went unnoticed */
static void good_table(uint64_t at)
{
    struct descriptor table[3] = {{HEADERS, 16, NEXT, 1}, {DATA, 512, NEXT | WRITE, 2}, {STATUSES, 1, WRITE, 0}};

    poke(at, table, sizeof table);
}

BROKEN(an_index_too_far_ahead, good_table(DESC); poke16(DRIVER + 2, 129);)
BROKEN(a_head_outside_the_table, offer(128);)
BROKEN(a_next_outside_the_table,
       struct descriptor d = {HEADERS, 16, NEXT, 200}; poke(DESC, &d, 16); offer(0);)
BROKEN(a_chain_that_loops,
       struct descriptor d = {HEADERS, 16, NEXT, 0}; poke(DESC, &d, 16); offer(0);)
BROKEN(a_loop_of_empty_descriptors,
       struct descriptor d = {HEADERS, 0, NEXT, 0}; poke(DESC, &d, 16); offer(0);)
BROKEN(a_buffer_beyond_ram, descriptor(HEADERS, 16, NEXT); descriptor(RAM - 512, 1024, NEXT | WRITE);
       descriptor(STATUSES, 1, WRITE); offer(0);)
BROKEN(a_buffer_that_wraps, descriptor(HEADERS, 16, NEXT); descriptor(~0ull - 100, 512, NEXT | WRITE);
       descriptor(STATUSES, 1, WRITE); offer(0);)
BROKEN(a_readable_buffer_after_a_writable, descriptor(HEADERS, 16, NEXT); descriptor(STATUSES, 1, NEXT | WRITE);
       descriptor(DATA, 512, 0); offer(0);)
BROKEN(a_chain_without_status, descriptor(HEADERS, 16, NEXT); descriptor(DATA, 512, 0); offer(0);)
BROKEN(a_header_too_short, descriptor(HEADERS, 15, NEXT); descriptor(STATUSES, 1, WRITE); offer(0);)
BROKEN(an_empty_indirect_table, offer(descriptor(TABLES, 0, INDIRECT));)
BROKEN(a_ragged_indirect_table, good_table(TABLES); offer(descriptor(TABLES, 56, INDIRECT));)
BROKEN(an_indirect_table_outside_ram, offer(descriptor(RAM, 48, INDIRECT));)
BROKEN(an_indirect_descriptor_with_a_successor, good_table(TABLES); offer(descriptor(TABLES, 48, INDIRECT | NEXT));)
BROKEN(an_indirect_table_in_an_indirect_table, struct descriptor d = {TABLES + 256, 48, INDIRECT, 0};
       poke(TABLES, &d, 16); good_table(TABLES + 256); offer(descriptor(TABLES, 16, INDIRECT));)
BROKEN(an_indirect_next_outside_its_table,
       struct descriptor d = {HEADERS, 16, NEXT, 1}; poke(TABLES, &d, 16); offer(descriptor(TABLES, 16, INDIRECT));)

static void a_chain_longer_than_announced_breaks_it(void **state)
{
    struct descriptor d;

    (void)state;
    bring_up(all_features(), 128);
    header(0, IN, 0);
    for (unsigned i = 0; i < 200; i++) {
        d = (struct descriptor){HEADERS, 16, NEXT, i + 1};
        poke(TABLES + 16 * i, &d, 16);
    }
    d = (struct descriptor){STATUSES, 1, WRITE, 0};
    poke(TABLES + 16 * 200, &d, 16);
    offer(descriptor(TABLES, 16 * 201, INDIRECT));
    assert_broken();
}

static void a_buffer_across_the_hole_breaks_it(void **state)
{
    (void)state;
    guest_storage_free(&storage);
    guest_storage_renew(&storage, 5ull << 30);
    bring_up(all_features(), 128);
    descriptor(header(0, IN, 0), 16, NEXT);
    descriptor(GUEST_HOLE_START - 4096, 0x40002000, NEXT | WRITE);
    descriptor(STATUSES, 1, WRITE);
    offer(0);
    assert_broken();
}

static void indirect_without_the_feature_breaks_it(void **state)
{
    (void)state;
    bring_up(VIRTIO_F_VERSION_1, 128);
    offer(descriptor(TABLES, 48, INDIRECT));
    assert_broken();
}

static void rings_outside_ram_break_only_this_device(void **state)
{
    static const unsigned field[] = {32, 40, 48};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        common_set(20, 1, 0);
        accept(all_features());
        common_set(32, 8, DESC);
        common_set(40, 8, DRIVER);
        common_set(48, 8, DEVICE);
        common_set(field[i], 8, i == 1 ? ~0ull - 3 : 1ull << 50);
        common_set(28, 2, 1);
        common_set(20, 1, 15);
        available = used = free_descriptor = 0;
        size = 128;
        request(IN, 0, DATA, 512);
        notify();
        fake_disk_done_all(&disk);
        assert_int_equal(status() & 64, 64);
        isr();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(is_a_modern_block_device), T(unknown_features_or_legacy_are_refused), T(queue_registers_hold_until_enabled),
        T(notify_before_driver_ok_does_nothing), T(configuration_window_reaches_the_registers),
        T(an_index_too_far_ahead), T(a_head_outside_the_table), T(a_next_outside_the_table), T(a_chain_that_loops),
        T(a_loop_of_empty_descriptors), T(a_buffer_beyond_ram), T(a_buffer_that_wraps),
        T(a_readable_buffer_after_a_writable), T(a_chain_without_status), T(a_header_too_short),
        T(an_empty_indirect_table), T(a_ragged_indirect_table), T(an_indirect_table_outside_ram),
        T(an_indirect_descriptor_with_a_successor), T(an_indirect_table_in_an_indirect_table),
        T(an_indirect_next_outside_its_table), T(a_chain_longer_than_announced_breaks_it),
        T(a_buffer_across_the_hole_breaks_it), T(indirect_without_the_feature_breaks_it),
        T(rings_outside_ram_break_only_this_device),
    };
    return cmocka_run_group_tests(tests, start_storage, NULL);
}
