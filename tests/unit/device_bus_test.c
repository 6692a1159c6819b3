#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cp/device/bus.h"

struct probe {
    uint64_t last_at, last_value;
    unsigned last_size, reads, writes;
};

static uint32_t port_read(void *device, uint16_t port, unsigned size)
{
    struct probe *probe = device;

    probe->last_at = port;
    probe->last_size = size;
    probe->reads++;
    return 0xA0 + (port & 0xf);
}

static void port_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct probe *probe = device;

    probe->last_at = port;
    probe->last_size = size;
    probe->last_value = value;
    probe->writes++;
}

static uint64_t mmio_read(void *device, uint64_t offset, unsigned size)
{
    struct probe *probe = device;

    probe->last_at = offset;
    probe->last_size = size;
    return 0x1122334455667788;
}

static void mmio_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    port_write(device, offset, size, 0);
    ((struct probe *)device)->last_value = value;
}

static int claim_ports(struct bus *bus, struct probe *probe, uint16_t first, uint16_t last, bool byte_wide)
{
    return bus_claim_ports(bus, &(struct bus_ports){first, last, byte_wide, probe, port_read, port_write, NULL});
}

static int claim_mmio(struct bus *bus, struct probe *probe, uint64_t first, uint64_t last)
{
    return bus_claim_mmio(bus, &(struct bus_mmio){first, last, probe, mmio_read, mmio_write});
}

static void what_nobody_claims_reads_all_ones(void **state)
{
    struct bus bus;

    (void)state;
    bus_init(&bus);
    assert_int_equal(bus_port_read(&bus, 0x80, 1), 0xff);
    assert_int_equal(bus_port_read(&bus, 0x80, 2), 0xffff);
    assert_int_equal(bus_port_read(&bus, 0xffff, 4), 0xffffffff);
    assert_int_equal(bus_mmio_read(&bus, 0xD0000000, 2), 0xffff);
    assert_int_equal(bus_mmio_read(&bus, UINT64_MAX, 8), UINT64_MAX);
    bus_port_write(&bus, 0x80, 4, 1);
    bus_mmio_write(&bus, 0xD0000000, 8, 1);
    assert_false(bus_mmio_claimed(&bus, 0));
}

static void an_access_reaches_the_range_of_its_first_port(void **state)
{
    struct bus bus = {0};
    struct probe config = {0}, reset = {0};

    (void)state;
    assert_int_equal(claim_ports(&bus, &config, 0xcf8, 0xcf8, false), 0);
    assert_int_equal(claim_ports(&bus, &reset, 0xcf9, 0xcf9, true), 0);
    bus_port_write(&bus, 0xcf8, 4, 0x80000600);
    assert_int_equal(config.last_value, 0x80000600);
    assert_int_equal(config.last_size, 4);
    assert_int_equal(reset.writes, 0);
    bus_port_write(&bus, 0xcf9, 1, 0x106);
    assert_int_equal(reset.last_value, 6);
    assert_int_equal(config.writes, 1);
}

static void a_wide_access_to_a_byte_wide_device_is_split_by_port(void **state)
{
    struct bus bus = {0};
    struct probe probe = {0}, next = {0};

    (void)state;
    claim_ports(&bus, &probe, 0x40, 0x41, true);
    claim_ports(&bus, &next, 0x42, 0x42, true);
    assert_int_equal(bus_port_read(&bus, 0x40, 4), 0xffA2A1A0);
    assert_int_equal(probe.reads, 2);
    assert_int_equal(next.reads, 1);
    bus_port_write(&bus, 0x41, 2, 0xBBAA);
    assert_int_equal(probe.last_value, 0xAA);
    assert_int_equal(next.last_value, 0xBB);
    claim_ports(&bus, &probe, 0xffff, 0xffff, true);
    assert_int_equal(bus_port_read(&bus, 0xffff, 2), 0xffAF);
}

static void ranges_that_overlap_or_do_not_fit_are_refused(void **state)
{
    struct bus bus = {0};
    struct probe probe = {0};

    (void)state;
    assert_int_equal(claim_ports(&bus, &probe, 0x100, 0x107, false), 0);
    assert_int_equal(claim_ports(&bus, &probe, 0x107, 0x110, false), -EEXIST);
    assert_int_equal(claim_ports(&bus, &probe, 0x0, 0xffff, false), -EEXIST);
    assert_int_equal(claim_ports(&bus, &probe, 0x20, 0x10, false), -EEXIST);
    for (unsigned i = 1; i < BUS_PORT_RANGES; i++)
        assert_int_equal(claim_ports(&bus, &probe, 0x1000 + i, 0x1000 + i, false), 0);
    assert_int_equal(claim_ports(&bus, &probe, 0x2000, 0x2000, false), -ENOSPC);
    for (unsigned i = 0; i < BUS_MMIO_RANGES; i++)
        assert_int_equal(claim_mmio(&bus, &probe, i * 0x1000, i * 0x1000 + 0xfff), 0);
    assert_int_equal(claim_mmio(&bus, &probe, 0x1000, 0x1000), -EEXIST);
    assert_int_equal(claim_mmio(&bus, &probe, UINT64_MAX - 1, UINT64_MAX), -ENOSPC);
}

static void released_ranges_are_gone_even_where_a_hint_remembers_them(void **state)
{
    struct bus bus = {0};
    struct probe one = {0}, two = {0};

    (void)state;
    claim_ports(&bus, &one, 0x3f8, 0x3ff, false);
    claim_ports(&bus, &two, 0x2f8, 0x2ff, false);
    claim_mmio(&bus, &one, 0xC0000000, 0xC0000fff);
    claim_mmio(&bus, &one, 0xC0002000, 0xC0002fff);
    claim_mmio(&bus, &two, 0xC0001000, 0xC0001fff);
    assert_int_equal(bus_port_read(&bus, 0x2fd, 1), 0xAD);
    assert_int_equal(bus_port_read(&bus, 0x3fd, 1), 0xAD);
    bus_release_mmio(&bus, &one, 0xC0000000);
    assert_false(bus_mmio_claimed(&bus, 0xC0000000));
    assert_true(bus_mmio_claimed(&bus, 0xC0002000));
    bus_release(&bus, &one);
    assert_int_equal(bus_port_read(&bus, 0x3fd, 1), 0xff);
    assert_int_equal(bus_port_read(&bus, 0x2fd, 1), 0xAD);
    assert_false(bus_mmio_claimed(&bus, 0xC0002000));
    assert_true(bus_mmio_claimed(&bus, 0xC0001fff));
}

static void values_are_cut_to_the_size_of_the_access(void **state)
{
    struct bus bus = {0};
    struct probe probe = {0};

    (void)state;
    claim_mmio(&bus, &probe, 0xC0000000, 0xC0000fff);
    assert_int_equal(bus_mmio_read(&bus, 0xC0000010, 1), 0x88);
    assert_int_equal(bus_mmio_read(&bus, 0xC0000010, 4), 0x55667788);
    assert_int_equal(bus_mmio_read(&bus, 0xC0000010, 8), 0x1122334455667788);
    bus_mmio_write(&bus, 0xC0000020, 2, 0x12345);
    assert_int_equal(probe.last_value, 0x2345);
    assert_int_equal(probe.last_at, 0x20);
}

static unsigned sizes_seen[9];

static uint64_t note_read(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    sizes_seen[size]++;
    return 0x0706050403020100 >> 8 * offset;
}

static void note_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    uint8_t *bytes = device;

    sizes_seen[size]++;
    for (unsigned i = 0; i < size; i++)
        bytes[offset + i] = value >> 8 * i;
}

static void devices_see_only_sizes_that_are_powers_of_two(void **state)
{
    struct bus bus = {0};
    uint8_t bytes[8];

    (void)state;
    bus_claim_mmio(&bus, &(struct bus_mmio){0xC0000000, 0xC0000007, bytes, note_read, note_write});
    for (unsigned size = 1; size <= 8; size++) {
        uint64_t all = 0x0706050403020100, mask = size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
        uint64_t stored = 0;

        assert_int_equal(bus_mmio_read(&bus, 0xC0000000, size), all & mask);
        memset(bytes, 0xEE, sizeof bytes);
        bus_mmio_write(&bus, 0xC0000000, size, 0x1817161514131211);
        memcpy(&stored, bytes, 8);
        assert_int_equal(stored, (0x1817161514131211 & mask) | (0xEEEEEEEEEEEEEEEE & ~mask));
    }
    assert_int_equal(sizes_seen[3] + sizes_seen[5] + sizes_seen[6] + sizes_seen[7], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_claims_reads_all_ones),
        cmocka_unit_test(an_access_reaches_the_range_of_its_first_port),
        cmocka_unit_test(a_wide_access_to_a_byte_wide_device_is_split_by_port),
        cmocka_unit_test(ranges_that_overlap_or_do_not_fit_are_refused),
        cmocka_unit_test(released_ranges_are_gone_even_where_a_hint_remembers_them),
        cmocka_unit_test(devices_see_only_sizes_that_are_powers_of_two),
        cmocka_unit_test(values_are_cut_to_the_size_of_the_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
