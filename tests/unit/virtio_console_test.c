/* A console's control messages: what a device may say changes what it should, what it may not say changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/virtio/console.h"

enum { DEVICE_READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME };

static struct console_control control;
static uint32_t port;

static enum console_heard hear(uint32_t number, uint16_t event, uint16_t value)
{
    struct console_message m = {number, event, value};

    return console_control_hear(&control, &m, sizeof m, &port);
}

static void assert_says(uint32_t number, uint16_t event)
{
    struct console_message m;

    assert_true(console_control_say(&control, &m));
    assert_int_equal(m.port, number);
    assert_int_equal(m.event, event);
    assert_int_equal(m.value, 1);
}

static void assert_silent(void)
{
    struct console_message m;

    assert_false(console_control_say(&control, &m));
}

static int setup(void **state)
{
    struct console_message m;

    (void)state;
    console_control_begin(&control, 4);
    return !console_control_say(&control, &m);
}

static void the_device_is_greeted_first(void **state)
{
    (void)state;
    console_control_begin(&control, 4);
    assert_says(0, DEVICE_READY);
    assert_silent();
}

static void a_port_that_appears_is_acknowledged_and_opened_when_cp_reads_it(void **state)
{
    (void)state;
    assert_int_equal(hear(2, PORT_ADD, 1), CONSOLE_ADDED);
    assert_int_equal(port, 2);
    assert_true(control.port[2].there);
    assert_says(2, PORT_READY);
    assert_silent();
    console_control_open(&control, 2);
    assert_says(2, PORT_OPEN);
    assert_silent();
}

static void each_is_told_by_itself(void **state)
{
    (void)state;
    hear(1, PORT_ADD, 1);
    hear(3, PORT_ADD, 1);
    console_control_open(&control, 3);
    assert_says(1, PORT_READY);
    assert_says(3, PORT_READY);
    assert_says(3, PORT_OPEN);
    assert_silent();
}

static void carrier_comes_and_goes(void **state)
{
    (void)state;
    hear(1, PORT_ADD, 1);
    assert_int_equal(hear(1, PORT_OPEN, 0), CONSOLE_NOTHING);
    assert_int_equal(hear(1, PORT_OPEN, 1), CONSOLE_CARRIER);
    assert_true(control.port[1].host_open);
    assert_int_equal(hear(1, PORT_OPEN, 7), CONSOLE_NOTHING);
    assert_int_equal(hear(1, PORT_OPEN, 0), CONSOLE_CARRIER);
    assert_false(control.port[1].host_open);
}

static void a_port_taken_away_has_lost_its_carrier_and_may_come_back(void **state)
{
    (void)state;
    hear(1, PORT_ADD, 1);
    hear(1, PORT_OPEN, 1);
    console_control_open(&control, 1);
    assert_int_equal(hear(1, PORT_REMOVE, 1), CONSOLE_CARRIER);
    assert_false(control.port[1].there);
    assert_silent();
    assert_int_equal(hear(1, PORT_ADD, 1), CONSOLE_ADDED);
    assert_says(1, PORT_READY);
    assert_says(1, PORT_OPEN);
}

static void names_and_sizes_concern_nobody(void **state)
{
    static const char name[sizeof(struct console_message) + 4] = {1, 0, 0, 0, PORT_NAME, 0, 1, 0, 'l', 'i', 'n', 'e'};

    (void)state;
    hear(1, PORT_ADD, 1);
    assert_int_equal(console_control_hear(&control, name, sizeof name, &port), CONSOLE_NOTHING);
    assert_int_equal(hear(1, CONSOLE_PORT, 1), CONSOLE_NOTHING);
    assert_int_equal(hear(1, RESIZE, 1), CONSOLE_NOTHING);
    assert_int_equal(control.wrong, 0);
}

static void what_a_device_may_not_say_changes_nothing(void **state)
{
    static const struct console_message m[] = {
        {4, PORT_ADD, 1}, {UINT32_MAX, PORT_ADD, 1}, {1, PORT_ADD, 1}, {2, PORT_OPEN, 1}, {2, PORT_REMOVE, 1},
        {1, DEVICE_READY, 1}, {1, PORT_READY, 1}, {1, 8, 1}, {1, 0xFFFF, 1},
    };
    struct console_control before;

    (void)state;
    hear(1, PORT_ADD, 1);
    for (unsigned i = 0; i < sizeof m / sizeof *m; i++) {
        before = control;
        before.wrong++;
        assert_int_equal(console_control_hear(&control, &m[i], sizeof m[i], &port), CONSOLE_WRONG);
        assert_memory_equal(&control, &before, sizeof control);
    }
    for (unsigned bytes = 0; bytes < sizeof *m; bytes++)
        assert_int_equal(console_control_hear(&control, &(struct console_message){2, PORT_ADD, 1}, bytes, &port),
                         CONSOLE_WRONG);
    assert_false(control.port[2].there);
}

static void more_ports_than_cp_has_room_for_are_not_used(void **state)
{
    (void)state;
    console_control_begin(&control, 511);
    assert_int_equal(control.ports, CONSOLE_PORTS);
    assert_int_equal(hear(CONSOLE_PORTS - 1, PORT_ADD, 1), CONSOLE_ADDED);
    assert_int_equal(hear(CONSOLE_PORTS, PORT_ADD, 1), CONSOLE_WRONG);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_device_is_greeted_first),
        TEST(a_port_that_appears_is_acknowledged_and_opened_when_cp_reads_it),
        TEST(each_is_told_by_itself),
        TEST(carrier_comes_and_goes),
        TEST(a_port_taken_away_has_lost_its_carrier_and_may_come_back),
        TEST(names_and_sizes_concern_nobody),
        TEST(what_a_device_may_not_say_changes_nothing),
        TEST(more_ports_than_cp_has_room_for_are_not_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
