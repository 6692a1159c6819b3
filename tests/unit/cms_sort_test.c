/* SORT as a user types it. */
#include "tests/unit/cms_scene.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    attach(0x192, 'B', "ALI192");
    assert_int_equal(obey("PIPE literal pear  2,apple 3,fig   2,apple 1,pear  1| split at ,| > FRUIT LIST A F 7"), 0);
    return 0;
}

static void by(const char *fields, const char *line, int rc)
{
    fake_cms_type(fields);
    if (obey(line) != rc)
        fail_msg("%s: %s", line, fake_cms_shown());
    assert_true(fake_cms_typed_all());
    assert_non_null(strstr(fake_cms_shown(), "DMSSRT604R Enter sort fields:"));
}

static void records_are_sorted_by_fields_and_equal_ones_stay_in_order(void **state)
{
    (void)state;
    by("1 5\r", "SORT FRUIT LIST A SORTED = A", 0);
    shows("TYPE SORTED LIST", 0, "\napple 3\napple 1\nfig   2\npear  2\npear  1\n\n");
    by("7 7 1 5\r", "SORT FRUIT LIST A SORTED LIST A", 0); /* it is replaced */
    shows("TYPE SORTED LIST", 0, "\napple 1\npear  1\nfig   2\npear  2\napple 3\n\n");
    shows("LISTFILE SORTED LIST A (FORMAT NOHEADER", 0, "SORTED   LIST     A1 F          7\n");
    by("1 7\r", "SORT FRUIT LIST A = = B3", 0);
    shows("LISTFILE FRUIT LIST B", 0, "FRUIT    LIST     B3\n");
}

static void short_records_count_as_padded(void **state)
{
    (void)state;
    obey("PIPE literal b,a!,a,ab| split at ,| > V LIST A");
    by("1 2\r", "SORT V LIST A W LIST A", 0);
    shows("TYPE W LIST", 0, "\na\na!\nab\nb\n\n");
    shows("LISTFILE W LIST A (FORMAT NOHEADER", 0, "W        LIST     A1 V          2\n");
    obey("PIPE hole| > VOID LIST A F");
    by("1 80\r", "SORT VOID LIST A VOID SORTED A", 0);
    shows("TYPE VOID SORTED", 0, "\n\n");
}

static void many_records_come_out_in_order_and_none_is_lost(void **state)
{
    (void)state;
    obey("PIPE literal 7 3 9 1 5 8 2 6 4 0| split| > DIGITS LIST A");
    obey("COPYFILE DIGITS LIST A DIGITS LIST A DIGITS LIST A DIGITS LIST A MANY LIST A (LRECL 1");
    obey("COPYFILE MANY LIST A MANY LIST A MANY LIST A MANY LIST A MANY LIST A (REPLACE");
    by("1 1\r", "SORT MANY LIST A MANY SORTED A", 0);
    obey("PIPE < MANY LIST A | sort | > BY PIPE A");
    shows("COMPARE MANY SORTED A BY PIPE A", 0, "DMSCMP179I Comparing MANY SORTED A1 with BY PIPE A1\n");
    shows("PIPE < MANY SORTED A | count lines | console", 0, "160\n");
}

static void a_wrong_field_leaves_the_old_file(void **state)
{
    static const char *const wrong[] = {"1\r", "2 1\r", "0 1\r", "x 1\r", "1 2 3\r"};
    (void)state;
    obey("PIPE literal old| > OUT LIST A");
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        by(wrong[i], "SORT FRUIT LIST A OUT LIST A", 24);
        assert_non_null(strstr(fake_cms_shown(), "DMSSRT053E Invalid sort field pair defined"));
    }
    by("1 8\r", "SORT FRUIT LIST A OUT LIST A", 24);
    by(" \r", "SORT FRUIT LIST A OUT LIST A", 40);
    fake_cms_type("HX\r");
    assert_int_equal(obey("SORT FRUIT LIST A OUT LIST A"), COMMAND_HALTED);
    shows("TYPE OUT LIST", 0, "\nold\n\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_are_sorted_by_fields_and_equal_ones_stay_in_order),
        TEST(short_records_count_as_padded),
        TEST(many_records_come_out_in_order_and_none_is_lost),
        TEST(a_wrong_field_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
