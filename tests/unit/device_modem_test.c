/* The modem of a UART: who is there, and who hangs up. */
#include "tests/unit/uart_scene.h"

static int set_up(void **state)
{
    (void)state;
    return wire_up(false);
}

static void nobody_is_there_until_somebody_calls_and_the_guest_is_told(void **state)
{
    (void)state;
    assert_int_equal(in(MSR), 0x10);
    out(IER, 0x08);
    out(MCR, 0x01);
    assert_false(line.level);
    uart_carrier(&uart, true);
    assert_true(line.level);
    assert_int_equal(in(IIR) & 0x0f, 0x00);
    assert_int_equal(in(MSR), 0xba); /* DSR and DCD, and both have changed */
    assert_false(line.level);
    assert_int_equal(in(MSR), 0xb0);
    uart_carrier(&uart, true);
    assert_false(line.level);
    uart_carrier(&uart, false);
    assert_true(line.level);
    assert_int_equal(in(MSR), 0x1a);
    assert_int_equal(line.hung_up, 0);
}

static void somebody_who_came_and_left_and_another_show_as_a_change(void **state)
{
    (void)state;
    out(IER, 0x08);
    uart_carrier(&uart, true);
    in(MSR);
    uart_carrier(&uart, false);
    uart_carrier(&uart, true);
    assert_int_equal(in(MSR), 0xba);
}

static void what_one_typed_is_not_read_as_anothers(void **state)
{
    (void)state;
    out(FCR, 0x01);
    out(IER, 0x09);
    uart_carrier(&uart, true);
    in(MSR);
    type("first");
    uart_carrier(&uart, false);
    assert_int_equal(in(RBR), 'f'); /* what came before they left may still be read */
    uart_carrier(&uart, true);
    assert_int_equal(in(LSR), 0x60);
    in(MSR);
    type("second");
    assert_int_equal(in(RBR), 's');
}

static void nothing_is_received_until_the_guest_has_looked_who_is_there(void **state)
{
    (void)state;
    out(IER, 0x09);
    uart_carrier(&uart, true);
    assert_true(uart_must_look(&uart));
    assert_int_equal(uart_receive(&uart, (const uint8_t *)"a", 1), 0);
    in(MSR);
    assert_int_equal(line.room_calls, 1);
    assert_false(uart_must_look(&uart));
    type("a");
    in(RBR);
    uart_carrier(&uart, false);
    uart_carrier(&uart, true);
    assert_int_equal(uart_receive(&uart, (const uint8_t *)"b", 1), 0);
    out(IER, 0x01); /* it does not want to know */
    assert_int_equal(line.room_calls, 3);
    type("b");
}

static void one_that_asks_for_no_interrupt_of_its_modem_receives_at_once(void **state)
{
    (void)state;
    out(IER, 0x01);
    uart_carrier(&uart, true);
    type("a");
    assert_int_equal(in(RBR), 'a');
}

static void dtr_takes_calls_and_whoever_drops_it_hangs_up(void **state)
{
    (void)state;
    assert_false(uart_takes_calls(&uart));
    out(MCR, 0x0b);
    assert_true(uart_takes_calls(&uart));
    uart_carrier(&uart, true);
    out(MCR, 0x09);
    assert_int_equal(line.hung_up, 0);
    out(MCR, 0x08);
    assert_int_equal(line.hung_up, 1);
    out(MCR, 0x08);
    assert_int_equal(line.hung_up, 1);
    out(MCR, 0x01);
    out(MCR, 0x11); /* in loopback the pin is inactive */
    assert_int_equal(line.hung_up, 2);
    assert_false(uart_takes_calls(&uart));
    out(MCR, 0x01);
    uart_reset(&uart);
    assert_int_equal(line.hung_up, 3);
    uart_reset(&uart);
    assert_int_equal(line.hung_up, 3);
    assert_int_equal(in(MSR), 0xb0); /* who has hung up says so, not the chip */
}

static void in_loopback_the_modem_shows_what_the_guest_drives_and_afterwards_who_is_there(void **state)
{
    (void)state;
    out(MCR, 0x10);
    in(MSR);
    uart_carrier(&uart, true);
    assert_int_equal(in(MSR), 0x00);
    out(MCR, 0x00);
    assert_int_equal(in(MSR) & 0xf0, 0xb0);
}

static void what_was_written_to_one_who_has_left_is_no_longer_in_the_transmitter(void **state)
{
    (void)state;
    uart_carrier(&uart, true);
    line.room = 0;
    out(THR, 'x');
    assert_int_equal(in(LSR), 0x00);
    line.room = 10; /* the host swallows what is for nobody */
    uart_carrier(&uart, false);
    assert_int_equal(in(LSR), 0x60);
}

/* A terminal that is always there has no modem to look at. */
static void a_terminal_is_heard_whatever_the_guest_has_looked_at(void **state)
{
    (void)state;
    wire_up(true);
    out(IER, 0x08);
    out(MCR, 0x10);
    out(MCR, 0x00);
    assert_false(uart_must_look(&uart));
    type("a");
}

static void it_rings_and_tells_once(void **state)
{
    (void)state;
    out(IER, 0x08);
    uart_ring(&uart);
    assert_true(line.level);
    assert_int_equal(in(MSR), 0x14);
    assert_false(line.level);
    type("a"); /* it says nothing of who is there */
    out(MCR, 0x10);
    in(MSR);
    uart_ring(&uart);
    assert_int_equal(in(MSR), 0x00);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_there_until_somebody_calls_and_the_guest_is_told),
        TEST(somebody_who_came_and_left_and_another_show_as_a_change),
        TEST(what_one_typed_is_not_read_as_anothers),
        TEST(nothing_is_received_until_the_guest_has_looked_who_is_there),
        TEST(one_that_asks_for_no_interrupt_of_its_modem_receives_at_once),
        TEST(dtr_takes_calls_and_whoever_drops_it_hangs_up),
        TEST(in_loopback_the_modem_shows_what_the_guest_drives_and_afterwards_who_is_there),
        TEST(what_was_written_to_one_who_has_left_is_no_longer_in_the_transmitter),
        TEST(it_rings_and_tells_once),
        TEST(a_terminal_is_heard_whatever_the_guest_has_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
