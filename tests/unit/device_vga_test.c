/* A VGA's text as a terminal shows it: what is drawn, what is not drawn again, and whose the console is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/device/vga.h"
#include "tests/unit/fake/clock.h"

enum { RAM = 2 << 20, FRAMES = 64, SHOWN = 1 << 16, MS = 1000000 };

static struct bus bus;
static struct guest_storage storage;
static struct vga vga;
static char shown[SHOWN];
static unsigned length, room, columns, rows;

static unsigned output(void *context, const uint8_t *bytes, unsigned count)
{
    (void)context;
    unsigned taken = count < room ? count : room;
    memcpy(shown + length, bytes, taken);
    length += taken;
    shown[length] = 0;
    room -= taken;
    return taken;
}

static void size(void *context, unsigned *c, unsigned *r) { (void)context, *c = columns, *r = rows; }
static const struct vga_host host = {NULL, output, size};

static int begin(void **state)
{
    static uint8_t *frames;
    (void)state;
    if (!frames) {
        frames = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_add(frame_address(frames), FRAMES * PAGE_SIZE);
    }
    fake_clock_reset(1000000000);
    fake_clock_advance(5000 * (uint64_t)MS);
    length = columns = rows = 0;
    room = SHOWN - 1;
    *shown = 0;
    bus_init(&bus);
    guest_storage_init(&storage, RAM, 0);
    vga_init(&vga, &bus, &storage, &host);
    return 0;
}

static int end(void **state)
{
    (void)state;
    vga_reset(&vga);
    guest_storage_free(&storage);
    assert_int_equal(storage.account.frames, 0);
    return 0;
}

static void out(uint16_t port, uint8_t value) { bus_port_write(&bus, port, 1, value); }
static uint8_t in(uint16_t port) { return (uint8_t)bus_port_read(&bus, port, 1); }
static void crtc(uint8_t index, uint8_t value) { out(0x3D4, index), out(0x3D5, value); }

static void store(unsigned row, unsigned column, const char *text, uint8_t attribute)
{
    for (; *text; text++, column++)
        guest_write(&storage, gpa(VGA_MEMORY + (row * 80 + column) * 2), (uint8_t[]){(uint8_t)*text, attribute}, 2);
}

/* The machine runs for that long. What the terminal was sent meanwhile. */
static const char *run(unsigned ms)
{
    length = 0;
    *shown = 0;
    for (unsigned i = 0; i < ms; i++) {
        vga_ran(&vga);
        fake_clock_advance(MS);
        timer_run(clock_now());
    }
    return shown;
}

#define CLEARED "\033[m\033[2J\033[H\033[?25h"

static void a_machine_that_stores_nothing_there_costs_nothing(void **state)
{
    (void)state;
    assert_string_equal(run(200), "");
    assert_false(vga.timer.armed);
    assert_int_equal(storage.account.frames, 0);
    guest_write(&storage, gpa(VGA_MEMORY), "\0", 1); /* brought in with others, or cleared */
    assert_string_equal(run(200), "");
    assert_false(vga.shown);
    for (unsigned row = 0; row < 25; row++)
        store(row, 0, "                                                                                ", 7);
    assert_string_equal(run(200), "");
}

static void text_is_drawn_once_and_then_what_differs(void **state)
{
    (void)state;
    store(0, 0, "Hello,", 7);
    store(2, 10, "world", 7);
    assert_string_equal(run(60), CLEARED "Hello,\033[3;11Hworld\033[1;1H");
    assert_true(vga.shown);
    assert_string_equal(run(200), "");
    store(2, 10, "W", 7);
    crtc(0x0E, 0), crtc(0x0F, 2 * 80 + 15);
    assert_string_equal(run(60), "\033[3;11HWorld");
    store(2, 15, " a b", 7);
    crtc(0x0F, 2 * 80 + 19);
    assert_string_equal(run(60), " a b");
    crtc(0x0A, 0x20); /* the cursor is off */
    assert_string_equal(run(60), "\033[?25l");
}

static void attributes_are_colours_and_what_comes_behind_is_plain(void **state)
{
    (void)state;
    store(0, 0, "a", 0x1E); /* yellow on blue */
    store(0, 1, "b", 0x4F);
    store(0, 2, "c", 0x87); /* blinks */
    crtc(0x0F, 3);
    assert_string_equal(run(60), CLEARED "\033[0;93;44ma\033[0;97;41mb\033[0;37;40;5mc\033[m");
}

static void characters_of_its_own_are_unicodes_and_none_is_obeyed(void **state)
{
    (void)state;
    store(0, 0, "\xC9\xCD\xBB\x1B\x07\xE1\x7F\xFF", 7);
    assert_string_equal(run(60), CLEARED "\u2554\u2550\u2557\u2190\u2022\u00DF\u2302\u00A0\033[1;1H");
    char all[256];
    for (unsigned i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = 0;
    store(5, 0, all, 7);
    run(60);
    for (unsigned i = 0; i < length; i++)
        if ((uint8_t)shown[i] < ' ')
            assert_true(shown[i] == '\033' && shown[i + 1] == '[');
}

static void the_uart_has_the_console_until_it_is_silent_for_a_second(void **state)
{
    (void)state;
    vga_yield(&vga);
    store(0, 0, "text", 7);
    assert_string_equal(run(900), "");
    assert_false(vga.shown);
    assert_string_equal(run(200), CLEARED "text\033[1;1H");
    length = 0;
    vga_yield(&vga);
    assert_string_equal(shown, "\033[m\033[25;1H\033[?25h\r\n");
    assert_false(vga.shown);
    length = 0, *shown = 0;
    vga_yield(&vga);
    assert_string_equal(shown, "");
    assert_string_equal(run(1100), CLEARED "text\033[1;1H");
    vga_repaint(&vga); /* CP wrote there */
    assert_string_equal(run(60), CLEARED "text\033[1;1H");
}

static void a_terminal_that_takes_nothing_gets_all_later(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 25; row++)
        store(row, 0, "0123456789012345678901234567890123456789012345678901234567890123456789012345678\x01", 0x1F);
    room = 10;
    run(100);
    assert_int_equal(length, 10);
    char first[11];
    memcpy(first, shown, sizeof first);
    room = SHOWN - 1;
    assert_string_equal(run(100), ""); /* nobody said that there is */
    vga_go_on(&vga);
    run(100);
    assert_memory_equal(first, CLEARED, 10);
    assert_memory_equal(shown, &CLEARED[10], 5);
    unsigned smiles = 0;
    for (const char *at = shown; (at = strstr(at, "\u263A")); at++)
        smiles++;
    assert_int_equal(smiles, 25);
    store(24, 79, "!", 7);
    room = 0;
    assert_string_equal(run(100), "");
    room = SHOWN - 1;
    assert_string_equal(run(1000), "\033[25;80H!\033[1;1H"); /* it is tried again by itself, too */
}

static void a_storm_of_stores_is_twenty_screens_a_second(void **state)
{
    (void)state;
    unsigned sent = 0;
    for (unsigned i = 0; i < 1000; i++) {
        store(0, 0, (char[]){(char)('a' + i % 7), 0}, 7);
        run(1);
        sent += length > 0;
    }
    assert_in_range(sent, 5, 21);
}

static void a_smaller_terminal_shows_the_rows_with_the_cursor(void **state)
{
    (void)state;
    columns = 20, rows = 10;
    store(0, 0, "top, and more than there is room for", 7);
    store(24, 0, "bottom", 7);
    assert_string_equal(run(60), CLEARED "top, and more than t\033[1;1H");
    crtc(0x0E, (24 * 80 + 6) >> 8), crtc(0x0F, (24 * 80 + 6) & 255);
    assert_string_equal(run(60), CLEARED "\033[10;1Hbottom");
    crtc(0x0E, 0), crtc(0x0F, 79);
    assert_string_equal(run(60), CLEARED "top, and more than t\033[1;20H");
}

static void it_is_scrolled_by_its_start_address(void **state)
{
    (void)state;
    store(1, 0, "second", 7);
    crtc(0x0C, 0), crtc(0x0D, 80);
    crtc(0x0F, 80);
    assert_string_equal(run(60), CLEARED "second\033[1;1H");
    crtc(0x0C, 0x3F), crtc(0x0D, 0xF8); /* round the end of its memory */
    crtc(0x0E, 0x3F), crtc(0x0F, 0xF8);
    assert_non_null(strstr(run(60), "second"));
    crtc(0x0C, 0xFF), crtc(0x0D, 0xFF);
    run(60);
}

static void graphics_are_not_shown(void **state)
{
    (void)state;
    store(0, 0, "dots", 7);
    out(0x3CE, 6), out(0x3CF, 5);
    assert_string_equal(run(200), "");
}

static void registers_keep_what_is_stored(void **state)
{
    (void)state;
    assert_int_equal(in(0x3CC), 0x67);
    assert_int_equal(in(0x3D5), 0);
    crtc(0x0F, 0x5A);
    assert_int_equal(in(0x3D4), 0x0F);
    assert_int_equal(in(0x3D5), 0x5A);
    crtc(0xFF, 1); /* an index that none has */
    out(0x3C4, 2), out(0x3C5, 3);
    assert_int_equal(in(0x3C5), 3);
    out(0x3C2, 0x63);
    assert_int_equal(in(0x3CC), 0x63);
    in(0x3DA);
    out(0x3C0, 0x10), out(0x3C0, 0x0C);
    in(0x3DA);
    out(0x3C0, 0x10);
    assert_int_equal(in(0x3C1), 0x0C);
    assert_int_not_equal(in(0x3DA) & 8, in(0x3DA) & 8); /* it retraces */
    vga_reset(&vga);
    assert_int_equal(in(0x3D5), 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(a_machine_that_stores_nothing_there_costs_nothing),
        ROW(text_is_drawn_once_and_then_what_differs),
        ROW(attributes_are_colours_and_what_comes_behind_is_plain),
        ROW(characters_of_its_own_are_unicodes_and_none_is_obeyed),
        ROW(the_uart_has_the_console_until_it_is_silent_for_a_second),
        ROW(a_terminal_that_takes_nothing_gets_all_later),
        ROW(a_storm_of_stores_is_twenty_screens_a_second),
        ROW(a_smaller_terminal_shows_the_rows_with_the_cursor),
        ROW(it_is_scrolled_by_its_start_address),
        ROW(graphics_are_not_shown),
        ROW(registers_keep_what_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
