/* How a command line is cut up, and what names what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cms/command/builtin.h"

static struct arguments a;

static void words_are_folded_and_cut_to_eight_characters(void **state)
{
    (void)state;
    assert_true(cms_parse("  copyfile verylongname beta a", &a));
    assert_string_equal(a.name.text, "COPYFILE");
    assert_int_equal(a.count, 3);
    assert_string_equal(a.operand[0].text, "VERYLONG");
    assert_int_equal(a.operand[0].raw_length, 12);
    assert_memory_equal(a.operand[0].raw, "verylongname", 12);
    assert_string_equal(a.operand[2].text, "A");
    assert_false(a.has_options);
}

static void a_parenthesis_delimits_wherever_it_stands(void **state)
{
    (void)state;
    assert_true(cms_parse("LISTFILE * * A(LABEL DATE)ignored", &a));
    assert_int_equal(a.count, 3);
    assert_string_equal(a.operand[2].text, "A");
    assert_true(a.has_options);
    assert_int_equal(a.option_count, 2);
    assert_string_equal(a.option[1].text, "DATE");
    assert_true(cms_parse("LISTFILE(", &a));
    assert_string_equal(a.name.text, "LISTFILE");
    assert_true(a.has_options);
    assert_int_equal(a.option_count, 0);
}

static void the_rest_keeps_what_was_typed(void **state)
{
    (void)state;
    assert_true(cms_parse("pipe  literal Hello | console", &a));
    assert_string_equal(a.rest, " literal Hello | console");
    assert_true(cms_parse("cp", &a));
    assert_string_equal(a.rest, "");
}

static void an_empty_line_holds_no_command(void **state)
{
    (void)state;
    assert_false(cms_parse("", &a));
    assert_false(cms_parse("   ", &a));
    assert_false(cms_parse("(", &a));
}

static void too_many_words_are_noticed_not_written_beyond_the_table(void **state)
{
    char line[COMMAND_LINE_MAX + 1] = "X";
    (void)state;
    for (int i = 0; i <= COMMAND_WORDS_MAX; i++)
        strcat(line, " y");
    assert_true(cms_parse(line, &a));
    assert_true(a.too_many);
    assert_int_equal(a.count, COMMAND_WORDS_MAX);
}

static void abbreviations_need_their_least_length(void **state)
{
    (void)state;
    assert_true(cms_abbreviates("Q", "QUERY", 1));
    assert_true(cms_abbreviates("QUERY", "QUERY", 1));
    assert_false(cms_abbreviates("AC", "ACCESS", 3));
    assert_false(cms_abbreviates("QUERYX", "QUERY", 1));
    assert_false(cms_abbreviates("", "QUERY", 0));
}

static void numbers_are_whole_words_that_fit(void **state)
{
    uint32_t value;
    (void)state;
    assert_true(cms_parse("x 191 4294967295 4294967296 19g 12x", &a));
    assert_true(cms_hex(&a.operand[0], &value));
    assert_int_equal(value, 0x191);
    assert_true(cms_number(&a.operand[1], &value));
    assert_int_equal(value, 4294967295u);
    assert_false(cms_number(&a.operand[2], &value));
    assert_false(cms_hex(&a.operand[3], &value));
    assert_false(cms_number(&a.operand[4], &value));
}

static void an_exact_name_wins_over_an_abbreviation(void **state)
{
    (void)state;
    assert_string_equal(cms_command_find("HI", true)->name, "HI");
    assert_string_equal(cms_command_find("H", true)->name, "HELP");
    assert_string_equal(cms_command_find("ACC", true)->name, "ACCESS");
    assert_null(cms_command_find("ACC", false));
    assert_null(cms_command_find("NOSUCH", true));
}

static void every_abbreviation_names_its_own_command_first(void **state)
{
    const struct command *c;
    char least[16];
    (void)state;
    for (size_t i = 0; (c = cms_command_at(i)); i++) {
        strcpy(least, c->name);
        least[c->abbreviation] = 0;
        assert_ptr_equal(cms_command_find(least, true), c);
        assert_non_null(c->synopsis);
        assert_int_equal(c->help[strlen(c->help) - 1], '\n');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_folded_and_cut_to_eight_characters),
        cmocka_unit_test(a_parenthesis_delimits_wherever_it_stands),
        cmocka_unit_test(the_rest_keeps_what_was_typed),
        cmocka_unit_test(an_empty_line_holds_no_command),
        cmocka_unit_test(too_many_words_are_noticed_not_written_beyond_the_table),
        cmocka_unit_test(abbreviations_need_their_least_length),
        cmocka_unit_test(numbers_are_whole_words_that_fit),
        cmocka_unit_test(an_exact_name_wins_over_an_abbreviation),
        cmocka_unit_test(every_abbreviation_names_its_own_command_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
