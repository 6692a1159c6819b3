#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/device/pic.h"

static struct bus bus;
static struct pic pic;
static unsigned changes;

static void changed(void *context)
{
    (void)context;
    changes++;
}

static void out(uint16_t port, uint8_t value)
{
    bus_port_write(&bus, port, 1, value);
}

static uint8_t in(uint16_t port)
{
    return bus_port_read(&bus, port, 1);
}

/* as every PC's software does it: vectors 20H and 28H, everything unmasked */
static int begin(void **state)
{
    (void)state;
    bus_init(&bus);
    pic_init(&pic, &bus, changed, NULL);
    changes = 0;
    out(0x20, 0x11), out(0x21, 0x20), out(0x21, 0x04), out(0x21, 0x01);
    out(0xa0, 0x11), out(0xa1, 0x28), out(0xa1, 0x02), out(0xa1, 0x01);
    out(0x21, 0), out(0xa1, 0);
    return 0;
}

static void an_edge_is_served_once_until_the_next(void **state)
{
    (void)state;
    pic_set(&pic, 4, true);
    assert_true(pic.output);
    assert_int_equal(changes, 1);
    assert_int_equal(pic_acknowledge(&pic), 0x24);
    assert_false(pic.output);
    out(0x20, 0x20);
    assert_false(pic.output); /* still high, but no new edge */
    pic_set(&pic, 4, false);
    pic_set(&pic, 4, true);
    assert_true(pic.output);
}

static void lower_numbers_interrupt_higher_ones_but_not_the_reverse(void **state)
{
    (void)state;
    pic_set(&pic, 4, true);
    pic_acknowledge(&pic);
    pic_set(&pic, 6, true);
    assert_false(pic.output);
    pic_set(&pic, 1, true);
    assert_int_equal(pic_acknowledge(&pic), 0x21);
    out(0x20, 0x0b);
    assert_int_equal(in(0x20), 0x12); /* ISR */
    out(0x20, 0x0a);
    assert_int_equal(in(0x20), 0x40); /* IRR */
    out(0x20, 0x20); /* ends 1 */
    assert_false(pic.output);
    out(0x20, 0x64); /* specific: ends 4 */
    assert_int_equal(pic_acknowledge(&pic), 0x26);
}

static void the_slave_comes_through_input_2(void **state)
{
    (void)state;
    pic_set(&pic, 14, true);
    pic_set(&pic, 8, true);
    assert_int_equal(pic_acknowledge(&pic), 0x28);
    assert_false(pic.output);
    out(0xa0, 0x20);
    assert_false(pic.output); /* the master's input 2 is still in service */
    out(0x20, 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x2e);
}

static void special_fully_nested_mode_lets_the_slave_interrupt_itself(void **state)
{
    (void)state;
    out(0x20, 0x11), out(0x21, 0x20), out(0x21, 0x04), out(0x21, 0x11), out(0x21, 0);
    pic_set(&pic, 12, true);
    assert_int_equal(pic_acknowledge(&pic), 0x2c);
    pic_set(&pic, 9, true);
    assert_true(pic.output);
    assert_int_equal(pic_acknowledge(&pic), 0x29);
}

static void masked_inputs_wait(void **state)
{
    (void)state;
    out(0x21, 0x08);
    pic_set(&pic, 3, true);
    assert_false(pic.output);
    assert_int_equal(in(0x21), 0x08);
    out(0x21, 0);
    assert_int_equal(pic_acknowledge(&pic), 0x23);
}

static void a_request_that_goes_away_is_spurious(void **state)
{
    (void)state;
    pic_set(&pic, 3, true);
    pic_set(&pic, 3, false);
    assert_false(pic.output);
    assert_int_equal(pic_acknowledge(&pic), 0x27);
    out(0x20, 0x0b);
    assert_int_equal(in(0x20), 0);
}

static void a_level_is_served_as_long_as_it_lasts(void **state)
{
    (void)state;
    bus_port_write(&bus, 0x4d0, 2, 0xffff);
    assert_int_equal(bus_port_read(&bus, 0x4d0, 2), 0xdef8); /* some inputs are edges for ever */
    pic_set(&pic, 11, true);
    assert_int_equal(pic_acknowledge(&pic), 0x2b);
    out(0xa0, 0x20), out(0x20, 0x20);
    assert_true(pic.output);
    assert_int_equal(pic_acknowledge(&pic), 0x2b);
    pic_set(&pic, 11, false);
    out(0xa0, 0x20), out(0x20, 0x20);
    assert_false(pic.output);
}

static void rotation_gives_the_served_input_the_lowest_priority(void **state)
{
    (void)state;
    pic_set(&pic, 3, true);
    pic_acknowledge(&pic);
    out(0x20, 0xa0); /* rotate on non-specific EOI */
    pic_set(&pic, 3, false);
    pic_set(&pic, 3, true);
    pic_set(&pic, 4, true);
    assert_int_equal(pic_acknowledge(&pic), 0x24);
    out(0x20, 0x20);
    assert_int_equal(pic_acknowledge(&pic), 0x23);
    out(0x20, 0xc0 | 7); /* set priority: 7 is the lowest, as at first */
    out(0x20, 0x20);
    pic_set(&pic, 0, true), pic_set(&pic, 7, true);
    assert_int_equal(pic_acknowledge(&pic), 0x20);
}

static void automatic_end_of_interrupt_leaves_nothing_in_service(void **state)
{
    (void)state;
    out(0x20, 0x11), out(0x21, 0x20), out(0x21, 0x04), out(0x21, 0x03), out(0x21, 0);
    pic_set(&pic, 5, true), pic_set(&pic, 6, true);
    assert_int_equal(pic_acknowledge(&pic), 0x25);
    assert_true(pic.output);
    out(0x20, 0x0b);
    assert_int_equal(in(0x20), 0);
    out(0x20, 0x80); /* rotate in automatic EOI mode */
    assert_int_equal(pic_acknowledge(&pic), 0x26);
    pic_set(&pic, 6, false), pic_set(&pic, 6, true);
    pic_set(&pic, 7, true);
    assert_int_equal(pic_acknowledge(&pic), 0x27);
}

static void special_mask_mode_lets_lower_priorities_through(void **state)
{
    (void)state;
    pic_set(&pic, 1, true);
    pic_acknowledge(&pic);
    pic_set(&pic, 5, true);
    assert_false(pic.output);
    out(0x21, 0x02);
    assert_false(pic.output);
    out(0x20, 0x68);
    assert_true(pic.output);
    out(0x20, 0x48);
    assert_false(pic.output);
}

static void polling_acknowledges_without_a_vector(void **state)
{
    (void)state;
    out(0x20, 0x0c);
    assert_int_equal(in(0x20), 0);
    pic_set(&pic, 4, true);
    out(0x20, 0x0c);
    assert_int_equal(in(0x20), 0x84);
    assert_false(pic.output);
    out(0x20, 0x20);
    pic_set(&pic, 10, true);
    out(0xa0, 0x0c);
    assert_int_equal(in(0xa0), 0x82);
    assert_false(pic.output);
}

static void initialisation_takes_as_many_words_as_icw1_says(void **state)
{
    (void)state;
    out(0x20, 0x12), out(0x21, 0x50); /* single, no ICW4 */
    out(0x21, 0xf0);                  /* so this is the mask */
    assert_int_equal(in(0x21), 0xf0);
    pic_set(&pic, 1, true);
    assert_int_equal(pic_acknowledge(&pic), 0x51);
    out(0x20, 0x11);
    assert_int_equal(in(0x21), 0);
    assert_false(pic.output); /* the edge is forgotten */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_edge_is_served_once_until_the_next, begin),
        cmocka_unit_test_setup(lower_numbers_interrupt_higher_ones_but_not_the_reverse, begin),
        cmocka_unit_test_setup(the_slave_comes_through_input_2, begin),
        cmocka_unit_test_setup(special_fully_nested_mode_lets_the_slave_interrupt_itself, begin),
        cmocka_unit_test_setup(masked_inputs_wait, begin),
        cmocka_unit_test_setup(a_request_that_goes_away_is_spurious, begin),
        cmocka_unit_test_setup(a_level_is_served_as_long_as_it_lasts, begin),
        cmocka_unit_test_setup(rotation_gives_the_served_input_the_lowest_priority, begin),
        cmocka_unit_test_setup(automatic_end_of_interrupt_leaves_nothing_in_service, begin),
        cmocka_unit_test_setup(special_mask_mode_lets_lower_priorities_through, begin),
        cmocka_unit_test_setup(polling_acknowledges_without_a_vector, begin),
        cmocka_unit_test_setup(initialisation_takes_as_many_words_as_icw1_says, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
