/* The whole machine, as a guest sees it through ports, memory and interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cp/device/machine.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/fake/disk.h"

enum { RAM = 64 << 20, FRAMES = 256 };
enum { APIC = LAPIC_DEFAULT_BASE, SVR = 0xf0, LVT_LINT0 = 0x350, APIC_EOI = 0xb0, SELF = 0x40000 };

static struct machine machine;
static struct guest_storage storage;
static unsigned events[MACHINE_HUNG_UP + 1], details[MACHINE_HUNG_UP + 1];
static uint8_t output[64];
static unsigned outputs, output_uart;

static void event(void *context, enum machine_event what, uint32_t detail)
{
    assert_ptr_equal(context, &machine);
    events[what]++;
    details[what] = detail;
}

static unsigned take_output(void *context, unsigned n, const uint8_t *bytes, unsigned count)
{
    (void)context;
    output_uart = n;
    for (unsigned i = 0; i < count; i++)
        output[outputs++ % sizeof output] = bytes[i];
    return count;
}

static uint64_t guest_tsc(void *context, uint64_t now)
{
    (void)context;
    return now;
}

static void out(uint16_t port, uint8_t value) { bus_port_write(&machine.bus, port, 1, value); }
static uint8_t in(uint16_t port) { return bus_port_read(&machine.bus, port, 1); }
static void store(uint64_t at, uint32_t value) { bus_mmio_write(&machine.bus, at, 4, value); }

static int begin(void **state)
{
    static const struct machine_host host = {
        .context = &machine, .event = event, .output = take_output, .guest_tsc = guest_tsc,
        .physical_bits = 40};
    static const struct machine_config everything = {.uarts = MACHINE_UARTS, .grants = ~0u};
    static uint8_t *frames;

    (void)state;
    if (!frames) {
        frames = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_add(frame_address(frames), FRAMES * PAGE_SIZE);
    }
    fake_clock_reset(1000000000);
    fake_unix_us = UINT64_C(1700000000000000);
    guest_storage_init(&storage, RAM, 0);
    machine_init(&machine, &host, &storage, &everything);
    memset(events, 0, sizeof events);
    outputs = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_free(&machine);
    guest_storage_free(&storage);
    return timer_next() == UINT64_MAX ? 0 : -1;
}

static void pic_on(void)
{
    out(0x20, 0x11), out(0x21, 0x20), out(0x21, 0x04), out(0x21, 0x01), out(0x21, 0);
    out(0xa0, 0x11), out(0xa1, 0x28), out(0xa1, 0x02), out(0xa1, 0x01), out(0xa1, 0);
}

static void apic_on(void)
{
    store(APIC + SVR, 0x1ff);
    store(APIC + LVT_LINT0, 0x10000);
}

static void ioapic_entry(unsigned pin, uint32_t low)
{
    store(IOAPIC_BASE, 0x10 + 2 * pin);
    store(IOAPIC_BASE + 0x10, low);
}

static void a_guest_with_only_a_pic_gets_the_timer_s_interrupts(void **state)
{
    (void)state;
    pic_on();
    out(0x43, 0x34), out(0x40, 0xa9), out(0x40, 0x04); /* 1000 Hz */
    while (machine_interrupt_pending(&machine)) { /* what setting it up may have caused */
        assert_int_equal(machine_interrupt_acknowledge(&machine), 0x20);
        out(0x20, 0x20);
    }
    for (unsigned i = 0; i < 100; i++) {
        unsigned kicks = events[MACHINE_KICK];

        fake_clock_advance(1000000);
        assert_true(machine_interrupt_pending(&machine));
        assert_int_equal(events[MACHINE_KICK], kicks + 1);
        assert_int_equal(machine_interrupt_acknowledge(&machine), 0x20);
        assert_false(machine_interrupt_pending(&machine));
        out(0x20, 0x20);
    }
}

static void a_guest_with_an_ioapic_gets_the_timer_at_pin_2(void **state)
{
    (void)state;
    apic_on();
    ioapic_entry(MACHINE_TIMER_PIN, 0x31);
    out(0x43, 0x30), out(0x40, 0xff), out(0x40, 0x00);
    assert_false(machine_interrupt_pending(&machine));
    fake_clock_advance(1000000);
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x31);
    store(APIC + APIC_EOI, 0);
    assert_false(machine_interrupt_pending(&machine));
}

static void the_uart_interrupts_through_either_controller(void **state)
{
    (void)state;
    pic_on();
    out(0x3f9, 1); /* received data */
    assert_int_equal(machine_input(&machine, 0, (const uint8_t *)"x", 1), 1);
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x24);
    assert_int_equal(in(0x3f8), 'x');
    assert_int_equal(events[MACHINE_INPUT_ROOM], 1);
    assert_int_equal(details[MACHINE_INPUT_ROOM], 0);
    out(0x20, 0x20);
    apic_on();
    ioapic_entry(4, 0x44);
    machine_input(&machine, 0, (const uint8_t *)"y", 1);
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x44);
    out(0x3f8, 'z');
    assert_int_equal(output[0], 'z');
    assert_int_equal(machine_input(&machine, 7, (const uint8_t *)"abc", 3), 3); /* there is no such line */
}

static void lines_that_share_an_interrupt_hold_it_together(void **state)
{
    (void)state;
    out(0x3f9, 1), out(0x3e9, 1); /* COM1 and COM3 */
    machine_input(&machine, 0, (const uint8_t *)"x", 1);
    machine_input(&machine, 2, (const uint8_t *)"x", 1);
    assert_true(machine.pic.chip[0].levels & 1 << 4);
    in(0x3f8);
    assert_true(machine.pic.chip[0].levels & 1 << 4);
    in(0x3e8);
    assert_false(machine.pic.chip[0].levels & 1 << 4);
}

static void at_the_console_somebody_is_and_at_the_other_lines_those_who_called(void **state)
{
    (void)state;
    assert_int_equal(in(0x3fe), 0xb0);
    assert_int_equal(in(0x2fe), 0x10);
    machine_carrier(&machine, 1, true);
    machine_carrier(&machine, 7, true); /* there is no such line */
    machine_ring(&machine, 7);
    assert_int_equal(in(0x2fe), 0xba);
    out(0x2fc, 1), out(0x3ec, 1);
    out(0x2fc, 0);
    assert_int_equal(events[MACHINE_HUNG_UP], 1);
    assert_int_equal(details[MACHINE_HUNG_UP], 1);
    machine_reset(&machine);
    assert_int_equal(events[MACHINE_HUNG_UP], 2);
    assert_int_equal(details[MACHINE_HUNG_UP], 2);
    machine_ring(&machine, 0);
    assert_int_equal(in(0x3fe), 0xb4);
}

static void the_8259_s_interrupt_comes_only_where_lint0_lets_it(void **state)
{
    (void)state;
    pic_on();
    out(0x3f9, 2); /* transmitter empty: at once */
    assert_true(machine_interrupt_pending(&machine));
    apic_on(); /* masks LINT0 */
    assert_false(machine_interrupt_pending(&machine));
    store(APIC + LVT_LINT0, 0x700);
    assert_true(machine_interrupt_pending(&machine));
    store(APIC + LVT_LINT0, 0x10000);
    lapic_write_msr(&machine.lapic, MSR_APIC_BASE, APIC | 1 << 8); /* no APIC: straight to the CPU */
    assert_true(machine_interrupt_pending(&machine));
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x24);
}

static void a_level_interrupt_is_ended_at_the_ioapic_by_the_apic_s_eoi(void **state)
{
    (void)state;
    apic_on();
    ioapic_entry(17, 0x8055);
    machine.pci.wiring.set_irq(machine.pci.wiring.context, 17, true);
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x55);
    store(APIC + APIC_EOI, 0);
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x55); /* still asserted */
    machine.pci.wiring.set_irq(machine.pci.wiring.context, 17, false);
    store(APIC + APIC_EOI, 0);
    assert_false(machine_interrupt_pending(&machine));
}

static void pci_s_interrupt_line_is_an_ioapic_pin_too(void **state)
{
    (void)state;
    apic_on();
    ioapic_entry(10, 0x8066);
    machine.pci.wiring.set_irq(machine.pci.wiring.context, 10, true);
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x66);
}

static void pci_s_inputs_of_the_8259_are_levels(void **state)
{
    (void)state;
    assert_int_equal(in(0x4d1), 0x0c);
    pic_on();
    machine.pci.wiring.set_irq(machine.pci.wiring.context, 11, true);
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x2b);
    out(0xa0, 0x20), out(0x20, 0x20);
    assert_true(machine_interrupt_pending(&machine));
    machine_reset(&machine);
    assert_int_equal(in(0x4d1), 0x0c);
}

static void an_nmi_is_taken_once(void **state)
{
    (void)state;
    assert_false(machine_nmi_take(&machine));
    store(APIC + 0x300, SELF | 0x400);
    assert_int_equal(events[MACHINE_KICK], 1);
    assert_true(machine_nmi_take(&machine));
    assert_false(machine_nmi_take(&machine));
    store(APIC + 0x300, 0x4500);
    assert_int_equal(events[MACHINE_INIT], 1);
}

static void an_nmi_or_init_may_come_from_what_is_set_up_to_send_one(void **state)
{
    (void)state;
    assert_false(machine_may_send(&machine, LAPIC_NMI)); /* LINT1 has no wire */
    ioapic_entry(2, 0x10400);
    ioapic_entry(3, 0x31);
    assert_false(machine_may_send(&machine, LAPIC_NMI));
    ioapic_entry(2, 0x400);
    assert_true(machine_may_send(&machine, LAPIC_NMI));
    assert_false(machine_may_send(&machine, LAPIC_INIT));
    ioapic_entry(2, 0x500);
    assert_true(machine_may_send(&machine, LAPIC_INIT));
    ioapic_entry(2, 0x10000);
    store(APIC + SVR, 0x1ff);
    store(APIC + LVT_LINT0, 0x400);
    assert_true(machine_may_send(&machine, LAPIC_NMI));
    lapic_write_msr(&machine.lapic, MSR_APIC_BASE, 0);
    assert_false(machine_may_send(&machine, LAPIC_NMI));
}

static void each_usual_way_switches_it_off(void **state)
{
    (void)state;
    bus_port_write(&machine.bus, 0xb004, 2, 0x2000);
    bus_port_write(&machine.bus, 0x604, 2, 0x2000);
    bus_port_write(&machine.bus, 0x604, 2, 0x3c00 | 1);
    out(0x605, 0x20);
    assert_int_equal(events[MACHINE_POWER_OFF], 4);
    for (const char *at = "ShuShutdownShutdow"; *at; at++)
        out(0x8900, *at);
    assert_int_equal(events[MACHINE_POWER_OFF], 5);
    bus_port_write(&machine.bus, 0x604, 2, 0x0001);
    assert_int_equal(events[MACHINE_POWER_OFF], 5);
    assert_int_equal(bus_port_read(&machine.bus, 0x604, 2), 1);
}

static void each_usual_way_resets_it(void **state)
{
    (void)state;
    out(0xcf9, 0x02), out(0xcf9, 0x06);
    out(0x92, 0x03);
    out(0x64, 0xfe);
    out(0x64, 0xd1), out(0x60, 0xfe);
    assert_int_equal(events[MACHINE_RESET], 4);
    bus_port_write(&machine.bus, 0xcf8, 4, 0x80000600); /* PCI's, though 06H lies at CF9H */
    out(0x92, 0x02), out(0x64, 0xff), out(0x64, 0xd1), out(0x60, 0xff);
    assert_int_equal(events[MACHINE_RESET], 4);
    assert_int_equal(in(0x92), 0x02);
}

static void the_pm_timer_counts_at_its_rate(void **state)
{
    uint32_t first = bus_port_read(&machine.bus, 0x608, 4);

    (void)state;
    fake_clock_advance(1000000000);
    assert_int_equal(bus_port_read(&machine.bus, 0x608, 4) - first, POWER_PM_TIMER_HZ);
    bus_port_write(&machine.bus, 0x602, 2, 0x101);
    assert_int_equal(bus_port_read(&machine.bus, 0x600, 4), 0x1010000);
}

static void the_test_devices_are_there_only_where_granted(void **state)
{
    static const struct machine_config plain = {.uarts = 1};
    struct machine_host host = machine.host;

    (void)state;
    bus_port_write(&machine.bus, 0xf4, 4, 0x12345678);
    assert_int_equal(details[MACHINE_TEST_EXIT], 0x12345678);
    out(0xf4, 3);
    assert_int_equal(details[MACHINE_TEST_EXIT], 3);
    assert_int_equal(in(0xe9), 0xe9);
    out(0xe9, 'd');
    assert_int_equal(output[0], 'd');
    machine_free(&machine);
    machine_init(&machine, &host, &storage, &plain);
    bus_port_write(&machine.bus, 0xf4, 4, 1);
    out(0xe9, 'd');
    assert_int_equal(in(0xe9), 0xff);
    assert_int_equal(events[MACHINE_TEST_EXIT], 2);
    assert_int_equal(outputs, 1);
    assert_int_equal(in(0x2fd), 0xff); /* one line only */
}

static void disks_come_and_go_by_their_address(void **state)
{
    static struct fake_disk disks[MACHINE_DISKS + 1];

    (void)state;
    for (unsigned i = 0; i <= MACHINE_DISKS; i++)
        fake_disk_init(&disks[i], 64, false);
    for (unsigned i = 0; i < MACHINE_DISKS; i++)
        assert_int_equal(machine_attach_disk(&machine, 0x190 + i, &disks[i].disk), 0);
    assert_int_equal(machine_attach_disk(&machine, 0x191, &disks[MACHINE_DISKS].disk), -EEXIST);
    assert_int_equal(machine_attach_disk(&machine, 0x500, &disks[MACHINE_DISKS].disk), -ENOSPC);
    assert_int_equal(machine_detach_disk(&machine, 0x191), 0);
    assert_int_equal(machine_detach_disk(&machine, 0x191), -ENOENT);
    assert_int_equal(machine_attach_disk(&machine, 0x500, &disks[MACHINE_DISKS].disk), 0);
    machine_reset(&machine);
    assert_int_equal(machine_attach_disk(&machine, 0x190, NULL), 0); /* reset keeps disks; NULL takes one away */
    assert_int_equal(machine_attach_disk(&machine, 0x190, NULL), -ENOENT);
    assert_int_equal(machine_in_flight(&machine), 0);
    machine_free(&machine);
    for (unsigned i = 0; i <= MACHINE_DISKS; i++)
        fake_disk_free(&disks[i]);
}

/* Or a program that was saved took another machine's for its own. */
static void a_disks_number_is_no_other_disks_nor_its_own_after_a_reset(void **state)
{
    struct fake_disk disk;
    struct machine_disk had = {0}, now;
    fake_disk_init(&disk, 8, false);
    for (unsigned i = 0; i < 6; i++) {
        i % 2 ? machine_reset(&machine) : (void)begin(state); /* another machine */
        if (i % 2 == 0)
            assert_int_equal(machine_attach_disk(&machine, 0x191, &disk.disk), 0);
        assert_true(machine_disk_facts(&machine, 0x191, &now) && now.number > had.number);
        had = now;
    }
    fake_disk_free(&disk);
}

static void reset_makes_everything_as_after_power_on(void **state)
{
    struct machine fresh = machine;

    (void)state;
    pic_on(), apic_on();
    out(0x43, 0x34), out(0x40, 1), out(0x40, 1);
    out(0x70, 0x0b), out(0x71, 0x72);
    out(0x3f9, 3), out(0x3fb, 0x83), out(0x61, 3), out(0x92, 0), out(0x64, 0x60), out(0x60, 0x11);
    ioapic_entry(17, 0x8055);
    machine.pci.wiring.set_irq(machine.pci.wiring.context, 17, true);
    lapic_write_msr(&machine.lapic, MSR_APIC_BASE, APIC | 3 << 10);
    fake_clock_advance(5000000000);
    machine.pci.wiring.set_irq(machine.pci.wiring.context, 17, false);
    machine_reset(&machine);
    assert_false(machine_interrupt_pending(&machine));
    assert_int_equal(timer_next(), UINT64_MAX);
    assert_memory_equal(machine.ioapic.entry, fresh.ioapic.entry, sizeof fresh.ioapic.entry);
    assert_memory_equal(&machine.pic.chip, &fresh.pic.chip, sizeof fresh.pic.chip);
    assert_memory_equal(machine.lapic.lvt, fresh.lapic.lvt, sizeof fresh.lapic.lvt);
    assert_int_equal(machine.lapic.base, fresh.lapic.base);
    assert_memory_equal(&machine.pit.channel, &fresh.pit.channel, sizeof fresh.pit.channel);
    assert_memory_equal(&machine.keyboard, &fresh.keyboard, sizeof fresh.keyboard);
    assert_memory_equal(&machine.power, &fresh.power, sizeof fresh.power);
    assert_int_equal(bus_mmio_read(&machine.bus, APIC + 0x30, 4), LAPIC_VERSION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void tick_soon(void)
{
    store(APIC + 0x3e0, 0xb);
    store(APIC + 0x320, 0x40);
    store(APIC + 0x380, 1000);
    fake_clock_advance(2000);
}

static void take_tick(void)
{
    assert_int_equal(machine_interrupt_acknowledge(&machine), 0x40);
    store(APIC + APIC_EOI, 0);
    if (machine.pace.measures)
        pace_done(&machine.pace);
}

/* The tick behind one that was just taken is requested at its time, and taken when the program has had some. */
static void a_tick_too_soon_is_requested_and_waits_unless_the_program_halts(void **state)
{
    (void)state;
    apic_on();
    for (unsigned halts = 0; halts < 2; halts++) {
        tick_soon();
        take_tick();
        tick_soon();
        assert_int_equal(bus_mmio_read(&machine.bus, APIC + 0x220, 4), 1);
        assert_false(machine_interrupt_pending(&machine));
        unsigned kicks = events[MACHINE_KICK];
        if (halts)
            pace_idle(&machine.pace);
        else
            fake_clock_advance(20000);
        assert_true(machine_interrupt_pending(&machine));
        assert_int_equal(events[MACHINE_KICK], kicks + 1);
        take_tick();
        fake_clock_advance(100000);
    }
    tick_soon();
    take_tick();
    tick_soon();
    assert_true(pace_holds(&machine.pace));
    machine_reset(&machine); /* nothing is left of it */
    assert_false(pace_holds(&machine.pace));
}

/* What waits beside a tick that is held back is taken at once, and so is the tick, in their order. */
static void nothing_waits_but_ticks(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct irq wire = machine_isa_irq(&machine, 4);
        machine_reset(&machine);
        apic_on();
        pic_on();
        if (way == 3)
            store(APIC + LVT_LINT0, 0x700);
        tick_soon();
        take_tick();
        tick_soon();
        assert_false(machine_interrupt_pending(&machine));
        switch (way) {
        case 0: store(APIC + 0x300, SELF | 0x31); break; /* an IPI to itself, of less priority than the tick */
        case 1: store(APIC + 0x300, SELF | 0x61); break;
        case 2: store(APIC + 0x300, SELF | 0x40); break; /* with the tick's own vector */
        case 3: irq_set(&wire, true); break;
        }
        assert_true(machine_interrupt_pending(&machine));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guest_with_only_a_pic_gets_the_timer_s_interrupts),
        TEST(a_guest_with_an_ioapic_gets_the_timer_at_pin_2),
        TEST(a_tick_too_soon_is_requested_and_waits_unless_the_program_halts),
        TEST(nothing_waits_but_ticks),
        TEST(the_uart_interrupts_through_either_controller),
        TEST(lines_that_share_an_interrupt_hold_it_together),
        TEST(at_the_console_somebody_is_and_at_the_other_lines_those_who_called),
        TEST(the_8259_s_interrupt_comes_only_where_lint0_lets_it),
        TEST(a_level_interrupt_is_ended_at_the_ioapic_by_the_apic_s_eoi),
        TEST(pci_s_interrupt_line_is_an_ioapic_pin_too),
        TEST(pci_s_inputs_of_the_8259_are_levels),
        TEST(an_nmi_is_taken_once),
        TEST(an_nmi_or_init_may_come_from_what_is_set_up_to_send_one),
        TEST(each_usual_way_switches_it_off),
        TEST(each_usual_way_resets_it),
        TEST(the_pm_timer_counts_at_its_rate),
        TEST(the_test_devices_are_there_only_where_granted),
        TEST(disks_come_and_go_by_their_address),
        TEST(a_disks_number_is_no_other_disks_nor_its_own_after_a_reset),
        TEST(reset_makes_everything_as_after_power_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
