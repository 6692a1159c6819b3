/* NETDATA as other systems make it: MVS's TRANSMIT, VM's SENDFILE, NJE on Unix. Each input is written here by the bytes
 * that the format's description has, and not by what sends here. */
#include "tests/unit/cms_netdata_scene.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    fake_cms_cp("", 0);
    attach(0x191, 'A', "ALI191");
    bytes = 0;
    return 0;
}

static void holds(const char *file_id, const char *format_shown, const char *content)
{
    char line[80], shown[400];
    snprintf(line, sizeof line, "LISTFILE %s (FORMAT NOHEADER", file_id);
    assert_int_equal(obey(line), 0);
    if (!strstr(fake_cms_shown(), format_shown))
        fail_msg("%s is no %s", fake_cms_shown(), format_shown);
    snprintf(line, sizeof line, "PIPE < %s | console", file_id);
    snprintf(shown, sizeof shown, "%s", content);
    shows(line, 0, shown);
}

/* ---- one file ---------------------------------------------------------------------------------------------------- */

static void a_file_of_records_comes_from_mvs(void **state)
{
    (void)state;
    begin("INMR01");
    nothing(0x1026); /* a receipt is asked for, without a name */
    value(0x102f, 1, 2);
    words(0x1002, "B");
    words(0x1012, "DAVE");
    words(0x1024, "20040309032825123456"); /* to the microsecond */
    words(0x1001, "A");
    value(0x0042, 80, 8);
    value(0x1023, 1, 4);
    end_control();
    begin("INMR02");
    number(1, 4);
    words(0x0002, "DAVE.TEST.JCL");
    value(0x0030, 27920, 4);
    value(0x8012, 0, 1); /* newer than the description */
    value(0x0049, 0x90000000, 4);
    value(0x0042, 20, 1);
    words(0x1022, "2004"); /* no more than the year is known */
    words(0x0003, "ONE.TWO.THREE");
    words(0x1028, "INMCOPY");
    value(0x003c, 0x4000, 2);
    value(0x102c, 40, 8);
    end_control();
    data_follow();
    data("first line          ");
    data("second line         ");
    trailer();
    deliver();
    shows("RECEIVE", 0, "File TEST JCL A1 received from SENDER\nAcknowledgement sent to SENDER\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PUN TO SENDER NAME TESTER ACK");
    fake_cms_deliver("TESTER", "ACK");
    shows("RECEIVE", 0, "SENDER acknowledges TEST JCL: RECEIVED\n");
    holds("TEST JCL A", "F         20", "first line          \nsecond line         \n");
}

static void undefined_and_unsaid_forms_become_v(void **state)
{
    static const struct {
        unsigned recfm;
        uint64_t lrecl;
    } forms[] = {{0xc000, 0}, {0x4000, 0x100000}, {0x8000, 0}, {0x8000, 70000}, {0x4002, 255}, {0, 80}};
    (void)state;
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        bytes = 0;
        header();
        file(1, "A.F.T", forms[i].recfm, forms[i].lrecl);
        end_control();
        data_follow();
        data("a");
        data("bcd");
        trailer();
        deliver();
        shows("RECEIVE (REPLACE", 0, "File F T A1 received from SENDER\n");
        holds("F T A", "V          3", "a\nbcd\n");
    }
}

static void a_record_may_be_in_any_segments(void **state)
{
    (void)state;
    begin("INMR01"); /* the first control record too */
    words(0x1012, "IBMUSER");
    put_segment(FIRST | CONTROL, record, 10);
    put_segment(LAST | CONTROL, record + 10, length - 10);
    file(1, "A.F.T", 0x4000, 255);
    put_segment(FIRST | CONTROL, record, length);
    put_segment(LAST | CONTROL, record, 0);
    put_segment(WHOLE | NUMBER, "\0\0\0\1", 4); /* that of the next record */
    data_follow();
    put_segment(FIRST, "", 0);
    put_segment(0, "one", 3);
    put_segment(0, "", 0);
    put_segment(WHOLE | NUMBER, "\0\0\0\2", 4);
    put_segment(LAST, " two", 4);
    put_segment(WHOLE | 0x0f, "", 0); /* CMS has no empty records; the other bits are nobody's yet */
    data("end");
    begin("INMR04"); /* for exits, of which there are none */
    words(0x1029, "PARM");
    end_control();
    trailer();
    deliver();
    shows("RECEIVE", 0, "File F T A1 received from SENDER\n");
    holds("F T A", "V          7", "one two\n \nend\n");
}

static void names_are_taken_where_they_are_ones(void **state)
{
    static const struct {
        const char *dsname, *received;
    } names[] = {
        {"A.PROFILE.EXEC", "PROFILE EXEC A1"},
        {"IBMUSER.A.B.SOURCE.ASM", "SOURCE ASM A1"},
        {"SOURCE.ASM", "SOURCE ASM A1"},
        {"A.READ_ME", "READ_ME NAME A1"},      /* Unix: a name without a type */
        {"LONELY", "LONELY NAME A1"},
        {"a.lower.Case", "LOWER CASE A1"},
        {"A.BLANKS  .TXT     ", "BLANKS TXT A1"},
        {"A.WHAT?.TEXT", "SPOOLED TEXT A1"},
        {"A.LONGERTHAN8.TEXT", "SPOOLED TEXT A1"},
        {NULL, "SPOOLED NAME A1"},
    };
    char text[100];
    (void)state;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        bytes = 0;
        header();
        file(1, names[i].dsname, 0x4000, 255);
        value(0x102d, 0xe7, 1); /* a mode number that is none */
        end_control();
        data_follow();
        data("x");
        trailer();
        deliver();
        snprintf(text, sizeof text, "File %s received from SENDER\n", names[i].received);
        shows("RECEIVE (REPLACE", 0, text);
    }
}

static void control_records_that_cms_does_not_need_may_be_wanting(void **state)
{
    (void)state;
    header();
    file(0, "A.F.T", 0x4000, 255); /* without a number, and without INMR03 */
    end_control();
    data("x");
    data("y");
    trailer();
    deliver();
    shows("RECEIVE", 0, "File F T A1 received from SENDER\n");
    holds("F T A", "V          1", "x\ny\n");
}

static void a_date_is_kept_if_asked_and_if_it_is_one(void **state)
{
    static const struct {
        const char *sent, *kept;
    } dates[] = {{"19991231235958", "12/31/99 23:59:58"}, {"2004", "11/21/26"}, {"20040309", "3/09/04  0:00:00"},
                 {"20049909", "11/21/26"}, {"WHENEVER", "11/21/26"}, {"18991231", "11/21/26"}};
    (void)state;
    for (unsigned i = 0; i < sizeof dates / sizeof *dates; i++) {
        bytes = 0;
        header();
        file(1, "A.F.T", 0x4000, 255);
        words(0x1021, dates[i].sent);
        end_control();
        data_follow();
        data("x");
        trailer();
        deliver();
        shows("RECEIVE (REPLACE OLDDATE", 0, "File F T A1 received from SENDER\n");
        obey("LISTFILE F T A (DATE NOHEADER");
        if (!strstr(fake_cms_shown(), dates[i].kept))
            fail_msg("%s became %s", dates[i].sent, fake_cms_shown());
    }
}

static void text_of_other_systems_is_made_ascii_if_asked(void **state)
{
    (void)state;
    header();
    file(1, "A.F.T", 0x8000, 8);
    end_control();
    data_follow();
    put_segment(WHOLE, "\xc8\x85\x93\x93\x96\x40\x40\x40", 8);
    trailer();
    deliver();
    shows("PEEK (EBCDIC", 0, "Hello   \n");
    shows("RECEIVE (EBCDIC", 0, "File F T A1 received from SENDER\n");
    holds("F T A", "F          8", "Hello   \n");
}

/* ---- several ----------------------------------------------------------------------------------------------------- */

static void a_partitioned_data_set_comes_as_it_was_unloaded(void **state)
{
    (void)state;
    for (unsigned copy_first = 0; copy_first < 2; copy_first++) {
        bytes = 0;
        header();
        for (unsigned i = 0; i < 2; i++) {
            if (i == copy_first) {
                begin("INMR02");
                number(1, 4);
                value(0x000c, 6, 3);
                words(0x0002, "DAVE.TEST.PDS");
                words(0x1028, "IEBCOPY");
                format(0x9000, 80);
            } else {
                file(1, NULL, 0x4802, 8804);
            }
            end_control();
        }
        data_follow();
        data("\xca\x6d\x0f");
        data("members and more members");
        trailer();
        deliver();
        shows("RECEIVE (REPLACE", 0,
              "File TEST PDS A1 received from SENDER\n"
              "DMSRCV9026I TEST PDS A1 is as IEBCOPY of MVS unloaded it\n");
        obey("LISTFILE TEST PDS A (FORMAT NOHEADER");
        assert_non_null(strstr(fake_cms_shown(), "V         24"));
    }
}

static void a_message_and_a_file_come_together(void **state)
{
    (void)state;
    header();
    begin("INMR02");
    number(1, 4);
    words(0x1028, "INMCOPY");
    format(0x4000, 251);
    nothing(0x0028);
    end_control();
    file(2, "X.DATA.SET", 0x4000, 255);
    end_control();
    data_follow();
    data("here it is");
    data_follow();
    data("the data");
    trailer();
    deliver();
    shows("PEEK", 0, "here it is\nDATA SET:\nthe data\n");
    shows("PEEK 7 (FROM 2 FOR *", 0, "DATA SET:\nthe data\n");
    shows("RECEIVE 7 MY NAME", 0,
          "Note from SENDER added to ALL NOTEBOOK A0\nFile MY NAME A1 received from SENDER\n");
    holds("MY NAME A", "V          8", "the data\n");
    obey("PIPE < ALL NOTEBOOK A | locate /here/ | console");
    assert_non_null(strstr(fake_cms_shown(), "here it is"));
}

static void each_of_several_files_becomes_one(void **state)
{
    (void)state;
    header();
    file(1, "A.ONE.DATA", 0x4000, 255);
    end_control();
    data_follow();
    data("1");
    file(2, "A.TWO.DATA", 0x8000, 1); /* behind the records of the first */
    end_control();
    data_follow();
    data("2");
    data("2");
    trailer();
    deliver();
    shows("RECEIVE", 0, "File ONE DATA A1 received from SENDER\nFile TWO DATA A1 received from SENDER\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE RDR");
    holds("ONE DATA A", "V          1", "1\n");
    holds("TWO DATA A", "F          1", "2\n2\n");
    bytes = 0;
    header();
    for (unsigned i = 1; i <= 9; i++) { /* more than anybody sends */
        file(i, "A.MANY.FILES", 0x4000, 1);
        end_control();
    }
    deliver();
    shows("RECEIVE", 32, "DMSRCV9023E The file in the reader is not as SENDFILE makes them\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE RDR KEEP");
}

static void a_receipt_is_told_and_is_no_file(void **state)
{
    (void)state;
    header();
    begin("INMR07");
    words(0x0002, "A.LETTER.SCRIPT");
    words(0x1024, "19901121140531");
    words(0x1026, "#4711");
    words(0x1027, "DELETED");
    end_control();
    trailer();
    deliver();
    shows("PEEK", 0, "An acknowledgement: RECEIVE tells of what\n");
    shows("RECEIVE", 0, "SENDER acknowledges LETTER SCRIPT: DELETED\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE RDR");
    bytes = 0;
    header();
    begin("INMR07");
    words(0x1024, "1990");
    nothing(0x0028);
    end_control();
    trailer();
    deliver();
    shows("RECEIVE", 0, "SENDER acknowledges a note: RECEIVED\n");
}

/* ---- what is none ------------------------------------------------------------------------------------------------ */

static void what_contradicts_itself_is_refused_and_stays(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 7; what++) {
        bytes = 0;
        header();
        if (what != 0)
            file(what == 1 ? 0xffffffff : 1, "A.F.T", 0x8000, 3), end_control();
        if (what == 2)
            put_segment(WHOLE | CONTROL, record, 8); /* cut within its number */
        if (what == 3)
            put_segment(WHOLE | CONTROL, record, length - 1); /* within a text unit */
        if (what != 4)
            data_follow();
        if (what == 5)
            put("\1\xc0", 2); /* a segment shorter than its head */
        data("abc");
        if (what == 6)
            put_segment(LAST, "x", 1); /* of a record that has not begun */
        trailer();
        if (what == 4)
            bytes -= 20; /* without its end */
        deliver();
        shows("RECEIVE (REPLACE", 32, "DMSRCV9023E The file in the reader is not as SENDFILE makes them\n");
        assert_string_equal(fake_cms_cp_asked, "CLOSE RDR KEEP");
        assert_int_equal(obey("STATE F T A"), 28);
    }
    bytes = 0;
    header();
    trailer();
    deliver();
    shows("RECEIVE", 32, "DMSRCV9023E The file in the reader is not as SENDFILE makes them\n");
    bytes = 0;
    header();
    file(1, "A.F.T", 0x8000, 2);
    end_control();
    data_follow();
    data("abc"); /* longer than all are said to be */
    trailer();
    deliver();
    shows("RECEIVE", 32, "DMSRCV044E Record exceeds allowable maximum\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_of_records_comes_from_mvs),
        TEST(undefined_and_unsaid_forms_become_v),
        TEST(a_record_may_be_in_any_segments),
        TEST(names_are_taken_where_they_are_ones),
        TEST(control_records_that_cms_does_not_need_may_be_wanting),
        TEST(a_date_is_kept_if_asked_and_if_it_is_one),
        TEST(text_of_other_systems_is_made_ascii_if_asked),
        TEST(a_partitioned_data_set_comes_as_it_was_unloaded),
        TEST(a_message_and_a_file_come_together),
        TEST(each_of_several_files_becomes_one),
        TEST(a_receipt_is_told_and_is_no_file),
        TEST(what_contradicts_itself_is_refused_and_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
