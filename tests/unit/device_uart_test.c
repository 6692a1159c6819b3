#include "tests/unit/uart_scene.h"

static int set_up(void **state)
{
    (void)state;
    return wire_up(true);
}

static void comes_up_idle_and_ready_to_transmit(void **state)
{
    (void)state;
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(IIR), 0x01);
    assert_int_equal(in(IER), 0);
    assert_int_equal(in(MSR), 0xb0);
    assert_false(line.level);
}

static void looks_like_a_16550a_to_a_probing_driver(void **state)
{
    (void)state;
    out(SCR, 0x5a);
    assert_int_equal(in(SCR), 0x5a);
    out(IER, 0xff);
    assert_int_equal(in(IER), 0x0f);
    out(IER, 0);
    out(FCR, 0x01);
    assert_int_equal(in(IIR) >> 6, 3);
    out(FCR, 0);
    assert_int_equal(in(IIR) >> 6, 0);
    out(MCR, 0xff);
    assert_int_equal(in(MCR), 0x1f);
}

static void loopback_joins_modem_outputs_to_inputs_and_bytes_to_the_receiver(void **state)
{
    (void)state;
    out(MCR, 0x10 | 0x0a); /* as Linux probes: RTS and OUT2 */
    assert_int_equal(in(MSR) & 0xf0, 0x90);
    assert_int_equal(in(MSR) & 0x0f, 0); /* deltas are read once */
    out(THR, 'x');
    assert_int_equal(line.count, 0);
    assert_int_equal(in(LSR), 0x61);
    assert_int_equal(in(RBR), 'x');
    assert_int_equal(uart_receive(&uart, (const uint8_t *)"a", 1), 0);
    out(MCR, 0);
    assert_int_equal(line.room_calls, 2); /* the receiver was read empty; it is joined to the line again */
    assert_int_equal(uart_receive(&uart, (const uint8_t *)"a", 1), 1);
}

static void the_ring_indicator_counts_when_it_ends(void **state)
{
    (void)state;
    out(MCR, 0x10);
    in(MSR);
    out(MCR, 0x14); /* OUT1 is RI */
    assert_int_equal(in(MSR), 0x40);
    out(IER, 0x08);
    out(MCR, 0x10);
    assert_true(line.level);
    assert_int_equal(in(IIR), 0x00);
    assert_int_equal(in(MSR), 0x04);
    assert_false(line.level);
}

static void a_loopback_overrun_is_reported_once(void **state)
{
    (void)state;
    out(MCR, 0x10);
    out(IER, 0x04);
    out(THR, '1');
    out(THR, '2');
    assert_true(line.level);
    assert_int_equal(in(IIR), 0x06);
    assert_int_equal(in(LSR), 0x63);
    assert_int_equal(in(LSR), 0x61);
    assert_false(line.level);
}

static void of_an_overrun_the_new_byte_is_kept_without_fifos_and_the_old_with_them(void **state)
{
    (void)state;
    out(MCR, 0x10);
    out(THR, '1');
    out(THR, '2');
    assert_int_equal(in(RBR), '2');
    assert_int_equal(in(LSR), 0x62);
    out(FCR, 1);
    for (unsigned i = 0; i < 17; i++)
        out(THR, (uint8_t)('a' + i));
    assert_int_equal(in(LSR), 0x63);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(in(RBR), 'a' + i);
    assert_int_equal(in(LSR), 0x60);
}

static void loopback_interrupts_for_a_byte_while_the_host_is_full(void **state)
{
    (void)state;
    line.room = 0;
    out(THR, 'a'); /* is held */
    out(IER, 1);
    out(MCR, 0x10);
    assert_false(line.level);
    out(THR, 'b');
    assert_true(line.level);
    assert_int_equal(bus_port_read(&bus, RBR, 1), 'b');
    assert_false(line.level);
    line.room = 8;
    uart_output_ready(&uart);
    assert_int_equal(line.count, 1);
    assert_int_equal(line.sent[0], 'a');
}

static void divisor_latch_hides_the_data_registers(void **state)
{
    (void)state;
    out(LCR, 0x83);
    out(THR, 0x01);
    out(IER, 0x02);
    assert_int_equal(in(RBR), 1);
    assert_int_equal(in(IER), 2);
    out(LCR, 0x03);
    assert_int_equal(line.count, 0);
    assert_int_equal(in(IER), 0);
}

static void bytes_go_out_in_order(void **state)
{
    (void)state;
    for (const char *c = "Ready;"; *c; c++)
        out(THR, *c);
    assert_int_equal(line.count, 6);
    assert_memory_equal(line.sent, "Ready;", 6);
    assert_int_equal(in(LSR), 0x60);
}

static void a_full_host_holds_the_transmitter_and_loses_nothing(void **state)
{
    (void)state;
    out(FCR, 1);
    line.room = 2;
    for (unsigned i = 0; i < 10; i++)
        out(THR, '0' + i);
    assert_int_equal(line.count, 2);
    assert_int_equal(in(LSR), 0);
    line.room = 3;
    uart_output_ready(&uart);
    assert_int_equal(in(LSR), 0);
    out(FCR, 0x05); /* a driver that starts over does not take back what it sent */
    line.room = 100;
    uart_output_ready(&uart);
    assert_int_equal(line.count, 10);
    assert_memory_equal(line.sent, "0123456789", 10);
    assert_int_equal(in(LSR), 0x60);
}

static void back_pressure_ends_with_the_transmit_interrupt(void **state)
{
    (void)state;
    out(IER, 0x02);
    assert_int_equal(in(IIR), 0x02);
    line.room = 0;
    out(THR, 'a');
    assert_false(line.level);
    line.room = 1;
    uart_output_ready(&uart);
    assert_true(line.level);
    assert_int_equal(in(IIR), 0x02);
    assert_false(line.level);
}

static void every_byte_sent_is_a_new_edge(void **state)
{
    (void)state;
    out(IER, 0x02);
    assert_int_equal(line.edges, 1);
    out(THR, 'a');
    out(THR, 'b');
    assert_int_equal(line.edges, 3);
}

static void enabling_the_transmit_interrupt_again_asks_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* the sequence of Linux's test for a chip that does not */
        out(IER, 0x02);
        assert_int_equal(in(IIR), 0x02);
        assert_int_equal(in(IIR), 0x01);
        out(IER, 0x02); /* it was enabled already */
        assert_int_equal(in(IIR), 0x01);
        out(IER, 0);
    }
}

static void reading_identity_resets_only_the_transmit_interrupt_it_named(void **state)
{
    (void)state;
    out(IER, 0x03);
    type("x");
    assert_int_equal(in(IIR), 0x04); /* receive goes before transmit */
    assert_int_equal(in(RBR), 'x');
    assert_int_equal(in(IIR), 0x02);
    assert_int_equal(in(IIR), 0x01);
}

static void receiver_takes_sixteen_with_fifos_and_one_without(void **state)
{
    const uint8_t text[20] = "0123456789abcdefghi";

    (void)state;
    assert_int_equal(uart_receive(&uart, text, 20), 1);
    out(FCR, 1);
    assert_int_equal(in(LSR) & 1, 1); /* switching FIFOs empties them, and what was not read comes again */
    assert_int_equal(in(RBR), '0');
    assert_int_equal(in(LSR) & 1, 0);
    assert_int_equal(uart_receive_room(&uart), 16);
    assert_int_equal(uart_receive(&uart, text, 20), 16);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(in(LSR) & 1, 1);
        assert_int_equal(in(RBR), text[i]);
    }
    assert_int_equal(in(LSR) & 1, 0);
    assert_int_equal(in(RBR), 0);
}

static void what_came_before_the_driver_started_is_not_lost(void **state)
{
    (void)state;
    type("Q"); /* typed ahead: CMS starts with FIFOs on, both cleared, then interrupts */
    out(FCR, 0xc7);
    assert_int_equal(line.room_calls, 0);
    assert_int_equal(uart_receive_room(&uart), 15);
    type("UERY");
    out(FCR, 0xc7);
    out(IER, 0x01);
    assert_true(line.level);
    for (const char *c = "QUERY"; *c; c++)
        assert_int_equal(in(RBR), *c);
    assert_int_equal(in(LSR) & 1, 0);
    assert_int_equal(line.room_calls, 1);
}

static void of_the_receiver_a_driver_clears_only_what_came_in_loopback(void **state)
{
    (void)state;
    out(FCR, 1);
    type("ab");
    out(MCR, 0x10);
    out(THR, 'x');
    out(MCR, 0);
    type("c");
    out(FCR, 0x03);
    for (const char *c = "abc"; *c; c++)
        assert_int_equal(in(RBR), *c);
    assert_int_equal(in(LSR) & 1, 0);
}

static void switching_fifos_off_keeps_what_they_held_and_takes_no_more(void **state)
{
    (void)state;
    out(FCR, 1);
    type("abc");
    out(FCR, 0);
    assert_int_equal(uart_receive(&uart, (const uint8_t *)"d", 1), 0);
    for (const char *c = "abc"; *c; c++)
        assert_int_equal(in(RBR), *c);
    type("d");
    assert_int_equal(in(RBR), 'd');
}

static void below_the_trigger_the_character_timeout_interrupts(void **state)
{
    (void)state;
    out(FCR, 0x81); /* trigger at 8 */
    out(IER, 0x01);
    type("1234567");
    assert_int_equal(in(IIR), 0xcc);
    type("8");
    assert_int_equal(in(IIR), 0xc4);
    in(RBR);
    assert_int_equal(in(IIR), 0xcc);
    for (unsigned i = 0; i < 7; i++)
        in(RBR);
    assert_int_equal(in(IIR), 0xc1);
    assert_false(line.level);
    assert_int_equal(line.room_calls, 2); /* FCR write, and the last byte read */
}

static void a_word_access_is_two_byte_accesses(void **state)
{
    (void)state;
    bus_port_write(&bus, LSR - 1, 2, 0x0003); /* MCR = 3; LSR is not writable */
    assert_int_equal(bus_port_read(&bus, MCR, 2), 0x6003);
    bus_port_write(&bus, SCR, 1, 0x77);
    assert_int_equal(bus_port_read(&bus, SCR, 2) & 0xff, 0x77);
}

static void reset_forgets_all_but_the_wiring(void **state)
{
    (void)state;
    out(IER, 0x01);
    type("x");
    assert_true(line.level);
    uart_reset(&uart);
    assert_false(line.level);
    assert_int_equal(in(LSR), 0x60);
    out(THR, 'y');
    assert_int_equal(line.sent[0], 'y');
    out(IER, 0x01);
    type("z");
    assert_true(line.level);
}

static void out_run(uint16_t port, const char *bytes)
{
    bus_port_write_run(&bus, port, (const uint8_t *)bytes, strlen(bytes));
}

static void a_run_of_bytes_is_sent_at_once_and_empties_the_transmitter_once(void **state)
{
    (void)state;
    out(IER, 0x02);
    assert_int_equal(line.edges, 1);
    out_run(THR, "sixteen or fewer");
    assert_int_equal(line.count, 16);
    assert_memory_equal(line.sent, "sixteen or fewer", 16);
    assert_int_equal(line.edges, 2);
    out(LCR, 0x80);
    out_run(THR, "\x01\x03");
    assert_int_equal(in(RBR), 3);
    out(LCR, 0);
    out(MCR, 0x10);
    out_run(THR, "l");
    assert_int_equal(in(RBR), 'l');
    out_run(SCR, "ab");
    assert_int_equal(in(SCR), 'b');
    assert_int_equal(line.count, 16);
}

static void of_a_run_the_transmitter_holds_what_the_host_does_not_take(void **state)
{
    (void)state;
    line.room = 3;
    out_run(THR, "0123456789");
    assert_int_equal(line.count, 3);
    assert_int_equal(in(LSR), 0);
    line.room = 100;
    assert_int_equal(uart_transmit(&uart, (const uint8_t *)"behind", 6), 0);
    uart_output_ready(&uart);
    assert_int_equal(uart_transmit(&uart, (const uint8_t *)"behind", 6), 6);
    assert_memory_equal(line.sent, "0123456789behind", 16);
    out(MCR, 0x10);
    assert_int_equal(uart_transmit(&uart, (const uint8_t *)"loop", 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(comes_up_idle_and_ready_to_transmit, set_up),
        cmocka_unit_test_setup(looks_like_a_16550a_to_a_probing_driver, set_up),
        cmocka_unit_test_setup(loopback_joins_modem_outputs_to_inputs_and_bytes_to_the_receiver, set_up),
        cmocka_unit_test_setup(the_ring_indicator_counts_when_it_ends, set_up),
        cmocka_unit_test_setup(a_loopback_overrun_is_reported_once, set_up),
        cmocka_unit_test_setup(of_an_overrun_the_new_byte_is_kept_without_fifos_and_the_old_with_them, set_up),
        cmocka_unit_test_setup(loopback_interrupts_for_a_byte_while_the_host_is_full, set_up),
        cmocka_unit_test_setup(divisor_latch_hides_the_data_registers, set_up),
        cmocka_unit_test_setup(bytes_go_out_in_order, set_up),
        cmocka_unit_test_setup(a_full_host_holds_the_transmitter_and_loses_nothing, set_up),
        cmocka_unit_test_setup(back_pressure_ends_with_the_transmit_interrupt, set_up),
        cmocka_unit_test_setup(every_byte_sent_is_a_new_edge, set_up),
        cmocka_unit_test_setup(a_run_of_bytes_is_sent_at_once_and_empties_the_transmitter_once, set_up),
        cmocka_unit_test_setup(of_a_run_the_transmitter_holds_what_the_host_does_not_take, set_up),
        cmocka_unit_test_setup(enabling_the_transmit_interrupt_again_asks_again, set_up),
        cmocka_unit_test_setup(reading_identity_resets_only_the_transmit_interrupt_it_named, set_up),
        cmocka_unit_test_setup(receiver_takes_sixteen_with_fifos_and_one_without, set_up),
        cmocka_unit_test_setup(what_came_before_the_driver_started_is_not_lost, set_up),
        cmocka_unit_test_setup(of_the_receiver_a_driver_clears_only_what_came_in_loopback, set_up),
        cmocka_unit_test_setup(switching_fifos_off_keeps_what_they_held_and_takes_no_more, set_up),
        cmocka_unit_test_setup(below_the_trigger_the_character_timeout_interrupts, set_up),
        cmocka_unit_test_setup(a_word_access_is_two_byte_accesses, set_up),
        cmocka_unit_test_setup(reset_forgets_all_but_the_wiring, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
