/* Marks among what is typed: found by their token, and nothing typed is lost or taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/terminal/mark.h"

static struct mark mark;
static char typed[256];
static unsigned length, ends, sizes, users, comings, goings;

static int begin(void **state)
{
    (void)state;
    mark = (struct mark){.token = "aB3xYz"};
    length = ends = sizes = users = comings = goings = 0;
    return 0;
}

static void take(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t last = (uint8_t)bytes[i];
        switch (mark_take(&mark, last)) {
        case MARK_HOLDING: break;
        case MARK_END: ends++; break;
        case MARK_SIZE: sizes++; break;
        case MARK_CAME: comings++; break;
        case MARK_USER: users++; break;
        case MARK_GONE: goings++; break;
        case MARK_TYPED: typed[length++] = (char)MARK_BEGINS; break;
        case MARK_GIVE: {
            unsigned give = mark.held > 1 && last == MARK_BEGINS ? mark.held - 1u : mark.held;
            memcpy(typed + length, mark.bytes, give);
            length += give;
            mark.bytes[0] = last;
            mark.held -= give;
        }
        }
    }
    typed[length] = 0;
}

#define TAKE(bytes) take(bytes, sizeof(bytes) - 1)

static void a_mark_is_no_text(void **state)
{
    (void)state;
    TAKE("ab\xfe" "aB3xYzW132;");
    assert_int_equal(sizes, 1);
    assert_int_equal(mark.columns, 132);
    TAKE("cd\xfe" "aB3xYzE;");
    assert_string_equal(typed, "abcd");
    assert_int_equal(ends, 1);
    assert_int_equal(mark.held, 0);
}

static void what_only_begins_like_a_mark_is_typed_as_it_is(void **state)
{
    static const char text[] = "\xfe\xfe" "aB3xYz?\xfe" "aB3xYZE;\xfe" "aB3xYzE,\xfe" "aB3xYzEx\xfe" "aB3xYzW80x\xfe"
                               "aB3xYz;\xfe" "aB3xYzW12345678901234567890;end";
    (void)state;
    take(text, sizeof text - 1);
    assert_int_equal(ends + sizes, 0);
    assert_int_equal(length, sizeof text - 1);
    assert_memory_equal(typed, text, length);
}

static void a_mark_behind_half_a_mark_counts(void **state)
{
    (void)state;
    TAKE("\xfe\xfe" "aB3xYzE;");
    assert_int_equal(ends, 1);
    assert_string_equal(typed, "\xfe");
    TAKE("\xfe" "aB3\xfe" "aB3xYzE;");
    assert_int_equal(ends, 2);
    assert_string_equal(typed, "\xfe\xfe" "aB3");
}

static void what_a_mark_begins_with_can_be_typed(void **state)
{
    (void)state;
    TAKE("a\xfe" "aB3xYzT;");
    assert_string_equal(typed, "a\xfe");
    assert_int_equal(mark.held, 0);
    TAKE("aB3xYzE;\xfe" "aB3xYzT,\xfe" "aB3xYzTT;");
    assert_string_equal(typed, "a\xfe" "aB3xYzE;\xfe" "aB3xYzT,\xfe" "aB3xYzTT;");
    assert_int_equal(ends + sizes, 0);
}

static void a_width_beyond_all_lines_is_the_widest_there_is(void **state)
{
    (void)state;
    TAKE("\xfe" "aB3xYzW999;");
    assert_int_equal(mark.columns, 999);
    TAKE("\xfe" "aB3xYzW1000;");
    assert_int_equal(mark.columns, 999);
    TAKE("\xfe" "aB3xYzW99999999999;");
    assert_int_equal(sizes, 3);
    assert_int_equal(mark.columns, 999);
    TAKE("\xfe" "aB3xYzW;");
    assert_int_equal(mark.columns, 0);
}

static void rows_stand_behind_columns_or_are_not_known(void **state)
{
    static const struct {
        const char *mark;
        unsigned columns, rows;
    } says[] = {{"W132,50;", 132, 50}, {"W80;", 80, 0},   {"W,24;", 0, 24},      {"W999,999;", 999, 999},
                {"W1,1000;", 1, 999},  {"W80,;", 80, 0}, {"W80,24,7;", 80, 24}, {"W,;", 0, 0}};
    (void)state;
    for (unsigned i = 0; i < sizeof says / sizeof *says; i++) {
        TAKE("\xfe" "aB3xYz");
        take(says[i].mark, strlen(says[i].mark));
        assert_int_equal(sizes, i + 1);
        assert_int_equal(mark.columns, says[i].columns);
        assert_int_equal(mark.rows, says[i].rows);
    }
    assert_int_equal(length, 0);
}

static void who_comes_is_named_in_full_or_not_at_all(void **state)
{
    (void)state;
    TAKE("\xfe" "aB3xYzG;\xfe" "aB3xYzC;\xfe" "aB3xYzUALICE;");
    assert_int_equal(goings, 1);
    assert_int_equal(comings, 1);
    assert_int_equal(users, 1);
    assert_string_equal(mark.name, "ALICE");
    TAKE("\xfe" "aB3xYzUA@$#_-45;");
    assert_string_equal(mark.name, "A@$#_-45");
    TAKE("\xfe" "aB3xYzUMAINTENANCE;");
    assert_string_equal(mark.name, "");
    assert_string_equal(typed, "");
    TAKE("\xfe" "aB3xYzUA B;\xfe" "aB3xYzUA\x1b;\xfe" "aB3xYzCC;");
    assert_string_equal(typed, "\xfe" "aB3xYzUA B;\xfe" "aB3xYzUA\x1b;\xfe" "aB3xYzCC;");
}

static void without_a_token_every_byte_is_typed_at_once(void **state)
{
    (void)state;
    mark.token = NULL;
    TAKE("\xfe" "aB3xYzE;");
    assert_int_equal(ends, 0);
    assert_string_equal(typed, "\xfe" "aB3xYzE;");
    assert_int_equal(mark.held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_mark_is_no_text, begin),
        cmocka_unit_test_setup(what_only_begins_like_a_mark_is_typed_as_it_is, begin),
        cmocka_unit_test_setup(a_mark_behind_half_a_mark_counts, begin),
        cmocka_unit_test_setup(what_a_mark_begins_with_can_be_typed, begin),
        cmocka_unit_test_setup(a_width_beyond_all_lines_is_the_widest_there_is, begin),
        cmocka_unit_test_setup(rows_stand_behind_columns_or_are_not_known, begin),
        cmocka_unit_test_setup(who_comes_is_named_in_full_or_not_at_all, begin),
        cmocka_unit_test_setup(without_a_token_every_byte_is_typed_at_once, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
