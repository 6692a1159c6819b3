/* What must agree about the questions of QUERY: its tables, HELP, and what tests/guest/longest.c measures. */
#include "tests/unit/command_scene.h"

#include <regex.h>

#include "tests/unit/sources.h"

enum { QUESTIONS_MOST = 40, QUESTION = 16 };

/* The names in the rows of a table of questions: {"NAME", least, query_...}. */
static unsigned questions_of(const char *path, char names[][QUESTION], unsigned least[])
{
    regex_t row;
    regmatch_t found[3];
    unsigned count = 0;
    sources_read(path);
    assert_int_equal(regcomp(&row, "\\{\"([A-Z]+)\", ([0-9]+), query_", REG_EXTENDED), 0);
    for (const char *at = sources; !regexec(&row, at, 3, found, 0); at += found[0].rm_eo, count++) {
        assert_true(count < QUESTIONS_MOST);
        snprintf(names[count], QUESTION, "%.*s", (int)(found[1].rm_eo - found[1].rm_so), at + found[1].rm_so);
        least[count] = (unsigned)atoi(at + found[2].rm_so);
    }
    regfree(&row);
    sources_forget(NULL);
    return count;
}

static bool is_told(const char *name)
{
    for (const char *at = answer; (at = strstr(at, name)); at++)
        if (at > answer && !sources_in_word(at[-1]) && !sources_in_word(at[strlen(name)]))
            return true;
    return false;
}

/* HELP names it, tests/guest/longest.c asks how long it takes, and no other has its short form. */
static void questions_are_told_measured_and_apart(const char *path, unsigned at_least)
{
    char names[QUESTIONS_MOST][QUESTION], command[32];
    unsigned least[QUESTIONS_MOST], count = questions_of(path, names, least);
    assert_true(count >= at_least);
    assert_answer("BOB", "HELP QUERY", 0, "QUERY");
    sources_read("tests/guest/longest.c");
    for (unsigned i = 0; i < count; i++) {
        snprintf(command, sizeof command, "QUERY %.*s", QUESTION - 1, names[i]);
        if (!is_told(names[i]))
            fail_msg("HELP QUERY does not name %s", names[i]);
        if (strcmp(names[i], "ALL") && !sources_quote(command)) /* VIRTUAL ALL */
            fail_msg("tests/guest/longest.c has no %s", command);
        for (unsigned j = 0; j < i; j++)
            if (!strncmp(names[i], names[j], least[i] > least[j] ? least[i] : least[j]))
                fail_msg("%s and %s have a short form in common", names[i], names[j]);
    }
    sources_forget(NULL);
}

static void every_question_is_told_measured_and_apart(void **state)
{
    (void)state;
    questions_are_told_measured_and_apart("cp/command/query.c", 15);
    questions_are_told_measured_and_apart("cp/command/query_virtual.c", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_question_is_told_measured_and_apart, everybody, sources_forget),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
