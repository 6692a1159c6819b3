#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cp/device/share.h"

static void a_share_is_said_as_the_directory_statement_says_it(void **state)
{
    static const struct {
        const char *said, *shown;
    } good[] = {
        {"RELATIVE 200", "RELATIVE SHARE = 200"},  {"rel 1", "RELATIVE SHARE = 1"},
        {"Relative  10000 ", "RELATIVE SHARE = 10000"}, {"ABSOLUTE 20%", "ABSOLUTE SHARE = 20.0%"},
        {"ABS 12.5", "ABSOLUTE SHARE = 12.5%"},    {" absolut 0.1% ", "ABSOLUTE SHARE = 0.1%"},
        {"ABSOLUTE 100%", "ABSOLUTE SHARE = 100.0%"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
        struct share share;
        char text[SHARE_TEXT];
        if (!share_parse(good[i].said, &share))
            fail_msg("%s", good[i].said);
        assert_string_equal(share_text(share, text), good[i].shown);
    }
}

static void anything_else_is_none(void **state)
{
    static const char *const bad[] = {
        "", "RELATIVE", "RELATIVE ", "RE 5", "RELATIVES 5", "RELATIVE 0", "RELATIVE 10001", "RELATIVE 4294967396",
        "RELATIVE -1", "RELATIVE 5%", "RELATIVE 5 5", "ABSOLUTE", "ABSOLUTE 0", "ABSOLUTE 0.0%", "ABSOLUTE 100.1%",
        "ABSOLUTE 12.55%", "ABSOLUTE .5%", "ABSOLUTE 5.%", "ABSOLUTE 5 %", "ABSOLUTE 5% X", "200", "ABSOLUTE\t5",
        "ABSOLUTE 99999999999999999999%", "RELATIVE5",
    };
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct share share;
        if (share_parse(bad[i], &share))
            fail_msg("%s", bad[i]);
    }
}

static void none_is_the_usual_one(void **state)
{
    char text[SHARE_TEXT];
    (void)state;
    assert_string_equal(share_text((struct share){0}, text), "RELATIVE SHARE = 100");
    assert_int_equal(share_parts((struct share){0}), SHARE_USUAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_is_said_as_the_directory_statement_says_it),
        cmocka_unit_test(anything_else_is_none),
        cmocka_unit_test(none_is_the_usual_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
