/* Output a screen at a time, and what is shown full screen. */
#include "tests/unit/cms_help_scene.h"
#include "tests/unit/cms_scene.h"

#include <stdlib.h>

#include "cms/command/settings.h"
#include "cms/console/output.h"
#include "cms/console/pager.h"

static const char more[] = "MORE...\r\033[K";

static void lines(const char *const *line)
{
    for (; *line; line++)
        cms_line(*line, strlen(*line));
}

static const char *paged(const char *keys, bool clears, bool holds, const char *const *line)
{
    struct pager p;
    fake_cms_forget();
    fake_cms_type(keys);
    cms_console_command_begins();
    cms_console_command_ends(); /* while a command runs, what is typed before MORE... is typed ahead */
    cms_pager_begin(&p, clears);
    lines(line);
    cms_pager_end(&p, holds);
    assert_true(fake_cms_typed_all());
    return fake_cms_shown();
}

static void a_full_screen_waits_for_a_key(void **state)
{
    static const char *const keys[] = {"\r", "\n", " ", "\033[B", "\033OB", "\033[6~", "ab\033[A\033[5~\r"};
    static const char *const five[] = {"1", "2", "3", "4", "5", NULL};
    char expected[100];
    (void)state;
    fake_cms_width = 10, fake_cms_height = 5;
    snprintf(expected, sizeof expected, "1\r\n2\r\n3\r\n4\r\n%s5\r\n", more);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_string_equal(paged(keys[i], false, false, five), expected);
    snprintf(expected, sizeof expected, "\033[H\033[2J1\r\n2\r\n3\r\n4\r\n%s5\r\n%s", more, more);
    assert_string_equal(paged("\r\r", true, true, five), expected);
}

static void long_lines_take_the_rows_they_take(void **state)
{
    static const char *const wide[] = {"0123456789", "0123456789x",
                                       "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\x84\xc3\x96", "", NULL};
    (void)state;
    fake_cms_width = 10, fake_cms_height = 6;
    assert_null(strstr(paged("", false, false, wide), more));
    fake_cms_height = 5;
    assert_non_null(strstr(paged("\r", false, false, wide), more));
}

static void nothing_shown_clears_nothing_and_does_not_wait(void **state)
{
    static const char *const none[] = {NULL};
    (void)state;
    fake_cms_width = 10, fake_cms_height = 5;
    assert_string_equal(paged("", true, true, none), "");
}

static void what_ends_it_ends_the_command(void **state)
{
    static const char *const keys[] = {"q", "Q", "\003", "hx", "HX"};
    static const char *const many[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", NULL};
    char expected[100];
    (void)state;
    fake_cms_width = 10, fake_cms_height = 5;
    snprintf(expected, sizeof expected, "1\r\n2\r\n3\r\n4\r\n%s", more);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_string_equal(paged(keys[i], false, true, many), expected);
        assert_true(cms_halted());
        cms_console_go_on();
        assert_false(cms_halted());
        cms_console_halt_all();
        cms_console_go_on();
        assert_true(cms_halted());
    }
}

static void without_a_size_lines_go_as_they_come(void **state)
{
    static const char *const many[] = {"1", "2", "3", "4", NULL};
    (void)state;
    fake_cms_width = 80, fake_cms_height = 0;
    assert_string_equal(paged("", true, true, many), "1\r\n2\r\n3\r\n4\r\n");
    fake_cms_width = 0, fake_cms_height = 3;
    assert_string_equal(paged("", true, true, many), "1\r\n2\r\n3\r\n4\r\n");
}

static void what_a_program_types_stays_until_a_key(void **state)
{
    struct pager p;
    (void)state;
    fake_cms_width = 10, fake_cms_height = 5;
    fake_cms_forget();
    fake_cms_type("\r");
    cms_console_command_begins();
    cms_console_command_ends();
    cms_pager_program_types(); /* nothing is paged */
    assert_string_equal(fake_cms_shown(), "");
    cms_pager_begin(&p, true);
    cms_pager_program_types();
    cms_pager_program_types();
    assert_string_equal(fake_cms_shown(), "\033[H\033[2J");
    cms_pager_end(&p, true);
    assert_true(fake_cms_typed_all());
    assert_non_null(strstr(fake_cms_shown(), "MORE..."));
    cms_pager_program_types();
    assert_non_null(strstr(fake_cms_shown(), "MORE..."));
}

static size_t captured;

static void capture(void *context, const char *data, size_t length)
{
    (void)context, (void)data;
    captured += length;
}

static void captured_lines_are_not_paged(void **state)
{
    static const char *const many[] = {"1", "2", "3", "4", NULL};
    (void)state;
    fake_cms_width = 80, fake_cms_height = 3;
    captured = 0;
    struct output_sink before = cms_redirect((struct output_sink){.line = capture});
    assert_string_equal(paged("", true, true, many), "");
    cms_redirect(before);
    assert_int_equal(captured, 4);
}

/* ---- full screen ------------------------------------------------------------------------------------------------- */

static void screen(bool there)
{
    fake_cms_width = 80, fake_cms_height = 24;
    fake_cms_has_editor = there;
    *fake_cms_started = 0;
}

static void opens(const char *line, const char *started)
{
    screen(true);
    assert_int_equal(obey(line), 5);
    assert_string_equal(fake_cms_started, started);
    assert_string_equal(fake_cms_shown(), "");
}

static void lists_and_texts_are_shown_full_screen(void **state)
{
    (void)state;
    help_attach();
    obey("PIPE literal x | > ALPHA DATA A");
    opens("FILELIST", "/usr/bin/the: [the] [-p] [/etc/filelist.the] [-a] [* * A] [/etc/filelist.the]");
    opens("filel alpha", "/usr/bin/the: [the] [-p] [/etc/filelist.the] [-a] [ALPHA * A] [/etc/filelist.the]");
    opens("filelist alpha data (profile mine filelist",
          "/usr/bin/the: [the] [-p] [/etc/filelist.the] [-a] "
          "[ALPHA DATA A (FILELIST PROFILE MINE] [/etc/filelist.the]");
    opens("filelist alpha data * (prof MINE",
          "/usr/bin/the: [the] [-p] [/etc/filelist.the] [-a] [ALPHA DATA * (PROFILE MINE] [/etc/filelist.the]");
    opens("help query", "/usr/bin/the: [the] [-p] [/etc/browse.the] [-a] [help query] [/etc/browse.the]");
}

static void where_there_is_no_screen_they_are_lines(void **state)
{
    static const char *const off[] = {"SET FULLSCREEN OFF", "SET FULLSCREEN ON"};
    (void)state;
    obey("PIPE literal x | > ALPHA DATA A");
    for (unsigned i = 0; i < 3; i++) {
        screen(i != 1);
        if (i == 2)
            fake_cms_height = 0;
        if (i < 2)
            obey(off[i]);
        shows("FILELIST * DATA", 0, "ALPHA    DATA     A1\n");
        assert_string_equal(fake_cms_started, "");
    }
    screen(true);
    shows("PIPE CMS FILELIST * DATA | SPECS 1-* 3 | CONSOLE", 0, "  ALPHA    DATA     A1\n");
    assert_string_equal(fake_cms_started, "");
}

static void what_is_not_there_is_said_in_a_line(void **state)
{
    (void)state;
    help_attach();
    screen(true);
    shows("FILELIST NO SUCH", 28, "DMSWFL002E File NO SUCH A not found\n");
    shows("FILELIST A B C D", 24, "DMSWFL070E Invalid parameter D\n");
    shows("FILELIST A B (X", 24, "DMSWFL003E Invalid option: X\n");
    shows("RDRLIST", 28, "DMSRDL205W No files in your reader\n");
    shows("HELP NONSENSE", 28, "DMSHLP254E HELP cannot find the information you requested: NONSENSE\n");
    assert_string_equal(fake_cms_started, "");
}

static void help_is_paged_without_an_editor(void **state)
{
    (void)state;
    help_attach();
    screen(false);
    fake_cms_patience = 1000; /* who waits gets HX */
    obey("HELP COPYFILE");
    const char *at = strstr(fake_cms_shown(), more);
    assert_non_null(at);
    assert_null(strstr(at + 1, "\n"));
}

static int begin(void **state)
{
    (void)state;
    scene_begin();
    memset(&cms_settings, 0, sizeof cms_settings);
    attach(0x191, 'A', "ALI191");
    return 0;
}

static int end(void **state)
{
    fake_cms_has_editor = false;
    fake_cms_width = fake_cms_height = fake_cms_patience = 0;
    return scene_end(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_screen_waits_for_a_key),
        TEST(long_lines_take_the_rows_they_take),
        TEST(nothing_shown_clears_nothing_and_does_not_wait),
        TEST(what_ends_it_ends_the_command),
        TEST(without_a_size_lines_go_as_they_come),
        TEST(what_a_program_types_stays_until_a_key),
        TEST(captured_lines_are_not_paged),
        TEST(lists_and_texts_are_shown_full_screen),
        TEST(where_there_is_no_screen_they_are_lines),
        TEST(what_is_not_there_is_said_in_a_line),
        TEST(help_is_paged_without_an_editor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
