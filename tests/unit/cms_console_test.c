/* What is typed at the console of CMS: while a command runs, at its questions, and more than a line takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cms/command/command.h"
#include "cms/command/session.h"
#include "cms/command/settings.h"
#include "cms/console/console.h"
#include "cms/console/output.h"
#include "cms/kernel/mode.h"
#include "tests/unit/fake/cms_machine.h"

static int begin(void **state)
{
    (void)state;
    fake_cms_reset();
    memset(&cms_settings, 0, sizeof cms_settings);
    cms_console_set_line_end('#');
    cms_console_recover();
    cms_session_start(false, true);
    fake_cms_forget();
    return 0;
}

static void hx_ends_a_command_and_what_its_line_still_held(void **state)
{
    (void)state;
    cms_console_command_begins();
    fake_cms_type("next one\rH\bhx\rlast");
    cms_line("shown", 5);
    assert_true(cms_halted());
    cms_line("not shown", 9);
    cms_console_command_ends();
    assert_null(strstr(fake_cms_shown(), "shown"));
    fake_cms_forget();
    fake_cms_type(" line\r");
    char line[LINE_TEXT_MAX + 1];
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_COMMAND), 8);
    assert_string_equal(line, "next one");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_COMMAND), 9);
    assert_string_equal(line, "last line");
}

/* Keys typed while a command runs do what they do at the prompt. */
static void a_line_typed_ahead_is_edited_like_any_other(void **state)
{
    static const char *const hx[] = {
        "\xc3\xa9\177hx\r", "x\033[Dh\r", "one two\027\027hx\r", "hxyz\033[D\033[D\013\r", "\033[15~hx\r",
        "\xe9hx\r",         "hx\r\n",     "half\025 hx \177\r",  "\033[A\025hx\r",
    };
    static const char *const none[] = {"\033[Ahx\r", "h\tx\r", "hx\033[Dy\r", "hxx\r", "h\033x\r"};
    char line[LINE_TEXT_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof hx / sizeof *hx; i++) {
        cms_console_command_begins();
        fake_cms_type(hx[i]);
        if (!cms_halted())
            fail_msg("%zu", i);
        cms_console_command_ends();
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        cms_console_command_begins();
        fake_cms_type(none[i]);
        if (cms_halted())
            fail_msg("%zu", i);
        cms_console_command_ends();
        assert_true(cms_console_read(line, sizeof line, CONSOLE_COMMAND) > 0);
    }
    cms_console_command_begins();
    fake_cms_type("type a\033[D\177\033[Fbc\r");
    assert_false(cms_halted());
    cms_console_command_ends();
    fake_cms_type("xy\r");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_COMMAND), 7);
    assert_string_equal(line, "typeabc");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_COMMAND), 2); /* no line between them */
    assert_true(fake_cms_typed_all());
}

static void control_c_is_hx_and_takes_nothing_but_what_was_half_typed(void **state)
{
    char line[LINE_TEXT_MAX + 1];
    (void)state;
    cms_console_command_begins();
    fake_cms_type("next one\rhalf\003");
    assert_true(cms_halted());
    cms_console_command_ends();
    cms_console_command_begins();
    fake_cms_type("\003hx\r");
    assert_true(cms_halted());
    cms_console_command_ends();
    fake_cms_type("gi\003ven up\r");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_COMMAND), 8);
    assert_string_equal(line, "next one");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_COMMAND), 6);
    assert_string_equal(line, "ven up");
    assert_true(fake_cms_typed_all());
}

static void a_line_drawn_again_has_the_rows_of_what_is_the_terminal_now(void **state)
{
    static struct line_editor editor;
    (void)state;
    fake_cms_width = 80;
    cms_line_begin(&editor);
    for (unsigned i = 0; i < 30; i++)
        cms_line_key(&editor, 'x');
    fake_cms_width = 20;
    cms_line_key(&editor, 'x');
    assert_int_equal(editor.keys.line.row, 0);
    cms_line_key(&editor, '\f');
    assert_int_equal(editor.keys.line.row, 1);
    fake_cms_width = 0; /* nobody says */
    cms_line_key(&editor, '\f');
    assert_int_equal(editor.keys.line.row, 1);
}

static void control_c_at_a_question_ends_the_command(void **state)
{
    char line[LINE_TEXT_MAX + 1];
    (void)state;
    cms_console_command_begins();
    cms_console_attention();
    assert_false(cms_halted());
    fake_cms_no_more = NULL;
    fake_cms_type("ye\003");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_ANSWER), CONSOLE_HALTED);
    assert_true(cms_halted());
    cms_console_command_ends();
}

static void a_line_that_is_too_long_is_refused_whole_with_its_length(void **state)
{
    static char line[LINE_TEXT_MAX + 10];
    (void)state;
    memset(line, ' ', LINE_TEXT_MAX + 5);
    memcpy(line, "query impcp", 11);
    strcpy(line + LINE_TEXT_MAX + 5, "\r");
    fake_cms_type(line);
    cms_session_step();
    assert_non_null(strstr(fake_cms_shown(), "DMSINT9011E Line too long: 4101 bytes; the limit is 4096\r\n"
                                             "Ready(00024)"));
    assert_null(strstr(fake_cms_shown(), "IMPCP "));
    fake_cms_forget();
    strcpy(line + LINE_TEXT_MAX, "\r");
    fake_cms_type(line);
    cms_session_step();
    assert_non_null(strstr(fake_cms_shown(), "IMPCP    = ON"));
}

static void a_command_too_long_for_cp_is_not_given_to_it(void **state)
{
    char line[300] = "CP MESSAGE BOB ";
    (void)state;
    fake_cms_cp("", 0);
    memset(line + 15, 'x', 240);
    cms_console_command_begins();
    assert_int_equal(cms_obey(line), 88);
    assert_string_equal(fake_cms_shown(), "DMSCPF9010E CP takes commands of at most 240 bytes; this one has 252\r\n");
    line[3 + 240] = 0;
    assert_int_equal(cms_obey(line), 0);
    cms_console_command_ends();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hx_ends_a_command_and_what_its_line_still_held, begin),
        cmocka_unit_test_setup(a_line_typed_ahead_is_edited_like_any_other, begin),
        cmocka_unit_test_setup(control_c_is_hx_and_takes_nothing_but_what_was_half_typed, begin),
        cmocka_unit_test_setup(a_line_drawn_again_has_the_rows_of_what_is_the_terminal_now, begin),
        cmocka_unit_test_setup(control_c_at_a_question_ends_the_command, begin),
        cmocka_unit_test_setup(a_line_that_is_too_long_is_refused_whole_with_its_length, begin),
        cmocka_unit_test_setup(a_command_too_long_for_cp_is_not_given_to_it, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
