/* The device for kernels under test, through the bus of a machine that has everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cp/device/machine.h"
#include "tests/unit/fake/clock.h"

enum { RAM = 64 << 20, FRAMES = 64, MEMORY_PAGES = 16, VECTOR_BASE = 0x20, EOI = 0x20 };
#define MEMORY 0xFF000000u

static struct machine machine;
static struct guest_storage storage;

static void event(void *context, enum machine_event what, uint32_t detail) { (void)context, (void)what, (void)detail; }
static uint64_t tsc(void *context, uint64_t now) { return (void)context, now; }
static unsigned take_output(void *context, unsigned n, const uint8_t *bytes, unsigned count)
{
    return (void)context, (void)n, (void)bytes, count;
}

static void out(uint16_t port, unsigned size, uint32_t value) { bus_port_write(&machine.bus, port, size, value); }
static uint32_t in(uint16_t port, unsigned size) { return bus_port_read(&machine.bus, port, size); }
static void store(uint64_t at, unsigned size, uint64_t value) { bus_mmio_write(&machine.bus, at, size, value); }
static uint64_t load(uint64_t at, unsigned size) { return bus_mmio_read(&machine.bus, at, size); }

static int give_frames(void **state)
{
    static _Alignas(PAGE_SIZE) uint8_t frames[FRAMES * PAGE_SIZE];

    (void)state;
    frame_add(frame_address(frames), sizeof frames);
    return 0;
}

static int begin(void **state)
{
    static const struct machine_host host = {&machine, event, take_output, tsc, 40, NULL};
    static const struct machine_config everything = {.uarts = MACHINE_UARTS, .grants = ~0u};

    (void)state;
    fake_clock_reset(1000000000);
    guest_storage_init(&storage, RAM, 0);
    machine_init(&machine, &host, &storage, &everything);
    machine_reset(&machine);
    return 0;
}

static int end(void **state)
{
    (void)state;
    machine_free(&machine);
    return storage.account.frames ? -1 : 0;
}

static void four_bytes_keep_what_is_stored_in_any_size_and_place(void **state)
{
    (void)state;
    assert_int_equal(in(0xE0, 4), 0);
    out(0xE0, 4, 0x44332211);
    assert_int_equal(in(0xE0, 4), 0x44332211);
    assert_int_equal(in(0xE1, 2), 0x3322);
    assert_int_equal(in(0xE3, 1), 0x44);
    out(0xE2, 1, 0xAA);
    out(0xE0, 2, 0xCCBB);
    assert_int_equal(in(0xE0, 4), 0x44AACCBB);
    assert_int_equal(in(0xE3, 4), 0x44); /* beyond there is nothing */
    out(0xE3, 4, 0x01020355);
    assert_int_equal(in(0xE0, 4), 0x55AACCBB);
}

/* The second of them is the debug console's, which says its own number. */
static void the_same_bytes_are_reached_one_by_one_but_for_one(void **state)
{
    (void)state;
    out(0xE0, 4, 0x44332211);
    assert_int_equal(in(0xE8, 1), 0x11);
    assert_int_equal(in(0xE9, 1), 0xE9);
    assert_int_equal(in(0xE8, 4), 0x4433E911);
    out(0xEA, 2, 0x8877);
    assert_int_equal(in(0xE0, 4), 0x88772211);
}

static void a_page_to_be_translated_anew_changes_nothing(void **state)
{
    (void)state;
    out(0xE0, 4, 0x44332211);
    out(0xE4, 4, 0x5000);
    assert_int_equal(in(0xE4, 4), 0);
    assert_int_equal(in(0xE0, 4), 0x44332211);
}

static void controllers_on(void)
{
    out(0x20, 1, 0x11), out(0x21, 1, VECTOR_BASE), out(0x21, 1, 4), out(0x21, 1, 1), out(0x21, 1, 0);
    out(0xA0, 1, 0x11), out(0xA1, 1, VECTOR_BASE + 8), out(0xA1, 1, 2), out(0xA1, 1, 1), out(0xA1, 1, 0);
}

static void a_program_holds_every_isa_interrupt_it_wants(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 16; n++) {
        if (n == 2) /* the slave's wire */
            continue;
        controllers_on();
        out((uint16_t)(0x2000 + n), 1, 1);
        assert_int_equal(in((uint16_t)(0x2000 + n), 1), 0);
        assert_true(machine_interrupt_pending(&machine));
        assert_int_equal(machine_interrupt_acknowledge(&machine), VECTOR_BASE + n);
        out(0xA0, 1, EOI), out(0x20, 1, EOI);
        out((uint16_t)(0x2000 + n), 1, 7); /* is held already: no other edge, and PCI's two are levels */
        assert_int_equal(machine_interrupt_pending(&machine), n == PCI_ISA_IRQ_EVEN || n == PCI_ISA_IRQ_ODD);
        out((uint16_t)(0x2000 + n), 1, 0);
        assert_false(machine_interrupt_pending(&machine));
    }
}

static void a_reset_lets_go_of_what_was_held(void **state)
{
    (void)state;
    controllers_on();
    out(0x2003, 1, 1), out(0xE0, 4, ~0u), store(MEMORY, 8, ~0ull);
    assert_int_equal(machine_interrupt_acknowledge(&machine), VECTOR_BASE + 3);
    machine_reset(&machine);
    controllers_on();
    assert_false(machine_interrupt_pending(&machine));
    assert_int_equal(in(0xE0, 4) | load(MEMORY, 8), 0);
    assert_int_equal(storage.account.frames, 0);
    out(0x2003, 1, 1);
    assert_int_equal(machine_interrupt_acknowledge(&machine), VECTOR_BASE + 3);
}

static void its_memory_keeps_what_is_stored_across_pages_to_its_end(void **state)
{
    (void)state;
    assert_int_equal(load(MEMORY + 0x1234, 8), 0);
    assert_int_equal(storage.account.frames, 0); /* until something is stored */
    store(MEMORY + 0x1FFC, 8, 0x8877665544332211);
    assert_true(load(MEMORY + 0x1FFC, 8) == 0x8877665544332211);
    assert_int_equal(load(MEMORY + 0x1FFE, 2), 0x4433);
    assert_int_equal(load(MEMORY + 0x2000, 4), 0x88776655);
    store(MEMORY + 0xFFFF, 1, 0x99);
    assert_int_equal(load(MEMORY + 0xFFFF, 1), 0x99);
    assert_int_equal(storage.account.frames, 3);
    assert_true(bus_mmio_claimed(&machine.bus, MEMORY + 0xFFFF));
    assert_false(bus_mmio_claimed(&machine.bus, MEMORY + 0x10000));
}

static void a_store_for_which_there_is_no_frame_is_lost_alone(void **state)
{
    (void)state;
    storage.account.limit = 1;
    store(MEMORY, 4, 0x11111111);
    store(MEMORY + 0x1000, 4, 0x22222222);
    assert_int_equal(load(MEMORY, 4), 0x11111111);
    assert_int_equal(load(MEMORY + 0x1000, 4), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(four_bytes_keep_what_is_stored_in_any_size_and_place),
        TEST(the_same_bytes_are_reached_one_by_one_but_for_one),
        TEST(a_page_to_be_translated_anew_changes_nothing),
        TEST(a_program_holds_every_isa_interrupt_it_wants),
        TEST(a_reset_lets_go_of_what_was_held),
        TEST(its_memory_keeps_what_is_stored_across_pages_to_its_end),
        TEST(a_store_for_which_there_is_no_frame_is_lost_alone),
    };
    return cmocka_run_group_tests(tests, give_frames, NULL);
}
