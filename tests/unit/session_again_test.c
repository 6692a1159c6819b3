/* What is shown a second time asks no terminal anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/session/again.h"

static void assert_leaves(const char *text, const char *expected)
{
    char copy[200];
    strcpy(copy, text);
    copy[again_quiet(copy, strlen(copy))] = 0;
    assert_string_equal(copy, expected);
}

static void what_a_terminal_answers_is_left_out(void **state)
{
    static const char *const questions[] = {
        "\x05", "\x1bZ", "\x1b[c", "\x1b[0c", "\x1b[>0c", "\x1b[=c", "\x1b[5n", "\x1b[6n", "\x1b[?6n", "\x1b[?996n",
        "\x1b[2$p", "\x1b[?2026$p", "\x1b[>0q", "\x1b[x", "\x1b[1x", "\x1b[14t", "\x1b[18t", "\x1b[21t", "\x1b[?u",
        "\x1b[?2;1;0S", "\x1b[1;2#|", "\x1b[#R", "\x1b[1'|", "\x1b[1$w", "\x1b[1;1;1;1;5;5*y",
        "\x1bP$qm\x1b\\", "\x1bP+q544e\x1b\\", "\x1b]10;?\a", "\x1b]4;1;?\x1b\\", "\x1b]52;c;?\x1b\\",
        "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"};
    char text[100];
    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        strcpy(text, "before ");
        strcat(strcat(text, questions[i]), " behind");
        assert_leaves(text, "before  behind");
        assert_leaves(questions[i], "");
    }
    assert_leaves("\x1b[6n\x1b[c\x1b]11;?\a$ ", "$ ");
}

static void all_else_stays_as_it_is(void **state)
{
    static const char *const others[] = {
        "", "text\r\n", "\x1b[1;31mred\x1b[0m", "\x1b[2J\x1b[H", "\x1b[?1049h", "\x1b[?25l", "\x1b[?1c", "\x1b[>4;1m",
        "\x1b[>1u", "\x1b[<1u", "\x1b[u", "\x1b[3S", "\x1b[4 q", "\x1b[!p", "\x1b[1;5r", "\x1b[>4n", "\x1b" "7\x1b" "8",
        "\x1b(B", "\x1b=", "\x1b]0;what is this\a", "\x1b]10;#ffffff\x1b\\", "\x1bPq#0~~\x1b\\",
        "\xc3\xa4?c6n", "\x1b[1;1;1;1;1;1;1;1$x"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_leaves(others[i], others[i]);
}

/* Its rest may follow, for the first time. */
static void a_question_that_is_not_whole_stays(void **state)
{
    static const char *const halves[] = {"\x1b", "\x1b[", "\x1b[6", "\x1b[?2026$", "\x1bP$qm", "\x1bP$qm\x1b",
                                         "\x1b]10;?", "\x1b]10;?\x18\a", "\x1b[6\x18n", "\x1b[6\x1b[1m", "\x1b_Ga=q"};
    (void)state;
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        assert_leaves(halves[i], halves[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_answers_is_left_out),
        cmocka_unit_test(all_else_stays_as_it_is),
        cmocka_unit_test(a_question_that_is_not_whole_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
