/* Tab at CP's prompt: names of commands and the words they take, for who may say them; what is listed, and the line
 * after it. That each word of each format is offered: command_help_test.c. */
#include "tests/unit/command_scene.h"

/* `typed` with a Tab behind it, at terminal 1 (BOB, who has class G) or 2 (OPERATOR). */
static void becomes_for(unsigned line, const char *typed, const char *expected)
{
    struct session *s = session_find(line == 1 ? "BOB" : "OPERATOR");
    type(line, "\x15");
    type(line, typed);
    type(line, "\t");
    if (strcmp(s->typing.editor.text, expected))
        fail_msg("%s: \"%s\", not \"%s\"", typed, s->typing.editor.text, expected);
}

static void becomes(const char *typed, const char *expected) { becomes_for(1, typed, expected); }

/* Tab twice behind `typed` lists these, and shows the line again. */
static void lists(unsigned line, const char *typed, const char *words)
{
    char expected[500];
    type(line, "\x15");
    type(line, typed);
    shown(line);
    type(line, "\t");
    assert_string_equal(shown(line), "\a");
    type(line, "\t");
    snprintf(expected, sizeof expected, "\r\n%s \r\nCP> %s", words, typed);
    assert_string_equal(shown(line), expected);
}

static void offers_nothing(const char *typed)
{
    type(1, "\x15");
    type(1, typed);
    shown(1);
    type(1, "\t\t");
    assert_string_equal(shown(1), "\a\a");
}

static void names_of_commands_are_completed_at_the_start_and_behind_a_line_end(void **state)
{
    (void)state;
    becomes("que", "query ");
    becomes("  TRAC", "  TRACE ");
    becomes("Q NAMES#ind", "Q NAMES#indicate ");
    becomes("#CP disc", "#CP disconnect ");
    becomes("cp term", "cp terminal ");
    becomes("LOG", "LOG");
    lists(1, "LOG", "LOGIN LOGOFF LOGON LOGOUT");
    offers_nothing("NOSUCH");
    offers_nothing("NOSUCH ");
    offers_nothing("* ");
}

static void words_are_those_that_the_format_has_there(void **state)
{
    (void)state;
    becomes("query cpl", "query cplevel ");
    becomes("QUERY V", "QUERY VIRTUAL ");
    becomes("Q VIR A", "Q VIR ALL ");
    lists(1, "QUERY VIRTUAL ", "ALL CONSOLE CPUS DASD ISA LINES NIC STORAGE UR");
    lists(1, "SET ", "EMSG IMSG MSG NESTED RUN SHARE SMSG WNG");
    becomes("set msg ", "set msg o");
    lists(1, "SET MSG O", "OFF ON");
    lists(1, "SET EMSG ", "CODE OFF ON TEXT");
    lists(1, "define ", "LAN STORAGE");
    becomes("define s", "define storage ");
    becomes("couple 600 t", "couple 600 to ");
    offers_nothing("define storage ");
    becomes("sys rest", "sys restart ");
    lists(1, "INDICATE ", "LOAD LONGEST NEST USER");
    lists(1, "SLEEP 5 ", "HOUR MIN SEC");
    becomes("trace vmx of", "trace vmx off ");
    becomes("LINK MAINT 190 ", "LINK MAINT 190 AS ");
    lists(1, "LINK TO MAINT 190 AS 290 ", "M MR MW PASS= R RR W WR");
    becomes("link maint 190 290 rr p", "link maint 190 290 rr pass= ");
    becomes("ipl ", "ipl test ");
    lists(1, "IPL TEST ", "CLEAR PARM");
    lists(1, "DISPLAY ", "G PSW X");
    becomes("help sysk", "help sysk");
    becomes("help sys", "help system ");
    offers_nothing("QUERY TIME ");
    offers_nothing("FORCE ");
    offers_nothing("LOGON BOB secret ");
}

static void what_a_user_may_not_say_is_not_offered(void **state)
{
    (void)state;
    offers_nothing("SHUT");
    offers_nothing("FORC");
    becomes_for(2, "SHUT", "SHUTDOWN ");
    becomes("MSG ", "MSG OPERATOR ");
    lists(2, "MSG ", "ALL OPERATOR");
    becomes("help shutd", "help shutd");
    type(1, "\x15logoff\r");
    shown(1);
    type(1, "que\t");
    assert_string_equal(shown(1), "que\a");
    type(1, "\x15" "\t\t");
    assert_shows(1, "HELP LOGIN LOGOFF LOGON LOGOUT MESSAGE MSG \r\nCP> ");
    type(1, "message al\t");
    assert_string_equal(shown(1), "message al\a");
    type(1, "\x15" "LOGON BOB\rv\t");
    assert_null(strstr(shown(1), "HELP")); /* a password is not completed */
    type(1, "\x15vmn\r");
    assert_shows(1, "LOGON AT ");
}

/* The least width: 20 columns. The line goes on where it was, and the commands that follow are its own. */
static void a_list_is_as_wide_as_the_terminal_and_the_line_is_shown_again(void **state)
{
    (void)state;
    type(1, "terminal linesize 20\r");
    type(1, "Q \x1b[D");
    shown(1);
    type(1, "\x1b[C\t\t");
    assert_shows(1, "\r\nAUDIT CONSOLE \r\nCPLEVEL CPUS DASD \r\nFILES ISA LAN \r\nLINES LINKS NAMES \r\n"
                    "NEST NIC NSS PRT \r\nPUN RDR SET SHARE \r\nSTORAGE TAG \r\nTERMINAL TIME UR \r\nUSERID USERS \r\n"
                    "VIRTUAL \r\n"
                    "CP> Q ");
    type(1, "us\ti\t\r");
    assert_shows(1, "userid \r\nBOB      AT ");
}

/* Whatever is typed, Tab only adds to it. */
static void tabs_anywhere_only_add_to_the_line(void **state)
{
    static const char *const words[] = {"q", " ", " ", "\t", "\t\t", "#", "vir", "SET", "link", "r", "*", "[", "{", "|",
                                        "}", "]", "help", "pass=", "as", "\xc3\xa9", "mode", "userid", "cp", "...",
                                        "AVERYLONGWORDTHATISNONE"};
    enum { WORDS = sizeof words / sizeof *words };
    struct session *bob = session_find("BOB");
    uint32_t seed = 1;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char typed[400] = "";
        type(1, "\x15");
        for (unsigned left = seed >> 8 & 15; left; left--) {
            seed = seed * 1664525 + 1013904223;
            strcat(typed, words[(seed >> 16) % WORDS]);
        }
        seed = seed * 1664525 + 1013904223;
        for (const char *at = typed; *at; at++)
            fake_line[1].line.input(&fake_line[1].line, (uint8_t)*at);
        turn();
        size_t first = strcspn(typed, "\t");
        assert_memory_equal(bob->typing.editor.text, typed, first);
        for (const char *at = bob->typing.editor.text; *at; at++)
            assert_true((uint8_t)*at >= ' ');
        shown(1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup(f, everybody)
        TEST(names_of_commands_are_completed_at_the_start_and_behind_a_line_end),
        TEST(words_are_those_that_the_format_has_there),
        TEST(what_a_user_may_not_say_is_not_offered),
        TEST(a_list_is_as_wide_as_the_terminal_and_the_line_is_shown_again),
        TEST(tabs_anywhere_only_add_to_the_line),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
