/* The file commands as a user types them, on disks in memory. */
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
    return 0;
}

static void listfile_tells_as_much_as_it_is_asked(void **state)
{
    (void)state;
    shows("LISTFILE", 0, "ALPHA    DATA     A1\nALPHA    EXEC     A2\n");
    shows("L * * * (FN NOH", 0, "ALPHA\nALPHA\nBETA\n");
    shows("LISTFILE * * A (FTYPE", 0, "ALPHA    DATA\nALPHA    EXEC\n");
    shows("listfile b* data b (label", 0,
          "FILENAME FILETYPE FM FORMAT LRECL       RECS     BLOCKS     DATE     TIME LABEL\n"
          "BETA     DATA     B1 F          8          1          1 11/21/26 14:05:31 ALI192\n");
    shows("listfile alpha data (date noheader", 0,
          "ALPHA    DATA     A1 V          7          3          1 11/21/26 14:05:31\n");
    shows("LISTFILE ALPHA * (ISODATE DATE", 0,
          "FILENAME FILETYPE FM FORMAT LRECL       RECS     BLOCKS       DATE     TIME\n"
          "ALPHA    DATA     A1 V          7          3          1 2026-11-21 14:05:31\n"
          "ALPHA    EXEC     A2 V          3          1          1 2026-11-21 14:05:31\n");
    shows("LISTFILE * * A2", 0, "ALPHA    EXEC     A2\n");
    shows("LISTFILE %LPHA E* A (FORMAT", 0, "FILENAME FILETYPE FM FORMAT LRECL\nALPHA    EXEC     A2 V          3\n");
}

static void listfile_makes_an_exec_of_what_it_lists(void **state)
{
    (void)state;
    shows("LISTFILE ALPHA DATA A (EXEC FORMAT", 0, "");
    shows("TYPE CMS EXEC A (COL 1-40", 0, "\n&1 &2 ALPHA    DATA     A1 V          7 \n\n");
    shows("LISTFILE BETA * B (APPEND", 0, "");
    shows("TYPE CMS EXEC A (COL 1-26", 0, "\n&1 &2 ALPHA    DATA     A1\n&1 &2 BETA     DATA     B1\n\n");
    shows("LISTFILE NOSUCH FILE (EXEC", 28, "DMSLST002E File NOSUCH FILE A not found\n");
    shows("PIPE < CMS EXEC A | count lines | console", 0, "2\n"); /* the old one stands */
    shows("LISTFILE (EXEC APPEND", 24, "DMSLST066E EXEC and APPEND are conflicting options\n");
    shows("ERASE CMS EXEC A", 0, "");
    shows("LISTFILE ALPHA * A (APPEND LABEL", 0, ""); /* there is none to append to */
    shows("TYPE CMS EXEC A 2 2 (COL 1-40", 0, "\n&1 &2 ALPHA    EXEC     A2 V          3 \n\n");
    struct mode_problem problem;
    assert_true(cms_mode_access(0x191, 'A', 'A', true, &problem));
    shows("LISTFILE (EXEC", 36, "DMSLST037E Filemode A is accessed as read/only\n");
}

static void listfile_says_what_is_wrong(void **state)
{
    (void)state;
    shows("LISTFILE NOSUCH FILE", 28, "DMSLST002E File NOSUCH FILE A not found\n");
    shows("LISTFILE * * Z", 36, "DMSLST069E Filemode Z not accessed\n");
    shows("LISTFILE * * 99", 24, "DMSLST048E Invalid filemode 99\n");
    shows("LISTFILE * * A (WIDE", 24, "DMSLST003E Invalid option: WIDE\n");
    shows("LISTFILE * * A (DATE LABEL", 24, "DMSLST066E DATE and LABEL are conflicting options\n");
    shows("LISTFILE * * A A", 24, "DMSLST070E Invalid parameter A\n");
}

static void type_shows_records_ranges_columns_and_bytes(void **state)
{
    (void)state;
    shows("TYPE ALPHA DATA", 0, "\none\n  two\nThe end\n\n");
    shows("TYPE ALPHA DATA A 2 2", 0, "\n  two\n\n");
    shows("TYPE ALPHA DATA 2 *", 0, "\n  two\nThe end\n\n");
    shows("TYPE ALPHA DATA A 3 (COL 5-6", 0, "\nen\n\n");
    shows("TYPE BETA DATA B (HEX", 0, "\nRECORD 1 LENGTH=8\n61626320 20202020                   *abc     *\n\n");
    shows("TYPE ALPHA DATA A 9", 24, "DMSTYP049E Invalid line number 9\n");
    shows("TYPE NOSUCH FILE", 28, "DMSTYP002E File NOSUCH FILE A not found\n");
    shows("TYPE ALPHA", 24, "DMSTYP054E Incomplete fileid specified\n");
    shows("TYPE", 24, "DMSTYP042E No fileid(s) specified\n");
    shows("TYPE AL/PHA DATA", 20, "DMSTYP062E Invalid character in fileid AL/PHA DATA A\n");
}

static void type_does_not_let_a_file_command_the_terminal(void **state)
{
    (void)state;
    obey("PIPE literal x|change /x/\x1b[2J/|> EVIL DATA A");
    shows("TYPE EVIL DATA", 0, "\n.[2J\n\n");
    shows("PIPE < EVIL DATA A | console", 0, ".[2J\n");
    static const char *const shown[][2] = {
        {"<\xe0\x82\x9b>", "<\xe0..>"},         /* 9B, and */
        {"<\xf0\x80\x80\x9b>", "<\xf0...>"},    /* ESC, longer than they are */
        {"<\xed\xa0\x80>", "<\xed\xa0.>"},      /* half of UTF-16 */
        {"<\xe2\x80\xae>", "<\xe2.\xae>"},      /* from right to left */
        {"<\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9>", "<\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9>"},
        {"<\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\xef\xb8\x8f>",
         "<\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\xef\xb8\x8f>"}, /* one picture of two, joined */
    };
    for (unsigned i = 0; i < sizeof shown / sizeof *shown; i++) {
        char command[80], line[40];
        snprintf(command, sizeof command, "PIPE literal %s| > EVIL DATA A", shown[i][0]);
        snprintf(line, sizeof line, "\n%s\n\n", shown[i][1]);
        obey(command);
        shows("TYPE EVIL DATA", 0, line);
    }
}

static void copyfile_copies_replaces_and_appends(void **state)
{
    (void)state;
    shows("COPYFILE ALPHA DATA A GAMMA = B", 0, "");
    shows("TYPE GAMMA DATA B", 0, "\none\n  two\nThe end\n\n");
    shows("COPYFILE ALPHA DATA A GAMMA DATA B", 28,
          "DMSCPY024E File GAMMA DATA B1 already exists; specify REPLACE option\n");
    shows("COPYFILE ALPHA EXEC A GAMMA DATA B (REPLACE", 0, "");
    shows("TYPE GAMMA DATA B", 0, "\none\n\n");
    shows("COPY ALPHA DATA A GAMMA DATA B (APPEND TYPE", 0,
          "DMSCPY721I Copy ALPHA DATA A1 append GAMMA DATA B1 (old file)\n");
    shows("TYPE GAMMA DATA B", 0, "\none\none\n  two\nThe end\n\n");
    shows("COPYFILE ALPHA * A = = B", 0, "");
    shows("LISTFILE A* * B", 0, "ALPHA    DATA     B1\nALPHA    EXEC     B2\n");
    shows("COPYFILE ALPHA * A ALL DATA B", 0, "");
    shows("TYPE ALL DATA B", 0, "\none\n  two\nThe end\none\n\n");
    shows("COPYFILE ALPHA DATA A BETA DATA B TWO DATA A (FROM 1 FOR 2", 0, "");
    shows("TYPE TWO DATA", 0, "\none\n  two\nabc     \n\n");
}

static void copyfile_changes_the_format(void **state)
{
    (void)state;
    shows("COPYFILE ALPHA DATA A (RECFM F LRECL 5", 0, "");
    shows("LISTFILE ALPHA DATA A (FORMAT NOH", 0, "ALPHA    DATA     A1 F          5\n");
    shows("TYPE ALPHA DATA", 0, "\none  \n  two\nThe e\n\n");
    shows("COPYFILE ALPHA DATA A = V A (RECFM V TRUNC UPCASE", 0, "");
    shows("TYPE ALPHA V", 0, "\nONE\n  TWO\nTHE E\n\n");
    shows("COPYFILE ALPHA DATA A X Y A (LRECL 70000", 24,
          "DMSCPY029E Invalid parameter 70000 in the option LRECL field\n");
    shows("COPYFILE ALPHA DATA A X Y A (FROM 4", 32,
          "DMSCPY156E FROM 4 not found--file ALPHA DATA A1 has only 3 records\n");
    shows("STATE X Y A", 28, "DMSSTT002E File X Y A not found\n"); /* nothing was left behind */
    shows("COPYFILE ALPHA DATA A X Y A (LRECL", 24, "DMSCPY050E Parameter missing after LRECL\n");
    shows("COPYFILE ALPHA DATA", 24, "DMSCPY054E Incomplete fileid specified\n");
    shows("COPYFILE NO FILE A X Y A", 28, "DMSCPY002E File NO FILE A not found\n");
    shows("COPYFILE ALPHA DATA A X Y *", 24, "DMSCPY048E Invalid filemode *\n");
    shows("COPYFILE ALPHA DATA A X Y Z", 36, "DMSCPY069E Filemode Z not accessed\n");
}

static void copyfile_in_place_replaces_unless_it_is_told_not_to(void **state)
{
    (void)state;
    shows("PIPE literal ab| > FIX FILE A F 10", 0, "");
    shows("COPYFILE FIX FILE A = = = (RECFM V TRUNC TYPE", 0,
          "DMSCPY721I Copy FIX FILE A1 to FIX FILE A1 (old file)\n");
    shows("LISTFILE FIX FILE A (FORMAT NOH", 0, "FIX      FILE     A1 V          2\n");
    shows("COPYFILE FIX FILE A FIX FILE A", 28,
          "DMSCPY024E File FIX FILE A1 already exists; specify REPLACE option\n");
    shows("COPYFILE FIX FILE A = = A", 28, "DMSCPY024E File FIX FILE A1 already exists; specify REPLACE option\n");
    shows("COPYFILE FIX FILE A = = = (NEWFILE", 28,
          "DMSCPY024E File FIX FILE A1 already exists; specify REPLACE option\n");
    shows("COPYFILE FIX FILE A (NEWFILE", 28, "DMSCPY024E File FIX FILE A1 already exists; specify REPLACE option\n");
    shows("COPYFILE FIX FILE A (APPEND UPCASE", 0, "");
    shows("TYPE FIX FILE", 0, "\nab\nAB\n\n");
    shows("COPYFILE * FILE A = = = (LOWCASE", 0, "");
    shows("TYPE FIX FILE", 0, "\nab\nab\n\n");
    shows("COPYFILE FIX FILE A NEW FILE A (REPLACE TYPE", 0,
          "DMSCPY721I Copy FIX FILE A1 to NEW FILE A1 (new file)\n");
}

static void copyfile_refuses_what_it_would_not_do(void **state)
{
    static const char *const with_append[] = {"RECFM F", "LRECL 80", "OLDDATE", "NEWDATE"};
    char line[80], said[80];
    (void)state;
    for (unsigned i = 0; i < sizeof with_append / sizeof *with_append; i++) {
        int word = (int)strcspn(with_append[i], " ");
        snprintf(line, sizeof line, "COPYFILE ALPHA DATA A ALPHA EXEC A (APPEND %s", with_append[i]);
        snprintf(said, sizeof said, "DMSCPY066E APPEND and %.*s are conflicting options\n", word, with_append[i]);
        shows(line, 24, said);
    }
    shows("COPYFILE ALPHA DATA A X Y A (FROM 1 FRLABEL one", 24,
          "DMSCPY066E FROM and FRLABEL are conflicting options\n");
    shows("COPYFILE ALPHA DATA A X Y A (TOLABEL one FOR 1", 24,
          "DMSCPY066E TOLABEL and FOR are conflicting options\n");
    shows("STATE X Y A", 28, "DMSSTT002E File X Y A not found\n");
}

static void copyfile_copies_between_labels(void **state)
{
    (void)state;
    shows("COPYFILE ALPHA DATA A PART DATA A (FRLABEL The", 0, "");
    shows("TYPE PART DATA", 0, "\nThe end\n\n");
    shows("COPYFILE ALPHA DATA A PART DATA A (REPLACE TOLABEL The", 0, "");
    shows("TYPE PART DATA", 0, "\none\n  two\n\n");
    shows("COPYFILE ALPHA DATA A PART DATA A (REPLACE FRLABEL one TOLABEL The", 0, "");
    shows("TYPE PART DATA", 0, "\none\n  two\n\n");
    shows("COPYFILE ALPHA DATA A PART DATA A (REPLACE FRLABEL one FOR 1", 0, "");
    shows("TYPE PART DATA", 0, "\none\n\n");
    shows("COPYFILE ALPHA DATA A PART DATA A (REPLACE FROM 2 TOLABEL one", 32,
          "DMSCPY157E Label one not found in file ALPHA DATA A1\n");
    shows("COPYFILE ALPHA DATA A PART DATA A (REPLACE FRLABEL The TOLABEL The", 24,
          "DMSCPY172E TOLABEL label THE equals FRLABEL label\n");
    shows("COPYFILE ALPHA DATA A PART DATA A (REPLACE TOLABEL on", 40,
          "DMSCPY173E No records were copied to output file PART DATA A1\n");
    shows("COPYFILE ALPHA DATA A PART DATA A (REPLACE FRLABEL the", 32,
          "DMSCPY157E Label the not found in file ALPHA DATA A1\n");
    shows("TYPE PART DATA", 0, "\none\n\n"); /* the old one stands */
    shows("COPYFILE ALPHA DATA A PART DATA A (REPLACE FRLABEL ninechars", 24,
          "DMSCPY029E Invalid parameter NINECHARS in the option FRLABEL field\n");
}

static void copyfile_fills_with_a_character_or_its_code(void **state)
{
    (void)state;
    shows("COPYFILE ALPHA DATA A PART DATA A (FOR 1 RECFM F LRECL 5 FILL 2E", 0, "");
    shows("TYPE PART DATA", 0, "\none..\n\n");
    shows("COPYFILE PART DATA A = = = (RECFM V TRUNC FILL .", 0, "");
    shows("TYPE PART DATA", 0, "\none\n\n");
    shows("COPYFILE PART DATA A (FILL 2G", 24, "DMSCPY029E Invalid parameter 2G in the option FILL field\n");
    shows("COPYFILE PART DATA A (FILL 2E2", 24, "DMSCPY029E Invalid parameter 2E2 in the option FILL field\n");
}

static void erase_and_rename_and_state(void **state)
{
    (void)state;
    shows("STATE ALPHA DATA", 0, "");
    shows("STATEW BETA DATA *", 0, "");
    shows("RENAME ALPHA * A GAMMA = = (TYPE", 0,
          "ALPHA DATA A1  GAMMA DATA A1\nALPHA EXEC A2  GAMMA EXEC A2\n");
    shows("RENAME GAMMA DATA A GAMMA EXEC A", 28, "DMSRNM024E File GAMMA EXEC A1 already exists\n");
    shows("RENAME GAMMA DATA A = = B", 24, "DMSRNM051E Invalid filemode change from A to B\n");
    shows("RENAME GAMMA DATA A1 = = A6", 0, "");
    shows("LISTFILE GAMMA DATA *", 0, "GAMMA    DATA     A6\n");
    shows("ERASE * * A", 24, "DMSERS071E ERASE * * A not allowed\n");
    shows("ERASE NOSUCH FILE", 28, "DMSERS002E File NOSUCH FILE A not found\n");
    shows("ERASE GAMMA * A (TYPE", 0, "GAMMA DATA A6\nGAMMA EXEC A2\n");
    shows("LISTFILE", 28, "DMSLST002E File * * A not found\n");
    shows("ERASE BETA DATA *", 0, "");
}

static void every_file_that_matches_is_erased(void **state)
{
    char line[80];
    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(line, sizeof line, "PIPE literal x | > %s%d %s A", i % 3 ? "KEEP" : "GO", i, i % 2 ? "ODD" : "EVEN");
        assert_int_equal(obey(line), 0);
    }
    shows("ERASE GO* * A", 0, "");
    shows("LISTFILE GO* * A", 28, "DMSLST002E File GO* * A not found\n");
    shows("PIPE cms LISTFILE KEEP* * A | count lines | console", 0, "26\n");
}

static void a_read_only_disk_is_not_changed(void **state)
{
    struct mode_problem problem;
    (void)state;
    cms_mode_release('B');
    assert_true(cms_mode_access(0x192, 'C', 'A', true, &problem)); /* an extension of A */
    shows("ERASE BETA DATA C", 36, "DMSERS037E Filemode C is accessed as read/only\n");
    shows("COPYFILE ALPHA DATA A = = C", 36, "DMSCPY037E Filemode C is accessed as read/only\n");
    shows("PIPE literal x | > X Y C", 36,
          "DMSPIP037E Filemode C is accessed as read/only\n"
          "DMSPIP003I ... Issued from stage 2 of pipeline 1\n"
          "DMSPIP001I ... Running \"> X Y C\"\n");
    shows("TYPE BETA DATA A", 0, "\nabc     \n\n"); /* found on the extension */
    shows("STATEW BETA DATA *", 28, "DMSSTT002E File BETA DATA * not found\n");
}

static void files_without_records_are_typed_copied_and_compared(void **state)
{
    (void)state;
    obey("PIPE hole| > VOID DATA A");
    obey("PIPE hole| > VOID FIXED A F");
    shows("LISTFILE VOID * A (ALLOC NOHEADER", 0,
          "VOID     DATA     A1 V          0          0          0\n"
          "VOID     FIXED    A1 F         80          0          0\n");
    shows("TYPE VOID DATA", 0, "\n\n");
    shows("TYPE VOID DATA A 1 *", 0, "\n\n");
    shows("TYPE VOID DATA A 2", 24, "DMSTYP049E Invalid line number 2\n");
    shows("COPYFILE VOID * A = = B", 0, "");
    shows("COPYFILE VOID DATA A VOID FIXED B (REPLACE RECFM F", 0, "");
    shows("COMPARE VOID FIXED A VOID FIXED B", 0, "DMSCMP179I Comparing VOID FIXED A1 with VOID FIXED B1\n");
    shows("COMPARE VOID DATA B ALPHA DATA A", 40,
          "DMSCMP179I Comparing VOID DATA B1 with ALPHA DATA A1\n"
          "DMSCMP010W Premature EOF on file VOID DATA B1\n");
    shows("COPYFILE ALPHA DATA A VOID DATA B (APPEND", 0, "");
    shows("TYPE VOID DATA B", 0, "\none\n  two\nThe end\n\n");
    shows("COPYFILE VOID DATA A ALPHA DATA A (APPEND", 0, "");
    shows("TYPE ALPHA DATA", 0, "\none\n  two\nThe end\n\n");
    shows("COPYFILE VOID DATA A VOID DATA B (FROM 2", 28,
          "DMSCPY024E File VOID DATA B1 already exists; specify REPLACE option\n");
}

static void compare_finds_differences(void **state)
{
    (void)state;
    obey("COPYFILE ALPHA DATA A ALPHA COPY A");
    shows("COMPARE ALPHA DATA A ALPHA COPY A", 0, "DMSCMP179I Comparing ALPHA DATA A1 with ALPHA COPY A1\n");
    obey("PIPE < ALPHA DATA A | change /two/2/ | > ALPHA COPY A");
    shows("COMPARE ALPHA DATA A ALPHA COPY A", 4,
          "DMSCMP179I Comparing ALPHA DATA A1 with ALPHA COPY A1\n  two\n  2\nDMSCMP209W Files do not compare\n");
    shows("COMPARE ALPHA DATA A ALPHA COPY A (COL 1", 4,
          "DMSCMP179I Comparing ALPHA DATA A1 with ALPHA COPY A1\n  two\n  2\nDMSCMP209W Files do not compare\n");
    shows("COMPARE ALPHA DATA A ALPHA COPY A (COL 1-2", 0, "DMSCMP179I Comparing ALPHA DATA A1 with ALPHA COPY A1\n");
    shows("COMPARE ALPHA DATA A ALPHA COPY A (COL 9-12", 0, "DMSCMP179I Comparing ALPHA DATA A1 with ALPHA COPY A1\n");
    shows("COMPARE ALPHA DATA A ALPHA EXEC A", 40,
          "DMSCMP179I Comparing ALPHA DATA A1 with ALPHA EXEC A2\nDMSCMP010W Premature EOF on file ALPHA EXEC A2\n");
    shows("COMPARE ALPHA DATA A BETA DATA B", 32, "DMSCMP011E Conflicting file formats\n");
    shows("COMPARE ALPHA DATA A ALPHA DATA A", 24, "DMSCMP019E Identical fileids\n");
}

static void a_full_disk_fails_the_command_and_the_old_file_stands(void **state)
{
    (void)state;
    obey("PIPE literal 0123456789 | > BIG DATA A");
    for (int i = 0; i < 20; i++)
        if (obey("COPYFILE BIG DATA A BIG DATA A BIG DATA A (REPLACE") != 0)
            break;
    assert_string_equal(fake_cms_shown(), "DMSCPY107S Disk A (191) is full\r\n");
    shows("PIPE < BIG DATA A | take 1 | console", 0, "0123456789 \n");
    shows("ERASE BIG DATA A", 0, "");
}

static void halting_leaves_the_old_file(void **state)
{
    (void)state;
    fake_cms_forget();
    cms_console_command_begins();
    fake_cms_type("HX\r");
    cms_console_attention();
    assert_int_equal(cms_obey("COPYFILE ALPHA DATA A ALPHA EXEC A (REPLACE"), COMMAND_HALTED);
    assert_int_equal(cms_obey("PIPE literal new | > ALPHA EXEC A"), COMMAND_HALTED);
    cms_console_command_ends();
    shows("TYPE ALPHA EXEC", 0, "\none\n\n");
}

static void a_command_is_done_though_every_interrupt_of_its_disks_is_lost(void **state)
{
    (void)state;
    fake_cms_loses_interrupts = true;
    shows("COPYFILE ALPHA DATA A GAMMA DATA B", 0, "");
    assert_true(fake_cms_ticks > 0);
    shows("TYPE GAMMA DATA B", 0, "\none\n  two\nThe end\n\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(listfile_tells_as_much_as_it_is_asked),
        TEST(listfile_makes_an_exec_of_what_it_lists),
        TEST(listfile_says_what_is_wrong),
        TEST(type_shows_records_ranges_columns_and_bytes),
        TEST(type_does_not_let_a_file_command_the_terminal),
        TEST(copyfile_copies_replaces_and_appends),
        TEST(copyfile_changes_the_format),
        TEST(copyfile_in_place_replaces_unless_it_is_told_not_to),
        TEST(copyfile_refuses_what_it_would_not_do),
        TEST(copyfile_copies_between_labels),
        TEST(copyfile_fills_with_a_character_or_its_code),
        TEST(erase_and_rename_and_state),
        TEST(every_file_that_matches_is_erased),
        TEST(a_read_only_disk_is_not_changed),
        TEST(files_without_records_are_typed_copied_and_compared),
        TEST(compare_finds_differences),
        TEST(a_full_disk_fails_the_command_and_the_old_file_stands),
        TEST(halting_leaves_the_old_file),
        TEST(a_command_is_done_though_every_interrupt_of_its_disks_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
