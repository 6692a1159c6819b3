/* COPYFILE where it makes other records of those it copies, and of many files one or of one many. */
#include "tests/unit/cms_scene.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    attach(0x192, 'B', "ALI192");
    assert_int_equal(obey("PIPE literal The end|literal   two|literal one|> ALPHA DATA A"), 0);
    assert_int_equal(obey("PIPE literal abcdefgh|literal 12345678|> BETA DATA A F 8"), 0);
    return 0;
}

/* The user answers what they are asked; `expected` is among what is shown. */
static void asked(const char *answers, const char *line, int rc, const char *expected)
{
    fake_cms_type(answers);
    assert_int_equal(obey(line), rc);
    if (!strstr(fake_cms_shown(), expected))
        fail_msg("%s: \"%s\" is not in \"%s\"", line, expected, fake_cms_shown());
    assert_true(fake_cms_typed_all());
}

static void specs_put_columns_text_and_bytes_where_they_are_told(void **state)
{
    (void)state;
    asked("1-3 5 /:/ 9 H2E2E 11\r", "COPYFILE BETA DATA A OUT DATA A (RECFM V SPECS", 0,
          "DMSCPY601R Enter specification list:");
    shows("TYPE OUT DATA", 0, "\n    123 : ..\n    abc : ..\n\n");
    asked("6-7 1 .x y. 4\r", "COPYFILE ALPHA DATA A OUT DATA A (REPLACE SPECS NOPROMPT", 0, "");
    assert_null(strstr(fake_cms_shown(), "DMS"));
    shows("TYPE OUT DATA", 0, "\n   x y\n   x y\nnd x y\n\n");
    asked("1 3 ++\r2 1\r", "COPYFILE BETA DATA A OUT DATA A (REPLACE SPECS FILL * LRECL 5", 0, "");
    shows("TYPE OUT DATA", 0, "\n2*1**\nb*a**\n\n");
    asked("20-30 1\r", "COPYFILE ALPHA DATA A OUT DATA A (REPLACE SPECS FILL -", 0, ""); /* nothing is there */
    shows("TYPE OUT DATA", 0, "\n-\n-\n-\n\n");
}

static void a_wrong_specification_is_shown_as_it_was_typed(void **state)
{
    static const char *const wrong[] = {"1-", "3-1 1",    "/x 1", "0 1",   "H1 1",    "H1BZ 1",
                                        "1 0", "1 65536", "1",    "abc 1", "1-65536 1", "// 1", "1-2 65535"};
    char answer[80];
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(answer, sizeof answer, "%s\r", wrong[i]);
        asked(answer, "COPYFILE ALPHA DATA A OUT DATA A (SPECS", 24,
              "DMSCPY064E Invalid SPECS specification at or near ");
        assert_null(strchr(fake_cms_shown(), '\x1b'));
    }
    asked("\r", "COPYFILE ALPHA DATA A OUT DATA A (SPECS", 40, "DMSCPY063E No specification list entered");
    asked("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\r",
          "COPYFILE ALPHA DATA A OUT DATA A (SPECS", 88, "DMSCPY103S Number of SPECS exceeds max 20");
    asked("HX\r", "COPYFILE ALPHA DATA A OUT DATA A (SPECS", COMMAND_HALTED, "");
    shows("STATE OUT DATA A", 28, "DMSSTT002E File OUT DATA A not found\n");
}

static void trans_changes_characters_and_has_the_last_word(void **state)
{
    (void)state;
    asked("o 0 20 -\r", "COPYFILE ALPHA DATA A OUT DATA A (TRANS UPCASE", 0, "DMSCPY602R Enter translation list:");
    shows("TYPE OUT DATA", 0, "\n0NE\n--TW0\nTHE-END\n\n");
    asked("e\r", "COPYFILE ALPHA DATA A OUT DATA A (TRANS REPLACE", 24,
          "DMSCPY064E Invalid translation specification at or near e");
    asked("e xyz\r", "COPYFILE ALPHA DATA A OUT DATA A (TRANS REPLACE", 24, " at or near xyz");
    asked("e xyzxyzxyzxyzxyzxyz\r", "COPYFILE ALPHA DATA A OUT DATA A (TRANS REPLACE", 24, " near xyzxyzxyzxyzxyzx\r");
    asked("  \r", "COPYFILE ALPHA DATA A OUT DATA A (TRANS REPLACE", 40, "DMSCPY063E No translation list entered");
}

static void ebcdic_and_ascii_undo_each_other(void **state)
{
    (void)state;
    shows("COPYFILE ALPHA DATA A OUT DATA A (EBCDIC RECFM F LRECL 8", 0, "");
    shows("TYPE OUT DATA A 1 1 (HEX", 0, "\nRECORD 1 LENGTH=8\n96958540 40404040                   *...@@@@@*\n\n");
    shows("COPYFILE OUT DATA A (ASCII RECFM V TRUNC", 0, "");
    shows("COMPARE OUT DATA A ALPHA DATA A", 0, "DMSCMP179I Comparing OUT DATA A1 with ALPHA DATA A1\n");
    shows("COPYFILE ALPHA DATA A (ASCII EBCDIC", 24, "DMSCPY066E ASCII and EBCDIC are conflicting options\n");
}

static void ovly_lays_records_over_those_of_a_file(void **state)
{
    (void)state;
    shows("COPYFILE ALPHA DATA A BETA DATA A (OVLY TYPE", 0,
          "DMSCPY721I Copy ALPHA DATA A1 overlay BETA DATA A1 (old file)\n");
    shows("TYPE BETA DATA", 0, "\none45678\n  twofgh\nThe end \n\n"); /* a third one is added, in its format */
    shows("COPYFILE ALPHA DATA A BETA DATA A (OVLY FOR 1 UPCASE", 0, "");
    shows("TYPE BETA DATA", 0, "\nONE45678\n  twofgh\nThe end \n\n"); /* what is not reached stays */
    asked("1-3 6\r", "COPYFILE ALPHA DATA A BETA DATA A (OVLY SPECS FOR 2", 0, "");
    shows("TYPE BETA DATA", 0, "\nONE45one\n  two  t\nThe end \n\n");
    shows("COPYFILE ALPHA DATA A NOSUCH DATA A (OVLY", 28, "DMSCPY002E File NOSUCH DATA A1 not found\n");
    shows("COPYFILE ALPHA DATA A BETA DATA A (OVLY RECFM V", 24, "DMSCPY066E OVLY and RECFM are conflicting options\n");
    shows("COPYFILE ALPHA DATA A BETA DATA A (OVLY APPEND", 24, "DMSCPY066E OVLY and APPEND are conflicting options\n");
    obey("RENAME BETA DATA A1 = = A5");
    shows("COPYFILE ALPHA DATA A BETA DATA A (OVLY", 0, "");
    shows("LISTFILE BETA DATA", 0, "BETA     DATA     A5\n");
}

static void many_files_become_as_many_or_one(void **state)
{
    (void)state;
    obey("PIPE literal 1| > X HEAD A");
    obey("PIPE literal 2| > Y HEAD A");
    obey("PIPE literal one| > X TAIL A");
    obey("PIPE literal two| > Y TAIL A");
    shows("COPYFILE * HEAD A = TAIL A = WHOLE B", 0, "");
    shows("TYPE X WHOLE B", 0, "\n1\none\n\n");
    shows("TYPE Y WHOLE B", 0, "\n2\ntwo\n\n");
    shows("COPYFILE * HEAD A * TAIL A = ALL B", 0, "");
    shows("TYPE Y ALL B", 0, "\n2\none\ntwo\n\n");
    shows("COPYFILE * HEAD A = TAIL A = WHOLE B (REPLACE SINGLE", 0, ""); /* = is of the first that was found */
    shows("TYPE X WHOLE B", 0, "\n1\n2\none\n\n");
    shows("COPYFILE X HEAD A = TAIL A OUT DATA A", 0, "");
    shows("TYPE OUT DATA", 0, "\n1\none\n\n");
    shows("COPYFILE X HEAD A TOOLONG= TAIL= A OUT DATA B", 28, "DMSCPY002E File TOOLONGX TAILHEAD A not found\n");
    shows("COPYFILE X HEAD A = NOTHERE A = WHOLE A", 28, "DMSCPY002E File X NOTHERE A not found\n");
    shows("STATE X WHOLE A", 28, "DMSSTT002E File X WHOLE A not found\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(specs_put_columns_text_and_bytes_where_they_are_told),
        TEST(a_wrong_specification_is_shown_as_it_was_typed),
        TEST(trans_changes_characters_and_has_the_last_word),
        TEST(ebcdic_and_ascii_undo_each_other),
        TEST(ovly_lays_records_over_those_of_a_file),
        TEST(many_files_become_as_many_or_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
