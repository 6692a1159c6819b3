/* The 8042 and the keyboard at it: what software that looks for one finds, and the keys that are typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "cp/device/keyboard.h"
#include "tests/unit/fake/clock.h"

static struct bus bus;
static struct keyboard keyboard;

static unsigned edges, rooms;

static void reset(void *context) { (void)context; }
static void room(void *context) { (void)context, rooms++; }
static void wire(void *context, unsigned gsi, bool level) { (void)context, (void)gsi, edges += level; }

static void out(uint16_t port, uint8_t value) { bus_port_write(&bus, port, 1, value); }
static uint8_t in(uint16_t port) { return (uint8_t)bus_port_read(&bus, port, 1); }

static int begin(void **state)
{
    (void)state;
    edges = rooms = 0;
    fake_clock_reset(1000000000);
    bus_init(&bus);
    keyboard_init(&keyboard, &bus,
                  &(struct keyboard_wiring){.reset = reset, .input_room = room, .irq = {.set = wire}});
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

/* ---- the keyboard ----------------------------------------------------------------------------------------------- */

/* What waits at port 60H, in hexadecimal. */
static const char *waiting(void)
{
    static char text[256];
    size_t n = 0;
    *text = 0;
    while (in(0x64) & 1 && n < sizeof text - 8)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%02x", n ? " " : "", in(0x60));
    return text;
}

static unsigned type(const char *text) { return keyboard_type(&keyboard, (const uint8_t *)text, strlen(text)); }

static void a_keyboard_answers_what_drivers_ask(void **state)
{
    static const struct {
        uint8_t sent[2];
        unsigned count;
        const char *answer;
    } row[] = {{{0xFF}, 1, "fa aa"}, {{0xF2}, 1, "fa ab 41"}, {{0xED, 7}, 2, "fa fa"}, {{0xF3, 0}, 2, "fa fa"},
               {{0xF0, 0}, 2, "fa fa 41"}, {{0xF0, 2}, 2, "fa fa"}, {{0xEE}, 1, "ee"}, {{0xF4}, 1, "fa"},
               {{0xF6}, 1, "fa"}, {{0x12}, 1, "fe"}, {{0xED, 0xF4}, 2, "fa fa"}};
    (void)state;
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        for (unsigned n = 0; n < row[i].count; n++)
            out(0x60, row[i].sent[n]);
        assert_string_equal(waiting(), row[i].answer);
    }
    out(0x64, 0x60), out(0x60, 0x05); /* no translation */
    out(0x60, 0xF2);
    assert_string_equal(waiting(), "fa ab 83");
}

static void characters_are_keys_with_shift_and_control(void **state)
{
    static const struct {
        const char *typed, *codes;
    } row[] = {{"a", "1e 9e"}, {"A", "2a 1e 9e aa"}, {"0", "0b 8b"}, {")", "2a 0b 8b aa"}, {" ", "39 b9"},
               {"\r", "1c 9c"}, {"\t", "0f 8f"}, {"\177", "0e 8e"}, {"\3", "1d 2e ae 9d"}, {"\\", "2b ab"},
               {"~", "2a 29 a9 aa"}, {"/", "35 b5"}, {"z", "2c ac"}, {"\033[A", "e0 48 e0 c8"},
               {"\033OD", "e0 4b e0 cb"}, {"\033[3~", "e0 53 e0 d3"}, {"\033[24~", "58 d8"}, {"\033OP", "3b bb"},
               {"\033[1;5C", "e0 4d e0 cd"}, {"\033[99x", ""}, {"\033[?", ""}, {"\377", ""},
               {"\033a", "01 81 1e 9e"}};
    (void)state;
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        assert_int_equal(type(row[i].typed), strlen(row[i].typed));
        assert_string_equal(waiting(), row[i].codes);
    }
}

static void an_escape_by_itself_is_a_key_after_a_while(void **state)
{
    (void)state;
    type("\033");
    assert_string_equal(waiting(), "");
    fake_clock_advance(60 * 1000000);
    timer_run(clock_now());
    assert_string_equal(waiting(), "01 81");
}

static void each_byte_interrupts_once_and_none_comes_while_it_is_off(void **state)
{
    (void)state;
    type("a");
    assert_int_equal(edges, 1);
    in(0x60);
    assert_int_equal(edges, 2);
    in(0x60), in(0x60);
    assert_int_equal(edges, 2);
    out(0x64, 0xAD);
    type("b");
    assert_int_equal(in(0x64) & 1, 0);
    out(0x64, 0xAE);
    assert_int_equal(edges, 3);
    assert_string_equal(waiting(), "30 b0");
    out(0x64, 0x60), out(0x60, 0x44); /* polled */
    edges = 0;
    type("b");
    assert_string_equal(waiting(), "30 b0");
    assert_int_equal(edges, 0);
    out(0x60, 0xF5), waiting();
    assert_int_equal(type("abc"), 3); /* forgotten */
    assert_string_equal(waiting(), "");
}

static void what_there_is_no_room_for_is_not_taken_and_asked_for_again(void **state)
{
    (void)state;
    unsigned taken = type("abcdefghijklmnop");
    assert_in_range(taken, 4, 12);
    assert_int_equal(type("q"), 0);
    assert_int_equal(rooms, 0);
    waiting();
    assert_int_equal(rooms, 1);
    assert_int_equal(type("q"), 1);
    assert_string_equal(waiting(), "10 90");
    type("xyz");
    keyboard_reset(&keyboard);
    assert_string_equal(waiting(), "");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_keyboard_controller_answers_its_tests),
        TEST(a_keyboard_answers_what_drivers_ask),
        TEST(characters_are_keys_with_shift_and_control),
        TEST(an_escape_by_itself_is_a_key_after_a_while),
        TEST(each_byte_interrupts_once_and_none_comes_while_it_is_off),
        TEST(what_there_is_no_room_for_is_not_taken_and_asked_for_again),
        TEST(the_keyboard_controller_says_which_of_its_ports_was_written_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
