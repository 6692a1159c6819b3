/* EXECs in CMS' first language: which files are such, what becomes of their lines, and what ends them. */
#include "tests/unit/cms_scene.h"

#include "cms/exec/old.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    assert_int_equal(obey("PIPE literal one|> ONE DATA A"), 0);
    assert_int_equal(obey("PIPE literal two|> TWO DATA A"), 0);
    return 0;
}

/* OLD EXEC A is these lines, which ; separates. */
static void is_exec(const char *lines)
{
    char line[1000];
    snprintf(line, sizeof line, "PIPE literal %s|split at ;|> OLD EXEC A", lines);
    assert_int_equal(obey(line), 0);
}

static void what_listfile_makes_runs(void **state)
{
    (void)state;
    assert_int_equal(obey("LISTFILE * DATA A (EXEC"), 0);
    shows("EXEC CMS TYPE", 0, "TYPE ONE DATA A1\n\none\n\nTYPE TWO DATA A1\n\ntwo\n\n");
    shows("CMS COPYFILE TYPE", 0, "COPYFILE TYPE ONE DATA A1\nDMSCPY054E Incomplete fileid specified\n"
                                  "+++ R(00024) +++\nCOPYFILE TYPE TWO DATA A1\n"
                                  "DMSCPY054E Incomplete fileid specified\n+++ R(00024) +++\n");
    assert_int_equal(obey("LISTFILE * DATA A (EXEC ARGS"), 0);
    shows("EXEC CMS COPYFILE % = OLD =", 0, "COPYFILE ONE DATA A1 = OLD =\nCOPYFILE TWO DATA A1 = OLD =\n");
    shows("LISTFILE * OLD A", 0, "ONE      OLD      A1\nTWO      OLD      A1\n");
    shows("EXEC CMS ERASE", 0, "ERASE ONE DATA A1\nERASE TWO DATA A1\n");
    shows("LISTFILE * DATA A", 28, "DMSLST002E File * DATA A not found\n");
}

static void words_are_what_stands_behind_the_name(void **state)
{
    (void)state;
    is_exec("* what comes;;&CONTROL OFF NOMSG;&TYPE   &0 has &INDEX words: &1-&2 &1 &2 &3  &x & &31 &0031;"
            "state &2 data a;&type &retcode;STATE NO FILE A;&TYPE &RETCODE");
    shows("OLD first ONE", 0, "OLD has 2 words: &1-&2 first ONE &x & &31 &0031\n0\n"
          "DMSSTT002E File NO FILE A not found\n28\n");
    is_exec("&TYPE &1&TYPE &30;&TYPE &30");
    shows("OLD a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 (4)", 0, "&1&TYPE (4)\n(4)\n");
    shows("OLD a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 4 5", 804,
          "DMSEXT072E Error in EXEC file OLD, line 0 - too many arguments\n");
    is_exec("&1 &2 &3");
    shows("OLD", 0, "");
    shows("OLD % % state", 0, "state\nDMSSTT042E No fileid(s) specified\n+++ R(00024) +++\n");
}

static void commands_are_shown_as_control_says(void **state)
{
    (void)state;
    is_exec("&CONTROL ERROR PACK;STATE ONE DATA;STATE X Y A;&CONTROL ALL;STATE ONE DATA;&CONTROL OFF;STATE X Y A;"
            "&CONTROL TIME;STATE X Y A");
    shows("OLD", 0, "DMSSTT002E File X Y A not found\nSTATE X Y A\n+++ R(00028) +++\nSTATE ONE DATA\n"
                    "DMSSTT002E File X Y A not found\nDMSSTT002E File X Y A not found\n");
}

static void it_ends_where_it_is_told_to(void **state)
{
    (void)state;
    is_exec("&CONTROL OFF;&EXIT 7;&TYPE not here");
    shows("OLD", 7, "");
    is_exec("&EXIT -3;&TYPE not here");
    shows("OLD", -3, "");
    is_exec("&CONTROL OFF;STATE X Y A;&EXIT &RETCODE");
    shows("OLD", 28, "DMSSTT002E File X Y A not found\n");
    is_exec("&CONTROL OFF;&ERROR &EXIT;STATE X Y A;&TYPE not here");
    shows("OLD", 28, "DMSSTT002E File X Y A not found\n");
    is_exec("&CONTROL OFF;&ERROR &EXIT 5;STATE X Y A;&TYPE not here");
    shows("OLD", 5, "DMSSTT002E File X Y A not found\n");
    is_exec("&CONTROL OFF;&ERROR &EXIT;&ERROR &CONTINUE;STATE X Y A;&TYPE here;&CONTINUE");
    shows("OLD", 0, "DMSSTT002E File X Y A not found\nhere\n");
    is_exec("STATE ONE DATA A");
    assert_int_equal(obey("COPYFILE OLD EXEC A REXX EXEC A"), 0); /* begins with neither & nor *: REXX */
    assert_int_equal(obey("REXX one two"), 0);
    assert_string_equal(fake_cms_interpreted, "REXX EXEC A1: one two");
}

static void what_is_not_there_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *lines;
        int rc;
        const char *message;
    } wrong[] = {{"*;&IF &1 EQ 2 &EXIT;&TYPE not here", 816, "line 2 - invalid control word"},
                 {"&X = 3", 816, "line 1 - invalid control word"},
                 {"&CONTROL LOUD", 807, "line 1 - invalid syntax"},
                 {"&EXIT 1 2", 807, "line 1 - invalid syntax"},
                 {"&EXIT 99999999999", 807, "line 1 - invalid syntax"},
                 {"&ERROR &SKIP 2", 811, "line 1 - error in &ERROR action"},
                 {"&ERROR", 811, "line 1 - error in &ERROR action"}};
    char message[120];
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        is_exec(wrong[i].lines);
        snprintf(message, sizeof message, "DMSEXT072E Error in EXEC file OLD, %s\n", wrong[i].message);
        shows("OLD", wrong[i].rc, message);
    }
}

static void a_line_that_grows_too_long_is_refused(void **state)
{
    static char line[COMMAND_LINE_MAX + 1], record[4000];
    (void)state;
    for (unsigned i = 0; i + 3 < sizeof record; i += 3)
        memcpy(record + i, "&1 ", 3);
    struct edf_writer *w;
    assert_int_equal(edf_create(cms_mode_find('A')->disk, "LONG", "EXEC", '1', 'V', 0, EDF_NEW, &w), EDF_OK);
    assert_int_equal(edf_write(w, record, sizeof record - 1), EDF_OK);
    assert_int_equal(edf_commit(w), EDF_OK);
    strcpy(line, "LONG word");
    shows(line, 813, "DMSEXT072E Error in EXEC file LONG, line 1 - too many tokens in statement\n");
}

static void hx_ends_it_and_it_does_not_call_itself_for_ever(void **state)
{
    (void)state;
    is_exec("*;EXEC OLD");
    assert_int_equal(obey("OLD"), 0);
    assert_non_null(strstr(fake_cms_shown(), "DMSINT9004E Commands are nested too deep"));
    is_exec("&CONTROL OFF;COPYFILE ONE DATA A X Y A (SPECS;&TYPE not here");
    fake_cms_type("HX\r");
    assert_int_equal(obey("OLD"), COMMAND_HALTED);
    assert_null(strstr(fake_cms_shown(), "not here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_listfile_makes_runs, start, scene_end),
        cmocka_unit_test_setup_teardown(words_are_what_stands_behind_the_name, start, scene_end),
        cmocka_unit_test_setup_teardown(commands_are_shown_as_control_says, start, scene_end),
        cmocka_unit_test_setup_teardown(it_ends_where_it_is_told_to, start, scene_end),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_refused_with_its_line, start, scene_end),
        cmocka_unit_test_setup_teardown(a_line_that_grows_too_long_is_refused, start, scene_end),
        cmocka_unit_test_setup_teardown(hx_ends_it_and_it_does_not_call_itself_for_ever, start, scene_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
