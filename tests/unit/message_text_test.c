/* Numbers of messages where they are given, their texts and what the documents say of them agree. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cp/message/message.h"
#include "tests/unit/sources.h"

static int read_cp(void **state)
{
    static const char *const ends[] = {".c", NULL}, *const but[] = {"message.c", NULL};
    (void)state;
    sources_read_all("cp", true, "", ends, but);
    return 0;
}

static unsigned places_of(const char *text)
{
    unsigned most = 0;
    for (const char *at = text; (at = strchr(at, '%')); at++)
        if (at[1] >= '1' && at[1] <= '4' && (unsigned)(at[1] - '0') > most)
            most = (unsigned)(at[1] - '0');
    return most;
}

/* Arguments from here to the parenthesis that ends the call; of the form ", a, b(c, d))" there are two. */
static unsigned arguments_at(const char *at)
{
    unsigned depth = 0, count = 0;
    for (bool quoted = false; *at && (depth || *at != ')' || quoted); at++) {
        quoted ^= *at == '"' && at[-1] != '\\';
        depth += !quoted && (*at == '(' || *at == '{' || *at == '[');
        depth -= !quoted && (*at == ')' || *at == '}' || *at == ']');
        count += !quoted && !depth && *at == ',';
    }
    return count;
}

/* Where a message is given by number: a module's three letters, and the number. */
static void a_message_that_is_given_exists_and_has_what_fills_its_text(void **state)
{
    unsigned seen = 0;
    regmatch_t found[2];
    regex_t given;
    (void)state;
    assert_int_equal(regcomp(&given, "\"[A-Z]{3}\", ([0-9]+),", REG_EXTENDED), 0);
    for (const char *at = sources; !regexec(&given, at, 2, found, 0); at += found[1].rm_eo, seen++) {
        unsigned number = (unsigned)strtoul(at + found[1].rm_so, NULL, 10);
        const struct message *m = message_lookup(number);
        if (!strncmp(at + found[0].rm_so - 4, "ROW(", 4) || at[found[0].rm_so - 1] == '{')
            continue; /* a command's or an operand's name and least length */
        if (!m)
            fail_msg("%.60s: there is no such message", at + found[0].rm_so);
        if (arguments_at(at + found[1].rm_eo) < places_of(m->text))
            fail_msg("%.60s: fewer than \"%s\" has places", at + found[0].rm_so, m->text);
    }
    regfree(&given);
    assert_true(seen > 60);
}

static void every_message_is_given_somewhere(void **state)
{
    (void)state;
    for (unsigned number = 1; number < 10000; number++) {
        char text[8];
        snprintf(text, sizeof text, "%u", number);
        if (number == 908 || number == 951) /* below */
            continue;
        if (message_lookup(number) && !sources_have(text) && (number < 111 || number > 113)) /* 111 + mode */
            fail_msg("nobody gives message %u", number);
    }
}

/* It has no table then, and writes them whole. */
static void what_a_cp_that_ends_says_is_in_the_table(void **state)
{
    static const struct {
        const char *module;
        unsigned number;
    } words[] = {{"DMP", 908}, {"ISU", 951}};
    (void)state;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        char whole[80];
        const struct message *m = message_find(words[i].number);
        snprintf(whole, sizeof whole, "HCP%s%u%c %.*s", words[i].module, m->number, m->severity,
                 (int)strcspn(m->text, "{"), m->text);
        assert_non_null(strstr(sources, whole));
    }
}

static void a_message_the_documents_name_exists_with_that_severity(void **state)
{
    static const char *const ends[] = {".md", NULL};
    unsigned seen = 0;
    regmatch_t found[3];
    regex_t named;
    (void)state;
    sources_read_all("docs", false, "", ends, NULL);
    assert_int_equal(regcomp(&named, "HCP[A-Z]{3}([0-9]{3,4})([A-Z])", REG_EXTENDED), 0);
    for (const char *at = sources; !regexec(&named, at, 3, found, 0); at += found[2].rm_eo) {
        unsigned number = (unsigned)strtoul(at + found[1].rm_so, NULL, 10);
        const struct message *m = message_lookup(number);
        seen++;
        if (!m || m->severity != at[found[2].rm_so])
            fail_msg("%.14s: there is no such message", at + found[0].rm_so);
    }
    regfree(&named);
    assert_true(seen > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_that_is_given_exists_and_has_what_fills_its_text, read_cp,
                                        sources_forget),
        cmocka_unit_test_setup_teardown(every_message_is_given_somewhere, read_cp, sources_forget),
        cmocka_unit_test_setup_teardown(what_a_cp_that_ends_says_is_in_the_table, read_cp, sources_forget),
        cmocka_unit_test_teardown(a_message_the_documents_name_exists_with_that_severity, sources_forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
