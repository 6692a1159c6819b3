/* TAPE and FILEDEF as a user types them: files on tapes, tapes wound, and what is no tape. */
#include "cms/edf/edf.h"
#include "tests/unit/cms_scene.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    attach(0x192, 'B', "ALI192");
    assert_int_equal(obey("PIPE literal The end|literal   two|literal one|> ALPHA DATA A"), 0);
    assert_int_equal(obey("PIPE literal one| > ALPHA EXEC A2"), 0);
    assert_int_equal(obey("PIPE literal abc| > BETA DATA B F 8"), 0);
    assert_int_equal(obey("FILEDEF * CLEAR"), 0); /* each tape at its load point */
    return 0;
}

static void files_go_to_a_tape_and_come_back(void **state)
{
    (void)state;
    shows("TAPE DUMP ALPHA * A", 0, "Dumping.....\nALPHA DATA A1\nALPHA EXEC A2\n");
    shows("TAPE DUMP BETA DATA B (NOPRINT", 0, ""); /* joins them */
    shows("TAPE REW", 0, "");
    shows("TAPE SCAN", 0,
          "Scanning.....\nALPHA DATA A1\nALPHA EXEC A2\nBETA DATA B1\nEnd-of-file or end-of-tape\n");
    shows("ERASE ALPHA * A", 0, "");
    shows("TAPE REW", 0, "");
    shows("TAPE LOAD * DATA", 0, "Loading.....\nALPHA DATA A1\nBETA DATA A1\nEnd-of-file or end-of-tape\n");
    shows("TYPE ALPHA DATA", 0, "\none\n  two\nThe end\n\n");
    shows("COMPARE BETA DATA A BETA DATA B", 0, "DMSCMP179I Comparing BETA DATA A1 with BETA DATA B1\n");
    shows("LISTFILE * * A (FORMAT NOHEADER", 0,
          "TAP1     AWSTAPE  A1 V        352\nALPHA    DATA     A1 V          7\nBETA     DATA     A1 F          8\n");
    shows("TAPE REW", 0, "");
    shows("TAPE LOAD ALPHA EXEC B5", 0, "Loading.....\nALPHA EXEC B5\n");
    shows("TAPE SCAN", 0, "Scanning.....\nBETA DATA B1\nEnd-of-file or end-of-tape\n"); /* it ended behind that file */
    shows("TAPE SCAN", 0, "Scanning.....\nEnd-of-file or end-of-tape\n");
}

static void a_loaded_file_replaces_one_and_keeps_its_date(void **state)
{
    (void)state;
    obey("TAPE DUMP ALPHA DATA A");
    obey("PIPE literal new| > ALPHA DATA A");
    obey("TAPE REW");
    shows("TAPE LOAD (NOPRINT", 0, "");
    shows("TYPE ALPHA DATA", 0, "\none\n  two\nThe end\n\n");
    shows("LISTFILE ALPHA DATA A (DATE NOHEADER", 0,
          "ALPHA    DATA     A1 V          7          3          1 11/21/26 14:05:31\n");
}

static void marks_part_a_tape(void **state)
{
    (void)state;
    obey("TAPE DUMP ALPHA * A (WTM");
    obey("TAPE DUMP BETA DATA B (WTM");
    obey("TAPE REW");
    shows("TAPE SCAN (EOF 2", 0, "Scanning.....\nALPHA DATA A1\nALPHA EXEC A2\nEnd-of-file or end-of-tape\n");
    obey("TAPE REW");
    shows("TAPE SCAN (EOT", 0,
          "Scanning.....\nALPHA DATA A1\nALPHA EXEC A2\nBETA DATA B1\nEnd-of-file or end-of-tape\n");
    shows("TAPE BSF 2", 0, ""); /* before the second mark */
    shows("TAPE FSF", 0, "");
    shows("TAPE SCAN", 0, "Scanning.....\nBETA DATA B1\nEnd-of-file or end-of-tape\n");
    shows("TAPE BSR 3", 0, ""); /* a mark, a name, data */
    shows("TAPE SCAN", 0, "Scanning.....\nBETA DATA B1\nEnd-of-file or end-of-tape\n");
    shows("TAPE BSF 4", 40, "DMSTPE058E End-of-file or end-of-tape on TAP1(181)\n");
    shows("TAPE SKIP ALPHA EXEC (EOF 2", 0, "Skipping.....\nALPHA DATA A1\nALPHA EXEC A2\n");
    shows("TAPE FSR 3", 0, "");
    shows("TAPE SCAN", 0, "Scanning.....\nEnd-of-file or end-of-tape\n");
    shows("TAPE RUN", 0, "");
    shows("TAPE SCAN ALPHA EXEC (EOT", 0, "Scanning.....\nALPHA DATA A1\nALPHA EXEC A2\n");
    shows("TAPE SCAN", 0, "Scanning.....\nALPHA EXEC A2\nEnd-of-file or end-of-tape\n"); /* it ended before it */
}

static void what_is_written_ends_the_tape(void **state)
{
    (void)state;
    obey("TAPE DUMP ALPHA * A (WTM");
    obey("TAPE REW");
    obey("TAPE FSF");
    shows("TAPE DUMP BETA DATA B (NOPRINT", 0, "");
    obey("TAPE REW");
    shows("TAPE SCAN (EOT", 0, "Scanning.....\nALPHA DATA A1\nBETA DATA B1\nEnd-of-file or end-of-tape\n");
    obey("TAPE REW");
    shows("TAPE WTM 2", 0, "");
    obey("TAPE REW");
    shows("TAPE SCAN (EOT", 0, "Scanning.....\nEnd-of-file or end-of-tape\n");
    shows("LISTFILE TAP1 AWSTAPE A (FORMAT NOHEADER", 0, "TAP1     AWSTAPE  A1 V         12\n");
}

static void filedef_says_which_file_is_the_tape(void **state)
{
    (void)state;
    shows("FILEDEF TAP2 DISK MY TAPE B", 0, "");
    shows("FILEDEF 187 DISK OTHER TAPE", 0, "");
    shows("FILEDEF", 0, "TAP2     DISK     MY       TAPE     B\nTAP7     DISK     OTHER    TAPE     A\n");
    shows("TAPE DUMP ALPHA DATA A (182 NOPRINT", 0, "");
    shows("LISTFILE * TAPE B", 0, "MY       TAPE     B1\n");
    shows("TAPE DUMP * * B (TAP2", 0, "Dumping.....\nBETA DATA B1\n"); /* not itself */
    shows("FILEDEF TAP3 DISK MY TAPE B", 0, ""); /* stands at its beginning */
    shows("TAPE SCAN (TAP3", 0, "Scanning.....\nALPHA DATA A1\nBETA DATA B1\nEnd-of-file or end-of-tape\n");
    shows("FILEDEF TAP2 CLEAR", 0, "");
    shows("TAPE SCAN (TAP2", 100, "DMSTPE113S TAP2(182) not attached or invalid device address\n");
    shows("FILEDEF * CLEAR", 0, "");
    shows("FILEDEF", 0, "DMSFLD324I No user defined FILEDEF in effect\n");
}

/* A tape of the host comes in records of any length, and may be cut anywhere. */
static void a_tape_is_its_bytes_however_they_are_cut(void **state)
{
    (void)state;
    obey("TAPE DUMP ALPHA * A");
    obey("PIPE < TAP1 AWSTAPE A | specs 1-7 1 | > ONE TAPE A");
    obey("PIPE < TAP1 AWSTAPE A | specs 8-200 1 | > TWO TAPE A");
    obey("PIPE < TAP1 AWSTAPE A | specs 201-* 1 | > THREE TAPE A");
    obey("COPYFILE ONE TAPE A TWO TAPE A THREE TAPE A CUT TAPE A");
    obey("FILEDEF TAP1 DISK CUT TAPE A");
    shows("TAPE LOAD * * B", 0, "Loading.....\nALPHA DATA B1\nALPHA EXEC B2\nEnd-of-file or end-of-tape\n");
    shows("COMPARE ALPHA DATA A ALPHA DATA B", 0, "DMSCMP179I Comparing ALPHA DATA A1 with ALPHA DATA B1\n");
    obey("FILEDEF TAP1 DISK ONE TAPE A");
    shows("TAPE SCAN", 100, "Scanning.....\nDMSTPE110S Error reading TAP1(181): the file ends within a block\n");
    shows("TAPE DUMP BETA DATA B", 0, "Dumping.....\nBETA DATA B1\n"); /* it stands at its beginning */
    shows("TAPE REW", 0, "");
    shows("TAPE SCAN", 0, "Scanning.....\nBETA DATA B1\nEnd-of-file or end-of-tape\n");
}

static void a_tape_that_became_another_is_not_written_behind(void **state)
{
    (void)state;
    obey("TAPE DUMP ALPHA * A (NOPRINT");
    obey("RENAME TAP1 AWSTAPE A OLD = =");
    shows("TAPE DUMP BETA DATA B", 100, "DMSTPE113S TAP1(181) not attached or invalid device address\n");
    obey("PIPE literal x | > TAP1 AWSTAPE A");
    shows("TAPE DUMP BETA DATA B", 100,
          "DMSTPE110S Error reading TAP1(181): the file ends within a block's header\n");
    obey("FILEDEF TAP2 DISK OLD AWSTAPE A");
    obey("TAPE REW");
    obey("TAPE WTM");
    obey("TAPE FSR (TAP2");
    obey("COPYFILE TAP1 AWSTAPE A OLD AWSTAPE A (REPLACE");
    shows("TAPE WTM (TAP2", 40, "DMSTPE058E End-of-file or end-of-tape on TAP2(182)\n");
}

static void large_files_of_both_formats_come_back(void **state)
{
    (void)state;
    obey("PIPE literal 0123456789 | > LONG DATA B");
    for (int i = 0; i < 9; i++)
        assert_int_equal(obey("COPYFILE LONG DATA B LONG DATA B LONG DATA B (REPLACE"), 0);
    obey("COPYFILE LONG DATA B FIXED DATA B (RECFM F LRECL 77");
    shows("TAPE DUMP * DATA B (NOPRINT", 0, "");
    obey("COPYFILE * DATA B = KEPT =");
    obey("ERASE * DATA B");
    obey("TAPE REW");
    shows("TAPE LOAD * * B (NOPRINT", 0, "");
    shows("COMPARE LONG DATA B LONG KEPT B", 0, "DMSCMP179I Comparing LONG DATA B1 with LONG KEPT B1\n");
    shows("COMPARE FIXED DATA B FIXED KEPT B", 0, "DMSCMP179I Comparing FIXED DATA B1 with FIXED KEPT B1\n");
}

static void what_fails_leaves_the_tape_as_it_was(void **state)
{
    (void)state;
    obey("TAPE DUMP ALPHA DATA A (NOPRINT");
    obey("PIPE literal 0123456789 | > BIG DATA B");
    while (!obey("COPYFILE BIG DATA B BIG DATA B BIG DATA B (REPLACE")) {}
    obey("PIPE literal x | > SMALL DATA A");
    while (!obey("COPYFILE BIG DATA B SMALL DATA A (APPEND")) {}
    obey("TAPE DUMP BIG DATA B");
    assert_non_null(strstr(fake_cms_shown(), "DMSTPE107S Disk A (191) is full"));
    obey("TAPE REW");
    shows("TAPE SCAN", 0, "Scanning.....\nALPHA DATA A1\nEnd-of-file or end-of-tape\n");
    fake_cms_forget();
    cms_console_command_begins();
    fake_cms_type("HX\r");
    cms_console_attention();
    assert_int_equal(cms_obey("TAPE SCAN"), COMMAND_HALTED);
    assert_int_equal(cms_obey("TAPE DUMP ALPHA DATA A"), COMMAND_HALTED);
    cms_console_command_ends();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_go_to_a_tape_and_come_back),
        TEST(a_loaded_file_replaces_one_and_keeps_its_date),
        TEST(marks_part_a_tape),
        TEST(what_is_written_ends_the_tape),
        TEST(filedef_says_which_file_is_the_tape),
        TEST(a_tape_is_its_bytes_however_they_are_cut),
        TEST(a_tape_that_became_another_is_not_written_behind),
        TEST(large_files_of_both_formats_come_back),
        TEST(what_fails_leaves_the_tape_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
