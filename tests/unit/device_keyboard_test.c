/* The 8042 without a keyboard, and what software that looks for one finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cp/device/keyboard.h"

static struct bus bus;
static struct keyboard keyboard;

static void reset(void *context) { (void)context; }

static void out(uint16_t port, uint8_t value) { bus_port_write(&bus, port, 1, value); }
static uint8_t in(uint16_t port) { return (uint8_t)bus_port_read(&bus, port, 1); }

static int begin(void **state)
{
    (void)state;
    bus_init(&bus);
    keyboard_init(&keyboard, &bus, reset, NULL);
    return 0;
}

static void the_keyboard_controller_answers_its_tests(void **state)
{
    (void)state;
    assert_int_equal(in(0x64) & 3, 0);
    out(0x64, 0xaa);
    assert_int_equal(in(0x64) & 1, 1);
    assert_int_equal(in(0x60), 0x55);
    assert_int_equal(in(0x64) & 1, 0);
    out(0x64, 0x60), out(0x60, 0x47);
    out(0x64, 0x20);
    assert_int_equal(in(0x60), 0x47);
    out(0x64, 0xab);
    assert_int_equal(in(0x60), 0);
    out(0x64, 0xd0);
    assert_int_equal(in(0x60) & 2, 2); /* A20 is open */
}

static void the_keyboard_controller_says_which_of_its_ports_was_written_last(void **state)
{
    (void)state;
    assert_int_equal(in(0x64) & 8, 8);
    out(0x60, 0xf4);
    assert_int_equal(in(0x64) & 8, 0);
    out(0x64, 0xad);
    assert_int_equal(in(0x64) & 8, 8);
    out(0x64, 0x60);
    assert_int_equal(in(0x64) & 8, 8);
    out(0x60, 0x47);
    assert_int_equal(in(0x64) & 8, 0);
    out(0x64, 0x20), in(0x60);
    assert_int_equal(in(0x64) & 8, 8);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_keyboard_controller_answers_its_tests),
        TEST(the_keyboard_controller_says_which_of_its_ports_was_written_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
