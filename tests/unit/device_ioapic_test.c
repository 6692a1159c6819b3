#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/device/ioapic.h"
#include "cp/device/lapic.h"

enum { LEVEL = 1 << 15, MASKED = 1 << 16, REMOTE_IRR = 1 << 14 };

static struct bus bus;
static struct ioapic ioapic;
static struct lapic_message last;
static unsigned messages;
static bool taken;

static bool deliver(void *context, const struct lapic_message *message)
{
    (void)context;
    last = *message;
    messages++;
    return taken;
}

static void store(unsigned reg, uint32_t value)
{
    bus_mmio_write(&bus, IOAPIC_BASE, 4, reg);
    bus_mmio_write(&bus, IOAPIC_BASE + 0x10, 4, value);
}

static uint32_t load(unsigned reg)
{
    bus_mmio_write(&bus, IOAPIC_BASE, 4, reg);
    return bus_mmio_read(&bus, IOAPIC_BASE + 0x10, 4);
}

static int begin(void **state)
{
    (void)state;
    bus_init(&bus);
    ioapic_init(&ioapic, &bus, deliver, NULL);
    messages = 0;
    taken = true;
    return 0;
}

static void it_has_24_masked_pins_and_says_so(void **state)
{
    (void)state;
    assert_int_equal(load(1), 0x170020);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        assert_int_equal(load(0x10 + 2 * pin), MASKED);
    assert_int_equal(load(0x40), 0);
    store(0, 0xffffffff);
    assert_int_equal(load(0), 0x0f000000);
    ioapic_set(&ioapic, 4, true);
    assert_int_equal(messages, 0);
}

static void an_edge_sends_the_entry_s_message_once(void **state)
{
    (void)state;
    store(0x10 + 2 * 4 + 1, 0xab000000);
    store(0x10 + 2 * 4, 0x0934); /* lowest priority, logical, edge */
    ioapic_set(&ioapic, 4, true);
    ioapic_set(&ioapic, 4, true);
    assert_int_equal(messages, 1);
    assert_int_equal(last.vector, 0x34);
    assert_int_equal(last.delivery, LAPIC_LOWEST);
    assert_true(last.logical);
    assert_false(last.level);
    assert_int_equal(last.destination, 0xab);
    ioapic_set(&ioapic, 4, false);
    ioapic_set(&ioapic, 4, true);
    assert_int_equal(messages, 2);
}

static void a_level_waits_for_its_end_and_is_sent_again(void **state)
{
    (void)state;
    store(0x10 + 2 * 17, LEVEL | 0x51);
    ioapic_set(&ioapic, 17, true);
    assert_int_equal(messages, 1);
    assert_int_equal(load(0x10 + 2 * 17), LEVEL | REMOTE_IRR | 0x51);
    ioapic_set(&ioapic, 17, false);
    ioapic_set(&ioapic, 17, true);
    assert_int_equal(messages, 1);
    ioapic_eoi(&ioapic, 0x52);
    assert_int_equal(messages, 1);
    ioapic_eoi(&ioapic, 0x51);
    assert_int_equal(messages, 2);
    ioapic_set(&ioapic, 17, false);
    bus_mmio_write(&bus, IOAPIC_BASE + 0x40, 4, 0x51);
    assert_int_equal(load(0x10 + 2 * 17), LEVEL | 0x51);
    assert_int_equal(messages, 2);
}

static void unmasking_an_asserted_level_sends_it(void **state)
{
    (void)state;
    ioapic_set(&ioapic, 17, true);
    store(0x10 + 2 * 17, LEVEL | MASKED | 0x51);
    assert_int_equal(messages, 0);
    store(0x10 + 2 * 17, LEVEL | 0x51);
    assert_int_equal(messages, 1);
    /* masked and made an edge for a moment: how software without an EOI register clears remote IRR */
    store(0x10 + 2 * 17, MASKED | 0x51);
    store(0x10 + 2 * 17, LEVEL | 0x51);
    assert_int_equal(messages, 2);
}

static void an_interrupt_nobody_takes_does_not_lock_its_pin(void **state)
{
    (void)state;
    taken = false;
    store(0x10 + 2 * 17, LEVEL | 0x51);
    ioapic_set(&ioapic, 17, true);
    assert_int_equal(load(0x10 + 2 * 17), LEVEL | 0x51);
    taken = true;
    store(0x10 + 2 * 18, LEVEL | 0x400); /* an NMI has no end */
    ioapic_set(&ioapic, 18, true);
    assert_int_equal(load(0x10 + 2 * 18), LEVEL | 0x400);
}

static void read_only_bits_and_strange_accesses_change_nothing(void **state)
{
    (void)state;
    store(0x10, 0xffffffff);
    assert_int_equal(load(0x10), 0x1afff);
    store(0x11, 0xffffffff);
    assert_int_equal(load(0x11), 0xff000000);
    store(0xff, 1);
    bus_mmio_write(&bus, IOAPIC_BASE + 0x10, 1, 0);
    bus_mmio_write(&bus, IOAPIC_BASE + 0x20, 4, 0);
    assert_int_equal(load(0x11), 0xff000000);
    assert_int_equal(bus_mmio_read(&bus, IOAPIC_BASE + 0x800, 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_has_24_masked_pins_and_says_so, begin),
        cmocka_unit_test_setup(an_edge_sends_the_entry_s_message_once, begin),
        cmocka_unit_test_setup(a_level_waits_for_its_end_and_is_sent_again, begin),
        cmocka_unit_test_setup(unmasking_an_asserted_level_sends_it, begin),
        cmocka_unit_test_setup(an_interrupt_nobody_takes_does_not_lock_its_pin, begin),
        cmocka_unit_test_setup(read_only_bits_and_strange_accesses_change_nothing, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
