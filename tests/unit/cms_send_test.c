/* To whom things are sent: SENDFILE, NOTE, TELL, and the nicknames they know. */
#include "tests/unit/cms_spool_scene.h"

static void a_nickname_stands_for_a_user(void **state)
{
    (void)state;
    shows("NAMES", 28, "DMSNAM9028W There are no nicknames in your NAMES file\n");
    shows("NAMES ADD Sam SAMUEL Samuel Pepys", 0, "");
    shows("NAMES ADD BESS ELISA AT VMN", 0, "");
    shows("NAMES", 0,
          "Nickname Userid   Node     Name\n"
          "SAM      SAMUEL   VMN      Samuel Pepys\n"
          "BESS     ELISA    VMN      \n");
    shows("NAMES ADD SAM SAMMY", 0, "");
    shows("NAMES SAM", 0, "Nickname Userid   Node     Name\nSAM      SAMMY    VMN      \n");
    make("F T A", "alpha");
    shows("SENDFILE F T A sam", 0, "File F T A1 sent to SAMMY on 11/21/26 14:05:31\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PUN TO SAMMY NAME F T");
    shows("TELL Bess good day (to you", 0, "");
    assert_string_equal(fake_cms_cp_asked, "MSG ELISA good day (to you");
    shows("NAMES DELETE SAM", 0, "");
    obey("SENDFILE F T A SAM");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PUN TO SAM NAME F T");
}

/* As somebody wrote it with an editor: tags in any case and order, over several lines, among others and words. */
static void a_names_file_may_be_written_by_hand(void **state)
{
    char line[200];
    (void)state;
    snprintf(line, sizeof line, "%s NAMES A", cms_cp_user());
    make(line, "a comment/:NICK.al   :Name.Alan :notebook.x/   :phone.1 :userid.alan7/:nick./:nick.empty"
               "/:nick.two :userid.t:x");
    shows("NAMES", 0,
          "Nickname Userid   Node     Name\n"
          "AL       ALAN7    VMN      Alan\n"
          "EMPTY             VMN      \n"
          "TWO      T:X      VMN      \n");
    obey("TELL AL hi");
    assert_string_equal(fake_cms_cp_asked, "MSG ALAN7 hi");
    obey("TELL EMPTY hi");
    assert_string_equal(fake_cms_cp_asked, "MSG EMPTY hi");
    shows("NAMES DELETE AL", 0, "");
    snprintf(line, sizeof line, "TYPE %s NAMES A", cms_cp_user());
    obey(line);
    assert_non_null(strstr(fake_cms_shown(), "a comment"));
    assert_null(strstr(fake_cms_shown(), "phone"));
    assert_non_null(strstr(fake_cms_shown(), ":nick.two"));
}

#define SENT(file, to) "File " file " A1 sent to " to " on 11/21/26 14:05:31\n"

static void one_file_goes_to_many_and_many_to_one(void **state)
{
    (void)state;
    make("F T A", "alpha");
    make("G T A", "beta");
    make("H X A", "gamma");
    shows("SENDFILE F T A TO BOB EVE AT VMN BOB", 0, SENT("F T", "EVE") SENT("F T", "BOB"));
    shows("SENDFILE F T BOB EVE", 0, SENT("F T", "BOB") SENT("F T", "EVE"));
    shows("SENDFILE F T A BOB EVE", 0, SENT("F T", "BOB") SENT("F T", "EVE"));
    shows("SENDFILE F T TO BOB", 0, SENT("F T", "BOB"));
    shows("SENDFILE * T A TO BOB EVE", 0, SENT("F T", "BOB") SENT("F T", "EVE") SENT("G T", "BOB") SENT("G T", "EVE"));
    obey("SENDFILE * * A BOB");
    assert_true(strstr(fake_cms_shown(), "F T A1") && strstr(fake_cms_shown(), "G T A1") &&
                strstr(fake_cms_shown(), "H X A1"));
    shows("SENDFILE * Z A TO BOB", 28, "DMSSFL002E File * Z A not found\n");
    shows("SENDFILE F T A TO BOB AT PARIS", 32, "DMSSFL9024E BOB is at node PARIS, which cannot be reached\n");
    shows("SENDFILE F T TO bob@vmn EVE@VMN", 0, SENT("F T", "BOB") SENT("F T", "EVE"));
    shows("SENDFILE F T TO BOB@PARIS", 32, "DMSSFL9024E BOB is at node PARIS, which cannot be reached\n");
    shows("SENDFILE F T TO A@HOME", 0, SENT("F T", "A@HOME")); /* which a user may be called */
    shows("SENDFILE F T TO FAROVERLONG@VMN", 24, "DMSSFL070E Invalid parameter FAROVERLONG@VMN\n");
    shows("PUNCH * T A", 20, "DMSPUN062E Invalid character in fileid * T A\n");
    shows("PRINT F %", 20, "DMSPRT062E Invalid character in fileid F % A\n");
}

static void a_nickname_may_stand_for_a_list(void **state)
{
    char line[300];
    (void)state;
    make("F T A", "alpha");
    shows("NAMES ADD TEAM LIST bob sam eve at vmn", 0, "");
    shows("NAMES ADD SAM SAMUEL", 0, "");
    shows("NAMES ADD LONG LIST TEAM LONG ANNA", 0, "");
    shows("NAMES TEAM", 0, "Nickname Userid   Node     Name\nTEAM     (list)            bob sam eve at vmn\n");
    shows("SENDFILE F T A TEAM", 0, SENT("F T", "EVE") SENT("F T", "BOB") SENT("F T", "SAMUEL"));
    shows("SENDFILE F T A LONG EVE", 0,
          SENT("F T", "LONG") SENT("F T", "EVE") SENT("F T", "ANNA") SENT("F T", "BOB") SENT("F T", "SAMUEL"));
    obey("TELL TEAM hello");
    assert_string_equal(fake_cms_cp_asked, "MSG SAMUEL hello");
    obey("TELL bob AT vmn hello");
    assert_string_equal(fake_cms_cp_asked, "MSG BOB hello");
    /* by hand: over several records, around in a circle, and the first tag of a kind counts */
    snprintf(line, sizeof line, "%s NAMES A", cms_cp_user());
    make(line, ":nick.a :list.b/ c :userid.ann :userid.bad/* nobody/:nick.b :list.a/:nick.c :userid.cy :nick.d"
               " :userid.dan/:nick.a :userid.second/:nick.e :userid.faroverlong/:nick.f :list.toomanyletters");
    shows("SENDFILE F T A TO A", 0, SENT("F T", "ANN") SENT("F T", "CY"));
    shows("SENDFILE F T A TO D", 0, SENT("F T", "DAN"));
    shows("SENDFILE F T A TO E", 32, "DMSSFL9016E The entry E of your NAMES file is not as it should be\n");
    shows("SENDFILE F T A TO F", 32, "DMSSFL9016E The entry F of your NAMES file is not as it should be\n");
    shows("NAMES DELETE D", 0, ""); /* which stands within a line */
    shows("NAMES D", 32, "DMSNAM9025E Your NAMES file has no nickname D\n");
    shows("SENDFILE F T A TO C", 0, SENT("F T", "CY"));
    shows("NAMES ADD C CYRUS :userid.eve", 24, "DMSNAM070E Invalid parameter :USERID.EVE\n");
    strcpy(line, "NAMES ADD MANY LIST");
    for (unsigned i = 0; i < 33; i++)
        sprintf(line + strlen(line), " U%u", i);
    shows(line, 0, "");
    for (char *u = line; (u = strchr(u, 'U')); u++)
        *u = 'V';
    memcpy(line, "NAMES ADD MORE LIST", 19);
    shows(line, 0, "");
    shows("SENDFILE F T A MANY MORE", 32, "DMSSFL9017E Nothing can be sent to more than 64 at once\n");
}

static void what_is_sent_is_not_mixed_with_cards_that_lie_in_the_punch(void **state)
{
    (void)state;
    make("F T A", "alpha");
    fake_cms_cp("RDR  000C CL * NOCONT NOHOLD NOKEEP\nPUN  000D CL A CONT   NOHOLD NOKEEP COPY 001\n"
                "     000D TO  BOB      RDR FOR TESTER\n", 0);
    shows("SENDFILE F T A TO BOB", 32,
          "DMSSFL9018E Your punch is spooled CONT, so that what is sent would not be a file\n");
    assert_int_equal(fake_cms_punched_bytes, 0);
    fake_cms_cp("RDR  000C CL * NOCONT NOHOLD NOKEEP\nPUN  000D CL A NOCONT NOHOLD NOKEEP COPY 001\n"
                "     000D TO  BOB      RDR FOR TESTER\nPRT  000E CL A CONT   NOHOLD NOKEEP COPY 001\n", 0);
    shows("SENDFILE F T A TO BOB", 0, SENT("F T", "BOB"));
    fake_cms_cp("what was there went nowhere\n", 9083);
    fake_cms_cp_when = "CLOSE PUN";
    shows("SENDFILE F T A TO BOB", 9083, "what was there went nowhere\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PUN");
}

static void a_note_has_a_heading_is_sent_to_each_and_kept(void **state)
{
    char sent[80];
    (void)state;
    make("F T A", "first/second");
    fake_cms_type("dear Bob\ryours\r\r");
    obey("NOTE BOB EVE");
    snprintf(sent, sizeof sent, "File %s NOTE A0 sent to EVE", cms_cp_user());
    assert_non_null(strstr(fake_cms_shown(), sent));
    snprintf(sent, sizeof sent, "CLOSE PUN TO EVE NAME %s NOTE", cms_cp_user());
    assert_string_equal(fake_cms_cp_asked, sent);
    fake_cms_punched_bytes = 0;
    obey("NOTE BOB (FILE F T A");
    obey("TYPE ALL NOTEBOOK A");
    const char *book = fake_cms_shown(), *one = strstr(book, "Date: 21 November 2026, 14:05:31");
    assert_non_null(one);
    const char *text = strstr(one, "dear Bob"), *two = strstr(one + 1, "Date: 21 November");
    assert_true(strstr(one, "To:   BOB at VMN") && strstr(one, "      EVE at VMN") && text && two && text < two);
    assert_non_null(strstr(two, "second"));
    assert_int_equal(obey("STATE * NOTE A"), 28);
    /* what comes in goes into the notebook too */
    fake_cms_deliver("BOB", "NOTE");
    shows("RECEIVE", 0, "Note from SENDER added to ALL NOTEBOOK A0\n");
    obey("PIPE < ALL NOTEBOOK A | locate /second/ | count lines | console");
    assert_non_null(strstr(fake_cms_shown(), "2"));
}

static void a_note_that_is_not_sent_is_there_to_be_sent_again(void **state)
{
    char text[80];
    (void)state;
    fake_cms_type("dear Bob\r\r");
    fake_cms_cp("HCPCSP9083E The disk failed\n", 9083);
    fake_cms_cp_when = "CLOSE PUN TO";
    assert_int_equal(obey("NOTE BOB"), 9083);
    snprintf(text, sizeof text, "The note is in %s NOTE A0\n", cms_cp_user());
    assert_non_null(strstr(fake_cms_shown(), "The note is in "));
    assert_int_equal(obey("STATE * NOTE A"), 0);
    assert_int_equal(obey("STATE ALL NOTEBOOK A"), 28);
    fake_cms_cp("", 0);
    snprintf(text, sizeof text, "DMSNOT024E File %s NOTE A0 already exists; specify REPLACE option\n", cms_cp_user());
    shows("NOTE EVE", 28, text); /* and nothing is asked for */
    fake_cms_type("not this\rHX\r");
    assert_int_equal(obey("NOTE BOB (NONOTEBOOK REPLACE"), COMMAND_HALTED);
    snprintf(text, sizeof text, "PIPE < %s NOTE A | locate /dear/ | console", cms_cp_user());
    shows(text, 0, "dear Bob\n"); /* it is as it was */
    fake_cms_punched_bytes = 0;
    snprintf(text, sizeof text, "NOTE EVE (FILE %s NOTE NONOTEBOOK", cms_cp_user());
    obey(text);
    assert_string_equal(fake_cms_cp_asked + 10, "TO EVE NAME TESTER NOTE");
    assert_int_equal(obey("STATE * NOTE A"), 28);
    fake_cms_deliver("TESTER", "NOTE");
    shows("PEEK", 0, "Date: 21 November 2026, 14:05:31\nFrom: TESTER at VMN\nTo:   EVE at VMN\n \ndear Bob\n");
}

static void an_acknowledgement_is_sent_to_who_asked(void **state)
{
    (void)state;
    make("F T A", "alpha");
    obey("SENDFILE F T TO BOB (ACK");
    fake_cms_deliver("F", "T");
    shows("RECEIVE 7 G T (OLDDATE", 0, "File G T A1 received from SENDER\nAcknowledgement sent to SENDER\n");
    fake_cms_deliver("TESTER", "ACK");
    shows("RECEIVE", 0, "SENDER acknowledges F T: RECEIVED\n");
    obey("SENDFILE F T TO BOB (ACK");
    fake_cms_deliver("F", "T");
    fake_cms_cp("HCPCSP9081E SENDER takes no files from you\n", 9081);
    fake_cms_cp_when = "SPOOL PUN TO";
    shows("RECEIVE 7 H T", 0, "File H T A1 received from SENDER\nHCPCSP9081E SENDER takes no files from you\n");
    shows("RECEIVE 7 H T", 28, "DMSRCV024E File H T A1 already exists; specify REPLACE option\n");
}

static void a_note_without_a_line_is_none(void **state)
{
    (void)state;
    fake_cms_type("\r");
    obey("NOTE BOB");
    assert_non_null(strstr(fake_cms_shown(), "There was no line: nothing is sent"));
    assert_int_equal(fake_cms_punched_bytes, 0);
    assert_int_equal(obey("STATE * NOTE A"), 28);
}

static void whom_a_note_cannot_reach_is_told_before_it_is_typed(void **state)
{
    (void)state;
    fake_cms_cp("HCPCSP053E NOBODY not in CP directory\n", 53);
    fake_cms_cp_when = "SPOOL PUN TO NOBODY";
    fake_cms_type("QUERY SEARCH\r"); /* no line of a note */
    shows("NOTE BOB NOBODY", 53, "HCPCSP053E NOBODY not in CP directory\n");
    make("F T A", "alpha");
    shows("SENDFILE F T A BOB NOBODY EVE", 53, "HCPCSP053E NOBODY not in CP directory\n");
    assert_int_equal(fake_cms_punched_bytes, 0);
    shows("NOTE BOB (FILE NO SUCH", 28, "DMSNOT002E File NO SUCH * not found\n");
    fake_cms_spool = CMS_SPOOL_ABSENT;
    shows("NOTE BOB", 88, "DMSNOT9020E There is no reader, punch or printer: CP is not there, or has no spool\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_nickname_stands_for_a_user),
        TEST(a_names_file_may_be_written_by_hand),
        TEST(one_file_goes_to_many_and_many_to_one),
        TEST(a_nickname_may_stand_for_a_list),
        TEST(what_is_sent_is_not_mixed_with_cards_that_lie_in_the_punch),
        TEST(an_acknowledgement_is_sent_to_who_asked),
        TEST(a_note_without_a_line_is_none),
        TEST(a_note_has_a_heading_is_sent_to_each_and_kept),
        TEST(a_note_that_is_not_sent_is_there_to_be_sent_again),
        TEST(whom_a_note_cannot_reach_is_told_before_it_is_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
