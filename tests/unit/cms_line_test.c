/* The line editor, seen through the line it gives and a small terminal that obeys what it writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cms/console/line.h"
#include "tests/unit/fake/cms_machine.h"

enum { WIDTH = 80 };

static struct line_editor editor;

/* What one row of a real terminal would show after `bytes`, and where its cursor would be (ASCII only). */
static size_t show(const char *bytes, char row[WIDTH + 1])
{
    size_t column = 0;
    memset(row, ' ', WIDTH);
    for (const char *p = bytes; *p; p++) {
        if (*p == '\r')
            column = 0;
        else if (*p == '\b')
            column -= column > 0;
        else if (*p == '\033') {
            size_t n = 0;
            for (p += 2; *p >= '0' && *p <= '9'; p++)
                n = n * 10 + (size_t)(*p - '0');
            if (*p == 'J')
                memset(row + column, ' ', WIDTH - column);
            else if (*p == 'C')
                column += n;
            else
                fail_msg("escape sequence %c", *p);
        } else if (*p != '\a') {
            assert_true(column < WIDTH);
            row[column++] = *p;
        }
    }
    size_t end = WIDTH;
    while (end && row[end - 1] == ' ')
        end--;
    row[end] = 0;
    return column;
}

static bool keys(const char *bytes)
{
    bool done = false;
    for (const char *p = bytes; *p; p++) {
        assert_false(done);
        done = cms_line_key(&editor, (unsigned char)*p) != KEYS_GO_ON;
    }
    return done;
}

/* After `bytes` the line is `text`, and the screen shows it with the cursor at `column`. */
static void expect(const char *bytes, const char *text, size_t column)
{
    char row[WIDTH + 1];
    size_t visible = strlen(text);
    while (visible && text[visible - 1] == ' ')
        visible--;
    assert_false(keys(bytes));
    assert_string_equal(editor.text, text);
    assert_int_equal(show(fake_cms_shown(), row), column);
    assert_int_equal(strlen(row), visible);
    assert_memory_equal(row, text, visible);
}

static int begin(void **state)
{
    (void)state;
    memset(&editor, 0, sizeof editor);
    fake_cms_reset();
    cms_line_begin(&editor);
    return 0;
}

static void typing_at_the_end_only_echoes(void **state)
{
    (void)state;
    assert_false(keys("query disk"));
    assert_string_equal(fake_cms_shown(), "query disk");
    assert_true(keys("\r"));
    assert_string_equal(editor.text, "query disk");
    assert_string_equal(fake_cms_shown(), "query disk\r\n");
}

static void a_newline_after_a_return_is_no_second_line(void **state)
{
    (void)state;
    assert_true(keys("a\r"));
    cms_line_begin(&editor);
    assert_false(keys("\nb"));
    assert_string_equal(editor.text, "b");
    assert_true(keys("\n"));
    cms_line_begin(&editor);
    assert_true(keys("\n"));
}

static void keys_move_and_edit(void **state)
{
    (void)state;
    expect("abcdef\033[D\033[D", "abcdef", 4);
    expect("X", "abcdXef", 5);
    expect("\001Y", "YabcdXef", 1);
    expect("\033[C\004", "YacdXef", 2);
    expect("\005\177", "YacdXe", 6);
    expect("\033[1~\033[3~", "acdXe", 0);
    expect("\033OF\b", "acdX", 4);
    expect("\002\002\013", "ac", 2);
    expect(" one two", "ac one two", 10);
    expect("\027", "ac one ", 7);
    expect("\002\025", " ", 0);
    expect("\b\033[D", " ", 0);
}

static void unknown_sequences_and_controls_change_nothing(void **state)
{
    (void)state;
    expect("ab\033[5~\033[1;5P\033Ox\034\007", "ab", 2);
    expect("\033qc", "abc", 3);
}

static void a_character_of_several_bytes_is_one_column_and_one_key(void **state)
{
    (void)state;
    assert_false(keys("a\xc3\xa9\xe2\x82\xac" "b"));
    assert_string_equal(editor.text, "a\xc3\xa9\xe2\x82\xac" "b");
    assert_false(keys("\033[D\177"));
    assert_string_equal(editor.text, "a\xc3\xa9" "b");
    assert_false(keys("\033[D\033[3~"));
    assert_string_equal(editor.text, "ab");
    assert_int_equal(editor.keys.line.cursor, 1);
}

static void bytes_that_are_no_utf8_are_dropped(void **state)
{
    (void)state;
    assert_false(keys("a\xff\x80\xc0\xaf\xc3(\xed\xa0\x80\xf4\x90\x80\x80z"));
    assert_string_equal(editor.text, "a(z");
}

static void a_line_of_4096_bytes_is_taken_and_a_longer_one_is_not(void **state)
{
    (void)state;
    assert_int_equal(LINE_TEXT_MAX, 4096);
    for (int i = 0; i < LINE_TEXT_MAX; i++)
        assert_int_equal(cms_line_key(&editor, 'x'), KEYS_GO_ON);
    assert_int_equal(cms_line_key(&editor, '\r'), KEYS_LINE);
    assert_int_equal(strlen(editor.text), LINE_TEXT_MAX);
    cms_line_begin(&editor);
    for (int i = 0; i < LINE_TEXT_MAX + 20; i++)
        assert_int_equal(cms_line_key(&editor, 'x'), KEYS_GO_ON);
    assert_int_equal(editor.keys.line.excess, 20);
    assert_int_equal(cms_line_key(&editor, '\r'), KEYS_TOO_LONG);
}

static void history_goes_back_and_forth(void **state)
{
    (void)state;
    cms_history_add(&editor.history, "first");
    cms_history_add(&editor.history, "second");
    cms_history_add(&editor.history, "second");
    cms_history_add(&editor.history, "");
    expect("dr\033[A", "second", 6);
    expect("\033[A", "first", 5);
    expect("\033[A", "first", 5);
    expect("\016", "second", 6);
    expect("\033[B", "", 0);
}

static void history_forgets_the_oldest_when_it_is_full(void **state)
{
    char line[LINE_TEXT_MAX + 1];
    (void)state;
    memset(line, 'x', LINE_TEXT_MAX);
    line[LINE_TEXT_MAX] = 0;
    for (int i = 0; i < 50; i++) {
        line[0] = (char)('A' + i % 26);
        cms_history_add(&editor.history, line);
    }
    for (int i = 0; i < 50; i++)
        assert_false(keys("\033[A"));
    assert_int_equal(editor.keys.line.length, LINE_TEXT_MAX);
    assert_int_equal(editor.text[1], 'x');
}

static void complete(const char *line, size_t length, struct candidates *candidates)
{
    static const char *const names[] = {"QUERY", "LINK", "LISTSET", "LISTFILE", "LINK"};
    for (size_t i = 0; !cms_last_word(line, length) && i < sizeof names / sizeof *names; i++)
        candidate_offer(candidates, names[i]);
}

static void flood(const char *line, size_t length, struct candidates *candidates)
{
    char word[CANDIDATE_MAX + 2];
    (void)line;
    (void)length;
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(word, sizeof word, "F%u%.*s", i * 7 % 1000 + 1000, (int)(i % 9), "XXXXXXXXX");
        candidate_offer(candidates, word);
    }
}

static void tab_completes_a_command_name(void **state)
{
    (void)state;
    editor.completion.names = complete;
    expect("q\t", "query ", 6);
    expect("\025lis\t", "list", 4);
    expect("f\t", "listfile ", 9);
    expect("q\t", "listfile q", 10);
    expect("\025LISTS\t", "LISTSET ", 8);
    expect("a#Q\t", "LISTSET a#QUERY ", 16);
    expect("\025zz\t\t", "zz", 2);
    expect("\025\t", "", 0);
}

static void a_second_tab_lists_the_candidates(void **state)
{
    (void)state;
    editor.completion.names = complete;
    assert_false(keys("li\t"));
    assert_null(strstr(fake_cms_shown(), "LISTFILE"));
    assert_false(keys("\t"));
    assert_non_null(strstr(fake_cms_shown(), "\r\nLINK LISTFILE LISTSET \r\n"));
    assert_string_equal(editor.text, "li");
}

static void many_candidates_are_listed_in_rows_and_not_all(void **state)
{
    const char *shown;
    size_t column = 0;
    (void)state;
    editor.completion.names = flood;
    expect("x f\t", "x f1", 4);
    assert_false(keys("\t\t"));
    shown = strstr(fake_cms_shown(), "\r\nF1000");
    assert_non_null(shown);
    assert_non_null(strstr(shown, " ...\r\n"));
    for (shown += 2; strncmp(shown, "...", 3); shown++) {
        column = *shown == '\n' ? 0 : column + 1;
        assert_true(column <= 80);
    }
}

/* Whatever is typed, the editor keeps within its line. */
static void random_keys_keep_the_line_whole(void **state)
{
    uint32_t seed = 1;
    (void)state;
    editor.completion.names = complete;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        unsigned char c = (unsigned char)(seed >> 24);
        if (c >= 0xe0 && c < 0xf8)
            c = "\033[DACB\b\t"[c % 8];
        if (cms_line_key(&editor, c) != KEYS_GO_ON) {
            cms_history_add(&editor.history, editor.text);
            cms_line_begin(&editor);
        }
        assert_true(editor.keys.line.length <= LINE_TEXT_MAX && editor.keys.line.cursor <= editor.keys.line.length);
        assert_int_equal(strlen(editor.text), editor.keys.line.length);
        fake_cms_forget();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(typing_at_the_end_only_echoes, begin),
        cmocka_unit_test_setup(a_newline_after_a_return_is_no_second_line, begin),
        cmocka_unit_test_setup(keys_move_and_edit, begin),
        cmocka_unit_test_setup(unknown_sequences_and_controls_change_nothing, begin),
        cmocka_unit_test_setup(a_character_of_several_bytes_is_one_column_and_one_key, begin),
        cmocka_unit_test_setup(bytes_that_are_no_utf8_are_dropped, begin),
        cmocka_unit_test_setup(a_line_of_4096_bytes_is_taken_and_a_longer_one_is_not, begin),
        cmocka_unit_test_setup(history_goes_back_and_forth, begin),
        cmocka_unit_test_setup(history_forgets_the_oldest_when_it_is_full, begin),
        cmocka_unit_test_setup(tab_completes_a_command_name, begin),
        cmocka_unit_test_setup(a_second_tab_lists_the_candidates, begin),
        cmocka_unit_test_setup(many_candidates_are_listed_in_rows_and_not_all, begin),
        cmocka_unit_test_setup(random_keys_keep_the_line_whole, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
