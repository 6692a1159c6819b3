/* Keys on a line: the text they make of it, and what a terminal shows then, that of a small emulator which obeys what
 * the editor writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/keys.h"

enum { LIMIT = 600, WIDEST = 100, ROWS = 200 };

/* A cell: the bytes of one character; "" behind a wide one. The cursor of a full row hangs there, as in terminals. */
static struct {
    char cell[ROWS][WIDEST][8];
    size_t row, column, width, bells, sequences;
    bool hangs;
} screen;

static struct keys keys;
static char text[LIMIT + 1];
static size_t indent;

static void put(const char *bytes, size_t length)
{
    size_t columns = edit_columns(bytes, length);
    if (screen.hangs || screen.column + columns > screen.width) {
        screen.row++;
        screen.column = 0;
    }
    assert_true(screen.row < ROWS);
    memset(screen.cell[screen.row][screen.column], 0, 8);
    memcpy(screen.cell[screen.row][screen.column], bytes, length);
    if (columns == 2)
        memset(screen.cell[screen.row][screen.column + 1], 0, 8);
    screen.column += columns;
    screen.hangs = screen.column == screen.width;
    if (screen.hangs)
        screen.column--;
}

static void wipe(void)
{
    for (size_t row = screen.row; row < ROWS; row++)
        for (size_t column = row == screen.row ? screen.column : 0; column < screen.width; column++)
            strcpy(screen.cell[row][column], " ");
}

static void sequence(size_t n, char final)
{
    screen.sequences++;
    if (final == 'A') {
        assert_true(screen.row >= n);
        screen.row -= n;
    } else if (final == 'B')
        screen.row += n;
    else if (final == 'C')
        screen.column += n;
    else if (final == 'J')
        wipe();
    else
        fail_msg("escape sequence %c", final);
    assert_true(screen.column < screen.width);
    screen.hangs = false;
}

static void show(void *context, const char *bytes, size_t count)
{
    (void)context;
    for (size_t i = 0, n; i < count; i += n) {
        n = 1;
        if (bytes[i] == '\033') {
            size_t number = 0;
            for (n = 2; bytes[i + n] >= '0' && bytes[i + n] <= '9'; n++)
                number = number * 10 + (size_t)(bytes[i + n] - '0');
            sequence(number, bytes[i + n++]);
        } else if (bytes[i] == '\a') {
            screen.bells++;
        } else if (bytes[i] == '\r') {
            screen.column = 0;
            screen.hangs = false;
        } else if (bytes[i] == '\n') {
            screen.row++;
            screen.hangs = false;
        } else if (bytes[i] == '\b') {
            screen.column -= screen.column > 0;
            screen.hangs = false;
        } else {
            while (i + n < count && edit_is_continuation(bytes[i + n]))
                n++;
            put(bytes + i, n);
        }
    }
}

static const char *recall(void *context, size_t back)
{
    (void)context;
    static const char *const lines[] = {"the newest", "the oldest, which is too long for one row of some terminals"};
    return back <= 2 ? lines[back - 1] : NULL;
}

static void begin_at(size_t width, size_t prompt, bool hidden)
{
    memset(&screen, 0, sizeof screen);
    memset(&keys, 0, sizeof keys);
    screen.width = width;
    wipe();
    for (indent = 0; indent < prompt; indent++)
        put(">", 1);
    keys.line = (struct edited_line){.text = text, .limit = LIMIT, .width = width, .show = show};
    keys.recall = recall;
    keys_begin(&keys, indent, hidden);
}

static enum keys_event type(const char *bytes)
{
    enum keys_event event = KEYS_GO_ON;
    for (; *bytes; bytes++) {
        assert_int_equal(event, KEYS_GO_ON);
        event = keys_take(&keys, (uint8_t)*bytes);
    }
    return event;
}

/* The rows of the picture that the editor keeps right are what the text is, placed from the prompt on, nothing stands
 * below, and the cursor stands where the next character goes. */
static void assert_screen(void)
{
    const struct edited_line *l = &keys.line;
    size_t row = 0, column = indent, cursor_row = 0, cursor_column = indent;
    static char expected[ROWS][WIDEST][8];
    for (size_t r = 0; r < ROWS; r++)
        for (size_t c = 0; c < WIDEST; c++)
            strcpy(expected[r][c], " ");
    for (size_t c = 0; c < indent; c++)
        strcpy(expected[0][c], ">");
    for (size_t at = 0, n; at <= l->length; at += n) {
        n = at < l->length ? edit_next(l, at) - at : 1;
        size_t columns = at < l->length ? edit_columns(text + at, n) : 1;
        bool wraps = column + columns > l->width;
        if (at == l->cursor) {
            bool on = at < l->length ? wraps : column == l->width;
            on |= column == l->width;
            cursor_row = on && column == l->width ? row + 1 : row;
            cursor_column = on && column == l->width ? 0 : column;
        }
        if (at == l->length)
            break;
        if (wraps) {
            row++;
            column = 0;
        }
        memset(expected[row][column], 0, 8);
        memcpy(expected[row][column], text + at, n);
        if (columns == 2)
            memset(expected[row][column + 1], 0, 8);
        column += columns;
    }
    size_t at_row = screen.row, at_column = screen.column;
    if (screen.hangs) {
        at_row++;
        at_column = 0;
    }
    assert_int_equal(at_column, cursor_column);
    assert_true(at_row >= cursor_row - l->top);
    size_t first = at_row - (cursor_row - l->top); /* the screen's row of the picture's first */
    for (size_t r = l->top; r < l->top + EDIT_ROWS; r++)
        for (size_t c = 0; c < l->width; c++)
            if (strcmp(screen.cell[first + r - l->top][c], expected[r][c]))
                fail_msg("row %zu column %zu: \"%s\", not \"%s\"", r, c, screen.cell[first + r - l->top][c],
                         expected[r][c]);
}

static void typing_at_the_end_is_the_echo_alone_at_any_width(void **state)
{
    (void)state;
    begin_at(20, 4, false);
    for (int i = 0; i < 300; i++)
        type("x");
    assert_int_equal(screen.sequences, 0);
    assert_screen();
    assert_int_equal(type("\r"), KEYS_LINE);
    assert_int_equal(strlen(text), 300);
}

static void backspace_crosses_the_edge(void **state)
{
    (void)state;
    begin_at(20, 4, false);
    type("0123456789abcdef"); /* the row is full */
    assert_screen();
    type("\177");
    assert_screen();
    type("fgh");
    assert_screen();
    type("\177\177\177\177");
    assert_screen();
    assert_string_equal(text, "0123456789abcd");
}

static void editing_in_the_middle_of_wrapped_rows_redraws_them(void **state)
{
    (void)state;
    begin_at(20, 0, false);
    type("the quick brown fox jumps over the lazy dog and goes on");
    type("\001");
    assert_screen();
    type("\033[C\033[C\033[CX");
    assert_screen();
    type("\033[3~\033[3~");
    assert_screen();
    type("\005");
    assert_screen();
    for (int i = 0; i < 30; i++) {
        type("\033[D");
        assert_screen();
    }
    type("\013");
    assert_screen();
    type("\025");
    assert_screen();
    assert_string_equal(text, "");
    size_t row = screen.row;
    type("\f\r");
    assert_int_equal(screen.row, row + 1);
}

static void leaving_a_line_leaves_no_row_empty(void **state)
{
    (void)state;
    begin_at(20, 0, false);
    type("0123456789abcdefghij\001\005\001"); /* a row, full; drawn anew, and left from its beginning */
    type("\f\r");
    assert_int_equal(screen.row, 1);
}

static void a_wide_character_that_does_not_fit_goes_to_the_next_row(void **state)
{
    (void)state;
    begin_at(21, 0, false);
    type("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2"
         "\xe5\xad\x97\xe6\xbc\xa2");
    assert_screen();
    assert_int_equal(screen.row, 1);
    type("\177");
    assert_screen();
    type("\001a");
    assert_screen();
}

static void lines_recalled_take_the_place_of_longer_ones(void **state)
{
    (void)state;
    begin_at(40, 4, false);
    type("\033[A\033[A");
    assert_screen();
    assert_true(strlen(text) > 40);
    type("\033[B");
    assert_string_equal(text, "the newest");
    assert_screen();
    size_t bells = screen.bells;
    type("\033[A\033[A");
    assert_int_equal(screen.bells, bells + 1);
    type("\033[B\033[B");
    assert_string_equal(text, "");
    assert_screen();
}

static void whatever_is_typed_the_screen_shows_the_line(void **state)
{
    static const char *const words[] = {"a",
                                        "bc ",
                                        "\xc3\xa9",
                                        "\xe6\xbc\xa2",
                                        "\177",
                                        "\033[D",
                                        "\033[C",
                                        "\001",
                                        "\005",
                                        "\033[3~",
                                        "\027",
                                        "some more words ",
                                        "\033[A",
                                        "\033[B",
                                        "\002",
                                        "\xe5\xad\x97",
                                        "\033[D\033[D\033[D",
                                        "\f",
                                        "\004",
                                        "0123456789"};
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 300; round++) {
        begin_at(20 + (size_t)round % 37, (size_t)round % 5, false);
        for (int i = 0; i < 60 && keys.line.length < 500 && screen.row < ROWS - 2 * EDIT_ROWS; i++) {
            seed = seed * 1664525 + 1013904223;
            type(words[(seed >> 16) % (sizeof words / sizeof *words)]);
            assert_screen();
            assert_int_equal(strlen(text), keys.line.length);
        }
    }
}

static void a_prompt_written_anew_has_the_line_behind_it(void **state)
{
    (void)state;
    begin_at(20, 4, false);
    type("a line of more than one row\033[D\033[D\033[D");
    edit_leave(&keys.line);
    show(NULL, "a message\r\n>>>>", 15);
    edit_show(&keys.line);
    assert_screen();
    type("X");
    assert_screen();
}

static void a_line_that_is_too_long_is_not_the_line(void **state)
{
    (void)state;
    begin_at(80, 0, false);
    for (int i = 0; i < LIMIT + 3; i++)
        type("x");
    assert_int_equal(screen.bells, 1);
    assert_int_equal(keys.line.excess, 3);
    type("\001\004\005"); /* a place made elsewhere does not bring back what was not kept */
    assert_int_equal(keys.line.excess, 3);
    assert_int_equal(type("\r"), KEYS_TOO_LONG);
    assert_int_equal(keys.line.length + keys.line.excess, LIMIT + 2);
}

static void what_was_typed_too_much_can_be_taken_back(void **state)
{
    (void)state;
    begin_at(80, 0, false);
    for (int i = 0; i < LIMIT + 3; i++)
        type("x");
    type("\177\177\177");
    assert_int_equal(keys.line.excess, 0);
    assert_int_equal(keys.line.length, LIMIT);
    assert_int_equal(type("\177y\r"), KEYS_LINE);
    assert_int_equal(text[LIMIT - 1], 'y');
    begin_at(80, 0, false);
    for (int i = 0; i < LIMIT + 3; i++)
        type("x");
    assert_int_equal(type("\025short\r"), KEYS_LINE);
    assert_string_equal(text, "short");
}

static void control_c_abandons_the_line(void **state)
{
    (void)state;
    begin_at(80, 0, false);
    assert_int_equal(type("half a li\003"), KEYS_ABANDONED);
    assert_int_equal(screen.row, 1);
    assert_string_equal(screen.cell[0][9], "^");
    begin_at(80, 0, false);
    assert_int_equal(type("\033[\003"), KEYS_ABANDONED); /* in the middle of a key, too */
}

static void a_hidden_line_shows_nothing_and_leaves_nothing(void **state)
{
    (void)state;
    begin_at(80, 0, true);
    type("secr\xff"
         "et\177\177");
    assert_string_equal(screen.cell[0][0], " ");
    assert_string_equal(text, "secr\xff");
    assert_int_equal(text[5] | text[6], 0);
    type("\033[A\t");
    assert_string_equal(text, "secr\xff");
    type("\025");
    for (int i = 0; i < 8; i++)
        assert_int_equal(text[i], 0);
    assert_int_equal(type("x\r"), KEYS_LINE);
    assert_int_equal(screen.row, 1);
}

/* What a terminal answers to somebody else's question, in whole and cut short. */
static void answers_of_terminals_are_no_text(void **state)
{
    (void)state;
    begin_at(80, 0, false);
    type("a\033[24;80R\033[8;24;80t\033[?62;c\033[>0;276;0cb");
    assert_string_equal(text, "ab");
    assert_int_equal(type("\033[24;8\r"), KEYS_LINE);
    assert_string_equal(text, "ab");
    begin_at(80, 0, false);
    type("a\033]11;rgb:1e1e/1e1e/1e1e\033\\b\033]4;1;rgb:0/0/0\007c"); /* colours */
    type("\033P>|XTerm(379)\033\\d\033P1$r0m\033\\e\033_Gi=31;OK\033\\f\033[?2004;2$yg\033[?1Ah");
    assert_string_equal(text, "abcdefgh");
    assert_int_equal(screen.bells, 0);
    type("\033]11;rgb:\025i\033P1\177\177j"); /* cut short, a control key is a key, */
    assert_string_equal(text, "j");
    assert_int_equal(type("\033]11;rgb\r"), KEYS_LINE); /* and Enter Enter */
}

/* As xterm, rxvt, PuTTY, and the consoles of Linux and FreeBSD send them. */
static void function_keys_are_no_text_and_do_not_move(void **state)
{
    static const char *const sent[] = {
        "\033OP",     "\033OS",    "\033[11~",  "\033[13~",  "\033[14~",  "\033[15~",  "\033[17~", "\033[18~",
        "\033[19~",   "\033[20~",  "\033[24~",  "\033[31~",  "\033[34~",  "\033[2~",   "\033[5~",  "\033[6~",
        "\033[15;2~", "\033[1;5P", "\033[[A",   "\033[[B",   "\033[[C",   "\033[[D",   "\033[[E",  "\033[M",
        "\033[Z",     "\033[200~", "\033[201~", "\033[257~", "\033[259~", "\033[513~",
    };
    (void)state;
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        begin_at(80, 0, false);
        type("ab\033[D");
        type(sent[i]);
        type("X");
        assert_string_equal(text, "aXb");
    }
}

static void an_escape_before_a_key_leaves_it_the_key(void **state)
{
    (void)state;
    begin_at(80, 0, false);
    type("abc\033\033[D"); /* Alt and an arrow, as some send it, or Escape and then an arrow */
    assert_string_equal(text, "abc");
    assert_int_equal(keys.line.cursor, 2);
    type("\033[\033[D\033[1\033[3~");
    assert_string_equal(text, "ac");
    type("\033\033\033[F\033[\177");
    assert_string_equal(text, "a");
    type("\033[1;3A"); /* with a modifier */
    assert_string_equal(text, "the newest");
}

static void a_byte_that_is_no_utf8_takes_none_with_it(void **state)
{
    (void)state;
    begin_at(80, 0, false);
    type("caf\xe9 \xe9t\xe9"); /* of a terminal that sends Latin-1 */
    assert_string_equal(text, "caf t");
    type("\x7f\xe6\xbc\xc3\xa9\xf0\x9f\xe6\xbc\xa2");
    assert_string_equal(text, "caf \xc3\xa9\xe6\xbc\xa2");
    type("\xe6\x7f\xbc\xa2x"); /* Backspace within one is a key */
    assert_string_equal(text, "caf \xc3\xa9x");
}

static void what_a_terminal_would_obey_is_not_echoed(void **state)
{
    (void)state;
    begin_at(80, 0, false);
    type("a\xc2\x9b"
         "2J\xc2\x80\xc2\x9f\xc2\xa0");
    assert_string_equal(text, "a2J\xc2\xa0");
    assert_int_equal(screen.bells, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing_at_the_end_is_the_echo_alone_at_any_width),
        cmocka_unit_test(backspace_crosses_the_edge),
        cmocka_unit_test(editing_in_the_middle_of_wrapped_rows_redraws_them),
        cmocka_unit_test(leaving_a_line_leaves_no_row_empty),
        cmocka_unit_test(a_wide_character_that_does_not_fit_goes_to_the_next_row),
        cmocka_unit_test(lines_recalled_take_the_place_of_longer_ones),
        cmocka_unit_test(whatever_is_typed_the_screen_shows_the_line),
        cmocka_unit_test(a_prompt_written_anew_has_the_line_behind_it),
        cmocka_unit_test(a_line_that_is_too_long_is_not_the_line),
        cmocka_unit_test(what_was_typed_too_much_can_be_taken_back),
        cmocka_unit_test(control_c_abandons_the_line),
        cmocka_unit_test(a_hidden_line_shows_nothing_and_leaves_nothing),
        cmocka_unit_test(answers_of_terminals_are_no_text),
        cmocka_unit_test(function_keys_are_no_text_and_do_not_move),
        cmocka_unit_test(an_escape_before_a_key_leaves_it_the_key),
        cmocka_unit_test(a_byte_that_is_no_utf8_takes_none_with_it),
        cmocka_unit_test(what_a_terminal_would_obey_is_not_echoed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
