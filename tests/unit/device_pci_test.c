#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cp/device/pci.h"
#include "cp/device/pci_msix.h"

/* a card with one BAR of each kind */
struct card {
    struct pci_function f;
    struct pci_msix msix;
    unsigned resets;
    uint64_t last_offset;
};

static struct bus bus;
static struct pci_host host;
static struct card card, other;
static bool level[24];
static unsigned messages;
static uint64_t message_address;
static uint32_t message_data;

static void wire(void *context, unsigned gsi, bool on)
{
    (void)context;
    assert_in_range(gsi, 0, 23);
    assert_int_not_equal(level[gsi], on); /* changes only */
    level[gsi] = on;
}

static void message(void *context, uint64_t address, uint32_t data)
{
    (void)context;
    messages++;
    message_address = address;
    message_data = data;
}

static uint64_t memory_read(void *bar, uint64_t offset, unsigned size)
{
    struct card *c = ((struct pci_bar *)bar)->owner;

    c->last_offset = offset;
    return 0x1122334455667788ull >> (64 - 8 * size);
}

static void memory_write(void *bar, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size, (void)value;
    ((struct card *)((struct pci_bar *)bar)->owner)->last_offset = offset;
}

static uint32_t io_read(void *bar, uint16_t port, unsigned size)
{
    (void)size;
    return port - ((struct pci_bar *)bar)->at;
}

static void io_write(void *bar, uint16_t port, unsigned size, uint32_t value)
{
    (void)bar, (void)port, (void)size, (void)value;
}

static void reset(struct pci_function *f)
{
    ((struct card *)f->owner)->resets++;
}

static void card_build(struct card *c)
{
    const struct pci_identity id = {.vendor = 0x1af4, .device = 0x1042, .subsystem_vendor = 0x1af4, .subsystem = 0x1100,
                                    .class_code = 0x010000, .revision = 1};

    *c = (struct card){0};
    pci_function_init(&c->f, &id, c);
    c->f.reset = reset;
    c->f.bar[0] = (struct pci_bar){.kind = PCI_BAR_MEMORY32, .bytes = 0x4000, .owner = c, .read = memory_read,
                                   .write = memory_write};
    c->f.bar[1] = (struct pci_bar){.kind = PCI_BAR_IO, .bytes = 0x20, .owner = c, .port_read = io_read,
                                   .port_write = io_write};
    c->f.bar[2] = (struct pci_bar){.kind = PCI_BAR_MEMORY64, .bytes = 0x1000, .owner = c, .read = memory_read,
                                   .write = memory_write};
    pci_msix_init(&c->msix, &c->f, 4, 2);
}

static int set_up(void **state)
{
    const struct pci_wiring wiring = {.set_irq = wire, .message = message};

    (void)state;
    bus = (struct bus){0};
    memset(level, 0, sizeof level);
    messages = 0;
    assert_int_equal(pci_init(&host, &bus, &wiring), 0);
    card_build(&card);
    card_build(&other);
    assert_int_equal(pci_attach(&host, &card.f, 5), 0);
    return 0;
}

static void address(unsigned slot, unsigned offset)
{
    bus_port_write(&bus, 0xcf8, 4, 0x80000000u | slot << 11 | (offset & 0xfc));
}

static uint32_t get(unsigned slot, unsigned offset, unsigned size)
{
    address(slot, offset);
    return bus_port_read(&bus, 0xcfc + offset % 4, size);
}

static void set(unsigned slot, unsigned offset, unsigned size, uint32_t value)
{
    address(slot, offset);
    bus_port_write(&bus, 0xcfc + offset % 4, size, value);
}

static void mechanism_one_is_found_as_linux_probes_for_it(void **state)
{
    (void)state;
    bus_port_write(&bus, 0xcfb, 1, 1);
    bus_port_write(&bus, 0xcf8, 4, 0x80000000u);
    assert_int_equal(bus_port_read(&bus, 0xcf8, 4), 0x80000000u);
    assert_int_equal(bus_port_read(&bus, 0xcfc, 4), 0x00081b36);
    assert_int_equal(get(0, 0x0a, 2), 0x0600); /* a host bridge: the sanity check */
}

static void nobody_answers_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(get(6, 0, 4), 0xffffffff);
    bus_port_write(&bus, 0xcf8, 4, 0x80010000u | 5 << 11); /* bus 1 */
    assert_int_equal(bus_port_read(&bus, 0xcfc, 4), 0xffffffff);
    bus_port_write(&bus, 0xcf8, 4, 0x80000100u | 5 << 11); /* function 1 */
    assert_int_equal(bus_port_read(&bus, 0xcfc, 4), 0xffffffff);
    bus_port_write(&bus, 0xcf8, 4, 5 << 11); /* not enabled */
    assert_int_equal(bus_port_read(&bus, 0xcfc, 4), 0xffffffff);
    bus_port_write(&bus, 0xcfc, 4, 0);
    assert_int_equal(get(5, 0, 4), 0x10421af4);
}

static void bytes_and_words_reach_their_lanes(void **state)
{
    (void)state;
    assert_int_equal(get(5, 2, 2), 0x1042);
    assert_int_equal(get(5, 1, 1), 0x1a);
    assert_int_equal(get(5, 0x0b, 1), 0x01);
    set(5, 0x3c, 1, 0x42);
    assert_int_equal(get(5, 0x3c, 2), 0x0142);
    address(5, 0);
    assert_int_equal(bus_port_read(&bus, 0xcff, 4) & 0xff, 0xff); /* runs over the register */
}

static void read_only_registers_stay(void **state)
{
    (void)state;
    for (unsigned offset = 0; offset < 256; offset += 4)
        if (offset != 4 && offset != 0x0c && (offset < 0x10 || offset >= 0x28) && offset != 0x3c && offset < 0x40) {
            uint32_t before = get(5, offset, 4);

            set(5, offset, 4, ~before);
            assert_int_equal(get(5, offset, 4), before);
        }
}

static void comes_with_addresses_and_decoding(void **state)
{
    (void)state;
    assert_int_equal(get(5, 4, 2), 7);
    assert_int_equal(get(5, 0x10, 4), PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES);
    assert_int_equal(get(5, 0x14, 4), (PCI_IO_BASE + 5 * PCI_IO_SLOT_BYTES) | 1);
    assert_int_equal(get(5, 0x18, 4), (PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES + 0x4000) | 4);
    assert_int_equal(get(5, 0x3c, 2), 0x0100 | PCI_ISA_IRQ_ODD);
    assert_int_equal(bus_mmio_read(&bus, PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES + 0x123, 4), 0x11223344);
    assert_int_equal(card.last_offset, 0x123);
    assert_int_equal(bus_port_read(&bus, PCI_IO_BASE + 5 * PCI_IO_SLOT_BYTES + 9, 1), 9);
}

static void writing_ones_tells_a_bars_size(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++)
        set(5, 0x10 + 4 * i, 4, 0xffffffff);
    assert_int_equal(get(5, 0x10, 4), 0xffffc000);
    assert_int_equal(get(5, 0x14, 4), 0xffffffe1);
    assert_int_equal(get(5, 0x18, 4), 0xfffff004);
    assert_int_equal(get(5, 0x1c, 4), 0xffffffff);
    assert_int_equal(get(5, 0x20, 4), 0xfffff000); /* MSI-X */
    assert_int_equal(get(5, 0x24, 4), 0);
}

static void a_bar_moves_and_its_old_place_is_free(void **state)
{
    (void)state;
    set(5, 0x10, 4, 0xd0000000);
    assert_true(bus_mmio_claimed(&bus, 0xd0003fff));
    assert_false(bus_mmio_claimed(&bus, 0xd0004000));
    assert_false(bus_mmio_claimed(&bus, PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES));
    set(5, 0x18, 4, 0x00001000);
    set(5, 0x1c, 4, 0x00000080);
    assert_true(bus_mmio_claimed(&bus, 0x8000001000ull));
    set(5, 0x14, 4, 0xfff0);
    assert_int_equal(bus_port_read(&bus, 0xffe4, 1), 4);
}

static void decoding_obeys_the_command_register(void **state)
{
    uint64_t at = PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES;

    (void)state;
    set(5, 4, 2, 1);
    assert_false(bus_mmio_claimed(&bus, at));
    assert_int_equal(bus_port_read(&bus, PCI_IO_BASE + 5 * PCI_IO_SLOT_BYTES, 1), 0);
    set(5, 4, 2, 2);
    assert_true(bus_mmio_claimed(&bus, at));
    assert_int_equal(bus_port_read(&bus, PCI_IO_BASE + 5 * PCI_IO_SLOT_BYTES, 1), 0xff);
}

static void overlapping_bars_leave_the_first_comer_until_it_goes(void **state)
{
    (void)state;
    assert_int_equal(pci_attach(&host, &other.f, 6), 0);
    set(6, 0x10, 4, PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES);
    other.last_offset = card.last_offset = 99;
    bus_mmio_read(&bus, PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES, 4);
    assert_int_equal(card.last_offset, 0);
    assert_int_equal(other.last_offset, 99);
    set(5, 0x10, 4, 0xd0000000);
    bus_mmio_read(&bus, PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES, 4);
    assert_int_equal(other.last_offset, 0);
}

static void a_bar_at_zero_or_over_the_end_decodes_nothing(void **state)
{
    (void)state;
    set(5, 0x10, 4, 0);
    assert_false(bus_mmio_claimed(&bus, 0));
    set(5, 0x18, 4, 0xffffffff);
    set(5, 0x1c, 4, 0xffffffff);
    assert_false(bus_mmio_claimed(&bus, 0xffffffffffffffffull));
    set(5, 0x14, 4, 0x123401);
    assert_int_equal(bus_port_read(&bus, 0x3400, 1), 0xff);
}

static void interrupts_share_wires_by_slot(void **state)
{
    (void)state;
    assert_int_equal(pci_attach(&host, &other.f, 9), 0);
    pci_interrupt(&card.f, true);
    assert_true(level[17] && level[10] && !level[11] && !level[16]);
    assert_int_equal(get(5, 6, 2) & 8, 8);
    pci_interrupt(&other.f, true);
    pci_interrupt(&card.f, false);
    assert_true(level[17] && level[10]);
    pci_interrupt(&other.f, false);
    assert_false(level[17] || level[10]);
}

static void interrupt_disable_hides_but_does_not_forget(void **state)
{
    (void)state;
    pci_interrupt(&card.f, true);
    set(5, 4, 2, 0x407);
    assert_false(level[17]);
    assert_int_equal(get(5, 6, 2) & 8, 8);
    set(5, 4, 2, 7);
    assert_true(level[17]);
}

static void slots_run_out_and_come_back(void **state)
{
    static struct card many[PCI_SLOTS];

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        card_build(&many[i]);
        many[i].f.bar[0].kind = many[i].f.bar[1].kind = many[i].f.bar[2].kind = PCI_BAR_NONE;
        assert_int_equal(pci_attach(&host, &many[i].f, 0), 0);
    }
    assert_int_equal(many[3].f.slot, 4);
    assert_int_equal(many[4].f.slot, 6);
    assert_int_equal(pci_attach(&host, &other.f, 0), -ENOSPC);
    assert_int_equal(pci_attach(&host, &other.f, 5), -EEXIST);
    assert_int_equal(pci_attach(&host, &other.f, 32), -ENOSPC);
    pci_interrupt(&card.f, true);
    pci_detach(&card.f);
    pci_detach(&card.f);
    assert_false(level[17]);
    assert_false(bus_mmio_claimed(&bus, PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES));
    assert_int_equal(pci_attach(&host, &other.f, 0), 0);
    assert_int_equal(other.f.slot, 5);
}

static void reset_puts_addresses_back(void **state)
{
    (void)state;
    assert_int_equal(pci_attach(&host, &other.f, 6), 0);
    set(6, 0x10, 4, 0xd0000000);
    set(5, 0x10, 4, PCI_MEMORY_BASE + 6 * PCI_MEMORY_SLOT_BYTES); /* sits where 6 will come back to */
    set(5, 4, 2, 0x402);
    pci_interrupt(&card.f, true);
    pci_reset(&host);
    assert_int_equal(get(5, 0x10, 4), PCI_MEMORY_BASE + 5 * PCI_MEMORY_SLOT_BYTES);
    assert_int_equal(get(5, 4, 2), 7);
    assert_int_equal(card.resets, 2);
    assert_false(level[17]);
    bus_mmio_read(&bus, PCI_MEMORY_BASE + 6 * PCI_MEMORY_SLOT_BYTES + 8, 4);
    assert_int_equal(other.last_offset, 8);
}

static unsigned msix_capability(void)
{
    unsigned at = get(5, 0x34, 1);

    assert_int_equal(get(5, 6, 2) & 0x10, 0x10);
    while (at && get(5, at, 1) != 0x11)
        at = get(5, at + 1, 1);
    assert_int_not_equal(at, 0);
    return at;
}

static void msix_sends_what_its_table_says(void **state)
{
    unsigned at = msix_capability();
    uint64_t table = get(5, 0x20, 4);

    (void)state;
    assert_int_equal(get(5, at + 2, 2), 1); /* two vectors */
    assert_int_equal(get(5, at + 4, 4), 4); /* in BAR 4 */
    bus_mmio_write(&bus, table + 16, 4, 0xfee01000);
    bus_mmio_write(&bus, table + 24, 4, 0x41);
    set(5, at + 2, 2, 0x8000);
    assert_true(pci_msix_enabled(&card.msix));
    pci_msix_raise(&card.msix, 1); /* still masked in its entry */
    assert_int_equal(messages, 0);
    assert_int_equal(bus_mmio_read(&bus, table + 0x800, 4), 2);
    bus_mmio_write(&bus, table + 28, 4, 0);
    assert_int_equal(messages, 1);
    assert_int_equal(message_address, 0xfee01000);
    assert_int_equal(message_data, 0x41);
    assert_int_equal(bus_mmio_read(&bus, table + 0x800, 4), 0);
    set(5, at + 2, 2, 0xc000); /* all masked */
    pci_msix_raise(&card.msix, 1);
    assert_int_equal(messages, 1);
    set(5, at + 2, 2, 0x8000);
    pci_msix_written(&card.msix);
    assert_int_equal(messages, 2);
    pci_msix_raise(&card.msix, 2);
    pci_msix_raise(&card.msix, PCI_MSIX_NONE);
    assert_int_equal(messages, 2);
}

static void msix_table_ends_where_it_ends(void **state)
{
    uint64_t table = get(5, 0x20, 4);

    (void)state;
    bus_mmio_write(&bus, table + 8, 8, 0x0000000100000055ull);
    assert_int_equal(bus_mmio_read(&bus, table + 8, 8), 0x0000000100000055ull);
    for (unsigned offset = 32; offset < 0x1000; offset += 4) {
        bus_mmio_write(&bus, table + offset, 4, 0xffffffff);
        assert_int_equal(bus_mmio_read(&bus, table + offset, 4), 0);
    }
    assert_int_equal(bus_mmio_read(&bus, table + 9, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(mechanism_one_is_found_as_linux_probes_for_it, set_up),
        cmocka_unit_test_setup(nobody_answers_elsewhere, set_up),
        cmocka_unit_test_setup(bytes_and_words_reach_their_lanes, set_up),
        cmocka_unit_test_setup(read_only_registers_stay, set_up),
        cmocka_unit_test_setup(comes_with_addresses_and_decoding, set_up),
        cmocka_unit_test_setup(writing_ones_tells_a_bars_size, set_up),
        cmocka_unit_test_setup(a_bar_moves_and_its_old_place_is_free, set_up),
        cmocka_unit_test_setup(decoding_obeys_the_command_register, set_up),
        cmocka_unit_test_setup(overlapping_bars_leave_the_first_comer_until_it_goes, set_up),
        cmocka_unit_test_setup(a_bar_at_zero_or_over_the_end_decodes_nothing, set_up),
        cmocka_unit_test_setup(interrupts_share_wires_by_slot, set_up),
        cmocka_unit_test_setup(interrupt_disable_hides_but_does_not_forget, set_up),
        cmocka_unit_test_setup(slots_run_out_and_come_back, set_up),
        cmocka_unit_test_setup(reset_puts_addresses_back, set_up),
        cmocka_unit_test_setup(msix_sends_what_its_table_says, set_up),
        cmocka_unit_test_setup(msix_table_ends_where_it_ends, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
